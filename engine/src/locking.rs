//! A transaction's locks: before it writes a row it has the row's lock, and in a block the locks of the unique keys it makes.
//!
//! L1: what a statement may have to wait for it asks for before it writes; where it must wait it ends with an error, and [`Blocked`] is to be
//!     awaited before it is run again.
//! L2: a lock that was waited for on a row that has ended meanwhile only keeps its owner's turn; it is given back when the statement has ended.
//! L3: under READ COMMITTED, who finds a row ended locks its newest version, or waits for it, before the statement is run again: else a slow
//!     statement would never catch a row that others change all the time.
//! L4: locks are a courtesy: the committer checks all the same, and a transaction of more than `LOCKS_MAX` goes on without.
//! Never: waits.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use base::{RelationId, RowId, SqlError, SqlResult, SqlState};

use crate::canonical::OWN_ROW;
use crate::key::{Key, KeyReader};
use crate::ledger::Ledger;
use crate::locks::{Asked, Deadlock, Held, Isolation, LockTable, Place, Strength, TableLock, Wait};
use crate::own_keys::NewKeys;
use crate::schema::TableDef;
use crate::table::TableState;
use crate::transaction::Transaction;
use crate::violations::conflict;
use crate::writes::INLINE_ROWS_MAX;

/// Locks of one transaction; about 100 bytes each.
const LOCKS_MAX: usize = 1 << 20;

/// What a statement has to wait for: a future, ready when the lock is granted. Dropping it gives the wait up.
#[derive(Debug)]
pub struct Blocked(Wait);

impl Blocked {
    /// Waits. The lock that was waited for is in `Granted`.
    pub async fn over(self) -> Granted {
        let row = self.0.row();
        Granted { held: self.0.await, row }
    }
}

/// A lock that was waited for.
#[derive(Debug)]
pub struct Granted {
    held: Held,
    row: Option<(RelationId, RowId)>,
}

/// Who has locked what, for scans that pass locked rows over. Cheap to clone.
#[derive(Clone, Debug)]
pub struct RowLocks {
    ledger: Arc<Ledger>,
    owner: u64,
    strength: Strength,
}

impl RowLocks {
    /// Whether a row of a table could be locked now.
    pub fn is_free(&self, table: &TableDef, row: RowId) -> bool {
        row.0 & OWN_ROW != 0 || !self.ledger.locks().is_busy(self.owner, Place::Row(table.id, row.0), self.strength)
    }

    /// Whether a row could be locked now and has no newer version.
    pub fn is_free_and_newest(&self, table: &TableDef, row: RowId) -> bool {
        // Locks end after the rows that they were for: asked in this order, none slips through between.
        self.is_free(table, row) && (row.0 & OWN_ROW != 0 || matches!(self.ledger.table_state(table.id).ended_by(row.0), Ok(None)))
    }
}

impl Ledger {
    /// Whether another than `owner` keeps rows of a table from being written.
    pub(crate) fn is_table_locked(&self, owner: u64, id: RelationId) -> bool {
        !self.locks().are_tables_open() && self.locks().is_busy(owner, Place::Table(id), Strength::Table(TableLock::RowExclusive))
    }

    /// Whether another than `owner` has locked one of these values of a unique key.
    pub(crate) fn is_key_locked<'k>(&self, owner: u64, id: u32, mut values: impl Iterator<Item = &'k Key>) -> bool {
        values.any(|value| self.locks().is_busy(owner, self.locks().key(id, value), Strength::Update))
    }
}

impl Transaction {
    /// Begins or ends the noting of what is read.
    fn trace_reads(&mut self, is_traced: bool) {
        self.reads = is_traced.then(Arc::default);
    }

    /// How it sees others; to be said before its first statement.
    pub fn set_isolation(&mut self, isolation: Isolation) {
        self.locking.isolation = isolation;
        self.trace_reads(isolation == Isolation::Serializable);
    }

    /// How it sees others.
    pub fn isolation(&self) -> Isolation {
        self.locking.isolation
    }

