//! Locks in memory: which open transaction may change a row, or relies on it, and who comes next.
//!
//! W1: two grants at one place never conflict unless one transaction has both.
//! W2: who has to wait is served in the order of asking; an owner that strengthens what it has goes before those who have nothing there, unless
//!     one of them would then wait for what waits for him.
//! W3: nobody begins to wait for one who waits, directly or through others, for him, or would when he stands in the queue; so every wait ends.
//! W4: a grant ends with the last list that has it: the transaction's own and those of its savepoints (`held.rs`).
//! Never: decides what commits (the committer does, by the ledger alone); blocks a thread; knows a row's content.

mod held;
mod listing;
mod modes;
mod side;
mod wait;

use std::collections::VecDeque;
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::task::Waker;

use base::RelationId;
use hashbrown::{DefaultHashBuilder, HashMap, HashSet};
use parking_lot::Mutex;

use crate::key::Key;
pub use held::Held;
pub use listing::{TableLockSeen, Waiting};
pub use modes::{Strength, TableLock};
pub use side::Isolation;
pub(crate) use side::Locking;
pub(crate) use wait::Deadlock;
pub use wait::Wait;
use wait::Waiter;

/// Independent parts of the table; a power of two.
const SHARDS: usize = 64;

/// What can be locked. Values of keys are told apart by hash: two that share one wait for each other without need, and no more.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Place {
    /// A committed row version.
    Row(RelationId, u64),
    /// A value of a unique key that is being made.
    Key(u32, u64),
    /// A table as a whole.
    Table(RelationId),
}

/// What came of asking for a lock.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Asked {
    /// The owner has as much there already.
    Had,
    Granted,
    /// Others have what conflicts, or asked before.
    Busy,
}

/// Where in a queue one who asks would stand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Turn {
    First,
    Last,
}

#[derive(Clone, Copy, Debug)]
struct Grant {
    owner: u64,
    strength: Strength,
}

#[derive(Default, Debug)]
struct Entry {
    grants: Vec<Grant>,
    queue: VecDeque<Arc<Waiter>>,
}

impl Entry {
    fn is_kept_from(&self, owner: u64, strength: Strength) -> bool {
        self.grants.iter().any(|grant| grant.owner != owner && grant.strength.conflicts(strength))
    }

    fn has(&self, owner: u64) -> bool {
        self.grants.iter().any(|grant| grant.owner == owner)
    }

    fn ask(&mut self, owner: u64, strength: Strength) -> Asked {
        if self.grants.iter().any(|grant| grant.owner == owner && grant.strength.covers(strength)) {
            return Asked::Had;
        }
        let is_passing = !self.has(owner) && self.queue.iter().any(|waiter| waiter.strength.conflicts(strength));
        if is_passing || self.is_kept_from(owner, strength) {
            return Asked::Busy;
        }
        self.grants.push(Grant { owner, strength });
        Asked::Granted
    }

    /// The turn of an owner that asks (W2).
    fn turn(&self, owner: u64) -> Turn {
        if self.has(owner) { Turn::First } else { Turn::Last }
    }

    /// Whom an owner waits for, or would if it asked now and got that turn.
    fn blockers(&self, owner: u64, strength: Strength, asking: Option<Turn>) -> Vec<u64> {
        let before = match (self.queue.iter().position(|waiter| waiter.owner == owner), asking) {
            (Some(place), _) => place,
            (None, None) => return Vec::new(),
            (None, Some(Turn::First)) => 0,
            (None, Some(Turn::Last)) => self.queue.len(),
        };
        let ahead = self.queue.iter().take(before).map(|waiter| Grant { owner: waiter.owner, strength: waiter.strength });
        let all = self.grants.iter().copied().chain(ahead);
        all.filter(|other| other.owner != owner && other.strength.conflicts(strength)).map(|other| other.owner).collect()
    }

