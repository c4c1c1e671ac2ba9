//! Numbers of objects: `oid` and its kin, and those that are shown by name.
//!
//! Never: looks a name up; it comes with the value.

use arrow::array::{Array, ArrayRef, AsArray, StringArray, UInt32Array};
use arrow::datatypes::{DataType, UInt32Type};
use base::{SqlError, SqlResult, SqlState};

use super::integers;

/// A column of them.
pub(super) struct Oids {
    numbers: UInt32Array,
    names: Option<StringArray>,
}

impl Oids {
    /// A column of plain numbers.
    pub(super) fn numbers(array: &ArrayRef) -> Self {
        Self { numbers: array.as_primitive::<UInt32Type>().clone(), names: None }
    }

    /// A column of numbers with their names, if the layout is that (`CatalogType::shown`).
    pub(super) fn shown(array: &ArrayRef) -> Option<Self> {
        let DataType::Struct(_) = array.data_type() else { return None };
        let [numbers, names] = array.as_struct().columns() else { return None };
        Some(Self { numbers: numbers.as_primitive_opt::<UInt32Type>()?.clone(), names: Some(names.as_string_opt::<i32>()?.clone()) })
    }

    pub(super) fn len(&self) -> usize {
        self.numbers.len()
    }

    pub(super) fn is_null(&self, row: usize) -> bool {
        self.numbers.is_null(row)
    }

    pub(super) fn write_text(&self, row: usize, out: &mut Vec<u8>) {
        match &self.names {
            Some(names) => out.extend_from_slice(names.value(row).as_bytes()),
            None => integers::write(self.numbers.value(row).into(), out),
        }
    }

    pub(super) fn write_binary(&self, row: usize, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.numbers.value(row).to_be_bytes());
    }
}

/// An oid as written: a negative number wraps, as in Postgres. Errors: 22P02, 22003.
pub(super) fn parse(text: &str) -> SqlResult<u32> {
    let trimmed = text.trim();
    if let Ok(number) = trimmed.parse::<u32>() {
        return Ok(number);
    }
    if let Ok(number) = trimmed.parse::<i32>() {
        return Ok(number as u32);
    }
    if trimmed.parse::<i128>().is_ok() {
        return Err(SqlError::new(SqlState::NUMERIC_VALUE_OUT_OF_RANGE, format!("value \"{text}\" is out of range for type oid")));
    }
    Err(SqlError::new(SqlState::INVALID_TEXT_REPRESENTATION, format!("invalid input syntax for type oid: \"{text}\"")))
}
