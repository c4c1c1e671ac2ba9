//! Erasure: the keys of a subject are destroyed, and the ledger says that they were.
//!
//! Z1: the record of an erasure is durable before a key is destroyed; once it is, the keys it names open nothing again, in this process or a later one.
//! Z2: a commit that is decided before the record keeps its rows' proofs and loses their values; one decided after it is sealed under another key.
//! Z3: commitments stay, so roots, receipts and tiles of before are those of after.
//! Never: erases what is held or has to be kept; touches a row, a segment or the log.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int64Array, RecordBatch, StringArray};
use base::{ColumnId, CommitSeq, RelationId, SqlError, SqlResult, SqlState, hex};
use hashbrown::HashMap;

use crate::canonical::{Scratch, value_bytes};
use crate::catalog::{Catalog, LEDGER_SCHEMA, Object};
use crate::ledger::Ledger;
use crate::retention::Guard;
use crate::schema::{ColumnDef, TableDef};
use crate::sealed_value;
use crate::subjects::KeyId;
use crate::table::TableState;
use crate::types::SqlType;
use crate::walk::walk;

/// Name of the stored relation with a row for each key destroyed; `ledger.erasures` shows it.
pub(crate) const RECORDS: &str = "erased";
/// Its columns.
const COLUMNS: [(&str, SqlType); 7] = [
    ("relation_id", SqlType::Int8),
    ("schema_name", SqlType::Text),
    ("relation_name", SqlType::Text),
    ("column_name", SqlType::Text),
    ("subject", SqlType::Text),
    ("key", SqlType::Text),
    ("basis", SqlType::Text),
];
const KEY: usize = 5;
const BASIS: usize = 6;

/// Sealed values of one column in rows that lie together; none where the rows have no sealed column.
struct SealedValues {
    first: u64,
    rows: u64,
    values: Option<ArrayRef>,
}

impl SealedValues {
    fn holds(&self, row: u64) -> bool {
        (self.first..self.first + self.rows).contains(&row)
    }

    /// Id of the key that a row's values are under; `None` where it has none. Errors: XX001 for another layout.
    fn key_of(&self, row: u64) -> SqlResult<Option<KeyId>> {
        let Some(values) = &self.values else { return Ok(None) };
        let damaged = || SqlError::new(SqlState::DATA_CORRUPTED, format!("the sealed values of row {row} have another layout"));
        let (values, at) = (values.as_binary_opt::<i32>().ok_or_else(damaged)?, (row - self.first) as usize);
        if values.is_null(at) {
            return Ok(None);
        }
        sealed_value::parts(values.value(at)).map(|(key, ..)| Some(key)).ok_or_else(damaged)
    }
}

/// A subject of one table.
#[derive(Clone, Debug)]
pub struct Scope {
    /// The table, made `WITH (erasable_by = column)`.
    pub table: Arc<TableDef>,
    /// The value of that column, one row.
    pub subject: ArrayRef,
    /// The same as text.
    pub shown: String,
}

/// What an erasure did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Erased {
    /// Keys destroyed: one for each table in which the subject had rows.
    pub keys: usize,
    /// The commit that says so; `None` where there was no key.
    pub seq: Option<CommitSeq>,
}

impl Ledger {
    /// Of each of these rows of a table, by its id, whether the values that were sealed of it can be opened no more; a negative id is that of a row of a transaction.
    ///
    /// Errors: XX001 where a segment is damaged, a row has another layout, or a key is missing that was not destroyed.
    pub fn are_erased(&self, table: RelationId, rows: &[i64]) -> SqlResult<BooleanArray> {
        let state = self.table_state(table);
        let mut keys: HashMap<KeyId, bool> = HashMap::new();
        let mut stored: Option<SealedValues> = None;
        let mut is_erased = |row: i64| -> SqlResult<bool> {
            let Ok(row) = u64::try_from(row) else { return Ok(false) };
            let values = match &stored {
                Some(known) if known.holds(row) => known,
                _ => stored.insert(self.sealed_values(&state, row)?),
            };
            let Some(key) = values.key_of(row)? else { return Ok(false) };
            if let Some(known) = keys.get(&key) {
                return Ok(*known);
            }
            let is_destroyed = self.subjects().opening_key(&key)?.is_none();
            keys.insert(key, is_destroyed);
            Ok(is_destroyed)
        };
        rows.iter().map(|row| is_erased(*row).map(Some)).collect()
    }

