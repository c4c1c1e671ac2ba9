//! The shape that compaction gives a tree.

use crate::model::{open, small};
use base::{CommitSeq, Rng, SeededRng, SimIo};
use lsm::{Batch, Options, Tree};

fn fill(tree: &Tree, commits: u64, key: impl Fn(u64) -> Vec<u8>) {
    let rng = SeededRng::new(7);
    for seq in 0..commits {
        let mut batch = Batch::new();
        let mut value = [0; 64];
        rng.fill(&mut value);
        batch.put(&key(seq), &value);
        tree.write(&batch, CommitSeq(seq)).unwrap();
        if seq % 50 == 0 {
            tree.release(CommitSeq(seq));
        }
    }
    tree.flush().unwrap();
}

#[test]
fn levels_hold_what_the_options_say() {
    let tree = open(&SimIo::new(1), small()).unwrap();
    let rng = SeededRng::new(3);
    fill(&tree, 6000, |_| rng.next_u64().to_be_bytes().to_vec());
    tree.check().unwrap();
    let (stats, options) = (tree.stats(), small());
    assert!(stats.levels[0].runs < options.l0_runs_compact, "{stats:?}");
    for (level, found) in stats.levels.iter().enumerate().skip(1) {
        let max = options.level_bytes * options.level_ratio.pow(level as u32 - 1);
        assert!(found.bytes <= max, "level {level}: {found:?}, at most {max}");
    }
    assert!(stats.levels[3].runs > 0 && stats.compactions > 20, "{stats:?}");
    assert_eq!(stats.levels.iter().map(|level| level.versions).sum::<u64>(), 6000);
    assert!(stats.write_amplification() < 12.0, "{}", stats.write_amplification());
}

#[test]
fn keys_in_order_are_written_once() {
    let tree = open(&SimIo::new(1), small()).unwrap();
    fill(&tree, 3000, |seq| seq.to_be_bytes().to_vec());
    let stats = tree.stats();
    assert!(stats.moves > 10 && stats.compactions == 0, "O2: {stats:?}");
    assert!(stats.write_amplification() < 1.01);
    tree.check().unwrap();
}

#[test]
fn overwritten_keys_take_their_space_once() {
    let tree = open(&SimIo::new(1), Options { l0_runs_compact: 3, ..small() }).unwrap();
    fill(&tree, 5000, |seq| (seq % 40).to_be_bytes().to_vec());
    tree.release(CommitSeq(4999));
    tree.compact().unwrap();
    let stats = tree.stats();
    assert_eq!(stats.levels.iter().map(|level| level.versions).sum::<u64>(), 40, "{stats:?}");
}

#[test]
fn the_cache_keeps_to_its_budget() {
    let tree = open(&SimIo::new(1), small()).unwrap();
    for seq in 0..2000u64 {
        let mut batch = Batch::new();
        batch.put(&seq.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes(), &[seq as u8; 100]);
        tree.write(&batch, CommitSeq(seq)).unwrap();
    }
    tree.flush().unwrap();
    let latest = tree.latest();
    for _ in 0..2 {
        for seq in 0..2000u64 {
            let value = latest.get(&seq.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes()).unwrap();
            assert_eq!(value, Some(vec![seq as u8; 100]));
        }
    }
    let stats = tree.stats();
    assert!(stats.cache_bytes > small().cache_bytes / 2 && stats.cache_bytes <= small().cache_bytes, "H1: {stats:?}");
    assert!(stats.cache_hits > 0 && stats.cache_misses > 0, "{stats:?}");
}
