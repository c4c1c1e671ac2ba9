//! CREATE [UNIQUE] INDEX [CONCURRENTLY] [IF NOT EXISTS] [name] ON table (columns and expressions) [INCLUDE (columns)] [WHERE condition]
//!
//! Never: writes the index down, which is a fold like the primary key's.

use base::{SqlError, SqlResult, SqlState};
use engine::{ColumnDef, Expression, Index, NO_COLUMN, SqlType, TableDef, Timing};
use sqlparser::ast::{CreateIndex, Expr, Ident, IndexColumn, IndexType, ObjectName, Statement};

use super::Execution;
use super::table_draft::{Draft, free_name};
use crate::index_expressions::{self, Place};
use crate::names::{Name, fold, simple};
use crate::outcome::{Notice, Outcome, Tag};
use crate::pg_catalog;

pub(super) fn execute(execution: &mut Execution<'_>) -> SqlResult<Outcome> {
    let parsed = execution.parsed;
    let Statement::CreateIndex(create) = &*parsed.statement else {
        return Err(SqlError::internal("not a CREATE INDEX"));
    };
    refuse_clauses(create)?;
    let target = Name::of(&create.table_name, execution.view.database.name())?;
    let scope = execution.fresh_scope();
    let table = scope.changeable(&target).map_err(|error| parsed.point(error, target.span))?;
    execution.transaction.enter_table(table)?;
    let mut draft = Draft::of(table, execution.transaction.next_version(table.id));
    let Some(mut index) = read(execution, table, create)? else {
        return Ok(Outcome::Command(Tag::command("CREATE INDEX")));
    };
    if index.name.is_empty() {
        let names = pg_catalog::names_in(&index, &table.columns);
        index.name = free_name(&table.name, &names.join("_"), "idx", |name| draft.has_relation(execution, name));
    }
    let id = index.id;
    draft.rules.indexes.push(index);
    let table = execution.transaction.alter_table(draft.finish()?)?;
    let watch = execution.watch;
    execution.transaction.build_index(&table, id, &|| watch.check())?;
    Ok(Outcome::Command(Tag::command("CREATE INDEX")))
}

/// The index, without a name where none is given; `None` where it is there already and may be.
fn read(execution: &mut Execution<'_>, table: &TableDef, create: &CreateIndex) -> SqlResult<Option<Index>> {
    let given = create.name.as_ref().map(|name| simple(name).map(fold)).transpose()?;
    let mut index = Index {
        id: 0,
        name: given.unwrap_or_default(),
        columns: Vec::new(),
        expressions: Vec::new(),
        condition: None,
        include: Vec::new(),
        options: Vec::new(),
        classes: Vec::new(),
        unique: create.unique,
        nulls_equal: create.nulls_distinct == Some(false),
        constraint: false,
        timing: Timing::default(),
        names: Vec::new(),
        comment: None,
        constraint_comment: None,
    };
    create.columns.iter().try_for_each(|column| add(execution, table, column, &mut index))?;
    if index.classes.iter().all(String::is_empty) {
        index.classes.clear();
    }
    index.include = create.include.iter().map(|ident| column(table, ident).map(|found| found.id)).collect::<SqlResult<_>>()?;
    let condition = create.predicate.as_ref().map(|condition| computed(execution, table, condition, Place::Condition));
    index.condition = condition.transpose()?;
    if !index.name.is_empty() && execution.transaction.catalog().relation_owner(&table.schema, &index.name).is_some() {
        let message = format!("relation \"{}\" already exists", index.name);
        if create.if_not_exists {
            execution.notices.push(Notice::new(SqlState::DUPLICATE_TABLE, format!("{message}, skipping")));
            return Ok(None);
        }
        return Err(SqlError::new(SqlState::DUPLICATE_TABLE, message));
    }
    index.id = execution.transaction.ledger().next_object_id();
    Ok(Some(index))
}

/// Adds an element of the list.
fn add(execution: &Execution<'_>, table: &TableDef, element: &IndexColumn, index: &mut Index) -> SqlResult<()> {
    let expr = without_collation(&element.column.expr);
    let sql_type = match bare(expr) {
        Expr::Identifier(ident) => {
            let found = column(table, ident)?;
            index.columns.push(found.id);
            found.sql_type
        }
        expr => {
            let expression = computed(execution, table, expr, Place::List)?;
            let sql_type = expression.sql_type;
            index.columns.push(NO_COLUMN);
            index.expressions.push(expression);
            sql_type
        }
    };
    let descending = element.column.options.asc == Some(false);
    let nulls_first = element.column.options.nulls_first.unwrap_or(descending);
    // Every class has the order of its type, so the class is written down and changes nothing.
    index.classes.push(match &element.operator_class {
        Some(class) => pg_catalog::operator_class(sql_type, &fold(simple_last(class)?))?,
        None if sql_type == SqlType::Json => return Err(without_order(sql_type)),
        None => String::new(),
    });
    index.options.push(u8::from(descending) | u8::from(nulls_first) << 1);
    Ok(())
}

fn without_order(sql_type: SqlType) -> SqlError {
    let message = format!("data type {} has no default operator class for access method \"btree\"", sql_type.name());
    SqlError::new(SqlState::UNDEFINED_OBJECT, message)
        .hint("You must specify an operator class for the index or define a default operator class for the data type.")
}

fn computed(execution: &Execution<'_>, table: &TableDef, expr: &Expr, place: Place) -> SqlResult<Expression> {
    index_expressions::read(&execution.view.database.relational, &table.name, &table.columns, bare(expr), place)
}

fn column<'t>(table: &'t TableDef, ident: &Ident) -> SqlResult<&'t ColumnDef> {
    let name = fold(ident);
    let message = format!("column \"{name}\" does not exist");
    table.columns.iter().find(|column| column.name == name).ok_or_else(|| SqlError::new(SqlState::UNDEFINED_COLUMN, message))
}

/// Without parentheses around it.
fn bare(expr: &Expr) -> &Expr {
    match expr {
        Expr::Nested(inner) => bare(inner),
        other => other,
    }
}

/// A column whose collation is said to be the one that there is: texts sort as their bytes.
pub(super) fn without_collation(expr: &Expr) -> &Expr {
    match expr {
        Expr::Collate { expr, collation } if is_by_bytes(collation) => without_collation(expr),
        other => other,
    }
}

/// Whether a collation is the database's own.
pub(super) fn is_by_bytes(collation: &ObjectName) -> bool {
    let name = collation.0.last().and_then(|part| part.as_ident()).map(fold);
    name.is_some_and(|name| ["C", "POSIX", "default", "ucs_basic"].contains(&name.as_str()))
}

/// The last part of a name, which may say `pg_catalog`.
fn simple_last(name: &ObjectName) -> SqlResult<&Ident> {
    let last = name.0.last().and_then(|part| part.as_ident());
    last.ok_or_else(|| SqlError::new(SqlState::SYNTAX_ERROR, format!("improper operator class name: {name}")))
}

fn refuse_clauses(create: &CreateIndex) -> SqlResult<()> {
    if !create.index_options.is_empty() || !create.alter_options.is_empty() {
        return Err(SqlError::unsupported("an option of CREATE INDEX"));
    }
    match &create.using {
        None | Some(IndexType::BTree) => Ok(()),
        // An index answers equality and more here, whatever it is called.
        Some(IndexType::Hash) => Ok(()),
        Some(other) => Err(SqlError::unsupported(format!("an index of type {}", other.to_string().to_lowercase()))),
    }
}
