//! A ledger in numbers: what `ledger.statistics` and the Prometheus text show.
//!
//! G1: reading them waits for no writer and reads no file; each number is of a moment of its own.
//! G2: a counter only grows while the process lives; a gauge goes both ways.
//! Never: evidence of anything.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::ledger::Ledger;

/// Whether a number only grows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// It does, from the start of the process on.
    Counter,
    /// It goes both ways.
    Gauge,
}

impl Kind {
    /// As Prometheus calls it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
        }
    }
}

/// One number.
#[derive(Clone, PartialEq, Debug)]
pub struct Gauge {
    /// Name by Prometheus's rules: bytes and seconds as units, `_total` behind counters.
    pub name: &'static str,
    /// What tells several of one name apart: label and value.
    pub label: Option<(&'static str, String)>,
    /// Counter or gauge.
    pub kind: Kind,
    /// The number.
    pub value: f64,
    /// What it counts.
    pub about: &'static str,
}

/// A list of numbers as it grows.
#[derive(Default)]
struct Gauges(Vec<Gauge>);

impl Gauges {
    fn put(&mut self, kind: Kind, name: &'static str, value: f64, about: &'static str) {
        self.0.push(Gauge { name, label: None, kind, value, about });
    }

    fn gauge(&mut self, name: &'static str, value: u64, about: &'static str) {
        self.put(Kind::Gauge, name, value as f64, about);
    }

    fn counter(&mut self, name: &'static str, value: u64, about: &'static str) {
        self.put(Kind::Counter, name, value as f64, about);
    }
}

impl Ledger {
    /// All numbers of the ledger (G1).
    pub fn gauges(self: &Arc<Self>) -> Vec<Gauge> {
        let mut all = Gauges::default();
        self.count_rows(&mut all);
        self.count_log(&mut all);
        self.count_folds(&mut all);
        self.count_receipts(&mut all);
        self.count_scrubs(&mut all);
        all.0
    }

    fn count_rows(self: &Arc<Self>, all: &mut Gauges) {
        let states = self.table_states();
        let sum = |number: &dyn Fn(&crate::table::TableState) -> u64| states.iter().map(|state| number(state)).sum::<u64>();
        all.gauge("shockwave_commits", self.checkpoint().state.size, "Leaves of the log: commits, checkpoints, keys.");
        all.gauge("shockwave_row_versions", sum(&|state| state.rows()), "Row versions and deletions, sealed or not, of all tables.");
        all.gauge("shockwave_row_versions_ended", sum(&|state| state.ended_rows()), "Of those, how many a later one has ended.");
        all.gauge("shockwave_row_versions_sealed", sum(&|state| state.sealed()), "Of those, how many are in segments.");
        let bytes: u64 = self.snapshot().catalog.tables().map(|table| self.sealed_bytes(table.id)).sum();
        all.gauge("shockwave_segment_bytes", bytes, "Bytes of the segments of the tables that there are.");
    }

    fn count_log(&self, all: &mut Gauges) {
        let files = self.wal().files();
        all.gauge("shockwave_log_files", files.len() as u64, "Log files whose rows are not sealed yet, and the one that is written.");
        all.counter("shockwave_log_appended_bytes_total", self.wal().appended().0, "Position of the end of the log.");
        let durable = self.wal().durable().0;
        all.gauge("shockwave_log_unsynced_bytes", self.wal().appended().0.saturating_sub(durable), "Appended and not yet durable.");
        let is_stopped = u64::from(self.failure().is_some());
        all.gauge("shockwave_writes_stopped", is_stopped, "1 after a failure that ended this ledger's writes until it is opened anew.");
    }

    fn count_folds(&self, all: &mut Gauges) {
        let stats = self.fold_stats();
        all.gauge("shockwave_fold_memtable_bytes", stats.memtable_bytes as u64, "Memory of what folds have not written to disk.");
        all.gauge("shockwave_fold_memtables_sealed", stats.memtables_sealed as u64, "Full memtables that wait for the disk.");
        for (level, of) in stats.levels.iter().enumerate().filter(|(_, of)| of.runs > 0) {
            let label = Some(("level", level.to_string()));
            let about = "Bytes of the sorted runs of a level.";
            all.0.push(Gauge { name: "shockwave_fold_run_bytes", label, kind: Kind::Gauge, value: of.bytes as f64, about });
        }
        all.counter("shockwave_fold_written_bytes_total", stats.written_bytes, "Keys and values given to the folds.");
        all.counter("shockwave_fold_flushes_total", stats.flushes, "Memtables that became runs.");
        all.counter("shockwave_fold_compactions_total", stats.compactions, "Compactions that rewrote runs.");
        all.counter("shockwave_fold_compacted_bytes_total", stats.compacted_written_bytes, "Bytes that compactions wrote.");
        all.gauge("shockwave_fold_debt_bytes", stats.debt_bytes, "Bytes above the sizes of their levels, which wait for compaction.");
        let delayed = stats.delayed_ns as f64 / 1e9;
        all.put(Kind::Counter, "shockwave_fold_delayed_seconds_total", delayed, "How long writers were slowed by compaction.");
        all.gauge("shockwave_block_cache_bytes", stats.cache_bytes as u64, "Unpacked blocks in memory.");
        all.counter("shockwave_block_cache_hits_total", stats.cache_hits, "Blocks that were in the cache.");
        all.counter("shockwave_block_cache_misses_total", stats.cache_misses, "Blocks that were not.");
        all.gauge("shockwave_fold_snapshots", stats.snapshots as u64, "Readers that hold a state of the folds.");
        all.gauge("shockwave_batch_cache_bytes", self.batches().bytes() as u64, "Decoded batches of segments in memory.");
    }

    fn count_receipts(&self, all: &mut Gauges) {
        let work = &self.row_trees().work;
        let mut counter = |name, number: &AtomicU64, about| all.counter(name, number.load(Ordering::Relaxed), about);
        counter("shockwave_receipt_rows_decoded_total", &work.rows_decoded, "Rows of segments decoded for receipts.");
        counter("shockwave_receipt_rows_hashed_total", &work.rows_hashed, "Rows hashed for receipts.");
        counter("shockwave_receipt_nodes_read_total", &work.nodes_read, "Nodes of row trees looked up for receipts.");
        counter("shockwave_receipt_trees_made_total", &work.trees_made, "Row trees computed from all rows of their commits.");
    }

    fn count_scrubs(self: &Arc<Self>, all: &mut Gauges) {
        let rounds = self.scrub_rounds();
        let damaged = self.damages().iter().filter(|damage| !damage.mended).count();
        all.gauge("shockwave_damages", damaged as u64, "Damages found and not mended: see ledger.damages.");
        let last = rounds.iter().filter_map(|round| round.ended_us).max();
        let ended = last.map_or(0.0, |us| us as f64 / 1e6);
        all.put(
            Kind::Gauge,
            "shockwave_scrub_ended_seconds",
            ended,
            "When the last round over all that is sealed ended, Unix time; 0 for never.",
        );
        let read = rounds.iter().map(|round| round.bytes).sum();
        all.gauge("shockwave_scrub_read_bytes", read, "Bytes read again by the rounds that are remembered.");
    }
}
