//! What a transaction is to the lock table: its name there, what it has, what it waits for.
//!
//! Never: takes a lock.

use super::held::Held;
use super::wait::Wait;

/// What a transaction sees of others that commit while it runs.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Isolation {
    /// Each statement sees what had committed when it began.
    #[default]
    ReadCommitted,
    /// All see what the first one saw.
    RepeatableRead,
    /// Likewise, and what they read is as it was when the transaction commits.
    Serializable,
}

/// A transaction's side of the lock table.
#[derive(Debug)]
pub(crate) struct Locking {
    pub(crate) owner: u64,
    pub(crate) held: Held,
    pub(crate) isolation: Isolation,
    /// One statement and its commit, with nothing between.
    pub(crate) is_alone: bool,
    /// It has nobody who could wait for it, unless somebody says so.
    pub(crate) is_deaf: bool,
    pub(crate) blocked: Option<Wait>,
}

impl Clone for Locking {
    /// A savepoint waits for nothing.
    fn clone(&self) -> Self {
        Self { held: self.held.clone(), blocked: None, ..*self }
    }
}

impl Locking {
    pub(crate) fn new(owner: u64) -> Self {
        Self { owner, held: Held::default(), isolation: Isolation::default(), is_alone: false, is_deaf: true, blocked: None }
    }
}
