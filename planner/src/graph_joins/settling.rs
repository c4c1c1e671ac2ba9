//! When the conditions of one relation are answered: of all its rows before anything is looked for, or of those that are met, when they are.
//!
//! A table that is read first gives the plan its numbers; a few rows that are read by their numbers cost less than a table.
//!
//! S1: both give the same: a condition is over one row, and a row does not change within a run.
//! Never: reads a table that may turn out not to be needed, where the expectation is that few of its rows are.

use base::{SqlResult, SqlState};
use graph::{FromStatistics, Plan, Snapshot, Strategy};
use relational::links::{Asked, Passing};

use super::pattern::{self, Made, var};
use super::roles::{Holds, Roles};
use super::worth::GATHERED;
use crate::live_graphs::Live;

/// A pattern, its plan, and how often conditions are expected to be answered late.
pub(super) struct Settled {
    pub(super) made: Made,
    pub(super) plan: Plan,
    pub(super) asked: Asked,
    /// Relations whose conditions were answered of all their rows, with how many these were.
    pub(super) read: Vec<(usize, u64)>,
    /// Rows that are expected to be read to answer conditions.
    pub(super) late: f64,
}

/// `None` where the joins are to answer. Errors: what reading raises.
pub(super) fn settled(
    roles: &Roles,
    live: &Live,
    snapshot: &Snapshot,
    (cardinality, strategy): (&FromStatistics<'_>, Strategy),
    mut asked: Asked,
) -> SqlResult<Option<Settled>> {
    let mut read = Vec::new();
    loop {
        let Some(made) = pattern::pattern(roles, live, snapshot, &asked)? else { return Ok(None) };
        let plan = match graph::plan(&made.query, snapshot.schema(), cardinality, strategy) {
            Ok(plan) => plan,
            Err(error) if error.state() == SqlState::STATEMENT_TOO_COMPLEX => return Ok(None),
            Err(error) => return Err(error),
        };
        let (mut late, mut vertices, mut edges) = (0.0, Vec::new(), Vec::new());
        for (relation, _) in asked.passing.iter().enumerate().filter(|(_, passing)| matches!(passing, Passing::Asked(_))) {
            let times = plan.asked(var(roles, roles.holds[relation]), cardinality);
            let (all, to_read) = match roles.holds[relation] {
                Holds::Edge(at) => (cardinality.statistics.edges(live.place(roles.edges[at].element)?), &mut edges),
                Holds::Vertex(at) => (cardinality.statistics.vertices(live.place(roles.vertices[at].element)?), &mut vertices),
            };
            if times * GATHERED < all as f64 {
                late += times;
            } else {
                to_read.push(relation);
            }
        }
        // Which vertices are meant may leave few edges to ask about.
        let to_read = if vertices.is_empty() { edges } else { vertices };
        for relation in &to_read {
            if let Passing::Asked(own) = &asked.passing[*relation] {
                let rows = own.rows()?;
                read.push((*relation, own.read()));
                asked.passing[*relation] = Passing::Rows(rows);
            }
        }
        // What was read makes another plan; each time around there is less to ask.
        if to_read.is_empty() {
            return Ok(Some(Settled { made, plan, asked, read, late }));
        }
    }
}
