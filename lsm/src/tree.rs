//! A log-structured merge tree over one folder.
//!
//! C1: commits are applied in order, each once; a reader sees all of a commit or nothing of it.
//! C2: after a crash the tree is what its last manifest names: every commit up to `durable_seq` and none after. The owner replays the rest.
//! Never: keeps a log; loses a commit that it said is durable.

use crate::batch::Batch;
use crate::error::LsmError;
use crate::levels::LEVELS_MAX;
use crate::options::Options;
use crate::pacing;
use crate::policy;
use crate::snapshot::Snapshot;
use crate::stats::{Counters, LevelStats, Stats};
use crate::store::{Store, last_below};
use crate::version::SEQ_END;
use crate::workers::Workers;
use base::{Clock, CommitSeq, Io, RealClock};
use parking_lot::Mutex;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Delays are gathered until they are worth a sleep, in nanoseconds.
const PAUSE_NS_MIN: u64 = 1_000_000;

/// An open tree. Shared between threads: one writes at a time, any number read.
#[derive(Debug)]
pub struct Tree {
    store: Arc<Store>,
    writer: Mutex<Writer>,
    /// Ends the threads when the tree is dropped.
    workers: Option<Workers>,
}

/// What belongs to whoever writes.
#[derive(Debug, Default)]
struct Writer {
    /// Delay not yet slept.
    owed_ns: u64,
}

impl Tree {
    /// Opens the tree in `dir`, which is made if it is not there. The folder belongs to this tree alone, and whoever opens it sees to it that nobody
    /// else does. What was written after [`Tree::durable_seq`] is to be written again.
    ///
    /// # Errors
    /// Damaged or missing files, named; nothing is changed then.
    pub fn open(io: Arc<dyn Io>, dir: &Path, options: Options) -> Result<Self, LsmError> {
        let store = Arc::new(Store::open(io, dir.to_owned(), options)?);
        let workers = if store.options.background { Some(Workers::start(&store)?) } else { None };
        Ok(Self { store, writer: Mutex::default(), workers })
    }

    /// Applies what commit `seq` does; readers see it when this returns. An empty batch only moves the tree on. May wait while the disk is behind.
    ///
    /// # Errors
    /// `OutOfOrder` unless `seq` is above all commits before; `TooLarge`; `Io` of a full disk, after which it may be tried again; `Poisoned`. After an
    /// error nothing of the batch is in the tree.
    pub fn write(&self, batch: &Batch, seq: CommitSeq) -> Result<(), LsmError> {
        batch.check_sizes()?;
        if seq.0 >= SEQ_END - 1 {
            return Err(LsmError::TooLarge { bytes: seq.0 });
        }
        let mut writer = self.writer.lock();
        self.store.check_poison()?;
        let applied = self.store.applied();
        if seq.0 < applied {
            return Err(LsmError::OutOfOrder { seq, applied: last_below(applied) });
        }
        self.make_room()?;
        self.pace(&mut writer, batch.bytes());
        self.store.view().active.apply(batch, seq.0);
        self.store.set_applied(seq.0 + 1);
        Counters::add(&self.store.counters.written_bytes, batch.bytes() as u64);
        Ok(())
    }

    /// The last commit that was written.
    pub fn applied_seq(&self) -> Option<CommitSeq> {
        last_below(self.store.applied())
    }

    /// The last commit that survives a crash, with all before it.
    pub fn durable_seq(&self) -> Option<CommitSeq> {
        last_below(self.store.durable())
    }

    /// The tree as commit `seq` left it. Versions it sees are kept until it is dropped.
    ///
    /// # Errors
    /// `Ahead` of what was written; `Released` for what was let go.
    pub fn snapshot(&self, seq: CommitSeq) -> Result<Snapshot, LsmError> {
        let applied = self.store.applied();
        if seq.0 >= applied {
            return Err(LsmError::Ahead { seq, applied: last_below(applied) });
        }
        Snapshot::begin(&self.store, seq.0 + 1)
    }

    /// The tree as the last commit left it.
    pub fn latest(&self) -> Snapshot {
        loop {
            // The horizon never passes what was applied, but may have since.
            if let Ok(snapshot) = Snapshot::begin(&self.store, self.store.applied()) {
                return snapshot;
            }
        }
    }

    /// Promises that no snapshot before commit `seq` will be begun any more, so that compaction may let go of versions that nobody can see. Until
    /// the first call all versions of all keys are kept. Snapshots that are held keep what they see. The promise is not stored, only what was let go by
    /// it: whoever opens the tree again gives it again.
    pub fn release(&self, seq: CommitSeq) {
        let horizon = seq.0.saturating_add(1).min(self.store.applied());
        self.store.readers.lock().release(horizon);
    }

    /// Makes everything written so far durable.
    ///
    /// # Errors
    /// `Io` of a full disk, after which it may be tried again; any other failure ends writing.
    pub fn flush(&self) -> Result<(), LsmError> {
        let writer = self.writer.lock();
        self.store.check_poison()?;
        let target = self.store.applied();
        let sealed_to = self.store.view().sealed.first().map_or(self.store.durable(), |(_, below)| *below);
        if target > sealed_to {
            self.store.seal();
        }
        if self.workers.is_none() {
            return self.work_here();
        }
        drop(writer);
        self.wait(|| self.store.durable() >= target)
    }

