//! Rows written under one version of a table's definition, read under another: columns are matched by id.
//!
//! Y1: a column that the rows do not have shows its missing value, which its definition carries; NULL where it carries none.
//! Y2: deletion markers stay empty.
//! Never: changes a stored row.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, UInt64Array, new_null_array};
use arrow::compute::take;
use arrow::datatypes::{Schema, UInt8Type};
use base::SqlResult;

use crate::canonical::Op;
use crate::failure::arrow_failed;
use crate::packed;
use crate::schema::{ColumnDef, TableDef};

/// Whether rows of one definition are read under the other as they are.
pub fn is_same(a: &TableDef, b: &TableDef) -> bool {
    std::ptr::eq(a, b)
        || (a.columns.len() == b.columns.len() && a.columns.iter().zip(&b.columns).all(|(a, b)| a.id == b.id && a.sql_type == b.sql_type))
}

/// Where a column of the reader's definition comes from.
#[derive(Clone, Debug)]
pub enum Place {
    /// A position among the stored columns.
    Stored(usize),
    /// One row, the same for all (Y1).
    Missing(ArrayRef),
}

impl Place {
    /// The column, for `rows` rows of which `stored` gives the stored columns.
    pub fn read(&self, rows: usize, stored: impl FnOnce(usize) -> ArrayRef) -> SqlResult<ArrayRef> {
        match self {
            Self::Stored(at) => Ok(stored(*at)),
            Self::Missing(value) => repeated(value, rows),
        }
    }
}

fn repeated(value: &ArrayRef, rows: usize) -> SqlResult<ArrayRef> {
    if value.is_null(0) {
        return Ok(new_null_array(value.data_type(), rows));
    }
    take(value, &UInt64Array::from(vec![0; rows]), None).map_err(|error| arrow_failed("fill a column", &error))
}

/// Where the columns at `projection` of `reader` are in rows of `writer`.
///
/// Errors: XX001 for a missing value that cannot be read.
pub fn places(writer: &TableDef, reader: &TableDef, projection: &[usize]) -> SqlResult<Vec<Place>> {
    if is_same(writer, reader) {
        return Ok(projection.iter().map(|at| Place::Stored(*at)).collect());
    }
    let place = |at: &usize| {
        let column = &reader.columns[*at];
        match writer.columns.iter().position(|other| other.id == column.id && other.sql_type == column.sql_type) {
            Some(at) => Ok(Place::Stored(at)),
            None => Ok(Place::Missing(missing_value(reader, column)?)),
        }
    };
    projection.iter().map(place).collect()
}

/// One row: what rows written before the column was added show of it. Errors: XX001.
pub fn missing_value(table: &TableDef, column: &ColumnDef) -> SqlResult<ArrayRef> {
    match table.rules.column(column.id).and_then(|rules| rules.missing.as_deref()) {
        None => Ok(new_null_array(&column.sql_type.arrow(), 1)),
        Some(bytes) => {
            let at = table.position(column.id).unwrap_or_default();
            let schema = Arc::new(Schema::new(vec![table.arrow_schema().field(at).clone()]));
            Ok(Arc::clone(packed::decode(bytes, &schema)?.column(0)))
        }
    }
}

/// A value as [`crate::ColumnRules::missing`] keeps it: `value` has one row.
pub fn pack_missing(name: &str, value: &ArrayRef) -> SqlResult<Vec<u8>> {
    let field = arrow::datatypes::Field::new(name, value.data_type().clone(), true);
    let batch = RecordBatch::try_new(Arc::new(Schema::new(vec![field])), vec![Arc::clone(value)])
        .map_err(|error| arrow_failed("keep a value", &error))?;
    let mut bytes = Vec::new();
    packed::encode(&batch, &mut bytes)?;
    Ok(bytes)
}

/// The reader's columns out of a batch that begins with the writer's.
pub fn columns(writer: &TableDef, reader: &TableDef, stored: &RecordBatch) -> SqlResult<Vec<ArrayRef>> {
    if is_same(writer, reader) {
        return Ok(stored.columns()[..reader.columns.len()].to_vec());
    }
    let all: Vec<usize> = (0..reader.columns.len()).collect();
    places(writer, reader, &all)?.iter().map(|place| place.read(stored.num_rows(), |at| Arc::clone(stored.column(at)))).collect()
}

/// A stored batch of the writer's as one of the reader's: markers stay empty (Y2).
pub fn convert(writer: &TableDef, reader: &TableDef, stored: &RecordBatch) -> SqlResult<RecordBatch> {
    let (old, rows) = (writer.columns.len(), stored.num_rows());
    let mut columns = columns(writer, reader, stored)?;
    let ops = stored.column(old + 1).as_primitive::<UInt8Type>();
    if !is_same(writer, reader) && ops.values().contains(&(Op::Delete as u8)) {
        let kept: UInt64Array = (0..rows).map(|row| (ops.value(row) != Op::Delete as u8).then_some(row as u64)).collect();
        for column in &mut columns {
            *column = take(column, &kept, None).map_err(|error| arrow_failed("convert rows", &error))?;
        }
    }
    columns.extend_from_slice(&stored.columns()[old..]);
    RecordBatch::try_new(reader.stored_schema(), columns).map_err(|error| arrow_failed("convert rows", &error))
}
