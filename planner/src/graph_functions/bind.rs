//! A call bound to its graph: which element tables it is about.
//!
//! B1: an edge table counts if both its ends are among the vertex tables that count.
//! B2: vertices are told by the columns of their key where they are all of one table, else by a document, as `element_id` gives it.
//! Never: reads a row.

use std::sync::Arc;

use base::{SqlError, SqlResult, SqlState};
use engine::{GraphDef, GraphElement, SqlType};
use sqlparser::tokenizer::Span;

use super::call::Call;
use super::known::Known;
use crate::graph_patterns::{Graphs, admitted, pointed};
use crate::graph_syntax::LabelExpr;

/// See the module.
pub(super) struct Bound<'a> {
    pub(super) call: &'a Call<'a>,
    pub(super) graph: Arc<GraphDef>,
    /// Positions of vertex tables among the graph's elements, rising.
    pub(super) vertices: Vec<usize>,
    /// Of edge tables (B1).
    pub(super) edges: Vec<usize>,
    /// The property that edges are weighed by.
    pub(super) weight: Option<String>,
}

/// Binds a call. Errors: 42P01, 42809, 42704, 42804, and those of its constants.
pub(super) fn bind<'a>(call: &'a Call<'a>, graphs: &dyn Graphs, source: &str) -> SqlResult<Bound<'a>> {
    let place = |refused: Box<(SqlError, Span)>| pointed(refused.0, source, refused.1);
    let (name, span) = call.graph().map_err(place)?;
    let graph = graphs.graph(&name).map_err(|error| pointed(error, source, span))?;
    let of = |labels: Option<(LabelExpr, Span)>, edge: bool| {
        let span = labels.as_ref().map_or_else(Span::empty, |(_, span)| *span);
        let labels = labels.map(|(labels, _)| labels);
        admitted(&graph, labels.as_ref(), edge).map_err(|error| pointed(error, source, span))
    };
    let vertices = of(call.labels(false).map_err(place)?, false)?;
    let has = |alias: &str| vertices.iter().any(|at| graph.elements[*at].alias == alias);
    let mut edges = of(call.labels(true).map_err(place)?, true)?;
    edges.retain(|at| graph.elements[*at].ends.as_ref().is_some_and(|ends| has(&ends.source.vertex) && has(&ends.destination.vertex)));
    let weight = call.weight().map_err(place)?;
    if let Some((property, span)) = &weight {
        for edge in &edges {
            check_weight(&graph.elements[*edge], property).map_err(|error| pointed(error, source, *span))?;
        }
    }
    Ok(Bound { call, vertices, edges, weight: weight.map(|(property, _)| property), graph: Arc::clone(&graph) })
}

/// Errors: 42704, 42804.
fn check_weight(edge: &GraphElement, property: &str) -> SqlResult<()> {
    let Some(found) = edge.property(property) else {
        let message = format!("property \"{property}\" for edge table \"{}\" not found", edge.alias);
        return Err(SqlError::new(SqlState::UNDEFINED_OBJECT, message)
            .hint("A weight is a property of every edge table: leave the others out with edges => 'label'."));
    };
    match found.sql_type {
        SqlType::Int2 | SqlType::Int4 | SqlType::Int8 | SqlType::Float4 | SqlType::Float8 => Ok(()),
        SqlType::Numeric { .. } | SqlType::AnyNumeric(_) => Ok(()),
        other => {
            let message = format!("property \"{property}\" is of type {}, but a weight is a number", other.name());
            Err(SqlError::new(SqlState::DATATYPE_MISMATCH, message))
        }
    }
}

impl Bound<'_> {
    pub(super) fn known(&self) -> &'static Known {
        self.call.known
    }

    /// The one vertex table, if there is only one.
    pub(super) fn only_vertices(&self) -> Option<&GraphElement> {
        match self.vertices.as_slice() {
            [only] => Some(&self.graph.elements[*only]),
            _ => None,
        }
    }

    /// Names of the answer's columns (B2).
    pub(super) fn columns(&self) -> Vec<String> {
        let keys = self.only_vertices().map_or_else(|| vec![super::VERTEX.to_owned()], |only| only.key.clone());
        keys.into_iter().chain([self.known().column.to_owned()]).collect()
    }

    /// The number of a vertex table, by its alias.
    pub(super) fn place(&self, alias: &str) -> Option<usize> {
        self.vertices.iter().position(|at| self.graph.elements[*at].alias == alias)
    }
}
