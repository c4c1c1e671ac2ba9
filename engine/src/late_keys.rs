//! Keys of deferrable constraints: compared when a statement has ended, or at COMMIT.
//!
//! L1: while statements run, and until COMMIT where the constraint is deferred, two visible rows may have one value; so the index of such a key holds all rows, as
//!     that of a key which is not unique does, and no lookup takes the first row for the only one.
//! L2: no commit leaves two rows with one value: what was compared is compared again with what committed since (`unique.rs`).
//! L3: own rows are looked up by value as those of other keys are, until some value came twice; from then on all of them are read.
//! Never: knows what SET CONSTRAINTS said (`deferred.rs`).

use std::sync::Arc;

use base::{RelationId, SqlResult};

use crate::schema::TableDef;
use crate::transaction::Transaction;
use crate::unique;
use crate::violations::duplicate_key;

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
        let Some((piece, row, value)) = unique::first_taken(&ledger, (&table, def), &own, &state, first)? else { return Ok(()) };
        let waited = self.wait_for_end(&table, &vec![(key, vec![Some(value)])])?;
        let taken = || duplicate_key(ledger.options().expressions(), &table, def, &own.pieces[piece].batch, row);
        Err(waited.or_else(|| ledger.failure()).unwrap_or_else(taken))
    }
}