    /// The first sealed column of the batch that holds a row: all sealed values of a row are under one key.
    fn sealed_values(&self, state: &TableState, row: u64) -> SqlResult<SealedValues> {
        let (writer, batch, offset) = self.writer_and_batch(state, row)?;
        let first = row - offset as u64;
        let at = (0..writer.columns.len()).find(|at| writer.is_sealed(*at));
        Ok(SealedValues { first, rows: batch.num_rows() as u64, values: at.map(|at| Arc::clone(batch.column(at))) })
    }

    /// Destroys the keys of these subjects (Z1). Whoever asks may.
    ///
    /// Errors: those of holds and retention; of the commit; 53100, 58030 where the file of the keys cannot be written anew: the erasure is recorded then,
    /// and the keys go from the file with the next erasure or start.
    pub fn erase(self: &Arc<Self>, actor: &str, scopes: &[Scope], basis: Option<&str>) -> SqlResult<Erased> {
        let _alone = self.subjects().erase_alone();
        let mut found: Vec<(&Scope, KeyId)> = Vec::new();
        for scope in scopes {
            found.extend(self.key_of(scope)?.map(|id| (scope, id)));
        }
        if found.is_empty() {
            return Ok(Erased { keys: 0, seq: None });
        }
        let ids: Vec<KeyId> = found.iter().map(|(_, id)| *id).collect();
        let mut transaction = self.begin(actor);
        let guard = transaction.guard()?;
        for (scope, _) in &found {
            self.check_may_erase(&guard, scope)?;
            if guard.rulings().of(scope.table.id).is_some_and(|ruling| ruling.table.rules.retention.is_some()) {
                // A row that comes meanwhile is to be kept from its own commit on.
                transaction.rely_on(scope.table.id);
            }
        }
        let table = match record_table(&transaction.catalog()) {
            Some(table) => table,
            None => {
                let table = Arc::new(new_record_table(RelationId(self.next_object_id()))?);
                transaction.define(Object::Table(Arc::clone(&table)))?;
                table
            }
        };
        transaction.insert(&table, &records(&table, &found, basis)?)?;
        transaction.erases.clone_from(&ids);
        let committed = transaction.commit_blocking()?;
        self.subjects().destroy(&ids).map_err(|error| {
            error.hint("The erasure is recorded and its keys open nothing any more. They go from the file with the next erasure or start.")
        })?;
        Ok(Erased { keys: ids.len(), seq: committed.map(|committed| committed.seq) })
    }

    /// The last definitions of erasable tables that were dropped: their rows are there still.
    pub fn dropped_erasable_tables(&self) -> Vec<Arc<TableDef>> {
        let catalog = self.snapshot().catalog;
        let dropped = self.subjects().relations().into_iter().filter(|id| catalog.object(id.0).is_none());
        dropped.filter_map(|id| self.table_state(id).layout().newest_definition()).collect()
    }

    /// Whether a subject has rows that are not erased. Errors: XX000 for what is no subject.
    pub fn is_erasable(&self, scope: &Scope) -> SqlResult<bool> {
        Ok(self.key_of(scope)?.is_some())
    }

    fn key_of(&self, scope: &Scope) -> SqlResult<Option<KeyId>> {
        let Some(by) = scope.table.subject() else {
            return Err(SqlError::internal(format!("table \"{}\" is not erasable", scope.table.name)));
        };
        if scope.subject.len() != 1 || scope.subject.is_null(0) {
            return Err(SqlError::internal("a subject is one value"));
        }
        let (sql_type, mut scratch) = (scope.table.columns[by].sql_type, Scratch::default());
        let value = value_bytes(sql_type, scope.subject.as_ref(), 0, &mut scratch);
        Ok(self.subjects().key_of(scope.table.id, sql_type.oid(), value))
    }

