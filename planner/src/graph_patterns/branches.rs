//! A part of a bound pattern as alternatives without repetition: each path of each length written out, so that joins can answer it; but for those that
//! are searched.
//!
//! U1: the matches of a part are those of its branches, each counted once: branches differ in the length of some repeated path, or in the alternative
//!     that they took; what two alternatives of a union match alike is the first one's (`unions`).
//! U2: vertices that stand side by side are one slot, whose element tables are those that both admit.
//! U3: the work is bounded: branches, slots and joins; beyond, 54001.
//! Never: approximates; what has no such form is refused by name.

use std::collections::{BTreeMap, BTreeSet};

use base::{SqlError, SqlResult, SqlState};
use sqlparser::ast::Expr;

use super::bound::{Pattern, Repeat, Step, VariableId};
use super::pointed;
use super::references;
use super::searches::{Search, search};
use super::unions::{Begun, Excluded, Passage};
use crate::graph_paths::Spec;
use crate::graph_syntax::{Direction, Mode};

/// Branches a pattern may have.
const BRANCHES_MAX: usize = 128;
/// Vertices and edges a branch may have.
const SLOTS_MAX: usize = 64;

/// One alternative.
#[derive(Clone, Default, Debug)]
pub(super) struct Branch<'a> {
    /// Vertices and edges.
    pub(super) slots: Vec<Slot>,
    pub(super) links: Vec<Link>,
    /// What must hold.
    pub(super) conditions: Vec<Condition<'a>>,
    /// Slots that hold different elements, pairwise.
    pub(super) different: Vec<(usize, usize)>,
    /// The variables that the whole pattern may mention.
    pub(super) names: BTreeMap<VariableId, usize>,
    /// What each path of the part passes.
    pub(super) passed: BTreeMap<usize, Passed>,
    /// Paths that are searched.
    pub(super) searches: Vec<Searching>,
    /// Matches that are another branch's.
    pub(super) excluded: Vec<Excluded<'a>>,
    /// Slots that became another.
    merged: BTreeMap<usize, usize>,
    /// Whether nothing can match.
    pub(super) impossible: bool,
    /// Of the path that is being written out.
    vertices: Vec<usize>,
    edges: Vec<usize>,
    pending: Option<(usize, Direction)>,
    /// Whether an edge has no vertex at one side, because what stands there is repeated zero times.
    headless: bool,
    pub(super) modes: Vec<Scope>,
    /// What it passed, in turn.
    pub(super) passages: Vec<Passage>,
}

/// A place for one element.
#[derive(Clone, Debug)]
pub(super) struct Slot {
    /// Positions of element tables.
    pub(super) elements: Vec<usize>,
}

/// An edge and the vertices at both sides.
#[derive(Clone, Copy, Debug)]
pub(super) struct Link {
    pub(super) edge: usize,
    pub(super) left: usize,
    pub(super) right: usize,
    pub(super) direction: Direction,
}

/// What a path passes.
#[derive(Clone, Debug)]
pub(super) enum Passed {
    /// These slots, in turn; a vertex more than edges.
    Written {
        /// Vertices.
        vertices: Vec<usize>,
        /// Edges.
        edges: Vec<usize>,
    },
    /// As that search says of each path.
    Searched(usize),
}

/// A path that is searched, and the slots of its ends.
#[derive(Clone, Debug)]
pub(super) struct Searching {
    pub(super) left: usize,
    pub(super) right: usize,
    pub(super) spec: Spec,
}

/// An expression and what its variables are bound to.
#[derive(Clone, Debug)]
pub(super) struct Condition<'a> {
    pub(super) expr: &'a Expr,
    pub(super) names: BTreeMap<VariableId, usize>,
}

/// The part of a path that a mode is about.
#[derive(Clone, Debug)]
pub(super) struct Scope {
    pub(super) mode: Mode,
    pub(super) vertices: Vec<usize>,
    pub(super) edges: Vec<usize>,
}

