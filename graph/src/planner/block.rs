//! The steps of one block and of its parts.
//!
//! K1: a condition is checked at the first step after which all it needs is bound; each exactly once.
//! Never: chooses an order.

use super::Planner;
use super::order::How;
use super::tails::Shape;
use crate::cardinality::Scope;
use crate::check::VARS_MAX;
use crate::pattern::{EdgePattern, PartKind, Pattern};
use crate::plan::{Arm, Hops, PathStep, Step, Tail};
use crate::varset::{Var, VarSet};

/// Steps with the rows expected after each.
pub type Steps = Vec<(Step, f64)>;

/// A block half made.
struct Making<'m, 'p> {
    shape: Shape<'p>,
    steps: &'m mut Steps,
    bound: VarSet,
    done: VarSet,
    rows: f64,
    deep: Vec<Tail>,
}

impl Planner<'_> {
    /// Appends the steps of a block that has `before` rows and the variables `bound`; gives the rows after it and its cost.
    pub(super) fn block(
        &mut self,
        pattern: &Pattern,
        outer: &Scope<'_>,
        bound: VarSet,
        after: VarSet,
        before: f64,
        steps: &mut Steps,
    ) -> (f64, f64) {
        let scope = outer.with(pattern);
        let mut shape = Shape::new(pattern, &scope, bound, after);
        self.absorb_parts(&mut shape);
        for (at, part) in pattern.parts.iter().enumerate() {
            if !shape.absorbed[at] {
                shape.wanted |= part.pattern.all_vars();
            }
        }
        self.hang_leaves(&mut shape);
        self.hang_lists(&mut shape);
        let order = self.order(&shape);
        let mut making = Making { bound, steps, done: VarSet::EMPTY, rows: before, deep: Vec::new(), shape };
        self.begin(&mut making);
        for (var, how, rows) in order.vertices {
            making.rows = before * rows;
            self.bind(&mut making, var, how);
        }
        let Making { shape, steps, bound, rows, deep, .. } = making;
        for tail in deep.into_iter().chain(shape.lists) {
            steps.push((Step::Weigh(Box::new(tail)), rows));
        }
        let mut cost = order.cost * before;
        let mut bound = bound;
        let mut rows = rows;
        let mut scope = scope.clone();
        for (at, part) in pattern.parts.iter().enumerate().filter(|(at, _)| !shape.absorbed[*at]) {
            let later = pattern.parts[at + 1..].iter().fold(after, |vars, part| vars | part.pattern.all_vars());
            let (after_part, of_part) = self.part(part, &scope, bound, later, rows, steps);
            cost += of_part;
            rows = after_part;
            if part.kind == PartKind::Optional {
                bound |= all_bound(&part.pattern);
                scope = scope.after(&part.pattern);
            }
        }
        (rows, cost)
    }

    fn part(
        &mut self,
        part: &crate::pattern::Part,
        scope: &Scope<'_>,
        bound: VarSet,
        after: VarSet,
        rows: f64,
        steps: &mut Steps,
    ) -> (f64, f64) {
        let slot = Var(VARS_MAX + self.depth);
        self.depth += 1;
        let begin = steps.len();
        let inner = all_bound(&part.pattern) - bound;
        steps.push((Step::Begin { kind: part.kind, slot, end: 0, inner }, rows));
        let wanted = if part.kind == PartKind::Optional { after } else { VarSet::EMPTY };
        let (matched, cost) = self.block(&part.pattern, scope, bound, wanted, rows, steps);
        let end = steps.len();
        if let Step::Begin { end: of_begin, .. } = &mut steps[begin].0 {
            *of_begin = end;
        }
        let after = if part.kind == PartKind::Optional { matched.max(rows) } else { rows };
        steps.push((Step::End { kind: part.kind, slot, begin }, after));
        self.depth -= 1;
        (after, cost)
    }

    /// What can be told before anything is bound: vertices declared again, edges and conditions among what is bound already.
    fn begin(&mut self, making: &mut Making<'_, '_>) {
        for vertex in making.shape.pattern.vertices.iter().filter(|vertex| making.bound.has(vertex.var)) {
            // Even where it is declared as before: null is no vertex.
            let step = Step::Narrow { var: vertex.var, tables: vertex.tables.clone(), only: vertex.only.clone() };
            making.steps.push((step, making.rows));
        }
        self.connect(making, None);
        for var in making.bound.iter().collect::<Vec<_>>() {
            self.hang(making, var);
        }
    }

    /// Binds a vertex, then all that can be told with it.
    fn bind(&mut self, making: &mut Making<'_, '_>, var: Var, how: How) {
        let shape = &making.shape;
        let (pattern, vertex) = (shape.pattern, shape.scope.vertex(var));
        let (tables, only) = vertex.map_or((Vec::new(), None), |vertex| (vertex.tables.clone(), vertex.only.clone()));
        match how {
            How::Scan => making.steps.push((Step::Scan { var, tables: tables.clone(), only: only.clone() }, making.rows)),
            How::Expand(at) => {
                let edge = &pattern.edges[at];
                let arm = self.arm(making, edge, if edge.from == var { edge.to } else { edge.from });
                making.steps.push((Step::Expand { arm, to: var }, making.rows));
                made(making, edge);
            }
            How::Intersect => {
                let edges: Vec<&EdgePattern> = shape
                    .edges_at(var)
                    .filter(|edge| edge.path.is_none() && edge.from != edge.to)
                    .filter(|edge| making.bound.has(if edge.from == var { edge.to } else { edge.from }))
                    .collect();
                let arms = edges.iter().map(|edge| self.arm(making, edge, if edge.from == var { edge.to } else { edge.from })).collect();
                making.steps.push((Step::Intersect { arms, to: var }, making.rows));
                edges.iter().for_each(|edge| made(making, edge));
            }
            How::Path(at) => {
                let edge = &pattern.edges[at];
                let step = self.path(making, edge, edge.to == var, false);
                making.steps.push((Step::Path(Box::new(step)), making.rows));
                made(making, edge);
            }
        }
        making.bound |= VarSet::one(var);
        if how != How::Scan && only.is_some() {
            making.steps.push((Step::Narrow { var, tables, only }, making.rows));
        }
        self.connect(making, Some(var));
        self.hang(making, var);
    }

    /// Edges between bound vertices that are not made yet, plain ones first, each with the conditions that wait for it; forbidden edges last.
    fn connect(&mut self, making: &mut Making<'_, '_>, newest: Option<Var>) {
        conditions(making);
        let pattern = making.shape.pattern;
        for is_path in [false, true] {
            let ready = |making: &Making<'_, '_>, edge: &EdgePattern| {
                let is_open = !making.done.has(edge.var) && !making.shape.hung.has(edge.var);
                is_open && edge.path.is_some() == is_path && making.bound.has(edge.from) && making.bound.has(edge.to)
            };
            for edge in &pattern.edges {
                if !ready(making, edge) {
                    continue;
                }
                let step = if is_path {
                    let from_left = self.chance(true);
                    Step::Path(Box::new(self.path(making, edge, from_left, true)))
                } else {
                    let from = self.near_end(making, edge);
                    Step::Into { arm: self.arm(making, edge, from), to: if from == edge.from { edge.to } else { edge.from } }
                };
                making.steps.push((step, making.rows));
                made(making, edge);
                conditions(making);
            }
        }
        let (ready, waiting): (Vec<_>, Vec<_>) =
            making.shape.forbidden.drain(..).partition(|edge| making.bound.has(edge.from) && making.bound.has(edge.to));
        making.shape.forbidden = waiting;
        debug_assert!(newest.is_some() || ready.is_empty(), "K1: a forbidden edge joins vertices of its own block");
        for edge in ready {
            let slot = Var(VARS_MAX + self.depth);
            let begin = making.steps.len();
            let kind = PartKind::NotExists;
            let inner = VarSet::one(edge.var);
            let from = self.near_end(making, edge);
            let arm = self.arm(making, edge, from);
            let rows = making.rows;
            making.steps.push((Step::Begin { kind, slot, end: begin + 2, inner }, rows));
            making.steps.push((Step::Into { arm, to: if from == edge.from { edge.to } else { edge.from } }, rows));
            making.steps.push((Step::End { kind, slot, begin }, rows));
        }
    }

    /// The end of an edge at which its lists are shorter.
    fn near_end(&mut self, making: &Making<'_, '_>, edge: &EdgePattern) -> Var {
        let degree = |this: &Self, from: Var| {
            let (hops, tables) = (this.arm(making, edge, from).hops, making.shape.scope.tables(from));
            tables.iter().flat_map(|table| hops.of(*table)).map(|hop| this.cardinality.degree(hop)).sum::<f64>()
        };
        let from_left = degree(self, edge.from) <= degree(self, edge.to);
        if self.chance(from_left) { edge.from } else { edge.to }
    }

    fn arm(&self, making: &Making<'_, '_>, edge: &EdgePattern, from: Var) -> Arm {
        let to = if edge.from == from { edge.to } else { edge.from };
        Arm { from, edge: edge.var, hops: Hops::new(self.schema, edge, edge.from == from, Some(making.shape.scope.tables(to))) }
    }

    fn hang(&mut self, making: &mut Making<'_, '_>, var: Var) {
        let tails = making.shape.hanging.remove(&var).unwrap_or_default();
        // Of a scan alone, each vertex comes once.
        let comes_again = making.shape.core.len() > 1 || !making.shape.bound.is_empty();
        hang(making, self.by_share(tails), comes_again);
    }

    fn path(&self, making: &Making<'_, '_>, edge: &EdgePattern, from_left: bool, is_bound: bool) -> PathStep {
        let (from, to) = if from_left { (edge.from, edge.to) } else { (edge.to, edge.from) };
        let pattern = edge.path.clone().unwrap_or_else(|| unreachable!("K1: only quantified edges are paths"));
        PathStep {
            var: edge.var,
            from,
            to,
            is_bound,
            is_reversed: !from_left,
            hops: Hops::new(self.schema, edge, from_left, None),
            back_hops: Hops::new(self.schema, edge, !from_left, None),
            to_tables: making.shape.scope.tables(to).to_vec(),
            pattern,
        }
    }
}

