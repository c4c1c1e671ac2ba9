//! The workload's tables in the engine's terms: definitions, batches, and rows read back.
//!
//! T1: what is read is read three ways (scan, count, key lookup) and all must agree.
//! Never: keeps a view.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int32Array, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{Int32Type, Int64Type};
use base::{ColumnId, RelationId, RowId, SqlError, SqlResult};
use engine::{ColumnDef, SqlType, TableDef, Transaction};

use crate::model::{KeyKind, Model, Row, Table};

/// A table `name (id bigint|text primary key, body text, n integer)` in schema `public`.
pub fn definition(id: u32, name: &str, kind: KeyKind) -> SqlResult<TableDef> {
    let column = |id, name: &str, sql_type| ColumnDef { id: ColumnId(id), name: name.into(), sql_type, not_null: false };
    let key_type = match kind {
        KeyKind::Int => SqlType::Int8,
        KeyKind::Text => SqlType::Text,
    };
    let columns = vec![column(1, "id", key_type), column(2, "body", SqlType::Text), column(3, "n", SqlType::Int4)];
    TableDef::new(RelationId(id), "public", name, columns, vec![ColumnId(1)])
}

/// Text of a key number in a table with text keys.
pub fn key_text(key: i64) -> String {
    format!("key {key}")
}

fn keys_array(kind: KeyKind, keys: &[i64]) -> ArrayRef {
    match kind {
        KeyKind::Int => Arc::new(Int64Array::from(keys.to_vec())),
        KeyKind::Text => Arc::new(keys.iter().map(|key| Some(key_text(*key))).collect::<StringArray>()),
    }
}

/// These rows as a batch for the engine.
pub fn batch(table: &TableDef, kind: KeyKind, rows: &[(i64, &Row)]) -> SqlResult<RecordBatch> {
    let keys: Vec<i64> = rows.iter().map(|(key, _)| *key).collect();
    let bodies: StringArray = rows.iter().map(|(_, row)| row.body.as_deref()).collect();
    let numbers: Int32Array = rows.iter().map(|(_, row)| row.n).collect();
    let columns: Vec<ArrayRef> = vec![keys_array(kind, &keys), Arc::new(bodies), Arc::new(numbers)];
    RecordBatch::try_new(table.arrow_schema(), columns).map_err(|error| SqlError::internal(format!("workload batch: {error}")))
}

type Values = (Option<String>, Option<i32>);

fn values(batch: &RecordBatch, at: usize) -> Values {
    let (bodies, numbers) = (batch.column(1).as_string::<i32>(), batch.column(2).as_primitive::<Int32Type>());
    (bodies.is_valid(at).then(|| bodies.value(at).to_owned()), numbers.is_valid(at).then(|| numbers.value(at)))
}

/// The visible row with this key. Errors: the engine's.
pub fn find(transaction: &Transaction, table: &Arc<TableDef>, kind: KeyKind, key: i64) -> SqlResult<Option<(RowId, Values)>> {
    let found = transaction.view(table).lookup(&[keys_array(kind, &[key])])?;
    Ok(found.map(|(row, batch)| (row, values(&batch, 0))))
}

/// All visible rows by key. Errors: the engine's; XX000 where a key is seen twice or the count differs (T1).
pub fn all(transaction: &Transaction, table: &Arc<TableDef>, kind: KeyKind) -> SqlResult<BTreeMap<i64, Values>> {
    let view = transaction.view(table);
    let mut seen = BTreeMap::new();
    let mut rows = 0;
    for chunk in view.scan(&[0, 1, 2], false) {
        let batch = chunk.read()?;
        for at in 0..batch.num_rows() {
            let key = match kind {
                KeyKind::Int => batch.column(0).as_primitive::<Int64Type>().value(at),
                KeyKind::Text => {
                    let text = batch.column(0).as_string::<i32>().value(at);
                    let digits = text.strip_prefix("key ").and_then(|digits| digits.parse().ok());
                    digits.ok_or_else(|| SqlError::internal(format!("a key nobody wrote: {text:?}")))?
                }
            };
            rows += 1;
            if seen.insert(key, values(&batch, at)).is_some() {
                return Err(SqlError::internal(format!("key {key} of {} is visible twice", table.name)));
            }
        }
    }
    if rows != view.row_count() {
        return Err(SqlError::internal(format!("{} counts {} rows, a scan finds {rows}", table.name, view.row_count())));
    }
    Ok(seen)
}

/// Names of the tables in schema `public` that a transaction sees, out of those a workload makes.
pub const NAMES: [(&str, KeyKind); 3] = [("a", KeyKind::Int), ("b", KeyKind::Text), ("c", KeyKind::Int)];

/// The first difference between what a transaction sees and the model; `None` if there is none.
pub fn difference(transaction: &Transaction, model: &Model) -> SqlResult<Option<String>> {
    let catalog = transaction.catalog();
    for (name, kind) in NAMES {
        let (there, wanted) = (catalog.table("public", name).cloned(), model.tables.get(name));
        match (there, wanted) {
            (None, None) => {}
            (Some(_), None) => return Ok(Some(format!("table {name} is there and must not be"))),
            (None, Some(_)) => return Ok(Some(format!("table {name} is missing"))),
            (Some(table), Some(wanted)) => {
                if let Some(difference) = table_difference(transaction, &table, kind, wanted)? {
                    return Ok(Some(difference));
                }
            }
        }
    }
    Ok(None)
}

fn table_difference(transaction: &Transaction, table: &Arc<TableDef>, kind: KeyKind, wanted: &Table) -> SqlResult<Option<String>> {
    let name = &table.name;
    if table.id.0 != wanted.id {
        return Ok(Some(format!("table {name} has id {}, not {}", table.id, wanted.id)));
    }
    let seen = all(transaction, table, kind)?;
    for (key, row) in wanted.rows.iter() {
        match seen.get(key) {
            None => return Ok(Some(format!("row {key} of {name} is missing"))),
            Some(values) if *values != (row.body.clone(), row.n) => {
                return Ok(Some(format!("row {key} of {name} is {values:?}, not {:?}", (&row.body, row.n))));
            }
            Some(_) => {}
        }
    }
    if let Some(extra) = seen.keys().find(|key| !wanted.rows.contains_key(key)) {
        return Ok(Some(format!("row {extra} of {name} is there and must not be")));
    }
    // A few by key, present and absent, through the index.
    let step = (wanted.rows.len() / 8).max(1);
    for key in wanted.rows.keys().copied().step_by(step).chain([-1, 31, 77]) {
        let found = find(transaction, table, kind, key)?.map(|(_, values)| values);
        if found.as_ref() != seen.get(&key) {
            return Ok(Some(format!("key {key} of {name} is {found:?} by its index and {:?} by a scan", seen.get(&key))));
        }
    }
    Ok(None)
}
