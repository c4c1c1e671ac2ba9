//! What the parser and the engine would take and Postgres refuses: as Postgres words it.
//!
//! D37: a subquery in FROM has a name; a join says what it joins by; an alias is no text; windows are computed after WHERE, GROUP BY and HAVING; what
//!     a set operation is ordered by is one of its columns.
//! Never: changes anything.

use std::ops::ControlFlow;

use base::{SqlError, SqlResult, SqlState};
use sqlparser::ast::{
    Expr, Function, GroupByExpr, Ident, Join, JoinConstraint, OrderByKind, Query, Select, SelectItem, SetExpr, SetOperator, TableFactor,
    UnaryOperator, Visit, Visitor,
};

use super::listed::constraint;
use super::{catalog_sets, outside};
use crate::functions;
use crate::position::{folded, folded_parts};

/// `window function` where there is none.
const WINDOWING: SqlState = SqlState("42P20");

/// D37, of a query's order, and of what it repeats. Errors: 0A000, 42P19.
pub(super) fn in_query(query: &Query) -> SqlResult<()> {
    for cte in query.with.iter().filter(|with| with.recursive).flat_map(|with| &with.cte_tables) {
        let name = folded(&cte.alias.name);
        let is_union = matches!(cte.query.body.as_ref(), SetExpr::SetOperation { op: SetOperator::Union, .. });
        if !is_union && Visit::visit(&cte.query, &mut Reads { name: &name }).is_break() {
            let message = format!("recursive query \"{name}\" does not have the form non-recursive-term UNION [ALL] recursive-term");
            return Err(SqlError::new(SqlState("42P19"), message));
        }
    }
    let SetExpr::SetOperation { .. } = query.body.as_ref() else { return Ok(()) };
    let Some(OrderByKind::Expressions(keys)) = query.order_by.as_ref().map(|order| &order.kind) else { return Ok(()) };
    let is_below = |key: &Expr| matches!(key, Expr::UnaryOp { op: UnaryOperator::Minus, expr } if matches!(expr.as_ref(), Expr::Value(_)));
    if let Some(key) = keys.iter().find(|key| is_below(&key.expr)) {
        let message = format!("ORDER BY position {} is not in select list", key.expr);
        return Err(SqlError::new(SqlState::INVALID_COLUMN_REFERENCE, message));
    }
    let is_column = |key: &Expr| matches!(key, Expr::Identifier(_) | Expr::CompoundIdentifier(_) | Expr::Value(_));
    if keys.iter().all(|key| is_column(&key.expr)) {
        return Ok(());
    }
    Err(SqlError::new(SqlState::FEATURE_NOT_SUPPORTED, "invalid UNION/INTERSECT/EXCEPT ORDER BY clause")
        .detail("Only result column names can be used, not expressions or functions.")
        .hint("Add the expression/function to every SELECT, or move the UNION into a FROM clause."))
}

/// Names of types that are no functions: before parentheses they want a text behind.
const ONLY_TYPES: [&str; 11] =
    ["bigint", "boolean", "character", "dec", "decimal", "integer", "int", "numeric", "real", "smallint", "varchar"];

/// Reserved words that are values or functions.
const RESERVED_VALUES: [&str; 13] = [
    "current_catalog",
    "current_date",
    "current_role",
    "current_time",
    "current_timestamp",
    "current_user",
    "default",
    "false",
    "localtime",
    "localtimestamp",
    "session_user",
    "true",
    "user",
];

fn is_reserved(name: &Ident) -> bool {
    name.quote_style.is_none() && catalog_sets::is_reserved(&folded(name)) && !RESERVED_VALUES.contains(&folded(name).as_str())
}

fn near(word: impl std::fmt::Display) -> SqlError {
    SqlError::new(SqlState::SYNTAX_ERROR, format!("syntax error at or near \"{word}\""))
}

