//! One table's rows in memory and on disk: sealed segments below, the unsealed tail above, and how many rows each commit left.
//!
//! T1: row ids are dense and in commit order, so what a snapshot sees is a prefix of the rows less those ended by then.
//! T2: rows may be appended before they are durable; no snapshot reaches them until their commit is published.
//! T3: replacing tail chunks by a segment changes no answer.
//! Never: decides what is visible to whom (view.rs does); writes to disk.

use std::sync::Arc;

use arrow::array::{RecordBatch, UInt64Array};
use base::{CommitSeq, RelationId, SqlResult};
use parking_lot::RwLock;

use crate::ended::Ended;
use crate::folds::FoldStore;
use crate::schema::TableDef;
use crate::segment::{BATCH_ROWS, Segment};
use crate::stored;

/// Chunks of one tier joined into one of the next.
const FAN_IN: usize = 16;
/// Tiers: up to 1, 16, 256 and 4,096 rows and above.
const TIER_MAX: u8 = 3;

/// Which commit each row of a chunk belongs to.
#[derive(Clone, Debug)]
pub enum Commits {
    /// All rows to one.
    One(u64),
    /// One entry a row.
    Each(Arc<[u64]>),
}

impl Commits {
    /// Commit of the row at this offset.
    pub fn at(&self, offset: usize) -> u64 {
        match self {
            Self::One(seq) => *seq,
            Self::Each(seqs) => seqs[offset],
        }
    }

    /// As a column of `rows` values.
    pub fn column(&self, rows: usize) -> UInt64Array {
        match self {
            Self::One(seq) => UInt64Array::from_value(*seq, rows),
            Self::Each(seqs) => UInt64Array::from(seqs.to_vec()),
        }
    }
}

/// A run of unsealed rows in stored layout; `_supersedes` is absolute.
#[derive(Clone, Debug)]
pub struct TailChunk {
    /// Id of the first row.
    pub first_row: u64,
    /// The rows.
    pub batch: RecordBatch,
    /// Their commits.
    pub commits: Commits,
    /// The definition they were written under.
    pub table: Arc<TableDef>,
    /// Position of the DATA record whose mapped bytes these rows are read from, if they are.
    pub log_position: Option<u64>,
    /// How many times it has been joined.
    tier: u8,
}

impl TailChunk {
    /// A chunk as one commit leaves it.
    pub fn new(first_row: u64, batch: RecordBatch, commit: CommitSeq, table: Arc<TableDef>) -> Self {
        let tier = match batch.num_rows() {
            0..FAN_IN => 0,
            16..256 => 1,
            256..4_096 => 2,
            _ => TIER_MAX,
        };
        Self { first_row, batch, commits: Commits::One(commit.0), table, log_position: None, tier }
    }

    /// The same chunk, read from a DATA record.
    pub fn in_log(mut self, position: Option<u64>) -> Self {
        self.log_position = position;
        self
    }

    /// Rows held.
    pub fn rows(&self) -> u64 {
        self.batch.num_rows() as u64
    }

    /// One past the last row id.
    pub fn end(&self) -> u64 {
        self.first_row + self.rows()
    }
}

/// Rows and ended rows of a table after a commit that touched it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Count {
    /// The commit.
    pub seq: u64,
    /// Row versions and markers so far.
    pub rows: u64,
    /// Of these, how many are ended (superseded, deleted, or markers).
    pub ended: u64,
}

/// Where the rows of a table are at one moment: enough to read them without holding a lock.
#[derive(Clone, Debug, Default)]
pub struct Layout {
    /// Sealed rows, ascending, dense from row 0.
    pub segments: Arc<Vec<Arc<Segment>>>,
    /// Unsealed rows, ascending, dense from the last segment's end.
    pub tail: Vec<Arc<TailChunk>>,
}

/// Up to 8,192 rows that lie together.
#[derive(Clone, Debug)]
pub enum Piece {
    /// A batch of a segment.
    Segment(Arc<Segment>, usize),
    /// Rows of a chunk, from this offset on.
    Tail(Arc<TailChunk>, usize),
}

impl Layout {
    /// The definition that the newest rows were written under.
    pub(crate) fn newest_definition(&self) -> Option<Arc<TableDef>> {
        let of_tail = self.tail.last().map(|chunk| Arc::clone(&chunk.table));
        of_tail.or_else(|| self.segments.last().map(|segment| Arc::clone(segment.table())))
    }

