//! Many commits at once, sorted already: runs that the memtable never sees.
//!
//! N1: versions come in the order K1, of commits that the tree does not have yet, up to the last of the ingest.
//! N2: into an empty tree they go as runs of the lowest level; otherwise as one run of level 0, which is newer than all there is (L1).
//! N3: until the manifest names them, nothing has happened; then all of it is durable and seen.
//! Never: sorts.

use crate::error::LsmError;
use crate::levels::{Edit, LEVELS_MAX};
use crate::options::filter_bits;
use crate::readers::Keep;
use crate::run::{Run, RunWriter};
use crate::stats::Counters;
use crate::store::{Reached, Store};
use crate::version::{Kind, Version};
use base::CommitSeq;
use std::sync::Arc;

/// An ingest being written.
#[derive(Debug)]
pub struct Ingest<'a> {
    store: &'a Store,
    first: u64,
    last: CommitSeq,
    level: usize,
    open: Option<RunWriter>,
    numbers: Vec<u64>,
    runs: Vec<Arc<Run>>,
}

impl<'a> Ingest<'a> {
    /// Of commits from what was applied up to `last`; whoever calls has the right to write, and the memtables are empty.
    pub(crate) fn begin(store: &'a Store, last: CommitSeq) -> Self {
        let is_empty = store.view().levels.runs().next().is_none();
        let level = if is_empty { LEVELS_MAX - 1 } else { 0 };
        Self { store, first: store.applied(), last, level, open: None, numbers: Vec::new(), runs: Vec::new() }
    }

    /// Gives `key` a value at commit `seq` (N1).
    ///
    /// # Errors
    /// `OutOfOrder` for a commit that is not of this ingest; those of the disk.
    ///
    /// # Panics
    /// Where a version does not follow the one before.
    pub fn put(&mut self, key: &[u8], seq: CommitSeq, value: &[u8]) -> Result<(), LsmError> {
        if seq.0 < self.first || seq > self.last {
            return Err(LsmError::OutOfOrder { seq, applied: crate::store::last_below(self.first) });
        }
        let is_full = self.level > 0
            && self.open.as_ref().is_some_and(|open| open.bytes() >= self.store.options.run_bytes && open.last_key() != Some(key));
        if let Some(full) = self.open.take_if(|_| is_full) {
            self.close(full)?;
        }
        let writer = match &mut self.open {
            Some(writer) => writer,
            none => {
                let (store, number) = (self.store, self.store.draw_run_number());
                self.numbers.push(number);
                let writer = RunWriter::create(store.io.as_ref(), &store.dir, number, store.options.block_bytes, filter_bits(self.level))?;
                none.insert(writer)
            }
        };
        writer.push(&Version { key, seq: seq.0, kind: Kind::Put, value })
    }

    fn close(&mut self, writer: RunWriter) -> Result<(), LsmError> {
        let file = writer.finish(&[])?;
        self.runs.push(Arc::new(Run::open(self.store.io.as_ref(), &self.store.dir, file)?));
        Ok(())
    }

    /// N3.
    pub(crate) fn finish(mut self) -> Result<(), LsmError> {
        if let Err(error) = self.close_last() {
            self.remove_runs();
            return Err(self.store.failed(error));
        }
        let edit = Edit { removed: Vec::new(), added: self.runs.iter().map(|run| (self.level, Arc::clone(run))).collect() };
        // After a failure of this the manifest on disk may name the runs: it sees to them itself.
        let installed = self.store.install(&edit, Reached::Ingested(self.last.0 + 1), &Keep::default());
        installed.map_err(|error| self.store.failed(error))?;
        Counters::add(&self.store.counters.flushed_bytes, self.runs.iter().map(|run| run.file().bytes).sum());
        self.store.set_applied(self.last.0 + 1);
        self.store.notify();
        Ok(())
    }

    fn close_last(&mut self) -> Result<(), LsmError> {
        if let Some(last) = self.open.take() {
            self.close(last)?;
        }
        if self.runs.is_empty() {
            return Ok(());
        }
        let dir = &self.store.dir;
        self.store.io.sync_dir(dir).map_err(|error| LsmError::io("sync", dir, error))
    }

    /// Removes what was begun.
    pub(crate) fn give_up(self) {
        self.remove_runs();
    }

    fn remove_runs(&self) {
        self.numbers.iter().for_each(|number| self.store.remove_run(*number));
    }
}
