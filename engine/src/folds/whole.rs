//! At which commits each index has all rows that can be seen there.
//!
//! H1: an index has them at every commit since it was made, but for a gap: commits that the folds did not have and were brought up to at once lack rows
//!     that were ended by the last of them (U1 of `catch_up.rs`).
//! H2: of an index made before, a view of the present asks since when there is one, and no more: no snapshot is older than the ledger's opening, and folds
//!     that are made anew while it is held have all rows that it sees (U1).
//! H3: a gap is known before the tree that has it is read.
//! Never: forgets a gap.

use hashbrown::HashMap;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Whole {
    /// By key: the commit that made its index.
    since: HashMap<u32, u64>,
    /// The first commit and the last, at which nothing is missing any more.
    gaps: Vec<(u64, u64)>,
}

impl Whole {
    pub(crate) fn since(&self, key: u32) -> Option<u64> {
        self.since.get(&key).copied()
    }

    /// Whether the index of a key has all rows that can be seen at a commit, however long ago (H1).
    pub(crate) fn is_at(&self, key: u32, commit: u64) -> bool {
        self.since(key).is_some_and(|since| since <= commit) && !self.gaps.iter().any(|(first, last)| (*first..*last).contains(&commit))
    }

    /// Notes an index, unless it is known.
    pub(crate) fn add(&mut self, key: u32, since: u64) {
        self.since.entry(key).or_insert(since);
    }

    pub(crate) fn add_gap(&mut self, first: u64, last: u64) {
        self.gaps.push((first, last));
    }

    /// For an empty tree.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_ends_where_nothing_is_missing() {
        let mut whole = Whole::default();
        whole.add(7, 3);
        whole.add(7, 9);
        whole.add_gap(5, 8);
        let at: Vec<u64> = (0..12).filter(|commit| whole.is_at(7, *commit)).collect();
        assert_eq!(at, [3, 4, 8, 9, 10, 11], "H1");
        assert!(!whole.is_at(8, 11), "no index");
        // Brought up to a single commit: nothing between.
        whole.add_gap(9, 9);
        assert!(whole.is_at(7, 9), "H1");
    }
}
