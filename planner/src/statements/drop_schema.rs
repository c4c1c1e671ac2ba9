//! DROP SCHEMA [IF EXISTS] name, … [CASCADE | RESTRICT]
//!
//! Never: drops a reserved schema; removes rows from the ledger (they stay, under definitions that have ended).

use base::{SqlError, SqlResult, SqlState};
use sqlparser::ast::Statement;

use super::Execution;
use crate::names::{fold, simple};
use crate::outcome::{Notice, Outcome, Tag};
use crate::resolver::{is_reserved, undefined_schema};

pub(super) fn execute(execution: &mut Execution<'_>) -> SqlResult<Outcome> {
    let Statement::Drop { if_exists, names, cascade, .. } = &*execution.parsed.statement else {
        return Err(SqlError::internal("not a DROP SCHEMA"));
    };
    for name in names {
        let name = fold(simple(name)?);
        if is_reserved(&name) {
            return Err(SqlError::new(
                SqlState::DEPENDENT_OBJECTS_STILL_EXIST,
                format!("cannot drop schema {name} because it is required by the database system"),
            ));
        }
        let catalog = execution.transaction.catalog();
        let Some(schema) = catalog.schema(&name) else {
            if !*if_exists {
                return Err(undefined_schema(&name));
            }
            let message = format!("schema \"{name}\" does not exist, skipping");
            execution.notices.push(Notice::new(SqlState::INVALID_SCHEMA_NAME, message));
            continue;
        };
        let tables: Vec<_> = catalog.tables().filter(|table| table.schema == name).collect();
        if let (Some(first), false) = (tables.first(), *cascade) {
            return Err(SqlError::new(
                SqlState::DEPENDENT_OBJECTS_STILL_EXIST,
                format!("cannot drop schema {name} because other objects depend on it"),
            )
            .detail(format!("table {name}.{} depends on schema {name}", first.name))
            .hint("Use DROP ... CASCADE to drop the dependent objects too."));
        }
        for table in &tables {
            execution.transaction.drop_object(table.id.0)?;
        }
        if let Some(message) = cascaded(&name, &tables.iter().map(|table| table.name.as_str()).collect::<Vec<_>>()) {
            execution.notices.push(Notice::new(SqlState("00000"), message));
        }
        execution.transaction.drop_object(schema.id)?;
    }
    Ok(Outcome::Command(Tag::command("DROP SCHEMA")))
}

fn cascaded(schema: &str, tables: &[&str]) -> Option<String> {
    match tables {
        [] => None,
        [table] => Some(format!("drop cascades to table {schema}.{table}")),
        tables => Some(format!("drop cascades to {} other objects", tables.len())),
    }
}
