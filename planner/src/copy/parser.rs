//! COPY FROM: cuts a stream of bytes into rows and hands over batches of columns.
//!
//! S1: of the input, only the row that is not complete yet is kept between chunks.
//! S2: a batch has at most `batch_rows` rows, and ends with the row that takes it over 16 MiB of input.
//! S3: a row longer than 64 MiB is an error, found before it is held.
//! Never: blocks, knows where the bytes come from.

use super::binary::BinaryReader;
use super::lines::{Lines, Row, Stop};
use super::options::{CopyFormat, CopyHeader, CopyOptions};
use super::rows::Rows;
use crate::types::invalid_utf8;
use arrow::array::ArrayRef;
use base::{SqlError, SqlResult, SqlState};
use engine::SqlType;

/// Takes a batch: one array a column, in the order given to the parser, and its rows.
pub type CopySink<'a> = dyn FnMut(Vec<ArrayRef>, usize) -> SqlResult<()> + 'a;

/// Bytes of the longest row.
const ROW_BYTES_MAX: usize = 64 << 20;

/// Bytes of input after which a batch is handed over (S2).
const BATCH_BYTES: usize = 16 << 20;

/// Bytes taken in at once: small enough that rows found are still in the cache when they are read.
const PIECE_BYTES: usize = 64 << 10;

/// Rows for which columns set memory aside at first.
const CAPACITY_MAX: usize = 8192;

/// Reads a COPY FROM stream in any format. After an error it is of no use but to be dropped.
pub struct CopyParser(Reader);

enum Reader {
    Lines(Box<LineReader>),
    Binary(Box<BinaryReader>),
}

impl CopyParser {
    /// A parser for rows of the given columns; `table` is named in errors; `batch_rows` from 1.
    pub fn new(options: CopyOptions, table: &str, columns: Vec<(String, SqlType)>, batch_rows: usize) -> Self {
        let batch_rows = batch_rows.max(1);
        Self(match options.format {
            CopyFormat::Binary => Reader::Binary(Box::new(BinaryReader::new(table, columns, batch_rows, batch_rows.min(CAPACITY_MAX)))),
            CopyFormat::Text | CopyFormat::Csv => Reader::Lines(Box::new(LineReader::new(options, table, columns, batch_rows))),
        })
    }

    /// Whether the client is to send the binary format.
    pub fn is_binary(&self) -> bool {
        matches!(self.0, Reader::Binary(_))
    }

    /// Rows read so far.
    pub fn rows(&self) -> u64 {
        match &self.0 {
            Reader::Lines(reader) => reader.total_rows,
            Reader::Binary(reader) => reader.rows(),
        }
    }

    /// Takes the next bytes of the stream, cut anywhere; hands full batches to `sink`.
    ///
    /// # Errors
    /// 22P04 for malformed input; the column types' input errors; 22021; 54000 for a row over 64 MiB; what the sink says. CONTEXT has
    /// the line and, where known, the column at fault.
    pub fn push(&mut self, bytes: &[u8], sink: &mut CopySink<'_>) -> SqlResult<()> {
        match &mut self.0 {
            Reader::Lines(reader) => reader.push(bytes, sink),
            Reader::Binary(reader) => reader.push(bytes, sink),
        }
    }

    /// Ends the stream: a last row needs no newline. Hands over what is left; gives the rows in all.
    pub fn finish(&mut self, sink: &mut CopySink<'_>) -> SqlResult<u64> {
        match &mut self.0 {
            Reader::Lines(reader) => reader.finish(sink),
            Reader::Binary(reader) => reader.finish(sink),
        }
    }
}

/// Reads lines of text or CSV.
struct LineReader {
    lines: Lines,
    rows: Rows,
    header: bool,
    batch_rows: usize,
    buffer: Vec<u8>,
    found: Vec<Row>,
    /// The end marker was seen: the rest of the stream is not data.
    ended: bool,
    pending_rows: usize,
    pending_bytes: usize,
    total_rows: u64,
}

impl LineReader {
    fn new(options: CopyOptions, table: &str, columns: Vec<(String, SqlType)>, batch_rows: usize) -> Self {
        Self {
            lines: Lines::new(&options),
            header: options.header != CopyHeader::No,
            rows: Rows::new(options, table, columns, batch_rows.min(CAPACITY_MAX)),
            batch_rows,
            buffer: Vec::new(),
            found: Vec::new(),
            ended: false,
            pending_rows: 0,
            pending_bytes: 0,
            total_rows: 0,
        }
    }

