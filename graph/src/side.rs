//! The edges of one table seen from one side: runs by groups of 64K sources, the delta of newest edges, and reading all of it as one list.
//!
//! D1: a list ascends by (target, row) and holds exactly the entries visible at the asked commit.
//! D2: a group has at most four runs, none with ends of other runs; there and in the delta runs shrink by half or more from old to new.
//! D3: a side never changes: a commit makes another that shares its runs, so readers hold theirs without locks.
//! D4: rows are numbered in the order of commits, so of two runs the older has the lesser rows.
//! Never: forgets an ended entry: AS OF reads it.

use std::sync::Arc;

use crate::packing::Packed;
use crate::run::{End, Entry, NEVER, Run};

/// Sources of a group, as a power of two.
const GROUP_BITS: u32 = 16;
/// Runs a group may have before they become one.
const GROUP_RUNS_MAX: usize = 4;
/// Entries and ends the delta may hold, unless a thirty-second of all edges is more.
const DELTA_WEIGHT_MAX: usize = 1 << 12;

/// See the module.
#[derive(Clone, Debug, Default)]
pub struct Side {
    groups: Vec<Vec<Arc<Run>>>,
    delta: Vec<Arc<Run>>,
    entries: usize,
}

/// Where a list is put together when it is no slice of one run.
#[derive(Debug, Default)]
pub struct Scratch {
    placed: Vec<(u32, Place)>,
    targets: Vec<u32>,
    places: Vec<Place>,
}

/// An entry of a list: which of the source's runs, oldest first, and where in it.
#[derive(Clone, Copy, Debug)]
struct Place {
    run: u32,
    at: u32,
}

/// The entries of one source, ascending by (target, row).
#[derive(Clone, Copy, Debug)]
pub struct List<'a> {
    /// The other ends.
    pub targets: &'a [u32],
    rows: Rows<'a>,
}

