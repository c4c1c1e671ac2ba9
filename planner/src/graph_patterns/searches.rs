//! Paths that are searched by graph operators instead of being written out: those with a selector, and those without a bound.
//!
//! S1: such a path is one quantified edge between two vertices. Its edges may be of several tables, with a condition and a cost over the properties of
//!     each alone; other conditions stand at its ends.
//! S2: which paths are kept is decided for each pair of ends, so that conditions at the ends may come before or after; those of edges come before.
//! Never: searches.

use std::ops::ControlFlow;

use base::{SqlError, SqlResult, SqlState};
use sqlparser::ast::{Expr, Value, Visit, Visitor};
use sqlparser::tokenizer::Span;

use super::bound::{Path, Pattern, Repeat, Step};
use super::joins::{null, property_over};
use super::placing::{self, Atom};
use super::{pointed, references};
use crate::graph_paths::{EdgeStep, Spec};
use crate::graph_syntax::{Direction, Mode, Selector};
use crate::names::{fold, quoted};

/// A path to be searched, and the vertices at its ends.
pub(super) struct Search<'a> {
    pub(super) left: &'a Step,
    pub(super) right: &'a Step,
    pub(super) spec: Spec,
}

/// The search that a path is; `None` if it can be written out. `shows`: what it passes is asked for. Errors: 0A000 for what can be neither.
pub(super) fn search<'a>(path: &'a Path, pattern: &Pattern, shows: bool, source: &str) -> SqlResult<Option<Search<'a>>> {
    let selector = path.prefix.selector.unwrap_or(Selector::All);
    let mode = path.prefix.mode.unwrap_or(Mode::Walk);
    let endless = path.steps.iter().find_map(|step| match step {
        Step::Repeat(repeat) if repeat.max.is_none() => Some(repeat.span),
        _ => None,
    });
    if selector == Selector::All && (endless.is_none() || mode == Mode::Walk) {
        return Ok(None);
    }
    let place = if selector == Selector::All { endless } else { path.prefix.span };
    let refuse = |error: SqlError| Err(pointed(error, source, place.unwrap_or_else(Span::empty)));
    let [left @ Step::Vertex { .. }, Step::Repeat(repeat), right @ Step::Vertex { .. }] = path.steps.as_slice() else {
        return refuse(
            SqlError::unsupported("a search for paths of more than one quantified edge").hint(
                "Put a selector, or a quantifier without bound, on a path of its own: MATCH ANY SHORTEST (a)-[e]->+(b), (b)-[f]->(c).",
            ),
        );
    };
    let Some(edge) = one_edge(repeat, pattern) else {
        return refuse(
            SqlError::unsupported("a search for paths with conditions on vertices that they pass")
                .hint("Conditions may stand at the ends of the path and at its edge, -[e IS knows WHERE e.since > 2010]->+."),
        );
    };
    if matches!(selector, Selector::Cheapest(_)) && edge.cost.is_none() {
        let error = SqlError::new(SqlState::SYNTAX_ERROR, format!("the path selector {selector} needs a cost"));
        return refuse(error.hint("Say at the edge what passing it costs: -[e COST e.weight]->+."));
    }
    let steps = edge.elements.iter().map(|at| edge.step(pattern, *at, source)).collect::<SqlResult<_>>()?;
    let (edges, direction) = (edge.elements.to_vec(), edge.direction);
    let (graph, min, max) = (pattern.graph.id, repeat.min, repeat.max);
    let spec = Spec { graph, edges, steps, direction, min, max, mode, selector, at: None, shows };
    Ok(Some(Search { left, right, spec }))
}

/// The edge that a searched path repeats.
struct OneEdge<'a> {
    elements: &'a [usize],
    direction: Direction,
    condition: Option<&'a Expr>,
    cost: Option<&'a Expr>,
}

/// The edge that is repeated, if nothing is asked of what lies between (S1).
fn one_edge<'a>(repeat: &'a Repeat, pattern: &Pattern) -> Option<OneEdge<'a>> {
    let vertices = pattern.graph.elements.iter().filter(|element| !element.is_edge()).count();
    let is_any = |step: &Step| matches!(step, Step::Vertex { elements, condition: None, .. } if elements.len() == vertices);
    match repeat.steps.as_slice() {
        [first, Step::Edge { elements, direction, condition, cost, .. }, last]
            if is_any(first) && is_any(last) && repeat.condition.is_none() && repeat.mode.is_none() =>
        {
            let (condition, cost) = (condition.as_ref(), cost.as_deref());
            Some(OneEdge { elements, direction: *direction, condition, cost })
        }
        _ => None,
    }
}

impl OneEdge<'_> {
    /// What is asked of an edge of one element table, over that table's columns. Errors: 0A000 for what only the query around knows.
    fn step(&self, pattern: &Pattern, at: usize, source: &str) -> SqlResult<EdgeStep> {
        let text = |expr: Option<&Expr>| expr.map(|expr| self.placed(pattern, at, expr, source)).transpose();
        Ok(EdgeStep { condition: text(self.condition)?, cost: text(self.cost)? })
    }

    fn placed(&self, pattern: &Pattern, at: usize, expr: &Expr, source: &str) -> SqlResult<String> {
        if let ControlFlow::Break(span) = Visit::visit(expr, &mut Alone(pattern)) {
            let error = SqlError::unsupported("a search for paths with parameters, or columns of relations around, at its edges")
                .hint("Constants may stand there; conditions at the ends of the path may have both.");
            return Err(pointed(error, source, span));
        }
        let element = &pattern.graph.elements[at];
        let own = |atom: &Atom| match atom {
            Atom::Property(_, name) => match element.property(name) {
                Some(property) => property_over(&property.expression, &|ident| Expr::Identifier(quoted(&fold(ident)))),
                None => null(atom.sql_type(pattern)),
            },
            _ => Err(SqlError::unsupported("a function of elements or paths at the edge of a search for paths")),
        };
        Ok(placing::place(pattern, expr, &own)?.to_string())
    }
}

/// Finds what an edge's own properties do not tell.
struct Alone<'a>(&'a Pattern);

impl Visitor for Alone<'_> {
    type Break = Span;

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<Span> {
        let is_alone = match expr {
            Expr::CompoundIdentifier(_) => references::property(self.0, expr).is_some(),
            Expr::Identifier(_) => false,
            Expr::Value(value) => !matches!(value.value, Value::Placeholder(_)),
            _ => true,
        };
        if is_alone { ControlFlow::Continue(()) } else { ControlFlow::Break(references::span(expr)) }
    }
}
