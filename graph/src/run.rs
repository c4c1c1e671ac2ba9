//! A run: edges of one table seen from one side, sorted by source, target and row, and never changed.
//!
//! R1: within a source, entries ascend by (target, row), so that lists intersect by galloping.
//! R2: an entry is visible at commit `c` if `created ≤ c < ended`. Where a whole range is visible no entry is looked at.
//! R3: `ends` names entries of *other* runs that were ended later; only a delta's runs have any.
//! Never: knows which end of the edge it calls source.

use std::ops::Range;

use crate::packing::Packed;

/// The `ended` of what has not ended.
pub const NEVER: u64 = u64::MAX;

/// One edge as a run takes it in.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Entry {
    /// The end it is listed under.
    pub source: u32,
    /// The other end.
    pub target: u32,
    /// The edge's row.
    pub row: u64,
    /// Commit that added it.
    pub created: u64,
    /// Commit that ended it, or [`NEVER`].
    pub ended: u64,
}

/// Word of an entry's end that reached this side after the entry's run was made (R3).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct End {
    /// The end it is listed under.
    pub source: u32,
    /// The other end.
    pub target: u32,
    /// The edge's row.
    pub row: u64,
    /// Commit that ended it.
    pub commit: u64,
}

/// Where each source's entries begin.
#[derive(Debug)]
enum Offsets {
    /// One start for each source from `first` on, and the end.
    Dense { first: u32, starts: Box<[u32]> },
    /// A bit for each source from `first` on, set if it has entries, with the number of bits set before each word.
    Ranked { first: u32, words: Box<[(u64, u32)]>, starts: Box<[u32]> },
    /// Only sources that have entries, ascending.
    Sparse { sources: Box<[u32]>, starts: Box<[u32]> },
}

/// Sources that a dense run may span for each that has entries.
const DENSE_SPAN_MAX: usize = 2;
/// And a ranked one.
const RANKED_SPAN_MAX: usize = 256;

/// See the module.
#[derive(Debug)]
pub struct Run {
    offsets: Offsets,
    targets: Box<[u32]>,
    rows: Packed,
    created: Packed,
    created_max: u64,
    ended: Box<[(u32, u64)]>,
    ended_min: u64,
    ends: Box<[End]>,
}

impl Run {
    /// Makes a run of entries and ends, both sorted.
    pub fn new(entries: &[Entry], ends: Vec<End>) -> Self {
        debug_assert!(entries.is_sorted() && ends.is_sorted(), "R1: entries and ends come sorted");
        assert!(u32::try_from(entries.len()).is_ok(), "R1: a run has fewer than 2^32 entries");
        let created = Packed::new(&entries.iter().map(|entry| entry.created).collect::<Vec<_>>());
        let ended: Box<[(u32, u64)]> =
            entries.iter().enumerate().filter(|(_, entry)| entry.ended != NEVER).map(|(at, entry)| (at as u32, entry.ended)).collect();
        Self {
            offsets: Offsets::new(entries),
            targets: entries.iter().map(|entry| entry.target).collect(),
            rows: Packed::new(&entries.iter().map(|entry| entry.row).collect::<Vec<_>>()),
            created_max: created.bounds().map_or(0, |(_, max)| max),
            created,
            ended_min: ended.iter().map(|(_, commit)| *commit).min().unwrap_or(NEVER),
            ended,
            ends: ends.into(),
        }
    }

    /// Entries held.
    pub fn len(&self) -> usize {
        self.targets.len()
    }

    /// Entries and ends held: what merging it costs.
    pub fn weight(&self) -> usize {
        self.targets.len() + self.ends.len()
    }

    /// Places of a source's entries.
    #[inline]
    pub fn range(&self, source: u32) -> Range<usize> {
        match &self.offsets {
            Offsets::Dense { first, starts } => {
                let at = source.wrapping_sub(*first) as usize;
                if at + 1 < starts.len() { starts[at] as usize..starts[at + 1] as usize } else { 0..0 }
            }
            Offsets::Ranked { first, words, starts } => {
                let at = source.wrapping_sub(*first) as usize;
                match words.get(at / 64) {
                    Some((bits, before)) if bits >> (at % 64) & 1 == 1 => {
                        let rank = *before as usize + (bits & ((1 << (at % 64)) - 1)).count_ones() as usize;
                        starts[rank] as usize..starts[rank + 1] as usize
                    }
                    _ => 0..0,
                }
            }
            Offsets::Sparse { sources, starts } => match sources.binary_search(&source) {
                Ok(at) => starts[at] as usize..starts[at + 1] as usize,
                Err(_) => 0..0,
            },
        }
    }

    /// Whether all of a range is visible at `at`, as far as blocks tell (R2).
    #[inline]
    pub fn all_visible(&self, range: &Range<usize>, at: u64) -> bool {
        (self.created_max <= at || self.created.max_in(range.start, range.end) <= at)
            && (self.ended_min > at || self.ended_in(range).iter().all(|(_, commit)| *commit > at))
    }

