//! Paths that are searched by graph operators instead of being written out: those with a selector, and those without a bound.
//!
//! S1: such a path is one quantified edge between two vertices. Its edges may be of several tables; conditions stand at its ends only.
//! S2: which paths are kept is decided for each pair of ends, so that conditions at the ends may come before or after.
//! Never: searches.

use base::{SqlError, SqlResult};
use engine::GraphDef;
use sqlparser::tokenizer::Span;

use super::bound::{Path, Repeat, Step};
use super::pointed;
use crate::graph_paths::Spec;
use crate::graph_syntax::{Mode, Selector};

/// A path to be searched, and the vertices at its ends.
pub(super) struct Search<'a> {
    pub(super) left: &'a Step,
    pub(super) right: &'a Step,
    pub(super) spec: Spec,
}

/// The search that a path is; `None` if it can be written out. `shows`: what it passes is asked for. Errors: 0A000 for what can be neither.
pub(super) fn search<'a>(path: &'a Path, graph: &GraphDef, shows: bool, source: &str) -> SqlResult<Option<Search<'a>>> {
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
    if matches!(selector, Selector::Cheapest(_)) {
        let error = SqlError::unsupported(format!("the path selector {selector}"));
        return refuse(error.hint("SHORTEST k and ALL SHORTEST are answered; graph_sssp gives the least cost from one vertex to each."));
    }
    let [left @ Step::Vertex { .. }, Step::Repeat(repeat), right @ Step::Vertex { .. }] = path.steps.as_slice() else {
        return refuse(
            SqlError::unsupported("a search for paths of more than one quantified edge").hint(
                "Put a selector, or a quantifier without bound, on a path of its own: MATCH ANY SHORTEST (a)-[e]->+(b), (b)-[f]->(c).",
            ),
        );
    };
    let Some((edges, direction)) = one_edge(repeat, graph) else {
        return refuse(
            SqlError::unsupported("a search for paths with conditions on what they pass")
                .hint("Conditions may stand at the ends of the path; labels of its edges may be named, -[IS knows]->+."),
        );
    };
    let spec = Spec { graph: graph.id, edges, direction, min: repeat.min, max: repeat.max, mode, selector, at: None, shows };
    Ok(Some(Search { left, right, spec }))
}

/// The edge tables of a repeated edge, and its direction, if nothing else is asked of it (S1).
fn one_edge(repeat: &Repeat, graph: &GraphDef) -> Option<(Vec<usize>, crate::graph_syntax::Direction)> {
    let vertices = graph.elements.iter().filter(|element| !element.is_edge()).count();
    let is_any = |step: &Step| matches!(step, Step::Vertex { elements, condition: None, .. } if elements.len() == vertices);
    match repeat.steps.as_slice() {
        [first, Step::Edge { elements, direction, condition: None, .. }, last]
            if is_any(first) && is_any(last) && repeat.condition.is_none() && repeat.mode.is_none() =>
        {
            Some((elements.clone(), *direction))
        }
        _ => None,
    }
}