    /// All rows in order: each piece with the id of its first row and the number of its rows.
    pub fn pieces(&self) -> impl Iterator<Item = (Piece, u64, u64)> {
        let sealed = self.segments.iter().flat_map(|segment| {
            (0..segment.batches()).map(move |index| {
                let offset = (index * BATCH_ROWS) as u64;
                let rows = (segment.rows() - offset).min(BATCH_ROWS as u64);
                (Piece::Segment(Arc::clone(segment), index), segment.first_row() + offset, rows)
            })
        });
        let tail = self.tail.iter().flat_map(|chunk| {
            (0..chunk.batch.num_rows()).step_by(BATCH_ROWS).map(move |from| {
                let rows = (chunk.batch.num_rows() - from).min(BATCH_ROWS);
                (Piece::Tail(Arc::clone(chunk), from), chunk.first_row + from as u64, rows as u64)
            })
        });
        sealed.chain(tail)
    }
}

#[derive(Debug, Default)]
struct Inner {
    layout: Layout,
    rows: u64,
    sealed: u64,
    ended: u64,
    counts: Vec<Count>,
}

/// The state of one table, shared by the committer (the only writer) and all readers.
#[derive(Debug)]
pub struct TableState {
    /// Which table.
    pub id: RelationId,
    ended: Ended,
    inner: RwLock<Inner>,
}

impl TableState {
    /// A table without rows.
    pub(crate) fn new(id: RelationId, folds: &Arc<FoldStore>) -> Self {
        Self { id, ended: Ended::new(id, Arc::clone(folds)), inner: RwLock::default() }
    }

    /// Which of its rows are ended.
    pub(crate) fn ended(&self) -> &Ended {
        &self.ended
    }

    /// Takes over sealed segments at start, ascending and dense from row 0.
    pub fn adopt_segments(&self, segments: Vec<Arc<Segment>>) {
        let mut inner = self.inner.write();
        let rows = segments.last().map_or(0, |last| last.first_row() + last.rows());
        assert!(inner.rows == 0, "T1: segments are adopted before any other row");
        inner.rows = rows;
        inner.sealed = rows;
        inner.layout.segments = Arc::new(segments);
    }

    /// Appends the rows of one commit (T2), which ends so many. `chunks` are dense and start at the present end.
    pub fn append(&self, seq: CommitSeq, chunks: Vec<TailChunk>, ended: u64) -> SqlResult<()> {
        let mut inner = self.inner.write();
        for chunk in chunks {
            assert!(chunk.first_row == inner.rows, "T1: row ids are dense");
            inner.rows = chunk.end();
            inner.layout.tail.push(Arc::new(chunk));
        }
        inner.ended += ended;
        let count = Count { seq: seq.0, rows: inner.rows, ended: inner.ended };
        inner.counts.push(count);
        join_small_chunks(&mut inner.layout.tail)
    }

    /// Records what the rows read at start amount to, with all that are ended.
    pub(crate) fn restore_count(&self, seq: u64) {
        let mut inner = self.inner.write();
        inner.ended = self.ended.total();
        let count = Count { seq, rows: inner.rows, ended: inner.ended };
        inner.counts = vec![count];
    }

    /// Rows appended so far, published or not.
    pub fn rows(&self) -> u64 {
        self.inner.read().rows
    }

    /// Rows ended so far, published or not.
    pub fn ended_rows(&self) -> u64 {
        self.inner.read().ended
    }

    /// The last commit that touched it, published or not.
    pub(crate) fn last_commit(&self) -> Option<u64> {
        self.inner.read().counts.last().map(|count| count.seq)
    }

    /// The commit of its newest row, published or not; `None` if it has none. Errors: XX001 where a segment is damaged.
    pub(crate) fn newest_commit(&self) -> SqlResult<Option<CommitSeq>> {
        let layout = self.layout();
        match (layout.tail.last(), layout.segments.last()) {
            (Some(chunk), _) => Ok(Some(CommitSeq(chunk.commits.at(chunk.batch.num_rows() - 1)))),
            (None, Some(segment)) => Ok(Some(CommitSeq(segment.commits()?.1))),
            (None, None) => Ok(None),
        }
    }

    /// Rows that lie in segments.
    pub fn sealed(&self) -> u64 {
        self.inner.read().sealed
    }

    /// Rows and ended rows that a snapshot at `seq` (`None`: before the first commit) sees (T1).
    pub fn count_at(&self, seq: Option<CommitSeq>) -> Count {
        let none = Count { seq: 0, rows: 0, ended: 0 };
        let Some(CommitSeq(seq)) = seq else { return none };
        let inner = self.inner.read();
        let after = inner.counts.partition_point(|count| count.seq <= seq);
        after.checked_sub(1).map_or(none, |at| inner.counts[at])
    }

    /// The commit that ended this row, if one did. Errors: where the folds are damaged and cannot be made anew.
    pub fn ended_by(&self, row: u64) -> SqlResult<Option<u64>> {
        self.ended.by(row)
    }

    /// Row ids in `[first, end)` that were ended at or before `seq`, ascending. Errors: likewise.
    pub fn ended_in(&self, first: u64, end: u64, seq: u64) -> SqlResult<Vec<u64>> {
        self.ended.within(first, end, seq)
    }

