//! COPY TO: batches to text or CSV lines, or to the binary format.
//!
//! Never: writes the end marker; the protocol has its own.

use super::binary;
use super::options::{CopyFormat, CopyHeader, CopyOptions};
use crate::types::{ColumnEncoder, Format};
use arrow::array::RecordBatch;
use base::{SqlError, SqlResult};
use engine::SqlType;

/// Writes rows in the format of a COPY TO.
pub struct CopyWriter {
    options: CopyOptions,
    types: Vec<SqlType>,
    /// Columns whose values are always quoted.
    quoted: Vec<bool>,
}

impl CopyWriter {
    /// A writer for rows of the given column names and types. Errors: 42P10 for a FORCE_QUOTE column that is not among them.
    pub fn new(options: CopyOptions, names: &[&str], types: Vec<SqlType>) -> SqlResult<Self> {
        let quoted = options.force_quote.among(names, "FORCE_QUOTE")?;
        Ok(Self { options, types, quoted })
    }

    /// Whether the binary format is written.
    pub fn is_binary(&self) -> bool {
        self.options.format == CopyFormat::Binary
    }

    /// Appends what comes before the rows: the binary header, or the header line if the options ask for one.
    pub fn header(&self, names: &[&str], out: &mut Vec<u8>) {
        if self.is_binary() {
            return binary::header(out);
        }
        if self.options.header == CopyHeader::No {
            return;
        }
        for (at, name) in names.iter().enumerate() {
            if at > 0 {
                out.push(self.options.delimiter);
            }
            self.value(name.as_bytes(), false, names.len() == 1, out);
        }
        out.push(b'\n');
    }

    /// Appends what comes after the rows.
    pub fn trailer(&self, out: &mut Vec<u8>) {
        if self.is_binary() {
            binary::trailer(out);
        }
    }

    /// Appends a batch's rows, whose columns must be as many as the types, and says where each row ends in `out`.
    pub fn write_batch(&self, batch: &RecordBatch, out: &mut Vec<u8>) -> SqlResult<Vec<usize>> {
        if batch.num_columns() != self.types.len() {
            return Err(SqlError::internal(format!("COPY of {} columns got {}", self.types.len(), batch.num_columns())));
        }
        if self.is_binary() {
            return binary::write_batch(&self.types, batch, out);
        }
        let columns = batch.columns().iter().zip(&self.types);
        let encoders = columns
            .map(|(array, sql_type)| ColumnEncoder::in_manner(array, *sql_type, Format::Text, self.options.reading.manner))
            .collect::<SqlResult<Vec<_>>>()?;
        let mut value = Vec::new();
        let mut ends = Vec::with_capacity(batch.num_rows());
        for row in 0..batch.num_rows() {
            for (at, encoder) in encoders.iter().enumerate() {
                if at > 0 {
                    out.push(self.options.delimiter);
                }
                value.clear();
                if encoder.write_value(row, &mut value) {
                    self.value(&value, self.quoted[at], encoders.len() == 1, out);
                } else {
                    out.extend_from_slice(self.options.null.as_bytes());
                }
            }
            out.push(b'\n');
            ends.push(out.len());
        }
        Ok(ends)
    }

    fn value(&self, value: &[u8], forced: bool, alone: bool, out: &mut Vec<u8>) {
        match self.options.format {
            CopyFormat::Csv => self.in_quotes(value, forced, alone, out),
            CopyFormat::Text | CopyFormat::Binary => self.escaped(value, out),
        }
    }

    fn escaped(&self, value: &[u8], out: &mut Vec<u8>) {
        for &byte in value {
            let letter = match byte {
                0x08 => b'b',
                0x0c => b'f',
                b'\n' => b'n',
                b'\r' => b'r',
                b'\t' => b't',
                0x0b => b'v',
                b'\\' => b'\\',
                byte if byte == self.options.delimiter => byte,
                byte => {
                    out.push(byte);
                    continue;
                }
            };
            out.extend_from_slice(&[b'\\', letter]);
        }
    }

    fn in_quotes(&self, value: &[u8], forced: bool, alone: bool, out: &mut Vec<u8>) {
        let CopyOptions { delimiter, quote, escape, .. } = &self.options;
        let (delimiter, quote, escape) = (*delimiter, *quote, *escape);
        let special = |byte: &u8| *byte == delimiter || *byte == quote || matches!(byte, b'\n' | b'\r');
        // A value that reads as NULL, and a lone one that reads as the end marker, are told apart by quotes.
        let is_plain = value != self.options.null.as_bytes() && !(alone && value == b"\\.");
        if !forced && is_plain && !value.iter().any(special) {
            out.extend_from_slice(value);
            return;
        }
        out.push(quote);
        for &byte in value {
            if byte == quote || byte == escape {
                out.push(escape);
            }
            out.push(byte);
        }
        out.push(quote);
    }
}
