//! What of a block need not be bound: vertices that are only counted, hung as tails on those that are.
//!
//! H1: a vertex becomes a tail only if nothing after it needs it or its edges, and every condition on them can be told at the tail.
//! Never: hangs a vertex whose key is known: it is where to begin.

use hashbrown::HashMap;

use super::Planner;
use crate::cardinality::Scope;
use crate::pattern::{Condition, EdgePattern, Part, PartKind, Pattern};
use crate::plan::{Arm, Hops, Tail};
use crate::varset::{Var, VarSet};

/// A block with what has been hung off it so far.
#[derive(Clone)]
pub struct Shape<'p> {
    /// The block.
    pub pattern: &'p Pattern,
    /// Vertices in sight.
    pub scope: &'p Scope<'p>,
    /// Vertices and edges bound before the block.
    pub bound: VarSet,
    /// Variables that must be bound by it.
    pub wanted: VarSet,
    /// Its own vertices that are to be bound.
    pub core: VarSet,
    /// Vertices that tails need to be bound.
    pub pinned: VarSet,
    /// Edges that tails cross.
    pub hung: VarSet,
    /// Tails by the one vertex they hang on.
    pub hanging: HashMap<Var, Vec<Tail>>,
    /// Tails that hang on several vertices, or have exceptions.
    pub lists: Vec<Tail>,
    /// Conditions that nobody checks yet, by place.
    pub open: Vec<bool>,
    /// Edges that must not be there, and are not checked yet.
    pub forbidden: Vec<&'p EdgePattern>,
    /// Parts that are tails, or forbidden edges.
    pub absorbed: Vec<bool>,
}

impl<'p> Shape<'p> {
    /// A block nothing hangs off.
    pub fn new(pattern: &'p Pattern, scope: &'p Scope<'p>, bound: VarSet, wanted: VarSet) -> Self {
        let own: VarSet = pattern.vertices.iter().map(|vertex| vertex.var).collect();
        Self {
            pattern,
            scope,
            bound,
            wanted,
            core: own - bound,
            pinned: VarSet::EMPTY,
            hung: VarSet::EMPTY,
            hanging: HashMap::new(),
            lists: Vec::new(),
            open: vec![true; pattern.conditions.len()],
            forbidden: Vec::new(),
            absorbed: vec![false; pattern.parts.len()],
        }
    }

    /// Vertices that can be stepped from: bound before or by the core.
    pub fn standing(&self) -> VarSet {
        self.core | self.bound
    }

    /// Edges at a vertex that no tail crosses.
    pub fn edges_at(&self, var: Var) -> impl Iterator<Item = &'p EdgePattern> + '_ {
        self.pattern.edges.iter().filter(move |edge| !self.hung.has(edge.var) && (edge.from == var || edge.to == var))
    }

