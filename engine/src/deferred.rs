//! Constraints that are compared at COMMIT: keys and foreign keys that are DEFERRABLE, and deferred from the start or by SET CONSTRAINTS.
//!
//! E1: what is deferred is compared with the rows as the transaction leaves them, before it commits; so no commit leaves a reference to nothing, or a value twice.
//! E2: SET CONSTRAINTS holds for its transaction; making a constraint immediate compares what waits for it at once.
//! Never: defers what a reference brings along (CASCADE and its kin), or RESTRICT.

use std::sync::Arc;

use base::{RelationId, SqlResult};

use crate::references::{Removed, still_referenced};
use crate::rules::{Reference, Timing};
use crate::schema::TableDef;
use crate::transaction::Transaction;

impl Transaction {
    /// Whether the key or foreign key with this id is compared at COMMIT only.
    pub fn defers(&self, id: u32, timing: Timing) -> bool {
        let said = self.deferred.named.get(&id).copied().or(self.deferred.all);
        timing.deferrable && said.unwrap_or(timing.deferred)
    }

    /// SET CONSTRAINTS: of the keys and foreign keys with these ids, or of all. Errors: 23503, 23505 where what waits does not hold (E2).
    pub fn set_constraints(&mut self, ids: Option<&[u32]>, deferred: bool) -> SqlResult<()> {
        match ids {
            None => {
                self.deferred.named.clear();
                self.deferred.all = Some(deferred);
            }
            Some(ids) => self.deferred.named.extend(ids.iter().map(|id| (*id, deferred))),
        }
        if deferred { Ok(()) } else { self.check_where(|transaction, id, timing| !transaction.defers(id, timing)) }
    }

    /// Puts the comparison of own rows off.
    pub(crate) fn defer_rows(&mut self, child: RelationId, reference: u32, first: u64) {
        self.deferred.rows.entry(reference).or_insert((child, first));
    }

    /// Puts the comparison of own rows off, from `first` on, by a late key.
    pub(crate) fn defer_key(&mut self, relation: RelationId, key: u32, first: u64) {
        self.deferred.keys.entry(key).or_insert((relation, first));
    }

    /// Puts off the search for rows that reference what was taken away.
    pub fn defer_removed(&mut self, child: &Arc<TableDef>, reference: &Reference, removed: &Removed) {
        self.deferred.removed.push((Arc::clone(child), reference.id, removed.clone()));
    }

    /// Compares what was put off (E1). After an error it can be asked again. Errors: 23503, 23505; 55P03 where it has to wait for another.
    pub fn check_deferred(&mut self) -> SqlResult<()> {
        self.check_where(|_, _, _| true)
    }

    fn check_where(&mut self, is_due: impl Fn(&Self, u32, Timing) -> bool) -> SqlResult<()> {
        // What changes definitions may have written rows, too.
        self.check_late_keys()?;
        if self.deferred.is_empty() {
            return Ok(());
        }
        let before = self.deferred.clone();
        let checked = self.check_keys_where(&is_due).and_then(|()| self.check_references_where(&is_due));
        if checked.is_err() {
            self.deferred = before;
        }
        checked
    }

    fn check_keys_where(&mut self, is_due: impl Fn(&Self, u32, Timing) -> bool) -> SqlResult<()> {
        for (id, (relation, first)) in std::mem::take(&mut self.deferred.keys) {
            let late = self.writes.get(&relation).and_then(|writes| writes.table.key(id)?.late);
            // A key that is gone demands nothing.
            let Some(timing) = late else { continue };
            if is_due(self, id, timing) {
                self.check_late_key(relation, id, first)?;
            } else {
                self.deferred.keys.insert(id, (relation, first));
            }
        }
        Ok(())
    }

    fn check_references_where(&mut self, is_due: impl Fn(&Self, u32, Timing) -> bool) -> SqlResult<()> {
        let catalog = self.catalog();
        let find = |child: RelationId, id: u32| {
            let table = catalog.table_by_id(child)?;
            Some((Arc::clone(table), table.rules.references.iter().find(|reference| reference.id == id)?.clone()))
        };
        for (id, (child, first)) in std::mem::take(&mut self.deferred.rows) {
            // A foreign key that is gone demands nothing.
            let Some((table, reference)) = find(child, id) else { continue };
            if is_due(self, reference.id, reference.timing) {
                self.check_own_rows(&table, &reference, first)?;
            } else {
                self.deferred.rows.insert(id, (child, first));
            }
        }
        for (child, id, removed) in std::mem::take(&mut self.deferred.removed) {
            let Some((table, reference)) = find(child.id, id) else { continue };
            if !is_due(self, reference.id, reference.timing) {
                self.deferred.removed.push((child, id, removed));
                continue;
            }
            for (_, at) in self.referencing(&table, &reference, &removed)? {
                if !self.is_there_again(&reference, &removed, at)? {
                    return Err(still_referenced(&table, &reference, &removed, at));
                }
            }
        }
        Ok(())
    }
}
