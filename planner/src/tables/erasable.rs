//! Tables that can forget, with one hidden column more: `_erased` says of a row that its values were erased, so that a NULL which was stored is not taken for one.
//!
//! E1: `_erased` follows `_row_id`; it is true of a row whose sealed values nobody can open any more, and of no other.
//! E2: whoever does not ask for it reads as of any table, indexes included.
//! Never: opens a value.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use base::{CommitSeq, SqlResult};
use engine::{Ledger, TableDef};
use relational::links::Links;
use relational::{Bound, HIDDEN, Indexed, Order, OrderedRows, Partition, Table, TableExpression, TableIndex};

use super::{StoredTable, arrow_error, row_ids};

/// Name of the hidden column.
pub(crate) const ERASED: &str = "_erased";

/// See the module.
pub(crate) struct ErasableTable {
    inner: StoredTable,
    ledger: Arc<Ledger>,
    table: Arc<TableDef>,
    schema: SchemaRef,
}

/// The table with the column, if it is one that can forget and has no column of that name itself.
pub(crate) fn with_erased(ledger: &Arc<Ledger>, table: &Arc<TableDef>, inner: StoredTable) -> Arc<dyn Table> {
    if table.subject().is_none() || table.columns.iter().any(|column| column.name == ERASED) {
        return Arc::new(inner);
    }
    let metadata = HashMap::from([(HIDDEN.to_owned(), "true".to_owned())]);
    let erased = Arc::new(Field::new(ERASED, DataType::Boolean, false).with_metadata(metadata));
    let fields: Vec<Arc<Field>> = inner.schema().fields().iter().cloned().chain([erased]).collect();
    Arc::new(ErasableTable {
        inner: inner.before_hidden(2),
        ledger: Arc::clone(ledger),
        table: Arc::clone(table),
        schema: Arc::new(Schema::new(fields)),
    })
}

impl ErasableTable {
    /// Place of `_row_id`; `_erased` stands behind it (E1).
    fn row_id_at(&self) -> usize {
        self.table.columns.len()
    }

    fn asks(&self, projection: &[usize]) -> bool {
        projection.last() == Some(&(self.row_id_at() + 1))
    }
}

/// Rows read with `_row_id` at their end, with `_erased` too, under `schema`; without `_row_id` where that was not asked for.
fn told(ledger: &Ledger, table: &TableDef, batch: &RecordBatch, has_row_id: bool, schema: &SchemaRef) -> SqlResult<RecordBatch> {
    let last = batch.num_columns() - 1;
    let erased = ledger.are_erased(table.id, row_ids(batch.column(last))?.values())?;
    let mut columns = batch.columns()[..last + usize::from(has_row_id)].to_vec();
    columns.push(Arc::new(erased));
    RecordBatch::try_new(Arc::clone(schema), columns).map_err(arrow_error)
}

impl fmt::Debug for ErasableTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl Table for ErasableTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn oid(&self) -> Option<u32> {
        self.inner.oid()
    }

    fn primary_key(&self) -> &[usize] {
        self.inner.primary_key()
    }

    fn row_count(&self) -> Option<usize> {
        self.inner.row_count()
    }

    fn lookup(&self, key: &[ArrayRef]) -> SqlResult<Vec<RecordBatch>> {
        let found = self.inner.lookup(key)?;
        found.iter().map(|batch| told(&self.ledger, &self.table, batch, true, &self.schema)).collect()
    }

    fn scan(&self, projection: &[usize], pruning: &[Bound], partitions: usize) -> SqlResult<Vec<Partition>> {
        if !self.asks(projection) {
            return self.inner.scan(projection, pruning, partitions);
        }
        let mut needed = projection[..projection.len() - 1].to_vec();
        let has_row_id = needed.last() == Some(&self.row_id_at());
        if !has_row_id {
            needed.push(self.row_id_at());
        }
        let schema: SchemaRef = Arc::new(self.schema.project(projection).map_err(arrow_error)?);
        let with_erased = |partition: Partition| -> Partition {
            let (ledger, table, schema) = (Arc::clone(&self.ledger), Arc::clone(&self.table), Arc::clone(&schema));
            Box::new(partition.map(move |batch| told(&ledger, &table, &batch?, has_row_id, &schema)))
        };
        Ok(self.inner.scan(&needed, pruning, partitions)?.into_iter().map(with_erased).collect())
    }

    fn indexes(&self) -> Vec<TableIndex> {
        self.inner.indexes()
    }

    fn expressions(&self) -> Vec<TableExpression> {
        self.inner.expressions()
    }

    fn by_index(&self, projection: &[usize], pruning: &[Bound], askable: &[bool]) -> SqlResult<Option<Indexed>> {
        if self.asks(projection) { Ok(None) } else { self.inner.by_index(projection, pruning, askable) }
    }

    fn in_order(&self, projection: &[usize], pruning: &[Bound], order: Order) -> SqlResult<Option<OrderedRows>> {
        if self.asks(projection) { Ok(None) } else { self.inner.in_order(projection, pruning, order) }
    }

    fn links(&self) -> Option<Arc<dyn Links>> {
        self.inner.links()
    }

    fn settled_at(&self, projection: &[usize]) -> SqlResult<Option<CommitSeq>> {
        if self.asks(projection) { Ok(None) } else { self.inner.settled_at(projection) }
    }

    fn row_id(&self) -> Option<usize> {
        self.inner.row_id()
    }

    fn rows_by_id(&self, rows: &[u64], projection: &[usize]) -> SqlResult<Vec<ArrayRef>> {
        self.inner.rows_by_id(rows, projection)
    }
}