    /// Conditions nobody checks yet that name one of the variables.
    fn conditions_on(&self, vars: VarSet) -> impl Iterator<Item = (usize, &'p Condition)> + '_ {
        let open = self.pattern.conditions.iter().enumerate().filter(|(at, _)| self.open[*at]);
        open.filter(move |(_, condition)| condition.vars().meets(vars))
    }

    fn is_forbidden_at(&self, var: Var) -> bool {
        self.forbidden.iter().any(|edge| edge.from == var || edge.to == var)
    }

    /// Whether a vertex might be counted instead of bound: its edges are plain, and nobody asks for it, for them, or knows its key.
    fn is_free(&self, var: Var) -> bool {
        self.core.has(var)
            && !(self.wanted | self.pinned).has(var)
            && self.scope.vertex(var).is_some_and(|vertex| vertex.only.is_none())
            && self.edges_at(var).all(|edge| edge.path.is_none() && edge.from != edge.to && !self.wanted.has(edge.var))
    }

    fn arm(&self, planner: &Planner<'_>, edge: &EdgePattern, from: Var, child: Var) -> Arm {
        Arm { from, edge: edge.var, hops: Hops::new(planner.schema, edge, edge.from == from, Some(self.scope.tables(child))) }
    }

    /// The one edge by which a vertex hangs on another, if that is all that holds it (H1).
    fn leaf_edge(&self, var: Var) -> Option<(&'p EdgePattern, Var)> {
        if !self.is_free(var) || self.is_forbidden_at(var) {
            return None;
        }
        let mut edges = self.edges_at(var);
        let (Some(edge), None) = (edges.next(), edges.next()) else { return None };
        let parent = if edge.from == var { edge.to } else { edge.from };
        let here = VarSet::one(var) | VarSet::one(edge.var);
        let local = here | VarSet::one(parent);
        let is_local = self.conditions_on(here).all(|(_, condition)| local.has_all(condition.vars()));
        (is_local && self.standing().has(parent)).then_some((edge, parent))
    }

    /// Hangs a leaf on its one neighbour.
    fn hang(&mut self, planner: &mut Planner<'_>, var: Var, edge: &'p EdgePattern, parent: Var) {
        let mine: Vec<usize> = self.conditions_on(VarSet::one(var) | VarSet::one(edge.var)).map(|(at, _)| at).collect();
        let conditions = mine.iter().map(|at| self.pattern.conditions[*at].clone()).collect();
        mine.iter().for_each(|at| self.open[*at] = false);
        let arm = self.arm(planner, edge, parent, var);
        let back = Hops::new(planner.schema, edge, edge.from == var, Some(self.scope.tables(parent)));
        let comes_again = back.iter().any(|(_, hop)| planner.cardinality.degree_max(hop) > 1.0) || back.iter().count() > 1;
        let mut tails = self.hanging.remove(&var).unwrap_or_default();
        tails.iter_mut().for_each(|tail| tail.is_remembered &= comes_again);
        let tail = Tail {
            child: var,
            kind: None,
            arms: vec![arm],
            except: Vec::new(),
            except_arms: Vec::new(),
            conditions,
            tails: planner.by_share(tails),
            memo: planner.next_memo(),
            is_remembered: true,
        };
        self.core = self.core - VarSet::one(var);
        self.hung |= VarSet::one(edge.var);
        self.hanging.entry(parent).or_default().push(tail);
    }

    /// The share of a vertex that its own filters leave.
    fn selectivity(&self, var: Var) -> f64 {
        self.conditions_on(VarSet::one(var))
            .filter(|(_, condition)| condition.vars() == VarSet::one(var))
            .map(|(_, condition)| if let Condition::Filter { selectivity, .. } = condition { *selectivity } else { 1.0 })
            .product()
    }

    /// Whether taking a vertex out leaves the rest in as many pieces as before, and something to begin with.
    fn stays_whole_without(&self, var: Var) -> bool {
        let rest = self.core - VarSet::one(var);
        let pieces = |shape: &Self, vars: VarSet| {
            let mut left = vars;
            let mut count = 0;
            while let Some(start) = left.iter().next() {
                let mut piece = VarSet::one(start);
                loop {
                    let near = shape.pattern.edges.iter().filter(|edge| !shape.hung.has(edge.var));
                    let mut grown = piece;
                    for edge in near.filter(|edge| vars.has(edge.from) && vars.has(edge.to)) {
                        if piece.has(edge.from) || piece.has(edge.to) {
                            grown |= VarSet::one(edge.from) | VarSet::one(edge.to);
                        }
                    }
                    if grown == piece {
                        break;
                    }
                    piece = grown;
                }
                left = left - piece;
                count += 1;
            }
            count
        };
        !(rest | self.bound).is_empty() && pieces(self, rest | self.bound) <= pieces(self, self.standing())
    }

    /// Takes a vertex out that hangs on several, or must differ from others; `None` where it cannot be told at the tail (H1).
    pub fn without(&self, planner: &mut Planner<'_>, var: Var) -> Option<Self> {
        if !self.is_free(var) || !self.stays_whole_without(var) {
            return None;
        }
        let edges: Vec<&EdgePattern> = self.edges_at(var).collect();
        let here = edges.iter().fold(VarSet::one(var), |vars, edge| vars | VarSet::one(edge.var));
        let rest = self.core - VarSet::one(var);
        let mut next = self.clone();
        let mut except = Vec::new();
        for (at, condition) in self.conditions_on(here) {
            let Condition::Different(a, b) = condition else { return None };
            let other = if *a == var { *b } else { *a };
            if !(*a == var || *b == var) || !rest.has(other) {
                return None;
            }
            except.push(other);
            next.open[at] = false;
        }
        let mut except_arms = Vec::new();
        for edge in self.forbidden.iter().filter(|edge| edge.from == var || edge.to == var) {
            let other = if edge.from == var { edge.to } else { edge.from };
            if !rest.has(other) {
                return None;
            }
            except_arms.push(self.arm(planner, edge, other, var));
        }
        next.forbidden.retain(|edge| edge.from != var && edge.to != var);
        let other_end = |edge: &EdgePattern| if edge.from == var { edge.to } else { edge.from };
        let arms: Vec<Arm> = edges.iter().map(|edge| self.arm(planner, edge, other_end(edge), var)).collect();
        if arms.is_empty() || arms.iter().any(|arm| !(rest | self.bound).has(arm.from)) {
            return None;
        }
        next.core = rest;
        next.hung |= here - VarSet::one(var);
        next.pinned |= arms.iter().chain(&except_arms).map(|arm| arm.from).chain(except.iter().copied()).collect();
        let tails = next.hanging.remove(&var).unwrap_or_default();
        let memo = planner.next_memo();
        next.lists.push(Tail {
            child: var,
            kind: None,
            arms,
            except,
            except_arms,
            conditions: Vec::new(),
            tails,
            memo,
            is_remembered: true,
        });
        Some(next)
    }
}

impl Planner<'_> {
    /// The share of vertices at which a tail's number is not 0.
    pub(super) fn share(&self, tail: &Tail) -> f64 {
        let none = |arm: &Arm| arm.hops.iter().map(|(_, hop)| 1.0 - self.cardinality.share(hop)).product::<f64>();
        let some = tail.arms.iter().map(|arm| 1.0 - none(arm)).product::<f64>()
            * tail.tails.iter().map(|next| self.share(next)).fold(1.0, f64::min);
        match tail.kind {
            Some(PartKind::Optional) => 1.0,
            Some(PartKind::NotExists) => 1.0 - some,
            None | Some(PartKind::Exists) => some,
        }
    }

