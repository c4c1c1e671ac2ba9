//! The Merkle tree over the rows of one commit, built from pieces and remembered by groups of 256 rows.
//!
//! G1: rows are pushed in commit order: by relation, then by row id.
//! G2: group g is rows `[256 g, 256 (g + 1))`; its root is kept, so a path needs only the ≤ 256 row hashes of one group again.
//! G3: above the groups every complete node is kept or written down, so a path looks up a number of them that grows as the logarithm of the rows.
//!
//! Never: keeps row hashes: 64 bytes for each 256 rows, whatever the size of the commit.
//! Format: docs/formats/leaf.md, docs/formats/row-tree.md.

use crate::FormatError;
use crate::hash::Hash;
use crate::proof::{inclusion_proof, tree_root, verify_inclusion};
use crate::tree::{Frontier, MemoryTree, NodeReader, RowHashTree, TreeHash, fold_edge, root_of};

/// Rows of a full group.
pub const GROUP_ROWS: usize = 256;
const GROUP_LEVEL: u8 = 8;
const _: () = assert!(GROUP_ROWS == 1 << GROUP_LEVEL);

/// Builds the row tree of one commit.
#[derive(Clone, Debug, Default)]
pub struct RowTree {
    frontier: Frontier<RowHashTree>,
    full_group_roots: Vec<Hash>,
}

impl RowTree {
    /// The tree of no rows.
    pub fn new() -> Self {
        Self::default()
    }

    /// Number of rows pushed.
    pub fn rows(&self) -> u64 {
        self.frontier.size()
    }

    /// Appends one row hash.
    pub fn push(&mut self, row_hash: Hash) {
        let groups = &mut self.full_group_roots;
        self.frontier.append(row_hash, |level, _, hash| {
            if level == GROUP_LEVEL {
                groups.push(*hash);
            }
        });
    }

    /// Appends row hashes in order: the same as pushing each, but full groups are hashed in SIMD lanes.
    pub fn extend(&mut self, row_hashes: &[Hash]) {
        let to_boundary = (GROUP_ROWS - (self.rows() % GROUP_ROWS as u64) as usize) % GROUP_ROWS;
        let (head, rest) = row_hashes.split_at(to_boundary.min(row_hashes.len()));
        head.iter().for_each(|hash| self.push(*hash));
        let (groups, tail) = rest.as_chunks::<GROUP_ROWS>();
        groups.iter().for_each(|group| self.append_group(group_root(group)));
        tail.iter().for_each(|hash| self.push(*hash));
    }

    /// Appends a full group of 256 rows by its [`group_root`], made elsewhere; only at a group boundary, else it fails.
    pub fn push_group(&mut self, root: Hash) -> Result<(), FormatError> {
        if !self.is_at_group_boundary() {
            return Err(FormatError::new("row tree", format!("a group cannot start at row {}", self.rows())));
        }
        self.append_group(root);
        Ok(())
    }

    fn append_group(&mut self, root: Hash) {
        self.frontier.append_subtree(GROUP_LEVEL, root, |_, _, _| {});
        self.full_group_roots.push(root);
    }

    /// Whether the next row starts a group, so that [`RowTree::push_group`] may follow.
    pub fn is_at_group_boundary(&self) -> bool {
        self.rows().is_multiple_of(GROUP_ROWS as u64)
    }

    /// The root; `keyed(row-node, "")` of no rows.
    pub fn root(&self) -> Hash {
        self.frontier.root()
    }

    /// Roots of all groups, the last of which may have fewer than 256 rows: `ceil(rows / 256)` of them.
    pub fn group_roots(&self) -> Vec<Hash> {
        let mut roots = self.full_group_roots.clone();
        let tail_rows = self.rows() % GROUP_ROWS as u64;
        if tail_rows != 0 {
            let edge = self.frontier.edge();
            roots.push(fold_edge::<RowHashTree>(&edge[edge.len() - tail_rows.count_ones() as usize..]));
        }
        roots
    }
}

