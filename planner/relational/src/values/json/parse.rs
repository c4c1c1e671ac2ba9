//! Reads JSON text into a tree whose nodes know their text.

use std::borrow::Cow;

use base::{SqlError, SqlResult, SqlState};

/// Arrays and objects in one another, at most.
pub const DEPTH_MAX: usize = 1_000;

/// A node.
#[derive(Clone, Debug)]
pub struct Value<'a> {
    /// As it stands in the input.
    pub text: &'a str,
    /// What it is.
    pub kind: Kind<'a>,
}

/// What a node is.
#[derive(Clone, Debug)]
pub enum Kind<'a> {
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// Any number; its digits are the node's text.
    Number,
    /// A string, its escapes resolved.
    String(Cow<'a, str>),
    /// In order.
    Array(Vec<Value<'a>>),
    /// In order, keys perhaps several times.
    Object(Vec<(Cow<'a, str>, Value<'a>)>),
}

impl Kind<'_> {
    /// As `json_typeof` calls it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "boolean",
            Self::Number => "number",
            Self::String(_) => "string",
            Self::Array(_) => "array",
            Self::Object(_) => "object",
        }
    }
}

/// Reads a whole text. `strict`: strings must be text that Postgres can hold, as `jsonb` demands. Errors: 22P02, 22P05, 54001.
pub fn parse(text: &str, strict: bool) -> SqlResult<Value<'_>> {
    let mut parser = Parser { text, at: 0, depth: 0, strict };
    parser.blanks();
    let value = parser.value()?;
    parser.blanks();
    match parser.token() {
        "" => Ok(value),
        token => Err(invalid(format!("Expected end of input, but found \"{token}\"."))),
    }
}

