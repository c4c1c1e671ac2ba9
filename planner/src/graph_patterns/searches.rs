//! Paths that are searched by graph operators instead of being written out: those with a selector, and those without a bound.
//!
//! S1: such a path is one edge, repeated, between two vertices. Its edges may be of several tables, with a condition and a cost over the properties of
//!     each alone; what is asked of the vertices that it passes is asked of each step, over the properties of its edge and of both its vertices.
//! S2: which paths are kept is decided for each pair of ends, so that conditions at the ends may come before or after; those of edges come before.
//! Never: searches.

use std::ops::ControlFlow;

use base::{SqlError, SqlResult, SqlState};
use sqlparser::ast::{Expr, Value, Visit, Visitor};
use sqlparser::tokenizer::Span;

use super::bound::{Path, Pattern, Repeat, Step, VariableId};
use super::joins::{null, property_over};
use super::placing::{self, Atom};
use super::{pointed, references};
use crate::graph_paths::{EdgeStep, Spec, WholeStep, column};
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
    let Some(edge) = one_edge(repeat) else {
        return refuse(
            SqlError::unsupported("a search for paths that repeat more than an edge between two vertices")
                .hint("What is repeated may be ((x)-[e IS knows]->(y) WHERE x.born < y.born)+."),
        );
    };
    if matches!(selector, Selector::Cheapest(_)) && edge.cost.is_none() {
        let error = SqlError::new(SqlState::SYNTAX_ERROR, format!("the path selector {selector} needs a cost"));
        return refuse(error.hint("Say at the edge what passing it costs: -[e COST e.weight]->+."));
    }
    let steps = edge.elements.iter().map(|at| edge.step(pattern, *at, source)).collect::<SqlResult<_>>()?;
    let whole = edge.whole(pattern, source)?;
    let (edges, direction) = (edge.elements.to_vec(), edge.direction);
    let (graph, min, max) = (pattern.graph.id, repeat.min, repeat.max);
    let spec = Spec { graph, edges, steps, whole, direction, min, max, mode, selector, at: None, shows };
    Ok(Some(Search { left, right, spec }))
}

/// The edge that a searched path repeats, and what it leads from and to.
struct OneEdge<'a> {
    variables: [VariableId; 3],
    /// Element tables of the vertices before and behind it.
    around: [&'a [usize]; 2],
    /// Conditions that mention a vertex.
    conditions: Vec<&'a Expr>,
    elements: &'a [usize],
    direction: Direction,
    condition: Option<&'a Expr>,
    cost: Option<&'a Expr>,
}

/// The edge that is repeated, if nothing else is (S1).
fn one_edge(repeat: &Repeat) -> Option<OneEdge<'_>> {
    match repeat.steps.as_slice() {
        [
            Step::Vertex { variable: before, elements: first, condition: of_first },
            Step::Edge { variable: edge, elements, direction, condition, cost },
            Step::Vertex { variable: behind, elements: last, condition: of_last },
        ] if before != behind && repeat.mode.is_none() => Some(OneEdge {
            variables: [*before, *edge, *behind],
            around: [first, last],
            conditions: [of_first, of_last, &repeat.condition].into_iter().flatten().collect(),
            elements,
            direction: *direction,
            condition: condition.as_ref(),
            cost: cost.as_deref(),
        }),
        _ => None,
    }
}

