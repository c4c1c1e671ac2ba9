//! `SET name TO value`, `RESET name` behind ALTER ROLE and ALTER DATABASE.
//!
//! Never: knows which parameters there are.

use sqlparser::tokenizer::Token;

use super::words::{Stop, Words};
use super::{Command, RoleSpec};

/// What is kept for sessions that begin from now on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct KeptSettings {
    /// Whose; everyone's where none is named.
    pub(crate) role: Option<RoleSpec>,
    /// In which database alone.
    pub(crate) database: Option<String>,
    pub(crate) change: Change,
    pub(crate) tag: &'static str,
}

/// How it changes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Change {
    /// `None` for the value that the session has now.
    Set {
        name: String,
        value: Option<String>,
    },
    Reset(String),
    ResetAll,
}

/// Whether these words go on as here.
pub(super) fn begins(words: &Words<'_>) -> bool {
    words.next_are(&["set"]) || words.next_are(&["reset"]) || words.next_are(&["in", "database"])
}

/// Behind `ALTER ROLE name` or `ALTER ROLE ALL`.
pub(super) fn of_role(words: &mut Words<'_>, role: Option<RoleSpec>) -> Result<Command, Stop> {
    let database = if words.take(&["in", "database"]) { Some(words.name()?) } else { None };
    Ok(Command::KeepSettings(KeptSettings { role, database, change: change(words)?, tag: "ALTER ROLE" }))
}

/// Behind `ALTER DATABASE name`.
pub(super) fn of_database(words: &mut Words<'_>, name: String) -> Result<Command, Stop> {
    Ok(Command::KeepSettings(KeptSettings { role: None, database: Some(name), change: change(words)?, tag: "ALTER DATABASE" }))
}

fn change(words: &mut Words<'_>) -> Result<Change, Stop> {
    if words.take(&["reset"]) {
        return if words.take(&["all"]) { Ok(Change::ResetAll) } else { name(words).map(Change::Reset) };
    }
    words.expect(&["set"])?;
    if words.take(&["time", "zone"]) {
        let zone = item(words)?;
        let name = "timezone".to_owned();
        let is_default = ["local", "default"].iter().any(|word| zone.eq_ignore_ascii_case(word));
        return Ok(if is_default { Change::Reset(name) } else { Change::Set { name, value: Some(zone) } });
    }
    let name = name(words)?;
    if name == "role"
        && let Ok(named) = words.clone().name()
        && !words.next_are(&["to"])
        && !words.next_are(&["from", "current"])
    {
        words.name()?;
        return Ok(Change::Set { name, value: Some(named) });
    }
    if words.take(&["from", "current"]) {
        return Ok(Change::Set { name, value: None });
    }
    if !words.take_token(&Token::Eq) {
        words.expect(&["to"])?;
    }
    if words.take(&["default"]) {
        return Ok(Change::Reset(name));
    }
    Ok(Change::Set { name, value: Some(words.list(item)?.join(", ")) })
}

fn name(words: &mut Words<'_>) -> Result<String, Stop> {
    words.dotted().map(|parts| parts.join("."))
}

/// A name or constant as SET takes it.
fn item(words: &mut Words<'_>) -> Result<String, Stop> {
    if let Ok(text) = words.string() {
        return Ok(text);
    }
    let sign = if words.take_token(&Token::Minus) { "-" } else { "" };
    if let Some(digits) = words.number() {
        return Ok(format!("{sign}{digits}"));
    }
    let is_quoted = matches!(words.peek().map(|next| &next.token), Some(Token::Word(word)) if word.quote_style.is_some());
    let name = words.name()?;
    Ok(if is_quoted { format!("\"{}\"", name.replace('"', "\"\"")) } else { name })
}
