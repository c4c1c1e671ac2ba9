//! What functions of a statement ask of their session: notifications to send, parameters to set.
//!
//! Never: does any of it; the session does, between statements.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base::{SqlError, SqlResult, SqlState};

/// Longest payload, bytes; as in Postgres.
const PAYLOAD_BYTES_MAX: usize = 7_999;
/// Longest name of a channel, bytes.
const CHANNEL_BYTES_MAX: usize = 63;
/// Notifications of one transaction.
const LETTERS_MAX: usize = 65_536;

/// Notifications a transaction has not sent yet; shared with the function `pg_notify`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outbox(Arc<Mutex<Vec<(String, String)>>>);

impl Outbox {
    fn lock(&self) -> MutexGuard<'_, Vec<(String, String)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notifications not yet sent.
    pub(crate) fn waiting(&self) -> usize {
        self.lock().len()
    }

    /// Forgets all but the first so many.
    pub(crate) fn rewind(&self, waiting: usize) {
        self.lock().truncate(waiting);
    }

    /// Channel and payload of each, which are to be sent now.
    pub(crate) fn take(&self) -> Vec<(String, String)> {
        std::mem::take(&mut *self.lock())
    }

    /// Adds a notification unless it is there: a transaction sends each text once. Errors: 22023, 54000.
    pub(crate) fn put(&self, channel: &str, payload: &str) -> SqlResult<()> {
        check_channel(channel)?;
        if payload.len() > PAYLOAD_BYTES_MAX {
            return Err(SqlError::new(SqlState::INVALID_PARAMETER_VALUE, "payload string too long"));
        }
        let mut letters = self.lock();
        let letter = (channel.to_owned(), payload.to_owned());
        if letters.len() >= LETTERS_MAX {
            return Err(SqlError::new(SqlState::PROGRAM_LIMIT_EXCEEDED, "too many notifications in one transaction"));
        }
        if !letters.contains(&letter) {
            letters.push(letter);
        }
        Ok(())
    }
}

/// Errors: 22023 for a name that no channel can have.
pub(crate) fn check_channel(channel: &str) -> SqlResult<()> {
    let problem = match channel.len() {
        0 => "channel name cannot be empty",
        length if length > CHANNEL_BYTES_MAX => "channel name too long",
        _ => return Ok(()),
    };
    Err(SqlError::new(SqlState::INVALID_PARAMETER_VALUE, problem))
}

/// A parameter to be set.
#[derive(Clone, Debug)]
pub(crate) struct Wish {
    pub(crate) name: String,
    pub(crate) value: String,
    /// Until the end of the transaction.
    pub(crate) local: bool,
}

/// Parameters that `set_config` set and the session has not yet.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wishes(Arc<Mutex<Vec<Wish>>>);

impl Wishes {
    pub(crate) fn lock(&self) -> MutexGuard<'_, Vec<Wish>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where functions put what the session is to do.
#[derive(Clone, Debug)]
pub(crate) struct Effects {
    pub(crate) outbox: Outbox,
    pub(crate) wishes: Wishes,
}
