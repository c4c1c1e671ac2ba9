//! One step of a path: from a vertex over each edge that the pattern and its filter allow.
//!
//! Never: remembers where it has been.

use base::{SqlError, SqlResult, SqlState};

use crate::budget::Meter;
use crate::element::Element;
use crate::plan::{Hops, PathStep};
use crate::reader::{ListBuffer, list};
use crate::topology::Snapshot;

/// What one step reaches.
#[derive(Clone, Copy, Debug)]
pub struct Reach {
    /// The edge crossed.
    pub edge: Element,
    /// The vertex after it.
    pub vertex: Element,
}

/// Takes steps from one end of a path pattern.
pub struct Stepper<'a> {
    graph: &'a Snapshot,
    step: &'a PathStep,
    hops: &'a Hops,
    /// Whether steps lead from the pattern's right to its left.
    is_leftward: bool,
    buffer: ListBuffer,
    columns: [Vec<Element>; 3],
}

impl<'a> Stepper<'a> {
    /// From the end that the search begins at, or with `back` from the other.
    pub fn new(graph: &'a Snapshot, step: &'a PathStep, back: bool) -> Self {
        let hops = if back { &step.back_hops } else { &step.hops };
        Self { graph, step, hops, is_leftward: step.is_reversed != back, buffer: ListBuffer::default(), columns: Default::default() }
    }

    /// Replaces `reached` by every step from a vertex.
    pub fn reach(&mut self, from: Element, reached: &mut Vec<Reach>, meter: &mut Meter) -> SqlResult<()> {
        reached.clear();
        for hop in self.hops.of(from.table()) {
            let list = list(self.graph, hop, from.vertex(), &mut self.buffer);
            meter.tick(list.targets.len())?;
            reached.extend(list.targets.iter().enumerate().map(|(at, target)| Reach {
                edge: Element::new(hop.edge_table, list.row(at)),
                vertex: Element::new(hop.target_table, u64::from(*target)),
            }));
        }
        let Some(filter) = self.step.pattern.step.clone().filter(|_| !reached.is_empty()) else { return Ok(()) };
        self.fill_columns(from, reached);
        let mut keep = vec![true; reached.len()];
        let [before, edges, after] = &self.columns;
        filter.evaluate(&[before, edges, after], &mut keep)?;
        let mut marks = keep.iter();
        reached.retain(|_| marks.next().copied().unwrap_or(false));
        Ok(())
    }

    /// Vertex before, edge, vertex after, in the pattern's order.
    fn fill_columns(&mut self, from: Element, reached: &[Reach]) {
        let (near, far) = if self.is_leftward { (2, 0) } else { (0, 2) };
        self.columns.iter_mut().for_each(Vec::clear);
        self.columns[near].resize(reached.len(), from);
        self.columns[1].extend(reached.iter().map(|reach| reach.edge));
        self.columns[far].extend(reached.iter().map(|reach| reach.vertex));
    }

    /// Replaces `weights` by that of each step. Errors: 22003 for one below 0 or no number.
    pub fn weigh(&mut self, from: Element, reached: &[Reach], weights: &mut Vec<f64>) -> SqlResult<()> {
        weights.clear();
        let Some(weight) = self.step.pattern.weight.clone() else {
            weights.resize(reached.len(), 1.0);
            return Ok(());
        };
        self.fill_columns(from, reached);
        let [before, edges, after] = &self.columns;
        weight.evaluate(before, edges, after, weights)?;
        if weights.len() != reached.len() {
            return Err(SqlError::internal("a weight gives one number a step"));
        }
        if weights.iter().any(|weight| weight.is_nan() || *weight < 0.0) {
            let error = SqlError::new(SqlState::NUMERIC_VALUE_OUT_OF_RANGE, "the weight of an edge must not be negative");
            return Err(error.hint("Filter such edges, or take a weight that is never below 0."));
        }
        Ok(())
    }
}
