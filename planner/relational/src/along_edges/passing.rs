//! The rows of a relation that pass its own conditions, by their numbers: by key, by an index, or by reading the table.
//!
//! P1: a row is among them exactly if the joins would have met it.
//! Never: holds a column longer than a batch.

use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch, RecordBatchOptions};
use arrow::datatypes::{Int64Type, SchemaRef};
use datafusion::common::Result;
use datafusion::common::cast::as_boolean_array;

use super::tree::{Expr, Relation};
use crate::operand::Operand;
use crate::scan::{Bounds, Hints, external, key_values};
use crate::slot::Slot;
use crate::table::Table;
use crate::table::links::RunMemory;

/// How a scan finds its rows.
#[derive(Clone, Debug)]
pub(super) enum Source {
    /// All within bounds.
    Scan(Bounds),
    /// One by its key.
    Key(Arc<Vec<Vec<Operand>>>),
}

impl Relation {
    /// Whether every row of the table passes.
    fn passes_all(&self) -> bool {
        // Bounds are hints: what they say stands above the scan as a condition, too.
        self.conditions.is_empty() && matches!(self.source, Source::Scan(_))
    }

    /// The numbers of the rows that pass, ascending; `None` where all do. `id` is the position of the column that holds them.
    pub(super) fn passing(&self, table: &dyn Table, id: usize, slot: &Slot, held: &dyn RunMemory) -> Result<Option<Vec<u64>>> {
        if self.passes_all() {
            return Ok(None);
        }
        let mut found = Vec::new();
        let mut take = |columns: &dyn Fn(usize) -> arrow::array::ArrayRef, rows: usize| -> Result<()> {
            let own = self.reading.columns.iter().map(|column| columns(*column)).collect();
            let batch = batch(&self.reading.schema, own, rows)?;
            let keep = self.kept(&batch)?;
            let ids = columns(id);
            let ids = ids.as_primitive::<Int64Type>();
            let before = found.len();
            found.extend((0..rows).filter(|row| keep[*row]).map(|row| ids.value(row).cast_unsigned()));
            held.take((found.len() - before) * size_of::<u64>()).map_err(external)?;
            slot.check().map_err(external)
        };
        match &self.source {
            Source::Key(key) => {
                let rows = match key_values(key)? {
                    Some(key) => table.lookup(&key).map_err(external)?,
                    None => Vec::new(),
                };
                for batch in rows {
                    take(&|column| Arc::clone(batch.column(column)), batch.num_rows())?;
                }
            }
            Source::Scan(bounds) => {
                let mut order = self.reading.columns.clone();
                order.push(id);
                order.sort_unstable();
                order.dedup();
                let place = |column: usize| order.partition_point(|known| *known < column);
                let hints = Hints::of(bounds)?;
                if hints.has_null {
                    return Ok(Some(found));
                }
                let by_index = if self.reading.indexes.is_empty() || hints.has_failed {
                    None
                } else {
                    table.by_index(&order, &hints.bounds, &self.reading.askable(&hints)?).map_err(external)?
                };
                let partitions = match by_index {
                    Some(indexed) => vec![indexed.rows],
                    None => table.scan(&order, &hints.bounds, 1).map_err(external)?,
                };
                for batch in partitions.into_iter().flatten() {
                    let batch = batch.map_err(external)?;
                    take(&|column| Arc::clone(batch.column(place(column))), batch.num_rows())?;
                }
            }
        }
        found.sort_unstable();
        Ok(Some(found))
    }

    /// Which rows of a batch pass.
    fn kept(&self, batch: &RecordBatch) -> Result<Vec<bool>> {
        let mut keep = vec![true; batch.num_rows()];
        for condition in &self.conditions {
            clear(condition, batch, &mut keep)?;
        }
        Ok(keep)
    }
}

/// A batch of these columns.
pub(super) fn batch(schema: &SchemaRef, columns: Vec<arrow::array::ArrayRef>, rows: usize) -> Result<RecordBatch> {
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    Ok(RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options)?)
}

/// Clears the marks of rows that a condition does not hold of.
pub(super) fn clear(condition: &Expr, batch: &RecordBatch, keep: &mut [bool]) -> Result<()> {
    let answer = condition.evaluate(batch)?.into_array(batch.num_rows())?;
    let answer = as_boolean_array(&answer)?;
    for (row, keep) in keep.iter_mut().enumerate() {
        *keep &= answer.is_valid(row) && answer.value(row);
    }
    Ok(())
}
