//! Values of keys: what of a row an index compares.
//!
//! Two values are equal where Postgres says so of the columns; a value with a NULL in it equals none.
//! Never: knows which rows have it.

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{Int16Type, Int32Type, Int64Type};
use base::{SqlError, SqlResult};

use crate::key_order;
use crate::rules::KeyDef;
use crate::schema::TableDef;
use crate::types::SqlType;

/// A key's value. One integer column is kept as itself; anything else as the bytes of its columns (`key_order.rs`), one after the other.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Key {
    /// smallint, integer or bigint alone.
    Int(i64),
    /// Any other key.
    Bytes(Box<[u8]>),
}

impl Key {
    /// Writes the bytes that it sorts by.
    pub(crate) fn put(&self, out: &mut Vec<u8>) {
        match self {
            Self::Int(int) => {
                out.push(key_order::VALUE);
                key_order::put_int(*int, out);
            }
            Self::Bytes(bytes) => out.extend_from_slice(bytes),
        }
    }

    /// Bytes on the heap.
    pub(crate) fn heap_bytes(&self) -> usize {
        match self {
            Self::Int(_) => 0,
            Self::Bytes(bytes) => bytes.len(),
        }
    }
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

    /// Over columns of these types, in key order.
    pub(crate) fn over(columns: Vec<(SqlType, &'a ArrayRef)>) -> Self {
        Self { columns }
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
        if self.has_null(row) {
            return None;
        }
        let mut bytes = Vec::with_capacity(16 * self.columns.len());
        self.put(row, &mut bytes);
        Some(Key::Bytes(bytes.into()))
    }

    /// Whether a key column is NULL in a row.
    pub(crate) fn has_null(&self, row: usize) -> bool {
        self.columns.iter().any(|(_, array)| array.is_null(row))
    }

    /// Writes the bytes that a row's key sorts by, NULLs and all.
    pub(crate) fn put(&self, row: usize, out: &mut Vec<u8>) {
        self.columns.iter().for_each(|(sql_type, array)| key_order::put(*sql_type, array.as_ref(), row, out));
    }
}
