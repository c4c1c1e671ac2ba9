//! From a column's value to the bytes that its commitment covers, and from a stored batch to its rows' hashes.
//!
//! V1: one value has one byte string, whatever batch, file or machine it stands in: one −0, one NaN, numeric without trailing zeros.
//! V2: a deletion marker commits to no field.
//! Never: sees a commit; a row is hashed before its place is known.
//! Format: docs/formats/leaf.md.

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Float32Type, Float64Type, Int16Type, Int32Type, Int64Type, IntervalMonthDayNano,
    IntervalMonthDayNanoType, Time64MicrosecondType, TimestampMicrosecondType, UInt8Type, UInt64Type,
};
use base::{SqlError, SqlResult};
use receipts::{Field, Hash, RowHeader, RowLanes, Supersedes};

use crate::numeric;
use crate::schema::TableDef;
use crate::sealed_value;
use crate::types::SqlType;

/// Operation code of a row version.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Op {
    /// A new row.
    Insert = 1,
    /// A new version of a row.
    Update = 2,
    /// The end of a row.
    Delete = 3,
}

/// Set on a stored `_supersedes` value that counts from the first row of its own commit's span, as row ids are not known yet.
pub const OWN_ROW: u64 = 1 << 63;

/// Scratch for one value's canonical bytes (V1).
#[derive(Default)]
pub struct Scratch {
    /// The longest fixed one is numeric's 17.
    fixed: [u8; 17],
    /// An array's, and a numeric's of any length.
    grown: Vec<u8>,
}

/// The canonical bytes of `array[row]`, which is not NULL. Borrowed from the array where they stand there as they are.
pub fn value_bytes<'a>(sql_type: SqlType, array: &'a dyn Array, row: usize, scratch: &'a mut Scratch) -> &'a [u8] {
    fn put<const N: usize>(scratch: &mut Scratch, bytes: [u8; N]) -> &[u8] {
        scratch.fixed[..N].copy_from_slice(&bytes);
        &scratch.fixed[..N]
    }
    match sql_type {
        SqlType::Bool => put(scratch, [u8::from(array.as_boolean().value(row))]),
        SqlType::Int2 => put(scratch, array.as_primitive::<Int16Type>().value(row).to_le_bytes()),
        SqlType::Int4 => put(scratch, array.as_primitive::<Int32Type>().value(row).to_le_bytes()),
        SqlType::Int8 => put(scratch, array.as_primitive::<Int64Type>().value(row).to_le_bytes()),
        SqlType::Float4 => put(scratch, canonical_f32(array.as_primitive::<Float32Type>().value(row)).to_le_bytes()),
        SqlType::Float8 => put(scratch, canonical_f64(array.as_primitive::<Float64Type>().value(row)).to_le_bytes()),
        SqlType::Numeric { scale, .. } => put(scratch, canonical_numeric(array.as_primitive::<Decimal128Type>().value(row), scale)),
        SqlType::AnyNumeric(_) => {
            numeric::put_canonical(array.as_struct().column(0).as_binary::<i32>().value(row), &mut scratch.grown);
            &scratch.grown
        }
        SqlType::Text | SqlType::Varchar(_) | SqlType::Bpchar(_) => array.as_string::<i32>().value(row).as_bytes(),
        SqlType::Json | SqlType::Jsonb => array.as_struct().column(0).as_string::<i32>().value(row).as_bytes(),
        SqlType::Uuid => array.as_fixed_size_binary().value(row),
        SqlType::Time => put(scratch, array.as_primitive::<Time64MicrosecondType>().value(row).to_le_bytes()),
        SqlType::Interval => put(scratch, canonical_interval(array.as_primitive::<IntervalMonthDayNanoType>().value(row))),
        SqlType::Array(_) => {
            put_array(sql_type, array.as_list::<i32>().value(row).as_ref(), &mut scratch.grown);
            &scratch.grown
        }
        SqlType::Bytea => array.as_binary::<i32>().value(row),
        SqlType::Catalog(_) => unreachable!("T3: no column of a table is {}", sql_type.name()),
        SqlType::Date => put(scratch, array.as_primitive::<Date32Type>().value(row).to_le_bytes()),
        SqlType::Timestamp | SqlType::Timestamptz => {
            put(scratch, array.as_primitive::<TimestampMicrosecondType>().value(row).to_le_bytes())
        }
    }
}

fn canonical_f32(value: f32) -> u32 {
    if value.is_nan() { 0x7fc0_0000 } else { (value + 0.0).to_bits() }
}

