//! Relations around a query that are called like a column within it: `a.x`, where a relation of the query itself has a column `a`.
//!
//! D42: before a point a name is a relation's. The engine looks for a column first, so such a relation gets a name that no column has.
//! Never: touches a statement that has no such name.

use std::collections::HashSet;
use std::ops::ControlFlow;

use sqlparser::ast::{
    Expr, Ident, ObjectName, Query, Select, SelectItem, SelectItemQualifiedWildcardKind, Statement, TableAlias, TableFactor, Visit,
    VisitMut, Visitor, VisitorMut,
};

use super::listed::{Ctes, Listing, Relation};
use crate::context::Context;
use crate::names;
use crate::position::{folded, folded_parts};

/// Renames such relations.
pub(crate) fn keep_apart(statement: &mut Statement, context: &Context<'_>) {
    let mut search = Search { listing: Listing { context }, ctes: vec![Ctes::default()], scopes: Vec::new(), hidden: HashSet::new() };
    let _ = Visit::visit(&*statement, &mut search);
    if !search.hidden.is_empty() {
        let _ = VisitMut::visit(statement, &mut Rename { hidden: search.hidden });
    }
}

struct Search<'a> {
    listing: Listing<'a>,
    ctes: Vec<Ctes>,
    scopes: Vec<Vec<Option<Relation>>>,
    hidden: HashSet<String>,
}

impl Visitor for Search<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        let known = self.listing.with(query, self.ctes.last().cloned().unwrap_or_default());
        self.ctes.push(known);
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _query: &Query) -> ControlFlow<()> {
        self.ctes.pop();
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<()> {
        let ctes = self.ctes.last().cloned().unwrap_or_default();
        let mut relations = Vec::new();
        select.from.iter().for_each(|from| self.listing.relations(from, &ctes, false, &mut relations));
        self.scopes.push(relations);
        ControlFlow::Continue(())
    }

    fn post_visit_select(&mut self, _select: &Select) -> ControlFlow<()> {
        self.scopes.pop();
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        if let Expr::CompoundIdentifier(parts) = expr
            && let [relation, _] = parts.as_slice()
            && let Some((own, around)) = self.scopes.split_last()
        {
            let name = folded(relation);
            let is_relation = |scope: &Vec<Option<Relation>>| scope.iter().flatten().any(|relation| relation.name == name);
            let is_column = own.iter().flatten().any(|relation| relation.columns.contains(&name));
            if is_column && !is_relation(own) && around.iter().any(is_relation) {
                self.hidden.insert(name);
            }
        }
        ControlFlow::Continue(())
    }
}

struct Rename {
    hidden: HashSet<String>,
}

impl Rename {
    fn renamed(&self, name: &str) -> Option<Ident> {
        self.hidden.contains(name).then(|| Ident::with_quote('"', names::kept_apart(name, 0)))
    }

    fn alias(&self, alias: &mut TableAlias) {
        if let Some(renamed) = self.renamed(&folded(&alias.name)) {
            alias.name = renamed;
        }
    }
}

impl VisitorMut for Rename {
    type Break = ();

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<()> {
        match factor {
            TableFactor::Table { alias: Some(alias), .. }
            | TableFactor::Derived { alias: Some(alias), .. }
            | TableFactor::Function { alias: Some(alias), .. }
            | TableFactor::UNNEST { alias: Some(alias), .. }
            | TableFactor::NestedJoin { alias: Some(alias), .. } => self.alias(alias),
            TableFactor::Table { name, alias: alias @ None, args: None, .. } => {
                let renamed = folded_parts(name).last().and_then(|name| self.renamed(name));
                *alias = renamed.map(|name| TableAlias { explicit: true, name, columns: vec![], at: None });
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<()> {
        for item in &mut select.projection {
            if let SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), _) = item
                && let [only] = folded_parts(name).as_slice()
                && let Some(renamed) = self.renamed(only)
            {
                *name = ObjectName::from(vec![renamed]);
            }
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if let Expr::CompoundIdentifier(parts) = expr
            && let [relation, _] = parts.as_mut_slice()
            && let Some(renamed) = self.renamed(&folded(relation))
        {
            *relation = renamed;
        }
        ControlFlow::Continue(())
    }
}
