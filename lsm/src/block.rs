//! Data blocks: versions in order, keys without what they share with the one before, and restart points to search among.
//!
//! K1 holds inside a block. E1: an entry at a restart point shares nothing, so it can be read without those before it.
//! E2: reading never panics and never leaves the block, whatever the bytes.
//! Never: does I/O; knows where the block lies.
//! Format: docs/formats/run.md.

mod cursor;

pub(crate) use cursor::BlockCursor;

use crate::varint::{put, take, take_usize, u32_at};
use crate::version::{Kind, Version, common_prefix, order};
use std::cmp::Ordering;
use std::ops::Range;

#[cfg(test)]
mod tests;

/// Entries from one restart point to the next.
pub(crate) const RESTART_INTERVAL: usize = 16;

/// What is wrong with a block.
pub(crate) type Fault = &'static str;

const CUT: Fault = "the block ends inside an entry";

/// Makes a block.
#[derive(Debug, Default)]
pub(crate) struct BlockBuilder {
    bytes: Vec<u8>,
    restarts: Vec<u32>,
    entries: usize,
    last_key: Vec<u8>,
}

impl BlockBuilder {
    /// Appends a version, which comes after the one before.
    pub(crate) fn push(&mut self, version: &Version<'_>) {
        let shared = if self.entries.is_multiple_of(RESTART_INTERVAL) {
            self.restarts.push(self.bytes.len() as u32);
            0
        } else {
            common_prefix(&self.last_key, version.key)
        };
        put(&mut self.bytes, shared as u64);
        put(&mut self.bytes, (version.key.len() - shared) as u64);
        put(&mut self.bytes, version.value.len() as u64);
        put(&mut self.bytes, version.seq << 1 | version.kind.bit());
        self.bytes.extend_from_slice(&version.key[shared..]);
        self.bytes.extend_from_slice(version.value);
        self.last_key.truncate(shared);
        self.last_key.extend_from_slice(&version.key[shared..]);
        self.entries += 1;
    }

    /// Bytes so far.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes.len() + (self.restarts.len() + 1) * 4
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entries == 0
    }

    /// The block; [`BlockBuilder::clear`] before the next.
    pub(crate) fn finish(&mut self) -> &[u8] {
        for restart in &self.restarts {
            self.bytes.extend_from_slice(&restart.to_le_bytes());
        }
        self.bytes.extend_from_slice(&(self.restarts.len() as u32).to_le_bytes());
        &self.bytes
    }

    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.restarts.clear();
        self.entries = 0;
    }
}

/// A block's parts.
#[derive(Clone, Copy, Debug)]
struct Layout {
    /// Where the entries end and the restart points begin.
    entries_end: usize,
    restarts: usize,
}

impl Layout {
    fn of(bytes: &[u8]) -> Result<Self, Fault> {
        let count_at = bytes.len().checked_sub(4).ok_or("the block is shorter than its end")?;
        let restarts = u32_at(bytes, count_at).unwrap_or(0) as usize;
        let entries_end = restarts.checked_mul(4).and_then(|bytes| count_at.checked_sub(bytes));
        match entries_end {
            Some(entries_end) if restarts > 0 => Ok(Self { entries_end, restarts }),
            _ => Err("the number of restart points does not fit the block"),
        }
    }

    /// Where the entries from a restart point to the next lie.
    fn interval(self, bytes: &[u8], index: usize) -> Result<Range<usize>, Fault> {
        let point = |index: usize| match index < self.restarts {
            true => u32_at(bytes, self.entries_end + index * 4).map(|at| at as usize),
            false => Some(self.entries_end),
        };
        match (point(index), point(index + 1)) {
            (Some(start), Some(end)) if start < end && end <= self.entries_end => Ok(start..end),
            _ => Err("restart points are out of order"),
        }
    }
}

/// An entry as it lies in the block.
#[derive(Clone, Copy, Debug)]
struct Entry<'a> {
    shared: usize,
    suffix: &'a [u8],
    seq: u64,
    kind: Kind,
    /// Where the value begins; it ends where the entry does.
    value: usize,
    end: usize,
}

impl<'a> Entry<'a> {
    #[inline]
    fn read(entries: &'a [u8], at: usize) -> Result<Self, Fault> {
        let mut next = at;
        let mut number = || take_usize(entries, &mut next);
        let (Some(shared), Some(unshared), Some(value_bytes)) = (number(), number(), number()) else { return Err(CUT) };
        let tag = take(entries, &mut next).ok_or(CUT)?;
        let value = next.checked_add(unshared).ok_or(CUT)?;
        let end = value.checked_add(value_bytes).filter(|end| *end <= entries.len()).ok_or(CUT)?;
        Ok(Self { shared, suffix: &entries[next..value], seq: tag >> 1, kind: Kind::of_bit(tag), value, end })
    }
}

/// A version found in a block, and where its value lies.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Found {
    pub(crate) seq: u64,
    pub(crate) kind: Kind,
    pub(crate) value: Range<usize>,
}

/// The last restart point before or at (`key`, `seq`); the first, if none is.
fn restart_before(bytes: &[u8], layout: Layout, key: &[u8], seq: u64) -> Result<usize, Fault> {
    let (mut low, mut high) = (0, layout.restarts);
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        let at = u32_at(bytes, layout.entries_end + middle * 4).unwrap_or(u32::MAX) as usize;
        let entry = Entry::read(&bytes[..layout.entries_end], at)?;
        match order((entry.suffix, entry.seq), (key, seq)) {
            Ordering::Greater => high = middle,
            _ => low = middle,
        }
    }
    Ok(low)
}

/// The newest version of `key` below `below`. Compares what an entry does not share with the one before, and builds no key.
pub(crate) fn find(bytes: &[u8], key: &[u8], below: u64) -> Result<Option<Found>, Fault> {
    let Some(newest) = below.checked_sub(1) else { return Ok(None) };
    let layout = Layout::of(bytes)?;
    let entries = &bytes[..layout.entries_end];
    let mut at = layout.interval(bytes, restart_before(bytes, layout, key, newest)?)?.start;
    // How much of `key` the entry before begins with; it is less than `key`, or equal and too new.
    let mut matched = 0;
    while at < entries.len() {
        let entry = Entry::read(entries, at)?;
        at = entry.end;
        if entry.shared > matched {
            // It differs from `key` where the one before does, and is less like that one.
            continue;
        }
        let rest = &key[entry.shared..];
        match entry.suffix.cmp(rest) {
            Ordering::Less => matched = entry.shared + common_prefix(entry.suffix, rest),
            Ordering::Equal if entry.seq < below => {
                return Ok(Some(Found { seq: entry.seq, kind: entry.kind, value: entry.value..entry.end }));
            }
            Ordering::Equal => matched = key.len(),
            Ordering::Greater => return Ok(None),
        }
    }
    Ok(None)
}
