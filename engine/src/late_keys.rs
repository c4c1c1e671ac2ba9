//! Keys of deferrable constraints: compared when a statement has ended, or at COMMIT.
//!
//! L1: while statements run, and until COMMIT where the constraint is deferred, two visible rows may have one value; so the index of such a key holds all rows, as
//!     that of a key which is not unique does, and no lookup takes the first row for the only one.
//! L2: no commit leaves two rows with one value: what was compared is compared again with what committed since (`unique.rs`).
//! L3: own rows are looked up by value as those of other keys are, until some value came twice; from then on all of them are read.
//! Never: knows what SET CONSTRAINTS said (`deferred.rs`).

use std::sync::Arc;

use base::{RelationId, SqlResult};
use hashbrown::HashSet;

use crate::key::{Key, KeyReader};
use crate::ledger::Ledger;
use crate::schema::{KeyDef, TableDef};
use crate::table::TableState;
use crate::transaction::Transaction;
use crate::violations::duplicate_key;
use crate::writes::{OwnRows, TableWrites};

/// The committed row with this value of a late key that nobody has ended, this transaction included.
pub(crate) fn taken_by(ledger: &Ledger, own: &OwnRows, state: &TableState, def: &KeyDef, key: &Key) -> SqlResult<Option<u64>> {
    let live = |row: u64| Ok((!own.ended.contains(&row) && state.ended_by(row)?.is_none()).then_some(row));
    if let Some(row) = own.unindexed.get(&def.id).and_then(|known| known.get(key)) {
        return live(*row);
    }
    if ledger.keys().contains(def.id) { ledger.keys().find(def, key, live) } else { Ok(None) }
}

/// L2, for keys whose own rows are not looked up by value (L3). Errors: 23505.
pub(crate) fn check_doubtful(ledger: &Ledger, writes: &TableWrites, state: &TableState) -> SqlResult<()> {
    for def in writes.own.doubtful.iter().filter_map(|id| writes.table.key(*id)) {
        if let Some((piece, row, _)) = first_taken(ledger, (&writes.table, def), &writes.own, state, 0)? {
            return Err(duplicate_key(ledger.options().expressions(), &writes.table, def, &writes.own.pieces[piece].batch, row));
        }
    }
    Ok(())
}

/// The first own row, from `first` on, whose value another row has, by piece and place, with its value.
fn first_taken(
    ledger: &Ledger,
    (table, def): (&TableDef, &KeyDef),
    own: &OwnRows,
    state: &TableState,
    first: u64,
) -> SqlResult<Option<(usize, usize, Key)>> {
    let is_doubtful = own.doubtful.contains(&def.id);
    let from = if is_doubtful { 0 } else { first };
    let mut seen = HashSet::new();
    for (at, piece) in own.pieces.iter().enumerate().filter(|(_, piece)| piece.first + piece.batch.num_rows() as u64 > from) {
        let reader = KeyReader::of_stored(ledger.options().expressions(), table, def, &piece.batch)?;
        for row in from.saturating_sub(piece.first) as usize..piece.batch.num_rows() {
            let own_row = piece.first + row as u64;
            let Some(key) = reader.key(row).filter(|_| !own.own_ended.contains(&own_row)) else { continue };
            if own_row >= first && taken_by(ledger, own, state, def, &key)?.is_some() {
                return Ok(Some((at, row, key)));
            }
            if is_doubtful && let Some(key) = seen.replace(key) {
                return Ok(Some((at, row, key)));
            }
        }
    }
    Ok(None)
}

impl Transaction {
    /// Notes that rows are about to be written whose late keys are to be compared when the statement has ended.
    pub(crate) fn owe_keys(&mut self, table: &TableDef) {
        if table.keys().iter().any(|key| key.late.is_some()) {
            let first = self.writes.get(&table.id).map_or(0, |writes| writes.rows);
            self.owed.late.entry(table.id).or_insert(first);
        }
    }

    /// Compares the late keys of what the statement wrote, or puts it off. Errors: 23505.
    pub(crate) fn check_late_keys(&mut self) -> SqlResult<()> {
        for (relation, first) in std::mem::take(&mut self.owed.late) {
            let Some(table) = self.writes.get(&relation).map(|writes| Arc::clone(&writes.table)) else { continue };
            for def in table.keys() {
                match def.late {
                    Some(timing) if self.defers(def.id, timing) => self.defer_key(relation, def.id, first),
                    Some(_) => self.check_late_key(relation, def.id, first)?,
                    None => {}
                }
            }
        }
        Ok(())
    }

    /// Compares own rows from `first` on with each other, with own rows before them and with the newest committed ones. Nothing is demanded by a key that is gone.
    ///
    /// Errors: 23505; 55P03 where another is about to end the row that has the value.
    pub(crate) fn check_late_key(&mut self, relation: RelationId, key: u32, first: u64) -> SqlResult<()> {
        let Some(writes) = self.writes.get(&relation) else { return Ok(()) };
        let (table, own, ledger) = (Arc::clone(&writes.table), Arc::clone(&writes.own), Arc::clone(&self.ledger));
        let Some(def) = table.key(key) else { return Ok(()) };
        let state = ledger.table_state(relation);
        let Some((piece, row, value)) = first_taken(&ledger, (&table, def), &own, &state, first)? else { return Ok(()) };
        let waited = self.wait_for_end(&table, &vec![(key, vec![Some(value)])])?;
        let taken = || duplicate_key(ledger.options().expressions(), &table, def, &own.pieces[piece].batch, row);
        Err(waited.or_else(|| ledger.failure()).unwrap_or_else(taken))
    }
}
