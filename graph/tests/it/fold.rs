//! A ledger's tables as a graph: attached before, between or after commits, or after the ledger was opened anew, it is the same at every commit.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, RecordBatch};
use arrow::datatypes::Int64Type;
use base::{ColumnId, CommitSeq, RelationId, RowId, SeededRng, SimClock, SimIo};
use engine::key::Key;
use engine::{ColumnDef, Fold, Ledger, Memory, Options, Server, SqlType, TableDef};
use graph::{EdgeSource, EdgeTableDef, GraphSchema, Scratch, TopologyFold, VertexSource, VertexTableDef};

use crate::draw::{Draw, seeds};

/// What the tables hold as of a commit: persons, and each edge's ends.
#[derive(Clone, Default, Debug, PartialEq)]
struct Held {
    persons: BTreeSet<i64>,
    knows: BTreeMap<i64, (i64, i64)>,
}

fn options(io: &Arc<SimIo>) -> Options {
    Options {
        io: Arc::clone(io) as Arc<dyn base::Io>,
        expressions: Arc::new(engine::NoExpressions),
        clock: Arc::new(SimClock::new(1, 1)),
        rng: Arc::new(SeededRng::new(7)),
        wal_file_bytes: 1 << 16,
        hash_threads: 1,
        memory: Memory::of(0),
        fold_threads: false,
        scrub_bytes_per_s: 0,
        use_uring: false,
    }
}

fn open(io: &Arc<SimIo>) -> (Server, Arc<Ledger>) {
    let server = Server::open(Path::new("/data"), options(io)).unwrap();
    let ledger = server.ledger("shockwave").unwrap();
    (server, ledger)
}

fn create(ledger: &Arc<Ledger>) {
    let mut transaction = ledger.begin("tester");
    for (name, columns) in [("person", vec!["id", "age"]), ("knows", vec!["id", "note", "a", "b"])] {
        let column = |(at, name): (usize, &&str)| ColumnDef {
            id: ColumnId(at as u32 + 1),
            name: (*name).into(),
            sql_type: SqlType::Int8,
            not_null: false,
        };
        let id = RelationId(ledger.next_object_id());
        let columns = columns.iter().enumerate().map(column).collect();
        transaction.create_table(TableDef::new(id, "public", name, columns, vec![ColumnId(1)]).unwrap()).unwrap();
    }
    transaction.commit_blocking().unwrap();
}

fn table(ledger: &Arc<Ledger>, name: &str) -> Arc<TableDef> {
    Arc::clone(ledger.snapshot().catalog.table("public", name).unwrap())
}

fn batch(table: &TableDef, rows: &[Vec<Option<i64>>]) -> RecordBatch {
    let column = |at: usize| Arc::new(rows.iter().map(|row| row[at]).collect::<Int64Array>()) as ArrayRef;
    RecordBatch::try_new(table.arrow_schema(), (0..table.columns.len()).map(column).collect()).unwrap()
}

fn fold(ledger: &Arc<Ledger>) -> Arc<TopologyFold> {
    let vertices = vec![VertexTableDef { name: "person".into(), labels: vec!["Person".into()] }];
    let edges = vec![EdgeTableDef { name: "knows".into(), labels: vec!["knows".into()], source: 0, target: 0 }];
    let person = VertexSource { table: table(ledger, "person"), key: vec![0] };
    let knows = EdgeSource { table: table(ledger, "knows"), source: vec![2], target: vec![3] };
    Arc::new(TopologyFold::new(GraphSchema::new(vertices, edges).unwrap(), vec![person], vec![knows]).unwrap())
}

fn attach(ledger: &Arc<Ledger>) -> Arc<TopologyFold> {
    let fold = fold(ledger);
    ledger.attach(Arc::clone(&fold) as Arc<dyn Fold>, &fold.needed()).unwrap();
    fold
}

