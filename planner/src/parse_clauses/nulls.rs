//! `UNIQUE NULLS [NOT] DISTINCT` of a column, which becomes a constraint of its table behind the column: that is how sqlparser reads it.
//!
//! Never: touches what is not such a constraint.

use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, TokenWithSpan};

use super::{is_word, keyword};

/// The tokens of a CREATE TABLE or ALTER TABLE with such constraints moved; `None` where there is none.
pub(super) fn moved(tokens: &[TokenWithSpan]) -> Option<Vec<TokenWithSpan>> {
    if !matches!(keyword(tokens.first()?), Keyword::CREATE | Keyword::ALTER) {
        return None;
    }
    let mut moved = move_one(tokens)?;
    while let Some(next) = move_one(&moved) {
        moved = next;
    }
    Some(moved)
}

fn move_one(tokens: &[TokenWithSpan]) -> Option<Vec<TokenWithSpan>> {
    let is = |at: usize, word: &str| tokens.get(at).is_some_and(|token| is_word(token, word));
    let end_of = |at: usize| match (is(at, "unique") && is(at + 1, "nulls"), is(at + 2, "distinct"), is(at + 3, "distinct")) {
        (true, true, _) => Some(at + 3),
        (true, false, true) if is(at + 2, "not") => Some(at + 4),
        _ => None,
    };
    let is_of_column = |end: &usize| tokens.get(*end).is_none_or(|token| token.token != Token::LParen);
    let (at, end) = (0..tokens.len()).find_map(|at| Some((at, end_of(at).filter(is_of_column)?)))?;
    let start = if at >= 2 && is(at - 2, "constraint") { at - 2 } else { at };
    let mut timed = end;
    loop {
        timed += match () {
            () if is(timed, "deferrable") => 1,
            () if is(timed, "not") && is(timed + 1, "deferrable") => 2,
            () if is(timed, "initially") => 2,
            () => break,
        };
    }
    let (first, is_added) = element(tokens, start)?;
    let mut depth = 0;
    let is_end = |at: &usize| {
        depth += depth_of(&tokens[*at]);
        depth < 0 || (depth == 0 && tokens[*at].token == Token::Comma)
    };
    let element_end = (timed..tokens.len()).find(is_end).unwrap_or(tokens.len());
    let column = tokens.get(first)?;
    let mark = |token: Token| TokenWithSpan { token, span: column.span };
    let mut moved = tokens[..start].to_vec();
    moved.extend_from_slice(tokens.get(timed..element_end)?);
    moved.push(mark(Token::Comma));
    if is_added {
        moved.push(mark(Token::make_keyword("ADD")));
    }
    moved.extend_from_slice(&tokens[start..end]);
    moved.extend([mark(Token::LParen), column.clone(), mark(Token::RParen)]);
    moved.extend_from_slice(&tokens[end..timed]);
    moved.extend_from_slice(&tokens[element_end..]);
    Some(moved)
}

fn depth_of(token: &TokenWithSpan) -> i32 {
    match token.token {
        Token::LParen => 1,
        Token::RParen => -1,
        _ => 0,
    }
}

/// Where the name of the column stands that the token at `at` says something of, and whether an ALTER TABLE adds it.
fn element(tokens: &[TokenWithSpan], at: usize) -> Option<(usize, bool)> {
    let mut depth = 0;
    for before in (0..at).rev() {
        depth += depth_of(&tokens[before]);
        if depth > 0 || (depth == 0 && tokens[before].token == Token::Comma) {
            return Some((before + 1, false))
                .filter(|(first, _)| keyword(&tokens[*first]) != Keyword::ADD)
                .or_else(|| added(tokens, before + 1));
        }
        if depth == 0 && keyword(&tokens[before]) == Keyword::ADD {
            return added(tokens, before);
        }
    }
    None
}

/// The same, from an ADD [COLUMN] [IF NOT EXISTS] on.
fn added(tokens: &[TokenWithSpan], add: usize) -> Option<(usize, bool)> {
    let mut first = add + 1;
    for word in ["column", "if", "not", "exists"] {
        first += usize::from(is_word(tokens.get(first)?, word));
    }
    Some((first, true))
}