/// An expression that Postgres does not read. Errors: 42601, 42883.
pub(super) fn in_expression(expr: &Expr) -> SqlResult<()> {
    match expr {
        Expr::Identifier(name) if is_reserved(name) => Err(near(name)),
        Expr::UnaryOp { op: UnaryOperator::PGPostfixFactorial, .. } => Err(near("!")),
        Expr::Function(function) => match folded_parts(&function.name).as_slice() {
            [name] if ONLY_TYPES.contains(&name.as_str()) && function.name.to_string().eq_ignore_ascii_case(name) => Err(near("(")),
            _ => Ok(()),
        },
        _ => Ok(()),
    }
}

/// D37, of a FROM item. Errors: 42601.
pub(super) fn in_from(factor: &TableFactor) -> SqlResult<()> {
    match factor {
        TableFactor::Table { name, args: None, .. } => match name.0.as_slice() {
            [only] if only.as_ident().is_some_and(is_reserved) => Err(near(only)),
            _ => Ok(()),
        },
        TableFactor::Derived { alias: None, subquery, .. } => {
            let (what, example) = match subquery.body.as_ref() {
                SetExpr::Values(_) => ("VALUES", "VALUES ..."),
                _ => ("subquery", "SELECT ..."),
            };
            let message = format!("{what} in FROM must have an alias");
            Err(SqlError::new(SqlState::SYNTAX_ERROR, message).hint(format!("For example, FROM ({example}) [AS] foo.")))
        }
        TableFactor::NestedJoin { table_with_joins, .. } => table_with_joins.joins.iter().try_for_each(joined),
        _ => Ok(()),
    }
}

/// D37, of a SELECT. Errors: 42601, 42P20, 42803.
pub(super) fn in_select(select: &Select) -> SqlResult<()> {
    for item in &select.projection {
        if let SelectItem::ExprWithAlias { alias, .. } = item
            && alias.quote_style == Some('\'')
        {
            return Err(SqlError::new(SqlState::SYNTAX_ERROR, format!("syntax error at or near \"'{}'\"", alias.value)));
        }
    }
    for from in &select.from {
        from.joins.iter().try_for_each(joined)?;
    }
    select.selection.iter().try_for_each(|condition| without_windows(condition, "WHERE"))?;
    select.having.iter().try_for_each(|condition| without_windows(condition, "HAVING"))?;
    let GroupByExpr::Expressions(keys, _) = &select.group_by else { return Ok(()) };
    for key in keys {
        without_windows(key, "GROUP BY")?;
        let is_aggregate = |function: &Function| matches!(folded_parts(&function.name).as_slice(), [name] if functions::is_aggregate(name));
        if outside::calls(key, &|function| function.over.is_none() && is_aggregate(function)) {
            return Err(SqlError::new(SqlState::GROUPING_ERROR, "aggregate functions are not allowed in GROUP BY"));
        }
    }
    Ok(())
}

fn joined(join: &Join) -> SqlResult<()> {
    let Some(constraint) = constraint(&join.join_operator) else { return Ok(()) };
    match constraint {
        JoinConstraint::None => Err(SqlError::new(SqlState::SYNTAX_ERROR, "syntax error: JOIN without ON or USING")
            .hint("CROSS JOIN combines every row with every other.")),
        JoinConstraint::On(condition) => without_windows(condition, "JOIN conditions"),
        JoinConstraint::Using(_) | JoinConstraint::Natural => Ok(()),
    }
}

/// Stops where a relation of this name is read.
struct Reads<'a> {
    name: &'a str,
}

impl Visitor for Reads<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        let is_hidden = query.with.iter().flat_map(|with| &with.cte_tables).any(|cte| folded(&cte.alias.name) == self.name);
        // What a query within gives the name to is another relation: nothing is refused that may be right.
        if is_hidden {
            self.name = ""
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
        match factor {
            TableFactor::Table { name, args: None, .. } if folded_parts(name) == [self.name] => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        }
    }
}

fn without_windows(expr: &Expr, place: &str) -> SqlResult<()> {
    if outside::calls(expr, &|function| function.over.is_some() && folded_parts(&function.name).len() == 1) {
        return Err(SqlError::new(WINDOWING, format!("window functions are not allowed in {place}")));
    }
    Ok(())
}
