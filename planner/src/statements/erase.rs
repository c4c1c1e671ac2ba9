//! ERASE: the tables and subjects that it means, and who may erase them.
//!
//! E1: only the owner of a table, or of its schema, and superusers erase in it.
//! E2: what is meant is read anew each time it runs.
//! Never: erases; the ledger does.

use std::sync::Arc;

use base::{SqlError, SqlResult, SqlState};
use engine::erasure::Scope as Subject;
use engine::{LEDGER_SCHEMA, TableDef};
use sqlparser::tokenizer::Span;

use crate::erase_syntax::{Erase, Within};
use crate::names::Name;
use crate::resolver::Scope;
use crate::rights::things;
use crate::types::parse_text;

/// The subject in each of the tables meant.
///
/// Errors: 42P01, 42809 for a table whose rows are not erasable, 42501 (E1), 42P10 for another column than that of its subjects, 22P02 and the like.
pub(crate) fn scopes(scope: &Scope, erase: &Erase) -> SqlResult<Vec<Subject>> {
    let named = |parts: &[String]| -> SqlResult<(Arc<TableDef>, usize)> {
        let table = Arc::clone(scope.writable(&name(parts)?)?);
        let by = table.subject().ok_or_else(|| not_erasable(&table))?;
        may_erase(scope, &table)?;
        Ok((table, by))
    };
    match &erase.within {
        Within::One { table, column } => {
            let (table, by) = named(table)?;
            let subjects = &table.columns[by].name;
            if table.columns.iter().all(|other| other.name != *column) {
                let message = format!("column \"{column}\" of relation \"{}\" does not exist", table.name);
                return Err(SqlError::new(SqlState::UNDEFINED_COLUMN, message));
            }
            if subjects != column {
                let message = format!("rows of \"{}\" are not erased by column \"{column}\"", table.name);
                return Err(SqlError::new(SqlState::INVALID_COLUMN_REFERENCE, message)
                    .hint(format!("They are sealed under a key for each value of \"{subjects}\".")));
            }
            Ok(vec![subject(table, by, &erase.subject)?])
        }
        Within::Tables(tables) => {
            let mut meant = tables.iter().map(|parts| named(parts)).collect::<SqlResult<Vec<_>>>()?;
            meant.sort_by_key(|(table, _)| table.id);
            meant.dedup_by_key(|(table, _)| table.id);
            meant.into_iter().map(|(table, by)| subject(table, by, &erase.subject)).collect()
        }
        Within::Everywhere => {
            let all = scope.catalog.tables().filter(|table| table.schema != LEDGER_SCHEMA);
            let meant: Vec<_> = all.filter_map(|table| Some((Arc::clone(table), table.subject()?))).collect();
            meant.iter().try_for_each(|(table, _)| may_erase(scope, table))?;
            // A table whose subjects are of a type that has no such value has none of its rows.
            let mut subjects: Vec<Subject> = meant.into_iter().filter_map(|(table, by)| subject(table, by, &erase.subject).ok()).collect();
            for table in scope.ledger.dropped_erasable_tables() {
                let Some(Ok(of_dropped)) = table.subject().map(|by| subject(Arc::clone(&table), by, &erase.subject)) else { continue };
                if scope.ledger.is_erasable(&of_dropped)? {
                    may_erase(scope, &table)?;
                    subjects.push(of_dropped);
                }
            }
            Ok(subjects)
        }
    }
}

fn name(parts: &[String]) -> SqlResult<Name> {
    let (schema, name) = match parts {
        [name] => (None, name),
        [schema, name] => (Some(schema.clone()), name),
        _ => return Err(SqlError::unsupported(format!("a cross-database reference such as {}", parts.join(".")))),
    };
    Ok(Name { schema, name: name.clone(), span: Span::empty() })
}

fn subject(table: Arc<TableDef>, by: usize, text: &str) -> SqlResult<Subject> {
    let subject = parse_text(table.columns[by].sql_type, text)?;
    Ok(Subject { table, subject, shown: text.to_owned() })
}

/// E1.
fn may_erase(scope: &Scope, table: &TableDef) -> SqlResult<()> {
    let owns = |id| scope.access.owns(&scope.catalog, id);
    let schema = scope.catalog.schema(&table.schema).map(|schema| schema.id);
    if scope.access.superuser || (!scope.access.is_auditor() && (owns(table.id.0) || schema.is_some_and(owns))) {
        return Ok(());
    }
    Err(things::of_table(table).not_owner())
}

fn not_erasable(table: &TableDef) -> SqlError {
    SqlError::new(SqlState::WRONG_OBJECT_TYPE, format!("rows of \"{}\" cannot be erased", table.name))
        .detail("They are stored in the clear, and what is stored is never changed.")
        .hint("Make the table WITH (erasable_by = column).")
}
