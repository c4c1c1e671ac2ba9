//! A path's text as tokens.
//!
//! X1: key words are known whatever their case, but for `null`, `true` and `false`; in quotes or with an escape in it a word is a name.
//! Never: reads on after an error.

use base::{SqlError, SqlResult, SqlState};

#[derive(Clone, PartialEq, Debug)]
pub(super) enum Token {
    /// A bare word; `is_plain` where it may be a key word.
    Word {
        text: String,
        is_plain: bool,
    },
    /// In quotes.
    Text(String),
    Variable(String),
    /// Digits only.
    Whole(String),
    Number(String),
    /// An operator or a mark.
    Mark(&'static str),
    End,
}

/// Longer ones first.
const MARKS: [&str; 32] = [
    "&&", "||", "**", "<=", "==", "<>", "!=", ">=", "!", "<", ">", "=", "?", "%", "$", ".", "[", "]", "{", "}", "(", ")", "|", "&", "@",
    "#", ",", "*", ":", "-", "+", "/",
];

/// A token and where the text after it begins.
pub(super) struct Lexer<'t> {
    text: &'t str,
    at: usize,
    /// Where the last token began.
    pub(super) start: usize,
}

pub(super) fn wrong(message: impl Into<String>) -> SqlError {
    SqlError::new(SqlState::SYNTAX_ERROR, message.into())
}

fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r' | '\u{c}')
}

fn is_other(c: char) -> bool {
    !is_blank(c) && !"?%$.[]{}()|&!=<>@#,*:-+/\\\"".contains(c)
}

