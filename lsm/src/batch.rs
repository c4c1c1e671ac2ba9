//! What one commit does to a tree, gathered before it is written.
//!
//! A1: of several operations on one key in a batch the last counts.
//! A2: a deleted range hides what *earlier* commits wrote, not what its own batch writes, wherever it stands in it.
//! Never: reads a tree.

use crate::error::LsmError;
use crate::version::Kind;
use std::ops::Range;

/// Longest key, in bytes (64 KiB).
pub const KEY_BYTES_MAX: usize = 1 << 16;
/// Longest value, in bytes (256 MiB).
pub const VALUE_BYTES_MAX: usize = 1 << 28;
/// Most bytes of keys and values in one batch, with 64 more for each operation (1 GiB).
pub const BATCH_BYTES_MAX: usize = 1 << 30;
/// More than an operation takes in a memtable beside its key and value.
const OPERATION_BYTES: usize = 64;

/// Operations of one commit, in order. Clearing keeps the memory.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    bytes: Vec<u8>,
    operations: Vec<Operation>,
    ranges: Vec<(Range<usize>, Range<usize>)>,
    longest: usize,
}

#[derive(Clone, Debug)]
struct Operation {
    start: usize,
    key_end: usize,
    value_end: usize,
    kind: Kind,
}

impl Batch {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives `key` the value. Sizes are checked when the batch is written.
    pub fn put(&mut self, key: &[u8], value: &[u8]) {
        self.push(key, value, Kind::Put);
    }

    /// Takes `key` away; fine if it is not there.
    pub fn delete(&mut self, key: &[u8]) {
        self.push(key, &[], Kind::Delete);
    }

    /// Takes away every key from `start` (with) to `end` (without) that an earlier commit wrote (A2). Nothing if `start ≥ end`.
    pub fn delete_range(&mut self, start: &[u8], end: &[u8]) {
        if start < end {
            let from = self.append(start);
            let to = self.append(end);
            self.longest = self.longest.max(start.len()).max(end.len());
            self.ranges.push((from, to));
        }
    }

    /// Number of operations.
    pub fn len(&self) -> usize {
        self.operations.len() + self.ranges.len()
    }

    /// Whether there is no operation; such a batch still moves a tree on to its commit.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes of keys and values.
    pub fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Forgets the operations.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.operations.clear();
        self.ranges.clear();
        self.longest = 0;
    }

    /// Refuses what does not fit.
    pub(crate) fn check_sizes(&self) -> Result<(), LsmError> {
        let value = self.operations.iter().map(|operation| operation.value_end - operation.key_end).max().unwrap_or(0);
        let whole = self.bytes.len() + self.len() * OPERATION_BYTES;
        let too_large = [(self.longest, KEY_BYTES_MAX), (value, VALUE_BYTES_MAX), (whole, BATCH_BYTES_MAX)];
        match too_large.into_iter().find(|(bytes, max)| bytes > max) {
            Some((bytes, _)) => Err(LsmError::TooLarge { bytes: bytes as u64 }),
            None => Ok(()),
        }
    }

    /// Key, kind and value of each point operation, in order.
    pub(crate) fn operations(&self) -> impl Iterator<Item = (&[u8], Kind, &[u8])> {
        self.operations.iter().map(|operation| {
            let (key, value) = (operation.start..operation.key_end, operation.key_end..operation.value_end);
            (&self.bytes[key], operation.kind, &self.bytes[value])
        })
    }

    /// Start and end of each deleted range.
    pub(crate) fn ranges(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.ranges.iter().map(|(from, to)| (&self.bytes[from.clone()], &self.bytes[to.clone()]))
    }

    fn push(&mut self, key: &[u8], value: &[u8], kind: Kind) {
        let start = self.append(key).start;
        let value = self.append(value);
        self.longest = self.longest.max(key.len());
        self.operations.push(Operation { start, key_end: value.start, value_end: value.end, kind });
    }

    fn append(&mut self, bytes: &[u8]) -> Range<usize> {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        start..self.bytes.len()
    }
}
