//! Aggregates that belong to a query around the one they stand in: `SELECT (SELECT sum(o.x)) FROM o`.
//!
//! D43: an aggregate belongs to the innermost query that it reads a column of. That query is grouped first, in a query of its own, and what reads
//!     its groups stands around that one.
//! Never: touches a query that no aggregate within another belongs to.

use std::ops::ControlFlow;

use base::{SqlError, SqlResult, SqlState};
use sqlparser::ast::{
    Expr, Function, GroupByExpr, Ident, OrderByKind, Query, Select, SelectItem, SetExpr, Statement, TableFactor, TableWithJoins, Value,
    Visit, VisitMut, Visitor, VisitorMut,
};
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::Parser;

use super::groups::Groups;
use super::listed::{Ctes, Listing, Relation};
use super::outside;
use crate::context::Context;
use crate::names;
use crate::position::{folded, folded_parts};

/// The query around one that is grouped.
const AROUND: &str = "SELECT 1 FROM (SELECT 1) AS g";

/// Aggregates to the parser that are written otherwise later.
const WRITTEN: [&str; 4] = ["json_agg", "jsonb_agg", "json_object_agg", "jsonb_object_agg"];

/// Rewrites the statement. Errors: 42803, 0A000.
pub(crate) fn lift(statement: &mut Statement, context: &Context<'_>) -> SqlResult<()> {
    let mut lift = Lift { listing: Listing { context }, ctes: vec![Ctes::default()], scopes: Vec::new(), lifted: Vec::new() };
    match VisitMut::visit(statement, &mut lift) {
        ControlFlow::Break(error) => Err(error),
        ControlFlow::Continue(()) => Ok(()),
    }
}

pub(super) fn grouping(message: impl Into<String>) -> SqlError {
    SqlError::new(SqlState::GROUPING_ERROR, message.into())
}

/// A SELECT being read.
struct Scope {
    relations: Vec<Option<Relation>>,
    /// Aggregates of queries within it that belong to it.
    claimed: Vec<Expr>,
}

struct Lift<'a> {
    listing: Listing<'a>,
    ctes: Vec<Ctes>,
    scopes: Vec<Scope>,
    /// How the query's order reads its groups, for each query being read.
    lifted: Vec<Option<Groups>>,
}

impl VisitorMut for Lift<'_> {
    type Break = SqlError;

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<SqlError> {
        let known = self.listing.with(query, self.ctes.last().cloned().unwrap_or_default());
        self.ctes.push(known);
        self.lifted.push(None);
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, query: &mut Query) -> ControlFlow<SqlError> {
        self.ctes.pop();
        if let Some(mut groups) = self.lifted.pop().flatten()
            && let Some(OrderByKind::Expressions(keys)) = query.order_by.as_mut().map(|order| &mut order.kind)
        {
            keys.iter_mut().filter(|key| !matches!(key.expr, Expr::Value(_))).for_each(|key| groups.read(&mut key.expr));
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<SqlError> {
        let ctes = self.ctes.last().cloned().unwrap_or_default();
        let mut relations = Vec::new();
        select.from.iter().for_each(|from| self.listing.relations(from, &ctes, false, &mut relations));
        self.scopes.push(Scope { relations, claimed: Vec::new() });
        // What is shown of an aggregate that leaves is its name.
        for item in select.projection.iter_mut().filter(|_| self.scopes.len() > 1) {
            if let SelectItem::UnnamedExpr(expr) = item
                && outside::calls(expr, &|call| self.is_aggregate(call))
            {
                let alias = Ident::with_quote('"', names::figured(expr));
                let expr = std::mem::replace(expr, Expr::Value(Value::Null.into()));
                *item = SelectItem::ExprWithAlias { expr, alias };
            }
        }
        ControlFlow::Continue(())
    }

    fn post_visit_select(&mut self, select: &mut Select) -> ControlFlow<SqlError> {
        let Some(scope) = self.scopes.pop() else { return ControlFlow::Continue(()) };
        if scope.claimed.is_empty() {
            return ControlFlow::Continue(());
        }
        let is_aggregate = |call: &Function| self.is_aggregate(call);
        match group(select, scope, self.scopes.len(), &is_aggregate) {
            Ok(groups) => {
                if let Some(lifted) = self.lifted.last_mut() {
                    *lifted = Some(groups);
                }
                ControlFlow::Continue(())
            }
            Err(error) => ControlFlow::Break(error),
        }
    }

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<SqlError> {
        if let Expr::Function(call) = &*expr
            && self.scopes.len() > 1
            && self.is_aggregate(call)
            && let Some(level) = self.level_of(expr).filter(|level| level + 1 < self.scopes.len())
        {
            let claimed = &mut self.scopes[level].claimed;
            let at = claimed.iter().position(|known| known == expr).unwrap_or(claimed.len());
            let place = Expr::CompoundIdentifier(vec![relation(level), Ident::with_quote('"', format!("a{at}"))]);
            let aggregate = std::mem::replace(expr, place);
            if at == claimed.len() {
                claimed.push(aggregate);
            }
        }
        ControlFlow::Continue(())
    }
}

impl Lift<'_> {
    fn is_aggregate(&self, call: &Function) -> bool {
        let is_known = |name: &String| self.listing.context.is_aggregate(name) || WRITTEN.contains(&name.as_str());
        call.over.is_none() && folded_parts(&call.name).last().is_some_and(is_known)
    }

    /// The innermost query that an expression reads a column of, from the outermost; `None` if it reads none, or one that cannot be placed.
    fn level_of(&self, expr: &Expr) -> Option<usize> {
        let mut columns = Columns(Vec::new());
        let _ = Visit::visit(expr, &mut columns);
        let levels = columns.0.iter().map(|(relation, column)| {
            self.scopes.iter().rposition(|scope| {
                scope.relations.iter().any(|known| match (known, relation) {
                    (None, _) => true,
                    (Some(known), Some(relation)) => known.name == *relation,
                    (Some(known), None) => known.columns.contains(column),
                })
            })
        });
        levels.collect::<Option<Vec<_>>>()?.into_iter().max()
    }
}

