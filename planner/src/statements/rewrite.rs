//! Builds the SELECT that finds what a writing statement works on, from the statement's own expressions.
//!
//! W1: the table written to is named in full, so that no CTE of the same name can stand in for it.
//! Never: prints and parses again; spans stay those of the user's text.

use engine::TableDef;
use sqlparser::ast::{Expr, Ident, ObjectName, Query, SelectItem, SetExpr, Statement, TableWithJoins, With};

use crate::names::quoted;
use crate::query_trees::query;
pub(super) use crate::query_trees::{named, select_body};

/// `[with] SELECT items FROM from [WHERE selection]`
pub(super) fn select(with: Option<&With>, items: Vec<SelectItem>, from: Vec<TableWithJoins>, selection: Option<Expr>) -> Statement {
    statement(with, select_body(items, from, selection))
}

/// `[with] body`
fn statement(with: Option<&With>, body: SetExpr) -> Statement {
    Statement::Query(Box::new(Query { with: with.cloned(), ..query(body) }))
}

/// The table itself under an alias (W1).
pub(super) fn target(table: &TableDef, alias: &str) -> TableWithJoins {
    named(ObjectName::from(vec![quoted(&table.schema), quoted(&table.name)]), alias)
}

/// `alias.column`
pub(super) fn column(alias: &str, column: &str) -> Expr {
    Expr::CompoundIdentifier(vec![quoted(alias), quoted(column)])
}

/// An item under a name of its own.
pub(super) fn item(expr: Expr, name: impl Into<String>) -> SelectItem {
    SelectItem::ExprWithAlias { expr, alias: Ident::with_quote('"', name) }
}
