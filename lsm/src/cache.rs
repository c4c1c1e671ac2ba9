//! The cache of decompressed blocks: a budget of bytes for all runs of a tree, in shards with a lock each.
//!
//! H1: what is kept never exceeds the budget by more than one block a shard. H2: a block is kept under the run and offset it was read from, and
//! a run number names one run for ever, so what is found is never stale.
//! The block that goes is one nobody asked for since the hand last passed it (CLOCK, Corbató 1968).
//! Never: does I/O; keeps blocks that can be read where they lie.

use hashbrown::HashMap;
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

const SHARDS: usize = 16;

/// Bytes that keeping a block costs beside its own.
const ENTRY_BYTES: usize = 96;

/// A block of a run, by run number and offset.
type Name = (u64, u64);

#[derive(Debug)]
pub(crate) struct BlockCache {
    shards: Box<[Mutex<Shard>]>,
    shard_bytes: usize,
    hits: AtomicU64,
    misses: AtomicU64,
}

#[derive(Debug, Default)]
struct Shard {
    places: HashMap<Name, usize>,
    slots: Vec<Slot>,
    hand: usize,
    bytes: usize,
}

#[derive(Debug)]
struct Slot {
    name: Name,
    block: Arc<[u8]>,
    asked: bool,
}

impl BlockCache {
    /// A cache for `bytes`; 0 keeps nothing.
    pub(crate) fn new(bytes: usize) -> Self {
        let shards = (0..SHARDS).map(|_| Mutex::default()).collect();
        Self { shards, shard_bytes: bytes / SHARDS, hits: AtomicU64::new(0), misses: AtomicU64::new(0) }
    }

    fn shard(&self, name: Name) -> &Mutex<Shard> {
        let mixed = (name.0 ^ name.1.rotate_left(24)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        &self.shards[(mixed >> 60) as usize % SHARDS]
    }

    pub(crate) fn get(&self, run: u64, offset: u64) -> Option<Arc<[u8]>> {
        let mut shard = self.shard((run, offset)).lock();
        let place = shard.places.get(&(run, offset)).copied();
        let block = place.map(|place| {
            let slot = &mut shard.slots[place];
            slot.asked = true;
            Arc::clone(&slot.block)
        });
        drop(shard);
        let count = if block.is_some() { &self.hits } else { &self.misses };
        count.fetch_add(1, Ordering::Relaxed);
        block
    }

    pub(crate) fn put(&self, run: u64, offset: u64, block: &Arc<[u8]>) {
        let cost = block.len() + ENTRY_BYTES;
        if cost > self.shard_bytes {
            return;
        }
        let name = (run, offset);
        let mut shard = self.shard(name).lock();
        if shard.places.contains_key(&name) {
            return;
        }
        while shard.bytes + cost > self.shard_bytes {
            shard.drop_one();
        }
        let place = shard.slots.len();
        shard.slots.push(Slot { name, block: Arc::clone(block), asked: false });
        shard.places.insert(name, place);
        shard.bytes += cost;
        assert!(shard.bytes <= self.shard_bytes, "H1: {} bytes in a shard of {}", shard.bytes, self.shard_bytes);
    }

    /// Bytes kept now.
    pub(crate) fn bytes(&self) -> usize {
        self.shards.iter().map(|shard| shard.lock().bytes).sum()
    }

    /// How often a block was asked for and was there, and was not.
    pub(crate) fn hits_and_misses(&self) -> (u64, u64) {
        (self.hits.load(Ordering::Relaxed), self.misses.load(Ordering::Relaxed))
    }
}

impl Shard {
    /// Moves the hand to a block nobody asked for since it last passed, and drops that.
    fn drop_one(&mut self) {
        loop {
            assert!(!self.slots.is_empty(), "H1: an empty shard has room");
            self.hand = if self.hand < self.slots.len() { self.hand } else { 0 };
            let slot = &mut self.slots[self.hand];
            if std::mem::take(&mut slot.asked) {
                self.hand += 1;
                continue;
            }
            let gone = self.slots.swap_remove(self.hand);
            self.places.remove(&gone.name);
            self.bytes -= gone.block.len() + ENTRY_BYTES;
            if let Some(moved) = self.slots.get(self.hand) {
                self.places.insert(moved.name, self.hand);
            }
            self.hand += 1;
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_budget_holds_and_what_is_asked_for_stays() {
        let cache = BlockCache::new(SHARDS * 10 * (100 + ENTRY_BYTES));
        let block: Arc<[u8]> = Arc::from(vec![1; 100]);
        for offset in 0..5000 {
            cache.put(1, offset, &block);
            assert!(cache.bytes() <= SHARDS * 10 * (100 + ENTRY_BYTES), "H1");
            assert!(offset < 20 || cache.get(1, 7).is_some(), "a block asked for all the time was dropped at {offset}");
        }
        assert!(cache.bytes() > SHARDS * 8 * (100 + ENTRY_BYTES), "{}", cache.bytes());
        assert!(cache.get(2, 7).is_none() && cache.get(1, 20).is_none());
    }

    #[test]
    fn without_a_budget_nothing_is_kept() {
        let cache = BlockCache::new(0);
        cache.put(1, 1, &Arc::from(vec![1; 10]));
        assert!(cache.get(1, 1).is_none());
        assert_eq!(cache.hits_and_misses(), (0, 1));
    }
}
