//! What a SERIALIZABLE transaction read, checked when it commits: had it run at that moment, it would have read the same.
//!
//! R1: a value of a key leaves a trace whether or not a row had it; so does a range, and a table that was scanned as a whole.
//! R2: what cannot be kept or compared precisely counts as the whole table: a conflict too many is retried, one too few is a wrong answer.
//! R3: a transaction that wrote nothing needs no check: it read one moment.
//! Never: waits; sees a transaction's own writes.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, make_comparator};
use arrow::compute::SortOptions;
use arrow::datatypes::DataType;
use base::{CommitSeq, RelationId, SqlError, SqlResult, SqlState};
use hashbrown::HashSet;
use parking_lot::Mutex;

use crate::key::Key;
use crate::ledger::Ledger;
use crate::schema::TableDef;
use crate::table::TableState;

/// Values of keys kept for one table.
const KEYS_MAX: usize = 65_536;
/// Ranges kept for one table.
const RANGES_MAX: usize = 64;
/// Rows that are compared with ranges when a transaction commits.
const COMPARED_ROWS_MAX: u64 = 4_096;
/// Rows ended in all among which the newly ended ones are looked for.
const ENDED_ROWS_MAX: u64 = 65_536;

/// `column op value`; a row that a bound excludes was not read.
#[derive(Clone, Debug)]
pub struct ReadBound {
    /// Position among the table's columns.
    pub column: usize,
    /// Which orders of the column's value to `value` are within.
    pub is_within: fn(Ordering) -> bool,
    /// One row, typed as the column, not NULL.
    pub value: ArrayRef,
}

/// What was read, by table.
#[derive(Debug, Default)]
pub(crate) struct ReadSet {
    tables: Mutex<BTreeMap<RelationId, TableReads>>,
}

#[derive(Debug)]
struct TableReads {
    table: Arc<TableDef>,
    is_whole: bool,
    keys: HashSet<(u32, Key)>,
    ranges: Vec<Vec<ReadBound>>,
}

impl ReadSet {
    fn note(&self, table: &Arc<TableDef>, note: impl FnOnce(&mut TableReads)) {
        let mut tables = self.tables.lock();
        let fresh = || TableReads { table: Arc::clone(table), is_whole: false, keys: HashSet::new(), ranges: Vec::new() };
        let reads = tables.entry(table.id).or_insert_with(fresh);
        if reads.table.version != table.version {
            // Another definition came between: places of columns may differ.
            reads.is_whole = true;
        }
        if !reads.is_whole {
            note(reads);
        }
        if reads.is_whole || reads.keys.len() > KEYS_MAX || reads.ranges.len() > RANGES_MAX {
            (reads.is_whole, reads.keys, reads.ranges) = (true, HashSet::new(), Vec::new());
        }
    }

    pub(crate) fn note_key(&self, table: &Arc<TableDef>, id: u32, key: &Key) {
        self.note(table, |reads| {
            reads.keys.insert((id, key.clone()));
        });
    }

    /// No bounds: the whole table.
    pub(crate) fn note_range(&self, table: &Arc<TableDef>, bounds: Vec<ReadBound>) {
        self.note(table, |reads| match bounds.is_empty() {
            true => reads.is_whole = true,
            false => reads.ranges.push(bounds),
        });
    }

    /// By the committer: nothing that committed after `seen` changes what was read. Errors: 40001.
    pub(crate) fn check(&self, ledger: &Ledger, seen: Option<CommitSeq>) -> SqlResult<()> {
        let tables = self.tables.lock();
        for reads in tables.values() {
            let state = ledger.table_state(reads.table.id);
            let then = state.count_at(seen);
            if (state.rows(), state.ended_rows()) == (then.rows, then.ended) {
                continue;
            }
            let since = Since { ledger, state: &state, rows: then.rows, ended: then.ended, seq: seen.map_or(0, |seq| seq.0) };
            let mut touched = reads.is_whole;
            for (id, key) in &reads.keys {
                touched = touched || since.touches_key(&reads.table, *id, key)?;
            }
            if touched || since.touches(reads)? {
                return Err(stale());
            }
        }
        Ok(())
    }
}

/// What was committed to a table after a snapshot.
struct Since<'a> {
    ledger: &'a Ledger,
    state: &'a TableState,
    rows: u64,
    ended: u64,
    seq: u64,
}

impl Since<'_> {
    fn is_later(&self, row: u64) -> SqlResult<bool> {
        Ok(row >= self.rows || self.state.ended_by(row)?.is_some_and(|by| by > self.seq))
    }

    fn touches_key(&self, table: &TableDef, id: u32, key: &Key) -> SqlResult<bool> {
        let keys = self.ledger.keys();
        let Some(def) = table.key(id).filter(|_| keys.contains(id)) else { return Ok(true) };
        // The newest row with a value of a unique key, all that is found of it, is the only one that can be live (U1 of `unique.rs`).
        let later = keys.find(def, key, |row| Ok(self.is_later(row)?.then_some(())))?;
        Ok(later.is_some())
    }

    /// Whether a row that came or went lies within a range (R2).
    fn touches(&self, reads: &TableReads) -> SqlResult<bool> {
        if reads.ranges.is_empty() {
            return Ok(false);
        }
        let came = self.state.rows() - self.rows;
        if came + self.state.ended_rows().saturating_sub(self.ended) > COMPARED_ROWS_MAX || self.state.ended_rows() > ENDED_ROWS_MAX {
            return Ok(true);
        }
        let went = self.state.ended().after(self.seq)?.into_iter().filter(|row| *row < self.rows);
        for row in (self.rows..self.state.rows()).chain(went) {
            let (columns, at) = self.ledger.user_columns(self.state, &reads.table, row)?;
            if reads.ranges.iter().any(|range| range.iter().all(|bound| bound.may_hold(&columns, at))) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl ReadBound {
    fn may_hold(&self, columns: &[ArrayRef], row: usize) -> bool {
        let Some(column) = columns.get(self.column) else { return true };
        if column.is_null(row) {
            return false;
        }
        // NaN and the two zeros, numbers with their display scale and the parts of an interval are ordered otherwise here than in SQL.
        if matches!(column.data_type(), DataType::Float32 | DataType::Float64 | DataType::Struct(_) | DataType::Interval(_)) {
            return true;
        }
        match make_comparator(column, &self.value, SortOptions::default()) {
            Ok(compare) => (self.is_within)(compare(row, 0)),
            Err(_) => true,
        }
    }
}

fn stale() -> SqlError {
    SqlError::new(SqlState::SERIALIZATION_FAILURE, "could not serialize access due to read/write dependencies among transactions")
        .detail("What this transaction read has been changed by one that committed meanwhile.")
        .hint("The transaction might succeed if retried.")
}
