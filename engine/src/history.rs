//! Every version of a table's rows that some span of commits saw, with the commits that began and ended it.
//!
//! W1: a version is in it if some snapshot of the span saw it; one begun and ended by the same commit was seen by none.
//! W2: each version is whole, whatever version of the definition it was written under (Y1 of layout.rs).
//! Never: shows what is not published.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, BooleanArray, Int64Array, RecordBatch, RecordBatchOptions, UInt8Array};
use arrow::datatypes::{Field, Schema, SchemaRef, UInt8Type, UInt64Type};
use base::{CommitSeq, SqlResult};

use crate::canonical::Op;
use crate::failure::arrow_failed;
use crate::layout;
use crate::ledger::Ledger;
use crate::past::commits_at;
use crate::schema::TableDef;
use crate::segment::{BATCH_ROWS, Segment};
use crate::stored;
use crate::subjects::Subjects;
use crate::table::{Piece, TableState};

/// Snapshots: from the one after `first` (`None`: from before all commits) to the one after `last`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Span {
    /// The snapshot it begins with.
    pub first: Option<CommitSeq>,
    /// The snapshot it ends with.
    pub last: CommitSeq,
}

/// Up to 8,192 row versions, not read yet.
#[derive(Debug)]
pub struct Versions {
    state: Arc<TableState>,
    subjects: Arc<Subjects>,
    table: Arc<TableDef>,
    span: Span,
    piece: Piece,
    first_row: u64,
}

/// Versions and what is known of each: a batch of user columns, and one entry a row in the rest.
#[derive(Clone, Debug)]
pub struct Told {
    /// The columns of the definition they are read under.
    pub rows: RecordBatch,
    /// Their row ids.
    pub ids: Int64Array,
    /// The commit each is in.
    pub begun: Int64Array,
    /// The commit that ended it; NULL where none had by the end of the span.
    pub ended: Int64Array,
}

impl Ledger {
    /// Where to look for the versions of a table's rows, in the order they were written, to be read under `table`.
    pub fn versions(&self, table: &Arc<TableDef>, span: Span) -> Vec<Versions> {
        let state = self.table_state(table.id);
        let versions = |(piece, first_row, _)| {
            let (state, subjects) = (Arc::clone(&state), Arc::clone(self.subjects()));
            Versions { state, subjects, table: Arc::clone(table), span, piece, first_row }
        };
        state.layout().pieces().map(versions).collect()
    }
}

impl Versions {
    /// Reads them. Errors: XX001 where a segment is damaged; 72000 where some have expired.
    pub fn read(&self) -> SqlResult<Told> {
        if let Piece::Segment(stub, index) = &self.piece
            && stub.expired_at().is_some()
        {
            return self.told_of_stub(stub, *index);
        }
        let (writer, batch, commits) = self.stored()?;
        let ops = batch.column(writer.columns.len() + 1).as_primitive::<UInt8Type>();
        let (ended, kept) = self.within(ops, &commits)?;
        let rows = RecordBatch::try_new_with_options(
            self.schema(),
            layout::columns(&writer, &self.table, &batch, &self.subjects)?,
            &RecordBatchOptions::new().with_row_count(Some(batch.num_rows())),
        );
        let rows = stored::keep(&rows.map_err(|error| arrow_failed("read versions", &error))?, &BooleanArray::from(kept.clone()))?;
        let of = |pick: &dyn Fn(usize) -> Option<u64>| -> Int64Array {
            (0..kept.len()).filter(|at| kept[*at]).map(|at| pick(at).map(u64::cast_signed)).collect()
        };
        Ok(Told { rows, ids: of(&|at| Some(self.first_row + at as u64)), begun: of(&|at| Some(commits[at])), ended: of(&|at| ended[at]) })
    }

    /// Which commit ended each row, and whether it is a version of the span (W1).
    fn within(&self, ops: &UInt8Array, commits: &[u64]) -> SqlResult<(Vec<Option<u64>>, Vec<bool>)> {
        let (end, last) = (self.first_row + commits.len() as u64, self.span.last.0);
        let mut ended: Vec<Option<u64>> = vec![None; commits.len()];
        for row in self.state.ended_in(self.first_row, end, last)? {
            ended[(row - self.first_row) as usize] = self.state.ended_by(row)?;
        }
        let outlives = |by: Option<u64>| by.is_none_or(|by| self.span.first.is_none_or(|first| by > first.0));
        let is_kept = |at: usize| {
            let is_version = ops.value(at) != Op::Delete as u8 && commits[at] <= last && ended[at] != Some(commits[at]);
            is_version && outlives(ended[at])
        };
        let kept = (0..commits.len()).map(is_kept).collect();
        Ok((ended, kept))
    }

    /// Of versions that have expired none can be shown, and none need be where none is of the span.
    fn told_of_stub(&self, stub: &Segment, index: usize) -> SqlResult<Told> {
        let n = stub.table().columns.len();
        let hidden = stub.read(index, Some(&[n + 1, n + 3]))?;
        let commits = hidden.column(1).as_primitive::<UInt64Type>().values().to_vec();
        if self.within(hidden.column(0).as_primitive(), &commits)?.1.contains(&true) {
            return Err(stub.expired());
        }
        let none = || Int64Array::from(Vec::<i64>::new());
        Ok(Told { rows: RecordBatch::new_empty(self.schema()), ids: none(), begun: none(), ended: none() })
    }

    fn schema(&self) -> SchemaRef {
        // A marker has no values, whatever the columns demand; it is kept out after the batch is made.
        let fields =
            self.table.arrow_schema().fields().iter().map(|field| field.as_ref().clone().with_nullable(true)).collect::<Vec<Field>>();
        Arc::new(Schema::new(fields))
    }

    /// The definition they were written under, their stored columns, and the commit of each.
    fn stored(&self) -> SqlResult<(Arc<TableDef>, RecordBatch, Vec<u64>)> {
        match &self.piece {
            Piece::Segment(segment, index) => {
                let batch = segment.read(*index, None)?;
                let commits: &ArrayRef = batch.column(commits_at(segment));
                let commits = commits.as_primitive::<UInt64Type>().values().to_vec();
                Ok((Arc::clone(segment.table()), batch, commits))
            }
            Piece::Tail(chunk, from) => {
                let rows = (chunk.batch.num_rows() - from).min(BATCH_ROWS);
                let commits = (*from..*from + rows).map(|at| chunk.commits.at(at)).collect();
                Ok((Arc::clone(&chunk.table), chunk.batch.slice(*from, rows), commits))
            }
        }
    }
}
