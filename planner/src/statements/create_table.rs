//! CREATE TABLE [IF NOT EXISTS] name (columns, keys)
//!
//! Never: ignores a clause; what is not kept is refused by name.

use base::{ColumnId, SqlError, SqlResult, SqlState};
use engine::{ColumnDef, TableDef};
use sqlparser::ast::helpers::stmt_create_table::CreateTableBuilder;
use sqlparser::ast::{ColumnOption, CreateTable, CreateTableOptions, Expr, IndexColumn, PrimaryKeyConstraint, Statement, TableConstraint};

use super::Execution;
use crate::column_types;
use crate::names::{Name, fold};
use crate::outcome::{Notice, Outcome, Tag};
use crate::tables::ROW_ID;

/// Columns a table may have, as in Postgres.
const COLUMNS_MAX: usize = 1_600;

pub(super) fn execute(execution: &mut Execution<'_>) -> SqlResult<Outcome> {
    let Statement::CreateTable(create) = &*execution.parsed.statement else {
        return Err(SqlError::internal("not a CREATE TABLE"));
    };
    refuse_clauses(create)?;
    let name = Name::of(&create.name, execution.view.database.name())?;
    let place = |error: SqlError| execution.parsed.point(error, name.span);
    let schema = execution.scope.creation_schema(&name).map_err(place)?;
    if execution.scope.catalog.table(&schema, &name.name).is_some() {
        let message = format!("relation \"{}\" already exists", name.name);
        if create.if_not_exists {
            execution.notices.push(Notice::new(SqlState::DUPLICATE_TABLE, format!("{message}, skipping")));
            return Ok(Outcome::Command(Tag::command("CREATE TABLE")));
        }
        return Err(SqlError::new(SqlState::DUPLICATE_TABLE, message));
    }
    let mut shape = Shape::default();
    read_columns(create, execution, &mut shape)?;
    for constraint in &create.constraints {
        match constraint {
            TableConstraint::PrimaryKey(key) => shape.table_key(&name.name, key, execution)?,
            other => return Err(unsupported_constraint(other)),
        }
    }
    let key = shape.key.unwrap_or_default();
    let id = base::RelationId(execution.transaction.ledger().next_object_id());
    let table = TableDef::new(id, &schema, &name.name, shape.columns, key)?;
    execution.transaction.create_table(table)?;
    Ok(Outcome::Command(Tag::command("CREATE TABLE")))
}

#[derive(Default)]
struct Shape {
    columns: Vec<ColumnDef>,
    key: Option<Vec<ColumnId>>,
}

impl Shape {
    fn set_key(&mut self, table: &str, key: Vec<ColumnId>) -> SqlResult<()> {
        match self.key.replace(key) {
            None => Ok(()),
            Some(_) => {
                let message = format!("multiple primary keys for table \"{table}\" are not allowed");
                Err(SqlError::new(SqlState::INVALID_TABLE_DEFINITION, message))
            }
        }
    }

    fn table_key(&mut self, table: &str, key: &PrimaryKeyConstraint, execution: &mut Execution<'_>) -> SqlResult<()> {
        note_constraint_name(table, key, execution)?;
        let mut ids = Vec::with_capacity(key.columns.len());
        for column in &key.columns {
            let (name, error) = match key_column(column) {
                Some(ident) => (
                    fold(ident),
                    SqlError::new(SqlState::UNDEFINED_COLUMN, format!("column \"{}\" named in key does not exist", fold(ident))),
                ),
                None => return Err(SqlError::unsupported(format!("a primary key over {column}"))),
            };
            let Some(found) = self.columns.iter().find(|column| column.name == name) else { return Err(error) };
            if ids.contains(&found.id) {
                let message = format!("column \"{name}\" appears twice in primary key constraint");
                return Err(SqlError::new(SqlState::DUPLICATE_COLUMN, message));
            }
            ids.push(found.id);
        }
        self.set_key(table, ids)
    }
}

