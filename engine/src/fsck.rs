//! Checks a ledger's folder from the bytes up, without opening it: segment → field → row → leaf → tiles → roots → signatures.
//!
//! F1: nothing is believed that is not recomputed; keys come from the caller, never from the folder.
//! F2: the first bad position is named: file, and row, commit or tile in it.
//! F3: what was not checked is listed; a check skipped is never success.
//! F4: memory is bounded by a batch a table, whatever the size of the ledger.
//! Never: writes, repairs or takes the folder's lock.

mod cosigned;
mod export;
mod history;
mod rows;
pub(crate) mod tiles;
mod timestamps;

use std::path::Path;
use std::sync::Arc;

use base::{Io, SqlError};
use receipts::note::Note;
use receipts::{Checkpoint, Finding, Hash, Leaf, Policy, Report, Verdict};

use crate::catalog::Catalog;
use crate::checkpoints;
use crate::identity::LedgerIdentity;
pub use export::{check_export, is_export};
use history::History;
use rows::Rows;
use tiles::Trees;

/// What stops a check.
pub(crate) type Stop = Box<Verdict>;

/// Counts of what was checked.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Checked {
    /// Leaves hashed into both trees.
    pub commits: u64,
    /// Rows hashed.
    pub rows: u64,
    /// Segment files read whole.
    pub segments: u64,
    /// Tile and entries files compared.
    pub tiles: u64,
    /// Signed checkpoints verified, both trees.
    pub checkpoints: u64,
    /// Fields of which the commitment was hashed and the cipher text not opened.
    pub sealed_fields: u64,
}

pub(crate) fn tampered(what: impl Into<String>, why: impl Into<String>) -> Stop {
    Box::new(Verdict::Tampered(Finding { what: what.into(), why: why.into(), checked: Vec::new() }))
}

pub(crate) fn malformed(what: impl Into<String>, why: impl Into<String>) -> Stop {
    Box::new(Verdict::Malformed(Finding { what: what.into(), why: why.into(), checked: Vec::new() }))
}

/// An error of the engine's own readers: what they call damaged is malformed.
pub(crate) fn unreadable(error: &SqlError) -> Stop {
    malformed("data folder", error.message())
}

/// What a caller wants checked.
#[derive(Debug)]
pub struct Request<'a> {
    /// Folder of one ledger (`DIR/ledgers/<database>`).
    pub folder: &'a Path,
    /// Keys the caller trusts.
    pub policy: &'a Policy,
    /// A signed checkpoint kept from before, if any: history must contain it unchanged.
    pub pinned: Option<&'a str>,
    /// Threads that hash rows; 1 or more.
    pub threads: usize,
}

/// Checks a folder: the verdict, and how much was read until it was clear.
pub fn check(io: &Arc<dyn Io>, request: &Request<'_>) -> (Verdict, Checked) {
    let mut checked = Checked::default();
    match run(io, request, &mut checked) {
        Ok(report) => (Verdict::Valid(Box::new(report)), checked),
        Err(stop) => (*stop, checked),
    }
}