    /// Tails in the order in which they are asked for: first those that are most often 0, which end the asking.
    pub(super) fn by_share(&self, mut tails: Vec<Tail>) -> Vec<Tail> {
        tails.sort_by(|a, b| self.share(a).total_cmp(&self.share(b)));
        tails
    }

    /// Takes parts into the block that are tails of one of its vertices, or forbid an edge between two.
    pub(super) fn absorb_parts<'p>(&mut self, shape: &mut Shape<'p>) {
        for (at, part) in shape.pattern.parts.iter().enumerate() {
            if !self.chance(true) || !part.pattern.parts.is_empty() {
                continue;
            }
            let (own, all) = (part.pattern.own_vars(), part.pattern.all_vars());
            let others = shape.pattern.parts.iter().enumerate().filter(|(other, _)| *other != at);
            let others = others.fold(VarSet::EMPTY, |vars, (_, part)| vars | part.pattern.all_vars());
            if own.meets(shape.wanted | shape.bound | shape.pattern.own_vars() | others) {
                continue;
            }
            let outer = all - own;
            if !shape.core.has_all(outer) {
                continue;
            }
            if let Some(edge) = forbidden_edge(part) {
                shape.forbidden.push(edge);
                shape.absorbed[at] = true;
            } else if outer.len() == 1
                && let Some(anchor) = outer.iter().next()
                && let Some(tail) = self.tail_of(shape.scope, part, anchor)
            {
                shape.hanging.entry(anchor).or_default().push(tail);
                shape.absorbed[at] = true;
            }
        }
    }

    /// A part as one tail of a vertex, if it is one.
    fn tail_of(&mut self, scope: &Scope<'_>, part: &Part, anchor: Var) -> Option<Tail> {
        let scope = scope.with(&part.pattern);
        let mut shape = Shape::new(&part.pattern, &scope, VarSet::one(anchor), VarSet::EMPTY);
        while let Some((var, (edge, parent))) = shape.core.iter().find_map(|var| Some((var, shape.leaf_edge(var)?))) {
            shape.hang(self, var, edge, parent);
        }
        let is_all =
            shape.core.is_empty() && shape.open.iter().all(|open| !open) && shape.pattern.edges.iter().all(|edge| shape.hung.has(edge.var));
        let mut tails = shape.hanging.remove(&anchor)?;
        let mut tail = tails.pop().filter(|_| tails.is_empty() && is_all)?;
        tail.kind = Some(part.kind);
        Some(tail)
    }

    /// Hangs leaves on their neighbours. Where all hangs on one vertex in the end, on that from which it costs least.
    pub(super) fn hang_leaves<'p>(&mut self, shape: &mut Shape<'p>) {
        let whole = shape.clone();
        self.hang_around(shape);
        if self.dice.is_some() || shape.core.len() != 1 || !shape.bound.is_empty() {
            return;
        }
        let mut least = self.order(shape).cost;
        for root in (whole.core - shape.core).iter() {
            let mut other = whole.clone();
            other.pinned |= VarSet::one(root);
            self.hang_around(&mut other);
            if other.core.len() == 1 {
                let cost = self.order(&other).cost;
                if cost < least {
                    (least, *shape) = (cost, other);
                }
            }
        }
    }

    /// Hangs leaves on their neighbours, those with most vertices first, until one is left or none can be hung.
    fn hang_around<'p>(&mut self, shape: &mut Shape<'p>) {
        loop {
            if shape.core.len() + u32::from(!shape.bound.is_empty()) <= 1 {
                return;
            }
            let size = |var: Var| shape.scope.vertex(var).map_or(1.0, |vertex| self.cardinality.vertices(vertex)) * shape.selectivity(var);
            let mut leaves: Vec<(f64, Var)> =
                shape.core.iter().filter(|var| shape.leaf_edge(*var).is_some()).map(|var| (size(var), var)).collect();
            leaves.sort_by(|a, b| b.0.total_cmp(&a.0));
            if let Some(dice) = &mut self.dice {
                let turn = dice.below(leaves.len()).min(leaves.len());
                leaves.rotate_left(turn);
                if dice.below(5) == 0 {
                    return;
                }
            }
            let mut is_changed = false;
            for (_, var) in leaves {
                let Some((edge, parent)) = shape.leaf_edge(var) else { continue };
                let mut hung = shape.clone();
                hung.hang(self, var, edge, parent);
                // A filter that leaves little is a place to begin; a tail would have to be asked of every row.
                let is_selective = shape.selectivity(var) < 0.5 && self.dice.is_none();
                if !is_selective || self.order(&hung).cost <= self.order(shape).cost {
                    *shape = hung;
                    is_changed = true;
                    break;
                }
            }
            if !is_changed {
                return;
            }
        }
    }

    /// Counts vertices that close cycles or must differ, where that is cheaper than binding them.
    pub(super) fn hang_lists<'p>(&mut self, shape: &mut Shape<'p>) {
        loop {
            let candidates: Vec<Shape<'p>> = shape.core.iter().filter_map(|var| shape.without(self, var)).collect();
            if let Some(dice) = &mut self.dice {
                let pick = dice.below(candidates.len() + 1);
                match candidates.into_iter().nth(pick) {
                    Some(chosen) => *shape = chosen,
                    None => return,
                }
                continue;
            }
            let cost = self.order(shape).cost;
            let costed = candidates.into_iter().map(|candidate| (self.order(&candidate).cost, candidate));
            match costed.min_by(|a, b| a.0.total_cmp(&b.0)) {
                Some((least, best)) if least < cost => *shape = best,
                _ => return,
            }
        }
    }
}

fn forbidden_edge(part: &Part) -> Option<&EdgePattern> {
    let pattern = &part.pattern;
    let [edge] = pattern.edges.as_slice() else { return None };
    let is_bare = part.kind == PartKind::NotExists && pattern.vertices.is_empty() && pattern.conditions.is_empty();
    (is_bare && edge.path.is_none() && edge.from != edge.to).then_some(edge)
}
