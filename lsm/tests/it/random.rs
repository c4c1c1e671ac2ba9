//! Random commits against the model, with snapshots held over flushes and compactions.

use crate::model::{Model, batch_of, compare, draw_batch, draw_key, open, pairs, seeds, small};
use base::{CommitSeq, Rng, SeededRng, SimIo};
use lsm::{LsmError, Snapshot, Tree};
use std::ops::Bound;

struct Life {
    rng: SeededRng,
    model: Model,
    seq: u64,
    released: u64,
    snapshots: Vec<Snapshot>,
    context: String,
}

impl Life {
    fn turn(&mut self, tree: &Tree) {
        let draw = self.rng.next_u64();
        match draw % 24 {
            0 => {
                tree.flush().unwrap();
                assert_eq!(tree.durable_seq(), tree.applied_seq());
            }
            1 => tree.compact().unwrap(),
            2 if self.seq > 0 => {
                let seq = draw >> 20 & 0xffff_ffff;
                let seq = self.released.saturating_sub(3) + seq % (self.seq - self.released.min(self.seq - 1) + 3);
                match tree.snapshot(CommitSeq(seq)) {
                    Ok(snapshot) => {
                        assert!(seq >= self.released && seq < self.seq, "S2");
                        self.snapshots.push(snapshot);
                    }
                    Err(LsmError::Released { .. }) => assert!(seq < self.released, "{}: S2", self.context),
                    Err(error) => assert!(matches!(error, LsmError::Ahead { .. }) && seq >= self.seq, "{}: {error}", self.context),
                }
            }
            3 if !self.snapshots.is_empty() => drop(self.snapshots.swap_remove(draw as usize / 24 % self.snapshots.len())),
            4 if self.seq > 0 && draw & 0x100 == 0 => {
                self.released = self.released.max((draw >> 20) % self.seq);
                tree.release(CommitSeq(self.released));
            }
            5 => self.compare_all(tree),
            6..=8 => self.compare_some(tree),
            _ => {
                self.seq += (draw >> 30) % 3;
                let operations = draw_batch(&self.rng, 90);
                tree.write(&batch_of(&operations), CommitSeq(self.seq)).unwrap();
                self.model.apply(&operations, self.seq);
                self.seq += 1;
            }
        }
    }

    fn compare_all(&self, tree: &Tree) {
        compare(&tree.latest(), &self.model, &self.context).unwrap();
        for snapshot in &self.snapshots {
            compare(snapshot, &self.model, &self.context).unwrap();
        }
    }

    fn compare_some(&self, tree: &Tree) {
        let latest = tree.latest();
        let snapshot = self.snapshots.last().unwrap_or(&latest);
        let (a, b) = (draw_key(&self.rng, 95), draw_key(&self.rng, 95));
        let (low, high) = (a.clone().min(b.clone()), a.max(b));
        let model = self.model.all(snapshot.seq());
        let within = |wanted: &dyn Fn(&[u8]) -> bool| model.iter().filter(|(key, _)| wanted(key)).cloned().collect::<Vec<_>>();
        let expected = within(&|key| key > low.as_slice() && key <= high.as_slice());
        let bounds = (Bound::Excluded(low.as_slice()), Bound::Included(high.as_slice()));
        assert_eq!(pairs(snapshot.range(bounds)), expected, "{}", self.context);
        let back: Vec<_> = pairs(snapshot.range_rev(bounds)).into_iter().rev().collect();
        assert_eq!(back, expected, "{}", self.context);
        let prefix = &low[..low.len().min(5)];
        let expected = within(&|key| key.starts_with(prefix));
        assert_eq!(pairs(snapshot.prefix(prefix)), expected, "{}", self.context);
        assert_eq!(pairs(snapshot.prefix_rev(prefix)).into_iter().rev().collect::<Vec<_>>(), expected, "{}", self.context);
    }
}

#[test]
fn a_tree_answers_as_a_map_of_versions() {
    let (mut depths, mut lives) = (0, 0);
    for seed in seeds(0..24) {
        lives += 1;
        let io = SimIo::new(seed);
        let mut tree = open(&io, small()).unwrap();
        let context = format!("seed {seed}");
        let mut life = Life { rng: SeededRng::new(seed), model: Model::default(), seq: 0, released: 0, snapshots: Vec::new(), context };
        for turn in 0..500 {
            life.turn(&tree);
            if turn % 170 == 169 {
                // A restart without power loss: what is durable stays, the rest is written again.
                life.snapshots.clear();
                tree.flush().unwrap();
                drop(tree);
                tree = open(&io, small()).unwrap();
                // A promise that nothing acted on yet is to be given again.
                if life.released > 0 {
                    tree.release(CommitSeq(life.released));
                }
            }
        }
        life.compare_all(&tree);
        tree.settle().unwrap();
        tree.check().unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        depths += tree.stats().levels.iter().filter(|level| level.runs > 0).count();
    }
    assert!(depths > lives, "trees of one level test little: {depths}");
}
