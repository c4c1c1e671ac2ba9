//! The whole graph without its properties: fed commit by commit, read as any commit left it.
//!
//! G1: `apply` takes commits in ascending order; a snapshot at a commit answers the same for ever after.
//! G2: readers hold what they read: a commit or a compaction meanwhile changes nothing for them.
//! Never: reads a row, a key or a property.

use std::sync::Arc;

use base::{CommitSeq, RowId, SqlError, SqlResult, SqlState};
use parking_lot::RwLock;

use crate::run::{End, Entry, NEVER};
use crate::schema::GraphSchema;
use crate::side::{List, Scratch, Side};
use crate::vertices::{Existing, Vertices};

/// What one commit did to the graph, in tables by their places in the schema.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    /// Row versions that show a vertex from now on.
    pub vertices_added: Vec<VertexRow>,
    /// Row versions of vertices that ended.
    pub vertices_ended: Vec<(u16, RowId)>,
    /// New edges.
    pub edges_added: Vec<EdgeRow>,
    /// Edges that ended; each has been added before, by an earlier commit or this one.
    pub edges_ended: Vec<EdgeRow>,
}

/// A row of a vertex table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VertexRow {
    /// Place of the table.
    pub table: u16,
    /// Dense id of the vertex.
    pub vertex: u32,
    /// The row.
    pub row: RowId,
}

/// A row of an edge table, with the dense ids of its ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EdgeRow {
    /// Place of the table.
    pub table: u16,
    /// Where it comes from.
    pub source: u32,
    /// Where it leads.
    pub target: u32,
    /// The row.
    pub row: RowId,
}

/// Both sides of one edge table.
#[derive(Clone, Debug, Default)]
struct Edges {
    forward: Side,
    backward: Side,
    count: u64,
}

/// Bytes held by a topology.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// Vertices with their row versions.
    pub vertex_bytes: usize,
    /// Edges, both directions.
    pub edge_bytes: usize,
    /// Edges, ended ones included.
    pub edges: u64,
}

impl Memory {
    /// Bytes an edge takes, both directions.
    pub fn bytes_per_edge(&self) -> f64 {
        self.edge_bytes as f64 / self.edges.max(1) as f64
    }
}

#[derive(Debug, Default)]
struct State {
    vertices: Vec<Vertices>,
    edges: Vec<Arc<Edges>>,
    applied: Option<u64>,
}

/// See the module.
#[derive(Debug)]
pub struct Topology {
    schema: Arc<GraphSchema>,
    state: Arc<RwLock<State>>,
}

impl Topology {
    /// A graph without vertices.
    pub fn new(schema: GraphSchema) -> Self {
        let vertices = schema.vertices().iter().map(|_| Vertices::default()).collect();
        let edges = schema.edges().iter().map(|_| Arc::default()).collect();
        Self { schema: Arc::new(schema), state: Arc::new(RwLock::new(State { vertices, edges, applied: None })) }
    }

    /// The tables.
    pub fn schema(&self) -> &Arc<GraphSchema> {
        &self.schema
    }

    /// Takes one more commit in (G1). Errors: XX000 for a commit out of order or a table that the schema does not have.
    pub fn apply(&self, commit: CommitSeq, changes: &Changes) -> SqlResult<()> {
        self.check(changes)?;
        let mut state = self.state.write();
        if state.applied.is_some_and(|applied| applied >= commit.0) {
            return Err(SqlError::internal(format!("the graph has been given commit {commit} before")));
        }
        state.applied = Some(commit.0);
        // Ended first: an update ends one row of a vertex and adds the next in the same commit.
        for (table, row) in &changes.vertices_ended {
            state.vertices[usize::from(*table)].end(row.0, commit.0);
        }
        for added in &changes.vertices_added {
            state.vertices[usize::from(added.table)].add(added.vertex, added.row.0, commit.0);
        }
        // And once more, for rows that the commit itself had added.
        for (table, row) in &changes.vertices_ended {
            state.vertices[usize::from(*table)].end(row.0, commit.0);
        }
        for (table, edges) in state.edges.iter_mut().enumerate() {
            let of_table = |rows: &[EdgeRow]| rows.iter().filter(|row| usize::from(row.table) == table).copied().collect::<Vec<_>>();
            let (added, ended) = (of_table(&changes.edges_added), of_table(&changes.edges_ended));
            if !added.is_empty() || !ended.is_empty() {
                *edges = Arc::new(edges.with(&added, &ended, commit.0));
            }
        }
        Ok(())
    }

