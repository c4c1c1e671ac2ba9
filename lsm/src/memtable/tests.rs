//! The memtable against a sorted map, and readers beside the writer.

use super::*;
use crate::version::Kind;
use base::{Rng, SeededRng};
use std::collections::BTreeMap;

fn put(table: &Memtable, seq: u64, pairs: &[(&[u8], &[u8])]) {
    let mut batch = Batch::new();
    pairs.iter().for_each(|(key, value)| batch.put(key, value));
    table.apply(&batch, seq);
}

#[test]
fn versions_are_found_at_their_commits() {
    let table = Memtable::new(4096);
    put(&table, 1, &[(b"a", b"1")]);
    put(&table, 5, &[(b"a", b"5"), (b"a", b"last"), (b"", b"empty key")]);
    let value = |below| table.get(b"a", below).map(|version| version.value.to_vec());
    assert_eq!(value(9), Some(b"last".to_vec()), "A1");
    assert_eq!(value(5), Some(b"1".to_vec()));
    assert_eq!((value(1), value(0)), (None, None));
    assert_eq!(table.get(b"", 9).map(|version| version.value), Some(b"empty key".as_slice()));
    assert!(table.get(b"b", 9).is_none());
}

#[test]
fn random_versions_come_out_in_order_both_ways() {
    for seed in 0..20 {
        let rng = SeededRng::new(seed);
        let table = Arc::new(Memtable::new(1 << 14));
        let mut model = BTreeMap::new();
        for seq in 0..400u64 {
            let draw = rng.next_u64();
            let key = if seed % 2 == 0 { seq.to_be_bytes().to_vec() } else { (draw % 300).to_be_bytes()[6..].to_vec() };
            let value = vec![draw as u8; (draw >> 8) as usize % 40 + usize::from(seq == 77) * 5000];
            put(&table, seq, &[(&key, &value)]);
            model.insert((key, u64::MAX - seq), value);
        }
        let mut cursor = MemtableCursor::new(Arc::clone(&table));
        cursor.seek(b"", SEQ_END);
        for ((key, seq), value) in &model {
            let found = cursor.version().unwrap();
            assert_eq!(found, Version { key, seq: u64::MAX - seq, kind: Kind::Put, value }, "seed {seed}: K1");
            cursor.next();
        }
        assert!(cursor.version().is_none());
        cursor.seek_before(None);
        for ((key, seq), _) in model.iter().rev() {
            assert_eq!(cursor.version().map(|found| (found.key, found.seq)), Some((key.as_slice(), u64::MAX - seq)), "seed {seed}");
            cursor.back();
        }
        assert!(cursor.version().is_none());
    }
}

/// A search found the place of a commit's version, and then read the link to it once more. The writer had put a newer version of the key in between
/// by then, which the reader must not see, and saw. It took a busy machine to meet it.
#[test]
fn readers_beside_the_writer_see_whole_commits() {
    let table = Memtable::new(1 << 16);
    let applied = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while applied.load(Ordering::Acquire) < 2000 {
                    let below = applied.load(Ordering::Acquire);
                    for key in [b"first", b"later"] {
                        let found = table.get(key, below);
                        assert_eq!(found.map(|version| version.seq + 1), (below > 0).then_some(below), "Q1");
                        assert!(found.is_none_or(|version| version.value == version.seq.to_be_bytes()), "N1");
                    }
                }
            });
        }
        for seq in 0..2000u64 {
            put(&table, seq, &[(&seq.to_le_bytes(), b"other"), (b"first", &seq.to_be_bytes()), (b"later", &seq.to_be_bytes())]);
            applied.store(seq + 1, Ordering::Release);
        }
    });
}
