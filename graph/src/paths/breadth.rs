//! Shortest paths from one vertex to all, by breadth.
//!
//! Never: asked for a lower bound above 1.

use base::SqlResult;

use super::links::Links;
use super::{Emit, Found, Searcher, Task};

/// Finds one shortest path to each vertex wanted, or all.
pub fn all_from(searcher: &mut Searcher<'_>, task: &Task<'_>, all: bool, emit: Emit<'_>) -> SqlResult<()> {
    let mut stepper = searcher.stepper(task, false);
    let mut links = Links::new(task.from, task.step.pattern.min == 0, all);
    let mut first = task.step.pattern.min;
    loop {
        if links.level() >= first {
            first = 0;
            for node in links.frontier() {
                if task.wants(links.vertex(*node)) {
                    tell(&links, *node, task, all, emit)?;
                }
            }
        }
        let is_done = task.target.is_some_and(|target| links.node(target).is_some());
        if is_done || links.frontier().is_empty() || !task.within(links.level() + 1) {
            return Ok(());
        }
        links.advance(&mut stepper, &mut searcher.meter)?;
    }
}

fn tell(links: &Links, node: u32, task: &Task<'_>, all: bool, emit: Emit<'_>) -> SqlResult<()> {
    let to = links.vertex(node);
    if !task.wants_path {
        return emit(Found { to, count: if all { links.ways(node) } else { 1 }, path: None });
    }
    let cost = f64::from(links.level());
    links.paths(node, &mut |back| {
        let path = task.path(back.iter().rev().copied().collect(), cost);
        emit(Found { to, count: 1, path: Some(path) })
    })
}
