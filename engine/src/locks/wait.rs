//! Waiting for a lock: a future that is woken when it is granted.
//!
//! Never: blocks a thread; polls.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use base::{RelationId, RowId};
use parking_lot::Mutex;

use super::held::Held;
use super::{LockTable, Place, Strength};

/// Waiting would never end: `blocker` waits for who asks.
#[derive(Debug)]
pub(crate) struct Deadlock {
    pub(crate) blocker: u64,
}

#[derive(Debug)]
pub(super) struct Waiter {
    pub(super) owner: u64,
    pub(super) strength: Strength,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    is_granted: bool,
    waker: Option<Waker>,
}

impl Waiter {
    pub(super) fn new(owner: u64, strength: Strength) -> Self {
        Self { owner, strength, state: Mutex::default() }
    }

    /// Notes the grant; who is to be woken once no lock is held.
    pub(super) fn grant(&self) -> Option<Waker> {
        let mut state = self.state.lock();
        state.is_granted = true;
        state.waker.take()
    }
}

/// A place in a queue. Dropping it leaves the queue.
#[derive(Debug)]
pub struct Wait {
    table: Arc<LockTable>,
    place: Place,
    waiter: Arc<Waiter>,
    is_over: bool,
}

impl Wait {
    pub(super) fn new(table: Arc<LockTable>, place: Place, waiter: Arc<Waiter>) -> Self {
        Self { table, place, waiter, is_over: false }
    }

    /// The row version waited for, if it is one.
    pub(crate) fn row(&self) -> Option<(RelationId, RowId)> {
        match self.place {
            Place::Row(relation, row) => Some((relation, RowId(row))),
            Place::Key(..) | Place::Table(_) => None,
        }
    }
}

impl Future for Wait {
    type Output = Held;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Held> {
        {
            let mut state = self.waiter.state.lock();
            if !state.is_granted {
                state.waker = Some(context.waker().clone());
                return Poll::Pending;
            }
        }
        self.is_over = true;
        self.table.waits_no_more(self.place, &self.waiter);
        let mut held = Held::default();
        held.add(&self.table, self.waiter.owner, vec![(self.place, self.waiter.strength)]);
        Poll::Ready(held)
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        if !self.is_over {
            self.table.leave(self.place, &self.waiter);
        }
    }
}
