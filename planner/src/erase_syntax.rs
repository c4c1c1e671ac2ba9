//! ERASE FROM table WHERE column = value [BECAUSE 'basis'] and ERASE SUBJECT value [IN table, …] [BECAUSE 'basis'].
//!
//! Never: looks anything up.

use sqlparser::tokenizer::{Token, TokenWithSpan};

use crate::copy_syntax::is_word;
use crate::role_syntax::words::{Stop, Words};

/// An ERASE as written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Erase {
    pub(crate) within: Within,
    /// The subject, as text.
    pub(crate) subject: String,
    /// Why.
    pub(crate) basis: Option<String>,
}

/// Where rows are erased.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Within {
    /// `FROM table WHERE column = …`: of this table, whose subjects are in this column.
    One { table: Vec<String>, column: String },
    /// `IN table, …`
    Tables(Vec<Vec<String>>),
    /// Of every erasable table.
    Everywhere,
}

/// Whether a statement's first token begins one.
pub(crate) fn begins(token: &Token) -> bool {
    is_word(token, "erase")
}

/// Reads the visible tokens of a statement. `Err` holds the token that does not fit, or `None` for an early end.
pub(crate) fn read(tokens: &[TokenWithSpan]) -> Result<Erase, Stop> {
    let mut words = Words::new(tokens);
    words.expect(&["erase"])?;
    let (within, subject) = if words.take(&["from"]) {
        let table = words.dotted()?;
        words.expect(&["where"])?;
        let column = words.name()?;
        if !words.take_token(&Token::Eq) {
            return words.stop();
        }
        (Within::One { table, column }, value(&mut words)?)
    } else {
        words.expect(&["subject"])?;
        let subject = value(&mut words)?;
        let within = if words.take(&["in"]) { Within::Tables(words.list(Words::dotted)?) } else { Within::Everywhere };
        (within, subject)
    };
    let basis = if words.take(&["because"]) { Some(words.string()?) } else { None };
    words.end()?;
    Ok(Erase { within, subject, basis })
}

/// A string or a number.
fn value(words: &mut Words<'_>) -> Result<String, Stop> {
    let sign = if words.take_token(&Token::Minus) { "-" } else { "" };
    match words.number() {
        Some(digits) => Ok(format!("{sign}{digits}")),
        None if sign.is_empty() => words.string(),
        None => words.stop(),
    }
}
