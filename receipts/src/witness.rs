//! What a witness decides: whether a checkpoint that a log hands in extends the one it cosigned last (C2SP tlog-witness, `add-checkpoint`).
//!
//! E1: who has cosigned a checkpoint cosigns none of the same log that does not extend it: neither a smaller one nor another root at its size.
//! E2: the checks are made in the order in which the protocol names them, so that every client hears the same status.
//!
//! Never: remembers anything: whoever asks keeps what is decided, durably, before it is told to anyone.
//! Format: docs/formats/checkpoint.md.

use crate::FormatError;
use crate::checkpoint::Checkpoint;
use crate::consistency::ConsistencyProof;
use crate::hash::Hash;
use crate::note::VerifierKey;
use crate::proof::verify_consistency;
use crate::tree::{Sha256Tree, TreeHash};

/// Hashes of a proof that a client may hand in.
pub const PROOF_HASHES_MAX: usize = 63;

/// The checkpoint of a log that a witness cosigned last.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Head {
    /// Number of leaves.
    pub size: u64,
    /// Root of their SHA-256 tree.
    pub root: Hash,
}

impl Head {
    /// Of a log of which nothing was cosigned yet.
    pub fn nothing() -> Self {
        Self { size: 0, root: Sha256Tree::empty() }
    }
}

/// A request of `add-checkpoint`: read, and not believed yet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Submission {
    /// Old size, proof and signed checkpoint, as they came.
    pub proof: ConsistencyProof,
    /// What the checkpoint says.
    pub checkpoint: Checkpoint,
}

/// Why a witness does not cosign.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// 400: the request is in no format, or its old size is above the new one.
    Malformed(FormatError),
    /// 403: no key that is trusted for the log signed the checkpoint, or one's line does not verify.
    Unsigned,
    /// 404: no key is trusted for such a log.
    UnknownLog,
    /// 409: the old size is not that of the last cosigned checkpoint, which is this.
    Stale(u64),
    /// 409: another root at the size that was cosigned last.
    Fork,
    /// 422: the proof does not lead from the last cosigned checkpoint to this one.
    BadProof,
}

impl Refusal {
    /// Its HTTP status.
    pub fn status(&self) -> u16 {
        match self {
            Refusal::Malformed(_) => 400,
            Refusal::Unsigned => 403,
            Refusal::UnknownLog => 404,
            Refusal::Stale(_) | Refusal::Fork => 409,
            Refusal::BadProof => 422,
        }
    }
}

impl Submission {
    /// Reads the body of a request.
    pub fn parse(body: &[u8]) -> Result<Self, Refusal> {
        let read = || {
            let proof = ConsistencyProof::parse(body)?;
            if proof.path.len() > PROOF_HASHES_MAX {
                let why = format!("has a path of more than {PROOF_HASHES_MAX} hashes");
                return Err(FormatError::new("consistency proof", why));
            }
            let checkpoint = Checkpoint::parse_extended(proof.checkpoint.text())?;
            Ok(Self { proof, checkpoint })
        };
        read().map_err(Refusal::Malformed)
    }

    /// What is cosigned next, if the log with these keys, all named after its origin, has `last` cosigned (E1, E2).
    pub fn judge(&self, keys: &[VerifierKey], last: &Head) -> Result<Head, Refusal> {
        let Self { proof: ConsistencyProof { old_size, path, checkpoint: note }, checkpoint: Checkpoint { size, root, .. } } = self;
        if keys.is_empty() {
            return Err(Refusal::UnknownLog);
        }
        if note.verify(keys).is_err() {
            return Err(Refusal::Unsigned);
        }
        if old_size > size {
            let why = format!("starts at size {old_size}, above the new one {size}");
            return Err(Refusal::Malformed(FormatError::new("consistency proof", why)));
        }
        if *old_size != last.size {
            return Err(Refusal::Stale(last.size));
        }
        if old_size == size && *root != last.root {
            return Err(if path.is_empty() && *size > 0 { Refusal::Fork } else { Refusal::BadProof });
        }
        if !verify_consistency::<Sha256Tree>(*old_size, *size, &last.root, root, path) {
            return Err(Refusal::BadProof);
        }
        Ok(Head { size: *size, root: *root })
    }
}
