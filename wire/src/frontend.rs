//! The client's messages, read from a frame's body without copying.
//!
//! F1: a body is read to its last byte and never past it; short, long or unterminated bodies are 08P01.
//! F2: text is valid UTF-8 or refused with 22021, as Postgres does; nothing is replaced silently.
//! Never: panics on any bytes.

use base::{SqlError, SqlResult, SqlState};

/// Reads a body front to back (F1).
struct Reader<'a> {
    rest: &'a [u8],
}

fn violation(message: &'static str) -> SqlError {
    SqlError::new(SqlState::PROTOCOL_VIOLATION, message)
}

impl<'a> Reader<'a> {
    fn bytes(&mut self, count: usize) -> SqlResult<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or_else(|| violation("insufficient data left in message"))?;
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> SqlResult<[u8; N]> {
        let (taken, rest) = self.rest.split_first_chunk().ok_or_else(|| violation("insufficient data left in message"))?;
        self.rest = rest;
        Ok(*taken)
    }

    fn byte(&mut self) -> SqlResult<u8> {
        self.array().map(|[byte]| byte)
    }

    fn count(&mut self) -> SqlResult<usize> {
        self.array().map(|bytes| u16::from_be_bytes(bytes).into())
    }

    fn int4(&mut self) -> SqlResult<i32> {
        self.array().map(i32::from_be_bytes)
    }

    fn string(&mut self) -> SqlResult<&'a str> {
        let end = self.rest.iter().position(|byte| *byte == 0).ok_or_else(|| violation("invalid string in message"))?;
        let text = &self.rest[..end];
        self.rest = &self.rest[end + 1..];
        utf8(text)
    }

    fn formats(&mut self) -> SqlResult<Vec<i16>> {
        let count = self.count()?;
        let bytes = self.bytes(2 * count)?;
        Ok(bytes.chunks_exact(2).map(|pair| i16::from_be_bytes([pair[0], pair[1]])).collect())
    }

    fn end(self) -> SqlResult<()> {
        if self.rest.is_empty() { Ok(()) } else { Err(violation("invalid message format")) }
    }
}

/// Checks bytes from the client (F2).
pub(crate) fn utf8(bytes: &[u8]) -> SqlResult<&str> {
    std::str::from_utf8(bytes).map_err(|error| {
        let bad = &bytes[error.valid_up_to()..];
        let length = error.error_len().unwrap_or(bad.len()).clamp(1, 4);
        let hex: Vec<String> = bad.iter().take(length).map(|byte| format!("0x{byte:02x}")).collect();
        let message = format!("invalid byte sequence for encoding \"UTF8\": {}", hex.join(" "));
        SqlError::new(SqlState::CHARACTER_NOT_IN_REPERTOIRE, message)
    })
}

/// Query: the text of a simple query.
pub(crate) fn query(body: &[u8]) -> SqlResult<&str> {
    let mut reader = Reader { rest: body };
    let text = reader.string()?;
    reader.end()?;
    Ok(text)
}

/// Parse.
#[derive(Debug)]
pub(crate) struct Parse<'a> {
    /// Empty for the unnamed statement.
    pub name: &'a str,
    /// One statement.
    pub text: &'a str,
    /// Parameter type oids; 0 is «infer».
    pub type_oids: Vec<u32>,
}

pub(crate) fn parse(body: &[u8]) -> SqlResult<Parse<'_>> {
    let mut reader = Reader { rest: body };
    let (name, text) = (reader.string()?, reader.string()?);
    let count = reader.count()?;
    let oids = reader.bytes(4 * count)?;
    let type_oids = oids.chunks_exact(4).map(|oid| u32::from_be_bytes([oid[0], oid[1], oid[2], oid[3]])).collect();
    reader.end()?;
    Ok(Parse { name, text, type_oids })
}

/// Bind.
#[derive(Debug)]
pub(crate) struct Bind<'a> {
    /// Empty for the unnamed portal.
    pub portal: &'a str,
    /// Empty for the unnamed statement.
    pub statement: &'a str,
    /// None, one for all, or one a parameter.
    pub parameter_formats: Vec<i16>,
    /// `None` is NULL.
    pub parameters: Vec<Option<&'a [u8]>>,
    /// None, one for all, or one a column.
    pub result_formats: Vec<i16>,
}

pub(crate) fn bind(body: &[u8]) -> SqlResult<Bind<'_>> {
    let mut reader = Reader { rest: body };
    let (portal, statement) = (reader.string()?, reader.string()?);
    let parameter_formats = reader.formats()?;
    let count = reader.count()?;
    let mut parameters = Vec::with_capacity(count.min(reader.rest.len() / 4));
    for _ in 0..count {
        parameters.push(match reader.int4()? {
            -1 => None,
            length => {
                let length = usize::try_from(length).map_err(|_| violation("invalid message format"))?;
                Some(reader.bytes(length)?)
            }
        });
    }
    let result_formats = reader.formats()?;
    reader.end()?;
    Ok(Bind { portal, statement, parameter_formats, parameters, result_formats })
}

/// What Describe and Close are about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Target<'a> {
    /// A prepared statement by name.
    Statement(&'a str),
    /// A portal by name.
    Portal(&'a str),
}

/// Describe and Close share one layout; `verb` is for the error's text.
pub(crate) fn target<'a>(body: &'a [u8], verb: &str) -> SqlResult<Target<'a>> {
    let mut reader = Reader { rest: body };
    let kind = reader.byte()?;
    let name = reader.string()?;
    reader.end()?;
    match kind {
        b'S' => Ok(Target::Statement(name)),
        b'P' => Ok(Target::Portal(name)),
        other => Err(SqlError::new(SqlState::PROTOCOL_VIOLATION, format!("invalid {verb} message subtype {other}"))),
    }
}

/// Execute: portal and row limit, `None` for all rows.
pub(crate) fn execute(body: &[u8]) -> SqlResult<(&str, Option<usize>)> {
    let mut reader = Reader { rest: body };
    let portal = reader.string()?;
    let rows_max = reader.int4()?;
    reader.end()?;
    Ok((portal, usize::try_from(rows_max).ok().filter(|rows| *rows > 0)))
}

/// CopyFail: the client's reason.
pub(crate) fn copy_fail(body: &[u8]) -> SqlResult<&str> {
    let mut reader = Reader { rest: body };
    reader.string()
}

#[cfg(test)]
mod tests;
