//! Fields of a row in CSV format: quotes and escapes undone.
//!
//! Never: looks for the row's end.

use super::place::bad_format;
use base::SqlResult;

/// A field read.
pub(super) struct Field {
    /// Bytes of the row that it takes, without the delimiter after it.
    pub(super) raw: usize,
    /// Some of it was quoted: then it is never NULL.
    pub(super) quoted: bool,
}

/// Length of what is between the quotes, if the field is one quoted run without escapes: the common kind, which needs no copy.
pub(super) fn wholly_quoted(row: &[u8], delimiter: u8, quote: u8, escape: u8) -> Option<usize> {
    let (first, rest) = row.split_first()?;
    if *first != quote {
        return None;
    }
    let inner = memchr::memchr2(quote, escape, rest)?;
    let closed = rest[inner] == quote && rest.get(inner + 1).is_none_or(|next| *next == delimiter);
    closed.then_some(inner)
}

/// Reads the field that the row begins with into `value`; 22P04 if a quote is left open.
pub(super) fn field(row: &[u8], delimiter: u8, quote: u8, escape: u8, value: &mut Vec<u8>) -> SqlResult<Field> {
    value.clear();
    let mut at = 0;
    let mut quoted = false;
    loop {
        let Some(offset) = memchr::memchr2(delimiter, quote, &row[at..]) else {
            value.extend_from_slice(&row[at..]);
            return Ok(Field { raw: row.len(), quoted });
        };
        value.extend_from_slice(&row[at..at + offset]);
        at += offset;
        if row[at] == delimiter {
            return Ok(Field { raw: at, quoted });
        }
        quoted = true;
        at = quoted_run(row, at + 1, quote, escape, value)?;
    }
}

/// Reads up to and over the closing quote.
fn quoted_run(row: &[u8], mut at: usize, quote: u8, escape: u8, value: &mut Vec<u8>) -> SqlResult<usize> {
    loop {
        let Some(offset) = memchr::memchr2(quote, escape, &row[at..]) else {
            return Err(bad_format("unterminated CSV quoted field"));
        };
        value.extend_from_slice(&row[at..at + offset]);
        at += offset;
        let byte = row[at];
        match row.get(at + 1) {
            Some(next) if byte == escape && (*next == escape || *next == quote) => {
                value.push(*next);
                at += 2;
            }
            _ if byte == quote => return Ok(at + 1),
            _ => {
                value.push(byte);
                at += 1;
            }
        }
    }
}
