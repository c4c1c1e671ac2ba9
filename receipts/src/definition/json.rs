//! As much of JSON (RFC 8259) as definitions use: integers only, no member twice, nesting bounded.
//!
//! J1: never recurses deeper than [`DEPTH_MAX`].
//!
//! Never: accepts a fraction, an exponent or a lone surrogate.

use crate::FormatError;

const DEPTH_MAX: usize = 16;

#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Json {
    Null,
    Bool,
    Number(i64),
    Text(String),
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl Json {
    pub(super) fn member(&self, name: &str) -> Option<&Json> {
        match self {
            Json::Object(members) => members.iter().find(|(member, _)| member == name).map(|(_, value)| value),
            _ => None,
        }
    }
}

pub(super) fn parse(text: &str) -> Result<Json, FormatError> {
    let mut reader = Reader { rest: text };
    let value = reader.value(0)?;
    reader.skip_space();
    if reader.rest.is_empty() { Ok(value) } else { Err(error("has text after its end")) }
}

fn error(why: &str) -> FormatError {
    FormatError::new("table definition", why)
}

struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn skip_space(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\n', '\r']);
    }

    fn eat(&mut self, token: &str) -> bool {
        self.skip_space();
        match self.rest.strip_prefix(token) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn next(&mut self) -> Result<char, FormatError> {
        let mut chars = self.rest.chars();
        let c = chars.next().ok_or_else(|| error("ends early"))?;
        self.rest = chars.as_str();
        Ok(c)
    }

    fn value(&mut self, depth: usize) -> Result<Json, FormatError> {
        if depth > DEPTH_MAX {
            return Err(error("is nested too deeply"));
        }
        if self.eat("{") {
            return self.object(depth);
        }
        if self.eat("[") {
            return self.list(depth);
        }
        if self.eat("\"") {
            return Ok(Json::Text(self.text()?));
        }
        for (word, value) in [("true", Json::Bool), ("false", Json::Bool), ("null", Json::Null)] {
            if self.eat(word) {
                return Ok(value);
            }
        }
        self.number()
    }

    fn number(&mut self) -> Result<Json, FormatError> {
        let end = self.rest.find(|c: char| !matches!(c, '0'..='9' | '-' | '+' | '.' | 'e' | 'E')).unwrap_or(self.rest.len());
        let (digits, rest) = self.rest.split_at(end);
        self.rest = rest;
        let number: i64 = digits.parse().map_err(|_| error("holds something that is no JSON integer"))?;
        // Writing it again refuses leading zeros and plus signs.
        if number.to_string() == digits { Ok(Json::Number(number)) } else { Err(error("holds a number that is not canonical")) }
    }

    fn list(&mut self, depth: usize) -> Result<Json, FormatError> {
        let mut list = Vec::new();
        if self.eat("]") {
            return Ok(Json::List(list));
        }
        loop {
            list.push(self.value(depth + 1)?);
            if self.eat("]") {
                return Ok(Json::List(list));
            }
            if !self.eat(",") {
                return Err(error("has a list without comma or end"));
            }
        }
    }

    fn object(&mut self, depth: usize) -> Result<Json, FormatError> {
        let mut members: Vec<(String, Json)> = Vec::new();
        if self.eat("}") {
            return Ok(Json::Object(members));
        }
        loop {
            if !self.eat("\"") {
                return Err(error("has a member without a name"));
            }
            let name = self.text()?;
            if members.iter().any(|(member, _)| *member == name) {
                return Err(error("has one member twice"));
            }
            if !self.eat(":") {
                return Err(error("has a member without a colon"));
            }
            members.push((name, self.value(depth + 1)?));
            if self.eat("}") {
                return Ok(Json::Object(members));
            }
            if !self.eat(",") {
                return Err(error("has an object without comma or end"));
            }
        }
    }

    /// The rest of a string, after its opening quote.
    fn text(&mut self) -> Result<String, FormatError> {
        let mut text = String::new();
        loop {
            match self.next()? {
                '"' => return Ok(text),
                '\\' => text.push(self.escape()?),
                c if c < ' ' => return Err(error("has a control character in a string")),
                c => text.push(c),
            }
        }
    }

    fn escape(&mut self) -> Result<char, FormatError> {
        Ok(match self.next()? {
            c @ ('"' | '\\' | '/') => c,
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                let high = self.hex4()?;
                let code = match high {
                    0xd800..=0xdbff => match (self.next()?, self.next()?, self.hex4()?) {
                        ('\\', 'u', low @ 0xdc00..=0xdfff) => 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00),
                        _ => return Err(error("has a lone surrogate in a string")),
                    },
                    code => code,
                };
                char::from_u32(code).ok_or_else(|| error("has a lone surrogate in a string"))?
            }
            _ => return Err(error("has an unknown escape in a string")),
        })
    }

    fn hex4(&mut self) -> Result<u32, FormatError> {
        (0..4).try_fold(0, |code, _| {
            let digit = self.next()?.to_digit(16).ok_or_else(|| error("has a bad \\u escape in a string"))?;
            Ok(code << 4 | digit)
        })
    }
}