/// Vertices and edges that a pattern and its optional parts bind.
fn all_bound(pattern: &Pattern) -> VarSet {
    let optional = pattern.parts.iter().filter(|part| part.kind == PartKind::Optional);
    optional.fold(pattern.own_vars(), |vars, part| vars | all_bound(&part.pattern))
}

fn made(making: &mut Making<'_, '_>, edge: &EdgePattern) {
    making.done |= VarSet::one(edge.var);
    making.bound |= VarSet::one(edge.var);
}

/// Conditions whose variables are all bound (K1).
fn conditions(making: &mut Making<'_, '_>) {
    for (at, condition) in making.shape.pattern.conditions.iter().enumerate() {
        if making.shape.open[at] && making.bound.has_all(condition.vars()) {
            making.shape.open[at] = false;
            making.steps.push((Step::Filter(condition.clone()), making.rows));
        }
    }
}

/// Tails of a vertex just bound: plain leaves at once, deeper ones when the block's rows are final.
fn hang(making: &mut Making<'_, '_>, tails: Vec<Tail>, comes_again: bool) {
    for mut tail in tails {
        tail.is_remembered &= comes_again;
        if tail.tails.is_empty() && tail.conditions.is_empty() {
            making.steps.push((Step::Weigh(Box::new(tail)), making.rows));
        } else {
            making.deep.push(tail);
        }
    }
}
