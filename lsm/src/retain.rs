//! Which versions of a merge are kept, and which nobody can see any more.
//!
//! S1 decides: a version goes if something newer hides it and nobody reads between the two. G1: what says that a key is gone goes only when
//! everybody sees it and no level below holds the key, for otherwise older versions would come back.
//! Never: reorders.

use crate::readers::Keep;
use crate::tombstone::Fragments;
use crate::version::{Kind, Version};

/// Decides version by version, in the order K1.
#[derive(Debug)]
pub(crate) struct Retain<'a> {
    keep: &'a Keep,
    fragments: &'a Fragments,
    /// Whether no level below can hold any of the keys (G1).
    lowest: bool,
    key: Vec<u8>,
    /// Commit of the version before, if it was of the same key.
    newer: Option<u64>,
}

impl<'a> Retain<'a> {
    /// `fragments` are all ranges deleted in what is merged.
    pub(crate) fn new(keep: &'a Keep, fragments: &'a Fragments, lowest: bool) -> Self {
        Self { keep, fragments, lowest, key: Vec::new(), newer: None }
    }

    /// Whether the version is kept.
    pub(crate) fn keeps(&mut self, version: &Version<'_>) -> bool {
        if self.newer.is_none() || version.key != self.key.as_slice() {
            self.key.clear();
            self.key.extend_from_slice(version.key);
            self.newer = None;
        }
        let newer = self.newer.replace(version.seq);
        if newer == Some(version.seq) {
            // The batch did something to the key before (A1).
            return false;
        }
        // The oldest of what is newer hides the version from most readers.
        let range = self.fragments.seqs_at(version.key).iter().rev().copied().find(|seq| *seq > version.seq);
        let hidden_by = match (newer, range) {
            (Some(newer), Some(range)) => Some(newer.min(range)),
            (newer, range) => newer.or(range),
        };
        if hidden_by.is_some_and(|newer| !self.keep.anyone_between(version.seq, newer)) {
            return false;
        }
        !(version.kind == Kind::Delete && self.lowest && self.keep.everyone_sees(version.seq))
    }

    /// The deleted ranges that are kept.
    pub(crate) fn fragments(&self) -> Fragments {
        self.fragments.clone().retain(|seq, newer| {
            let hidden = newer.is_some_and(|newer| !self.keep.anyone_between(seq, newer));
            !(hidden || self.lowest && self.keep.everyone_sees(seq))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::readers::Readers;
    use crate::tombstone::Tombstone;

    fn kept(readers: &Readers, ranges: &[(&str, &str, u64)], lowest: bool, versions: &[(&str, u64, Kind)]) -> Vec<(String, u64)> {
        let tombstones: Vec<Tombstone> =
            ranges.iter().map(|(start, end, seq)| Tombstone { start: (*start).into(), end: (*end).into(), seq: *seq }).collect();
        let (keep, fragments) = (readers.keep(), Fragments::of(&tombstones));
        let mut retain = Retain::new(&keep, &fragments, lowest);
        let kept =
            versions.iter().filter(|(key, seq, kind)| retain.keeps(&Version { key: key.as_bytes(), seq: *seq, kind: *kind, value: &[] }));
        kept.map(|(key, seq, _)| ((*key).to_owned(), *seq)).collect()
    }

    const VERSIONS: &[(&str, u64, Kind)] =
        &[("a", 9, Kind::Put), ("a", 7, Kind::Put), ("a", 3, Kind::Put), ("b", 8, Kind::Delete), ("b", 2, Kind::Put), ("c", 4, Kind::Put)];

    fn shown(kept: &[(String, u64)]) -> String {
        kept.iter().map(|(key, seq)| format!("{key}{seq} ")).collect()
    }

    #[test]
    fn everything_stays_until_it_is_released() {
        assert_eq!(shown(&kept(&Readers::default(), &[], true, VERSIONS)), "a9 a7 a3 b8 b2 c4 ");
    }

    #[test]
    fn what_nobody_sees_goes() {
        let mut readers = Readers::default();
        assert!(readers.begin(5));
        readers.release(100);
        assert_eq!(shown(&kept(&readers, &[], false, VERSIONS)), "a9 a3 b8 b2 c4 ");
        readers.end(5);
        assert_eq!(shown(&kept(&readers, &[], false, VERSIONS)), "a9 b8 c4 ");
        assert_eq!(shown(&kept(&readers, &[], true, VERSIONS)), "a9 c4 ");
        assert_eq!(shown(&kept(&readers, &[("a", "c", 10)], true, VERSIONS)), "c4 ");
        assert_eq!(shown(&kept(&readers, &[("c", "d", 4)], true, VERSIONS)), "a9 c4 ");
    }

    #[test]
    fn deleted_ranges_go_last() {
        let readers = Readers::new(100);
        let keep = readers.keep();
        let fragments = Fragments::of(&[Tombstone { start: b"a".to_vec(), end: b"c".to_vec(), seq: 7 }]);
        assert!(Retain::new(&keep, &fragments, true).fragments().is_empty(), "G1");
        assert_eq!(Retain::new(&keep, &fragments, false).fragments(), fragments, "G1");
    }
}
