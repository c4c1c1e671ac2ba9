//! Which element tables a label expression admits, and whose properties may be mentioned then.
//!
//! L1: without an expression every table of the kind is admitted; properties are those of the labels mentioned, or of every label of the tables
//!     admitted where the expression is more than names joined by `|`, of every table of the kind where it admits none.
//! Never: reads a row; labels are a table's, not a row's.

use std::collections::BTreeSet;

use base::SqlError;
use engine::{GraphDef, GraphElement};
use sqlparser::tokenizer::Span;

use super::undefined;
use crate::graph_syntax::LabelExpr;
use crate::names::fold;

/// What a label expression comes to in a graph.
#[derive(Clone, Default, Debug)]
pub(super) struct Admitted {
    /// Positions of element tables, rising.
    pub(super) elements: Vec<usize>,
    /// Labels whose properties may be mentioned.
    pub(super) labels: BTreeSet<String>,
}

/// Evaluates an expression. Errors: 42704 for a label that the graph, or any element of the kind, does not have.
pub(super) fn admitted(graph: &GraphDef, label: Option<&LabelExpr>, edge: bool) -> Result<Admitted, (SqlError, Span)> {
    let of_kind = |element: &GraphElement| element.is_edge() == edge;
    if let Some(label) = label {
        check(graph, label, edge)?;
    }
    let is_admitted = |element: &GraphElement| label.is_none_or(|label| holds(label, element));
    let elements: Vec<usize> =
        graph.elements.iter().enumerate().filter(|(_, element)| of_kind(element) && is_admitted(element)).map(|(at, _)| at).collect();
    let labels = match label {
        Some(label) if is_names(label) => mentioned(label),
        _ => {
            let admitted = |at: &usize| elements.is_empty() || elements.contains(at);
            let of = (0..graph.elements.len()).filter(|at| of_kind(&graph.elements[*at]) && admitted(at));
            of.flat_map(|at| &graph.elements[at].labels).map(|label| label.name.clone()).collect()
        }
    };
    Ok(Admitted { elements, labels })
}

fn holds(label: &LabelExpr, element: &GraphElement) -> bool {
    match label {
        LabelExpr::Name(name) => element.label(&fold(name)).is_some(),
        LabelExpr::Any => true,
        LabelExpr::Not(inner) => !holds(inner, element),
        LabelExpr::And(parts) => parts.iter().all(|part| holds(part, element)),
        LabelExpr::Or(parts) => parts.iter().any(|part| holds(part, element)),
    }
}

fn is_names(label: &LabelExpr) -> bool {
    match label {
        LabelExpr::Name(_) => true,
        LabelExpr::Or(parts) => parts.iter().all(is_names),
        LabelExpr::Any | LabelExpr::Not(_) | LabelExpr::And(_) => false,
    }
}

fn mentioned(label: &LabelExpr) -> BTreeSet<String> {
    match label {
        LabelExpr::Name(name) => BTreeSet::from([fold(name)]),
        LabelExpr::Or(parts) | LabelExpr::And(parts) => parts.iter().flat_map(mentioned).collect(),
        LabelExpr::Not(inner) => mentioned(inner),
        LabelExpr::Any => BTreeSet::new(),
    }
}

fn check(graph: &GraphDef, label: &LabelExpr, edge: bool) -> Result<(), (SqlError, Span)> {
    match label {
        LabelExpr::Any => Ok(()),
        LabelExpr::Not(inner) => check(graph, inner, edge),
        LabelExpr::And(parts) | LabelExpr::Or(parts) => parts.iter().try_for_each(|part| check(graph, part, edge)),
        LabelExpr::Name(ident) => {
            let name = fold(ident);
            let has = |element: &&GraphElement| element.label(&name).is_some();
            let hint = || {
                let of_kind = graph.elements.iter().filter(|element| element.is_edge() == edge);
                let known: BTreeSet<&str> = of_kind.flat_map(|element| &element.labels).map(|label| label.name.as_str()).collect();
                let kind = if edge { "Edges" } else { "Vertices" };
                format!("{kind} of the graph have: {}.", known.into_iter().collect::<Vec<_>>().join(", "))
            };
            let error = if !graph.elements.iter().any(|element| has(&element)) {
                undefined(format!("label \"{name}\" does not exist in property graph \"{}\"", graph.name))
            } else if !graph.elements.iter().filter(|element| element.is_edge() == edge).any(|element| has(&element)) {
                let kind = if edge { "edge" } else { "vertex" };
                let what = format!("no property graph element of type \"{kind}\" has label \"{name}\"");
                undefined(format!("{what} associated with it in property graph \"{}\"", graph.name))
            } else {
                return Ok(());
            };
            Err((error.hint(hint()), ident.span))
        }
    }
}
