//! The order in which a block's vertices are bound: dynamic programming over its connected sub-patterns, a vertex at a time.
//!
//! D1: a vertex is bound with every edge to what is bound before it; only where none leads to it is it scanned.
//! Costs are in list entries looked at and rows made.
//! Never: looks at the rows of tails that are remembered by vertex: they cost each vertex once.

use hashbrown::HashMap;

use super::Planner;
use super::tails::Shape;
use crate::cardinality::SubPattern;
use crate::pattern::EdgePattern;
use crate::plan::{Arm, Hops, Tail};
use crate::varset::{Var, VarSet};

/// Most vertices that every sub-pattern is tried for; above, the best next vertex is taken.
const EXHAUSTIVE_MAX: u32 = 11;
/// What a search in a list costs, in entries.
const SEEK: f64 = 6.0;
/// What a row costs to make.
const ROW: f64 = 3.0;
/// What a condition or a forbidden edge costs a row.
const CONDITION: f64 = 2.0;
const FORBIDDEN: f64 = 25.0;
/// What a path between two vertices costs; to all it costs ten times as much.
const PATH: f64 = 200.0;
/// How much dearer a list is that is read out of order.
const SCATTERED: f64 = 4.0;

/// How a vertex is bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// Every vertex of its tables.
    Scan,
    /// Over this edge, by its place in the block.
    Expand(usize),
    /// Over all plain edges at once.
    Intersect,
    /// By this path, by its place in the block.
    Path(usize),
}

/// Vertices in the order in which they are bound.
#[derive(Clone, Debug)]
pub struct Order {
    /// Each with how, and the rows expected after it for one row before the block.
    pub vertices: Vec<(Var, How, f64)>,
    /// Expected cost, with that of list tails.
    pub cost: f64,
}

#[derive(Clone)]
struct Reached {
    cost: f64,
    order: Vec<(Var, How, f64)>,
}

