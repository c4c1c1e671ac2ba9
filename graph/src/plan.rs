//! A plan: steps that turn each batch of matches so far into the next, down to the output.
//!
//! N1: a step uses variables that steps before it have bound; `live` says which are kept after it.
//! N2: between `Begin` and its `End` stand the steps of one part; what the part decides continues after `End`.
//! Never: reads the graph.

use std::sync::Arc;

use crate::element::Element;
use crate::pattern::{Condition, Direction, EdgePattern, Output, PartKind, PathPattern};
use crate::schema::GraphSchema;
use crate::varset::{Var, VarSet};

/// One way across one edge table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Hop {
    /// Place of the edge table.
    pub edge_table: u16,
    /// Against the edge's direction.
    pub backward: bool,
    /// Place of the vertex table it leads to.
    pub target_table: u16,
    /// Leaves out edges that point to their own vertex: the way along the direction has them.
    pub skips_loops: bool,
}

/// The ways an edge pattern can be crossed, by the table of the vertex one stands on.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Hops(Vec<Vec<Hop>>);

impl Hops {
    /// The ways across `edge`, from its left end or from its right, to vertices of `targets` (ascending), or of any table.
    pub fn new(schema: &GraphSchema, edge: &EdgePattern, from_left: bool, targets: Option<&[u16]>) -> Self {
        let mut hops = vec![Vec::new(); schema.vertices().len()];
        let allowed = |table: u16| targets.is_none_or(|targets| targets.binary_search(&table).is_ok());
        for &edge_table in &edge.tables {
            let def = &schema.edges()[usize::from(edge_table)];
            let along = edge.direction == Direction::Either || (edge.direction == Direction::Forward) == from_left;
            let against = edge.direction == Direction::Either || !along;
            if along && allowed(def.target) {
                hops[usize::from(def.source)].push(Hop { edge_table, backward: false, target_table: def.target, skips_loops: false });
            }
            if against && allowed(def.source) {
                let skips_loops = along && def.source == def.target;
                hops[usize::from(def.target)].push(Hop { edge_table, backward: true, target_table: def.source, skips_loops });
            }
        }
        Self(hops)
    }

    /// The ways from a vertex of a table.
    #[inline]
    pub fn of(&self, table: u16) -> &[Hop] {
        self.0.get(usize::from(table)).map_or(&[], Vec::as_slice)
    }

    /// All ways, each with the table it starts from.
    pub fn iter(&self) -> impl Iterator<Item = (u16, &Hop)> {
        self.0.iter().enumerate().flat_map(|(table, hops)| hops.iter().map(move |hop| (table as u16, hop)))
    }
}

/// A bound vertex and the ways from it over one edge.
#[derive(Clone, Debug)]
pub struct Arm {
    /// The vertex one stands on.
    pub from: Var,
    /// The edge crossed.
    pub edge: Var,
    /// The ways.
    pub hops: Hops,
}

/// A vertex that is counted, not bound, with all that hangs on it.
///
/// Its number at a match: the sum, over the vertices that every arm reaches, less those excepted, of the product of its own tails' numbers.
#[derive(Clone, Debug)]
pub struct Tail {
    /// The vertex counted.
    pub child: Var,
    /// What its number is made to: itself, at least 1, 0 or 1, 1 or 0.
    pub kind: Option<PartKind>,
    /// At least one; with exactly one and no exception, the number depends on one vertex only and is remembered.
    pub arms: Vec<Arm>,
    /// Vertices it must not be.
    pub except: Vec<Var>,
    /// Vertices it must not be reached from.
    pub except_arms: Vec<Arm>,
    /// Conditions over the arm's vertex, its edge and the child; none where there are several arms or exceptions.
    pub conditions: Vec<Condition>,
    /// What hangs on the child.
    pub tails: Vec<Tail>,
    /// Where its numbers are remembered.
    pub memo: usize,
    /// Whether they are: where each vertex is asked for once, it would not pay.
    pub is_remembered: bool,
}

/// A path search.
#[derive(Clone, Debug)]
pub struct PathStep {
    /// The path's variable.
    pub var: Var,
    /// The end searched from; bound.
    pub from: Var,
    /// The other end.
    pub to: Var,
    /// Whether the other end is bound.
    pub is_bound: bool,
    /// Searched from right to left.
    pub is_reversed: bool,
    /// Ways from `from`'s side, to vertices of any table.
    pub hops: Hops,
    /// Ways from `to`'s side, to vertices of any table.
    pub back_hops: Hops,
    /// Tables `to` may be of.
    pub to_tables: Vec<u16>,
    /// Which paths.
    pub pattern: PathPattern,
}