impl OneEdge<'_> {
    /// What is asked of an edge of one element table, over that table's columns. Errors: 0A000 for what only the query around knows.
    fn step(&self, pattern: &Pattern, at: usize, source: &str) -> SqlResult<EdgeStep> {
        // Nothing but the edge is mentioned.
        let own = |_: usize, name: &str| name.to_owned();
        let text = |expr: Option<&Expr>| expr.map(|expr| self.placed(pattern, &[at; 3], expr, source, &own)).transpose();
        Ok(EdgeStep { condition: text(self.condition)?, cost: text(self.cost)? })
    }

    /// What is asked of whole steps, for each three tables that one can be between; `None` where nothing is. Errors: as of [`Self::step`].
    fn whole(&self, pattern: &Pattern, source: &str) -> SqlResult<Option<Vec<WholeStep>>> {
        let all = pattern.graph.elements.iter().filter(|element| !element.is_edge()).count();
        if self.conditions.is_empty() && self.around.iter().all(|elements| elements.len() == all) {
            return Ok(None);
        }
        let vertex = |alias: &str| pattern.graph.elements.iter().position(|element| !element.is_edge() && element.alias == alias);
        let mut steps: Vec<WholeStep> = Vec::new();
        for edge in self.elements {
            let Some(ends) = &pattern.graph.elements[*edge].ends else { continue };
            let (Some(from), Some(to)) = (vertex(&ends.source.vertex), vertex(&ends.destination.vertex)) else { continue };
            let ways = match self.direction {
                Direction::Right => vec![(from, to)],
                Direction::Left => vec![(to, from)],
                Direction::Any => vec![(from, to), (to, from)],
            };
            for (before, behind) in ways {
                let elements = [before, *edge, behind];
                let is_known = steps.iter().any(|step| step.elements == elements);
                if is_known || !self.around[0].contains(&before) || !self.around[1].contains(&behind) {
                    continue;
                }
                let own = |place: usize, name: &str| column(place, name);
                let placed = |expr: &&Expr| Ok(format!("({})", self.placed(pattern, &elements, expr, source, &own)?));
                let conditions = self.conditions.iter().map(placed).collect::<SqlResult<Vec<_>>>()?;
                steps.push(WholeStep { elements, condition: (!conditions.is_empty()).then(|| conditions.join(" AND ")) });
            }
        }
        Ok(Some(steps))
    }

    /// An expression over the columns of the rows of a step, as `name` says what they are called. Errors: 0A000 for what only the query around knows.
    fn placed(
        &self,
        pattern: &Pattern,
        elements: &[usize; 3],
        expr: &Expr,
        source: &str,
        name: &dyn Fn(usize, &str) -> String,
    ) -> SqlResult<String> {
        if let ControlFlow::Break(span) = Visit::visit(expr, &mut Alone(pattern, &self.variables)) {
            let error = SqlError::unsupported("a search for paths with parameters, or with columns of anything else, within its steps")
                .hint("Constants and properties of the step itself may stand there; conditions at the ends of the path may have all.");
            return Err(pointed(error, source, span));
        }
        let own = |atom: &Atom| match atom {
            Atom::Property(variable, property) => {
                let place = self.variables.iter().position(|own| own == variable).unwrap_or_default();
                match pattern.graph.elements[elements[place]].property(property) {
                    Some(property) => property_over(&property.expression, &|ident| Expr::Identifier(quoted(&name(place, &fold(ident))))),
                    None => null(atom.sql_type(pattern)),
                }
            }
            _ => Err(SqlError::unsupported("a function of elements or paths within the steps of a search for paths")),
        };
        Ok(placing::place(pattern, expr, &own)?.to_string())
    }
}

/// Finds what the properties of a step's own elements do not tell.
struct Alone<'a>(&'a Pattern, &'a [VariableId; 3]);

impl Visitor for Alone<'_> {
    type Break = Span;

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<Span> {
        let is_alone = match expr {
            Expr::CompoundIdentifier(_) => references::property(self.0, expr).is_some_and(|(variable, _)| self.1.contains(&variable)),
            Expr::Identifier(_) => false,
            Expr::Value(value) => !matches!(value.value, Value::Placeholder(_)),
            Expr::Subquery(_) | Expr::Exists { .. } | Expr::InSubquery { .. } => false,
            _ => true,
        };
        if is_alone { ControlFlow::Continue(()) } else { ControlFlow::Break(references::span(expr)) }
    }
}
