//! Lists of a hop: the edges at a vertex whose other end exists.
//!
//! Q1: a list ascends by (target, row) and holds no edge twice, even where a pattern without direction sees it from both ends.
//! Never: copies a list that can be read where it lies.

use crate::plan::Hop;
use crate::side::{List, Scratch};
use crate::topology::Snapshot;

/// Room for lists that cannot be read where they lie.
#[derive(Debug, Default)]
pub struct ListBuffer {
    scratch: Scratch,
    targets: Vec<u32>,
    rows: Vec<u64>,
}

/// The list of a hop at a vertex (Q1).
#[inline]
pub fn list<'a>(graph: &'a Snapshot, hop: &Hop, vertex: u32, buffer: &'a mut ListBuffer) -> List<'a> {
    let ListBuffer { scratch, targets, rows } = buffer;
    let list = graph.list(hop.edge_table, hop.backward, vertex, scratch);
    let existing = graph.existing(hop.target_table);
    let is_whole = existing.is_all() && list.targets.last().is_none_or(|last| *last < existing.end());
    let has_loop = hop.skips_loops && list.targets.binary_search(&vertex).is_ok();
    if is_whole && !has_loop {
        return list;
    }
    targets.clear();
    rows.clear();
    for (at, target) in list.targets.iter().enumerate() {
        if existing.has(*target) && !(has_loop && *target == vertex) {
            targets.push(*target);
            rows.push(list.row(at));
        }
    }
    List::plain(targets, rows)
}

/// First place in ascending `list` from `from` on whose value is at least `value`, by doubling steps.
#[inline]
pub fn gallop(list: &[u32], from: usize, value: u32) -> usize {
    let mut step = 1;
    let mut low = from;
    let mut high = from;
    while high < list.len() && list[high] < value {
        low = high + 1;
        high += step;
        step *= 2;
    }
    let high = high.min(list.len());
    low + list[low..high].partition_point(|found| *found < value)
}

/// How many times `value` stands in ascending `list`, and where first.
#[inline]
pub fn equal_range(list: &[u32], value: u32) -> std::ops::Range<usize> {
    let first = list.partition_point(|found| *found < value);
    first..first + list[first..].iter().take_while(|found| **found == value).count()
}

/// How many times the value at `at` stands there and after.
#[inline]
fn run_of(list: &[u32], at: usize) -> usize {
    1 + list[at + 1..].iter().take_while(|found| **found == list[at]).count()
}

/// Calls `take` with each value that stands in all lists and the product of how many times.
pub fn common(lists: &[&[u32]], mut take: impl FnMut(u32, u64)) {
    if let [a, b] = lists {
        return if a.len() <= b.len() { common_of_two(a, b, take) } else { common_of_two(b, a, take) };
    }
    let Some(shortest) = (0..lists.len()).min_by_key(|at| lists[*at].len()) else { return };
    let mut places = [0_usize; 64];
    let lead = lists[shortest];
    let mut at = 0;
    'values: while at < lead.len() {
        let value = lead[at];
        let run = run_of(lead, at);
        at += run;
        let mut count = run as u64;
        for (which, list) in lists.iter().enumerate().filter(|(which, _)| *which != shortest) {
            let place = gallop(list, places[which], value);
            places[which] = place;
            match list.get(place) {
                None => break 'values,
                Some(found) if *found == value => {
                    let run = run_of(list, place);
                    count = count.saturating_mul(run as u64);
                    places[which] = place + run;
                }
                Some(_) => continue 'values,
            }
        }
        take(value, count);
    }
}

fn common_of_two(short: &[u32], long: &[u32], mut take: impl FnMut(u32, u64)) {
    let (mut at, mut place) = (0, 0);
    while at < short.len() {
        let value = short[at];
        place = gallop(long, place, value);
        let Some(found) = long.get(place) else { return };
        let run = run_of(short, at);
        if *found == value {
            let other = run_of(long, place);
            take(value, run as u64 * other as u64);
            place += other;
        }
        at += run;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_values_are_those_of_nested_loops() {
        let mut state = 9_u64;
        let mut next = |end: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % end
        };
        for _ in 0..2_000 {
            let count = 1 + next(3) as usize;
            let mut lists: Vec<Vec<u32>> = (0..count).map(|_| (0..next(40)).map(|_| next(30) as u32).collect()).collect();
            lists.iter_mut().for_each(|list| list.sort_unstable());
            let mut found = Vec::new();
            common(&lists.iter().map(Vec::as_slice).collect::<Vec<_>>(), |value, count| found.push((value, count)));
            let times = |value: u32| lists.iter().map(|list| list.iter().filter(|other| **other == value).count() as u64).product::<u64>();
            let expected: Vec<(u32, u64)> = (0..30).map(|value| (value, times(value))).filter(|(_, count)| *count > 0).collect();
            assert_eq!(found, expected, "{lists:?}");
        }
    }
}
