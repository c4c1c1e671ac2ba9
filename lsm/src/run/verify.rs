//! Walks a run from front to back and names the first thing that does not hold.

use super::{Run, format};
use crate::block::BlockCursor;
use crate::error::LsmError;
use crate::filter;
use crate::index::{Fence, Handle};
use crate::version::{Kind, order};
use std::cmp::Ordering;

/// What was counted on the way.
#[derive(Default)]
struct Walk {
    entries: u64,
    deletes: u64,
    last: Option<(Vec<u8>, u64)>,
    /// The fence of the block before.
    fence: Option<Fence>,
}

impl Run {
    /// Reads every piece with its checksum, whatever was seen before, and compares what is in it with what the run says of itself.
    ///
    /// # Errors
    /// `Damaged` for bytes that are not what was written, `Broken` with `F1`, `K1`, `X1` or `B1` for a run that was written wrongly.
    pub(crate) fn verify(&self) -> Result<(), LsmError> {
        let mut walk = Walk::default();
        for number in 0..self.meta.partitions.len() {
            self.verify_partition(number, &mut walk)?;
        }
        let meta = &self.meta;
        let (first_seen, last_seen) = (walk.entries > 0, walk.last.map(|last| last.0).unwrap_or_default());
        let counted = (walk.entries, walk.deletes) == (meta.entries, meta.deletes) && first_seen == (meta.entries > 0);
        if !counted || last_seen != meta.last_key {
            return Err(self.broken("F1", format!("the run says {} versions and holds {}", meta.entries, walk.entries)));
        }
        Ok(())
    }

    fn verify_partition(&self, number: usize, walk: &mut Walk) -> Result<(), LsmError> {
        let partition = &self.meta.partitions[number];
        for handle in [partition.index, partition.filter] {
            format::piece(&self.map, self.file.number, handle, true).map_err(|reason| self.damaged(handle, reason))?;
        }
        let index = self.index(number)?;
        for block in 0..index.blocks() {
            let malformed = |reason| self.damaged(partition.index, reason);
            let (handle, fence) = (index.handle(block).map_err(malformed)?, index.fence(block).map_err(malformed)?);
            self.verify_block(number, handle, &fence, walk)?;
            let ascends = walk.fence.as_ref().is_none_or(|before| order((&before.key, before.seq), (&fence.key, fence.seq)).is_lt());
            if !ascends {
                return Err(
                    self.broken("X1", format!("the fence of block {block} of partition {number} does not come after the one before"))
                );
            }
            walk.fence = Some(fence);
        }
        match &walk.fence {
            Some(fence) if *fence == partition.fence => Ok(()),
            _ => Err(self.broken("X1", format!("the last fence of partition {number} is not that of its last block"))),
        }
    }

    fn verify_block(&self, partition: usize, handle: Handle, fence: &Fence, walk: &mut Walk) -> Result<(), LsmError> {
        let damaged = |reason| self.damaged(handle, reason);
        let bytes = if handle.packed { self.unpack(handle)? } else { self.plain_again(handle)?.into() };
        let mut cursor = BlockCursor::new(&bytes[..]).map_err(damaged)?;
        cursor.first().map_err(damaged)?;
        while let Some(version) = cursor.version() {
            let here = (version.key, version.seq);
            let before = walk.last.as_ref().map(|(key, seq)| (key.as_slice(), *seq));
            let above = walk.fence.as_ref().is_none_or(|fence| order((&fence.key, fence.seq), here) == Ordering::Less);
            if before.is_some_and(|before| order(before, here) != Ordering::Less) {
                return Err(self.broken("K1", format!("a version in the block at {} does not come after the one before", handle.offset)));
            }
            if !above || order(here, (&fence.key, fence.seq)) == Ordering::Greater {
                return Err(self.broken("X1", format!("a version in the block at {} lies outside its fences", handle.offset)));
            }
            if !filter::may_hold(self.filter(partition)?, filter::hash(version.key)) {
                return Err(self.broken("B1", format!("the filter denies a key in the block at {}", handle.offset)));
            }
            let (seq_min, seq_max) = self.seqs();
            if version.seq < seq_min || version.seq > seq_max {
                return Err(self.broken("F1", format!("commit {} is not between {seq_min} and {seq_max}", version.seq)));
            }
            walk.entries += 1;
            walk.deletes += u64::from(version.kind == Kind::Delete);
            let last = walk.last.get_or_insert_default();
            last.0.clear();
            last.0.extend_from_slice(version.key);
            last.1 = version.seq;
            cursor.next().map_err(damaged)?;
        }
        Ok(())
    }

    fn plain_again(&self, handle: Handle) -> Result<&[u8], LsmError> {
        format::piece(&self.map, self.file.number, handle, true).map(|piece| piece.1).map_err(|reason| self.damaged(handle, reason))
    }

    fn broken(&self, invariant: &'static str, detail: String) -> LsmError {
        LsmError::broken(invariant, &self.path, detail)
    }
}
