//! Salts, commitments and row hashes: their preimages spelled out, and the SIMD path against the plain one.

use receipts::hash::Purpose;
use receipts::row::{OP_DELETE, OP_INSERT, OP_UPDATE};
use receipts::row_tree::{GROUP_ROWS, GroupTree, group_root, row_path_from_groups, verify_row_path};
use receipts::tree::{RowHashTree, root_of};
use receipts::{Hash, RowHeader, RowLanes, RowTree, Supersedes, field_commitment, field_salt, row_hash};

use crate::sample::Random;

fn keyed(context: &str, bytes: &[u8]) -> Hash {
    *blake3::keyed_hash(&blake3::derive_key(context, &[]), bytes).as_bytes()
}

fn padded(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.resize(bytes.len().next_multiple_of(64), 0);
    bytes
}

#[test]
fn every_purpose_has_its_own_key() {
    let mut keys: Vec<Hash> = Purpose::ALL.iter().map(|purpose| *purpose.key()).collect();
    for purpose in Purpose::ALL {
        assert_eq!(*purpose.key(), blake3::derive_key(purpose.context(), &[]));
    }
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), Purpose::ALL.len());
}

#[test]
fn salt_preimage() {
    let row_salt: [u8; 16] = std::array::from_fn(|i| i as u8);
    let preimage = padded([&row_salt[..], &3u32.to_le_bytes()].concat());
    assert_eq!(field_salt(&row_salt, 3), keyed("shockwave 2026 salt v1", &preimage)[..16]);
}

#[test]
fn field_preimage_at_every_length() {
    let value = Random(1).bytes(3000);
    for len in (0..300).chain([990, 991, 992, 1023, 1024, 1025, 2000, 3000]) {
        let value = &value[..len];
        let mut preimage = vec![7; 16];
        preimage.extend(9u32.to_le_bytes());
        preimage.extend(25u32.to_le_bytes());
        preimage.push(0);
        preimage.extend((len as u64).to_le_bytes());
        preimage.extend(value);
        assert_eq!(field_commitment(&[7; 16], 9, 25, Some(value)), keyed("shockwave 2026 field v1", &padded(preimage)), "{len} bytes");
    }
}

#[test]
fn null_empty_and_zero_differ() {
    let salt = [1; 16];
    let all = [
        field_commitment(&salt, 1, 25, None),
        field_commitment(&salt, 1, 25, Some(b"")),
        field_commitment(&salt, 1, 25, Some(&[0])),
        field_commitment(&salt, 1, 25, Some(&[0, 0])),
        field_commitment(&salt, 1, 17, Some(b"")),
        field_commitment(&salt, 2, 25, Some(b"")),
        field_commitment(&[2; 16], 1, 25, Some(b"")),
    ];
    for (i, one) in all.iter().enumerate() {
        assert!(!all[i + 1..].contains(one), "{i}");
    }
}

#[test]
fn row_preimage_at_every_width() {
    let header = RowHeader { relation: 1001, schema_version: 7, op: OP_UPDATE, supersedes: Supersedes::Row(42) };
    for n in (0..40).chain([100, 1600]) {
        let commitments: Vec<Hash> = (0..n).map(|i| [i as u8; 32]).collect();
        let mut preimage = vec![1];
        preimage.extend(1001u32.to_le_bytes());
        preimage.extend(7u32.to_le_bytes());
        preimage.extend([OP_UPDATE, 1]);
        preimage.extend(42u64.to_le_bytes());
        preimage.extend((n as u32).to_le_bytes());
        preimage.extend(commitments.concat());
        assert_eq!(row_hash(&header, &commitments), keyed("shockwave 2026 row v1", &padded(preimage)), "{n} fields");
    }
}

#[test]
fn every_part_of_a_header_counts() {
    let base = RowHeader { relation: 1, schema_version: 1, op: OP_UPDATE, supersedes: Supersedes::Row(1) };
    let others = [
        base,
        RowHeader { relation: 2, ..base },
        RowHeader { schema_version: 2, ..base },
        RowHeader { op: OP_DELETE, ..base },
        RowHeader { supersedes: Supersedes::Row(2), ..base },
        RowHeader { supersedes: Supersedes::Own(1), ..base },
        RowHeader { op: OP_INSERT, supersedes: Supersedes::None, ..base },
    ];
    let hashes: Vec<Hash> = others.iter().map(|header| row_hash(header, &[[5; 32]])).collect();
    for (i, one) in hashes.iter().enumerate() {
        assert!(!hashes[i + 1..].contains(one), "{i}");
    }
    assert_ne!(row_hash(&base, &[]), row_hash(&base, &[[0; 32]]), "padding is not a commitment");
}

