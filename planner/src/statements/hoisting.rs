//! Subqueries that lock rows are run before the statement they stand in, each as a part of its own: what it found is a table to the rest.
//!
//! H1: a part is run once, however often the subquery would be; so it may not mention what is around it.
//! Never: moves a subquery that locks nothing.

use std::ops::ControlFlow;

use sqlparser::ast::helpers::attached_token::AttachedToken;
use sqlparser::ast::{
    Cte, Ident, ObjectName, Query, SelectItem, SetExpr, Statement, TableAlias, Visit, VisitMut, Visitor, VisitorMut,
    WildcardAdditionalOptions, With,
};

use super::rewrite;

/// The statement with every locking subquery as a part of its WITH list, before what reads it; `None` if it has none.
pub(super) fn hoist(statement: &Statement) -> Option<Statement> {
    if Visit::visit(statement, &mut Look).is_continue() {
        return None;
    }
    let (mut parts, mut count) = (Vec::new(), 0);
    let mut query = match statement.clone() {
        Statement::Query(query) => *query,
        mut other => {
            take_out(&mut other, 1, &mut parts, &mut count);
            around(other)?
        }
    };
    let with = query.with.take();
    let (with_token, recursive) = with.as_ref().map_or((AttachedToken::empty(), false), |with| (with.with_token.clone(), with.recursive));
    let mut ctes = Vec::new();
    for mut cte in with.into_iter().flat_map(|with| with.cte_tables) {
        take_out(&mut *cte.query, 0, &mut ctes, &mut count);
        ctes.push(cte);
    }
    ctes.append(&mut parts);
    take_out(&mut query, 0, &mut ctes, &mut count);
    if count == 0 {
        return None;
    }
    query.with = Some(With { with_token, recursive, cte_tables: ctes });
    Some(Statement::Query(Box::new(query)))
}

/// Takes the locking subqueries out of a node; `depth`: 0 where the node is a query that locks by itself.
fn take_out(node: &mut impl VisitMut, depth: usize, parts: &mut Vec<Cte>, count: &mut usize) {
    let _ = VisitMut::visit(node, &mut Found { depth, parts, count });
}

/// A query whose body is a statement that writes.
fn around(statement: Statement) -> Option<Query> {
    let body = match statement {
        Statement::Insert(_) => SetExpr::Insert(statement),
        Statement::Update(_) => SetExpr::Update(statement),
        Statement::Delete(_) => SetExpr::Delete(statement),
        Statement::Merge(_) => SetExpr::Merge(statement),
        _ => return None,
    };
    let Statement::Query(mut query) = rewrite::select(None, Vec::new(), Vec::new(), None) else { return None };
    *query.body = body;
    Some(*query)
}

/// Stops at a query that locks.
struct Look;

impl Visitor for Look {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        if query.locks.is_empty() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }
}

struct Found<'a> {
    /// Queries around the one at hand.
    depth: usize,
    parts: &'a mut Vec<Cte>,
    count: &'a mut usize,
}

impl VisitorMut for Found<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, _: &mut Query) -> ControlFlow<()> {
        self.depth += 1;
        ControlFlow::Continue(())
    }

    /// Inner ones first: what stands in a part comes before it.
    fn post_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        self.depth -= 1;
        if self.depth > 0 && !query.locks.is_empty() {
            let name = Ident::with_quote('"', format!("\u{1}locked{}", self.count));
            let from = rewrite::named(ObjectName::from(vec![name.clone()]), &name.value);
            let all = vec![SelectItem::Wildcard(WildcardAdditionalOptions::default())];
            let Statement::Query(reading) = rewrite::select(None, all, vec![from], None) else { return ControlFlow::Break(()) };
            let locking = Box::new(std::mem::replace(query, *reading));
            let alias = TableAlias { explicit: true, name, columns: Vec::new(), at: None };
            *self.count += 1;
            self.parts.push(Cte { alias, query: locking, from: None, materialized: None, closing_paren_token: AttachedToken::empty() });
        }
        ControlFlow::Continue(())
    }
}