/// Columns as they are written.
struct Columns(Vec<(Option<String>, String)>);

impl Visitor for Columns {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        match expr {
            Expr::Identifier(ident) => self.0.push((None, folded(ident))),
            Expr::CompoundIdentifier(parts) => {
                let relation = parts.len().checked_sub(2).and_then(|at| parts.get(at)).map(folded);
                self.0.extend(parts.last().map(|column| (relation, folded(column))));
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

/// The relation of a query's groups.
fn relation(level: usize) -> Ident {
    Ident::with_quote('"', format!("\u{1}groups {level}"))
}

/// D43. Errors: 42803 for an aggregate that is read before there are groups; 0A000 for GROUPING SETS and the like.
fn group(select: &mut Select, scope: Scope, level: usize, is_aggregate: &dyn Fn(&Function) -> bool) -> SqlResult<Groups> {
    let name = relation(level);
    let reads = |node: &dyn Fn(&mut Reads<'_>) -> ControlFlow<()>| node(&mut Reads { name: &name.value }).is_break();
    if reads(&|reader| Visit::visit(&select.selection, reader)) {
        return Err(grouping("aggregate functions are not allowed in WHERE"));
    }
    if reads(&|reader| Visit::visit(&select.from, reader)) {
        return Err(grouping("aggregate functions are not allowed in FROM clause of their own query level"));
    }
    let keys = match &select.group_by {
        GroupByExpr::Expressions(keys, modifiers) if modifiers.is_empty() && !keys.iter().any(is_set) => keys.clone(),
        _ => return Err(SqlError::unsupported("an aggregate of a query around in a query with GROUPING SETS")),
    };
    let relations: Vec<Relation> = scope.relations.into_iter().flatten().collect();
    let keys = keys.into_iter().map(|key| item_of(select, key, &relations)).collect::<Vec<_>>();
    if let GroupByExpr::Expressions(given, _) = &mut select.group_by {
        given.clone_from(&keys);
    }
    let mut groups = Groups::new(name.clone(), keys, scope.claimed, relations);
    let mut items = std::mem::take(&mut select.projection);
    for item in &mut items {
        match item {
            SelectItem::UnnamedExpr(expr) => {
                let alias = Ident::with_quote('"', names::figured(expr));
                let mut expr = std::mem::replace(expr, Expr::Value(Value::Null.into()));
                groups.gather(&mut expr, is_aggregate)?;
                *item = SelectItem::ExprWithAlias { expr, alias };
            }
            SelectItem::ExprWithAlias { expr, .. } => groups.gather(expr, is_aggregate)?,
            _ => return Err(grouping("columns of * must appear in the GROUP BY clause or be used in an aggregate function")),
        }
    }
    let mut having = select.having.take();
    having.iter_mut().try_for_each(|having| groups.gather(having, is_aggregate))?;
    let distinct = select.distinct.take();
    let unread = || SqlError::internal("D43: the query around groups does not parse");
    let parsed = Parser::parse_sql(&PostgreSqlDialect {}, AROUND).ok().and_then(|mut statements| statements.pop());
    let Some(Statement::Query(around)) = parsed else { return Err(unread()) };
    let SetExpr::Select(mut around) = *around.body else { return Err(unread()) };
    select.projection = groups.items();
    let [TableWithJoins { relation: TableFactor::Derived { subquery, alias: Some(alias), .. }, .. }] = around.from.as_mut_slice() else {
        return Err(unread());
    };
    alias.name = name;
    (around.projection, around.selection, around.distinct) = (items, having, distinct);
    around.named_window = std::mem::take(&mut select.named_window);
    let grouped = Select::clone(select);
    *subquery.body = SetExpr::Select(Box::new(grouped));
    *select = *around;
    Ok(groups)
}

fn is_set(key: &Expr) -> bool {
    matches!(key, Expr::GroupingSets(_) | Expr::Cube(_) | Expr::Rollup(_))
}

/// A key that is an item's place or name, as the item.
fn item_of(select: &Select, key: Expr, relations: &[Relation]) -> Expr {
    let place = match &key {
        Expr::Value(value) => match &value.value {
            Value::Number(digits, _) => digits.parse::<usize>().ok().and_then(|place| place.checked_sub(1)),
            _ => None,
        },
        Expr::Identifier(name) if !relations.iter().any(|relation| relation.columns.contains(&folded(name))) => select
            .projection
            .iter()
            .position(|item| matches!(item, SelectItem::ExprWithAlias { alias, .. } if folded(alias) == folded(name))),
        _ => None,
    };
    match place.and_then(|place| select.projection.get(place)) {
        Some(SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. }) => expr.clone(),
        _ => key,
    }
}

/// Stops where a relation is read.
struct Reads<'a> {
    name: &'a str,
}

impl Visitor for Reads<'_> {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        match expr {
            Expr::CompoundIdentifier(parts) if parts.first().is_some_and(|first| first.value == self.name) => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        }
    }
}
