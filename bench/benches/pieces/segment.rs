//! Reading a table: from sealed segments (mapped, LZ4) and from the log's batches.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int32Array, Int64Array, RecordBatch, StringArray};
use base::{ColumnId, RelationId};
use criterion::{BenchmarkId, Criterion, Throughput};
use engine::{ColumnDef, FIRST_DATABASE, Ledger, Options, Server, SqlType, TableDef};
use tempfile::TempDir;

pub const ROWS: i64 = 262_144;
const COLUMNS: [(&str, SqlType); 4] = [("id", SqlType::Int8), ("name", SqlType::Text), ("age", SqlType::Int4), ("city", SqlType::Text)];

/// All columns and one column, sealed and not.
pub fn scan(c: &mut Criterion) {
    let folder = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let (server, ledger) = loaded(folder.path());
    let mut group = c.benchmark_group("scan");
    group.throughput(Throughput::Elements(ROWS as u64)).sample_size(20);
    for place in ["log", "segments"] {
        if place == "segments" {
            ledger.seal().unwrap();
        }
        for projection in [&[0, 1, 2, 3][..], &[2]] {
            group.bench_function(BenchmarkId::new(place, format!("{} columns", projection.len())), |b| {
                b.iter(|| rows_of(&ledger, projection));
            });
        }
    }
    group.finish();
    server.shutdown().unwrap();
}

/// A server with these rows in one commit of its ledger.
pub fn loaded(folder: &Path) -> (Server, Arc<Ledger>) {
    let server = Server::open(folder, Options::real()).unwrap();
    let ledger = server.ledger(FIRST_DATABASE).unwrap();
    let columns = (1u32..).zip(COLUMNS).map(|(id, (name, sql_type))| ColumnDef {
        id: ColumnId(id),
        name: name.to_owned(),
        sql_type,
        not_null: id == 1,
    });
    let id = RelationId(ledger.next_object_id());
    let table = TableDef::new(id, "public", "people", columns.collect(), vec![ColumnId(1)]).unwrap();
    let mut transaction = ledger.begin("bench");
    transaction.create_table(table).unwrap();
    let table = Arc::clone(transaction.catalog().table("public", "people").unwrap());
    for first in (0..ROWS).step_by(8192) {
        transaction.insert(&table, &batch(&table, first..first + 8192)).unwrap();
    }
    transaction.commit_blocking().unwrap();
    (server, ledger)
}

fn batch(table: &TableDef, ids: std::ops::Range<i64>) -> RecordBatch {
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from_iter_values(ids.clone())),
        Arc::new(StringArray::from_iter_values(ids.clone().map(|id| format!("Grace Hopper {}", id % 97)))),
        Arc::new(Int32Array::from_iter_values(ids.clone().map(|id| 18 + (id % 80) as i32))),
        Arc::new(StringArray::from_iter_values(ids.map(|id| ["Basel", "Cork", "Dakar"][id as usize % 3]))),
    ];
    RecordBatch::try_new(table.arrow_schema(), columns).unwrap()
}

fn rows_of(ledger: &Arc<Ledger>, projection: &[usize]) -> usize {
    let transaction = ledger.begin("bench");
    let table = Arc::clone(transaction.catalog().table("public", "people").unwrap());
    let rows = transaction.view(&table).scan(projection, false).iter().map(|chunk| chunk.read().unwrap().num_rows()).sum();
    assert_eq!(rows, ROWS as usize, "a scan sees every row");
    rows
}
