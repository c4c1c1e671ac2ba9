//! The oldest sealed memtable becomes a run of level 0.
//!
//! W1: memtables become durable in the order they were filled, so what is durable is always a prefix of the commits.
//! Never: gives up a memtable before its run is in the manifest.

use crate::error::LsmError;
use crate::levels::Edit;
use crate::memtable::MemtableCursor;
use crate::merge::{Merge, Source};
use crate::rewrite::Rewrite;
use crate::stats::Counters;
use crate::store::{Reached, Store};
use std::sync::Arc;

impl Store {
    /// Flushes one memtable; says whether there was one.
    pub(crate) fn flush_oldest(&self) -> Result<bool, LsmError> {
        self.check_poison()?;
        let Some(oldest) = self.view().sealed.last().cloned() else { return Ok(false) };
        self.flush(&oldest).map_err(|error| self.failed(error))?;
        Ok(true)
    }

    fn flush(&self, oldest: &(Arc<crate::memtable::Memtable>, u64)) -> Result<(), LsmError> {
        let keep = self.readers.lock().keep();
        let rewrite = Rewrite { store: self, keep: &keep, level: 0, lowest: false, run_bytes: u64::MAX, stoppable: false };
        let merge = Merge::new(vec![Source::Memtable(MemtableCursor::new(Arc::clone(&oldest.0)))]);
        let runs = rewrite.run(merge, &oldest.0.fragments())?;
        let edit = Edit { removed: Vec::new(), added: runs.iter().map(|run| (0, Arc::clone(run))).collect() };
        self.install(&edit, Reached::Flushed(oldest), &keep)?;
        if let Some(run) = runs.first() {
            Counters::add(&self.counters.flushes, 1);
            Counters::add(&self.counters.flushed_bytes, run.file().bytes);
        }
        // Space may have been made meanwhile, and there is more to do.
        self.failures.lock().compaction = None;
        self.notify();
        Ok(())
    }
}