fn canonical_f64(value: f64) -> u64 {
    if value.is_nan() { 0x7ff8_0000_0000_0000 } else { (value + 0.0).to_bits() }
}

fn canonical_numeric(mut unscaled: i128, mut scale: u8) -> [u8; 17] {
    while scale > 0 && unscaled % 10 == 0 {
        unscaled /= 10;
        scale -= 1;
    }
    let mut bytes = [0; 17];
    bytes[..16].copy_from_slice(&unscaled.to_le_bytes());
    bytes[16] = scale;
    bytes
}

/// Months, days, µs.
fn canonical_interval(value: IntervalMonthDayNano) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes[..4].copy_from_slice(&value.months.to_le_bytes());
    bytes[4..8].copy_from_slice(&value.days.to_le_bytes());
    bytes[8..].copy_from_slice(&(value.nanoseconds / 1_000).to_le_bytes());
    bytes
}

/// Number of elements, then each: 1 for NULL, or 0, length and canonical bytes.
fn put_array(sql_type: SqlType, elements: &dyn Array, out: &mut Vec<u8>) {
    out.clear();
    out.extend_from_slice(&(elements.len() as u32).to_le_bytes());
    let element = sql_type.element().unwrap_or(SqlType::Text);
    let mut scratch = Scratch::default();
    for at in 0..elements.len() {
        if elements.is_null(at) {
            out.push(1);
            continue;
        }
        let value = value_bytes(element, elements, at, &mut scratch);
        out.push(0);
        out.extend_from_slice(&(value.len() as u32).to_le_bytes());
        out.extend_from_slice(value);
    }
}

/// Shows a field of a sealed column: the definition, the column's position, what is stored, the row's salt.
pub type OpenField<'a> = dyn Fn(&TableDef, usize, &[u8], &[u8; 16]) -> SqlResult<Field> + 'a;

/// The typed columns of one stored batch, ready to be hashed row by row.
pub struct RowHasher<'a> {
    table: &'a TableDef,
    columns: &'a [ArrayRef],
    salts: &'a arrow::array::FixedSizeBinaryArray,
    ops: &'a arrow::array::UInt8Array,
    supersedes: &'a arrow::array::UInt64Array,
    /// First row id of the commit's span where row ids are known: absolute `_supersedes` at or above it are its own rows.
    span_first: u64,
}

impl<'a> RowHasher<'a> {
    /// Over a stored batch (docs/formats/segment.md) of `table`. `span_first` is the first row id of the commit's span of this table when
    /// `_supersedes` holds absolute ids, `u64::MAX` when own rows still carry [`OWN_ROW`].
    ///
    /// Errors: XX000 where the batch has not the table's stored layout.
    pub fn new(table: &'a TableDef, stored: &'a RecordBatch, span_first: u64) -> SqlResult<Self> {
        let n = table.columns.len();
        let layout = || SqlError::internal(format!("stored batch of \"{}\" has another layout", table.name));
        if stored.num_columns() < n + 3 {
            return Err(layout());
        }
        for (at, (column, def)) in stored.columns().iter().zip(&table.columns).enumerate() {
            let expected = if table.is_sealed(at) { DataType::Binary } else { def.sql_type.arrow() };
            if *column.data_type() != expected {
                return Err(layout());
            }
        }
        Ok(Self {
            table,
            columns: &stored.columns()[..n],
            salts: stored.column(n).as_fixed_size_binary_opt().filter(|salts| salts.value_length() == 16).ok_or_else(layout)?,
            ops: stored.column(n + 1).as_primitive_opt::<UInt8Type>().ok_or_else(layout)?,
            supersedes: stored.column(n + 2).as_primitive_opt::<UInt64Type>().ok_or_else(layout)?,
            span_first,
        })
    }

    /// The row's salt.
    pub fn salt(&self, row: usize) -> [u8; 16] {
        self.salts.value(row).try_into().unwrap_or_default()
    }

    /// What the row's hash says besides its fields.
    pub fn header(&self, row: usize) -> RowHeader {
        let supersedes = if self.supersedes.is_null(row) {
            Supersedes::None
        } else {
            match self.supersedes.value(row) {
                own if own & OWN_ROW != 0 => Supersedes::Own(own & !OWN_ROW),
                own if own >= self.span_first => Supersedes::Own(own - self.span_first),
                id => Supersedes::Row(id),
            }
        };
        RowHeader { relation: self.table.id.0, schema_version: self.table.version, op: self.ops.value(row), supersedes }
    }

