//! Values of keys: what of a row an index compares.
//!
//! Two values are equal where Postgres says so of the columns; a value with a NULL in it equals none, unless the key takes NULLs for equal.
//! Never: knows which rows have it.

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch};
use arrow::datatypes::{Int16Type, Int32Type, Int64Type, UInt8Type};
use base::{SqlError, SqlResult};

use crate::canonical::Op;
use crate::key_order;
use crate::schema::{Expressions, KeyDef, KeyValues, TableDef};
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

/// The values of a key in one batch, ready to be read row by row.
pub struct KeyReader {
    columns: Vec<(SqlType, ArrayRef)>,
    /// Rows that are in the key at all; `None`: every one.
    held: Option<BooleanArray>,
    nulls_equal: bool,
}

impl KeyReader {
    /// Of any key of the table, over those rows that are wanted of a batch that begins with the table's user columns.
    ///
    /// Errors: those of what the key computes.
    pub fn of_key(
        expressions: &dyn Expressions,
        table: &TableDef,
        key: &KeyDef,
        batch: &RecordBatch,
        wanted: impl Fn(usize) -> bool,
    ) -> SqlResult<Self> {
        Self::over((expressions, table), key, |at| batch.column(at), batch.num_rows(), wanted)
    }

    /// The same over stored rows, deletion markers apart.
    pub(crate) fn of_stored(expressions: &dyn Expressions, table: &TableDef, key: &KeyDef, batch: &RecordBatch) -> SqlResult<Self> {
        let ops = batch.column(table.columns.len() + 1).as_primitive::<UInt8Type>();
        Self::of_key(expressions, table, key, batch, |at| ops.value(at) != Op::Delete as u8)
    }

    /// Over columns of the table that are found by their positions.
    pub(crate) fn over<'a>(
        ground: (&dyn Expressions, &TableDef),
        key: &KeyDef,
        column: impl Fn(usize) -> &'a ArrayRef,
        rows: usize,
        wanted: impl Fn(usize) -> bool,
    ) -> SqlResult<Self> {
        let KeyValues { columns, held } = KeyValues::of(ground, key, column, rows, wanted)?;
        Ok(Self { columns, held, nulls_equal: key.nulls_equal })
    }

    /// Over key values given as columns in key order. Errors: XX000 where types or count differ from the key's.
    pub fn over_values(table: &TableDef, key: &KeyDef, values: &[ArrayRef]) -> SqlResult<Self> {
        let types = key.positions.iter().map(|at| table.type_at(*at));
        let columns: Vec<_> = types.zip(values.iter().cloned()).collect();
        let fits = columns.iter().all(|(sql_type, array)| array.data_type() == &sql_type.arrow());
        if !fits || values.len() != key.positions.len() {
            return Err(SqlError::internal(format!("values do not fit the key \"{}\" of \"{}\"", key.name, table.name)));
        }
        Ok(Self { columns, held: None, nulls_equal: key.nulls_equal })
    }

    /// Whether a row is in the key; one that is not has no value of it.
    pub fn holds(&self, row: usize) -> bool {
        self.held.as_ref().is_none_or(|held| held.value(row))
    }

    /// The key's values as columns, in key order.
    pub fn columns(&self) -> impl Iterator<Item = &ArrayRef> {
        self.columns.iter().map(|(_, array)| array)
    }

    /// The key of a row; `None` if one of its values is NULL and equals none, or the row is not in the key.
    pub fn key(&self, row: usize) -> Option<Key> {
        if !self.holds(row) {
            return None;
        }
        if let [(sql_type, array)] = &self.columns[..] {
            let valid = array.is_valid(row);
            match sql_type {
                _ if self.nulls_equal && !valid => {}
                SqlType::Int8 => return valid.then(|| Key::Int(array.as_primitive::<Int64Type>().value(row))),
                SqlType::Int4 => return valid.then(|| Key::Int(array.as_primitive::<Int32Type>().value(row).into())),
                SqlType::Int2 => return valid.then(|| Key::Int(array.as_primitive::<Int16Type>().value(row).into())),
                _ => {}
            }
        }
        if !self.nulls_equal && self.has_null(row) {
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