    fn check(&self, changes: &Changes) -> SqlResult<()> {
        let (vertices, edges) = (self.schema.vertices().len(), self.schema.edges().len());
        let mut of_vertices = changes.vertices_added.iter().map(|row| row.table).chain(changes.vertices_ended.iter().map(|ended| ended.0));
        let mut of_edges = changes.edges_added.iter().chain(&changes.edges_ended).map(|row| row.table);
        if of_vertices.any(|table| usize::from(table) >= vertices) || of_edges.any(|table| usize::from(table) >= edges) {
            return Err(SqlError::internal("a change names a table that the graph does not have"));
        }
        if changes.vertices_added.iter().any(|row| row.vertex == u32::MAX) {
            return Err(SqlError::new(SqlState::PROGRAM_LIMIT_EXCEEDED, "a vertex table has at most 4,294,967,295 vertices"));
        }
        Ok(())
    }

    /// The graph as commit `at` left it (G2).
    pub fn snapshot(&self, at: CommitSeq) -> Snapshot {
        let state = self.state.read();
        Snapshot {
            schema: Arc::clone(&self.schema),
            existing: state.vertices.iter().map(|table| table.existing(at.0)).collect(),
            edges: state.edges.clone(),
            at: at.0,
            state: Arc::clone(&self.state),
        }
    }

    /// Makes every group one run and empties the deltas; readers and commits go on meanwhile.
    pub fn compact(&self) {
        for table in 0..self.schema.edges().len() {
            loop {
                let before = Arc::clone(&self.state.read().edges[table]);
                let compacted = Arc::new(before.compacted());
                let mut state = self.state.write();
                if Arc::ptr_eq(&state.edges[table], &before) {
                    state.edges[table] = compacted;
                    break;
                }
            }
        }
    }

    /// Edges, ended ones included.
    pub fn edges(&self) -> u64 {
        self.state.read().edges.iter().map(|edges| edges.count).sum()
    }

    /// Bytes held.
    pub fn memory(&self) -> Memory {
        let state = self.state.read();
        Memory {
            vertex_bytes: state.vertices.iter().map(Vertices::bytes).sum(),
            edge_bytes: state.edges.iter().map(|edges| edges.forward.bytes() + edges.backward.bytes()).sum(),
            edges: state.edges.iter().map(|edges| edges.count).sum(),
        }
    }
}

impl Edges {
    fn with(&self, added: &[EdgeRow], ended: &[EdgeRow], commit: u64) -> Self {
        let side = |side: &Side, ends: fn(&EdgeRow) -> (u32, u32)| {
            let entry = |row: &EdgeRow| {
                let (source, target) = ends(row);
                Entry { source, target, row: row.row.0, created: commit, ended: NEVER }
            };
            let end = |row: &EdgeRow| {
                let (source, target) = ends(row);
                End { source, target, row: row.row.0, commit }
            };
            let mut entries: Vec<Entry> = added.iter().map(entry).collect();
            let mut ends: Vec<End> = ended.iter().map(end).collect();
            entries.sort_unstable();
            ends.sort_unstable();
            side.with(&entries, ends)
        };
        Self {
            forward: side(&self.forward, |row| (row.source, row.target)),
            backward: side(&self.backward, |row| (row.target, row.source)),
            count: self.count + added.len() as u64,
        }
    }

    fn compacted(&self) -> Self {
        Self { forward: self.forward.compacted(), backward: self.backward.compacted(), count: self.count }
    }
}

/// The graph as one commit left it. Cheap to make and to clone.
#[derive(Clone, Debug)]
pub struct Snapshot {
    schema: Arc<GraphSchema>,
    existing: Vec<Existing>,
    edges: Vec<Arc<Edges>>,
    at: u64,
    state: Arc<RwLock<State>>,
}

impl Snapshot {
    /// The tables.
    pub fn schema(&self) -> &Arc<GraphSchema> {
        &self.schema
    }

    /// The commit it shows.
    pub fn at(&self) -> CommitSeq {
        CommitSeq(self.at)
    }

    /// The vertices of a table that exist.
    pub fn existing(&self, table: u16) -> &Existing {
        &self.existing[usize::from(table)]
    }

    /// Edges of one table at a vertex of its source table, or of its target table where `backward`; the ends may be vertices that do not exist.
    #[inline]
    pub fn list<'a>(&'a self, edge_table: u16, backward: bool, vertex: u32, scratch: &'a mut Scratch) -> List<'a> {
        let edges = &self.edges[usize::from(edge_table)];
        let side = if backward { &edges.backward } else { &edges.forward };
        side.list(vertex, self.at, scratch)
    }

    /// Rows that show vertices of one table; `None` for one that does not exist.
    pub fn rows(&self, table: u16, vertices: &[u32]) -> Vec<Option<RowId>> {
        let state = self.state.read();
        let of_table = &state.vertices[usize::from(table)];
        vertices.iter().map(|vertex| of_table.row(*vertex, self.at).map(RowId)).collect()
    }
}
