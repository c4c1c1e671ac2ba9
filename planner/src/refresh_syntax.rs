//! REFRESH MATERIALIZED VIEW: its name and options.
//!
//! Never: looks for the view.

use sqlparser::ast::{Ident, ObjectName};
use sqlparser::tokenizer::{Token, TokenWithSpan};

use crate::copy_syntax::is_word;

/// See the module.
#[derive(Clone, Debug)]
pub(crate) struct Refresh {
    pub(crate) name: ObjectName,
    pub(crate) concurrently: bool,
    pub(crate) no_data: bool,
}

/// Whether a statement's first token begins one.
pub(crate) fn begins(token: &Token) -> bool {
    is_word(token, "refresh")
}

/// Reads the visible tokens of a statement. `Err` holds the token that does not fit, or `None` for an early end.
pub(crate) fn read(tokens: &[TokenWithSpan]) -> Result<Refresh, Option<TokenWithSpan>> {
    let is = |at: usize, word: &str| tokens.get(at).is_some_and(|token| is_word(&token.token, word));
    let expect = |at: usize, word: &str| if is(at, word) { Ok(()) } else { Err(tokens.get(at).cloned()) };
    expect(1, "materialized")?;
    expect(2, "view")?;
    let concurrently = is(3, "concurrently");
    let mut at = 3 + usize::from(concurrently);
    let mut parts = Vec::new();
    loop {
        let token = tokens.get(at).ok_or(None)?;
        let Token::Word(word) = &token.token else { return Err(Some(token.clone())) };
        let mut ident = Ident::new(word.value.clone());
        (ident.quote_style, ident.span) = (word.quote_style, token.span);
        parts.push(ident);
        at += 1;
        if tokens.get(at).is_none_or(|token| token.token != Token::Period) {
            break;
        }
        at += 1;
    }
    let no_data = is(at, "with") && is(at + 1, "no");
    if is(at, "with") {
        at += 1 + usize::from(no_data);
        expect(at, "data")?;
        at += 1;
    }
    match tokens.get(at) {
        Some(extra) => Err(Some(extra.clone())),
        None => Ok(Refresh { name: ObjectName::from(parts), concurrently, no_data }),
    }
}
