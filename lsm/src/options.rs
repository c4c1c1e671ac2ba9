//! How large things are and when work begins.
//!
//! Never: stored on disk; a tree opens with any options.

/// Sizes and triggers of a tree. Bytes unless a name says otherwise; a number outside its range counts as the nearest within. What follows from them: docs/formats/run.md, «Compaction».
#[derive(Clone, Debug)]
pub struct Options {
    /// A memtable of this size is sealed and becomes a run. 4 KiB to 1 GiB; 64 MiB.
    pub memtable_bytes: usize,
    /// How many sealed memtables may wait for the disk before writers wait too. From 1; 2.
    pub memtables_sealed_max: usize,
    /// A data block is closed at this size, uncompressed. 64 B to 1 MiB; 4 KiB.
    pub block_bytes: usize,
    /// A run made by compaction is closed at about this size. From 4 KiB; 64 MiB.
    pub run_bytes: u64,
    /// Budget of the cache of decompressed blocks. 0 turns it off; 64 MiB.
    pub cache_bytes: usize,
    /// Level 0 is compacted when it has this many runs. From 1; 4.
    pub l0_runs_compact: usize,
    /// Writers are slowed from this many runs in level 0 on. From `l0_runs_compact`; 8.
    pub l0_runs_slow: usize,
    /// Writers wait at this many runs in level 0. Above `l0_runs_slow`; 20.
    pub l0_runs_stop: usize,
    /// Size at which level 1 is compacted into level 2. From 4 KiB; 256 MiB.
    pub level_bytes: u64,
    /// How many times larger each level is than the one above. From 2; 10.
    pub level_ratio: u64,
    /// Whether threads flush and compact. Without them `write` and `flush` do the work before they return, one step after the other, so that a
    /// simulated run can be replayed.
    pub background: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            memtable_bytes: 64 << 20,
            memtables_sealed_max: 2,
            block_bytes: 4 << 10,
            run_bytes: 64 << 20,
            cache_bytes: 64 << 20,
            l0_runs_compact: 4,
            l0_runs_slow: 8,
            l0_runs_stop: 20,
            level_bytes: 256 << 20,
            level_ratio: 10,
            background: true,
        }
    }
}

impl Options {
    /// Numbers outside their ranges brought to the nearest within, so that no combination of them lets writers wait for what never comes.
    pub(crate) fn within_range(mut self) -> Self {
        self.memtable_bytes = self.memtable_bytes.clamp(4 << 10, 1 << 30);
        self.memtables_sealed_max = self.memtables_sealed_max.max(1);
        self.block_bytes = self.block_bytes.clamp(64, 1 << 20);
        self.run_bytes = self.run_bytes.max(4 << 10);
        self.l0_runs_compact = self.l0_runs_compact.max(1);
        self.l0_runs_slow = self.l0_runs_slow.max(self.l0_runs_compact);
        self.l0_runs_stop = self.l0_runs_stop.max(self.l0_runs_slow + 1);
        self.level_bytes = self.level_bytes.max(4 << 10);
        self.level_ratio = self.level_ratio.max(2);
        self
    }
}

/// Bits of filter for each key of a run at `level`. The upper levels are small and asked first, so they get more: fewer than one in 1,000
/// lookups of an absent key pass them, about one in 100 the lowest.
pub(crate) fn filter_bits(level: usize) -> usize {
    match level {
        0 | 1 => 16,
        2 => 13,
        _ => 10,
    }
}
