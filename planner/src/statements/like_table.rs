//! `LIKE other INCLUDING …` in a CREATE TABLE: columns of another relation, and as much of its rules as is asked for.
//!
//! Never: keeps a tie to the other relation.

use std::collections::HashMap;

use base::{ColumnId, SqlError, SqlResult, SqlState};
use engine::{Check, ColumnDef, Index, NO_COLUMN, Object, TableDef};

use super::Execution;
use super::table_draft::{Draft, free_name};
use crate::names::Name;
use crate::pg_catalog::names_in;
use crate::table_clauses::Like;

/// Adds what the clause says to a draft. Errors: 42P01, 42809, 42701, 42501.
pub(super) fn add(execution: &mut Execution<'_>, draft: &mut Draft, like: &Like) -> SqlResult<()> {
    let name = Name::of(&like.name, execution.view.database.name())?;
    let scope = execution.fresh_scope();
    match scope.relation(&name) {
        Some(Object::Table(table)) => {
            let table = std::sync::Arc::clone(table);
            // Reading its definition needs the right to read it.
            scope.opened(&table)?;
            from_table(execution, draft, like, &table)
        }
        Some(Object::View(view)) => {
            let columns = view.columns.iter().map(|column| (column.name.clone(), column.sql_type));
            for (name, sql_type) in columns.collect::<Vec<_>>() {
                draft.push_column(ColumnDef { id: ColumnId(0), name, sql_type, not_null: false })?;
            }
            Ok(())
        }
        Some(_) => {
            let message = format!("relation \"{}\" is invalid in LIKE clause", name.name);
            Err(SqlError::new(SqlState::WRONG_OBJECT_TYPE, message))
        }
        None => Err(execution.parsed.point(crate::resolver::undefined_table(&name.shown()), name.span)),
    }
}

fn from_table(execution: &mut Execution<'_>, draft: &mut Draft, like: &Like, table: &TableDef) -> SqlResult<()> {
    let including = like.including;
    let mut ids: HashMap<ColumnId, ColumnId> = HashMap::new();
    for column in &table.columns {
        let at = draft.push_column(column.clone())?;
        let id = draft.columns[at].id;
        ids.insert(column.id, id);
        let Some(rules) = table.rules.column(column.id) else { continue };
        draft.rules.column_mut(id).precision = rules.precision;
        if let Some(kind) = rules.identity {
            if including.identity {
                draft.set_identity(execution, at, kind, &[])?;
            }
        } else if if rules.generated { including.generated } else { including.defaults } {
            let to = draft.rules.column_mut(id);
            to.default.clone_from(&rules.default);
            to.generated = rules.generated;
            to.sequence = rules.sequence;
        }
        if including.comments {
            draft.rules.column_mut(id).comment.clone_from(&rules.comment);
        }
    }
    let of = |columns: &[ColumnId]| {
        let own = |id: &ColumnId| if *id == NO_COLUMN { Some(NO_COLUMN) } else { ids.get(id).copied() };
        columns.iter().filter_map(own).collect::<Vec<_>>()
    };
    if including.constraints {
        for check in &table.rules.checks {
            let id = execution.transaction.ledger().next_object_id();
            let comment = check.comment.clone().filter(|_| including.comments);
            draft.rules.checks.push(Check { id, columns: of(&check.columns), comment, not_valid: false, ..check.clone() });
        }
    }
    if including.indexes {
        if !table.primary_key.is_empty() {
            draft.key = of(&table.primary_key);
            draft.rules.key_timing = table.rules.key_timing;
            draft.rules.key_index_comment = table.rules.key_index_comment.clone().filter(|_| including.comments);
        }
        for index in &table.rules.indexes {
            let mut copy = Index { columns: of(&index.columns), include: of(&index.include), ..index.clone() };
            copy.computed_mut().for_each(|expression| expression.columns = of(&expression.columns));
            let names = names_in(&copy, &draft.columns);
            let label = if index.constraint { "key" } else { "idx" };
            let name = free_name(&draft.name, &names.join("_"), label, |name| draft.has_relation(execution, name));
            let id = execution.transaction.ledger().next_object_id();
            let comment = index.comment.clone().filter(|_| including.comments);
            draft.rules.indexes.push(Index { id, name, comment, constraint_comment: None, ..copy });
        }
    }
    if including.comments {
        draft.rules.comment.clone_from(&table.rules.comment);
    }
    Ok(())
}
