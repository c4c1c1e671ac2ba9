//! Runs of one level and the next are rewritten as runs of the next.
//!
//! O3: a compaction changes nothing that a reader at or above the horizon, or one that was there when it began, can see.
//! Never: writes a run that a reader has; touches level 0 runs that came after it began.

use crate::error::LsmError;
use crate::levels::{Edit, bytes_of};
use crate::merge::{LevelCursor, Merge, Source};
use crate::policy::{self, Job};
use crate::readers::Keep;
use crate::rewrite::Rewrite;
use crate::run::RunCursor;
use crate::stats::Counters;
use crate::store::{Reached, Store};
use crate::tombstone::{Fragments, Tombstone};
use std::sync::Arc;

impl Store {
    /// Does what is due most, if anything is; says whether it was.
    pub(crate) fn compact_once(&self) -> Result<bool, LsmError> {
        let _only = self.compacting.lock();
        self.check_poison()?;
        let Some(job) = policy::pick(&self.view().levels, &self.options) else { return Ok(false) };
        self.compact(&job).map_err(|error| self.failed(error))?;
        Ok(true)
    }

    /// Rewrites everything as runs of the lowest level there is, letting go of all that nobody sees.
    pub(crate) fn compact_all(&self) -> Result<(), LsmError> {
        let _only = self.compacting.lock();
        self.check_poison()?;
        match Job::everything(&self.view().levels) {
            Some(job) => self.rewrite(&job).map_err(|error| self.failed(error)),
            None => Ok(()),
        }
    }

    fn compact(&self, job: &Job) -> Result<(), LsmError> {
        let Some(run) = job.moved() else { return self.rewrite(job) };
        let edit = Edit { removed: vec![run.file().number], added: vec![(job.target, Arc::clone(run))] };
        self.install(&edit, Reached::Nothing, &Keep::default())?;
        Counters::add(&self.counters.moves, 1);
        Ok(())
    }

    fn rewrite(&self, job: &Job) -> Result<(), LsmError> {
        let keep = self.readers.lock().keep();
        let level = job.target;
        let lowest = !self.view().levels.has_below(level, &job.span);
        let rewrite = Rewrite { store: self, keep: &keep, level, lowest, run_bytes: self.options.run_bytes, stoppable: true };
        let tombstones: Vec<Tombstone> = job.runs().flat_map(|run| run.fragments().tombstones()).collect();
        let runs = rewrite.run(merge(job), &Fragments::of(&tombstones))?;
        let edit = Edit {
            removed: job.runs().map(|run| run.file().number).collect(),
            added: runs.iter().map(|run| (level, Arc::clone(run))).collect(),
        };
        self.install(&edit, Reached::Nothing, &keep)?;
        Counters::add(&self.counters.compactions, 1);
        Counters::add(&self.counters.compacted_read_bytes, job.runs().map(|run| run.file().bytes).sum());
        Counters::add(&self.counters.compacted_written_bytes, bytes_of(&runs));
        Ok(())
    }
}

/// The inputs, newest first.
fn merge(job: &Job) -> Merge {
    let mut sources = Vec::new();
    for (level, runs) in job.inputs.iter().filter(|(_, runs)| !runs.is_empty()) {
        match level {
            0 => sources.extend(runs.iter().map(|run| Source::Run(RunCursor::new(Arc::clone(run), None)))),
            _ => sources.push(Source::Level(LevelCursor::new(runs.as_slice().into(), None))),
        }
    }
    Merge::new(sources)
}
