//! Generated columns: what their expressions may say, and who may not give them values.
//!
//! V1: an expression depends on nothing but the other columns of its row, so that a row can be computed anew at any time with the same result.
//! Never: computes a value; the guard does.

use base::{ColumnId, SqlError, SqlResult, SqlState};
use engine::{SqlType, TableDef};

use super::{Surroundings, Verb, columns_of, compile, expression, is_volatile};
use crate::rule_text::mentions_session;

/// Whether a column computes its values.
pub(crate) fn is_generated(table: &TableDef, position: usize) -> bool {
    table.columns.get(position).and_then(|column| table.rules.column(column.id)).is_some_and(|rules| rules.generated)
}

/// 428C9 for a value given to a generated column.
pub(crate) fn generated_given(table: &TableDef, position: usize, verb: Verb) -> SqlResult<()> {
    if !is_generated(table, position) {
        return Ok(());
    }
    let column = &table.columns[position].name;
    let message = match verb {
        Verb::Insert => format!("cannot insert a non-DEFAULT value into column \"{column}\""),
        Verb::Update => format!("column \"{column}\" can only be updated to DEFAULT"),
    };
    Err(SqlError::new(SqlState::GENERATED_ALWAYS, message).detail(format!("Column \"{column}\" is a generated column.")))
}

/// The generated columns that are computed from a column.
pub(crate) fn needing(table: &TableDef, column: &str) -> SqlResult<Vec<ColumnId>> {
    let names: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
    let mut needing = Vec::new();
    for (def, text) in generated(table) {
        if columns_of(&table.name, &names, &expression(text)?)?.iter().any(|at| names[*at] == column) {
            needing.push(def.id);
        }
    }
    Ok(needing)
}

/// Generated columns and their expressions.
fn generated(table: &TableDef) -> impl Iterator<Item = (&engine::ColumnDef, &str)> {
    let text = |column: &engine::ColumnDef| table.rules.column(column.id).filter(|rules| rules.generated)?.default.as_deref();
    table.columns.iter().filter_map(move |column| text(column).map(|text| (column, text)))
}

/// Checks the expressions of a definition (V1). Errors: 42703, 0A000 for a subquery, 42P17 for another generated column or what changes with
/// time or session, 42804 for a type that the column does not take.
pub(crate) fn check_generated(around: &dyn Surroundings, table: &TableDef) -> SqlResult<()> {
    let names: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
    let invalid = |message: String| SqlError::new(SqlState("42P17"), message);
    for (column, text) in generated(table) {
        let expr = expression(text)?;
        let mentioned = columns_of(&table.name, &names, &expr).map_err(|error| match error.state() {
            SqlState::FEATURE_NOT_SUPPORTED => {
                SqlError::new(SqlState::FEATURE_NOT_SUPPORTED, "cannot use subquery in column generation expression")
            }
            _ => error,
        })?;
        if let Some(other) = mentioned.into_iter().find(|at| is_generated(table, *at)) {
            let message = format!("cannot use generated column \"{}\" in column generation expression", names[other]);
            return Err(invalid(message).detail("A generated column cannot reference another generated column."));
        }
        if is_volatile(&expr) || mentions_session(&expr) {
            return Err(invalid("generation expression is not immutable".to_owned()));
        }
        let planned = compile::generation(around, table, text)?;
        let empty = arrow::array::RecordBatch::new_empty(table.arrow_schema());
        let values = planned.evaluate(empty.columns(), 0)?;
        compile::assign(&values[0], column, false).map_err(|error| mistyped(error, column, &values[0]))?;
    }
    Ok(())
}

fn mistyped(error: SqlError, column: &engine::ColumnDef, values: &arrow::array::ArrayRef) -> SqlError {
    let Some(from) = SqlType::from_arrow(values.data_type()) else { return error };
    let (name, to, from) = (&column.name, column.sql_type.name(), from.name());
    let message = format!("column \"{name}\" is of type {to} but default expression is of type {from}");
    SqlError::new(SqlState::DATATYPE_MISMATCH, message).hint("You will need to rewrite or cast the expression.")
}
