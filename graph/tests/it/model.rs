//! A graph as plain lists of what was ever added, and random graphs fed to it and to a topology alike.

use base::{CommitSeq, RowId};
use graph::{Changes, EdgeRow, EdgeTableDef, GraphSchema, Topology, VertexRow, VertexTableDef};

use crate::draw::Draw;

pub const NEVER: u64 = u64::MAX;

#[derive(Clone, Debug)]
pub struct ModelVertex {
    pub table: u16,
    pub vertex: u32,
    pub row: u64,
    pub created: u64,
    pub ended: u64,
}

#[derive(Clone, Debug)]
pub struct ModelEdge {
    pub edge: EdgeRow,
    pub created: u64,
    pub ended: u64,
}

/// Everything that was ever there.
#[derive(Clone, Debug, Default)]
pub struct Model {
    pub vertices: Vec<ModelVertex>,
    pub edges: Vec<ModelEdge>,
}

impl Model {
    pub fn has_vertex(&self, table: u16, vertex: u32, at: u64) -> bool {
        self.vertices.iter().any(|v| v.table == table && v.vertex == vertex && v.created <= at && at < v.ended)
    }
}

pub fn schema(vertex_tables: u16, edge_tables: &[(u16, u16)]) -> GraphSchema {
    let vertices = (0..vertex_tables).map(|at| VertexTableDef { name: format!("v{at}"), labels: vec![format!("V{at}")] });
    let edges = edge_tables.iter().enumerate().map(|(at, (source, target))| EdgeTableDef {
        name: format!("e{at}"),
        labels: vec![format!("E{at}")],
        source: *source,
        target: *target,
    });
    GraphSchema::new(vertices.collect(), edges.collect()).unwrap()
}

/// How a random graph is drawn.
pub struct Shape {
    pub vertex_tables: u16,
    pub edge_tables: Vec<(u16, u16)>,
    pub vertices: usize,
    pub edges: usize,
    pub commits: u64,
}

/// A random history: vertices and edges come, end, and come back; compactions happen in between.
pub fn random(draw: &Draw, shape: &Shape) -> (Model, Topology) {
    let topology = Topology::new(schema(shape.vertex_tables, &shape.edge_tables));
    let mut model = Model::default();
    let (mut vertex_rows, mut edge_rows) = (vec![0_u64; usize::from(shape.vertex_tables)], vec![0_u64; shape.edge_tables.len()]);
    for commit in 0..shape.commits {
        let mut changes = Changes::default();
        end_some(draw, &mut model, commit, &mut changes);
        let mut add_vertex = |model: &mut Model, changes: &mut Changes, table: u16, vertex: u32| {
            let row = vertex_rows[usize::from(table)];
            vertex_rows[usize::from(table)] += 1;
            changes.vertices_added.push(VertexRow { table, vertex, row: RowId(row) });
            model.vertices.push(ModelVertex { table, vertex, row, created: commit, ended: NEVER });
        };
        for table in 0..shape.vertex_tables {
            for vertex in 0..shape.vertices as u32 {
                let live = model.has_vertex(table, vertex, commit);
                let was = model.vertices.iter().any(|v| v.table == table && v.vertex == vertex);
                if !live && if commit == 0 { vertex == 0 || draw.chance(80) } else { draw.chance(if was { 30 } else { 60 }) } {
                    add_vertex(&mut model, &mut changes, table, vertex);
                }
            }
        }
        for _ in 0..=draw.below(2 * shape.edges.div_ceil(shape.commits as usize)) {
            let table = draw.below(shape.edge_tables.len());
            // Some edges lead to vertices that do not exist yet, or no more.
            let edge = EdgeRow {
                table: table as u16,
                source: draw.below(shape.vertices) as u32,
                target: draw.below(shape.vertices) as u32,
                row: RowId(edge_rows[table]),
            };
            edge_rows[table] += 1;
            changes.edges_added.push(edge);
            model.edges.push(ModelEdge { edge, created: commit, ended: NEVER });
        }
        topology.apply(CommitSeq(commit), &changes).unwrap();
        if draw.chance(15) {
            topology.compact();
        }
    }
    (model, topology)
}

fn end_some(draw: &Draw, model: &mut Model, commit: u64, changes: &mut Changes) {
    for vertex in model.vertices.iter_mut().filter(|vertex| vertex.ended == NEVER) {
        if draw.chance(6) {
            vertex.ended = commit;
            changes.vertices_ended.push((vertex.table, RowId(vertex.row)));
        }
    }
    for edge in model.edges.iter_mut().filter(|edge| edge.ended == NEVER) {
        if draw.chance(8) {
            edge.ended = commit;
            changes.edges_ended.push(edge.edge);
        }
    }
}
