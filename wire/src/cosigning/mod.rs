//! Asks witnesses for cosignatures: a task for each ledger, in the background.
//!
//! Reading order: `witnesses` is whom to ask, from the policy; `round` asks one and reads its answer; `task` decides when to ask whom.
//!
//! C1: a witness hears one request at a time of a ledger; after an error it is left alone, longer each time, for a time that is drawn.
//! C2: what is kept has been verified, and a quorum of the policy stands behind it.
//! C3: nothing here makes a commit wait, or fail; what witnesses answer is in `ledger.cosignatures`.
//! Never: takes a key from an answer; follows a redirect.

mod round;
mod task;
mod witnesses;

use std::sync::Arc;

use engine::Server;

use crate::every_ledger;

pub use witnesses::Witnesses;

/// Asks for every ledger of a server, those that come later too; ends when dropped.
pub(crate) async fn run(engine: Arc<Server>, witnesses: Arc<Witnesses>) {
    every_ledger::run(engine, |ledger| task::run(ledger, Arc::clone(&witnesses))).await;
}
