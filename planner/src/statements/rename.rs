//! RENAME and SET SCHEMA: of tables, views, sequences, graphs, of the index of that name, of a table's columns and constraints.
//!
//! R1: what names the renamed thing in its text, conditions and views included, names it as it is called now.
//! Never: changes a row.

use std::sync::Arc;

use base::{SqlError, SqlResult, SqlState};
use engine::{Object, SequenceDef, TableDef, ViewDef};

use super::Execution;
use super::alter_table::draft;
use super::property_graph::followers;
use super::readers;
use super::table_draft::{Draft, check_column_name};
use crate::names::Name;
use crate::pg_catalog;
use crate::rules;
use crate::updatable_views;

pub(super) fn rename_column(execution: &mut Execution<'_>, table: &Arc<TableDef>, from: &str, to: &str) -> SqlResult<()> {
    let at = table.columns.iter().position(|column| column.name == from).ok_or_else(|| {
        let message = format!("column \"{from}\" does not exist");
        SqlError::new(SqlState::UNDEFINED_COLUMN, message)
    })?;
    if table.columns.iter().any(|column| column.name == to) {
        let message = format!("column \"{to}\" of relation \"{}\" already exists", table.name);
        return Err(SqlError::new(SqlState::DUPLICATE_COLUMN, message));
    }
    check_column_name(to)?;
    let object = Object::Table(Arc::clone(table));
    readers::follow_column(execution, &object, &updatable_views::column_names(&object), at)?;
    let mut draft = draft(execution, table);
    let id = draft.columns[at].id;
    for check in draft.rules.checks.iter_mut().filter(|check| check.columns.contains(&id)) {
        check.expression = rules::renamed(table, &check.expression, from, to)?;
    }
    for column in rules::needing(table, from)? {
        let rules = draft.rules.column_mut(column);
        rules.default = rules.default.as_deref().map(|text| rules::renamed(table, text, from, to)).transpose()?;
    }
    for index in draft.rules.indexes.iter_mut().filter(|index| index.reads(id)) {
        // An index goes on calling its columns as they were called when it was made.
        index.names = pg_catalog::names_in(index, &table.columns);
        for expression in index.computed_mut().filter(|expression| expression.columns.contains(&id)) {
            expression.text = rules::renamed(table, &expression.text, from, to)?;
        }
    }
    to.clone_into(&mut draft.columns[at].name);
    execution.transaction.alter_table(draft.finish()?)?;
    followers::follow_column(execution, table, from, to)
}

/// Errors: 42703, 42701; 0A000 where a view reads it as of another time.
pub(super) fn rename_view_column(execution: &mut Execution<'_>, view: &Arc<ViewDef>, from: &str, to: &str) -> SqlResult<()> {
    let mut renamed = view.as_ref().clone();
    let Some(at) = renamed.columns.iter().position(|column| column.name == from) else {
        return Err(SqlError::new(SqlState::UNDEFINED_COLUMN, format!("column \"{from}\" does not exist")));
    };
    to.clone_into(&mut renamed.columns[at].name);
    if view.columns.iter().any(|column| column.name == to) {
        let message = format!("column \"{to}\" of relation \"{}\" already exists", view.name);
        return Err(SqlError::new(SqlState::DUPLICATE_COLUMN, message));
    }
    let object = Object::View(Arc::clone(view));
    readers::follow_column(execution, &object, &updatable_views::column_names(&object), at)?;
    execution.transaction.redefine(Object::View(Arc::new(renamed)))
}

pub(super) fn rename_constraint(execution: &mut Execution<'_>, table: &Arc<TableDef>, from: &str, to: &str) -> SqlResult<()> {
    let mut draft = draft(execution, table);
    if draft.has_constraint(to) {
        let message = format!("constraint \"{to}\" for relation \"{}\" already exists", table.name);
        return Err(SqlError::new(SqlState::DUPLICATE_OBJECT, message));
    }
    if !draft.has_constraint(from) {
        let message = format!("constraint \"{from}\" for table \"{}\" does not exist", table.name);
        return Err(SqlError::new(SqlState::UNDEFINED_OBJECT, message));
    }
    rename_part(&mut draft, table, from, to);
    execution.transaction.alter_table(draft.finish()?).map(drop)
}

fn rename_part(draft: &mut Draft, table: &TableDef, from: &str, to: &str) {
    let to = || to.to_owned();
    if !table.primary_key.is_empty() && table.key_constraint() == from {
        draft.rules.key_name = Some(to());
    }
    draft.rules.checks.iter_mut().filter(|check| check.name == from).for_each(|check| check.name = to());
    draft.rules.indexes.iter_mut().filter(|index| index.name == from).for_each(|index| index.name = to());
    draft.rules.references.iter_mut().filter(|reference| reference.name == from).for_each(|reference| reference.name = to());
}

