//! Foreign keys that are compared at COMMIT: DEFERRABLE, and deferred from the start or by SET CONSTRAINTS.
//!
//! E1: what is deferred is compared with the rows as the transaction leaves them, before it commits; so no commit leaves a reference to nothing.
//! E2: SET CONSTRAINTS holds for its transaction; making a constraint immediate compares what waits for it at once.
//! Never: defers what a reference brings along (CASCADE and its kin), or RESTRICT.

use std::sync::Arc;

use base::{RelationId, SqlResult};

use crate::references::{Removed, still_referenced};
use crate::rules::Reference;
use crate::schema::TableDef;
use crate::transaction::Transaction;

impl Transaction {
    /// Whether a foreign key is compared at COMMIT only.
    pub fn defers(&self, reference: &Reference) -> bool {
        let said = self.deferred.named.get(&reference.id).copied().or(self.deferred.all);
        reference.deferrable && said.unwrap_or(reference.deferred)
    }

    /// SET CONSTRAINTS: of the foreign keys with these ids, or of all. Errors: 23503 where what waits does not hold (E2).
    pub fn set_constraints(&mut self, ids: Option<&[u32]>, deferred: bool) -> SqlResult<()> {
        match ids {
            None => {
                self.deferred.named.clear();
                self.deferred.all = Some(deferred);
            }
            Some(ids) => self.deferred.named.extend(ids.iter().map(|id| (*id, deferred))),
        }
        if deferred { Ok(()) } else { self.check_where(|transaction, reference| !transaction.defers(reference)) }
    }

    /// Puts the comparison of own rows off.
    pub(crate) fn defer_rows(&mut self, child: RelationId, reference: u32, first: u64) {
        self.deferred.rows.entry(reference).or_insert((child, first));
    }

    /// Puts off the search for rows that reference what was taken away.
    pub fn defer_removed(&mut self, child: &Arc<TableDef>, reference: &Reference, removed: &Removed) {
        self.deferred.removed.push((Arc::clone(child), reference.id, removed.clone()));
    }

    /// Compares what was put off (E1). Errors: 23503.
    pub fn check_deferred(&mut self) -> SqlResult<()> {
        self.check_where(|_, _| true)
    }

    fn check_where(&mut self, is_due: impl Fn(&Self, &Reference) -> bool) -> SqlResult<()> {
        let catalog = self.catalog();
        let find = |child: RelationId, id: u32| {
            let table = catalog.table_by_id(child)?;
            Some((Arc::clone(table), table.rules.references.iter().find(|reference| reference.id == id)?.clone()))
        };
        for (id, (child, first)) in std::mem::take(&mut self.deferred.rows) {
            // A foreign key that is gone demands nothing.
            let Some((table, reference)) = find(child, id) else { continue };
            if is_due(self, &reference) {
                self.check_own_rows(&table, &reference, first)?;
            } else {
                self.deferred.rows.insert(id, (child, first));
            }
        }
        for (child, id, removed) in std::mem::take(&mut self.deferred.removed) {
            let Some((table, reference)) = find(child.id, id) else { continue };
            if !is_due(self, &reference) {
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
