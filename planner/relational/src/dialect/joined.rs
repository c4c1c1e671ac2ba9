//! Joins by USING and NATURAL as joins ON, the columns they make one of two written out where a bare name or `*` finds them.
//!
//! D39: a bare name within a query is the innermost relation's, or join's, that has a column of the name.
//! D40: an alias that names fewer columns than there are leaves the rest their names.
//! D41: what a query is ordered by may be a name of its list, alone; within an expression a name is a column's.
//! Never: touches a join of which a relation cannot be listed: the engine joins by USING itself, with the columns in another order.

use std::collections::HashSet;
use std::ops::ControlFlow;

use base::{SqlError, SqlResult, SqlState};
use sqlparser::ast::{
    BinaryOperator, Expr, Ident, Join, JoinConstraint, JoinOperator, ObjectName, OrderBy, OrderByKind, Query, Select, SelectItem,
    SelectItemQualifiedWildcardKind, SetExpr, Statement, TableAlias, TableAliasColumnDef, TableFactor, TableWithJoins, Value, VisitMut,
    VisitorMut,
};
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::Parser;

use super::listed::{Ctes, Listing, Pairs, Visible, constraint, joined};
use super::outside;
use crate::context::Context;
use crate::names;
use crate::position::{folded, folded_parts};

/// The query that a join with an alias becomes.
const AROUND: &str = "SELECT 1 FROM around";

/// Rewrites the statement in place, before SELECT items get their names. Errors: 42702, 42703.
pub(crate) fn write_out(statement: &mut Statement, context: &Context<'_>) -> SqlResult<()> {
    let mut joins = Joins { listing: Listing { context }, ctes: vec![Ctes::default()], scopes: Vec::new(), orders: Vec::new() };
    match VisitMut::visit(statement, &mut joins) {
        ControlFlow::Break(error) => Err(error),
        ControlFlow::Continue(()) => Ok(()),
    }
}

/// What bare names are in a SELECT.
#[derive(Clone, Default)]
struct Scope {
    merged: Vec<(String, Expr)>,
    /// Relations and their columns.
    relations: Vec<(String, Vec<String>)>,
    /// Every column of FROM; `None` where some relation cannot be listed.
    names: Option<HashSet<String>>,
}

/// The order of a query, taken out until its list is done.
struct Order {
    by: Option<OrderBy>,
    scope: Scope,
    /// The list's items by name.
    items: Vec<(String, Expr)>,
}

struct Joins<'a> {
    listing: Listing<'a>,
    ctes: Vec<Ctes>,
    scopes: Vec<Scope>,
    orders: Vec<Order>,
}

