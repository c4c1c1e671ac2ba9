//! How many rows a sub-pattern has: the one question that planning asks of the data, and the answer from statistics alone.
//!
//! I1: an answer is a positive, finite number; planning divides and multiplies by it.
//! Never: decides between plans.

use crate::pattern::{Condition, EdgePattern, PartKind, Pattern, VertexPattern};
use crate::plan::{Hop, Hops};
use crate::schema::GraphSchema;
use crate::statistics::Statistics;
use crate::varset::{Var, VarSet};

/// Longest path whose spread is worked out step by step.
const SPREAD_STEPS: u32 = 6;

/// Vertex patterns by variable: what a block and those around it declare.
#[derive(Clone, Debug)]
pub struct Scope<'p>(Vec<Option<&'p VertexPattern>>);

impl Default for Scope<'_> {
    fn default() -> Self {
        Self(vec![None; 64])
    }
}

impl<'p> Scope<'p> {
    /// Adds the vertices of a block; one that is declared again counts as it is declared last.
    pub fn with(&self, pattern: &'p Pattern) -> Self {
        let mut scope = self.clone();
        for vertex in &pattern.vertices {
            scope.0[usize::from(vertex.var.0)] = Some(vertex);
        }
        scope
    }

    /// Adds the vertices that an optional part leaves behind for parts after it; one declared again in it stays as it was.
    pub fn after(&self, pattern: &'p Pattern) -> Self {
        let mut scope = self.clone();
        for vertex in &pattern.vertices {
            scope.0[usize::from(vertex.var.0)].get_or_insert(vertex);
        }
        let optional = pattern.parts.iter().filter(|part| part.kind == PartKind::Optional);
        optional.fold(scope, |scope, part| scope.after(&part.pattern))
    }

    /// Tables a vertex may be of.
    pub fn tables(&self, var: Var) -> &'p [u16] {
        self.0[usize::from(var.0)].map_or(&[], |vertex| &vertex.tables)
    }

    /// The vertex's pattern.
    pub fn vertex(&self, var: Var) -> Option<&'p VertexPattern> {
        self.0[usize::from(var.0)]
    }
}

/// A part of a block: some of its vertices, with every edge and condition among them.
#[derive(Clone, Copy, Debug)]
pub struct SubPattern<'a> {
    /// The block.
    pub pattern: &'a Pattern,
    /// All vertices in sight.
    pub scope: &'a Scope<'a>,
    /// Vertices that are bound before; rows are counted for one binding of these.
    pub bound: VarSet,
    /// The vertices, bound ones included.
    pub vertices: VarSet,
}

impl<'a> SubPattern<'a> {
    /// Its edges.
    pub fn edges(&self) -> impl Iterator<Item = &'a EdgePattern> + use<'a> {
        let vertices = self.vertices;
        self.pattern.edges.iter().filter(move |edge| vertices.has(edge.from) && vertices.has(edge.to))
    }
}

/// Answers «how many rows has this sub-pattern»: from statistics, or from what was learned.
pub trait Cardinality: Send + Sync {
    /// Rows expected (I1).
    fn rows(&self, sub: &SubPattern<'_>) -> f64;

    /// Entries expected in the lists of a hop at one vertex.
    fn degree(&self, hop: &Hop) -> f64;

    /// Most entries in the list of a hop at any vertex.
    fn degree_max(&self, hop: &Hop) -> f64;

    /// The share of vertices at which the list of a hop is not empty.
    fn share(&self, hop: &Hop) -> f64;

    /// Vertices expected to match a pattern alone.
    fn vertices(&self, vertex: &VertexPattern) -> f64;
}

/// Edges fall on vertices independently, but for the spread of degrees where two edges of one kind meet.
#[derive(Clone, Debug)]
pub struct FromStatistics<'s> {
    /// The graph's tables.
    pub schema: &'s GraphSchema,
    /// What was counted.
    pub statistics: &'s Statistics,
}

