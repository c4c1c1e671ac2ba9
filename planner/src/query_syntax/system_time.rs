//! `FOR SYSTEM_TIME …` after a table, which sqlparser reads with `AS OF` and an expression only.
//!
//! | written | read as |
//! |---|---|
//! | `AS OF COMMIT n` | `AS OF` [`COMMIT`]`(n)` |
//! | `FROM a TO b` | `AS OF` [`FROM`]`(a) OR b` |
//! | `BETWEEN a AND b` | `AS OF` [`BETWEEN`]`(a) OR b` |
//! | `ALL` | `AS OF` [`ALL`]`()` |
//!
//! `COMMIT n` may stand for `a` and `b` too. OR binds less than anything in a time, so that it tells where `b` ends.

use sqlparser::tokenizer::{Token, TokenWithSpan};

use super::{is_at, is_word, parted, replace};

/// A commit's number instead of a time.
pub(crate) const COMMIT: &str = "\u{1}commit";
/// From the first time up to, and without, the second.
pub(crate) const FROM: &str = "\u{1}from";
/// From the first time to the second.
pub(crate) const BETWEEN: &str = "\u{1}between";
/// All there is.
pub(crate) const ALL: &str = "\u{1}all";

/// Whether the tokens name a table's past.
pub(crate) fn occurs(tokens: &[TokenWithSpan]) -> bool {
    let mut visible = tokens.iter().map(|token| &token.token).filter(|token| !matches!(token, Token::Whitespace(_)));
    let mut before = visible.next();
    visible.any(|token| before.replace(token).is_some_and(|before| is_word(before, "for")) && is_word(token, "system_time"))
}

pub(super) fn read(tokens: &mut Vec<TokenWithSpan>, at: usize) {
    if !is_at(tokens, at.checked_sub(1), &["for"]) {
        return;
    }
    if is_at(tokens, Some(at + 1), &["as"]) && is_at(tokens, Some(at + 2), &["of"]) {
        read_commit(tokens, at + 3);
    } else if is_at(tokens, Some(at + 1), &["all"]) {
        let all = [Token::make_word(ALL, Some('"')), Token::LParen, Token::RParen];
        replace(tokens, at + 1, 1, as_of().into_iter().chain(all));
    } else if is_at(tokens, Some(at + 1), &["from"]) {
        read_span(tokens, at + 1, FROM, "to");
    } else if is_at(tokens, Some(at + 1), &["between"]) {
        read_span(tokens, at + 1, BETWEEN, "and");
    }
}

fn as_of() -> [Token; 2] {
    [Token::make_keyword("AS"), Token::make_keyword("OF")]
}

/// `from` is the word before the first time, `parting` the one between the two.
fn read_span(tokens: &mut Vec<TokenWithSpan>, from: usize, name: &str, parting: &str) {
    read_commit(tokens, from + 1);
    let Some(at) = parted(tokens, from + 1, parting) else { return };
    read_commit(tokens, at + 1);
    replace(tokens, at, 1, [Token::RParen, Token::make_keyword("OR")]);
    replace(tokens, from, 1, as_of().into_iter().chain([Token::make_word(name, Some('"')), Token::LParen]));
}

/// `COMMIT` and a number, a parameter or something in parentheses.
fn read_commit(tokens: &mut Vec<TokenWithSpan>, at: usize) {
    if !is_at(tokens, Some(at), &["commit"]) {
        return;
    }
    let call = Token::make_word(COMMIT, Some('"'));
    match tokens.get(at + 1).map(|next| &next.token) {
        Some(Token::LParen) => replace(tokens, at, 1, [call]),
        Some(Token::Number(..) | Token::Placeholder(_)) => {
            let span = tokens[at + 1].span;
            replace(tokens, at, 1, [call, Token::LParen]);
            tokens.insert(at + 3, TokenWithSpan { token: Token::RParen, span });
        }
        _ => {}
    }
}
