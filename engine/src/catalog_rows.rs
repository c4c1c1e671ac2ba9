//! Rows of `ledger.catalog` as the catalog's fold takes them, from any stored batch; and the catalog of any past commit.
//!
//! Never: caches; the present catalog is kept by the ledger.

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{UInt8Type, UInt64Type};
use base::{CommitSeq, RowId, SqlResult};

use crate::canonical::Op;
use crate::catalog::{CATALOG, CATALOG_TABLE, Catalog, CatalogRow, Object};
use crate::ledger::Ledger;

/// Reads the rows of one stored batch of `ledger.catalog` whose `_supersedes` is absolute. Errors: XX001 for an unreadable definition.
pub fn read(first_row: u64, stored: &RecordBatch) -> SqlResult<Vec<CatalogRow>> {
    let n = CATALOG_TABLE.columns.len();
    let (kinds, definitions) = (stored.column(1).as_string::<i32>(), stored.column(3).as_string::<i32>());
    let ops = stored.column(n + 1).as_primitive::<UInt8Type>();
    let supersedes = stored.column(n + 2).as_primitive::<UInt64Type>();
    let read_one = |i: usize| {
        let object = match ops.value(i) {
            op if op == Op::Delete as u8 => None,
            _ => Some(Object::from_row(kinds.value(i), definitions.value(i))?),
        };
        let supersedes = supersedes.is_valid(i).then(|| RowId(supersedes.value(i)));
        Ok(CatalogRow { row: RowId(first_row + i as u64), supersedes, object })
    };
    (0..stored.num_rows()).map(read_one).collect()
}

/// The catalog as of a commit. Errors: XX001 where its rows are unreadable.
pub fn catalog_at(ledger: &Ledger, seq: CommitSeq) -> SqlResult<Catalog> {
    let layout = ledger.table_state(CATALOG).layout();
    let mut rows = Vec::new();
    let commits_at = CATALOG_TABLE.columns.len() + 3;
    for segment in layout.segments.iter() {
        for index in 0..segment.batches() {
            let batch = segment.read(index, None)?;
            let commits = batch.column(commits_at).as_primitive::<UInt64Type>();
            let within = (0..batch.num_rows()).take_while(|i| commits.value(*i) <= seq.0).count();
            rows.extend(read(segment.first_row() + (index * crate::segment::BATCH_ROWS) as u64, &batch.slice(0, within))?);
        }
    }
    for chunk in &layout.tail {
        let within = (0..chunk.batch.num_rows()).take_while(|i| chunk.commits.at(*i) <= seq.0).count();
        rows.extend(read(chunk.first_row, &chunk.batch.slice(0, within))?);
    }
    Ok(Catalog::fold(rows))
}
