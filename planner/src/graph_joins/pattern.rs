//! Joins as a pattern over a topology: variables, the vertices and edges that pass a relation's own conditions, and conditions over several.
//!
//! Q1: a vertex's row that passes makes the vertex one of the only ones it can be; an edge's row is asked for by its number. Conditions that are
//!     answered when they are asked are of no row where there is no element, and so not met.
//! Never: reads a column; conditions over several relations do so themselves.

use std::sync::Arc;

use base::{SqlError, SqlResult};
use graph::{Condition, Direction, EdgePattern, Element, Filter, Output, Part, Pattern, Query, Snapshot, Var, VertexPattern};
use relational::links::{Asked, JoinedCondition, OwnConditions, PartKind, Passing, RowFilter, Wanted};

use super::roles::{Holds, Roles};
use crate::live_graphs::Live;

/// A pattern for one run.
pub(super) struct Made {
    pub(super) query: Query,
    /// For each relation wanted, the place of its variable in the output.
    pub(super) places: Vec<usize>,
    /// For each variable of the output, the place of its vertex table, or `None` for an edge.
    pub(super) of_output: Vec<Holds>,
}

/// The share of rows that conditions are taken to leave which are answered when they are asked.
const LATER: f64 = 0.1;

/// The variable of what a relation holds.
pub(super) fn var(roles: &Roles, holds: Holds) -> Var {
    let at = match holds {
        Holds::Vertex(at) => at,
        Holds::Edge(at) => roles.vertices.len() + at,
    };
    Var(at as u16)
}

/// The pattern; `None` where it cannot be one. Errors: XX000.
pub(super) fn pattern(roles: &Roles, live: &Live, snapshot: &Snapshot, asked: &Asked) -> SqlResult<Option<Made>> {
    let mut blocks: Vec<Pattern> = roles.within.iter().map(|_| Pattern::default()).collect();
    for (at, vertex) in roles.vertices.iter().enumerate() {
        let tables = vec![live.place(vertex.element)?];
        blocks[vertex.block].vertices.push(VertexPattern { var: var(roles, Holds::Vertex(at)), tables, only: None });
    }
    for (at, edge) in roles.edges.iter().enumerate() {
        blocks[edge.block].edges.push(EdgePattern {
            var: var(roles, Holds::Edge(at)),
            from: var(roles, Holds::Vertex(edge.ends.0)),
            to: var(roles, Holds::Vertex(edge.ends.1)),
            tables: vec![live.place(edge.element)?],
            direction: Direction::Forward,
            path: None,
        });
    }
    for (relation, passing) in asked.passing.iter().enumerate() {
        if let Passing::Asked(own) = passing {
            let (holds, own) = (roles.holds[relation], Arc::clone(own));
            let filter = Arc::new(Later { holds, snapshot: snapshot.clone(), own });
            let condition = Condition::Filter { vars: vec![var(roles, holds)], filter, selectivity: LATER };
            blocks[roles.blocks_of[relation]].conditions.push(condition);
            continue;
        }
        narrow(roles, live, relation, passing, &mut blocks)?;
    }
    for condition in &asked.conditions {
        let block = roles.into[condition.block];
        let Some(made) = across(roles, snapshot, condition, block)? else { return Ok(None) };
        blocks[block].conditions.push(made);
    }
    // From the innermost out: a block stands after the one that it is within.
    for at in (1..blocks.len()).rev() {
        let Some((within, kind)) = roles.within[at] else { return Err(SqlError::internal("a block within none")) };
        let kind = match kind {
            PartKind::Optional => graph::PartKind::Optional,
            PartKind::Exists => graph::PartKind::Exists,
            PartKind::NotExists => graph::PartKind::NotExists,
        };
        let pattern = std::mem::take(&mut blocks[at]);
        let is_nothing =
            pattern.vertices.is_empty() && pattern.edges.is_empty() && pattern.conditions.is_empty() && pattern.parts.is_empty();
        if is_nothing && kind == graph::PartKind::Exists {
            continue;
        }
        blocks[within].parts.insert(0, Part { kind, pattern });
    }
    let Some(pattern) = blocks.into_iter().next() else { return Err(SqlError::internal("joins without a block")) };
    if asked.wanted.relations().iter().any(|relation| roles.is_shaded[*relation]) {
        return Ok(None);
    }
    let (output, places, of_output) = output(roles, &asked.wanted);
    Ok(Some(Made { query: Query { pattern, output }, places, of_output }))
}

/// What a relation's own conditions leave (Q1).
fn narrow(roles: &Roles, live: &Live, relation: usize, passing: &Passing, blocks: &mut [Pattern]) -> SqlResult<()> {
    let block = &mut blocks[roles.blocks_of[relation]];
    let holds = roles.holds[relation];
    match holds {
        Holds::Vertex(at) => {
            let (own, table) = (var(roles, holds), live.place(roles.vertices[at].element)?);
            let known = block.vertices.iter().position(|vertex| vertex.var == own);
            // One that is bound around is a row of the table there already.
            let Passing::Rows(rows) = passing else { return Ok(()) };
            let mut only = live.vertices_of_rows(table, rows);
            match known {
                Some(known) => {
                    let vertex = &mut block.vertices[known];
                    if let Some(others) = &vertex.only {
                        only.retain(|element| others.binary_search(element).is_ok());
                    }
                    vertex.only = Some(only.into());
                }
                None => block.vertices.push(VertexPattern { var: own, tables: vec![table], only: Some(only.into()) }),
            }
        }
        Holds::Edge(at) => {
            let Passing::Rows(rows) = passing else { return Ok(()) };
            let all = live.edges_count(live.place(roles.edges[at].element)?);
            let filter = Arc::new(Known::new(rows));
            let selectivity = rows.len() as f64 / all.max(1) as f64;
            block.conditions.push(Condition::Filter { vars: vec![var(roles, holds)], filter, selectivity });
        }
    }
    Ok(())
}