pub(super) fn invalid(detail: impl Into<String>) -> SqlError {
    SqlError::new(SqlState::INVALID_TEXT_REPRESENTATION, "invalid input syntax for type json").detail(detail.into())
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
    strict: bool,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    /// What stands here, as an error shows it.
    fn token(&self) -> &'a str {
        let rest = &self.text[self.at..];
        let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '+' | '-') || !c.is_ascii();
        match rest.find(|c| !is_word(c)) {
            Some(0) => rest.chars().next().map_or("", |first| &rest[..first.len_utf8()]),
            Some(end) => &rest[..end],
            None => rest,
        }
    }

    fn unexpected(&self, wanted: &str) -> SqlError {
        match self.peek() {
            None => invalid("The input string ended unexpectedly."),
            Some(b'{' | b'}' | b'[' | b']' | b',' | b':' | b'"') => invalid(format!("Expected {wanted}, but found \"{}\".", self.token())),
            Some(_) => invalid(format!("Token \"{}\" is invalid.", self.token())),
        }
    }

    fn value(&mut self) -> SqlResult<Value<'a>> {
        let start = self.at;
        let kind = match self.peek() {
            Some(b'{') => self.nested(Self::object)?,
            Some(b'[') => self.nested(Self::array)?,
            Some(b'"') => Kind::String(self.string()?),
            Some(b'-' | b'0'..=b'9') => self.number()?,
            _ => self.word()?,
        };
        Ok(Value { text: &self.text[start..self.at], kind })
    }

    fn word(&mut self) -> SqlResult<Kind<'a>> {
        let word = self.token();
        let kind = match word {
            "null" => Kind::Null,
            "true" => Kind::Bool(true),
            "false" => Kind::Bool(false),
            _ => return Err(self.unexpected("JSON value")),
        };
        self.at += word.len();
        Ok(kind)
    }

    /// J2.
    fn nested(&mut self, read: impl FnOnce(&mut Self) -> SqlResult<Kind<'a>>) -> SqlResult<Kind<'a>> {
        if self.depth == DEPTH_MAX {
            return Err(SqlError::new(SqlState::STATEMENT_TOO_COMPLEX, "stack depth limit exceeded")
                .hint(format!("JSON may be nested {DEPTH_MAX} levels deep.")));
        }
        self.depth += 1;
        self.at += 1;
        let kind = read(self);
        self.depth -= 1;
        kind
    }

    fn array(&mut self) -> SqlResult<Kind<'a>> {
        let mut elements = Vec::new();
        self.blanks();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(Kind::Array(elements));
        }
        loop {
            self.blanks();
            elements.push(self.value()?);
            self.blanks();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => {
                    self.at += 1;
                    return Ok(Kind::Array(elements));
                }
                _ => return Err(self.unexpected("\",\" or \"]\"")),
            }
        }
    }

    fn object(&mut self) -> SqlResult<Kind<'a>> {
        let mut members = Vec::new();
        self.blanks();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(Kind::Object(members));
        }
        loop {
            self.blanks();
            if self.peek() != Some(b'"') {
                return Err(self.unexpected(if members.is_empty() { "string or \"}\"" } else { "string" }));
            }
            let key = self.string()?;
            self.blanks();
            if self.peek() != Some(b':') {
                return Err(self.unexpected("\":\""));
            }
            self.at += 1;
            self.blanks();
            members.push((key, self.value()?));
            self.blanks();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => {
                    self.at += 1;
                    return Ok(Kind::Object(members));
                }
                _ => return Err(self.unexpected("\",\" or \"}\"")),
            }
        }
    }

    fn number(&mut self) -> SqlResult<Kind<'a>> {
        let token = self.token();
        let digits = token.strip_prefix('-').unwrap_or(token);
        let (mantissa, exponent) = match digits.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, Some(exponent.strip_prefix(['+', '-']).unwrap_or(exponent))),
            None => (digits, None),
        };
        let (whole, part) = match mantissa.split_once('.') {
            Some((whole, part)) => (whole, Some(part)),
            None => (mantissa, None),
        };
        let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let is_number =
            is_digits(whole) && (whole == "0" || !whole.starts_with('0')) && part.is_none_or(is_digits) && exponent.is_none_or(is_digits);
        if !is_number {
            return Err(invalid(format!("Token \"{token}\" is invalid.")));
        }
        self.at += token.len();
        Ok(Kind::Number)
    }

    fn string(&mut self) -> SqlResult<Cow<'a, str>> {
        self.at += 1;
        let start = self.at;
        loop {
            match self.peek() {
                None => return Err(invalid(format!("Token \"\"{}\" is invalid.", &self.text[start..]))),
                Some(b'"') => {
                    self.at += 1;
                    return Ok(Cow::Borrowed(&self.text[start..self.at - 1]));
                }
                Some(b'\\') => return self.escaped(start),
                Some(0..0x20) => return Err(self.control()),
                Some(_) => self.at += 1,
            }
        }
    }

    fn control(&self) -> SqlError {
        let byte = self.peek().unwrap_or(0);
        invalid(format!("Character with value 0x{byte:02x} must be escaped."))
    }

    /// The rest of a string from its first escape on.
    fn escaped(&mut self, start: usize) -> SqlResult<Cow<'a, str>> {
        let mut resolved = self.text[start..self.at].to_owned();
        let mut plain = self.at;
        loop {
            match self.peek() {
                None => return Err(invalid(format!("Token \"\"{}\" is invalid.", &self.text[start..]))),
                Some(b'"') => {
                    resolved.push_str(&self.text[plain..self.at]);
                    self.at += 1;
                    return Ok(Cow::Owned(resolved));
                }
                Some(b'\\') => {
                    resolved.push_str(&self.text[plain..self.at]);
                    self.at += 1;
                    resolved.push(self.escape()?);
                    plain = self.at;
                }
                Some(0..0x20) => return Err(self.control()),
                Some(_) => self.at += 1,
            }
        }
    }

    fn escape(&mut self) -> SqlResult<char> {
        let Some(letter) = self.text[self.at..].chars().next() else {
            return Err(invalid("The input string ended unexpectedly."));
        };
        self.at += letter.len_utf8();
        Ok(match letter {
            '"' | '\\' | '/' => letter,
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => return self.unicode(),
            _ => return Err(invalid(format!("Escape sequence \"\\{letter}\" is invalid."))),
        })
    }

    fn unit(&mut self) -> SqlResult<u32> {
        let digits = self.text.get(self.at..self.at + 4).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let Some(digits) = digits else { return Err(invalid("\"\\u\" must be followed by four hexadecimal digits.")) };
        self.at += 4;
        u32::from_str_radix(digits, 16).map_err(|_| invalid("\"\\u\" must be followed by four hexadecimal digits."))
    }

    fn unicode(&mut self) -> SqlResult<char> {
        let unit = self.unit()?;
        match unit {
            0 if self.strict => {
                Err(SqlError::new(SqlState("22P05"), "unsupported Unicode escape sequence").detail("\\u0000 cannot be converted to text."))
            }
            0xd800..0xdc00 => {
                if self.text[self.at..].starts_with("\\u") {
                    let before = self.at;
                    self.at += 2;
                    let low = self.unit()?;
                    if (0xdc00..0xe000).contains(&low) {
                        let code = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
                        return Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
                    }
                    self.at = before;
                }
                self.lone("Unicode low surrogate must follow a high surrogate.")
            }
            0xdc00..0xe000 => self.lone("Unicode low surrogate must follow a high surrogate."),
            code => Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)),
        }
    }

    fn lone(&self, why: &str) -> SqlResult<char> {
        if self.strict { Err(invalid(why)) } else { Ok(char::REPLACEMENT_CHARACTER) }
    }
}