    /// Canonical bytes of a field, `None` for NULL.
    pub fn field<'s>(&'s self, row: usize, column: usize, scratch: &'s mut Scratch) -> Option<&'s [u8]> {
        let array = self.columns[column].as_ref();
        array.is_valid(row).then(|| value_bytes(self.table.columns[column].sql_type, array, row, scratch))
    }

    /// All fields as a receipt shows them, each with its own salt, those that are erased by their commitments; none of a deletion marker (V2).
    ///
    /// Errors: those of `open`, which shows a sealed field.
    pub fn shown(&self, row: usize, open: &OpenField<'_>) -> SqlResult<Vec<Field>> {
        if self.ops.value(row) == Op::Delete as u8 {
            return Ok(Vec::new());
        }
        let salt = self.salt(row);
        let mut scratch = Scratch::default();
        let mut shown = |column: usize| {
            if self.table.is_sealed(column) {
                return open(self.table, column, self.sealed(row, column), &salt);
            }
            let value = self.field(row, column, &mut scratch).map(<[u8]>::to_vec);
            Ok(Field::Shown { salt: receipts::field_salt(&salt, column as u32), value })
        };
        (0..self.table.columns.len()).map(&mut shown).collect()
    }

    /// What is stored of a sealed field; nothing where it should be and is not.
    fn sealed(&self, row: usize, column: usize) -> &[u8] {
        let values = self.columns[column].as_binary::<i32>();
        if values.is_valid(row) { values.value(row) } else { &[] }
    }

    /// Hashes of rows of an erasable table, which need no key: the commitments to sealed fields are stored (docs/formats/segment.md).
    fn hashes_of_sealed(&self, rows: std::ops::Range<usize>) -> Vec<Hash> {
        let mut scratch = Scratch::default();
        let mut hash = |row: usize| {
            let (header, salt) = (self.header(row), self.salt(row));
            if header.op == Op::Delete as u8 {
                return receipts::row_hash(&header, &[]);
            }
            let mut commitment = |column: usize| {
                if self.table.is_sealed(column) {
                    return sealed_value::commitment(self.sealed(row, column));
                }
                let def = &self.table.columns[column];
                let value = self.field(row, column, &mut scratch);
                receipts::field_commitment(&receipts::field_salt(&salt, column as u32), def.id.0, def.sql_type.oid(), value)
            };
            let commitments: Vec<Hash> = (0..self.table.columns.len()).map(&mut commitment).collect();
            receipts::row_hash(&header, &commitments)
        };
        rows.map(&mut hash).collect()
    }

    /// Hashes of rows `[first, first + n)`, many at once.
    pub fn hashes(&self, first: usize, n: usize) -> Vec<Hash> {
        if self.table.subject().is_some() {
            return self.hashes_of_sealed(first..first + n);
        }
        let mut lanes = RowLanes::new(self.table.columns.iter().map(|def| (def.id.0, def.sql_type.oid())).collect());
        let mut scratch = Scratch::default();
        for row in first..first + n {
            let header = self.header(row);
            lanes.start_row(header, &self.salt(row));
            if header.op != Op::Delete as u8 {
                for column in 0..self.table.columns.len() {
                    lanes.push_field(self.field(row, column, &mut scratch));
                }
            }
        }
        lanes.finish()
    }
}

/// Hashes of all rows of a stored batch, in order. Splits the work over `threads` when the batch is large.
///
/// Errors: XX000 where the batch has not the table's stored layout.
pub fn row_hashes(table: &TableDef, stored: &RecordBatch, span_first: u64, threads: usize) -> SqlResult<Vec<Hash>> {
    const ROWS_PER_THREAD_MIN: usize = 1_024;
    let hasher = RowHasher::new(table, stored, span_first)?;
    let rows = stored.num_rows();
    let threads = threads.min(rows / ROWS_PER_THREAD_MIN).max(1);
    if threads == 1 {
        return Ok(hasher.hashes(0, rows));
    }
    let share = rows.div_ceil(threads);
    let hasher = &hasher;
    std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|i| scope.spawn(move || hasher.hashes(i * share, share.min(rows - i * share)))).collect();
        let mut hashes = hasher.hashes(0, share);
        for other in others {
            hashes.extend(other.join().map_err(|_| SqlError::internal("a hashing thread panicked"))?);
        }
        Ok(hashes)
    })
}

#[cfg(test)]
mod tests;
