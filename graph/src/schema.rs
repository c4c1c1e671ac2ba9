//! What a property graph is made of: vertex tables and edge tables, each with its labels.
//!
//! S1: an edge table's ends are vertex tables of the same graph.
//! Never: holds a row; knows SQL.

use base::{SqlError, SqlResult, SqlState};

/// Most tables of one kind; the place of one fits an [`crate::Element`].
const TABLES_MAX: usize = 1 << 12;

/// One vertex table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VertexTableDef {
    /// Its name in the graph, for EXPLAIN.
    pub name: String,
    /// Its labels.
    pub labels: Vec<String>,
}

/// One edge table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EdgeTableDef {
    /// Its name in the graph, for EXPLAIN.
    pub name: String,
    /// Its labels.
    pub labels: Vec<String>,
    /// Place of the vertex table it comes from.
    pub source: u16,
    /// Place of the vertex table it leads to.
    pub target: u16,
}

/// The tables of one graph. A table is known by its place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GraphSchema {
    vertices: Vec<VertexTableDef>,
    edges: Vec<EdgeTableDef>,
}

impl GraphSchema {
    /// Checks S1. Errors: 42P01 for an end that is no vertex table, 54000 for more than 4,096 tables of a kind.
    pub fn new(vertices: Vec<VertexTableDef>, edges: Vec<EdgeTableDef>) -> SqlResult<Self> {
        if vertices.len() > TABLES_MAX || edges.len() > TABLES_MAX {
            return Err(SqlError::new(SqlState::PROGRAM_LIMIT_EXCEEDED, format!("a graph has at most {TABLES_MAX} tables of a kind")));
        }
        if let Some(edge) = edges.iter().find(|edge| usize::from(edge.source.max(edge.target)) >= vertices.len()) {
            let message = format!("edge table \"{}\" ends in no vertex table of the graph", edge.name);
            return Err(SqlError::new(SqlState::UNDEFINED_TABLE, message).hint("Name the table among the graph's vertex tables."));
        }
        Ok(Self { vertices, edges })
    }

    /// The vertex tables.
    pub fn vertices(&self) -> &[VertexTableDef] {
        &self.vertices
    }

    /// The edge tables.
    pub fn edges(&self) -> &[EdgeTableDef] {
        &self.edges
    }

    /// Places of the vertex tables with at least one of the labels; of all, where none is given.
    pub fn vertex_tables(&self, labels: &[&str]) -> Vec<u16> {
        having(labels, self.vertices.iter().map(|table| &table.labels))
    }

    /// Places of the edge tables with at least one of the labels; of all, where none is given.
    pub fn edge_tables(&self, labels: &[&str]) -> Vec<u16> {
        having(labels, self.edges.iter().map(|table| &table.labels))
    }
}

fn having<'a>(labels: &[&str], tables: impl Iterator<Item = &'a Vec<String>>) -> Vec<u16> {
    let has_one = |own: &Vec<String>| labels.is_empty() || own.iter().any(|label| labels.contains(&label.as_str()));
    tables.enumerate().filter(|(_, own)| has_one(own)).map(|(at, _)| at as u16).collect()
}
