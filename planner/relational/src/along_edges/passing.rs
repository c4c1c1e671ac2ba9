//! The rows of a relation that pass its own conditions, by their numbers: by key, by an index, by reading the table, or those of some that are asked about.
//!
//! P1: a row is among them exactly if the joins would have met it.
//! Never: holds a column longer than a batch.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, RecordBatchOptions};
use arrow::datatypes::{Int64Type, SchemaRef};
use base::SqlResult;
use datafusion::common::Result;
use datafusion::common::cast::as_boolean_array;

use super::held::Held;
use super::rows::gathered;
use super::tree::{Expr, Relation};
use crate::errors;
use crate::operand::Operand;
use crate::raised::external;
use crate::scan::{Bounds, Hints, key_values};
use crate::slot::Slot;
use crate::table::links::{OwnConditions, Passing, RunMemory};
use crate::table::{Partition, Table};

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

    /// The rows that pass. `id` is the position of the column that holds their numbers.
    pub(super) fn passing(&self, table: &Arc<dyn Table>, id: usize, slot: &Arc<Slot>, held: &Arc<Held>) -> Result<Passing> {
        if self.passes_all() {
            return Ok(Passing::All);
        }
        let (table, slot, held) = (Arc::clone(table), Arc::clone(slot), Arc::clone(held));
        let own = Own { relation: self.clone(), table, id, slot, held, read: AtomicU64::new(0) };
        match &self.source {
            Source::Key(key) => {
                let rows = match key_values(key)? {
                    Some(key) => own.table.lookup(&key).map_err(external)?,
                    None => Vec::new(),
                };
                let mut found = Vec::new();
                for batch in rows {
                    own.take(&|column| Arc::clone(batch.column(column)), batch.num_rows(), &mut found)?;
                }
                found.sort_unstable();
                Ok(Passing::Rows(found))
            }
            Source::Scan(bounds) => {
                let hints = Hints::of(bounds)?;
                if hints.has_null {
                    return Ok(Passing::Rows(Vec::new()));
                }
                if !self.reading.indexes.is_empty() && !hints.has_failed {
                    let by_index = own.table.by_index(&own.order(), &hints.bounds, &self.reading.askable(&hints)?).map_err(external)?;
                    if let Some(indexed) = by_index {
                        return own.among(vec![indexed.rows]).map(Passing::Rows);
                    }
                }
                Ok(Passing::Asked(Arc::new(own)))
            }
        }
    }

    /// Which rows of a batch pass.
    fn kept(&self, batch: &RecordBatch, keep: &mut [bool]) -> Result<()> {
        self.conditions.iter().try_for_each(|condition| clear(condition, batch, keep))
    }
}

/// A relation's own conditions over its table as of a run.
struct Own {
    relation: Relation,
    table: Arc<dyn Table>,
    /// The position of the column that holds the rows' numbers.
    id: usize,
    slot: Arc<Slot>,
    held: Arc<Held>,
    read: AtomicU64,
}

impl fmt::Debug for Own {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Own").field("relation", &self.relation).finish_non_exhaustive()
    }
}

impl Own {
    /// The columns that are read, ascending.
    fn order(&self) -> Vec<usize> {
        let mut order = self.relation.reading.columns.clone();
        order.push(self.id);
        order.sort_unstable();
        order.dedup();
        order
    }

    /// Those that pass among batches of the columns of [`Own::order`].
    fn among(&self, partitions: Vec<Partition>) -> Result<Vec<u64>> {
        let order = self.order();
        let place = |column: usize| order.partition_point(|known| *known < column);
        let mut found = Vec::new();
        for batch in partitions.into_iter().flatten() {
            let batch = batch.map_err(external)?;
            self.take(&|column| Arc::clone(batch.column(place(column))), batch.num_rows(), &mut found)?;
        }
        found.sort_unstable();
        Ok(found)
    }

    /// Takes the numbers of the rows that pass.
    fn take(&self, columns: &dyn Fn(usize) -> ArrayRef, rows: usize, found: &mut Vec<u64>) -> Result<()> {
        self.read.fetch_add(rows as u64, Ordering::Relaxed);
        let own = self.relation.reading.columns.iter().map(|column| columns(*column)).collect();
        let batch = batch(&self.relation.reading.schema, own, rows)?;
        let mut keep = vec![true; rows];
        self.relation.kept(&batch, &mut keep)?;
        let ids = columns(self.id);
        let ids = ids.as_primitive::<Int64Type>();
        let before = found.len();
        found.extend((0..rows).filter(|row| keep[*row]).map(|row| ids.value(row).cast_unsigned()));
        self.held.take((found.len() - before) * size_of::<u64>()).map_err(external)?;
        self.slot.check().map_err(external)
    }

    fn read_all(&self) -> Result<Vec<u64>> {
        let Source::Scan(bounds) = &self.relation.source else { return datafusion::common::internal_err!("P1: a key is looked up") };
        let hints = Hints::of(bounds)?;
        self.among(self.table.scan(&self.order(), &hints.bounds, 1).map_err(external)?)
    }

    fn read_some(&self, rows: &[Option<u64>], keep: &mut [bool]) -> Result<()> {
        let reading = &self.relation.reading;
        let asked: Vec<Option<u64>> = rows.iter().zip(&*keep).map(|(row, keep)| row.filter(|_| *keep)).collect();
        let mut distinct: Vec<u64> = asked.iter().flatten().copied().collect();
        distinct.sort_unstable();
        distinct.dedup();
        self.read.fetch_add(distinct.len() as u64, Ordering::Relaxed);
        keep.iter_mut().zip(&asked).for_each(|(keep, row)| *keep &= row.is_some());
        let columns = gathered(self.table.as_ref(), &reading.columns, &asked)?;
        let nullable = |field: &arrow::datatypes::FieldRef| field.as_ref().clone().with_nullable(true);
        let schema = Arc::new(arrow::datatypes::Schema::new(reading.schema.fields().iter().map(nullable).collect::<Vec<_>>()));
        self.relation.kept(&batch(&schema, columns, rows.len())?, keep)?;
        self.slot.check().map_err(external)
    }
}

impl OwnConditions for Own {
    fn rows(&self) -> SqlResult<Vec<u64>> {
        self.read_all().map_err(|error| errors::unplaced(&error))
    }

    fn evaluate(&self, rows: &[Option<u64>], keep: &mut [bool]) -> SqlResult<()> {
        self.read_some(rows, keep).map_err(|error| errors::unplaced(&error))
    }

    fn read(&self) -> u64 {
        self.read.load(Ordering::Relaxed)
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
