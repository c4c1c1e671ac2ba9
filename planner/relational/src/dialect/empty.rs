//! A SELECT over a table that can have no row is planned as a SELECT without rows, whatever it computes.
//!
//! D9: only a SELECT that joins such a table in and neither groups nor aggregates is replaced: it has no row whatever its other tables hold.
//! D10: the replaced SELECT keeps the names of its columns; each is `text`, since nothing is computed that could have another type, but in a set operation, whose other parts tell.
//! D11: relations have no storage options here, so `unnest(x.reloptions)` has no row either.
//! Never: touches a table that could have rows, empty or not.

use std::collections::HashSet;
use std::ops::ControlFlow;

use sqlparser::ast::{
    DataType, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, GroupByExpr, Ident, JoinOperator, ObjectName, Query, Select,
    SelectItem, SetExpr, Statement, TableFactor, TableWithJoins, Value, Visit, VisitMut, Visitor, VisitorMut,
};

use super::outside;
use super::spelling::cast;
use crate::context::Context;
use crate::hidden;
use crate::position::{folded, folded_parts};

/// Replaces what D9 allows, from the innermost SELECT out, after SELECT items got their names.
pub(crate) fn prune(statement: &mut Statement, context: &Context<'_>) {
    let mut search = Search { context, ctes: hidden::cte_names(statement), found: false };
    let _ = Visit::visit(&*statement, &mut search);
    if search.found {
        let _ = VisitMut::visit(statement, &mut Prune { context, ctes: search.ctes });
    }
}

/// Whether the statement reads such a table at all.
struct Search<'a> {
    context: &'a Context<'a>,
    ctes: HashSet<String>,
    found: bool,
}

impl Visitor for Search<'_> {
    type Break = ();

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
        self.found |= match factor {
            TableFactor::Table { name, args: None, .. } => is_empty(name, self.context, &self.ctes),
            other => is_unnested_options(other),
        };
        if self.found { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

fn is_empty(name: &ObjectName, context: &Context<'_>, ctes: &HashSet<String>) -> bool {
    let is_cte = matches!(name.0.as_slice(), [part] if part.as_ident().is_some_and(|ident| ctes.contains(&folded(ident))));
    !is_cte && context.is_always_empty(name)
}

/// D11.
fn is_unnested_options(factor: &TableFactor) -> bool {
    let is_options =
        |expr: &Expr| matches!(expr, Expr::CompoundIdentifier(parts) if parts.last().is_some_and(|last| folded(last) == "reloptions"));
    match factor {
        TableFactor::UNNEST { array_exprs, .. } => matches!(array_exprs.as_slice(), [expr] if is_options(expr)),
        TableFactor::Table { name, args: Some(args), .. } => {
            folded_parts(name).last().is_some_and(|name| name == "unnest")
                && matches!(args.args.as_slice(), [FunctionArg::Unnamed(FunctionArgExpr::Expr(expr))] if is_options(expr))
        }
        _ => false,
    }
}

struct Prune<'a> {
    context: &'a Context<'a>,
    ctes: HashSet<String>,
}

impl VisitorMut for Prune<'_> {
    type Break = ();

    fn post_visit_select(&mut self, select: &mut Select) -> ControlFlow<()> {
        if select.from.iter().any(|from| self.has_no_row(from)) && self.is_plain(select) {
            select.projection.iter_mut().for_each(empty_item);
            select.from.clear();
            select.distinct = None;
            select.selection = Some(no());
        }
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        if let SetExpr::SetOperation { left, right, .. } = query.body.as_mut() {
            untype(left);
            untype(right);
        }
        if is_pruned(query) {
            query.order_by = None;
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        match expr {
            Expr::Subquery(query) if is_pruned(query) => *expr = null(),
            Expr::Exists { subquery, negated } if is_pruned(subquery) => *expr = Expr::Value(Value::Boolean(*negated).into()),
            Expr::Function(function) if is_array_of_nothing(function) => {
                *expr = Expr::Value(Value::SingleQuotedString("{}".to_owned()).into());
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

impl Prune<'_> {
    fn has_no_row(&self, from: &TableWithJoins) -> bool {
        let mut no_row = self.is_empty_factor(&from.relation);
        for join in &from.joins {
            let right = self.is_empty_factor(&join.relation);
            no_row = match &join.join_operator {
                JoinOperator::Join(_) | JoinOperator::Inner(_) | JoinOperator::CrossJoin(_) => no_row || right,
                JoinOperator::Left(_) | JoinOperator::LeftOuter(_) => no_row,
                JoinOperator::Right(_) | JoinOperator::RightOuter(_) => right,
                JoinOperator::FullOuter(_) => no_row && right,
                _ => false,
            };
        }
        no_row
    }

    fn is_empty_factor(&self, factor: &TableFactor) -> bool {
        match factor {
            TableFactor::Table { name, args: None, .. } => is_empty(name, self.context, &self.ctes),
            TableFactor::Derived { subquery, .. } => is_pruned(subquery),
            TableFactor::NestedJoin { table_with_joins, .. } => self.has_no_row(table_with_joins),
            other => is_unnested_options(other),
        }
    }

    /// D9.
    fn is_plain(&self, select: &Select) -> bool {
        let ungrouped = matches!(&select.group_by, GroupByExpr::Expressions(keys, modifiers) if keys.is_empty() && modifiers.is_empty());
        let has_wildcard = select.projection.iter().any(|item| matches!(item, SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..)));
        let is_aggregate = |call: &Function| folded_parts(&call.name).last().is_none_or(|name| self.context.is_aggregate(name));
        ungrouped && !has_wildcard && !outside::calls(&select.projection, &is_aggregate) && select.having.is_none() && select.into.is_none()
    }
}

/// Whether the query is one that [`Prune`] replaced.
fn is_pruned(query: &Query) -> bool {
    matches!(query.body.as_ref(), SetExpr::Select(select) if select.from.is_empty() && select.selection.as_ref() == Some(&no()))
}

/// The columns of one part of a set operation take the types of the others.
fn untype(part: &mut SetExpr) {
    match part {
        SetExpr::Select(select) if select.from.is_empty() && select.selection.as_ref() == Some(&no()) => {
            for item in &mut select.projection {
                if let SelectItem::ExprWithAlias { expr, .. } = item {
                    *expr = null();
                }
            }
        }
        SetExpr::SetOperation { left, right, .. } => {
            untype(left);
            untype(right);
        }
        _ => {}
    }
}

/// `ARRAY(SELECT …)` of a SELECT without rows.
fn is_array_of_nothing(function: &Function) -> bool {
    folded_parts(&function.name) == ["array"] && matches!(&function.args, FunctionArguments::Subquery(query) if is_pruned(query))
}

fn empty_item(item: &mut SelectItem) {
    let alias = match item {
        SelectItem::ExprWithAlias { alias, .. } => alias.clone(),
        SelectItem::UnnamedExpr(Expr::Identifier(ident)) => ident.clone(),
        SelectItem::UnnamedExpr(Expr::CompoundIdentifier(parts)) => match parts.last() {
            Some(last) => last.clone(),
            None => return,
        },
        _ => Ident::with_quote('"', "?column?"),
    };
    *item = SelectItem::ExprWithAlias { expr: cast(null(), DataType::Text), alias };
}

fn null() -> Expr {
    Expr::Value(Value::Null.into())
}

fn no() -> Expr {
    Expr::Value(Value::Boolean(false).into())
}