/// RENAME TO: of a table, view, sequence, or of the index of that name. Errors: 42P07.
pub(super) fn rename(execution: &mut Execution<'_>, object: &Object, from: &str, to: &str) -> SqlResult<()> {
    let schema = object.schema().unwrap_or_default();
    if execution.transaction.catalog().relation_owner(schema, to).is_some() {
        return Err(SqlError::new(SqlState::DUPLICATE_TABLE, format!("relation \"{to}\" already exists")));
    }
    match object {
        Object::Table(table) if table.name != from => {
            let mut draft = draft(execution, table);
            rename_part(&mut draft, table, from, to);
            execution.transaction.alter_table(draft.finish()?).map(drop)
        }
        Object::Table(table) => {
            let mut draft = draft(execution, table);
            if !table.primary_key.is_empty() {
                draft.rules.key_name = Some(table.key_constraint());
            }
            let requalified = |text: &str| text.replace(&format!("{from}."), &format!("{to}."));
            for check in &mut draft.rules.checks {
                check.expression = requalified(&check.expression);
            }
            for column in draft.columns.iter().map(|column| column.id) {
                let rules = draft.rules.column_mut(column);
                if rules.generated {
                    rules.default = rules.default.as_deref().map(requalified);
                }
            }
            to.clone_into(&mut draft.name);
            execution.transaction.alter_table(draft.finish()?)?;
            readers::follow_rename(execution, object.id(), (schema, from), (schema, to))
        }
        Object::Sequence(sequence) => relabel(execution, sequence, schema, to),
        Object::View(view) => {
            let mut renamed = view.as_ref().clone();
            to.clone_into(&mut renamed.name);
            execution.transaction.redefine(Object::View(Arc::new(renamed)))?;
            readers::follow_rename(execution, object.id(), (schema, from), (schema, to))
        }
        Object::Graph(graph) => {
            let mut renamed = graph.as_ref().clone();
            to.clone_into(&mut renamed.name);
            execution.transaction.redefine(Object::Graph(Arc::new(renamed)))?;
            readers::follow_rename(execution, object.id(), (schema, from), (schema, to))
        }
        Object::Schema(_) | Object::Role(_) | Object::Grants(_) | Object::Hold(_) | Object::Settings(_) => {
            Err(SqlError::internal("only relations are renamed here"))
        }
    }
}

fn relabel(execution: &mut Execution<'_>, sequence: &SequenceDef, schema: &str, name: &str) -> SqlResult<()> {
    let mut renamed = sequence.clone();
    let version = execution.transaction.next_version(sequence.state.id);
    renamed.state = SequenceDef::state_table(sequence.state.id, schema, name, version)?;
    execution.transaction.redefine(Object::Sequence(Arc::new(renamed)))
}

/// SET SCHEMA. Errors: 3F000, 42P07, 42501.
pub(super) fn move_to(execution: &mut Execution<'_>, object: &Object, to: &str) -> SqlResult<()> {
    let target = Name { schema: Some(to.to_owned()), name: object.name().to_owned(), span: sqlparser::tokenizer::Span::empty() };
    let to = execution.fresh_scope().creation_schema(&target)?;
    if execution.transaction.catalog().relation_owner(&to, object.name()).is_some() {
        let message = format!("relation \"{}\" already exists in schema \"{to}\"", object.name());
        return Err(SqlError::new(SqlState::DUPLICATE_TABLE, message));
    }
    let from = object.schema().unwrap_or_default().to_owned();
    match object {
        Object::Table(table) => {
            let mut draft = draft(execution, table);
            draft.schema.clone_from(&to);
            execution.transaction.alter_table(draft.finish()?)?;
            let catalog = execution.transaction.catalog();
            let is_owned = |sequence: &&Arc<SequenceDef>| sequence.owner.is_some_and(|(owner, _)| owner == table.id);
            for sequence in catalog.sequences().filter(is_owned) {
                relabel(execution, sequence, &to, sequence.name())?;
            }
        }
        Object::Sequence(sequence) => relabel(execution, sequence, &to, sequence.name())?,
        Object::View(view) => {
            let mut moved = view.as_ref().clone();
            moved.schema.clone_from(&to);
            execution.transaction.redefine(Object::View(Arc::new(moved)))?;
        }
        Object::Graph(graph) => {
            let mut moved = graph.as_ref().clone();
            moved.schema.clone_from(&to);
            execution.transaction.redefine(Object::Graph(Arc::new(moved)))?;
        }
        Object::Schema(_) | Object::Role(_) | Object::Grants(_) | Object::Hold(_) | Object::Settings(_) => {
            return Err(SqlError::internal("only relations are moved"));
        }
    }
    readers::follow_rename(execution, object.id(), (&from, object.name()), (&to, object.name()))
}
