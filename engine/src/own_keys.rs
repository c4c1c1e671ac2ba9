//! The unique keys of the rows that a transaction has written: in memory while they are few, then in sorted runs.
//!
//! W1: a later own row takes a value over from an earlier one; rows are learnt in order, so what is in memory is newer than every run, and a later run
//!     newer than those before.
//! W2: a run never changes. Clones (savepoints, views) share runs and go on each with its own.
//! W3: at most the budget and one statement's keys are in memory.
//! Never: knows which rows are ended.

use std::collections::BTreeMap;
use std::sync::Arc;

use base::SqlResult;
use hashbrown::HashMap;
use lsm::StagedScan;

use crate::folds::Name;
use crate::folds::staged::{Place, Staged};
use crate::key::Key;

/// What a key takes in memory beside its bytes, about.
const ENTRY_BYTES: usize = 64;
/// So many runs of one tier become one of the next.
const FAN_IN: usize = 8;

/// Values of each unique key, row by row; `None` where a column is NULL.
pub type NewKeys = Vec<(u32, Vec<Option<Key>>)>;

#[derive(Clone, Debug)]
struct Run {
    staged: Arc<Staged>,
    tier: u8,
}

/// By unique key: the newest own row of each value written.
#[derive(Clone, Debug, Default)]
pub struct OwnKeys {
    recent: BTreeMap<u32, HashMap<Key, u64>>,
    recent_bytes: usize,
    /// Oldest first.
    runs: Vec<Run>,
}

impl OwnKeys {
    /// The newest own row with this value of a unique key. Errors: XX001 where a run is damaged.
    pub fn newest(&self, id: u32, key: &Key) -> SqlResult<Option<u64>> {
        if let Some(own) = self.recent.get(&id).and_then(|known| known.get(key)) {
            return Ok(Some(*own));
        }
        if self.runs.is_empty() {
            return Ok(None);
        }
        let mut name = Name::default();
        let name = name.unique(id, key);
        for run in self.runs.iter().rev() {
            if let Some(own) = run.staged.newest(name)? {
                return Ok(Some(own));
            }
        }
        Ok(None)
    }

    /// All of them, by key and value; `None` where they are too many for memory.
    pub(crate) fn in_memory(&self) -> Option<&BTreeMap<u32, HashMap<Key, u64>>> {
        self.runs.is_empty().then_some(&self.recent)
    }

    /// Takes in the values of rows just written, from own row `first` on.
    pub(crate) fn learn(&mut self, keys: NewKeys, first: u64) {
        for (id, values) in keys {
            let known = self.recent.entry(id).or_default();
            known.reserve(values.len());
            for (key, own) in values.into_iter().zip(first..) {
                let Some(key) = key else { continue };
                self.recent_bytes += ENTRY_BYTES + key.heap_bytes();
                known.insert(key, own);
            }
        }
    }

    /// Sorts what is in memory into a run if it has grown beyond the budget (W3). Nothing is lost where that fails.
    ///
    /// Errors: 53100, 58030.
    pub(crate) fn make_room(&mut self, place: &Arc<Place>) -> SqlResult<()> {
        if self.recent_bytes <= place.budget_bytes {
            return Ok(());
        }
        let (mut bytes, mut entries) = (Vec::new(), Vec::new());
        let mut name = Name::default();
        for (id, known) in &self.recent {
            for (key, own) in known {
                let start = bytes.len();
                bytes.extend_from_slice(name.unique(*id, key));
                entries.push((start, bytes.len(), *own));
            }
        }
        entries.sort_unstable_by(|a, b| bytes[a.0..a.1].cmp(&bytes[b.0..b.1]));
        let mut staged = Place::open(place, 0)?;
        staged.add(entries.iter().map(|(start, end, own)| (&bytes[*start..*end], *own, &[][..])))?;
        self.runs.push(Run { staged: Arc::new(staged), tier: 0 });
        self.recent.values_mut().for_each(HashMap::clear);
        self.recent_bytes = 0;
        self.join_runs(place)
    }

    /// Keeps the runs that a lookup asks few.
    fn join_runs(&mut self, place: &Arc<Place>) -> SqlResult<()> {
        while let Some(tier) = self.runs.last().map(|run| run.tier)
            && self.runs.len() >= FAN_IN
            && self.runs[self.runs.len() - FAN_IN..].iter().all(|run| run.tier == tier)
        {
            let first = self.runs.len() - FAN_IN;
            let mut joined = Place::open(place, 0)?;
            let scan = StagedScan::of(self.runs[first..].iter().map(|run| &**run.staged))?;
            joined.add_scan(scan)?;
            self.runs.truncate(first);
            self.runs.push(Run { staged: Arc::new(joined), tier: tier + 1 });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::{Rng, SeededRng, SimIo};

    #[test]
    fn keys_in_runs_and_in_memory_answer_as_a_map_does() {
        for seed in 0..4 {
            let io = SimIo::new(seed);
            let rng = SeededRng::new(seed);
            let place = Arc::new(Place::new(Arc::new(io.clone()), "/folds".into(), 2_000, 0));
            let (mut keys, mut model, mut own) = (OwnKeys::default(), HashMap::new(), 0);
            let mut saved = Vec::new();
            for turn in 0..400 {
                keys.make_room(&place).unwrap();
                let count = rng.next_u64() % 20;
                let draw = |id: u32| {
                    let draw = rng.next_u64() % 900;
                    (!draw.is_multiple_of(11)).then(|| match id {
                        1 => Key::Int(draw as i64),
                        _ => Key::Bytes(vec![draw as u8; (draw % 700) as usize].into()),
                    })
                };
                let new: NewKeys = [1, 2].into_iter().map(|id| (id, (0..count).map(|_| draw(id)).collect())).collect();
                for (id, values) in &new {
                    model.extend(values.iter().zip(own..).filter_map(|(key, own)| Some(((*id, key.clone()?), own))));
                }
                keys.learn(new, own);
                own += count;
                match turn % 100 {
                    30 => saved.push((keys.clone(), model.clone())),
                    // Another branch goes on from there.
                    60 => (keys, model) = saved.last().cloned().unwrap(),
                    _ => {}
                }
            }
            assert!(keys.in_memory().is_none() && keys.runs.len() < 3 * FAN_IN, "W3: {} runs", keys.runs.len());
            saved.push((keys, model));
            for (keys, model) in &saved {
                for value in 0..900_u64 {
                    let long = Key::Bytes(vec![value as u8; (value % 700) as usize].into());
                    for (id, key) in [(1, Key::Int(value as i64)), (2, long)] {
                        let expected = model.get(&(id, key.clone())).copied();
                        assert_eq!(keys.newest(id, &key).unwrap(), expected, "seed {seed}, key {id}, value {value}");
                    }
                }
            }
            drop(saved);
            let left = base::Io::list(&io, std::path::Path::new("/folds")).unwrap();
            let files = left.iter().flat_map(|dir| base::Io::list(&io, &std::path::Path::new("/folds").join(dir)).unwrap());
            assert_eq!(files.count(), 0, "nothing stays behind");
        }
    }
}