#[test]
fn lanes_give_the_hashes_of_the_plain_path() {
    let mut random = Random(7);
    for n_columns in [0usize, 1, 2, 3, 4, 5, 9, 15, 16, 20] {
        let columns: Vec<(u32, u32)> = (0..n_columns as u32).map(|i| (i + 1, 20 + i)).collect();
        let mut lanes = RowLanes::new(columns.clone());
        for round in 0..2 {
            let mut expected = vec![];
            for i in 0..100u64 {
                let salt: [u8; 16] = random.bytes(16).try_into().unwrap();
                let is_delete = random.below(5) == 0;
                let op = if is_delete { OP_DELETE } else { OP_UPDATE };
                let header = RowHeader { relation: 9, schema_version: round, op, supersedes: Supersedes::Row(i) };
                lanes.start_row(header, &salt);
                let mut commitments = vec![];
                for (place, (id, oid)) in columns.iter().enumerate().filter(|_| !is_delete) {
                    let len = [0, 1, 8, 30, 31, 32, 200, 1500][random.below(8)];
                    let value = (random.below(4) != 0).then(|| random.bytes(len));
                    lanes.push_field(value.as_deref());
                    commitments.push(field_commitment(&field_salt(&salt, place as u32), *id, *oid, value.as_deref()));
                }
                expected.push(row_hash(&header, &commitments));
            }
            assert_eq!(lanes.finish(), expected, "{n_columns} columns, round {round}");
        }
        assert!(lanes.finish().is_empty());
    }
}

#[test]
#[should_panic(expected = "I2:")]
fn a_row_with_a_field_missing_is_refused() {
    let mut lanes = RowLanes::new(vec![(1, 20), (2, 25)]);
    lanes.start_row(crate::sample::insert(1), &[0; 16]);
    lanes.push_field(None);
    lanes.finish();
}

fn row_hashes(n: usize) -> Vec<Hash> {
    (0..n as u32).map(|i| row_hash(&RowHeader { relation: i, ..crate::sample::insert(0) }, &[])).collect()
}

#[test]
fn row_trees_join_from_pieces() {
    for n in [0, 1, 2, 255, 256, 257, 511, 512, 513, 1000, 2049] {
        let hashes = row_hashes(n);
        let mut pushed = RowTree::new();
        hashes.iter().for_each(|hash| pushed.push(*hash));
        let mut extended = RowTree::new();
        for piece in hashes.chunks(97) {
            extended.extend(piece);
        }
        let mut joined = RowTree::new();
        for piece in hashes.chunks(GROUP_ROWS) {
            if piece.len() == GROUP_ROWS {
                joined.push_group(group_root(piece)).unwrap();
            } else {
                joined.extend(piece);
            }
        }
        let groups: Vec<Hash> = hashes.chunks(GROUP_ROWS).map(group_root).collect();
        for tree in [&pushed, &extended, &joined] {
            assert_eq!(tree.root(), root_of::<RowHashTree>(&hashes), "{n} rows");
            assert_eq!(tree.group_roots(), groups, "{n} rows");
            assert_eq!(tree.rows(), n as u64);
        }
        assert_eq!(joined.is_at_group_boundary(), n % GROUP_ROWS == 0);
    }
    let mut tree = RowTree::new();
    tree.push([0; 32]);
    assert!(tree.push_group([0; 32]).is_err(), "a group starts at a boundary only");
}

#[test]
fn row_paths_from_one_group() {
    for n in [1, 2, 3, 255, 256, 257, 300, 512, 700, 1025] {
        let hashes = row_hashes(n);
        let mut tree = RowTree::new();
        tree.extend(&hashes);
        let roots = tree.group_roots();
        let groups = GroupTree::of(roots.clone());
        assert_eq!(groups.root(), tree.root(), "{n} rows");
        assert_eq!(groups.nodes().len() as u64, GroupTree::nodes_over(groups.groups()));
        for index in [0, 1, n / 2, n.saturating_sub(2), n - 1].map(|index| index.min(n - 1)) {
            let group = index / GROUP_ROWS * GROUP_ROWS;
            let members = &hashes[group..n.min(group + GROUP_ROWS)];
            let path = row_path_from_groups(index as u64, n as u64, members, &groups).unwrap();
            assert!(verify_row_path(&hashes[index], index as u64, n as u64, &path, &tree.root()), "row {index} of {n}");
            assert!(!verify_row_path(&hashes[index], index as u64 + 1, n as u64, &path, &tree.root()));
            let mut wrong = members.to_vec();
            wrong[0][0] ^= 1;
            assert!(row_path_from_groups(index as u64, n as u64, &wrong, &groups).unwrap_err().why.contains("do not hash"));
            assert!(row_path_from_groups(index as u64, n as u64, &members[1..], &groups).is_err());
            let fewer = GroupTree::of(roots[1..].to_vec());
            assert!(row_path_from_groups(index as u64, n as u64, members, &fewer).is_err());
        }
        assert!(row_path_from_groups(n as u64, n as u64, &hashes[..n.min(256)], &groups).is_err());
    }
}