    /// Says whether it is one statement and its commit: keys it makes need no lock then, since the committer is asked next.
    pub fn set_alone(&mut self, is_alone: bool) {
        self.locking.is_alone = is_alone;
    }

    /// Whether it is one statement and its commit.
    pub fn is_alone(&self) -> bool {
        self.locking.is_alone
    }

    /// Whether it neither waits nor makes others wait from here on, as every transaction does at first; what others did first is then an error
    /// at once or at commit. Whoever says no must be ready to await [`Blocked`].
    ///
    /// Returns how it was before.
    pub fn set_deaf(&mut self, is_deaf: bool) -> bool {
        std::mem::replace(&mut self.locking.is_deaf, is_deaf)
    }

    /// What the statement that just failed has to wait for, if that was why.
    pub fn take_blocked(&mut self) -> Option<Blocked> {
        self.locking.blocked.take().map(Blocked)
    }

    /// Takes over a lock that was waited for; what only keeps a turn comes back, to be dropped when the statement has ended (L2).
    pub fn take_over(&mut self, granted: Granted) -> Option<Held> {
        let Granted { held, row } = granted;
        // Where that cannot be read the statement meets the same error when it runs again.
        let is_ended = |(relation, row): (RelationId, RowId)| matches!(self.ledger.table_state(relation).ended_by(row.0), Ok(Some(_)));
        if row.is_some_and(is_ended) {
            return Some(held);
        }
        self.locking.held.join(held);
        None
    }

    /// Locks rows for itself. Errors: 40001 where a row is not the newest version; 55P03 with `nowait`; else what L1 says.
    pub fn lock_rows(&mut self, table: &TableDef, rows: &[RowId], strength: Strength, nowait: bool) -> SqlResult<()> {
        self.claim_table(table.id, TableLock::RowShare)?;
        let row_locks = self.row_locks(strength);
        let is_refused = nowait && rows.iter().any(|row| !row_locks.is_free(table, *row));
        let outcome = if is_refused { Ok(()) } else { self.claim_rows(table, rows, |_| strength) };
        if is_refused || (nowait && self.take_blocked().is_some()) {
            let message = format!("could not obtain lock on row in relation \"{}\"", table.name);
            return Err(SqlError::new(SqlState::LOCK_NOT_AVAILABLE, message));
        }
        outcome
    }

    /// LOCK TABLE. What others wrote before is decided when it is there. Errors: 55P03 with `nowait`; else what L1 says.
    pub fn lock_table(&mut self, table: &TableDef, mode: TableLock, nowait: bool) -> SqlResult<()> {
        let outcome = self.claim_table(table.id, mode);
        if nowait && self.take_blocked().is_some() {
            let message = format!("could not obtain lock on relation \"{}\"", table.name);
            return Err(SqlError::new(SqlState::LOCK_NOT_AVAILABLE, message));
        }
        self.ledger.let_decide();
        outcome
    }

    /// Locks a table as a writer of its rows does, alone too: for a definition, which no committer looks at, and before data that is read once.
    ///
    /// Errors: what L1 says.
    pub fn enter_table(&mut self, table: &TableDef) -> SqlResult<()> {
        if self.locking.is_deaf || crate::catalog::is_own_table(table.id) || self.is_temporary(table.id) {
            return Ok(());
        }
        let locks = Arc::clone(self.ledger.locks());
        self.claim_places(&locks, &[Place::Table(table.id)], Strength::Table(TableLock::RowExclusive))
    }

    /// Its name among those who lock.
    pub fn lock_owner(&self) -> u64 {
        self.locking.owner
    }

    /// Locks a table as a whole. Alone, it only looks: the committer looks again.
    pub(crate) fn claim_table(&mut self, id: RelationId, mode: TableLock) -> SqlResult<()> {
        if self.locking.is_deaf || crate::catalog::is_own_table(id) || self.is_temporary(id) {
            return Ok(());
        }
        let locks = Arc::clone(self.ledger.locks());
        let (place, strength) = (Place::Table(id), Strength::Table(mode));
        match self.locking.is_alone {
            true if locks.are_tables_open() => Ok(()),
            true if locks.is_busy(self.locking.owner, place, strength) => Err(self.block(&locks, place, strength)),
            true => Ok(()),
            false => self.claim_places(&locks, &[place], strength),
        }
    }

