//! One vertex table: which vertices there are at a commit, and which row shows each.
//!
//! V1: ids are dense from 0; a vertex keeps its id through every version of its row, and when it comes back after it ended.
//! V2: of a vertex's row versions at most one is visible at a commit.
//! Never: knows a key: whoever feeds it has given the key its id.

use std::sync::Arc;

use parking_lot::Mutex;

use crate::run::NEVER;

const NONE: u32 = u32::MAX;

#[derive(Clone, Copy, Debug)]
struct Version {
    row: u64,
    created: u64,
    ended: u64,
    older: u32,
}

/// The vertices of one table that exist at a commit.
#[derive(Clone, Debug)]
pub enum Existing {
    /// All below a number.
    All(u32),
    /// Those whose bit is set, of as many as the second number says.
    Some(Arc<[u64]>, u32),
}

impl Existing {
    /// Whether the vertex exists.
    #[inline]
    pub fn has(&self, vertex: u32) -> bool {
        match self {
            Self::All(count) => vertex < *count,
            Self::Some(bits, count) => vertex < *count && bits[vertex as usize / 64] >> (vertex % 64) & 1 == 1,
        }
    }

    /// Whether every edge's end is one of them, so that none needs to be asked for.
    pub fn is_all(&self) -> bool {
        matches!(self, Self::All(_))
    }

    /// One past the greatest id.
    pub fn end(&self) -> u32 {
        match self {
            Self::All(count) | Self::Some(_, count) => *count,
        }
    }

    /// How many exist.
    pub fn count(&self) -> u64 {
        match self {
            Self::All(count) => u64::from(*count),
            Self::Some(bits, _) => bits.iter().map(|word| u64::from(word.count_ones())).sum(),
        }
    }
}

/// See the module.
#[derive(Debug, Default)]
pub struct Vertices {
    newest: Vec<u32>,
    versions: Vec<Version>,
    by_row: hashbrown::HashMap<u64, u32>,
    ended: usize,
    changed: u64,
    /// What was last found, and for which commit.
    known: Mutex<Option<(u64, Existing)>>,
}

impl Vertices {
    /// Takes in a row version that shows `vertex` from `commit` on.
    pub fn add(&mut self, vertex: u32, row: u64, commit: u64) {
        assert!(vertex != NONE, "V1: a table has fewer than 2^32 - 1 vertices");
        if self.newest.len() <= vertex as usize {
            self.newest.resize(vertex as usize + 1, NONE);
        }
        let version = self.versions.len() as u32;
        self.versions.push(Version { row, created: commit, ended: NEVER, older: self.newest[vertex as usize] });
        self.newest[vertex as usize] = version;
        self.by_row.insert(row, version);
        self.changed = commit;
    }

    /// Ends a row version; one that was never added is passed over.
    pub fn end(&mut self, row: u64, commit: u64) {
        if let Some(version) = self.by_row.remove(&row) {
            self.versions[version as usize].ended = commit;
            self.ended += 1;
            self.changed = commit;
        }
    }

    /// Row that shows the vertex at a commit, if it exists then (V2).
    pub fn row(&self, vertex: u32, at: u64) -> Option<u64> {
        let mut version = *self.newest.get(vertex as usize)?;
        while let Some(found) = self.versions.get(version as usize) {
            if found.created <= at {
                return (at < found.ended).then_some(found.row);
            }
            version = found.older;
        }
        None
    }

    /// The vertices that exist at a commit.
    pub fn existing(&self, at: u64) -> Existing {
        let (at, count) = (at.min(self.changed), self.newest.len() as u32);
        let mut known = self.known.lock();
        if let Some((commit, existing)) = &*known
            && *commit == at
            && existing.end() == count
        {
            return existing.clone();
        }
        let existing = if self.ended == 0 && at == self.changed && !self.newest.contains(&NONE) {
            Existing::All(count)
        } else {
            let mut bits = vec![0_u64; self.newest.len().div_ceil(64)];
            for vertex in (0..count).filter(|vertex| self.row(*vertex, at).is_some()) {
                bits[vertex as usize / 64] |= 1 << (vertex % 64);
            }
            Existing::Some(bits.into(), count)
        };
        *known = Some((at, existing.clone()));
        existing
    }

    /// Bytes held.
    pub fn bytes(&self) -> usize {
        self.newest.len() * size_of::<u32>() + self.versions.len() * size_of::<Version>() + self.by_row.allocation_size()
    }
}
