//! VACUUM, ANALYZE and CHECKPOINT: checked and done, for the ledger keeps every row, plans ask the tables for their sizes, and what is committed
//! is on disk.
//!
//! Never: changes anything.

use base::{SqlError, SqlResult, SqlState};

use super::Planning;
use crate::maintenance_syntax::Maintenance;
use crate::names::Name;
use crate::outcome::Tag;

/// The command's name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan(&'static str);

impl Plan {
    pub(crate) fn tag(self) -> Tag {
        Tag::command(self.0)
    }

    /// Errors: 25001 for VACUUM in a block.
    pub(crate) fn check_block(self, in_block: bool) -> SqlResult<()> {
        if self.0 == "VACUUM" && in_block {
            let message = "VACUUM cannot run inside a transaction block";
            return Err(SqlError::new(SqlState::ACTIVE_SQL_TRANSACTION, message));
        }
        Ok(())
    }
}

/// Errors: 42P01, 42501.
pub(super) fn plan(planning: &Planning<'_>, statement: &Maintenance) -> SqlResult<super::Plan> {
    if statement.verb == "CHECKPOINT" && !planning.scope.access.superuser {
        let message = "must be superuser or have privileges of pg_checkpoint to do CHECKPOINT";
        return Err(SqlError::new(SqlState::INSUFFICIENT_PRIVILEGE, message));
    }
    for object in &statement.tables {
        let name = Name::of(object, planning.view.database.name())?;
        planning.scope.changeable(&name).map_err(|error| planning.parsed.point(error, name.span))?;
    }
    Ok(super::Plan::Maintenance(Plan(statement.verb)))
}