    /// For scans that pass over what others have locked.
    pub fn row_locks(&self, strength: Strength) -> RowLocks {
        RowLocks { ledger: Arc::clone(&self.ledger), owner: self.locking.owner, strength }
    }

    /// Locks committed rows that are to be changed or relied on; they are the newest versions then.
    pub(crate) fn claim_rows(&mut self, table: &TableDef, rows: &[RowId], strength: impl Fn(usize) -> Strength) -> SqlResult<()> {
        let state = self.ledger.table_state(table.id);
        let (locks, owner) = (Arc::clone(self.ledger.locks()), self.locking.owner);
        // Definitions are nobody's to wait for.
        let is_locking = !self.locking.is_deaf && !crate::catalog::is_own_table(table.id);
        let is_first_told = self.locking.isolation != Isolation::ReadCommitted;
        let room = LOCKS_MAX.saturating_sub(self.locking.held.len());
        let (mut grants, mut outcome) = (Vec::new(), Ok(()));
        for (at, RowId(row)) in rows.iter().enumerate().filter(|(_, row)| row.0 & OWN_ROW == 0) {
            let check = || match state.ended_by(*row)? {
                Some(_) => Err(self.ledger.failure().unwrap_or_else(conflict)),
                None => Ok(()),
            };
            if is_first_told {
                outcome = check();
                if outcome.is_err() {
                    break;
                }
            }
            let (place, strength) = (Place::Row(table.id, *row), strength(at));
            let asked = if is_locking && grants.len() < room { locks.ask(owner, place, strength) } else { Asked::Had };
            match asked {
                Asked::Granted => grants.push((place, strength)),
                Asked::Busy => {
                    outcome = Err(self.block(&locks, place, strength));
                    break;
                }
                Asked::Had => {}
            }
            outcome = check();
            if outcome.is_err() {
                if asked == Asked::Granted {
                    // Of an ended row nobody needs the lock.
                    Held::default().add(&locks, owner, grants.pop().into_iter().collect());
                }
                let newest = if is_locking && !is_first_told { self.newest_version(table, &state, *row)? } else { None };
                let place = newest.map(|newest| Place::Row(table.id, newest));
                match place.map(|place| (place, locks.ask(owner, place, strength))) {
                    Some((place, Asked::Busy)) => outcome = Err(self.block(&locks, place, strength)),
                    Some((place, Asked::Granted)) => grants.push((place, strength)),
                    Some((_, Asked::Had)) | None => {}
                }
                break;
            }
        }
        self.locking.held.add(&locks, owner, grants);
        outcome
    }

    /// The version of a row that is there now, as this transaction sees it; `None` where it is gone.
    pub fn current_version(&self, table: &TableDef, row: RowId) -> SqlResult<Option<RowId>> {
        let mut row = row;
        if let Some(writes) = self.writes.get(&table.id) {
            while let Some(next) = writes.own.successor(row)? {
                row = next;
            }
            let is_ended = match row.0 & OWN_ROW {
                0 => writes.own.ended.contains(&row.0),
                _ => writes.own.own_ended.contains(&(row.0 & !OWN_ROW)),
            };
            if is_ended {
                return Ok(None);
            }
        }
        let state = self.ledger.table_state(table.id);
        let seen = self.snapshot.seq.map_or(0, |seq| seq.0);
        if row.0 & OWN_ROW == 0 && state.ended_by(row.0)?.is_some_and(|by| by <= seen) {
            let is_seen = |row: &u64| *row < state.count_at(self.snapshot.seq).rows;
            return Ok(self.newest_version(table, &state, row.0)?.filter(is_seen).map(RowId));
        }
        Ok(Some(row))
    }

