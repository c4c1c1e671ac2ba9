//! Reading a tree as of one commit.
//!
//! S1 holds for as long as a snapshot lives: what it sees is kept.

use crate::error::LsmError;
use crate::scan::{Bounds, Scan};
use crate::store::{Store, last_below};
use crate::version::after_prefix;
use base::CommitSeq;
use std::ops::{Bound, RangeBounds};
use std::sync::Arc;

/// The tree as one commit left it. Reads take no lock that a writer holds for long, and may come from any thread.
#[derive(Debug)]
pub struct Snapshot {
    store: Arc<Store>,
    below: u64,
}

impl Snapshot {
    /// At the commits below `below`.
    pub(crate) fn begin(store: &Arc<Store>, below: u64) -> Result<Self, LsmError> {
        let mut readers = store.readers.lock();
        if readers.begin(below) {
            return Ok(Self { store: Arc::clone(store), below });
        }
        let oldest = CommitSeq(readers.horizon().saturating_sub(1));
        Err(LsmError::Released { seq: last_below(below).unwrap_or_default(), oldest })
    }

    /// The last commit it sees; `None` for that of a tree nothing was written to.
    pub fn seq(&self) -> Option<CommitSeq> {
        last_below(self.below)
    }

    /// The value of `key`.
    ///
    /// # Errors
    /// A block that must be read and is damaged.
    pub fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, LsmError> {
        self.get_with(key, <[u8]>::to_vec)
    }

    /// What `read` makes of the value of `key`, where it lies: nothing is copied or allocated for it.
    ///
    /// # Errors
    /// As [`Snapshot::get`].
    pub fn get_with<T>(&self, key: &[u8], read: impl FnOnce(&[u8]) -> T) -> Result<Option<T>, LsmError> {
        let view = self.store.view();
        Ok(view.get(key, self.below, &self.store.cache)?.map(|value| read(&value)))
    }

    /// Whether `key` is there.
    ///
    /// # Errors
    /// As [`Snapshot::get`].
    pub fn contains(&self, key: &[u8]) -> Result<bool, LsmError> {
        Ok(self.get_with(key, |_| ())?.is_some())
    }

    /// Keys between two bounds, ascending. The scan goes on seeing what this snapshot sees, even after the snapshot is dropped.
    ///
    /// # Errors
    /// As [`Snapshot::get`].
    pub fn range<'a>(&self, range: impl RangeBounds<&'a [u8]>) -> Result<Scan, LsmError> {
        self.scan(range.start_bound().cloned(), range.end_bound().cloned(), false)
    }

    /// As [`Snapshot::range`], descending.
    ///
    /// # Errors
    /// As [`Snapshot::get`].
    pub fn range_rev<'a>(&self, range: impl RangeBounds<&'a [u8]>) -> Result<Scan, LsmError> {
        self.scan(range.start_bound().cloned(), range.end_bound().cloned(), true)
    }

    /// Keys that begin with `prefix`, ascending.
    ///
    /// # Errors
    /// As [`Snapshot::get`].
    pub fn prefix(&self, prefix: &[u8]) -> Result<Scan, LsmError> {
        let end = after_prefix(prefix);
        self.scan(Bound::Included(prefix), end.as_deref().map_or(Bound::Unbounded, Bound::Excluded), false)
    }

    /// As [`Snapshot::prefix`], descending.
    ///
    /// # Errors
    /// As [`Snapshot::get`].
    pub fn prefix_rev(&self, prefix: &[u8]) -> Result<Scan, LsmError> {
        let end = after_prefix(prefix);
        self.scan(Bound::Included(prefix), end.as_deref().map_or(Bound::Unbounded, Bound::Excluded), true)
    }

    fn scan(&self, from: Bound<&[u8]>, to: Bound<&[u8]>, backward: bool) -> Result<Scan, LsmError> {
        Scan::new(&self.store.view(), &Bounds { from, to }, self.below, backward, &self.store.cache)
    }
}

impl Drop for Snapshot {
    fn drop(&mut self) {
        self.store.readers.lock().end(self.below);
    }
}
