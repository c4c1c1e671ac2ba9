//! The checks of an export: leaves against tiles, tiles against signed roots, rows against leaves, the catalog against schema roots.
//!
//! Y1: what is there and what must be there are the same set of files; the first bad position is named.
//! Y2: memory is bounded by one entry bundle, one row and the catalog, whatever the size of the export.
//!
//! Never: takes a key from the export, other than those that a signed log names.
//! Format: docs/formats/export.md.

mod catalog;
mod log;
mod rows;

use std::io::Read;

use super::{Failure, check_witnesses, conclude, ledger_of, open_checkpoint, open_pinned, open_quietly, open_signed, parse_note, tampered};
use crate::FormatError;
use crate::checkpoint::Checkpoint;
use crate::export::{ExportFiles, Found, Manifest};
use crate::leaf::Leaf;
use crate::note::{NOTE_BYTES_MAX, Note};
use crate::policy::{Policy, Quorum};
use crate::quote::format_name;
use crate::verdict::{Report, Verdict};
use log::Log;
use rows::Rows;

const COSIGNED: &str = "cosigned";
const MANIFEST_BYTES_MAX: usize = 4096;
const FILES_MAX: usize = 1_000_000;

/// Verifies an export under a policy. `pinned` is a signed checkpoint of its SHA-256 tree kept from before: the log must extend it.
pub fn verify_export(files: &dyn ExportFiles, pinned: Option<&[u8]>, policy: &Policy) -> Verdict {
    let mut report = Report::default();
    let result = check_export(files, pinned, policy, &mut report);
    conclude(result, report)
}

fn malformed<T>(what: impl Into<String>, why: impl Into<String>) -> Result<T, Failure> {
    Err(Failure::Malformed(what.into(), why.into()))
}

/// What all parts of the check know.
struct Export<'a> {
    files: &'a dyn ExportFiles,
    manifest: Manifest,
    ledger: [u8; 16],
    checkpoint: Checkpoint,
    note: Note,
    pinned: Option<Checkpoint>,
    /// The newest that witnesses have cosigned, if it is in a file of its own.
    cosigned: Option<Checkpoint>,
}

impl Export<'_> {
    /// A whole file of at most `max` bytes.
    fn read(&self, path: &str, max: usize) -> Result<Vec<u8>, Failure> {
        read(self.files, path, max)
    }
}

fn read(files: &dyn ExportFiles, path: &str, max: usize) -> Result<Vec<u8>, Failure> {
    let file = match files.open(path) {
        Found::Absent => return tampered(path, "is not there"),
        Found::Unreadable => return malformed(path, "cannot be read"),
        Found::Here(file) => file,
    };
    let mut bytes = Vec::new();
    match file.take(max as u64 + 1).read_to_end(&mut bytes) {
        Err(_) => malformed(path, "cannot be read"),
        Ok(length) if length > max => malformed(path, format!("is longer than {max} bytes")),
        Ok(_) => Ok(bytes),
    }
}

/// The note in a file, and what it says.
fn note(files: &dyn ExportFiles, path: &str) -> Result<Note, Failure> {
    let bytes = read(files, path, NOTE_BYTES_MAX)?;
    parse_note(&bytes).map_err(|failure| failure.at(path))
}

fn check_export(files: &dyn ExportFiles, pinned: Option<&[u8]>, policy: &Policy, report: &mut Report) -> Result<(), Failure> {
    let export = open(files, pinned, policy, report)?;
    check_names(&export)?;
    let mut rows = Rows::open(&export)?;
    let log = Log::check(&export, &mut rows)?;
    check_signers(&export, &log)?;
    describe(&export, &log, &rows, report);
    Ok(())
}

