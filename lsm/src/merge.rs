//! Several sorted sources read as one, in either direction.
//!
//! J1: what comes out is in the order K1, or against it when going back.
//! The least of the sources is found with a loser tree (Knuth, The Art of Computer Programming, vol. 3, 5.4.1): one comparison a level of the tree
//! for each step, with what lost there before.
//! Never: drops a version.

use crate::cache::BlockCache;
use crate::error::LsmError;
use crate::levels::Runs;
use crate::memtable::MemtableCursor;
use crate::run::RunCursor;
use crate::version::{Version, order};
use std::sync::Arc;

/// A sorted source.
#[derive(Debug)]
pub(crate) enum Source {
    Memtable(MemtableCursor),
    Run(RunCursor),
    Level(LevelCursor),
}

/// A place in a level below level 0, whose runs follow each other.
#[derive(Debug)]
pub(crate) struct LevelCursor {
    runs: Runs,
    at: usize,
    cursor: Option<RunCursor>,
    cache: Option<Arc<BlockCache>>,
}

impl LevelCursor {
    pub(crate) fn new(runs: Runs, cache: Option<Arc<BlockCache>>) -> Self {
        Self { runs, at: 0, cursor: None, cache }
    }

    fn version(&self) -> Option<Version<'_>> {
        self.cursor.as_ref()?.version()
    }

    /// The cursor of the run at `at`, beyond it; `None` beyond the level.
    fn enter(&mut self, at: usize) -> Option<&mut RunCursor> {
        self.at = at;
        let Some(run) = self.runs.get(at) else {
            self.cursor = None;
            return None;
        };
        match &mut self.cursor {
            Some(cursor) => cursor.change(Arc::clone(run)),
            none => *none = Some(RunCursor::new(Arc::clone(run), self.cache.clone())),
        }
        self.cursor.as_mut()
    }

    fn seek(&mut self, key: &[u8], seq: u64) -> Result<(), LsmError> {
        let at = self.runs.partition_point(|run| run.span().is_before(key));
        if let Some(cursor) = self.enter(at) {
            cursor.seek(key, seq)?;
        }
        self.go_on()
    }

    fn seek_before(&mut self, key: Option<&[u8]>) -> Result<(), LsmError> {
        let after = key.map_or(self.runs.len(), |key| self.runs.partition_point(|run| run.span().first.as_slice() < key));
        if let Some(cursor) = self.enter(after.wrapping_sub(1)) {
            cursor.seek_before(key)?;
        }
        self.go_back()
    }

    fn next(&mut self) -> Result<(), LsmError> {
        match &mut self.cursor {
            Some(cursor) => cursor.next()?,
            None => return Ok(()),
        }
        self.go_on()
    }

    fn back(&mut self) -> Result<(), LsmError> {
        match &mut self.cursor {
            Some(cursor) => cursor.back()?,
            None => return Ok(()),
        }
        self.go_back()
    }

    fn go_on(&mut self) -> Result<(), LsmError> {
        while self.version().is_none() {
            match self.enter(self.at.wrapping_add(1)) {
                Some(cursor) => cursor.seek_first()?,
                None => return Ok(()),
            }
        }
        Ok(())
    }

    fn go_back(&mut self) -> Result<(), LsmError> {
        while self.version().is_none() {
            match self.enter(self.at.wrapping_sub(1)) {
                Some(cursor) => cursor.seek_before(None)?,
                None => return Ok(()),
            }
        }
        Ok(())
    }
}

