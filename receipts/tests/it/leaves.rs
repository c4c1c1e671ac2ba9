//! Leaves: one encoding each, every other byte string refused.

use receipts::leaf::{LEAF_BYTES_MAX, leaf_hashes};
use receipts::tree::RowHashTree;
use receipts::{CommitLeaf, KeyLeaf, Keys, Leaf, TableSpan, TreeHash};

use crate::sample::{LEDGER, Sample, TIME_US};

fn commit() -> CommitLeaf {
    match &Sample::new().leaves[2] {
        Leaf::Commit(leaf) => leaf.clone(),
        _ => unreachable!("leaf 2 of the sample is a commit"),
    }
}

fn encodes(change: impl FnOnce(&mut CommitLeaf)) -> bool {
    let mut leaf = commit();
    change(&mut leaf);
    Leaf::Commit(leaf).encode().is_ok()
}

#[test]
fn every_kind_comes_back() {
    let sample = Sample::new();
    let mut kinds: Vec<&str> = sample.leaves.iter().map(Leaf::kind_name).collect();
    for (i, (leaf, bytes)) in sample.leaves.iter().zip(&sample.bytes).enumerate() {
        assert_eq!(Leaf::decode(bytes).as_ref(), Ok(leaf));
        assert_eq!((leaf.seq(), leaf.ledger()), (i as u64, LEDGER));
    }
    kinds.sort_unstable();
    kinds.dedup();
    assert_eq!(kinds, ["checkpoint", "commit", "incarnation", "key"]);
}

#[test]
fn a_changed_byte_is_another_leaf_or_none() {
    for bytes in Sample::new().bytes {
        for i in 0..bytes.len() {
            for bit in 0..8 {
                let mut changed = bytes.clone();
                changed[i] ^= 1 << bit;
                if let Ok(leaf) = Leaf::decode(&changed) {
                    assert_eq!(leaf.encode().unwrap(), changed, "byte {i}: what decodes is canonical");
                }
            }
        }
        for len in 0..bytes.len() {
            assert!(Leaf::decode(&bytes[..len]).is_err(), "cut to {len}");
        }
        assert!(Leaf::decode(&[&bytes[..], &[0]].concat()).is_err(), "one byte too long");
    }
}

#[test]
fn reserved_bytes_versions_and_kinds() {
    let bytes = &Sample::new().bytes[2];
    // Magic, version, kind, reserved, then the eight reserved bytes after the plan hash.
    let plan_end = 40 + 32 + 8 + 32 + 32 + 32;
    for (at, value) in [(0, b'X'), (4, 2), (5, 0), (5, 5), (6, 1), (7, 1), (plan_end, 1), (plan_end + 7, 1)] {
        let mut changed = bytes.clone();
        changed[at] = value;
        assert!(Leaf::decode(&changed).is_err(), "byte {at} = {value}");
    }
}

#[test]
fn spans_are_sorted_full_and_add_up() {
    assert!(encodes(|_| ()));
    assert!(!encodes(|leaf| leaf.n_rows += 1));
    assert!(!encodes(|leaf| leaf.tables.reverse()));
    assert!(!encodes(|leaf| leaf.tables[1].relation = leaf.tables[0].relation));
    assert!(!encodes(|leaf| leaf.tables.push(TableSpan { relation: 9999, first_row: 0, rows: 0 })));
    assert!(!encodes(|leaf| leaf.tables[0].first_row = u64::MAX - 1));
    assert!(!encodes(|leaf| (leaf.tables[0].rows, leaf.tables[1].rows) = (u64::MAX, 6)));
    assert!(!encodes(|leaf| (leaf.n_rows, leaf.tables) = (0, vec![])), "no rows needs the empty row root");
    assert!(encodes(|leaf| (leaf.n_rows, leaf.tables, leaf.row_root) = (0, vec![], RowHashTree::empty())));
    assert!(encodes(|leaf| leaf.actor = "x".repeat(63)));
    assert!(!encodes(|leaf| leaf.actor = "x".repeat(64)));
    assert!(!encodes(|leaf| leaf.actor = "a\0b".to_owned()));
    assert!(encodes(|leaf| leaf.idempotency_key = vec![0xff; 64]));
    assert!(!encodes(|leaf| leaf.idempotency_key = vec![0; 65]));
}

