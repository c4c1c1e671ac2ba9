//! `ledger.receipts`: one row for each row version that has a receipt, which is every one; `ledger_receipt(commit_seq, row)` makes it.

use std::collections::VecDeque;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, BinaryArray, Int64Array, StringArray};
use arrow::datatypes::{UInt8Type, UInt64Type};
use base::{CommitSeq, RelationId, SqlResult};
use receipts::{Hash, Leaf, Supersedes};

use super::commits::leaves;
use super::{Batches, Kind, Scan};
use crate::canonical::{Op, RowHasher};
use crate::segment::{BATCH_ROWS, Segment};
use crate::types::SqlType;

pub(super) const TABLE: Kind = Kind {
    name: "receipts",
    columns: &[
        ("commit_seq", SqlType::Int8),
        ("row", SqlType::Int8),
        ("relation_id", SqlType::Int8),
        ("table_schema", SqlType::Text),
        ("table_name", SqlType::Text),
        ("row_id", SqlType::Int8),
        ("op", SqlType::Text),
        ("supersedes", SqlType::Int8),
        ("row_hash", SqlType::Bytea),
    ],
    scan,
};

/// First column that needs the stored row.
const NEEDS_ROWS: [usize; 3] = [6, 7, 8];
const HASH: usize = 8;

/// Rows of one commit in one table, not yet shown.
struct Run {
    seq: u64,
    relation: u32,
    index: u64,
    row_id: u64,
    end: u64,
    span_first: u64,
}

fn scan(scan: Scan) -> Batches {
    let mut next = 0;
    let mut runs: VecDeque<Run> = VecDeque::new();
    Box::new(std::iter::from_fn(move || {
        loop {
            if let Some(run) = runs.front_mut() {
                let outcome = read(&scan, run);
                if outcome.is_err() {
                    (next, runs) = (scan.size, VecDeque::new());
                } else if run.row_id == run.end {
                    runs.pop_front();
                }
                return Some(outcome);
            }
            if next >= scan.size {
                return None;
            }
            match leaves(&scan, next) {
                Ok((leaves, read)) => {
                    next += read.max(1);
                    leaves.into_iter().for_each(|(_, leaf)| add_runs(&leaf, &mut runs));
                }
                Err(error) => {
                    next = scan.size;
                    return Some(Err(error));
                }
            }
        }
    }))
}

fn add_runs(leaf: &Leaf, runs: &mut VecDeque<Run>) {
    let Leaf::Commit(commit) = leaf else { return };
    let mut index = 0;
    for span in &commit.tables {
        let (first, end) = (span.first_row, span.first_row + span.rows);
        runs.push_back(Run { seq: commit.seq, relation: span.relation, index, row_id: first, end, span_first: first });
        index += span.rows;
    }
}

/// What stored rows say of themselves.
#[derive(Default)]
struct Shown {
    ops: Vec<&'static str>,
    supersedes: Vec<Option<i64>>,
    hashes: Vec<Hash>,
}

impl Shown {
    /// What is left of rows that have expired; how many.
    fn take_stub(&mut self, stub: &Segment, run: &Run) -> SqlResult<u64> {
        self.hashes = stub.hashes_from(run.row_id, run.end - run.row_id)?;
        let n = stub.table().columns.len();
        let offset = (run.row_id - stub.first_row()) as usize;
        let hidden = stub.read(offset / BATCH_ROWS, Some(&[n + 1, n + 2]))?.slice(offset % BATCH_ROWS, self.hashes.len());
        let (ops, ended) = (hidden.column(0).as_primitive::<UInt8Type>(), hidden.column(1).as_primitive::<UInt64Type>());
        self.ops = ops.values().iter().map(|op| name_of(*op)).collect();
        self.supersedes = ended.iter().map(|row| row.map(u64::cast_signed)).collect();
        Ok(self.hashes.len() as u64)
    }
}

fn read(scan: &Scan, run: &mut Run) -> SqlResult<arrow::array::RecordBatch> {
    let relation = RelationId(run.relation);
    let state = scan.ledger.table_state(relation);
    let catalog = scan.ledger.snapshot().catalog;
    let table = match catalog.table_by_id(relation) {
        Some(table) => Arc::clone(table),
        None => {
            let past = crate::catalog_rows::catalog_at(&scan.ledger, CommitSeq(run.seq))?;
            past.table_by_id(relation).cloned().ok_or_else(|| base::SqlError::internal("a commit has rows of an unknown table"))?
        }
    };
    let mut shown = Shown::default();
    let needs_rows = NEEDS_ROWS.iter().any(|column| scan.wants(*column));
    let stub = state.segment(run.row_id).filter(|segment| segment.expired_at().is_some());
    let rows = if let Some(stub) = stub.filter(|_| needs_rows) {
        shown.take_stub(&stub, run)?
    } else if needs_rows {
        let (stored, offset) = scan.ledger.stored_batch(&state, run.row_id)?;
        let rows = ((stored.num_rows() - offset) as u64).min(run.end - run.row_id);
        // Rows lie in the layout of their own time; the names are those of now.
        let written_as = scan.ledger.table_of_row(&state, run.row_id)?;
        let hasher = RowHasher::new(&written_as, &stored, run.span_first)?;
        if scan.wants(HASH) {
            shown.hashes = hasher.hashes(offset, rows as usize);
        }
        for at in offset..offset + rows as usize {
            let header = hasher.header(at);
            shown.ops.push(name_of(header.op));
            shown.supersedes.push(match header.supersedes {
                Supersedes::None => None,
                Supersedes::Row(row) => Some(row.cast_signed()),
                Supersedes::Own(own) => Some((run.span_first + own).cast_signed()),
            });
        }
        rows
    } else {
        (run.end - run.row_id).min(8_192)
    };
    let n = rows as usize;
    let count_from = |first: u64| -> ArrayRef { Arc::new(Int64Array::from_iter_values((first..first + rows).map(u64::cast_signed))) };
    let same = |text: &str| -> ArrayRef { Arc::new(StringArray::from_iter_values(std::iter::repeat_n(text, n))) };
    let batch = scan.batch(n, |column| match column {
        0 => Arc::new(Int64Array::from_value(run.seq.cast_signed(), n)),
        1 => count_from(run.index),
        2 => Arc::new(Int64Array::from_value(run.relation.into(), n)),
        3 => same(&table.schema),
        4 => same(&table.name),
        5 => count_from(run.row_id),
        6 => Arc::new(StringArray::from(shown.ops.clone())),
        7 => Arc::new(Int64Array::from(shown.supersedes.clone())),
        _ => Arc::new(BinaryArray::from_iter_values(&shown.hashes)),
    })?;
    run.index += rows;
    run.row_id += rows;
    Ok(batch)
}

fn name_of(op: u8) -> &'static str {
    match op {
        op if op == Op::Insert as u8 => "INSERT",
        op if op == Op::Update as u8 => "UPDATE",
        _ => "DELETE",
    }
}
