//! A place in a block, moved both ways.
//!
//! The entries from one restart point to the next are read at once, their keys written out; a step is then a step in a list, and going back
//! costs what going on does.

use super::{Entry, Fault, Layout, restart_before};
use crate::version::{Kind, SEQ_END, Version, order};
use std::cmp::Ordering;
use std::ops::Deref;

/// A place in a block whose bytes `B` holds.
#[derive(Debug)]
pub(crate) struct BlockCursor<B> {
    bytes: B,
    layout: Layout,
    interval: usize,
    keys: Vec<u8>,
    slots: Vec<Slot>,
    at: usize,
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    key_start: usize,
    key_end: usize,
    value_start: usize,
    value_end: usize,
    seq: u64,
    kind: Kind,
}

impl<B: Deref<Target = [u8]>> BlockCursor<B> {
    /// Before the first version of a block.
    pub(crate) fn new(bytes: B) -> Result<Self, Fault> {
        let layout = Layout::of(&bytes)?;
        Ok(Self { bytes, layout, interval: usize::MAX, keys: Vec::new(), slots: Vec::new(), at: 0 })
    }

    /// As [`BlockCursor::new`] with another block, keeping the memory.
    pub(crate) fn replace(&mut self, bytes: B) -> Result<(), Fault> {
        self.layout = Layout::of(&bytes)?;
        self.bytes = bytes;
        self.interval = usize::MAX;
        self.slots.clear();
        Ok(())
    }

    #[inline]
    pub(crate) fn version(&self) -> Option<Version<'_>> {
        let slot = self.slots.get(self.at)?;
        let value = &self.bytes[slot.value_start..slot.value_end];
        Some(Version { key: &self.keys[slot.key_start..slot.key_end], seq: slot.seq, kind: slot.kind, value })
    }

    /// To the first version.
    pub(crate) fn first(&mut self) -> Result<(), Fault> {
        self.load(0)?;
        self.at = 0;
        Ok(())
    }

    /// To the last version.
    pub(crate) fn last(&mut self) -> Result<(), Fault> {
        self.load(self.layout.restarts - 1)?;
        self.at = self.slots.len() - 1;
        Ok(())
    }

    /// To the first version at or after (`key`, `seq`); to none if the block ends first.
    pub(crate) fn seek(&mut self, key: &[u8], seq: u64) -> Result<(), Fault> {
        self.load(restart_before(&self.bytes, self.layout, key, seq)?)?;
        let before = |slot: &Slot| order((&self.keys[slot.key_start..slot.key_end], slot.seq), (key, seq)) == Ordering::Less;
        self.at = self.slots.partition_point(before);
        if self.at == self.slots.len() { self.next_interval() } else { Ok(()) }
    }

    /// To the last version of a key before `key`; to none if there is none.
    pub(crate) fn seek_before(&mut self, key: &[u8]) -> Result<(), Fault> {
        self.load(restart_before(&self.bytes, self.layout, key, SEQ_END)?)?;
        let after = self.slots.partition_point(|slot| &self.keys[slot.key_start..slot.key_end] < key);
        self.at = after.wrapping_sub(1);
        Ok(())
    }

    /// To the next version; to none after the last.
    #[inline]
    pub(crate) fn next(&mut self) -> Result<(), Fault> {
        self.at = self.at.wrapping_add(1);
        if self.at < self.slots.len() { Ok(()) } else { self.next_interval() }
    }

    /// To the version before; to none before the first.
    pub(crate) fn back(&mut self) -> Result<(), Fault> {
        if self.at > 0 || self.interval == 0 || self.slots.is_empty() {
            self.at = self.at.wrapping_sub(1);
            return Ok(());
        }
        self.load(self.interval - 1)?;
        self.at = self.slots.len() - 1;
        Ok(())
    }

    fn next_interval(&mut self) -> Result<(), Fault> {
        if self.interval < self.layout.restarts - 1 {
            self.load(self.interval + 1)?;
            self.at = 0;
        }
        Ok(())
    }

    /// Reads the entries from a restart point to the next.
    fn load(&mut self, interval: usize) -> Result<(), Fault> {
        if self.interval == interval {
            return Ok(());
        }
        self.interval = usize::MAX;
        self.keys.clear();
        self.slots.clear();
        let place = self.layout.interval(&self.bytes, interval)?;
        let (entries, mut at) = (&self.bytes[..place.end], place.start);
        let mut before = 0..0;
        while at < entries.len() {
            let entry = Entry::read(entries, at)?;
            if entry.shared > before.len() {
                return Err("an entry shares more than the key before it has");
            }
            let key_start = self.keys.len();
            self.keys.extend_from_within(before.start..before.start + entry.shared);
            self.keys.extend_from_slice(entry.suffix);
            before = key_start..self.keys.len();
            self.slots.push(Slot {
                key_start,
                key_end: before.end,
                value_start: entry.value,
                value_end: entry.end,
                seq: entry.seq,
                kind: entry.kind,
            });
            at = entry.end;
        }
        self.interval = interval;
        Ok(())
    }
}
