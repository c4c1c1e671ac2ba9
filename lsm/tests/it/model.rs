//! What a tree must answer: a sorted map from keys to all their versions. And a driver that does the same to both.

use base::{CommitSeq, Io, Rng, SeededRng, SimIo};
use lsm::{Batch, LsmError, Options, Scan, Snapshot, Tree};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// Where trees of the tests lie.
pub const DIR: &str = "/tree";

/// Sizes at which a few hundred commits give several levels.
pub fn small() -> Options {
    Options {
        memtable_bytes: 8 << 10,
        block_bytes: 256,
        run_bytes: 8 << 10,
        cache_bytes: 32 << 10,
        l0_runs_compact: 2,
        level_bytes: 16 << 10,
        level_ratio: 3,
        background: false,
        ..Options::default()
    }
}

pub fn shared(io: &SimIo) -> Arc<dyn Io> {
    Arc::new(io.clone())
}

pub fn open(io: &SimIo, options: Options) -> Result<Tree, LsmError> {
    Tree::open(shared(io), Path::new(DIR), options)
}

/// The seeds to run: `usual`, or those that `SHOCKWAVE_SEEDS=100..200` names.
pub fn seeds(usual: std::ops::Range<u64>) -> std::ops::Range<u64> {
    let Ok(named) = std::env::var("SHOCKWAVE_SEEDS") else { return usual };
    let (first, end) = named.split_once("..").unwrap();
    first.parse().unwrap()..end.parse().unwrap()
}

/// Keys and values.
pub type Pairs = Vec<(Vec<u8>, Vec<u8>)>;

/// Versions of a key, oldest first; `None`: gone.
type Versions = Vec<(u64, Option<Vec<u8>>)>;

/// All versions of all keys.
#[derive(Clone, Default)]
pub struct Model(BTreeMap<Vec<u8>, Versions>);

/// One operation of a batch.
#[derive(Clone, Debug)]
pub enum Operation {
    Put(Vec<u8>, Vec<u8>),
    Delete(Vec<u8>),
    DeleteRange(Vec<u8>, Vec<u8>),
}

pub fn batch_of(operations: &[Operation]) -> Batch {
    let mut batch = Batch::new();
    for operation in operations {
        match operation {
            Operation::Put(key, value) => batch.put(key, value),
            Operation::Delete(key) => batch.delete(key),
            Operation::DeleteRange(start, end) => batch.delete_range(start, end),
        }
    }
    batch
}

impl Model {
    pub fn apply(&mut self, operations: &[Operation], seq: u64) {
        for operation in operations {
            if let Operation::DeleteRange(start, end) = operation
                && start < end
            {
                self.0.range_mut(start.clone()..end.clone()).for_each(|(_, versions)| set(versions, seq, None));
            }
        }
        for operation in operations {
            match operation {
                Operation::Put(key, value) => set(self.0.entry(key.clone()).or_default(), seq, Some(value.clone())),
                Operation::Delete(key) => set(self.0.entry(key.clone()).or_default(), seq, None),
                Operation::DeleteRange(..) => {}
            }
        }
    }

    pub fn get(&self, key: &[u8], seq: Option<CommitSeq>) -> Option<Vec<u8>> {
        visible(self.0.get(key)?, seq)
    }

    /// Everything as of a commit.
    pub fn all(&self, seq: Option<CommitSeq>) -> Pairs {
        self.0.iter().filter_map(|(key, versions)| Some((key.clone(), visible(versions, seq)?))).collect()
    }
}

fn set(versions: &mut Versions, seq: u64, value: Option<Vec<u8>>) {
    versions.retain(|version| version.0 != seq);
    versions.push((seq, value));
}

fn visible(versions: &[(u64, Option<Vec<u8>>)], seq: Option<CommitSeq>) -> Option<Vec<u8>> {
    versions.iter().rev().find(|version| version.0 <= seq.map_or(0, |seq| seq.0) && seq.is_some())?.1.clone()
}

/// Draws operations over few keys, some with a common prefix, some with a long one.
pub fn draw_key(rng: &SeededRng, keys: u64) -> Vec<u8> {
    let number = rng.next_u64() % keys;
    match number % 7 {
        0 => (number as u32).to_be_bytes().to_vec(),
        1 => format!("long/{}/{number}", "x".repeat(40)).into_bytes(),
        _ => format!("k{number:06}").into_bytes(),
    }
}

pub fn draw_batch(rng: &SeededRng, keys: u64) -> Vec<Operation> {
    let count = 1 + rng.next_u64() % 8;
    let draw = || {
        let draw = rng.next_u64();
        let key = draw_key(rng, keys);
        match draw % 40 {
            0 => {
                let other = draw_key(rng, keys);
                Operation::DeleteRange(key.clone().min(other.clone()), key.max(other))
            }
            1..=8 => Operation::Delete(key),
            9 => Operation::Put(key, vec![draw as u8; (draw >> 20) as usize % 900]),
            _ => {
                let mut value = vec![0; (draw >> 20) as usize % 60];
                rng.fill(&mut value);
                Operation::Put(key, value)
            }
        }
    };
    (0..count).map(|_| draw()).collect()
}

/// Everything a snapshot gives, read both ways.
pub fn everything(snapshot: &Snapshot, context: &str) -> Result<Pairs, LsmError> {
    let forwards = snapshot.range(..)?.collect()?;
    let mut backwards = snapshot.range_rev(..)?.collect()?;
    backwards.reverse();
    assert_eq!(forwards, backwards, "{context}: a scan and its reverse differ");
    Ok(forwards)
}

/// Compares all that a snapshot gives with the model, by scan and by single lookups.
pub fn compare(snapshot: &Snapshot, model: &Model, context: &str) -> Result<(), LsmError> {
    let expected = model.all(snapshot.seq());
    let found = everything(snapshot, context)?;
    assert!(found == expected, "{context}: at {:?} {} keys, expected {}", snapshot.seq(), found.len(), expected.len());
    for key in model.0.keys() {
        assert_eq!(snapshot.get(key)?, model.get(key, snapshot.seq()), "{context}: {key:?} at {:?}", snapshot.seq());
    }
    Ok(())
}

/// The pairs of a scan.
pub fn pairs(scan: Result<Scan, LsmError>) -> Pairs {
    scan.unwrap().collect().unwrap()
}
