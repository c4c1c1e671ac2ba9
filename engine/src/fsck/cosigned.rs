//! The checkpoint that witnesses have cosigned, in a ledger's folder: signed, of this history, and cosigned as the policy asks.
//!
//! Never: says «valid» under a policy that asks for a quorum where there is none.

use std::path::Path;

use base::io::Io;
use receipts::note::Note;
use receipts::policy::Quorum;
use receipts::verdict::{Finding, Report, Verdict};
use receipts::verify::verify_checkpoint;
use receipts::{Checkpoint, Hash, KeyLeaf, Policy};

use super::{Stop, malformed, tampered, unreadable};
use crate::cosigned::{FILE, read};

/// The note in the folder, and what it says: nothing is believed yet.
pub(super) fn open(io: &dyn Io, folder: &Path, policy: &Policy) -> Result<Option<(Note, Checkpoint)>, Stop> {
    let Some(text) = read(io, &folder.join(FILE)).map_err(|error| unreadable(&error))? else {
        return match policy.quorum() {
            Quorum::None => Ok(None),
            Quorum::Of(quorum) => Err(lacking(quorum, "the folder holds none")),
        };
    };
    let note = Note::parse(&text).map_err(|error| malformed(FILE, error.to_string()))?;
    let checkpoint = Checkpoint::parse(note.text()).map_err(|error| malformed(FILE, error.to_string()))?;
    Ok(Some((note, checkpoint)))
}

fn lacking(quorum: &str, why: &str) -> Stop {
    let why = format!("the policy asks for cosignatures by {quorum}, and {why}");
    Box::new(Verdict::Inconclusive(Finding { what: "witnesses".into(), why, checked: Vec::new() }))
}

/// Checks it against the root that the folder gives at its size, the keys that the ledger names, and the policy; adds what is found to the report.
pub(super) fn check(
    (note, said): &(Note, Checkpoint),
    root: Option<&Hash>,
    keys: &[KeyLeaf],
    policy: &Policy,
    report: &mut Report,
) -> Result<(), Stop> {
    match root {
        Some(root) if *root == said.root => {}
        Some(_) => return Err(tampered(FILE, format!("its root is not that of the first {} commits in this folder", said.size))),
        None => return Err(tampered(FILE, format!("it is of {} commits, the folder holds fewer", said.size))),
    }
    let own = |leaf: &KeyLeaf| leaf.verifiers().is_ok_and(|[sha, _]| sha.name() == said.origin && note.verify(&[sha]).is_ok());
    if !keys.iter().any(own) {
        return Err(tampered(FILE, "it has no valid signature by a key that the ledger names"));
    }
    if !keys.last().is_some_and(own) {
        // Who pins the new keys cannot read it.
        let why = "the checkpoint that they cosigned is by keys that were replaced since";
        if let Quorum::Of(quorum) = policy.quorum() {
            return Err(lacking(quorum, why));
        }
        report.not_covered.push(format!("cosignatures: {why}"));
        return Ok(());
    }
    let at = |finding: Finding| Finding { what: format!("{FILE}: {}", finding.what), ..finding };
    let of_note = match verify_checkpoint(note.to_string().as_bytes(), policy) {
        Verdict::Valid(of_note) => of_note,
        Verdict::Tampered(finding) => return Err(Box::new(Verdict::Tampered(at(finding)))),
        Verdict::Malformed(finding) => return Err(Box::new(Verdict::Malformed(at(finding)))),
        Verdict::Inconclusive(finding) => return Err(Box::new(Verdict::Inconclusive(at(finding)))),
    };
    report.facts.push(("cosigned size".into(), said.size.to_string()));
    report.facts.extend(of_note.facts.into_iter().filter(|(name, _)| name == "cosigned by"));
    report.checked.extend(of_note.checked.into_iter().filter(|check| check.contains("cosign") || check.starts_with("quorum")));
    Ok(())
}
