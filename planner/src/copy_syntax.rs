//! The options of COPY, in the parenthesised syntax and in the one from before PostgreSQL 9.0.
//!
//! Never: judges a value; `copy::CopyOptions` does.

use sqlparser::tokenizer::{Token, TokenWithSpan};

/// Options by lower-case name, in order, each with its value if it has one.
pub(crate) type Options = Vec<(String, Option<String>)>;

/// Splits a COPY statement's visible tokens behind STDIN or STDOUT; `None` if neither is there.
pub(crate) fn split(tokens: &[TokenWithSpan]) -> Option<(&[TokenWithSpan], &[TokenWithSpan])> {
    let mut depth = 0usize;
    let mut after_direction = false;
    for (at, token) in tokens.iter().enumerate() {
        match &token.token {
            Token::LParen => depth += 1,
            Token::RParen => depth = depth.saturating_sub(1),
            token if depth == 0 => {
                if after_direction && (is_word(token, "stdin") || is_word(token, "stdout")) {
                    return Some(tokens.split_at(at + 1));
                }
                after_direction = is_word(token, "from") || is_word(token, "to");
            }
            _ => {}
        }
    }
    None
}

pub(crate) fn is_word(token: &Token, word: &str) -> bool {
    matches!(token, Token::Word(found) if found.quote_style.is_none() && found.value.eq_ignore_ascii_case(word))
}

/// Reads the options. `Err` holds the token that does not fit, or `None` for an early end.
pub(crate) fn read(tokens: &[TokenWithSpan]) -> Result<Options, Option<TokenWithSpan>> {
    let mut reader = Reader { tokens, at: 0 };
    reader.take_word("with");
    if reader.take(&Token::LParen) {
        let options = reader.listed()?;
        return reader.end(options);
    }
    let options = reader.old_syntax()?;
    reader.end(options)
}

struct Reader<'a> {
    tokens: &'a [TokenWithSpan],
    at: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<&TokenWithSpan> {
        self.tokens.get(self.at)
    }

    fn fail<T>(&self) -> Result<T, Option<TokenWithSpan>> {
        Err(self.peek().cloned())
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

    fn end(&self, options: Options) -> Result<Options, Option<TokenWithSpan>> {
        if self.at == self.tokens.len() { Ok(options) } else { self.fail() }
    }

    fn word(&mut self) -> Option<String> {
        let Token::Word(word) = &self.peek()?.token else { return None };
        let word = if word.quote_style.is_some() { word.value.clone() } else { word.value.to_lowercase() };
        self.at += 1;
        Some(word)
    }

    fn string(&mut self) -> Option<String> {
        let (Token::SingleQuotedString(text) | Token::EscapedStringLiteral(text)) = &self.peek()?.token else { return None };
        let text = text.clone();
        self.at += 1;
        Some(text)
    }

    fn number(&mut self) -> Option<String> {
        let Token::Number(digits, _) = &self.peek()?.token else { return None };
        let digits = digits.clone();
        self.at += 1;
        Some(digits)
    }

    /// `name [value], … )`
    fn listed(&mut self) -> Result<Options, Option<TokenWithSpan>> {
        let mut options = Vec::new();
        loop {
            let Some(name) = self.word() else { return self.fail() };
            let mut value = self.word().or_else(|| self.string()).or_else(|| self.number());
            if value.is_none() && self.take(&Token::Mul) {
                value = Some("*".to_owned());
            }
            if value.is_none() && self.take(&Token::LParen) {
                value = Some(self.column_list()?);
            }
            options.push((name, value));
            if self.take(&Token::RParen) {
                return Ok(options);
            }
            if !self.take(&Token::Comma) {
                return self.fail();
            }
        }
    }

    /// `column, … )`
    fn column_list(&mut self) -> Result<String, Option<TokenWithSpan>> {
        let mut columns = Vec::new();
        loop {
            let Some(column) = self.word() else { return self.fail() };
            columns.push(column);
            if self.take(&Token::RParen) {
                return Ok(columns.join(","));
            }
            if !self.take(&Token::Comma) {
                return self.fail();
            }
        }
    }

    fn old_syntax(&mut self) -> Result<Options, Option<TokenWithSpan>> {
        let mut options = Vec::new();
        while let Some(next) = self.peek() {
            let Token::Word(word) = &next.token else { return self.fail() };
            let word = word.value.to_lowercase();
            match word.as_str() {
                "binary" | "csv" => {
                    self.at += 1;
                    options.push(("format".to_owned(), Some(word)));
                }
                "header" | "freeze" => {
                    self.at += 1;
                    options.push((word, None));
                }
                "delimiter" | "delimiters" | "null" | "quote" | "escape" | "encoding" => {
                    self.at += 1;
                    self.take_word("as");
                    let Some(value) = self.string() else { return self.fail() };
                    options.push((word.trim_end_matches('s').to_owned(), Some(value)));
                }
                "force" => {
                    self.at += 1;
                    let kind = if self.take_word("quote") { "force_quote" } else { "force_not_null" };
                    options.push((kind.to_owned(), None));
                    self.at = self.tokens.len();
                }
                _ => return self.fail(),
            }
        }
        Ok(options)
    }
}
