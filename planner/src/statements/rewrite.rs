//! Builds the SELECT that finds what a writing statement works on, from the statement's own expressions.
//!
//! W1: the table written to is named in full, so that no CTE of the same name can stand in for it.
//! Never: prints and parses again; spans stay those of the user's text.

use engine::TableDef;
use sqlparser::ast::helpers::attached_token::AttachedToken;
use sqlparser::ast::{
    Expr, GroupByExpr, Ident, ObjectName, Query, Select, SelectFlavor, SelectItem, SetExpr, Statement, TableAlias, TableFactor,
    TableWithJoins, With,
};

use crate::names::quoted;

/// `[with] SELECT items FROM from [WHERE selection]`
pub(super) fn select(with: Option<&With>, items: Vec<SelectItem>, from: Vec<TableWithJoins>, selection: Option<Expr>) -> Statement {
    statement(with, select_body(items, from, selection))
}

/// `SELECT items FROM from [WHERE selection]`
pub(super) fn select_body(items: Vec<SelectItem>, from: Vec<TableWithJoins>, selection: Option<Expr>) -> SetExpr {
    let select = Select {
        select_token: AttachedToken::empty(),
        optimizer_hints: Vec::new(),
        distinct: None,
        select_modifiers: None,
        top: None,
        top_before_distinct: false,
        projection: items,
        exclude: None,
        into: None,
        from,
        lateral_views: Vec::new(),
        prewhere: None,
        selection,
        connect_by: Vec::new(),
        group_by: GroupByExpr::Expressions(Vec::new(), Vec::new()),
        cluster_by: Vec::new(),
        distribute_by: Vec::new(),
        sort_by: Vec::new(),
        having: None,
        named_window: Vec::new(),
        qualify: None,
        window_before_qualify: false,
        value_table_mode: None,
        flavor: SelectFlavor::Standard,
    };
    SetExpr::Select(Box::new(select))
}

/// `[with] body`
fn statement(with: Option<&With>, body: SetExpr) -> Statement {
    Statement::Query(Box::new(Query {
        with: with.cloned(),
        body: Box::new(body),
        order_by: None,
        limit_clause: None,
        fetch: None,
        locks: Vec::new(),
        for_clause: None,
        settings: None,
        format_clause: None,
        pipe_operators: Vec::new(),
    }))
}

/// The table itself under an alias (W1).
pub(super) fn target(table: &TableDef, alias: &str) -> TableWithJoins {
    named(ObjectName::from(vec![quoted(&table.schema), quoted(&table.name)]), alias)
}

/// Any name under an alias.
pub(super) fn named(name: ObjectName, alias: &str) -> TableWithJoins {
    let alias = TableAlias { explicit: true, name: quoted(alias), columns: Vec::new(), at: None };
    let relation = TableFactor::Table {
        name,
        alias: Some(alias),
        args: None,
        with_hints: Vec::new(),
        version: None,
        with_ordinality: false,
        partitions: Vec::new(),
        json_path: None,
        sample: None,
        index_hints: Vec::new(),
    };
    TableWithJoins { relation, joins: Vec::new() }
}

/// `alias.column`
pub(super) fn column(alias: &str, column: &str) -> Expr {
    Expr::CompoundIdentifier(vec![quoted(alias), quoted(column)])
}

/// An item under a name of its own.
pub(super) fn item(expr: Expr, name: impl Into<String>) -> SelectItem {
    SelectItem::ExprWithAlias { expr, alias: Ident::with_quote('"', name) }
}