    fn push(&mut self, bytes: &[u8], sink: &mut CopySink<'_>) -> SqlResult<()> {
        for piece in bytes.chunks(PIECE_BYTES) {
            if self.ended {
                return Ok(());
            }
            self.buffer.extend_from_slice(piece);
            self.consume(false, sink)?;
            if self.buffer.len() > ROW_BYTES_MAX {
                let error = SqlError::new(SqlState::PROGRAM_LIMIT_EXCEEDED, format!("COPY row exceeds {ROW_BYTES_MAX} bytes"));
                return Err(self.rows.place(self.lines.line()).alone(error));
            }
        }
        Ok(())
    }

    fn finish(&mut self, sink: &mut CopySink<'_>) -> SqlResult<u64> {
        if !self.ended {
            self.consume(true, sink)?;
            self.ended = true;
        }
        if std::mem::take(&mut self.header) {
            // Not even a header came: Postgres compares an empty line with the column names.
            self.rows.check_header(&Row { start: 0, end: 0, line: 1, plain: true }, "")?;
        }
        self.hand_over(sink)?;
        Ok(self.total_rows)
    }

    fn consume(&mut self, last: bool, sink: &mut CopySink<'_>) -> SqlResult<()> {
        let mut found = std::mem::take(&mut self.found);
        found.clear();
        let stop = self.lines.find(&self.buffer, last, &mut found);
        let buffer = std::mem::take(&mut self.buffer);
        let read = self.read_rows(&buffer, &found, sink);
        self.buffer = buffer;
        self.found = found;
        read?;
        match stop {
            Stop::Exhausted => {}
            Stop::EndMarker => self.ended = true,
            Stop::Malformed(error) => return Err(self.rows.place(self.lines.line()).alone(error)),
        }
        self.buffer.drain(..self.lines.pending());
        self.lines.forget_complete();
        Ok(())
    }

    /// Reads complete rows. Their text is checked once for all: a slice of it at a delimiter is text again.
    fn read_rows(&mut self, buffer: &[u8], found: &[Row], sink: &mut CopySink<'_>) -> SqlResult<()> {
        let (Some(first), Some(last)) = (found.first(), found.last()) else { return Ok(()) };
        let whole = &buffer[first.start..last.end];
        let valid = str::from_utf8(whole).map_or_else(|error| error.valid_up_to(), str::len);
        let valid = memchr::memchr(0, &whole[..valid]).unwrap_or(valid);
        let text = str::from_utf8(&whole[..valid]).map_err(|_| SqlError::internal("Y1: checked text is not UTF-8"))?;
        for row in found {
            let Some(line) = text.get(row.start - first.start..row.end - first.start) else {
                // Postgres shows the bytes that the first one promises, the line end among them.
                let shown = &buffer[first.start + valid..buffer.len().min(row.end + 1)];
                return Err(self.rows.place(row.line).alone(invalid_utf8(shown)));
            };
            self.read_row(row, line, sink)?;
        }
        Ok(())
    }

    fn read_row(&mut self, row: &Row, line: &str, sink: &mut CopySink<'_>) -> SqlResult<()> {
        if line.len() > ROW_BYTES_MAX {
            let error = SqlError::new(SqlState::PROGRAM_LIMIT_EXCEEDED, format!("COPY row exceeds {ROW_BYTES_MAX} bytes"));
            return Err(self.rows.place(row.line).alone(error));
        }
        if std::mem::take(&mut self.header) {
            return self.rows.check_header(row, line);
        }
        self.rows.append(row, line)?;
        self.total_rows += 1;
        self.pending_rows += 1;
        self.pending_bytes += line.len();
        if self.pending_rows >= self.batch_rows || self.pending_bytes >= BATCH_BYTES { self.hand_over(sink) } else { Ok(()) }
    }

    fn hand_over(&mut self, sink: &mut CopySink<'_>) -> SqlResult<()> {
        if self.pending_rows == 0 {
            return Ok(());
        }
        let rows = std::mem::take(&mut self.pending_rows);
        self.pending_bytes = 0;
        let columns = self.rows.finish();
        assert!(columns.iter().all(|column| column.len() == rows), "R1: columns of unequal length");
        sink(columns, rows)
    }
}