#[test]
fn a_leaf_fits_an_entry_bundle() {
    let with_tables = |n: u32| {
        let tables = (0..n).map(|relation| TableSpan { relation, first_row: 0, rows: 1 }).collect();
        Leaf::Commit(CommitLeaf { n_rows: n.into(), tables, ..commit() }).encode()
    };
    let bytes = with_tables(3_260).unwrap();
    assert!(bytes.len() <= LEAF_BYTES_MAX);
    assert!(Leaf::decode(&bytes).is_ok());
    assert!(with_tables(3_270).unwrap_err().why.contains("65535"));
    assert!(Leaf::decode(&vec![0; LEAF_BYTES_MAX + 1]).is_err());
}

#[test]
fn rows_are_located_both_ways() {
    let leaf = commit();
    for index in 0..leaf.n_rows {
        let (span, row_id) = leaf.locate(index).unwrap();
        assert_eq!(leaf.index_of(span.relation, row_id), Some(index));
    }
    assert_eq!(leaf.locate(3).map(|(span, row_id)| (span.relation, row_id)), Some((1002, 0)));
    assert_eq!(leaf.locate(leaf.n_rows), None);
    assert_eq!(leaf.locate(u64::MAX), None);
    assert_eq!((leaf.index_of(1001, 3), leaf.index_of(1003, 0)), (None, None));
}

#[test]
fn first_keys_sign_themselves_and_old_keys_sign_new_ones() {
    let sample = Sample::new();
    let origin = sample.keys.origin();
    let next = Keys::from_seeds(origin, &[0x61; 32], &[0x62; 32]).unwrap();
    let [old_sha, old_b3] = sample.keys.verifiers().map(|key| *key.public());
    let old = Some((&old_sha, &old_b3));

    let genesis = KeyLeaf::new(0, TIME_US, &sample.keys, None).unwrap();
    assert!(genesis.verify(None));
    assert!(!genesis.verify(old), "first keys replace none");
    assert_eq!(genesis.verifiers().unwrap().each_ref(), sample.keys.verifiers());

    let rotation = KeyLeaf::new(9, TIME_US, &next, Some(&sample.keys)).unwrap();
    assert!(rotation.verify(old));
    assert!(!rotation.verify(None));
    assert!(!rotation.verify(Some((&old_b3, &old_sha))));
    let by_stranger = KeyLeaf::new(9, TIME_US, &next, Some(&next)).unwrap();
    assert!(!by_stranger.verify(old), "a new key cannot sign for the old one");
    for change in [
        (|leaf: &mut KeyLeaf| leaf.seq += 1) as fn(&mut KeyLeaf),
        |leaf| leaf.time_us += 1,
        |leaf| leaf.sha_key = [9; 32],
        |leaf| leaf.b3_key[0] ^= 1,
        |leaf| leaf.signatures.sha[63] ^= 1,
        |leaf| leaf.signatures.b3[0] ^= 1,
        |leaf| leaf.replaced.as_mut().unwrap().sha[0] ^= 1,
        |leaf| leaf.replaced.as_mut().unwrap().b3[0] ^= 1,
        |leaf| leaf.replaced = None,
    ] {
        let mut changed = rotation.clone();
        change(&mut changed);
        assert!(!changed.verify(old));
    }
    let other = Keys::from_seeds("shop/00000000000000000000000000000000", &[1; 32], &[2; 32]).unwrap();
    assert!(KeyLeaf::new(9, TIME_US, &next, Some(&other)).is_err());
    let mut foreign = genesis.clone();
    foreign.origin = other.origin().to_owned();
    assert!(Leaf::Key(foreign).encode().is_err(), "the origin is this ledger's");
}

#[test]
fn both_trees_hash_the_same_bytes_differently() {
    let (sha, b3) = leaf_hashes(&Sample::new().bytes[0]);
    assert_ne!(sha, b3);
}
