//! The ledger's own virtual tables: commits, receipts, checkpoints, cosignatures, timestamps, keys, incarnations, erasures, retention, holds, what has expired, scrubs,
//! damages and statistics, read out of leaves and files as they are asked for.
//!
//! T1: a scan shows the ledger as of the snapshot it was opened on.
//! T2: nothing is computed that is not projected; memory is bounded by a batch, whatever the size of the ledger.
//! Never: evidence by themselves; they show what receipts prove.

mod checkpoints;
mod commits;
mod cosignatures;
mod erasures;
mod expired;
mod keys;
mod receipts;
mod retention;
mod scrubs;
mod statistics;
mod timestamps;

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::datatypes::{Field, Schema, SchemaRef};
use base::SqlResult;

use crate::failure::arrow_failed;
use crate::ledger::Ledger;
use crate::types::SqlType;

/// Batches of a scan, read as they are pulled.
pub type Batches = Box<dyn Iterator<Item = SqlResult<RecordBatch>> + Send>;

/// A virtual table of a ledger as of one number of leaves.
#[derive(Clone, Debug)]
pub struct SystemTable {
    kind: &'static Kind,
    ledger: Arc<Ledger>,
    size: u64,
}

/// Name, columns and reader of one virtual table.
#[derive(Debug)]
struct Kind {
    name: &'static str,
    columns: &'static [(&'static str, SqlType)],
    scan: fn(Scan) -> Batches,
}

/// What a reader is told.
struct Scan {
    ledger: Arc<Ledger>,
    size: u64,
    schema: SchemaRef,
    projection: Vec<usize>,
}

impl Scan {
    fn wants(&self, column: usize) -> bool {
        self.projection.contains(&column)
    }

    /// The projected columns of a batch; `column` makes one by its position in the table.
    fn batch(&self, rows: usize, mut column: impl FnMut(usize) -> ArrayRef) -> SqlResult<RecordBatch> {
        let columns = self.projection.iter().map(|at| column(*at)).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options).map_err(|e| arrow_failed("read a ledger table", &e))
    }
}

const KINDS: &[Kind] = &[
    commits::TABLE,
    receipts::TABLE,
    checkpoints::TABLE,
    cosignatures::TABLE,
    keys::KEYS,
    keys::INCARNATIONS,
    erasures::TABLE,
    retention::RETENTION,
    retention::HOLDS,
    expired::TABLE,
    scrubs::SCRUBS,
    scrubs::DAMAGES,
    statistics::TABLE,
    timestamps::TABLE,
];

impl Ledger {
    /// The virtual table `ledger.<name>` as of the newest published state; `None` for a name it does not have.
    pub fn system_table(self: &Arc<Self>, name: &str) -> Option<SystemTable> {
        let kind = KINDS.iter().find(|kind| kind.name == name)?;
        Some(SystemTable { kind, ledger: Arc::clone(self), size: self.checkpoint().state.size })
    }

    /// Names of all virtual tables.
    pub fn system_tables() -> impl Iterator<Item = &'static str> {
        KINDS.iter().map(|kind| kind.name)
    }
}

impl SystemTable {
    /// Name without its schema.
    pub fn name(&self) -> &'static str {
        self.kind.name
    }

    /// All columns.
    pub fn schema(&self) -> SchemaRef {
        let field = |(name, sql_type): &(&str, SqlType)| Field::new(*name, sql_type.arrow(), true);
        Arc::new(Schema::new(self.kind.columns.iter().map(field).collect::<Vec<_>>()))
    }

    /// Reads the columns at these positions (T2). Errors come with the batch that could not be read.
    pub fn scan(&self, projection: &[usize]) -> Batches {
        let all = self.schema();
        let fields = projection.iter().map(|at| all.field(*at).clone()).collect::<Vec<_>>();
        let schema = Arc::new(Schema::new(fields));
        (self.kind.scan)(Scan { ledger: Arc::clone(&self.ledger), size: self.size, schema, projection: projection.to_vec() })
    }
}
