//! COMMENT ON object IS text
//!
//! Never: changes the version of a table; a comment says nothing of its rows.

use std::sync::Arc;

use base::{SqlError, SqlResult, SqlState};
use engine::{Object, SchemaDef};
use sqlparser::ast::{CommentObject, Statement};

use super::Execution;
use super::table_draft::Draft;
use crate::names::{Name, fold};
use crate::outcome::{Outcome, Tag};
use crate::resolver::undefined_schema;

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

fn on_constraint(execution: &mut Execution<'_>, name: &Name, constraint: &str, comment: Option<String>) -> SqlResult<()> {
    let scope = execution.fresh_scope();
    let table = scope.changeable(name)?;
    let mut draft = Draft::of(table, table.version);
    let is_there = draft.has_constraint(constraint);
    let check = draft.rules.checks.iter_mut().find(|check| check.name == constraint).map(|check| &mut check.comment);
    let reference = draft.rules.references.iter_mut().find(|reference| reference.name == constraint);
    let slot = check.or(reference.map(|reference| &mut reference.comment));
    match slot {
        Some(slot) => *slot = comment,
        None if !table.primary_key.is_empty() && table.key_constraint() == constraint => draft.rules.key_comment = comment,
        None if is_there => return Err(SqlError::unsupported("a comment on a UNIQUE constraint")),
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
                return Err(SqlError::unsupported("a comment on the index of a primary key"));
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
