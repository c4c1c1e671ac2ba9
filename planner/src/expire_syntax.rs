//! The grammar of EXPIRE TABLE table, … [BEFORE moment] and EXPIRE SEGMENTS [BEFORE moment].
//!
//! Never: looks anything up.

use sqlparser::tokenizer::{Token, TokenWithSpan};

use crate::copy_syntax::is_word;
use crate::role_syntax::words::{Stop, Words};

/// EXPIRE as written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Expire {
    /// `None` for SEGMENTS: of all tables with a retention.
    pub(crate) tables: Option<Vec<Vec<String>>>,
    /// `COMMIT n` or a timestamp.
    pub(crate) before: Option<String>,
}

/// Whether a statement's first token begins one.
pub(crate) fn begins(first: &Token) -> bool {
    is_word(first, "expire")
}

/// Reads the visible tokens of a statement. `Err` holds the token that does not fit, or `None` for an early end.
pub(crate) fn read(tokens: &[TokenWithSpan]) -> Result<Expire, Stop> {
    let mut words = Words::new(tokens);
    words.expect(&["expire"])?;
    let tables = if words.take(&["segments"]) {
        None
    } else {
        words.expect(&["table"])?;
        Some(words.list(Words::dotted)?)
    };
    let before = match (words.take(&["before", "commit"]), words.take(&["before"])) {
        (true, _) => Some(format!("commit {}", words.integer()?)),
        (_, true) => Some(words.string()?),
        _ => None,
    };
    words.end()?;
    Ok(Expire { tables, before })
}
