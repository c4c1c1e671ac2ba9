//! SET CONSTRAINTS: when the foreign keys of this transaction are compared.
//!
//! Never: outlives its transaction.

use base::{SqlError, SqlResult, SqlState};
use engine::Reference;

use super::Execution;
use crate::constraint_syntax::SetConstraints;
use crate::names::Name;
use crate::outcome::{Outcome, Tag};

/// Errors: 42704, 42809 for one that is not deferrable, 23503 for what waits and does not hold.
pub(super) fn execute(statement: &SetConstraints, execution: &mut Execution<'_>) -> SqlResult<Outcome> {
    let ids = match &statement.names {
        None => None,
        Some(names) => Some(names.iter().map(|name| find(execution, name)).collect::<SqlResult<Vec<_>>>()?.concat()),
    };
    execution.transaction.set_constraints(ids.as_deref(), statement.deferred)?;
    Ok(Outcome::Command(Tag::command("SET CONSTRAINTS")))
}

/// The deferrable foreign keys of that name, in the first schema that has some.
fn find(execution: &Execution<'_>, name: &sqlparser::ast::ObjectName) -> SqlResult<Vec<u32>> {
    let name = Name::of(name, execution.view.database.name())?;
    let catalog = execution.transaction.catalog();
    let in_schema = |schema: &str| -> Vec<Reference> {
        let tables = catalog.tables().filter(|table| table.schema == schema);
        tables.flat_map(|table| &table.rules.references).filter(|reference| reference.name == name.name).cloned().collect()
    };
    let found = match &name.schema {
        Some(schema) => in_schema(schema),
        None => execution.scope.schemas().map(in_schema).find(|found| !found.is_empty()).unwrap_or_default(),
    };
    if found.is_empty() {
        return Err(SqlError::new(SqlState::UNDEFINED_OBJECT, format!("constraint \"{}\" does not exist", name.shown())));
    }
    if found.iter().any(|reference| !reference.deferrable) {
        return Err(SqlError::new(SqlState::WRONG_OBJECT_TYPE, format!("constraint \"{}\" is not deferrable", name.name)));
    }
    Ok(found.iter().map(|reference| reference.id).collect())
}
