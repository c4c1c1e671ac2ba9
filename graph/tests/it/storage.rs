//! Lists read from runs and deltas are what a filter over all edges ever added gives.

use base::{CommitSeq, RowId, SqlState};
use graph::{Changes, EdgeRow, Scratch, Topology, VertexRow};

use crate::draw::{Draw, seeds};
use crate::model::{self, Model, Shape};

fn expected(model: &Model, table: u16, backward: bool, vertex: u32, at: u64) -> Vec<(u32, u64)> {
    let visible = model.edges.iter().filter(|e| e.edge.table == table && e.created <= at && at < e.ended);
    let ends =
        visible.map(|e| if backward { (e.edge.target, e.edge.source, e.edge.row.0) } else { (e.edge.source, e.edge.target, e.edge.row.0) });
    let mut list: Vec<(u32, u64)> = ends.filter(|(source, ..)| *source == vertex).map(|(_, target, row)| (target, row)).collect();
    list.sort_unstable();
    list
}

fn compare(model: &Model, topology: &Topology, shape: &Shape, at: u64, seed: u64) {
    let snapshot = topology.snapshot(CommitSeq(at));
    let mut scratch = Scratch::default();
    for table in 0..shape.edge_tables.len() as u16 {
        for (backward, vertex) in [false, true].into_iter().flat_map(|b| (0..shape.vertices as u32).map(move |v| (b, v))) {
            let list = snapshot.list(table, backward, vertex, &mut scratch);
            let found: Vec<(u32, u64)> = list.targets.iter().enumerate().map(|(i, target)| (*target, list.row(i))).collect();
            assert_eq!(found, expected(model, table, backward, vertex, at), "D1: seed {seed}, commit {at}, table {table}, {vertex}");
        }
    }
    for table in 0..shape.vertex_tables {
        let existing = snapshot.existing(table);
        for vertex in 0..shape.vertices as u32 {
            let row = model.vertices.iter().find(|v| v.table == table && v.vertex == vertex && v.created <= at && at < v.ended);
            assert_eq!(existing.has(vertex), row.is_some(), "V2: seed {seed}, commit {at}, vertex {vertex}");
            assert_eq!(snapshot.rows(table, &[vertex]), [row.map(|v| RowId(v.row))]);
        }
    }
}

#[test]
fn every_commit_is_read_as_it_was() {
    for seed in seeds(60) {
        let draw = Draw::new(seed);
        let shape = Shape {
            vertex_tables: 2,
            edge_tables: vec![(0, 1), (1, 1)],
            vertices: 1 + draw.below(30),
            edges: 1 + draw.below(400),
            commits: 1 + draw.below(40) as u64,
        };
        let (model, topology) = model::random(&draw, &shape);
        for at in 0..shape.commits {
            compare(&model, &topology, &shape, at, seed);
        }
        topology.compact();
        for at in 0..shape.commits {
            compare(&model, &topology, &shape, at, seed);
        }
    }
}

/// Enough edges and sources that the delta is flushed and groups are compacted on their own.
#[test]
fn groups_and_flushes_keep_every_edge() {
    let draw = Draw::new(1);
    let topology = Topology::new(model::schema(1, &[(0, 0)]));
    let mut all: Vec<(EdgeRow, u64, u64)> = Vec::new();
    const VERTICES: usize = 200_000;
    for commit in 0..24_u64 {
        let mut changes = Changes::default();
        for (edge, created, ended) in all.iter_mut().rev().take(20_000).step_by(97) {
            if *ended == model::NEVER && *created < commit {
                *ended = commit;
                changes.edges_ended.push(*edge);
            }
        }
        for _ in 0..10_000 {
            let row = RowId(all.len() as u64);
            let edge = EdgeRow { table: 0, source: draw.below(VERTICES) as u32, target: draw.below(VERTICES) as u32, row };
            changes.edges_added.push(edge);
            all.push((edge, commit, model::NEVER));
        }
        topology.apply(CommitSeq(commit), &changes).unwrap();
    }
    for at in [0, 11, 23] {
        let snapshot = topology.snapshot(CommitSeq(at));
        let mut lists = vec![Vec::new(); VERTICES];
        for (edge, ..) in all.iter().filter(|(_, created, ended)| *created <= at && at < *ended) {
            lists[edge.target as usize].push((edge.source, edge.row.0));
        }
        let mut scratch = Scratch::default();
        for (vertex, expected) in lists.iter_mut().enumerate() {
            expected.sort_unstable();
            let list = snapshot.list(0, true, vertex as u32, &mut scratch);
            let found: Vec<(u32, u64)> = list.targets.iter().enumerate().map(|(i, target)| (*target, list.row(i))).collect();
            assert_eq!(&found, expected, "D1: commit {at}, vertex {vertex}");
        }
    }
}