    /// How many rows had been ended by `seq`; looks at every row that was ever ended. Errors: likewise.
    pub fn ended_by_then(&self, seq: u64) -> SqlResult<u64> {
        Ok(self.ended.within(0, self.rows(), seq)?.len() as u64)
    }

    /// Where the rows are now.
    pub fn layout(&self) -> Layout {
        self.inner.read().layout.clone()
    }

    /// The unsealed chunk that holds this row.
    pub fn tail_chunk(&self, row: u64) -> Option<Arc<TailChunk>> {
        let inner = self.inner.read();
        let at = inner.layout.tail.partition_point(|chunk| chunk.end() <= row);
        inner.layout.tail.get(at).filter(|chunk| chunk.first_row <= row).cloned()
    }

    /// The sealed segment that holds this row.
    pub fn segment(&self, row: u64) -> Option<Arc<Segment>> {
        let inner = self.inner.read();
        let at = inner.layout.segments.partition_point(|segment| segment.first_row() + segment.rows() <= row);
        inner.layout.segments.get(at).filter(|segment| segment.first_row() <= row).cloned()
    }

    /// Puts a sealed segment in the place of the tail chunks it holds (T3). A chunk that reaches past the segment's end is cut.
    pub fn replace_by_segment(&self, segment: Arc<Segment>) {
        let mut inner = self.inner.write();
        let end = segment.first_row() + segment.rows();
        assert!(segment.first_row() == inner.sealed && end <= inner.rows, "T3: a segment takes the place of the oldest unsealed rows");
        let tail = std::mem::take(&mut inner.layout.tail);
        inner.layout.tail = tail.into_iter().filter_map(|chunk| cut_front(chunk, end)).collect();
        Arc::make_mut(&mut inner.layout.segments).push(segment);
        inner.sealed = end;
    }

    /// Takes other files of the same rows: one opened anew, a stub, one that some were merged into, or those that it was merged from (T3). They are
    /// dense; whether there are segments that begin and end where they do.
    pub(crate) fn exchange_segments(&self, new: &[Arc<Segment>]) -> bool {
        let (Some(first), Some(last)) = (new.first(), new.last()) else { return false };
        let mut inner = self.inner.write();
        let old = &inner.layout.segments;
        let from = old.iter().position(|other| other.first_row() == first.first_row());
        let to = old.iter().position(|other| other.end() == last.end());
        let (Some(from), Some(to)) = (from, to) else { return false };
        Arc::make_mut(&mut inner.layout.segments).splice(from..=to, new.iter().cloned());
        true
    }

    /// Forgets counts that no snapshot at or after `seq` needs.
    pub fn forget_counts_before(&self, seq: u64) {
        let mut inner = self.inner.write();
        let keep_from = inner.counts.partition_point(|count| count.seq <= seq).saturating_sub(1);
        inner.counts.drain(..keep_from);
    }
}

/// What remains of a chunk when rows below `end` are sealed.
fn cut_front(chunk: Arc<TailChunk>, end: u64) -> Option<Arc<TailChunk>> {
    if chunk.first_row >= end {
        return Some(chunk);
    }
    if chunk.end() <= end {
        return None;
    }
    let skip = (end - chunk.first_row) as usize;
    let commits = match &chunk.commits {
        Commits::One(seq) => Commits::One(*seq),
        Commits::Each(seqs) => Commits::Each(seqs[skip..].into()),
    };
    let batch = chunk.batch.slice(skip, chunk.batch.num_rows() - skip);
    Some(Arc::new(TailChunk {
        first_row: end,
        batch,
        commits,
        table: Arc::clone(&chunk.table),
        log_position: chunk.log_position,
        tier: chunk.tier,
    }))
}

/// Keeps a tail of many small commits short: sixteen chunks of one tier become one of the next, so each row is copied three times at most.
fn join_small_chunks(tail: &mut Vec<Arc<TailChunk>>) -> SqlResult<()> {
    while tail.len() >= FAN_IN {
        let last = &tail[tail.len() - FAN_IN..];
        let tier = last[FAN_IN - 1].tier;
        let table = Arc::clone(&last[0].table);
        if tier >= TIER_MAX || last.iter().any(|chunk| chunk.tier != tier || chunk.table != table) {
            return Ok(());
        }
        let batches: Vec<RecordBatch> = last.iter().map(|chunk| chunk.batch.clone()).collect();
        let commits = last.iter().flat_map(|chunk| (0..chunk.batch.num_rows()).map(|i| chunk.commits.at(i))).collect();
        let joined = TailChunk {
            first_row: last[0].first_row,
            batch: stored::join(&batches)?,
            commits: Commits::Each(commits),
            table,
            log_position: None,
            tier: tier + 1,
        };
        tail.truncate(tail.len() - FAN_IN);
        tail.push(Arc::new(joined));
    }
    Ok(())
}