impl Planner<'_> {
    /// The best order, or one by chance.
    pub(super) fn order(&mut self, shape: &Shape<'_>) -> Order {
        let start = Reached { cost: 0.0, order: Vec::new() };
        let best = if self.dice.is_some() || shape.core.len() > EXHAUSTIVE_MAX {
            self.one_by_one(shape, start)
        } else {
            self.exhaustive(shape, start)
        };
        let rows = best.order.last().map_or(1.0, |(_, _, rows)| *rows);
        let lists: f64 = shape.lists.iter().map(|tail| rows * self.list_cost(shape, tail)).sum();
        let tails: f64 =
            shape.hanging.iter().map(|(var, tails)| self.tails_cost(shape, tails, rows.min(self.count(shape, *var)), 1.0)).sum();
        let asked = shape.forbidden.len() as f64 * FORBIDDEN + shape.open.iter().filter(|open| **open).count() as f64 * CONDITION;
        Order { vertices: best.order, cost: best.cost + lists + tails + rows * asked }
    }

    fn count(&self, shape: &Shape<'_>, var: Var) -> f64 {
        shape.scope.vertex(var).map_or(1.0, |vertex| self.cardinality.vertices(vertex))
    }

    /// What tails of one vertex cost, asked for one after another until one is 0.
    fn tails_cost(&self, shape: &Shape<'_>, tails: &[Tail], demand: f64, read: f64) -> f64 {
        let mut tails: Vec<(f64, &Tail)> = tails.iter().map(|tail| (self.share(tail), tail)).collect();
        tails.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut left = demand;
        let cost = |(share, tail): &(f64, &Tail)| {
            let cost = self.tail_cost(shape, tail, left, read);
            left *= share;
            cost
        };
        tails.iter().map(cost).sum()
    }

    /// What a tail costs that is asked for at `demand` vertices: each once, whose list costs `read`, then its entries.
    fn tail_cost(&self, shape: &Shape<'_>, tail: &Tail, demand: f64, read: f64) -> f64 {
        let lists = demand * read * 2.0;
        if tail.tails.is_empty() && tail.conditions.is_empty() {
            return lists;
        }
        let entries = demand * tail.arms.iter().map(|arm| self.entries(shape, arm)).fold(f64::INFINITY, f64::min);
        let child = entries.min(self.count(shape, tail.child));
        let below = self.tails_cost(shape, &tail.tails, child, SCATTERED);
        lists + entries * (3.0 + CONDITION * tail.conditions.len() as f64) + below
    }

    /// Entries of an arm's lists at one vertex.
    fn entries(&self, shape: &Shape<'_>, arm: &Arm) -> f64 {
        let tables = shape.scope.tables(arm.from);
        let sum: f64 = tables.iter().map(|table| arm.hops.of(*table).iter().map(|hop| self.cardinality.degree(hop)).sum::<f64>()).sum();
        sum / tables.len().max(1) as f64
    }

    fn exhaustive(&mut self, shape: &Shape<'_>, start: Reached) -> Reached {
        let mut level: HashMap<VarSet, Reached> = HashMap::from_iter([(VarSet::EMPTY, start.clone())]);
        for _ in 0..shape.core.len() {
            let mut next: HashMap<VarSet, Reached> = HashMap::new();
            for (done, reached) in &level {
                for (var, how, cost, rows) in self.extensions(shape, *done, &reached.order) {
                    let cost = reached.cost + cost;
                    let known = next.get(&(*done | VarSet::one(var)));
                    if known.is_none_or(|known| cost < known.cost) {
                        let mut order = reached.order.clone();
                        order.push((var, how, rows));
                        next.insert(*done | VarSet::one(var), Reached { cost, order });
                    }
                }
            }
            level = next;
        }
        level.remove(&shape.core).unwrap_or(start)
    }

    fn one_by_one(&mut self, shape: &Shape<'_>, start: Reached) -> Reached {
        let mut reached = start;
        let mut done = VarSet::EMPTY;
        while done != shape.core {
            let mut extensions = self.extensions(shape, done, &reached.order);
            extensions.sort_by(|a, b| a.2.total_cmp(&b.2));
            let pick = self.dice.as_mut().map_or(0, |dice| dice.below(extensions.len()));
            let Some((var, how, cost, rows)) = extensions.into_iter().nth(pick) else { break };
            done |= VarSet::one(var);
            reached.cost += cost;
            reached.order.push((var, how, rows));
        }
        reached
    }

    /// Every way to bind one more vertex: how, what it costs, and the rows after it.
    fn extensions(&mut self, shape: &Shape<'_>, done: VarSet, order: &[(Var, How, f64)]) -> Vec<(Var, How, f64, f64)> {
        let before = order.last().map_or(1.0, |(_, _, rows)| *rows);
        let standing = done | shape.bound;
        let mut extensions = Vec::new();
        let left: Vec<Var> = (shape.core - done).iter().collect();
        for var in &left {
            let near = |edge: &&(usize, &EdgePattern)| standing.has(if edge.1.from == *var { edge.1.to } else { edge.1.from });
            let all = shape.pattern.edges.iter().enumerate().filter(|(_, edge)| edge.from != edge.to);
            let edges: Vec<(usize, &EdgePattern)> = all
                .filter(|(_, edge)| !shape.hung.has(edge.var) && (edge.from == *var || edge.to == *var))
                .filter(|edge| near(&edge))
                .collect();
            let sub = SubPattern { pattern: shape.pattern, scope: shape.scope, bound: shape.bound, vertices: standing | VarSet::one(*var) };
            let rows = self.cardinality.rows(&sub);
            let scanned = order.first().filter(|first| first.1 == How::Scan).map(|first| first.0);
            for (how, cost) in self.ways(shape, *var, &edges, (before, rows), scanned) {
                extensions.push((*var, how, cost, rows));
            }
        }
        let by_path = |var: Var| shape.edges_at(var).any(|edge| edge.path.is_some() && standing.has(edge.from) != standing.has(edge.to));
        let is_joined = |extension: &(Var, How, f64, f64)| extension.1 != How::Scan || by_path(extension.0);
        if !standing.is_empty() && extensions.iter().any(is_joined) && !(self.dice.is_some() && self.chance(false)) {
            extensions.retain(is_joined);
        }
        extensions
    }

    fn ways(
        &mut self,
        shape: &Shape<'_>,
        var: Var,
        edges: &[(usize, &EdgePattern)],
        (before, after): (f64, f64),
        scanned: Option<Var>,
    ) -> Vec<(How, f64)> {
        let count = self.count(shape, var);
        let plain: Vec<(usize, f64)> = edges
            .iter()
            .filter(|(_, edge)| edge.path.is_none())
            .map(|(at, edge)| (*at, self.degree(shape, edge, if edge.from == var { edge.to } else { edge.from })))
            .collect();
        let paths = edges.iter().filter(|(_, edge)| edge.path.is_some());
        let path_cost = before * PATH * paths.clone().count() as f64;
        let mut ways = Vec::new();
        if edges.is_empty() || self.dice.is_some() && edges.iter().all(|(_, edge)| edge.path.is_none()) && self.chance(false) {
            // By chance even where an edge leads to it; the edges are looked for afterwards.
            ways.push((How::Scan, before * count + after * ROW));
        }
        for (at, degree) in &plain {
            let rest = (plain.len() - 1) as f64;
            let edge = &shape.pattern.edges[*at];
            // Lists of what is scanned lie one after another.
            let read = if scanned == Some(if edge.from == var { edge.to } else { edge.from }) { 1.0 } else { SEEK };
            ways.push((How::Expand(*at), before * (read + degree) + before * degree * rest * SEEK * 1.5 + after * ROW + path_cost));
        }
        let asked = shape.pattern.conditions.iter().fold(shape.wanted, |vars, condition| vars | condition.vars());
        if plain.len() > 1 && edges.iter().all(|(_, edge)| edge.path.is_some() || !asked.has(edge.var)) {
            let least = plain.iter().map(|(_, degree)| *degree).fold(f64::INFINITY, f64::min);
            let entries = least * plain.len() as f64 * 1.5;
            ways.push((How::Intersect, before * (SEEK * plain.len() as f64 + entries) + after * ROW + path_cost));
        }
        if plain.is_empty() && !edges.is_empty() {
            ways.push((How::Scan, before * count * ROW + path_cost * count + after * ROW));
            ways.extend(paths.map(|(at, _)| (How::Path(*at), path_cost * 10.0 + after * ROW)));
        }
        ways
    }

    /// Entries of an edge's lists at one vertex.
    fn degree(&self, shape: &Shape<'_>, edge: &EdgePattern, from: Var) -> f64 {
        let to = if edge.from == from { edge.to } else { edge.from };
        let hops = Hops::new(self.schema, edge, edge.from == from, Some(shape.scope.tables(to)));
        let tables = shape.scope.tables(from);
        let of_tables: f64 = tables.iter().map(|table| hops.of(*table).iter().map(|hop| self.cardinality.degree(hop)).sum::<f64>()).sum();
        of_tables / tables.len().max(1) as f64
    }

    /// What a list tail costs a row.
    fn list_cost(&self, shape: &Shape<'_>, tail: &Tail) -> f64 {
        let entries = |arm: &Arm| self.entries(shape, arm);
        let least = tail.arms.iter().map(entries).fold(f64::INFINITY, f64::min);
        let several = if tail.arms.len() > 1 { least * tail.arms.len() as f64 * 1.5 } else { 0.0 };
        let excepted: f64 = tail.except_arms.iter().map(|arm| entries(arm).min(least) * 2.0 + SEEK).sum();
        SEEK * (tail.arms.len() + tail.except.len()) as f64 + several + excepted
    }
}
