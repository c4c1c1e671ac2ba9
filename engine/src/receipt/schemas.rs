//! Catalogs as commits left them, with the trees that prove their definitions, kept by schema root: most receipts are made under a few of them.
//!
//! C1: a catalog is kept only under the root that it gives.
//! Never: more than [`KEPT_MAX`] of them.

use std::sync::Arc;

use base::{CommitSeq, SqlError, SqlResult};
use parking_lot::Mutex;
use receipts::Hash;
use receipts::schema::SchemaTree;

use super::damaged;
use crate::catalog::Catalog;
use crate::catalog_rows::catalog_at;
use crate::ledger::Ledger;

const KEPT_MAX: usize = 8;

/// A catalog and the tree over its definitions.
#[derive(Debug)]
pub(super) struct Schema {
    pub(super) catalog: Arc<Catalog>,
    pub(super) tree: SchemaTree,
}

/// Those of one ledger that were used last.
#[derive(Debug, Default)]
pub(crate) struct Schemas {
    kept: Mutex<Vec<(Hash, Arc<Schema>)>>,
}

impl Ledger {
    /// The catalog as of a commit, whose leaf has this schema root. Errors: XX001 where its rows are unreadable or others than those committed.
    pub(super) fn schema_under(&self, seq: u64, root: &Hash) -> SqlResult<Arc<Schema>> {
        if let Some((_, known)) = self.schemas().kept.lock().iter().find(|(other, _)| other == root) {
            return Ok(Arc::clone(known));
        }
        let today = self.snapshot().catalog;
        let catalog = if today.schema_root() == *root { today } else { Arc::new(catalog_at(self, CommitSeq(seq))?) };
        if catalog.schema_root() != *root {
            return Err(damaged(seq, "the catalog of its time does not give its schema root"));
        }
        let tree = SchemaTree::new(&catalog.leaves()).map_err(|error| SqlError::internal(error.to_string()))?;
        let schema = Arc::new(Schema { catalog, tree });
        let mut kept = self.schemas().kept.lock();
        if kept.len() >= KEPT_MAX {
            kept.remove(0);
        }
        kept.push((*root, Arc::clone(&schema)));
        Ok(schema)
    }
}