/// A snapshot that was taken before a commit and a compaction reads on as before.
#[test]
fn a_snapshot_outlives_commits_and_compaction() {
    let topology = Topology::new(model::schema(1, &[(0, 0)]));
    let edge = |row: u64| EdgeRow { table: 0, source: 0, target: row as u32, row: RowId(row) };
    let vertices_added = (0..9).map(|vertex| VertexRow { table: 0, vertex, row: RowId(vertex.into()) }).collect();
    topology.apply(CommitSeq(0), &Changes { vertices_added, edges_added: vec![edge(0), edge(1)], ..Changes::default() }).unwrap();
    let before = topology.snapshot(CommitSeq(0));
    topology.apply(CommitSeq(1), &Changes { edges_added: vec![edge(2)], edges_ended: vec![edge(0)], ..Changes::default() }).unwrap();
    topology.compact();
    let mut scratch = Scratch::default();
    assert_eq!(before.list(0, false, 0, &mut scratch).targets, [0, 1]);
    assert_eq!(topology.snapshot(CommitSeq(1)).list(0, false, 0, &mut scratch).targets, [1, 2]);
    assert_eq!(topology.snapshot(CommitSeq(0)).list(0, false, 0, &mut scratch).targets, [0, 1]);
}

/// A transaction may insert, update and delete one row; what it ended itself was never seen.
#[test]
fn what_a_commit_adds_and_ends_is_never_there() {
    let topology = Topology::new(model::schema(1, &[(0, 0)]));
    let row = |vertex, row| VertexRow { table: 0, vertex, row: RowId(row) };
    let edge = |row| EdgeRow { table: 0, source: 1, target: 1, row: RowId(row) };
    let changes = Changes {
        vertices_added: vec![row(0, 0), row(1, 1), row(1, 2)],
        vertices_ended: vec![(0, RowId(0)), (0, RowId(1))],
        edges_added: vec![edge(0), edge(1)],
        edges_ended: vec![edge(0)],
    };
    topology.apply(CommitSeq(0), &changes).unwrap();
    for _ in 0..2 {
        let snapshot = topology.snapshot(CommitSeq(0));
        assert_eq!(snapshot.rows(0, &[0, 1]), [None, Some(RowId(2))]);
        assert!(!snapshot.existing(0).has(0) && snapshot.existing(0).has(1));
        let mut scratch = Scratch::default();
        let list = snapshot.list(0, false, 1, &mut scratch);
        assert_eq!((list.targets, list.row(0)), (&[1][..], 1));
        topology.compact();
    }
}

#[test]
fn a_commit_out_of_order_is_refused() {
    let topology = Topology::new(model::schema(1, &[(0, 0)]));
    topology.apply(CommitSeq(3), &Changes::default()).unwrap();
    assert_eq!(topology.apply(CommitSeq(3), &Changes::default()).unwrap_err().state(), SqlState::INTERNAL_ERROR);
}

/// A million edges with rows and commits in random order: at most 24 bytes an edge for both directions.
#[test]
fn an_edge_takes_at_most_24_bytes() {
    let draw = Draw::new(2);
    let topology = Topology::new(model::schema(1, &[(0, 0)]));
    for commit in 0..100_u64 {
        let rows = commit * 10_000..(commit + 1) * 10_000;
        let edge = |row| EdgeRow { table: 0, source: draw.below(150_000) as u32, target: draw.below(150_000) as u32, row: RowId(row) };
        topology.apply(CommitSeq(commit), &Changes { edges_added: rows.map(edge).collect(), ..Changes::default() }).unwrap();
    }
    topology.compact();
    let memory = topology.memory();
    println!("{:.1} bytes an edge, both directions", memory.bytes_per_edge());
    assert_eq!(memory.edges, 1_000_000);
    assert!(memory.bytes_per_edge() <= 24.0, "{memory:?}");
}
