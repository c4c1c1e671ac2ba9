//! How far the log is durable, shared by all who wait for it: one syncs for everybody (group commit), and the first failure is the last word.
//!
//! W1: `durable ≤ appended`; both only grow.
//! W3: after a failed write or sync nothing succeeds any more, in this process, for this log.
//! Never: holds its lock during a sync; retries one.

use crate::{Position, WalError};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

#[derive(Debug)]
pub(crate) struct Durability {
    state: Mutex<State>,
    changed: Condvar,
    durable: AtomicU64,
    poisoned: AtomicBool,
}

#[derive(Debug)]
struct State {
    syncing: bool,
    poison: Option<Arc<str>>,
}

impl Durability {
    pub(crate) fn new(durable: Position) -> Self {
        let state = Mutex::new(State { syncing: false, poison: None });
        Self { state, changed: Condvar::new(), durable: AtomicU64::new(durable.0), poisoned: AtomicBool::new(false) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Everything before this position is durable.
    pub(crate) fn reached(&self) -> Position {
        Position(self.durable.load(Ordering::Acquire))
    }

    /// Notes that everything before `reach` is durable.
    pub(crate) fn reach(&self, reach: Position) {
        self.durable.fetch_max(reach.0, Ordering::AcqRel);
    }

    /// `Poisoned` once a write or sync has failed (W3).
    pub(crate) fn check(&self) -> Result<(), WalError> {
        if !self.poisoned.load(Ordering::Acquire) {
            return Ok(());
        }
        Err(WalError::Poisoned { cause: self.lock().poison.clone().unwrap_or_else(|| "unknown".into()) })
    }

    /// Stops the log for good because of `error`, which is returned for the caller at hand.
    pub(crate) fn poison(&self, error: WalError) -> WalError {
        let mut state = self.lock();
        state.poison.get_or_insert_with(|| error.to_string().into());
        self.poisoned.store(true, Ordering::Release);
        drop(state);
        self.changed.notify_all();
        error
    }

    /// Returns once everything before `target` is durable: by another caller's sync if one is under way and reaches far enough, else by
    /// `sync`, which makes what is appended by then durable and says how far that is.
    pub(crate) fn wait(&self, target: Position, sync: impl FnOnce() -> Result<Position, WalError>) -> Result<Position, WalError> {
        let mut state = self.lock();
        loop {
            if let Some(cause) = &state.poison {
                return Err(WalError::Poisoned { cause: Arc::clone(cause) });
            }
            if self.reached() >= target {
                return Ok(self.reached());
            }
            if !state.syncing {
                break;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.syncing = true;
        drop(state);
        let result = sync();
        let result = result.map_err(|error| self.poison(error));
        self.lock().syncing = false;
        if let Ok(reach) = &result {
            assert!(*reach >= target, "W1: a sync reached {reach}, {target} was appended before it");
            self.reach(*reach);
        }
        self.changed.notify_all();
        result
    }
}
