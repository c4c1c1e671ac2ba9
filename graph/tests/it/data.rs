//! Graphs in folders of `|`-separated files; shared with `bench/graph-peers`.

use std::collections::HashMap;
use std::path::Path;

use base::{CommitSeq, RowId};
use graph::{Changes, EdgeRow, EdgeTableDef, GraphSchema, Topology, VertexRow, VertexTableDef};

/// Vertex tables and edge tables (name, label, source, target) of a folder of `|`-separated files; edges named in `both` are stored both ways.
pub struct Folder<'f> {
    pub vertices: &'f [(&'f str, &'f [&'f str])],
    pub edges: &'f [(&'f str, &'f str, &'f str, &'f str)],
    pub both: &'f [&'f str],
}

fn lines(folder: &Path, name: &str) -> Vec<(u64, u64)> {
    let text = std::fs::read_to_string(folder.join(format!("{name}.csv"))).unwrap();
    let pair = |line: &str| {
        let mut numbers = line.split('|').map(|number| number.parse().unwrap());
        (numbers.next().unwrap(), numbers.next().unwrap_or(0))
    };
    text.lines().skip(1).map(pair).collect()
}

impl Folder<'_> {
    /// Loads it: all of it in one commit, or the vertices and then the edges in `commits` of the same size.
    pub fn load(&self, folder: &Path, commits: usize) -> Topology {
        let place = |name: &str| self.vertices.iter().position(|(table, _)| *table == name).unwrap() as u16;
        let vertices = self.vertices.iter().map(|(name, labels)| VertexTableDef {
            name: (*name).to_owned(),
            labels: labels.iter().map(|label| (*label).to_owned()).collect(),
        });
        let edges = self.edges.iter().map(|(name, label, source, target)| EdgeTableDef {
            name: (*name).to_owned(),
            labels: vec![(*label).to_owned()],
            source: place(source),
            target: place(target),
        });
        let topology = Topology::new(GraphSchema::new(vertices.collect(), edges.collect()).unwrap());
        let mut changes = Changes::default();
        let mut ids: Vec<HashMap<u64, u32>> = Vec::new();
        for (table, (name, _)) in self.vertices.iter().enumerate() {
            let of_table: HashMap<u64, u32> = lines(folder, name).iter().enumerate().map(|(at, (id, _))| (*id, at as u32)).collect();
            let row = |vertex: u32| VertexRow { table: table as u16, vertex, row: RowId(vertex.into()) };
            changes.vertices_added.extend((0..of_table.len() as u32).map(row));
            ids.push(of_table);
        }
        let mut all = Vec::new();
        for (table, (name, _, source, target)) in self.edges.iter().enumerate() {
            let mut pairs = lines(folder, name);
            if self.both.contains(name) {
                pairs.extend(pairs.clone().into_iter().map(|(a, b)| (b, a)));
            }
            let (of_source, of_target) = (&ids[usize::from(place(source))], &ids[usize::from(place(target))]);
            let row = |(row, (a, b)): (usize, &(u64, u64))| EdgeRow {
                table: table as u16,
                source: of_source[a],
                target: of_target[b],
                row: RowId(row as u64),
            };
            all.extend(pairs.iter().enumerate().map(row));
        }
        for (commit, edges_added) in all.chunks(all.len().div_ceil(commits)).enumerate() {
            let vertices = std::mem::take(&mut changes.vertices_added);
            topology
                .apply(
                    CommitSeq(commit as u64),
                    &Changes { vertices_added: vertices, edges_added: edges_added.to_vec(), ..Changes::default() },
                )
                .unwrap();
        }
        topology
    }
}
