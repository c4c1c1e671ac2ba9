//! TRUNCATE [TABLE] name, …: ends every row, as DELETE without WHERE does, and says so in a line each.
//!
//! Never: removes a row from the ledger.

use base::{RowId, SqlError, SqlResult};
use sqlparser::ast::Statement;

use super::Execution;
use crate::names::Name;
use crate::outcome::{Outcome, Tag};
use crate::tables::row_ids;

/// Rows ended at a time.
const BATCH_ROWS: usize = 8_192;

pub(super) fn execute(execution: &mut Execution<'_>) -> SqlResult<Outcome> {
    let Statement::Truncate(truncate) = &*execution.parsed.statement else {
        return Err(SqlError::internal("not a TRUNCATE"));
    };
    if truncate.partitions.is_some() || truncate.if_exists || truncate.on_cluster.is_some() {
        return Err(SqlError::unsupported("this form of TRUNCATE"));
    }
    for target in &truncate.table_names {
        let name = Name::of(&target.name, execution.view.database.name())?;
        let table = execution.scope.writable(&name).map_err(|error| execution.parsed.point(error, name.span))?;
        let mut ended: Vec<RowId> = Vec::new();
        for chunk in execution.transaction.view(table).scan(&[], true) {
            execution.watch.check()?;
            let batch = chunk.read()?;
            ended.extend(row_ids(batch.column(0))?.values().iter().map(|id| RowId(id.cast_unsigned())));
        }
        for rows in ended.chunks(BATCH_ROWS) {
            execution.transaction.delete(table, rows)?;
        }
    }
    Ok(Outcome::Command(Tag::command("TRUNCATE TABLE")))
}
