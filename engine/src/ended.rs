//! Which rows of a table are ended, and by which commit: in the folds, with a count for each chunk of rows in memory.
//!
//! E1: a row that was never ended costs one look at its chunk's count, and so does a chunk in which none was.
//! E2: a chunk's count is raised before the folds say which row it is, so who finds the one finds the other.
//! E3: a row is ended once.
//! Never: holds a word for each ended row in memory.

use std::ops::Bound;
use std::sync::Arc;

use base::{RelationId, SqlResult};
use parking_lot::RwLock;

use crate::folds::{Changes, FoldStore, Name, names};
use crate::segment::BATCH_ROWS;

const CHUNK_ROWS: u64 = BATCH_ROWS as u64;
const _: () = assert!(BATCH_ROWS <= u16::MAX as usize);

#[derive(Debug, Default)]
struct Counts(Vec<u16>);

impl Counts {
    fn of(&self, chunk: u64) -> u64 {
        usize::try_from(chunk).ok().and_then(|chunk| self.0.get(chunk)).copied().unwrap_or(0).into()
    }

    fn add(&mut self, chunk: u64, rows: u64) {
        let at = chunk as usize;
        if self.0.len() <= at {
            self.0.resize(at + 1, 0);
        }
        let count = u64::from(self.0[at]) + rows;
        assert!(count <= CHUNK_ROWS, "E3: {count} rows of chunk {chunk} are ended");
        self.0[at] = count as u16;
    }
}

/// The ended rows of one table.
#[derive(Debug)]
pub(crate) struct Ended {
    table: RelationId,
    folds: Arc<FoldStore>,
    counts: RwLock<Counts>,
}

impl Ended {
    /// None yet.
    pub(crate) fn new(table: RelationId, folds: Arc<FoldStore>) -> Self {
        Self { table, folds, counts: RwLock::default() }
    }

    /// Counts rows that a commit ends (E2).
    pub(crate) fn count(&self, rows: &[u64]) {
        let mut counts = self.counts.write();
        rows.iter().for_each(|row| counts.add(row / CHUNK_ROWS, 1));
    }

    /// Takes counts over from the folds, in the place of what was counted: chunk and rows.
    pub(crate) fn restore(&self, chunks: &[(u64, u64)]) {
        let mut counts = self.counts.write();
        counts.0.clear();
        chunks.iter().for_each(|(chunk, rows)| counts.add(*chunk, *rows));
    }

    /// Rows counted.
    pub(crate) fn total(&self) -> u64 {
        self.counts.read().0.iter().map(|count| u64::from(*count)).sum()
    }

    /// What commit `seq`, whose rows are not counted yet, does to the folds. Errors: 53100, 58030 where that is too much for memory.
    pub(crate) fn say(&self, rows: &[u64], seq: u64, changes: &mut Changes) -> SqlResult<()> {
        let mut name = Name::default();
        let mut chunks: Vec<u64> = rows.iter().map(|row| row / CHUNK_ROWS).collect();
        for row in rows {
            changes.put_number(name.ended(self.table, *row), seq, seq)?;
        }
        chunks.sort_unstable();
        let counts = self.counts.read();
        chunks.chunk_by(|a, b| a == b).try_for_each(|of_one| {
            let count = counts.of(of_one[0]) + of_one.len() as u64;
            changes.put_number(name.chunk(self.table, of_one[0]), seq, count)
        })
    }

    /// How many rows of a chunk are counted.
    pub(crate) fn of_chunk(&self, chunk: u64) -> u64 {
        self.counts.read().of(chunk)
    }

    /// Sets the counts of some chunks.
    pub(crate) fn restore_more(&self, chunks: impl Iterator<Item = (u64, u64)>) {
        let mut counts = self.counts.write();
        for (chunk, rows) in chunks {
            let more = rows - counts.of(chunk);
            counts.add(chunk, more);
        }
    }

    /// The commit that ended this row, if one did. Errors: where the folds are damaged and cannot be made anew.
    #[inline]
    pub(crate) fn by(&self, row: u64) -> SqlResult<Option<u64>> {
        if self.counts.read().of(row / CHUNK_ROWS) == 0 {
            return Ok(None);
        }
        self.folds.number(Name::default().ended(self.table, row))
    }

    /// Row ids in `[first, end)` that were ended at or before `seq`, ascending. Errors: as [`Ended::by`].
    pub(crate) fn within(&self, first: u64, end: u64, seq: u64) -> SqlResult<Vec<u64>> {
        {
            let counts = self.counts.read();
            if first >= end || (first / CHUNK_ROWS..=(end - 1) / CHUNK_ROWS).all(|chunk| counts.of(chunk) == 0) {
                return Ok(Vec::new());
            }
        }
        self.rows(first, end, |by| by <= seq)
    }

    /// Rows that commits after `seq` ended, ascending; looks at every row that was ever ended. Errors: as [`Ended::by`].
    pub(crate) fn after(&self, seq: u64) -> SqlResult<Vec<u64>> {
        self.rows(0, u64::MAX, |by| by > seq)
    }

    fn rows(&self, first: u64, end: u64, is_wanted: impl Fn(u64) -> bool) -> SqlResult<Vec<u64>> {
        let (mut from, mut to) = (Name::default(), Name::default());
        let (from, to) = (from.ended(self.table, first), to.ended(self.table, end));
        self.folds.read(|tree| {
            let mut found = Vec::new();
            let mut scan = tree.range((Bound::Included(from), Bound::Excluded(to)))?;
            while let Some((name, by)) = scan.step()? {
                if let (Some(row), Some(by)) = (names::ended_row(name), names::read_number(by))
                    && is_wanted(by)
                {
                    found.push(row);
                }
            }
            Ok(found)
        })
    }
}
