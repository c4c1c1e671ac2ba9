//! The checks of a signed checkpoint: by which pinned keys it is signed, and which pinned witnesses cosigned it.
//!
//! Y1: nothing in a checkpoint is believed before the pinned key of its origin has been seen to sign it.
//! Y2: every line of a pinned key and of a pinned witness is verified, also where the quorum is met without it.
//!
//! Never: asks for a quorum over a checkpoint that was kept from before: whoever kept it knows where it came from.
//! Format: docs/formats/checkpoint.md.

use super::{Failure, tampered};
use crate::FormatError;
use crate::checkpoint::Checkpoint;
use crate::cosignature::{CosignatureFailure, TIME_MAX};
use crate::note::{Note, NoteFailure};
use crate::policy::{Policy, Quorum, Witness};
use crate::quote::format_name;
use crate::value::format_seconds;
use crate::verdict::Report;

pub(super) fn parse_note(bytes: &[u8]) -> Result<Note, Failure> {
    let text = str::from_utf8(bytes).map_err(|_| FormatError::new("note", "is not UTF-8"))?;
    Ok(Note::parse(text)?)
}

/// The checkpoint in a note, once the pinned key of its origin has signed it and the quorum of witnesses has cosigned it.
pub(super) fn open_checkpoint(note: &Note, policy: &Policy, report: &mut Report) -> Result<Checkpoint, Failure> {
    let checkpoint = open_signed(note, policy, report)?;
    check_witnesses(note, policy, report)?;
    Ok(checkpoint)
}

/// The checkpoint in a note, once the pinned key of its origin has signed it; no quorum is asked of it.
pub(super) fn open_signed(note: &Note, policy: &Policy, report: &mut Report) -> Result<Checkpoint, Failure> {
    let checkpoint = signed(note, policy)?;
    let origin = format_name(&checkpoint.origin);
    report.check(format!("signature of {origin} over the checkpoint, with a pinned key (strict Ed25519)"));
    report.fact("ledger", origin);
    report.fact("checkpoint size", checkpoint.size.to_string());
    Ok(checkpoint)
}

/// Sees to the cosignatures of a note whose checkpoint is signed, and to the quorum.
pub(super) fn check_witnesses(note: &Note, policy: &Policy, report: &mut Report) -> Result<(), Failure> {
    let cosigned = cosigned(note, policy)?;
    if !cosigned.is_empty() {
        report
            .check(format!("cosignatures of {} over the checkpoint (strict Ed25519)", names(cosigned.iter().map(|(witness, _)| *witness))));
    }
    for (witness, time) in &cosigned {
        report.fact("cosigned by", format!("{} at {}, by its clock", format_name(&witness.name), format_seconds(*time)));
    }
    match policy.quorum() {
        Quorum::None => report.not_covered.push("cosignatures: the policy asks for none".to_owned()),
        Quorum::Of(quorum) => {
            check_quorum(note, policy, quorum, &cosigned)?;
            report.check(format!("quorum of witnesses: {}", format_name(quorum)));
        }
    }
    Ok(())
}

/// The checkpoint in a note that was kept from before.
pub(super) fn open_pinned(pinned: &[u8], policy: &Policy) -> Result<Checkpoint, Failure> {
    parse_note(pinned).and_then(|note| open_quietly(&note, policy)).map_err(|failure: Failure| failure.at("pinned checkpoint"))
}

/// The checkpoint in a note, with every line of a pinned key or witness verified (Y2) and nothing said of it.
pub(super) fn open_quietly(note: &Note, policy: &Policy) -> Result<Checkpoint, Failure> {
    let checkpoint = signed(note, policy)?;
    cosigned(note, policy)?;
    Ok(checkpoint)
}

/// The checkpoint, signed by the pinned key of its origin and kind of tree (Y1).
fn signed(note: &Note, policy: &Policy) -> Result<Checkpoint, Failure> {
    let checkpoint = Checkpoint::parse(note.text());
    let signed_by = match note.verify(policy.logs()) {
        Ok(signed_by) => signed_by,
        Err(NoteFailure::BadSignature(name)) => {
            return tampered("signature", format!("of pinned key {} does not verify over the checkpoint", format_name(&name)));
        }
        Err(NoteFailure::NoKnownKey) => {
            let origin = checkpoint?.origin;
            if policy.logs().iter().any(|key| key.name() == origin) {
                return tampered("signature", format!("by the pinned key of {} is not on the checkpoint", format_name(&origin)));
            }
            let why = format!("the policy pins no key for {}, nor for any name that signed", format_name(&origin));
            return Err(Failure::Inconclusive("authenticity".to_owned(), why));
        }
    };
    let checkpoint = checkpoint?;
    if !signed_by.iter().any(|key| key.name() == checkpoint.origin && key.key_type() == checkpoint.key_type()) {
        let origin = format_name(&checkpoint.origin);
        return tampered("signature", format!("of the checkpoint is not by the key of its origin {origin} and its kind of tree"));
    }
    Ok(checkpoint)
}

/// The witnesses of the policy that cosigned, in its order, and when (Y2).
fn cosigned<'p>(note: &Note, policy: &'p Policy) -> Result<Vec<(&'p Witness, u64)>, Failure> {
    let mut cosigned = Vec::new();
    for witness in policy.witnesses() {
        let name = format_name(&witness.name);
        match witness.key.cosigned(note) {
            Ok(time) => cosigned.extend(time.map(|time| (witness, time))),
            Err(CosignatureFailure::Bad) => {
                return tampered("cosignature", format!("of pinned witness {name} does not verify over the checkpoint"));
            }
            Err(CosignatureFailure::Time(time)) => {
                return tampered("cosignature", format!("of pinned witness {name} states time {time}, not 1 to {TIME_MAX}"));
            }
        }
    }
    Ok(cosigned)
}

fn check_quorum(note: &Note, policy: &Policy, quorum: &str, cosigned: &[(&Witness, u64)]) -> Result<(), Failure> {
    let has_cosigned = |witness: &Witness| cosigned.iter().any(|(known, _)| known.name == witness.name);
    if policy.is_met(has_cosigned) {
        return Ok(());
    }
    let is_left_out = |witness: &Witness| !witness.key.is_verified() && note.signatures().iter().any(|line| witness.key.is_of(line));
    let why = if policy.is_met(|witness| has_cosigned(witness) || is_left_out(witness)) {
        let left_out = policy.witnesses().iter().filter(|witness| is_left_out(witness));
        format!("those of {} are of a type that is not verified here", names(left_out))
    } else if cosigned.is_empty() {
        "there are none".to_owned()
    } else {
        format!("those of {} are not enough", names(cosigned.iter().map(|(witness, _)| *witness)))
    };
    let why = format!("the policy asks for cosignatures by {}, and {why}", format_name(quorum));
    Err(Failure::Inconclusive("witnesses".to_owned(), why))
}

fn names<'p>(witnesses: impl Iterator<Item = &'p Witness>) -> String {
    witnesses.map(|witness| format_name(&witness.name)).collect::<Vec<_>>().join(", ")
}