/// One random statement: a row is inserted, updated (its key or its ends too) or deleted.
fn statement(draw: &Draw, transaction: &mut engine::Transaction, tables: (&Arc<TableDef>, &Arc<TableDef>), held: &mut Held) {
    let find = |transaction: &engine::Transaction, table: &Arc<TableDef>, id: i64| -> RowId {
        let key: ArrayRef = Arc::new(Int64Array::from(vec![id]));
        transaction.view(table).lookup(&[key]).unwrap().unwrap().0
    };
    let (person, knows) = tables;
    let (id, end) = (draw.below(12) as i64, |draw: &Draw| draw.chance(92).then(|| draw.below(12) as i64));
    if draw.chance(35) {
        let row = batch(person, &[vec![Some(id), Some(draw.below(90) as i64)]]);
        if !held.persons.contains(&id) {
            transaction.insert(person, &row).unwrap();
            held.persons.insert(id);
        } else if draw.chance(50) {
            let old = find(transaction, person, id);
            transaction.delete(person, &[old]).unwrap();
            held.persons.remove(&id);
        } else {
            let old = find(transaction, person, id);
            transaction.update(person, &[old], &row).unwrap();
        }
        return;
    }
    let edge = (draw.below(25) as i64, end(draw), end(draw));
    let row = batch(knows, &[vec![Some(edge.0), None, edge.1, edge.2]]);
    let exists = transaction.view(knows).lookup(&[Arc::new(Int64Array::from(vec![edge.0])) as ArrayRef]).unwrap();
    match exists {
        None => transaction.insert(knows, &row).unwrap(),
        Some((old, _)) if draw.chance(40) => transaction.delete(knows, &[old]).unwrap(),
        Some((old, _)) => transaction.update(knows, &[old], &row).unwrap(),
    }
    let still_there = transaction.view(knows).lookup(&[Arc::new(Int64Array::from(vec![edge.0])) as ArrayRef]).unwrap();
    match (still_there, edge) {
        (Some((_, row)), _) if row.column(2).is_valid(0) && row.column(3).is_valid(0) => {
            let value = |at: usize| row.column(at).as_primitive::<Int64Type>().value(0);
            held.knows.insert(edge.0, (value(2), value(3)));
        }
        _ => drop(held.knows.remove(&edge.0)),
    }
}

/// The graph as of a commit, by keys: every vertex that exists, every edge's ends where both exist.
fn read(fold: &TopologyFold, at: CommitSeq) -> (BTreeSet<i64>, Vec<(i64, i64)>) {
    let snapshot = fold.topology().snapshot(at);
    let by_id: BTreeMap<u32, i64> = (0..12).filter_map(|key| Some((fold.vertex(0, &Key::Int(key))?, key))).collect();
    let existing = snapshot.existing(0);
    let mut scratch = Scratch::default();
    let mut edges = Vec::new();
    for (vertex, key) in &by_id {
        let list = snapshot.list(0, false, *vertex, &mut scratch);
        edges.extend(
            list.targets
                .iter()
                .filter(|_| existing.has(*vertex))
                .filter(|target| existing.has(**target))
                .map(|target| (*key, by_id[target])),
        );
    }
    edges.sort_unstable();
    (by_id.iter().filter(|(vertex, _)| existing.has(**vertex)).map(|(_, key)| *key).collect(), edges)
}

#[test]
fn a_graph_follows_its_tables_whenever_it_was_attached() {
    for seed in seeds(12) {
        let draw = Draw::new(seed);
        let io = Arc::new(SimIo::new(seed));
        let (server, ledger) = open(&io);
        create(&ledger);
        let from_the_start = attach(&ledger);
        let (person, knows) = (table(&ledger, "person"), table(&ledger, "knows"));
        let mut held = Held::default();
        let mut history: Vec<(CommitSeq, Held)> = Vec::new();
        let mut between = None;
        for turn in 0..60 {
            let mut transaction = ledger.begin("tester");
            for _ in 0..=draw.below(5) {
                statement(&draw, &mut transaction, (&person, &knows), &mut held);
            }
            if let Some(committed) = transaction.commit_blocking().unwrap() {
                history.push((committed.seq, held.clone()));
            }
            if draw.chance(10) {
                ledger.seal().unwrap();
            }
            if turn == 30 {
                between = Some(attach(&ledger));
            }
        }
        let at_the_end = attach(&ledger);
        let detached: Arc<dyn Fold> = Arc::clone(&from_the_start) as Arc<dyn Fold>;
        let check = |fold: &TopologyFold, what: &str| {
            for (at, held) in &history {
                let mut edges: Vec<(i64, i64)> =
                    held.knows.values().filter(|(a, b)| held.persons.contains(a) && held.persons.contains(b)).copied().collect();
                edges.sort_unstable();
                assert_eq!(read(fold, *at), (held.persons.clone(), edges), "F1: seed {seed}, {what}, commit {at}");
            }
        };
        check(&from_the_start, "attached at the start");
        check(&between.unwrap(), "attached between");
        check(&at_the_end, "attached at the end");
        ledger.detach(&detached);
        server.close_unsealed().unwrap();
        // The folder's lock goes with the server.
        drop((ledger, server));
        let (server, ledger) = open(&io);
        check(&attach(&ledger), "attached after opening anew");
        drop(server.close_unsealed());
    }
}
