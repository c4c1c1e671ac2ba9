//! The indexes of all keys: primary keys, unique keys, indexes, references. Key → newest row with that key, and from each row to the one
//! before it.
//!
//! K1: for every key without NULL the chain newest → older holds each row version that had it when the index was made and each one since,
//!     newest first; deletion markers are not in it.
//! K2: whether a row of the chain is visible is not the index's to say.
//! K3: an index that is made over rows, or anew at start, begins with those that are not ended; of a unique key that is one at most.
//! Never: stored; rebuilt from segments and log at start.

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{Int16Type, Int32Type, Int64Type};
use base::{SqlError, SqlResult};
use hashbrown::HashMap;
use parking_lot::RwLock;

use crate::canonical::{Op, Scratch, key_bytes};
use crate::fold::{AppliedCommit, Fold};
use crate::layout;
use crate::rules::KeyDef;
use crate::schema::TableDef;
use crate::table::TableState;
use crate::types::SqlType;

/// A key's value. One integer column is kept as itself; anything else as length-prefixed [`key_bytes`].
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
    /// Over the columns of any key of the table, in a batch that begins with the table's user columns.
    pub fn of_key(table: &TableDef, key: &KeyDef, batch: &'a RecordBatch) -> Self {
        Self { columns: key.positions.iter().map(|at| (table.columns[*at].sql_type, batch.column(*at))).collect() }
    }

    /// Over key values given as columns in key order. Errors: XX000 where types or count differ from the key's.
    pub fn over_values(table: &TableDef, key: &KeyDef, values: &'a [ArrayRef]) -> SqlResult<Self> {
        let types = key.positions.iter().map(|at| table.columns[*at].sql_type);
        let columns: Vec<_> = types.zip(values).collect();
        let fits = columns.iter().all(|(sql_type, array)| array.data_type() == &sql_type.arrow());
        if !fits || values.len() != key.positions.len() {
            return Err(SqlError::internal(format!("values do not fit the key \"{}\" of \"{}\"", key.name, table.name)));
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

/// The indexes of all keys of a ledger, by the key's id.
#[derive(Debug, Default)]
pub struct KeyIndex {
    keys: RwLock<HashMap<u32, Chains>>,
}

impl KeyIndex {
    /// Whether there is an index of this key: not yet for one whose definition is not committed.
    pub fn contains(&self, id: u32) -> bool {
        self.keys.read().contains_key(&id)
    }

    /// Rows that had this value of the key with this id, newest first, until `pick` returns something.
    pub fn find<T>(&self, id: u32, key: &Key, mut pick: impl FnMut(u64) -> Option<T>) -> Option<T> {
        let keys = self.keys.read();
        let chains = keys.get(&id)?;
        let mut row = chains.newest(key);
        while let Some(id) = row {
            if let Some(found) = pick(id) {
                return Some(found);
            }
            row = chains.older.get(&id).copied();
        }
        None
    }

    /// The newest row of each of these values, in order; one lock for all.
    pub fn newest_of<'k>(
        &self,
        id: u32,
        values: impl Iterator<Item = &'k Key>,
        mut found: impl FnMut(&'k Key, u64) -> SqlResult<()>,
    ) -> SqlResult<()> {
        let keys = self.keys.read();
        let Some(chains) = keys.get(&id) else { return Ok(()) };
        for key in values {
            if let Some(row) = chains.newest(key) {
                found(key, row)?;
            }
        }
        Ok(())
    }

    /// Takes in the rows of a batch whose first row has this id: user columns first, operations after the salts.
    pub fn add(&self, table: &TableDef, first_row: u64, batch: &RecordBatch) -> SqlResult<()> {
        if table.keys().is_empty() {
            return Ok(());
        }
        let ops = batch.column(table.columns.len() + 1).as_primitive::<arrow::datatypes::UInt8Type>();
        let mut keys = self.keys.write();
        for def in table.keys() {
            let reader = KeyReader::of_key(table, def, batch);
            let chains = keys.entry(def.id).or_default();
            if batch.num_rows() > 1_024 {
                chains.ints.reserve(batch.num_rows());
            }
            for row in 0..batch.num_rows() {
                if ops.value(row) != Op::Delete as u8
                    && let Some(key) = reader.key(row)
                {
                    chains.push(key, first_row + row as u64);
                }
            }
        }
        Ok(())
    }

    /// Makes the indexes of a definition that are not there yet, over the rows below `end` that are not ended (K3).
    ///
    /// Errors: XX001 where a segment is damaged.
    pub fn make_missing(&self, table: &TableDef, state: &TableState, end: u64) -> SqlResult<()> {
        let missing: Vec<&KeyDef> = {
            let keys = self.keys.read();
            table.keys().iter().filter(|key| !keys.contains_key(&key.id)).collect()
        };
        if missing.is_empty() {
            return Ok(());
        }
        let mut made: Vec<Chains> = missing.iter().map(|_| Chains::default()).collect();
        let mut needed: Vec<usize> = missing.iter().flat_map(|key| key.positions.iter().copied()).collect();
        needed.sort_unstable();
        needed.dedup();
        let mut take = |first: u64, rows: usize, columns: Vec<ArrayRef>| {
            let rows = rows.min(end.saturating_sub(first) as usize);
            let mut ended = state.ended_in(first, first + rows as u64, u64::MAX).into_iter().peekable();
            let readers: Vec<KeyReader<'_>> = missing
                .iter()
                .map(|key| {
                    let column = |at: &usize| (table.columns[*at].sql_type, &columns[needed.binary_search(at).unwrap_or_default()]);
                    KeyReader { columns: key.positions.iter().map(column).collect() }
                })
                .collect();
            for row in 0..rows {
                let id = first + row as u64;
                if ended.next_if_eq(&id).is_some() {
                    continue;
                }
                for (reader, chains) in readers.iter().zip(&mut made) {
                    if let Some(key) = reader.key(row) {
                        chains.push(key, id);
                    }
                }
            }
        };
        let layout = state.layout();
        for segment in layout.segments.iter().filter(|segment| segment.first_row() < end) {
            let places = layout::places(segment.table(), table, &needed)?;
            for index in 0..segment.batches() {
                let first = segment.first_row() + (index * crate::segment::BATCH_ROWS) as u64;
                let stored: Vec<usize> = stored_of(&places);
                let batch = segment.read(index, Some(&stored))?;
                let column = |at: usize| std::sync::Arc::clone(batch.column(stored.binary_search(&at).unwrap_or_default()));
                let columns = places.iter().map(|place| place.read(batch.num_rows(), column)).collect::<SqlResult<_>>()?;
                take(first, batch.num_rows(), columns);
            }
        }
        for chunk in layout.tail.iter().filter(|chunk| chunk.first_row < end) {
            let places = layout::places(&chunk.table, table, &needed)?;
            let rows = chunk.batch.num_rows();
            let column = |at: usize| std::sync::Arc::clone(chunk.batch.column(at));
            take(chunk.first_row, rows, places.iter().map(|place| place.read(rows, column)).collect::<SqlResult<_>>()?);
        }
        let mut keys = self.keys.write();
        for (key, chains) in missing.iter().zip(made) {
            keys.insert(key.id, chains);
        }
        Ok(())
    }
}

/// The stored columns that some places need, ascending; the first one where they need none, since a batch says how many rows it has.
fn stored_of(places: &[layout::Place]) -> Vec<usize> {
    let mut stored: Vec<usize> = places
        .iter()
        .filter_map(|place| match place {
            layout::Place::Stored(at) => Some(*at),
            layout::Place::Missing(_) => None,
        })
        .collect();
    stored.sort_unstable();
    stored.dedup();
    if stored.is_empty() {
        stored.push(0);
    }
    stored
}

impl Fold for KeyIndex {
    fn name(&self) -> &'static str {
        "keys"
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
