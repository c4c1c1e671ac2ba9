//! Foreign keys while a transaction runs: its rows are compared with the tables they reference, and what it took away with those that reference
//! it.
//!
//! F4: a commit that is being placed ends rows before those in their place are found; so a row counts as missing only if it is while nobody places.
//! Never: writes a row; what follows from a change is told to the caller.

use std::sync::Arc;

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::Int64Type;
use base::{RowId, SqlError, SqlResult};
use hashbrown::HashSet;

use crate::canonical::OWN_ROW;
use crate::key::{Key, KeyReader};
use crate::ledger::Ledger;
use crate::references::{Removed, check_full, missing_parent, own_key, referenced_key};
use crate::rules::Reference;
use crate::schema::{KeyDef, TableDef};
use crate::table::TableState;
use crate::transaction::Transaction;
use crate::view::TableView;
use crate::violations::conflict;
use crate::writes::OwnRows;

/// Committed rows with a value of a key that this transaction makes, which has no index yet. Errors: XX001.
fn unindexed_rows(view: &TableView, def: &KeyDef, key: &Key) -> SqlResult<Vec<u64>> {
    let table = view.table();
    let all: Vec<usize> = (0..table.columns.len()).collect();
    let mut found = Vec::new();
    for chunk in view.scan(&all, true) {
        let batch = chunk.read()?;
        let ids = batch.column(all.len()).as_primitive::<Int64Type>();
        let reader = KeyReader::of_key(view.ledger().options().expressions(), table, def, &batch, |_| true)?;
        let rows = (0..batch.num_rows()).filter(|row| reader.key(*row).as_ref() == Some(key));
        found.extend(rows.map(|row| ids.value(row).cast_unsigned()).filter(|id| id & OWN_ROW == 0));
    }
    Ok(found)
}

/// The referenced columns, which a definition lists in the order of the referenced key.
fn referenced_reader(ledger: &Ledger, parent: &TableDef, reference: &Reference, rows: &RecordBatch) -> SqlResult<KeyReader> {
    KeyReader::of_key(ledger.options().expressions(), parent, referenced_key(parent, reference)?, rows, |_| true)
}

impl Transaction {
    /// Compares late keys of what the statement wrote, and what it wrote with the tables that it references (F3). Called once when the statement, and what
    /// followed from it, has ended. Errors: 23503, 23505.
    pub fn check_references(&mut self) -> SqlResult<()> {
        self.check_late_keys()?;
        for (relation, first) in std::mem::take(&mut self.owed.fresh) {
            let Some(writes) = self.writes.get(&relation) else { continue };
            let table = Arc::clone(&writes.table);
            for reference in &table.rules.references {
                if self.defers(reference.id, reference.timing) {
                    self.defer_rows(relation, reference.id, first);
                } else {
                    self.check_own_rows(&table, reference, first)?;
                }
            }
        }
        Ok(())
    }

    /// Compares own rows, from this one on, that are still there. Errors: 23503.
    pub(crate) fn check_own_rows(&mut self, table: &Arc<TableDef>, reference: &Reference, first: u64) -> SqlResult<()> {
        let Some(own) = self.writes.get(&table.id).map(|writes| Arc::clone(&writes.own)) else { return Ok(()) };
        for piece in own.pieces.iter().filter(|piece| piece.first + piece.batch.num_rows() as u64 > first) {
            let skip = first.saturating_sub(piece.first) as usize;
            let is_live = |row: usize| row >= skip && !own.own_ended.contains(&(piece.first + row as u64));
            self.check_rows(table, reference, &piece.batch, is_live)?;
        }
        Ok(())
    }

    /// Compares rows with the table that they reference. Errors: 23503.
    fn check_rows(
        &mut self,
        child: &TableDef,
        reference: &Reference,
        rows: &RecordBatch,
        is_live: impl Fn(usize) -> bool,
    ) -> SqlResult<()> {
        let parent = self.referenced_table(reference)?;
        let state = self.ledger.table_state(parent.id);
        self.owed.asked.entry(parent.id).or_insert_with(|| state.ended_rows());
        let own = self.writes.get(&parent.id).map(|writes| Arc::clone(&writes.own));
        let (mut known, mut relied) = (HashSet::new(), Vec::new());
        let values = KeyReader::of_key(self.ledger.options().expressions(), child, own_key(child, reference)?, rows, |_| true)?;
        for row in (0..rows.num_rows()).filter(|row| is_live(*row)) {
            let Some(key) = values.key(row) else {
                if reference.full {
                    check_full(child, reference, rows, row)?;
                }
                continue;
            };
            if known.contains(&key) {
                continue;
            }
            let own_newest = own.as_ref().map_or(Ok(None), |own| own.newest(reference.key, &key))?;
            let is_own = own_newest.is_some_and(|row| own.as_ref().is_some_and(|own| !own.own_ended.contains(&row)));
            let committed = match is_own {
                true => None,
                false => self.live_for_good(own.as_deref(), &state, reference.key, &key)?,
            };
            if !is_own && committed.is_none() {
                return Err(missing_parent(child, &parent, reference, rows, row));
            }
            if own_newest.is_none() {
                relied.extend(committed.map(|row| (RowId(row), key.clone())));
            }
            known.insert(key);
        }
        self.rely_on_rows(&parent, reference.key, &relied)
    }

