//! DROP TABLE [IF EXISTS] name, … [CASCADE | RESTRICT]
//!
//! Never: removes rows from the ledger (they stay, under a definition that has ended).

use base::{SqlError, SqlResult, SqlState};
use sqlparser::ast::Statement;

use super::Execution;
use crate::names::Name;
use crate::outcome::{Notice, Outcome, Tag};
use crate::resolver::Scope;

pub(super) fn execute(execution: &mut Execution<'_>) -> SqlResult<Outcome> {
    let Statement::Drop { if_exists, names, temporary, .. } = &*execution.parsed.statement else {
        return Err(SqlError::internal("not a DROP TABLE"));
    };
    if *temporary {
        return Err(SqlError::unsupported("DROP TEMPORARY TABLE"));
    }
    for object in names {
        let name = Name::of(object, execution.view.database.name())?;
        let scope = Scope { catalog: execution.transaction.catalog(), ..execution.scope.clone() };
        match scope.writable(&name) {
            Ok(table) => execution.transaction.drop_object(table.id.0)?,
            Err(error) if *if_exists && error.state() == SqlState::UNDEFINED_TABLE => {
                let message = format!("table \"{}\" does not exist, skipping", name.name);
                execution.notices.push(Notice::new(SqlState("00000"), message));
            }
            // Postgres speaks of a table here, and of a relation everywhere else.
            Err(error) if error.state() == SqlState::UNDEFINED_TABLE => {
                return Err(SqlError::new(SqlState::UNDEFINED_TABLE, format!("table \"{}\" does not exist", name.shown())));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(Outcome::Command(Tag::command("DROP TABLE")))
}
