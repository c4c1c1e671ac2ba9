//! What a planner knows of a graph: vertices of each table, and for each edge table, which is a triple of labels, the moments of its degrees.
//!
//! Never: looks at a property.

use crate::plan::Hop;
use crate::side::Scratch;
use crate::topology::Snapshot;

/// How the edges of one table are spread over the vertices at one of its ends.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Degrees {
    /// Edges.
    pub edges: u64,
    /// Vertices with an edge.
    pub vertices: u64,
    /// Sum of the squares of the degrees.
    pub squares: f64,
    /// Greatest degree.
    pub max: u64,
}

/// See the module.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Statistics {
    vertices: Vec<u64>,
    edges: Vec<[Degrees; 2]>,
}

impl Statistics {
    /// Counts a snapshot; takes a look at each vertex for each end of an edge table at it.
    pub fn of(graph: &Snapshot) -> Self {
        let schema = graph.schema();
        let mut scratch = Scratch::default();
        let mut degrees = |table: usize, backward: bool, vertex_table: u16| {
            let mut degrees = Degrees::default();
            for vertex in 0..graph.existing(vertex_table).end() {
                let degree = graph.list(table as u16, backward, vertex, &mut scratch).targets.len() as u64;
                degrees.edges += degree;
                degrees.vertices += u64::from(degree > 0);
                degrees.squares += (degree * degree) as f64;
                degrees.max = degrees.max.max(degree);
            }
            degrees
        };
        Self {
            vertices: (0..schema.vertices().len()).map(|table| graph.existing(table as u16).count()).collect(),
            edges: schema
                .edges()
                .iter()
                .enumerate()
                .map(|(at, def)| [degrees(at, false, def.source), degrees(at, true, def.target)])
                .collect(),
        }
    }

    /// Vertices of a table.
    pub fn vertices(&self, table: u16) -> u64 {
        self.vertices[usize::from(table)]
    }

    /// Edges of a table.
    pub fn edges(&self, table: u16) -> u64 {
        self.edges[usize::from(table)][0].edges
    }

    /// Degrees at the end that a hop starts from.
    pub fn degrees(&self, hop: &Hop) -> &Degrees {
        &self.edges[usize::from(hop.edge_table)][usize::from(hop.backward)]
    }
}
