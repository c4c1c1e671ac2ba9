//! Which paths are searched, as a text that stands in a query.
//!
//! Never: checks that the graph has the tables.

use base::{SqlError, SqlResult};
use graph::PathPattern;
use serde_json::{Value, json};

use crate::graph_syntax::{Direction, Mode, Selector};

/// What is asked of an edge, in SQL over the columns of its table.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(crate) struct EdgeStep {
    /// What holds of it.
    pub(crate) condition: Option<String>,
    /// What passing it costs.
    pub(crate) cost: Option<String>,
}

/// Steps between three tables, and what is asked of them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct WholeStep {
    /// The vertex before, the edge and the vertex behind, by their positions among the graph's elements.
    pub(crate) elements: [usize; 3],
    /// What holds, in SQL over the columns of all three (`whole_steps`).
    pub(crate) condition: Option<String>,
}

/// Which paths.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Spec {
    /// The graph's id.
    pub(crate) graph: u32,
    /// Positions of edge tables in its elements.
    pub(crate) edges: Vec<usize>,
    /// What is asked of the edges of each, in their order.
    pub(crate) steps: Vec<EdgeStep>,
    /// The only steps that are taken, where something is asked of vertices that are passed.
    pub(crate) whole: Option<Vec<WholeStep>>,
    pub(crate) direction: Direction,
    pub(crate) min: u32,
    pub(crate) max: Option<u32>,
    pub(crate) mode: Mode,
    pub(crate) selector: Selector,
    /// The commit whose state is searched; the statement's snapshot where `None`.
    pub(crate) at: Option<u64>,
    /// Whether vertices and edges of each path are told.
    pub(crate) shows: bool,
}

impl Spec {
    /// For paths between vertices of two element tables, by their positions.
    pub(crate) fn text(&self, ends: (usize, usize)) -> String {
        let (selector, count) = match self.selector {
            Selector::Any(count) if count > 1 => ("shortest", count),
            Selector::Any(_) => ("any", 1),
            Selector::AnyShortest => ("any shortest", 1),
            Selector::AllShortest => ("all shortest", 0),
            Selector::Shortest(count) => ("shortest", count),
            Selector::ShortestGroups(count) => ("groups", count),
            Selector::Cheapest(count) => ("cheapest", count),
            Selector::All => ("all", 0),
        };
        let direction = match self.direction {
            Direction::Right => 1,
            Direction::Left => -1,
            Direction::Any => 0,
        };
        let mode = match self.mode {
            Mode::Walk => "walk",
            Mode::Trail => "trail",
            Mode::Acyclic => "acyclic",
            Mode::Simple => "simple",
        };
        let steps: Vec<Value> = self.steps.iter().map(|step| json!([step.condition, step.cost])).collect();
        let whole: Option<Vec<Value>> =
            self.whole.as_ref().map(|steps| steps.iter().map(|step| json!([step.elements, step.condition])).collect());
        json!([
            self.graph, self.edges, steps, whole, direction, self.min, self.max, mode, selector, count, self.at, self.shows, ends.0, ends.1
        ])
        .to_string()
    }

    /// What [`Spec::text`] wrote. Errors: XX000.
    pub(super) fn read(text: &str) -> SqlResult<(Self, (usize, usize))> {
        let read: Option<(Self, (usize, usize))> = serde_json::from_str::<Value>(text).ok().and_then(|value| parts(&value));
        read.ok_or_else(|| SqlError::internal(format!("no search for paths: {text}")))
    }

    /// As the operators take it, but for what is asked of edges.
    pub(super) fn path(&self) -> PathPattern {
        let mode = match self.mode {
            Mode::Walk => graph::Mode::Walk,
            Mode::Trail => graph::Mode::Trail,
            Mode::Acyclic => graph::Mode::Acyclic,
            Mode::Simple => graph::Mode::Simple,
        };
        let selector = match self.selector {
            Selector::All => graph::Selector::All,
            Selector::Any(1) => graph::Selector::Any,
            Selector::AnyShortest => graph::Selector::AnyShortest,
            Selector::AllShortest => graph::Selector::AllShortest,
            Selector::Any(count) | Selector::Shortest(count) => graph::Selector::Shortest(count),
            Selector::ShortestGroups(count) => graph::Selector::ShortestGroups(count),
            Selector::Cheapest(count) => graph::Selector::Cheapest(count),
        };
        PathPattern { min: self.min, max: self.max, mode, selector, step: None, weight: None }
    }

    pub(super) fn direction(&self) -> graph::Direction {
        match self.direction {
            Direction::Right => graph::Direction::Forward,
            Direction::Left => graph::Direction::Backward,
            Direction::Any => graph::Direction::Either,
        }
    }
}

fn step(value: &Value) -> Option<EdgeStep> {
    let [condition, cost] = value.as_array()?.as_slice() else { return None };
    let text = |value: &Value| value.as_str().map(str::to_owned);
    Some(EdgeStep { condition: text(condition), cost: text(cost) })
}

fn whole(value: &Value) -> Option<WholeStep> {
    let [elements, condition] = value.as_array()?.as_slice() else { return None };
    let place = |value: &Value| usize::try_from(value.as_u64()?).ok();
    let elements: Vec<usize> = elements.as_array()?.iter().map(place).collect::<Option<_>>()?;
    Some(WholeStep { elements: elements.try_into().ok()?, condition: condition.as_str().map(str::to_owned) })
}

fn parts(value: &Value) -> Option<(Spec, (usize, usize))> {
    let [graph, edges, steps, around, direction, min, max, mode, selector, count, at, shows, left, right] = value.as_array()?.as_slice()
    else {
        return None;
    };
    let small = |value: &Value| u32::try_from(value.as_u64()?).ok();
    let place = |value: &Value| usize::try_from(value.as_u64()?).ok();
    let spec = Spec {
        graph: small(graph)?,
        edges: edges.as_array()?.iter().map(place).collect::<Option<_>>()?,
        steps: steps.as_array()?.iter().map(step).collect::<Option<_>>()?,
        whole: match around.as_array() {
            Some(steps) => Some(steps.iter().map(whole).collect::<Option<_>>()?),
            None => None,
        },
        direction: match direction.as_i64()? {
            1 => Direction::Right,
            -1 => Direction::Left,
            _ => Direction::Any,
        },
        min: small(min)?,
        max: if max.is_null() { None } else { Some(small(max)?) },
        mode: match mode.as_str()? {
            "walk" => Mode::Walk,
            "trail" => Mode::Trail,
            "acyclic" => Mode::Acyclic,
            _ => Mode::Simple,
        },
        selector: match selector.as_str()? {
            "any" => Selector::Any(1),
            "any shortest" => Selector::AnyShortest,
            "all shortest" => Selector::AllShortest,
            "shortest" => Selector::Shortest(small(count)?),
            "groups" => Selector::ShortestGroups(small(count)?),
            "cheapest" => Selector::Cheapest(small(count)?),
            _ => Selector::All,
        },
        at: if at.is_null() { None } else { Some(at.as_u64()?) },
        shows: shows.as_bool()?,
    };
    Some((spec, (place(left)?, place(right)?)))
}
