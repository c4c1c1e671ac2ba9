//! As much of JSON as SD-JWTs use, in one spelling: no blanks, strings without needless escapes, integers; and values of fields as JSON.
//!
//! V1: a value of a type has one form, and that form gives its canonical bytes back.
//!
//! Never: accepts a second spelling.
//! Format: docs/formats/sd-jwt.md.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::FormatError;
use crate::value::{format_value, oid};

/// Integers up to this are exact wherever JSON is read.
const SAFE_INTEGER_MAX: i64 = (1 << 53) - 1;

/// Reads from the front of a text.
pub(super) struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { rest: text }
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    /// Exactly this text; where it is not there nothing is read.
    pub(super) fn literal(&mut self, text: &str) -> Option<()> {
        self.rest = self.rest.strip_prefix(text)?;
        Some(())
    }

    pub(super) fn string(&mut self) -> Option<String> {
        self.literal("\"")?;
        let mut text = String::new();
        loop {
            let end = self.rest.find(|c: char| c < ' ' || c == '"' || c == '\\')?;
            let (plain, rest) = self.rest.split_at(end);
            text.push_str(plain);
            self.rest = rest;
            if self.literal("\"").is_some() {
                return Some(text);
            }
            text.push(self.escape()?);
        }
    }

    fn escape(&mut self) -> Option<char> {
        for (spelled, c) in [("\\\"", '"'), ("\\\\", '\\'), ("\\n", '\n')] {
            if self.literal(spelled).is_some() {
                return Some(c);
            }
        }
        self.literal("\\u00")?;
        let hex = self.rest.get(..2)?;
        let c = char::from(u8::from_str_radix(hex, 16).ok()?);
        let is_ours = c < ' ' && c != '\n' && format!("{:02x}", u32::from(c)) == hex;
        self.rest = &self.rest[2..];
        is_ours.then_some(c)
    }

    fn integer(&mut self) -> Option<i64> {
        let end = self.rest.find(|c: char| !matches!(c, '0'..='9' | '-')).unwrap_or(self.rest.len());
        let (digits, rest) = self.rest.split_at(end);
        self.rest = rest;
        let number: i64 = digits.parse().ok()?;
        (number.to_string() == digits).then_some(number)
    }
}

/// Writes a string.
pub(super) fn push_string(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            c if c < ' ' => out.push_str(&format!("\\u00{:02x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
}

/// A field's value as JSON.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Value {
    /// NULL.
    Null,
    /// A boolean.
    Bool(bool),
    /// An integer that is exact wherever JSON is read.
    Integer(i64),
    /// Text, and JSON as text.
    Text(String),
    /// A value of any other type: as SQL spells it, and its canonical bytes.
    Spelled(String, Vec<u8>),
}

impl Value {
    /// The form of a value (V1), given by its type and canonical bytes; `None` is NULL. Fails if the bytes are not canonical.
    pub fn of(type_oid: u32, bytes: Option<&[u8]>) -> Result<Self, FormatError> {
        let Some(bytes) = bytes else { return Ok(Self::Null) };
        let spelled = format_value(type_oid, bytes)?;
        Ok(match type_oid {
            oid::BOOL => Self::Bool(bytes == [1]),
            oid::INT2 | oid::INT4 | oid::INT8 => match spelled.parse() {
                Ok(number) if (-SAFE_INTEGER_MAX..=SAFE_INTEGER_MAX).contains(&number) => Self::Integer(number),
                _ => Self::Spelled(spelled, bytes.to_vec()),
            },
            oid::TEXT | oid::VARCHAR | oid::BPCHAR | oid::JSON | oid::JSONB => Self::Text(String::from_utf8_lossy(bytes).into_owned()),
            _ => Self::Spelled(spelled, bytes.to_vec()),
        })
    }

    /// The canonical bytes of the value of this type that it is the form of; fails for one of another type or form.
    pub fn bytes(&self, type_oid: u32) -> Option<Option<Vec<u8>>> {
        let bytes = match self {
            Self::Null => return Some(None),
            Self::Bool(value) => vec![u8::from(*value)],
            Self::Integer(number) => {
                let width = match type_oid {
                    oid::INT2 => 2,
                    oid::INT4 => 4,
                    _ => 8,
                };
                number.to_le_bytes()[..width].to_vec()
            }
            Self::Text(text) => text.as_bytes().to_vec(),
            Self::Spelled(_, bytes) => bytes.clone(),
        };
        let is_form = Self::of(type_oid, Some(&bytes)).is_ok_and(|form| form == *self);
        is_form.then_some(Some(bytes))
    }

    pub(super) fn push(&self, out: &mut String) {
        match self {
            Self::Null => out.push_str("null"),
            Self::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            Self::Integer(number) => out.push_str(&number.to_string()),
            Self::Text(text) => push_string(text, out),
            Self::Spelled(text, bytes) => {
                out.push_str("{\"text\":");
                push_string(text, out);
                out.push_str(&format!(",\"bytes\":\"{}\"}}", URL_SAFE_NO_PAD.encode(bytes)));
            }
        }
    }

    pub(super) fn read(read: &mut Reader<'_>) -> Option<Self> {
        for (word, value) in [("null", Self::Null), ("true", Self::Bool(true)), ("false", Self::Bool(false))] {
            if read.literal(word).is_some() {
                return Some(value);
            }
        }
        if read.rest.starts_with('"') {
            return read.string().map(Self::Text);
        }
        if read.literal("{\"text\":").is_none() {
            return read.integer().map(Self::Integer);
        }
        let text = read.string()?;
        read.literal(",\"bytes\":")?;
        let bytes = URL_SAFE_NO_PAD.decode(read.string()?).ok()?;
        read.literal("}")?;
        Some(Self::Spelled(text, bytes))
    }
}
