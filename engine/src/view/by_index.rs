//! A table's rows through an index: those within a range, or all in the order of a key.
//!
//! I1: an index is asked only by a view that it knows all rows of: at or after the commit since which it is whole, and of the past at none where it lacks
//!     rows that have ended since. Whether it does is asked again after it was read, for folds may be made anew meanwhile.
//! I2: what is found answers as a scan would that compares the rows again ([`crate::key_range`], R1); own rows included.
//! Never: leaves a trace of what is read; the caller says that before ([`TableView::note_scan`]).

use std::cmp::Ordering;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Int64Array, RecordBatch, RecordBatchOptions};
use arrow::compute::{cast, interleave};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use base::{RowId, SqlError, SqlResult};

use super::{Chunk, ROW_ID, Source, TableView};
use crate::canonical::OWN_ROW;
use crate::failure::arrow_failed;
use crate::folds::names::VALUE_BYTES_MAX;
use crate::key::KeyReader;
use crate::key_order::{is_readable, take};
use crate::key_range::{KeyBounds, KeyRange};
use crate::key_walk::KeyWalk;
use crate::layout;
use crate::schema::KeyDef;
use crate::segment::BATCH_ROWS;

/// Own rows that are sorted to be met in the order of a key.
const OWN_ROWS_MAX: usize = 4_096;
/// Decoded pieces of a table that are held at a time, of up to 8,192 rows each.
const PIECES_MAX: usize = 64;

/// Rows with what they sort by.
type Sorted = Vec<(Vec<u8>, RowId)>;

/// What [`InOrder::step`] comes to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// A visible row.
    Row(RowId),
    /// There are no more.
    End,
    /// The index does not tell the order of the rows that come next, or does not answer for the moment any more.
    Disorder,
}

/// Visible rows in the order of a key: ascending with NULL last, or the other way round.
#[derive(Debug)]
pub struct InOrder {
    view: TableView,
    def: KeyDef,
    walk: Option<KeyWalk>,
    backward: bool,
    /// Own rows with what they sort by, the next one last.
    own: Sorted,
    /// The next committed row.
    committed: Option<(Vec<u8>, u64)>,
    entries: usize,
}

impl TableView {
    /// Whether the index of a key answers for this view (I1).
    pub fn is_served_by(&self, def: &KeyDef) -> bool {
        let keys = self.ledger.keys();
        match self.seq {
            Some(seq) if self.is_past => keys.is_whole_at(def.id, seq),
            Some(seq) => keys.since(def.id).is_some_and(|since| since <= seq.0),
            None => false,
        }
    }

    /// Whether an index may be asked for a value, and whether what was just read out of it is all that it should have (I1).
    pub(super) fn is_still_served_by(&self, def: &KeyDef) -> bool {
        !self.is_past || self.is_served_by(def)
    }

    /// Notes that rows with one value of a key have been read, all of them or that there are none. Errors: XX000 for values that do not fit the key.
    pub fn note_value(&self, def: &KeyDef, key: &[ArrayRef]) -> SqlResult<()> {
        if let Some(key) = KeyReader::over_values(&self.table, def, key)?.key(0) {
            self.note_key(def, &key);
        }
        Ok(())
    }

    /// Units of scan work over the rows of this transaction alone, as [`TableView::scan`].
    pub fn scan_own(&self, projection: &[usize], with_row_id: bool) -> Vec<Chunk> {
        let mut chunks = self.scan(projection, with_row_id);
        chunks.retain(|chunk| matches!(chunk.source, Source::Own(_)));
        chunks
    }

    /// Ids of the visible committed rows within a range, ascending; `None` where more than so many entries of the index would have to be looked at, or
    /// where it does not answer for the view's moment any more.
    ///
    /// Errors: XX000 for a range that does not fit the key; XX001.
    pub fn rows_within(&self, def: &KeyDef, range: &KeyRange, entries_max: usize) -> SqlResult<Option<Vec<RowId>>> {
        let Some(mut walk) = self.walk(def, range.bounds(&self.table, def)?, false) else { return Ok(Some(Vec::new())) };
        let (mut rows, mut entries) = (Vec::new(), 0);
        while let Some(entry) = walk.step()? {
            entries += 1;
            if entries > entries_max {
                return Ok(None);
            }
            rows.push(entry.row);
        }
        rows.sort_unstable();
        rows.dedup();
        let mut found = Vec::with_capacity(rows.len());
        for row in rows {
            if self.shows(row)? {
                found.push(RowId(row));
            }
        }
        Ok(Some(found).filter(|_| self.is_still_served_by(def)))
    }

    /// How many of a key's first columns can be read out of its index.
    pub fn readable(&self, def: &KeyDef) -> usize {
        def.positions.iter().take_while(|position| is_readable(self.table.type_at(**position))).count()
    }

