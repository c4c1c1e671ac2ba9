//! Records as they are read: views into the log's own files, not copies.
//!
//! P1: the bytes under a payload never change while it lives; releasing its file only removes the name.

use crate::{Position, RecordKind};
use base::Mapped;
use std::fmt;
use std::ops::{Deref, Range};

/// A record's bytes. Derefs to `[u8]`; clones and slices share the file's map, which lives as long as any of them. Starts at a multiple of 32
/// in memory.
#[derive(Clone)]
pub struct Payload {
    map: Mapped,
    range: Range<usize>,
}

impl Payload {
    pub(crate) fn new(map: Mapped, range: Range<usize>) -> Self {
        assert!(range.start <= range.end && range.end <= map.len(), "P1: a payload of {range:?} in a map of {}", map.len());
        Self { map, range }
    }

    /// The part `range` (counted from the payload's start), sharing the map. Panics if it is not inside.
    #[must_use]
    pub fn slice(&self, range: Range<usize>) -> Self {
        assert!(range.start <= range.end && range.end <= self.len(), "P1: slice {range:?} of a payload of {}", self.len());
        Self { map: self.map.clone(), range: self.range.start + range.start..self.range.start + range.end }
    }
}

impl Payload {
    /// Lets the kernel take back the pages under it: it is not to be read soon, and reads the same when it is.
    pub fn give_back(&self) {
        self.map.give_back(self.range.clone());
    }
}

impl Deref for Payload {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.map[self.range.clone()]
    }
}

impl AsRef<[u8]> for Payload {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Payload({} bytes)", self.len())
    }
}

/// A record as recovery hands it out.
#[derive(Clone, Debug)]
pub struct Record {
    /// Where it stands in the log.
    pub position: Position,
    /// What the caller said it is.
    pub kind: RecordKind,
    /// Its bytes.
    pub payload: Payload,
}
