//! What a tree counts and tells.

use base::CommitSeq;
use std::sync::atomic::{AtomicU64, Ordering};

/// Counters of one tree since it was opened.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) written_bytes: AtomicU64,
    pub(crate) flushes: AtomicU64,
    pub(crate) flushed_bytes: AtomicU64,
    pub(crate) compactions: AtomicU64,
    pub(crate) moves: AtomicU64,
    pub(crate) compacted_read_bytes: AtomicU64,
    pub(crate) compacted_written_bytes: AtomicU64,
    pub(crate) delayed_ns: AtomicU64,
}

impl Counters {
    pub(crate) fn add(counter: &AtomicU64, amount: u64) {
        counter.fetch_add(amount, Ordering::Relaxed);
    }
}

/// One level of a tree.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct LevelStats {
    /// Number of runs.
    pub runs: usize,
    /// Bytes of their files.
    pub bytes: u64,
    /// Versions in them.
    pub versions: u64,
}

/// A tree in numbers. Counts are since it was opened; bytes are bytes.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Stats {
    /// Last commit written.
    pub applied: Option<CommitSeq>,
    /// Last commit in the runs.
    pub durable: Option<CommitSeq>,
    /// Memory of memtables, the active one included.
    pub memtable_bytes: usize,
    /// Sealed memtables that wait for the disk.
    pub memtables_sealed: usize,
    /// From level 0 down.
    pub levels: Vec<LevelStats>,
    /// Keys and values given to `write`.
    pub written_bytes: u64,
    /// Memtables that became runs, and bytes of those.
    pub flushes: u64,
    /// Bytes of runs made from memtables.
    pub flushed_bytes: u64,
    /// Compactions that rewrote runs.
    pub compactions: u64,
    /// Runs that moved a level down as they were.
    pub moves: u64,
    /// Bytes of runs that compactions read.
    pub compacted_read_bytes: u64,
    /// Bytes of runs that compactions wrote.
    pub compacted_written_bytes: u64,
    /// Bytes that stand above the sizes of their levels and wait for compaction.
    pub debt_bytes: u64,
    /// How long writers were slowed or stopped, in nanoseconds.
    pub delayed_ns: u64,
    /// Unpacked blocks in the cache.
    pub cache_bytes: usize,
    /// How often a packed block was asked for and was in the cache.
    pub cache_hits: u64,
    /// How often it was not.
    pub cache_misses: u64,
    /// Snapshots held.
    pub snapshots: usize,
}

impl Stats {
    /// Bytes written to runs for each byte of runs made from memtables: 1 is the least.
    pub fn write_amplification(&self) -> f64 {
        (self.flushed_bytes + self.compacted_written_bytes) as f64 / self.flushed_bytes.max(1) as f64
    }
}
