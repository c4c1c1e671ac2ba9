//! What queries read: engine tables at a snapshot, the ledger's own tables, and batches already in memory.
//!
//! T1: a table's rows are those of the view it was bound to, whatever commits meanwhile.
//! T2: `_row_id` follows the user's columns and is hidden; tables that can forget have one hidden column more (`erasable.rs`), others none.
//! T3: a column that may not be read is in the schema and in no scan.
//! Never: writes.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, Int64Array, RecordBatch, RecordBatchOptions};
use arrow::compute::{concat, filter_record_batch};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use base::{CommitSeq, RowId, SqlError, SqlResult};
use engine::system::SystemTable;
use engine::{Chunk, ColumnDef, ReadBound, RowLocks, TableDef, TableView};
use relational::links::Links;
use relational::{
    Bound, Comparison, DECLARED_TYPE, HIDDEN, Indexed, Order, OrderedRows, Partition, TABLE_COLUMN, Table, TableExpression, TableIndex,
};

use crate::graph_joins::GraphLinks;
use crate::rights::{Opened, things};

mod by_index;
pub(crate) mod erasable;

/// Name of the hidden column that numbers row versions.
pub(crate) const ROW_ID: &str = "_row_id";
/// Rows a batch, at most.
const BATCH_ROWS: usize = 8_192;

/// A table of the engine at one view.
pub(crate) struct StoredTable {
    table: Arc<TableDef>,
    view: TableView,
    schema: SchemaRef,
    /// Hidden columns between the user's and the places of expressions.
    hidden: usize,
    opened: Opened,
    /// Rows that others have locked are passed over.
    passing: Option<RowLocks>,
    /// What knows of the graphs that it may be part of.
    links: Option<Arc<GraphLinks>>,
}

impl StoredTable {
    pub(crate) fn new(table: Arc<TableDef>, view: TableView, opened: Opened) -> Self {
        let metadata = HashMap::from([(HIDDEN.to_owned(), "true".to_owned())]);
        let row_id = Field::new(ROW_ID, DataType::Int64, false).with_metadata(metadata);
        let declared = |(field, column): (&Arc<Field>, &ColumnDef)| {
            let sql_type = format!("{},{}", column.sql_type.oid(), column.sql_type.typmod());
            let place = format!("{},{}", table.id.0, column.id);
            let metadata = [(DECLARED_TYPE.to_owned(), sql_type), (TABLE_COLUMN.to_owned(), place)];
            field.as_ref().clone().with_metadata(HashMap::from(metadata))
        };
        let fields = table.arrow_schema().fields().iter().zip(&table.columns).map(declared).chain([row_id]).collect::<Vec<_>>();
        Self { schema: Arc::new(Schema::new(fields)), hidden: 1, table, view, opened, passing: None, links: None }
    }

    /// The same as part of a table with so many hidden columns.
    pub(crate) fn before_hidden(mut self, count: usize) -> Self {
        self.hidden = count;
        self
    }

    /// The same among the graphs of a catalog.
    pub(crate) fn linked(mut self, links: Option<Arc<GraphLinks>>) -> Self {
        self.links = links;
        self
    }

    /// The same without the rows that others have locked.
    pub(crate) fn passing(mut self, locks: Option<RowLocks>) -> Self {
        self.passing = locks;
        self
    }

    fn is_passed(&self, row: RowId) -> bool {
        self.passing.as_ref().is_some_and(|locks| !locks.is_free_and_newest(&self.table, row))
    }

    /// T3. Errors: 42501.
    fn check_columns(&self, projection: &[usize]) -> SqlResult<()> {
        match &self.opened {
            Opened::Columns(may) if projection.iter().any(|column| may.get(*column) == Some(&false)) => {
                Err(things::of_table(&self.table).denied())
            }
            Opened::Columns(_) | Opened::Whole => Ok(()),
        }
    }

    /// Those columns of a projection that are the user's.
    fn user_columns(&self, projection: &[usize]) -> Vec<usize> {
        projection.iter().copied().filter(|column| *column < self.table.columns.len()).collect()
    }

    fn has_row_id(&self, projection: &[usize]) -> bool {
        projection.contains(&self.table.columns.len())
    }

    fn project(&self, projection: &[usize]) -> SqlResult<SchemaRef> {
        self.schema.project(projection).map(Arc::new).map_err(arrow_error)
    }
}

impl fmt::Debug for StoredTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.table.schema, self.table.name)
    }
}

