//! Frontier, proofs and verification against the recursive definition of RFC 9162, for every size up to 70, in all four trees.

use receipts::proof::{consistency_proof, inclusion_proof, tree_root, verify_consistency, verify_inclusion};
use receipts::tree::{MemoryTree, RowHashTree, SchemaHashTree, root_of};
use receipts::{Blake3Tree, Frontier, Hash, NodeReader, Sha256Tree, TreeHash};

const SIZE_MAX: usize = 70;

fn leaves<T: TreeHash>(n: usize) -> Vec<Hash> {
    (0..n).map(|i| T::leaf(&(i as u32).to_le_bytes())).collect()
}

/// MTH of RFC 9162 §2.1.1, word for word.
fn oracle_root<T: TreeHash>(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => T::empty(),
        [leaf] => *leaf,
        _ => {
            let k = leaves.len().next_power_of_two() / 2;
            T::node(&oracle_root::<T>(&leaves[..k]), &oracle_root::<T>(&leaves[k..]))
        }
    }
}

/// PATH of RFC 9162 §2.1.3.1.
fn oracle_path<T: TreeHash>(index: usize, leaves: &[Hash]) -> Vec<Hash> {
    if leaves.len() == 1 {
        return vec![];
    }
    let k = leaves.len().next_power_of_two() / 2;
    let (mut path, sibling) = if index < k {
        (oracle_path::<T>(index, &leaves[..k]), oracle_root::<T>(&leaves[k..]))
    } else {
        (oracle_path::<T>(index - k, &leaves[k..]), oracle_root::<T>(&leaves[..k]))
    };
    path.push(sibling);
    path
}

/// SUBPROOF of RFC 9162 §2.1.4.1.
fn oracle_consistency<T: TreeHash>(m: usize, leaves: &[Hash], is_whole: bool) -> Vec<Hash> {
    if m == leaves.len() {
        return if is_whole { vec![] } else { vec![oracle_root::<T>(leaves)] };
    }
    let k = leaves.len().next_power_of_two() / 2;
    let (mut path, sibling) = if m <= k {
        (oracle_consistency::<T>(m, &leaves[..k], is_whole), oracle_root::<T>(&leaves[k..]))
    } else {
        (oracle_consistency::<T>(m - k, &leaves[k..], false), oracle_root::<T>(&leaves[..k]))
    };
    path.push(sibling);
    path
}

fn check_tree<T: TreeHash>() {
    let leaves = leaves::<T>(SIZE_MAX);
    let tree = MemoryTree::<T>::from_leaves(&leaves);
    let mut frontier = Frontier::<T>::new();
    for n in 0..=SIZE_MAX {
        let root = oracle_root::<T>(&leaves[..n]);
        assert_eq!(frontier.root(), root, "frontier at {n}");
        assert_eq!(root_of::<T>(&leaves[..n]), root, "by level at {n}");
        assert_eq!(tree_root::<T>(&tree, n as u64), Some(root), "from nodes at {n}");
        assert_eq!(Frontier::<T>::from_reader(&tree, n as u64).unwrap().root(), root, "rebuilt at {n}");
        if n < SIZE_MAX {
            let (mut emitted, size) = (0, frontier.size());
            frontier.append(leaves[n], |level, index, hash| {
                assert_eq!(tree.node(level, index), Some(*hash));
                assert_eq!(((index + 1) << level) - 1, size, "a node is complete with its last leaf");
                emitted += 1;
            });
            assert_eq!(emitted, (n as u64 + 1).trailing_zeros() + 1, "the leaf and each node it completes");
        }
    }
}

#[test]
fn roots_match_the_definition() {
    check_tree::<Sha256Tree>();
    check_tree::<Blake3Tree>();
    check_tree::<RowHashTree>();
    check_tree::<SchemaHashTree>();
}

/// Every mutation of a path that keeps its hashes 32 bytes long.
fn mutations(path: &[Hash]) -> Vec<Vec<Hash>> {
    let mut all = vec![];
    for i in 0..path.len() {
        let mut flipped = path.to_vec();
        flipped[i][31] ^= 1;
        let mut shorter = path.to_vec();
        shorter.remove(i);
        let mut longer = path.to_vec();
        longer.insert(i, path[i]);
        all.extend([flipped, shorter, longer]);
    }
    let mut longer = path.to_vec();
    longer.push([0; 32]);
    all.push(longer);
    all
}

