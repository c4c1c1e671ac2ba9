//! Decoded batches of segments that key lookups and receipts read: the next row of a batch costs a slice, not the decompression of 8,191 neighbours.
//!
//! C1: at most the budget is held; what was used longest ago goes first.
//! C2: a batch is named by its table and its rows, which never mean others: segments are written once and row ids are dense.
//! Never: asked by scans, which would push everything else out.

use arrow::array::{Array, RecordBatch};
use base::{RelationId, SqlResult};
use hashbrown::HashMap;
use parking_lot::Mutex;

use crate::segment::{BATCH_ROWS, Segment};

/// Which columns of a batch.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Part {
    /// Those that answers are made of.
    Values,
    /// Those that a row's hash covers.
    Hashed,
}

/// Names a batch: its table, the id of its first row, how many rows it has, for those of a merged segment begin and end elsewhere (C2), and which columns
/// of it.
pub type BatchName = (RelationId, u64, u64, Part);

/// The name of a batch of a segment.
pub fn name_of(segment: &Segment, index: usize, part: Part) -> BatchName {
    let first = segment.first_row() + (index * BATCH_ROWS) as u64;
    (segment.table().id, first, (segment.end() - first).min(BATCH_ROWS as u64), part)
}

/// The cache of one ledger.
#[derive(Debug)]
pub struct BatchCache {
    budget_bytes: usize,
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    batches: HashMap<BatchName, Entry>,
    bytes: usize,
    uses: u64,
}

#[derive(Debug)]
struct Entry {
    batch: RecordBatch,
    bytes: usize,
    last_use: u64,
}

impl BatchCache {
    /// An empty cache that may hold so many bytes of decoded columns; 0 holds nothing.
    pub fn new(budget_bytes: usize) -> Self {
        Self { budget_bytes, held: Mutex::default() }
    }

    /// The batch of this name, from the cache or by `read`. Errors: those of `read`.
    pub fn get(&self, name: BatchName, read: impl FnOnce() -> SqlResult<RecordBatch>) -> SqlResult<RecordBatch> {
        if let Some(batch) = self.held.lock().find(name) {
            return Ok(batch);
        }
        // Read without the lock: two lookups may both decode a batch, none waits for the other.
        let batch = read()?;
        let bytes = weight(&batch);
        if bytes <= self.budget_bytes {
            self.held.lock().keep(name, batch.clone(), bytes, self.budget_bytes);
        }
        Ok(batch)
    }

    /// What it holds now.
    pub fn bytes(&self) -> usize {
        self.held.lock().bytes
    }

    /// Lets go what it holds of these rows of a table.
    pub fn forget(&self, table: RelationId, first: u64, rows: u64) {
        let mut held = self.held.lock();
        let Held { batches, bytes, .. } = &mut *held;
        batches.retain(|(of, row, ..), entry| {
            let is_meant = *of == table && (first..first + rows).contains(row);
            *bytes -= if is_meant { entry.bytes } else { 0 };
            !is_meant
        });
    }
}

/// Bytes of a batch's values. Buffers that LZ4 left as they are are views of the mapped file and would count as all of it.
fn weight(batch: &RecordBatch) -> usize {
    batch.columns().iter().map(|column| column.to_data().get_slice_memory_size().unwrap_or(usize::MAX / 2)).fold(0, usize::saturating_add)
}

impl Held {
    fn find(&mut self, name: BatchName) -> Option<RecordBatch> {
        self.uses += 1;
        let entry = self.batches.get_mut(&name)?;
        entry.last_use = self.uses;
        Some(entry.batch.clone())
    }

    fn keep(&mut self, name: BatchName, batch: RecordBatch, bytes: usize, budget_bytes: usize) {
        if let Some(before) = self.batches.insert(name, Entry { batch, bytes, last_use: self.uses }) {
            self.bytes -= before.bytes;
        }
        self.bytes += bytes;
        while self.bytes > budget_bytes {
            // A budget holds some hundred batches; looking at all of them is nothing beside decoding one.
            let oldest = self.batches.iter().min_by_key(|(_, entry)| entry.last_use).map(|(name, _)| *name);
            let Some(entry) = oldest.and_then(|name| self.batches.remove(&name)) else { return };
            self.bytes -= entry.bytes;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{ArrayRef, Int64Array};
    use std::sync::Arc;

    fn batch(value: i64) -> RecordBatch {
        RecordBatch::try_from_iter([("v", Arc::new(Int64Array::from(vec![value; 100])) as ArrayRef)]).unwrap()
    }

    fn name(n: u64) -> BatchName {
        (RelationId(1), n, 100, Part::Values)
    }

    #[test]
    fn a_batch_is_read_once_while_there_is_room_and_the_least_used_goes_first() {
        let size = weight(&batch(0));
        let cache = BatchCache::new(2 * size);
        let mut reads = Vec::new();
        for n in [1, 2, 1, 3, 1, 2] {
            let got = cache.get(name(n), || {
                reads.push(n);
                Ok(batch(n as i64))
            });
            assert_eq!(got.unwrap(), batch(n as i64));
            assert!(cache.held.lock().bytes <= 2 * size, "C1");
        }
        // 3 pushed out 2, which was used before 1 was used again.
        assert_eq!(reads, [1, 2, 3, 2]);
    }

    #[test]
    fn what_exceeds_the_budget_is_read_every_time_and_errors_are_not_kept() {
        let cache = BatchCache::new(0);
        let mut reads = 0;
        for _ in 0..2 {
            cache
                .get(name(1), || {
                    reads += 1;
                    Ok(batch(1))
                })
                .unwrap();
        }
        assert_eq!((reads, cache.held.lock().batches.len()), (2, 0));
        let cache = BatchCache::new(1 << 20);
        assert!(cache.get(name(1), || Err(base::SqlError::internal("no"))).is_err());
        assert_eq!(cache.get(name(1), || Ok(batch(1))).unwrap(), batch(1));
    }
}
