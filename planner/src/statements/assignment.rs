//! What INSERT … SELECT and UPDATE store: computed columns brought to the types of the columns they go to.
//!
//! Never: decides which rows.

use std::sync::Arc;

use arrow::array::ArrayRef;
use base::{SqlError, SqlResult, SqlState};
use engine::{ColumnDef, TableDef};
use sqlparser::ast::{Expr, Value};
use sqlparser::tokenizer::Span;

use super::shown_type;
use crate::names::Name;
use crate::parse::Parsed;
use crate::types::{self, Assignment, Reading};

/// A computed column under assignment rules. `unknown`: it is a string literal without a type, read in the column's input syntax.
pub(super) fn assign(values: &ArrayRef, column: &ColumnDef, unknown: bool, reading: Reading) -> SqlResult<ArrayRef> {
    let from = shown_type(values.data_type())?;
    types::coerce(values, &Assignment { column: &column.name, from, to: column.sql_type, from_unknown_literal: unknown, reading })
}

/// Whether an expression is a string literal without a type, or NULL.
pub(crate) fn is_unknown_literal(expr: &Expr) -> bool {
    match expr {
        Expr::Nested(inner) => is_unknown_literal(inner),
        Expr::Value(value) => matches!(
            value.value,
            Value::Null
                | Value::SingleQuotedString(_)
                | Value::EscapedStringLiteral(_)
                | Value::UnicodeStringLiteral(_)
                | Value::DollarQuotedString(_)
        ),
        _ => false,
    }
}

/// The parameter an expression is, counted from 0.
pub(super) fn parameter(expr: &Expr) -> Option<usize> {
    match expr {
        Expr::Nested(inner) => parameter(inner),
        Expr::Value(value) => match &value.value {
            Value::Placeholder(name) => crate::cells::parameter_index(name),
            _ => None,
        },
        _ => None,
    }
}

/// The unquoted keyword DEFAULT.
pub(super) fn is_default(expr: &Expr) -> bool {
    matches!(expr, Expr::Identifier(ident) if ident.quote_style.is_none() && ident.value.eq_ignore_ascii_case("default"))
}

/// Position of a column that a statement names. Errors: 42703.
pub(super) fn position(table: &TableDef, name: &str, span: Span, parsed: &Parsed) -> SqlResult<usize> {
    table.columns.iter().position(|column| column.name == name).ok_or_else(|| {
        let message = format!("column \"{name}\" of relation \"{}\" does not exist", table.name);
        parsed.point(SqlError::new(SqlState::UNDEFINED_COLUMN, message), span)
    })
}

/// The table a statement writes to. Errors: 42P01, 42501, at the name's place.
pub(super) fn target(planning: &super::Planning<'_>, object: &sqlparser::ast::ObjectName) -> SqlResult<(Name, Arc<TableDef>)> {
    let name = Name::of(object, planning.view.database.name())?;
    let table = planning.scope.writable(&name).map_err(|error| planning.parsed.point(error, name.span))?;
    let table = Arc::clone(table);
    Ok((name, table))
}
