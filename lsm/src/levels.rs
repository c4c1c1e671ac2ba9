//! Which runs there are: level 0 as they were flushed, the levels below it sorted without overlap.
//!
//! L1: in level 0 the newest run comes first, and all its commits are newer than those of the next.
//! L2: below level 0 the runs of a level are in key order and do not overlap.
//! L3: of any key, what stands in a level is newer than what stands in the levels below; so a lookup ends at the first version it may see.
//! Never: changes; an edit makes new levels, and whoever reads the old ones goes on.

use crate::cache::BlockCache;
use crate::error::LsmError;
use crate::run::{Hit, Run};
use crate::span::Span;
use std::sync::Arc;

/// Levels of a tree, level 0 included. The last is as large as it gets.
pub(crate) const LEVELS_MAX: usize = 7;

/// A run kept in memory for as long as somebody reads it.
pub(crate) type Runs = Arc<[Arc<Run>]>;

#[derive(Clone, Debug)]
pub(crate) struct Levels(Vec<Runs>);

/// Runs that go and come in one step.
#[derive(Debug, Default)]
pub(crate) struct Edit {
    pub(crate) removed: Vec<u64>,
    /// Level and run. Those for level 0 are newer than all that are there.
    pub(crate) added: Vec<(usize, Arc<Run>)>,
}

impl Edit {
    /// Runs that were in no level before.
    pub(crate) fn fresh(&self) -> impl Iterator<Item = u64> {
        self.added.iter().map(|(_, run)| run.file().number).filter(|number| !self.removed.contains(number))
    }

    /// Runs that are in no level any more.
    pub(crate) fn gone(&self) -> impl Iterator<Item = u64> {
        self.removed.iter().copied().filter(|number| self.added.iter().all(|(_, run)| run.file().number != *number))
    }
}

impl Default for Levels {
    fn default() -> Self {
        Self((0..LEVELS_MAX).map(|_| Runs::from([])).collect())
    }
}

impl Levels {
    /// Levels of these runs, in the order of L1 and L2. `Err` says what does not hold.
    pub(crate) fn of(levels: Vec<Vec<Arc<Run>>>) -> Result<Self, String> {
        assert!(levels.len() <= LEVELS_MAX, "L2: at most {LEVELS_MAX} levels");
        let mut all = Self::default();
        for (number, runs) in levels.into_iter().enumerate() {
            all.0[number] = runs.into();
        }
        all.check()?;
        Ok(all)
    }

    /// Whether L1 and L2 hold.
    pub(crate) fn check(&self) -> Result<(), String> {
        if let Some(pair) = self.0[0].windows(2).find(|pair| pair[0].seqs().0 <= pair[1].seqs().1) {
            return Err(format!("L1: run {} is not all newer than run {}", pair[0].file().number, pair[1].file().number));
        }
        for (number, runs) in self.0.iter().enumerate().skip(1) {
            if let Some(pair) = runs.windows(2).find(|pair| !pair[0].span().is_before_all(pair[1].span())) {
                let (a, b) = (pair[0].file().number, pair[1].file().number);
                return Err(format!("L2: run {a} of level {number} does not end before run {b} begins"));
            }
        }
        Ok(())
    }

    pub(crate) fn level(&self, number: usize) -> &Runs {
        &self.0[number]
    }

    /// All runs with their levels, from the newest down.
    pub(crate) fn runs(&self) -> impl Iterator<Item = (usize, &Arc<Run>)> {
        self.0.iter().enumerate().flat_map(|(number, runs)| runs.iter().map(move |run| (number, run)))
    }

    /// Bytes of a level's files.
    pub(crate) fn bytes(&self, level: usize) -> u64 {
        bytes_of(&self.0[level])
    }

    /// The runs of a level that share keys with `span`.
    pub(crate) fn overlapping(&self, level: usize, span: &Span) -> &[Arc<Run>] {
        assert!(level > 0, "L2: only below level 0 are runs in key order");
        let runs = &self.0[level];
        let start = runs.partition_point(|run| run.span().is_before_all(span));
        let end = start + runs[start..].partition_point(|run| !span.is_before_all(run.span()));
        &runs[start..end]
    }

    /// Whether any level below `level` has keys of `span`.
    pub(crate) fn has_below(&self, level: usize, span: &Span) -> bool {
        (level + 1..LEVELS_MAX).any(|below| !self.overlapping(below, span).is_empty())
    }

    /// These levels with the edit done.
    pub(crate) fn edited(&self, edit: &Edit) -> Self {
        let mut levels: Vec<Vec<Arc<Run>>> = self.0.iter().map(|runs| runs.to_vec()).collect();
        let before: usize = levels.iter().map(Vec::len).sum();
        levels.iter_mut().for_each(|runs| runs.retain(|run| !edit.removed.contains(&run.file().number)));
        let after: usize = levels.iter().map(Vec::len).sum();
        assert_eq!(before - after, edit.removed.len(), "L2: an edit removes runs that are there");
        for (level, run) in &edit.added {
            let place = match level {
                0 => 0,
                _ => levels[*level].partition_point(|other| other.span().is_before_all(run.span())),
            };
            levels[*level].insert(place, Arc::clone(run));
        }
        Self::of(levels).unwrap_or_else(|broken| panic!("{broken}"))
    }

    /// The newest version of `key` below `below`, and the newest commit that deleted it with a range, as far as was looked.
    pub(crate) fn get(&self, key: &[u8], hash: u64, below: u64, cache: &BlockCache) -> Result<(Option<Hit<'_>>, u64), LsmError> {
        let mut hidden = 0;
        let newest = self.0[0].iter();
        let sorted = self.0[1..].iter().filter_map(|runs| runs.get(runs.partition_point(|run| run.span().is_before(key))));
        for run in newest.chain(sorted) {
            if key < run.span().first.as_slice() || run.span().is_before(key) {
                continue;
            }
            hidden = hidden.max(run.fragments().hides(key, below));
            if let Some(hit) = run.get(key, hash, below, cache)? {
                return Ok((Some(hit), hidden));
            }
        }
        Ok((None, hidden))
    }
}

/// Bytes of the files of some runs.
pub(crate) fn bytes_of(runs: &[Arc<Run>]) -> u64 {
    runs.iter().map(|run| run.file().bytes).sum()
}
