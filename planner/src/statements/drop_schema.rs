//! DROP SCHEMA [IF EXISTS] name, … [CASCADE | RESTRICT]
//!
//! Never: drops a reserved schema; removes rows from the ledger (they stay, under definitions that have ended).

use std::collections::BTreeSet;

use base::{SqlError, SqlResult, SqlState};
use engine::Object;
use sqlparser::ast::Statement;

use super::Execution;
use super::drop::drop_objects;
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
        // A sequence that a column owns goes with its table, and is not told apart.
        let is_told = |object: &&Object| !matches!(object, Object::Sequence(sequence) if sequence.owner.is_some());
        let objects: Vec<&Object> = catalog.objects().filter(|object| object.schema() == Some(&name)).collect();
        let shown = |object: &Object| {
            let first = execution.scope.schemas().find(|schema| catalog.relation_owner(schema, object.name()).is_some());
            let prefix = if first == Some(&name) { String::new() } else { format!("{name}.") };
            format!("{} {prefix}{}", object.kind(), object.name())
        };
        let told: Vec<String> = objects.iter().copied().filter(is_told).map(shown).collect();
        if !told.is_empty() && !*cascade {
            let lines: Vec<String> = told.iter().map(|object| format!("{object} depends on schema {name}")).collect();
            return Err(SqlError::new(
                SqlState::DEPENDENT_OBJECTS_STILL_EXIST,
                format!("cannot drop schema {name} because other objects depend on it"),
            )
            .detail(lines.join("\n"))
            .hint("Use DROP ... CASCADE to drop the dependent objects too."));
        }
        match told.as_slice() {
            [] => {}
            [one] => execution.notices.push(Notice::new(SqlState("00000"), format!("drop cascades to {one}"))),
            many => execution.notices.push(Notice::new(SqlState("00000"), format!("drop cascades to {} other objects", many.len()))),
        }
        let ids: BTreeSet<u32> = objects.iter().map(|object| object.id()).collect();
        let schema = schema.id;
        drop_objects(execution, &ids, true)?;
        execution.transaction.drop_object(schema)?;
    }
    Ok(Outcome::Command(Tag::command("DROP SCHEMA")))
}
