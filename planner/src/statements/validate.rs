//! Rows compared with a constraint that is new, or that was added NOT VALID and is now validated.
//!
//! Never: changes a row.

use std::sync::Arc;

use base::{SqlError, SqlResult, SqlState};
use engine::{Check, TableDef};

use super::Execution;
use super::table_draft::Draft;
use crate::rules;

/// ALTER TABLE … VALIDATE CONSTRAINT. Errors: 42704, 42809, 23503, 23514.
pub(super) fn constraint(execution: &mut Execution<'_>, table: &Arc<TableDef>, name: &str) -> SqlResult<()> {
    let mut draft = Draft::of(table, execution.transaction.next_version(table.id));
    if let Some(known) = draft.rules.checks.iter_mut().find(|check| check.name == name) {
        if std::mem::take(&mut known.not_valid) {
            let known = known.clone();
            check(execution, table, &known)?;
            execution.transaction.alter_table(draft.finish()?)?;
        }
        return Ok(());
    }
    if let Some(known) = draft.rules.references.iter_mut().find(|reference| reference.name == name) {
        if std::mem::take(&mut known.not_valid) {
            let known = known.clone();
            execution.transaction.check_all_references(table, &known)?;
            execution.transaction.alter_table(draft.finish()?)?;
        }
        return Ok(());
    }
    let exists = draft.has_constraint(name);
    Err(match exists {
        true => {
            let message = format!("constraint \"{name}\" of relation \"{}\" is not a foreign key or check constraint", table.name);
            SqlError::new(SqlState::WRONG_OBJECT_TYPE, message)
        }
        false => {
            let message = format!("constraint \"{name}\" of relation \"{}\" does not exist", table.name);
            SqlError::new(SqlState::UNDEFINED_OBJECT, message)
        }
    })
}

/// Errors: 23514 where a row violates the condition.
pub(super) fn check(execution: &mut Execution<'_>, table: &Arc<TableDef>, check: &Check) -> SqlResult<()> {
    let condition = rules::condition(&execution.place(), table, check)?;
    execution.transaction.rely_on(table.id);
    let all: Vec<usize> = (0..table.columns.len()).collect();
    for chunk in execution.transaction.view(table).scan(&all, false) {
        execution.watch.check()?;
        if rules::first_false(&condition, &chunk.read()?)?.is_some() {
            let message = format!("check constraint \"{}\" of relation \"{}\" is violated by some row", check.name, table.name);
            return Err(SqlError::new(SqlState::CHECK_VIOLATION, message).table(&table.schema, &table.name).constraint(&check.name));
        }
    }
    Ok(())
}
