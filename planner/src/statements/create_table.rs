//! CREATE TABLE [IF NOT EXISTS] name (columns, constraints)
//!
//! Never: ignores a clause; what is not kept is refused by name.

use std::sync::Arc;

use base::{RelationId, SqlError, SqlResult, SqlState};
use engine::TableDef;
use sqlparser::ast::helpers::stmt_create_table::CreateTableBuilder;
use sqlparser::ast::{CreateTable, CreateTableOptions, SqlOption, Statement, TableConstraint};

use super::Execution;
use super::table_draft::Draft;
use crate::names::Name;
use crate::outcome::{Notice, Outcome, Tag};
use crate::rules;

pub(super) fn execute(execution: &mut Execution<'_>) -> SqlResult<Outcome> {
    let parsed = execution.parsed;
    let Statement::CreateTable(create) = &*parsed.statement else {
        return Err(SqlError::internal("not a CREATE TABLE"));
    };
    refuse_clauses(create)?;
    let name = Name::of(&create.name, execution.view.database.name())?;
    let schema = execution.scope.creation_schema(&name).map_err(|error| parsed.point(error, name.span))?;
    if execution.transaction.catalog().relation_owner(&schema, &name.name).is_some() {
        let message = format!("relation \"{}\" already exists", name.name);
        if create.if_not_exists {
            execution.notices.push(Notice::new(SqlState::DUPLICATE_TABLE, format!("{message}, skipping")));
            return Ok(Outcome::Command(Tag::command("CREATE TABLE")));
        }
        return Err(SqlError::new(SqlState::DUPLICATE_TABLE, message));
    }
    let id = RelationId(execution.transaction.ledger().next_object_id());
    let mut draft = Draft::empty(id, schema, name.name);
    // The key's name is chosen before those of columns' constraints would take it.
    for column in &create.columns {
        draft.add_column(execution, column)?;
    }
    let (keys, others): (Vec<_>, Vec<_>) =
        create.constraints.iter().partition(|constraint| matches!(constraint, TableConstraint::PrimaryKey(_)));
    for constraint in keys.into_iter().chain(others) {
        draft.add_constraint(execution, constraint)?;
    }
    make(execution, draft)?;
    Ok(Outcome::Command(Tag::command("CREATE TABLE")))
}

/// Makes the table that a draft describes, with what it brings along. Errors: what its rules raise when they are planned.
pub(super) fn make(execution: &mut Execution<'_>, mut draft: Draft) -> SqlResult<Arc<TableDef>> {
    draft.take_references(execution)?;
    let table = Arc::new(draft.finish()?);
    for check in &table.rules.checks {
        rules::condition(&execution.place(), &table, check)?;
    }
    for sequence in draft.sequences {
        execution.transaction.create_sequence(sequence)?;
    }
    execution.transaction.create_table(table.as_ref().clone())?;
    Ok(table)
}

/// Nothing, or how full pages may be: there are none, so it is taken and means nothing.
fn is_fill_factor(options: &CreateTableOptions) -> bool {
    match options {
        CreateTableOptions::None => true,
        CreateTableOptions::With(options) => {
            options.iter().all(|option| matches!(option, SqlOption::KeyValue { key, .. } if key.value.eq_ignore_ascii_case("fillfactor")))
        }
        _ => false,
    }
}

/// Everything beside name, columns and constraints; by name where common, as a whole otherwise.
fn refuse_clauses(create: &CreateTable) -> SqlResult<()> {
    let named = [
        (create.temporary || create.global.is_some(), "CREATE TEMPORARY TABLE"),
        (create.or_replace, "CREATE OR REPLACE TABLE"),
        (create.external, "CREATE EXTERNAL TABLE"),
        (create.query.is_some(), "CREATE TABLE AS"),
        (create.like.is_some(), "CREATE TABLE … LIKE"),
        (create.inherits.is_some(), "INHERITS"),
        (create.partition_by.is_some() || create.partition_of.is_some(), "PARTITION"),
        (!is_fill_factor(&create.table_options), "WITH or TABLESPACE"),
        (create.on_commit.is_some(), "ON COMMIT"),
    ];
    if let Some((_, what)) = named.iter().find(|(present, _)| *present) {
        return Err(SqlError::unsupported(what));
    }
    let mut plain = CreateTableBuilder::new(create.name.clone())
        .if_not_exists(create.if_not_exists)
        .columns(create.columns.clone())
        .constraints(create.constraints.clone())
        .build();
    plain.hive_formats.clone_from(&create.hive_formats);
    plain.table_options.clone_from(&create.table_options);
    if &plain == create { Ok(()) } else { Err(SqlError::unsupported("this form of CREATE TABLE")) }
}
