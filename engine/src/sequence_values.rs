//! Values of sequences: given out of memory, reserved by commits ahead.
//!
//! Q1: a value is given only when a durable commit says that the sequence is past it; so none is given twice, also after a crash. Reserved
//!     values that nobody got are gaps.
//! Q2: giving values is no part of the transaction that asks: a rollback gives none back.
//! Q3: a sequence that its transaction has not committed yet gives values out of memory; its first state is written with it.
//! Never: goes back by itself.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int64Array, RecordBatch};
use arrow::datatypes::Int64Type;
use base::{RowId, SqlError, SqlResult, SqlState};

use crate::catalog::{Catalog, Object};
use crate::failure::arrow_failed;
use crate::ledger::Ledger;
use crate::relations::SequenceDef;
use crate::sequences::{Held, SequenceState};
use crate::transaction::Transaction;

/// How often a lost race for a sequence's state is tried again.
const RETRIES_MAX: u32 = 16;

impl Ledger {
    /// The sequence as everybody sees it now, or as this catalog's transaction has just made it.
    fn current_sequence(&self, catalog: &Catalog, id: u32) -> SqlResult<(Arc<SequenceDef>, bool)> {
        let published = self.snapshot().catalog;
        for (catalog, is_published) in [(&*published, true), (catalog, false)] {
            if let Some(Object::Sequence(sequence)) = catalog.object(id) {
                return Ok((Arc::clone(sequence), is_published));
            }
        }
        Err(SqlError::new(SqlState::UNDEFINED_TABLE, format!("sequence with OID {id} does not exist")))
    }

    /// The next `n` values of a sequence of this catalog (Q1). May wait for a commit.
    ///
    /// Errors: 2200H past the last value; what a commit raises.
    pub fn next_values(self: &Arc<Self>, catalog: &Catalog, id: u32, n: u64) -> SqlResult<Vec<i64>> {
        let (sequence, is_published) = self.current_sequence(catalog, id)?;
        let held = self.sequences().of(id);
        let mut held = held.lock();
        let state = self.state_of(&sequence, &mut held, is_published)?;
        let (after, values) = sequence.advance(state, n)?;
        if !is_published || n <= state.reserved {
            held.state = Some(after);
            return Ok(values);
        }
        for _ in 0..RETRIES_MAX {
            let (sequence, _) = self.current_sequence(catalog, id)?;
            let state = self.state_of(&sequence, &mut held, true)?;
            let (after, values) = sequence.advance(state, n)?;
            let (last, reserved) = sequence.reserve(after);
            match self.write_state(&sequence, &mut held, last, true) {
                Ok(()) => {
                    held.state = Some(SequenceState { reserved, ..after });
                    return Ok(values);
                }
                Err(error) if error.state() == SqlState::SERIALIZATION_FAILURE => held.state = None,
                Err(error) => return Err(error),
            }
        }
        Err(crate::violations::conflict())
    }

    /// Sets a sequence, durably and at once. Errors: 22003 for a value out of its bounds; what a commit raises.
    pub fn set_sequence(self: &Arc<Self>, catalog: &Catalog, id: u32, value: i64, is_called: bool) -> SqlResult<()> {
        let (sequence, is_published) = self.current_sequence(catalog, id)?;
        if !(sequence.min..=sequence.max).contains(&value) {
            let (min, max) = (sequence.min, sequence.max);
            let message = format!("setval: value {value} is out of bounds for sequence \"{}\" ({min}..{max})", sequence.name());
            return Err(SqlError::new(SqlState::NUMERIC_VALUE_OUT_OF_RANGE, message));
        }
        let held = self.sequences().of(id);
        let mut held = held.lock();
        for _ in 0..RETRIES_MAX {
            let (sequence, _) = self.current_sequence(catalog, id)?;
            let written = if is_published { self.write_state(&sequence, &mut held, value, is_called) } else { Ok(()) };
            match written {
                Ok(()) => {
                    held.state = Some(SequenceState { last: value, is_called, reserved: 0 });
                    return Ok(());
                }
                Err(error) if error.state() == SqlState::SERIALIZATION_FAILURE => {}
                Err(error) => return Err(error),
            }
        }
        Err(crate::violations::conflict())
    }

