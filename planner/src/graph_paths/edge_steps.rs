//! What a search asks of the edges that it would pass: whether a condition holds of them, and what passing them costs. What it asks of vertices, too,
//! stands in `whole_steps`.
//!
//! E1: both are expressions over the columns of the edge's table, read from the row that the edge is.
//! E2: a cost that is NULL is an error (22004), as one below 0 is (22003).
//! Never: reads a column that the query has not opened (F1 of `graph_patterns/found.rs`).

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::concat;
use arrow::datatypes::Float64Type;
use base::{RowId, SqlError, SqlResult, SqlState};
use engine::{Catalog, GraphDef, Object, TableView};
use graph::{Element, Filter, PathPattern, Snapshot, Weight};
use relational::{Expressions, Query};

use super::whole_steps::WholeSteps;
use super::{Means, Spec};
use crate::live_graphs::Live;
use crate::parse;
use crate::rules::RowsAtHand;
use crate::tables::arrow_error;

/// One expression over the edges of several tables, by their places.
struct OfEdges(BTreeMap<u16, OfTable>);

struct OfTable {
    view: TableView,
    expressions: Expressions,
}

impl fmt::Debug for OfEdges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OfEdges({:?})", self.0.keys().collect::<Vec<_>>())
    }
}

/// What is asked of a step's edge, and of the whole of it.
#[derive(Debug)]
struct Both(OfEdges, WholeSteps);

impl Filter for Both {
    fn evaluate(&self, columns: &[&[Element]], keep: &mut [bool]) -> SqlResult<()> {
        Filter::evaluate(&self.0, columns, keep)?;
        self.1.evaluate(columns, keep)
    }
}

/// Gives a pattern the conditions and costs of a spec. Errors: those of expressions, XX000, XX001.
pub(super) fn ask(
    pattern: &mut PathPattern,
    spec: &Spec,
    means: &Means,
    graph: &GraphDef,
    catalog: &Catalog,
    live: &Live,
    snapshot: &Snapshot,
) -> SqlResult<()> {
    let made = |text: &dyn Fn(usize) -> Option<String>| -> SqlResult<Option<OfEdges>> {
        let mut of_tables = BTreeMap::new();
        for (at, edge) in spec.edges.iter().enumerate() {
            let Some(text) = text(at) else { continue };
            let relation = graph.elements.get(*edge).map(|element| element.relation);
            let Some(Object::Table(table)) = relation.and_then(|relation| catalog.object(relation)) else {
                return Err(SqlError::internal("edges of a search are rows of tables"));
            };
            let rows = RowsAtHand::of(table);
            let parsed = parse::parse(&format!("SELECT {text} AS c0 FROM {}", rows.name()))?;
            let [one] = parsed.as_slice() else { return Err(SqlError::internal("an expression is no statement")) };
            let expressions = means.relational.expressions(Query { statement: &one.statement, text: "" }, &rows, &means.environment)?;
            let view = TableView::past(&means.ledger, Arc::clone(table), snapshot.at())?;
            of_tables.insert(live.place(*edge)?, OfTable { view, expressions });
        }
        Ok((!of_tables.is_empty()).then_some(OfEdges(of_tables)))
    };
    let step = |at: usize| spec.steps.get(at);
    let condition = |at: usize| step(at)?.condition.as_ref().map(|text| format!("CAST(({text}) AS boolean)"));
    let cost = |at: usize| step(at)?.cost.as_ref().map(|text| format!("CAST(({text}) AS double precision)"));
    pattern.step = match (made(&condition)?, WholeSteps::new(spec, means, graph, catalog, live, snapshot)?) {
        (Some(of_edges), Some(whole)) => Some(Arc::new(Both(of_edges, whole)) as Arc<dyn Filter>),
        (Some(of_edges), None) => Some(Arc::new(of_edges)),
        (None, whole) => whole.map(|whole| Arc::new(whole) as Arc<dyn Filter>),
    };
    pattern.weight = made(&cost)?.map(|of_edges| Arc::new(of_edges) as Arc<dyn Weight>);
    Ok(())
}

impl OfEdges {
    /// Calls `take` with the values of each stretch of edges of one table, and the place of its first.
    fn values(&self, edges: &[Element], mut take: impl FnMut(usize, &ArrayRef) -> SqlResult<()>) -> SqlResult<()> {
        let mut first = 0;
        for of_table in edges.chunk_by(|a, b| a.table() == b.table()) {
            let Some(known) = self.0.get(&of_table[0].table()) else { return Err(SqlError::internal("an edge that nothing is asked of")) };
            let rows: Vec<RowId> = of_table.iter().map(|edge| RowId(edge.id())).collect();
            let all: Vec<usize> = (0..known.view.table().columns.len()).collect();
            let batches = known.view.gather(&rows, &all, false)?;
            let column = |at: &usize| -> SqlResult<ArrayRef> {
                let pieces: Vec<&dyn Array> = batches.iter().map(|batch| batch.column(*at).as_ref()).collect();
                concat(&pieces).map_err(arrow_error)
            };
            let columns = all.iter().map(column).collect::<SqlResult<Vec<_>>>()?;
            let values = known.expressions.evaluate(&columns, rows.len())?;
            let Some(values) = values.first() else { return Err(SqlError::internal("an expression without a value")) };
            take(first, values)?;
            first += of_table.len();
        }
        Ok(())
    }
}

impl Filter for OfEdges {
    fn evaluate(&self, columns: &[&[Element]], keep: &mut [bool]) -> SqlResult<()> {
        let [_, edges, _] = columns else { return Err(SqlError::internal("a step has an edge between two vertices")) };
        self.values(edges, |first, values| {
            let Some(values) = values.as_boolean_opt() else { return Err(SqlError::internal("a condition that is no boolean")) };
            for (keep, value) in keep[first..].iter_mut().zip(values) {
                *keep &= value == Some(true);
            }
            Ok(())
        })
    }
}

impl Weight for OfEdges {
    fn evaluate(&self, _sources: &[Element], edges: &[Element], _targets: &[Element], weights: &mut Vec<f64>) -> SqlResult<()> {
        self.values(edges, |_, values| {
            let Some(values) = values.as_primitive_opt::<Float64Type>() else { return Err(SqlError::internal("a cost that is no number")) };
            if values.null_count() > 0 {
                let error = SqlError::new(SqlState("22004"), "the cost of an edge must not be null");
                return Err(error.hint("Leave such edges out, -[e WHERE e.weight IS NOT NULL COST e.weight]->, or use coalesce."));
            }
            weights.extend(values.values());
            Ok(())
        })
    }
}
