//! Rows of sealed commits, out of segments, as their commits' log records had them.
//!
//! Never: reads a segment whose BLAKE3 was not compared.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{RecordBatch, UInt64Array};
use base::{RelationId, SqlError, SqlResult, SqlState};
use receipts::TableSpan;

use crate::canonical::OWN_ROW;
use crate::schema::TableDef;
use crate::segment::{BATCH_ROWS, Segment};
use crate::stored;

/// Rows of one table that lie together, in the layout of the log.
pub(super) struct Run {
    pub table: Arc<TableDef>,
    pub batch: RecordBatch,
}

/// Segments of one table, and the batch that was read last.
#[derive(Default)]
struct OfTable {
    segments: Vec<Segment>,
    current: Option<(u64, RecordBatch)>,
}

/// See the module.
#[derive(Default)]
pub(super) struct SealedRows {
    tables: BTreeMap<u32, OfTable>,
}

impl SealedRows {
    /// Takes a segment; those of a table in order.
    pub fn add(&mut self, segment: Segment) {
        self.tables.entry(segment.table().id.0).or_default().segments.push(segment);
    }

    /// The rows of a commit in one table, in runs of a stored batch each. Errors: XX001 where no segment has them.
    pub fn of_span(&mut self, span: &TableSpan) -> SqlResult<Vec<Run>> {
        let mut runs = Vec::new();
        let (mut row, end) = (span.first_row, span.first_row + span.rows);
        let missing = |row| {
            SqlError::new(
                SqlState::DATA_CORRUPTED,
                format!("no segment of the backup has row {row} of relation {}", RelationId(span.relation)),
            )
        };
        let of_table = self.tables.get_mut(&span.relation).ok_or_else(|| missing(row))?;
        while row < end {
            let at = of_table.segments.partition_point(|segment| segment.first_row() + segment.rows() <= row);
            let segment = of_table.segments.get(at).filter(|segment| segment.first_row() <= row).ok_or_else(|| missing(row))?;
            let index = (row - segment.first_row()) as usize / BATCH_ROWS;
            let first = segment.first_row() + (index * BATCH_ROWS) as u64;
            let batch = match &of_table.current {
                Some((known, batch)) if *known == first => batch.clone(),
                _ => segment.read(index, None)?,
            };
            let n = (first + batch.num_rows() as u64).min(end) - row;
            let slice = batch.slice((row - first) as usize, n as usize);
            of_table.current = Some((first, batch));
            runs.push(Run { table: Arc::clone(segment.table()), batch: as_logged(segment.table(), &slice, span.first_row)? });
            row += n;
        }
        Ok(runs)
    }
}

/// Without the commit of each row, and own rows named by their place in the span, as before the commit had its place.
fn as_logged(table: &TableDef, sealed: &RecordBatch, span_first: u64) -> SqlResult<RecordBatch> {
    let own = |id: u64| if id >= span_first { (id - span_first) | OWN_ROW } else { id };
    let ids: UInt64Array = stored::supersedes(sealed, table.columns.len()).iter().map(|id| id.map(own)).collect();
    let mut columns = sealed.columns()[..table.columns.len() + 3].to_vec();
    columns[table.columns.len() + 2] = Arc::new(ids);
    RecordBatch::try_new(table.stored_schema(), columns).map_err(|error| SqlError::internal(format!("restore rows: {error}")))
}
