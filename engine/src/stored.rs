//! User rows dressed for storage: salt, operation and superseded row beside the user's columns.
//!
//! Of an erasable table they are sealed here, before anything else sees them.
//!
//! Never: hashes or writes.
//! Format: docs/formats/segment.md, «stored columns».

use std::sync::Arc;

use arrow::array::{
    ArrayRef, AsArray, BooleanArray, FixedSizeBinaryArray, RecordBatch, RecordBatchOptions, UInt8Array, UInt64Array, new_null_array,
};
use arrow::buffer::Buffer;
use arrow::compute::{concat_batches, filter_record_batch};
use arrow::datatypes::UInt64Type;
use base::rng::Rng;
use base::{SqlError, SqlResult};

use crate::canonical::{OWN_ROW, Op};
use crate::failure::arrow_failed;
use crate::schema::TableDef;
use crate::sealing;
use crate::subjects::Subjects;
use crate::unproven::IS_PROVEN;

/// The stored form of new rows of `table`: `rows` has the user's columns in order.
///
/// `supersedes` has an id per row (or [`OWN_ROW`] ids) for updates, none for inserts. Errors: XX000 where `rows` has another layout.
pub fn dress(
    table: &TableDef,
    rows: &RecordBatch,
    op: Op,
    supersedes: Option<UInt64Array>,
    (rng, subjects): (&dyn Rng, &Subjects),
) -> SqlResult<RecordBatch> {
    let n = rows.num_rows();
    let salts = salts(n, rng);
    let mut columns = sealing::seal(table, rows.columns(), &salts, (subjects, rng), |_| op == Op::Delete)?;
    columns.push(Arc::new(salts));
    columns.push(Arc::new(UInt8Array::from_value(op as u8, n)));
    columns.push(match supersedes {
        Some(ids) => Arc::new(ids),
        None => new_null_array(&arrow::datatypes::DataType::UInt64, n),
    });
    assemble(table, columns, n)
}

/// A salt for each row.
pub(crate) fn salts(rows: usize, rng: &dyn Rng) -> FixedSizeBinaryArray {
    let mut salts = vec![0; rows * 16];
    if IS_PROVEN {
        rng.fill(&mut salts);
    }
    FixedSizeBinaryArray::new(16, Buffer::from_vec(salts), None)
}

/// The stored form of deletion markers for these rows.
pub fn markers(table: &TableDef, ended: UInt64Array, sources: (&dyn Rng, &Subjects)) -> SqlResult<RecordBatch> {
    let n = ended.len();
    let nulls = table.columns.iter().map(|column| new_null_array(&column.sql_type.arrow(), n)).collect();
    let empty = RecordBatch::try_new(table.arrow_schema(), nulls).map_err(|error| arrow_failed("make deletion markers", &error))?;
    dress(table, &empty, Op::Delete, Some(ended), sources)
}

fn assemble(table: &TableDef, columns: Vec<ArrayRef>, rows: usize) -> SqlResult<RecordBatch> {
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(table.stored_schema(), columns, &options)
        .map_err(|error| SqlError::internal(format!("rows do not fit table \"{}\": {error}", table.name)))
}

/// `_supersedes` of a stored batch of a table with this many user columns.
pub fn supersedes(stored: &RecordBatch, user_columns: usize) -> &UInt64Array {
    stored.column(user_columns + 2).as_primitive::<UInt64Type>()
}

/// The batch with own-row references made absolute, now that the first row id of the commit's span is known.
pub fn resolve_own(table: &TableDef, stored: RecordBatch, span_first: u64) -> SqlResult<RecordBatch> {
    let position = table.columns.len() + 2;
    let ids = supersedes(&stored, table.columns.len());
    if !ids.iter().flatten().any(|id| id & OWN_ROW != 0) {
        return Ok(stored);
    }
    let absolute: UInt64Array =
        ids.iter().map(|id| id.map(|id| if id & OWN_ROW != 0 { span_first + (id & !OWN_ROW) } else { id })).collect();
    let mut columns = stored.columns().to_vec();
    columns[position] = Arc::new(absolute);
    assemble(table, columns, stored.num_rows())
}

/// A stored batch with its `_commit` column: the layout of a segment.
pub fn with_commits(table: &TableDef, stored: &RecordBatch, commits: UInt64Array) -> SqlResult<RecordBatch> {
    let mut columns = stored.columns().to_vec();
    columns.push(Arc::new(commits));
    RecordBatch::try_new(table.segment_schema(), columns).map_err(|error| arrow_failed("seal rows", &error))
}

/// Several batches of one layout as one.
pub fn join(batches: &[RecordBatch]) -> SqlResult<RecordBatch> {
    match batches {
        [] => Err(SqlError::internal("no batches to join")),
        [one] => Ok(one.clone()),
        many => concat_batches(&many[0].schema(), many).map_err(|error| arrow_failed("join rows", &error)),
    }
}

/// Rows where `keep` is true.
pub fn keep(batch: &RecordBatch, keep: &BooleanArray) -> SqlResult<RecordBatch> {
    filter_record_batch(batch, keep).map_err(|error| arrow_failed("filter rows", &error))
}