    /// The version of an ended row that is there now, by the row's first unique key; `None` where it has none, or was deleted.
    fn newest_version(&self, table: &TableDef, state: &TableState, row: u64) -> SqlResult<Option<u64>> {
        let Some(def) = table.keys().iter().find(|def| def.tells_apart() && def.is_plain(table)) else { return Ok(None) };
        let (columns, offset) = self.ledger.user_columns(state, table, row)?;
        let values: Vec<ArrayRef> = def.positions.iter().map(|at| columns[*at].slice(offset, 1)).collect();
        let key = KeyReader::over_values(table, def, &values)?.key(0);
        let live = |row: u64| Ok(state.ended_by(row)?.is_none().then_some(row));
        key.map_or(Ok(None), |key| self.ledger.keys().find(def, &key, live))
    }

    /// Locks the values of unique keys that new rows make; `old`: the rows they take the place of, pairwise. Alone, it only looks.
    pub(crate) fn claim_keys(&mut self, table: &TableDef, keys: &NewKeys, old: &[RowId]) -> SqlResult<()> {
        let locks = Arc::clone(self.ledger.locks());
        let is_many = keys.iter().any(|(_, values)| values.len() > INLINE_ROWS_MAX);
        if self.locking.is_deaf || is_many || crate::catalog::is_own_table(table.id) || (self.locking.is_alone && locks.is_idle()) {
            return Ok(());
        }
        let owner = self.locking.owner;
        let (mut grants, mut outcome) = (Vec::new(), Ok(()));
        'keys: for (id, values) in keys {
            for (at, key) in values.iter().enumerate() {
                let Some(key) = key else { continue };
                let is_kept = old.get(at).map_or(Ok(false), |old| self.has_key(table, *id, key, *old));
                match is_kept {
                    Ok(false) => {}
                    Ok(true) => continue,
                    Err(error) => {
                        outcome = Err(error);
                        break 'keys;
                    }
                }
                let place = locks.key(*id, key);
                let is_busy = match self.locking.is_alone {
                    true => locks.is_busy(owner, place, Strength::Update),
                    false => match locks.ask(owner, place, Strength::Update) {
                        Asked::Granted => {
                            grants.push((place, Strength::Update));
                            false
                        }
                        Asked::Had => false,
                        Asked::Busy => true,
                    },
                };
                if is_busy {
                    outcome = Err(self.block(&locks, place, Strength::Update));
                    break 'keys;
                }
            }
        }
        let is_new = !grants.is_empty();
        self.locking.held.add(&locks, owner, grants);
        if is_new {
            // Whoever commits alone has looked at the locks before these were there, or will meet them.
            self.ledger.let_decide();
        }
        outcome
    }

    /// Whether a row has this value of a unique key.
    pub(crate) fn has_key(&self, table: &TableDef, id: u32, key: &Key, row: RowId) -> SqlResult<bool> {
        if row.0 & OWN_ROW != 0 {
            let own = self.writes.get(&table.id).map_or(Ok(None), |writes| writes.own.newest(id, key))?;
            return Ok(own == Some(row.0 & !OWN_ROW));
        }
        match table.key(id).filter(|def| def.late.is_some()) {
            Some(def) => Ok(self.ledger.keys().find(def, key, |found| Ok((found == row.0).then_some(())))?.is_some()),
            None => Ok(self.ledger.keys().newest(id, key)? == Some(row.0)),
        }
    }

    /// For new rows whose keys are taken: another may be about to end the row that has one, which is worth the wait.
    pub(crate) fn wait_for_end(&mut self, table: &TableDef, keys: &NewKeys) -> SqlResult<Option<SqlError>> {
        let locks = Arc::clone(self.ledger.locks());
        if self.locking.is_deaf || locks.is_idle() {
            return Ok(None);
        }
        let state = self.ledger.table_state(table.id);
        let taken = keys.iter().flat_map(|(id, values)| values.iter().flatten().map(move |key| (*id, key)));
        let mut ending = None;
        for (id, key) in taken {
            let Some(def) = table.key(id) else { continue };
            let row = self.ledger.keys().find(def, key, |row| Ok(state.ended_by(row)?.is_none().then_some(row)))?;
            let is_busy = |row: &u64| locks.is_busy(self.locking.owner, Place::Row(table.id, *row), Strength::KeyShare);
            ending = row.filter(is_busy);
            if ending.is_some() {
                break;
            }
        }
        Ok(ending.map(|row| self.block(&locks, Place::Row(table.id, row), Strength::KeyShare)))
    }

    /// Locks rows that new rows reference through a key, so that they stay: the rows as they are, and the values of the key, which stay theirs when
    /// another changes the rest of them. Alone, it only looks.
    pub(crate) fn rely_on_rows(&mut self, parent: &TableDef, key: u32, rows: &[(RowId, Key)]) -> SqlResult<()> {
        let locks = Arc::clone(self.ledger.locks());
        if self.locking.is_deaf || rows.len() > INLINE_ROWS_MAX || (self.locking.is_alone && locks.is_idle()) {
            return Ok(());
        }
        let values: Vec<Place> = rows.iter().map(|(_, value)| locks.key(key, value)).collect();
        if !self.locking.is_alone {
            self.claim_places(&locks, &values, Strength::KeyShare)?;
            let ids: Vec<RowId> = rows.iter().map(|(row, _)| *row).collect();
            return self.claim_rows(parent, &ids, |_| Strength::KeyShare);
        }
        let places = rows.iter().map(|(row, _)| Place::Row(parent.id, row.0)).chain(values);
        let mut busy = places.filter(|place| locks.is_busy(self.locking.owner, *place, Strength::KeyShare));
        match busy.next() {
            Some(place) => Err(self.block(&locks, place, Strength::KeyShare)),
            None => Ok(()),
        }
    }

    /// Locks the values of referenced keys that rows `old` give up; `stays`: rows whose keys are kept.
    pub(crate) fn claim_given_up(&mut self, table: &TableDef, old: &RecordBatch, stays: impl Fn(usize) -> bool) -> SqlResult<()> {
        if self.locking.is_deaf || old.num_rows() > INLINE_ROWS_MAX {
            return Ok(());
        }
        let locks = Arc::clone(self.ledger.locks());
        let mut referenced: Vec<u32> = self.catalog().references_to(table.id).map(|(_, reference)| reference.key).collect();
        referenced.sort_unstable();
        referenced.dedup();
        let mut places = Vec::new();
        for def in referenced.iter().filter_map(|id| table.key(*id)) {
            let reader = KeyReader::of_key(self.ledger.options().expressions(), table, def, old, |_| true)?;
            let values = (0..old.num_rows()).filter(|row| !stays(*row)).filter_map(|row| reader.key(row));
            places.extend(values.map(|value| locks.key(def.id, &value)));
        }
        self.claim_places(&locks, &places, Strength::Update)
    }

    fn claim_places(&mut self, locks: &Arc<LockTable>, places: &[Place], strength: Strength) -> SqlResult<()> {
        let (owner, mut grants, mut outcome) = (self.locking.owner, Vec::new(), Ok(()));
        for place in places {
            match locks.ask(owner, *place, strength) {
                Asked::Granted => grants.push((*place, strength)),
                Asked::Had => {}
                Asked::Busy => {
                    outcome = Err(self.block(locks, *place, strength));
                    break;
                }
            }
        }
        self.locking.held.add(locks, owner, grants);
        outcome
    }

    /// Begins to wait; the error that says so, should nobody await it (L1).
    fn block(&mut self, locks: &Arc<LockTable>, place: Place, strength: Strength) -> SqlError {
        match locks.wait_for(self.locking.owner, place, strength) {
            Ok(wait) => {
                self.locking.blocked = Some(wait);
                SqlError::new(SqlState::LOCK_NOT_AVAILABLE, "another transaction has locked what this statement needs")
            }
            Err(Deadlock { blocker }) => {
                let detail = format!(
                    "Transaction {} would wait for transaction {blocker}, which waits for it, directly or through others.",
                    self.locking.owner
                );
                SqlError::new(SqlState::DEADLOCK_DETECTED, "deadlock detected").detail(detail).hint("See server log for query details.")
            }
        }
    }
}
