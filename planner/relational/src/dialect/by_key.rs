//! A correlated scalar subquery over one table by its unique columns becomes an aggregate, which the engine can run.
//!
//! D15: only where at most one row can answer, so that the first value found is its value.
//! D16: what such a subquery asks of the outer row alone is asked outside of it.

use std::collections::HashSet;
use std::ops::ControlFlow;

use sqlparser::ast::helpers::attached_token::AttachedToken;
use sqlparser::ast::{
    BinaryOperator, CaseWhen, Expr, FunctionArgExpr, GroupByExpr, Ident, Query, Select, SelectItem, SetExpr, Statement, TableFactor, Value,
    VisitMut, VisitorMut,
};

use super::by_keys;
use super::spelling::call;
use crate::context::Context;
use crate::hidden;
use crate::position::{folded, folded_parts};

/// Rewrites every such subquery, after SELECT items got their names.
pub(crate) fn aggregate(statement: &mut Statement, context: &Context<'_>) {
    let ctes = hidden::cte_names(statement);
    let _ = VisitMut::visit(statement, &mut ByKey { context, ctes });
}

struct ByKey<'a> {
    context: &'a Context<'a>,
    ctes: HashSet<String>,
}

impl VisitorMut for ByKey<'_> {
    type Break = ();

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        let mut conditions = Vec::new();
        if let Expr::Subquery(query) = expr
            && let Some(split) = by_keys::split(query, self.context, &self.ctes)
        {
            *expr = split;
            return ControlFlow::Continue(());
        }
        if let Expr::Subquery(query) = expr
            && self.has_one_row(query)
            && let SetExpr::Select(select) = query.body.as_mut()
            && let [SelectItem::ExprWithAlias { expr: item, .. } | SelectItem::UnnamedExpr(item)] = select.projection.as_mut_slice()
        {
            let value = std::mem::replace(item, Expr::Value(Value::Null.into()));
            let name = match &value {
                Expr::Identifier(ident) => Some(ident.clone()),
                Expr::CompoundIdentifier(parts) => parts.last().cloned(),
                _ => None,
            };
            let found = call("first_value", vec![FunctionArgExpr::Expr(value)]);
            match (&mut select.projection[0], name) {
                (SelectItem::ExprWithAlias { expr, .. }, _) => *expr = found,
                (item, name) => {
                    let alias = name.unwrap_or_else(|| Ident::with_quote('"', "?column?"));
                    *item = SelectItem::ExprWithAlias { expr: found, alias };
                }
            }
            conditions = take_foreign(select);
            query.order_by = None;
        }
        if let Some(condition) = conditions.into_iter().reduce(and) {
            let result = std::mem::replace(expr, Expr::Value(Value::Null.into()));
            *expr = Expr::Case {
                case_token: AttachedToken::empty(),
                end_token: AttachedToken::empty(),
                operand: None,
                conditions: vec![CaseWhen { condition, result }],
                else_result: None,
            };
        }
        ControlFlow::Continue(())
    }
}

impl ByKey<'_> {
    fn has_one_row(&self, query: &Query) -> bool {
        let SetExpr::Select(select) = query.body.as_ref() else { return false };
        let Select { group_by, having: None, distinct: None, selection: Some(selection), .. } = select.as_ref() else { return false };
        let is_ungrouped = matches!(group_by, GroupByExpr::Expressions(keys, modifiers) if keys.is_empty() && modifiers.is_empty());
        let [from] = select.from.as_slice() else { return false };
        let TableFactor::Table { name, alias, args: None, .. } = &from.relation else { return false };
        if folded_parts(name).last().is_none_or(|name| self.ctes.contains(name)) {
            return false;
        }
        let Some(unique) = self.context.unique_columns(name) else { return false };
        let table = match alias {
            Some(alias) => folded(&alias.name),
            None => folded_parts(name).pop().unwrap_or_default(),
        };
        is_ungrouped
            && query.with.is_none()
            && query.limit_clause.is_none()
            && from.joins.is_empty()
            && unique.iter().all(|column| binds(selection, &table, column))
    }
}

/// D16: conditions on nothing but a column of another table are asked before the subquery, which the engine cannot join by them.
fn take_foreign(select: &mut Select) -> Vec<Expr> {
    let [from] = select.from.as_slice() else { return Vec::new() };
    let table = match &from.relation {
        TableFactor::Table { alias: Some(alias), .. } => folded(&alias.name),
        TableFactor::Table { name, .. } => folded_parts(name).pop().unwrap_or_default(),
        _ => return Vec::new(),
    };
    let Some(selection) = select.selection.take() else { return Vec::new() };
    let mut terms = Vec::new();
    conjuncts(selection, &mut terms);
    let is_foreign = |term: &Expr| is_qualified(term, |qualifier| qualifier != table);
    let (foreign, own): (Vec<Expr>, Vec<Expr>) = terms.into_iter().partition(is_foreign);
    select.selection = own.into_iter().reduce(and);
    foreign
}

pub(super) fn conjuncts(condition: Expr, terms: &mut Vec<Expr>) {
    match condition {
        Expr::BinaryOp { left, op: BinaryOperator::And, right } => {
            conjuncts(*left, terms);
            conjuncts(*right, terms);
        }
        other => terms.push(other),
    }
}

pub(super) fn and(left: Expr, right: Expr) -> Expr {
    Expr::BinaryOp { left: Box::new(left), op: BinaryOperator::And, right: Box::new(right) }
}

/// Whether one of the conditions joined by AND compares the table's column with a column of another table.
fn binds(condition: &Expr, table: &str, column: &str) -> bool {
    let is_column = |expr: &Expr| is_qualified(expr, |qualifier| qualifier == table) && last(expr).is_some_and(|name| name == column);
    let is_foreign = |expr: &Expr| is_qualified(expr, |qualifier| qualifier != table);
    match condition {
        Expr::Nested(inner) => binds(inner, table, column),
        Expr::BinaryOp { left, op: BinaryOperator::And, right } => binds(left, table, column) || binds(right, table, column),
        Expr::BinaryOp { left, op: BinaryOperator::Eq, right } => {
            (is_column(left) && is_foreign(right)) || (is_column(right) && is_foreign(left))
        }
        _ => false,
    }
}

pub(super) fn is_qualified(expr: &Expr, qualifies: impl Fn(&str) -> bool) -> bool {
    match expr {
        Expr::CompoundIdentifier(parts) if parts.len() >= 2 => qualifies(&folded(&parts[parts.len() - 2])),
        _ => false,
    }
}

pub(super) fn last(expr: &Expr) -> Option<String> {
    match expr {
        Expr::CompoundIdentifier(parts) => parts.last().map(folded),
        _ => None,
    }
}
