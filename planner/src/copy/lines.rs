//! Finds where rows end, without looking into them: newlines outside escapes (text) or quotes (CSV).
//!
//! L1: a search takes up where the last one stopped; no byte is looked at twice, however small the chunks.
//! L2: all rows end alike, as the first one does: LF, CR or CRLF.
//! Never: copies data; needs valid UTF-8.

use super::options::{CopyFormat, CopyOptions};
use super::place::bad_format;
use base::SqlError;
use memchr::memchr3;

/// A row found: `start..end` without its line end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) start: usize,
    pub(super) end: usize,
    /// Number of the row's last line, from 1.
    pub(super) line: u64,
    /// No escape (text) or quote (CSV) is in it.
    pub(super) plain: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum LineEnd {
    Unknown,
    Lf,
    Cr,
    CrLf,
}

/// What a search came to.
pub(super) enum Stop {
    /// The buffer ends within a row, or just after one.
    Exhausted,
    /// The end marker `\.` was found; what follows is not data.
    EndMarker,
    /// The input is malformed on the line that the search is at.
    Malformed(SqlError),
}

/// The search's state between buffers.
pub(super) struct Lines {
    csv: Option<Csv>,
    line_end: LineEnd,
    /// Where the current row starts in the buffer.
    start: usize,
    /// Where the search goes on in the buffer (L1).
    at: usize,
    /// Line that `start` is on, and then of each newline passed inside quotes.
    line: u64,
    plain: bool,
}

struct Csv {
    quote: u8,
    escape: u8,
    in_quote: bool,
    /// The byte before `at` was an escape that is still open.
    escaped: bool,
}

/// What stands after a carriage return, a backslash or the end marker.
enum Peek {
    Byte(u8),
    /// Nothing yet; more may come.
    Later,
    End,
}

impl Lines {
    pub(super) fn new(options: &CopyOptions) -> Self {
        let csv = Csv { quote: options.quote, escape: options.escape, in_quote: false, escaped: false };
        Self { csv: (options.format == CopyFormat::Csv).then_some(csv), line_end: LineEnd::Unknown, start: 0, at: 0, line: 1, plain: true }
    }

    /// The line that the search is on.
    pub(super) fn line(&self) -> u64 {
        self.line
    }

    /// Start of the row that is not complete yet.
    pub(super) fn pending(&self) -> usize {
        self.start
    }

    /// Tells that the buffer's bytes before `pending()` are gone.
    pub(super) fn forget_complete(&mut self) {
        self.at -= self.start;
        self.start = 0;
    }

    /// Appends all rows that end in the buffer; at the input's end (`last`) also one without a line end.
    pub(super) fn find(&mut self, buffer: &[u8], last: bool, rows: &mut Vec<Row>) -> Stop {
        let stop = if self.csv.is_some() { self.find_csv(buffer, last, rows) } else { self.find_text(buffer, last, rows) };
        if last && matches!(stop, Stop::Exhausted) && self.start < buffer.len() {
            self.row(buffer.len(), buffer.len(), rows);
        }
        assert!(self.start <= self.at && self.at <= buffer.len(), "L1: the search left the buffer");
        stop
    }

    fn row(&mut self, end: usize, next: usize, rows: &mut Vec<Row>) {
        rows.push(Row { start: self.start, end, line: self.line, plain: self.plain });
        self.line += 1;
        self.start = next;
        self.at = next;
        self.plain = true;
    }

    fn find_text(&mut self, buffer: &[u8], last: bool, rows: &mut Vec<Row>) -> Stop {
        while let Some(offset) = memchr3(b'\n', b'\r', b'\\', &buffer[self.at..]) {
            self.at += offset;
            match buffer[self.at] {
                b'\\' => match peek(buffer, self.at + 1, last) {
                    Peek::Later => return Stop::Exhausted,
                    Peek::Byte(b'.') => match self.end_marker(buffer, last) {
                        Ok(false) => return Stop::Exhausted,
                        Ok(true) => return self.marked_end(rows),
                        Err(error) => return Stop::Malformed(error),
                    },
                    // A backslash takes the next byte with it, be it a newline.
                    Peek::Byte(_) | Peek::End => {
                        self.plain = false;
                        self.at = buffer.len().min(self.at + 2);
                    }
                },
                _ => match self.newline(buffer, last) {
                    Ok(None) => return Stop::Exhausted,
                    Ok(Some(next)) => self.row(self.at, next, rows),
                    Err(error) => return Stop::Malformed(error),
                },
            }
        }
        self.at = buffer.len();
        Stop::Exhausted
    }

    /// Where the next row starts, `None` if that depends on bytes to come; `at` is on a CR or LF that ends a row.
    fn newline(&mut self, buffer: &[u8], last: bool) -> Result<Option<usize>, SqlError> {
        if buffer[self.at] == b'\n' {
            if matches!(self.line_end, LineEnd::Cr | LineEnd::CrLf) {
                return Err(self.stray("newline", "\\n"));
            }
            self.line_end = LineEnd::Lf;
            return Ok(Some(self.at + 1));
        }
        if self.line_end == LineEnd::Lf {
            return Err(self.stray("carriage return", "\\r"));
        }
        if self.line_end == LineEnd::Cr {
            return Ok(Some(self.at + 1));
        }
        match peek(buffer, self.at + 1, last) {
            Peek::Later => Ok(None),
            Peek::Byte(b'\n') => {
                self.line_end = LineEnd::CrLf;
                Ok(Some(self.at + 2))
            }
            _ if self.line_end == LineEnd::CrLf => Err(self.stray("carriage return", "\\r")),
            _ => {
                self.line_end = LineEnd::Cr;
                Ok(Some(self.at + 1))
            }
        }
    }

