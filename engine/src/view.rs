//! A table as one transaction sees it: the prefix of rows its snapshot reaches, less ended ones, plus its own writes.
//!
//! V1: a view answers the same however long it is held, whatever commits, seals or merges meanwhile.
//! V2: rows never updated cost no visibility check beyond one look at the ended rows of their chunk.
//! Never: locks anything while rows are read.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int64Array, RecordBatch, RecordBatchOptions};
use arrow::datatypes::{DataType, Field, Int64Type, Schema};
use base::{CommitSeq, RowId, SqlError, SqlResult};

use crate::canonical::OWN_ROW;
use crate::failure::arrow_failed;
use crate::key::{Key, KeyReader};
use crate::key_index::columns_of;
use crate::layout;
use crate::ledger::Ledger;
use crate::reads::{ReadBound, ReadSet};
use crate::schema::{KeyDef, TableDef};
use crate::segment::{BATCH_ROWS, Segment};
use crate::stored;
use crate::subjects::Subjects;
use crate::table::{Piece, TableState};
use crate::writes::{OwnRows, TableWrites};

mod by_index;

pub use by_index::{InOrder, Step};

/// Name of the row id column in batches that ask for it.
pub const ROW_ID: &str = "_row_id";

/// A table at a snapshot; see the module. Cheap to clone.
#[derive(Clone, Debug)]
pub struct TableView {
    ledger: Arc<Ledger>,
    table: Arc<TableDef>,
    state: Arc<TableState>,
    seq: Option<CommitSeq>,
    rows: u64,
    ended: u64,
    own: Option<Arc<OwnRows>>,
    reads: Option<Arc<ReadSet>>,
    /// Indexes may lack rows that have ended since (H1 of `folds/whole.rs`).
    is_past: bool,
}

impl TableView {
    pub(crate) fn new(ledger: &Arc<Ledger>, table: Arc<TableDef>, seq: Option<CommitSeq>, writes: Option<&TableWrites>) -> Self {
        let state = ledger.table_state(table.id);
        let count = state.count_at(seq);
        let own = writes.map(|writes| Arc::clone(&writes.own));
        Self { ledger: Arc::clone(ledger), table, state, seq, rows: count.rows, ended: count.ended, own, reads: None, is_past: false }
    }

    /// The table as of a published commit, whatever came since.
    ///
    /// Errors: XX001 where a segment is damaged.
    pub fn past(ledger: &Arc<Ledger>, table: Arc<TableDef>, seq: CommitSeq) -> SqlResult<Self> {
        let state = ledger.table_state(table.id);
        let count = ledger.past_count(&state, seq)?;
        let ledger = Arc::clone(ledger);
        Ok(Self { ledger, table, state, seq: Some(seq), rows: count.rows, ended: count.ended, own: None, reads: None, is_past: true })
    }

    /// The same, noting what is read of it.
    pub(crate) fn traced(mut self, reads: Option<&Arc<ReadSet>>) -> Self {
        self.reads = reads.cloned();
        self
    }

    /// Whether what is read has to be so still when the transaction commits: then nothing may be known of the rows without reading them.
    pub fn is_traced(&self) -> bool {
        self.reads.is_some()
    }

    /// The commit that it is as of, where all that it shows is committed and nobody notes what is read.
    pub fn settled_at(&self) -> Option<CommitSeq> {
        self.seq.filter(|_| self.own.is_none() && self.reads.is_none())
    }

    /// Notes that rows within these bounds, all of them to be met, are about to be scanned.
    pub fn note_scan(&self, bounds: Vec<ReadBound>) {
        if let Some(reads) = &self.reads {
            reads.note_range(&self.table, bounds);
        }
    }

    fn note_key(&self, def: &KeyDef, key: &Key) {
        if let Some(reads) = &self.reads {
            reads.note_key(&self.table, def.id, key);
        }
    }

    /// The ledger it reads.
    pub fn ledger(&self) -> &Arc<Ledger> {
        &self.ledger
    }

    /// The table's definition.
    pub fn table(&self) -> &Arc<TableDef> {
        &self.table
    }

    /// Rows visible, exactly.
    pub fn row_count(&self) -> u64 {
        let committed = self.rows - self.ended;
        match &self.own {
            None => committed,
            Some(own) => {
                let written: u64 = own.pieces.iter().map(|piece| piece.batch.num_rows() as u64).sum();
                committed - own.ended.len() as u64 + written - own.own_ended.len() as u64
            }
        }
    }

