//! `SET a[1] = x` and `SET a[2:3] = x`, which sqlparser does not read.
//!
//! S1: each becomes `SET a = put(x, 1)`, where `put` and what stands for a slice are names that no statement can write.
//! Never: looks for the column.

use sqlparser::tokenizer::{Token, TokenWithSpan};

use crate::copy_syntax::is_word;
use crate::syntax_errors::is_visible;

/// The call that stands for such an assignment: the value, then the subscripts.
pub(crate) const PUT: &str = "\u{1}put";
/// The call that stands for a slice: its bounds.
pub(crate) const SLICE: &str = "\u{1}slice";
/// The call that stands for a bound that is left out.
pub(crate) const OPEN: &str = "\u{1}open";

/// The tokens with calls in place of such assignments (S1); `None` where there are none.
pub(crate) fn called(tokens: &[TokenWithSpan]) -> Option<Vec<TokenWithSpan>> {
    let begins = tokens.iter().find(|token| is_visible(token)).map(|first| &first.token)?;
    let may_update = ["update", "insert", "merge", "with", "explain", "prepare"].iter().any(|word| is_word(begins, word));
    if !may_update || !tokens.iter().any(|token| token.token == Token::LBracket) {
        return None;
    }
    let visible: Vec<TokenWithSpan> = tokens.iter().filter(|token| is_visible(token)).cloned().collect();
    let mut called = Vec::with_capacity(visible.len() + 16);
    // Where a target may stand, and how deep its list is.
    let (mut at, mut depth, mut lists, mut is_changed) = (0, 0_usize, Vec::new(), false);
    while let Some(token) = visible.get(at) {
        depth = (depth + opens(&token.token)).saturating_sub(closes(&token.token));
        lists.retain(|list| *list <= depth);
        let is_list = lists.last() == Some(&depth);
        let begins_target = is_word(&token.token, "set") || (is_list && token.token == Token::Comma);
        if is_word(&token.token, "set") && !is_list {
            lists.push(depth);
        } else if is_list && ends_list(&visible, at) {
            lists.pop();
        }
        called.push(token.clone());
        at += 1;
        if begins_target && let Some((assignment, taken)) = assignment(&visible[at..]) {
            // What is put may be an assignment's own list.
            called.extend(assignment);
            at += taken;
            is_changed = true;
        }
    }
    is_changed.then_some(called)
}

fn opens(token: &Token) -> usize {
    usize::from(matches!(token, Token::LParen | Token::LBracket) || is_word(token, "case"))
}

fn closes(token: &Token) -> usize {
    usize::from(matches!(token, Token::RParen | Token::RBracket) || is_word(token, "end"))
}

/// Whether a token of a SET list's own depth is behind it.
fn ends_list(tokens: &[TokenWithSpan], at: usize) -> bool {
    let token = &tokens[at].token;
    let is_distinct = at > 0 && is_word(&tokens[at - 1].token, "distinct");
    ["where", "returning", "when"].iter().any(|word| is_word(token, word)) || (is_word(token, "from") && !is_distinct)
}

/// `column[…]… = value` at the start of these tokens as it is read, and how many of them it is.
fn assignment(tokens: &[TokenWithSpan]) -> Option<(Vec<TokenWithSpan>, usize)> {
    let column = tokens.first().filter(|column| matches!(column.token, Token::Word(_)))?;
    let (mut at, mut groups) = (1, Vec::new());
    while tokens.get(at).is_some_and(|token| token.token == Token::LBracket) {
        let close = at + closing(&tokens[at..])?;
        groups.push(&tokens[at + 1..close]);
        at = close + 1;
    }
    let equals = tokens.get(at).filter(|token| token.token == Token::Eq && !groups.is_empty())?;
    let value = &tokens[at + 1..];
    let mut depth = 0_usize;
    let is_end = |(place, token): (usize, &TokenWithSpan)| {
        let is_behind = depth == 0 && (closes(&token.token) > 0 || token.token == Token::Comma || ends_list(value, place));
        depth = (depth + opens(&token.token)).saturating_sub(closes(&token.token));
        is_behind
    };
    let end = value.iter().enumerate().position(is_end).unwrap_or(value.len());
    let mark = |token: Token| TokenWithSpan { token, span: column.span };
    let call = |name: &str| [mark(Token::make_word(name, Some('"'))), mark(Token::LParen)];
    let mut put = vec![column.clone(), equals.clone()];
    put.extend(call(PUT));
    // A value may have assignments of its own, in a query.
    put.extend(called(&value[..end]).unwrap_or_else(|| value[..end].to_vec()));
    for group in groups {
        put.push(mark(Token::Comma));
        match colon(group) {
            None => put.extend_from_slice(group),
            Some(colon) => {
                put.extend(call(SLICE));
                for (number, bound) in [&group[..colon], &group[colon + 1..]].into_iter().enumerate() {
                    if number > 0 {
                        put.push(mark(Token::Comma));
                    }
                    if bound.is_empty() {
                        put.extend(call(OPEN));
                        put.push(mark(Token::RParen));
                    }
                    put.extend_from_slice(bound);
                }
                put.push(mark(Token::RParen));
            }
        }
    }
    put.push(mark(Token::RParen));
    Some((put, at + 1 + end))
}

/// Where the bracket closes that the tokens begin with.
fn closing(tokens: &[TokenWithSpan]) -> Option<usize> {
    let mut depth = 0_usize;
    tokens.iter().position(|token| {
        depth = (depth + opens(&token.token)).saturating_sub(closes(&token.token));
        depth == 0
    })
}

/// The colon of a slice.
fn colon(group: &[TokenWithSpan]) -> Option<usize> {
    let mut depth = 0_usize;
    group.iter().position(|token| {
        depth = (depth + opens(&token.token)).saturating_sub(closes(&token.token));
        depth == 0 && token.token == Token::Colon
    })
}
