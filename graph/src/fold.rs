//! The topology as a fold of a ledger: rows of vertex and edge tables in, dense ids and lists out.
//!
//! F1: a vertex's id is given at the first sight of its key, in its own row or at an edge's end, and stays; so the same commits give the same ids.
//! F2: an edge with a null in either key, and a vertex with one in its own, is in no graph.
//! Never: reads a column but keys; asks the ledger for a row: what ends an edge is found by its row's number.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::UInt8Type;
use base::{ColumnId, RelationId, RowId, SqlError, SqlResult};
use engine::fold::AppliedCommit;
use engine::key::{Key, KeyReader};
use engine::table::TailChunk;
use engine::{Fold, KeyDef, Op, TableDef, layout, stored};
use hashbrown::HashMap;
use parking_lot::Mutex;

use crate::element::Element;
use crate::schema::GraphSchema;
use crate::topology::{Changes, EdgeRow, Topology, VertexRow};

/// Where the vertices of a vertex table come from.
#[derive(Clone, Debug)]
pub struct VertexSource {
    /// Its table, as it was defined when the graph was.
    pub table: Arc<TableDef>,
    /// Positions of its key.
    pub key: Vec<usize>,
}

/// Where the edges of an edge table come from.
#[derive(Clone, Debug)]
pub struct EdgeSource {
    /// Its table, as it was defined when the graph was.
    pub table: Arc<TableDef>,
    /// Positions of the columns that hold its source's key.
    pub source: Vec<usize>,
    /// And its target's.
    pub target: Vec<usize>,
}

/// No edge stands for the row.
const NONE: (u32, u32) = (u32::MAX, u32::MAX);

/// No vertex stands for the row.
const NO_VERTEX: u32 = u32::MAX;

/// What is known of rows and keys; 4 bytes for each row of a vertex table, 8 for each of an edge table.
#[derive(Debug, Default)]
struct Known {
    ids: Vec<HashMap<Key, u32>>,
    of_rows: Vec<Vec<u32>>,
    ends: Vec<Vec<(u32, u32)>>,
}

/// See the module.
#[derive(Debug)]
pub struct TopologyFold {
    topology: Topology,
    vertices: Vec<VertexSource>,
    edges: Vec<EdgeSource>,
    known: Mutex<Known>,
}

impl TopologyFold {
    /// A fold that has seen nothing. `vertices` and `edges` stand in the order of the schema's tables; errors: XX000 where they do not.
    pub fn new(schema: GraphSchema, vertices: Vec<VertexSource>, edges: Vec<EdgeSource>) -> SqlResult<Self> {
        if vertices.len() != schema.vertices().len() || edges.len() != schema.edges().len() {
            return Err(SqlError::internal("a graph has one source for each of its tables"));
        }
        let known = Known {
            ids: vec![HashMap::new(); vertices.len()],
            of_rows: vec![Vec::new(); vertices.len()],
            ends: vec![Vec::new(); edges.len()],
        };
        Ok(Self { topology: Topology::new(schema), vertices, edges, known: Mutex::new(known) })
    }

    /// What has been folded so far.
    pub fn topology(&self) -> &Topology {
        &self.topology
    }

    /// Tables and columns that it must be fed, for `Ledger::attach`.
    pub fn needed(&self) -> Vec<(RelationId, Vec<ColumnId>)> {
        let of_vertices = self.vertices.iter().map(|source| (&source.table, source.key.clone()));
        let of_edges = self.edges.iter().map(|source| (&source.table, [source.source.as_slice(), &source.target].concat()));
        let mut needed: Vec<(RelationId, Vec<ColumnId>)> = Vec::new();
        for (table, positions) in of_vertices.chain(of_edges) {
            let columns = positions.iter().map(|at| table.columns[*at].id);
            match needed.iter_mut().find(|(id, _)| *id == table.id) {
                Some((_, known)) => known.extend(columns),
                None => needed.push((table.id, columns.collect())),
            }
        }
        needed
    }

    /// The vertex of a vertex table with this key, if any row or edge has ever named it.
    pub fn vertex(&self, table: u16, key: &Key) -> Option<u32> {
        self.known.lock().ids[usize::from(table)].get(key).copied()
    }

    /// The vertex that a row of a vertex table is, if it is one.
    pub fn vertex_of_row(&self, table: u16, row: RowId) -> Option<u32> {
        let known = self.known.lock();
        let vertex = usize::try_from(row.0).ok().and_then(|row| known.of_rows[usize::from(table)].get(row).copied());
        vertex.filter(|vertex| *vertex != NO_VERTEX)
    }

    /// The vertices that rows of a vertex table are, ascending; rows that are none are passed over.
    pub fn vertices_of_rows(&self, table: u16, rows: &[u64]) -> Vec<Element> {
        let known = self.known.lock();
        let of_rows = &known.of_rows[usize::from(table)];
        let vertex = |row: &u64| usize::try_from(*row).ok().and_then(|row| of_rows.get(row)).copied();
        let vertices = rows.iter().filter_map(vertex).filter(|vertex| *vertex != NO_VERTEX);
        let mut found: Vec<Element> = vertices.map(|vertex| Element::new(table, vertex.into())).collect();
        found.sort_unstable();
        found
    }