fn run(io: &Arc<dyn Io>, request: &Request<'_>, checked: &mut Checked) -> Result<Report, Stop> {
    let identity = LedgerIdentity::read_even_dropped(&**io, request.folder).map_err(|error| unreadable(&error))?;
    let identity = identity.ok_or_else(|| malformed("ledger.id", "the folder holds no ledger"))?;
    let origin = identity.origin();
    if !request.policy.logs().iter().any(|key| key.name() == origin) {
        let why = format!("the policy pins no key for {origin}");
        return Err(Box::new(Verdict::Inconclusive(Finding { what: "policy".into(), why, checked: Vec::new() })));
    }
    let sizes = checkpoints::sizes(&**io, request.folder).map_err(|error| unreadable(&error))?;
    let sealed = sizes.last().copied().unwrap_or(0);
    let pinned = request.pinned.map(|note| signed(note, request.policy, &origin, "pinned checkpoint")).transpose()?;
    let cosigned = cosigned::open(&**io, request.folder, request.policy)?;
    let stamped = timestamps::open(&**io, request.folder, &origin)?;
    let mut history = History::open(io, request.folder, &identity, sealed)?;
    let mut trees = Trees::new(io, request.folder, sealed);
    let mut rows = Rows::open(io, request.folder, request.threads, checked)?;
    let mut catalog = Catalog::default();
    let mut keys = Vec::new();
    let (mut bound, mut lost, mut incarnation) = (Vec::new(), Vec::new(), 0);
    let mut roots = std::collections::HashMap::from([(0, trees.roots())]);
    while let Some(bytes) = history.next_leaf()? {
        let seq = trees.size();
        let leaf = Leaf::decode(&bytes).map_err(|error| malformed(history.place(seq), error.to_string()))?;
        if leaf.seq() != seq || leaf.ledger() != identity.ledger.0 {
            return Err(tampered(history.place(seq), format!("it calls itself commit {} of another place or ledger", leaf.seq())));
        }
        match leaf {
            Leaf::Commit(commit) => {
                history.feed(&mut rows, seq)?;
                // Rows that do not fit may be a leaf's fault as well as a segment's: the tile that holds the leaf's hash tells.
                let outcome = rows.check_commit(&commit, &mut catalog, checked);
                outcome.map_err(|stop| {
                    if trees.is_tiled(seq, &bytes) { stop } else { tampered(history.place(seq), "its hash is not in its tile") }
                })?;
            }
            Leaf::Checkpoint(leaf) => bound.push((leaf.size, (leaf.sha_root, leaf.b3_root), seq)),
            Leaf::Key(leaf) => keys.push(leaf),
            Leaf::Incarnation(leaf) => {
                if leaf.number <= incarnation {
                    let why = format!("it opens incarnation {}, and incarnation {incarnation} was before it", leaf.number);
                    return Err(tampered(history.place(seq), why));
                }
                incarnation = leaf.number;
                if leaf.previous_size > seq {
                    lost.push(format!(
                        "commits {seq} to {} of an earlier incarnation, which commit {seq} says were left out",
                        leaf.previous_size - 1
                    ));
                } else {
                    bound.push((leaf.previous_size, (leaf.previous_sha_root, leaf.previous_b3_root), seq));
                }
            }
        }
        trees.append(&bytes, checked)?;
        checked.commits += 1;
        let size = trees.size();
        // A checkpoint or incarnation leaf binds the size before it, so each size whose next leaf may ask for it is remembered.
        let is_of = |checkpoint: &Checkpoint| checkpoint.size == size;
        let is_asked =
            sizes.contains(&size) || pinned.as_ref().is_some_and(is_of) || cosigned.as_ref().is_some_and(|(_, said)| is_of(said));
        let is_asked = is_asked || stamped.binary_search_by_key(&size, timestamps::Stamped::size).is_ok();
        if is_asked || history.is_followed_by_roots(size) {
            roots.insert(size, trees.roots());
        }
    }
    trees.finish(checked)?;
    for (size, said, seq) in bound {
        if roots.get(&size) != Some(&said) {
            return Err(tampered(history.place(seq), format!("its roots for size {size} are not those of the tree")));
        }
    }
    check_checkpoints(io, request, &origin, &sizes, &roots, &keys, checked)?;
    check_newest_copies(io, request.folder, &sizes)?;
    if let Some(pinned) = &pinned {
        match roots.get(&pinned.size) {
            Some((sha, _)) if *sha == pinned.root => {}
            Some(_) => {
                return Err(tampered("history", format!("its first {} commits are not the ones of the pinned checkpoint", pinned.size)));
            }
            None => {
                return Err(tampered("history", format!("it has {} commits, the pinned checkpoint {}", trees.size(), pinned.size)));
            }
        }
    }
    if incarnation != identity.incarnation {
        return Err(tampered(
            "ledger.id",
            format!("it says incarnation {}, the ledger is incarnation {incarnation}", identity.incarnation),
        ));
    }
    lost.extend(rows.finish(&catalog, checked)?);
    let mut report = report(&origin, sealed, trees.size(), pinned.is_some(), lost, checked);
    if let Some(cosigned) = &cosigned {
        let root = roots.get(&cosigned.1.size).map(|(sha, _)| sha);
        cosigned::check(cosigned, root, &keys, request.policy, &mut report)?;
    }
    timestamps::check(&stamped, |size| roots.get(&size).map(|(sha, _)| sha), &mut report)?;
    Ok(report)
}

/// A note signed by a pinned key of this ledger, and what it says.
fn signed(note: &str, policy: &Policy, origin: &str, what: &str) -> Result<Checkpoint, Stop> {
    let parsed = Note::parse(note).map_err(|error| malformed(what, error.to_string()))?;
    let checkpoint = Checkpoint::parse(parsed.text()).map_err(|error| malformed(what, error.to_string()))?;
    if checkpoint.origin != origin {
        return Err(tampered(what, format!("it is of {}, not of {origin}", checkpoint.origin)));
    }
    match parsed.verify(policy.logs()) {
        Ok(keys) if keys.iter().any(|key| key.name() == origin) => Ok(checkpoint),
        _ => Err(tampered(what, "it has no valid signature by a pinned key")),
    }
}

