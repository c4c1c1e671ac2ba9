//! Rows written under one version of a table's definition, read under another: columns are matched by id.
//!
//! Y1: a column that the rows do not have shows its missing value, which its definition carries; NULL where it carries none.
//! Y2: deletion markers stay empty.
//! Y3: a column that has another type by now shows what lies there where the layout is the same, or widened where every value of the one type is one of the
//!     other; else it counts as missing. Rows that are read under the new type, but for ended ones, were written anew then (`widens` says which need not be).
//! Never: changes a stored row.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, UInt64Array, new_null_array};
use arrow::compute::{cast, take};
use arrow::datatypes::{DataType, Schema, UInt8Type};
use base::SqlResult;

use crate::canonical::Op;
use crate::failure::arrow_failed;
use crate::packed;
use crate::schema::{ColumnDef, TableDef};
use crate::types::SqlType;

/// Whether rows of one definition are read under the other as they are.
pub fn is_same(a: &TableDef, b: &TableDef) -> bool {
    std::ptr::eq(a, b)
        || (a.columns.len() == b.columns.len()
            && a.columns.iter().zip(&b.columns).all(|(a, b)| a.id == b.id && lies_alike(a.sql_type, b.sql_type)))
}

fn lies_alike(a: SqlType, b: SqlType) -> bool {
    a == b || a.arrow() == b.arrow()
}

/// Whether every value of the one type is a value of the other that is read out of the same stored bytes, so that a column takes the other type
/// without its rows being written anew (Y3).
pub fn widens(from: SqlType, to: SqlType) -> bool {
    use SqlType::{AnyNumeric, Bpchar, Int2, Int4, Int8, Numeric, Text, Varchar};
    match (from, to) {
        (from, to) if from == to => true,
        (Int2, Int4 | Int8) | (Int4, Int8) | (AnyNumeric(_), AnyNumeric(None)) => true,
        (Varchar(_) | Bpchar(_), Text | Varchar(None)) | (Text, Varchar(None)) | (Bpchar(_), Bpchar(None)) => true,
        (Varchar(Some(from)) | Bpchar(Some(from)), Varchar(Some(to))) | (Bpchar(Some(from)), Bpchar(Some(to))) => from <= to,
        (Numeric { precision, scale }, Numeric { precision: wider, scale: finer }) => scale <= finer && precision - scale <= wider - finer,
        _ => false,
    }
}

/// Where a column of the reader's definition comes from.
#[derive(Clone, Debug)]
pub enum Place {
    /// A position among the stored columns.
    Stored(usize),
    /// The same, of a type that is wider by now (Y3).
    Widened(usize, DataType),
    /// One row, the same for all (Y1).
    Missing(ArrayRef),
}

impl Place {
    /// The position among the stored columns, if it is there.
    pub fn stored(&self) -> Option<usize> {
        match self {
            Self::Stored(at) | Self::Widened(at, _) => Some(*at),
            Self::Missing(_) => None,
        }
    }

    /// The column, for `rows` rows of which `stored` gives the stored columns.
    pub fn read(&self, rows: usize, stored: impl FnOnce(usize) -> ArrayRef) -> SqlResult<ArrayRef> {
        match self {
            Self::Stored(at) => Ok(stored(*at)),
            Self::Widened(at, wider) => cast(&stored(*at), wider).map_err(|error| arrow_failed("widen a column", &error)),
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
        let stored = writer.columns.iter().position(|other| other.id == column.id);
        match stored.map(|at| (at, writer.columns[at].sql_type)) {
            Some((at, stored)) if lies_alike(stored, column.sql_type) => Ok(Place::Stored(at)),
            Some((at, stored)) if widens(stored, column.sql_type) => Ok(Place::Widened(at, column.sql_type.arrow())),
            _ => Ok(Place::Missing(missing_value(reader, column)?)),
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
