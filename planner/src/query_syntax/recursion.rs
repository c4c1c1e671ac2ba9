//! SEARCH and CYCLE behind a query of WITH, which sqlparser does not read.
//!
//! | written | read as |
//! |---|---|
//! | `AS (…) SEARCH DEPTH FIRST BY a, b SET o` | `AS (… ORDER BY` [`SEARCH_DEPTH`]`(a, b, o))` |
//! | `AS (…) CYCLE a SET m TO 1 DEFAULT 0 USING p` | `AS (… ORDER BY` [`CYCLE`]`(a, m, 1, 0, p))` |
//!
//! `TO` and `DEFAULT` left out are true and false.

use relational::{CYCLE, SEARCH_BREADTH, SEARCH_DEPTH};
use sqlparser::tokenizer::{Token, TokenWithSpan};

use super::{is_at, is_word, opening};

/// A clause read: its mark, and where it ends.
struct Clause {
    mark: &'static str,
    args: Vec<Vec<Token>>,
    end: usize,
}

pub(super) fn read(tokens: &mut Vec<TokenWithSpan>, at: usize) {
    let Some(close) = at.checked_sub(1).filter(|before| tokens[*before].token == Token::RParen) else { return };
    // Behind AS and its query.
    let Some(open) = opening(tokens, close) else { return };
    let before = open.checked_sub(1);
    if !(is_at(tokens, before, &["as"]) || (is_at(tokens, before, &["materialized"]))) {
        return;
    }
    let clause = if is_word(&tokens[at].token, "search") { search(tokens, at) } else { cycle(tokens, at) };
    let Some(clause) = clause else { return };
    let span = tokens[at].span;
    tokens.drain(at..clause.end);
    let mut mark = Vec::new();
    // The clauses before it, if there are such, have begun the order.
    match ordered(tokens, open, close) {
        true => mark.push(Token::Comma),
        false => mark.extend([Token::make_keyword("ORDER"), Token::make_keyword("BY")]),
    }
    mark.extend([Token::make_word(clause.mark, Some('"')), Token::LParen]);
    for (index, arg) in clause.args.into_iter().enumerate() {
        mark.extend((index > 0).then_some(Token::Comma));
        mark.extend(arg);
    }
    mark.push(Token::RParen);
    tokens.splice(close..close, mark.into_iter().map(|token| TokenWithSpan { token, span }));
}

/// Whether the query within these parentheses has an order of its own.
fn ordered(tokens: &[TokenWithSpan], open: usize, close: usize) -> bool {
    let mut depth = 0_usize;
    tokens[open + 1..close].iter().any(|token| {
        match token.token {
            Token::LParen => depth += 1,
            Token::RParen => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0 && is_word(&token.token, "order")
    })
}

fn name(tokens: &[TokenWithSpan], at: usize) -> Option<Vec<Token>> {
    match &tokens.get(at)?.token {
        word @ Token::Word(_) => Some(vec![word.clone()]),
        _ => None,
    }
}

/// Names with commas between them; where they end.
fn names(tokens: &[TokenWithSpan], mut at: usize) -> Option<(Vec<Vec<Token>>, usize)> {
    let mut names = vec![name(tokens, at)?];
    at += 1;
    while tokens.get(at).is_some_and(|token| token.token == Token::Comma) {
        names.push(name(tokens, at + 1)?);
        at += 2;
    }
    Some((names, at))
}

fn search(tokens: &[TokenWithSpan], at: usize) -> Option<Clause> {
    let mark = if is_at(tokens, Some(at + 1), &["depth"]) { SEARCH_DEPTH } else { SEARCH_BREADTH };
    let is_search = is_at(tokens, Some(at + 1), &["depth", "breadth"])
        && is_at(tokens, Some(at + 2), &["first"])
        && is_at(tokens, Some(at + 3), &["by"]);
    let (mut args, end) = names(tokens, at + 4).filter(|_| is_search)?;
    if !is_at(tokens, Some(end), &["set"]) {
        return None;
    }
    args.push(name(tokens, end + 1)?);
    Some(Clause { mark, args, end: end + 2 })
}

fn cycle(tokens: &[TokenWithSpan], at: usize) -> Option<Clause> {
    let (mut args, end) = names(tokens, at + 1)?;
    if !is_at(tokens, Some(end), &["set"]) {
        return None;
    }
    args.push(name(tokens, end + 1)?);
    let mut at = end + 2;
    let truth = |word: &str| vec![Token::make_keyword(word)];
    if is_at(tokens, Some(at), &["to"]) {
        let otherwise = (at..tokens.len()).find(|at| is_word(&tokens[*at].token, "default"))?;
        let using = (otherwise..tokens.len()).find(|at| is_word(&tokens[*at].token, "using"))?;
        let between = |from: usize, to: usize| tokens[from..to].iter().map(|token| token.token.clone()).collect::<Vec<_>>();
        args.push(between(at + 1, otherwise));
        args.push(between(otherwise + 1, using));
        at = using;
    } else {
        args.extend([truth("TRUE"), truth("FALSE")]);
    }
    if !is_at(tokens, Some(at), &["using"]) {
        return None;
    }
    args.push(name(tokens, at + 1)?);
    Some(Clause { mark: CYCLE, args, end: at + 2 })
}
