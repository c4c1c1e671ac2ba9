//! Inclusion and consistency proofs of RFC 9162 §2.1.3 and §2.1.4: making them from complete subtrees, and checking them.
//!
//! P1: for every size and index there is exactly one path length that verifies; a shorter or longer path is refused.
//! P2: no arithmetic here overflows for any u64 size or index.
//!
//! Never: reads beyond the size it was given.
//! Format: docs/formats/tiles.md.

use crate::hash::Hash;
use crate::tree::{NodeReader, TreeHash, edge_nodes, fold_edge};

/// The longest path a tree of u64 size can need.
pub const PATH_HASHES_MAX: usize = 64;

/// Largest power of two below `len`, which must be at least 2.
fn split(len: u64) -> u64 {
    assert!(len >= 2, "P2: only a tree of two or more leaves splits");
    1 << (63 - (len - 1).leading_zeros())
}

fn range_root<T: TreeHash>(reader: &impl NodeReader, start: u64, len: u64) -> Option<Hash> {
    let edge: Option<Vec<Hash>> = edge_nodes(start, len).map(|(level, index)| reader.node(level, index)).collect();
    Some(fold_edge::<T>(&edge?))
}

/// Root of the tree of the first `size` leaves; `None` if a node is missing.
pub fn tree_root<T: TreeHash>(reader: &impl NodeReader, size: u64) -> Option<Hash> {
    range_root::<T>(reader, 0, size)
}

/// Path of leaf `index` in the tree of `size` leaves, from its sibling up; `None` if `index ≥ size` or a node is missing.
pub fn inclusion_proof<T: TreeHash>(reader: &impl NodeReader, index: u64, size: u64) -> Option<Vec<Hash>> {
    if index >= size {
        return None;
    }
    let (mut start, mut len) = (0, size);
    let mut path = Vec::new();
    while len > 1 {
        let left = split(len);
        if index - start < left {
            path.push(range_root::<T>(reader, start + left, len - left)?);
            len = left;
        } else {
            path.push(range_root::<T>(reader, start, left)?);
            (start, len) = (start + left, len - left);
        }
    }
    path.reverse();
    Some(path)
}

/// Proof that the tree of `old` leaves is a prefix of the tree of `new` leaves; empty if `old` is 0 or equals `new`; `None` if
/// `old > new` or a node is missing.
pub fn consistency_proof<T: TreeHash>(reader: &impl NodeReader, old: u64, new: u64) -> Option<Vec<Hash>> {
    if old > new {
        return None;
    }
    let mut path = Vec::new();
    if old == 0 || old == new {
        return Some(path);
    }
    let (mut start, mut old_len, mut len, mut is_old_root) = (0, old, new, true);
    while old_len != len {
        let left = split(len);
        if old_len <= left {
            path.push(range_root::<T>(reader, start + left, len - left)?);
            len = left;
        } else {
            path.push(range_root::<T>(reader, start, left)?);
            (start, old_len, len, is_old_root) = (start + left, old_len - left, len - left, false);
        }
    }
    if !is_old_root {
        path.push(range_root::<T>(reader, start, len)?);
    }
    path.reverse();
    Some(path)
}

/// The root that `path` leads to from leaf `index` of `size`; `None` if `index ≥ size` or the path has the wrong length.
pub fn root_from_inclusion<T: TreeHash>(leaf_hash: &Hash, index: u64, size: u64, path: &[Hash]) -> Option<Hash> {
    if index >= size {
        return None;
    }
    let (mut node, mut last, mut hash) = (index, size - 1, *leaf_hash);
    for sibling in path {
        if last == 0 {
            return None;
        }
        if node & 1 == 1 || node == last {
            hash = T::node(sibling, &hash);
            while node & 1 == 0 && node != 0 {
                (node, last) = (node >> 1, last >> 1);
            }
        } else {
            hash = T::node(&hash, sibling);
        }
        (node, last) = (node >> 1, last >> 1);
    }
    (last == 0).then_some(hash)
}

/// Whether `path` shows that the leaf is at `index` of the tree of `size` leaves with this root.
pub fn verify_inclusion<T: TreeHash>(leaf_hash: &Hash, index: u64, size: u64, path: &[Hash], root: &Hash) -> bool {
    root_from_inclusion::<T>(leaf_hash, index, size, path).as_ref() == Some(root)
}

/// Whether `path` shows that the tree of `old` leaves with `old_root` is a prefix of the tree of `new` leaves with `new_root`.
/// An empty old tree is a prefix of every tree; equal sizes need equal roots; both with an empty path.
pub fn verify_consistency<T: TreeHash>(old: u64, new: u64, old_root: &Hash, new_root: &Hash, path: &[Hash]) -> bool {
    if old > new {
        return false;
    }
    if old == new {
        return path.is_empty() && old_root == new_root && (old != 0 || *old_root == T::empty());
    }
    if old == 0 {
        return path.is_empty() && *old_root == T::empty();
    }
    let (first, rest) = if old.is_power_of_two() {
        (old_root, path)
    } else {
        match path.split_first() {
            Some(parts) => parts,
            None => return false,
        }
    };
    let shift = (old - 1).trailing_ones();
    let (mut node, mut last) = ((old - 1).checked_shr(shift).unwrap_or(0), (new - 1).checked_shr(shift).unwrap_or(0));
    let (mut old_hash, mut new_hash) = (*first, *first);
    for sibling in rest {
        if last == 0 {
            return false;
        }
        if node & 1 == 1 || node == last {
            old_hash = T::node(sibling, &old_hash);
            new_hash = T::node(sibling, &new_hash);
            while node & 1 == 0 && node != 0 {
                (node, last) = (node >> 1, last >> 1);
            }
        } else {
            new_hash = T::node(&new_hash, sibling);
        }
        (node, last) = (node >> 1, last >> 1);
    }
    last == 0 && old_hash == *old_root && new_hash == *new_root
}
