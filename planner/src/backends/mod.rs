//! The sessions of a database: who they are, what they run, and how one of them cancels or ends another.
//!
//! B1: a session is listed exactly as long as its [`Seat`] lives; what it held goes with it.
//! Never: kept in the ledger; outlives the process.

pub(crate) mod locks;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use engine::SqlType;

use locks::Locks;

/// How a session is reached from outside.
pub trait Reach: Send + Sync {
    /// Asks its running statement to end with 57014.
    fn cancel(&self);
    /// Asks the session to end with 57P01.
    fn terminate(&self);
}

/// All sessions of one database.
pub(crate) struct Backends {
    seats: Mutex<BTreeMap<i32, Arc<Backend>>>,
    /// Sessions, those that are not listed included.
    seated: AtomicUsize,
    pub(crate) locks: Locks,
    /// When the database was opened: µs since 1970-01-01 UTC.
    pub(crate) opened_us: i64,
}

impl Backends {
    pub(crate) fn new(opened_us: i64) -> Arc<Self> {
        Arc::new(Self { seats: Mutex::default(), seated: AtomicUsize::new(0), locks: Locks::default(), opened_us })
    }

    /// Sessions by process number.
    pub(crate) fn all(&self) -> Vec<Arc<Backend>> {
        lock(&self.seats).values().cloned().collect()
    }

    /// How many sessions there are, listed or not.
    pub(crate) fn count(&self) -> usize {
        self.seated.load(Ordering::SeqCst)
    }

    /// Asks every session that can be reached to end.
    pub(crate) fn end_all(&self) {
        self.all().iter().for_each(|backend| {
            backend.terminate();
        });
    }

    /// The session of a process number, if there is one.
    pub(crate) fn find(&self, process: i32) -> Option<Arc<Backend>> {
        lock(&self.seats).get(&process).cloned()
    }
}

/// One session as others see it.
pub(crate) struct Backend {
    /// As clients know it; 0 for a session that no client has.
    pub(crate) process: i32,
    pub(crate) user: String,
    pub(crate) client: Option<SocketAddr>,
    /// Where the client found the server.
    pub(crate) server: Option<SocketAddr>,
    pub(crate) begun_us: i64,
    reach: Option<Box<dyn Reach>>,
    /// Its transaction among those who lock; what an ended one was called locks nothing.
    lock_owner: AtomicU64,
    activity: Mutex<Activity>,
    own: Mutex<Own>,
}

/// What a session does. Times are µs since 1970-01-01 UTC.
#[derive(Clone, Default)]
pub(crate) struct Activity {
    pub(crate) application_name: String,
    /// As `pg_stat_activity.state` has it.
    pub(crate) state: &'static str,
    pub(crate) query: Arc<str>,
    pub(crate) query_us: Option<i64>,
    pub(crate) transaction_us: Option<i64>,
    pub(crate) changed_us: Option<i64>,
}

/// What only the session itself sees of it.
#[derive(Default)]
pub(crate) struct Own {
    pub(crate) statements: BTreeMap<String, StatementSeen>,
    pub(crate) cursors: BTreeMap<String, CursorSeen>,
}

/// A named prepared statement.
#[derive(Clone)]
pub(crate) struct StatementSeen {
    pub(crate) text: Arc<str>,
    pub(crate) prepared_us: i64,
    pub(crate) parameters: Arc<[SqlType]>,
    pub(crate) from_sql: bool,
}

/// An open cursor.
#[derive(Clone)]
pub(crate) struct CursorSeen {
    pub(crate) text: Arc<str>,
    pub(crate) hold: bool,
    pub(crate) scroll: bool,
    pub(crate) binary: bool,
    pub(crate) declared_us: i64,
}

impl Backend {
    pub(crate) fn activity(&self) -> Activity {
        lock(&self.activity).clone()
    }

    /// Changes what others see.
    pub(crate) fn note(&self, change: impl FnOnce(&mut Activity)) {
        change(&mut lock(&self.activity));
    }

    /// From here on it locks under this name.
    pub(crate) fn locks_as(&self, owner: u64) {
        self.lock_owner.store(owner, Ordering::Relaxed);
    }

    /// Its newest transaction among those who lock.
    pub(crate) fn lock_owner(&self) -> u64 {
        self.lock_owner.load(Ordering::Relaxed)
    }

    /// What only the session itself may look at.
    pub(crate) fn own(&self) -> MutexGuard<'_, Own> {
        lock(&self.own)
    }

    /// False where nobody can be reached.
    pub(crate) fn cancel(&self) -> bool {
        self.reach.as_ref().inspect(|reach| reach.cancel()).is_some()
    }

    /// False where nobody can be reached.
    pub(crate) fn terminate(&self) -> bool {
        self.reach.as_ref().inspect(|reach| reach.terminate()).is_some()
    }
}

/// A session's place among the others (B1).
pub(crate) struct Seat {
    pub(crate) backends: Arc<Backends>,
    pub(crate) backend: Arc<Backend>,
}

impl Seat {
    /// A session that is not listed: it has no process number.
    pub(crate) fn unlisted(backends: &Arc<Backends>, user: &str, begun_us: i64) -> Self {
        backends.seated.fetch_add(1, Ordering::SeqCst);
        let (activity, own) = (Mutex::default(), Mutex::default());
        let (user, lock_owner) = (user.to_owned(), AtomicU64::new(0));
        let backend = Backend { process: 0, user, client: None, server: None, begun_us, reach: None, lock_owner, activity, own };
        Self { backends: Arc::clone(backends), backend: Arc::new(backend) }
    }

    /// Lists the session under its process number.
    pub(crate) fn list(&mut self, process: i32, [client, server]: [Option<SocketAddr>; 2], reach: Box<dyn Reach>) {
        let before = &self.backend;
        let (activity, own) = (Mutex::new(before.activity()), Mutex::default());
        let (user, begun_us, reach) = (before.user.clone(), before.begun_us, Some(reach));
        let lock_owner = AtomicU64::new(before.lock_owner());
        let backend = Backend { process, user, client, server, begun_us, reach, lock_owner, activity, own };
        self.backend = Arc::new(backend);
        lock(&self.backends.seats).insert(process, Arc::clone(&self.backend));
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.backends.locks.leave(self.backend.process);
        if self.backend.reach.is_some() {
            lock(&self.backends.seats).remove(&self.backend.process);
        }
        self.backends.seated.fetch_sub(1, Ordering::SeqCst);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
