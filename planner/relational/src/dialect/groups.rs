//! The groups of a query that stands within the one that reads them: their columns, and expressions that read those.
//!
//! D44: what is a key is read as one, an aggregate as one; in queries within, only the keys are to be read otherwise.

use std::ops::ControlFlow;

use base::SqlResult;
use sqlparser::ast::{Expr, Function, Ident, Query, SelectItem, VisitMut, VisitorMut};

use super::listed::Relation;
use super::outer_aggregates::grouping;
use crate::position::folded;

pub(super) struct Groups {
    relation: Ident,
    keys: Vec<Expr>,
    aggregates: Vec<Expr>,
    /// Those that were grouped.
    relations: Vec<Relation>,
}

impl Groups {
    pub(super) fn new(relation: Ident, keys: Vec<Expr>, aggregates: Vec<Expr>, relations: Vec<Relation>) -> Self {
        Self { relation, keys, aggregates, relations }
    }

    /// The columns, as the query that groups shows them.
    pub(super) fn items(&self) -> Vec<SelectItem> {
        let named = |kind: char| {
            move |(at, expr): (usize, &Expr)| SelectItem::ExprWithAlias {
                expr: expr.clone(),
                alias: Ident::with_quote('"', format!("{kind}{at}")),
            }
        };
        self.keys.iter().enumerate().map(named('k')).chain(self.aggregates.iter().enumerate().map(named('a'))).collect()
    }

    fn column(&self, kind: char, at: usize) -> Expr {
        Expr::CompoundIdentifier(vec![self.relation.clone(), Ident::with_quote('"', format!("{kind}{at}"))])
    }

    /// The expression as one of the groups. Errors: 42803 for a column that is neither key nor aggregated.
    pub(super) fn gather(&mut self, expr: &mut Expr, is_aggregate: &dyn Fn(&Function) -> bool) -> SqlResult<()> {
        match VisitMut::visit(expr, &mut Gather { groups: self, is_aggregate: Some(is_aggregate), depth: 0 }) {
            ControlFlow::Break(column) => {
                Err(grouping(format!("column \"{column}\" must appear in the GROUP BY clause or be used in an aggregate function")))
            }
            ControlFlow::Continue(()) => Ok(()),
        }
    }

    /// A key of the query's order likewise, where it is one of the groups; anything else is left as it is.
    pub(super) fn read(&mut self, expr: &mut Expr) {
        let mut read = expr.clone();
        if VisitMut::visit(&mut read, &mut Gather { groups: self, is_aggregate: None, depth: 0 }).is_continue() {
            *expr = read;
        }
    }

    /// Whether two expressions are one column of what was grouped, or the same.
    fn is_key(&self, key: &Expr, expr: &Expr) -> bool {
        let is_known =
            |relation: &Option<String>| relation.as_ref().is_none_or(|name| self.relations.iter().any(|known| known.name == *name));
        let last = |expr: &Expr| match expr {
            Expr::Identifier(ident) => Some((None, folded(ident))),
            Expr::CompoundIdentifier(parts) => {
                let relation = parts.len().checked_sub(2).and_then(|at| parts.get(at)).map(folded);
                parts.last().map(|column| (relation, folded(column)))
            }
            _ => None,
        };
        match (last(key), last(expr)) {
            (Some((relation, column)), Some((other_relation, other))) => {
                let is_same = relation.is_none() || other_relation.is_none() || relation == other_relation;
                column == other && is_same && is_known(&other_relation)
            }
            _ => key == expr,
        }
    }

    /// Whether it is a column of what was grouped.
    fn is_grouped(&self, expr: &Expr, only_qualified: bool) -> Option<String> {
        let found = |relation: Option<String>, column: String| {
            let holds = self
                .relations
                .iter()
                .any(|known| relation.as_ref().is_none_or(|relation| *relation == known.name) && known.columns.contains(&column));
            holds.then(|| relation.map_or_else(|| column.clone(), |relation| format!("{relation}.{column}")))
        };
        match expr {
            Expr::Identifier(ident) if !only_qualified => found(None, folded(ident)),
            Expr::CompoundIdentifier(parts) => match parts.as_slice() {
                [relation, column] => found(Some(folded(relation)), folded(column)),
                _ => None,
            },
            _ => None,
        }
    }
}

struct Gather<'g, 'f> {
    groups: &'g mut Groups,
    /// `None`: no new aggregate can be added.
    is_aggregate: Option<&'f dyn Fn(&Function) -> bool>,
    /// Queries within the expression.
    depth: usize,
}

impl VisitorMut for Gather<'_, '_> {
    type Break = String;

    fn pre_visit_query(&mut self, _query: &mut Query) -> ControlFlow<String> {
        self.depth += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _query: &mut Query) -> ControlFlow<String> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<String> {
        let within = self.depth > 0;
        // A bare name in a query within may be a column of its own.
        let may_be_key = !within || !matches!(expr, Expr::Identifier(_));
        if let Some(at) = self.groups.keys.iter().position(|key| may_be_key && self.groups.is_key(key, expr)) {
            *expr = self.groups.column('k', at);
            return ControlFlow::Continue(());
        }
        let known = self.groups.aggregates.iter().position(|known| !within && known == expr);
        if let (Expr::Function(call), false) = (&*expr, within)
            && (known.is_some() || self.is_aggregate.is_some_and(|is_aggregate| is_aggregate(call)))
        {
            let at = known.unwrap_or(self.groups.aggregates.len());
            let aggregate = std::mem::replace(expr, self.groups.column('a', at));
            if known.is_none() {
                self.groups.aggregates.push(aggregate);
            }
            return ControlFlow::Continue(());
        }
        match self.groups.is_grouped(expr, within) {
            Some(column) => ControlFlow::Break(column),
            None => ControlFlow::Continue(()),
        }
    }
}