impl<'t> Lexer<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, at: 0, start: 0 }
    }

    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn take_while(&mut self, is_part: impl Fn(char) -> bool) -> &'t str {
        let rest = self.rest();
        let part = &rest[..rest.find(|c| !is_part(c)).unwrap_or(rest.len())];
        self.at += part.len();
        part
    }

    /// What stands from the last token's beginning on, as an error shows it.
    pub(super) fn near(&self, what: &str) -> SqlError {
        match &self.text[self.start..self.at] {
            "" => wrong(format!("{what} at end of jsonpath input")),
            shown => wrong(format!("{what} at or near \"{shown}\" of jsonpath input")),
        }
    }

    pub(super) fn next(&mut self) -> SqlResult<Token> {
        self.skip()?;
        self.start = self.at;
        let Some(first) = self.peek() else { return Ok(Token::End) };
        let second = self.rest().chars().nth(1);
        if first.is_ascii_digit() || (first == '.' && second.is_some_and(|c| c.is_ascii_digit())) {
            return self.number();
        }
        match first {
            '"' => self.quoted().map(Token::Text),
            '$' if second == Some('"') => {
                self.at += 1;
                self.quoted().map(Token::Variable)
            }
            '$' if second.is_some_and(is_other) => {
                self.at += 1;
                Ok(Token::Variable(self.take_while(is_other).to_owned()))
            }
            c if is_other(c) || c == '\\' => self.word(),
            _ => match MARKS.iter().find(|mark| self.rest().starts_with(*mark)) {
                Some(mark) => {
                    self.at += mark.len();
                    Ok(Token::Mark(mark))
                }
                None => {
                    self.at += first.len_utf8();
                    Err(self.near("syntax error"))
                }
            },
        }
    }

    fn skip(&mut self) -> SqlResult<()> {
        loop {
            self.take_while(is_blank);
            let Some(comment) = self.rest().strip_prefix("/*") else { return Ok(()) };
            match comment.find("*/") {
                Some(end) => self.at += end + 4,
                None => {
                    (self.start, self.at) = (self.text.len(), self.text.len());
                    return Err(self.near("unexpected end of comment"));
                }
            }
        }
    }

    fn number(&mut self) -> SqlResult<Token> {
        let digit = |c: char| c.is_ascii_digit();
        let from = self.at;
        let mut is_whole = true;
        // A zero in front stands alone.
        if self.rest().starts_with('0') {
            self.at += 1;
        } else {
            self.take_while(digit);
        }
        if self.peek() == Some('.') && (self.at > from || self.rest()[1..].starts_with(digit)) {
            is_whole = false;
            self.at += 1;
            self.take_while(digit);
        }
        if self.peek().is_some_and(|c| matches!(c, 'e' | 'E')) {
            let exponent = self.rest()[1..].strip_prefix(['+', '-']).unwrap_or(&self.rest()[1..]);
            let has_sign = exponent.len() + 1 < self.rest().len();
            if exponent.starts_with(digit) {
                is_whole = false;
                self.at = self.text.len() - exponent.len();
                self.take_while(digit);
            } else if has_sign {
                self.at = self.text.len() - exponent.len();
                return Err(self.near("invalid numeric literal"));
            }
        }
        if let Some(junk) = self.peek().filter(|c| is_other(*c)) {
            self.at += junk.len_utf8();
            return Err(self.near("trailing junk after numeric literal"));
        }
        let digits = self.text[from..self.at].to_owned();
        Ok(if is_whole { Token::Whole(digits) } else { Token::Number(digits) })
    }

    fn word(&mut self) -> SqlResult<Token> {
        let (mut text, mut is_plain) = (String::new(), true);
        loop {
            text.push_str(self.take_while(is_other));
            if self.peek() != Some('\\') {
                return Ok(Token::Word { text, is_plain });
            }
            is_plain = false;
            self.escape(&mut text)?;
        }
    }

    fn quoted(&mut self) -> SqlResult<String> {
        self.at += 1;
        let mut text = String::new();
        loop {
            text.push_str(self.take_while(|c| c != '"' && c != '\\'));
            match self.peek() {
                Some('"') => {
                    self.at += 1;
                    return Ok(text);
                }
                Some(_) => self.escape(&mut text)?,
                None => {
                    self.start = self.at;
                    return Err(self.near("unterminated quoted string"));
                }
            }
        }
    }

    fn escape(&mut self, text: &mut String) -> SqlResult<()> {
        self.start = self.at;
        self.at += 1;
        let Some(letter) = self.peek() else { return Err(self.near("unexpected end after backslash")) };
        self.at += letter.len_utf8();
        text.push(match letter {
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\u{b}',
            'x' => self.hexadecimal(2, "invalid hexadecimal character sequence")?,
            'u' => self.unicode()?,
            other => other,
        });
        Ok(())
    }

    fn hexadecimal(&mut self, digits: usize, what: &str) -> SqlResult<char> {
        let code = self.code(digits, what)?;
        char::from_u32(code).filter(|c| *c != '\0').ok_or_else(|| not_text(code))
    }

    fn code(&mut self, digits: usize, what: &str) -> SqlResult<u32> {
        let given = self.rest().get(..digits).filter(|given| given.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let Some(code) = given.and_then(|given| u32::from_str_radix(given, 16).ok()) else { return Err(self.near(what)) };
        self.at += digits;
        Ok(code)
    }

    /// `\u1234`, two of them for a character beyond, or `\u{12345}`.
    fn unicode(&mut self) -> SqlResult<char> {
        const WHAT: &str = "invalid Unicode escape sequence";
        if let Some(braced) = self.rest().strip_prefix('{') {
            let digits = braced.find('}').filter(|digits| (1..=6).contains(digits));
            let Some(digits) = digits else { return Err(self.near(WHAT)) };
            self.at += 1;
            let c = self.hexadecimal(digits, WHAT)?;
            self.at += 1;
            return Ok(c);
        }
        let surrogate = |detail: &str| {
            SqlError::new(SqlState::INVALID_TEXT_REPRESENTATION, "invalid input syntax for type jsonpath").detail(detail.to_owned())
        };
        let high = self.code(4, WHAT)?;
        match high {
            0xd800..0xdc00 if self.rest().starts_with("\\u") => {
                self.at += 2;
                let low = self.code(4, WHAT)?;
                if !(0xdc00..0xe000).contains(&low) {
                    return Err(surrogate("Unicode low surrogate must follow a high surrogate."));
                }
                Ok(char::from_u32(0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00)).unwrap_or(char::REPLACEMENT_CHARACTER))
            }
            0xd800..0xe000 => Err(surrogate("Unicode low surrogate must follow a high surrogate.")),
            code => char::from_u32(code).filter(|c| *c != '\0').ok_or_else(|| not_text(code)),
        }
    }
}

fn not_text(code: u32) -> SqlError {
    SqlError::new(SqlState("22P05"), "unsupported Unicode escape sequence").detail(format!("\\u{code:04x} cannot be converted to text."))
}
