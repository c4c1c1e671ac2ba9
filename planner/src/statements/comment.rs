//! COMMENT ON object IS text
//!
//! Never: changes the version of a table; a comment says nothing of its rows.

use std::sync::Arc;

use base::{SqlError, SqlResult, SqlState};
use engine::roles::DATABASE;
use engine::{GrantsDef, Object, RoleDef, SchemaDef};
use sqlparser::ast::{CommentObject, Statement};

use super::Execution;
use super::table_draft::Draft;
use crate::names::{Name, fold};
use crate::outcome::{Notice, Outcome, Tag};
use crate::resolver::undefined_schema;
use crate::rights::things::Thing;

pub(super) fn execute(execution: &mut Execution<'_>) -> SqlResult<Outcome> {
    let Statement::Comment { object_type, object_name, comment, .. } = &*execution.parsed.statement else {
        return Err(SqlError::internal("not a COMMENT"));
    };
    // An empty comment is none.
    let text = comment.clone().filter(|text| !text.is_empty());
    let parts: Vec<String> = object_name.0.iter().filter_map(|part| part.as_ident()).map(fold).collect();
    if let Some(constraint) = &execution.parsed.clauses.constraint {
        on_constraint(execution, &Name::of(object_name, execution.view.database.name())?, constraint, text)?;
        return Ok(Outcome::Command(Tag::command("COMMENT")));
    }
    match object_type {
        // What every PostgreSQL has, and dumps comment on.
        CommentObject::Extension if parts == ["plpgsql"] => {}
        CommentObject::Role | CommentObject::User => on_role(execution, &parts.join("."), text)?,
        CommentObject::Database => on_database(execution, &parts.join("."), text)?,
        CommentObject::Schema => on_schema(execution, &parts.join("."), text)?,
        CommentObject::Column => {
            let Some((column, relation)) = parts.split_last() else { return Err(SqlError::internal("a column without a name")) };
            on_column(execution, relation, column, text)?;
        }
        CommentObject::Table | CommentObject::View | CommentObject::MaterializedView | CommentObject::Sequence | CommentObject::Index => {
            let kind = object_type.to_string().to_lowercase();
            on_relation(execution, &Name::of(object_name, execution.view.database.name())?, &kind, text)?;
        }
        other => return Err(SqlError::unsupported(format!("COMMENT ON {other}"))),
    }
    Ok(Outcome::Command(Tag::command("COMMENT")))
}

fn on_schema(execution: &mut Execution<'_>, name: &str, comment: Option<String>) -> SqlResult<()> {
    let catalog = execution.transaction.catalog();
    let schema = catalog.schema(name).ok_or_else(|| undefined_schema(name))?;
    execution.transaction.redefine(Object::Schema(Arc::new(SchemaDef { comment, ..schema.as_ref().clone() })))
}

/// Errors: 42704; 42501 for who may not change the role.
fn on_role(execution: &mut Execution<'_>, name: &str, comment: Option<String>) -> SqlResult<()> {
    let undefined = || SqlError::new(SqlState::UNDEFINED_OBJECT, format!("role \"{name}\" does not exist"));
    let role = execution.transaction.catalog().authority().role_named(name).ok_or_else(undefined)?.as_ref().clone();
    let access = &execution.scope.access;
    if role.superuser && !access.superuser {
        return Err(SqlError::new(SqlState::INSUFFICIENT_PRIVILEGE, "must be superuser"));
    }
    if !access.may_create_roles() {
        return Err(SqlError::new(SqlState::INSUFFICIENT_PRIVILEGE, "must have CREATEROLE privilege"));
    }
    execution.transaction.define_role(RoleDef { comment, ..role })
}

/// The comment of a database stands in its own ledger. Errors: 42501; 0A000 for another database.
fn on_database(execution: &mut Execution<'_>, name: &str, comment: Option<String>) -> SqlResult<()> {
    if name != execution.view.database.name() {
        let known = execution.view.database.cluster.upgrade().is_some_and(|all| all.all().iter().any(|other| other.name() == name));
        let elsewhere = || SqlError::unsupported(format!("a comment on database \"{name}\" from another database"));
        if known {
            return Err(elsewhere().hint("Connect to it and comment on it there."));
        }
        // As Postgres does, so that a dump can be restored under another name.
        execution.notices.push(Notice::warning(SqlState("3D000"), format!("database \"{name}\" does not exist")));
        return Ok(());
    }
    let thing = Thing::database(name);
    if !execution.scope.access.owns(&execution.transaction.catalog(), DATABASE) {
        return Err(thing.not_owner());
    }
    let ledger = execution.transaction.ledger();
    let grants = thing.grants(&execution.transaction.catalog(), || ledger.next_object_id());
    execution.transaction.define_grants(GrantsDef { comment, ..grants })
}

