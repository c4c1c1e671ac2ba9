//! FETCH and MOVE, which sqlparser knows in part.
//!
//! Never: looks for the cursor.

use sqlparser::tokenizer::{Token, TokenWithSpan};

use crate::copy_syntax::is_word;

/// A FETCH or MOVE.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Fetch {
    /// The cursor's name, folded.
    pub(crate) name: String,
    pub(crate) direction: Direction,
    /// Only the position changes.
    pub(crate) is_move: bool,
}

/// Where to, from the present row.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Direction {
    /// So many rows on; negative ones back, 0 the present one.
    Forward(i64),
    ForwardAll,
    BackwardAll,
    /// One row, counted from 1, or from the end where negative.
    Absolute(i64),
    /// One row, counted from the present one.
    Relative(i64),
}

/// Whether a statement's first token begins one of these.
pub(crate) fn begins(token: &Token) -> bool {
    is_word(token, "fetch") || is_word(token, "move")
}

/// Reads the visible tokens of a statement. `Err` holds the token that does not fit, or `None` for an early end.
pub(crate) fn read(tokens: &[TokenWithSpan]) -> Result<Fetch, Option<TokenWithSpan>> {
    let mut reader = Reader { tokens, at: 1 };
    let is_move = tokens.first().is_some_and(|token| is_word(&token.token, "move"));
    let direction = reader.direction()?;
    if !reader.take("from") {
        reader.take("in");
    }
    let name = reader.name()?;
    match reader.peek() {
        None => Ok(Fetch { name, direction, is_move }),
        Some(extra) => Err(Some(extra.clone())),
    }
}

struct Reader<'a> {
    tokens: &'a [TokenWithSpan],
    at: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<&TokenWithSpan> {
        self.tokens.get(self.at)
    }

    fn take(&mut self, word: &str) -> bool {
        // The last token is the name, whatever it is called.
        let taken = self.at + 1 < self.tokens.len() && is_word(&self.tokens[self.at].token, word);
        self.at += usize::from(taken);
        taken
    }

    fn direction(&mut self) -> Result<Direction, Option<TokenWithSpan>> {
        let words = [
            ("next", Direction::Forward(1)),
            ("prior", Direction::Forward(-1)),
            ("first", Direction::Absolute(1)),
            ("last", Direction::Absolute(-1)),
            ("all", Direction::ForwardAll),
        ];
        if let Some((_, direction)) = words.into_iter().find(|(word, _)| self.take(word)) {
            return Ok(direction);
        }
        if self.take("absolute") {
            return self.count()?.map(Direction::Absolute).ok_or_else(|| self.peek().cloned());
        }
        if self.take("relative") {
            return self.count()?.map(Direction::Relative).ok_or_else(|| self.peek().cloned());
        }
        let backward = self.take("backward");
        let forward = !backward && self.take("forward");
        if (forward || backward) && self.take("all") {
            return Ok(if backward { Direction::BackwardAll } else { Direction::ForwardAll });
        }
        let count = self.count()?.unwrap_or(1);
        Ok(Direction::Forward(if backward { -count } else { count }))
    }

    fn count(&mut self) -> Result<Option<i64>, Option<TokenWithSpan>> {
        let start = self.at;
        let negative = match self.peek().map(|token| &token.token) {
            Some(Token::Minus) => true,
            Some(Token::Plus) => false,
            _ => {
                self.at = start.wrapping_sub(1);
                false
            }
        };
        self.at = self.at.wrapping_add(1);
        match self.peek().map(|token| token.token.clone()) {
            Some(Token::Number(digits, _)) => {
                let count: i64 = digits.parse::<i32>().map_err(|_| self.peek().cloned())?.into();
                self.at += 1;
                Ok(Some(if negative { -count } else { count }))
            }
            _ if self.at == start => Ok(None),
            _ => Err(self.peek().cloned()),
        }
    }

    fn name(&mut self) -> Result<String, Option<TokenWithSpan>> {
        match self.peek().map(|token| &token.token) {
            Some(Token::Word(word)) => {
                let name = if word.quote_style.is_some() { word.value.clone() } else { word.value.to_lowercase() };
                self.at += 1;
                Ok(name)
            }
            _ => Err(self.peek().cloned()),
        }
    }
}
