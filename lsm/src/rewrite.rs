//! Runs out of a merge: versions that nobody sees are left out, the rest goes into runs of about the wanted size.
//!
//! L2 and L3 need: a run ends only where the key changes, so that all versions of a key stay in one place, and deleted ranges are cut where runs are.
//! R1: what is returned is durable, its names included. What was begun and not finished is removed.

use crate::error::LsmError;
use crate::levels::Runs;
use crate::merge::Merge;
use crate::options::filter_bits;
use crate::readers::Keep;
use crate::retain::Retain;
use crate::run::{Run, RunWriter};
use crate::store::Store;
use crate::tombstone::Fragments;
use crate::version::SEQ_END;
use std::sync::Arc;

/// How runs are made.
pub(crate) struct Rewrite<'a> {
    pub(crate) store: &'a Store,
    pub(crate) keep: &'a Keep,
    /// The level they are for.
    pub(crate) level: usize,
    /// Whether no level below can hold a key of theirs.
    pub(crate) lowest: bool,
    /// Size at which a run ends.
    pub(crate) run_bytes: u64,
    /// Whether to give up when the tree is closed.
    pub(crate) stoppable: bool,
}

/// The run being written.
struct Open {
    number: u64,
    writer: RunWriter,
    /// Where it begins, if it is not the first.
    from: Option<Vec<u8>>,
}

impl Rewrite<'_> {
    /// Writes the runs for what the merge holds, from its first version on; `fragments` are all ranges deleted in it.
    pub(crate) fn run(&self, merge: Merge, fragments: &Fragments) -> Result<Runs, LsmError> {
        let mut numbers = Vec::new();
        let runs = self.write(merge, fragments, &mut numbers);
        if runs.is_err() {
            numbers.into_iter().for_each(|number| self.store.remove_run(number));
        }
        runs
    }

    fn write(&self, mut merge: Merge, fragments: &Fragments, numbers: &mut Vec<u64>) -> Result<Runs, LsmError> {
        let mut retain = Retain::new(self.keep, fragments, self.lowest);
        let kept_fragments = retain.fragments();
        let (mut open, mut runs): (Option<Open>, Vec<Arc<Run>>) = (None, Vec::new());
        merge.seek(&[], SEQ_END)?;
        let mut passed = 0u32;
        while let Some(version) = merge.version() {
            passed = passed.wrapping_add(1);
            if self.stoppable && passed.is_multiple_of(1024) && self.store.is_stopping() {
                return Err(LsmError::Closed);
            }
            if retain.keeps(&version) {
                let full = open.as_ref().is_some_and(|open| {
                    open.writer.bytes() >= self.run_bytes && open.writer.last_key().is_some_and(|last| last != version.key)
                });
                let full = open.take_if(|_| full);
                let from = full.as_ref().map(|_| version.key.to_vec());
                if let Some(full) = full {
                    runs.push(self.close(full, &kept_fragments, Some(version.key))?);
                }
                let open = match &mut open {
                    Some(open) => open,
                    none => none.insert(self.begin(from, numbers)?),
                };
                open.writer.push(&version)?;
            }
            merge.step()?;
        }
        if open.is_none() && !kept_fragments.is_empty() {
            open = Some(self.begin(None, numbers)?);
        }
        if let Some(last) = open {
            runs.push(self.close(last, &kept_fragments, None)?);
        }
        if !runs.is_empty() {
            let dir = &self.store.dir;
            self.store.io.sync_dir(dir).map_err(|error| LsmError::io("sync", dir, error))?;
        }
        Ok(runs.into())
    }

    fn begin(&self, from: Option<Vec<u8>>, numbers: &mut Vec<u64>) -> Result<Open, LsmError> {
        let number = self.store.draw_run_number();
        numbers.push(number);
        let (store, bits) = (self.store, filter_bits(self.level));
        let writer = RunWriter::create(store.io.as_ref(), &store.dir, number, store.options.block_bytes, bits)?;
        Ok(Open { number, writer, from })
    }

    fn close(&self, open: Open, fragments: &Fragments, to: Option<&[u8]>) -> Result<Arc<Run>, LsmError> {
        let file = open.writer.finish(&fragments.clip(open.from.as_deref(), to))?;
        assert_eq!(file.number, open.number, "R1: a run keeps its number");
        Ok(Arc::new(Run::open(self.store.io.as_ref(), &self.store.dir, file)?))
    }
}