/// A condition over several relations; `None` where it speaks of what its block does not see.
fn across(roles: &Roles, snapshot: &Snapshot, condition: &JoinedCondition, block: usize) -> SqlResult<Option<Condition>> {
    if !condition.relations.iter().all(|relation| roles.sees(block, roles.blocks_of[*relation])) {
        return Ok(None);
    }
    if let Some((one, other)) = condition.differ.and_then(|pair| roles.vertices_of(pair)) {
        return Ok(Some(Condition::Different(var(roles, Holds::Vertex(one)), var(roles, Holds::Vertex(other)))));
    }
    let holds: Vec<Holds> = condition.relations.iter().map(|relation| roles.holds[*relation]).collect();
    let vars = holds.iter().map(|holds| var(roles, *holds)).collect();
    let filter = Arc::new(Across { holds, snapshot: snapshot.clone(), filter: Arc::clone(&condition.filter) });
    Ok(Some(Condition::Filter { vars, filter, selectivity: 0.3 }))
}

/// What is wanted as variables, each once.
fn output(roles: &Roles, wanted: &Wanted) -> (Output, Vec<usize>, Vec<Holds>) {
    let mut of_output: Vec<Holds> = Vec::new();
    let place = |relation: &usize| {
        let holds = roles.holds[*relation];
        of_output.iter().position(|known| *known == holds).unwrap_or_else(|| {
            of_output.push(holds);
            of_output.len() - 1
        })
    };
    let places: Vec<usize> = wanted.relations().iter().map(place).collect();
    let vars = of_output.iter().map(|holds| var(roles, *holds)).collect();
    let output = match wanted {
        Wanted::Count => Output::Count,
        Wanted::Rows(..) => Output::Rows(vars),
        Wanted::Groups(..) => Output::Groups(vars),
    };
    (output, places, of_output)
}

/// The numbers of the rows behind elements.
pub(super) fn rows_of(snapshot: &Snapshot, holds: Holds, elements: &[Element]) -> Vec<Option<u64>> {
    match holds {
        Holds::Edge(_) => elements.iter().map(|edge| (!edge.is_null()).then(|| edge.id())).collect(),
        Holds::Vertex(_) => {
            let Some(table) = elements.iter().find(|element| !element.is_null()).map(|element| element.table()) else {
                return vec![None; elements.len()];
            };
            // No vertex has the greatest number, so what is NULL has no row.
            let vertices: Vec<u32> = elements.iter().map(|element| if element.is_null() { u32::MAX } else { element.vertex() }).collect();
            snapshot.rows(table, &vertices).into_iter().map(|row| row.map(|row| row.0)).collect()
        }
    }
}

/// Conditions of one relation, answered of what they are asked about.
#[derive(Debug)]
struct Later {
    holds: Holds,
    snapshot: Snapshot,
    own: Arc<dyn OwnConditions>,
}

impl Filter for Later {
    fn evaluate(&self, columns: &[&[Element]], keep: &mut [bool]) -> SqlResult<()> {
        let [elements] = columns else { return Err(SqlError::internal("an element alone is asked for")) };
        self.own.evaluate(&rows_of(&self.snapshot, self.holds, elements), keep)
    }
}

/// Edges whose rows pass.
#[derive(Debug)]
struct Known(Vec<u64>);

impl Known {
    fn new(rows: &[u64]) -> Self {
        let mut bits = vec![0; rows.last().map_or(0, |last| *last as usize / 64 + 1)];
        rows.iter().for_each(|row| bits[*row as usize / 64] |= 1 << (row % 64));
        Self(bits)
    }
}

impl Filter for Known {
    fn evaluate(&self, columns: &[&[Element]], keep: &mut [bool]) -> SqlResult<()> {
        let [edges] = columns else { return Err(SqlError::internal("an edge alone is asked for")) };
        for (edge, keep) in edges.iter().zip(keep) {
            *keep &= !edge.is_null() && self.0.get(edge.id() as usize / 64).is_some_and(|word| word >> (edge.id() % 64) & 1 == 1);
        }
        Ok(())
    }
}

/// A condition over the rows of several elements.
#[derive(Debug)]
struct Across {
    holds: Vec<Holds>,
    snapshot: Snapshot,
    filter: Arc<dyn RowFilter>,
}

impl Filter for Across {
    fn evaluate(&self, columns: &[&[Element]], keep: &mut [bool]) -> SqlResult<()> {
        let rows: Vec<Vec<Option<u64>>> =
            self.holds.iter().zip(columns).map(|(holds, elements)| rows_of(&self.snapshot, *holds, elements)).collect();
        self.filter.evaluate(&rows, keep)
    }
}
