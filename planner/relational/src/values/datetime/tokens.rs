//! Cuts date/time input into tokens by the rules of Postgres's `ParseDateTime`.
//!
//! Never: gives a token a meaning.

/// A piece of the input; words are in lower case.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// Digits alone, or with one point: part of a date, a run-together date or time, a day of the year.
    Number(&'a str),
    /// Digits or a month's name with `-`, `/` or `.` between: a whole date.
    Date(&'a str),
    /// Digits with colons: a time of day.
    Time(&'a str),
    /// A sign and digits: a zone displacement.
    Displacement(&'a str),
    /// Letters: month, weekday, zone, AM, BC …
    Word(&'a str),
    /// A sign and letters: `-infinity`.
    Signed(&'a str),
}

/// More tokens than any date has.
const TOKENS_MAX: usize = 25;

/// The tokens of a lower-case text; `None` where no token can begin, or there are too many.
pub(super) fn tokens(text: &str) -> Option<Vec<Token<'_>>> {
    let mut scanner = Scanner { text, at: 0 };
    let mut found = Vec::with_capacity(4);
    while let Some(first) = scanner.peek() {
        let start = scanner.at;
        let token = match first {
            b' ' | b'\t'..=b'\r' => {
                scanner.at += 1;
                continue;
            }
            b'0'..=b'9' => scanner.number(start),
            b'.' => {
                scanner.at += 1;
                scanner.digits();
                Token::Number(scanner.since(start))
            }
            b'a'..=b'z' => scanner.word(start),
            b'+' | b'-' => scanner.signed(start)?,
            byte if byte.is_ascii_punctuation() => {
                scanner.at += 1;
                continue;
            }
            _ => return None,
        };
        found.push(token);
        if found.len() > TOKENS_MAX {
            return None;
        }
    }
    Some(found)
}

struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scanner<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn while_any(&mut self, wanted: impl Fn(u8) -> bool) {
        while self.peek().is_some_and(&wanted) {
            self.at += 1;
        }
    }

    fn digits(&mut self) {
        self.while_any(|byte| byte.is_ascii_digit());
    }

    /// The text since a token's start; every byte passed is ASCII, so that this is a character boundary.
    fn since(&self, start: usize) -> &'a str {
        &self.text[start..self.at]
    }

    fn number(&mut self, start: usize) -> Token<'a> {
        self.digits();
        match self.peek() {
            Some(b':') => {
                self.while_any(|byte| byte.is_ascii_digit() || byte == b':' || byte == b'.');
                Token::Time(self.since(start))
            }
            Some(delimiter @ (b'-' | b'/' | b'.')) => {
                self.at += 1;
                if self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
                    self.digits();
                    if self.peek() == Some(delimiter) {
                        self.while_any(|byte| byte.is_ascii_digit() || byte == delimiter);
                    } else if delimiter == b'.' {
                        return Token::Number(self.since(start));
                    }
                } else {
                    self.while_any(|byte| byte.is_ascii_alphanumeric() || byte == delimiter);
                }
                Token::Date(self.since(start))
            }
            _ => Token::Number(self.since(start)),
        }
    }

    fn word(&mut self, start: usize) -> Token<'a> {
        self.while_any(|byte| byte.is_ascii_lowercase());
        let delimited = matches!(self.peek(), Some(b'-' | b'/' | b'.'));
        if !delimited {
            return Token::Word(self.since(start));
        }
        let end = self.at;
        self.while_any(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'/' | b'.' | b'_' | b'+' | b':'));
        // `jan-08-1999` and `america/new_york`; a displacement may follow a zone's word («utc-3»): then the word ends before the sign.
        let whole = self.since(start);
        let month = super::fields::month(&whole[..end - start]).is_some();
        if month || whole[end - start..].starts_with('/') {
            return if month { Token::Date(whole) } else { Token::Word(whole) };
        }
        self.at = end;
        Token::Word(self.since(start))
    }

    fn signed(&mut self, start: usize) -> Option<Token<'a>> {
        self.at += 1;
        match self.peek()? {
            b'0'..=b'9' => {
                self.while_any(|byte| byte.is_ascii_digit() || byte == b':');
                Some(Token::Displacement(self.since(start)))
            }
            b'a'..=b'z' => {
                self.while_any(|byte| byte.is_ascii_lowercase());
                Some(Token::Signed(self.since(start)))
            }
            _ => None,
        }
    }
}
