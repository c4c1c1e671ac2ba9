//! SET CONSTRAINTS, which sqlparser does not read.
//!
//! Never: looks for a constraint.

use sqlparser::ast::{Ident, ObjectName};
use sqlparser::tokenizer::{Token, TokenWithSpan};

use crate::copy_syntax::is_word;

/// `SET CONSTRAINTS ALL | name, … DEFERRED | IMMEDIATE`
#[derive(Clone, Debug)]
pub(crate) struct SetConstraints {
    /// `None` is ALL.
    pub(crate) names: Option<Vec<ObjectName>>,
    pub(crate) deferred: bool,
}

/// Whether visible tokens begin such a statement.
pub(crate) fn begins(first: &Token, second: Option<&Token>) -> bool {
    is_word(first, "set") && second.is_some_and(|second| is_word(second, "constraints"))
}

/// Reads the visible tokens of a statement. `Err` holds the token that does not fit, or `None` for an early end.
pub(crate) fn read(tokens: &[TokenWithSpan]) -> Result<SetConstraints, Option<TokenWithSpan>> {
    let token = |at: usize| tokens.get(at).ok_or(None);
    let mut at = 2;
    let names = if is_word(&token(at)?.token, "all") {
        at += 1;
        None
    } else {
        let (mut names, mut parts) = (Vec::new(), Vec::new());
        loop {
            let Token::Word(word) = &token(at)?.token else { return Err(Some(token(at)?.clone())) };
            let mut ident = Ident::new(word.value.clone());
            (ident.quote_style, ident.span) = (word.quote_style, token(at)?.span);
            parts.push(ident);
            at += 1;
            match tokens.get(at).map(|token| &token.token) {
                Some(Token::Period) => at += 1,
                Some(Token::Comma) => {
                    names.push(ObjectName::from(std::mem::take(&mut parts)));
                    at += 1;
                }
                _ => break,
            }
        }
        names.push(ObjectName::from(parts));
        Some(names)
    };
    let deferred = match token(at)? {
        word if is_word(&word.token, "deferred") => true,
        word if is_word(&word.token, "immediate") => false,
        other => return Err(Some(other.clone())),
    };
    match tokens.get(at + 1) {
        None => Ok(SetConstraints { names, deferred }),
        Some(extra) => Err(Some(extra.clone())),
    }
}
