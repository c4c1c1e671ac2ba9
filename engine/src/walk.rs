//! The stored rows of a table, sealed and not, a batch at a time: what folds are made from.
//!
//! W1: every row from a commit on is met once, in order of row ids; those that have expired only where no column of them is asked for.
//! W2: segments that end before that commit are not read, but for the commits of their last batch.
//! Never: asks whether a row is visible.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, UInt8Array, UInt64Array};
use arrow::datatypes::UInt64Type;
use base::SqlResult;

use crate::canonical::Op;
use crate::layout;
use crate::schema::TableDef;
use crate::segment::{BATCH_ROWS, Segment};
use crate::stored;
use crate::table::{TableState, TailChunk};

/// Rows as they are stored.
pub(crate) struct Walked {
    /// Id of the first.
    pub(crate) first: u64,
    /// The columns asked for, as the reader's definition shows them.
    pub(crate) columns: Vec<ArrayRef>,
    commits: UInt64Array,
    ops: UInt8Array,
    supersedes: UInt64Array,
    since: u64,
}

impl Walked {
    /// Rows in all, those before the commit too.
    pub(crate) fn len(&self) -> usize {
        self.commits.len()
    }

    /// Offsets of the rows from the commit on.
    pub(crate) fn rows(&self) -> Range<usize> {
        // Commits ascend.
        let before = self.commits.values().partition_point(|commit| *commit < self.since);
        before..self.commits.len()
    }

    /// The commit of a row.
    pub(crate) fn commit(&self, at: usize) -> u64 {
        self.commits.value(at)
    }

    /// Whether it is a row, not the marker of a deletion.
    pub(crate) fn is_row(&self, at: usize) -> bool {
        self.ops.value(at) != Op::Delete as u8
    }

    /// The row that this one ends, if it does, and itself where it is a marker.
    pub(crate) fn ends(&self, at: usize) -> impl Iterator<Item = u64> {
        let before = self.supersedes.is_valid(at).then(|| self.supersedes.value(at));
        let itself = (!self.is_row(at)).then_some(self.first + at as u64);
        before.into_iter().chain(itself)
    }
}

/// Rows of a table from commit `since` on: the columns at `needed` as `reader` shows them.
///
/// Errors: XX001 where a segment is damaged, and those of `take`.
pub(crate) fn walk(
    state: &TableState,
    reader: Option<&TableDef>,
    needed: &[usize],
    since: u64,
    mut take: impl FnMut(Walked) -> SqlResult<()>,
) -> SqlResult<()> {
    let layout = state.layout();
    let mut from = layout.segments.len();
    while from > 0 && (since == 0 || last_commit(&layout.segments[from - 1])? >= since) {
        from -= 1;
    }
    let has_expired = |segment: &Segment| segment.expired_at().is_some() && !needed.is_empty();
    for segment in layout.segments[from..].iter().filter(|segment| !has_expired(segment)) {
        for index in 0..segment.batches() {
            if let Some(walked) = of_segment(segment, index, reader, needed, since)? {
                take(walked)?;
            }
        }
    }
    for chunk in layout.tail.iter().filter(|chunk| chunk.commits.at(chunk.batch.num_rows() - 1) >= since) {
        take(of_tail(chunk, reader, needed, since)?)?;
    }
    Ok(())
}

fn last_commit(segment: &Segment) -> SqlResult<u64> {
    let batch = segment.read(segment.batches() - 1, Some(&[commits_at(segment.table())]))?;
    Ok(batch.column(0).as_primitive::<UInt64Type>().values().last().copied().unwrap_or(0))
}

fn commits_at(table: &TableDef) -> usize {
    table.columns.len() + 3
}

fn of_segment(segment: &Segment, index: usize, reader: Option<&TableDef>, needed: &[usize], since: u64) -> SqlResult<Option<Walked>> {
    let table = segment.table();
    if since > 0 {
        let commits = segment.read(index, Some(&[commits_at(table)]))?;
        if commits.column(0).as_primitive::<UInt64Type>().values().last().is_none_or(|last| *last < since) {
            return Ok(None);
        }
    }
    let places = reader.map_or(Ok(Vec::new()), |reader| layout::clear_places(table, reader, needed))?;
    let n = table.columns.len();
    let mut stored: Vec<usize> = places.iter().flat_map(layout::Place::needs).chain([n + 1, n + 2, n + 3]).collect();
    stored.sort_unstable();
    stored.dedup();
    let batch = segment.read(index, Some(&stored))?;
    let column = |at: usize| Arc::clone(batch.column(stored.binary_search(&at).unwrap_or_default()));
    Ok(Some(Walked {
        first: segment.first_row() + (index * BATCH_ROWS) as u64,
        columns: places.iter().map(|place| place.read(batch.num_rows(), column)).collect::<SqlResult<_>>()?,
        commits: column(n + 3).as_primitive::<UInt64Type>().clone(),
        ops: column(n + 1).as_primitive().clone(),
        supersedes: column(n + 2).as_primitive::<UInt64Type>().clone(),
        since,
    }))
}

fn of_tail(chunk: &TailChunk, reader: Option<&TableDef>, needed: &[usize], since: u64) -> SqlResult<Walked> {
    let places = reader.map_or(Ok(Vec::new()), |reader| layout::clear_places(&chunk.table, reader, needed))?;
    let (n, rows) = (chunk.table.columns.len(), chunk.batch.num_rows());
    let batch: &RecordBatch = &chunk.batch;
    Ok(Walked {
        first: chunk.first_row,
        columns: places.iter().map(|place| place.read(rows, |at| Arc::clone(batch.column(at)))).collect::<SqlResult<_>>()?,
        commits: chunk.commits.column(rows),
        ops: batch.column(n + 1).as_primitive().clone(),
        supersedes: stored::supersedes(batch, n).clone(),
        since,
    })
}
