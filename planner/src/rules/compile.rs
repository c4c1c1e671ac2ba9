//! Rules planned: kept by table where they mean the same in every session.
//!
//! K1: what is kept is used only for the very definition it was planned for.
//! Never: reads a table.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, SchemaRef};
use base::{RelationId, SqlError, SqlResult, SqlState};
use engine::{Check, ColumnDef, SqlType, TableDef};
use relational::{Expressions, Query, Resolver, Table};
use sqlparser::ast::Ident;

use super::Surroundings;
use crate::cells::{self, Literal};
use crate::names::quoted;
use crate::parse;
use crate::resolver::undefined_table;
use crate::rule_text as text;
use crate::tables::MemoryTable;
use crate::types::{self, Assignment};

/// Tables whose rules are kept.
const TABLES_MAX: usize = 4_096;
/// A name no statement can write.
const ROWS: &str = "\u{1}checked rows";

/// Where a column's default comes from.
#[derive(Clone, Debug)]
pub(crate) enum Default {
    /// The same for ever: one row.
    Constant(ArrayRef),
    /// The next value of a sequence.
    Sequence(u32),
    /// The time of the transaction, of a timestamptz.
    Now,
    /// Text that means something else in every statement.
    Session(String),
}

/// The rules of one definition.
#[derive(Debug)]
pub(crate) struct Kept {
    table: Arc<TableDef>,
    /// By position.
    pub(crate) defaults: Vec<(usize, Default)>,
    /// Columns whose values are rounded, and to how many digits after the second.
    pub(crate) rounded: Vec<(usize, u8)>,
    /// Expressions of generated columns, by position.
    pub(crate) generated: Vec<(usize, Expressions)>,
    /// As in the definition; `None` for those that depend on the session.
    pub(crate) checks: Vec<Option<Expressions>>,
    /// Positions of the checks by name.
    pub(crate) order: Vec<usize>,
}

impl Kept {
    pub(crate) fn checks_of_session(&self) -> impl Iterator<Item = usize> {
        self.checks.iter().enumerate().filter(|(_, check)| check.is_none()).map(|(at, _)| at)
    }
}

/// Rules kept by a database.
#[derive(Default)]
pub(crate) struct Shelf(Mutex<HashMap<RelationId, Arc<Kept>>>);

impl Shelf {
    /// The rules of this very definition (K1).
    pub(crate) fn of(&self, around: &dyn Surroundings, table: &Arc<TableDef>) -> SqlResult<Arc<Kept>> {
        let found = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&table.id).cloned();
        if let Some(kept) = found.filter(|kept| Arc::ptr_eq(&kept.table, table) || kept.table == *table) {
            return Ok(kept);
        }
        let kept = Arc::new(plan(around, table)?);
        let mut shelf = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if shelf.len() >= TABLES_MAX {
            shelf.clear();
        }
        shelf.insert(table.id, Arc::clone(&kept));
        Ok(kept)
    }
}

fn plan(around: &dyn Surroundings, table: &Arc<TableDef>) -> SqlResult<Kept> {
    let mut defaults = Vec::new();
    let mut generated = Vec::new();
    let mut rounded = Vec::new();
    for (position, column) in table.columns.iter().enumerate() {
        let Some(rules) = table.rules.column(column.id) else { continue };
        rounded.extend(rules.precision.map(|digits| (position, digits)));
        if let (true, Some(text)) = (rules.generated, &rules.default) {
            generated.push((position, generation(around, table, text)?));
            continue;
        }
        let default = match (rules.sequence, &rules.default) {
            (Some(sequence), _) => Default::Sequence(sequence),
            (None, None) => continue,
            (None, Some(text)) => {
                let expr = text::expression(text)?;
                if column.sql_type == SqlType::Timestamptz && text::is_now(&expr) {
                    Default::Now
                } else if text::mentions_function(&expr) {
                    Default::Session(text.clone())
                } else {
                    Default::Constant(constant(around, column, text, 1)?)
                }
            }
        };
        defaults.push((position, default));
    }
    let mut checks = Vec::with_capacity(table.rules.checks.len());
    for rule in &table.rules.checks {
        let depends = text::mentions_session(&text::expression(&rule.expression)?);
        checks.push(if depends { None } else { Some(check(around, table, rule)?) });
    }
    let mut order: Vec<usize> = (0..checks.len()).collect();
    order.sort_by(|a, b| table.rules.checks[*a].name.cmp(&table.rules.checks[*b].name));
    Ok(Kept { table: Arc::clone(table), defaults, rounded, generated, checks, order })
}

/// Finds the rows at hand and no other table.
pub(crate) struct RowsAtHand(Option<MemoryTable>);

