//! COPY's binary format, both ways: a signature, then for each row a count of fields and each field with its length.
//!
//! I1: any way of cutting the input gives the same columns and the same error.
//! I2: of the input, only the row that is not complete yet is kept between chunks; one over 64 MiB is an error before it is held.
//! Never: knows how a type's value is written; the types' binary codecs do.

use arrow::array::{ArrayRef, RecordBatch};
use base::{SqlError, SqlResult, SqlState};
use engine::SqlType;

use super::parser::CopySink;
use super::place::{Place, bad_format};
use crate::types::{ColumnBuilder, ColumnEncoder, Format};

const SIGNATURE: &[u8; 11] = b"PGCOPY\n\xff\r\n\0";
/// Signature, flags, length of the extension.
const HEADER_BYTES: usize = 19;
/// Flags in this half must be known to be read.
const CRITICAL_FLAGS: u32 = 0xffff_0000;
/// In place of a row's count of fields.
const TRAILER: [u8; 2] = (-1i16).to_be_bytes();
const ROW_BYTES_MAX: usize = 64 << 20;
/// Bytes of input after which a batch is handed over.
const BATCH_BYTES: usize = 16 << 20;

/// What comes before the rows.
pub(super) fn header(out: &mut Vec<u8>) {
    out.extend_from_slice(SIGNATURE);
    out.extend_from_slice(&[0; HEADER_BYTES - SIGNATURE.len()]);
}

/// What comes after the rows.
pub(super) fn trailer(out: &mut Vec<u8>) {
    out.extend_from_slice(&TRAILER);
}

/// Appends a batch's rows and says where each ends in `out`.
pub(super) fn write_batch(types: &[SqlType], batch: &RecordBatch, out: &mut Vec<u8>) -> SqlResult<Vec<usize>> {
    let columns = batch.columns().iter().zip(types);
    let encoders = columns.map(|(array, sql_type)| ColumnEncoder::new(array, *sql_type, Format::Binary)).collect::<SqlResult<Vec<_>>>()?;
    let count = u16::try_from(encoders.len()).unwrap_or(u16::MAX).to_be_bytes();
    let mut ends = Vec::with_capacity(batch.num_rows());
    for row in 0..batch.num_rows() {
        out.extend_from_slice(&count);
        encoders.iter().for_each(|encoder| encoder.write(row, out));
        ends.push(out.len());
    }
    Ok(ends)
}

/// Reads a binary COPY FROM stream. After an error it is of no use but to be dropped.
pub(super) struct BinaryReader {
    table: String,
    names: Vec<String>,
    builders: Vec<ColumnBuilder>,
    buffer: Vec<u8>,
    batch_rows: usize,
    place: Where,
    pending_rows: usize,
    pending_bytes: usize,
    total_rows: u64,
}

/// What comes next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Where {
    Header,
    /// The rest of the header's extension, bytes.
    Extension(usize),
    Rows,
    End,
}

impl BinaryReader {
    pub(super) fn new(table: &str, columns: Vec<(String, SqlType)>, batch_rows: usize, capacity: usize) -> Self {
        let (names, types): (Vec<_>, Vec<_>) = columns.into_iter().unzip();
        let builders = types.into_iter().map(|sql_type| ColumnBuilder::new(sql_type, capacity)).collect();
        let (table, buffer) = (table.to_owned(), Vec::new());
        Self { table, names, builders, buffer, batch_rows, place: Where::Header, pending_rows: 0, pending_bytes: 0, total_rows: 0 }
    }

    pub(super) fn rows(&self) -> u64 {
        self.total_rows
    }