impl Source {
    #[inline]
    fn version(&self) -> Option<Version<'_>> {
        match self {
            Self::Memtable(cursor) => cursor.version(),
            Self::Run(cursor) => cursor.version(),
            Self::Level(cursor) => cursor.version(),
        }
    }

    fn seek(&mut self, key: &[u8], seq: u64) -> Result<(), LsmError> {
        match self {
            Self::Memtable(cursor) => {
                cursor.seek(key, seq);
                Ok(())
            }
            Self::Run(cursor) => cursor.seek(key, seq),
            Self::Level(cursor) => cursor.seek(key, seq),
        }
    }

    fn seek_before(&mut self, key: Option<&[u8]>) -> Result<(), LsmError> {
        match self {
            Self::Memtable(cursor) => {
                cursor.seek_before(key);
                Ok(())
            }
            Self::Run(cursor) => cursor.seek_before(key),
            Self::Level(cursor) => cursor.seek_before(key),
        }
    }

    #[inline]
    fn step(&mut self, backward: bool) -> Result<(), LsmError> {
        match (self, backward) {
            (Self::Memtable(cursor), false) => cursor.next(),
            (Self::Memtable(cursor), true) => cursor.back(),
            (Self::Run(cursor), false) => return cursor.next(),
            (Self::Run(cursor), true) => return cursor.back(),
            (Self::Level(cursor), false) => return cursor.next(),
            (Self::Level(cursor), true) => return cursor.back(),
        }
        Ok(())
    }
}

/// Sources, newest first, and the tree that knows the least of them.
#[derive(Debug)]
pub(crate) struct Merge {
    sources: Vec<Source>,
    /// At 0 the winner; at each other node the source that lost there.
    losers: Vec<usize>,
    backward: bool,
}

const NOBODY: usize = usize::MAX;

impl Merge {
    pub(crate) fn new(sources: Vec<Source>) -> Self {
        Self { losers: vec![NOBODY; sources.len().max(1)], sources, backward: false }
    }

    /// Goes on from the first version at or after (`key`, `seq`).
    pub(crate) fn seek(&mut self, key: &[u8], seq: u64) -> Result<(), LsmError> {
        self.backward = false;
        self.sources.iter_mut().try_for_each(|source| source.seek(key, seq))?;
        self.play_all();
        Ok(())
    }

    /// Goes back from the last version of a key before `key`, or of the last key.
    pub(crate) fn seek_before(&mut self, key: Option<&[u8]>) -> Result<(), LsmError> {
        self.backward = true;
        self.sources.iter_mut().try_for_each(|source| source.seek_before(key))?;
        self.play_all();
        Ok(())
    }

    /// The version it is at; `None` at the end.
    #[inline]
    pub(crate) fn version(&self) -> Option<Version<'_>> {
        self.sources.get(self.losers[0])?.version()
    }

    /// The number of the source it comes from.
    pub(crate) fn source(&self) -> usize {
        self.losers[0]
    }

    /// One version on, or back.
    #[inline]
    pub(crate) fn step(&mut self) -> Result<(), LsmError> {
        let winner = self.losers[0];
        if let Some(source) = self.sources.get_mut(winner) {
            source.step(self.backward)?;
            self.play(winner);
        }
        Ok(())
    }

    fn play_all(&mut self) {
        self.losers.fill(NOBODY);
        (0..self.sources.len()).rev().for_each(|source| self.play(source));
    }

    /// Lets a source play from its leaf up to the root, or up to a place where nobody waits yet.
    #[inline]
    fn play(&mut self, source: usize) {
        let mut winner = source;
        let mut node = (source + self.losers.len()) / 2;
        while node > 0 {
            let other = self.losers[node];
            if other == NOBODY {
                self.losers[node] = winner;
                return;
            }
            if self.beats(other, winner) {
                self.losers[node] = winner;
                winner = other;
            }
            node /= 2;
        }
        self.losers[0] = winner;
    }

    #[inline]
    fn beats(&self, a: usize, b: usize) -> bool {
        match (self.sources[a].version(), self.sources[b].version()) {
            (Some(left), Some(right)) => {
                let ordering = order((left.key, left.seq), (right.key, right.seq));
                let ordering = if self.backward { ordering.reverse() } else { ordering };
                ordering.then(a.cmp(&b)).is_lt()
            }
            (left, _) => left.is_some(),
        }
    }
}
