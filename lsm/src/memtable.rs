//! The newest commits, sorted in memory, until they are a run.
//!
//! Q1: one thread writes; readers take no lock on keys (`skip_list.rs`) and see what is below the commit they read at, whole: a commit is
//!     announced by the tree after all of it is in.
//! Q2: commits only grow.
//! Never: takes anything out.

mod nodes;
mod skip_list;

use crate::batch::Batch;
use crate::tombstone::{Fragments, Tombstone};
use crate::version::{SEQ_END, Version};
use parking_lot::{Mutex, RwLock};
use skip_list::{Inserter, SkipList};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

#[cfg(test)]
mod tests;

#[derive(Debug)]
pub(crate) struct Memtable {
    list: SkipList,
    inserter: Mutex<Inserter>,
    ranges: Mutex<Vec<Tombstone>>,
    /// How many ranges there are; readers look here first.
    range_count: AtomicUsize,
    /// The fragments of so many ranges, made when they are first asked for.
    fragments: RwLock<(usize, Arc<Fragments>)>,
    bytes: AtomicUsize,
    /// Every commit in here is below this.
    end: AtomicU64,
}

impl Memtable {
    /// An empty table that is meant to hold about `bytes`.
    pub(crate) fn new(bytes: usize) -> Self {
        let (list, inserter) = SkipList::new(bytes);
        Self {
            list,
            inserter: Mutex::new(inserter),
            ranges: Mutex::default(),
            range_count: AtomicUsize::new(0),
            fragments: RwLock::default(),
            bytes: AtomicUsize::new(0),
            end: AtomicU64::new(0),
        }
    }

    /// Takes in what a commit does.
    pub(crate) fn apply(&self, batch: &Batch, seq: u64) {
        let before = self.end.swap(seq + 1, Ordering::Release);
        assert!(before <= seq && seq < SEQ_END, "Q2: commit {seq} after {before}");
        let mut inserter = self.inserter.lock();
        for (key, kind, value) in batch.operations() {
            self.list.insert(&mut inserter, &Version { key, seq, kind, value });
        }
        let mut ranges = self.ranges.lock();
        ranges.extend(batch.ranges().map(|(start, end)| Tombstone { start: start.to_vec(), end: end.to_vec(), seq }));
        self.range_count.store(ranges.len(), Ordering::Release);
        let range_bytes: usize = batch.ranges().map(|(start, end)| start.len() + end.len() + 64).sum();
        self.bytes.store(inserter.bytes(), Ordering::Relaxed);
        self.bytes.fetch_add(range_bytes, Ordering::Relaxed);
    }

    /// About how much memory it takes.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    /// The newest version of `key` below `below`.
    pub(crate) fn get(&self, key: &[u8], below: u64) -> Option<Version<'_>> {
        self.list.version(self.list.seek(key, below.checked_sub(1)?)).filter(|version| version.key == key)
    }

    /// As [`Fragments::hides`].
    pub(crate) fn hides(&self, key: &[u8], below: u64) -> u64 {
        if self.range_count.load(Ordering::Acquire) == 0 { 0 } else { self.fragments().hides(key, below) }
    }

    /// The ranges deleted so far.
    pub(crate) fn fragments(&self) -> Arc<Fragments> {
        let (count, fragments) = self.fragments.read().clone();
        if count == self.range_count.load(Ordering::Acquire) {
            return fragments;
        }
        let ranges = self.ranges.lock();
        let fragments = Arc::new(Fragments::of(&ranges));
        *self.fragments.write() = (ranges.len(), Arc::clone(&fragments));
        fragments
    }
}

/// A place in a memtable.
#[derive(Clone, Debug)]
pub(crate) struct MemtableCursor {
    table: Arc<Memtable>,
    place: u32,
}

impl MemtableCursor {
    /// Nowhere yet.
    pub(crate) fn new(table: Arc<Memtable>) -> Self {
        Self { table, place: 0 }
    }

    pub(crate) fn version(&self) -> Option<Version<'_>> {
        self.table.list.version(self.place)
    }

    /// To the first version at or after (`key`, `seq`).
    pub(crate) fn seek(&mut self, key: &[u8], seq: u64) {
        self.place = self.table.list.seek(key, seq);
    }

    /// To the last version of a key before `key`, or of the last key.
    pub(crate) fn seek_before(&mut self, key: Option<&[u8]>) {
        let list = &self.table.list;
        self.place = list.first_alike(key.map_or_else(|| list.last(), |key| list.before(key, SEQ_END)));
    }

    /// To the next version, if it is at one.
    pub(crate) fn next(&mut self) {
        if self.place != 0 {
            self.place = self.table.list.next(self.place);
        }
    }

    /// To the version before, if it is at one. Of two versions with one key and commit only the first is met.
    pub(crate) fn back(&mut self) {
        let list = &self.table.list;
        if let Some(version) = list.version(self.place) {
            self.place = list.first_alike(list.before(version.key, version.seq));
        }
    }
}
