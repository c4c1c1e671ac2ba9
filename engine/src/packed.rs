//! A few rows as bare columns: the bytes of a small write inside its COMMIT record, a fraction of what an IPC message takes.
//!
//! P1: decode(encode(batch)) equals batch. Nothing is aligned; decoding copies.
//! P2: bytes are never trusted: lengths are checked before anything is allocated for them, values against their type.
//! Never: carries the schema (the catalog has it).
//! Format: docs/formats/segment.md, «packed rows».

use std::sync::Arc;

use arrow::array::{Array, ArrayData, ArrayRef, AsArray, RecordBatch, make_array};
use arrow::buffer::{BooleanBuffer, Buffer, MutableBuffer};
use arrow::datatypes::{DataType, SchemaRef};
use base::{SqlError, SqlResult, SqlState};

use crate::failure::contain_panic;

/// Opens packed rows; an IPC message opens with `ff ff ff ff`.
pub const MARKER: [u8; 4] = *b"ROW1";

/// Appends a batch in packed form. Errors: XX000 for a column type that no table has.
pub fn encode(batch: &RecordBatch, out: &mut Vec<u8>) -> SqlResult<()> {
    out.extend_from_slice(&MARKER);
    out.extend_from_slice(&(batch.num_rows() as u32).to_le_bytes());
    batch.columns().iter().try_for_each(|column| put_column(column, out))
}

fn put_column(column: &ArrayRef, out: &mut Vec<u8>) -> SqlResult<()> {
    let nulls = column.nulls().filter(|nulls| nulls.null_count() > 0);
    out.push(u8::from(nulls.is_some()));
    if let Some(nulls) = nulls {
        put_bits(nulls.inner(), out);
    }
    put_values(column, out)
}

fn put_bits(bits: &BooleanBuffer, out: &mut Vec<u8>) {
    out.extend(
        (0..bits.len()).step_by(8).map(|at| (at..bits.len().min(at + 8)).fold(0, |byte, i| byte | u8::from(bits.value(i)) << (i - at))),
    );
}

fn put_values(column: &ArrayRef, out: &mut Vec<u8>) -> SqlResult<()> {
    match column.data_type() {
        DataType::Boolean => put_bits(column.as_boolean().values(), out),
        DataType::Utf8 => {
            let strings = column.as_string::<i32>();
            put_lengths(strings.value_offsets(), strings.value_data(), out);
        }
        DataType::Binary => {
            let strings = column.as_binary::<i32>();
            put_lengths(strings.value_offsets(), strings.value_data(), out);
        }
        DataType::Struct(_) => column.as_struct().columns().iter().try_for_each(|field| put_column(field, out))?,
        DataType::List(_) => {
            let lists = column.as_list::<i32>();
            let offsets = lists.value_offsets();
            out.extend(offsets.windows(2).flat_map(|pair| (pair[1] - pair[0]).to_le_bytes()));
            let (first, last) = (offsets.first().copied().unwrap_or(0), offsets.last().copied().unwrap_or(0));
            put_column(&lists.values().slice(first as usize, (last - first) as usize), out)?;
        }
        other => {
            let width = width(other).ok_or_else(|| SqlError::internal(format!("no stored column has type {other}")))?;
            let data = column.to_data();
            let start = data.offset() * width;
            out.extend_from_slice(&data.buffers()[0][start..start + data.len() * width]);
        }
    }
    Ok(())
}

/// Lengths of all values, then their bytes.
fn put_lengths(offsets: &[i32], bytes: &[u8], out: &mut Vec<u8>) {
    out.extend(offsets.windows(2).flat_map(|pair| (pair[1] - pair[0]).to_le_bytes()));
    let (first, last) = (offsets.first().copied().unwrap_or(0), offsets.last().copied().unwrap_or(0));
    out.extend_from_slice(&bytes[first as usize..last as usize]);
}

/// Bytes of one value of a fixed-width type that tables have.
fn width(data_type: &DataType) -> Option<usize> {
    match data_type {
        DataType::FixedSizeBinary(width) => usize::try_from(*width).ok(),
        other => other.primitive_width(),
    }
}

