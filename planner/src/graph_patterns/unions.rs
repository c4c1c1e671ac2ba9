//! The union of path patterns: what two alternatives match alike is one match.
//!
//! Alternatives are branches of their own, as those of `|+|` are; each leaves out what one before it matches.
//!
//! V1: two matches are one where they pass the same elements, under the same names, place by place; elements without a name are told by place alone.
//! V2: which of several counted alternatives (`|+|`) within them they took tells matches apart, too.
//! Never: makes SQL.

use std::collections::{BTreeMap, BTreeSet};

use super::bound::VariableId;
use super::branches::{Branch, Condition, Link, Scope};

/// Something that a path passes, or does.
#[derive(Clone, Copy, Debug)]
pub(super) enum Passage {
    /// A vertex, perhaps the one where the path stands, and the variable if it has a name.
    Vertex(usize, Option<VariableId>),
    /// An edge.
    Edge(usize, Option<VariableId>),
    /// One of counted alternatives: the place of their step in memory, and which.
    Took(usize, usize),
}

/// How far a branch had come when its alternatives began.
#[derive(Clone, Copy)]
pub(super) struct Begun {
    slots: usize,
    links: usize,
    conditions: usize,
    modes: usize,
    passages: usize,
}

/// What another alternative asks of the elements that a branch holds: where all of it is so, that one has the match.
#[derive(Clone, Debug)]
pub(super) struct Excluded<'a> {
    /// The element tables that slots can be of.
    pub(super) admits: Vec<(usize, Vec<usize>)>,
    pub(super) links: Vec<Link>,
    pub(super) conditions: Vec<Condition<'a>>,
    pub(super) modes: Vec<Scope>,
    /// Slots that hold different elements, pairwise, once that is settled.
    pub(super) different: Vec<(usize, usize)>,
}

/// A place of a path.
#[derive(Default)]
struct Place {
    is_edge: bool,
    slots: Vec<usize>,
    names: BTreeSet<VariableId>,
    took: BTreeSet<(usize, usize)>,
}

impl Begun {
    pub(super) fn of(branch: &Branch<'_>) -> Self {
        let (slots, links, conditions) = (branch.slots.len(), branch.links.len(), branch.conditions.len());
        Self { slots, links, conditions, modes: branch.modes.len(), passages: branch.passages.len() }
    }

    /// What `earlier` asks of a match of `branch` to have it; `None` where it has none of them (V1).
    pub(super) fn excluded<'a>(self, branch: &Branch<'a>, earlier: &Branch<'a>) -> Option<Excluded<'a>> {
        let (own, other) = (self.places(branch), self.places(earlier));
        let is_alike = |(one, other): (&Place, &Place)| one.is_edge == other.is_edge && one.names == other.names && one.took == other.took;
        if own.len() != other.len() || !own.iter().zip(&other).all(is_alike) {
            return None;
        }
        let mut into: BTreeMap<usize, usize> = (0..self.slots).map(|slot| (earlier.at(slot), slot)).collect();
        for (own, other) in own.iter().zip(&other) {
            let Some(slot) = own.slots.first() else { continue };
            other.slots.iter().for_each(|other| {
                into.entry(earlier.at(*other)).or_insert(*slot);
            });
        }
        let slot = |slot: usize| into.get(&earlier.at(slot)).copied().unwrap_or(slot);
        let link = |link: &Link| Link { edge: slot(link.edge), left: slot(link.left), right: slot(link.right), ..*link };
        let condition = |condition: &Condition<'a>| Condition {
            expr: condition.expr,
            names: condition.names.iter().map(|(variable, of)| (*variable, slot(*of))).collect(),
        };
        let scope = |scope: &Scope| Scope {
            mode: scope.mode,
            vertices: scope.vertices.iter().map(|of| slot(*of)).collect(),
            edges: scope.edges.iter().map(|of| slot(*of)).collect(),
        };
        Some(Excluded {
            admits: into.iter().map(|(other, slot)| (*slot, earlier.slots[*other].elements.clone())).collect(),
            links: earlier.links[self.links..].iter().map(link).collect(),
            conditions: earlier.conditions[self.conditions..].iter().map(condition).collect(),
            modes: earlier.modes[self.modes..].iter().map(scope).collect(),
            different: Vec::new(),
        })
    }

    /// What a branch has passed since, vertices that are one together.
    fn places(self, branch: &Branch<'_>) -> Vec<Place> {
        let mut places: Vec<Place> = Vec::new();
        let mut took = BTreeSet::new();
        for passage in &branch.passages[self.passages..] {
            let (is_edge, slot, name) = match passage {
                Passage::Vertex(slot, name) => (false, *slot, *name),
                Passage::Edge(slot, name) => (true, *slot, *name),
                Passage::Took(step, which) => {
                    took.insert((*step, *which));
                    continue;
                }
            };
            if is_edge || places.last().is_none_or(|last| last.is_edge) {
                places.push(Place { is_edge, ..Place::default() });
            }
            if let Some(last) = places.last_mut() {
                last.slots.push(slot);
                last.names.extend(name);
                last.took.append(&mut took);
            }
        }
        places
    }
}