impl FromStatistics<'_> {
    fn count(&self, tables: &[u16]) -> f64 {
        tables.iter().map(|table| self.statistics.vertices(*table)).sum::<u64>().max(1) as f64
    }

    /// The vertex table that a hop starts from.
    fn start(&self, hop: &Hop) -> u16 {
        let def = &self.schema.edges()[usize::from(hop.edge_table)];
        if hop.backward { def.target } else { def.source }
    }

    /// The share of pairs of vertices that the edge joins, several edges counting several times.
    fn joined(&self, edge: &EdgePattern, scope: &Scope<'_>) -> f64 {
        let (from, to) = (scope.tables(edge.from), scope.tables(edge.to));
        let (count_from, count_to) = (self.count(from), self.count(to));
        let Some(path) = &edge.path else {
            let hops = Hops::new(self.schema, edge, true, Some(to));
            let edges: u64 =
                hops.iter().filter(|(table, _)| from.binary_search(table).is_ok()).map(|(_, hop)| self.statistics.degrees(hop).edges).sum();
            return (edges as f64).max(0.5) / (count_from * count_to);
        };
        let hops = Hops::new(self.schema, edge, true, None);
        let edges: u64 = hops.iter().map(|(_, hop)| self.statistics.degrees(hop).edges).sum();
        let step = (edges as f64 / count_from).max(0.01);
        let last = path.max.unwrap_or(SPREAD_STEPS).clamp(path.min.min(SPREAD_STEPS), SPREAD_STEPS.max(path.min.min(SPREAD_STEPS)));
        let reached: f64 = (path.min.min(last)..=last).map(|length| step.powi(length as i32)).sum();
        let is_selected = path.selector != crate::pattern::Selector::All;
        (if is_selected { reached.min(count_to) } else { reached }) / count_to
    }

    /// How much more often than by chance a second edge of the same kind is found where there is one.
    fn spread(&self, sub: &SubPattern<'_>) -> f64 {
        let mut spread = 1.0;
        for vertex in sub.vertices.iter() {
            let ends: Vec<Hop> = sub
                .edges()
                .filter(|edge| edge.path.is_none() && (edge.from == vertex) != (edge.to == vertex))
                .filter_map(|edge| Hops::new(self.schema, edge, edge.from == vertex, None).iter().map(|(_, hop)| *hop).next())
                .collect();
            for (at, hop) in ends.iter().enumerate().skip(1) {
                if ends[..at].contains(hop) {
                    let degrees = self.statistics.degrees(hop);
                    let count = self.count(sub.scope.tables(vertex));
                    spread *= (degrees.squares * count / (degrees.edges as f64).powi(2).max(1.0)).clamp(1.0, 50.0);
                }
            }
        }
        spread
    }
}

impl Cardinality for FromStatistics<'_> {
    fn rows(&self, sub: &SubPattern<'_>) -> f64 {
        let mut rows = self.spread(sub);
        for vertex in (sub.vertices - sub.bound).iter().filter_map(|var| sub.scope.vertex(var)) {
            rows *= self.vertices(vertex);
        }
        rows *= sub.edges().map(|edge| self.joined(edge, sub.scope)).product::<f64>();
        let vars = sub.edges().fold(sub.vertices, |vars, edge| vars | VarSet::one(edge.var));
        for condition in sub.pattern.conditions.iter().filter(|condition| vars.has_all(condition.vars())) {
            rows *= match condition {
                Condition::Filter { selectivity, .. } => selectivity.clamp(1e-9, 1.0),
                Condition::Equal(a, _) => 1.0 / self.count(sub.scope.tables(*a)),
                Condition::Different(..) => 1.0,
            };
        }
        rows.clamp(1e-12, 1e30)
    }

    fn degree(&self, hop: &Hop) -> f64 {
        self.statistics.degrees(hop).edges as f64 / self.count(&[self.start(hop)])
    }

    fn degree_max(&self, hop: &Hop) -> f64 {
        self.statistics.degrees(hop).max as f64
    }

    fn share(&self, hop: &Hop) -> f64 {
        (self.statistics.degrees(hop).vertices as f64 / self.count(&[self.start(hop)])).min(1.0)
    }

    fn vertices(&self, vertex: &VertexPattern) -> f64 {
        vertex.only.as_ref().map_or_else(|| self.count(&vertex.tables), |only| only.len().max(1) as f64)
    }
}
