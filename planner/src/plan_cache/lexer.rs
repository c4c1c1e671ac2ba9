//! Finds the constants in a statement's text without parsing it.
//!
//! X1: either every number and string constant is found with the bytes it takes, or the text is not taken at all.
//! Never: decides what a constant means; texts with escapes, dollar quotes, parameters or several statements are left to the parser.

use std::borrow::Cow;

/// Most constants a text may have to be taken.
const CONSTANTS_MAX: usize = 64;

/// A text and its constants.
#[derive(Debug)]
pub(crate) struct Lexed<'a> {
    /// The statement, without what surrounds it.
    pub(crate) text: &'a str,
    /// Where it begins in what the client sent.
    pub(crate) offset: usize,
    /// The text with a mark and a letter in place of each constant.
    pub(crate) shape: String,
    pub(crate) constants: Vec<Constant<'a>>,
}

/// One constant.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Constant<'a> {
    pub(crate) kind: Kind,
    /// Where it begins and ends in the text, quotes included.
    pub(crate) start: usize,
    pub(crate) end: usize,
    /// Digits as written, or the string without quotes.
    pub(crate) value: Cow<'a, str>,
}

/// What a constant looks like.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// Digits only.
    Integer,
    /// With a point or an exponent.
    Decimal,
    /// In single quotes.
    Text,
}

impl<'a> Lexed<'a> {
    /// `None` where the text is not taken (X1).
    pub(crate) fn of(text: &'a str) -> Option<Self> {
        let offset = text.len() - text.trim_ascii_start().len();
        let text = text.trim_ascii().trim_end_matches(';').trim_ascii_end();
        let bytes = text.as_bytes();
        let mut lexed = Self { text, offset, shape: String::with_capacity(text.len()), constants: Vec::new() };
        let (mut at, mut copied) = (0, 0);
        while let Some(byte) = bytes.get(at).copied() {
            let constant = match byte {
                b'\'' => Some(string(text, at)?),
                b'0'..=b'9' => Some(number(text, at)?),
                _ => None,
            };
            at = match (constant, byte) {
                (Some(constant), _) => {
                    lexed.shape.push_str(&text[copied..constant.start]);
                    lexed.shape.push_str(match constant.kind {
                        Kind::Integer => "\u{1}i",
                        Kind::Decimal => "\u{1}d",
                        Kind::Text => "\u{1}t",
                    });
                    copied = constant.end;
                    lexed.constants.push(constant);
                    copied
                }
                (None, b'"') => quoted_name(bytes, at)?,
                (None, b'-') if bytes.get(at + 1) == Some(&b'-') => return None,
                (None, b'/') if bytes.get(at + 1) == Some(&b'*') => return None,
                (None, b'.') if bytes.get(at + 1).is_some_and(u8::is_ascii_digit) => return None,
                (None, b'$' | b';' | b'\\' | 0 | 1) => return None,
                (None, byte) if is_word(byte) => word(bytes, at)?,
                (None, _) => at + 1,
            };
        }
        lexed.shape.push_str(&text[copied..]);
        (lexed.constants.len() <= CONSTANTS_MAX).then_some(lexed)
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

/// The end of an identifier or keyword; `None` if it is the prefix of a string (`E'…'`, `U&'…'`) or has a `$` in it.
fn word(bytes: &[u8], start: usize) -> Option<usize> {
    let length = bytes[start..].iter().take_while(|byte| is_word(**byte)).count();
    let end = start + length;
    match bytes.get(end) {
        Some(b'\'' | b'$') => None,
        Some(b'&') if matches!(bytes.get(end + 1), Some(b'\'' | b'"')) => None,
        _ => Some(end),
    }
}

fn quoted_name(bytes: &[u8], start: usize) -> Option<usize> {
    memchr::memchr(b'"', &bytes[start + 1..]).map(|length| start + length + 2)
}

fn string(text: &str, start: usize) -> Option<Constant<'_>> {
    let bytes = text.as_bytes();
    let (mut at, mut is_doubled) = (start + 1, false);
    loop {
        at += memchr::memchr(b'\'', &bytes[at..])?;
        if bytes.get(at + 1) != Some(&b'\'') {
            break;
        }
        is_doubled = true;
        at += 2;
    }
    let (inner, end) = (&text[start + 1..at], at + 1);
    // Two strings with a line's end between them are one.
    if bytes[end..].iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'\'') {
        return None;
    }
    let value = if is_doubled { inner.replace("''", "'").into() } else { inner.into() };
    Some(Constant { kind: Kind::Text, start, end, value })
}

fn number(text: &str, start: usize) -> Option<Constant<'_>> {
    let bytes = text.as_bytes();
    let digits = |from: usize| bytes[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let mut end = start + digits(start);
    let mut kind = Kind::Integer;
    if bytes.get(end) == Some(&b'.') {
        let fraction = digits(end + 1);
        if fraction == 0 {
            return None;
        }
        (end, kind) = (end + 1 + fraction, Kind::Decimal);
    }
    match bytes.get(end) {
        Some(b'.') => return None,
        Some(byte) if is_word(*byte) => return None,
        _ => {}
    }
    Some(Constant { kind, start, end, value: text[start..end].into() })
}
