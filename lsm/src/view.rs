//! All of the tree at one moment: the memtable being written, those that wait for the disk, and the levels.
//!
//! Never: changes, but for the memtable's growth; a new view takes the place of the old.

use crate::cache::BlockCache;
use crate::error::LsmError;
use crate::filter;
use crate::levels::{LEVELS_MAX, Levels};
use crate::memtable::{Memtable, MemtableCursor};
use crate::merge::{LevelCursor, Merge, Source};
use crate::run::{Hit, Run, RunCursor, Value};
use crate::span::Span;
use crate::tombstone::{Fragments, Tombstone};
use crate::version::Kind;
use std::sync::Arc;

#[derive(Clone, Debug)]
pub(crate) struct View {
    pub(crate) active: Arc<Memtable>,
    /// Newest first, each with the «below» of its last commit.
    pub(crate) sealed: Vec<(Arc<Memtable>, u64)>,
    pub(crate) levels: Arc<Levels>,
}

impl View {
    fn memtables(&self) -> impl Iterator<Item = &Arc<Memtable>> {
        std::iter::once(&self.active).chain(self.sealed.iter().map(|(table, _)| table))
    }

    /// The value of `key` as seen below `below`. By L3 the first version found is the newest.
    pub(crate) fn get(&self, key: &[u8], below: u64, cache: &BlockCache) -> Result<Option<Value<'_>>, LsmError> {
        let mut hidden = 0;
        for table in self.memtables() {
            hidden = table.hides(key, below).max(hidden);
            if let Some(found) = table.get(key, below) {
                return Ok(live(Hit { seq: found.seq, kind: found.kind, value: Value::Borrowed(found.value) }, hidden));
            }
        }
        let (hit, in_levels) = self.levels.get(key, filter::hash(key), below, cache)?;
        Ok(hit.and_then(|hit| live(hit, hidden.max(in_levels))))
    }

    /// All versions, newest sources first.
    pub(crate) fn merge(&self, cache: Option<&Arc<BlockCache>>) -> Merge {
        let mut sources: Vec<Source> = self.memtables().map(|t| Source::Memtable(MemtableCursor::new(Arc::clone(t)))).collect();
        let run = |run: &Arc<Run>| Source::Run(RunCursor::new(Arc::clone(run), cache.cloned()));
        sources.extend(self.levels.level(0).iter().map(run));
        let deeper = (1..LEVELS_MAX).map(|level| self.levels.level(level)).filter(|runs| !runs.is_empty());
        sources.extend(deeper.map(|runs| Source::Level(LevelCursor::new(Arc::clone(runs), cache.cloned()))));
        Merge::new(sources)
    }

    /// Ranges deleted below `below` that may hide keys from `from` (with) to `to` (without).
    pub(crate) fn fragments(&self, from: &[u8], to: Option<&[u8]>, below: u64) -> Fragments {
        let mut tombstones: Vec<Tombstone> = Vec::new();
        let mut add = |fragments: &Fragments| {
            if !fragments.is_empty() {
                tombstones.extend(fragments.clip(Some(from), to).into_iter().filter(|tombstone| tombstone.seq < below));
            }
        };
        self.memtables().for_each(|table| add(&table.fragments()));
        let outside = |span: &Span| span.is_before(from) || to.is_some_and(|to| to <= span.first.as_slice());
        self.levels.runs().filter(|(_, run)| !outside(run.span())).for_each(|(_, run)| add(run.fragments()));
        Fragments::of(&tombstones)
    }
}

fn live(hit: Hit<'_>, hidden: u64) -> Option<Value<'_>> {
    (hit.kind == Kind::Put && hit.seq >= hidden).then_some(hit.value)
}
