//! All versions of a table's rows that some span saw, as a table: its columns, then when each version was the valid one.
//!
//! | column | |
//! |---|---|
//! | `_valid_from timestamptz` | time of the commit that wrote the version |
//! | `_valid_to timestamptz` | time of the commit that ended it; NULL while none has by the end of the span |
//! | `_commit bigint` | the commit that wrote it |
//! | `_row bigint` | its place among the rows of that commit, so that `ledger_receipt(_commit, _row)` is its receipt |
//! | `_ended_by bigint` | the commit that ended it |
//! | `_erased boolean` | of tables that can forget: whether its values were erased |
//!
//! H1: a version whose table the reader may not read in whole is not shown in part.
//! Never: keeps a batch.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::{ArrayRef, Int64Array, RecordBatch, RecordBatchOptions, TimestampMicrosecondArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use base::{CommitSeq, RelationId, SqlError, SqlResult, SqlState};
use engine::history::Told;
use engine::{Ledger, Span, TableDef, Versions};
use relational::{Bound, Partition, Table};

use crate::tables::erasable::ERASED;
use crate::tables::{arrow_error, in_shares};

const VALID_FROM: &str = "_valid_from";
const VALID_TO: &str = "_valid_to";
const COMMIT: &str = "_commit";
const ROW: &str = "_row";
const ENDED_BY: &str = "_ended_by";

/// See the module.
pub(crate) struct HistoryTable {
    ledger: Arc<Ledger>,
    table: Arc<TableDef>,
    span: Option<Span>,
    schema: SchemaRef,
}

impl HistoryTable {
    /// `span`: `None` for no versions at all. Errors: 42701 where the table has a column of such a name itself.
    pub(crate) fn new(ledger: Arc<Ledger>, table: Arc<TableDef>, span: Option<Span>) -> SqlResult<Self> {
        let time = || DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
        let mut own =
            vec![(VALID_FROM, time()), (VALID_TO, time()), (COMMIT, DataType::Int64), (ROW, DataType::Int64), (ENDED_BY, DataType::Int64)];
        if table.subject().is_some() {
            own.push((ERASED, DataType::Boolean));
        }
        if let Some((name, _)) = own.iter().find(|(name, _)| table.columns.iter().any(|column| column.name == *name)) {
            return Err(SqlError::new(
                SqlState::DUPLICATE_COLUMN,
                format!("column \"{name}\" of \"{}\" has the name of a column that its history adds", table.name),
            )
            .hint("ALTER TABLE … RENAME COLUMN gives it another name."));
        }
        let fields = table.arrow_schema().fields().iter().map(|field| field.as_ref().clone().with_nullable(true)).collect::<Vec<_>>();
        let own = own.into_iter().map(|(name, data_type)| Field::new(name, data_type, true));
        let schema = Arc::new(Schema::new(fields.into_iter().chain(own).collect::<Vec<_>>()));
        Ok(Self { ledger, table, span, schema })
    }
}

impl fmt::Debug for HistoryTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{} FOR SYSTEM_TIME", self.table.schema, self.table.name)
    }
}

impl Table for HistoryTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn oid(&self) -> Option<u32> {
        Some(self.table.id.0)
    }

    fn primary_key(&self) -> &[usize] {
        &[]
    }

    fn row_count(&self) -> Option<usize> {
        None
    }

    fn lookup(&self, _key: &[ArrayRef]) -> SqlResult<Vec<RecordBatch>> {
        Err(SqlError::internal("a history has no key"))
    }

    fn scan(&self, projection: &[usize], _pruning: &[Bound], partitions: usize) -> SqlResult<Vec<Partition>> {
        let Some(span) = self.span else { return Ok(Vec::new()) };
        let schema = self.schema.project(projection).map(Arc::new).map_err(arrow_error)?;
        let partition = |share: Vec<Versions>| -> Partition {
            let commits = Commits { ledger: Arc::clone(&self.ledger), table: self.table.id, known: Mutex::default() };
            let (schema, projection, width) = (Arc::clone(&schema), projection.to_vec(), self.table.columns.len());
            let read = move |versions: Versions| {
                let told = versions.read()?;
                let columns = projection.iter().map(|at| commits.column(&told, *at, width)).collect::<SqlResult<Vec<_>>>()?;
                let options = RecordBatchOptions::new().with_row_count(Some(told.rows.num_rows()));
                RecordBatch::try_new_with_options(Arc::clone(&schema), columns, &options).map_err(arrow_error)
            };
            Box::new(share.into_iter().map(read))
        };
        Ok(in_shares(self.ledger.versions(&self.table, span), partitions).into_iter().map(partition).collect())
    }
}

/// What is known of a commit: its time, and where the table's rows stand in it.
#[derive(Clone, Copy)]
struct Known {
    time_us: i64,
    /// Id of the table's first row in it, and that row's place.
    first: (u64, u64),
}

/// Commits met by one stream; versions written together are read together.
struct Commits {
    ledger: Arc<Ledger>,
    table: RelationId,
    known: Mutex<HashMap<i64, Known>>,
}

/// Commits remembered at a time.
const KNOWN_MAX: usize = 65_536;

impl Commits {
    /// A column by its place in the table of versions; `width`: columns of the table itself.
    fn column(&self, told: &Told, at: usize, width: usize) -> SqlResult<ArrayRef> {
        Ok(match at.checked_sub(width) {
            None => Arc::clone(told.rows.column(at)),
            Some(0) => self.times(&told.begun)?,
            Some(1) => self.times(&told.ended)?,
            Some(2) => Arc::new(told.begun.clone()),
            Some(3) => self.places(told)?,
            Some(4) => Arc::new(told.ended.clone()),
            Some(_) => Arc::new(self.ledger.are_erased(self.table, told.ids.values())?),
        })
    }

    fn times(&self, commits: &Int64Array) -> SqlResult<ArrayRef> {
        let time = |seq: Option<i64>| seq.map(|seq| self.known(seq).map(|known| known.time_us)).transpose();
        let times = commits.iter().map(time).collect::<SqlResult<Vec<_>>>()?;
        Ok(Arc::new(TimestampMicrosecondArray::from(times).with_timezone("UTC")))
    }

    fn places(&self, told: &Told) -> SqlResult<ArrayRef> {
        let place = |(seq, id): (&i64, &i64)| {
            let (first_row, first_place) = self.known(*seq)?.first;
            Ok(first_place.saturating_add(id.cast_unsigned().saturating_sub(first_row)).cast_signed())
        };
        let places = told.begun.values().iter().zip(told.ids.values()).map(place).collect::<SqlResult<Vec<_>>>()?;
        Ok(Arc::new(Int64Array::from(places)))
    }

    fn known(&self, seq: i64) -> SqlResult<Known> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = known.get(&seq) {
            return Ok(*found);
        }
        let commit = CommitSeq(seq.cast_unsigned());
        let found = Known { time_us: self.ledger.time_of(commit)?, first: self.ledger.rows_of(commit, self.table)?.unwrap_or_default() };
        if known.len() >= KNOWN_MAX {
            known.clear();
        }
        known.insert(seq, found);
        Ok(found)
    }
}
