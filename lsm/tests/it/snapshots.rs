//! What snapshots pin, and what goes when nobody looks any more.

use crate::model::{open, small};
use base::{CommitSeq, SimIo};
use lsm::{Batch, LsmError, Tree};

fn write(tree: &Tree, seq: u64, fill: impl FnOnce(&mut Batch)) {
    let mut batch = Batch::new();
    fill(&mut batch);
    tree.write(&batch, CommitSeq(seq)).unwrap();
}

fn versions(tree: &Tree) -> u64 {
    tree.stats().levels.iter().map(|level| level.versions).sum()
}

/// Ten versions of each of 50 keys.
fn history(tree: &Tree) {
    for seq in 0..10 {
        write(tree, seq, |batch| (0..50u32).for_each(|key| batch.put(&key.to_be_bytes(), &[seq as u8; 20])));
    }
}

#[test]
fn without_a_release_every_commit_can_be_read() {
    let tree = open(&SimIo::new(1), small()).unwrap();
    history(&tree);
    tree.compact().unwrap();
    assert_eq!(versions(&tree), 500);
    for seq in 0..10 {
        assert_eq!(tree.snapshot(CommitSeq(seq)).unwrap().get(&[0, 0, 0, 7]).unwrap(), Some(vec![seq as u8; 20]));
    }
}

#[test]
fn a_snapshot_keeps_what_it_sees_and_no_more() {
    let io = SimIo::new(1);
    let tree = open(&io, small()).unwrap();
    history(&tree);
    let third = tree.snapshot(CommitSeq(3)).unwrap();
    tree.release(CommitSeq(9));
    assert!(matches!(tree.snapshot(CommitSeq(8)), Err(LsmError::Released { seq: CommitSeq(8), oldest: CommitSeq(9) })), "S2");
    tree.compact().unwrap();
    assert_eq!(versions(&tree), 100, "S1");
    assert_eq!(third.get(&[0, 0, 0, 7]).unwrap(), Some(vec![3; 20]));
    assert_eq!(tree.latest().get(&[0, 0, 0, 7]).unwrap(), Some(vec![9; 20]));
    drop(third);
    write(&tree, 10, |batch| (0..50u32).for_each(|key| batch.put(&key.to_be_bytes(), &[10; 20])));
    tree.release(CommitSeq(10));
    tree.compact().unwrap();
    assert_eq!(versions(&tree), 50);
    // What was let go stays so over a restart.
    drop(tree);
    let tree = open(&io, small()).unwrap();
    assert!(matches!(tree.snapshot(CommitSeq(9)), Err(LsmError::Released { .. })), "S2");
    assert!(tree.snapshot(CommitSeq(10)).is_ok());
}

#[test]
fn deleted_keys_and_ranges_leave_nothing_behind() {
    let tree = open(&SimIo::new(1), small()).unwrap();
    history(&tree);
    tree.compact().unwrap();
    let before = tree.latest();
    write(&tree, 10, |batch| batch.delete_range(&10u32.to_be_bytes(), &40u32.to_be_bytes()));
    write(&tree, 11, |batch| (0..5u32).for_each(|key| batch.delete(&key.to_be_bytes())));
    write(&tree, 12, |batch| batch.put(&20u32.to_be_bytes(), b"again"));
    tree.release(CommitSeq(12));
    tree.compact().unwrap();
    assert_eq!(before.range(..).unwrap().collect().unwrap().len(), 50, "S1");
    let left = tree.latest().range(..).unwrap().collect().unwrap();
    assert_eq!(left.len(), 16);
    drop(before);
    write(&tree, 13, |batch| batch.put(b"zzz", b"1"));
    tree.release(CommitSeq(13));
    tree.compact().unwrap();
    assert_eq!((versions(&tree), tree.latest().range(..).unwrap().collect().unwrap().len()), (17, 17), "G1");
    write(&tree, 14, |batch| batch.delete_range(b"", b"zzzz"));
    tree.release(CommitSeq(14));
    tree.compact().unwrap();
    let stats = tree.stats();
    assert!(stats.levels.iter().all(|level| level.runs == 0), "{stats:?}");
    tree.check().unwrap();
}

#[test]
fn a_scan_outlives_its_snapshot() {
    let tree = open(&SimIo::new(1), small()).unwrap();
    history(&tree);
    tree.flush().unwrap();
    let mut scan = tree.latest().range(..).unwrap();
    assert!(scan.step().unwrap().is_some());
    write(&tree, 10, |batch| batch.delete_range(&[], &[255]));
    tree.release(CommitSeq(10));
    tree.compact().unwrap();
    assert_eq!(scan.collect().unwrap().len(), 49);
}

#[test]
fn a_key_with_many_versions_is_passed() {
    let tree = open(&SimIo::new(1), small()).unwrap();
    for seq in 0..300 {
        write(&tree, seq, |batch| {
            batch.put(b"b", &[seq as u8]);
            if seq % 100 == 0 {
                [&b"a"[..], b"b\0", b"c"].iter().for_each(|key| batch.put(key, &[seq as u8]));
            }
        });
        if seq == 200 {
            tree.flush().unwrap();
        }
    }
    for seq in [0, 1, 99, 150, 205, 299] {
        let snapshot = tree.snapshot(CommitSeq(seq)).unwrap();
        let others = (seq / 100 * 100) as u8;
        let expected = [(&b"a"[..], others), (b"b", seq as u8), (b"b\0", others), (b"c", others)];
        let expected: Vec<_> = expected.iter().map(|(key, value)| (key.to_vec(), vec![*value])).collect();
        assert_eq!(snapshot.range(..).unwrap().collect().unwrap(), expected, "{seq}");
        let back = snapshot.range_rev(..).unwrap().collect().unwrap();
        assert_eq!(back.into_iter().rev().collect::<Vec<_>>(), expected, "{seq}");
    }
}