#[test]
fn inclusion_for_every_size_and_index() {
    let leaves = leaves::<Sha256Tree>(SIZE_MAX);
    let tree = MemoryTree::<Sha256Tree>::from_leaves(&leaves);
    for size in 1..=SIZE_MAX {
        let root = oracle_root::<Sha256Tree>(&leaves[..size]);
        for index in 0..size {
            let path = oracle_path::<Sha256Tree>(index, &leaves[..size]);
            assert_eq!(inclusion_proof::<Sha256Tree>(&tree, index as u64, size as u64), Some(path.clone()));
            let verify = |leaf: &Hash, index: u64, size: u64, path: &[Hash]| verify_inclusion::<Sha256Tree>(leaf, index, size, path, &root);
            assert!(verify(&leaves[index], index as u64, size as u64, &path));
            assert!(!verify(&leaves[(index + 1) % SIZE_MAX], index as u64, size as u64, &path));
            for other in (0..size).filter(|other| *other != index) {
                assert!(!verify(&leaves[index], other as u64, size as u64, &path), "leaf {index} of {size} is not at {other}");
            }
            assert!(!verify(&leaves[index], size as u64, size as u64, &path));
            assert!(mutations(&path).iter().all(|path| !verify(&leaves[index], index as u64, size as u64, path)));
        }
        assert_eq!(inclusion_proof::<Sha256Tree>(&tree, size as u64, size as u64), None);
    }
}

#[test]
fn consistency_for_every_pair_of_sizes() {
    let leaves = leaves::<Blake3Tree>(SIZE_MAX);
    let tree = MemoryTree::<Blake3Tree>::from_leaves(&leaves);
    let roots: Vec<Hash> = (0..=SIZE_MAX).map(|n| oracle_root::<Blake3Tree>(&leaves[..n])).collect();
    for new in 0..=SIZE_MAX {
        for old in 0..=new {
            let path = if old == 0 { vec![] } else { oracle_consistency::<Blake3Tree>(old, &leaves[..new], true) };
            assert_eq!(consistency_proof::<Blake3Tree>(&tree, old as u64, new as u64), Some(path.clone()), "{old} to {new}");
            let verify = |old_root: &Hash, new_root: &Hash, path: &[Hash]| {
                verify_consistency::<Blake3Tree>(old as u64, new as u64, old_root, new_root, path)
            };
            assert!(verify(&roots[old], &roots[new], &path), "{old} to {new}");
            assert!(!verify(&[9; 32], &roots[new], &path));
            if old > 0 {
                assert!(!verify(&roots[old], &[9; 32], &path));
                assert!(mutations(&path).iter().all(|path| !verify(&roots[old], &roots[new], path)), "{old} to {new}");
            }
            if old > 0 && old < new {
                assert!(!verify(&roots[old - 1], &roots[new], &path));
                assert!(!verify_consistency::<Blake3Tree>(new as u64, old as u64, &roots[new], &roots[old], &path));
            }
        }
        assert_eq!(consistency_proof::<Blake3Tree>(&tree, new as u64 + 1, new as u64), None);
    }
}

#[test]
fn huge_sizes_do_not_overflow() {
    let path = vec![[1; 32]; 64];
    for size in [u64::MAX, u64::MAX - 1, 1 << 63, (1 << 63) + 1, (1 << 63) - 1] {
        for index in [0, 1, size / 2, size - 1, size, u64::MAX] {
            for len in [0, 1, 62, 63, 64] {
                assert!(!verify_inclusion::<Blake3Tree>(&[0; 32], index, size, &path[..len], &[2; 32]));
                assert!(!verify_consistency::<Blake3Tree>(index, size, &[3; 32], &[2; 32], &path[..len]));
                assert!(!verify_consistency::<Blake3Tree>(size, index, &[3; 32], &[2; 32], &path[..len]) || index == size);
            }
        }
    }
    /// A tree of equal leaves.
    struct Everywhere;
    impl NodeReader for Everywhere {
        fn node(&self, level: u8, _: u64) -> Option<Hash> {
            Some((0..level).fold([1; 32], |hash, _| Blake3Tree::node(&hash, &hash)))
        }
    }
    for size in [u64::MAX, 1 << 63, (1 << 63) + 1] {
        let path = inclusion_proof::<Blake3Tree>(&Everywhere, size - 1, size).unwrap();
        let root = tree_root::<Blake3Tree>(&Everywhere, size).unwrap();
        assert!(verify_inclusion::<Blake3Tree>(&[1; 32], size - 1, size, &path, &root));
        let old_root = tree_root::<Blake3Tree>(&Everywhere, size - 1).unwrap();
        let path = consistency_proof::<Blake3Tree>(&Everywhere, size - 1, size).unwrap();
        assert!(verify_consistency::<Blake3Tree>(size - 1, size, &old_root, &root, &path));
    }
}

#[test]
fn trees_do_not_share_hashes() {
    let (l, r) = ([1; 32], [2; 32]);
    let nodes = [Sha256Tree::node(&l, &r), Blake3Tree::node(&l, &r), RowHashTree::node(&l, &r), SchemaHashTree::node(&l, &r)];
    let pair = [l, r].concat();
    let leaves = [Sha256Tree::leaf(&pair), Blake3Tree::leaf(&pair), RowHashTree::leaf(&pair), SchemaHashTree::leaf(&pair)];
    let mut all = [nodes, leaves].concat();
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 8, "a leaf cannot pose as a node, nor a node of one tree as one of another");
}