impl RowsAtHand {
    /// For an expression over no rows.
    pub(crate) fn none() -> Self {
        Self(None)
    }

    /// For expressions over rows of a table.
    pub(crate) fn of(table: &TableDef) -> Self {
        Self::with(table.arrow_schema())
    }

    /// For expressions over rows of these columns.
    pub(crate) fn with(schema: SchemaRef) -> Self {
        Self(Some(MemoryTable { name: ROWS.to_owned(), oid: None, schema, batches: Vec::new() }))
    }

    /// What they are called in FROM.
    pub(crate) fn name(&self) -> Ident {
        quoted(ROWS)
    }
}

impl Resolver for RowsAtHand {
    fn table(&self, schema: Option<&str>, name: &str) -> SqlResult<Arc<dyn Table>> {
        match &self.0 {
            Some(table) if schema.is_none() && table.name == name => Ok(Arc::new(table.clone())),
            _ => Err(undefined_table(name)),
        }
    }
}

/// Plans one expression over the rows of a table, or over none.
fn expressions(around: &dyn Surroundings, text: &str, table: Option<&TableDef>) -> SqlResult<Expressions> {
    // Kept for all sessions, so it reads and writes values as none of them in particular does.
    let is_sessions = text::mentions_session(&text::expression(text)?);
    planned(around, text, table, is_sessions)
}

/// `is_sessions`: it reads and writes values as the session does.
fn planned(around: &dyn Surroundings, text: &str, table: Option<&TableDef>, is_sessions: bool) -> SqlResult<Expressions> {
    let from = table.map_or_else(String::new, |table| format!(" FROM {} AS {}", quoted(ROWS), quoted(&table.name)));
    let parsed = parse::parse(&format!("SELECT ({text}) AS c0{from}"))?;
    let [one] = parsed.as_slice() else { return Err(SqlError::internal("an expression is no statement")) };
    // A default may draw from a sequence; its text does not always say that it is one.
    let mut environment = around.environment(&format!("default {text}"));
    if !is_sessions {
        environment.manner = types::Manner::default();
    }
    around.relational().expressions(
        Query { statement: &one.statement, text: "" },
        &table.map_or_else(RowsAtHand::none, RowsAtHand::of),
        &environment,
    )
}

/// A CHECK's condition over rows of its table. Errors: as for any expression; 42804 where it is no condition.
pub(super) fn check(around: &dyn Surroundings, table: &Arc<TableDef>, rule: &Check) -> SqlResult<Expressions> {
    let planned = expressions(around, &rule.expression, Some(table))?;
    let found = planned.types().next();
    match found {
        Some(DataType::Boolean | DataType::Null) | None => Ok(planned),
        Some(other) => {
            let shown = SqlType::from_arrow(&other).map_or_else(|| other.to_string(), SqlType::name);
            let message = format!("argument of CHECK must be type boolean, not type {shown}");
            Err(SqlError::new(SqlState::DATATYPE_MISMATCH, message))
        }
    }
}

/// A generated column's expression over rows of its table.
pub(super) fn generation(around: &dyn Surroundings, table: &TableDef, text: &str) -> SqlResult<Expressions> {
    expressions(around, text, Some(table))
}

/// An expression over rows of a table that this statement evaluates once.
pub(super) fn transform(around: &dyn Surroundings, table: &TableDef, text: &str) -> SqlResult<Expressions> {
    planned(around, text, Some(table), true)
}

/// A default's expression.
pub(super) fn default(around: &dyn Surroundings, text: &str) -> SqlResult<Expressions> {
    expressions(around, text, None)
}

/// A default's values, computed now.
pub(super) fn constant(around: &dyn Surroundings, column: &ColumnDef, text: &str, rows: usize) -> SqlResult<ArrayRef> {
    let is_text = matches!(cells::literal(&text::expression(text)?, column.sql_type), Some(Literal::Null | Literal::Text(_)));
    let values = default(around, text)?.evaluate(&[], rows)?;
    // A literal with a type beside it has been read already.
    let unknown = is_text && matches!(values[0].data_type(), DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Null);
    assign(&values[0], column, unknown)
}

/// Computed values under assignment rules. `unknown`: of a string literal without a type.
pub(super) fn assign(values: &ArrayRef, column: &ColumnDef, unknown: bool) -> SqlResult<ArrayRef> {
    let from = SqlType::from_arrow(values.data_type()).ok_or_else(|| SqlError::unsupported("a default of this type"))?;
    types::coerce(
        values,
        &Assignment { column: &column.name, from, to: column.sql_type, from_unknown_literal: unknown, reading: types::Reading::default() },
    )
}
