//! A ledger to test on: a folder, a table `t (id bigint primary key, name text)`, and short ways to write and read it.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::Int64Type;
use base::{ColumnId, RelationId, RowId};
use engine::{ColumnDef, Ledger, Options, Server, SqlType, TableDef, Transaction};

/// Real disk, small log files.
pub fn options() -> Options {
    Options { wal_file_bytes: 1 << 20, ..Options::real() }
}

pub fn open(dir: &Path) -> (Server, Arc<Ledger>) {
    let server = Server::open(dir, options()).unwrap();
    let ledger = server.ledger("shockwave").unwrap();
    (server, ledger)
}

pub fn create_table(ledger: &Arc<Ledger>) -> Arc<TableDef> {
    let mut transaction = ledger.begin("tester");
    let id = RelationId(ledger.next_object_id());
    transaction.create_table(definition(id)).unwrap();
    transaction.commit_blocking().unwrap();
    table(ledger)
}

/// Table `t` of these tests.
pub fn definition(id: RelationId) -> TableDef {
    let column = |id, name: &str, sql_type| ColumnDef { id: ColumnId(id), name: name.into(), sql_type, not_null: false };
    let columns = vec![column(1, "id", SqlType::Int8), column(2, "name", SqlType::Text)];
    TableDef::new(id, "public", "t", columns, vec![ColumnId(1)]).unwrap()
}

pub fn table(ledger: &Arc<Ledger>) -> Arc<TableDef> {
    Arc::clone(ledger.snapshot().catalog.table("public", "t").unwrap())
}

pub fn rows(table: &TableDef, rows: &[(i64, &str)]) -> RecordBatch {
    let ids: ArrayRef = Arc::new(rows.iter().map(|row| row.0).collect::<Int64Array>());
    let names: ArrayRef = Arc::new(rows.iter().map(|row| Some(row.1)).collect::<StringArray>());
    RecordBatch::try_new(table.arrow_schema(), vec![ids, names]).unwrap()
}

/// `n` rows from `first` on, named `name <id>`.
pub fn many(table: &TableDef, first: i64, n: i64) -> RecordBatch {
    let names: Vec<String> = (first..first + n).map(|id| format!("name {id}")).collect();
    let pairs: Vec<(i64, &str)> = (first..).zip(names.iter().map(String::as_str)).collect();
    rows(table, &pairs)
}

pub fn insert(ledger: &Arc<Ledger>, batch: &RecordBatch) -> engine::Committed {
    let table = table(ledger);
    let mut transaction = ledger.begin("tester");
    transaction.insert(&table, batch).unwrap();
    transaction.commit_blocking().unwrap().unwrap()
}

pub fn find(transaction: &Transaction, id: i64) -> Option<(RowId, String)> {
    let table = transaction.catalog().table("public", "t").cloned().unwrap();
    let key: ArrayRef = Arc::new(Int64Array::from(vec![id]));
    let found = transaction.reading(&table).unwrap().lookup(&[key]).unwrap();
    found.map(|(row, batch)| (row, batch.column(1).as_string::<i32>().value(0).to_owned()))
}

/// All visible rows by id, checked against the view's own count.
pub fn all(transaction: &Transaction) -> Vec<(i64, String)> {
    let table = transaction.catalog().table("public", "t").cloned().unwrap();
    let view = transaction.reading(&table).unwrap();
    let mut found = Vec::new();
    for chunk in view.scan(&[0, 1], true) {
        let batch = chunk.read().unwrap();
        let (ids, names) = (batch.column(0).as_primitive::<Int64Type>().clone(), batch.column(1).as_string::<i32>().clone());
        found.extend((0..batch.num_rows()).map(|i| (ids.value(i), names.value(i).to_owned())));
    }
    assert_eq!(found.len() as u64, view.row_count(), "the count and the scan agree");
    found.sort();
    found
}

/// One commit that updates a committed row and its own, inserts, and deletes: rows 7 and 8 of [`many`] must be there.
pub fn change_all_ways(ledger: &Arc<Ledger>) {
    let t = table(ledger);
    let mut change = ledger.begin("c");
    let (row, _) = find(&change, 7).unwrap();
    change.update(&t, &[row], &rows(&t, &[(7, "seven")])).unwrap();
    change.insert(&t, &rows(&t, &[(20_000, "own")])).unwrap();
    let (own, _) = find(&change, 20_000).unwrap();
    change.update(&t, &[own], &rows(&t, &[(20_000, "own again")])).unwrap();
    let (gone, _) = find(&change, 8).unwrap();
    change.delete(&t, &[gone]).unwrap();
    change.commit_blocking().unwrap();
}