impl Branch<'_> {
    /// The slot that a slot became.
    pub(super) fn at(&self, slot: usize) -> usize {
        let mut slot = slot;
        while let Some(into) = self.merged.get(&slot) {
            slot = *into;
        }
        slot
    }

    /// Leaves a variable of the parts around to these element tables; where nothing here holds it, a slot of its own does.
    pub(super) fn admit(&mut self, variable: VariableId, elements: &BTreeSet<usize>) {
        match self.names.get(&variable).map(|slot| self.at(*slot)) {
            Some(slot) => self.slots[slot].elements.retain(|element| elements.contains(element)),
            None => {
                self.slots.push(Slot { elements: elements.iter().copied().collect() });
                self.names.insert(variable, self.slots.len() - 1);
            }
        }
    }

    fn merge(&mut self, kept: usize, gone: usize) {
        let (kept, gone) = (self.at(kept), self.at(gone));
        if kept == gone {
            return;
        }
        let admitted = std::mem::take(&mut self.slots[gone].elements);
        self.slots[kept].elements.retain(|element| admitted.contains(element));
        self.merged.insert(gone, kept);
    }
}

/// Writes a part out, without its own WHERE. Errors: 0A000 and 42601 for what needs graph operators, 54001 (U3).
pub(super) fn branches<'a>(pattern: &'a Pattern, part: usize, source: &str) -> SqlResult<Vec<Branch<'a>>> {
    let writer = Writer { pattern, source };
    let mut branches = vec![Branch::default()];
    let shown = references::shown(pattern);
    for at in pattern.parts[part].paths.clone() {
        let path = &pattern.paths[at];
        if let Some(search) = search(path, pattern, shown.contains(&at), source)? {
            branches.iter_mut().for_each(|branch| Writer::search(branch, at, &search));
            continue;
        }
        let mut written = Vec::new();
        for mut branch in branches {
            (branch.vertices, branch.edges, branch.pending) = (Vec::new(), Vec::new(), None);
            let mode = path.prefix.mode.unwrap_or(Mode::Walk);
            for mut branch in writer.steps(vec![branch], &path.steps, mode)? {
                if branch.vertices.is_empty() || branch.headless || branch.pending.is_some() {
                    let message = "every edge needs a vertex at both sides, however often the paths beside it are repeated";
                    return Err(
                        SqlError::new(SqlState::SYNTAX_ERROR, message).hint("Let the repetition begin at 1, or put a vertex () beside it.")
                    );
                }
                let (vertices, edges) = (branch.vertices.clone(), branch.edges.clone());
                branch.passed.insert(at, Passed::Written { vertices: vertices.clone(), edges: edges.clone() });
                branch.modes.push(Scope { mode, vertices, edges });
                written.push(branch);
            }
        }
        branches = writer.bounded(written)?;
    }
    branches.iter_mut().for_each(apply_modes);
    branches.retain(|branch| !branch.impossible);
    Ok(branches)
}

/// Modes as pairs that differ, once it is known which slots are one.
fn apply_modes(branch: &mut Branch<'_>) {
    for scope in std::mem::take(&mut branch.modes) {
        match scope.different(branch) {
            Some(different) => branch.different.extend(different),
            None => branch.impossible = true,
        }
    }
    let mut excluded = std::mem::take(&mut branch.excluded);
    excluded.retain_mut(|other| {
        let different = other.modes.iter().map(|scope| scope.different(branch)).collect::<Option<Vec<_>>>();
        other.different = different.iter().flatten().flatten().copied().collect();
        different.is_some()
    });
    branch.excluded = excluded;
}

impl Scope {
    /// Slots that have to hold different elements; `None` where two of them are one.
    fn different(&self, branch: &Branch<'_>) -> Option<Vec<(usize, usize)>> {
        let places = match self.mode {
            Mode::Walk => return Some(Vec::new()),
            Mode::Trail => &self.edges,
            Mode::Acyclic | Mode::Simple => &self.vertices,
        };
        let last = places.len().saturating_sub(1);
        let mut different = Vec::new();
        for first in 0..places.len() {
            for second in first + 1..places.len() {
                if self.mode == Mode::Simple && first == 0 && second == last {
                    continue;
                }
                let pair = (branch.at(places[first]), branch.at(places[second]));
                if pair.0 == pair.1 {
                    return None;
                }
                different.push(pair);
            }
        }
        Some(different)
    }
}

struct Writer<'s> {
    pattern: &'s Pattern,
    source: &'s str,
}

