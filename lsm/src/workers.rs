//! The threads of a tree: one flushes, one compacts.
//!
//! Never: goes on after a failure that nobody was told of; keeps a tree from closing for longer than one flush.

use crate::error::LsmError;
use crate::policy;
use crate::store::Store;
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};

/// What a thread does next.
enum Turn {
    Work,
    End,
}

/// Threads that end when this is dropped.
#[derive(Debug)]
pub(crate) struct Workers {
    store: Arc<Store>,
    threads: Vec<JoinHandle<()>>,
}

impl Workers {
    pub(crate) fn start(store: &Arc<Store>) -> Result<Self, LsmError> {
        let mut workers = Self { store: Arc::clone(store), threads: Vec::new() };
        workers.spawn("lsm-flush", flush_on)?;
        workers.spawn("lsm-compact", compact_on)?;
        Ok(workers)
    }

    fn spawn(&mut self, name: &str, body: fn(&Store)) -> Result<(), LsmError> {
        let store = Arc::clone(&self.store);
        let thread = Builder::new().name(name.to_owned()).spawn(move || body(&store));
        self.threads.push(thread.map_err(|error| LsmError::io("start a thread for", &self.store.dir, error))?);
        Ok(())
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.store.stop();
        for thread in self.threads.drain(..) {
            // A panic in a thread is a broken invariant and is passed on, unless this thread has one of its own.
            if let Err(panic) = thread.join()
                && !std::thread::panicking()
            {
                std::panic::resume_unwind(panic);
            }
        }
    }
}

fn flush_on(store: &Store) {
    let next = || match store.is_stopping() || store.is_poisoned() {
        true => Some(Turn::End),
        false => (!store.view().sealed.is_empty() && store.failures.lock().flush.is_none()).then_some(Turn::Work),
    };
    while let Turn::Work = store.wait_for(next) {
        if let Err(error) = store.flush_oldest() {
            store.failures.lock().flush = Some(error);
            store.notify();
        }
    }
}

fn compact_on(store: &Store) {
    let due = || policy::pick(&store.view().levels, &store.options).is_some();
    let next = || match store.is_stopping() || store.is_poisoned() {
        true => Some(Turn::End),
        false => (store.failures.lock().compaction.is_none() && due()).then_some(Turn::Work),
    };
    while let Turn::Work = store.wait_for(next) {
        if let Err(error) = store.compact_once() {
            store.failures.lock().compaction = Some(error);
            store.notify();
        }
    }
}
