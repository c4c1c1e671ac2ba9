//! Gives the AST the meanings Postgres has and DataFusion's SQL reader would miss, and refuses clauses it would silently ignore.
//!
//! D0: a clause that nothing below reads is 0A000, never ignored.
//! Never: changes what a statement that Postgres accepts would answer there.

use std::ops::ControlFlow;

use base::{SqlError, SqlResult};
use sqlparser::ast::{Expr, Query, Select, SelectItem, SetExpr, Statement, TableFactor, VisitMut, VisitorMut};

mod arguments;
mod arrays;
mod between;
pub(crate) mod by_key;
mod by_keys;
mod catalog;
mod catalog_sets;
mod copies;
mod documents;
pub(crate) mod empty;
mod escapes;
mod exists;
mod frames;
mod grouping;
mod groups;
pub(crate) mod impossible;
mod integers;
pub(crate) mod joined;
mod listed;
mod lists;
mod literals;
mod modifiers;
mod numbers;
mod operators;
pub(crate) mod outer_aggregates;
mod outside;
pub(crate) mod recursion;
mod refused;
pub(crate) mod row_sets;
mod rows;
pub(crate) mod same_names;
mod series;
pub(crate) mod sets;
mod spelling;
pub(crate) mod subscripts;
pub(crate) mod whole_rows;
mod windows;

/// Rewrites the statement in place, after SELECT items got their names.
///
/// Errors: 0A000 for what would be ignored (D0), 42704 for a collation there is not, 42601 for rows of different lengths.
pub(crate) fn apply(statement: &mut Statement) -> SqlResult<()> {
    documents::name_values(statement);
    if let ControlFlow::Break(error) = VisitMut::visit(statement, &mut Dialect::default()) {
        return Err(error);
    }
    Ok(())
}

/// Where the visitor is.
#[derive(Default)]
struct Dialect {
    /// Queries around, and functions of FROM: what stands there may read columns of queries or relations around.
    depth: usize,
}

impl VisitorMut for Dialect {
    type Break = SqlError;

    fn post_visit_query(&mut self, _query: &mut Query) -> ControlFlow<SqlError> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<SqlError> {
        self.depth += 1;
        refuse(&[
            (!query.locks.is_empty(), "SELECT … FOR UPDATE or FOR SHARE"),
            (query.fetch.as_ref().is_some_and(|fetch| fetch.percent), "FETCH … PERCENT"),
            (!query.pipe_operators.is_empty(), "the pipe syntax"),
            (query.settings.is_some() || query.format_clause.is_some() || query.for_clause.is_some(), "this clause of SELECT"),
        ])?;
        if let Err(error) = copies::number(&mut query.body).and_then(|()| spelling::fetch_to_limit(query)) {
            return ControlFlow::Break(error);
        }
        if let Err(error) = refused::in_query(query) {
            return ControlFlow::Break(error);
        }
        if let Err(error) = spelling::read_counts(query) {
            return ControlFlow::Break(error);
        }
        numbers::type_recursion(query);
        type_rows(&mut query.body);
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<SqlError> {
        if let Err(error) = refused::in_from(factor) {
            return ControlFlow::Break(error);
        }
        catalog_sets::unfold_relation(factor);
        if let Err(error) = documents::unfold_relation(factor) {
            return ControlFlow::Break(error);
        }
        if let TableFactor::Table { sample, version, with_hints, partitions, .. } = factor {
            refuse(&[
                (sample.is_some(), "TABLESAMPLE"),
                (version.is_some(), "reading a table as of another time"),
                (!with_hints.is_empty() || !partitions.is_empty(), "a table hint"),
            ])?;
        }
        series::relate(factor);
        self.depth += usize::from(is_function(factor));
        ControlFlow::Continue(())
    }

    fn post_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<SqlError> {
        self.depth -= usize::from(is_function(factor));
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<SqlError> {
        refuse(&[
            (select.into.is_some(), "SELECT INTO"),
            (select.prewhere.is_some(), "PREWHERE"),
            (!select.connect_by.is_empty(), "CONNECT BY"),
        ])?;
        if let Err(error) = refused::in_select(select).and_then(|()| windows::write_out(select)) {
            return ControlFlow::Break(error);
        }
        grouping::name_empty(select);
        select.selection.iter_mut().chain(&mut select.having).for_each(literals::condition);
        for item in &mut select.projection {
            if let SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } = item {
                if let Expr::Function(call) = expr {
                    operators::unnest(call);
                }
                integers::type_constant(expr);
                exists::count(expr);
            }
        }
        ControlFlow::Continue(())
    }

    fn post_visit_select(&mut self, select: &mut Select) -> ControlFlow<SqlError> {
        for item in &mut select.projection {
            if let SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } = item {
                whole_rows::name_fields(expr);
            }
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<SqlError> {
        if let Err(error) = refused::in_expression(expr).and_then(|()| arguments::order(expr)) {
            return ControlFlow::Break(error);
        }
        between::unfold(expr);
        numbers::bind_sign(expr);
        operators::overlap(expr);
        if let Err(error) = arrays::gather(expr) {
            return ControlFlow::Break(error);
        }
        catalog_sets::unfold(expr);
        arrays::bound_slices(expr);
        documents::unfold(expr);
        series::unfold(expr);
        arrays::unnest_subscripts(expr);
        documents::respell(expr);
        catalog::respell(expr);
        escapes::use_backslash(expr);
        let respelled = modifiers::apply(expr).and_then(|()| literals::respell(expr)).and_then(|()| numbers::respell(expr));
        let respelled = respelled.and_then(|()| arguments::fill(expr)).and_then(|()| spelling::respell(expr));
        if let Err(error) = respelled.and_then(|()| rows::compare_columns(expr)) {
            return ControlFlow::Break(error);
        }
        lists::spell_out(expr);
        integers::type_operands(expr);
        operators::respell(expr);
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<SqlError> {
        frames::restore(expr);
        if self.depth > 1 {
            arrays::call_constructor(expr);
        }
        ControlFlow::Continue(())
    }
}

/// The constants of lists of rows, those that a set operation joins too.
fn type_rows(body: &mut SetExpr) {
    if let SetExpr::SetOperation { left, right, .. } = body {
        type_rows(left);
        type_rows(right);
        return;
    }
    literals::type_rows(body);
    numbers::type_rows(body);
    integers::type_rows(body);
}

/// Whether a FROM item is computed, after it was respelled.
fn is_function(factor: &TableFactor) -> bool {
    matches!(factor, TableFactor::Function { .. } | TableFactor::UNNEST { .. })
}

fn refuse(refused: &[(bool, &str)]) -> ControlFlow<SqlError> {
    match refused.iter().find(|(present, _)| *present) {
        Some((_, what)) => ControlFlow::Break(SqlError::unsupported(what)),
        None => ControlFlow::Continue(()),
    }
}
