//! GRAPH_TABLE: from its syntax to a bound [`Pattern`], and from that to a query over the element tables (decision 0016).
//!
//! syntax tree → [`Pattern`] (`bind`) → branches without repetition (`branches`) → combinations of element tables (`tables`) → joins (`joins`).
//! Graph operators take the [`Pattern`].
//!
//! P1: what is bound stands for the graph as the statement's catalog has it; a kept plan is of that very catalog.
//! Never: reads a row; finds a graph or table by itself ([`Graphs`]).

mod bind;
mod bound;
mod branches;
mod found;
mod joins;
mod labels;
mod optional;
mod placing;
mod references;
mod searches;
mod tables;
mod turns;
mod unions;

use std::ops::ControlFlow;
use std::sync::Arc;

use base::{CommitSeq, SqlError, SqlResult, SqlState};
use engine::GraphDef;
use sqlparser::ast::{Expr, ObjectName, TableAlias, TableFactor, Value, VisitMut, VisitorMut};
use sqlparser::tokenizer::Span;

pub(crate) use joins::property_over;

pub use bound::{Column, Degree, InnerPath, Part, Path, Pattern, PerPath, Repeat, Step, Variable, VariableId, Where};

use crate::graph_syntax::{self, GraphTable, LabelExpr, Version};
use crate::{position, query_trees};

/// What a relation without an alias is called.
pub(crate) const DEFAULT_ALIAS: &str = "graph_table";

/// A table or view that holds elements.
pub(crate) struct ElementRelation {
    pub(crate) schema: String,
    pub(crate) name: String,
    /// Names of its columns.
    pub(crate) columns: Vec<String>,
    /// Whether its rows are stored, so that they have ids.
    pub(crate) is_stored: bool,
}

/// Finds graphs and their element tables.
pub(crate) trait Graphs {
    /// The graph of that name. Errors: 42P01, 42809.
    fn graph(&self, name: &ObjectName) -> SqlResult<Arc<GraphDef>>;

    /// The relation with that id. Errors: 42P01 for one that is gone.
    fn relation(&self, id: u32) -> SqlResult<ElementRelation>;

    /// The commit whose state paths are searched in; `None` for the statement's own snapshot. Errors: 0A000 where they cannot be searched.
    fn searched_at(&self) -> SqlResult<Option<u64>>;

    /// The same as of a commit. Errors: 22023 for one that there is not; XX001.
    fn as_of(&self, commit: CommitSeq) -> SqlResult<Box<dyn Graphs + '_>>;

    /// The commit that a text names, as the setting shockwave.as_of does. Errors: 22007, 22P02, 22023.
    fn commit_of(&self, text: &str) -> SqlResult<CommitSeq>;
}

/// Binds a clause. `source` is the text that its places count in. Errors: whatever binding raises.
pub(crate) fn bind(table: &GraphTable, graphs: &dyn Graphs, source: &str) -> SqlResult<Pattern> {
    let graph = graphs.graph(&table.graph).map_err(|error| {
        let span = table.graph.0.first().and_then(|part| part.as_ident()).map_or_else(Span::empty, |ident| ident.span);
        pointed(error, source, span)
    })?;
    bind::bind(table, &graph, source)
}

/// Puts queries in place of every clause of a statement. Errors: whatever binding raises, and what joins cannot answer.
pub(crate) fn expand<T: VisitMut>(node: &mut T, tables: &[GraphTable], graphs: &dyn Graphs, source: &str) -> SqlResult<()> {
    match VisitMut::visit(node, &mut Expand { tables, graphs, source }) {
        ControlFlow::Break(error) => Err(error),
        ControlFlow::Continue(()) => Ok(()),
    }
}

/// The commit that a clause is about, once it is settled which. Errors: XX000 before.
pub(crate) fn settled(table: &GraphTable) -> SqlResult<Option<CommitSeq>> {
    let Some(version) = &table.version else { return Ok(None) };
    if let Version::Commit(Expr::Value(number)) = version
        && let Value::Number(number, _) = &number.value
        && let Ok(number) = number.parse()
    {
        return Ok(Some(CommitSeq(number)));
    }
    Err(SqlError::internal("FOR SYSTEM_TIME is settled before a graph is bound"))
}

struct Expand<'a> {
    tables: &'a [GraphTable],
    graphs: &'a dyn Graphs,
    source: &'a str,
}

impl Expand<'_> {
    fn derived(&self, table: &GraphTable, alias: Option<TableAlias>) -> SqlResult<TableFactor> {
        let then = settled(table)?.map(|commit| self.graphs.as_of(commit)).transpose()?;
        let graphs = then.as_deref().unwrap_or(self.graphs);
        let pattern = bind(table, graphs, self.source)?;
        let subquery = Box::new(joins::query(&pattern, graphs, self.source)?);
        let alias = alias.unwrap_or_else(|| query_trees::alias(DEFAULT_ALIAS));
        Ok(TableFactor::Derived { lateral: pattern.is_lateral, subquery, alias: Some(alias), sample: None })
    }
}

impl VisitorMut for Expand<'_> {
    type Break = SqlError;

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<SqlError> {
        let Some(table) = graph_syntax::marked(factor).and_then(|at| self.tables.get(at)) else {
            return ControlFlow::Continue(());
        };
        let TableFactor::Table { alias, .. } = factor else { return ControlFlow::Continue(()) };
        match self.derived(table, alias.take()) {
            Ok(derived) => {
                *factor = derived;
                ControlFlow::Continue(())
            }
            Err(error) => ControlFlow::Break(error),
        }
    }
}

/// Positions of the element tables of a kind that a label expression admits, rising. Errors: 42704.
pub(crate) fn admitted(graph: &GraphDef, label: Option<&LabelExpr>, edge: bool) -> SqlResult<Vec<usize>> {
    labels::admitted(graph, label, edge).map(|admitted| admitted.elements).map_err(|(error, _)| error)
}

/// Points an error at a place of the text, unless it points somewhere or there is none.
pub(crate) fn pointed(error: SqlError, source: &str, span: Span) -> SqlError {
    match (error.position(), position::character(source, span.start)) {
        (None, Some(at)) => error.at(at),
        _ => error,
    }
}

/// 42704
fn undefined(message: String) -> SqlError {
    SqlError::new(SqlState::UNDEFINED_OBJECT, message)
}