impl Writer<'_> {
    fn bounded<'a>(&self, branches: Vec<Branch<'a>>) -> SqlResult<Vec<Branch<'a>>> {
        let too_long = branches.iter().any(|branch| branch.slots.len() > SLOTS_MAX);
        if branches.len() <= BRANCHES_MAX && !too_long {
            return Ok(branches);
        }
        let what = if too_long {
            format!("more than {SLOTS_MAX} elements in a path")
        } else {
            format!("more than {BRANCHES_MAX} lengths of paths")
        };
        Err(SqlError::new(SqlState::STATEMENT_TOO_COMPLEX, "the graph pattern is too large")
            .detail(format!("Its repetitions come to {what}."))
            .hint("Lower the bounds of its quantifiers."))
    }

    /// The ends of a path that is searched.
    fn search<'a>(branch: &mut Branch<'a>, path: usize, search: &Search<'a>) {
        let mut end = |step: &'a Step| {
            (branch.vertices, branch.pending) = (Vec::new(), None);
            if let Step::Vertex { variable, elements, condition } = step {
                Self::vertex(branch, (*variable, elements), condition.as_ref());
            }
            branch.vertices.pop().unwrap_or_default()
        };
        let (left, right) = (end(search.left), end(search.right));
        branch.passed.insert(path, Passed::Searched(branch.searches.len()));
        branch.searches.push(Searching { left, right, spec: search.spec.clone() });
    }

    /// The bound of a repetition. Errors: 42601 for one that the standard refuses, 0A000 for one that joins cannot answer.
    fn bound(&self, repeat: &Repeat, mode: Mode) -> SqlResult<u32> {
        if let Some(max) = repeat.max {
            return Ok(max);
        }
        let error = if mode == Mode::Walk && repeat.mode.unwrap_or(Mode::Walk) == Mode::Walk {
            SqlError::new(SqlState::SYNTAX_ERROR, "an unbounded quantifier needs a path mode or a selector")
                .detail("A WALK may pass an edge again and again, so that a cycle has paths without end.")
        } else {
            SqlError::unsupported("an unbounded quantifier")
        };
        Err(pointed(
            error.hint("Give it a bound, such as {1,5}, or the path a prefix, such as TRAIL or ANY SHORTEST."),
            self.source,
            repeat.span,
        ))
    }

    fn steps<'a>(&self, mut branches: Vec<Branch<'a>>, steps: &'a [Step], mode: Mode) -> SqlResult<Vec<Branch<'a>>> {
        for step in steps {
            branches = match step {
                Step::Vertex { variable, elements, condition } => {
                    for branch in &mut branches {
                        let slot = Self::vertex(branch, (*variable, elements), condition.as_ref());
                        branch.passages.push(Passage::Vertex(slot, self.named(*variable)));
                    }
                    branches
                }
                Step::Edge { variable, elements, direction, condition, .. } => {
                    for branch in &mut branches {
                        let slot = Self::edge(branch, (*variable, elements), *direction, condition.as_ref());
                        branch.passages.push(Passage::Edge(slot, self.named(*variable)));
                    }
                    branches
                }
                Step::Repeat(repeat) => self.repeat(branches, repeat, mode)?,
                Step::Choice { counted: true, choices } => {
                    let mut chosen = Vec::new();
                    for (which, choice) in choices.iter().enumerate() {
                        let mut begun = branches.clone();
                        let place = std::ptr::from_ref(step).addr();
                        begun.iter_mut().for_each(|branch| branch.passages.push(Passage::Took(place, which)));
                        chosen.extend(self.steps(begun, choice, mode)?);
                    }
                    chosen
                }
                Step::Choice { counted: false, choices } => self.union(branches, choices, mode)?,
            };
            branches = self.bounded(branches)?;
        }
        Ok(branches)
    }

    /// Any of some alternatives, each match of them once.
    fn union<'a>(&self, branches: Vec<Branch<'a>>, choices: &'a [Vec<Step>], mode: Mode) -> SqlResult<Vec<Branch<'a>>> {
        let mut all = Vec::new();
        for branch in branches {
            let begun = Begun::of(&branch);
            let mut done: Vec<Branch<'a>> = Vec::new();
            for choice in choices {
                for mut found in self.steps(vec![branch.clone()], choice, mode)? {
                    let excluded: Vec<Excluded<'a>> = done.iter().filter_map(|earlier| begun.excluded(&found, earlier)).collect();
                    found.excluded.extend(excluded);
                    done.push(found);
                }
            }
            all.extend(done);
            all = self.bounded(all)?;
        }
        Ok(all)
    }

    /// A variable that has a name.
    fn named(&self, variable: VariableId) -> Option<VariableId> {
        self.pattern.variables[variable].name.as_ref().map(|_| variable)
    }

    fn repeat<'a>(&self, branches: Vec<Branch<'a>>, repeat: &'a Repeat, mode: Mode) -> SqlResult<Vec<Branch<'a>>> {
        let max = self.bound(repeat, mode)?;
        let mut done = Vec::new();
        let mut current = branches;
        if repeat.min == 0 {
            done.extend(current.clone());
        }
        for time in 1..=max {
            current = self.bounded(self.once(current, repeat, mode)?)?;
            if time >= repeat.min {
                done.extend(current.clone());
                done = self.bounded(done)?;
            }
        }
        Ok(done)
    }

    /// The repeated path one more time, its own variables bound anew.
    fn once<'a>(&self, branches: Vec<Branch<'a>>, repeat: &'a Repeat, mode: Mode) -> SqlResult<Vec<Branch<'a>>> {
        let mut passed = Vec::new();
        for mut branch in branches {
            for variable in &repeat.inner {
                branch.names.remove(variable);
            }
            let outer = (std::mem::take(&mut branch.vertices), std::mem::take(&mut branch.edges));
            // Where the path stands is where this time begins.
            branch.vertices.extend(outer.0.last());
            let begun = branch.vertices.len();
            // An edge before it leads into the path without being part of it.
            let first = if branch.pending.is_some() { begun } else { 0 };
            // A path with a name of its own is another one.
            branch.passages.extend(repeat.path.map(|path| Passage::Took(path, usize::MAX)));
            for mut branch in self.steps(vec![branch], &repeat.steps, repeat.mode.unwrap_or(mode))? {
                if let Some(path) = repeat.path {
                    let (vertices, edges) = (branch.vertices[first..].to_vec(), branch.edges.clone());
                    branch.passed.insert(self.pattern.paths.len() + path, Passed::Written { vertices, edges });
                }
                if let Some(expr) = &repeat.condition {
                    let names = branch.names.clone();
                    branch.conditions.push(Condition { expr, names });
                }
                if let Some(mode) = repeat.mode {
                    let (vertices, edges) = (branch.vertices[first..].to_vec(), branch.edges.clone());
                    branch.modes.push(Scope { mode, vertices, edges });
                }
                let vertices = branch.vertices.split_off(begun);
                let edges = std::mem::take(&mut branch.edges);
                branch.vertices = outer.0.iter().copied().chain(vertices).collect();
                branch.edges = outer.1.iter().copied().chain(edges).collect();
                if repeat.max != Some(1) {
                    for variable in &repeat.inner {
                        branch.names.remove(variable);
                    }
                }
                passed.push(branch);
            }
        }
        Ok(passed)
    }

    /// The slot of a variable, left to the tables that this place admits.
    fn slot(branch: &mut Branch<'_>, (variable, elements): (VariableId, &[usize])) -> usize {
        if let Some(known) = branch.names.get(&variable).copied() {
            let slot = branch.at(known);
            branch.slots[slot].elements.retain(|element| elements.contains(element));
            return known;
        }
        branch.slots.push(Slot { elements: elements.to_vec() });
        branch.names.insert(variable, branch.slots.len() - 1);
        branch.slots.len() - 1
    }

    fn hold<'a>(branch: &mut Branch<'a>, condition: Option<&'a Expr>) {
        if let Some(expr) = condition {
            let names = branch.names.clone();
            branch.conditions.push(Condition { expr, names });
        }
    }

    fn vertex<'a>(branch: &mut Branch<'a>, place: (VariableId, &[usize]), condition: Option<&'a Expr>) -> usize {
        let slot = Self::slot(branch, place);
        Self::hold(branch, condition);
        match (branch.pending.take(), branch.vertices.last().copied()) {
            (Some((edge, direction)), Some(left)) => {
                branch.links.push(Link { edge, left, right: slot, direction });
                branch.vertices.push(slot);
            }
            (None, Some(here)) => branch.merge(here, slot),
            (pending, None) => {
                branch.headless |= pending.is_some();
                branch.vertices.push(slot);
            }
        }
        slot
    }

    fn edge<'a>(branch: &mut Branch<'a>, place: (VariableId, &[usize]), direction: Direction, condition: Option<&'a Expr>) -> usize {
        let slot = Self::slot(branch, place);
        Self::hold(branch, condition);
        branch.edges.push(slot);
        branch.headless |= branch.pending.is_some();
        branch.pending = Some((slot, direction));
        slot
    }
}
