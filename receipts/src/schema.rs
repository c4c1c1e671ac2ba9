//! The schema root: one hash over a catalog's definitions, so that a receipt can show one of them.
//!
//! S1: definitions are ordered by object id, strictly rising; each leaf hashes `u32 object_id ‖ definition bytes`.
//! S2: the root covers the number of objects too, so that a path has one index and one size that fit.
//!
//! Never: reads the definition bytes.
//! Format: docs/formats/leaf.md.

use crate::FormatError;
use crate::hash::{Hash, Purpose};
use crate::proof::{inclusion_proof, root_from_inclusion};
use crate::tree::{MemoryTree, SchemaHashTree, TreeHash, root_of};

/// Hash of one definition: `keyed(schema, u32 object_id ‖ definition)`.
pub fn schema_leaf(object_id: u32, definition: &[u8]) -> Hash {
    SchemaHashTree::leaf(&[&object_id.to_le_bytes(), definition].concat())
}

/// Root over `(object_id, definition)` sorted by id: `keyed(schema-node, u32 n ‖ root of the tree of n leaves)`, where the tree of no
/// leaves has root `keyed(schema-node, "")`. Fails if the ids do not rise strictly.
pub fn schema_root(objects: &[(u32, &[u8])]) -> Result<Hash, FormatError> {
    let leaves = leaves(objects)?;
    Ok(sized_root(leaves.len() as u32, &root_of::<SchemaHashTree>(&leaves)))
}

/// S2. 36 bytes, so no inner node (64) and not the empty tree (0).
fn sized_root(objects: u32, tree_root: &Hash) -> Hash {
    let mut preimage = [0; 36];
    preimage[..4].copy_from_slice(&objects.to_le_bytes());
    preimage[4..].copy_from_slice(tree_root);
    Purpose::SchemaNode.hash(&preimage)
}

/// A definition's place in its schema tree.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SchemaPath {
    /// Place among the catalog's objects by id, from 0.
    pub index: u32,
    /// Number of objects in the catalog.
    pub size: u32,
    /// From the sibling up.
    pub hashes: Vec<Hash>,
}

impl SchemaPath {
    /// Path of `object_id` among the catalog's objects; `None` if it is not there, an error as for [`schema_root`].
    pub fn new(objects: &[(u32, &[u8])], object_id: u32) -> Result<Option<Self>, FormatError> {
        Ok(SchemaTree::new(objects)?.path(object_id))
    }

    /// Whether this path leads from the definition to `root`.
    pub fn verify(&self, object_id: u32, definition: &[u8], root: &Hash) -> bool {
        let leaf = schema_leaf(object_id, definition);
        root_from_inclusion::<SchemaHashTree>(&leaf, self.index.into(), self.size.into(), &self.hashes)
            .is_some_and(|tree_root| sized_root(self.size, &tree_root) == *root)
    }
}

/// The tree over a catalog's definitions, for who asks for several paths.
#[derive(Debug)]
pub struct SchemaTree {
    ids: Vec<u32>,
    tree: MemoryTree<SchemaHashTree>,
}

impl SchemaTree {
    /// Over `(object_id, definition)` sorted by id; fails as [`schema_root`] does.
    pub fn new(objects: &[(u32, &[u8])]) -> Result<Self, FormatError> {
        let tree = MemoryTree::from_leaves(&leaves(objects)?);
        Ok(Self { ids: objects.iter().map(|(id, _)| *id).collect(), tree })
    }

    /// Path of an object; `None` if it is not there.
    pub fn path(&self, object_id: u32) -> Option<SchemaPath> {
        let index = self.ids.binary_search(&object_id).ok()?;
        let (index, size) = (index as u32, self.ids.len() as u32);
        let hashes = inclusion_proof::<SchemaHashTree>(&self.tree, index.into(), size.into())?;
        Some(SchemaPath { index, size, hashes })
    }
}

fn leaves(objects: &[(u32, &[u8])]) -> Result<Vec<Hash>, FormatError> {
    if let Some(pair) = objects.windows(2).find(|pair| pair[0].0 >= pair[1].0) {
        return Err(FormatError::new("schema", format!("object {} is listed before {}", pair[0].0, pair[1].0)));
    }
    if u32::try_from(objects.len()).is_err() {
        return Err(FormatError::new("schema", "has 2^32 objects or more"));
    }
    Ok(objects.iter().map(|(id, definition)| schema_leaf(*id, definition)).collect())
}
