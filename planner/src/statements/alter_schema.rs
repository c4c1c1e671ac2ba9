//! ALTER SCHEMA name RENAME TO name
//!
//! S1: what is in a schema is in it under its new name, and views name it so.
//! Never: changes the schema's id.

use std::sync::Arc;

use base::{SqlError, SqlResult, SqlState};
use engine::{LEDGER_SCHEMA, Object, SchemaDef};
use sqlparser::ast::{AlterSchemaOperation, Statement};

use super::Execution;
use super::rename::move_to;
use crate::names::{fold, simple};
use crate::outcome::{Outcome, Tag};
use crate::resolver::{is_reserved, undefined_schema};

pub(super) fn execute(execution: &mut Execution<'_>) -> SqlResult<Outcome> {
    let Statement::AlterSchema(alter) = &*execution.parsed.statement else {
        return Err(SqlError::internal("not an ALTER SCHEMA"));
    };
    let [AlterSchemaOperation::Rename { name: to }] = alter.operations.as_slice() else {
        return Err(SqlError::unsupported("this form of ALTER SCHEMA"));
    };
    let (from, to) = (fold(simple(&alter.name)?), fold(simple(to)?));
    let catalog = execution.transaction.catalog();
    let schema = catalog.schema(&from).ok_or_else(|| undefined_schema(&from))?;
    if catalog.schema(&to).is_some() {
        return Err(SqlError::new(SqlState::DUPLICATE_SCHEMA, format!("schema \"{to}\" already exists")));
    }
    if is_reserved(&to) || to == LEDGER_SCHEMA {
        return Err(SqlError::new(SqlState::RESERVED_NAME, format!("unacceptable schema name \"{to}\"")));
    }
    let renamed = SchemaDef { name: to.clone(), ..schema.as_ref().clone() };
    execution.transaction.redefine(Object::Schema(Arc::new(renamed)))?;
    loop {
        let catalog = execution.transaction.catalog();
        let Some(object) = catalog.objects().find(|object| object.schema() == Some(&from)).cloned() else { break };
        move_to(execution, &object, &to)?;
    }
    Ok(Outcome::Command(Tag::command("ALTER SCHEMA")))
}