    /// Grants what can be granted now, in order (W2); wakes whom it granted. Whoever conflicts neither with a grant nor with a waiter ahead waits for
    /// nobody, as [`Entry::blockers`] has it: left in the queue behind one who waits on, it could close a circle that nobody sees.
    fn serve(&mut self, woken: &mut Vec<Waker>) {
        let mut at = 0;
        while let Some(waiter) = self.queue.get(at) {
            let (owner, strength) = (waiter.owner, waiter.strength);
            let is_behind = self.queue.iter().take(at).any(|ahead| ahead.strength.conflicts(strength));
            if is_behind || self.is_kept_from(owner, strength) {
                at += 1;
            } else if let Some(waiter) = self.queue.remove(at) {
                self.grants.push(Grant { owner, strength });
                woken.extend(waiter.grant());
            }
        }
    }
}

/// The locks of one ledger.
#[derive(Debug)]
pub(crate) struct LockTable {
    shards: Box<[Mutex<HashMap<Place, Entry>>]>,
    hasher: DefaultHashBuilder,
    /// Grants and waiters of rows and keys; while there are none nobody needs to look.
    count: AtomicUsize,
    /// Those of tables that keep writers out, likewise.
    closing: AtomicUsize,
    /// What each waiting owner waits for; whoever begins to wait holds it (W3).
    waits: Mutex<HashMap<u64, (Place, Strength)>>,
    next_owner: AtomicU64,
}

impl Default for LockTable {
    fn default() -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            hasher: DefaultHashBuilder::default(),
            count: AtomicUsize::new(0),
            closing: AtomicUsize::new(0),
            waits: Mutex::default(),
            next_owner: AtomicU64::new(1),
        }
    }
}

impl LockTable {
    /// A name for a transaction that may lock.
    pub(crate) fn new_owner(&self) -> u64 {
        self.next_owner.fetch_add(1, Ordering::Relaxed)
    }

    /// The place of a key's value.
    pub(crate) fn key(&self, id: u32, value: &Key) -> Place {
        // The hash is one of this process: places are never stored.
        let mut hasher = std::hash::DefaultHasher::new();
        value.hash(&mut hasher);
        Place::Key(id, hasher.finish())
    }

    /// Whether nobody has locked anything. Ordered with [`LockTable::ask`] of others, see `Ledger::deciding`.
    pub(crate) fn is_idle(&self) -> bool {
        self.count.load(Ordering::SeqCst) == 0
    }

    /// Whether nobody keeps writers out of a table; ordered likewise.
    pub(crate) fn are_tables_open(&self) -> bool {
        self.closing.load(Ordering::SeqCst) == 0
    }

    /// A grant or a waiter more, or one less.
    fn note(&self, strength: Strength, more: bool) {
        let count = match strength {
            Strength::Table(_) if !strength.conflicts(Strength::Table(TableLock::RowExclusive)) => return,
            Strength::Table(_) => &self.closing,
            _ => &self.count,
        };
        if more {
            count.fetch_add(1, Ordering::SeqCst);
        } else {
            count.fetch_sub(1, Ordering::SeqCst);
        }
    }

    fn shard(&self, place: Place) -> &Mutex<HashMap<Place, Entry>> {
        use std::hash::BuildHasher;
        &self.shards[self.hasher.hash_one(place) as usize & (SHARDS - 1)]
    }

    /// Takes a lock if it can be had at once.
    pub(crate) fn ask(&self, owner: u64, place: Place, strength: Strength) -> Asked {
        let asked = self.shard(place).lock().entry(place).or_default().ask(owner, strength);
        if asked == Asked::Granted {
            self.note(strength, true);
        }
        asked
    }

    /// Whether another has, or is the next to have, what conflicts.
    pub(crate) fn is_busy(&self, owner: u64, place: Place, strength: Strength) -> bool {
        let shard = self.shard(place).lock();
        shard.get(&place).is_some_and(|entry| !entry.blockers(owner, strength, Some(entry.turn(owner))).is_empty())
    }

