//! Defaults of a view's columns: ALTER VIEW … ALTER COLUMN … SET DEFAULT, and what INSERT through the view makes of them.
//!
//! D1: a row that is written through a view has, where it is given nothing, the default of the outermost view that has one, else the table's.
//! Never: evaluates a default but to see that it can be.

use std::sync::Arc;

use base::{SqlError, SqlResult, SqlState};
use engine::{ColumnDef, Object, ViewDef};
use sqlparser::ast::{Expr, Parens, Query, SelectItem, SetExpr, TableAlias, TableAliasColumnDef, TableFactor, TableWithJoins, Values};

use super::Execution;
use super::assignment::is_default;
use super::rewrite;
use super::table_draft::mistyped;
use super::write_target::Target;
use crate::names::quoted;
use crate::query_trees;
use crate::rules;

/// Errors: 42703, and what the expression raises.
pub(super) fn set(execution: &mut Execution<'_>, view: &Arc<ViewDef>, name: &str, expr: Option<&Expr>) -> SqlResult<()> {
    let mut changed = view.as_ref().clone();
    let Some(at) = changed.columns.iter().position(|column| column.name == name) else {
        let message = format!("column \"{name}\" of relation \"{}\" does not exist", view.name);
        return Err(SqlError::new(SqlState::UNDEFINED_COLUMN, message));
    };
    let column = &mut changed.columns[at];
    column.default = match expr {
        None => None,
        Some(expr) => {
            let text = rules::default_text(expr)?;
            if !rules::is_volatile(expr) {
                let id = base::ColumnId(u32::try_from(at + 1).unwrap_or(u32::MAX));
                let as_column = ColumnDef { id, name: column.name.clone(), sql_type: column.sql_type, not_null: false };
                let computed = rules::computed_default(&execution.place(), &as_column, &text, 1);
                computed.map_err(|error| mistyped(error, &as_column, expr))?;
            }
            Some(text)
        }
    };
    execution.transaction.redefine(Object::View(Arc::new(changed)))
}

/// The source of an INSERT through views, with their defaults for what it does not give (D1); `None` where it stays as it is.
pub(super) fn fill(target: &Target, targets: &mut Vec<usize>, source: Option<&Query>) -> SqlResult<Option<Query>> {
    let given = source.map_or(0, |_| targets.len());
    let defaults = target.defaults()?;
    let missing: Vec<(usize, Expr)> = defaults
        .iter()
        .filter(|(at, _)| !targets[..given].contains(at))
        .map(|(at, text)| Ok((*at, rules::expression(text)?)))
        .collect::<SqlResult<_>>()?;
    let known = |at: usize| defaults.get(&at).map(|text| rules::expression(text)).transpose();
    let mut filled = match source {
        _ if defaults.is_empty() => return Ok(None),
        None => query_trees::query(SetExpr::Values(Values {
            explicit_row: false,
            value_keyword: false,
            rows: vec![Parens::with_empty_span(Vec::new())],
        })),
        Some(source) => source.clone(),
    };
    match filled.body.as_mut() {
        SetExpr::Values(values) => {
            // Rows of another length are the statement's own fault.
            if values.rows.iter().any(|row| row.content.len() != given) {
                return Ok(None);
            }
            for row in &mut values.rows {
                for (at, value) in targets[..given].iter().zip(&mut row.content) {
                    if is_default(value)
                        && let Some(default) = known(*at)?
                    {
                        *value = default;
                    }
                }
                row.content.extend(missing.iter().map(|(_, default)| default.clone()));
            }
        }
        SetExpr::Select(select) => {
            select.projection.extend(missing.iter().map(|(_, default)| SelectItem::UnnamedExpr(default.clone())));
        }
        _ => filled = beside(filled, given, &missing),
    }
    targets.truncate(given);
    targets.extend(missing.iter().map(|(at, _)| *at));
    Ok(Some(filled))
}

/// The rows of a query with so many columns, and more.
fn beside(query: Query, given: usize, more: &[(usize, Expr)]) -> Query {
    const GIVEN: &str = "\u{1}given";
    let names: Vec<String> = (0..given).map(|at| format!("{GIVEN}{at}")).collect();
    let columns = names.iter().map(|name| TableAliasColumnDef { name: quoted(name), data_type: None }).collect();
    let alias = Some(TableAlias { columns, ..query_trees::alias(GIVEN) });
    let relation = TableFactor::Derived { lateral: false, subquery: Box::new(query), alias, sample: None };
    let all = names.iter().map(|name| SelectItem::UnnamedExpr(rewrite::column(GIVEN, name)));
    let items = all.chain(more.iter().map(|(_, default)| SelectItem::UnnamedExpr(default.clone()))).collect();
    query_trees::query(query_trees::select_body(items, vec![TableWithJoins { relation, joins: Vec::new() }], None))
}
