//! The grammar of legal holds: CREATE LEGAL HOLD name ON TABLE table, … [REASON 'text'], DROP LEGAL HOLD [IF EXISTS] name, ….
//!
//! Never: looks anything up.

use base::RelationId;
use sqlparser::tokenizer::{Token, TokenWithSpan};

use crate::copy_syntax::is_word;
use crate::role_syntax::words::{Stop, Words};

/// A table to be held.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum HeldTable {
    /// `a.b`, in parts.
    Named(Vec<String>),
    /// By its number: a dropped one has no other name.
    Numbered(RelationId),
}

/// A statement about holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum HoldCommand {
    Create { name: String, tables: Vec<HeldTable>, reason: Option<String> },
    Drop { names: Vec<String>, if_exists: bool },
}

impl HoldCommand {
    pub(crate) fn tag(&self) -> &'static str {
        match self {
            Self::Create { .. } => "CREATE LEGAL HOLD",
            Self::Drop { .. } => "DROP LEGAL HOLD",
        }
    }
}

/// Whether a statement's first two tokens begin one of these.
pub(crate) fn begins(first: &Token, second: Option<&Token>) -> bool {
    ["create", "drop"].iter().any(|word| is_word(first, word)) && second.is_some_and(|second| is_word(second, "legal"))
}

/// Reads the visible tokens of a statement. `Err` holds the token that does not fit, or `None` for an early end.
pub(crate) fn read(tokens: &[TokenWithSpan]) -> Result<HoldCommand, Stop> {
    let mut words = Words::new(tokens);
    let command = if words.take(&["create", "legal", "hold"]) {
        let name = words.name()?;
        words.expect(&["on", "table"])?;
        let tables = words.list(table)?;
        let reason = if words.take(&["reason"]) { Some(words.string()?) } else { None };
        HoldCommand::Create { name, tables, reason }
    } else {
        words.expect(&["drop", "legal", "hold"])?;
        let if_exists = words.take(&["if", "exists"]);
        HoldCommand::Drop { names: words.list(Words::name)?, if_exists }
    };
    words.end()?;
    Ok(command)
}

fn table(words: &mut Words<'_>) -> Result<HeldTable, Stop> {
    if matches!(words.peek().map(|next| &next.token), Some(Token::Number(..))) {
        let before = words.clone();
        let number = words.integer()?;
        return u32::try_from(number).map(|id| HeldTable::Numbered(RelationId(id))).map_err(|_| before.peek().cloned());
    }
    words.dotted().map(HeldTable::Named)
}
