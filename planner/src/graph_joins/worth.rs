//! Whether operators are a better way than joins: by rows that either would touch, as far as statistics tell.
//!
//! C1: costs are in list entries and rows, as the operators' planner counts; a row that a join builds, probes or makes costs [`JOINED`] of them.
//! Never: decides what is right: both are.

use base::{CommitSeq, SqlResult};
use engine::{Catalog, Ledger, TableView};
use graph::{Cardinality, FromStatistics, Pattern, Scope, SubPattern, VarSet};
use relational::links::Wanted;

use super::pattern::var;
use super::roles::{Holds, Roles};
use super::settling::Settled;

/// What a row costs that a join reads or makes.
const JOINED: f64 = 6.0;
/// What a row costs whose columns are read by its number, and each of the columns.
pub(super) const GATHERED: f64 = 8.0;
/// Rows of a graph's tables below which joins are as quick as anything.
const SMALL: u64 = 4_096;

/// Whether a topology that is not there yet should be made for these joins.
pub(super) fn is_worth_making(ledger: &std::sync::Arc<Ledger>, catalog: &Catalog, roles: &Roles, at: CommitSeq) -> SqlResult<bool> {
    let mut rows = 0;
    for edge in &roles.edges {
        let relation = base::RelationId(roles.graph.elements[edge.element].relation);
        if let Some(table) = catalog.table_by_id(relation) {
            rows += TableView::past(ledger, std::sync::Arc::clone(table), at)?.row_count();
        }
    }
    Ok(rows >= SMALL)
}

/// Whether a plan over a topology that is there costs less than the joins.
pub(super) fn is_worth_going(roles: &Roles, settled: &Settled, cardinality: &FromStatistics<'_>) -> bool {
    let Settled { made, plan, asked, late, .. } = settled;
    let (query, wanted) = (&made.query, &asked.wanted);
    let statistics = cardinality.statistics;
    let (mut read, pattern) = (0.0, &query.pattern);
    let vertices = |pattern: &Pattern| -> f64 { pattern.vertices.iter().map(|vertex| cardinality.vertices(vertex)).sum() };
    read += vertices(pattern) + pattern.parts.iter().map(|part| vertices(&part.pattern)).sum::<f64>();
    let edges = pattern.edges.iter().chain(pattern.parts.iter().flat_map(|part| &part.pattern.edges));
    read += edges.flat_map(|edge| &edge.tables).map(|table| statistics.edges(*table) as f64).sum::<f64>();
    let made = made_by_joins(roles, cardinality, pattern);
    let matches = made.last().copied().unwrap_or(1.0);
    let gathered = match wanted {
        Wanted::Count => 0.0,
        Wanted::Rows(_, width) => matches * (*width as f64 + 1.0) * GATHERED,
        Wanted::Groups(relations, width) => {
            let of_relation = |relation: &usize| match roles.holds[*relation] {
                Holds::Vertex(at) => pattern
                    .vertices
                    .iter()
                    .find(|vertex| usize::from(vertex.var.0) == at)
                    .map_or(1.0, |vertex| cardinality.vertices(vertex)),
                Holds::Edge(_) => matches,
            };
            relations.iter().map(of_relation).product::<f64>().min(matches) * (*width as f64 + 1.0) * GATHERED
        }
    };
    plan.cost + gathered + late * GATHERED < (read + made.iter().sum::<f64>()) * JOINED
}

/// The rows that joins read and make: of the first relation, with the second, with the third, and so on, in the order in which they stand.
fn made_by_joins(roles: &Roles, cardinality: &FromStatistics<'_>, pattern: &Pattern) -> Vec<f64> {
    let holds = |relation: usize| match roles.holds[relation] {
        Holds::Vertex(at) => Some(at),
        Holds::Edge(_) => None,
    };
    let relations: Vec<usize> = (0..roles.holds.len()).filter(|relation| roles.blocks_of[*relation] == 0).collect();
    let made = |count: usize| {
        let joined = &relations[..count];
        let edges = roles.edges.iter().enumerate().filter(|(_, edge)| joined.contains(&edge.relation));
        let (mut vars, mut within) = (VarSet::EMPTY, VarSet::EMPTY);
        for (at, edge) in edges {
            vars |= VarSet::one(var(roles, Holds::Edge(at)));
            within |= [edge.ends.0, edge.ends.1].into_iter().map(|end| var(roles, Holds::Vertex(end))).collect::<VarSet>();
        }
        within |= joined.iter().filter_map(|relation| holds(*relation)).map(|at| var(roles, Holds::Vertex(at))).collect::<VarSet>();
        let part = Pattern {
            vertices: pattern.vertices.iter().filter(|vertex| within.has(vertex.var)).cloned().collect(),
            edges: pattern.edges.iter().filter(|edge| vars.has(edge.var)).cloned().collect(),
            ..Pattern::default()
        };
        let scope = Scope::default().with(&part);
        cardinality.rows(&SubPattern { pattern: &part, scope: &scope, bound: VarSet::EMPTY, vertices: within })
    };
    (1..=relations.len()).map(made).collect()
}
