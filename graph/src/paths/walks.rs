//! Walks counted by length and last vertex, without one of them being made.
//!
//! Never: runs without an upper bound (K1).

use base::SqlResult;
use hashbrown::HashMap;

use super::{Emit, Found, Searcher, Task};
use crate::element::Element;
use crate::tally;

/// How many walks lead to each vertex.
pub fn count(searcher: &mut Searcher<'_>, task: &Task<'_>, emit: Emit<'_>) -> SqlResult<()> {
    let pattern = &task.step.pattern;
    let mut stepper = searcher.stepper(task, false);
    let mut total: HashMap<Element, u64> = HashMap::new();
    let mut level: HashMap<Element, u64> = HashMap::from_iter([(task.from, 1)]);
    let mut reached = Vec::new();
    let mut length = 0;
    loop {
        if length >= pattern.min {
            for (vertex, count) in level.iter().filter(|(vertex, _)| task.wants(**vertex)) {
                let sum = total.entry(*vertex).or_insert(0);
                *sum = tally::sum(*sum, *count)?;
            }
        }
        length += 1;
        if level.is_empty() || !task.within(length) {
            break;
        }
        let mut next: HashMap<Element, u64> = HashMap::new();
        for (vertex, count) in &level {
            stepper.reach(*vertex, &mut reached, &mut searcher.meter)?;
            for reach in &reached {
                let sum = next.entry(reach.vertex).or_insert(0);
                *sum = tally::sum(*sum, *count)?;
            }
        }
        searcher.meter.give(searcher.meter.held());
        searcher.meter.take((next.len() + total.len()) * 32)?;
        level = next;
    }
    total.into_iter().try_for_each(|(to, count)| emit(Found { to, count, path: None }))
}