    fn is_ended(&self, row: u64) -> SqlResult<bool> {
        if self.own.as_ref().is_some_and(|own| own.ended.contains(&row)) {
            return Ok(true);
        }
        let seq = self.seq.map_or(0, |seq| seq.0);
        Ok(self.state.ended_by(row)?.is_some_and(|by| by <= seq))
    }

    /// The visible row with this primary key, which is not a late one: one-row arrays in key order. Batch of one row, all user columns.
    ///
    /// Errors: XX001 where the row's segment is damaged.
    pub fn lookup(&self, key: &[ArrayRef]) -> SqlResult<Option<(RowId, RecordBatch)>> {
        match self.table.keys().first().filter(|_| self.table.has_lookup()) {
            Some(def) => self.lookup_by(def, key),
            None => Err(SqlError::internal(format!("\"{}\" has no primary key", self.table.name))),
        }
    }

    /// The visible row with these values of a unique key, as [`TableView::lookup`].
    pub fn lookup_by(&self, def: &KeyDef, key: &[ArrayRef]) -> SqlResult<Option<(RowId, RecordBatch)>> {
        let Some(key) = KeyReader::over_values(&self.table, def, key)?.key(0) else { return Ok(None) };
        if self.is_still_served_by(def) {
            let found = self.lookup_in_index(def, &key)?;
            if self.is_still_served_by(def) {
                return Ok(found);
            }
        }
        self.search(def, &key)
    }

    fn lookup_in_index(&self, def: &KeyDef, key: &Key) -> SqlResult<Option<(RowId, RecordBatch)>> {
        self.note_key(def, key);
        if let Some(own) = &self.own
            && let Some(at) = own.live(def.id, key)?
        {
            return Ok(Some((RowId(at | OWN_ROW), self.own_row(own, at)?)));
        }
        // At most one row is visible: the newest within the snapshot, unless ended.
        let within = match (self.own.as_ref().and_then(|own| own.unindexed.get(&def.id)), self.seq) {
            (Some(known), _) => known.get(key).copied(),
            (None, Some(seq)) => self.ledger.keys().newest_at(def.id, key, seq)?,
            (None, None) => None,
        };
        match within {
            Some(row) if !self.is_ended(row)? => Ok(Some((RowId(row), self.row(row)?))),
            _ => Ok(None),
        }
    }

    /// The first visible row with a key, read one after the other.
    fn search(&self, def: &KeyDef, key: &Key) -> SqlResult<Option<(RowId, RecordBatch)>> {
        let needed = columns_of(&self.table, &[def]);
        for chunk in self.scan(&needed, true) {
            let batch = chunk.read()?;
            let (ids, columns) = batch.columns().split_last().ok_or_else(|| SqlError::internal("a scan without row ids"))?;
            let column = |at: usize| &columns[needed.binary_search(&at).unwrap_or_default()];
            let reader = KeyReader::over((self.ledger.options().expressions(), &self.table), def, column, batch.num_rows(), |_| true)?;
            if let Some(at) = (0..batch.num_rows()).find(|at| reader.key(*at).as_ref() == Some(key)) {
                let row = ids.as_primitive::<Int64Type>().value(at).cast_unsigned();
                return Ok(Some((RowId(row), self.row(row)?)));
            }
        }
        Ok(None)
    }

    /// Whether [`TableView::lookup`] finds rows by an index.
    pub fn is_indexed(&self) -> bool {
        self.table.keys().first().is_none_or(|def| self.is_still_served_by(def))
    }

    /// Ids of the visible rows with these values of any key, oldest first; `None` where the key has no index that answers for the view's moment.
    pub fn find_all(&self, def: &KeyDef, key: &[ArrayRef]) -> SqlResult<Option<Vec<RowId>>> {
        if !self.ledger.keys().contains(def.id) || !self.is_still_served_by(def) {
            return Ok(None);
        }
        // Nothing is equal to NULL, whatever the key takes for equal.
        let is_null = key.iter().any(|value| value.is_null(0));
        let Some(key) = KeyReader::over_values(&self.table, def, key)?.key(0).filter(|_| !is_null) else { return Ok(Some(Vec::new())) };
        self.note_key(def, &key);
        let found = self.rows_with(def, &key)?;
        Ok(Some(found).filter(|_| self.is_still_served_by(def)))
    }

