//! Which element tables the slots of a branch can be together, and which way its edges then lead.
//!
//! E1: an edge leads from the vertex table of its source to that of its destination; combinations that have no such edges are left out.
//! E2: an edge that may be passed both ways is passed each way once, and a loop once in all.
//! Never: makes SQL.

use base::{SqlError, SqlResult, SqlState};
use engine::GraphDef;

use super::branches::{Branch, Link};
use crate::graph_syntax::Direction;

/// Joins that a pattern may come to.
pub(super) const JOINS_MAX: usize = 128;

/// One way a branch can match.
#[derive(Clone, Debug)]
pub(super) struct Combination {
    /// By slot; `None` for a slot that became another.
    pub(super) elements: Vec<Option<usize>>,
    /// By link.
    pub(super) ways: Vec<Way>,
}

/// Which way an edge is passed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Way {
    /// From its source to its destination.
    Along,
    /// From its destination to its source.
    Against,
    /// Likewise, where that is not also along it: a loop, which is both.
    OnlyAgainst,
}

/// 54001
pub(super) fn too_many_joins() -> SqlError {
    SqlError::new(SqlState::STATEMENT_TOO_COMPLEX, "the graph pattern is too large")
        .detail(format!("It comes to more than {JOINS_MAX} joins of element tables."))
        .hint("Name labels with IS, give edges a direction, or lower the bounds of quantifiers.")
}

/// Every combination, `counted` of them known already. Errors: 54001.
pub(super) fn combinations(graph: &GraphDef, branch: &Branch<'_>, counted: usize) -> SqlResult<Vec<Combination>> {
    let mut order: Vec<usize> = Vec::new();
    for link in &branch.links {
        for slot in [link.left, link.edge, link.right] {
            let slot = branch.at(slot);
            if !order.contains(&slot) {
                order.push(slot);
            }
        }
    }
    let own = (0..branch.slots.len()).filter(|slot| branch.at(*slot) == *slot && !order.contains(slot));
    order.extend(own.collect::<Vec<_>>());
    let mut search = Search { graph, branch, order, found: Vec::new(), counted };
    let mut elements = vec![None; branch.slots.len()];
    search.assign(0, &mut elements)?;
    Ok(search.found)
}

struct Search<'a> {
    graph: &'a GraphDef,
    branch: &'a Branch<'a>,
    /// Slots, each edge right behind a vertex of its.
    order: Vec<usize>,
    found: Vec<Combination>,
    counted: usize,
}

impl Search<'_> {
    fn assign(&mut self, at: usize, elements: &mut Vec<Option<usize>>) -> SqlResult<()> {
        let Some(slot) = self.order.get(at).copied() else { return self.complete(elements) };
        for candidate in self.branch.slots[slot].elements.clone() {
            elements[slot] = Some(candidate);
            if self.branch.links.iter().all(|link| self.may_be(link, elements)) {
                self.assign(at + 1, elements)?;
            }
        }
        elements[slot] = None;
        Ok(())
    }

    /// Whether a link is not yet broken.
    fn may_be(&self, link: &Link, elements: &[Option<usize>]) -> bool {
        let of = |slot: usize| elements[self.branch.at(slot)];
        match of(link.edge) {
            None => true,
            Some(edge) => !self.ways(edge, of(link.left), of(link.right), link.direction).is_empty(),
        }
    }

    fn ways(&self, edge: usize, left: Option<usize>, right: Option<usize>, direction: Direction) -> Vec<Way> {
        let Some(ends) = &self.graph.elements[edge].ends else { return Vec::new() };
        let is = |slot: Option<usize>, alias: &str| slot.is_none_or(|at| self.graph.elements[at].alias == alias);
        let along = is(left, &ends.source.vertex) && is(right, &ends.destination.vertex);
        let against = is(left, &ends.destination.vertex) && is(right, &ends.source.vertex);
        match direction {
            Direction::Right => along.then_some(Way::Along).into_iter().collect(),
            Direction::Left => against.then_some(Way::Against).into_iter().collect(),
            Direction::Any => match (along, against) {
                (true, true) => vec![Way::Along, Way::OnlyAgainst],
                (true, false) => vec![Way::Along],
                (false, true) => vec![Way::Against],
                (false, false) => Vec::new(),
            },
        }
    }

    fn complete(&mut self, elements: &[Option<usize>]) -> SqlResult<()> {
        let of = |slot: usize| elements[self.branch.at(slot)];
        let mut ways: Vec<Vec<Way>> = vec![Vec::new()];
        for link in &self.branch.links {
            let Some(edge) = of(link.edge) else { return Ok(()) };
            let possible = self.ways(edge, of(link.left), of(link.right), link.direction);
            ways = ways.iter().flat_map(|before| possible.iter().map(move |way| [before.as_slice(), &[*way]].concat())).collect();
            self.check(ways.len())?;
        }
        self.check(ways.len())?;
        self.found.extend(ways.into_iter().map(|ways| Combination { elements: elements.to_vec(), ways }));
        Ok(())
    }

    fn check(&self, more: usize) -> SqlResult<()> {
        if self.counted + self.found.len() + more <= JOINS_MAX {
            return Ok(());
        }
        Err(too_many_joins())
    }
}
