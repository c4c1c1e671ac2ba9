//! `text`, `character varying(n)` and `character(n)`: UTF-8 without NUL, lengths in characters.
//!
//! Never: changes a character; the only thing ever cut off is trailing blanks beyond `n`.

use base::{SqlError, SqlResult, SqlState};
use std::fmt::Write as _;

/// Without the white space that C's `isspace` knows, at both ends.
pub(super) fn trim(text: &str) -> &str {
    text.trim_matches([' ', '\t', '\n', '\x0b', '\x0c', '\r'])
}

/// The bytes as text; 22021 for anything that is not UTF-8 and for NUL.
pub(super) fn utf8(bytes: &[u8]) -> SqlResult<&str> {
    let text = str::from_utf8(bytes).map_err(|error| invalid_utf8(&bytes[error.valid_up_to()..]))?;
    without_nul(text)
}

/// The text itself, 22021 if it has a NUL: Postgres's strings end there.
pub(super) fn without_nul(text: &str) -> SqlResult<&str> {
    match memchr::memchr(0, text.as_bytes()) {
        None => Ok(text),
        Some(_) => Err(invalid_utf8(&[0])),
    }
}

/// `invalid byte sequence for encoding "UTF8": 0xe9 0x20` (22021); `rest` begins at the offending character.
pub(crate) fn invalid_utf8(rest: &[u8]) -> SqlError {
    let promised = match rest.first() {
        Some(0xc0..=0xdf) => 2,
        Some(0xe0..=0xef) => 3,
        Some(0xf0..=0xf7) => 4,
        _ => 1,
    };
    let mut message = "invalid byte sequence for encoding \"UTF8\":".to_owned();
    for byte in rest.iter().take(promised) {
        // Writing to a String cannot fail.
        let _ = write!(message, " 0x{byte:02x}");
    }
    SqlError::new(SqlState::CHARACTER_NOT_IN_REPERTOIRE, message)
}

/// The text as a `character varying(n)` takes it: blanks beyond `n` characters are cut off, anything else there is 22001.
pub(super) fn fit(text: &str, limit: Option<u32>) -> SqlResult<&str> {
    limited(text, limit, "character varying")
}

/// The text as a `character(n)` is kept: without blanks at its end; 22001 if more than n characters are left.
pub(super) fn fit_blank_padded(text: &str, length: Option<u32>) -> SqlResult<&str> {
    Ok(limited(text, length, "character")?.trim_end_matches(' '))
}

/// Appends a `character(n)` as it is shown: blanks to the length of n characters.
pub(super) fn write_padded(text: &str, length: Option<u32>, out: &mut Vec<u8>) {
    out.extend_from_slice(text.as_bytes());
    let missing = length.map_or(0, |length| (length as usize).saturating_sub(text.chars().count()));
    out.resize(out.len() + missing, b' ');
}

fn limited<'a>(text: &'a str, limit: Option<u32>, type_name: &str) -> SqlResult<&'a str> {
    let Some(limit) = limit else { return Ok(text) };
    if text.len() <= limit as usize {
        return Ok(text);
    }
    match text.char_indices().nth(limit as usize) {
        None => Ok(text),
        Some((end, _)) if text[end..].bytes().all(|byte| byte == b' ') => Ok(&text[..end]),
        Some(_) => Err(SqlError::new(SqlState::STRING_DATA_RIGHT_TRUNCATION, format!("value too long for type {type_name}({limit})"))),
    }
}