    /// The first columns of a key, so many as asked for and [`TableView::readable`], of the visible committed rows within a range, out of the index
    /// alone; `None` as for [`TableView::rows_within`], and likewise the errors.
    pub fn values_within(&self, def: &KeyDef, range: &KeyRange, entries_max: usize, columns: usize) -> SqlResult<Option<Vec<ArrayRef>>> {
        let mut values: Vec<Vec<Option<i64>>> = vec![Vec::new(); columns];
        let walk = self.walk(def, range.bounds(&self.table, def)?, false);
        let mut entries = 0;
        if let Some(mut walk) = walk {
            while let Some(entry) = walk.step()? {
                entries += 1;
                if entries > entries_max {
                    return Ok(None);
                }
                if !self.shows(entry.row)? {
                    continue;
                }
                let mut bytes = entry.value;
                for column in &mut values {
                    let value = take(&mut bytes).ok_or_else(|| SqlError::internal(format!("index \"{}\" holds no value", def.name)))?;
                    column.push(value);
                }
            }
        }
        if !self.is_still_served_by(def) {
            return Ok(None);
        }
        let typed = |(values, position): (Vec<Option<i64>>, &usize)| {
            let values: ArrayRef = Arc::new(Int64Array::from(values));
            let wanted = self.table.type_at(*position).arrow();
            // Days are in 32 bits, and only these become a date.
            let values = if wanted == DataType::Date32 { cast(&values, &DataType::Int32) } else { Ok(values) };
            values.and_then(|values| cast(&values, &wanted)).map_err(|error| arrow_failed("read an index", &error))
        };
        values.into_iter().zip(&def.positions).map(typed).collect::<SqlResult<_>>().map(Some)
    }

    /// Visible rows within a range, in the order of a key; `None` where too many are this transaction's own.
    ///
    /// Errors: as [`TableView::rows_within`].
    pub fn in_order(&self, def: &KeyDef, range: &KeyRange, backward: bool) -> SqlResult<Option<InOrder>> {
        let bounds = range.bounds(&self.table, def)?;
        let Some(own) = self.own_in_order(def, &bounds, backward)? else { return Ok(None) };
        let walk = self.walk(def, bounds, backward);
        Ok(Some(InOrder { view: self.clone(), def: def.clone(), walk, backward, own, committed: None, entries: 0 }))
    }

    fn walk(&self, def: &KeyDef, bounds: KeyBounds, backward: bool) -> Option<KeyWalk> {
        self.seq.map(|seq| self.ledger.keys().walk(def, bounds, seq, backward))
    }

    fn shows(&self, row: u64) -> SqlResult<bool> {
        Ok(row < self.rows && !self.is_ended(row)?)
    }

    /// `None` where they are too many, or too long for the index to tell their order.
    fn own_in_order(&self, def: &KeyDef, bounds: &KeyBounds, backward: bool) -> SqlResult<Option<Sorted>> {
        let Some(own) = &self.own else { return Ok(Some(Vec::new())) };
        if own.pieces.iter().map(|piece| piece.batch.num_rows()).sum::<usize>() > OWN_ROWS_MAX {
            return Ok(None);
        }
        let mut rows = Vec::new();
        for piece in &own.pieces {
            let reader = KeyReader::of_stored(self.ledger.options().expressions(), &self.table, def, &piece.batch)?;
            for at in 0..piece.batch.num_rows() {
                let row = piece.first + at as u64;
                if own.own_ended.contains(&row) || !reader.holds(at) {
                    continue;
                }
                let mut value = Vec::new();
                reader.put(at, &mut value);
                if value.len() > VALUE_BYTES_MAX {
                    return Ok(None);
                }
                if bounds.have(&value) {
                    rows.push((value, RowId(row | OWN_ROW)));
                }
            }
        }
        rows.sort_unstable();
        if !backward {
            rows.reverse();
        }
        Ok(Some(rows))
    }

    /// Rows by their ids, in the order given, in batches of at most 8,192. `projection`: positions of user columns; `_row_id` last, on demand.
    ///
    /// Errors: XX001 where a segment is damaged, XX000 for a row never written.
    pub fn gather(&self, rows: &[RowId], projection: &[usize], with_row_id: bool) -> SqlResult<Vec<RecordBatch>> {
        let user = self.table.arrow_schema();
        let mut fields: Vec<Field> = projection.iter().map(|at| user.field(*at).clone()).collect();
        if with_row_id {
            fields.push(Field::new(ROW_ID, DataType::Int64, false));
        }
        let schema = Arc::new(Schema::new(fields));
        let mut batches = Vec::new();
        let mut pieces = Pieces::default();
        for row in rows {
            if !projection.is_empty() && !pieces.have(*row) {
                if pieces.held.len() == PIECES_MAX {
                    batches.push(std::mem::take(&mut pieces).batch(&schema, with_row_id)?);
                }
                let piece = self.piece(*row, projection)?;
                pieces.held.push(piece);
                pieces.current = pieces.held.len() - 1;
            }
            pieces.add(*row);
            if pieces.rows.len() == BATCH_ROWS {
                batches.push(std::mem::take(&mut pieces).batch(&schema, with_row_id)?);
            }
        }
        if !pieces.rows.is_empty() {
            batches.push(pieces.batch(&schema, with_row_id)?);
        }
        Ok(batches)
    }

