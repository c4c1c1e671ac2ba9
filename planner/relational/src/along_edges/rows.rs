//! Columns of rows by their numbers, and what is computed from them: conditions over several relations, and what leaves the operator.
//!
//! R1: each distinct row is read once a batch, in the order of the table.
//! R2: where there is no row, its columns are NULL.
//! Never: reads a column that the joins would not have read.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, UInt32Array, new_null_array};
use arrow::compute::take;
use arrow::datatypes::{Schema, SchemaRef};
use base::{SqlError, SqlResult};
use datafusion::common::Result;
use datafusion::physical_expr::utils::collect_columns;

use super::passing::{batch, clear};
use super::tree::{Expr, Tree, moved};
use crate::errors;
use crate::raised::external;
use crate::table::Table;
use crate::table::links::RowFilter;

/// Rows that leave together.
const BATCH_ROWS: usize = 8_192;

/// Expressions, and the columns that they are computed from.
#[derive(Clone, Debug)]
pub(super) struct Computed {
    /// Over the columns below.
    pub(super) exprs: Vec<Expr>,
    /// The relations whose rows are read, ascending, each with the columns, ascending.
    relations: Vec<(usize, Vec<usize>)>,
    /// All these columns, relation by relation.
    schema: SchemaRef,
}

impl Computed {
    /// Expressions over a tree's columns.
    pub(super) fn of(tree: &Tree, exprs: &[Expr]) -> Option<Self> {
        let mut numbers: Vec<usize> =
            exprs.iter().flat_map(|expr| collect_columns(expr).into_iter().map(|column| column.index())).collect();
        numbers.sort_unstable();
        numbers.dedup();
        let mut relations: Vec<(usize, Vec<usize>)> = Vec::new();
        let mut fields = Vec::with_capacity(numbers.len());
        for number in &numbers {
            let (relation, place) = tree.place(*number)?;
            let reading = &tree.relations[relation].reading;
            fields.push(reading.schema.field(place).clone().with_nullable(true));
            match relations.last_mut() {
                Some((last, columns)) if *last == relation => columns.push(reading.columns[place]),
                _ => relations.push((relation, vec![reading.columns[place]])),
            }
        }
        let place = |number: usize| numbers.partition_point(|known| *known < number);
        let exprs = exprs.iter().map(|expr| moved(expr, place)).collect::<Option<_>>()?;
        Some(Self { exprs, relations, schema: Arc::new(Schema::new(fields)) })
    }

    /// The relations that rows are wanted of, ascending.
    pub(super) fn relations(&self) -> Vec<usize> {
        self.relations.iter().map(|(relation, _)| *relation).collect()
    }

    /// How many columns are read.
    pub(super) fn width(&self) -> usize {
        self.schema.fields().len()
    }

    /// The columns of some rows: of each relation as many numbers.
    fn batch(&self, tables: &[Arc<dyn Table>], rows: &[&[Option<u64>]], count: usize) -> Result<RecordBatch> {
        let mut columns = Vec::with_capacity(self.width());
        for ((relation, projection), rows) in self.relations.iter().zip(rows) {
            columns.extend(gathered(tables[*relation].as_ref(), projection, rows)?);
        }
        batch(&self.schema, columns, count)
    }
}

/// Columns of rows (R1, R2).
pub(super) fn gathered(table: &dyn Table, projection: &[usize], rows: &[Option<u64>]) -> Result<Vec<ArrayRef>> {
    let mut distinct: Vec<u64> = rows.iter().flatten().copied().collect();
    distinct.sort_unstable();
    distinct.dedup();
    if distinct.is_empty() {
        let schema = table.schema();
        return Ok(projection.iter().map(|column| new_null_array(schema.field(*column).data_type(), rows.len())).collect());
    }
    let columns = table.rows_by_id(&distinct, projection).map_err(external)?;
    let place = |row: &u64| distinct.partition_point(|known| known < row) as u32;
    let places: UInt32Array = rows.iter().map(|row| row.as_ref().map(place)).collect();
    Ok(columns.iter().map(|column| take(column, &places, None)).collect::<std::result::Result<_, _>>()?)
}

/// A condition over rows of several relations.
#[derive(Debug)]
pub(super) struct Compared {
    pub(super) computed: Computed,
    pub(super) tables: Arc<Vec<Arc<dyn Table>>>,
}