    fn rows_with(&self, def: &KeyDef, key: &Key) -> SqlResult<Vec<RowId>> {
        let mut found = Vec::new();
        let take = |row: u64| -> SqlResult<Option<()>> {
            if row < self.rows && !self.is_ended(row)? {
                found.push(row);
            }
            Ok(None)
        };
        match (def.unique, self.seq) {
            (true, Some(seq)) => self.ledger.keys().newest_at(def.id, key, seq)?.map_or(Ok(None), take)?,
            (true, None) => None,
            (false, _) => self.ledger.keys().find(def, key, take)?,
        };
        found.reverse();
        let mut found: Vec<RowId> = found.into_iter().map(RowId).collect();
        if let Some(own) = &self.own {
            found.extend(own.rows_with(self.ledger.options().expressions(), &self.table, def, key)?);
        }
        Ok(found)
    }

    /// A row by its id, one of this transaction's included: all user columns. Errors: XX001, XX000 for a row never written.
    pub fn row_by_id(&self, row: RowId) -> SqlResult<RecordBatch> {
        match (&self.own, row.0 & OWN_ROW != 0) {
            (Some(own), true) => self.own_row(own, row.0 & !OWN_ROW),
            _ => self.row(row.0),
        }
    }

    fn own_row(&self, own: &OwnRows, at: u64) -> SqlResult<RecordBatch> {
        let (batch, offset) = own.locate(at).ok_or_else(|| SqlError::internal(format!("own row {at} is nowhere")))?;
        if self.table.subject().is_none() {
            return self.user_row(batch.columns(), offset);
        }
        self.user_row(&layout::columns(&self.table, &self.table, &batch.slice(offset, 1), self.ledger.subjects())?, 0)
    }

    fn row(&self, row: u64) -> SqlResult<RecordBatch> {
        let (columns, offset) = self.ledger.user_columns(&self.state, &self.table, row)?;
        self.user_row(&columns, offset)
    }

    fn user_row(&self, stored: &[ArrayRef], offset: usize) -> SqlResult<RecordBatch> {
        let columns = stored[..self.table.columns.len()].iter().map(|column| column.slice(offset, 1)).collect();
        RecordBatch::try_new(self.table.arrow_schema(), columns).map_err(|error| arrow_failed("read row", &error))
    }

    /// Units of scan work in row order, each at most 8,192 rows. `projection`: positions of user columns; `_row_id` (Int64, last) on demand,
    /// negative for rows of this transaction.
    pub fn scan(&self, projection: &[usize], with_row_id: bool) -> Vec<Chunk> {
        let reader = Arc::new(ChunkReader::new(self, projection, with_row_id));
        let mut chunks = Vec::new();
        for (piece, first, rows) in self.state.layout().pieces() {
            let visible = self.rows.saturating_sub(first).min(rows);
            if visible > 0 {
                chunks.push(Chunk { reader: Arc::clone(&reader), source: Source::Stored(piece), first, rows: visible as usize });
            }
        }
        if let Some(own) = &self.own {
            for piece in &own.pieces {
                for from in (0..piece.batch.num_rows()).step_by(BATCH_ROWS) {
                    let rows = (piece.batch.num_rows() - from).min(BATCH_ROWS);
                    let source = Source::Own(piece.batch.slice(from, rows));
                    chunks.push(Chunk { reader: Arc::clone(&reader), source, first: piece.first + from as u64, rows });
                }
            }
        }
        chunks
    }
}

#[derive(Clone, Debug)]
enum Source {
    Stored(Piece),
    Own(RecordBatch),
}

/// What all chunks of one scan share.
#[derive(Debug)]
struct ChunkReader {
    state: Arc<TableState>,
    own: Option<Arc<OwnRows>>,
    seq: u64,
    table: Arc<TableDef>,
    subjects: Arc<Subjects>,
    projection: Vec<usize>,
    with_row_id: bool,
    schema: Arc<Schema>,
}

impl ChunkReader {
    fn new(view: &TableView, projection: &[usize], with_row_id: bool) -> Self {
        let user = view.table.arrow_schema();
        let mut fields: Vec<Field> = projection.iter().map(|at| user.field(*at).clone()).collect();
        if with_row_id {
            fields.push(Field::new(ROW_ID, DataType::Int64, false));
        }
        Self {
            state: Arc::clone(&view.state),
            own: view.own.clone(),
            seq: view.seq.map_or(0, |seq| seq.0),
            table: Arc::clone(&view.table),
            subjects: Arc::clone(view.ledger.subjects()),
            projection: projection.to_vec(),
            with_row_id,
            schema: Arc::new(Schema::new(fields)),
        }
    }

