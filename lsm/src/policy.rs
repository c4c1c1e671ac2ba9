//! Which runs to compact next: levelled, the fullest level first. Pure: looks at levels, decides, does nothing.
//!
//! Level 0 is due when it has `l0_runs_compact` runs, level *n* when its files are larger than `level_bytes` × `level_ratio`ⁿ⁻¹. Of those due, the one
//! that is furthest beyond its size goes first. Of level 0 all runs go, since they overlap; of another level the one run that has the least
//! below it in the next level for its size, so that the least is rewritten.
//! O1: a job takes every run of the next level that shares keys with what it takes from above, so L2 and L3 hold after it.
//! O2: a run that shares no keys with the next level moves there as it is.
//! Rates and what they cost: docs/formats/run.md, «Compaction».

use crate::levels::{LEVELS_MAX, Levels, bytes_of};
use crate::options::Options;
use crate::run::Run;
use crate::span::Span;
use std::sync::Arc;

/// Runs to be made into runs of one level.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    /// Level and runs, newest first, in the order of their level.
    pub(crate) inputs: Vec<(usize, Vec<Arc<Run>>)>,
    /// The level that takes them.
    pub(crate) target: usize,
    /// Keys of all inputs.
    pub(crate) span: Span,
}

impl Job {
    /// Runs of a level and what they meet in the next (O1). `None` of no runs.
    fn of(levels: &Levels, level: usize, upper: Vec<Arc<Run>>) -> Option<Self> {
        let span = Span::of_all(upper.iter().map(|run| run.span()))?;
        let target = level + 1;
        let lower = levels.overlapping(target, &span).to_vec();
        let span = lower.iter().fold(span, |span, run| span.union(run.span()));
        Some(Self { inputs: vec![(level, upper), (target, lower)], target, span })
    }

    /// All runs of all levels, into the lowest that has any; `None` if none has.
    pub(crate) fn everything(levels: &Levels) -> Option<Self> {
        let span = Span::of_all(levels.runs().map(|(_, run)| run.span()))?;
        let inputs: Vec<_> = (0..LEVELS_MAX).map(|level| (level, levels.level(level).to_vec())).collect();
        let target = inputs.iter().rposition(|(_, runs)| !runs.is_empty())?.max(1);
        Some(Self { inputs, target, span })
    }

    pub(crate) fn runs(&self) -> impl Iterator<Item = &Arc<Run>> {
        self.inputs.iter().flat_map(|(_, runs)| runs)
    }

    /// The run that only has to be named in the next level (O2).
    pub(crate) fn moved(&self) -> Option<&Arc<Run>> {
        let mut runs = self.runs();
        runs.next().filter(|_| runs.next().is_none())
    }
}

/// Size at which a level below level 0 is due, in bytes.
pub(crate) fn level_bytes_max(options: &Options, level: usize) -> u64 {
    assert!(level > 0, "O1: level 0 is measured in runs");
    (1..level).fold(options.level_bytes, |bytes, _| bytes.saturating_mul(options.level_ratio))
}

/// How far a level is beyond its size, in thousandths of it; due from 1,000 on.
fn fullness(levels: &Levels, options: &Options, level: usize) -> u64 {
    match level {
        0 => levels.level(0).len() as u64 * 1000 / options.l0_runs_compact as u64,
        _ => levels.bytes(level).saturating_mul(1000) / level_bytes_max(options, level).max(1),
    }
}

/// What to do next, if anything is due.
pub(crate) fn pick(levels: &Levels, options: &Options) -> Option<Job> {
    let due = (0..LEVELS_MAX - 1).map(|level| (fullness(levels, options, level), level));
    let (_, level) = due.filter(|(fullness, _)| *fullness >= 1000).max_by_key(|(fullness, level)| (*fullness, LEVELS_MAX - level))?;
    if level == 0 { level_0(levels) } else { cheapest(levels, level) }
}

/// The oldest run alone if it can be moved, else all runs.
fn level_0(levels: &Levels) -> Option<Job> {
    let runs = levels.level(0);
    let alone = Job::of(levels, 0, vec![Arc::clone(runs.last()?)]).filter(|job| job.moved().is_some());
    alone.or_else(|| Job::of(levels, 0, runs.to_vec()))
}

/// The run that rewrites the least of the next level for its own size.
fn cheapest(levels: &Levels, level: usize) -> Option<Job> {
    let cost = |run: &&Arc<Run>| {
        let below = bytes_of(levels.overlapping(level + 1, run.span()));
        below.saturating_mul(1000) / run.file().bytes.max(1)
    };
    let run = levels.level(level).iter().min_by_key(cost)?;
    Job::of(levels, level, vec![Arc::clone(run)])
}

/// Bytes that stand above what the levels should hold and wait to be compacted.
pub(crate) fn debt_bytes(levels: &Levels, options: &Options) -> u64 {
    (1..LEVELS_MAX - 1).map(|level| levels.bytes(level).saturating_sub(level_bytes_max(options, level))).sum()
}
