//! Plans kept by the text they were made from, for all sessions of a database.
//!
//! H0: a text without constants is its own shape, and has both a plan and a template.
//! H1: an entry is found only under the same text, the same given parameter types and an equal [`Stamp`]: whatever a name, a constant or an
//!     unwritten type can mean is in one of the three. The whole key is compared, not its hash.
//! H2: entries hold no row and no snapshot; a DDL commit changes the stamp, and what stood under the old one falls out as the oldest.
//! H3: entries and bytes are bounded; the least recently used go first.
//! Never: runs a plan; knows whether one is right for a session's transaction (the session checks the stamp again when it runs it).

mod lexer;
mod lifting;
mod template;

use std::any::Any;
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use engine::SqlType;

use crate::ground::Ground;
pub(crate) use lexer::Lexed;
pub(crate) use lifting::slots;
pub(crate) use template::{Slot, Template};

/// Longest text that is kept, bytes.
pub(crate) const TEXT_BYTES_MAX: usize = 16 << 10;
const ENTRIES_MAX: usize = 4_000;
const BYTES_MAX: usize = 64 << 20;
/// What an entry takes beside its text: tree, logical plan, an idle physical plan or two.
const ENTRY_BYTES: usize = 96 << 10;

/// What a plan was made under; equal stamps resolve every name and read every constant alike.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Stamp {
    pub(crate) schema_root: [u8; 32],
    pub(crate) ground: Arc<Ground>,
}

/// A plan, as whoever made it knows it: the cache stands below statements and sessions.
pub(crate) type AnyPlan = Arc<dyn Any + Send + Sync>;

/// The plans of one database.
pub(crate) struct PlanCache {
    hasher: RandomState,
    entries: Mutex<Entries>,
    hits: AtomicU64,
    misses: AtomicU64,
    evictions: AtomicU64,
}

#[derive(Default)]
struct Entries {
    by_hash: HashMap<u64, Vec<Entry>>,
    count: usize,
    bytes: usize,
    /// Rises with every use.
    clock: u64,
}

struct Entry {
    text: Box<str>,
    types: Box<[Option<SqlType>]>,
    stamp: Stamp,
    kept: Kept,
    bytes: usize,
    used: u64,
}

/// What is kept under a text.
#[derive(Clone)]
pub(crate) enum Kept {
    /// The plan of this very text.
    Plan(AnyPlan),
    /// How constants leave a text of this shape.
    Template(Arc<Template>),
}

/// Figures of a cache, for SHOW.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Figures {
    pub(crate) entries: usize,
    pub(crate) bytes: usize,
    pub(crate) hits: u64,
    pub(crate) misses: u64,
    pub(crate) evictions: u64,
}

impl PlanCache {
    pub(crate) fn new() -> Self {
        Self {
            hasher: RandomState::new(),
            entries: Mutex::default(),
            hits: AtomicU64::new(0),
            misses: AtomicU64::new(0),
            evictions: AtomicU64::new(0),
        }
    }

    /// Forgets everything: texts have constants in them.
    pub(crate) fn clear(&self) {
        let gone = std::mem::take(&mut *self.lock());
        // Without the lock: dropping plans takes a while.
        drop(gone);
    }

    /// The plan of a text.
    pub(crate) fn plan(&self, text: &str, types: &[Option<SqlType>], stamp: &Stamp) -> Option<AnyPlan> {
        let found = match self.find(text, types, stamp, false) {
            Some(Kept::Plan(plan)) => Some(plan),
            _ => None,
        };
        let counter = if found.is_some() { &self.hits } else { &self.misses };
        counter.fetch_add(1, Ordering::Relaxed);
        found
    }

    /// The template of a shape.
    pub(crate) fn template(&self, shape: &str, stamp: &Stamp) -> Option<Arc<Template>> {
        match self.find(shape, &[], stamp, true)? {
            Kept::Template(template) => Some(template),
            Kept::Plan(_) => None,
        }
    }

    fn find(&self, text: &str, types: &[Option<SqlType>], stamp: &Stamp, is_template: bool) -> Option<Kept> {
        let hash = self.hash(text);
        let mut entries = self.lock();
        entries.clock += 1;
        let clock = entries.clock;
        let entry = entries.by_hash.get_mut(&hash)?.iter_mut().find(|entry| entry.is(text, types, stamp, is_template))?;
        entry.used = clock;
        Some(entry.kept.clone())
    }

    /// Keeps something, in place of what stood there.
    pub(crate) fn keep(&self, text: &str, types: &[Option<SqlType>], stamp: &Stamp, kept: Kept) {
        if text.len() > TEXT_BYTES_MAX {
            return;
        }
        let hash = self.hash(text);
        let bytes = match &kept {
            Kept::Plan(_) => ENTRY_BYTES + 16 * text.len(),
            Kept::Template(_) => 256 + 2 * text.len(),
        };
        let mut entries = self.lock();
        entries.clock += 1;
        let used = entries.clock;
        let is_template = kept.is_template();
        let entry = Entry { text: text.into(), types: types.into(), stamp: stamp.clone(), kept, bytes, used };
        let list = entries.by_hash.entry(hash).or_default();
        match list.iter_mut().find(|entry| entry.is(text, types, stamp, is_template)) {
            Some(known) => *known = entry,
            None => {
                list.push(entry);
                entries.count += 1;
                entries.bytes += bytes;
            }
        }
        let mut evicted = Vec::new();
        while entries.count > ENTRIES_MAX || entries.bytes > BYTES_MAX {
            evicted.extend(entries.evict());
        }
        self.evictions.fetch_add(evicted.len() as u64, Ordering::Relaxed);
        drop(entries);
        // What falls out may be large; it goes without the lock.
        drop(evicted);
    }

    /// What the cache holds and how often it helped.
    pub(crate) fn figures(&self) -> Figures {
        let entries = self.lock();
        Figures {
            entries: entries.count,
            bytes: entries.bytes,
            hits: self.hits.load(Ordering::Relaxed),
            misses: self.misses.load(Ordering::Relaxed),
            evictions: self.evictions.load(Ordering::Relaxed),
        }
    }

    fn hash(&self, text: &str) -> u64 {
        self.hasher.hash_one(text)
    }

    fn lock(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn is_template(&self) -> bool {
        matches!(self, Self::Template(_))
    }
}

impl Entry {
    fn is(&self, text: &str, types: &[Option<SqlType>], stamp: &Stamp, is_template: bool) -> bool {
        self.kept.is_template() == is_template && *self.text == *text && *self.types == *types && self.stamp == *stamp
    }
}

impl Entries {
    /// Takes out the eighth that was used least recently, so that a full cache does not look for the oldest at every entry.
    fn evict(&mut self) -> Vec<Entry> {
        let mut ages: Vec<u64> = self.by_hash.values().flatten().map(|entry| entry.used).collect();
        ages.sort_unstable();
        let limit = ages.get(ages.len() / 8).copied().unwrap_or(u64::MAX);
        let mut evicted = Vec::new();
        self.by_hash.retain(|_, list| {
            evicted.extend(list.extract_if(.., |entry| entry.used <= limit));
            !list.is_empty()
        });
        self.count -= evicted.len();
        self.bytes -= evicted.iter().map(|entry| entry.bytes).sum::<usize>();
        evicted
    }
}

#[cfg(test)]
mod tests;
