//! CREATE TABLE [IF NOT EXISTS] name (columns, constraints)
//!
//! Never: ignores a clause; what is not kept is refused by name.

use std::sync::Arc;

use base::{ColumnId, RelationId, SqlError, SqlResult, SqlState};
use engine::{OnCommit, TEMPORARY_SCHEMA, TableDef};
use sqlparser::ast::helpers::stmt_create_table::CreateTableBuilder;
use sqlparser::ast::{CreateTable, CreateTableOptions, ObjectName, Statement, TableConstraint};

use super::Execution;
use super::like_table;
use super::table_draft::Draft;
use super::table_options;
use crate::names::Name;
use crate::outcome::{Notice, Outcome, Tag};
use crate::rules;

pub(super) fn execute(execution: &mut Execution<'_>) -> SqlResult<Outcome> {
    let parsed = execution.parsed;
    let Statement::CreateTable(create) = &*parsed.statement else {
        return Err(SqlError::internal("not a CREATE TABLE"));
    };
    refuse_clauses(create)?;
    let target = Target { name: &create.name, temporary: create.temporary, if_not_exists: create.if_not_exists };
    let Some((schema, name)) = place(execution, &target)? else {
        return Ok(Outcome::Command(Tag::command("CREATE TABLE")));
    };
    let id = RelationId(execution.transaction.ledger().next_object_id());
    let is_temporary = schema == TEMPORARY_SCHEMA;
    let mut draft = Draft::empty(id, schema, name);
    let mut erasable_by = None;
    if let CreateTableOptions::With(options) = &create.table_options {
        let mut options = options.clone();
        erasable_by = table_options::take_erasable_by(&mut options)?;
        table_options::set(&mut draft.rules.retention, &options)?;
        table_options::check_lasting(&draft.schema, draft.rules.retention.as_ref())?;
    }
    // The key's name is chosen before those of columns' constraints would take it.
    let mut likes = parsed.clauses.table.likes.iter().peekable();
    for (at, column) in create.columns.iter().enumerate() {
        while let Some(like) = likes.next_if(|like| like.at <= at) {
            like_table::add(execution, &mut draft, like)?;
        }
        draft.add_column(execution, column)?;
    }
    for like in likes {
        like_table::add(execution, &mut draft, like)?;
    }
    let (keys, others): (Vec<_>, Vec<_>) =
        create.constraints.iter().partition(|constraint| matches!(constraint, TableConstraint::PrimaryKey(_)));
    for constraint in keys.into_iter().chain(others) {
        draft.add_constraint(execution, constraint)?;
    }
    draft.rules.erasable_by = erasable_by.map(|name| subjects(&draft, &name, is_temporary)).transpose()?;
    if is_temporary && !(draft.sequences.is_empty() && draft.references.is_empty()) {
        return Err(SqlError::unsupported("a sequence or a reference of a temporary table"));
    }
    make(execution, draft)?;
    if is_temporary {
        execution.transaction.set_on_commit(id, on_commit(create));
    }
    Ok(Outcome::Command(Tag::command("CREATE TABLE")))
}

/// The column that rows are erased by. Errors: 42703; 0A000 for a temporary table.
fn subjects(draft: &Draft, name: &str, is_temporary: bool) -> SqlResult<ColumnId> {
    if is_temporary {
        return Err(SqlError::unsupported("erasing rows of a temporary table").hint("Its rows are in no commit, and go with the session."));
    }
    let column = draft.columns.iter().find(|column| column.name == name).map(|column| column.id);
    column.ok_or_else(|| SqlError::new(SqlState::UNDEFINED_COLUMN, format!("column \"{name}\" named in erasable_by does not exist")))
}

/// What a statement says of the table it makes.
pub(super) struct Target<'a> {
    pub(super) name: &'a ObjectName,
    pub(super) temporary: bool,
    pub(super) if_not_exists: bool,
}

