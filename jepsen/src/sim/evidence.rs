//! What clients and auditors hold against the engine: pinned keys and checkpoints, leaves, roots computed here, receipts, fsck.
//!
//! E1: nothing here is taken from the ledger after a fault that could be kept from before it.

use std::path::Path;
use std::sync::Arc;

use base::{Io, SqlResult};
use engine::{Ledger, fsck};
use receipts::{
    Blake3Tree, Field, Frontier, Hash, Leaf, Policy, Receipt, Sha256Tree, TreeHash, Verdict, verify_consistency, verify_receipt,
};

use super::driver::AckedRow;

/// Keys of a ledger and the newest checkpoint a client has seen.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pinned {
    /// Verifier keys, SHA-256 tree first.
    pub keys: Vec<String>,
    /// The signed checkpoint of the SHA-256 tree.
    pub note: String,
    /// Its size.
    pub size: u64,
}

impl Pinned {
    /// What the ledger says now.
    pub fn of(ledger: &Ledger) -> Self {
        let checkpoint = ledger.checkpoint();
        Self { keys: ledger.verifier_keys(), note: checkpoint.sha_note.to_string(), size: checkpoint.state.size }
    }

    /// The policy that believes the pinned key and no other. Errors: the reason it cannot be made.
    pub fn policy(&self) -> Result<Policy, String> {
        let key = self.keys.first().ok_or("a ledger without keys")?;
        Policy::parse(format!("log {key}\nquorum none\n").as_bytes()).map_err(|error| error.to_string())
    }

    /// Whether `later` can be the same ledger at the same or a later moment. Errors: why not.
    pub fn precedes(&self, later: &Self) -> Result<(), String> {
        if self.keys != later.keys {
            return Err("the ledger's keys changed".into());
        }
        if self.size > later.size || (self.size == later.size && self.note != later.note) {
            return Err(format!("the ledger went from size {} to {}", self.size, later.size));
        }
        Ok(())
    }

    /// The ledger of now extends the pinned one: by proof, under the pinned key. Errors: what does not verify.
    pub fn check_extended_by(&self, ledger: &Ledger) -> Result<(), String> {
        self.precedes(&Self::of(ledger))?;
        let size = ledger.checkpoint().state.size;
        let proof = ledger.consistency(self.size, size).map_err(|error| format!("no consistency proof: {}", error.message()))?;
        valid("consistency", &verify_consistency(self.note.as_bytes(), proof.as_bytes(), &self.policy()?))
    }

    /// The receipt of an acknowledged row verifies and shows the row's values. Errors: what does not hold.
    pub fn check_row(&self, ledger: &Ledger, acked: &AckedRow) -> Result<(), String> {
        let what = format!("receipt of row {} of commit {}", acked.index, acked.seq);
        let text = ledger.receipt(acked.seq, Some(acked.index)).map_err(|error| format!("no {what}: {}", error.message()))?;
        valid(&what, &verify_receipt(text.as_bytes(), &self.policy()?))?;
        let receipt = Receipt::parse(text.as_bytes()).map_err(|error| format!("{what}: {error}"))?;
        let fields = receipt.row.map(|row| row.fields).unwrap_or_default();
        let shown = |at: usize| match fields.get(at) {
            Some(Field::Shown { value, .. }) => Ok(value.clone()),
            _ => Err(format!("{what}: field {at} is not shown")),
        };
        let body = acked.row.body.as_ref().map(|body| body.clone().into_bytes());
        let n = acked.row.n.map(|n| n.to_le_bytes().to_vec());
        if (shown(1)?, shown(2)?) != (body, n) {
            return Err(format!("{what} shows other values than were committed"));
        }
        Ok(())
    }

    /// Fsck of a closed ledger under the pinned key and checkpoint.
    pub fn fsck(&self, io: &Arc<dyn Io>, folder: &Path) -> Result<Verdict, String> {
        let policy = self.policy()?;
        let request = fsck::Request { folder, policy: &policy, pinned: Some(&self.note), threads: 1 };
        Ok(fsck::check(io, &request).0)
    }
}

/// Errors: the verdict, where it is another than valid.
pub fn valid(what: &str, verdict: &Verdict) -> Result<(), String> {
    match verdict.finding() {
        None => Ok(()),
        Some(finding) => Err(format!("{what} is {}: {}: {}", verdict.name(), finding.what, finding.why)),
    }
}

/// The first `size` leaves of a ledger in order, as its receipts give them.
pub fn leaves(ledger: &Ledger, size: u64) -> SqlResult<Vec<Vec<u8>>> {
    let parse = |seq| {
        let text = ledger.receipt(seq, None)?;
        Receipt::parse(text.as_bytes()).map(|receipt| receipt.leaf).map_err(|error| base::SqlError::internal(error.to_string()))
    };
    (0..size).map(parse).collect()
}

/// Root over `leaves`, computed here.
fn root<T: TreeHash>(leaves: &[Vec<u8>]) -> Hash {
    let mut frontier = Frontier::<T>::new();
    leaves.iter().for_each(|leaf| frontier.append(T::leaf(leaf), |_, _, _| {}));
    frontier.root()
}

/// The roots of both trees, SHA-256 first, are those of the leaves. Errors: which is not.
pub fn check_roots((sha, b3): (Hash, Hash), leaves: &[Vec<u8>]) -> Result<(), String> {
    for (name, is, ought) in [("SHA-256", sha, root::<Sha256Tree>(leaves)), ("BLAKE3", b3, root::<Blake3Tree>(leaves))] {
        if is != ought {
            return Err(format!("the {name} root at size {} is not that of the leaves", leaves.len()));
        }
    }
    Ok(())
}

/// Whether a leaf is one that the engine writes on its own account.
pub fn is_engines_own(leaf: &[u8]) -> bool {
    match Leaf::decode(leaf) {
        Ok(Leaf::Commit(commit)) => commit.actor == "shockwave",
        Ok(_) => true,
        Err(_) => false,
    }
}
