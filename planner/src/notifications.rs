//! Who listens to which channel of a database, and what waits for them.
//!
//! B1: notifications of one commit arrive together and after it; those of two commits in the commits' order.
//! B2: a listener that does not read holds at most [`WAITING_MAX`] notifications; further ones are refused to their sender.
//! Never: outlives the process; nothing of it is in the ledger.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use base::{SqlError, SqlResult, SqlState};
use tokio::sync::{Mutex as AsyncMutex, Notify, OwnedMutexGuard};

/// Notifications that wait for one listener.
const WAITING_MAX: usize = 65_536;

/// One message to a channel.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Notification {
    /// Process id of the session that sent it.
    pub process: i32,
    /// The channel.
    pub channel: Arc<str>,
    /// What was said; may be empty.
    pub payload: Arc<str>,
}

/// A session's letterbox.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    waiting: Mutex<VecDeque<Notification>>,
    arrived: Notify,
}

impl Inbox {
    fn lock(&self) -> MutexGuard<'_, VecDeque<Notification>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Everything that waits, oldest first.
    pub(crate) fn take(&self) -> VecDeque<Notification> {
        std::mem::take(&mut *self.lock())
    }

    /// Completes when something waits.
    pub(crate) async fn arrived(&self) {
        loop {
            let mut arrived = std::pin::pin!(self.arrived.notified());
            arrived.as_mut().enable();
            if !self.lock().is_empty() {
                return;
            }
            arrived.await;
        }
    }
}

/// The channels of one database.
#[derive(Debug, Default)]
pub(crate) struct Channels {
    listeners: Mutex<HashMap<String, Vec<Weak<Inbox>>>>,
    turn: Arc<AsyncMutex<()>>,
}

impl Channels {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Vec<Weak<Inbox>>>> {
        self.listeners.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets an inbox hear exactly these channels from now on.
    pub(crate) fn set(&self, inbox: &Arc<Inbox>, before: &BTreeSet<String>, now: &BTreeSet<String>) {
        let mut listeners = self.lock();
        for channel in before.difference(now) {
            if let Some(list) = listeners.get_mut(channel) {
                list.retain(|known| !std::ptr::eq(known.as_ptr(), Arc::as_ptr(inbox)));
                if list.is_empty() {
                    listeners.remove(channel);
                }
            }
        }
        for channel in now.difference(before) {
            listeners.entry(channel.clone()).or_default().push(Arc::downgrade(inbox));
        }
    }

    /// The right to commit and then send, one session at a time (B1).
    pub(crate) async fn turn(&self) -> OwnedMutexGuard<()> {
        Arc::clone(&self.turn).lock_owned().await
    }

    /// Errors: 54000 if a listener has no room for so many more (B2).
    pub(crate) fn check_room(&self, letters: &[Notification]) -> SqlResult<()> {
        let listeners = self.lock();
        for letter in letters {
            for inbox in listeners.get(&*letter.channel).into_iter().flatten().filter_map(Weak::upgrade) {
                if inbox.lock().len() + letters.len() > WAITING_MAX {
                    let message = "too many notifications in the NOTIFY queue";
                    return Err(SqlError::new(SqlState::PROGRAM_LIMIT_EXCEEDED, message)
                        .detail(format!("A session listening to \"{}\" has not read {WAITING_MAX} notifications.", letter.channel)));
                }
            }
        }
        Ok(())
    }

    /// Delivers to everybody who listens.
    pub(crate) fn send(&self, letters: Vec<Notification>) {
        let listeners = self.lock();
        for letter in letters {
            for inbox in listeners.get(&*letter.channel).into_iter().flatten().filter_map(Weak::upgrade) {
                inbox.lock().push_back(letter.clone());
                inbox.arrived.notify_one();
            }
        }
    }
}
