//! Recognises `key = constant` over the whole primary key: one lookup instead of a query.
//!
//! A1: taken only where the lookup answers exactly what the query would; anything doubtful goes the general way.
//! Never: reads more than one row.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch};
use base::{RowId, SqlResult};
use engine::{ColumnDef, SqlType, TableDef, Transaction};
use sqlparser::ast::{BinaryOperator, Expr};

use super::hints::Hints;
use crate::cells::{self, Literal, Parameters, Source};
use crate::names::fold;
use crate::parse::Parsed;
use crate::types::Manner;

/// The key's values, in key order.
#[derive(Clone, Debug)]
pub(super) struct KeyAccess {
    sources: Vec<(ColumnDef, Source)>,
}

impl KeyAccess {
    /// The access a WHERE clause amounts to, if it does (A1). Errors: 22P02 and the like for a constant that the key's type cannot hold.
    pub(super) fn of(
        table: &TableDef,
        alias: &str,
        selection: Option<&Expr>,
        hints: &mut Hints,
        parsed: &Parsed,
        manner: Manner,
    ) -> SqlResult<Option<Self>> {
        // A deferrable key may be of several rows for a while.
        let (Some(selection), true) = (selection, table.has_lookup()) else { return Ok(None) };
        let mut terms = Vec::new();
        if !conjuncts(selection, &mut terms) || terms.len() != table.key_columns().len() {
            return Ok(None);
        }
        let mut sources = Vec::with_capacity(terms.len());
        for position in table.key_columns() {
            let column = key_column(&table.columns[*position]);
            let mut values = terms.iter().filter_map(|(left, right)| value_for(&column.name, alias, left, right));
            let (Some(value), None) = (values.next(), values.next()) else { return Ok(None) };
            if !is_exact(value, &column, hints) {
                return Ok(None);
            }
            let Some(source) = cells::source(&column, std::iter::once(value), parsed, manner)? else { return Ok(None) };
            sources.push((column, source));
        }
        for (column, source) in &sources {
            hints.note_source(source, column.sql_type);
        }
        Ok(Some(Self { sources }))
    }

    /// The row, as the transaction sees it.
    pub(super) fn find(
        &self,
        table: &Arc<TableDef>,
        transaction: &Transaction,
        parameters: Parameters<'_>,
    ) -> SqlResult<Option<(RowId, RecordBatch)>> {
        let mut key: Vec<ArrayRef> = Vec::with_capacity(self.sources.len());
        for (column, source) in &self.sources {
            let value = source.array(column, parameters)?;
            if value.is_null(0) {
                return Ok(None);
            }
            key.push(value);
        }
        transaction.reading(table)?.lookup(&key)
    }

    /// The line EXPLAIN shows.
    pub(super) fn explained(&self, table: &TableDef) -> String {
        let columns: Vec<&str> = self.sources.iter().map(|(column, _)| column.name.as_str()).collect();
        format!("KeyLookup: table={}.{}, key=({})", table.schema, table.name, columns.join(", "))
    }
}

/// A comparison does not cut strings to the column's length.
fn key_column(column: &ColumnDef) -> ColumnDef {
    let mut column = column.clone();
    match column.sql_type {
        SqlType::Varchar(_) => column.sql_type = SqlType::Text,
        SqlType::Bpchar(_) => column.sql_type = SqlType::Bpchar(None),
        _ => {}
    }
    column
}

/// Splits at AND into equalities; false if there is anything else.
fn conjuncts<'a>(expr: &'a Expr, terms: &mut Vec<(&'a Expr, &'a Expr)>) -> bool {
    match expr {
        Expr::Nested(inner) => conjuncts(inner, terms),
        Expr::BinaryOp { left, op: BinaryOperator::And, right } => conjuncts(left, terms) && conjuncts(right, terms),
        Expr::BinaryOp { left, op: BinaryOperator::Eq, right } => {
            terms.push((left, right));
            true
        }
        _ => false,
    }
}

fn value_for<'a>(column: &str, alias: &str, left: &'a Expr, right: &'a Expr) -> Option<&'a Expr> {
    if is_column(left, column, alias) {
        Some(right)
    } else if is_column(right, column, alias) {
        Some(left)
    } else {
        None
    }
}

/// Whether an expression is this column, bare or qualified by the alias.
pub(super) fn is_column(expr: &Expr, column: &str, alias: &str) -> bool {
    match expr {
        Expr::Nested(inner) => is_column(inner, column, alias),
        Expr::Identifier(name) => fold(name) == column,
        Expr::CompoundIdentifier(parts) => match parts.as_slice() {
            [table, name] => fold(table) == alias && fold(name) == column,
            _ => false,
        },
        _ => false,
    }
}

/// A1: whether comparing with this constant means the same as looking it up in the column's own type.
fn is_exact(value: &Expr, column: &ColumnDef, hints: &Hints) -> bool {
    let Some(literal) = cells::literal(value, column.sql_type) else { return false };
    match (literal, column.sql_type) {
        (_, SqlType::Numeric { .. } | SqlType::AnyNumeric(_) | SqlType::Float4 | SqlType::Float8 | SqlType::Jsonb | SqlType::Array(_)) => {
            false
        }
        (Literal::Null, _) => !matches!(value, Expr::Identifier(_)),
        (Literal::Text(_), _) => true,
        (Literal::Bool(_), sql_type) => sql_type == SqlType::Bool,
        (Literal::Number(digits), SqlType::Int2) => digits.parse::<i16>().is_ok(),
        (Literal::Number(digits), SqlType::Int4) => digits.parse::<i32>().is_ok(),
        (Literal::Number(digits), SqlType::Int8) => digits.parse::<i64>().is_ok(),
        (Literal::Number(_), _) => false,
        (Literal::Parameter(index), sql_type) => match hints.get(index) {
            None => true,
            Some(given) => given == sql_type || is_widening(given, sql_type),
        },
    }
}

fn is_widening(from: SqlType, to: SqlType) -> bool {
    matches!(
        (from, to),
        (SqlType::Int2, SqlType::Int4 | SqlType::Int8) | (SqlType::Int4, SqlType::Int8) | (SqlType::Varchar(_), SqlType::Text)
    )
}
