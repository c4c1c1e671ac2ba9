//! CREATE [UNIQUE] INDEX [CONCURRENTLY] [IF NOT EXISTS] [name] ON table (columns)
//!
//! Never: over expressions or part of the rows (0A000); writes the index down, which is a fold like the primary key's.

use base::{SqlError, SqlResult, SqlState};
use engine::Index;
use sqlparser::ast::{CreateIndex, Expr, Ident, IndexType, ObjectName, Statement};

use super::Execution;
use super::table_draft::{Draft, free_name};
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
    let mut draft = Draft::of(table, execution.transaction.next_version(table.id));
    let (mut columns, mut options, mut classes) = (Vec::new(), Vec::new(), Vec::new());
    for column in &create.columns {
        let Expr::Identifier(ident) = without_collation(&column.column.expr) else {
            return Err(SqlError::unsupported(format!("an index over the expression {}", column.column.expr)));
        };
        let name = fold(ident);
        let found = table.columns.iter().find(|column| column.name == name);
        let message = format!("column \"{name}\" does not exist");
        let found = found.ok_or_else(|| SqlError::new(SqlState::UNDEFINED_COLUMN, message))?;
        let descending = column.column.options.asc == Some(false);
        let nulls_first = column.column.options.nulls_first.unwrap_or(descending);
        // Every class has the order of its type, so the class is written down and changes nothing.
        classes.push(match &column.operator_class {
            Some(class) => pg_catalog::operator_class(found.sql_type, &fold(simple_last(class)?))?,
            None => String::new(),
        });
        columns.push(found.id);
        options.push(u8::from(descending) | u8::from(nulls_first) << 1);
    }
    if classes.iter().all(String::is_empty) {
        classes.clear();
    }
    let given = create.name.as_ref().map(|name| simple(name).map(fold)).transpose()?;
    if let Some(name) = given.as_ref().filter(|name| execution.transaction.catalog().relation_owner(&table.schema, name).is_some()) {
        let message = format!("relation \"{name}\" already exists");
        if create.if_not_exists {
            execution.notices.push(Notice::new(SqlState::DUPLICATE_TABLE, format!("{message}, skipping")));
            return Ok(Outcome::Command(Tag::command("CREATE INDEX")));
        }
        return Err(SqlError::new(SqlState::DUPLICATE_TABLE, message));
    }
    let name = match given {
        Some(name) => name,
        None => {
            let names: Vec<&str> = columns.iter().filter_map(|id| table.column(*id)).map(|column| column.name.as_str()).collect();
            free_name(&table.name, &names.join("_"), "idx", |name| draft.has_relation(execution, name))
        }
    };
    let id = execution.transaction.ledger().next_object_id();
    draft.rules.indexes.push(Index { id, name, columns, options, classes, unique: create.unique, constraint: false, comment: None });
    let table = execution.transaction.alter_table(draft.finish()?)?;
    if create.unique {
        execution.transaction.check_unique(&table, id)?;
    }
    Ok(Outcome::Command(Tag::command("CREATE INDEX")))
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
    let refused = [
        (!create.include.is_empty(), "INCLUDE"),
        (create.nulls_distinct == Some(false), "NULLS NOT DISTINCT"),
        (create.predicate.is_some(), "an index over part of the rows (WHERE)"),
        (!create.index_options.is_empty() || !create.alter_options.is_empty(), "an option of CREATE INDEX"),
    ];
    if let Some((_, what)) = refused.iter().find(|(present, _)| *present) {
        return Err(SqlError::unsupported(what));
    }
    match &create.using {
        None | Some(IndexType::BTree) => Ok(()),
        // An index answers equality and more here, whatever it is called.
        Some(IndexType::Hash) => Ok(()),
        Some(other) => Err(SqlError::unsupported(format!("an index of type {}", other.to_string().to_lowercase()))),
    }
}
