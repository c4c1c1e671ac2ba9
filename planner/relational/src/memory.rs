//! The memory that queries hold: one pool a server, and within it a limit for each run.
//!
//! M1: what a run holds counts against its own limit and against the server's; what it gives back, it gives back to both.
//! M2: a run that meets its own limit fails alone and is told so ([`RunPool::named`]), whatever an operator made of the refusal.
//! M3: within a run, who can go to disk is refused at its share of the run's memory ([`crate::shares`]), not only where all of it is held.
//! M4: a run whose exchanges cannot have what they ask for ends with that error ([`RunPool::guarded`]), whatever they would do about it.
//! Never: waits for memory.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::Poll;

use base::{SqlError, SqlState};
use datafusion::common::{DataFusionError, Result};
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryLimit, MemoryPool, MemoryReservation};
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::prelude::SessionConfig;
use futures::StreamExt;
use futures::stream;
use futures::task::AtomicWaker;

use crate::shares::{EXCHANGED_BYTES, Manner};

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
        let pool = Arc::new(RunPool {
            shared: Arc::clone(&self.runtime.memory_pool),
            limit,
            held: AtomicUsize::default(),
            held_fast: AtomicUsize::default(),
            counted: AtomicUsize::default(),
            exchanged: AtomicUsize::default(),
            is_overrun: AtomicBool::default(),
            reader: AtomicWaker::new(),
            bytes_max: self.run_bytes_max,
            is_met: AtomicBool::default(),
        });
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
    /// Of these, what those hold who cannot go to disk.
    held_fast: AtomicUsize,
    /// Operators that share the rest.
    counted: AtomicUsize,
    /// What exchanges hold.
    exchanged: AtomicUsize,
    /// An exchange was refused (M4).
    is_overrun: AtomicBool,
    /// Who waits for the run's next batch.
    reader: AtomicWaker,
    /// No run may have more.
    bytes_max: usize,
    /// It was the run's own limit, or a share of it, at which one was refused last.
    is_met: AtomicBool,
}

impl RunPool {
    /// For the run that begins: at most these bytes, where given, and never more than any run may have.
    pub(crate) fn limit(&self, bytes: Option<usize>) {
        self.limit.store(bytes.map_or(self.bytes_max, |bytes| bytes.min(self.bytes_max)), Ordering::Relaxed);
        self.is_met.store(false, Ordering::Relaxed);
        self.is_overrun.store(false, Ordering::Relaxed);
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

    /// The batches of the run, which end with an error once one of its exchanges was refused (M4).
    pub(crate) fn guarded(self: &Arc<Self>, batches: SendableRecordBatchStream) -> SendableRecordBatchStream {
        let (pool, schema) = (Arc::clone(self), batches.schema());
        let mut batches = Some(batches);
        let guarded = stream::poll_fn(move |context| {
            let Some(running) = &mut batches else { return Poll::Ready(None) };
            pool.reader.register(context.waker());
            if pool.is_overrun.load(Ordering::Acquire) {
                batches = None;
                return Poll::Ready(Some(Err(DataFusionError::ResourcesExhausted("an exchange between threads".to_owned()))));
            }
            running.poll_next_unpin(context)
        });
        Box::pin(RecordBatchStreamAdapter::new(schema, guarded))
    }

    /// What this reservation may hold by its share (M3).
    fn share(&self, manner: Manner, limit: usize) -> Option<usize> {
        let free = limit.saturating_sub(self.held_fast.load(Ordering::Relaxed));
        manner.share(free, self.counted.load(Ordering::Relaxed))
    }

    /// The part of what is held that such an operator's bytes count to, beside the whole.
    fn part(&self, manner: Manner) -> Option<&AtomicUsize> {
        match manner {
            Manner::Holds => Some(&self.held_fast),
            Manner::Exchanges => Some(&self.exchanged),
            Manner::Sorts | Manner::Merges | Manner::Spills => None,
        }
    }

    /// Counts bytes that are asked for, if they may be had.
    fn count(&self, manner: Manner, additional: usize, limit: usize) -> bool {
        let exchanged = self.exchanged.load(Ordering::Relaxed);
        let is_small = manner == Manner::Exchanges && exchanged.saturating_add(additional) <= EXCHANGED_BYTES;
        let limit = limit.saturating_add(exchanged.min(EXCHANGED_BYTES));
        let within = |held: usize| held.checked_add(additional).filter(|held| is_small || *held <= limit);
        self.held.fetch_update(Ordering::Relaxed, Ordering::Relaxed, within).is_ok()
    }

    fn refused(&self, reservation: &MemoryReservation, manner: Manner, additional: usize, limit: usize) -> DataFusionError {
        self.is_met.store(true, Ordering::Relaxed);
        if manner == Manner::Exchanges {
            self.overrun();
        }
        let wanted = reservation.consumer().name();
        DataFusionError::ResourcesExhausted(format!("{wanted} wanted {additional} bytes more than {limit}"))
    }

    fn overrun(&self) {
        self.is_overrun.store(true, Ordering::Release);
        self.reader.wake();
    }
}

impl MemoryPool for RunPool {
    fn name(&self) -> &str {
        "run"
    }

    fn register(&self, consumer: &MemoryConsumer) {
        if Manner::of(consumer).is_counted() {
            self.counted.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn unregister(&self, consumer: &MemoryConsumer) {
        if Manner::of(consumer).is_counted() {
            self.counted.fetch_sub(1, Ordering::Relaxed);
        }
    }

    fn grow(&self, reservation: &MemoryReservation, additional: usize) {
        self.held.fetch_add(additional, Ordering::Relaxed);
        self.part(Manner::of(reservation.consumer())).iter().for_each(|part| _ = part.fetch_add(additional, Ordering::Relaxed));
        self.shared.grow(reservation, additional);
    }

    fn shrink(&self, reservation: &MemoryReservation, shrink: usize) {
        let before = self.held.fetch_sub(shrink, Ordering::Relaxed);
        debug_assert!(before >= shrink, "M1: a run gave back more than it held");
        self.part(Manner::of(reservation.consumer())).iter().for_each(|part| _ = part.fetch_sub(shrink, Ordering::Relaxed));
        self.shared.shrink(reservation, shrink);
    }

    fn try_grow(&self, reservation: &MemoryReservation, additional: usize) -> Result<()> {
        let limit = self.limit.load(Ordering::Relaxed);
        let (manner, size) = (Manner::of(reservation.consumer()), reservation.size());
        if let Some(share) = self.share(manner, limit).filter(|share| size > 0 && size.saturating_add(additional) > *share) {
            return Err(self.refused(reservation, manner, additional, share));
        }
        if !self.count(manner, additional, limit) {
            return Err(self.refused(reservation, manner, additional, limit));
        }
        if let Err(error) = self.shared.try_grow(reservation, additional) {
            self.held.fetch_sub(additional, Ordering::Relaxed);
            self.is_met.store(false, Ordering::Relaxed);
            if manner == Manner::Exchanges {
                self.overrun();
            }
            return Err(error);
        }
        self.part(manner).iter().for_each(|part| _ = part.fetch_add(additional, Ordering::Relaxed));
        Ok(())
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
