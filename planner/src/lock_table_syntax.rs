//! LOCK [TABLE] [ONLY] name [*], … [IN mode MODE] [NOWAIT]
//!
//! Never: looks for a table.

use engine::TableLock;
use sqlparser::tokenizer::{Token, TokenWithSpan};

use crate::copy_syntax::is_word;
use crate::role_syntax::words::{Stop, Words};

/// See the module.
#[derive(Clone, Debug)]
pub(crate) struct LockTables {
    pub(crate) tables: Vec<Vec<String>>,
    pub(crate) mode: TableLock,
    pub(crate) nowait: bool,
}

/// Modes by their words, the longer of two that begin alike first.
const MODES: [(&[&str], TableLock); 8] = [
    (&["access", "share"], TableLock::AccessShare),
    (&["access", "exclusive"], TableLock::AccessExclusive),
    (&["row", "share"], TableLock::RowShare),
    (&["row", "exclusive"], TableLock::RowExclusive),
    (&["share", "update", "exclusive"], TableLock::ShareUpdateExclusive),
    (&["share", "row", "exclusive"], TableLock::ShareRowExclusive),
    (&["share"], TableLock::Share),
    (&["exclusive"], TableLock::Exclusive),
];

/// Whether a statement's first token begins one.
pub(crate) fn begins(token: &Token) -> bool {
    is_word(token, "lock")
}

/// Reads the visible tokens of a statement. `Err` holds the token that does not fit, or `None` for an early end.
pub(crate) fn read(tokens: &[TokenWithSpan]) -> Result<LockTables, Stop> {
    let mut words = Words::new(tokens);
    words.expect(&["lock"])?;
    words.take(&["table"]);
    let tables = words.list(|words| {
        words.take(&["only"]);
        let name = words.dotted()?;
        words.take_token(&Token::Mul);
        Ok(name)
    })?;
    let mut mode = TableLock::AccessExclusive;
    if words.take(&["in"]) {
        let Some((_, asked)) = MODES.iter().find(|(mode, _)| words.take(mode)) else { return words.stop() };
        words.expect(&["mode"])?;
        mode = *asked;
    }
    let nowait = words.take(&["nowait"]);
    words.end()?;
    Ok(LockTables { tables, mode, nowait })
}