/// See the module.
#[derive(Clone, Debug)]
pub enum Step {
    /// Every vertex of some tables, or only these.
    Scan { var: Var, tables: Vec<u16>, only: Option<Arc<[Element]>> },
    /// From a bound vertex along an edge to a new one.
    Expand { arm: Arm, to: Var },
    /// An edge between two bound vertices.
    Into { arm: Arm, to: Var },
    /// A new vertex that several bound ones lead to.
    Intersect { arms: Vec<Arm>, to: Var },
    /// A path.
    Path(Box<PathStep>),
    /// A bound vertex is of some tables, or one of only these.
    Narrow { var: Var, tables: Vec<u16>, only: Option<Arc<[Element]>> },
    /// A condition on bound variables.
    Filter(Condition),
    /// Multiplies by the number of a tail.
    Weigh(Box<Tail>),
    /// A part begins; `slot` numbers the rows, `inner` are the variables that it binds.
    Begin { kind: PartKind, slot: Var, end: usize, inner: VarSet },
    /// A part ends.
    End { kind: PartKind, slot: Var, begin: usize },
}

/// A step with what is expected of it.
#[derive(Clone, Debug)]
pub struct Planned {
    /// What is done.
    pub step: Step,
    /// Variables that are needed after it.
    pub live: VarSet,
    /// Rows expected after it, for the whole query.
    pub rows: f64,
}

/// See the module.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The steps, first to last.
    pub(crate) steps: Vec<Planned>,
    /// What is wanted.
    pub(crate) output: Output,
    /// How many tails there are.
    pub(crate) memos: usize,
    /// The cost the planner expects, in list entries and rows.
    pub cost: f64,
}

impl Plan {
    /// A plan of these steps, with `live` worked out from the last to the first (N1).
    pub(crate) fn new(steps: Vec<(Step, f64)>, output: Output, memos: usize, cost: f64) -> Self {
        let mut live: VarSet = output.vars().iter().copied().collect();
        let mut planned: Vec<Planned> = steps.into_iter().map(|(step, rows)| Planned { step, live: VarSet::EMPTY, rows }).collect();
        let mut after_end = vec![VarSet::EMPTY; planned.len()];
        for at in (0..planned.len()).rev() {
            planned[at].live = live;
            after_end[at] = live;
            live = match &planned[at].step {
                Step::Begin { slot, end, inner, .. } => (live - VarSet::one(*slot)) | (after_end[*end] - *inner),
                Step::End { kind: PartKind::Optional, slot, .. } => live | VarSet::one(*slot),
                Step::End { slot, .. } => VarSet::one(*slot),
                step => (live - binds(step)) | uses(step),
            };
        }
        Self { steps: planned, output, memos, cost }
    }
}

/// Variables a step binds.
fn binds(step: &Step) -> VarSet {
    match step {
        Step::Scan { var, .. } => VarSet::one(*var),
        Step::Expand { arm, to } => VarSet::one(arm.edge) | VarSet::one(*to),
        Step::Into { arm, .. } => VarSet::one(arm.edge),
        Step::Intersect { to, .. } => VarSet::one(*to),
        Step::Path(path) if path.is_bound => VarSet::one(path.var),
        Step::Path(path) => VarSet::one(path.var) | VarSet::one(path.to),
        Step::Narrow { .. } | Step::Filter(_) | Step::Weigh(_) | Step::Begin { .. } | Step::End { .. } => VarSet::EMPTY,
    }
}

/// Variables a step needs.
fn uses(step: &Step) -> VarSet {
    match step {
        Step::Scan { .. } | Step::Begin { .. } | Step::End { .. } => VarSet::EMPTY,
        Step::Expand { arm, .. } => VarSet::one(arm.from),
        Step::Into { arm, to } => VarSet::one(arm.from) | VarSet::one(*to),
        Step::Intersect { arms, .. } => arms.iter().map(|arm| arm.from).collect(),
        Step::Path(path) if path.is_bound => VarSet::one(path.from) | VarSet::one(path.to),
        Step::Path(path) => VarSet::one(path.from),
        Step::Narrow { var, .. } => VarSet::one(*var),
        Step::Filter(condition) => condition.vars(),
        Step::Weigh(tail) => tail.arms.iter().chain(&tail.except_arms).map(|arm| arm.from).chain(tail.except.iter().copied()).collect(),
    }
}
