//! Back to where a statement began, so that it can be run again: what it wrote is forgotten, its locks stay.
//!
//! B1: after a rewind the transaction's rows, keys and ended rows are those of the mark.
//! B2: a statement that changed definitions cannot be rewound.
//! Never: copies what was written before the mark; a mark costs a few words a table.

use std::collections::BTreeMap;
use std::sync::Arc;

use base::{RelationId, SqlResult};

use crate::catalog::Catalog;
use crate::folds::staged::Place;
use crate::schema::Expressions;
use crate::transaction::Transaction;
use crate::unique;
use crate::writes::{OwnPiece, TableWrites};

/// Where a statement began.
#[derive(Debug)]
pub struct Mark {
    tables: BTreeMap<RelationId, Extent>,
    definitions: (usize, usize),
    catalog: Option<Arc<Catalog>>,
}

/// How far the writes to one table reached.
#[derive(Clone, Copy, Debug)]
struct Extent {
    rows: u64,
    ended: usize,
    own_ended: usize,
    keys_checked_at: Option<u64>,
}

impl Transaction {
    /// The present moment, to come back to.
    pub fn mark(&self) -> Mark {
        let extent = |writes: &TableWrites| Extent {
            rows: writes.rows,
            ended: writes.own.ended.len(),
            own_ended: writes.own.own_ended.len(),
            keys_checked_at: writes.keys_checked_at,
        };
        Mark {
            tables: self.writes.iter().map(|(id, writes)| (*id, extent(writes))).collect(),
            definitions: (self.defined.len(), self.dropped.len()),
            catalog: self.catalog.clone(),
        }
    }

    /// Forgets what was written since. False if it cannot (B2); then only dropping the transaction undoes it.
    ///
    /// Errors: XX000 where rows written before cannot be hashed again.
    pub fn rewind(&mut self, mark: &Mark) -> SqlResult<bool> {
        if self.definitions_since(mark) {
            return Ok(false);
        }
        self.owed.fresh.clear();
        self.owed.late.clear();
        self.owed.removed.clear();
        self.writes.retain(|id, _| mark.tables.contains_key(id));
        let threads = self.ledger.options().hash_threads;
        let ledger = Arc::clone(&self.ledger);
        let place = Arc::clone(ledger.folds().place());
        for (id, extent) in &mark.tables {
            if let Some(writes) = self.writes.get_mut(id) {
                rewind(writes, *extent, threads, (&place, ledger.options().expressions()))?;
            }
        }
        Ok(true)
    }

    fn definitions_since(&self, mark: &Mark) -> bool {
        let is_same = match (&self.catalog, &mark.catalog) {
            (None, None) => true,
            (Some(now), Some(then)) => now.schema_root() == then.schema_root(),
            _ => false,
        };
        mark.definitions != (self.defined.len(), self.dropped.len()) || !is_same
    }
}

fn rewind(
    writes: &mut TableWrites,
    extent: Extent,
    threads: usize,
    (place, expressions): (&Arc<Place>, &dyn Expressions),
) -> SqlResult<()> {
    writes.keys_checked_at = extent.keys_checked_at;
    let is_longer = writes.rows > extent.rows;
    if !is_longer && writes.own.ended.len() == extent.ended && writes.own.own_ended.len() == extent.own_ended {
        return Ok(());
    }
    let mut after = TableWrites::new(Arc::clone(&writes.table));
    let before = writes.own_mut();
    before.ended.truncate(extent.ended);
    before.own_ended.truncate(extent.own_ended);
    if !is_longer {
        return Ok(());
    }
    let own = after.own_mut();
    own.ended = std::mem::take(&mut before.ended);
    own.own_ended = std::mem::take(&mut before.own_ended);
    own.unindexed = std::mem::take(&mut before.unindexed);
    own.doubtful = std::mem::take(&mut before.doubtful);
    for OwnPiece { first, batch, position } in std::mem::take(&mut before.pieces) {
        let rows = extent.rows.saturating_sub(first).min(batch.num_rows() as u64) as usize;
        if rows == 0 {
            break;
        }
        assert!(rows == batch.num_rows() || position.is_none(), "B1: what went ahead into the log was written by one statement");
        let batch = batch.slice(0, rows);
        let keys = unique::read_stored(expressions, &after.table, &batch)?;
        after.make_room(place)?;
        after.push(batch, position, threads)?;
        after.learn_keys(keys, first);
    }
    after.keys_checked_at = extent.keys_checked_at;
    after.sealed_at = writes.sealed_at;
    *writes = after;
    Ok(())
}
