//! `bytea`: hex or the old escape form, in and out.

use base::{SqlError, SqlResult, SqlState};
use relational::values::manner::BytesStyle;

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// Appends `\x` and two digits a byte, or printable characters and `\ooo`.
pub(super) fn write(value: &[u8], style: BytesStyle, out: &mut Vec<u8>) {
    if style == BytesStyle::Escape {
        for byte in value {
            match byte {
                b'\\' => out.extend_from_slice(b"\\\\"),
                0x20..=0x7e => out.push(*byte),
                byte => out.extend_from_slice(&[b'\\', b'0' + (byte >> 6), b'0' + (byte >> 3 & 7), b'0' + (byte & 7)]),
            }
        }
        return;
    }
    out.reserve(2 + value.len() * 2);
    out.extend_from_slice(b"\\x");
    for byte in value {
        out.extend_from_slice(&[DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
    }
}

/// Reads `\x…` (blanks between digit pairs allowed) or the escape form (`\\` and `\ooo`); 22023, 22P02.
pub(super) fn parse(text: &str) -> SqlResult<Vec<u8>> {
    match text.strip_prefix("\\x") {
        Some(hex) => parse_hex(hex),
        None => parse_escape(text.as_bytes()),
    }
}

fn parse_hex(hex: &str) -> SqlResult<Vec<u8>> {
    let invalid = |message: String| SqlError::new(SqlState::INVALID_PARAMETER_VALUE, message);
    let digit = |at: char| at.to_digit(16).ok_or_else(|| invalid(format!("invalid hexadecimal digit: \"{at}\"")));
    let mut value = Vec::with_capacity(hex.len() / 2);
    let mut rest = hex.chars();
    while let Some(first) = rest.next() {
        if matches!(first, ' ' | '\n' | '\t' | '\r') {
            continue;
        }
        let high = digit(first)?;
        let second = rest.next().ok_or_else(|| invalid("invalid hexadecimal data: odd number of digits".to_owned()))?;
        value.push((high << 4 | digit(second)?) as u8);
    }
    Ok(value)
}

fn parse_escape(bytes: &[u8]) -> SqlResult<Vec<u8>> {
    let mut value = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    loop {
        rest = match rest {
            [] => return Ok(value),
            [b'\\', b'\\', after @ ..] => {
                value.push(b'\\');
                after
            }
            [b'\\', a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', after @ ..] => {
                value.push((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0'));
                after
            }
            // Postgres names no text here: it may be binary.
            [b'\\', ..] => return Err(SqlError::new(SqlState::INVALID_TEXT_REPRESENTATION, "invalid input syntax for type bytea")),
            [byte, after @ ..] => {
                value.push(*byte);
                after
            }
        }
    }
}
