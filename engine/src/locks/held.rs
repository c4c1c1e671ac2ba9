//! The locks that a transaction has. A clone is a savepoint's: what was taken after it ends when only the clone is left.
//!
//! Never: takes a lock.

use std::sync::Arc;

use super::{LockTable, Place, Strength};

/// Grants, newest first; see the module.
#[derive(Clone, Default, Debug)]
pub struct Held(Option<Arc<Node>>);

#[derive(Debug)]
struct Node {
    table: Arc<LockTable>,
    owner: u64,
    grants: Vec<(Place, Strength)>,
    /// Grants of this node and those before.
    total: usize,
    before: Option<Arc<Node>>,
}

impl Held {
    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.0.as_ref().map_or(0, |node| node.total)
    }

    /// Takes grants over from the table; they are released when this is dropped.
    pub(crate) fn add(&mut self, table: &Arc<LockTable>, owner: u64, grants: Vec<(Place, Strength)>) {
        if !grants.is_empty() {
            let before = self.0.take();
            let total = grants.len() + before.as_ref().map_or(0, |node| node.total);
            self.0 = Some(Arc::new(Node { table: Arc::clone(table), owner, grants, total, before }));
        }
    }

    /// Takes over what another list has.
    pub(crate) fn join(&mut self, mut other: Self) {
        let mut next = other.0.take();
        while let Some(node) = next {
            match Arc::try_unwrap(node) {
                Ok(mut node) => {
                    let (table, owner, grants) = (Arc::clone(&node.table), node.owner, std::mem::take(&mut node.grants));
                    self.add(&table, owner, grants);
                    next = node.before.take();
                }
                // A savepoint has it as well, and keeps it.
                Err(_) => return,
            }
        }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        for (place, strength) in self.grants.drain(..) {
            self.table.release(self.owner, place, strength);
        }
        // One by one: a long list must not be dropped by recursion.
        let mut next = self.before.take();
        while let Some(node) = next {
            next = Arc::try_unwrap(node).ok().and_then(|mut node| node.before.take());
        }
    }
}