    fn ended_in(&self, range: &Range<usize>) -> &[(u32, u64)] {
        let from = self.ended.partition_point(|(place, _)| (*place as usize) < range.start);
        let end = from + self.ended[from..].partition_point(|(place, _)| (*place as usize) < range.end);
        &self.ended[from..end]
    }

    /// The commit that ended the entry at a place, or [`NEVER`].
    fn ended_at(&self, place: usize) -> u64 {
        self.ended.binary_search_by_key(&(place as u32), |(place, _)| *place).map_or(NEVER, |at| self.ended[at].1)
    }

    /// Whether the entry at a place is visible at `at` (R2).
    pub fn visible(&self, place: usize, at: u64) -> bool {
        self.created.get(place) <= at && (self.ended_min > at || self.ended_at(place) > at)
    }

    /// Targets of a range.
    #[inline]
    pub fn targets(&self, range: Range<usize>) -> &[u32] {
        &self.targets[range]
    }

    /// Rows of all entries.
    pub fn rows(&self) -> &Packed {
        &self.rows
    }

    /// Ends of entries of other runs under a source.
    pub fn ends_of(&self, source: u32) -> &[End] {
        if self.ends.is_empty() {
            return &[];
        }
        let from = self.ends.partition_point(|end| end.source < source);
        &self.ends[from..from + self.ends[from..].partition_point(|end| end.source == source)]
    }

    /// All ends of entries of other runs.
    pub fn ends(&self) -> &[End] {
        &self.ends
    }

    /// All entries, sorted.
    pub fn entries(&self) -> Vec<Entry> {
        let mut entries = Vec::with_capacity(self.len());
        let mut take = |source: u32, range: Range<usize>| {
            for at in range {
                let (row, created) = (self.rows.get(at), self.created.get(at));
                entries.push(Entry { source, target: self.targets[at], row, created, ended: NEVER });
            }
        };
        match &self.offsets {
            Offsets::Dense { first, starts } => {
                starts.windows(2).zip(*first..).for_each(|(ends, source)| take(source, ends[0] as usize..ends[1] as usize));
            }
            Offsets::Ranked { first, words, starts } => {
                let set = (0..words.len() * 64).filter(|at| words[at / 64].0 >> (at % 64) & 1 == 1);
                starts.windows(2).zip(set).for_each(|(ends, at)| take(first + at as u32, ends[0] as usize..ends[1] as usize));
            }
            Offsets::Sparse { sources, starts } => {
                starts.windows(2).zip(sources).for_each(|(ends, source)| take(*source, ends[0] as usize..ends[1] as usize));
            }
        }
        for (place, commit) in &self.ended {
            entries[*place as usize].ended = *commit;
        }
        entries
    }

    /// Bytes held.
    pub fn bytes(&self) -> usize {
        let offsets = match &self.offsets {
            Offsets::Dense { starts, .. } => std::mem::size_of_val(&**starts),
            Offsets::Ranked { words, starts, .. } => std::mem::size_of_val(&**words) + std::mem::size_of_val(&**starts),
            Offsets::Sparse { sources, starts } => std::mem::size_of_val(&**sources) + std::mem::size_of_val(&**starts),
        };
        offsets
            + std::mem::size_of_val(&*self.targets)
            + self.rows.bytes()
            + self.created.bytes()
            + std::mem::size_of_val(&*self.ended)
            + std::mem::size_of_val(&*self.ends)
            + size_of::<Self>()
    }
}

impl Offsets {
    fn new(entries: &[Entry]) -> Self {
        let (Some(first), Some(last)) = (entries.first(), entries.last()) else {
            return Self::Sparse { sources: Box::default(), starts: Box::default() };
        };
        let distinct = 1 + entries.windows(2).filter(|pair| pair[0].source != pair[1].source).count();
        let span = (last.source - first.source) as usize + 1;
        if span <= distinct.saturating_mul(DENSE_SPAN_MAX) {
            let mut starts = vec![0_u32; span + 1];
            for entry in entries {
                starts[(entry.source - first.source) as usize + 1] += 1;
            }
            for at in 1..starts.len() {
                starts[at] += starts[at - 1];
            }
            return Self::Dense { first: first.source, starts: starts.into() };
        }
        let (mut sources, mut starts) = (Vec::with_capacity(distinct), Vec::with_capacity(distinct + 1));
        for (at, entry) in entries.iter().enumerate() {
            if sources.last() != Some(&entry.source) {
                sources.push(entry.source);
                starts.push(at as u32);
            }
        }
        starts.push(entries.len() as u32);
        if span <= distinct.saturating_mul(RANKED_SPAN_MAX) {
            let mut words = vec![(0_u64, 0_u32); span.div_ceil(64)];
            sources.iter().map(|source| (source - first.source) as usize).for_each(|at| words[at / 64].0 |= 1 << (at % 64));
            let mut before = 0;
            for word in &mut words {
                word.1 = before;
                before += word.0.count_ones();
            }
            return Self::Ranked { first: first.source, words: words.into(), starts: starts.into() };
        }
        Self::Sparse { sources: sources.into(), starts: starts.into() }
    }
}
