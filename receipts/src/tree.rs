//! The RFC 9162 tree shape over any pair of leaf and node hashes, and the frontier that appends to it.
//!
//! T1: a tree of n leaves is a pure function of its leaf hashes; appending never changes a completed subtree.
//! T2: a frontier of size n holds one hash per set bit of n, highest first.
//!
//! Never: stores leaves; reads a file.
//! Format: docs/formats/tiles.md.

use std::marker::PhantomData;

use sha2::{Digest, Sha256};

use crate::hash::{Hash, Purpose};
use crate::lanes::hash_lanes;

/// The two hashes a Merkle tree is made of.
pub trait TreeHash {
    /// Hash of a leaf's bytes.
    fn leaf(bytes: &[u8]) -> Hash;
    /// Hash of an inner node.
    fn node(left: &Hash, right: &Hash) -> Hash;
    /// Root of the tree without leaves.
    fn empty() -> Hash;
    /// Hashes of many inner nodes, each given as `left ‖ right`, in order, into `out` of the same length.
    fn nodes(pairs: &[[u8; 64]], out: &mut [Hash]) {
        for (pair, hash) in pairs.iter().zip(out) {
            let (halves, _) = pair.as_chunks::<32>();
            *hash = Self::node(&halves[0], &halves[1]);
        }
    }
}

/// `SHA-256(0x00 ‖ leaf)`, `SHA-256(0x01 ‖ L ‖ R)`, empty `SHA-256("")`: the public tree, as RFC 9162 and C2SP require.
#[derive(Clone, Copy, Debug)]
pub struct Sha256Tree;

impl TreeHash for Sha256Tree {
    fn leaf(bytes: &[u8]) -> Hash {
        Sha256::new().chain_update([0]).chain_update(bytes).finalize().into()
    }

    fn node(left: &Hash, right: &Hash) -> Hash {
        let mut bytes = [1; 65];
        bytes[1..33].copy_from_slice(left);
        bytes[33..].copy_from_slice(right);
        Sha256::digest(bytes).into()
    }

    fn empty() -> Hash {
        Sha256::digest([]).into()
    }
}

macro_rules! keyed_tree {
    ($(#[$doc:meta])* $name:ident, $leaf:ident, $node:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub struct $name;

        impl TreeHash for $name {
            fn leaf(bytes: &[u8]) -> Hash {
                Purpose::$leaf.hash(bytes)
            }

            #[inline]
            fn node(left: &Hash, right: &Hash) -> Hash {
                Purpose::$node.hash_pair(left, right)
            }

            fn empty() -> Hash {
                Purpose::$node.hash(&[])
            }

            fn nodes(pairs: &[[u8; 64]], out: &mut [Hash]) {
                hash_lanes(Purpose::$node, pairs, out);
            }
        }
    };
}

keyed_tree! {
    /// `keyed(leaf, bytes)`, `keyed(node, L ‖ R)`, empty `keyed(node, "")`: the fast tree over the same leaves.
    Blake3Tree, Leaf, Node
}
keyed_tree! {
    /// The tree over the rows of one commit: its leaf hashes are row hashes, nodes `keyed(row-node, L ‖ R)`.
    RowHashTree, Row, RowNode
}
keyed_tree! {
    /// The tree over the definitions of one catalog: `keyed(schema, …)`, nodes `keyed(schema-node, L ‖ R)`.
    SchemaHashTree, Schema, SchemaNode
}

/// Where complete subtrees can be looked up.
pub trait NodeReader {
    /// Root of the complete subtree over leaves `[index << level, (index + 1) << level)`; level 0 is the leaf hashes.
    /// `None` if it is not there, which makes the proof that asked for it fail.
    fn node(&self, level: u8, index: u64) -> Option<Hash>;
}

impl<R: NodeReader + ?Sized> NodeReader for &R {
    fn node(&self, level: u8, index: u64) -> Option<Hash> {
        (**self).node(level, index)
    }
}

/// The right edge of a growing tree: all that appending and the root need.
pub struct Frontier<T> {
    size: u64,
    edge: Vec<Hash>,
    tree: PhantomData<fn() -> T>,
}

impl<T> Clone for Frontier<T> {
    fn clone(&self) -> Self {
        Self { size: self.size, edge: self.edge.clone(), tree: PhantomData }
    }
}

impl<T> std::fmt::Debug for Frontier<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Frontier").field("size", &self.size).finish_non_exhaustive()
    }
}

impl<T: TreeHash> Default for Frontier<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: TreeHash> Frontier<T> {
    /// The empty tree.
    pub fn new() -> Self {
        Self { size: 0, edge: Vec::new(), tree: PhantomData }
    }

