//! New keys for a ledger: drawn beside the old ones, named by a leaf that both sign, and in their place from that leaf on.
//!
//! N1: the new keys are durable in a file of their own before the log can name them; they take the old ones' place after it does.
//! N2: at every moment one of the two files holds the keys that the last key leaf in the log names, so that a start after a crash finds them.
//! N3: the state that the leaf leads to, and all after it, are signed by the new keys alone.
//! Never: keeps the old private keys: their file is replaced.

use base::{CommitSeq, SqlError, SqlResult};
use receipts::{KeyLeaf, Leaf};

use crate::commit::{self, Job};
use crate::ledger::Ledger;
use crate::signer;

impl Ledger {
    /// Replaces the keys; the commit that names the new ones, which [`Ledger::verifier_keys`] gives from here on.
    ///
    /// Errors: 58030, 53100 where the new keys cannot be written: the old ones stay then. Any error after that ends writes.
    pub fn rotate_keys(&self) -> SqlResult<CommitSeq> {
        let (sender, receiver) = std::sync::mpsc::channel();
        let work = Box::new(move |turn: SqlResult<&Ledger>| {
            // Who asked and left does not want to know.
            let _ = sender.send(turn.and_then(rotate));
        });
        if let Err(job) = self.queue().push(Job::Between(work)) {
            commit::refuse(job, commit::closed());
        }
        receiver.recv().map_err(|_| commit::closed())?
    }
}

/// The committer's part, between groups.
fn rotate(ledger: &Ledger) -> SqlResult<CommitSeq> {
    if let Some(error) = ledger.failure() {
        return Err(error);
    }
    let options = ledger.options();
    let fresh = signer::write_next(&*options.io, ledger.folder(), ledger.origin(), &*options.rng)?;
    let mut seq = 0;
    let named = commit::append_leaf(ledger, |place, time_us| {
        seq = place;
        let mut signer = ledger.signer().lock();
        let leaf = KeyLeaf::new(place, time_us, &fresh, Some(signer.keys())).map_err(|error| SqlError::internal(error.to_string()))?;
        signer.turn_to(fresh);
        Ok(Leaf::Key(leaf))
    });
    let replaced = named.and_then(|_| signer::adopt_next(&*options.io, ledger.folder()));
    replaced.inspect_err(|error| ledger.fail(error))?;
    Ok(CommitSeq(seq))
}
