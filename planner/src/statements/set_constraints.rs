//! SET CONSTRAINTS: when the deferrable constraints of this transaction are compared.
//!
//! Never: outlives its transaction.

use base::{SqlError, SqlResult, SqlState};
use engine::{KeyDef, TableDef};

use super::Execution;
use crate::constraint_syntax::SetConstraints;
use crate::names::Name;
use crate::outcome::{Outcome, Tag};

/// Errors: 42704, 42809 for one that is not deferrable, 23503 and 23505 for what waits and does not hold.
pub(super) fn execute(statement: &SetConstraints, execution: &mut Execution<'_>) -> SqlResult<Outcome> {
    let ids = match &statement.names {
        None => None,
        Some(names) => Some(names.iter().map(|name| find(execution, name, statement.deferred)).collect::<SqlResult<Vec<_>>>()?.concat()),
    };
    execution.transaction.set_constraints(ids.as_deref(), statement.deferred)?;
    Ok(Outcome::Command(Tag::command("SET CONSTRAINTS")))
}

/// The constraints of that name, in the first schema that has some. Errors: 42704; 42809 for one that is to be deferred and cannot be.
fn find(execution: &Execution<'_>, name: &sqlparser::ast::ObjectName, deferred: bool) -> SqlResult<Vec<u32>> {
    let name = Name::of(name, execution.view.database.name())?;
    let catalog = execution.transaction.catalog();
    let in_schema = |schema: &str| -> Vec<(u32, bool)> {
        let tables = catalog.tables().filter(|table| table.schema == schema);
        tables.flat_map(|table| constraints(table, &name.name)).collect()
    };
    let found = match &name.schema {
        Some(schema) => in_schema(schema),
        None => execution.scope.schemas().map(in_schema).find(|found| !found.is_empty()).unwrap_or_default(),
    };
    if found.is_empty() {
        return Err(SqlError::new(SqlState::UNDEFINED_OBJECT, format!("constraint \"{}\" does not exist", name.shown())));
    }
    if deferred && found.iter().any(|(_, deferrable)| !deferrable) {
        return Err(SqlError::new(SqlState::WRONG_OBJECT_TYPE, format!("constraint \"{}\" is not deferrable", name.name)));
    }
    Ok(found.into_iter().map(|(id, _)| id).collect())
}

/// Ids of a table's constraints of that name, and whether each is deferrable.
fn constraints(table: &TableDef, name: &str) -> Vec<(u32, bool)> {
    let rules = &table.rules;
    let is_constraint = |key: &&KeyDef| rules.indexes.iter().all(|index| index.id != key.id || index.constraint);
    let keys = table.keys().iter().filter(is_constraint).filter(|key| key.tells_apart() && key.name == name);
    let checks = rules.checks.iter().filter(|check| check.name == name);
    let references = rules.references.iter().filter(|reference| reference.name == name);
    let timed = keys.map(|key| (key.id, key.late.is_some())).chain(references.map(|one| (one.id, one.timing.deferrable)));
    timed.chain(checks.map(|check| (check.id, false))).collect()
}
