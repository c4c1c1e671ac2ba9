//! TRUNCATE [TABLE] name, … [RESTART IDENTITY] [CASCADE]: ends every row, as DELETE without WHERE does, and says so in a line each.
//!
//! Never: removes a row from the ledger.

use std::sync::Arc;

use base::{RowId, SqlError, SqlResult, SqlState};
use engine::TableDef;
use sqlparser::ast::{CascadeOption, Statement, TruncateIdentityOption};

use super::Execution;
use crate::names::Name;
use crate::outcome::{Notice, Outcome, Tag};
use crate::tables::row_ids;

/// Rows ended at a time.
const BATCH_ROWS: usize = 8_192;

pub(super) fn execute(execution: &mut Execution<'_>) -> SqlResult<Outcome> {
    let parsed = execution.parsed;
    let Statement::Truncate(truncate) = &*parsed.statement else {
        return Err(SqlError::internal("not a TRUNCATE"));
    };
    if truncate.partitions.is_some() || truncate.if_exists || truncate.on_cluster.is_some() {
        return Err(SqlError::unsupported("this form of TRUNCATE"));
    }
    let mut tables: Vec<Arc<TableDef>> = Vec::new();
    for target in &truncate.table_names {
        let name = Name::of(&target.name, execution.view.database.name())?;
        let table = execution.scope.writable(&name).map_err(|error| parsed.point(error, name.span))?;
        if tables.iter().all(|other| other.id != table.id) {
            tables.push(Arc::clone(table));
        }
    }
    add_referencing(execution, &mut tables, matches!(truncate.cascade, Some(CascadeOption::Cascade)))?;
    for table in &tables {
        execution.transaction.enter_table(table)?;
        end_rows(execution, table)?;
    }
    if matches!(truncate.identity, Some(TruncateIdentityOption::Restart)) {
        restart(execution, &tables)?;
    }
    Ok(Outcome::Command(Tag::command("TRUNCATE TABLE")))
}

/// Tables with a reference to one of these are truncated too, or forbid it. Errors: 0A000.
fn add_referencing(execution: &mut Execution<'_>, tables: &mut Vec<Arc<TableDef>>, cascade: bool) -> SqlResult<()> {
    let catalog = execution.transaction.catalog();
    let mut at = 0;
    while let Some(table) = tables.get(at).cloned() {
        for (child, _) in catalog.references_to(table.id) {
            if tables.iter().any(|other| other.id == child.id) {
                continue;
            }
            if !cascade {
                let message = "cannot truncate a table referenced in a foreign key constraint";
                return Err(SqlError::new(SqlState::FEATURE_NOT_SUPPORTED, message)
                    .detail(format!("Table \"{}\" references \"{}\".", child.name, table.name))
                    .hint(format!("Truncate table \"{}\" at the same time, or use TRUNCATE ... CASCADE.", child.name)));
            }
            let message = format!("truncate cascades to table \"{}\"", child.name);
            execution.notices.push(Notice::new(SqlState("00000"), message));
            tables.push(Arc::clone(child));
        }
        at += 1;
    }
    Ok(())
}

fn end_rows(execution: &mut Execution<'_>, table: &Arc<TableDef>) -> SqlResult<()> {
    let mut ended: Vec<RowId> = Vec::new();
    for chunk in execution.transaction.view(table).scan(&[], true) {
        execution.watch.check()?;
        let batch = chunk.read()?;
        ended.extend(row_ids(batch.column(0))?.values().iter().map(|id| RowId(id.cast_unsigned())));
    }
    for rows in ended.chunks(BATCH_ROWS) {
        execution.transaction.delete(table, rows)?;
    }
    Ok(())
}

/// Sequences that columns of the tables own begin anew.
fn restart(execution: &mut Execution<'_>, tables: &[Arc<TableDef>]) -> SqlResult<()> {
    let catalog = execution.transaction.catalog();
    for sequence in catalog.sequences() {
        if sequence.owner.is_some_and(|(table, _)| tables.iter().any(|truncated| truncated.id == table)) {
            execution.transaction.ledger().set_sequence(&catalog, sequence.id(), sequence.start, false)?;
        }
    }
    Ok(())
}
