//! A task for each ledger of a server, those that come later too.
//!
//! Never: has two tasks for one ledger.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

use engine::{Ledger, Server};
use tokio::task::JoinSet;

/// How often it is looked whether there are new databases.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Runs `work` for each ledger; ends when dropped, the tasks with it.
pub(crate) async fn run<F: Future<Output = ()> + Send + 'static>(engine: Arc<Server>, work: impl Fn(Arc<Ledger>) -> F) {
    let mut tasks = JoinSet::new();
    let mut known: BTreeMap<String, Weak<Ledger>> = BTreeMap::new();
    loop {
        for ledger in engine.databases().iter().filter_map(|name| engine.ledger(name)) {
            let has_task = known.get(ledger.name()).is_some_and(|known| std::ptr::eq(known.as_ptr(), Arc::as_ptr(&ledger)));
            if !has_task {
                known.insert(ledger.name().to_owned(), Arc::downgrade(&ledger));
                tasks.spawn(work(ledger));
            }
        }
        tokio::select! {
            Some(_ended) = tasks.join_next() => {}
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
    }
}
