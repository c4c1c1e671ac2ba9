//! The primary-key index: the first fold. Key → newest row with that key, and from each row to the one before it.
//!
//! K1: for every key the chain newest → older holds each row version ever given that key, newest first; deletion markers are not in it.
//! K2: whether a row of the chain is visible is not the index's to say.
//! Never: stored; rebuilt from segments and log at start.

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{Int16Type, Int32Type, Int64Type};
use base::{RelationId, SqlError, SqlResult};
use hashbrown::HashMap;
use parking_lot::RwLock;

use crate::canonical::{Op, Scratch, key_bytes};
use crate::fold::{AppliedCommit, Fold};
use crate::schema::TableDef;
use crate::types::SqlType;

/// A primary key's value. One integer column is kept as itself; anything else as length-prefixed [`key_bytes`].
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Key {
    /// smallint, integer or bigint alone.
    Int(i64),
    /// Any other key.
    Bytes(Box<[u8]>),
}

/// The key columns of one batch, ready to be read row by row.
pub struct KeyReader<'a> {
    columns: Vec<(SqlType, &'a ArrayRef)>,
}

impl<'a> KeyReader<'a> {
    /// Over the key columns of a batch that begins with the table's user columns. `None` for a table without a primary key.
    pub fn new(table: &TableDef, batch: &'a RecordBatch) -> Option<Self> {
        let positions = table.key_columns();
        let columns = positions.iter().map(|at| (table.columns[*at].sql_type, batch.column(*at))).collect();
        (!positions.is_empty()).then_some(Self { columns })
    }

    /// Over key values given as columns in key order. Errors: XX000 where types or count differ from the key's.
    pub fn over_values(table: &TableDef, values: &'a [ArrayRef]) -> SqlResult<Self> {
        let types = table.key_columns().iter().map(|at| table.columns[*at].sql_type);
        let columns: Vec<_> = types.zip(values).collect();
        let fits = columns.iter().all(|(sql_type, array)| array.data_type() == &sql_type.arrow());
        if !fits || values.len() != table.key_columns().len() {
            return Err(SqlError::internal(format!("key values do not fit the primary key of \"{}\"", table.name)));
        }
        Ok(Self { columns })
    }

    /// The key of a row; `None` if a key column is NULL.
    pub fn key(&self, row: usize) -> Option<Key> {
        if let [(sql_type, array)] = self.columns[..] {
            let valid = array.is_valid(row);
            match sql_type {
                SqlType::Int8 => return valid.then(|| Key::Int(array.as_primitive::<Int64Type>().value(row))),
                SqlType::Int4 => return valid.then(|| Key::Int(array.as_primitive::<Int32Type>().value(row).into())),
                SqlType::Int2 => return valid.then(|| Key::Int(array.as_primitive::<Int16Type>().value(row).into())),
                _ => {}
            }
        }
        let mut bytes = Vec::with_capacity(16 * self.columns.len());
        let mut scratch = Scratch::default();
        for (sql_type, array) in &self.columns {
            if array.is_null(row) {
                return None;
            }
            let value = key_bytes(*sql_type, array.as_ref(), row, &mut scratch);
            bytes.extend_from_slice(&(value.len() as u32).to_le_bytes());
            bytes.extend_from_slice(value);
        }
        Some(Key::Bytes(bytes.into()))
    }
}

#[derive(Debug, Default)]
struct Chains {
    ints: HashMap<i64, u64>,
    bytes: HashMap<Box<[u8]>, u64>,
    /// Row → the row that had the same key before it.
    older: HashMap<u64, u64>,
}

impl Chains {
    fn newest(&self, key: &Key) -> Option<u64> {
        match key {
            Key::Int(key) => self.ints.get(key).copied(),
            Key::Bytes(key) => self.bytes.get(key).copied(),
        }
    }

    fn push(&mut self, key: Key, row: u64) {
        let before = match key {
            Key::Int(key) => self.ints.insert(key, row),
            Key::Bytes(key) => self.bytes.insert(key, row),
        };
        if let Some(before) = before {
            assert!(before < row, "K1: a key's chain goes from newer to older rows");
            self.older.insert(row, before);
        }
    }
}

/// The primary-key indexes of all tables of a ledger.
#[derive(Debug, Default)]
pub struct KeyIndex {
    tables: RwLock<HashMap<RelationId, Chains>>,
}

impl KeyIndex {
    /// Rows that ever had this key, newest first, until `pick` returns something.
    pub fn find<T>(&self, relation: RelationId, key: &Key, mut pick: impl FnMut(u64) -> Option<T>) -> Option<T> {
        let tables = self.tables.read();
        let chains = tables.get(&relation)?;
        let mut row = chains.newest(key);
        while let Some(id) = row {
            if let Some(found) = pick(id) {
                return Some(found);
            }
            row = chains.older.get(&id).copied();
        }
        None
    }

    /// The newest row of each of these keys, in order; one lock for all.
    pub fn newest_of<'k>(
        &self,
        relation: RelationId,
        keys: impl Iterator<Item = &'k Key>,
        mut found: impl FnMut(&'k Key, u64) -> SqlResult<()>,
    ) -> SqlResult<()> {
        let tables = self.tables.read();
        let Some(chains) = tables.get(&relation) else { return Ok(()) };
        for key in keys {
            if let Some(row) = chains.newest(key) {
                found(key, row)?;
            }
        }
        Ok(())
    }

    /// Takes in the rows of a batch whose first row has this id: user columns first, operations at `ops`.
    pub fn add(&self, table: &TableDef, first_row: u64, batch: &RecordBatch) -> SqlResult<()> {
        let Some(reader) = KeyReader::new(table, batch) else { return Ok(()) };
        let ops = batch.column(table.columns.len() + 1).as_primitive::<arrow::datatypes::UInt8Type>();
        let mut tables = self.tables.write();
        let chains = tables.entry(table.id).or_default();
        if batch.num_rows() > 1_024 {
            chains.ints.reserve(batch.num_rows());
        }
        for row in 0..batch.num_rows() {
            if ops.value(row) == Op::Delete as u8 {
                continue;
            }
            let key = reader.key(row).ok_or_else(|| SqlError::internal("a stored row has NULL in its primary key"))?;
            chains.push(key, first_row + row as u64);
        }
        Ok(())
    }
}

impl Fold for KeyIndex {
    fn name(&self) -> &'static str {
        "primary keys"
    }

    fn apply(&self, commit: &AppliedCommit<'_>) -> SqlResult<()> {
        for table in commit.tables {
            for chunk in table.chunks {
                self.add(&chunk.table, chunk.first_row, &chunk.batch)?;
            }
        }
        Ok(())
    }
}
