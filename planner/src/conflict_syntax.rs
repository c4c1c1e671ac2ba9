//! Targets of ON CONFLICT that sqlparser does not read: expressions, and a condition behind them.
//!
//! N1: each becomes a quoted name in the list, which begins with a mark that no statement can write, and goes on with the text.
//! Never: reads the expression.

use sqlparser::tokenizer::{Span, Token, TokenWithSpan};

use crate::copy_syntax::is_word;
use crate::position;
use crate::syntax_errors::is_visible;

/// Begins the name that stands for an expression.
pub(crate) const EXPRESSION: char = '\u{1}';
/// Begins the name that stands for the condition.
pub(crate) const CONDITION: char = '\u{2}';

/// The tokens with names in place of such targets (N1); `None` where there are none.
pub(crate) fn named(sql: &str, tokens: &[TokenWithSpan]) -> Option<Vec<TokenWithSpan>> {
    tokens.iter().find(|token| is_word(&token.token, "conflict"))?;
    let visible: Vec<TokenWithSpan> = tokens.iter().filter(|token| is_visible(token)).cloned().collect();
    let mut named = Vec::with_capacity(visible.len());
    let (mut at, mut is_changed) = (0, false);
    while at < visible.len() {
        let is = |offset: usize, word: &str| visible.get(at + offset).is_some_and(|token| is_word(&token.token, word));
        let is_list = is(0, "on") && is(1, "conflict") && visible.get(at + 2).is_some_and(|token| token.token == Token::LParen);
        let target = if is_list { target(sql, &visible[at + 3..]) } else { None };
        let Some((list, taken)) = target else {
            named.push(visible[at].clone());
            at += 1;
            continue;
        };
        named.extend_from_slice(&visible[at..at + 3]);
        named.extend(list);
        at += 3 + taken;
        is_changed = true;
    }
    is_changed.then_some(named)
}

/// What stands for a list and a condition, and how many tokens they are; `None` for a list of columns alone.
fn target(sql: &str, tokens: &[TokenWithSpan]) -> Option<(Vec<TokenWithSpan>, usize)> {
    let (mut depth, mut elements, mut from) = (0_usize, Vec::new(), 0);
    let mut close = None;
    for (at, token) in tokens.iter().enumerate() {
        match token.token {
            Token::LParen => depth += 1,
            Token::RParen if depth == 0 => {
                elements.push(&tokens[from..at]);
                close = Some(at);
                break;
            }
            Token::RParen => depth -= 1,
            Token::Comma if depth == 0 => {
                elements.push(&tokens[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    let close = close?;
    let is_column = |element: &&[TokenWithSpan]| matches!(element, [one] if matches!(one.token, Token::Word(_)));
    let condition = tokens.get(close + 1).filter(|token| is_word(&token.token, "where")).and_then(|_| {
        let end = tokens[close + 2..].iter().position(|token| is_word(&token.token, "do"))?;
        (end > 0).then(|| &tokens[close + 2..close + 2 + end])
    });
    if elements.iter().any(|element| element.is_empty()) || (condition.is_none() && elements.iter().all(is_column)) {
        return None;
    }
    let mut list = Vec::new();
    let comma = |span| TokenWithSpan { token: Token::Comma, span };
    for element in elements {
        if !list.is_empty() {
            list.push(comma(element[0].span));
        }
        if is_column(&element) { list.extend_from_slice(element) } else { list.push(mark(sql, EXPRESSION, element)) }
    }
    if let Some(condition) = condition {
        list.extend([comma(condition[0].span), mark(sql, CONDITION, condition)]);
    }
    list.push(tokens[close].clone());
    Some((list, close + 1 + condition.map_or(0, |condition| condition.len() + 1)))
}

fn mark(sql: &str, mark: char, tokens: &[TokenWithSpan]) -> TokenWithSpan {
    let span = Span { start: tokens[0].span.start, end: tokens[tokens.len() - 1].span.end };
    TokenWithSpan { token: Token::make_word(&format!("{mark}{}", position::slice(sql, span)), Some('"')), span }
}