    /// Whether holds and retention let a subject's rows be erased: all of them, by the newest. Errors: 55000.
    fn check_may_erase(&self, guard: &Guard, scope: &Scope) -> SqlResult<()> {
        let (table, what) = (scope.table.id, format!("erase a subject of table \"{}\"", scope.table.name));
        match self.newest_commit_of(scope)? {
            Some(newest) => guard.may_remove(table, newest, what),
            None => Ok(()),
        }
    }

    /// The newest commit with a row of the subject. Errors: XX001 where a segment is damaged.
    fn newest_commit_of(&self, scope: &Scope) -> SqlResult<Option<CommitSeq>> {
        let Some(by) = scope.table.subject() else { return Ok(None) };
        let sql_type = scope.table.columns[by].sql_type;
        let (mut one, mut other, mut newest) = (Scratch::default(), Scratch::default(), None);
        let subject = value_bytes(sql_type, scope.subject.as_ref(), 0, &mut one);
        walk(&self.table_state(scope.table.id), Some(&scope.table), &[by], 0, |walked| {
            let subjects = &walked.columns[0];
            for at in walked.rows().filter(|at| subjects.is_valid(*at)) {
                if value_bytes(sql_type, subjects.as_ref(), at, &mut other) == subject {
                    newest = newest.max(Some(CommitSeq(walked.commit(at))));
                }
            }
            Ok(())
        })?;
        Ok(newest)
    }
}

/// Destroys again what the ledger says was destroyed: an older copy of the keys' file, or one that a crash left, may have it still (Z1).
///
/// Errors: XX001 where a record is unreadable; 53100, 58030.
pub(crate) fn settle(ledger: &Arc<Ledger>) -> SqlResult<()> {
    let snapshot = ledger.snapshot();
    let mut recorded = Vec::new();
    if let Some(table) = record_table(&snapshot.catalog) {
        for chunk in ledger.begin("shockwave").view(&table).scan(&[KEY], false) {
            let batch = chunk.read()?;
            for key in batch.column(0).as_string::<i32>().iter().flatten() {
                recorded.push(hex::decode_array(key).ok_or_else(|| SqlError::internal(format!("ledger.{RECORDS} names a key {key}")))?);
            }
        }
    }
    ledger.subjects().destroy_again(&recorded)
}

/// The stored relation of records, once there was an erasure.
pub(crate) fn record_table(catalog: &Catalog) -> Option<Arc<TableDef>> {
    catalog.table(LEDGER_SCHEMA, RECORDS).cloned()
}

fn new_record_table(id: RelationId) -> SqlResult<TableDef> {
    let column = |(at, (name, sql_type)): (usize, &(&str, SqlType))| ColumnDef {
        id: ColumnId(at as u32 + 1),
        name: (*name).to_owned(),
        sql_type: *sql_type,
        not_null: at != BASIS,
    };
    let columns: Vec<ColumnDef> = COLUMNS.iter().enumerate().map(column).collect();
    let key = columns[KEY].id;
    TableDef::new(id, LEDGER_SCHEMA, RECORDS, columns, vec![key])
}

fn records(table: &TableDef, found: &[(&Scope, KeyId)], basis: Option<&str>) -> SqlResult<RecordBatch> {
    let text = |pick: &dyn Fn(&Scope) -> String| -> ArrayRef {
        Arc::new(found.iter().map(|(scope, _)| Some(pick(scope))).collect::<StringArray>())
    };
    let column = |scope: &Scope| scope.table.subject().map(|at| scope.table.columns[at].name.clone()).unwrap_or_default();
    let columns: Vec<ArrayRef> = vec![
        Arc::new(found.iter().map(|(scope, _)| Some(i64::from(scope.table.id.0))).collect::<Int64Array>()),
        text(&|scope| scope.table.schema.clone()),
        text(&|scope| scope.table.name.clone()),
        text(&column),
        text(&|scope| scope.shown.clone()),
        Arc::new(found.iter().map(|(_, id)| Some(hex::encode(id))).collect::<StringArray>()),
        Arc::new(found.iter().map(|_| basis).collect::<StringArray>()),
    ];
    RecordBatch::try_new(table.arrow_schema(), columns).map_err(|error| SqlError::internal(format!("records of an erasure: {error}")))
}