/// Schema and name of a new table; `None`, with a notice, where there is one already and that is allowed.
/// Errors: 42P07, 42P16, and as [`crate::resolver::Scope::creation_schema`].
pub(super) fn place(execution: &mut Execution<'_>, target: &Target<'_>) -> SqlResult<Option<(String, String)>> {
    let name = Name::of(target.name, execution.view.database.name())?;
    let schema = schema_of(execution, &name, target.temporary)?;
    if execution.transaction.catalog().relation_owner(&schema, &name.name).is_none() {
        return Ok(Some((schema, name.name)));
    }
    let message = format!("relation \"{}\" already exists", name.name);
    if !target.if_not_exists {
        return Err(SqlError::new(SqlState::DUPLICATE_TABLE, message));
    }
    execution.notices.push(Notice::new(SqlState::DUPLICATE_TABLE, format!("{message}, skipping")));
    Ok(None)
}

/// The schema that a new relation is made in; the session's temporary one is there afterwards. Errors: 42P16, 3F000, 42501.
pub(super) fn schema_of(execution: &mut Execution<'_>, name: &Name, temporary: bool) -> SqlResult<String> {
    match name.schema.as_deref() {
        Some(TEMPORARY_SCHEMA) => {}
        None if temporary => {}
        Some(_) if temporary => {
            let message = "cannot create temporary relation in non-temporary schema";
            return Err(SqlError::new(SqlState::INVALID_TABLE_DEFINITION, message));
        }
        _ => return execution.scope.creation_schema(name).map_err(|error| execution.parsed.point(error, name.span)),
    }
    execution.transaction.ensure_temporary_schema()?;
    Ok(TEMPORARY_SCHEMA.to_owned())
}

/// What a commit does to the table.
pub(super) fn on_commit(create: &CreateTable) -> OnCommit {
    match create.on_commit {
        Some(sqlparser::ast::OnCommit::DeleteRows) => OnCommit::DeleteRows,
        Some(sqlparser::ast::OnCommit::Drop) => OnCommit::Drop,
        Some(sqlparser::ast::OnCommit::PreserveRows) | None => OnCommit::Preserve,
    }
}

/// Makes the table that a draft describes, with what it brings along. Errors: what its rules raise when they are planned.
pub(super) fn make(execution: &mut Execution<'_>, mut draft: Draft) -> SqlResult<Arc<TableDef>> {
    draft.take_references(execution)?;
    let table = Arc::new(draft.finish()?);
    rules::check_generated(&execution.place(), &table)?;
    for check in &table.rules.checks {
        rules::condition(&execution.place(), &table, check)?;
    }
    for sequence in draft.sequences {
        execution.transaction.create_sequence(sequence)?;
    }
    execution.transaction.create_table(table.as_ref().clone())?;
    Ok(table)
}

/// Everything beside name, columns and constraints; by name where common, as a whole otherwise.
fn refuse_clauses(create: &CreateTable) -> SqlResult<()> {
    let named = [
        (create.or_replace, "CREATE OR REPLACE TABLE"),
        (create.external, "CREATE EXTERNAL TABLE"),
        (create.query.is_some(), "CREATE TABLE AS"),
        (create.like.is_some(), "CREATE TABLE … LIKE"),
        (create.inherits.is_some(), "INHERITS"),
        (create.partition_by.is_some() || create.partition_of.is_some(), "PARTITION"),
        (!matches!(create.table_options, CreateTableOptions::None | CreateTableOptions::With(_)), "TABLESPACE"),
        (create.on_commit.is_some() && !create.temporary, "ON COMMIT on a table that is not temporary"),
    ];
    if let Some((_, what)) = named.iter().find(|(present, _)| *present) {
        return Err(SqlError::unsupported(what));
    }
    let mut plain = CreateTableBuilder::new(create.name.clone())
        .if_not_exists(create.if_not_exists)
        .temporary(create.temporary)
        .global(create.global)
        .on_commit(create.on_commit)
        .columns(create.columns.clone())
        .constraints(create.constraints.clone())
        .build();
    plain.hive_formats.clone_from(&create.hive_formats);
    plain.table_options.clone_from(&create.table_options);
    if &plain == create { Ok(()) } else { Err(SqlError::unsupported("this form of CREATE TABLE")) }
}
