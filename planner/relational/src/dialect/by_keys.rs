//! A correlated scalar subquery over several tables, each by its unique columns, becomes a lookup for each column it uses.
//!
//! D19: only where each table is bound to columns of the outer row alone, so that it gives one row at most; a column of a row that is not there is
//!      NULL, and what remains of the conditions decides whether there is an answer.
//! Never: for a subquery that groups, sorts, limits or joins otherwise than by a list of tables.

use std::collections::HashSet;
use std::ops::ControlFlow;

use sqlparser::ast::helpers::attached_token::AttachedToken;
use sqlparser::ast::{
    BinaryOperator, CaseWhen, Expr, FunctionArgExpr, GroupByExpr, Ident, Query, Select, SelectItem, SetExpr, TableFactor, TableWithJoins,
    VisitMut, VisitorMut,
};

use super::by_key::{and, conjuncts, is_qualified, last};
use super::spelling::call;
use crate::context::Context;
use crate::position::{folded, folded_parts};

/// One table of the list and the conditions that bind it.
struct Source {
    from: TableWithJoins,
    alias: String,
    bound: Vec<Expr>,
    key: String,
    is_used: bool,
}

/// The expression that stands for the subquery, if it is one of these.
pub(super) fn split(query: &Query, context: &Context<'_>, ctes: &HashSet<String>) -> Option<Expr> {
    let SetExpr::Select(select) = query.body.as_ref() else { return None };
    let Select { group_by, having: None, distinct: None, selection: Some(selection), from, .. } = select.as_ref() else { return None };
    let is_ungrouped = matches!(group_by, GroupByExpr::Expressions(keys, modifiers) if keys.is_empty() && modifiers.is_empty());
    if from.len() < 2 || !is_ungrouped || query.with.is_some() || query.limit_clause.is_some() {
        return None;
    }
    let [SelectItem::UnnamedExpr(value) | SelectItem::ExprWithAlias { expr: value, .. }] = select.projection.as_slice() else {
        return None;
    };
    let mut terms = Vec::new();
    conjuncts(selection.clone(), &mut terms);
    let mut sources = from.iter().map(|from| source(from, ctes)).collect::<Option<Vec<_>>>()?;
    let own: Vec<String> = sources.iter().map(|source| source.alias.clone()).collect();
    let is_outer = |expr: &Expr| is_qualified(expr, |qualifier| !own.iter().any(|alias| alias == qualifier));
    let mut rest = Vec::new();
    for term in terms {
        match sources.iter_mut().find(|source| binds(&term, &source.alias, &is_outer)) {
            Some(source) => source.bound.push(term),
            None => rest.push(term),
        }
    }
    for source in &mut sources {
        let TableFactor::Table { name, .. } = &source.from.relation else { return None };
        let unique = context.unique_columns(name)?;
        let is_bound = |column: &String| source.bound.iter().any(|term| names(term, &source.alias, column));
        if !unique.iter().all(is_bound) {
            return None;
        }
        source.key = unique.into_iter().next()?;
    }
    let mut looked_up = LookedUp { query, sources: &mut sources };
    let mut value = value.clone();
    let _ = VisitMut::visit(&mut value, &mut looked_up);
    for term in &mut rest {
        let _ = VisitMut::visit(term, &mut looked_up);
    }
    // A table that nothing asks for must still have its row.
    let unused =
        sources.iter().filter(|source| !source.is_used).map(|source| Expr::IsNotNull(Box::new(lookup(query, source, &source.key))));
    rest.extend(unused);
    Some(match rest.into_iter().reduce(and) {
        None => value,
        Some(condition) => Expr::Case {
            case_token: AttachedToken::empty(),
            end_token: AttachedToken::empty(),
            operand: None,
            conditions: vec![CaseWhen { condition, result: value }],
            else_result: None,
        },
    })
}

fn source(from: &TableWithJoins, ctes: &HashSet<String>) -> Option<Source> {
    let TableFactor::Table { name, alias: Some(alias), args: None, .. } = &from.relation else { return None };
    let is_table = from.joins.is_empty() && folded_parts(name).last().is_some_and(|name| !ctes.contains(name));
    let (from, alias) = (from.clone(), folded(&alias.name));
    is_table.then(|| Source { from, alias, bound: Vec::new(), key: String::new(), is_used: false })
}

/// Whether a condition compares a column of the table with one of the outer row.
fn binds(term: &Expr, alias: &str, is_outer: &impl Fn(&Expr) -> bool) -> bool {
    let is_own = |expr: &Expr| is_qualified(expr, |qualifier| qualifier == alias);
    match term {
        Expr::BinaryOp { left, op: BinaryOperator::Eq, right } => (is_own(left) && is_outer(right)) || (is_own(right) && is_outer(left)),
        _ => false,
    }
}

/// Whether the column is one side of a condition of [`binds`].
fn names(term: &Expr, alias: &str, column: &str) -> bool {
    let is_it = |expr: &Expr| is_qualified(expr, |qualifier| qualifier == alias) && last(expr).is_some_and(|name| name == column);
    matches!(term, Expr::BinaryOp { left, right, .. } if is_it(left) || is_it(right))
}

/// Puts a lookup in the place of each column of a table of the list.
struct LookedUp<'a> {
    query: &'a Query,
    sources: &'a mut [Source],
}

impl VisitorMut for LookedUp<'_> {
    type Break = ();

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        let source = self.sources.iter_mut().find(|source| is_qualified(expr, |qualifier| qualifier == source.alias));
        if let (Some(source), Some(column)) = (source, last(expr)) {
            source.is_used = true;
            *expr = lookup(self.query, source, &column);
        }
        ControlFlow::Continue(())
    }
}

/// The column of the one row, as a scalar subquery: the greatest value of one is the value.
fn lookup(query: &Query, source: &Source, column: &str) -> Expr {
    let mut query = query.clone();
    query.order_by = None;
    if let SetExpr::Select(select) = query.body.as_mut() {
        let alias = Ident::with_quote('"', column);
        let item = Expr::CompoundIdentifier(vec![Ident::with_quote('"', source.alias.clone()), alias.clone()]);
        select.projection = vec![SelectItem::ExprWithAlias { expr: call("first_value", vec![FunctionArgExpr::Expr(item)]), alias }];
        select.from = vec![source.from.clone()];
        select.selection = source.bound.iter().cloned().reduce(and);
    }
    Expr::Subquery(Box::new(query))
}
