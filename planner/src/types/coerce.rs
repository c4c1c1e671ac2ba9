//! Assignment: makes a computed column fit the table column it is stored in, or says why not.
//!
//! A1: the casts allowed are those of Postgres's `pg_cast` marked implicit or assignment, and any type to text.
//! Never: casts what Postgres wants written out (`integer` to `boolean`, `text` to `integer`).

use super::cast::{arrow_cast, cast};
use super::{ColumnBuilder, Reading};
use arrow::array::{Array, ArrayRef, AsArray, new_null_array};
use arrow::datatypes::{DataType, TimeUnit, TimestampMicrosecondType};
use base::{SqlError, SqlResult, SqlState};
use engine::{CatalogType, SqlType};
use std::sync::Arc;

/// One column about to be stored.
#[derive(Clone, Copy, Debug)]
pub struct Assignment<'a> {
    /// The target column's name, for errors.
    pub column: &'a str,
    /// The expression's type.
    pub from: SqlType,
    /// The target column's type.
    pub to: SqlType,
    /// The expression is a string literal without a type: it is read in the target's input syntax.
    pub from_unknown_literal: bool,
    /// How the session reads and writes values.
    pub reading: Reading,
}

#[derive(PartialEq, Eq)]
enum Family {
    Bool,
    Number,
    String,
    Bytes,
    Moment,
    Document,
    Alone,
}

fn family(sql_type: SqlType) -> Family {
    match sql_type {
        SqlType::Bool => Family::Bool,
        SqlType::Int2 | SqlType::Int4 | SqlType::Int8 | SqlType::Float4 | SqlType::Float8 => Family::Number,
        SqlType::Numeric { .. } | SqlType::AnyNumeric(_) => Family::Number,
        SqlType::Catalog(CatalogType::Oid) => Family::Number,
        SqlType::Text | SqlType::Varchar(_) | SqlType::Bpchar(_) => Family::String,
        SqlType::Bytea => Family::Bytes,
        SqlType::Date | SqlType::Timestamp | SqlType::Timestamptz => Family::Moment,
        SqlType::Json | SqlType::Jsonb => Family::Document,
        SqlType::Time | SqlType::Interval | SqlType::Uuid | SqlType::Array(_) | SqlType::Catalog(_) => Family::Alone,
    }
}

/// Whether there is an assignment cast (A1).
pub fn assignable(from: SqlType, to: SqlType) -> bool {
    if let (Some(from), Some(to)) = (from.element(), to.element()) {
        return assignable(from, to);
    }
    match family(to) {
        Family::String => true,
        Family::Alone => {
            from == to
                || matches!(
                    (from, to),
                    (SqlType::Time, SqlType::Interval)
                        | (SqlType::Interval, SqlType::Time)
                        | (SqlType::Timestamp | SqlType::Timestamptz, SqlType::Time)
                )
        }
        to => to == family(from),
    }
}

/// `column "x" is of type integer but expression is of type text` (42804).
pub fn mismatch(assignment: &Assignment<'_>) -> SqlError {
    fn bare(sql_type: SqlType) -> String {
        match (sql_type, sql_type.element()) {
            (_, Some(element)) => bare(element) + "[]",
            (SqlType::Numeric { .. } | SqlType::AnyNumeric(_), _) => "numeric".to_owned(),
            (SqlType::Varchar(_), _) => "character varying".to_owned(),
            (SqlType::Bpchar(_), _) => "character".to_owned(),
            (other, _) => other.name(),
        }
    }
    let (column, to, from) = (assignment.column, bare(assignment.to), bare(assignment.from));
    SqlError::new(SqlState::DATATYPE_MISMATCH, format!("column \"{column}\" is of type {to} but expression is of type {from}"))
        .hint("You will need to rewrite or cast the expression.")
}

/// The column cast to the type it is stored in.
///
/// # Errors
/// 42804 if there is no assignment cast; 22003 out of range; 22001 too long; 22008; for unknown literals the input errors of the type.
pub fn coerce(array: &ArrayRef, assignment: &Assignment<'_>) -> SqlResult<ArrayRef> {
    let Assignment { from, to, .. } = *assignment;
    if array.data_type() == &DataType::Null {
        return Ok(new_null_array(&to.arrow(), array.len()));
    }
    if assignment.from_unknown_literal {
        return read_literals(&canonical(array, SqlType::Text)?, to, assignment.reading);
    }
    if !assignable(from, to) {
        return Err(mismatch(assignment));
    }
    let array = canonical(array, from)?;
    if from == to { Ok(array) } else { cast(&array, from, to, &assignment.reading.manner) }
}

fn read_literals(array: &ArrayRef, to: SqlType, reading: Reading) -> SqlResult<ArrayRef> {
    let mut builder = ColumnBuilder::in_manner(to, array.len(), reading);
    for text in array.as_string::<i32>() {
        match text {
            Some(text) => builder.append_str(text)?,
            None => builder.append_null(),
        }
    }
    Ok(builder.finish())
}

/// The same values in the layout `sql_type.arrow()`: `Utf8View` to `Utf8`, `UInt64` to `Int64`, other time units to µs …
///
/// # Errors
/// 22003 for an integer or decimal that does not fit, XX000 for a layout that has nothing to do with the type.
pub fn canonical(array: &ArrayRef, sql_type: SqlType) -> SqlResult<ArrayRef> {
    let wanted = sql_type.arrow();
    if array.data_type() == &wanted {
        return Ok(Arc::clone(array));
    }
    if let DataType::Timestamp(_, zone) = array.data_type()
        && matches!(sql_type, SqlType::Timestamp | SqlType::Timestamptz)
    {
        // Instants are UTC already: the zone is a label, and Arrow's cast would want its rules.
        let micros = arrow_cast(array, &DataType::Timestamp(TimeUnit::Microsecond, zone.clone()))?;
        return Ok(Arc::new(micros.as_primitive::<TimestampMicrosecondType>().clone().with_data_type(wanted)));
    }
    if let SqlType::AnyNumeric(_) = sql_type {
        return relational::convert(array, &wanted);
    }
    let from_integer = array.data_type().is_integer();
    arrow_cast(array, &wanted).map_err(|error| if from_integer { super::errors::out_of_range(&sql_type.name()) } else { error })
}