fn key_column(column: &IndexColumn) -> Option<&sqlparser::ast::Ident> {
    let options = &column.column.options;
    match &column.column.expr {
        Expr::Identifier(ident) if column.operator_class.is_none() && options.asc.is_none() && options.nulls_first.is_none() => Some(ident),
        _ => None,
    }
}

fn note_constraint_name(table: &str, key: &PrimaryKeyConstraint, execution: &mut Execution<'_>) -> SqlResult<()> {
    if key.index_name.is_some() || key.index_type.is_some() || !key.index_options.is_empty() || key.characteristics.is_some() {
        return Err(SqlError::unsupported("an option of PRIMARY KEY"));
    }
    if let Some(name) = &key.name {
        note_name(table, &fold(name), execution);
    }
    Ok(())
}

fn note_name(table: &str, given: &str, execution: &mut Execution<'_>) {
    let kept = format!("{table}_pkey");
    if given != kept {
        let message = format!("the primary key is named \"{kept}\"; the name \"{given}\" is not kept");
        execution.notices.push(Notice::new(SqlState("00000"), message));
    }
}

fn read_columns(create: &CreateTable, execution: &mut Execution<'_>, shape: &mut Shape) -> SqlResult<()> {
    let parsed = execution.parsed;
    let table = Name::of(&create.name, execution.view.database.name())?.name;
    if create.columns.len() > COLUMNS_MAX {
        return Err(SqlError::new(SqlState("54011"), format!("tables can have at most {COLUMNS_MAX} columns")));
    }
    for (at, column) in create.columns.iter().enumerate() {
        let name = fold(&column.name);
        let place = |error: SqlError| parsed.point(error, column.name.span);
        if name == ROW_ID {
            let message = format!("column name \"{name}\" conflicts with a system column name");
            return Err(place(SqlError::new(SqlState::DUPLICATE_COLUMN, message)));
        }
        if shape.columns.iter().any(|other| other.name == name) {
            return Err(place(SqlError::new(SqlState::DUPLICATE_COLUMN, format!("column \"{name}\" specified more than once"))));
        }
        let sql_type = column_types::resolve(&column.data_type).map_err(place)?;
        let id = ColumnId(at as u32 + 1);
        let mut not_null = false;
        for option in &column.options {
            match &option.option {
                ColumnOption::Null => {}
                ColumnOption::NotNull => not_null = true,
                ColumnOption::PrimaryKey(key) => {
                    note_constraint_name(&table, key, execution)?;
                    if let Some(given) = &option.name {
                        note_name(&table, &fold(given), execution);
                    }
                    shape.set_key(&table, vec![id])?;
                }
                other => return Err(place(unsupported_option(other, &name))),
            }
        }
        shape.columns.push(ColumnDef { id, name, sql_type, not_null });
    }
    Ok(())
}

fn unsupported_option(option: &ColumnOption, column: &str) -> SqlError {
    let what = match option {
        ColumnOption::Default(_) => "DEFAULT",
        ColumnOption::Unique(_) => "UNIQUE",
        ColumnOption::ForeignKey(_) => "REFERENCES",
        ColumnOption::Check(_) => "CHECK",
        ColumnOption::Generated { .. } | ColumnOption::Identity(_) => "GENERATED",
        ColumnOption::Collation(_) => "COLLATE",
        other => return SqlError::unsupported(format!("{other} on column \"{column}\"")),
    };
    SqlError::unsupported(format!("{what} on column \"{column}\""))
}

fn unsupported_constraint(constraint: &TableConstraint) -> SqlError {
    SqlError::unsupported(match constraint {
        TableConstraint::Unique(_) | TableConstraint::UniqueUsingIndex(_) => "a UNIQUE constraint",
        TableConstraint::ForeignKey(_) => "a FOREIGN KEY constraint",
        TableConstraint::Check(_) => "a CHECK constraint",
        _ => "this kind of table constraint",
    })
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
        (create.table_options != CreateTableOptions::None, "WITH or TABLESPACE"),
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
    if &plain == create { Ok(()) } else { Err(SqlError::unsupported("this form of CREATE TABLE")) }
}
