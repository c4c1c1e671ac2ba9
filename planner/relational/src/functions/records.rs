//! Rows as text: `(1,abc,)`.
//!
//! F16: a field is as its type writes it, a boolean as t or f, NULL as nothing; quoted where it is empty or holds what would be misread.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringArray};
use arrow::datatypes::DataType;
use base::{SqlError, SqlResult};

use super::conversions::convert_in;
use crate::values::manner::Manner;

/// Each row's text; NULL where the row is.
pub(crate) fn to_text(rows: &ArrayRef, manner: &Manner) -> SqlResult<ArrayRef> {
    let Some(records) = rows.as_struct_opt() else { return Err(SqlError::internal("F16: no rows")) };
    let columns = records.columns().iter().map(|column| written(column, manner)).collect::<SqlResult<Vec<_>>>()?;
    let texts = (0..records.len()).map(|row| {
        records.is_valid(row).then(|| {
            let fields = columns.iter().map(|column| if column.is_valid(row) { quoted(column.value(row)) } else { String::new() });
            format!("({})", fields.collect::<Vec<_>>().join(","))
        })
    });
    Ok(Arc::new(texts.collect::<StringArray>()))
}

fn written(column: &ArrayRef, manner: &Manner) -> SqlResult<StringArray> {
    if let Some(truths) = column.as_boolean_opt() {
        return Ok(truths.iter().map(|truth| truth.map(|truth| if truth { "t" } else { "f" })).collect());
    }
    if column.data_type().is_null() {
        return Ok(StringArray::new_null(column.len()));
    }
    Ok(convert_in(column, &DataType::Utf8, manner)?.as_string::<i32>().clone())
}

fn quoted(text: &str) -> String {
    let is_special = |c: char| matches!(c, '"' | '\\' | '(' | ')' | ',') || c.is_ascii_whitespace();
    if !text.is_empty() && !text.contains(is_special) {
        return text.to_owned();
    }
    let doubled = text.chars().flat_map(|c| std::iter::repeat_n(c, if matches!(c, '"' | '\\') { 2 } else { 1 }));
    format!("\"{}\"", doubled.collect::<String>())
}
