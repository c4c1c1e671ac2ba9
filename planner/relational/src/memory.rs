//! The memory that queries hold: one pool a server, and within it a limit for each run.
//!
//! M1: what a run holds counts against its own limit and against the server's; what it gives back, it gives back to both.
//! M2: a run that meets its own limit fails alone and is told so ([`RunPool::named`]), whatever an operator made of the refusal.
//! Never: waits for memory.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use base::{SqlError, SqlState};
use datafusion::common::{DataFusionError, Result};
use datafusion::execution::TaskContext;
use datafusion::execution::memory_pool::{MemoryLimit, MemoryPool, MemoryReservation};
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::prelude::SessionConfig;

/// What contexts of runs are made from.
pub(crate) struct Memory {
    config: SessionConfig,
    runtime: RuntimeEnv,
    run_bytes_max: usize,
}

impl Memory {
    /// Of a server, from the configuration and the runtime of its queries.
    pub(crate) fn new(config: SessionConfig, runtime: &RuntimeEnv, run_bytes_max: usize) -> Self {
        Self { config, runtime: runtime.clone(), run_bytes_max }
    }

    /// A pool for runs of one plan, one at a time, and what they execute in.
    pub(crate) fn pool(&self) -> (Arc<RunPool>, Arc<TaskContext>) {
        let limit = AtomicUsize::new(self.run_bytes_max);
        let (shared, held) = (Arc::clone(&self.runtime.memory_pool), AtomicUsize::new(0));
        let pool = Arc::new(RunPool { shared, limit, held, bytes_max: self.run_bytes_max, is_met: AtomicBool::default() });
        let runtime = RuntimeEnv { memory_pool: Arc::clone(&pool) as Arc<dyn MemoryPool>, ..self.runtime.clone() };
        // Operators hold their functions; none is looked up while they run.
        let (id, config) = (String::new(), self.config.clone());
        let context = TaskContext::new(None, id, config, HashMap::new(), HashMap::new(), HashMap::new(), HashMap::new(), Arc::new(runtime));
        (pool, Arc::new(context))
    }
}

/// The memory of one run at a time.
#[derive(Debug)]
pub(crate) struct RunPool {
    shared: Arc<dyn MemoryPool>,
    /// Of the run that goes on.
    limit: AtomicUsize,
    held: AtomicUsize,
    /// No run may have more.
    bytes_max: usize,
    /// The run asked for more than its own limit.
    is_met: AtomicBool,
}

impl RunPool {
    /// For the run that begins: at most these bytes, where given, and never more than any run may have.
    pub(crate) fn limit(&self, bytes: Option<usize>) {
        self.limit.store(bytes.map_or(self.bytes_max, |bytes| bytes.min(self.bytes_max)), Ordering::Relaxed);
        self.is_met.store(false, Ordering::Relaxed);
    }

    /// An error of the run, with the limit that it met (M2).
    pub(crate) fn named(&self, error: SqlError) -> SqlError {
        if error.state() != SqlState::OUT_OF_MEMORY || !self.is_met.load(Ordering::Relaxed) {
            return error;
        }
        SqlError::new(SqlState::OUT_OF_MEMORY, "out of memory for this query")
            .detail(format!("Its sorts, joins and groups may hold {} kB together.", self.limit.load(Ordering::Relaxed) >> 10))
            .hint("Make it read or sort fewer rows, or raise statement_mem; the server's --statement-memory is the most it can be.")
    }
}

impl MemoryPool for RunPool {
    fn name(&self) -> &str {
        "run"
    }

    fn grow(&self, reservation: &MemoryReservation, additional: usize) {
        self.held.fetch_add(additional, Ordering::Relaxed);
        self.shared.grow(reservation, additional);
    }

    fn shrink(&self, reservation: &MemoryReservation, shrink: usize) {
        let before = self.held.fetch_sub(shrink, Ordering::Relaxed);
        debug_assert!(before >= shrink, "M1: a run gave back more than it held");
        self.shared.shrink(reservation, shrink);
    }

    fn try_grow(&self, reservation: &MemoryReservation, additional: usize) -> Result<()> {
        let limit = self.limit.load(Ordering::Relaxed);
        let within = |held: usize| held.checked_add(additional).filter(|held| *held <= limit);
        if self.held.fetch_update(Ordering::Relaxed, Ordering::Relaxed, within).is_err() {
            self.is_met.store(true, Ordering::Relaxed);
            let wanted = reservation.consumer().name();
            return Err(DataFusionError::ResourcesExhausted(format!("{wanted} wanted {additional} bytes more than {limit}")));
        }
        self.shared.try_grow(reservation, additional).inspect_err(|_| {
            self.held.fetch_sub(additional, Ordering::Relaxed);
        })
    }

    fn reserved(&self) -> usize {
        self.held.load(Ordering::Relaxed)
    }

    fn memory_limit(&self) -> MemoryLimit {
        MemoryLimit::Finite(self.limit.load(Ordering::Relaxed))
    }
}

impl fmt::Display for RunPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "run (holds {} of {} bytes)", self.reserved(), self.limit.load(Ordering::Relaxed))
    }
}