impl Table for StoredTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn oid(&self) -> Option<u32> {
        Some(self.table.id.0)
    }

    /// A lookup answers whole rows: none where some columns may not be read. The index may not be whole in the past, and a deferrable key may be of several rows.
    fn primary_key(&self) -> &[usize] {
        match &self.opened {
            Opened::Whole if self.view.is_indexed() && self.table.has_lookup() => self.table.key_columns(),
            Opened::Whole | Opened::Columns(_) => &[],
        }
    }

    fn row_count(&self) -> Option<usize> {
        // What nobody reads cannot be checked at commit, nor passed over.
        let is_known = !self.view.is_traced() && self.passing.is_none();
        usize::try_from(self.view.row_count()).ok().filter(|_| is_known)
    }

    fn lookup(&self, key: &[ArrayRef]) -> SqlResult<Vec<RecordBatch>> {
        if let Opened::Columns(_) = &self.opened {
            return Err(things::of_table(&self.table).denied());
        }
        let Some((row, batch)) = self.view.lookup(key)?.filter(|(row, _)| !self.is_passed(*row)) else {
            return Ok(Vec::new());
        };
        let mut columns = batch.columns().to_vec();
        columns.push(Arc::new(Int64Array::from(vec![row.0 as i64])));
        RecordBatch::try_new(Arc::clone(&self.schema), columns).map(|batch| vec![batch]).map_err(arrow_error)
    }

    /// Bounds are hints, and no chunk knows its least and greatest value: all are read.
    fn scan(&self, projection: &[usize], pruning: &[Bound], partitions: usize) -> SqlResult<Vec<Partition>> {
        self.check_columns(projection)?;
        let (user, with_row_id) = (self.user_columns(projection), self.has_row_id(projection));
        let schema = self.project(projection)?;
        self.note(pruning);
        if let Some(locks) = &self.passing {
            let chunks = self.view.scan(&user, true);
            return Ok(vec![read_free(chunks, schema, Arc::clone(&self.table), locks.clone(), with_row_id)]);
        }
        let shares = in_shares(self.view.scan(&user, with_row_id), partitions);
        Ok(shares.into_iter().map(|share| read_chunks(share, Arc::clone(&schema))).collect())
    }

    fn indexes(&self) -> Vec<TableIndex> {
        self.table_indexes()
    }

    fn expressions(&self) -> Vec<TableExpression> {
        self.table_expressions()
    }

    fn by_index(&self, projection: &[usize], pruning: &[Bound], askable: &[bool]) -> SqlResult<Option<Indexed>> {
        self.find_by_index(projection, pruning, askable)
    }

    fn in_order(&self, projection: &[usize], pruning: &[Bound], order: Order) -> SqlResult<Option<OrderedRows>> {
        self.find_in_order(projection, pruning, order)
    }

    fn links(&self) -> Option<Arc<dyn Links>> {
        self.links.as_ref().map(|links| Arc::clone(links) as Arc<dyn Links>)
    }

    fn settled_at(&self, projection: &[usize]) -> SqlResult<Option<CommitSeq>> {
        self.check_columns(projection)?;
        Ok(self.view.settled_at().filter(|_| self.passing.is_none()))
    }

    fn row_id(&self) -> Option<usize> {
        Some(self.table.columns.len())
    }

    fn rows_by_id(&self, rows: &[u64], projection: &[usize]) -> SqlResult<Vec<ArrayRef>> {
        self.check_columns(projection)?;
        let (user, with_row_id) = (self.user_columns(projection), self.has_row_id(projection));
        let rows: Vec<RowId> = rows.iter().copied().map(RowId).collect();
        let batches = self.view.gather(&rows, &user, with_row_id)?;
        // The number of a row stands last in them, wherever it is asked for.
        let place = |column: &usize| user.iter().position(|own| own == column).unwrap_or(user.len());
        let column = |column: &usize| -> SqlResult<ArrayRef> {
            let pieces: Vec<&dyn Array> = batches.iter().map(|batch| batch.column(place(column)).as_ref()).collect();
            match pieces.as_slice() {
                [_] => Ok(Arc::clone(batches[0].column(place(column)))),
                pieces => concat(pieces).map_err(arrow_error),
            }
        };
        projection.iter().map(column).collect()
    }
}

/// Pieces of a scan in order, in at most so many shares of about equal size.
pub(crate) fn in_shares<T>(pieces: Vec<T>, count: usize) -> Vec<Vec<T>> {
    let share = pieces.len().div_ceil(count.max(1)).max(1);
    let mut shares: Vec<Vec<T>> = Vec::new();
    for piece in pieces {
        match shares.last_mut() {
            Some(last) if last.len() < share => last.push(piece),
            _ => shares.push(vec![piece]),
        }
    }
    shares
}

fn read_chunks(chunks: Vec<Chunk>, schema: SchemaRef) -> Partition {
    Box::new(chunks.into_iter().map(move |chunk| chunk.read().and_then(|batch| with_schema(&batch, &schema))))
}

