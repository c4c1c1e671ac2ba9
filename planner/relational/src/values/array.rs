//! Arrays as text: `{1,NULL,"a b"}`, of elements that are text already.
//!
//! A1: one dimension that counts from 1; more of them, or another lower bound, are 0A000.
//! Never: knows the elements' type.

use base::{SqlError, SqlResult, SqlState};

fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\x0b' | '\x0c' | '\r')
}

fn malformed(text: &str, why: &str) -> SqlError {
    SqlError::new(SqlState::INVALID_TEXT_REPRESENTATION, format!("malformed array literal: \"{text}\"")).detail(why)
}

/// The elements, `None` for NULL. Errors: 22P02, 0A000 (A1).
pub fn parse(text: &str) -> SqlResult<Vec<Option<String>>> {
    let body = without_bounds(text.trim_matches(is_blank))?;
    let Some(inside) = body.strip_prefix('{') else {
        return Err(malformed(text, "Array value must start with \"{\" or dimension information."));
    };
    let mut reader = Reader { text, rest: inside, elements: Vec::new() };
    reader.read()?;
    Ok(reader.elements)
}

/// What follows `[1:3]=`.
fn without_bounds(text: &str) -> SqlResult<&str> {
    if !text.starts_with('[') {
        return Ok(text);
    }
    match text.split_once('=') {
        Some((bounds, body)) if bounds.matches('[').count() == 1 && (bounds.starts_with("[1:") || !bounds.contains(':')) => {
            Ok(body.trim_start_matches(is_blank))
        }
        Some(_) => Err(SqlError::unsupported("an array whose subscripts do not begin at 1")),
        None => Err(malformed(text, "Missing assignment operator.")),
    }
}

struct Reader<'a> {
    text: &'a str,
    rest: &'a str,
    elements: Vec<Option<String>>,
}

impl Reader<'_> {
    fn next(&mut self) -> SqlResult<char> {
        let mut chars = self.rest.chars();
        let next = chars.next().ok_or_else(|| malformed(self.text, "Unexpected end of input."))?;
        self.rest = chars.as_str();
        Ok(next)
    }

    fn skip_blanks(&mut self) {
        self.rest = self.rest.trim_start_matches(is_blank);
    }

    fn read(&mut self) -> SqlResult<()> {
        self.skip_blanks();
        if let Some(after) = self.rest.strip_prefix('}') {
            self.rest = after;
            return self.end();
        }
        loop {
            self.skip_blanks();
            let element = match self.rest.chars().next() {
                Some('{') => return Err(SqlError::unsupported("an array of more than one dimension")),
                Some('"') => Some(self.quoted()?),
                Some(',' | '}') => return Err(self.unexpected()),
                _ => self.plain()?,
            };
            self.elements.push(element);
            self.skip_blanks();
            match self.next()? {
                ',' => {}
                '}' => return self.end(),
                _ => return Err(malformed(self.text, "Unexpected array element.")),
            }
        }
    }

    fn unexpected(&self) -> SqlError {
        let found: String = self.rest.chars().take(1).collect();
        malformed(self.text, &format!("Unexpected \"{found}\" character."))
    }

    fn quoted(&mut self) -> SqlResult<String> {
        let mut element = String::new();
        self.next()?;
        loop {
            match self.next()? {
                '"' => return Ok(element),
                '\\' => element.push(self.next()?),
                other => element.push(other),
            }
        }
    }

    /// An element without quotes; blanks around it do not count, the word NULL is NULL unless a backslash stands in it.
    fn plain(&mut self) -> SqlResult<Option<String>> {
        let (mut element, mut kept, mut is_escaped) = (String::new(), 0, false);
        loop {
            match self.rest.chars().next() {
                Some(',' | '}') => break,
                Some('{' | '"') => return Err(self.unexpected()),
                _ => {}
            }
            match self.next()? {
                '\\' => {
                    element.push(self.next()?);
                    is_escaped = true;
                    kept = element.len();
                }
                blank if is_blank(blank) => element.push(blank),
                other => {
                    element.push(other);
                    kept = element.len();
                }
            }
        }
        element.truncate(kept);
        Ok(if !is_escaped && element.eq_ignore_ascii_case("null") { None } else { Some(element) })
    }

    fn end(&mut self) -> SqlResult<()> {
        self.skip_blanks();
        if self.rest.is_empty() { Ok(()) } else { Err(malformed(self.text, "Junk after closing right brace.")) }
    }
}

/// Appends one element, quoted where it could be read as anything else.
pub fn write_element(element: &[u8], out: &mut Vec<u8>) {
    let is_special = |byte: &u8| matches!(byte, b'{' | b'}' | b',' | b'"' | b'\\' | b' ' | b'\t' | b'\n' | 0x0b | 0x0c | b'\r');
    if !element.is_empty() && !element.eq_ignore_ascii_case(b"null") && !element.iter().any(is_special) {
        out.extend_from_slice(element);
        return;
    }
    out.push(b'"');
    for byte in element {
        if matches!(byte, b'"' | b'\\') {
            out.push(b'\\');
        }
        out.push(*byte);
    }
    out.push(b'"');
}

/// Appends `{…}` of elements that `each` writes; false from it is NULL.
pub fn write(count: usize, mut each: impl FnMut(usize, &mut Vec<u8>) -> bool, out: &mut Vec<u8>) {
    let mut element = Vec::new();
    out.push(b'{');
    for at in 0..count {
        if at > 0 {
            out.push(b',');
        }
        element.clear();
        if each(at, &mut element) {
            write_element(&element, out);
        } else {
            out.extend_from_slice(b"NULL");
        }
    }
    out.push(b'}');
}
