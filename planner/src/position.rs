//! From the parser's lines and columns to Postgres's character positions and to byte ranges of the text.
//!
//! Never: fails; a location outside the text has no position.

use sqlparser::tokenizer::{Location, Span};

/// Character of the text, from 1, that a location points at; `None` for the empty location.
pub(crate) fn character(text: &str, location: Location) -> Option<u32> {
    if location.line == 0 {
        return None;
    }
    let mut before = 0;
    let mut lines = location.line - 1;
    if lines > 0 {
        for c in text.chars() {
            before += 1;
            if c == '\n' {
                lines -= 1;
                if lines == 0 {
                    break;
                }
            }
        }
    }
    u32::try_from(before + location.column).ok()
}

/// Byte offset of a location; the text's end for one beyond it.
pub(crate) fn byte(text: &str, location: Location) -> usize {
    let mut start = 0;
    for _ in 1..location.line.max(1) {
        match memchr::memchr(b'\n', &text.as_bytes()[start..]) {
            Some(at) => start += at + 1,
            None => return text.len(),
        }
    }
    let column = location.column.max(1) as usize - 1;
    text[start..].char_indices().nth(column).map_or(text.len(), |(at, _)| start + at)
}

/// The text a span covers.
pub(crate) fn slice(text: &str, span: Span) -> &str {
    let (start, end) = (byte(text, span.start), byte(text, span.end));
    text.get(start..end).unwrap_or("")
}
