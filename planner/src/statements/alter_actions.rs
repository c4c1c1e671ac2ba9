//! Actions of ALTER TABLE and ALTER VIEW that `parse_clauses/actions.rs` reads.
//!
//! T1: what a table is told of how to store its rows changes nothing, for the ledger stores them; a column that it names is there.
//! Never: changes a row.

use std::sync::Arc;

use base::{SqlError, SqlResult, SqlState};
use engine::{Identity, Object, TableDef, Timing, ViewDef};

use super::Execution;
use super::alter_table::{column_at, draft};
use super::create_sequence::{change_sequence, drop_sequence};
use super::view_options;
use crate::outcome::Notice;
use crate::parse_clauses::actions::Action;
use crate::rules;

/// Errors: 42703, 42704, 55000, and what the options of a sequence raise.
pub(super) fn of_table(execution: &mut Execution<'_>, table: &Arc<TableDef>, action: &Action) -> SqlResult<()> {
    match action {
        Action::Storage { column } => column.as_ref().map_or(Ok(()), |column| column_at(table, column).map(drop)),
        Action::Options { .. } => Ok(()),
        Action::Constraint { name, deferrable, deferred } => constraint(execution, table, name, (*deferrable, *deferred)),
        Action::DropIdentity { column, if_exists } => drop_identity(execution, table, column, *if_exists),
        Action::DropExpression { column, if_exists } => drop_expression(execution, table, column, *if_exists),
        Action::Identity { column, always, numbers, restart } => {
            let at = column_at(table, column)?;
            let id = table.columns[at].id;
            let known = table.rules.column(id).filter(|rules| rules.identity.is_some()).and_then(|rules| rules.sequence);
            let Some(sequence) = known else { return Err(no_identity(table, column)) };
            if let Some(always) = always {
                let mut draft = draft(execution, table);
                draft.rules.column_mut(id).identity = Some(if *always { Identity::Always } else { Identity::ByDefault });
                execution.transaction.alter_table(draft.finish()?)?;
            }
            change_sequence(execution, sequence, numbers, *restart)
        }
    }
}

/// Options of a view. Errors: 22023, 0A000, 42809 for what only tables have.
pub(super) fn of_view(execution: &mut Execution<'_>, view: &ViewDef, action: &Action) -> SqlResult<()> {
    let Action::Options { set, reset } = action else {
        return Err(SqlError::new(SqlState::WRONG_OBJECT_TYPE, format!("this action cannot be performed on view \"{}\"", view.name)));
    };
    let mut changed = view.clone();
    let mut options = view_options::ViewOptions { security_invoker: view.security_invoker, check_option: view.check_option };
    for (name, value) in set {
        options.set(name, value)?;
    }
    for name in reset {
        options.reset(name);
    }
    (changed.security_invoker, changed.check_option) = (options.security_invoker, options.check_option);
    if changed.check_option.is_some() {
        view_options::check_updatable(&execution.transaction.catalog(), &changed)?;
    }
    execution.transaction.redefine(Object::View(Arc::new(changed)))
}

fn constraint(
    execution: &mut Execution<'_>,
    table: &Arc<TableDef>,
    name: &str,
    (deferrable, deferred): (Option<bool>, Option<bool>),
) -> SqlResult<()> {
    let mut draft = draft(execution, table);
    if let Some(reference) = draft.rules.references.iter_mut().find(|reference| reference.name == name) {
        let deferred = deferred.unwrap_or(false);
        reference.timing = Timing { deferrable: deferrable.unwrap_or(deferred), deferred };
        if deferred && !reference.timing.deferrable {
            return Err(SqlError::new(SqlState::SYNTAX_ERROR, "constraint declared INITIALLY DEFERRED must be DEFERRABLE"));
        }
        return execution.transaction.alter_table(draft.finish()?).map(drop);
    }
    let message = match draft.has_constraint(name) {
        true => format!("constraint \"{name}\" of relation \"{}\" is not a foreign key constraint", table.name),
        false => format!("constraint \"{name}\" of relation \"{}\" does not exist", table.name),
    };
    let state = if draft.has_constraint(name) { SqlState::WRONG_OBJECT_TYPE } else { SqlState::UNDEFINED_OBJECT };
    Err(SqlError::new(state, message))
}

fn no_identity(table: &TableDef, column: &str) -> SqlError {
    let message = format!("column \"{column}\" of relation \"{}\" is not an identity column", table.name);
    SqlError::new(SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE, message)
}

fn skip(execution: &mut Execution<'_>, error: SqlError, if_exists: bool) -> SqlResult<()> {
    if !if_exists {
        return Err(error);
    }
    execution.notices.push(Notice::new(SqlState("00000"), format!("{}, skipping", error.message())));
    Ok(())
}

fn drop_identity(execution: &mut Execution<'_>, table: &Arc<TableDef>, column: &str, if_exists: bool) -> SqlResult<()> {
    let id = table.columns[column_at(table, column)?].id;
    if table.rules.column(id).is_none_or(|rules| rules.identity.is_none()) {
        return skip(execution, no_identity(table, column), if_exists);
    }
    let mut draft = draft(execution, table);
    let rules = draft.rules.column_mut(id);
    rules.identity = None;
    let sequence = rules.sequence.take();
    execution.transaction.alter_table(draft.finish()?)?;
    sequence.map_or(Ok(()), |sequence| drop_sequence(execution, sequence))
}

fn drop_expression(execution: &mut Execution<'_>, table: &Arc<TableDef>, column: &str, if_exists: bool) -> SqlResult<()> {
    let at = column_at(table, column)?;
    if !rules::is_generated(table, at) {
        let message = format!("column \"{column}\" of relation \"{}\" is not a stored generated column", table.name);
        return skip(execution, SqlError::new(SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE, message), if_exists);
    }
    let mut draft = draft(execution, table);
    let rules = draft.rules.column_mut(table.columns[at].id);
    rules.generated = false;
    rules.default = None;
    execution.transaction.alter_table(draft.finish()?).map(drop)
}
