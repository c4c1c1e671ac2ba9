//! What follows from a change of referenced rows: CASCADE, SET NULL, SET DEFAULT, or an error; then the check of what was written.
//!
//! R1: it happens when the statement has ended, until nothing follows any more.
//! Never: finds referencing rows by a query; the engine knows them.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, UInt32Array};
use arrow::compute::{concat_batches, take};
use base::{RowId, SqlError, SqlResult, SqlState};
use engine::references::{Removed, still_referenced};
use engine::{Action, Reference, TableDef};

use super::Execution;
use crate::rules::Guard;
use crate::tables::arrow_error;
use crate::types::Reading;

/// How often changes may follow from changes: a cycle of references ends by itself, since rows run out.
const ROUNDS_MAX: usize = 10_000;

/// See the module. Errors: 23503; whatever the changes that follow raise.
pub(super) fn settle(execution: &mut Execution<'_>) -> SqlResult<()> {
    for _ in 0..ROUNDS_MAX {
        let removed = execution.transaction.take_removed();
        if removed.is_empty() {
            return execution.transaction.check_references();
        }
        for removed in &removed {
            follow(execution, removed)?;
        }
    }
    Err(SqlError::new(SqlState::STATEMENT_TOO_COMPLEX, "changes of referencing rows do not come to an end"))
}

fn follow(execution: &mut Execution<'_>, removed: &Removed) -> SqlResult<()> {
    let catalog = execution.transaction.catalog();
    let references: Vec<(Arc<TableDef>, Reference)> =
        catalog.references_to(removed.table.id).map(|(table, reference)| (Arc::clone(table), reference.clone())).collect();
    for (child, reference) in &references {
        let action = if removed.new.is_some() { reference.on_update } else { reference.on_delete };
        if action == Action::NoAction && execution.transaction.defers(reference.id, reference.timing) {
            execution.transaction.defer_removed(child, reference, removed);
            continue;
        }
        let mut rows = execution.transaction.referencing(child, reference, removed)?;
        if matches!(action, Action::NoAction | Action::Restrict) {
            let mut refused = None;
            for (_, at) in &rows {
                if action == Action::Restrict || !execution.transaction.is_there_again(reference, removed, *at)? {
                    refused = Some(*at);
                    break;
                }
            }
            match refused {
                Some(at) => return Err(still_referenced(child, reference, removed, at)),
                None => continue,
            }
        }
        // Two rows of one statement may have had the value one after the other; each referencing row follows once.
        rows.sort_unstable_by_key(|(row, _)| row.0);
        rows.dedup_by_key(|(row, _)| row.0);
        if rows.is_empty() {
            continue;
        }
        let ids: Vec<RowId> = rows.iter().map(|(row, _)| *row).collect();
        match (action, &removed.new) {
            (Action::Cascade, None) => execution.transaction.delete(child, &ids)?,
            _ => change(execution, child, reference, removed, &rows, &ids, action)?,
        }
    }
    Ok(())
}

/// New versions of referencing rows.
fn change(
    execution: &mut Execution<'_>,
    child: &Arc<TableDef>,
    reference: &Reference,
    removed: &Removed,
    rows: &[(RowId, usize)],
    ids: &[RowId],
    action: Action,
) -> SqlResult<()> {
    let positions: Vec<usize> = reference.columns.iter().filter_map(|id| child.position(*id)).collect();
    let given: Vec<usize> = (0..child.columns.len()).filter(|at| !positions.contains(at)).collect();
    let guard = Guard::new(&execution.place(), child, &given)?;
    let view = execution.transaction.view(child);
    let old = ids.iter().map(|row| view.row_by_id(*row)).collect::<SqlResult<Vec<_>>>()?;
    let old = concat_batches(&child.arrow_schema(), &old).map_err(arrow_error)?;
    let mut columns = old.columns().to_vec();
    for (at, referenced) in positions.iter().zip(&reference.referenced) {
        columns[*at] = match (action, &removed.new) {
            (Action::SetNull, _) => arrow::array::new_null_array(columns[*at].data_type(), ids.len()),
            (Action::Cascade, Some(new)) => followed(new, &removed.table, *referenced, rows, &child.columns[*at])?,
            _ => guard.default(*at, ids.len())?,
        };
    }
    let new = RecordBatch::try_new(child.arrow_schema(), columns).map_err(arrow_error)?;
    let new = guard.settle(new)?;
    execution.transaction.update(child, ids, &new)
}

/// The new values of a referenced column, for each referencing row.
fn followed(
    new: &RecordBatch,
    parent: &TableDef,
    referenced: base::ColumnId,
    rows: &[(RowId, usize)],
    column: &engine::ColumnDef,
) -> SqlResult<ArrayRef> {
    let at = parent.position(referenced).ok_or_else(|| SqlError::internal("a referenced column is gone"))?;
    let picks: UInt32Array = rows.iter().map(|(_, row)| *row as u32).collect::<Vec<_>>().into();
    let values = take(new.column(at), &picks, None).map_err(arrow_error)?;
    super::assignment::assign(&values, column, false, Reading::default())
}