    /// Queues for a lock. Errors: where that would close a circle of waiters (W3).
    pub(crate) fn wait_for(self: &Arc<Self>, owner: u64, place: Place, strength: Strength) -> Result<Wait, Deadlock> {
        let mut waits = self.waits.lock();
        let mut turn = self.shard(place).lock().get(&place).map_or(Turn::Last, |entry| entry.turn(owner));
        if turn == Turn::First && self.circle(&waits, owner, place, strength, turn).is_some() {
            turn = Turn::Last;
        }
        if let Some(blocker) = self.circle(&waits, owner, place, strength, turn) {
            return Err(Deadlock { blocker });
        }
        let waiter = Arc::new(Waiter::new(owner, strength));
        {
            let mut shard = self.shard(place).lock();
            let entry = shard.entry(place).or_default();
            match entry.ask(owner, strength) {
                Asked::Busy if turn == Turn::First => entry.queue.push_front(Arc::clone(&waiter)),
                Asked::Busy => entry.queue.push_back(Arc::clone(&waiter)),
                // It has become free meanwhile. What the owner had already it now has twice, and gives back twice.
                had => {
                    if had == Asked::Had {
                        entry.grants.push(Grant { owner, strength });
                    }
                    drop(waiter.grant());
                }
            }
        }
        self.note(strength, true);
        waits.insert(owner, (place, strength));
        Ok(Wait::new(Arc::clone(self), place, waiter))
    }

    /// The owner through whom a circle would close. Others may take locks meanwhile; none of them waits before the caller has begun to.
    fn circle(&self, waits: &HashMap<u64, (Place, Strength)>, owner: u64, place: Place, strength: Strength, turn: Turn) -> Option<u64> {
        let blockers = |owner, place, strength, asking| {
            let shard = self.shard(place).lock();
            shard.get(&place).map_or_else(Vec::new, |entry| entry.blockers(owner, strength, asking))
        };
        let mut seen = HashSet::new();
        let mut next = blockers(owner, place, strength, Some(turn));
        while let Some(other) = next.pop() {
            let Some((at, wanted)) = waits.get(&other).filter(|_| seen.insert(other)) else { continue };
            let further = blockers(other, *at, *wanted, None);
            // Whoever stands in this queue would stand behind one who goes first.
            let falls_behind = turn == Turn::First && *at == place && wanted.conflicts(strength) && !further.is_empty();
            if falls_behind || further.contains(&owner) {
                return Some(other);
            }
            next.extend(further);
        }
        None
    }

    /// Gives one grant back and serves those who wait.
    fn release(&self, owner: u64, place: Place, strength: Strength) {
        let mut woken = Vec::new();
        {
            let mut shard = self.shard(place).lock();
            let Some(entry) = shard.get_mut(&place) else { return };
            if let Some(at) = entry.grants.iter().position(|grant| grant.owner == owner && grant.strength == strength) {
                entry.grants.swap_remove(at);
                self.note(strength, false);
            }
            entry.serve(&mut woken);
            if entry.grants.is_empty() && entry.queue.is_empty() {
                shard.remove(&place);
            }
        }
        woken.into_iter().for_each(Waker::wake);
    }

    /// Forgets a wait, but not a later one of the same owner elsewhere.
    fn waits_no_more(&self, place: Place, waiter: &Waiter) {
        let mut waits = self.waits.lock();
        if waits.get(&waiter.owner) == Some(&(place, waiter.strength)) {
            waits.remove(&waiter.owner);
        }
    }

    /// Leaves a queue, or gives back what was granted there.
    fn leave(&self, place: Place, waiter: &Arc<Waiter>) {
        self.waits_no_more(place, waiter);
        let mut woken = Vec::new();
        {
            let mut shard = self.shard(place).lock();
            if let Some(entry) = shard.get_mut(&place)
                && let Some(at) = entry.queue.iter().position(|other| Arc::ptr_eq(other, waiter))
            {
                entry.queue.remove(at);
                self.note(waiter.strength, false);
                entry.serve(&mut woken);
                if entry.grants.is_empty() && entry.queue.is_empty() {
                    shard.remove(&place);
                }
                drop(shard);
                return woken.into_iter().for_each(Waker::wake);
            }
        }
        self.release(waiter.owner, place, waiter.strength);
    }
}

#[cfg(test)]
mod tests;
