//! Clauses of CREATE TABLE that sqlparser does not read: `UNLOGGED`, `LIKE other …` among the columns, `WITH [NO] DATA` behind a query.
//!
//! C2: what is not recognised stays where it is, for sqlparser to refuse.
//! Never: looks at the catalog.

use sqlparser::ast::{Ident, ObjectName};
use sqlparser::tokenizer::{Token, TokenWithSpan};

use crate::copy_syntax::is_word;

/// `LIKE other [INCLUDING … | EXCLUDING …] …`
#[derive(Clone, Debug)]
pub(crate) struct Like {
    pub(crate) name: ObjectName,
    /// Elements written before it.
    pub(crate) at: usize,
    /// What comes along beside columns and NOT NULL.
    pub(crate) including: Including,
}

/// What of a table LIKE takes over.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) struct Including {
    pub(crate) comments: bool,
    pub(crate) constraints: bool,
    pub(crate) defaults: bool,
    pub(crate) generated: bool,
    pub(crate) identity: bool,
    pub(crate) indexes: bool,
}

/// What was taken out of a CREATE TABLE.
#[derive(Clone, Default, Debug)]
pub(crate) struct TableClauses {
    pub(crate) likes: Vec<Like>,
    pub(crate) no_data: bool,
}

/// The visible tokens without these clauses; `None` for a statement that is no CREATE TABLE.
pub(crate) fn take(tokens: &[TokenWithSpan]) -> Option<(Vec<TokenWithSpan>, TableClauses)> {
    let mut rest = tokens.to_vec();
    let at = (1..rest.len().min(4)).find(|at| is_word(&rest[*at].token, "table"))?;
    let is_modifier =
        |token: &TokenWithSpan| ["temp", "temporary", "local", "global", "unlogged"].iter().any(|word| is_word(&token.token, word));
    if !rest[1..at].iter().all(is_modifier) {
        return None;
    }
    rest.retain(|token| !is_word(&token.token, "unlogged") || token.span.start >= tokens[at].span.start);
    let mut clauses = TableClauses::default();
    take_data(&mut rest, &mut clauses);
    take_likes(&mut rest, &mut clauses)?;
    Some((rest, clauses))
}

pub(crate) fn take_data(rest: &mut Vec<TokenWithSpan>, clauses: &mut TableClauses) {
    let is = |token: Option<&TokenWithSpan>, word: &str| token.is_some_and(|token| is_word(&token.token, word));
    let length = rest.len();
    if !is(rest.last(), "data") {
        return;
    }
    if length > 3 && is(rest.get(length - 3), "with") && is(rest.get(length - 2), "no") {
        clauses.no_data = true;
        rest.truncate(length - 3);
    } else if length > 2 && is(rest.get(length - 2), "with") {
        rest.truncate(length - 2);
    }
}

/// Takes the elements that begin with LIKE out of the list of columns. `None` where one cannot be read.
fn take_likes(rest: &mut Vec<TokenWithSpan>, clauses: &mut TableClauses) -> Option<()> {
    let Some(open) = rest.iter().position(|token| token.token == Token::LParen) else { return Some(()) };
    let mut depth = 0usize;
    let mut elements: Vec<Vec<TokenWithSpan>> = vec![Vec::new()];
    let mut close = None;
    for (at, token) in rest.iter().enumerate().skip(open) {
        match token.token {
            Token::LParen => depth += 1,
            Token::RParen => depth -= 1,
            _ => {}
        }
        match (&token.token, depth) {
            (Token::LParen, 1) => continue,
            (_, 0) => {
                close = Some(at);
                break;
            }
            (Token::Comma, 1) => elements.push(Vec::new()),
            _ => elements.last_mut()?.push(token.clone()),
        }
    }
    let close = close?;
    let is_like = |element: &[TokenWithSpan]| element.first().is_some_and(|token| is_word(&token.token, "like"));
    if !elements.iter().any(|element| is_like(element)) {
        return Some(());
    }
    let comma = TokenWithSpan { token: Token::Comma, span: rest[open].span };
    let mut kept: Vec<TokenWithSpan> = Vec::new();
    let mut at = 0;
    for element in elements {
        if is_like(&element) {
            clauses.likes.push(like(&element, at)?);
            continue;
        }
        if at > 0 {
            kept.push(comma.clone());
        }
        at += 1;
        kept.extend(element);
    }
    rest.splice(open + 1..close, kept);
    Some(())
}

fn like(element: &[TokenWithSpan], at: usize) -> Option<Like> {
    let mut parts = Vec::new();
    let mut next = 1;
    loop {
        let Token::Word(word) = &element.get(next)?.token else { return None };
        let mut ident = Ident::new(word.value.clone());
        (ident.quote_style, ident.span) = (word.quote_style, element[next].span);
        parts.push(ident);
        next += 1;
        if element.get(next).is_none_or(|token| token.token != Token::Period) {
            break;
        }
        next += 1;
    }
    let mut including = Including::default();
    for pair in element.get(next..)?.chunks(2) {
        let [verb, what] = pair else { return None };
        let yes = is_word(&verb.token, "including");
        if !yes && !is_word(&verb.token, "excluding") {
            return None;
        }
        let is = |word: &str| is_word(&what.token, word);
        match () {
            () if is("all") => {
                including = Including { comments: yes, constraints: yes, defaults: yes, generated: yes, identity: yes, indexes: yes }
            }
            () if is("comments") => including.comments = yes,
            () if is("constraints") => including.constraints = yes,
            () if is("defaults") => including.defaults = yes,
            () if is("generated") => including.generated = yes,
            () if is("identity") => including.identity = yes,
            () if is("indexes") => including.indexes = yes,
            // Nothing here has storage, compression, or statistics of such kinds.
            () if ["compression", "statistics", "storage"].iter().any(|word| is(word)) => {}
            () => return None,
        }
    }
    Some(Like { name: ObjectName::from(parts), at, including })
}