/// Root of one group of up to 256 row hashes, as [`RowTree::push_group`] (full groups only) and [`GroupTree::of`] use it.
pub fn group_root(row_hashes: &[Hash]) -> Hash {
    root_of::<RowHashTree>(row_hashes)
}

/// All complete nodes of a commit's row tree from the roots of its groups up, level by level: level 0 has the groups.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GroupTree {
    groups: u64,
    nodes: Vec<Hash>,
}

impl GroupTree {
    /// Over the roots of all groups, the last of which may have fewer than 256 rows.
    pub fn of(group_roots: Vec<Hash>) -> Self {
        let groups = group_roots.len();
        let (mut nodes, mut level) = (group_roots, 0..groups);
        while level.len() > 1 {
            let (pairs, _) = nodes[level.clone()].as_flattened().as_chunks::<64>();
            let mut above = vec![[0; 32]; pairs.len()];
            RowHashTree::nodes(pairs, &mut above);
            level = level.end..level.end + above.len();
            nodes.extend(above);
        }
        Self { groups: groups as u64, nodes }
    }

    /// Number of groups.
    pub fn groups(&self) -> u64 {
        self.groups
    }

    /// The nodes, level by level, each from left to right.
    pub fn nodes(&self) -> &[Hash] {
        &self.nodes
    }

    /// The row root.
    pub fn root(&self) -> Hash {
        tree_root::<RowHashTree>(self, self.groups).unwrap_or_else(RowHashTree::empty)
    }

    /// Number of nodes over so many groups.
    pub fn nodes_over(groups: u64) -> u64 {
        (0..64).map(|level| groups >> level).sum()
    }

    /// Where the complete node `index` of a level stands among the nodes over so many groups; `None` if there is no such node.
    pub fn place(groups: u64, level: u8, index: u64) -> Option<u64> {
        let before: u64 = (0..level.min(64)).map(|below| groups >> below).sum();
        (level < 64 && index < groups >> level).then(|| before + index)
    }
}

impl NodeReader for GroupTree {
    fn node(&self, level: u8, index: u64) -> Option<Hash> {
        let place = Self::place(self.groups, level, index)?;
        self.nodes.get(usize::try_from(place).ok()?).copied()
    }
}

/// Path of row `index` in a commit of `n_rows`, from the recomputed row hashes of its group and the nodes above the groups ([`GroupTree`]). Fails if the
/// counts do not fit together, a node is missing, or the group's hashes do not give the group's root: then rows or nodes are not the committed ones.
pub fn row_path_from_groups(index: u64, n_rows: u64, group_hashes: &[Hash], groups: &impl NodeReader) -> Result<Vec<Hash>, FormatError> {
    let error = |why: String| FormatError::new("row tree", why);
    let group_rows = GROUP_ROWS as u64;
    let group = index / group_rows;
    if index >= n_rows {
        return Err(error(format!("row {index} of a commit of {n_rows} rows")));
    }
    if group_hashes.len() as u64 != group_rows.min(n_rows - group * group_rows) {
        return Err(error(format!("{} row hashes in group {group} of {n_rows} rows", group_hashes.len())));
    }
    let inner = MemoryTree::<RowHashTree>::from_leaves(group_hashes);
    if groups.node(0, group) != Some(inner.root()) {
        return Err(error(format!("the rows of group {group} do not hash to its root")));
    }
    let below = inclusion_proof::<RowHashTree>(&inner, index % group_rows, inner.size());
    let above = inclusion_proof::<RowHashTree>(groups, group, n_rows.div_ceil(group_rows));
    match (below, above) {
        (Some(mut path), Some(above)) => {
            path.extend(above);
            Ok(path)
        }
        _ => Err(error(format!("no path for row {index}"))),
    }
}

/// Whether `path` shows that this row hash is at `index` of a commit of `n_rows` rows with this row root.
pub fn verify_row_path(row_hash: &Hash, index: u64, n_rows: u64, path: &[Hash], root: &Hash) -> bool {
    verify_inclusion::<RowHashTree>(row_hash, index, n_rows, path, root)
}
