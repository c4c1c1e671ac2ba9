//! One tree, one thread, a disk without faults.

use crate::model::{DIR, open, pairs, small};
use base::{CommitSeq, Io, SimIo};
use lsm::{Batch, LsmError, Options, Tree};
use std::ops::Bound;
use std::path::Path;

fn put(tree: &Tree, seq: u64, pairs: &[(&str, &str)]) {
    let mut batch = Batch::new();
    pairs.iter().for_each(|(key, value)| batch.put(key.as_bytes(), value.as_bytes()));
    tree.write(&batch, CommitSeq(seq)).unwrap();
}

fn keys(found: Vec<(Vec<u8>, Vec<u8>)>) -> String {
    found.iter().map(|(key, _)| String::from_utf8_lossy(key).into_owned() + " ").collect()
}

#[test]
fn an_empty_tree_has_nothing() {
    let tree = open(&SimIo::new(1), small()).unwrap();
    assert_eq!((tree.applied_seq(), tree.durable_seq()), (None, None));
    let latest = tree.latest();
    assert_eq!((latest.seq(), latest.get(b"a").unwrap()), (None, None));
    assert!(pairs(latest.range(..)).is_empty() && pairs(latest.range_rev(..)).is_empty());
    assert!(matches!(tree.snapshot(CommitSeq(0)), Err(LsmError::Ahead { .. })));
    tree.flush().unwrap();
    tree.check().unwrap();
    // It goes on seeing nothing when something comes.
    put(&tree, 0, &[("a", "1")]);
    assert_eq!(latest.get(b"a").unwrap(), None);
}

#[test]
fn ranges_end_where_their_bounds_say() {
    for flushed in [false, true] {
        let tree = open(&SimIo::new(1), small()).unwrap();
        put(&tree, 3, &[("a", "1"), ("ab", "2"), ("b", "3"), ("ba", "4"), ("c", "5")]);
        if flushed {
            tree.flush().unwrap();
        }
        let latest = tree.latest();
        assert_eq!(keys(pairs(latest.range(&b"ab"[..]..&b"ba"[..]))), "ab b ");
        assert_eq!(keys(pairs(latest.range(&b"ab"[..]..=&b"ba"[..]))), "ab b ba ");
        assert_eq!(keys(pairs(latest.range((Bound::Excluded(&b"ab"[..]), Bound::Unbounded)))), "b ba c ");
        assert_eq!(keys(pairs(latest.range_rev(&b"ab"[..]..&b"ba"[..]))), "b ab ");
        assert_eq!(keys(pairs(latest.range_rev((Bound::Excluded(&b"ab"[..]), Bound::Included(&b"ba"[..]))))), "ba b ");
        assert_eq!(keys(pairs(latest.range_rev(..))), "c ba b ab a ");
        assert_eq!(keys(pairs(latest.prefix(b"b"))), "b ba ");
        assert_eq!(keys(pairs(latest.prefix_rev(b"a"))), "ab a ");
        assert_eq!(keys(pairs(latest.prefix(b""))), "a ab b ba c ");
        assert!(pairs(latest.range(&b"b"[..]..&b"b"[..])).is_empty() && pairs(latest.range(&b"c"[..]..&b"b"[..])).is_empty());
        assert!(pairs(latest.range_rev(&b"x"[..]..)).is_empty());
    }
}

#[test]
fn the_last_operation_of_a_batch_counts_and_ranges_hide_earlier_commits_only() {
    for flushed in [false, true] {
        let tree = open(&SimIo::new(1), small()).unwrap();
        put(&tree, 0, &[("b", "old"), ("c", "old")]);
        let mut batch = Batch::new();
        batch.put(b"a", b"first");
        batch.delete(b"a");
        batch.put(b"a", b"last");
        batch.put(b"b", b"new");
        batch.delete_range(b"a", b"d");
        batch.put(b"x", b"");
        batch.delete(b"x");
        tree.write(&batch, CommitSeq(1)).unwrap();
        if flushed {
            tree.flush().unwrap();
            tree.check().unwrap();
        }
        let latest = tree.latest();
        let expected = vec![(b"a".to_vec(), b"last".to_vec()), (b"b".to_vec(), b"new".to_vec())];
        assert_eq!(pairs(latest.range(..)), expected, "A1, A2");
        assert_eq!(pairs(latest.range_rev(..)).into_iter().rev().collect::<Vec<_>>(), expected, "A1, A2");
        assert_eq!(latest.get(b"c").unwrap(), None);
        assert_eq!(latest.get_with(b"a", <[u8]>::len).unwrap(), Some(4));
        assert!(latest.contains(b"b").unwrap() && !latest.contains(b"x").unwrap());
    }
}