/// Every published checkpoint: signed by the keys that the ledger names for its size, with the roots of the tree there; the newest by a pinned key.
pub(crate) fn check_checkpoints(
    io: &Arc<dyn Io>,
    request: &Request<'_>,
    origin: &str,
    sizes: &[u64],
    roots: &std::collections::HashMap<u64, (Hash, Hash)>,
    keys: &[receipts::KeyLeaf],
    checked: &mut Checked,
) -> Result<(), Stop> {
    check_succession(keys)?;
    for size in sizes {
        let found = checkpoints::read(&**io, request.folder, *size).map_err(|error| unreadable(&error))?;
        let what = format!("checkpoints/{size:020}");
        let named = keys.iter().rfind(|leaf| leaf.seq < *size).ok_or_else(|| tampered("key leaf", "the ledger names no keys"))?;
        let [sha_key, b3_key] = named.verifiers().map_err(|error| malformed("key leaf", error.to_string()))?;
        // The newest is signed by a pinned key; those before it by the keys of their time, which the log under it names.
        if Some(size) == sizes.last() {
            signed(&found.sha_note, request.policy, origin, &what)?;
        }
        let by_key = Policy::of_logs(&[&sha_key]).map_err(|error| malformed("key leaf", error.to_string()))?;
        let sha = signed(&found.sha_note, &by_key, origin, &what)?;
        let b3_what = format!("b3/{what}");
        let b3_note = Note::parse(&found.b3_note).map_err(|error| malformed(&b3_what, error.to_string()))?;
        let b3 = Checkpoint::parse(b3_note.text()).map_err(|error| malformed(&b3_what, error.to_string()))?;
        let is_signed = b3_note.verify(std::slice::from_ref(&b3_key)).is_ok_and(|keys| !keys.is_empty());
        if !is_signed || b3.origin != b3_key.name() {
            return Err(tampered(b3_what, "it has no valid signature by the ledger's BLAKE3 key"));
        }
        if roots.get(size) != Some(&(sha.root, b3.root)) {
            return Err(tampered(what, format!("its roots are not those of the first {size} commits in this folder")));
        }
        checked.checkpoints += 2;
    }
    Ok(())
}

/// The first keys are signed by themselves, each later pair by the one before it too.
fn check_succession(keys: &[receipts::KeyLeaf]) -> Result<(), Stop> {
    let mut before = None;
    for leaf in keys {
        if !leaf.verify(before) {
            return Err(tampered("key leaf", format!("the signatures of commit {} do not verify", leaf.seq)));
        }
        before = Some((&leaf.sha_key, &leaf.b3_key));
    }
    if keys.is_empty() { Err(tampered("key leaf", "the ledger names no keys")) } else { Ok(()) }
}

/// `checkpoint` and `b3/checkpoint` must be copies of the newest pair.
pub(crate) fn check_newest_copies(io: &Arc<dyn Io>, folder: &Path, sizes: &[u64]) -> Result<(), Stop> {
    let Some(newest) = sizes.last() else { return Ok(()) };
    let found = checkpoints::read(&**io, folder, *newest).map_err(|error| unreadable(&error))?;
    for (name, note) in [("checkpoint", &found.sha_note), ("b3/checkpoint", &found.b3_note)] {
        let path = folder.join(name);
        let bytes = match io.open(&path).and_then(|file| file.read_all()) {
            // The first seal was interrupted between the pair and its copies; the next one writes them.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && sizes.len() == 1 => continue,
            read => read.map_err(|error| malformed(name, error.to_string()))?,
        };
        let older = || sizes.iter().rev().skip(1).take(1).filter_map(|size| checkpoints::read(&**io, folder, *size).ok());
        let is_older = older().any(|older| [&older.sha_note, &older.b3_note].iter().any(|note| note.as_bytes() == bytes));
        if bytes != note.as_bytes() && !is_older {
            return Err(tampered(name, "it is no copy of a published checkpoint"));
        }
    }
    Ok(())
}

fn report(origin: &str, sealed: u64, size: u64, pinned: bool, beyond: Vec<String>, checked: &Checked) -> Report {
    let mut not_covered = Vec::new();
    if size > sealed {
        not_covered
            .push(format!("commits {sealed} to {} are intact in the log; no checkpoint that covers them is in the folder yet", size - 1));
    }
    if !pinned {
        not_covered.push("that this is all there ever was: give a checkpoint kept from before (--checkpoint)".to_owned());
    }
    if checked.sealed_fields > 0 {
        not_covered.push(format!("the values of {} sealed fields, which only the keys of their subjects open", checked.sealed_fields));
    }
    not_covered.extend(beyond);
    Report {
        subject: format!("the ledger {origin} is what was committed"),
        facts: vec![("commits".into(), size.to_string()), ("rows".into(), checked.rows.to_string())],
        row: Vec::new(),
        disclosed: Vec::new(),
        checked: vec![
            format!("{} rows give the row roots of their commits", checked.rows),
            format!("{} leaves give both trees, {} tile files are theirs", checked.commits, checked.tiles),
            format!("{} segments have the recorded BLAKE3", checked.segments),
            format!("{} checkpoints are signed and give the roots", checked.checkpoints),
        ],
        not_covered,
    }
}
