//! The sessions of one database, to be counted and to be ended.
//!
//! Never: ends a session by itself; its connection does when it hears.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::cancel::Canceller;

/// See the module.
#[derive(Default, Debug)]
pub(crate) struct Guests {
    sessions: Mutex<(u64, BTreeMap<u64, Canceller>)>,
}

/// A session's place among the guests, for as long as it lives.
#[derive(Debug)]
pub(crate) struct Guest {
    number: u64,
    guests: Arc<Guests>,
}

impl Guests {
    fn lock(&self) -> MutexGuard<'_, (u64, BTreeMap<u64, Canceller>)> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn enter(self: &Arc<Self>, canceller: Canceller) -> Guest {
        let mut sessions = self.lock();
        sessions.0 += 1;
        let number = sessions.0;
        sessions.1.insert(number, canceller);
        Guest { number, guests: Arc::clone(self) }
    }

    pub(crate) fn count(&self) -> usize {
        self.lock().1.len()
    }

    /// Asks every session to end.
    pub(crate) fn end_all(&self) {
        self.lock().1.values().for_each(Canceller::terminate);
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        self.guests.lock().1.remove(&self.number);
    }
}
