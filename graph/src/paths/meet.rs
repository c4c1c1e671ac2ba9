//! Shortest paths between two vertices, by breadth from both until the two searches meet.
//!
//! C1: before an advance nothing reached by one was reached by the other, so what both have reached after it lies on shortest paths only, all of
//! which pass through exactly one such vertex.
//! Never: asked for paths from a vertex to itself.

use base::SqlResult;

use super::links::Links;
use super::{Emit, Found, Searcher, Task};
use crate::element::Element;
use crate::tally;

/// Finds one shortest path to `target`, or all.
pub fn meet(searcher: &mut Searcher<'_>, task: &Task<'_>, target: Element, all: bool, emit: Emit<'_>) -> SqlResult<()> {
    let mut ahead = (Links::new(task.from, true, all), searcher.stepper(task, false));
    let mut back = (Links::new(target, true, all), searcher.stepper(task, true));
    loop {
        let length = ahead.0.level() + back.0.level() + 1;
        if !task.within(length) || ahead.0.frontier().is_empty() || back.0.frontier().is_empty() {
            return Ok(());
        }
        let forward = ahead.0.frontier().len() <= back.0.frontier().len();
        let (near, far) = if forward { (&mut ahead, &mut back) } else { (&mut back, &mut ahead) };
        near.0.advance(&mut near.1, &mut searcher.meter)?;
        let met: Vec<(u32, u32)> = near.0.frontier().iter().filter_map(|node| Some((*node, far.0.node(near.0.vertex(*node))?))).collect();
        if met.is_empty() {
            continue;
        }
        let met: Vec<(u32, u32)> = if forward { met } else { met.into_iter().map(|(b, a)| (a, b)).collect() };
        return tell(&ahead.0, &back.0, &met, task, target, all, length, emit);
    }
}

#[expect(clippy::too_many_arguments, reason = "two searches, where they met, and what was asked")]
fn tell(
    ahead: &Links,
    back: &Links,
    met: &[(u32, u32)],
    task: &Task<'_>,
    target: Element,
    all: bool,
    length: u32,
    emit: Emit<'_>,
) -> SqlResult<()> {
    if !task.wants_path {
        let mut count = 0_u64;
        for (a, b) in met {
            let ways = tally::product(ahead.ways(*a), back.ways(*b))?;
            count = tally::sum(count, ways)?;
        }
        return emit(Found { to: target, count: if all { count } else { 1 }, path: None });
    }
    let met = if all { met } else { &met[..1] };
    for (a, b) in met {
        ahead.paths(*a, &mut |to_start| {
            back.paths(*b, &mut |to_target| {
                let elements = to_start.iter().rev().chain(&to_target[1..]).copied().collect();
                emit(Found { to: target, count: 1, path: Some(task.path(elements, f64::from(length))) })
            })
        })?;
    }
    Ok(())
}
