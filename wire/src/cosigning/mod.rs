//! Asks witnesses for cosignatures: a task for each ledger, in the background.
//!
//! Reading order: `witnesses` is whom to ask, from the policy; `http` asks one; `round` reads an answer; `task` decides when to ask whom.
//!
//! C1: a witness hears one request at a time of a ledger; after an error it is left alone, longer each time, for a time that is drawn.
//! C2: what is kept has been verified, and a quorum of the policy stands behind it.
//! C3: nothing here makes a commit wait, or fail; what witnesses answer is in `ledger.cosignatures`.
//! Never: takes a key from an answer; follows a redirect.

mod http;
mod round;
mod task;
mod witnesses;

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

use engine::{Ledger, Server};
use tokio::task::JoinSet;

pub use witnesses::Witnesses;

/// How often it is looked whether there are new databases.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Asks for every ledger of a server, those that come later too; ends when dropped.
pub(crate) async fn run(engine: Arc<Server>, witnesses: Arc<Witnesses>) {
    let mut tasks = JoinSet::new();
    let mut asked: BTreeMap<String, Weak<Ledger>> = BTreeMap::new();
    loop {
        for ledger in engine.databases().iter().filter_map(|name| engine.ledger(name)) {
            let is_asked = asked.get(ledger.name()).is_some_and(|known| std::ptr::eq(known.as_ptr(), Arc::as_ptr(&ledger)));
            if !is_asked {
                asked.insert(ledger.name().to_owned(), Arc::downgrade(&ledger));
                tasks.spawn(task::run(ledger, Arc::clone(&witnesses)));
            }
        }
        tokio::select! {
            Some(_ended) = tasks.join_next() => {}
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
    }
}