    /// Where a sequence stands now. Errors: XX001 where its state cannot be read.
    pub fn sequence_state(self: &Arc<Self>, catalog: &Catalog, id: u32) -> SqlResult<SequenceState> {
        let (sequence, is_published) = self.current_sequence(catalog, id)?;
        let held = self.sequences().of(id);
        let mut held = held.lock();
        self.state_of(&sequence, &mut held, is_published)
    }

    fn state_of(self: &Arc<Self>, sequence: &SequenceDef, held: &mut Held, is_published: bool) -> SqlResult<SequenceState> {
        let rows = self.table_state(sequence.state.id).rows();
        if let Some(state) = held.state
            && (held.rows == rows || !is_published)
        {
            return Ok(state);
        }
        let state = self.read_state(sequence, rows)?;
        *held = Held { state: Some(state), rows };
        Ok(state)
    }

    /// Every row of a sequence's relation ends the one before, so the last one is its state.
    fn read_state(&self, sequence: &SequenceDef, rows: u64) -> SqlResult<SequenceState> {
        let Some(newest) = rows.checked_sub(1) else {
            return Ok(SequenceState { last: sequence.start, is_called: false, reserved: 0 });
        };
        let (columns, at) = self.user_columns(&self.table_state(sequence.state.id), &sequence.state, newest)?;
        let last = columns[0].as_primitive_opt::<Int64Type>().filter(|column| column.is_valid(at));
        let is_called = columns[2].as_boolean_opt();
        match (last, is_called) {
            (Some(last), Some(is_called)) => Ok(SequenceState { last: last.value(at), is_called: is_called.value(at), reserved: 0 }),
            _ => Err(SqlError::new(SqlState::DATA_CORRUPTED, format!("the state of sequence \"{}\" is unreadable", sequence.name()))),
        }
    }

    /// Commits a state. Errors: 40001 where another was committed meanwhile.
    fn write_state(self: &Arc<Self>, sequence: &SequenceDef, held: &mut Held, last: i64, is_called: bool) -> SqlResult<()> {
        let mut transaction = self.begin("shockwave");
        let rows = self.table_state(sequence.state.id).rows();
        let row = state_row(sequence, last, is_called)?;
        match rows.checked_sub(1) {
            None => transaction.insert(&sequence.state, &row)?,
            Some(newest) => transaction.update(&sequence.state, &[RowId(newest)], &row)?,
        }
        transaction.commit_waiting()?;
        held.rows = rows + 1;
        Ok(())
    }
}

fn state_row(sequence: &SequenceDef, last: i64, is_called: bool) -> SqlResult<RecordBatch> {
    let columns: Vec<ArrayRef> =
        vec![Arc::new(Int64Array::from(vec![last])), Arc::new(Int64Array::from(vec![0])), Arc::new(BooleanArray::from(vec![is_called]))];
    RecordBatch::try_new(sequence.state.arrow_schema(), columns).map_err(|error| arrow_failed("write a sequence", &error))
}

impl Transaction {
    /// Writes the first state of every sequence that this transaction made (Q3); called once, when it commits.
    pub(crate) fn begin_sequences(&mut self) -> SqlResult<()> {
        let mut made = Vec::new();
        for (object, _) in &self.defined {
            if let Object::Sequence(sequence) = object
                && self.is_unpublished(sequence.id())
            {
                made.push(Arc::clone(sequence));
            }
        }
        for sequence in made {
            let held = self.ledger.sequences().of(sequence.id());
            let mut held = held.lock();
            let fresh = SequenceState { last: sequence.start, is_called: false, reserved: 0 };
            let state = held.state.unwrap_or(fresh);
            let (last, reserved) = if state.is_called { sequence.reserve(state) } else { (state.last, 0) };
            self.insert(&sequence.state, &state_row(&sequence, last, state.is_called)?)?;
            *held = Held { state: Some(SequenceState { reserved, ..state }), rows: 1 };
        }
        Ok(())
    }
}
