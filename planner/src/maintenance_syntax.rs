//! VACUUM, ANALYZE and CHECKPOINT: their options and tables.
//!
//! Never: looks for a table.

use sqlparser::ast::{Ident, ObjectName};
use sqlparser::tokenizer::{Token, TokenWithSpan};

use crate::copy_syntax::is_word;

/// A statement that has nothing to do here.
#[derive(Clone, Debug)]
pub(crate) struct Maintenance {
    /// `VACUUM`, `ANALYZE` or `CHECKPOINT`.
    pub(crate) verb: &'static str,
    pub(crate) tables: Vec<ObjectName>,
}

/// Whether a statement's first token begins one of these.
pub(crate) fn begins(token: &Token) -> bool {
    ["vacuum", "analyze", "analyse", "checkpoint"].iter().any(|word| is_word(token, word))
}

/// Reads the visible tokens of a statement. `Err` holds the token that does not fit, or `None` for an early end.
pub(crate) fn read(tokens: &[TokenWithSpan]) -> Result<Maintenance, Option<TokenWithSpan>> {
    if tokens.first().is_some_and(|token| is_word(&token.token, "checkpoint")) {
        return match tokens.get(1) {
            None => Ok(Maintenance { verb: "CHECKPOINT", tables: Vec::new() }),
            Some(extra) => Err(Some(extra.clone())),
        };
    }
    let verb = if tokens.first().is_some_and(|token| is_word(&token.token, "vacuum")) { "VACUUM" } else { "ANALYZE" };
    let mut reader = Reader { tokens, at: 1 };
    if reader.take(&Token::LParen) {
        while !reader.take(&Token::RParen) {
            reader.next()?;
        }
    }
    while ["full", "freeze", "verbose", "analyze", "analyse"].iter().any(|word| reader.take_word(word)) {}
    let mut tables = Vec::new();
    while reader.peek().is_some() {
        tables.push(reader.name()?);
        if reader.take(&Token::LParen) {
            while !reader.take(&Token::RParen) {
                reader.next()?;
            }
        }
        if reader.peek().is_some() && !reader.take(&Token::Comma) {
            return Err(reader.peek().cloned());
        }
    }
    Ok(Maintenance { verb, tables })
}

struct Reader<'a> {
    tokens: &'a [TokenWithSpan],
    at: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<&TokenWithSpan> {
        self.tokens.get(self.at)
    }

    fn next(&mut self) -> Result<&TokenWithSpan, Option<TokenWithSpan>> {
        let token = self.tokens.get(self.at).ok_or(None)?;
        self.at += 1;
        Ok(token)
    }

    fn take(&mut self, token: &Token) -> bool {
        let found = self.peek().is_some_and(|next| next.token == *token);
        self.at += usize::from(found);
        found
    }

    fn take_word(&mut self, word: &str) -> bool {
        let found = self.peek().is_some_and(|next| is_word(&next.token, word));
        self.at += usize::from(found);
        found
    }

    fn name(&mut self) -> Result<ObjectName, Option<TokenWithSpan>> {
        let mut parts = Vec::new();
        loop {
            let token = self.next()?.clone();
            let Token::Word(word) = &token.token else { return Err(Some(token)) };
            let mut ident = Ident::new(word.value.clone());
            (ident.quote_style, ident.span) = (word.quote_style, token.span);
            parts.push(ident);
            if !self.take(&Token::Period) {
                return Ok(ObjectName::from(parts));
            }
        }
    }
}