impl VisitorMut for Joins<'_> {
    type Break = SqlError;

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<SqlError> {
        let around = self.ctes.last().cloned().unwrap_or_default();
        let mut known = around;
        for cte in query.with.iter_mut().flat_map(|with| &mut with.cte_tables) {
            let columns = self.listing.of_query(&cte.query, &known);
            complete(&mut cte.alias, columns.as_deref());
            known.insert(folded(&cte.alias.name), super::listed::renamed(columns, Some(&cte.alias)));
        }
        let order = match query.body.as_ref() {
            SetExpr::Select(select) => {
                let items = select.projection.iter().filter_map(name_of).collect();
                Order { scope: self.scope(select, &known), by: query.order_by.take(), items }
            }
            _ => Order { by: None, scope: Scope::default(), items: Vec::new() },
        };
        self.ctes.push(known);
        self.orders.push(order);
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, query: &mut Query) -> ControlFlow<SqlError> {
        let Some(Order { by, scope, items }) = self.orders.pop() else { return ControlFlow::Continue(()) };
        if let Some(mut by) = by {
            self.scopes.push(scope);
            if let OrderByKind::Expressions(keys) = &mut by.kind {
                for key in keys {
                    if let Expr::Identifier(ident) = &key.expr
                        && is_item(&folded(ident), &items)?
                    {
                        continue;
                    }
                    self.read_key(&mut key.expr, &items)?;
                    VisitMut::visit(&mut key.expr, self)?;
                }
            }
            self.scopes.pop();
            query.order_by = Some(by);
        }
        self.ctes.pop();
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<SqlError> {
        let ctes = self.ctes.last().cloned().unwrap_or_default();
        let scope = self.scope(select, &ctes);
        // Beside other items a column that `*` brings along may have the name of one of them.
        if select.from.iter().any(merges) || select.projection.len() > 1 {
            let visible: Option<Vec<Vec<Visible>>> = select.from.iter().map(|from| self.listing.visible(from, &ctes)).collect();
            spread(select, visible.map(|visible| visible.concat()).as_deref(), &scope);
        }
        for from in &mut select.from {
            if let Err(error) = self.respell(from, &ctes) {
                return ControlFlow::Break(error);
            }
        }
        self.scopes.push(scope);
        for item in &mut select.projection {
            if let SelectItem::UnnamedExpr(expr) = item
                && self.reads_merged(expr)
            {
                let alias = Ident::with_quote('"', names::figured(expr));
                let expr = std::mem::replace(expr, Expr::Value(Value::Null.into()));
                *item = SelectItem::ExprWithAlias { expr, alias };
            }
        }
        ControlFlow::Continue(())
    }

    fn post_visit_select(&mut self, _select: &mut Select) -> ControlFlow<SqlError> {
        self.scopes.pop();
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<SqlError> {
        let ctes = self.ctes.last().cloned().unwrap_or_default();
        let columns = self.listing.of_factor(factor, &ctes);
        if let TableFactor::Table { alias: Some(alias), args: None, .. } | TableFactor::Derived { alias: Some(alias), .. } = factor {
            complete(alias, columns.as_deref());
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<SqlError> {
        match expr {
            Expr::Identifier(ident) => {
                if let Some(value) = self.merged(&folded(ident)) {
                    *expr = value;
                }
            }
            Expr::CompoundIdentifier(parts) => {
                if let [relation, column] = parts.as_slice()
                    && self.is_ambiguous(&folded(relation), &folded(column))
                {
                    let message = format!("column reference \"{}\" is ambiguous", folded(column));
                    return ControlFlow::Break(SqlError::new(SqlState("42702"), message));
                }
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

impl Joins<'_> {
    fn scope(&self, select: &Select, ctes: &Ctes) -> Scope {
        let mut relations = Vec::new();
        select.from.iter().for_each(|from| self.listing.relations(from, ctes, false, &mut relations));
        let names = relations.iter().map(|relation| Some(relation.as_ref()?.columns.clone())).collect::<Option<Vec<_>>>();
        let visible = select.from.iter().filter_map(|from| self.listing.visible(from, ctes)).flatten();
        let merged = visible.filter(|column| column.is_merged).map(|column| (column.name, column.value)).collect();
        let relations = relations.into_iter().flatten().map(|relation| (relation.name, relation.columns)).collect();
        Scope { merged, relations, names: names.map(|names| names.into_iter().flatten().collect()) }
    }

    /// D39.
    fn merged(&self, name: &str) -> Option<Expr> {
        for scope in self.scopes.iter().rev() {
            if let Some((_, value)) = scope.merged.iter().find(|(known, _)| known == name) {
                return Some(value.clone());
            }
            if scope.names.as_ref().is_none_or(|names| names.contains(name)) {
                return None;
            }
        }
        None
    }

    /// Whether an expression reads a column that a join made, outside its subqueries.
    fn reads_merged(&self, expr: &Expr) -> bool {
        let mut found = false;
        outside::each(&mut expr.clone(), &mut |expr| {
            found |= matches!(expr, Expr::Identifier(ident) if self.merged(&folded(ident)).is_some());
        });
        found
    }

    fn is_ambiguous(&self, relation: &str, column: &str) -> bool {
        let mut relations = self.scopes.iter().rev().flat_map(|scope| &scope.relations);
        let found = relations.find(|(name, _)| name == relation);
        found.is_some_and(|(_, columns)| columns.iter().filter(|name| *name == column).count() > 1)
    }

    /// D41.
    fn read_key(&self, key: &mut Expr, items: &[(String, Expr)]) -> ControlFlow<SqlError> {
        let Some((Scope { names: Some(known), relations, .. }, outer)) = self.scopes.split_last() else {
            return ControlFlow::Continue(());
        };
        let is_outer = |name: &String| outer.iter().any(|scope| scope.names.as_ref().is_none_or(|names| names.contains(name)));
        let mut missing = None;
        outside::each(key, &mut |expr| {
            let Expr::Identifier(ident) = &*expr else { return };
            let name = folded(ident);
            if !items.iter().any(|(item, _)| *item == name) {
                return;
            }
            let mut holders = relations.iter().filter(|(_, columns)| columns.contains(&name));
            match (holders.next(), holders.next()) {
                (Some((relation, _)), None) => {
                    *expr = Expr::CompoundIdentifier(vec![Ident::with_quote('"', relation), Ident::with_quote('"', &name)]);
                }
                (None, _) if !known.contains(&name) && !is_outer(&name) && missing.is_none() => missing = Some(name),
                _ => {}
            }
        });
        match missing {
            Some(name) => ControlFlow::Break(SqlError::new(SqlState::UNDEFINED_COLUMN, format!("column \"{name}\" does not exist"))),
            None => ControlFlow::Continue(()),
        }
    }

    /// The joins of a FROM item that merge columns, as joins ON.
    fn respell(&self, from: &mut TableWithJoins, ctes: &Ctes) -> SqlResult<()> {
        self.respell_relation(&mut from.relation, ctes)?;
        for join in &mut from.joins {
            self.respell_relation(&mut join.relation, ctes)?;
        }
        if !from.joins.iter().any(|join| is_merging(&join.join_operator)) || self.listing.visible(from, ctes).is_none() {
            return Ok(());
        }
        let Some(mut left) = self.listing.of_relation(&from.relation, ctes) else { return Ok(()) };
        for join in &mut from.joins {
            let Some(right) = self.listing.of_relation(&join.relation, ctes) else { return Ok(()) };
            let Some((columns, pairs)) = joined(left, right, join) else { return Ok(()) };
            left = columns;
            put_condition(join, pairs);
        }
        Ok(())
    }

    fn respell_relation(&self, relation: &mut TableFactor, ctes: &Ctes) -> SqlResult<()> {
        let TableFactor::NestedJoin { table_with_joins, alias } = relation else { return Ok(()) };
        let visible = self.listing.visible(table_with_joins, ctes);
        self.respell(table_with_joins, ctes)?;
        let (Some(_), Some(visible)) = (&alias, visible) else { return Ok(()) };
        let unread = || SqlError::internal("D39: the query around a join does not parse");
        let parsed = Parser::parse_sql(&PostgreSqlDialect {}, AROUND).ok().and_then(|mut statements| statements.pop());
        let Some(Statement::Query(mut subquery)) = parsed else { return Err(unread()) };
        let SetExpr::Select(select) = subquery.body.as_mut() else { return Err(unread()) };
        select.from = vec![table_with_joins.as_ref().clone()];
        select.projection = visible.iter().map(shown).collect();
        *relation = TableFactor::Derived { lateral: false, subquery, alias: alias.take(), sample: None };
        Ok(())
    }
}

fn merges(from: &TableWithJoins) -> bool {
    let nested =
        |factor: &TableFactor| matches!(factor, TableFactor::NestedJoin { table_with_joins, alias: None } if merges(table_with_joins));
    nested(&from.relation) || from.joins.iter().any(|join| is_merging(&join.join_operator) || nested(&join.relation))
}

fn is_merging(operator: &JoinOperator) -> bool {
    matches!(constraint(operator), Some(JoinConstraint::Using(_) | JoinConstraint::Natural))
}

fn put_condition(join: &mut Join, pairs: Pairs) {
    if !is_merging(&join.join_operator) {
        return;
    }
    let equal = |(left, right): (Expr, Expr)| Expr::BinaryOp { left: Box::new(left), op: BinaryOperator::Eq, right: Box::new(right) };
    let both = |left, right| Expr::BinaryOp { left: Box::new(left), op: BinaryOperator::And, right: Box::new(right) };
    let condition = pairs.into_iter().map(equal).reduce(both).unwrap_or_else(|| Expr::Value(Value::Boolean(true).into()));
    if let JoinOperator::Join(constraint)
    | JoinOperator::Inner(constraint)
    | JoinOperator::Left(constraint)
    | JoinOperator::LeftOuter(constraint)
    | JoinOperator::Right(constraint)
    | JoinOperator::RightOuter(constraint)
    | JoinOperator::FullOuter(constraint) = &mut join.join_operator
    {
        *constraint = JoinConstraint::On(condition);
    }
}

fn shown(column: &Visible) -> SelectItem {
    SelectItem::ExprWithAlias { expr: column.value.clone(), alias: Ident::with_quote('"', &column.name) }
}

/// Every `*` and `t.*` as the columns that it shows, where they are known.
fn spread(select: &mut Select, visible: Option<&[Visible]>, scope: &Scope) {
    let items = std::mem::take(&mut select.projection);
    for item in items {
        match (item, visible) {
            (SelectItem::Wildcard(options), Some(visible)) if options.opt_exclude.is_none() => {
                select.projection.extend(
                    visible.iter().map(
                        |column| {
                            if column.is_merged { shown(column) } else { SelectItem::UnnamedExpr(column.value.clone()) }
                        },
                    ),
                );
            }
            (SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), options), _)
                if options.opt_exclude.is_none() && scope.columns_of(&name).is_some() =>
            {
                let relation = Ident::with_quote('"', folded_parts(&name).pop().unwrap_or_default());
                let column = |column: &String| Expr::CompoundIdentifier(vec![relation.clone(), Ident::with_quote('"', column)]);
                let columns = scope.columns_of(&name).unwrap_or_default();
                select.projection.extend(columns.iter().map(|name| SelectItem::UnnamedExpr(column(name))));
            }
            (other, _) => select.projection.push(other),
        }
    }
}

impl Scope {
    /// The columns of a relation of this scope, none of which has another's name.
    fn columns_of(&self, name: &ObjectName) -> Option<&[String]> {
        let parts = folded_parts(name);
        let [name] = parts.as_slice() else { return None };
        let mut named = self.relations.iter().filter(|(relation, _)| relation == name);
        let (_, columns) = named.next().filter(|_| named.next().is_none())?;
        let mut met = HashSet::new();
        columns.iter().all(|column| met.insert(column)).then_some(columns)
    }
}

fn name_of(item: &SelectItem) -> Option<(String, Expr)> {
    match item {
        SelectItem::UnnamedExpr(expr) => Some((names::figured(expr), expr.clone())),
        SelectItem::ExprWithAlias { alias, expr } => Some((folded(alias), expr.clone())),
        _ => None,
    }
}

/// Whether a name alone is an item's. Errors: 42702 if it is that of several.
fn is_item(name: &str, items: &[(String, Expr)]) -> ControlFlow<SqlError, bool> {
    let mut named = items.iter().filter(|(item, _)| item == name).map(|(_, expr)| expr);
    let Some(first) = named.next() else { return ControlFlow::Continue(false) };
    if named.any(|other| other != first) {
        return ControlFlow::Break(SqlError::new(SqlState("42702"), format!("ORDER BY \"{name}\" is ambiguous")));
    }
    ControlFlow::Continue(true)
}

/// D40.
fn complete(alias: &mut TableAlias, columns: Option<&[String]>) {
    let Some(columns) = columns.filter(|columns| !alias.columns.is_empty() && columns.len() > alias.columns.len()) else { return };
    let mut met: HashSet<String> = alias.columns.iter().map(|column| folded(&column.name)).collect();
    for (at, name) in columns.iter().enumerate().skip(alias.columns.len()) {
        let name = if met.insert(name.clone()) { name.clone() } else { names::kept_apart(name, at) };
        alias.columns.push(TableAliasColumnDef { name: Ident::with_quote('"', name), data_type: None });
    }
}
