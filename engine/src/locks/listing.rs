//! Who has locked which tables, and who waits for whom: what an operator asks.
//!
//! Never: takes a lock, or waits for one.

use base::RelationId;

use super::{LockTable, Place, Strength, TableLock};
use crate::ledger::Ledger;

/// A table's lock that a transaction has or waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TableLockSeen {
    /// The table.
    pub table: RelationId,
    /// The transaction, as [`crate::Transaction::lock_owner`] names it.
    pub owner: u64,
    /// How strong.
    pub mode: TableLock,
    /// It has it; it waits for it otherwise.
    pub is_granted: bool,
}

/// Whom a transaction waits for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Waiting {
    /// The table whose lock it waits for; `None` where it is that of a row or key.
    pub table: Option<RelationId>,
    /// Those who have what it waits for, or asked before.
    pub blockers: Vec<u64>,
}

impl LockTable {
    /// In the order of tables and owners, what is had before what is waited for.
    fn tables(&self) -> Vec<TableLockSeen> {
        let mut seen = Vec::new();
        for shard in &self.shards {
            for (place, entry) in shard.lock().iter() {
                let Place::Table(table) = *place else { continue };
                let one = |owner: u64, strength: Strength, is_granted: bool| match strength {
                    Strength::Table(mode) => Some(TableLockSeen { table, owner, mode, is_granted }),
                    _ => None,
                };
                seen.extend(entry.grants.iter().filter_map(|grant| one(grant.owner, grant.strength, true)));
                seen.extend(entry.queue.iter().filter_map(|waiter| one(waiter.owner, waiter.strength, false)));
            }
        }
        seen.sort_by_key(|lock| (lock.table.0, !lock.is_granted, lock.owner, lock.mode));
        // What was waited for may be had twice (`LockTable::wait_for`).
        seen.dedup();
        seen
    }

    fn waiting(&self, owner: u64) -> Option<Waiting> {
        let (place, strength) = self.waits.lock().get(&owner).copied()?;
        let shard = self.shard(place).lock();
        let mut blockers = shard.get(&place).map_or_else(Vec::new, |entry| entry.blockers(owner, strength, None));
        blockers.sort_unstable();
        blockers.dedup();
        let table = if let Place::Table(table) = place { Some(table) } else { None };
        (!blockers.is_empty()).then_some(Waiting { table, blockers })
    }
}

impl Ledger {
    /// Locks of tables that transactions have or wait for.
    pub fn table_locks(&self) -> Vec<TableLockSeen> {
        self.locks().tables()
    }

    /// Whom a transaction waits for, if it does.
    pub fn waiting(&self, owner: u64) -> Option<Waiting> {
        self.locks().waiting(owner)
    }
}
