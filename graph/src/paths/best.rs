//! The best few paths to each vertex, best first: by length or by weight, for any mode and any bounds.
//!
//! E1: partial paths are taken in order of cost, so what arrives first at a vertex is best there.
//! E2: of walks, the best few to a vertex go on from the best few to each state (vertex, length as far as a bound cares); others are dropped.
//! Other modes forbid by history, so there nothing is dropped and the budget is the bound.
//! Never: meets a negative weight; the stepper refuses it.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use base::SqlResult;
use hashbrown::HashMap;

use super::{Emit, Found, Searcher, Task};
use crate::element::Element;
use crate::pattern::Mode;

const NONE: u32 = u32::MAX;

/// Which of the paths to a vertex.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// This many of the shortest.
    Shortest(u32),
    /// This many of those that weigh least.
    Cheapest(u32),
    /// All of this many smallest lengths.
    Groups(u32),
}

struct Partial {
    vertex: Element,
    edge: Element,
    before: u32,
    length: u32,
    cost: f64,
}

#[derive(PartialEq)]
struct Next(f64, u32);

impl Eq for Next {}

impl Ord for Next {
    /// The greatest is what the heap gives first: least cost, then oldest.
    fn cmp(&self, other: &Self) -> Ordering {
        other.0.total_cmp(&self.0).then(other.1.cmp(&self.1))
    }
}

impl PartialOrd for Next {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// How often a state or a vertex was arrived at, by how many lengths, and by which last: where weights do not matter, lengths rise (E1).
#[derive(Clone, Copy)]
struct Arrived {
    times: u32,
    groups: u32,
    length: u32,
}

impl Arrived {
    const NEVER: Self = Self { times: 0, groups: 0, length: NONE };
}

/// Whether one more arrival is wanted, which it is counted as.
fn admit<K: std::hash::Hash + Eq>(arrivals: &mut HashMap<K, Arrived>, key: K, length: u32, wanted: Wanted) -> bool {
    let arrived = arrivals.entry(key).or_insert(Arrived::NEVER);
    if arrived.length != length {
        (arrived.length, arrived.groups) = (length, arrived.groups.saturating_add(1));
    }
    let is_wanted = match wanted {
        Wanted::Shortest(count) | Wanted::Cheapest(count) => arrived.times < count,
        Wanted::Groups(count) => arrived.groups <= count,
    };
    arrived.times = arrived.times.saturating_add(1);
    is_wanted
}

/// Finds them.
pub fn first(searcher: &mut Searcher<'_>, task: &Task<'_>, wanted: Wanted, emit: Emit<'_>) -> SqlResult<()> {
    let (pattern, is_weighted) = (&task.step.pattern, matches!(wanted, Wanted::Cheapest(_)));
    let mut stepper = searcher.stepper(task, false);
    let mut partials = vec![Partial { vertex: task.from, edge: Element::NULL, before: NONE, length: 0, cost: 0.0 }];
    let mut heap = BinaryHeap::from([Next(0.0, 0)]);
    let (mut at_states, mut at_ends) = (HashMap::new(), HashMap::new());
    let (mut reached, mut weights) = (Vec::new(), Vec::new());
    while let Some(Next(cost, at)) = heap.pop() {
        let Partial { vertex, length, .. } = partials[at as usize];
        searcher.meter.tick(1)?;
        let exact = if is_weighted && pattern.max.is_some() { length } else { length.min(pattern.min) };
        if pattern.mode == Mode::Walk && !admit(&mut at_states, (vertex, exact), length, wanted) {
            continue;
        }
        if length >= pattern.min && task.wants(vertex) {
            if admit(&mut at_ends, vertex, length, wanted) {
                let path = task.wants_path.then(|| task.path(elements(&partials, at), cost));
                emit(Found { to: vertex, count: 1, path })?;
            }
            let arrived = at_ends.get(&vertex).copied().unwrap_or(Arrived::NEVER);
            let is_done = match wanted {
                Wanted::Shortest(count) | Wanted::Cheapest(count) => arrived.times >= count,
                Wanted::Groups(count) => arrived.groups > count,
            };
            if is_done && task.target.is_some() {
                return Ok(());
            }
        }
        let is_closed = pattern.mode == Mode::Simple && length > 0 && vertex == task.from;
        if is_closed || !task.within(length + 1) {
            continue;
        }
        stepper.reach(vertex, &mut reached, &mut searcher.meter)?;
        reached.retain(|reach| allows(&partials, at, pattern.mode, task.from, reach.edge, reach.vertex));
        if is_weighted {
            stepper.weigh(vertex, &reached, &mut weights)?;
        } else {
            weights.clear();
            weights.resize(reached.len(), 1.0);
        }
        searcher.meter.take(reached.len() * (size_of::<Partial>() + size_of::<Next>() + 16))?;
        for (reach, weight) in reached.iter().zip(&weights) {
            let partial = Partial { vertex: reach.vertex, edge: reach.edge, before: at, length: length + 1, cost: cost + weight };
            heap.push(Next(partial.cost, partials.len() as u32));
            partials.push(partial);
        }
    }
    Ok(())
}

/// Whether a mode lets a partial path take a step; looks back along the path.
fn allows(partials: &[Partial], at: u32, mode: Mode, start: Element, edge: Element, vertex: Element) -> bool {
    let mut back = std::iter::successors(Some(&partials[at as usize]), |partial| partials.get(partial.before as usize));
    match mode {
        Mode::Walk => true,
        Mode::Trail => back.all(|partial| partial.before == NONE || partial.edge != edge),
        Mode::Acyclic => back.all(|partial| partial.vertex != vertex),
        Mode::Simple => vertex == start || back.all(|partial| partial.vertex != vertex),
    }
}

fn elements(partials: &[Partial], at: u32) -> Vec<Element> {
    let mut elements = Vec::new();
    let mut at = at;
    while let Some(partial) = partials.get(at as usize) {
        elements.push(partial.vertex);
        if partial.before != NONE {
            elements.push(partial.edge);
        }
        at = partial.before;
    }
    elements.reverse();
    elements
}
