//! What is looked for: vertices and edges with the tables they may come from, conditions, and parts that are optional or must (not) exist.
//!
//! Meaning is that of SQL/PGQ (ISO 9075-16): a match is a homomorphism, so two variables may hold the same element, and every combination of
//! edges is a match of its own, named or not. An edge that points to its own vertex matches an undirected pattern once.
//!
//! T1: variables are numbered densely; each is declared once, but a vertex may be declared again in a part, which narrows it there.
//! T2: parts come after the conditions of their pattern, in order; a variable of a part that did not match is null, and nothing joins it.
//! Never: knows a property: conditions on those are [`Filter`]s of the caller's.

use std::fmt::Debug;
use std::sync::Arc;

use base::SqlResult;

use crate::element::Element;
use crate::varset::{Var, VarSet};

/// A condition that the caller evaluates, a batch at a time.
pub trait Filter: Send + Sync + Debug {
    /// Clears `keep[i]` of each row that does not pass. Each column holds one variable's elements, as many as `keep`; of an optional part's
    /// variables some may be [`Element::NULL`].
    fn evaluate(&self, columns: &[&[Element]], keep: &mut [bool]) -> SqlResult<()>;
}

/// What a step of a path costs.
pub trait Weight: Send + Sync + Debug {
    /// Appends one weight a step to `weights`, for steps along `edges` from `sources` to `targets`. Errors stop the query; so does a weight
    /// below 0 or not a number (22003).
    fn evaluate(&self, sources: &[Element], edges: &[Element], targets: &[Element], weights: &mut Vec<f64>) -> SqlResult<()>;
}

/// A vertex.
#[derive(Clone, Debug)]
pub struct VertexPattern {
    /// Its variable.
    pub var: Var,
    /// Places of the vertex tables it may be of, ascending.
    pub tables: Vec<u16>,
    /// Where known, the only vertices it can be, ascending: from a key, say.
    pub only: Option<Arc<[Element]>>,
}

/// Which way an edge is crossed from `from` to `to`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Direction {
    /// `-[]->`
    Forward,
    /// `<-[]-`
    Backward,
    /// `-[]-`: either way.
    Either,
}

/// An edge, or with `path` a path of such edges.
#[derive(Clone, Debug)]
pub struct EdgePattern {
    /// Its variable.
    pub var: Var,
    /// The vertex on its left.
    pub from: Var,
    /// The vertex on its right.
    pub to: Var,
    /// Places of the edge tables it may be of, ascending.
    pub tables: Vec<u16>,
    /// Its direction.
    pub direction: Direction,
    /// Set if it is quantified.
    pub path: Option<PathPattern>,
}

/// Which paths count.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// All.
    Walk,
    /// No edge twice.
    Trail,
    /// No vertex twice.
    Acyclic,
    /// No vertex twice, but the first may be the last.
    Simple,
}

/// Which of the paths between two vertices are kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Selector {
    /// Every one.
    All,
    /// One.
    Any,
    /// One of the shortest.
    AnyShortest,
    /// All of the shortest.
    AllShortest,
    /// This many, shortest first.
    Shortest(u32),
    /// All of this many smallest lengths.
    ShortestGroups(u32),
    /// This many, of least weight first.
    Cheapest(u32),
}

/// A quantified edge.
#[derive(Clone, Debug)]
pub struct PathPattern {
    /// Fewest edges.
    pub min: u32,
    /// Most edges; no bound where `None`.
    pub max: Option<u32>,
    /// Which paths count.
    pub mode: Mode,
    /// Which of those between the same two vertices are kept.
    pub selector: Selector,
    /// Condition on each step; its columns are the vertex before, the edge, the vertex after.
    pub step: Option<Arc<dyn Filter>>,
    /// What a step costs; needed by [`Selector::Cheapest`].
    pub weight: Option<Arc<dyn Weight>>,
}

/// What must hold of a match.
#[derive(Clone, Debug)]
pub enum Condition {
    /// The caller's filter over these vertices and edges.
    Filter {
        /// Its columns.
        vars: Vec<Var>,
        /// What decides.
        filter: Arc<dyn Filter>,
        /// The share that passes, as far as the caller knows; 0 to 1.
        selectivity: f64,
    },
    /// Two variables hold the same element.
    Equal(Var, Var),
    /// Two variables hold different elements.
    Different(Var, Var),
}

impl Condition {
    /// The variables it needs.
    pub fn vars(&self) -> VarSet {
        match self {
            Self::Filter { vars, .. } => vars.iter().copied().collect(),
            Self::Equal(a, b) | Self::Different(a, b) => [*a, *b].into_iter().collect(),
        }
    }
}

/// How a part bears on the match before it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PartKind {
    /// OPTIONAL: extends the match if it can, else its variables are null.
    Optional,
    /// EXISTS: the match stays if the part matches at least once.
    Exists,
    /// NOT EXISTS: the match stays if the part does not match.
    NotExists,
}

/// A part of a pattern.
#[derive(Clone, Debug)]
pub struct Part {
    /// Its bearing.
    pub kind: PartKind,
    /// What it looks for; it may use all variables declared before it.
    pub pattern: Pattern,
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub struct Pattern {
    /// Vertices.
    pub vertices: Vec<VertexPattern>,
    /// Edges and paths between them.
    pub edges: Vec<EdgePattern>,
    /// Conditions over all of them.
    pub conditions: Vec<Condition>,
    /// Optional and (not) existing parts, in order.
    pub parts: Vec<Part>,
}

impl Pattern {
    /// Variables it declares itself, without its parts.
    pub fn own_vars(&self) -> VarSet {
        self.vertices.iter().map(|vertex| vertex.var).chain(self.edges.iter().map(|edge| edge.var)).collect()
    }

    /// Every variable it or a part of it names.
    pub fn all_vars(&self) -> VarSet {
        let ends = self.edges.iter().flat_map(|edge| [edge.from, edge.to]).collect();
        let of_conditions = self.conditions.iter().fold(VarSet::EMPTY, |vars, condition| vars | condition.vars());
        let of_parts = self.parts.iter().fold(VarSet::EMPTY, |vars, part| vars | part.pattern.all_vars());
        self.own_vars() | ends | of_conditions | of_parts
    }
}

/// What is wanted of the matches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// How many there are.
    Count,
    /// What these variables hold, with multiplicities.
    Rows(Vec<Var>),
    /// What these vertices and edges hold, each combination once.
    Distinct(Vec<Var>),
    /// Each combination with the number of matches.
    Groups(Vec<Var>),
}

impl Output {
    /// The variables asked for.
    pub fn vars(&self) -> &[Var] {
        match self {
            Self::Count => &[],
            Self::Rows(vars) | Self::Distinct(vars) | Self::Groups(vars) => vars,
        }
    }
}

/// A pattern and what is wanted of it.
#[derive(Clone, Debug)]
pub struct Query {
    /// What is looked for.
    pub pattern: Pattern,
    /// What is wanted.
    pub output: Output,
}