    fn stray(&self, what: &str, escape: &str) -> SqlError {
        if self.csv.is_some() {
            bad_format(format!("unquoted {what} found in data")).hint(format!("Use quoted CSV field to represent {what}."))
        } else {
            bad_format(format!("literal {what} found in data")).hint(format!("Use \"{escape}\" to represent {what}."))
        }
    }

    /// Whether the end marker that `at` is on is complete and right; false if bytes are missing.
    fn end_marker(&self, buffer: &[u8], last: bool) -> Result<bool, SqlError> {
        let corrupt = || bad_format("end-of-copy marker corrupt");
        let mismatch = || bad_format("end-of-copy marker does not match previous newline style");
        let mut next = self.at + 2;
        if self.line_end == LineEnd::CrLf {
            match peek(buffer, next, last) {
                Peek::Later => return Ok(false),
                Peek::Byte(b'\r') => next += 1,
                Peek::Byte(b'\n') => return Err(mismatch()),
                _ => return Err(corrupt()),
            }
        }
        match (peek(buffer, next, last), self.line_end) {
            (Peek::Later, _) => Ok(false),
            (Peek::Byte(b'\n'), LineEnd::Unknown | LineEnd::Lf | LineEnd::CrLf) => Ok(true),
            (Peek::Byte(b'\r'), LineEnd::Unknown | LineEnd::Cr) => Ok(true),
            (Peek::Byte(b'\n' | b'\r'), _) => Err(mismatch()),
            _ => Err(corrupt()),
        }
    }

    /// Ends the input at the marker; data before it on its line is a row still.
    fn marked_end(&mut self, rows: &mut Vec<Row>) -> Stop {
        if self.at > self.start {
            self.row(self.at, self.at, rows);
        }
        Stop::EndMarker
    }

    fn find_csv(&mut self, buffer: &[u8], last: bool, rows: &mut Vec<Row>) -> Stop {
        loop {
            if self.at == self.start && buffer[self.at..].starts_with(b"\\") {
                match self.csv_end_marker(buffer, last) {
                    Ok(None) => return Stop::Exhausted,
                    Ok(Some(true)) => return self.marked_end(rows),
                    Ok(Some(false)) => {}
                    Err(error) => return Stop::Malformed(error),
                }
            }
            if !self.skip_to_newline(buffer) {
                return Stop::Exhausted;
            }
            match self.newline(buffer, last) {
                Ok(None) => return Stop::Exhausted,
                Ok(Some(next)) => self.row(self.at, next, rows),
                Err(error) => return Stop::Malformed(error),
            }
        }
    }

    /// In CSV the marker counts only if it has a line of its own; anything else is data. `None`: bytes are missing.
    fn csv_end_marker(&self, buffer: &[u8], last: bool) -> Result<Option<bool>, SqlError> {
        match peek(buffer, self.at + 1, last) {
            Peek::Later => return Ok(None),
            Peek::Byte(b'.') => {}
            _ => return Ok(Some(false)),
        }
        let mismatch = || bad_format("end-of-copy marker does not match previous newline style");
        match (peek(buffer, self.at + 2, last), self.line_end) {
            (Peek::Later, _) => Ok(None),
            (Peek::Byte(b'\r'), LineEnd::CrLf) => match peek(buffer, self.at + 3, last) {
                Peek::Later => Ok(None),
                Peek::Byte(b'\n') => Ok(Some(true)),
                Peek::Byte(b'\r') => Err(mismatch()),
                _ => Ok(Some(false)),
            },
            (Peek::Byte(b'\n'), LineEnd::CrLf) => Ok(Some(false)),
            (Peek::Byte(b'\n'), LineEnd::Unknown | LineEnd::Lf) | (Peek::Byte(b'\r'), LineEnd::Unknown | LineEnd::Cr) => Ok(Some(true)),
            (Peek::Byte(b'\n' | b'\r'), _) => Err(mismatch()),
            _ => Ok(Some(false)),
        }
    }

    /// Moves to the next CR or LF outside quotes; false, with `at` at the buffer's end, if there is none.
    fn skip_to_newline(&mut self, buffer: &[u8]) -> bool {
        let Some(csv) = &mut self.csv else { return false };
        let counted = if matches!(self.line_end, LineEnd::Cr | LineEnd::CrLf) { b'\r' } else { b'\n' };
        while self.at < buffer.len() {
            let rest = &buffer[self.at..];
            let found = match (csv.in_quote, csv.escaped) {
                (false, _) => memchr3(b'\n', b'\r', csv.quote, rest),
                (true, false) => memchr3(counted, csv.escape, csv.quote, rest),
                // What an escape covers is the very next byte.
                (true, true) => Some(0),
            };
            let Some(offset) = found else { break };
            self.at += offset;
            let byte = buffer[self.at];
            if !csv.in_quote && byte != csv.quote {
                return true;
            }
            if csv.in_quote && byte == csv.escape {
                csv.escaped = !csv.escaped && csv.escape != csv.quote;
            }
            if byte == csv.quote && !csv.escaped {
                csv.in_quote = !csv.in_quote;
                self.plain = false;
            }
            if byte != csv.escape {
                csv.escaped = false;
            }
            // Lines inside a quoted field count too. (Postgres miscounts them in the first row, where it does not know the line end yet.)
            self.line += u64::from(csv.in_quote && byte == counted);
            self.at += 1;
        }
        self.at = buffer.len();
        false
    }
}

fn peek(buffer: &[u8], at: usize, last: bool) -> Peek {
    match buffer.get(at) {
        Some(byte) => Peek::Byte(*byte),
        None if last => Peek::End,
        None => Peek::Later,
    }
}