    /// The committed row that has a value of a key and is not ended, by the transaction either; looked for once more while nobody decides (F4).
    fn live_for_good(&self, own: Option<&OwnRows>, state: &TableState, key: u32, value: &Key) -> SqlResult<Option<u64>> {
        let look = || -> SqlResult<Option<u64>> {
            let newest = OwnRows::newest_committed(own, self.ledger.keys(), key, value)?;
            match newest.filter(|row| own.is_none_or(|own| !own.ended.contains(row))) {
                Some(row) if state.ended_by(row)?.is_none() => Ok(Some(row)),
                _ => Ok(None),
            }
        };
        if let Some(row) = look()? {
            return Ok(Some(row));
        }
        let _nobody_decides = self.ledger.turn().wait();
        look()
    }

    /// Compares all rows of a table with what a foreign key of it references: for one that is being added. Errors: 23503.
    pub fn check_all_references(&mut self, child: &Arc<TableDef>, reference: &Reference) -> SqlResult<()> {
        self.rely_on(child.id);
        self.rely_on(reference.table);
        let all: Vec<usize> = (0..child.columns.len()).collect();
        // What it relied on is compared at commit: a definition waits for nobody.
        let was_deaf = self.set_deaf(true);
        let chunks = self.view(child).scan(&all, false);
        let checked = chunks.iter().try_for_each(|chunk| self.check_rows(child, reference, &chunk.read()?, |_| true));
        self.set_deaf(was_deaf);
        checked
    }

    fn referenced_table(&self, reference: &Reference) -> SqlResult<Arc<TableDef>> {
        let table = self.catalog().table_by_id(reference.table).cloned();
        table.ok_or_else(|| SqlError::internal(format!("the table that \"{}\" references is gone", reference.name)))
    }

    /// What was taken away from under references since this was last asked.
    pub fn take_removed(&mut self) -> Vec<Removed> {
        std::mem::take(&mut self.owed.removed)
    }

    /// For rows taken away: the rows that still reference them through this foreign key, each with the position in `removed` of what it
    /// references. Empty where the values are there again. `child` is the foreign key's table.
    ///
    /// Errors: 40001 where a referencing row is not in the snapshot.
    pub fn referencing(&mut self, child: &Arc<TableDef>, reference: &Reference, removed: &Removed) -> SqlResult<Vec<(RowId, usize)>> {
        let (old, parent) = (&removed.old, &removed.table);
        let values = referenced_reader(&self.ledger, parent, reference, old)?;
        let new = removed.new.as_ref().map(|new| referenced_reader(&self.ledger, parent, reference, new)).transpose()?;
        let state = self.ledger.table_state(child.id);
        self.owed.searched.entry(reference.id).or_insert_with(|| state.rows());
        let def = own_key(child, reference)?;
        let view = self.view(child);
        let visible = state.count_at(self.snapshot.seq).rows;
        let own = self.writes.get(&child.id).map(|writes| Arc::clone(&writes.own));
        let mut found = Vec::new();
        for row in 0..old.num_rows() {
            let Some(key) = values.key(row) else { continue };
            if new.as_ref().is_some_and(|new| new.key(row).as_ref() == Some(&key)) {
                continue;
            }
            self.owed.gone.entry(reference.id).or_default().insert(key.clone());
            let mut committed = Vec::new();
            if self.ledger.keys().contains(def.id) {
                self.ledger.keys().find(def, &key, |row| -> SqlResult<Option<()>> {
                    committed.push(row);
                    Ok(None)
                })?;
            } else {
                committed = unindexed_rows(&view, def, &key)?;
            }
            for row_id in committed {
                if own.as_ref().is_some_and(|own| own.ended.contains(&row_id)) || state.ended_by(row_id)?.is_some() {
                    continue;
                }
                if row_id >= visible {
                    return Err(self.ledger.failure().unwrap_or_else(conflict));
                }
                found.push((RowId(row_id), row));
            }
            if let Some(own) = &own {
                found.extend(
                    own.rows_with(self.ledger.options().expressions(), view.table(), def, &key)?.into_iter().map(|own_row| (own_row, row)),
                );
            }
        }
        Ok(found)
    }

    /// Whether a value that was taken away is there again: another row has it now.
    pub fn is_there_again(&self, reference: &Reference, removed: &Removed, row: usize) -> SqlResult<bool> {
        let parent = self.referenced_table(reference)?;
        let def = referenced_key(&parent, reference)?;
        let reader = KeyReader::of_key(self.ledger.options().expressions(), &removed.table, def, &removed.old, |_| true)?;
        let Some(key) = reader.key(row) else { return Ok(false) };
        let own = self.writes.get(&parent.id).map(|writes| &writes.own);
        if own.map_or(Ok(None), |own| own.live(def.id, &key))?.is_some() {
            return Ok(true);
        }
        let state = self.ledger.table_state(parent.id);
        Ok(self.live_for_good(own.map(|own| &**own), &state, def.id, &key)?.is_some())
    }
}
