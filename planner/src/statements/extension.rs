//! CREATE EXTENSION and DROP EXTENSION: there are none but the one that every database of PostgreSQL begins with, which dumps and tools ask for.
//!
//! Never: loads anything; code of users inside the server has no actor (docs/compatibility.md).

use base::{SqlError, SqlResult, SqlState};
use sqlparser::ast::{CreateExtension, DropExtension, Statement};

use super::Execution;
use crate::names::fold;
use crate::outcome::{Notice, Outcome, Tag};

/// What PostgreSQL has from the start. Nothing can be written in it here.
const FIRST: &str = "plpgsql";

pub(super) fn execute(execution: &mut Execution<'_>) -> SqlResult<Outcome> {
    match &*execution.parsed.statement {
        Statement::CreateExtension(statement) => create(execution, statement),
        Statement::DropExtension(statement) => drop(execution, statement),
        _ => Err(SqlError::internal("not about an extension")),
    }
}

/// Errors: 42710, 0A000.
fn create(execution: &mut Execution<'_>, create: &CreateExtension) -> SqlResult<Outcome> {
    let name = fold(&create.name);
    if name != FIRST {
        return Err(SqlError::new(SqlState::FEATURE_NOT_SUPPORTED, format!("extension \"{name}\" is not available"))
            .detail("There are no extensions.")
            .hint("Functions that are common in PostgreSQL's extensions, such as gen_random_uuid, are there without one."));
    }
    let message = format!("extension \"{name}\" already exists");
    if !create.if_not_exists {
        return Err(SqlError::new(SqlState::DUPLICATE_OBJECT, message));
    }
    execution.notices.push(Notice::new(SqlState::DUPLICATE_OBJECT, format!("{message}, skipping")));
    Ok(Outcome::Command(Tag::command("CREATE EXTENSION")))
}

/// Errors: 42704, 0A000.
fn drop(execution: &mut Execution<'_>, drop: &DropExtension) -> SqlResult<Outcome> {
    for name in drop.names.iter().map(fold) {
        if name == FIRST {
            return Err(SqlError::unsupported(format!("DROP EXTENSION {FIRST}")));
        }
        let message = format!("extension \"{name}\" does not exist");
        if !drop.if_exists {
            return Err(SqlError::new(SqlState::UNDEFINED_OBJECT, message));
        }
        execution.notices.push(Notice::new(SqlState("00000"), format!("{message}, skipping")));
    }
    Ok(Outcome::Command(Tag::command("DROP EXTENSION")))
}