    /// Flushes and rewrites all runs as one level, letting go of all that nobody sees. Takes as long as reading and writing all of it, and as much
    /// space again; writes and reads go on meanwhile.
    ///
    /// # Errors
    /// As [`Tree::flush`].
    pub fn compact(&self) -> Result<(), LsmError> {
        self.flush()?;
        self.store.compact_all()
    }

    /// Waits until nothing is left to be flushed or compacted.
    ///
    /// # Errors
    /// What stopped the work.
    pub fn settle(&self) -> Result<(), LsmError> {
        if self.workers.is_none() {
            let _writer = self.writer.lock();
            return self.work_here();
        }
        self.wait(|| {
            let view = self.store.view();
            view.sealed.is_empty() && policy::pick(&view.levels, &self.store.options).is_none()
        })?;
        drop(self.store.compacting.lock());
        Ok(())
    }

    /// Reads everything and names the first thing that does not hold.
    ///
    /// # Errors
    /// `Damaged` for bytes that are not what was written, `Broken` with the id of an invariant.
    pub fn check(&self) -> Result<(), LsmError> {
        let _still = self.store.compacting.lock();
        self.store.check()
    }

    /// The tree in numbers.
    pub fn stats(&self) -> Stats {
        let (store, view) = (&self.store, self.store.view());
        let count = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
        let levels = (0..LEVELS_MAX).map(|level| LevelStats {
            runs: view.levels.level(level).len(),
            bytes: view.levels.bytes(level),
            versions: view.levels.level(level).iter().map(|run| run.entries()).sum(),
        });
        let (cache_hits, cache_misses) = store.cache.hits_and_misses();
        Stats {
            applied: self.applied_seq(),
            durable: self.durable_seq(),
            memtable_bytes: view.active.bytes() + view.sealed.iter().map(|(table, _)| table.bytes()).sum::<usize>(),
            memtables_sealed: view.sealed.len(),
            levels: levels.collect(),
            written_bytes: count(&store.counters.written_bytes),
            flushes: count(&store.counters.flushes),
            flushed_bytes: count(&store.counters.flushed_bytes),
            compactions: count(&store.counters.compactions),
            moves: count(&store.counters.moves),
            compacted_read_bytes: count(&store.counters.compacted_read_bytes),
            compacted_written_bytes: count(&store.counters.compacted_written_bytes),
            debt_bytes: policy::debt_bytes(&view.levels, &store.options),
            delayed_ns: count(&store.counters.delayed_ns),
            cache_bytes: store.cache.bytes(),
            cache_hits,
            cache_misses,
            snapshots: store.readers.lock().count(),
        }
    }

    /// Seals the memtable if it is full, after waiting for a place to put it.
    fn make_room(&self) -> Result<(), LsmError> {
        let (store, options) = (&self.store, &self.store.options);
        if store.view().active.bytes() < options.memtable_bytes {
            return Ok(());
        }
        if self.workers.is_none() {
            store.seal();
            return self.work_here();
        }
        let has_room = || {
            let view = store.view();
            view.sealed.len() < options.memtables_sealed_max && view.levels.level(0).len() < options.l0_runs_stop
        };
        if !has_room() {
            let begun = RealClock.monotonic_ns();
            self.wait(has_room)?;
            Counters::add(&store.counters.delayed_ns, RealClock.monotonic_ns() - begun);
        }
        store.seal();
        Ok(())
    }

    /// Flushes and compacts all that is due, on this thread.
    fn work_here(&self) -> Result<(), LsmError> {
        while self.store.flush_oldest()? {}
        while self.store.compact_once()? {}
        Ok(())
    }

    /// Slows a writer down while compaction is behind.
    fn pace(&self, writer: &mut Writer, bytes: usize) {
        if self.workers.is_none() {
            return;
        }
        let runs = || self.store.view().levels.level(0).len();
        writer.owed_ns += pacing::delay_ns(&self.store.options, runs(), bytes);
        if writer.owed_ns >= PAUSE_NS_MIN {
            Counters::add(&self.store.counters.delayed_ns, writer.owed_ns);
            self.store.pause(std::mem::take(&mut writer.owed_ns), || runs() < self.store.options.l0_runs_slow);
        }
    }

    /// Waits for the threads until `done`, or until they failed.
    fn wait(&self, done: impl Fn() -> bool) -> Result<(), LsmError> {
        let answer = self.store.wait_for(|| {
            if done() {
                return Some(Ok(()));
            }
            let mut failures = self.store.failures.lock();
            let failure = failures.flush.take().or_else(|| failures.compaction.take());
            failure.map(Err).or_else(|| self.store.check_poison().err().map(Err))
        });
        if answer.is_err() {
            // Told, so the threads may try again.
            self.store.notify();
        }
        answer
    }
}
