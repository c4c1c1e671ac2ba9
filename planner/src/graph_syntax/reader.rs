//! A reader over the tokens between two parentheses, which takes operators apart into their characters.
//!
//! sqlparser joins signs that stand together, so that `]->*(` has one token `->*`. In a pattern each sign is its own; in an expression they are not,
//! so expressions are cut out whole and read by sqlparser.
//!
//! W1: what does not fit is a syntax error at the token that does not, or at the closing parenthesis.
//! Never: knows what it reads.

use base::{SqlError, SqlResult};
use sqlparser::ast::{Expr, Ident, SelectItem};
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Location, Span, Token, TokenWithSpan};

use crate::bounded_dialect::Bounded;
use crate::copy_syntax::is_word;
use crate::position;
use crate::query_syntax;
use crate::syntax_errors::{DEPTH_MAX, at_end, check_chains, near, syntax_error, too_complex};

/// Words of expressions that an operand follows.
const JOINING: [&str; 14] =
    ["and", "or", "not", "like", "ilike", "between", "in", "from", "case", "when", "then", "else", "escape", "collate"];

/// See the module. White space is not among the tokens.
pub(super) struct Reader<'a> {
    sql: &'a str,
    tokens: &'a [TokenWithSpan],
    at: usize,
    /// Characters already taken of an operator.
    within: usize,
    /// What follows the last token; `None` for the end of the statement.
    close: Option<Span>,
    depth: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(sql: &'a str, tokens: &'a [TokenWithSpan], close: Option<Span>) -> Self {
        Self { sql, tokens, at: 0, within: 0, close, depth: 0 }
    }

    pub(super) fn peek(&self) -> Option<&'a Token> {
        self.tokens.get(self.at).map(|next| &next.token)
    }

    fn peek_after(&self, offset: usize) -> Option<&'a Token> {
        self.tokens.get(self.at + offset).map(|next| &next.token)
    }

    pub(super) fn at_end(&self) -> bool {
        self.at == self.tokens.len()
    }

    /// Of the next token, without what was taken of it.
    pub(super) fn span(&self) -> Span {
        let mut span = self.tokens.get(self.at).map(|next| next.span).or(self.close).unwrap_or_else(Span::empty);
        span.start = Location { line: span.start.line, column: span.start.column + self.within as u64 };
        span
    }

    /// The error for the next token (W1).
    pub(super) fn unexpected(&self) -> SqlError {
        if self.at_end() && self.close.is_none() { at_end(self.sql, self.tokens) } else { near(self.sql, self.span()) }
    }

    /// Points an error at the next token.
    pub(super) fn point(&self, error: SqlError) -> SqlError {
        self.point_at(error, self.span())
    }

    pub(super) fn point_at(&self, error: SqlError, span: Span) -> SqlError {
        match position::character(self.sql, span.start) {
            Some(at) => error.at(at),
            None => error,
        }
    }

    pub(super) fn stop<T>(&self) -> SqlResult<T> {
        Err(self.unexpected())
    }

    pub(super) fn end(&self) -> SqlResult<()> {
        if self.at_end() { Ok(()) } else { self.stop() }
    }

    pub(super) fn is_word(&self, word: &str) -> bool {
        self.peek().is_some_and(|next| is_word(next, word))
    }

    /// Takes these words if all of them come next.
    pub(super) fn take_words(&mut self, words: &[&str]) -> bool {
        let found = words.iter().enumerate().all(|(offset, word)| self.peek_after(offset).is_some_and(|next| is_word(next, word)));
        self.at += if found { words.len() } else { 0 };
        found
    }

    /// `( x, y, … )`
    pub(super) fn enclosed<T>(&mut self, mut read: impl FnMut(&mut Self) -> SqlResult<T>) -> SqlResult<Vec<T>> {
        self.expect(&Token::LParen)?;
        let mut items = vec![read(self)?];
        while self.take(&Token::Comma) {
            items.push(read(self)?);
        }
        self.expect(&Token::RParen)?;
        Ok(items)
    }

    /// A string constant.
    pub(super) fn string(&mut self) -> SqlResult<String> {
        match self.peek() {
            Some(Token::SingleQuotedString(text) | Token::EscapedStringLiteral(text)) => {
                self.at += 1;
                Ok(text.clone())
            }
            Some(Token::DollarQuotedString(text)) => {
                self.at += 1;
                Ok(text.value.clone())
            }
            _ => self.stop(),
        }
    }

    /// Whether the next token is a word and the one after it this one.
    pub(super) fn is_word_before(&self, token: &Token) -> bool {
        matches!(self.peek(), Some(Token::Word(_))) && self.peek_after(1) == Some(token)
    }

    /// Whether an operator's sign, or one of these tokens, comes after the next one.
    pub(super) fn is_path_after_word(&self) -> bool {
        match self.peek_after(1) {
            Some(Token::LParen) => true,
            Some(token) => signs(token).is_some_and(|signs| signs.starts_with(['-', '<', '~'])),
            None => false,
        }
    }

    pub(super) fn take_word(&mut self, word: &str) -> bool {
        let found = self.is_word(word);
        self.at += usize::from(found);
        found
    }

    /// One of these words.
    pub(super) fn take_one(&mut self, words: &[&'static str]) -> Option<&'static str> {
        words.iter().copied().find(|word| self.take_word(word))
    }

    pub(super) fn expect_word(&mut self, word: &str) -> SqlResult<()> {
        if self.take_word(word) { Ok(()) } else { self.stop() }
    }

    pub(super) fn take(&mut self, token: &Token) -> bool {
        let found = self.within == 0 && self.peek() == Some(token);
        self.at += usize::from(found);
        found
    }

    pub(super) fn expect(&mut self, token: &Token) -> SqlResult<()> {
        if self.take(token) { Ok(()) } else { self.stop() }
    }

    /// The next sign of an operator.
    pub(super) fn peek_sign(&self) -> Option<char> {
        signs(self.peek()?)?.chars().nth(self.within)
    }

    pub(super) fn take_sign(&mut self, sign: char) -> bool {
        let Some(signs) = self.peek().and_then(signs) else { return false };
        if signs.chars().nth(self.within) != Some(sign) {
            return false;
        }
        self.within += 1;
        if self.within == signs.len() {
            (self.at, self.within) = (self.at + 1, 0);
        }
        true
    }

    pub(super) fn expect_sign(&mut self, sign: char) -> SqlResult<()> {
        if self.take_sign(sign) { Ok(()) } else { self.stop() }
    }

    /// An identifier as it is written.
    pub(super) fn ident(&mut self) -> SqlResult<Ident> {
        let Some(TokenWithSpan { token: Token::Word(word), span }) = self.tokens.get(self.at) else { return self.stop() };
        self.at += 1;
        Ok(Ident { value: word.value.clone(), quote_style: word.quote_style, span: *span })
    }

    /// A whole number.
    pub(super) fn number(&mut self) -> SqlResult<u32> {
        let Some(Token::Number(digits, _)) = self.peek() else { return self.stop() };
        let Ok(number) = digits.parse() else { return self.stop() };
        self.at += 1;
        Ok(number)
    }

    pub(super) fn is_number(&self) -> bool {
        matches!(self.peek(), Some(Token::Number(..)))
    }

    /// One level further in. Errors: 54001.
    pub(super) fn enter(&mut self) -> SqlResult<()> {
        self.depth += 1;
        if self.depth > DEPTH_MAX { Err(too_complex()) } else { Ok(()) }
    }

    pub(super) fn leave(&mut self) {
        self.depth -= 1;
    }

    /// The tokens up to the parenthesis or bracket that ends them, or to where `ends` says so; what ends them is not taken.
    fn cut(&mut self, ends: impl Fn(&Self) -> bool) -> &'a [TokenWithSpan] {
        let (start, mut depth) = (self.at, 0_usize);
        while let Some(token) = self.peek() {
            match token {
                _ if depth == 0 && self.at > start && ends(self) => break,
                Token::LParen | Token::LBracket => depth += 1,
                Token::RParen | Token::RBracket if depth == 0 => break,
                Token::RParen | Token::RBracket => depth -= 1,
                _ => {}
            }
            self.at += 1;
        }
        &self.tokens[start..self.at]
    }

    /// An expression that ends where the enclosing parenthesis or bracket does.
    pub(super) fn expression(&mut self) -> SqlResult<Expr> {
        let tokens = self.cut(|_| false);
        self.parse(tokens, |parser| parser.parse_expr())
    }

    /// The condition of a MATCH, which ends before COLUMNS, ONE ROW and the next MATCH or OPTIONAL, too, and where braces around it do.
    pub(super) fn condition_of_match(&mut self) -> SqlResult<Expr> {
        let tokens = self.cut(|reader| {
            let is_word_at = |offset: usize, word: &str| reader.peek_after(offset).is_some_and(|next| is_word(next, word));
            let is_match = match reader.peek_after(1) {
                Some(Token::LBrace) => true,
                Some(Token::LParen) => is_word_at(2, "match"),
                _ => is_word_at(1, "match"),
            };
            let begins_columns = reader.is_word("columns") && reader.peek_after(1) == Some(&Token::LParen);
            let begins_match = reader.is_word("match") && reader.is_behind_operand();
            let begins_rows = reader.is_word("one") && is_word_at(1, "row") && is_word_at(2, "per");
            begins_columns || begins_rows || begins_match || reader.is_word("optional") && is_match || reader.peek() == Some(&Token::RBrace)
        });
        self.parse(tokens, |parser| parser.parse_expr())
    }

    /// Whether the token before the next one ends an expression, so that a word here is no operand.
    fn is_behind_operand(&self) -> bool {
        let before = self.at.checked_sub(1).and_then(|at| self.tokens.get(at)).map(|before| &before.token);
        match before {
            Some(Token::Word(_)) => !JOINING.iter().any(|word| before.is_some_and(|before| is_word(before, word))),
            Some(Token::RParen | Token::RBracket | Token::Number(..) | Token::SingleQuotedString(_)) => true,
            Some(Token::EscapedStringLiteral(_) | Token::DollarQuotedString(_) | Token::Placeholder(_)) => true,
            _ => false,
        }
    }

    /// An expression within brackets that ends before COST, where that is no name: it stands between two expressions.
    pub(super) fn expression_before_cost(&mut self) -> SqlResult<Expr> {
        let (start, mut depth) = (self.at, 0_usize);
        let begins = |token: Option<&Token>| {
            matches!(token, Some(Token::Word(_) | Token::Number(..) | Token::SingleQuotedString(_) | Token::LParen))
        };
        while let Some(token) = self.peek() {
            let ends = |token: &Token| begins(Some(token)) && *token != Token::LParen || matches!(token, Token::RParen | Token::RBracket);
            let is_behind = self.at > start && ends(&self.tokens[self.at - 1].token);
            match token {
                _ if depth == 0 && is_behind && is_word(token, "cost") && begins(self.peek_after(1)) => break,
                Token::LParen | Token::LBracket => depth += 1,
                Token::RParen | Token::RBracket if depth == 0 => break,
                Token::RParen | Token::RBracket => depth -= 1,
                _ => {}
            }
            self.at += 1;
        }
        self.parse(&self.tokens[start..self.at], |parser| parser.parse_expr())
    }

    /// An expression that ends before this word.
    pub(super) fn expression_before(&mut self, word: &str) -> SqlResult<Expr> {
        let (start, mut depth) = (self.at, 0_usize);
        while let Some(token) = self.peek() {
            match token {
                Token::LParen | Token::LBracket => depth += 1,
                Token::RParen | Token::RBracket => depth = depth.saturating_sub(1),
                token if depth == 0 && is_word(token, word) => break,
                _ => {}
            }
            self.at += 1;
        }
        self.parse(&self.tokens[start..self.at], |parser| parser.parse_expr())
    }

    /// `expression [AS name], …` up to the closing parenthesis.
    pub(super) fn items(&mut self) -> SqlResult<Vec<SelectItem>> {
        let tokens = self.cut(|_| false);
        self.parse(tokens, |parser| parser.parse_comma_separated(Parser::parse_select_item))
    }

    fn parse<T>(&self, tokens: &[TokenWithSpan], read: impl FnOnce(&mut Parser<'_>) -> Result<T, ParserError>) -> SqlResult<T> {
        if tokens.is_empty() {
            return self.stop();
        }
        check_chains(tokens)?;
        let respelled = query_syntax::respell(tokens).unwrap_or_else(|| tokens.to_vec());
        let dialect = Bounded::of(tokens.len());
        let mut parser = Parser::new(&dialect).with_recursion_limit(DEPTH_MAX).with_tokens_with_locations(respelled);
        let failed = |error: ParserError| match syntax_error(self.sql, tokens, error) {
            // sqlparser met the end of the slice: that is where this reader is.
            error if error.message().ends_with("end of input") => self.unexpected(),
            error => error,
        };
        let parsed = read(&mut parser).map_err(failed)?;
        let rest = parser.peek_token();
        if rest.token == Token::EOF { Ok(parsed) } else { Err(near(self.sql, rest.span)) }
    }
}

/// The signs of an operator; `None` for any other token.
fn signs(token: &Token) -> Option<String> {
    if matches!(token, Token::Word(_) | Token::Number(..) | Token::SingleQuotedString(_)) {
        return None;
    }
    let text = token.to_string();
    let is_operator = !text.is_empty() && text.chars().all(|sign| "+-*/<>=~!@#%^&|`?".contains(sign));
    is_operator.then_some(text)
}