    /// Offsets of invisible rows within `[first, first + rows)`, as ended rows say.
    fn ended(&self, first: u64, rows: usize) -> SqlResult<Vec<u64>> {
        let end = first + rows as u64;
        let mut ended = self.state.ended_in(first, end, self.seq)?;
        if let Some(own) = self.own.as_ref().filter(|own| !own.ended.is_empty()) {
            ended.extend(own.ended.iter().copied().filter(|row| (first..end).contains(row)));
        }
        Ok(ended)
    }

    /// The projected columns of rows that are not sealed yet, or of this transaction.
    fn columns(&self, writer: &TableDef, batch: &RecordBatch, from: usize, rows: usize) -> SqlResult<Vec<ArrayRef>> {
        let slice = |at: usize| batch.column(at).slice(from, rows);
        if writer.subject().is_none() && layout::is_same(writer, &self.table) {
            return Ok(self.projection.iter().map(|at| slice(*at)).collect());
        }
        let places = layout::places(writer, &self.table, &self.projection, &self.subjects)?;
        places.iter().map(|place| place.read(rows, slice)).collect()
    }

    /// Columns in the order of the projection, which may repeat or reorder; a segment reads each once, in file order.
    fn segment_columns(&self, segment: &Segment, index: usize, rows: usize) -> SqlResult<Vec<ArrayRef>> {
        let places = layout::places(segment.table(), &self.table, &self.projection, &self.subjects)?;
        let mut sorted: Vec<usize> = places.iter().flat_map(layout::Place::needs).collect();
        sorted.sort_unstable();
        sorted.dedup();
        if sorted.is_empty() {
            return places.iter().map(|place| place.read(rows, |_| unreachable_column())).collect();
        }
        let batch = segment.read(index, Some(&sorted))?;
        let position = |at: usize| sorted.binary_search(&at).unwrap_or_default();
        places.iter().map(|place| place.read(rows, |at| batch.column(position(at)).slice(0, rows))).collect()
    }
}

/// Up to 8,192 rows of a scan, not read yet.
#[derive(Clone, Debug)]
pub struct Chunk {
    reader: Arc<ChunkReader>,
    source: Source,
    first: u64,
    rows: usize,
}

impl Chunk {
    /// Rows before invisible ones are removed.
    pub fn rows_max(&self) -> usize {
        self.rows
    }

    /// Reads the projected columns and removes invisible rows.
    ///
    /// Errors: XX001 where a segment is damaged; 72000 where visible rows have expired.
    pub fn read(&self) -> SqlResult<RecordBatch> {
        let reader = &self.reader;
        if let Source::Stored(Piece::Segment(segment, _)) = &self.source
            && segment.expired_at().is_some()
        {
            // All of them may have been gone before this snapshot.
            let is_seen = reader.ended(self.first, self.rows)?.len() < self.rows;
            return if is_seen { Err(segment.expired()) } else { Ok(RecordBatch::new_empty(Arc::clone(&reader.schema))) };
        }
        let (columns, row_id_mark) = match &self.source {
            Source::Stored(Piece::Segment(segment, index)) => (reader.segment_columns(segment, *index, self.rows)?, 0),
            Source::Stored(Piece::Tail(chunk, from)) => (reader.columns(&chunk.table, &chunk.batch, *from, self.rows)?, 0),
            Source::Own(batch) => (reader.columns(&reader.table, batch, 0, self.rows)?, OWN_ROW),
        };
        let mut columns = columns;
        if reader.with_row_id {
            let ids = self.first..self.first + self.rows as u64;
            columns.push(Arc::new(ids.map(|id| (id | row_id_mark).cast_signed()).collect::<Int64Array>()));
        }
        let options = RecordBatchOptions::new().with_row_count(Some(self.rows));
        let batch = RecordBatch::try_new_with_options(Arc::clone(&reader.schema), columns, &options)
            .map_err(|error| arrow_failed("scan rows", &error))?;
        let ended = match &self.source {
            Source::Own(_) => {
                let own_ended = reader.own.as_ref().map(|own| &own.own_ended);
                (self.first..self.first + self.rows as u64).filter(|at| own_ended.is_some_and(|ended| ended.contains(at))).collect()
            }
            _ => reader.ended(self.first, self.rows)?,
        };
        if ended.is_empty() {
            return Ok(batch);
        }
        let mut keep = vec![true; self.rows];
        ended.iter().for_each(|row| keep[(row - self.first) as usize] = false);
        stored::keep(&batch, &BooleanArray::from(keep))
    }
}

/// Stands where no place is stored.
fn unreachable_column() -> ArrayRef {
    arrow::array::new_empty_array(&DataType::Null)
}
