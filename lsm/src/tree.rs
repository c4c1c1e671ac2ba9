//! A log-structured merge tree over one folder.
//!
//! C1: commits are applied in order, each once; a reader sees all of a commit or nothing of it.
//! C2: after a crash the tree is what its last manifest names: every commit up to `durable_seq` and none after. The owner replays the rest.
//! Never: keeps a log; loses a commit that it said is durable.

use crate::batch::Batch;
use crate::error::LsmError;
use crate::ingest::Ingest;
use crate::levels::LEVELS_MAX;
use crate::options::Options;
use crate::pacing;
use crate::policy;
use crate::scan::{Bounds, Scan};
use crate::snapshot::Snapshot;
use crate::stats::{Counters, LevelStats, Stats};
use crate::store::{Store, last_below};
use crate::version::{SEQ_END, after_prefix};
use crate::workers::Workers;
use base::{Clock, CommitSeq, Io, RealClock};
use parking_lot::Mutex;
use std::ops::{Bound, RangeBounds};
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
    /// Ends the threads when the tree is closed or dropped.
    workers: Mutex<Option<Workers>>,
}

/// How far a flush goes.
#[derive(Clone, Copy, Debug)]
pub struct FlushTarget(u64);

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
        Ok(Self { store, writer: Mutex::default(), workers: Mutex::new(workers) })
    }

    /// Applies what commit `seq` does; readers see it when this returns. An empty batch only moves the tree on. May wait while the disk is behind.
    ///
    /// # Errors
    /// `OutOfOrder` unless `seq` is above all commits before; `TooLarge`; `Io` of a full disk, after which it may be tried again; `Poisoned`. After an
    /// error nothing of the batch is in the tree.
    pub fn write(&self, batch: &Batch, seq: CommitSeq) -> Result<(), LsmError> {
        self.put(batch, seq, true)
    }

    /// As [`Tree::write`], but neither waits nor seals a memtable: what is in memory stays there until [`Tree::reserve`] or a flush. For an owner who must
    /// not have commits on disk before its own log has them.
    ///
    /// # Errors
    /// `OutOfOrder`, `TooLarge`.
    pub fn write_reserved(&self, batch: &Batch, seq: CommitSeq) -> Result<(), LsmError> {
        self.put(batch, seq, false)
    }

    /// Seals the memtable if it is full, and waits while the disk is behind; everything written so far may go to disk from here on.
    ///
    /// # Errors
    /// `Io` of a full disk, after which it may be tried again; `Poisoned`.
    pub fn reserve(&self) -> Result<(), LsmError> {
        let mut writer = self.writer.lock();
        self.store.check_poison()?;
        self.make_room()?;
        self.pace(&mut writer, 0);
        Ok(())
    }

    /// Whether the next [`Tree::reserve`] seals the memtable.
    pub fn is_full(&self) -> bool {
        self.store.view().active.bytes() >= self.store.options.memtable_bytes
    }

    /// Ends the threads, after a flush that is going on; the tree can be read from then on, and another may be opened in its folder.
    pub fn close(&self) {
        drop(self.workers.lock().take());
    }

    fn put(&self, batch: &Batch, seq: CommitSeq, makes_room: bool) -> Result<(), LsmError> {
        batch.check_sizes()?;
        let mut writer = self.writer.lock();
        self.check_order(seq)?;
        if makes_room {
            self.store.check_poison()?;
            self.make_room()?;
            self.pace(&mut writer, batch.bytes());
        } else {
            writer.owed_ns += pacing::delay_ns(&self.store.options, self.store.view().levels.level(0).len(), batch.bytes());
        }
        self.store.view().active.apply(batch, seq.0);
        self.store.set_applied(seq.0 + 1);
        Counters::add(&self.store.counters.written_bytes, batch.bytes() as u64);
        Ok(())
    }

    fn check_order(&self, seq: CommitSeq) -> Result<(), LsmError> {
        if seq.0 >= SEQ_END - 1 {
            return Err(LsmError::TooLarge { bytes: seq.0 });
        }
        let applied = self.store.applied();
        if seq.0 < applied { Err(LsmError::OutOfOrder { seq, applied: last_below(applied) }) } else { Ok(()) }
    }

    /// Takes in all commits up to `last` at once, as runs that `write` gives in order: for what is too much for a memtable. They are durable, and seen,
    /// when this returns. What was written before is made durable first.
    ///
    /// # Errors
    /// As [`Tree::write`], and those of `write`; nothing of it is in the tree then.
    pub fn ingest<E: From<LsmError>>(&self, last: CommitSeq, write: impl FnOnce(&mut Ingest<'_>) -> Result<(), E>) -> Result<(), E> {
        let _writer = self.writer.lock();
        self.store.check_poison()?;
        self.check_order(last)?;
        self.flush_all(self.store.applied())?;
        self.wait_for_room()?;
        let mut ingest = Ingest::begin(&self.store, last);
        match write(&mut ingest) {
            Ok(()) => Ok(ingest.finish()?),
            Err(error) => {
                ingest.give_up();
                Err(error)
            }
        }
    }

    /// What `read` makes of the value of `key` as of the last commit. Takes no lock that a writer holds for long.
    ///
    /// # Errors
    /// A block that must be read and is damaged.
    pub fn get_with<T>(&self, key: &[u8], read: impl FnOnce(&[u8]) -> T) -> Result<Option<T>, LsmError> {
        loop {
            let below = self.store.applied();
            // The horizon never passes what was applied, but may have since.
            if let Some(view) = self.store.view_below(below) {
                return Ok(view.get(key, below, &self.store.cache)?.map(|value| read(&value)));
            }
        }
    }

    /// As [`Tree::get_with`], as of commit `seq`, or of the last where that is further.
    ///
    /// # Errors
    /// As [`Tree::get_with`]; `Released` for what was let go.
    pub fn get_as_of<T>(&self, key: &[u8], seq: CommitSeq, read: impl FnOnce(&[u8]) -> T) -> Result<Option<T>, LsmError> {
        let below = seq.0.saturating_add(1).min(self.store.applied());
        match self.store.view_below(below) {
            Some(view) => Ok(view.get(key, below, &self.store.cache)?.map(|value| read(&value))),
            None => Err(LsmError::Released { seq, oldest: CommitSeq(self.store.readers.lock().horizon().saturating_sub(1)) }),
        }
    }

    /// Keys that begin with `prefix` as of the last commit, ascending. The scan goes on seeing that commit.
    ///
    /// # Errors
    /// As [`Tree::get_with`].
    pub fn prefix(&self, prefix: &[u8]) -> Result<Scan, LsmError> {
        let end = after_prefix(prefix);
        self.range((Bound::Included(prefix), end.as_deref().map_or(Bound::Unbounded, Bound::Excluded)))
    }

    /// Keys between two bounds as of the last commit, ascending, as [`Tree::prefix`].
    ///
    /// # Errors
    /// As [`Tree::get_with`].
    pub fn range<'a>(&self, range: impl RangeBounds<&'a [u8]>) -> Result<Scan, LsmError> {
        let bounds = Bounds { from: range.start_bound().cloned(), to: range.end_bound().cloned() };
        loop {
            let below = self.store.applied();
            if let Some(view) = self.store.view_below(below) {
                return Scan::new(&view, &bounds, below, false, &self.store.cache);
            }
        }
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
        self.store.release(seq.0.saturating_add(1).min(self.store.applied()));
    }

    /// Makes everything written so far durable.
    ///
    /// # Errors
    /// `Io` of a full disk, after which it may be tried again; any other failure ends writing.
    pub fn flush(&self) -> Result<(), LsmError> {
        let target = self.begin_flush()?;
        self.finish_flush(target)
    }

    /// Lets everything written so far go to disk, without waiting for it; for [`Tree::finish_flush`].
    ///
    /// # Errors
    /// `Poisoned`.
    pub fn begin_flush(&self) -> Result<FlushTarget, LsmError> {
        let _writer = self.writer.lock();
        self.store.check_poison()?;
        Ok(FlushTarget(self.seal_all()))
    }

    /// Waits until what [`Tree::begin_flush`] let go is durable.
    ///
    /// # Errors
    /// As [`Tree::flush`].
    pub fn finish_flush(&self, target: FlushTarget) -> Result<(), LsmError> {
        if !self.store.options.background {
            let _writer = self.writer.lock();
            return self.work_here();
        }
        self.wait(|| self.store.durable() >= target.0)
    }

    /// Seals the memtable unless nothing is in it; commits below this are durable when the sealed ones are.
    fn seal_all(&self) -> u64 {
        let target = self.store.applied();
        let sealed_to = self.store.view().sealed.first().map_or(self.store.durable(), |(_, below)| *below);
        if target > sealed_to {
            self.store.seal();
        }
        target
    }

    /// Flushes everything, by the one who has the right to write.
    fn flush_all(&self, target: u64) -> Result<(), LsmError> {
        self.seal_all();
        match self.store.options.background {
            false => self.work_here(),
            true => self.wait(|| self.store.durable() >= target),
        }
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
        if !self.store.options.background {
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
        if !self.store.options.background {
            store.seal();
            return self.work_here();
        }
        self.wait_for_room()?;
        store.seal();
        Ok(())
    }

    /// Waits for a place to put a sealed memtable, or a run of level 0.
    fn wait_for_room(&self) -> Result<(), LsmError> {
        let (store, options) = (&self.store, &self.store.options);
        let has_room = || {
            let view = store.view();
            view.sealed.len() < options.memtables_sealed_max && view.levels.level(0).len() < options.l0_runs_stop
        };
        if self.store.options.background && !has_room() {
            let begun = RealClock.monotonic_ns();
            self.wait(has_room)?;
            Counters::add(&store.counters.delayed_ns, RealClock.monotonic_ns() - begun);
        }
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
        if !self.store.options.background {
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
            if self.store.is_stopping() {
                return Some(Err(LsmError::Closed));
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
