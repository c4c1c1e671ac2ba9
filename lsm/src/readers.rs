//! Who may still read at which commit, and so what compaction must keep.
//!
//! S1: a version is let go only if no reader, held or yet to come, sees it: nobody reads between it and what hides it.
//! S2: the horizon only grows, and no snapshot is begun below it.
//! A reader is known by its «below»: it sees the commits below that number.

/// Snapshots held, by their «below», and the lowest a new one may have.
#[derive(Debug, Default)]
pub(crate) struct Readers {
    /// Ascending, with how many snapshots there are at each: few, and most begin at the end.
    held: Vec<(u64, usize)>,
    horizon: u64,
}

impl Readers {
    /// No snapshots, and none to come below `horizon`.
    pub(crate) fn new(horizon: u64) -> Self {
        Self { held: Vec::new(), horizon }
    }

    pub(crate) fn horizon(&self) -> u64 {
        self.horizon
    }

    /// Begins a snapshot, unless it would be below the horizon (S2).
    pub(crate) fn begin(&mut self, below: u64) -> bool {
        if below < self.horizon {
            return false;
        }
        match self.place(below) {
            Ok(place) => self.held[place].1 += 1,
            Err(place) => self.held.insert(place, (below, 1)),
        }
        true
    }

    /// Ends a snapshot that was begun.
    pub(crate) fn end(&mut self, below: u64) {
        let place = self.place(below).unwrap_or_else(|_| panic!("S1: a snapshot ends once"));
        self.held[place].1 -= 1;
        if self.held[place].1 == 0 {
            self.held.remove(place);
        }
    }

    fn place(&self, below: u64) -> Result<usize, usize> {
        self.held.binary_search_by_key(&below, |held| held.0)
    }

    /// Promises that no snapshot will be begun below `horizon` (S2).
    pub(crate) fn release(&mut self, horizon: u64) {
        self.horizon = self.horizon.max(horizon);
    }

    /// Number of snapshots held.
    pub(crate) fn count(&self) -> usize {
        self.held.iter().map(|held| held.1).sum()
    }

    /// What must be kept, as of now. Readers to come only make less of a difference: they are above the horizon.
    pub(crate) fn keep(&self) -> Keep {
        Keep { held: self.held.iter().map(|held| held.0).collect(), horizon: self.horizon }
    }
}

/// Readers at one moment.
#[derive(Clone, Debug, Default)]
pub(crate) struct Keep {
    held: Vec<u64>,
    horizon: u64,
}

impl Keep {
    /// The horizon below which versions may be missing once this was acted on.
    pub(crate) fn horizon(&self) -> u64 {
        self.horizon
    }

    /// Whether any reader sees a version of commit `older` and not what commit `newer` did.
    pub(crate) fn anyone_between(&self, older: u64, newer: u64) -> bool {
        let first_above = self.held.partition_point(|below| *below <= older);
        newer >= self.horizon || self.held.get(first_above).is_some_and(|below| *below <= newer)
    }

    /// Whether every reader sees what commit `seq` did.
    pub(crate) fn everyone_sees(&self, seq: u64) -> bool {
        seq < self.horizon && self.held.first().is_none_or(|below| *below > seq)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readers_between_two_commits_are_found() {
        let mut readers = Readers::default();
        assert!(readers.begin(5) && readers.begin(5) && readers.begin(9));
        readers.release(20);
        let keep = readers.keep();
        assert!(keep.anyone_between(4, 5) && keep.anyone_between(3, 8) && keep.anyone_between(8, 19), "S1");
        assert!(!keep.anyone_between(5, 8) && !keep.anyone_between(9, 19) && !keep.anyone_between(1, 4), "S1");
        assert!(keep.anyone_between(9, 20), "S1: a reader to come sees commits below 20");
        assert!(keep.everyone_sees(4) && !keep.everyone_sees(5) && !keep.everyone_sees(25));
        assert!(!readers.begin(19) && readers.begin(20), "S2");
        readers.end(5);
        readers.end(5);
        readers.end(9);
        assert!(!readers.keep().anyone_between(4, 19));
    }
}
