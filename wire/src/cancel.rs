//! Which session a cancel request means: process number and secret, as given out in BackendKeyData.
//!
//! K1: a session is in the registry exactly as long as its [`Registration`] lives.
//! K2: a wrong secret does nothing and is not answered.
//! K3: a session that another ends stops at its statement's end, or at once where it waits for its client.
//! Never: ends a session by a cancel request; only its running statement.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use planner::{Canceller, Reach};
use tokio::sync::futures::Notified;
use tokio::sync::{Notify, watch};

/// Stops a session's running statement, wherever it waits.
#[derive(Clone)]
pub(crate) struct Stop {
    canceller: Canceller,
    /// Woken as well, for waits that are the connection's own (COPY data).
    copy: Arc<Notify>,
    /// Whether the session is to end.
    end: watch::Sender<bool>,
}

impl Stop {
    pub fn new(canceller: Canceller) -> Self {
        Self { canceller, copy: Arc::new(Notify::new()), end: watch::Sender::new(false) }
    }

    fn fire(&self) {
        self.canceller.cancel();
        self.copy.notify_waiters();
    }

    /// Completes once the session is to end.
    pub async fn end_requested(&self) {
        drop(self.end.subscribe().wait_for(|requested| *requested).await);
    }

    /// Completes at the first cancel request after the future was enabled.
    pub fn copy_requested(&self) -> Notified<'_> {
        self.copy.notified()
    }
}

impl Reach for Stop {
    fn cancel(&self) {
        self.fire();
    }

    fn terminate(&self) {
        self.end.send_replace(true);
        self.fire();
    }
}

/// All sessions that can be cancelled.
#[derive(Default)]
pub(crate) struct Registry {
    next: AtomicI32,
    sessions: Mutex<BTreeMap<i32, (i32, Stop)>>,
}

impl Registry {
    /// Enters a session under a new process number.
    pub fn enter(self: &Arc<Self>, secret: i32, stop: Stop) -> Registration {
        let process = self.next.fetch_add(1, Ordering::Relaxed).wrapping_add(1) & i32::MAX;
        self.lock().insert(process, (secret, stop));
        Registration { process, secret, registry: Arc::clone(self) }
    }

    /// Cancels the statement of that session, if the secret is right (K2).
    pub fn cancel(&self, process: i32, secret: i32) {
        let stop = self.lock().get(&process).filter(|(expected, _)| *expected == secret).map(|(_, stop)| stop.clone());
        if let Some(stop) = stop {
            stop.fire();
        }
    }

    /// Cancels every running statement.
    pub fn cancel_all(&self) {
        let stops: Vec<Stop> = self.lock().values().map(|(_, stop)| stop.clone()).collect();
        stops.iter().for_each(Stop::fire);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<i32, (i32, Stop)>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A session's place in the registry; dropping it takes the session out (K1).
pub(crate) struct Registration {
    /// Shown to the client as its process number.
    pub process: i32,
    /// Shown to the client as its secret.
    pub secret: i32,
    registry: Arc<Registry>,
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.registry.lock().remove(&self.process);
    }
}