#[derive(Clone, Copy, Debug)]
enum Rows<'a> {
    Packed { rows: &'a Packed, from: usize },
    Plain(&'a [u64]),
    Placed { side: &'a Side, source: u32, places: &'a [Place] },
}

impl<'a> List<'a> {
    /// A list of targets with their rows, as many of each.
    pub(crate) fn plain(targets: &'a [u32], rows: &'a [u64]) -> Self {
        List { targets, rows: Rows::Plain(rows) }
    }

    /// Row of the edge at a place of `targets`.
    #[inline]
    pub fn row(&self, at: usize) -> u64 {
        match self.rows {
            Rows::Packed { rows, from } => rows.get(from + at),
            Rows::Plain(rows) => rows[at],
            Rows::Placed { side, source, places } => {
                let place = places[at];
                side.pieces(source).nth(place.run as usize).map_or(0, |run| run.rows().get(place.at as usize))
            }
        }
    }
}

const EMPTY: List<'static> = List { targets: &[], rows: Rows::Plain(&[]) };

impl Side {
    /// The side after a commit added and ended edges: both sorted.
    pub fn with(&self, added: &[Entry], ended: Vec<End>) -> Self {
        let mut next = self.clone();
        next.entries += added.len();
        next.delta.push(Arc::new(Run::new(added, ended)));
        if next.delta.iter().map(|run| run.weight()).sum::<usize>() > DELTA_WEIGHT_MAX.max(next.entries / 32) {
            next.flush();
        }
        join_newest(&mut next.delta);
        next
    }

    /// Moves the delta into the groups (D2).
    fn flush(&mut self) {
        let all = merge(&std::mem::take(&mut self.delta));
        let (entries, ends) = (all.entries(), all.ends());
        let group_of = |source: u32| (source >> GROUP_BITS) as usize;
        let last = entries.last().map(|entry| entry.source).max(ends.last().map(|end| end.source));
        if let Some(last) = last {
            self.groups.resize_with(self.groups.len().max(group_of(last) + 1), Vec::new);
        }
        let (mut entries, mut ends) = (entries.as_slice(), ends);
        for (at, group) in self.groups.iter_mut().enumerate() {
            let here = entries.partition_point(|entry| group_of(entry.source) <= at);
            let ended = ends.partition_point(|end| group_of(end.source) <= at);
            let made = Run::new(&entries[..here], ends[..ended].to_vec());
            (entries, ends) = (&entries[here..], &ends[ended..]);
            if made.weight() == 0 {
                continue;
            }
            let has_ends = !made.ends().is_empty();
            group.push(Arc::new(made));
            if has_ends || group.len() > GROUP_RUNS_MAX {
                compact_group(group);
            }
            join_newest(group);
        }
    }

    /// The side with one run a group and no delta.
    pub fn compacted(&self) -> Self {
        let mut next = self.clone();
        next.flush();
        next.groups.iter_mut().filter(|group| group.len() > 1).for_each(compact_group);
        next
    }

    /// The entries of `source` visible at `at` (D1).
    #[inline]
    pub fn list<'a>(&'a self, source: u32, at: u64, scratch: &'a mut Scratch) -> List<'a> {
        if self.delta.is_empty() {
            match self.groups.get((source >> GROUP_BITS) as usize).map(Vec::as_slice) {
                None | Some([]) => return EMPTY,
                Some([run]) => {
                    let range = run.range(source);
                    if range.is_empty() {
                        return EMPTY;
                    }
                    if run.all_visible(&range, at) {
                        return slice(run, range);
                    }
                }
                Some(_) => {}
            }
        }
        self.merged(source, at, scratch)
    }

    fn pieces(&self, source: u32) -> impl Iterator<Item = &Run> {
        let group = self.groups.get((source >> GROUP_BITS) as usize).map_or(&[][..], Vec::as_slice);
        group.iter().chain(&self.delta).map(|run| &**run)
    }

    fn merged<'a>(&'a self, source: u32, at: u64, scratch: &'a mut Scratch) -> List<'a> {
        let mut with_entries = self.pieces(source).filter(|run| !run.range(source).is_empty());
        let (first, second) = (with_entries.next(), with_entries.next());
        let Some(first) = first else { return EMPTY };
        let is_ended = self.delta.iter().any(|run| !run.ends_of(source).is_empty());
        let range = first.range(source);
        if second.is_none() && !is_ended && first.all_visible(&range, at) {
            return slice(first, range);
        }
        let Scratch { placed, targets, places } = scratch;
        if second.is_none() && !is_ended {
            let which = self.pieces(source).position(|run| std::ptr::eq(run, first)).unwrap_or_default() as u32;
            targets.clear();
            places.clear();
            for (target, place) in first.targets(range.clone()).iter().zip(range) {
                if first.visible(place, at) {
                    targets.push(*target);
                    places.push(Place { run: which, at: place as u32 });
                }
            }
            return List { targets, rows: Rows::Placed { side: self, source, places } };
        }
        placed.clear();
        for (which, run) in self.pieces(source).enumerate() {
            let range = run.range(source);
            if range.is_empty() {
                continue;
            }
            let all = run.all_visible(&range, at);
            let entries = run.targets(range.clone()).iter().zip(range);
            let visible = entries.filter(|(_, place)| all || run.visible(*place, at));
            placed.extend(visible.map(|(target, place)| (*target, Place { run: which as u32, at: place as u32 })));
        }
        if second.is_some() {
            // Stable sorting finds the ascending runs and merges them; of equal targets the older run has the lesser row (D4).
            placed.sort_by_key(|(target, _)| *target);
        }
        if is_ended {
            let ended = self.delta.iter().flat_map(|run| run.ends_of(source)).filter(|end| end.commit <= at);
            let mut ended: Vec<(u32, u64)> = ended.map(|end| (end.target, end.row)).collect();
            ended.sort_unstable();
            let row = |place: &Place| self.pieces(source).nth(place.run as usize).map_or(0, |run| run.rows().get(place.at as usize));
            placed.retain(|(target, place)| ended.is_empty() || ended.binary_search(&(*target, row(place))).is_err());
        }
        targets.clear();
        places.clear();
        targets.extend(placed.iter().map(|(target, _)| *target));
        places.extend(placed.iter().map(|(_, place)| *place));
        List { targets, rows: Rows::Placed { side: self, source, places } }
    }

    /// Bytes held.
    pub fn bytes(&self) -> usize {
        self.groups.iter().flatten().chain(&self.delta).map(|run| run.bytes()).sum()
    }
}

fn slice(run: &Run, range: std::ops::Range<usize>) -> List<'_> {
    List { targets: run.targets(range.clone()), rows: Rows::Packed { rows: run.rows(), from: range.start } }
}

/// Joins the newest runs until each is less than half of the one before it.
fn join_newest(runs: &mut Vec<Arc<Run>>) {
    while let [.., older, newer] = runs.as_slice()
        && newer.weight() * 2 >= older.weight()
    {
        let joined = Arc::new(merge(&runs[runs.len() - 2..]));
        runs.truncate(runs.len() - 2);
        runs.push(joined);
    }
}

fn compact_group(group: &mut Vec<Arc<Run>>) {
    let merged = merge(group);
    assert!(merged.ends().is_empty(), "D2: every end names an entry of its group");
    *group = vec![Arc::new(merged)];
}

/// One run of several: ends are written into the entries they name, the rest of them stays.
fn merge(runs: &[Arc<Run>]) -> Run {
    let mut entries: Vec<Entry> = runs.iter().flat_map(|run| run.entries()).collect();
    entries.sort();
    let mut ends: Vec<End> = runs.iter().flat_map(|run| run.ends()).copied().collect();
    ends.sort();
    ends.retain(|end| {
        let key = (end.source, end.target, end.row);
        match entries.binary_search_by_key(&key, |entry| (entry.source, entry.target, entry.row)) {
            Ok(at) => {
                debug_assert!(entries[at].ended == NEVER, "D1: an entry ends once");
                entries[at].ended = end.commit;
                false
            }
            Err(_) => true,
        }
    });
    Run::new(&entries, ends)
}