    /// The frontier of the tree of `size` leaves whose nodes `reader` holds; `None` if one is missing.
    pub fn from_reader(reader: &impl NodeReader, size: u64) -> Option<Self> {
        let edge = edge_nodes(0, size).map(|(level, index)| reader.node(level, index)).collect::<Option<Vec<Hash>>>()?;
        Some(Self { size, edge, tree: PhantomData })
    }

    /// Number of leaves.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Appends a leaf hash ([`TreeHash::leaf`] of its bytes). `emit(level, index, hash)` gets the leaf itself at level 0, then every
    /// inner node it completes, lowest first.
    pub fn append(&mut self, leaf_hash: Hash, emit: impl FnMut(u8, u64, &Hash)) {
        self.append_subtree(0, leaf_hash, emit);
    }

    /// Appends the root of a complete subtree of `2^level` leaves; the size must be a multiple of `2^level`. The nodes inside the
    /// subtree are not emitted.
    pub fn append_subtree(&mut self, level: u8, root: Hash, mut emit: impl FnMut(u8, u64, &Hash)) {
        let leaves = 1u64 << level;
        assert!(self.size.is_multiple_of(leaves), "T1: a subtree of {leaves} leaves cannot start at leaf {}", self.size);
        let (mut level, mut index, mut hash) = (level, self.size >> level, root);
        emit(level, index, &hash);
        while index & 1 == 1 {
            let left = self.edge.pop().expect("T2: one hash per set bit of the size");
            hash = T::node(&left, &hash);
            (level, index) = (level + 1, index >> 1);
            emit(level, index, &hash);
        }
        self.edge.push(hash);
        self.size = self.size.checked_add(leaves).expect("T1: a tree has fewer than 2^64 leaves");
        debug_assert_eq!(self.edge.len(), self.size.count_ones() as usize, "T2: one hash per set bit of the size");
    }

    pub(crate) fn edge(&self) -> &[Hash] {
        &self.edge
    }

    /// The root over everything appended.
    pub fn root(&self) -> Hash {
        fold_edge::<T>(&self.edge)
    }
}

/// The complete subtrees, as (level, index), that make up leaves `[start, start + len)`, left to right; `start` must be a multiple of
/// the largest power of two ≤ `len`.
pub(crate) fn edge_nodes(start: u64, len: u64) -> impl Iterator<Item = (u8, u64)> {
    (0..64u8).rev().filter(move |level| len >> level & 1 == 1).map(move |level| (level, (start >> level) + ((len >> level) ^ 1)))
}

/// Root over complete subtrees of falling size.
pub(crate) fn fold_edge<T: TreeHash>(edge: &[Hash]) -> Hash {
    edge.iter().rev().copied().reduce(|right, left| T::node(&left, &right)).unwrap_or_else(T::empty)
}

/// Root of the tree over these leaf hashes, a level at a time; a node without a sibling moves up as it is.
pub fn root_of<T: TreeHash>(leaf_hashes: &[Hash]) -> Hash {
    let mut level = leaf_hashes.to_vec();
    while level.len() > 1 {
        let (pairs, _) = level.as_flattened().as_chunks::<64>();
        let mut above = vec![[0; 32]; pairs.len()];
        T::nodes(pairs, &mut above);
        if !level.len().is_multiple_of(2) {
            above.extend(level.last());
        }
        level = above;
    }
    level.first().copied().unwrap_or_else(T::empty)
}

/// Every complete node of a tree, in memory: for trees that are small or short-lived.
#[derive(Debug)]
pub struct MemoryTree<T> {
    frontier: Frontier<T>,
    levels: Vec<Vec<Hash>>,
}

impl<T: TreeHash> Default for MemoryTree<T> {
    fn default() -> Self {
        Self { frontier: Frontier::new(), levels: Vec::new() }
    }
}

impl<T: TreeHash> MemoryTree<T> {
    /// The tree over these leaf hashes.
    pub fn from_leaves(leaf_hashes: &[Hash]) -> Self {
        let mut tree = Self::default();
        leaf_hashes.iter().for_each(|hash| tree.append(*hash));
        tree
    }

    /// Appends a leaf hash.
    pub fn append(&mut self, leaf_hash: Hash) {
        let levels = &mut self.levels;
        self.frontier.append(leaf_hash, |level, _, hash| {
            let level = usize::from(level);
            if levels.len() == level {
                levels.push(Vec::new());
            }
            levels[level].push(*hash);
        });
    }

    /// Number of leaves.
    pub fn size(&self) -> u64 {
        self.frontier.size()
    }

    /// The root over all leaves.
    pub fn root(&self) -> Hash {
        self.frontier.root()
    }
}

impl<T> NodeReader for MemoryTree<T> {
    fn node(&self, level: u8, index: u64) -> Option<Hash> {
        self.levels.get(usize::from(level))?.get(usize::try_from(index).ok()?).copied()
    }
}