/// Reads packed rows back. Errors: XX001 where `bytes` are not what [`encode`] writes for this schema (P2).
pub fn decode(bytes: &[u8], schema: &SchemaRef) -> SqlResult<RecordBatch> {
    let mut reader = Reader(bytes);
    let rows = match reader.take(8) {
        Some(head) if head[..4] == MARKER => u32::from_le_bytes([head[4], head[5], head[6], head[7]]) as usize,
        _ => return Err(damaged("no rows")),
    };
    let columns = schema
        .fields()
        .iter()
        .map(|field| reader.column(field.data_type(), rows).ok_or_else(|| damaged("a column is cut short or malformed"))?)
        .collect::<SqlResult<Vec<_>>>()?;
    if !reader.0.is_empty() {
        return Err(damaged("bytes follow the last column"));
    }
    RecordBatch::try_new(Arc::clone(schema), columns).map_err(|error| damaged(&error.to_string()))
}

/// Appends one value, an array of one row, as a column of packed rows has it. Errors: XX000 for a column type that no table has.
pub(crate) fn encode_value(value: &ArrayRef, out: &mut Vec<u8>) -> SqlResult<()> {
    put_column(value, out)
}

/// Reads such a value back. Errors: XX001 where `bytes` are not what [`encode_value`] writes for this type (P2).
pub(crate) fn decode_value(bytes: &[u8], data_type: &DataType) -> SqlResult<ArrayRef> {
    let mut reader = Reader(bytes);
    let value = reader.column(data_type, 1).ok_or_else(|| damaged("a value is cut short or malformed"))??;
    if reader.0.is_empty() { Ok(value) } else { Err(damaged("bytes follow a value")) }
}

fn damaged(why: &str) -> SqlError {
    SqlError::new(SqlState::DATA_CORRUPTED, format!("stored rows are unreadable: {why}"))
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, n: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(n)?;
        self.0 = rest;
        Some(head)
    }

    fn bits(&mut self, rows: usize) -> Option<Buffer> {
        self.take(rows.div_ceil(8)).map(Buffer::from)
    }

    /// The offsets that so many lengths amount to, and where they end.
    fn offsets(&mut self, rows: usize) -> Option<(Buffer, usize)> {
        let lengths = self.take(rows.checked_mul(4)?)?;
        let mut offsets = MutableBuffer::with_capacity(lengths.len() + 4);
        let mut end = 0_i32;
        offsets.push(end);
        for length in lengths.chunks_exact(4) {
            let length = i32::from_le_bytes(*length.first_chunk()?);
            end = end.checked_add(length).filter(|_| length >= 0)?;
            offsets.push(end);
        }
        Some((offsets.into(), usize::try_from(end).ok()?))
    }

    /// `None` where the bytes end first.
    fn column(&mut self, data_type: &DataType, rows: usize) -> Option<SqlResult<ArrayRef>> {
        let nulls = match self.take(1)? {
            [0] => None,
            [1] => Some(self.bits(rows)?),
            _ => return None,
        };
        let mut data = ArrayData::builder(data_type.clone()).len(rows).null_bit_buffer(nulls);
        data = match data_type {
            DataType::Boolean => data.add_buffer(self.bits(rows)?),
            DataType::Utf8 | DataType::Binary => {
                let (offsets, end) = self.offsets(rows)?;
                data.add_buffer(offsets).add_buffer(Buffer::from(self.take(end)?))
            }
            DataType::Struct(fields) => {
                for field in fields {
                    data = match self.column(field.data_type(), rows)? {
                        Ok(child) => data.add_child_data(child.to_data()),
                        Err(error) => return Some(Err(error)),
                    };
                }
                data
            }
            DataType::List(item) => {
                let (offsets, end) = self.offsets(rows)?;
                match self.column(item.data_type(), end)? {
                    Ok(child) => data.add_buffer(offsets).add_child_data(child.to_data()),
                    Err(error) => return Some(Err(error)),
                }
            }
            other => data.add_buffer(Buffer::from(self.take(rows.checked_mul(width(other)?)?)?)),
        };
        let built = contain_panic(|| data.build()).map_err(|error| damaged(&error.to_string()));
        Some(built.map(make_array))
    }
}

#[cfg(test)]
mod tests;