/// Range and checkpoint, the latter signed by a pinned key.
fn open<'a>(files: &'a dyn ExportFiles, pinned: Option<&[u8]>, policy: &Policy, report: &mut Report) -> Result<Export<'a>, Failure> {
    if matches!(files.open("export"), Found::Absent) {
        return malformed("export", "is not there");
    }
    let manifest = Manifest::parse(&read(files, "export", MANIFEST_BYTES_MAX)?)?;
    let in_file = |failure: Failure| failure.at("checkpoint");
    let note = note(files, "checkpoint")?;
    let has_cosigned = !matches!(files.open(COSIGNED), Found::Absent);
    let checkpoint = if has_cosigned {
        // Its own lines are verified; the quorum is asked of the other.
        open_quietly(&note, policy).and_then(|_| open_signed(&note, policy, report))
    } else {
        open_checkpoint(&note, policy, report)
    };
    let checkpoint = checkpoint.map_err(in_file)?;
    let ledger = ledger_of(&checkpoint).map_err(in_file)?;
    if manifest.end > checkpoint.size {
        return malformed("export", format!("is of commits below {}, the checkpoint of {} leaves", manifest.end, checkpoint.size));
    }
    let cosigned = has_cosigned.then(|| open_cosigned(files, (&checkpoint, manifest.end), policy, report)).transpose()?;
    let pinned = pinned.map(|bytes| open_pinned(bytes, policy)).transpose()?;
    if let Some(pinned) = &pinned {
        if pinned.origin != checkpoint.origin {
            let why = format!("is of {}, not of {}", format_name(&checkpoint.origin), format_name(&pinned.origin));
            return tampered("checkpoint", why);
        }
        if pinned.size > checkpoint.size {
            let why = format!("has {} leaves, the pinned one {}: the log was cut", checkpoint.size, pinned.size);
            return tampered("checkpoint", why);
        }
        report.check("signature over the pinned checkpoint");
    }
    Ok(Export { files, manifest, ledger, checkpoint, note, pinned, cosigned })
}

/// The checkpoint that witnesses have cosigned, of the same log and not larger. Where the policy asks for a quorum it has to cover all rows.
fn open_cosigned(
    files: &dyn ExportFiles,
    (checkpoint, end): (&Checkpoint, u64),
    policy: &Policy,
    report: &mut Report,
) -> Result<Checkpoint, Failure> {
    let in_file = |failure: Failure| failure.at(COSIGNED);
    let note = note(files, COSIGNED)?;
    let cosigned = open_quietly(&note, policy).map_err(in_file)?;
    let origin = format_name(&cosigned.origin);
    if cosigned.origin != checkpoint.origin {
        return tampered(COSIGNED, format!("is of {origin}, not of {}", format_name(&checkpoint.origin)));
    }
    if cosigned.size > checkpoint.size {
        return tampered(COSIGNED, format!("has {} leaves, the checkpoint {}", cosigned.size, checkpoint.size));
    }
    report.check(format!("signature of {origin} over the cosigned checkpoint"));
    report.fact("cosigned size", cosigned.size.to_string());
    check_witnesses(&note, policy, report).map_err(in_file)?;
    if matches!(policy.quorum(), Quorum::Of(_)) && cosigned.size < end {
        let why = format!("have cosigned the first {} leaves, the rows are of commits up to {}", cosigned.size, end - 1);
        return Err(Failure::Inconclusive("witnesses".to_owned(), why));
    }
    Ok(cosigned)
}

/// Y1, the one half: no file but those of the format.
fn check_names(export: &Export<'_>) -> Result<(), Failure> {
    let mut paths = Vec::new();
    let found = export.files.paths(&mut |path| {
        paths.push(path.to_owned());
        paths.len() <= FILES_MAX
    });
    if !matches!(found, Found::Here(())) {
        return malformed("export", "has a folder that cannot be read");
    }
    if paths.len() > FILES_MAX {
        return malformed("export", format!("has more than {FILES_MAX} files"));
    }
    paths.sort();
    match paths.iter().find(|path| !export.manifest.has_file(path, export.checkpoint.size)) {
        Some(path) => malformed(format_name(path), "is no file of this export"),
        None => Ok(()),
    }
}

