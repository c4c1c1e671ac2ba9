//! Every path that a mode allows, depth first, one at a time.
//!
//! Never: holds more than the path it stands on and the steps still to take from it.

use base::SqlResult;
use hashbrown::HashSet;

use super::steps::Reach;
use super::{Emit, Found, Searcher, Task};
use crate::element::Element;
use crate::pattern::Mode;

/// The path one stands on: elements, costs after each step, and what may not come again.
struct Standing {
    elements: Vec<Element>,
    costs: Vec<f64>,
    taken: HashSet<Element>,
    mode: Mode,
}

impl Standing {
    /// What a step must not meet twice, if anything.
    fn mark(&self, reach: &Reach) -> Option<Element> {
        match self.mode {
            Mode::Walk => None,
            Mode::Trail => Some(reach.edge),
            Mode::Acyclic | Mode::Simple => Some(reach.vertex),
        }
    }

    /// Whether a simple path has come back to its first vertex, and so ends.
    fn is_closed(&self) -> bool {
        self.mode == Mode::Simple && self.elements.len() > 1 && self.elements.first() == self.elements.last()
    }

    fn allows(&self, reach: &Reach) -> bool {
        let closes = self.mode == Mode::Simple && self.elements.first() == Some(&reach.vertex);
        closes || self.mark(reach).is_none_or(|mark| !self.taken.contains(&mark))
    }

    fn enter(&mut self, reach: &Reach, cost: f64) {
        if let Some(mark) = self.mark(reach) {
            self.taken.insert(mark);
        }
        self.elements.extend([reach.edge, reach.vertex]);
        self.costs.push(cost);
    }

    fn leave(&mut self) {
        if let [.., edge, vertex] = *self.elements.as_slice() {
            let was_closed = self.is_closed();
            self.elements.truncate(self.elements.len() - 2);
            if !was_closed && let Some(mark) = self.mark(&Reach { edge, vertex }) {
                self.taken.remove(&mark);
            }
        }
        self.costs.pop();
    }
}

/// Finds them all.
pub fn all(searcher: &mut Searcher<'_>, task: &Task<'_>, emit: Emit<'_>) -> SqlResult<()> {
    let mut stepper = searcher.stepper(task, false);
    let mut standing = Standing { elements: vec![task.from], costs: Vec::new(), taken: HashSet::new(), mode: task.step.pattern.mode };
    if matches!(standing.mode, Mode::Acyclic | Mode::Simple) {
        standing.taken.insert(task.from);
    }
    // The steps still to take from each vertex of the path; the last are taken first.
    let mut open: Vec<Vec<(Reach, f64)>> = Vec::new();
    let (mut reached, mut weights) = (Vec::new(), Vec::new());
    loop {
        let vertex = standing.elements[standing.elements.len() - 1];
        let length = standing.costs.len() as u32;
        if length >= task.step.pattern.min && task.wants(vertex) {
            let path = task.wants_path.then(|| task.path(standing.elements.clone(), standing.costs.iter().sum()));
            emit(Found { to: vertex, count: 1, path })?;
        }
        let mut steps = Vec::new();
        if task.within(length + 1) && !standing.is_closed() {
            stepper.reach(vertex, &mut reached, &mut searcher.meter)?;
            reached.retain(|reach| standing.allows(reach));
            stepper.weigh(vertex, &reached, &mut weights)?;
            steps.extend(reached.iter().copied().zip(weights.iter().copied()));
        }
        searcher.meter.tick(1)?;
        searcher.meter.take(64 + steps.len() * size_of::<(Reach, f64)>())?;
        open.push(steps);
        loop {
            let Some(steps) = open.last_mut() else { return Ok(()) };
            if let Some((reach, cost)) = steps.pop() {
                standing.enter(&reach, cost);
                break;
            }
            searcher.meter.give(64);
            open.pop();
            if open.is_empty() {
                return Ok(());
            }
            standing.leave();
        }
    }
}
