//! The rows of some tables as the commits that brought them: what a fold is fed that comes after them.
//!
//! D1: commits ascend, and a table's rows come dense and in order, as they did the first time.
//! D2: of sealed rows only the columns asked for are read; the others are untyped nulls in their places. Of expired rows all are NULL.
//! Never: runs while a commit is decided; the caller holds the turn.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, RecordBatch, new_null_array};
use arrow::datatypes::{DataType, Field, Schema, UInt64Type};
use base::{ColumnId, CommitSeq, RelationId, SqlResult};

use crate::failure::arrow_failed;
use crate::fold::{AppliedCommit, AppliedTable, Fold};
use crate::segment::{BATCH_ROWS, Segment};
use crate::table::{Layout, TailChunk};

/// Rows of one commit: its number, the table's place in what was asked for, the rows.
type Piece = (u64, usize, TailChunk);

/// Feeds a fold all rows of tables that lie as `layouts` say, in commit order (D1). Errors: XX001, 58030, and the fold's own.
pub fn feed(layouts: &[(RelationId, Layout)], columns: &[Vec<ColumnId>], fold: &dyn Fold) -> SqlResult<()> {
    let mut pieces: Vec<Piece> = Vec::new();
    for (which, (_, layout)) in layouts.iter().enumerate() {
        for segment in layout.segments.iter() {
            sealed(segment, &columns[which], which, &mut pieces)?;
        }
        for chunk in &layout.tail {
            cut(
                &chunk.batch,
                chunk.first_row,
                |at| chunk.commits.at(at),
                |first, rows, commit| {
                    pieces.push((commit, which, TailChunk::new(first, rows, CommitSeq(commit), Arc::clone(&chunk.table))));
                },
            );
        }
    }
    pieces.sort_by_key(|(commit, which, chunk)| (*commit, *which, chunk.first_row));
    for of_commit in pieces.chunk_by(|a, b| a.0 == b.0) {
        let of_tables = of_commit.chunk_by(|a, b| a.1 == b.1);
        let chunks: Vec<Vec<TailChunk>> = of_tables.map(|pieces| pieces.iter().map(|piece| piece.2.clone()).collect()).collect();
        let tables: Vec<AppliedTable<'_>> = chunks.iter().map(|chunks| AppliedTable { chunks }).collect();
        fold.apply(&AppliedCommit { seq: CommitSeq(of_commit[0].0), tables: &tables })?;
    }
    Ok(())
}

fn sealed(segment: &Segment, columns: &[ColumnId], which: usize, pieces: &mut Vec<Piece>) -> SqlResult<()> {
    let table = segment.table();
    let n = table.columns.len();
    let (op, supersedes, commit) = (n + 1, n + 2, n + 3);
    let asked: Vec<usize> = columns.iter().filter_map(|id| table.position(*id)).collect();
    let hidden = [op, supersedes, commit];
    let mut stored: Vec<usize> =
        if segment.expired_at().is_some() { hidden.to_vec() } else { asked.iter().copied().chain(hidden).collect() };
    stored.sort_unstable();
    stored.dedup();
    for index in 0..segment.batches() {
        let first = segment.first_row() + (index * BATCH_ROWS) as u64;
        let read = segment.read(index, Some(&stored))?;
        let commits = read.column(read.num_columns() - 1).as_primitive::<UInt64Type>().clone();
        let null = |at: usize| asked.contains(&at).then(|| table.stored_schema().field(at).data_type().clone());
        let batch = in_place(&read, &stored, commit, null)?;
        cut(
            &batch,
            first,
            |at| commits.value(at),
            |first, rows, commit| {
                pieces.push((commit, which, TailChunk::new(first, rows, CommitSeq(commit), Arc::clone(table))));
            },
        );
    }
    Ok(())
}

/// The columns read, at the places they are stored at, with nulls between (D2).
fn in_place(read: &RecordBatch, stored: &[usize], width: usize, null: impl Fn(usize) -> Option<DataType>) -> SqlResult<RecordBatch> {
    let column = |at: usize| -> (Field, ArrayRef) {
        match stored.binary_search(&at) {
            Ok(of_read) => (read.schema().field(of_read).clone(), Arc::clone(read.column(of_read))),
            Err(_) => {
                let unread = null(at).unwrap_or(DataType::Null);
                (Field::new(format!("unread {at}"), unread.clone(), true), new_null_array(&unread, read.num_rows()))
            }
        }
    };
    let (fields, arrays): (Vec<Field>, Vec<ArrayRef>) = (0..width).map(column).unzip();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).map_err(|error| arrow_failed("read rows for a fold", &error))
}

/// Calls `take` with the first row, the rows and the commit of each stretch that one commit brought.
fn cut(batch: &RecordBatch, first_row: u64, commit: impl Fn(usize) -> u64, mut take: impl FnMut(u64, RecordBatch, u64)) {
    let mut from = 0;
    while from < batch.num_rows() {
        let seq = commit(from);
        let end = (from + 1..batch.num_rows()).find(|at| commit(*at) != seq).unwrap_or(batch.num_rows());
        take(first_row + from as u64, batch.slice(from, end - from), seq);
        from = end;
    }
}