fn on_constraint(execution: &mut Execution<'_>, name: &Name, constraint: &str, comment: Option<String>) -> SqlResult<()> {
    let scope = execution.fresh_scope();
    let table = scope.changeable(name)?;
    let mut draft = Draft::of(table, table.version);
    let check = draft.rules.checks.iter_mut().find(|check| check.name == constraint).map(|check| &mut check.comment);
    let reference = draft.rules.references.iter_mut().find(|reference| reference.name == constraint);
    let unique = draft.rules.indexes.iter_mut().find(|index| index.constraint && index.name == constraint);
    let slot = check.or(reference.map(|reference| &mut reference.comment)).or(unique.map(|index| &mut index.constraint_comment));
    match slot {
        Some(slot) => *slot = comment,
        None if !table.primary_key.is_empty() && table.key_constraint() == constraint => draft.rules.key_comment = comment,
        None => {
            let message = format!("constraint \"{constraint}\" for table \"{}\" does not exist", table.name);
            return Err(SqlError::new(SqlState::UNDEFINED_OBJECT, message));
        }
    }
    execution.transaction.alter_table(draft.finish()?).map(drop)
}

fn named(relation: &[String]) -> SqlResult<Name> {
    let span = sqlparser::tokenizer::Span::empty();
    match relation {
        [name] => Ok(Name { schema: None, name: name.clone(), span }),
        [.., schema, name] => Ok(Name { schema: Some(schema.clone()), name: name.clone(), span }),
        [] => Err(SqlError::new(SqlState::SYNTAX_ERROR, "column name must be qualified")),
    }
}

fn undefined(name: &Name) -> SqlError {
    crate::resolver::undefined_table(&name.shown())
}

fn on_column(execution: &mut Execution<'_>, relation: &[String], column: &str, comment: Option<String>) -> SqlResult<()> {
    let name = named(relation)?;
    let scope = execution.fresh_scope();
    let missing = |relation: &str| {
        SqlError::new(SqlState::UNDEFINED_COLUMN, format!("column \"{column}\" of relation \"{relation}\" does not exist"))
    };
    match scope.relation(&name).filter(|object| object.name() == name.name) {
        Some(Object::Table(table)) => {
            let table = scope.changeable(&name).map(|_| table)?;
            let id = table.columns.iter().find(|other| other.name == column).ok_or_else(|| missing(&table.name))?.id;
            let mut draft = Draft::of(table, table.version);
            draft.rules.column_mut(id).comment = comment;
            execution.transaction.alter_table(draft.finish()?).map(drop)
        }
        Some(Object::View(view)) => {
            let mut view = view.as_ref().clone();
            let found = view.columns.iter_mut().find(|other| other.name == column);
            found.ok_or_else(|| missing(&name.name))?.comment = comment;
            execution.transaction.redefine(Object::View(Arc::new(view)))
        }
        _ => Err(undefined(&name)),
    }
}

fn on_relation(execution: &mut Execution<'_>, name: &Name, kind: &str, comment: Option<String>) -> SqlResult<()> {
    let scope = execution.fresh_scope();
    let Some(object) = scope.relation(name) else { return Err(undefined(name)) };
    let is_index = object.name() != name.name;
    if (kind == "index") != is_index || (!is_index && object.kind() != kind) {
        let article = if kind == "index" { "an" } else { "a" };
        return Err(SqlError::new(SqlState::WRONG_OBJECT_TYPE, format!("\"{}\" is not {article} {kind}", name.name)));
    }
    match object {
        Object::Table(table) => {
            scope.changeable(&Name { name: table.name.clone(), ..name.clone() })?;
            let mut draft = Draft::of(table, table.version);
            if !is_index {
                draft.rules.comment = comment;
            } else if let Some(index) = draft.rules.indexes.iter_mut().find(|index| index.name == name.name) {
                index.comment = comment;
            } else {
                draft.rules.key_index_comment = comment;
            }
            execution.transaction.alter_table(draft.finish()?).map(drop)
        }
        Object::View(view) => {
            let view = engine::ViewDef { comment, ..view.as_ref().clone() };
            execution.transaction.redefine(Object::View(Arc::new(view)))
        }
        Object::Sequence(sequence) => {
            let sequence = engine::SequenceDef { comment, ..sequence.as_ref().clone() };
            execution.transaction.redefine(Object::Sequence(Arc::new(sequence)))
        }
        // A graph is commented on by a statement of its own.
        Object::Graph(_) | Object::Schema(_) | Object::Role(_) | Object::Grants(_) | Object::Hold(_) | Object::Settings(_) => {
            Err(undefined(name))
        }
    }
}
