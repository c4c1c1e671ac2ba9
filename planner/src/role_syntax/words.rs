//! A reader of words and names over a statement's tokens, for the grammars that sqlparser has only in part.
//!
//! W1: a failure is the token that does not fit, or the end, so that errors point where Postgres points.
//! Never: knows a statement.

use sqlparser::ast::Ident;
use sqlparser::tokenizer::{Token, TokenWithSpan};

use crate::copy_syntax::is_word;
use crate::names::fold;

/// What stopped a reading: the token that does not fit, or `None` for the end (W1).
pub(crate) type Stop = Option<TokenWithSpan>;

/// See the module. White space is not among the tokens.
#[derive(Clone)]
pub(crate) struct Words<'a> {
    tokens: &'a [TokenWithSpan],
    at: usize,
}

impl<'a> Words<'a> {
    pub(crate) fn new(tokens: &'a [TokenWithSpan]) -> Self {
        Self { tokens, at: 0 }
    }

    pub(crate) fn peek(&self) -> Option<&'a TokenWithSpan> {
        self.tokens.get(self.at)
    }

    pub(crate) fn stop<T>(&self) -> Result<T, Stop> {
        Err(self.peek().cloned())
    }

    pub(crate) fn at_end(&self) -> bool {
        self.at == self.tokens.len()
    }

    pub(crate) fn end(&self) -> Result<(), Stop> {
        if self.at_end() { Ok(()) } else { self.stop() }
    }

    /// Whether these unquoted words come next.
    pub(crate) fn next_are(&self, words: &[&str]) -> bool {
        words.iter().enumerate().all(|(offset, word)| self.tokens.get(self.at + offset).is_some_and(|next| is_word(&next.token, word)))
    }

    /// Takes these words if all of them come next.
    pub(crate) fn take(&mut self, words: &[&str]) -> bool {
        let found = self.next_are(words);
        self.at += if found { words.len() } else { 0 };
        found
    }

    pub(crate) fn expect(&mut self, words: &[&str]) -> Result<(), Stop> {
        if self.take(words) { Ok(()) } else { self.stop() }
    }

    pub(crate) fn take_token(&mut self, token: &Token) -> bool {
        let found = self.peek().is_some_and(|next| next.token == *token);
        self.at += usize::from(found);
        found
    }

    /// The next word, lower case; `None` where there is none or it is quoted.
    pub(crate) fn keyword(&mut self) -> Option<String> {
        let Token::Word(word) = &self.peek()?.token else { return None };
        if word.quote_style.is_some() {
            return None;
        }
        self.at += 1;
        Some(word.value.to_lowercase())
    }

    /// An identifier, folded.
    pub(crate) fn name(&mut self) -> Result<String, Stop> {
        let Some(TokenWithSpan { token: Token::Word(word), .. }) = self.peek() else { return self.stop() };
        self.at += 1;
        Ok(fold(&Ident { value: word.value.clone(), quote_style: word.quote_style, span: sqlparser::tokenizer::Span::empty() }))
    }

    /// `a.b.c`
    pub(crate) fn dotted(&mut self) -> Result<Vec<String>, Stop> {
        let mut parts = vec![self.name()?];
        while self.take_token(&Token::Period) {
            parts.push(self.name()?);
        }
        Ok(parts)
    }

    /// `x, y, …`
    pub(crate) fn list<T>(&mut self, mut read: impl FnMut(&mut Self) -> Result<T, Stop>) -> Result<Vec<T>, Stop> {
        let mut items = vec![read(self)?];
        while self.take_token(&Token::Comma) {
            items.push(read(self)?);
        }
        Ok(items)
    }

    /// `( x, y, … )`
    pub(crate) fn enclosed<T>(&mut self, read: impl FnMut(&mut Self) -> Result<T, Stop>) -> Result<Vec<T>, Stop> {
        if !self.take_token(&Token::LParen) {
            return self.stop();
        }
        let items = self.list(read)?;
        if self.take_token(&Token::RParen) { Ok(items) } else { self.stop() }
    }

    /// A string constant.
    pub(crate) fn string(&mut self) -> Result<String, Stop> {
        match self.peek().map(|next| &next.token) {
            Some(Token::SingleQuotedString(text) | Token::EscapedStringLiteral(text)) => {
                self.at += 1;
                Ok(text.clone())
            }
            _ => self.stop(),
        }
    }

    /// The digits of a number, whatever number.
    pub(crate) fn number(&mut self) -> Option<String> {
        let Token::Number(digits, _) = &self.peek()?.token else { return None };
        self.at += 1;
        Some(digits.clone())
    }

    /// A whole number with or without a sign.
    pub(crate) fn integer(&mut self) -> Result<i32, Stop> {
        let before = self.at;
        let minus = self.take_token(&Token::Minus);
        if let Some(Token::Number(digits, _)) = self.peek().map(|next| &next.token)
            && let Ok(number) = format!("{}{digits}", if minus { "-" } else { "" }).parse()
        {
            self.at += 1;
            return Ok(number);
        }
        self.at = before;
        self.stop()
    }
}