/// Both roots are signed by the keys that the log names last: an old one may have been given up because it was stolen.
fn check_signers(export: &Export<'_>, log: &Log<'_>) -> Result<(), Failure> {
    const PATH: &str = "b3/checkpoint";
    let (size, root) = (export.checkpoint.size, log.b3_root());
    let Some([sha_key, key]) = &log.keys else { return tampered("key leaf", "is missing: the log names no keys") };
    if !export.note.verify(std::slice::from_ref(sha_key)).is_ok_and(|signers| !signers.is_empty()) {
        return tampered("checkpoint", "is not signed by the SHA-256 key that the log names last");
    }
    let note = note(export.files, PATH)?;
    let is_signed = note.verify(std::slice::from_ref(key)).is_ok_and(|signers| !signers.is_empty());
    let checkpoint = Checkpoint::parse(note.text()).map_err(|error| Failure::from(error).at(PATH))?;
    if !is_signed || checkpoint.origin != key.name() {
        return tampered(PATH, "is not signed by the BLAKE3 key that the log names last");
    }
    if (checkpoint.size, checkpoint.root) != (size, root) {
        return tampered(PATH, format!("states another root than that of the {size} leaves"));
    }
    Ok(())
}

fn describe(export: &Export<'_>, log: &Log<'_>, rows: &Rows<'_>, report: &mut Report) {
    let Export { manifest: Manifest { first, end }, checkpoint, pinned, .. } = export;
    let (size, origin) = (checkpoint.size, format_name(&checkpoint.origin));
    report.subject = format!("commits {first} to {} of {origin}, {} rows", end - 1, rows.count);
    report.fact("commits", format!("{first} to {}", end - 1));
    report.fact("rows", rows.count.to_string());
    if let Some(pinned) = pinned {
        report.fact("pinned size", pinned.size.to_string());
        report.check(format!("the first {} leaves are those of the pinned checkpoint", pinned.size));
    }
    if let Some(cosigned) = &export.cosigned {
        report.check(format!("the first {} leaves are those of the cosigned checkpoint", cosigned.size));
    }
    report.check(format!("{size} leaves give every tile and the roots of both trees"));
    report.check(format!("signature of {origin}/b3 over the BLAKE3 root, with the key that the log names"));
    report.check(format!("{} key leaves are signed by the keys they name and replace", log.key_leaves));
    report.check(format!("{} leaves state the roots of both trees at an earlier size", log.stated));
    report.check(format!("{} rows under the row roots of {} commits, recomputed from the fields shown", rows.count, rows.commits));
    report.check(format!("the catalog, folded from its rows, under {} schema roots", rows.commits));
    report.check("values are canonical for their types");
    report.not_covered.extend(rows.unshown.not_covered());
    if *first > 0 {
        report.not_covered.push(format!("rows of commits 0 to {}", first - 1));
    }
    if *end < size {
        report.not_covered.push(format!("rows of commits {end} to {}", size - 1));
    }
    if !rows.has_compared_objects() {
        report.not_covered.push("the objects: no commit is in the range or before it".to_owned());
    }
    if log.lost > 0 {
        report.not_covered.push(format!("leaves that {} incarnation leaves say were lost", log.lost));
    }
    if let Some(cosigned) = export.cosigned.as_ref().filter(|cosigned| cosigned.size < size) {
        report.not_covered.push(format!("that witnesses have seen the leaves from {} on", cosigned.size));
    }
    if pinned.is_none() {
        report.not_covered.push("that the log extends a checkpoint you pinned before: give it with --checkpoint".to_owned());
    }
    report.not_covered.push(format!("what was committed after the {size} leaves"));
}

/// Where a leaf stands.
fn place_of(entries: &str, seq: u64) -> String {
    format!("{entries}, leaf {seq}")
}

/// A leaf that belongs to this ledger and place.
fn decode_leaf(bytes: &[u8], seq: u64, ledger: &[u8; 16]) -> Result<Leaf, Failure> {
    let leaf = Leaf::decode(bytes).map_err(|error: FormatError| Failure::from(error))?;
    if leaf.ledger() != *ledger {
        return tampered("leaf", "belongs to another ledger than the checkpoint");
    }
    if leaf.seq() != seq {
        return tampered("leaf", format!("says it is at {}, but is at {seq}", leaf.seq()));
    }
    Ok(leaf)
}
