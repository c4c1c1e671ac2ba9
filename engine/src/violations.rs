//! The errors that writers hear: what another transaction did first, and which value is at fault.
//!
//! Never: decides that something is wrong.

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use base::{SqlError, SqlState};

use crate::key::KeyReader;
use crate::schema::{Expressions, KeyDef, TableDef};

/// The error for a row that another transaction changed first.
pub(crate) fn conflict() -> SqlError {
    SqlError::new(SqlState::SERIALIZATION_FAILURE, "could not serialize access due to concurrent update")
        .hint("The transaction might succeed if retried.")
}

/// The error for a key already taken.
pub(crate) fn duplicate_key(expressions: &dyn Expressions, table: &TableDef, key: &KeyDef, rows: &RecordBatch, row: usize) -> SqlError {
    SqlError::new(SqlState::UNIQUE_VIOLATION, format!("duplicate key value violates unique constraint \"{}\"", key.name))
        .detail(format!("Key {} already exists.", shown_key(expressions, table, key, rows, row)))
        .table(&table.schema, &table.name)
        .constraint(&key.name)
}

/// `(a, lower(b))=(1, x)`
pub(crate) fn shown_key(expressions: &dyn Expressions, table: &TableDef, key: &KeyDef, rows: &RecordBatch, row: usize) -> String {
    if key.is_plain(table) {
        return shown(table, &key.positions, rows.columns(), row);
    }
    let name = |at: &usize| match table.computed(*at) {
        Some(computed) => computed.program(expressions, table).map_or_else(|_| computed.text.clone(), |program| program.shown().to_owned()),
        None => table.columns[*at].name.clone(),
    };
    let names: Vec<String> = key.positions.iter().map(name).collect();
    let values = match KeyReader::of_key(expressions, table, key, rows, |at| at == row) {
        Ok(reader) => reader.columns().map(|column| display(column, row)).collect(),
        Err(_) => Vec::new(),
    };
    format!("({})=({})", names.join(", "), values.join(", "))
}

/// `(a, b)=(1, 2)`
pub(crate) fn shown(table: &TableDef, positions: &[usize], columns: &[ArrayRef], row: usize) -> String {
    let names: Vec<&str> = positions.iter().map(|at| table.columns[*at].name.as_str()).collect();
    let values: Vec<String> = positions.iter().map(|at| display(&columns[*at], row)).collect();
    format!("({})=({})", names.join(", "), values.join(", "))
}

pub(crate) fn display(column: &ArrayRef, row: usize) -> String {
    if column.is_null(row) {
        return "null".to_owned();
    }
    if let Some(bools) = column.as_boolean_opt() {
        return if bools.value(row) { "t".to_owned() } else { "f".to_owned() };
    }
    let text = arrow::util::display::array_value_to_string(column, row).unwrap_or_default();
    match truncate_to(&text, 64) {
        whole if whole.len() == text.len() => text,
        start => format!("{start}..."),
    }
}

pub(crate) fn truncate_to(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}
