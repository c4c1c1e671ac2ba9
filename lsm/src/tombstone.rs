//! Deleted ranges, cut into pieces that do not overlap, so that one look says what hides a key.
//!
//! D1: fragments are in order, not empty, and do not overlap; the commits of each are descending, without doubles.
//! D2: a range deleted by commit *t* hides exactly the versions below *t* of the keys from its start (with) to its end (without).

/// A range deleted by one commit.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Tombstone {
    pub(crate) start: Vec<u8>,
    pub(crate) end: Vec<u8>,
    pub(crate) seq: u64,
}

/// Any number of deleted ranges (D1).
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(crate) struct Fragments(Vec<Fragment>);

#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Fragment {
    pub(crate) start: Vec<u8>,
    pub(crate) end: Vec<u8>,
    pub(crate) seqs: Vec<u64>,
}

impl Fragment {
    fn tombstones(&self) -> impl Iterator<Item = Tombstone> {
        self.seqs.iter().map(|seq| Tombstone { start: self.start.clone(), end: self.end.clone(), seq: *seq })
    }
}

impl Fragments {
    /// The same deletions as `tombstones`, in pieces.
    pub(crate) fn of(tombstones: &[Tombstone]) -> Self {
        let mut cuts: Vec<&[u8]> = tombstones.iter().flat_map(|t| [t.start.as_slice(), t.end.as_slice()]).collect();
        cuts.sort_unstable();
        cuts.dedup();
        let place = |key: &[u8]| cuts.partition_point(|cut| *cut < key);
        let mut seqs = vec![Vec::new(); cuts.len()];
        for tombstone in tombstones.iter().filter(|t| t.start < t.end) {
            seqs[place(&tombstone.start)..place(&tombstone.end)].iter_mut().for_each(|seqs| seqs.push(tombstone.seq));
        }
        let mut fragments: Vec<Fragment> = Vec::new();
        for (pair, mut seqs) in cuts.windows(2).zip(seqs) {
            seqs.sort_unstable_by(|a, b| b.cmp(a));
            seqs.dedup();
            match fragments.last_mut() {
                Some(last) if last.end == pair[0] && last.seqs == seqs => last.end = pair[1].to_vec(),
                _ if seqs.is_empty() => {}
                _ => fragments.push(Fragment { start: pair[0].to_vec(), end: pair[1].to_vec(), seqs }),
            }
        }
        Self(fragments)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Fragment> {
        self.0.iter()
    }

    /// The newest commit below `below` that deleted `key` with a range: versions under it are hidden. 0, which hides nothing, if none did.
    pub(crate) fn hides(&self, key: &[u8], below: u64) -> u64 {
        self.seqs_at(key).iter().copied().find(|seq| *seq < below).unwrap_or(0)
    }

    /// All commits that deleted `key` with a range, newest first.
    pub(crate) fn seqs_at(&self, key: &[u8]) -> &[u64] {
        let after = self.0.partition_point(|fragment| fragment.start.as_slice() <= key);
        match after.checked_sub(1).map(|at| &self.0[at]) {
            Some(fragment) if key < fragment.end.as_slice() => &fragment.seqs,
            _ => &[],
        }
    }

    /// One tombstone for each fragment and commit.
    pub(crate) fn tombstones(&self) -> impl Iterator<Item = Tombstone> {
        self.0.iter().flat_map(Fragment::tombstones)
    }

    /// What lies from `from` (with) to `to` (without), cut at both; `None` is no limit.
    pub(crate) fn clip(&self, from: Option<&[u8]>, to: Option<&[u8]>) -> Vec<Tombstone> {
        let start = from.map_or(0, |from| self.0.partition_point(|fragment| fragment.end.as_slice() <= from));
        let end = to.map_or(self.0.len(), |to| self.0.partition_point(|fragment| fragment.start.as_slice() < to));
        let within = self.0.get(start..end).unwrap_or_default();
        let clipped = within.iter().flat_map(Fragment::tombstones).map(|mut tombstone| {
            if let Some(from) = from.filter(|from| *from > tombstone.start.as_slice()) {
                tombstone.start = from.to_vec();
            }
            if let Some(to) = to.filter(|to| *to < tombstone.end.as_slice()) {
                tombstone.end = to.to_vec();
            }
            tombstone
        });
        clipped.filter(|tombstone| tombstone.start < tombstone.end).collect()
    }

    /// Keeps of each fragment the commits that `keep` wants, given the next newer one in it.
    pub(crate) fn retain(mut self, keep: impl Fn(u64, Option<u64>) -> bool) -> Self {
        for fragment in &mut self.0 {
            let mut newer = None;
            fragment.seqs.retain(|seq| keep(*seq, newer.replace(*seq)));
        }
        self.0.retain(|fragment| !fragment.seqs.is_empty());
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tombstone(start: &str, end: &str, seq: u64) -> Tombstone {
        Tombstone { start: start.into(), end: end.into(), seq }
    }

    #[test]
    fn overlapping_ranges_are_cut() {
        let fragments = Fragments::of(&[tombstone("b", "f", 5), tombstone("d", "h", 3), tombstone("h", "k", 3), tombstone("x", "x", 9)]);
        let shown: Vec<String> = fragments
            .iter()
            .map(|f| format!("{}-{} {:?}", String::from_utf8_lossy(&f.start), String::from_utf8_lossy(&f.end), f.seqs))
            .collect();
        assert_eq!(shown, ["b-d [5]", "d-f [5, 3]", "f-k [3]"], "D1");
        assert_eq!(fragments.hides(b"e", 100), 5);
        assert_eq!(fragments.hides(b"e", 5), 3);
        assert_eq!(fragments.hides(b"b", 5), 0);
        assert_eq!((fragments.hides(b"a", 9), fragments.hides(b"k", 9)), (0, 0), "D2");
    }

    #[test]
    fn pieces_are_clipped_and_joined_again() {
        let whole = Fragments::of(&[tombstone("b", "k", 5), tombstone("d", "f", 7)]);
        let mut parts = whole.clip(None, Some(b"e"));
        parts.extend(whole.clip(Some(b"e"), None));
        assert!(parts.len() > 3);
        assert_eq!(Fragments::of(&parts), whole);
        assert!(whole.clip(Some(b"k"), None).is_empty());
    }
}
