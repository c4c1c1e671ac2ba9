//! CREATE LEGAL HOLD, DROP LEGAL HOLD: what a court asked for is not removed, whatever its table's retention says.
//!
//! H1: holds are set and released by members of `shockwave_custodian` and by superusers, in commits that name them.
//! Never: looks at a row.

use base::{RelationId, SqlError, SqlResult, SqlState};
use engine::roles::CUSTODIAN;
use engine::{HoldDef, TEMPORARY_SCHEMA};
use sqlparser::ast::{Ident, ObjectName};

use super::Execution;
use crate::hold_syntax::{HeldTable, HoldCommand};
use crate::names::Name;
use crate::outcome::{Notice, Outcome, Tag};

/// Errors: 42501 (H1); 42P01, 42710, 42704.
pub(super) fn execute(command: &HoldCommand, execution: &mut Execution<'_>) -> SqlResult<Outcome> {
    let access = &execution.scope.access;
    if !access.has_role(CUSTODIAN) || access.is_auditor() {
        return Err(SqlError::new(SqlState::INSUFFICIENT_PRIVILEGE, "permission denied to set or release a legal hold")
            .hint("A superuser can, or a member of shockwave_custodian."));
    }
    match command {
        HoldCommand::Create { name, tables, reason } => create(execution, name, tables, reason.clone())?,
        HoldCommand::Drop { names, if_exists } => names.iter().try_for_each(|name| drop(execution, name, *if_exists))?,
    }
    Ok(Outcome::Command(Tag::command(command.tag())))
}

fn create(execution: &mut Execution<'_>, name: &str, tables: &[HeldTable], reason: Option<String>) -> SqlResult<()> {
    let mut ids = tables.iter().map(|table| table_id(execution, table)).collect::<SqlResult<Vec<_>>>()?;
    ids.sort_unstable_by_key(|id| id.0);
    ids.dedup();
    let id = execution.transaction.ledger().next_object_id();
    execution.transaction.set_hold(HoldDef { id, name: name.to_owned(), tables: ids, reason })
}

fn table_id(execution: &mut Execution<'_>, table: &HeldTable) -> SqlResult<RelationId> {
    match table {
        HeldTable::Named(parts) => {
            let object = ObjectName::from(parts.iter().map(|part| Ident::with_quote('"', part)).collect::<Vec<_>>());
            let name = Name::of(&object, execution.view.database.name())?;
            let scope = execution.fresh_scope();
            let table = scope.writable(&name)?;
            if table.schema == TEMPORARY_SCHEMA {
                return Err(SqlError::new(SqlState::INVALID_TABLE_DEFINITION, "a legal hold on a temporary table holds nothing"));
            }
            Ok(table.id)
        }
        HeldTable::Numbered(id) => match execution.transaction.ledger().guard()?.rulings().of(*id) {
            Some(_) => Ok(*id),
            None => Err(SqlError::new(SqlState::UNDEFINED_TABLE, format!("there was never a table with number {id}"))
                .hint("ledger.receipts and ledger.segments have the numbers of tables, dropped ones among them.")),
        },
    }
}

fn drop(execution: &mut Execution<'_>, name: &str, if_exists: bool) -> SqlResult<()> {
    let catalog = execution.transaction.catalog();
    match catalog.hold(name) {
        Some(hold) => execution.transaction.drop_object(hold.id),
        None => {
            let message = format!("legal hold \"{name}\" does not exist");
            if !if_exists {
                return Err(SqlError::new(SqlState::UNDEFINED_OBJECT, message));
            }
            execution.notices.push(Notice::new(SqlState("00000"), format!("{message}, skipping")));
            Ok(())
        }
    }
}
