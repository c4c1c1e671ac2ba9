//! Advisory locks: numbers that sessions agree on, held in memory.
//!
//! A1: a lock is exclusive or shared; nobody waits for what they hold themselves.
//! A2: one held for a session is released as often as it was taken; one held for a transaction ends with it.
//! A3: who would wait for someone that waits for them gets 40P01 at once.
//! Never: part of a commit; a server that starts anew knows none.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use base::{SqlError, SqlResult, SqlState};
use tokio::sync::Notify;

/// One number of 64 bits, or two of 32, which are other locks.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Key {
    One(i64),
    Two(i32, i32),
}

/// How a lock is held.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Mode {
    pub(crate) shared: bool,
    /// Until the end of the transaction.
    pub(crate) transaction: bool,
}

/// Who holds what how often.
type Holds = BTreeMap<(Key, i32, Mode), u32>;

/// Every lock of one database.
#[derive(Default)]
pub(crate) struct Locks {
    table: Mutex<Table>,
    released: Notify,
}

#[derive(Default)]
struct Table {
    holds: Holds,
    /// What each waiting session waits for.
    waiting: BTreeMap<i32, (Key, bool)>,
}

impl Table {
    /// Others that stand in the way.
    fn holders(&self, process: i32, key: Key, shared: bool) -> impl Iterator<Item = i32> + '_ {
        let of_key = self.holds.keys().filter(move |(held, holder, _)| *held == key && *holder != process);
        of_key.filter(move |(_, _, mode)| !(shared && mode.shared)).map(|(_, holder, _)| *holder)
    }

    /// Whether `process` waits, through others, for itself (A3).
    fn is_deadlock(&self, process: i32) -> bool {
        let (mut seen, mut next) = (BTreeSet::new(), vec![process]);
        while let Some(waiter) = next.pop() {
            let Some((key, shared)) = self.waiting.get(&waiter) else { continue };
            for holder in self.holders(waiter, *key, *shared) {
                if holder == process {
                    return true;
                }
                if seen.insert(holder) {
                    next.push(holder);
                }
            }
        }
        false
    }
}

/// What a session held at some moment.
pub(crate) struct Held(Holds);

impl Locks {
    fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a lock unless another session stands in the way.
    pub(crate) fn take(&self, process: i32, key: Key, mode: Mode) -> bool {
        let mut table = self.lock();
        if table.holders(process, key, mode.shared).next().is_some() {
            return false;
        }
        *table.holds.entry((key, process, mode)).or_default() += 1;
        true
    }

    /// Takes a lock, or notes that the session waits for it. Errors: 55P03, after which [`Locks::wait`] waits.
    pub(crate) fn demand(&self, process: i32, key: Key, mode: Mode) -> SqlResult<()> {
        if self.take(process, key, mode) {
            return Ok(());
        }
        self.lock().waiting.insert(process, (key, mode.shared));
        Err(SqlError::new(SqlState("55P03"), "could not obtain the advisory lock")
            .hint("Take advisory locks by a SELECT of their own: only such a statement waits for them."))
    }

    /// Whether the session's last statement ended for want of a lock.
    pub(crate) fn wants(&self, process: i32) -> bool {
        self.lock().waiting.contains_key(&process)
    }

    /// Waits until the lock that the session wants may be had. Errors: 40P01.
    pub(crate) async fn wait(&self, process: i32) -> SqlResult<()> {
        loop {
            let mut released = std::pin::pin!(self.released.notified());
            released.as_mut().enable();
            {
                let mut table = self.lock();
                let Some((key, shared)) = table.waiting.get(&process).copied() else { return Ok(()) };
                if table.holders(process, key, shared).next().is_none() {
                    table.waiting.remove(&process);
                    return Ok(());
                }
                if table.is_deadlock(process) {
                    table.waiting.remove(&process);
                    return Err(SqlError::new(SqlState("40P01"), "deadlock detected"));
                }
            }
            released.await;
        }
    }

    /// Forgets that the session waits.
    pub(crate) fn give_up(&self, process: i32) {
        self.lock().waiting.remove(&process);
    }

    /// Releases a session's lock once; false if it is not held.
    pub(crate) fn release(&self, process: i32, key: Key, shared: bool) -> bool {
        let mut table = self.lock();
        let place = (key, process, Mode { shared, transaction: false });
        let Some(count) = table.holds.get_mut(&place) else { return false };
        *count -= 1;
        if *count == 0 {
            table.holds.remove(&place);
            self.released.notify_waiters();
        }
        true
    }

    /// Releases all that is held for the session.
    pub(crate) fn release_all(&self, process: i32) {
        self.drop_where(process, |mode| !mode.transaction);
    }

    /// The session's transaction has ended.
    pub(crate) fn end_transaction(&self, process: i32) {
        self.drop_where(process, |mode| mode.transaction);
    }

    /// The session has ended.
    pub(crate) fn leave(&self, process: i32) {
        self.give_up(process);
        self.drop_where(process, |_| true);
    }

    fn drop_where(&self, process: i32, goes: impl Fn(Mode) -> bool) {
        let mut table = self.lock();
        let before = table.holds.len();
        table.holds.retain(|(_, holder, mode), _| *holder != process || !goes(*mode));
        if table.holds.len() < before {
            self.released.notify_waiters();
        }
    }

    /// What the session holds now, to come back to.
    pub(crate) fn held(&self, process: i32) -> Held {
        Held(self.lock().holds.iter().filter(|((_, holder, _), _)| *holder == process).map(|(place, count)| (*place, *count)).collect())
    }

    /// Lets go of what was taken since then.
    pub(crate) fn back_to(&self, process: i32, held: &Held) {
        let mut table = self.lock();
        table.holds.retain(|(_, holder, _), _| *holder != process);
        table.holds.extend(held.0.iter().map(|(place, count)| (*place, *count)));
        self.released.notify_waiters();
    }

    /// Every lock: key, process, whether shared, whether it is held rather than waited for.
    pub(crate) fn listed(&self) -> Vec<(Key, i32, bool, bool)> {
        let table = self.lock();
        let held = table.holds.keys().map(|(key, process, mode)| (*key, *process, mode.shared, true));
        let mut listed: Vec<_> =
            held.chain(table.waiting.iter().map(|(process, (key, shared))| (*key, *process, *shared, false))).collect();
        listed.sort_unstable();
        listed.dedup();
        listed
    }

    /// The sessions that one waits for.
    pub(crate) fn blockers(&self, process: i32) -> Vec<i32> {
        let table = self.lock();
        let Some((key, shared)) = table.waiting.get(&process).copied() else { return Vec::new() };
        table.holders(process, key, shared).collect::<BTreeSet<_>>().into_iter().collect()
    }
}