/// Chunks read with their row ids, without the rows that others have locked.
fn read_free(chunks: Vec<Chunk>, schema: SchemaRef, table: Arc<TableDef>, locks: RowLocks, with_row_id: bool) -> Partition {
    let read = move |chunk: Chunk| {
        let batch = chunk.read()?;
        let ids = row_ids(batch.column(batch.num_columns() - 1))?;
        let free: BooleanArray = ids.values().iter().map(|id| Some(locks.is_free_and_newest(&table, RowId(id.cast_unsigned())))).collect();
        let batch = if free.true_count() == free.len() { batch } else { filter_record_batch(&batch, &free).map_err(arrow_error)? };
        let shown: Vec<usize> = (0..batch.num_columns() - usize::from(!with_row_id)).collect();
        with_schema(&batch.project(&shown).map_err(arrow_error)?, &schema)
    };
    Box::new(chunks.into_iter().map(read))
}

fn read_bound(bound: &Bound) -> ReadBound {
    let is_within: fn(Ordering) -> bool = match bound.op {
        Comparison::Eq => Ordering::is_eq,
        Comparison::Lt => Ordering::is_lt,
        Comparison::Le => Ordering::is_le,
        Comparison::Gt => Ordering::is_gt,
        Comparison::Ge => Ordering::is_ge,
        // Of these no trace is left by bounds; the caller leaves them away.
        Comparison::Null | Comparison::In => |_| true,
    };
    ReadBound { column: bound.column, is_within, value: Arc::clone(&bound.value) }
}

/// The batch's columns under another schema of the same types.
pub(crate) fn with_schema(batch: &RecordBatch, schema: &SchemaRef) -> SqlResult<RecordBatch> {
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(Arc::clone(schema), batch.columns().to_vec(), &options).map_err(arrow_error)
}

/// A virtual table of the ledger.
#[derive(Debug)]
pub(crate) struct VirtualTable(pub(crate) SystemTable);

impl Table for VirtualTable {
    fn schema(&self) -> SchemaRef {
        self.0.schema()
    }

    fn primary_key(&self) -> &[usize] {
        &[]
    }

    fn row_count(&self) -> Option<usize> {
        None
    }

    fn lookup(&self, _key: &[ArrayRef]) -> SqlResult<Vec<RecordBatch>> {
        Err(SqlError::internal(format!("ledger.{} has no key to look up by", self.0.name())))
    }

    fn scan(&self, projection: &[usize], _pruning: &[Bound], _partitions: usize) -> SqlResult<Vec<Partition>> {
        Ok(vec![self.0.scan(projection)])
    }
}

/// Rows that are in memory already: what RETURNING works on.
#[derive(Clone)]
pub(crate) struct MemoryTable {
    pub(crate) name: String,
    /// The table's whose rows they are, where they are a table's.
    pub(crate) oid: Option<u32>,
    pub(crate) schema: SchemaRef,
    pub(crate) batches: Vec<RecordBatch>,
}

impl fmt::Debug for MemoryTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl Table for MemoryTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn oid(&self) -> Option<u32> {
        self.oid
    }

    fn primary_key(&self) -> &[usize] {
        &[]
    }

    fn row_count(&self) -> Option<usize> {
        Some(self.batches.iter().map(RecordBatch::num_rows).sum())
    }

    fn lookup(&self, _key: &[ArrayRef]) -> SqlResult<Vec<RecordBatch>> {
        Err(SqlError::internal(format!("{} has no key to look up by", self.name)))
    }

    fn scan(&self, projection: &[usize], _pruning: &[Bound], _partitions: usize) -> SqlResult<Vec<Partition>> {
        let mut pieces = Vec::new();
        for batch in &self.batches {
            let batch = batch.project(projection).map_err(arrow_error)?;
            let mut start = 0;
            while start < batch.num_rows() {
                let rows = BATCH_ROWS.min(batch.num_rows() - start);
                pieces.push(Ok(batch.slice(start, rows)));
                start += rows;
            }
        }
        Ok(vec![Box::new(pieces.into_iter())])
    }
}

/// An Arrow failure that no input of a user can cause.
pub(crate) fn arrow_error(error: arrow::error::ArrowError) -> SqlError {
    SqlError::internal(format!("arrow: {error}"))
}

/// A column of the engine's row ids out of a query's answer.
pub(crate) fn row_ids(column: &ArrayRef) -> SqlResult<&Int64Array> {
    match column.as_any().downcast_ref::<Int64Array>() {
        Some(ids) if ids.null_count() == 0 => Ok(ids),
        _ => Err(SqlError::internal("row ids came back in another type")),
    }
}
