//! Graph functions in FROM: `graph_pagerank('social', damping => 0.9)` and its kin (decision 0020).
//!
//! call → bound to its graph (`bind`) → a query over the element tables (`query`), which numbers vertices, gathers edges as arrays of these numbers,
//! hands them to one function ([`run`]) and joins what that says of each number with the vertices again.
//!
//! F1: vertices are numbered in the order of their keys, table by table, so that ties are broken as LDBC Graphalytics does.
//! F2: what a call reads it reads as the query would: rights, own writes, the past and the notes of SERIALIZABLE are the tables' own.
//! Never: asks a topology; keeps anything between statements.

mod bind;
mod call;
mod known;
mod query;
mod run;

use std::ops::ControlFlow;

use base::{SqlError, SqlResult};
use sqlparser::ast::{Expr, Ident, ObjectName, Statement, TableAlias, TableFactor, Visit, VisitMut, Visitor, VisitorMut};

use call::rename;
pub(crate) use call::{graphs, mentioned, rename_all};
pub(crate) use run::{functions, is_own};

use crate::graph_patterns::{Graphs, pointed};
use crate::names::quoted;
use crate::query_trees;

/// The column that tells vertices of several tables apart.
const VERTEX: &str = "vertex";

/// Puts queries in place of every call of a statement. Errors: those of binding, and of arguments that do not fit.
pub(crate) fn expand<T: VisitMut>(node: &mut T, graphs: &dyn Graphs, source: &str) -> SqlResult<()> {
    match VisitMut::visit(node, &mut Expand { graphs, source }) {
        ControlFlow::Break(error) => Err(error),
        ControlFlow::Continue(()) => Ok(()),
    }
}

struct Expand<'a> {
    graphs: &'a dyn Graphs,
    source: &'a str,
}

impl Expand<'_> {
    /// The graphs of the moment that a call is about, if it names one.
    fn then(&self, call: &call::Call<'_>) -> SqlResult<Option<Box<dyn Graphs + '_>>> {
        let Some((text, span)) = call.as_of().map_err(|refused| pointed(refused.0, self.source, refused.1))? else { return Ok(None) };
        let then = self.graphs.commit_of(&text).and_then(|commit| self.graphs.as_of(commit));
        then.map(Some).map_err(|error| pointed(error, self.source, span))
    }

    fn derived(&self, factor: &TableFactor) -> SqlResult<Option<TableFactor>> {
        let Some(call) = read(factor, self.source)? else { return Ok(None) };
        let then = self.then(&call)?;
        let graphs = then.as_deref().unwrap_or(self.graphs);
        let subquery = Box::new(query::query(&bind::bind(&call, graphs, self.source)?, graphs)?);
        let given = match factor {
            TableFactor::Table { alias, .. } | TableFactor::Function { alias, .. } => alias.clone(),
            _ => None,
        };
        let alias = Some(given.unwrap_or_else(|| query_trees::alias(call.known.name)));
        Ok(Some(TableFactor::Derived { lateral: true, subquery, alias, sample: None }))
    }
}

impl VisitorMut for Expand<'_> {
    type Break = SqlError;

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<SqlError> {
        let Expr::Function(function) = &*expr else { return ControlFlow::Continue(()) };
        let Some((known, span)) = call::named(&function.name) else { return ControlFlow::Continue(()) };
        let error = SqlError::unsupported(format!("{} outside FROM", known.name)).hint(format!("SELECT * FROM {}(…)", known.name));
        ControlFlow::Break(pointed(error, self.source, span))
    }

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<SqlError> {
        match self.derived(factor) {
            Ok(derived) => derived.into_iter().for_each(|derived| *factor = derived),
            Err(error) => return ControlFlow::Break(error),
        }
        ControlFlow::Continue(())
    }
}

fn read<'a>(factor: &'a TableFactor, source: &str) -> SqlResult<Option<call::Call<'a>>> {
    call::read(factor).map_err(|refused| pointed(refused.0, source, refused.1))
}

/// What a view keeps of a call: its graph named in full, under an alias.
pub(crate) struct Written {
    /// Id of the graph.
    pub(crate) graph: u32,
    /// Names of the columns, those that the alias gives first.
    pub(crate) columns: Vec<String>,
}

/// Names the graph of a call in full; `None` for another relation. Errors: as [`expand`].
pub(crate) fn write_out(factor: &mut TableFactor, graphs: &dyn Graphs, source: &str) -> SqlResult<Option<Written>> {
    let Some(call) = read(factor, source)? else { return Ok(None) };
    if let Ok(Some((_, span))) = call.as_of() {
        let error = SqlError::unsupported("a graph function as of another time in a view");
        return Err(pointed(error.hint("Write FOR SYSTEM_TIME after the view where you read it."), source, span));
    }
    let bound = bind::bind(&call, graphs, source)?;
    let (own, name) = (bound.columns(), call.known.name);
    let graph = bound.graph;
    rename(factor, &ObjectName::from(vec![quoted(&graph.schema), quoted(&graph.name)]));
    let (TableFactor::Table { alias, .. } | TableFactor::Function { alias, .. }) = factor else { return Ok(None) };
    let alias = alias.get_or_insert_with(|| TableAlias { explicit: true, name: Ident::new(name), columns: Vec::new(), at: None });
    let named = alias.columns.iter().map(|column| crate::names::fold(&column.name));
    let columns = named.chain(own.into_iter().skip(alias.columns.len())).collect();
    Ok(Some(Written { graph: graph.id, columns }))
}

/// Whether every call in a statement binds. Errors: as [`expand`].
pub(crate) fn check(statement: &Statement, graphs: &dyn Graphs) -> SqlResult<()> {
    struct Check<'a>(&'a dyn Graphs);
    impl Visitor for Check<'_> {
        type Break = SqlError;
        fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<SqlError> {
            let bound = read(factor, "").and_then(|call| call.map_or(Ok(()), |call| bind::bind(&call, self.0, "").map(drop)));
            bound.map_or_else(ControlFlow::Break, ControlFlow::Continue)
        }
    }
    match Visit::visit(statement, &mut Check(graphs)) {
        ControlFlow::Break(error) => Err(error),
        ControlFlow::Continue(()) => Ok(()),
    }
}