#[test]
fn commits_come_in_order_each_once() {
    let tree = open(&SimIo::new(1), small()).unwrap();
    put(&tree, 4, &[("a", "1")]);
    let again = tree.write(&Batch::new(), CommitSeq(4)).unwrap_err();
    assert_eq!(again.to_string(), "commit 4 cannot follow commit 4");
    tree.write(&Batch::new(), CommitSeq(9)).unwrap();
    assert_eq!(tree.applied_seq(), Some(CommitSeq(9)));
    tree.flush().unwrap();
    assert_eq!(tree.durable_seq(), Some(CommitSeq(9)));
    // Commits that did nothing here count too.
    tree.write(&Batch::new(), CommitSeq(12)).unwrap();
    tree.flush().unwrap();
    assert_eq!((tree.durable_seq(), tree.stats().flushes), (Some(CommitSeq(12)), 1));
}

#[test]
fn what_is_too_large_is_refused() {
    let tree = open(&SimIo::new(1), small()).unwrap();
    let mut batch = Batch::new();
    batch.put(&vec![1; lsm::KEY_BYTES_MAX], b"fits");
    tree.write(&batch, CommitSeq(1)).unwrap();
    batch.put(&vec![1; lsm::KEY_BYTES_MAX + 1], b"does not");
    assert!(matches!(tree.write(&batch, CommitSeq(2)), Err(LsmError::TooLarge { bytes: 65_537 })));
    assert!(matches!(tree.write(&Batch::new(), CommitSeq(u64::MAX)), Err(LsmError::TooLarge { .. })));
    assert_eq!(tree.applied_seq(), Some(CommitSeq(1)));
    tree.flush().unwrap();
    tree.check().unwrap();
}

#[test]
fn large_and_empty_values_come_back() {
    let tree = open(&SimIo::new(1), small()).unwrap();
    let large: Vec<u8> = (0..300_000u32).map(|n| (n.wrapping_mul(n) >> 7) as u8).collect();
    let mut batch = Batch::new();
    batch.put(b"", b"the empty key");
    batch.put(b"empty", b"");
    batch.put(b"large", &large);
    batch.put(b"same", &vec![7; 100_000]);
    tree.write(&batch, CommitSeq(0)).unwrap();
    for _ in 0..2 {
        let latest = tree.latest();
        assert_eq!(latest.get(b"").unwrap().as_deref(), Some(b"the empty key".as_slice()));
        assert_eq!(latest.get(b"empty").unwrap(), Some(Vec::new()));
        assert!(latest.get(b"large").unwrap() == Some(large.clone()) && latest.get(b"same").unwrap() == Some(vec![7; 100_000]));
        tree.flush().unwrap();
    }
    tree.check().unwrap();
}

#[test]
fn runs_are_read_only_and_strays_go() {
    let io = SimIo::new(1);
    let tree = open(&io, small()).unwrap();
    put(&tree, 1, &[("a", "1")]);
    tree.flush().unwrap();
    drop(tree);
    let dir = Path::new(DIR);
    let runs = |io: &SimIo| io.list(dir).unwrap().into_iter().filter(|name| name.ends_with(".run")).collect::<Vec<_>>();
    let [run] = runs(&io).try_into().unwrap();
    assert_eq!(io.mode(&dir.join(&run)).unwrap() & 0o222, 0, "R1");
    for stray in ["00000000000000000077.run", "manifest.tmp", "notes.txt"] {
        io.create_new(&dir.join(stray), 0o600).unwrap();
    }
    let tree = open(&io, small()).unwrap();
    assert_eq!(io.list(dir).unwrap(), [run.as_str(), "manifest", "notes.txt"], "T3");
    assert_eq!(tree.latest().get(b"a").unwrap(), Some(b"1".to_vec()));
    put(&tree, 2, &[("b", "1")]);
    tree.flush().unwrap();
    assert!(runs(&io).iter().any(|name| name > &"00000000000000000077.run".to_owned()), "numbers of strays are not used again");
}

#[test]
fn options_may_change_from_one_start_to_the_next() {
    let io = SimIo::new(1);
    let tree = open(&io, small()).unwrap();
    put(&tree, 1, &[("a", "1")]);
    tree.flush().unwrap();
    drop(tree);
    let tree = open(&io, Options { background: false, cache_bytes: 0, ..Options::default() }).unwrap();
    assert_eq!((tree.applied_seq(), tree.latest().get(b"a").unwrap()), (Some(CommitSeq(1)), Some(b"1".to_vec())));
}
