//! `json` and `jsonb`: texts in the struct that is their layout.
//!
//! Never: keeps a `jsonb` in another form than its one.

use arrow::array::{Array, ArrayRef, AsArray, StringArray, StringBuilder, StructArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::DataType;
use base::{SqlError, SqlResult};
use engine::SqlType;
use relational::values::json;
use std::sync::Arc;

/// What the binary form of a `jsonb` begins with.
pub(super) const JSONB_VERSION: u8 = 1;

/// The texts of a column of either type.
pub(crate) fn texts(array: &ArrayRef) -> StringArray {
    let document = array.as_struct();
    let inner = document.column(0).as_string::<i32>();
    StringArray::new(inner.offsets().clone(), inner.values().clone(), NullBuffer::union(document.nulls(), inner.nulls()))
}

/// The column of the texts given.
pub(super) fn finish(builder: &mut StringBuilder, sql_type: SqlType) -> ArrayRef {
    wrap(builder.finish(), sql_type)
}

/// Texts as a column of either type, or as they are where it is neither.
pub(crate) fn wrap(texts: StringArray, sql_type: SqlType) -> ArrayRef {
    let DataType::Struct(fields) = sql_type.arrow() else { return Arc::new(texts) };
    let nulls = texts.nulls().cloned();
    Arc::new(StructArray::new(fields, vec![Arc::new(texts)], nulls))
}

/// A `json` as it is kept; 22P02.
pub(super) fn parse_json(text: &str) -> SqlResult<&str> {
    json::parse(text, false).map(|_| text)
}

/// A `jsonb` as it is kept; 22P02, 22P05, 22003.
pub(super) fn parse_jsonb(text: &str) -> SqlResult<String> {
    json::normalise(text)
}

/// The text in the binary form of a `jsonb`; XX000 as in Postgres.
pub(super) fn jsonb_text(bytes: &[u8]) -> SqlResult<&[u8]> {
    match bytes {
        [JSONB_VERSION, text @ ..] => Ok(text),
        [version, ..] => Err(SqlError::internal(format!("unsupported jsonb version number {version}"))),
        [] => Err(super::errors::invalid_binary("jsonb")),
    }
}