    pub(super) fn push(&mut self, bytes: &[u8], sink: &mut CopySink<'_>) -> SqlResult<()> {
        self.buffer.extend_from_slice(bytes);
        let buffer = std::mem::take(&mut self.buffer);
        let mut at = 0;
        let read = loop {
            match self.step(&buffer[at..], sink) {
                Ok(Some(taken)) => at += taken,
                Ok(None) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        self.buffer = buffer;
        self.buffer.drain(..at);
        read?;
        if self.buffer.len() > ROW_BYTES_MAX {
            let error = SqlError::new(SqlState::PROGRAM_LIMIT_EXCEEDED, format!("COPY row exceeds {ROW_BYTES_MAX} bytes"));
            return Err(self.here().alone(error));
        }
        Ok(())
    }

    pub(super) fn finish(&mut self, sink: &mut CopySink<'_>) -> SqlResult<u64> {
        match self.place {
            Where::Header if !self.buffer.starts_with(SIGNATURE) => return Err(bad_format("COPY file signature not recognized")),
            Where::Header | Where::Extension(_) => return Err(bad_format("invalid COPY file header (missing length)")),
            // The end of the stream says as much as the trailer.
            Where::Rows if self.buffer.is_empty() => {}
            Where::Rows => return Err(self.here().alone(bad_format("unexpected EOF in COPY data"))),
            Where::End => {}
        }
        self.hand_over(sink)?;
        Ok(self.total_rows)
    }

    /// Takes one piece from the front of the input; its length, or `None` if it is not all there.
    fn step(&mut self, input: &[u8], sink: &mut CopySink<'_>) -> SqlResult<Option<usize>> {
        match self.place {
            Where::Header => self.read_header(input),
            Where::Extension(rest) => {
                let taken = rest.min(input.len());
                self.place = if taken == rest { Where::Rows } else { Where::Extension(rest - taken) };
                Ok((taken > 0 || rest == 0).then_some(taken))
            }
            Where::Rows => self.read_row(input, sink),
            Where::End if input.is_empty() => Ok(None),
            Where::End => Err(self.here().alone(bad_format("received copy data after EOF marker"))),
        }
    }

    fn read_header(&mut self, input: &[u8]) -> SqlResult<Option<usize>> {
        let known = input.len().min(SIGNATURE.len());
        if input[..known] != SIGNATURE[..known] {
            return Err(bad_format("COPY file signature not recognized"));
        }
        let Some(header) = input.get(SIGNATURE.len()..HEADER_BYTES) else { return Ok(None) };
        let (flags, length) = (be32(&header[..4]), be32(&header[4..]));
        if flags & (1 << 16) != 0 {
            return Err(bad_format("invalid COPY file header (WITH OIDS)"));
        }
        if flags & CRITICAL_FLAGS != 0 {
            return Err(bad_format("unrecognized critical flags in COPY file header"));
        }
        let Ok(length) = i32::try_from(length) else { return Err(bad_format("invalid COPY file header (missing length)")) };
        self.place = Where::Extension(length.unsigned_abs() as usize);
        Ok(Some(HEADER_BYTES))
    }

    fn read_row(&mut self, input: &[u8], sink: &mut CopySink<'_>) -> SqlResult<Option<usize>> {
        let Some(count) = input.get(..2) else { return Ok(None) };
        if *count == TRAILER {
            self.place = Where::End;
            return Ok(Some(2));
        }
        let count = i16::from_be_bytes([count[0], count[1]]);
        let expected = self.builders.len();
        if usize::try_from(count) != Ok(expected) {
            return Err(self.here().alone(bad_format(format!("row field count is {count}, expected {expected}"))));
        }
        // A row is read only when it is whole, so that every column gets its value or none does.
        let Some(end) = self.row_end(input)? else { return Ok(None) };
        let mut at = 2;
        for column in 0..expected {
            let length = i32::from_be_bytes([input[at], input[at + 1], input[at + 2], input[at + 3]]);
            at += 4;
            let value = usize::try_from(length).ok().map(|length| &input[at..at + length]);
            at += value.map_or(0, <[u8]>::len);
            if let Err(error) = self.builders[column].append(Format::Binary, value) {
                return Err(self.here().with_column(error, &self.names[column]));
            }
        }
        self.total_rows += 1;
        self.pending_rows += 1;
        self.pending_bytes += end;
        if self.pending_rows >= self.batch_rows || self.pending_bytes >= BATCH_BYTES {
            self.hand_over(sink)?;
        }
        Ok(Some(end))
    }

    fn row_end(&self, input: &[u8]) -> SqlResult<Option<usize>> {
        let mut at = 2;
        for name in &self.names {
            let Some(length) = input.get(at..at + 4) else { return Ok(None) };
            let length = i32::from_be_bytes([length[0], length[1], length[2], length[3]]);
            at += 4;
            match length {
                -1 => {}
                length => match usize::try_from(length) {
                    Ok(length) => at += length,
                    Err(_) => return Err(self.here().with_column(bad_format("invalid field size"), name)),
                },
            }
        }
        Ok((at <= input.len()).then_some(at))
    }

    fn hand_over(&mut self, sink: &mut CopySink<'_>) -> SqlResult<()> {
        let rows = std::mem::take(&mut self.pending_rows);
        self.pending_bytes = 0;
        if rows == 0 {
            return Ok(());
        }
        sink(self.builders.iter_mut().map(ColumnBuilder::finish).collect::<Vec<ArrayRef>>(), rows)
    }

    fn here(&self) -> Place<'_> {
        Place { table: &self.table, line: self.total_rows + 1 }
    }
}

fn be32(bytes: &[u8]) -> u32 {
    u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
}