impl RowFilter for Compared {
    fn evaluate(&self, rows: &[Vec<Option<u64>>], keep: &mut [bool]) -> SqlResult<()> {
        let rows: Vec<&[Option<u64>]> = rows.iter().map(Vec::as_slice).collect();
        let evaluate = || -> Result<()> {
            let batch = self.computed.batch(&self.tables, &rows, keep.len())?;
            self.computed.exprs.iter().try_for_each(|expr| clear(expr, &batch, keep))
        };
        let mut evaluate = evaluate;
        evaluate().map_err(|error| errors::unplaced(&error))
    }
}

/// What becomes of how often some rows stand.
#[derive(Clone, Copy, Debug)]
pub(super) enum Times {
    /// They leave so often.
    Repeated,
    /// They leave once.
    Once,
    /// They leave once, and so many columns behind the computed ones say how often they stand.
    Counted(usize),
}

/// What leaves the operator for some rows.
#[derive(Clone, Debug)]
pub(super) struct Leaving {
    pub(super) computed: Computed,
    pub(super) times: Times,
    pub(super) schema: SchemaRef,
}

impl Leaving {
    /// Hands on batches of rows that stand so often.
    pub(super) fn leave(
        &self,
        tables: &[Arc<dyn Table>],
        rows: &[Vec<Option<u64>>],
        times: &[u64],
        give: &mut dyn FnMut(RecordBatch) -> SqlResult<()>,
    ) -> SqlResult<()> {
        for from in (0..times.len()).step_by(BATCH_ROWS) {
            let to = times.len().min(from + BATCH_ROWS);
            let part: Vec<&[Option<u64>]> = rows.iter().map(|rows| &rows[from..to]).collect();
            let columns = self.columns(tables, &part, to - from).map_err(|error| errors::unplaced(&error))?;
            match self.times {
                Times::Repeated => self.repeated(&columns, &times[from..to], give)?,
                Times::Once => give(self.made(columns, to - from)?)?,
                Times::Counted(counts) => {
                    give(Self::counted(columns, &times[from..to], counts).and_then(|all| self.made(all, to - from))?)?
                }
            }
        }
        Ok(())
    }

    fn columns(&self, tables: &[Arc<dyn Table>], rows: &[&[Option<u64>]], count: usize) -> Result<Vec<ArrayRef>> {
        let batch = self.computed.batch(tables, rows, count)?;
        self.computed.exprs.iter().map(|expr| expr.evaluate(&batch)?.into_array(count)).collect()
    }

    fn made(&self, columns: Vec<ArrayRef>, rows: usize) -> SqlResult<RecordBatch> {
        batch(&self.schema, columns, rows).map_err(|error| errors::unplaced(&error))
    }

    fn counted(mut columns: Vec<ArrayRef>, times: &[u64], counts: usize) -> SqlResult<Vec<ArrayRef>> {
        let number = |times: &u64| i64::try_from(*times).map_err(|_| SqlError::internal("W1: more rows than a bigint counts"));
        let counted: ArrayRef = Arc::new(Int64Array::from(times.iter().map(number).collect::<SqlResult<Vec<_>>>()?));
        columns.extend((0..counts).map(|_| Arc::clone(&counted)));
        Ok(columns)
    }

    fn repeated(&self, columns: &[ArrayRef], times: &[u64], give: &mut dyn FnMut(RecordBatch) -> SqlResult<()>) -> SqlResult<()> {
        if times.iter().all(|times| *times == 1) {
            return give(self.made(columns.to_vec(), times.len())?);
        }
        let mut places: Vec<u32> = Vec::new();
        let mut give_all = |places: &mut Vec<u32>| -> SqlResult<()> {
            let count = places.len();
            let indices = UInt32Array::from(std::mem::take(places));
            let taken = columns.iter().map(|column| take(column, &indices, None)).collect::<std::result::Result<Vec<_>, _>>();
            let taken = taken.map_err(|error| errors::unplaced(&error.into()))?;
            give(self.made(taken, count)?)
        };
        for (row, times) in times.iter().enumerate() {
            for _ in 0..*times {
                places.push(row as u32);
                if places.len() == BATCH_ROWS {
                    give_all(&mut places)?;
                }
            }
        }
        if places.is_empty() { Ok(()) } else { give_all(&mut places) }
    }
}
