//! Rows given by column name, and the batch they make.
//!
//! L1: a column that a row does not give is false, 0, the empty `"char"`, or NULL for every other type.
//! Never: changes a value to fit; one of the wrong kind is an internal error.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Float32Array, Int16Array, Int32Array, Int64Array, RecordBatch, StringArray, StructArray,
    TimestampMicrosecondArray, UInt32Array, new_null_array,
};
use arrow::datatypes::{DataType, TimeUnit};
use base::{SqlError, SqlResult};

use super::shapes::{Shape, ShapeColumn};
use crate::tables::arrow_error;

/// One value.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Cell {
    Null,
    Int(i64),
    Bool(bool),
    Text(String),
    /// An oid and the name it is shown by.
    Shown(i64, String),
}

/// Values by column name; the others are as L1 says.
pub(super) type Row = Vec<(&'static str, Cell)>;

impl From<i64> for Cell {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<bool> for Cell {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<&str> for Cell {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<String> for Cell {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl<T: Into<Cell>> From<Option<T>> for Cell {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// `[("a", x.into()), …]` without the calls.
macro_rules! row {
    ($($name:literal: $value:expr),* $(,)?) => { vec![$(($name, $crate::pg_catalog::cells::Cell::from($value))),*] };
}
pub(super) use row;

/// `{1,2}`, as Postgres prints an array of numbers; a column of arrays reads it.
pub(super) fn array(values: impl IntoIterator<Item = i64>) -> String {
    format!("{{{}}}", values.into_iter().map(|value| value.to_string()).collect::<Vec<_>>().join(","))
}

/// `{a,"b c"}`, as Postgres prints an array of texts.
pub(super) fn texts_array(values: &[String]) -> String {
    let quoted = values.iter().map(|value| format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\"")));
    format!("{{{}}}", quoted.collect::<Vec<_>>().join(","))
}

/// `1 2`, as Postgres prints a vector.
pub(super) fn vector(values: impl IntoIterator<Item = i64>) -> String {
    values.into_iter().map(|value| value.to_string()).collect::<Vec<_>>().join(" ")
}

/// The rows as the table's columns.
pub(super) fn batch(shape: &Shape, rows: &[Row]) -> SqlResult<RecordBatch> {
    let columns = shape.columns.iter().map(|column| collect(column, rows)).collect::<SqlResult<Vec<_>>>()?;
    RecordBatch::try_new(Arc::clone(&shape.arrow), columns).map_err(arrow_error)
}

fn collect(column: &ShapeColumn, rows: &[Row]) -> SqlResult<ArrayRef> {
    let absent = match column.type_name {
        "bool" => Cell::Bool(false),
        "int2" | "int4" | "int8" | "oid" | "xid" | "float4" | "regproc" | "regtype" => Cell::Int(0),
        "char" => Cell::Text(String::new()),
        _ => Cell::Null,
    };
    let cells: Vec<&Cell> =
        rows.iter().map(|row| row.iter().find(|(name, _)| *name == column.name).map_or(&absent, |(_, cell)| cell)).collect();
    arrow_of(&column.arrow(), &cells)
        .ok_or_else(|| SqlError::internal(format!("catalog column {} has values of another type", column.name)))
}

/// The cells as an array of this type; `None` where one does not fit.
pub(super) fn arrow_of(data_type: &DataType, cells: &[&Cell]) -> Option<ArrayRef> {
    let ints = || cells.iter().map(|cell| cell.int()).collect::<Option<Vec<Option<i64>>>>();
    Some(match data_type {
        DataType::Boolean => {
            let cells = cells.iter().map(|cell| match cell {
                Cell::Null => Some(None),
                Cell::Bool(value) => Some(Some(*value)),
                _ => None,
            });
            Arc::new(cells.collect::<Option<Vec<_>>>()?.into_iter().collect::<BooleanArray>())
        }
        DataType::Int64 => Arc::new(Int64Array::from(ints()?)),
        DataType::UInt32 => Arc::new(narrowed::<u32>(ints()?)?.into_iter().collect::<UInt32Array>()),
        DataType::Int32 => Arc::new(narrowed::<i32>(ints()?)?.into_iter().collect::<Int32Array>()),
        DataType::Int16 => Arc::new(narrowed::<i16>(ints()?)?.into_iter().collect::<Int16Array>()),
        DataType::Float32 => Arc::new(ints()?.into_iter().map(|value| value.map(|value| value as f32)).collect::<Float32Array>()),
        DataType::Timestamp(TimeUnit::Microsecond, zone) => {
            Arc::new(TimestampMicrosecondArray::from(ints()?).with_timezone_opt(zone.clone()))
        }
        DataType::Utf8 => Arc::new(texts(cells)?),
        // An oid and the name it is shown by.
        DataType::Struct(fields) => {
            let part = |at: usize| {
                let parts = cells.iter().map(|cell| match cell {
                    Cell::Shown(oid, _) if at == 0 => Cell::Int(*oid),
                    Cell::Shown(_, name) => Cell::Text(name.clone()),
                    _ => Cell::Null,
                });
                let parts: Vec<Cell> = parts.collect();
                arrow_of(fields.get(at)?.data_type(), &parts.iter().collect::<Vec<_>>())
            };
            Arc::new(StructArray::try_new(fields.clone(), vec![part(0)?, part(1)?], None).ok()?)
        }
        DataType::List(_) => {
            let literals: ArrayRef = Arc::new(texts(cells)?);
            relational::convert(&literals, data_type).ok()?
        }
        other => cells.iter().all(|cell| **cell == Cell::Null).then(|| new_null_array(other, cells.len()))?,
    })
}

fn texts(cells: &[&Cell]) -> Option<StringArray> {
    let cells = cells.iter().map(|cell| match cell {
        Cell::Null => Some(None),
        Cell::Text(value) => Some(Some(value.as_str())),
        _ => None,
    });
    Some(cells.collect::<Option<Vec<_>>>()?.into_iter().collect())
}

fn narrowed<T: TryFrom<i64>>(values: Vec<Option<i64>>) -> Option<Vec<Option<T>>> {
    values.into_iter().map(|value| value.map(T::try_from).transpose().ok()).collect()
}

impl Cell {
    /// The integer, `Some(None)` for NULL, `None` for anything else.
    pub(super) fn int(&self) -> Option<Option<i64>> {
        match self {
            Self::Null => Some(None),
            Self::Int(value) => Some(Some(*value)),
            _ => None,
        }
    }

    /// The text, if it is one.
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(value) => Some(value),
            _ => None,
        }
    }
}
