//! The ledger as of an older commit: what its relations were, and how many rows each had.
//!
//! A1: relations and rows are those of the moment; roles and grants are today's, so that a right that was taken away is gone for the past too.
//! A2: a relation that is no more has no grants today: it is the first superuser's (R2 of roles.rs).
//! A3: what a moment answers never changes; what is kept here saves work and decides nothing.
//! Never: writes; counts in rows that are not published.

use std::sync::Arc;

use arrow::array::AsArray;
use arrow::datatypes::UInt64Type;
use base::{CommitSeq, RelationId, SqlError, SqlResult, SqlState};
use hashbrown::HashMap;
use parking_lot::Mutex;
use receipts::leaf::TableSpan;
use receipts::{Hash, Leaf};

use crate::catalog_rows::catalog_at;
use crate::ledger::{Ledger, Snapshot};
use crate::segment::{BATCH_ROWS, Segment};
use crate::table::{Count, Layout, TableState};

/// Catalogs kept.
const MOMENTS_MAX: usize = 32;
/// Row counts kept.
const COUNTS_MAX: usize = 4_096;

/// A moment and the catalog whose rights hold in it.
type Moment = (u64, Hash);

/// What was found out about the past (A3).
#[derive(Debug, Default)]
pub(crate) struct Past {
    moments: Mutex<Vec<(Moment, Snapshot)>>,
    counts: Mutex<HashMap<(RelationId, u64), Count>>,
}

impl Ledger {
    /// The moment after a commit, to be read by [`crate::Transaction::travel`] (A1).
    ///
    /// Errors: 22023 for a commit that is not there yet; XX001 where the definitions of that time are unreadable.
    pub fn moment(&self, seq: CommitSeq) -> SqlResult<Snapshot> {
        let today = self.snapshot();
        if today.seq.is_none_or(|newest| seq > newest) {
            let newest = today.seq.map_or("It holds no commit yet.".to_owned(), |newest| format!("The newest commit is {newest}."));
            return Err(SqlError::new(SqlState::INVALID_PARAMETER_VALUE, format!("commit {seq} does not exist")).hint(newest));
        }
        let name = (seq.0, today.catalog.schema_root());
        if let Some((_, known)) = self.past().moments.lock().iter().find(|(other, _)| *other == name) {
            return Ok(known.clone());
        }
        let catalog = Arc::new(catalog_at(self, seq)?.with_rights_of(&today.catalog));
        let moment = Snapshot { seq: Some(seq), catalog };
        let mut kept = self.past().moments.lock();
        if kept.len() >= MOMENTS_MAX {
            kept.remove(0);
        }
        kept.push((name, moment.clone()));
        Ok(moment)
    }

    /// The newest published commit of those at or before a time, µs since 1970-01-01 UTC; `None` where all came later. Times of commits never fall.
    ///
    /// Errors: XX001 where a leaf is unreadable.
    pub fn commit_by(&self, time_us: i64) -> SqlResult<Option<CommitSeq>> {
        let size = self.checkpoint().state.size as usize;
        let after = partition_point(size, |at| Ok(self.time_of(CommitSeq(at as u64))? <= time_us))?;
        Ok(after.checked_sub(1).map(|at| CommitSeq(at as u64)))
    }

    /// When a commit was made, µs since 1970-01-01 UTC. Errors: 22023 for one that is not there, XX001 for an unreadable leaf.
    pub fn time_of(&self, seq: CommitSeq) -> SqlResult<i64> {
        Ok(self.leaf_of(seq)?.time_us())
    }

    /// Where a table's rows stand in a commit: the id of the first, and its place among all rows of the commit; `None` where it has none.
    ///
    /// Errors: as [`Ledger::time_of`].
    pub fn rows_of(&self, seq: CommitSeq, table: RelationId) -> SqlResult<Option<(u64, u64)>> {
        let Leaf::Commit(commit) = self.leaf_of(seq)? else { return Ok(None) };
        let before = |span: &&TableSpan| span.relation < table.0;
        let place = commit.tables.iter().take_while(before).map(|span| span.rows).sum();
        Ok(commit.tables.iter().find(|span| span.relation == table.0).map(|span| (span.first_row, place)))
    }

    /// The leaf of a commit. Errors: as [`Ledger::time_of`].
    pub(crate) fn leaf_of(&self, seq: CommitSeq) -> SqlResult<Leaf> {
        let leaf = self.merkle().read().leaf(seq.0)?;
        Leaf::decode(&leaf).map_err(|error| {
            SqlError::new(SqlState::DATA_CORRUPTED, format!("the leaf of commit {seq} is unreadable: {error}"))
                .hint("Run shockwave verify fsck on the data folder.")
        })
    }

    /// Rows and ended rows of a table as of a published commit. Errors: XX001 where a segment is damaged.
    pub(crate) fn past_count(&self, state: &TableState, seq: CommitSeq) -> SqlResult<Count> {
        let name = (state.id, seq.0);
        if let Some(known) = self.past().counts.lock().get(&name) {
            return Ok(*known);
        }
        let count = Count { seq: seq.0, rows: rows_by(&state.layout(), seq.0)?, ended: state.ended_by_then(seq.0)? };
        let mut kept = self.past().counts.lock();
        if kept.len() >= COUNTS_MAX {
            kept.clear();
        }
        kept.insert(name, count);
        Ok(count)
    }
}

/// How many rows commits up to `seq` wrote: rows lie in commit order.
fn rows_by(layout: &Layout, seq: u64) -> SqlResult<u64> {
    if let Some(first) = layout.tail.first().filter(|chunk| chunk.commits.at(0) <= seq) {
        let after = layout.tail.partition_point(|chunk| chunk.commits.at(0) <= seq);
        let last = layout.tail.get(after.saturating_sub(1)).unwrap_or(first);
        let within = partition_point(last.batch.num_rows(), |at| Ok(last.commits.at(at) <= seq))?;
        return Ok(last.first_row + within as u64);
    }
    let after = partition_point(layout.segments.len(), |at| Ok(commit_in(&layout.segments[at], 0, 0)? <= seq))?;
    let Some(segment) = after.checked_sub(1).map(|at| &layout.segments[at]) else { return Ok(0) };
    let after = partition_point(segment.batches(), |index| Ok(commit_in(segment, index, 0)? <= seq))?;
    let index = after.saturating_sub(1);
    let commits = segment.read(index, Some(&[commits_at(segment)]))?;
    let commits = commits.column(0).as_primitive::<UInt64Type>().values().clone();
    let within = commits.partition_point(|commit| *commit <= seq);
    Ok(segment.first_row() + (index * BATCH_ROWS + within) as u64)
}

/// Where a segment's batches have the commit of each row.
pub(crate) fn commits_at(segment: &Segment) -> usize {
    segment.table().columns.len() + 3
}

fn commit_in(segment: &Segment, index: usize, row: usize) -> SqlResult<u64> {
    let batch = segment.read(index, Some(&[commits_at(segment)]))?;
    Ok(batch.column(0).as_primitive::<UInt64Type>().value(row))
}

/// The first of `0..count` that `is_before` does not hold for, where it holds for none after.
fn partition_point(count: usize, is_before: impl Fn(usize) -> SqlResult<bool>) -> SqlResult<usize> {
    let (mut low, mut high) = (0, count);
    while low < high {
        let middle = low + (high - low) / 2;
        if is_before(middle)? {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    Ok(low)
}