    /// The rows that lie together with one.
    fn piece(&self, row: RowId, projection: &[usize]) -> SqlResult<Held> {
        if let (Some(own), true) = (&self.own, row.0 & OWN_ROW != 0) {
            let (batch, offset) =
                own.locate(row.0 & !OWN_ROW).ok_or_else(|| SqlError::internal(format!("own row {} is nowhere", row.0 & !OWN_ROW)))?;
            if self.table.subject().is_some() {
                let all = layout::columns(&self.table, &self.table, &batch.slice(offset, 1), self.ledger.subjects())?;
                return Ok(Held { first: row.0, rows: 1, columns: projection.iter().map(|at| Arc::clone(&all[*at])).collect() });
            }
            let columns = projection.iter().map(|at| Arc::clone(batch.column(*at))).collect();
            return Ok(Held { first: row.0 - offset as u64, rows: batch.num_rows() as u64, columns });
        }
        let (columns, offset) = self.ledger.user_columns(&self.state, &self.table, row.0)?;
        let rows = columns.first().map_or(0, |column| column.len()) as u64;
        let columns = projection.iter().map(|at| Arc::clone(&columns[*at])).collect();
        Ok(Held { first: row.0 - offset as u64, rows, columns })
    }
}

/// Columns of rows that lie together.
struct Held {
    first: u64,
    rows: u64,
    columns: Vec<ArrayRef>,
}

/// Rows on their way into one batch.
#[derive(Default)]
struct Pieces {
    held: Vec<Held>,
    /// Where the last row lay.
    current: usize,
    places: Vec<(usize, usize)>,
    rows: Vec<RowId>,
}

impl Pieces {
    fn have(&mut self, row: RowId) -> bool {
        let has = |held: &Held| held.first <= row.0 && row.0 < held.first + held.rows;
        if self.held.get(self.current).is_some_and(has) {
            return true;
        }
        match self.held.iter().position(has) {
            Some(at) => {
                self.current = at;
                true
            }
            None => false,
        }
    }

    fn add(&mut self, row: RowId) {
        if let Some(held) = self.held.get(self.current) {
            self.places.push((self.current, (row.0 - held.first) as usize));
        }
        self.rows.push(row);
    }

    fn batch(self, schema: &SchemaRef, with_row_id: bool) -> SqlResult<RecordBatch> {
        let width = schema.fields().len() - usize::from(with_row_id);
        let mut columns = Vec::with_capacity(width + 1);
        for at in 0..width {
            let arrays: Vec<&dyn Array> = self.held.iter().map(|held| held.columns[at].as_ref()).collect();
            columns.push(interleave(&arrays, &self.places).map_err(|error| arrow_failed("gather rows", &error))?);
        }
        if with_row_id {
            columns.push(Arc::new(self.rows.iter().map(|row| row.0.cast_signed()).collect::<Int64Array>()));
        }
        let options = RecordBatchOptions::new().with_row_count(Some(self.rows.len()));
        RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options).map_err(|error| arrow_failed("gather rows", &error))
    }
}

impl InOrder {
    /// Entries of the index looked at so far.
    pub fn entries(&self) -> usize {
        self.entries
    }

    /// The next row. Errors: XX001.
    pub fn step(&mut self) -> SqlResult<Step> {
        if self.committed.is_none() && !self.next_committed()? {
            return Ok(Step::Disorder);
        }
        let own_is_first = match (self.own.last(), &self.committed) {
            (Some((own, _)), Some((committed, _))) => own.cmp(committed) != if self.backward { Ordering::Less } else { Ordering::Greater },
            (own, _) => own.is_some(),
        };
        if own_is_first {
            return Ok(self.own.pop().map_or(Step::End, |(_, row)| Step::Row(row)));
        }
        Ok(self.committed.take().map_or(Step::End, |(_, row)| Step::Row(RowId(row))))
    }

    /// To the next visible committed row; false where its place is not known.
    fn next_committed(&mut self) -> SqlResult<bool> {
        let Some(walk) = &mut self.walk else { return Ok(true) };
        while let Some(entry) = walk.step()? {
            self.entries += 1;
            if !entry.is_in_order() {
                return Ok(false);
            }
            if self.view.shows(entry.row)? {
                self.committed = Some((entry.value.to_vec(), entry.row));
                return Ok(self.view.is_still_served_by(&self.def));
            }
        }
        self.walk = None;
        Ok(self.view.is_still_served_by(&self.def))
    }
}
