//! Path searches from one vertex: which one serves which kind of path.
//!
//! A1: of paths between two vertices, found are exactly those that the mode allows and the selector keeps; where it lets choose, any choice will do.
//! Never: keeps a path that nobody asked to see.

mod best;
mod breadth;
mod enumerate;
mod links;
mod meet;
mod steps;
mod walks;

use std::sync::Arc;

use base::SqlResult;

use crate::budget::Meter;
use crate::element::Element;
use crate::pattern::{Mode, Selector};
use crate::plan::PathStep;
use crate::topology::Snapshot;
use steps::Stepper;

/// A path: its vertices and edges in turn, vertices at both ends.
#[derive(Clone, Debug, PartialEq)]
pub struct Path {
    /// An odd number of elements.
    pub elements: Arc<[Element]>,
    /// Sum of the weights of its steps; without weights their number.
    pub cost: f64,
}

impl Path {
    /// How many edges it has.
    pub fn length(&self) -> usize {
        self.elements.len() / 2
    }

    /// Its vertices, first to last.
    pub fn vertices(&self) -> impl Iterator<Item = Element> {
        self.elements.iter().step_by(2).copied()
    }

    /// Its edges, first to last.
    pub fn edges(&self) -> impl Iterator<Item = Element> {
        self.elements.iter().skip(1).step_by(2).copied()
    }
}

/// Paths found to one vertex.
#[derive(Debug)]
pub struct Found {
    /// Where they lead.
    pub to: Element,
    /// How many paths this stands for.
    pub count: u64,
    /// The path, where asked for; then it stands for one.
    pub path: Option<Path>,
}

/// One search.
#[derive(Clone, Copy, Debug)]
pub struct Task<'t> {
    /// Which paths.
    pub step: &'t PathStep,
    /// Where from.
    pub from: Element,
    /// Where to; anywhere in the step's tables where `None`.
    pub target: Option<Element>,
    /// Whether paths are to be shown.
    pub wants_path: bool,
}

impl Task<'_> {
    /// Whether paths to this vertex are asked for.
    fn wants(&self, vertex: Element) -> bool {
        self.target.map_or_else(|| self.step.to_tables.binary_search(&vertex.table()).is_ok(), |target| target == vertex)
    }

    /// Elements of a path that was searched from `from`, in the order of the pattern.
    fn path(&self, mut elements: Vec<Element>, cost: f64) -> Path {
        if self.step.is_reversed {
            elements.reverse();
        }
        Path { elements: elements.into(), cost }
    }

    fn within(&self, length: u32) -> bool {
        self.step.pattern.max.is_none_or(|max| length <= max)
    }
}

/// Where found paths go; an error ends the search.
pub type Emit<'e> = &'e mut dyn FnMut(Found) -> SqlResult<()>;

/// Searches paths in one snapshot.
pub struct Searcher<'a> {
    graph: &'a Snapshot,
    meter: Meter,
}

impl<'a> Searcher<'a> {
    /// Takes what it needs by `meter`.
    pub fn new(graph: &'a Snapshot, meter: Meter) -> Self {
        Self { graph, meter }
    }

    /// Finds what the task asks for (A1). Errors: 53200, 57014, 22003 for a weight below 0, and those of filters, weights and `emit`.
    pub fn search(&mut self, task: &Task<'_>, emit: Emit<'_>) -> SqlResult<()> {
        let pattern = &task.step.pattern;
        let found = match pattern.selector {
            Selector::All if pattern.mode == Mode::Walk && !task.wants_path => walks::count(self, task, emit),
            Selector::All => enumerate::all(self, task, emit),
            Selector::Any | Selector::AnyShortest => self.shortest(task, false, emit),
            Selector::AllShortest => self.shortest(task, true, emit),
            Selector::Shortest(count) => best::first(self, task, best::Wanted::Shortest(count), emit),
            Selector::Cheapest(count) => best::first(self, task, best::Wanted::Cheapest(count), emit),
            Selector::ShortestGroups(count) => best::first(self, task, best::Wanted::Groups(count), emit),
        };
        self.meter.give(self.meter.held());
        found
    }

    /// By breadth where a shortest walk obeys the mode, as any does that does not come back to where it began.
    fn shortest(&mut self, task: &Task<'_>, all: bool, emit: Emit<'_>) -> SqlResult<()> {
        let pattern = &task.step.pattern;
        let by_best = if all { best::Wanted::Groups(1) } else { best::Wanted::Shortest(1) };
        if pattern.min > 1 {
            return best::first(self, task, by_best, emit);
        }
        let may_close = pattern.min == 1 && pattern.mode != Mode::Walk;
        match task.target {
            Some(target) if target != task.from => return meet::meet(self, task, target, all, emit),
            Some(_) if may_close => return best::first(self, task, by_best, emit),
            _ => {}
        }
        breadth::all_from(self, task, all, &mut |found| if may_close && found.to == task.from { Ok(()) } else { emit(found) })?;
        if may_close && task.wants(task.from) {
            return best::first(self, &Task { target: Some(task.from), ..*task }, by_best, emit);
        }
        Ok(())
    }

    fn stepper<'t>(&self, task: &Task<'t>, back: bool) -> Stepper<'t>
    where
        'a: 't,
    {
        Stepper::new(self.graph, task.step, back)
    }
}