    /// Bytes held, the topology's included.
    pub fn bytes(&self) -> usize {
        let known = self.known.lock();
        let ids: usize = known.ids.iter().map(HashMap::allocation_size).sum();
        let rows: usize = known.of_rows.iter().map(|rows| rows.capacity() * size_of::<u32>()).sum();
        let ends: usize = known.ends.iter().map(|ends| ends.capacity() * size_of::<(u32, u32)>()).sum();
        let memory = self.topology.memory();
        ids + rows + ends + memory.vertex_bytes + memory.edge_bytes
    }

    fn vertex_rows(&self, table: usize, chunk: &TailChunk, known: &mut Known, changes: &mut Changes) -> SqlResult<()> {
        let source = &self.vertices[table];
        let keys = Keys::read(&source.table, &source.key, chunk)?;
        for_each_row(chunk, |row, at, ended, is_marker| {
            if let Some(ended) = ended {
                changes.vertices_ended.push((table as u16, RowId(ended)));
            }
            known.of_rows[table].resize(row as usize, NO_VERTEX);
            let vertex = keys.key(at)?.filter(|_| !is_marker).map(|key| id_of(&mut known.ids[table], key));
            known.of_rows[table].push(vertex.unwrap_or(NO_VERTEX));
            if let Some(vertex) = vertex {
                changes.vertices_added.push(VertexRow { table: table as u16, vertex, row: RowId(row) });
            }
            Ok(())
        })
    }

    fn edge_rows(&self, table: usize, chunk: &TailChunk, known: &mut Known, changes: &mut Changes) -> SqlResult<()> {
        let (source, def) = (&self.edges[table], &self.topology.schema().edges()[table]);
        let sources = Keys::read(&source.table, &source.source, chunk)?;
        let targets = Keys::read(&source.table, &source.target, chunk)?;
        let edge = |row: u64, ends: (u32, u32)| EdgeRow { table: table as u16, source: ends.0, target: ends.1, row: RowId(row) };
        for_each_row(chunk, |row, at, ended, is_marker| {
            if let Some(ended) = ended
                && let Some(ends) = known.ends[table].get(ended as usize).copied().filter(|ends| *ends != NONE)
            {
                changes.edges_ended.push(edge(ended, ends));
            }
            let ends = match (sources.key(at)?, targets.key(at)?) {
                (Some(a), Some(b)) if !is_marker => {
                    (id_of(&mut known.ids[usize::from(def.source)], a), id_of(&mut known.ids[usize::from(def.target)], b))
                }
                _ => NONE,
            };
            known.ends[table].resize(row as usize, NONE);
            known.ends[table].push(ends);
            if ends != NONE {
                changes.edges_added.push(edge(row, ends));
            }
            Ok(())
        })
    }
}

fn id_of(ids: &mut HashMap<Key, u32>, key: Key) -> u32 {
    let next = ids.len() as u32;
    *ids.entry(key).or_insert(next)
}

/// Calls `take` with each row's id, its place in the chunk, the row it ends, and whether it is a deletion marker.
fn for_each_row(chunk: &TailChunk, mut take: impl FnMut(u64, usize, Option<u64>, bool) -> SqlResult<()>) -> SqlResult<()> {
    let n = chunk.table.columns.len();
    let ops = chunk.batch.column(n + 1).as_primitive::<UInt8Type>();
    let supersedes = stored::supersedes(&chunk.batch, n);
    (0..chunk.batch.num_rows()).try_for_each(|at| {
        let ended = supersedes.is_valid(at).then(|| supersedes.value(at));
        take(chunk.first_row + at as u64, at, ended, ops.value(at) == Op::Delete as u8)
    })
}

/// Key columns of a chunk, read under the graph's definition of the table.
struct Keys<'t> {
    table: &'t TableDef,
    def: KeyDef,
    values: Vec<ArrayRef>,
}

impl<'t> Keys<'t> {
    fn read(table: &'t TableDef, positions: &[usize], chunk: &TailChunk) -> SqlResult<Self> {
        let rows = chunk.batch.num_rows();
        let places = layout::clear_places(&chunk.table, table, positions)?;
        let values = places.iter().map(|place| place.read(rows, |at| Arc::clone(chunk.batch.column(at)))).collect::<SqlResult<_>>()?;
        let (positions, late) = (positions.to_vec(), None);
        let def =
            KeyDef { id: 0, name: String::new(), positions, condition: None, unique: false, late, nulls_equal: false, holds_nulls: false };
        Ok(Self { table, def, values })
    }

    fn key(&self, at: usize) -> SqlResult<Option<Key>> {
        Ok(KeyReader::over_values(self.table, &self.def, &self.values)?.key(at))
    }
}

impl Fold for TopologyFold {
    fn name(&self) -> &'static str {
        "graph"
    }

    fn apply(&self, commit: &AppliedCommit<'_>) -> SqlResult<()> {
        let mut changes = Changes::default();
        let mut known = self.known.lock();
        for chunk in commit.tables.iter().flat_map(|table| table.chunks) {
            for table in (0..self.vertices.len()).filter(|at| self.vertices[*at].table.id == chunk.table.id) {
                self.vertex_rows(table, chunk, &mut known, &mut changes)?;
            }
            for table in (0..self.edges.len()).filter(|at| self.edges[*at].table.id == chunk.table.id) {
                self.edge_rows(table, chunk, &mut known, &mut changes)?;
            }
        }
        let Changes { vertices_added, vertices_ended, edges_added, edges_ended } = &changes;
        if vertices_added.is_empty() && vertices_ended.is_empty() && edges_added.is_empty() && edges_ended.is_empty() {
            return Ok(());
        }
        self.topology.apply(commit.seq, &changes)
    }
}
