//! A place in a run, moved both ways.

use super::{BlockBytes, Run};
use crate::block::BlockCursor;
use crate::cache::BlockCache;
use crate::error::LsmError;
use crate::version::{SEQ_END, Version};
use std::sync::Arc;

/// A place in a run; at first before everything.
#[derive(Debug)]
pub(crate) struct RunCursor {
    run: Arc<Run>,
    cache: Option<Arc<BlockCache>>,
    partition: usize,
    /// Block in the partition.
    block: usize,
    cursor: Option<BlockCursor<BlockBytes>>,
    /// Whether the place is beyond the run.
    out: bool,
}

impl RunCursor {
    pub(crate) fn new(run: Arc<Run>, cache: Option<Arc<BlockCache>>) -> Self {
        Self { run, cache, partition: 0, block: 0, cursor: None, out: true }
    }

    /// To another run, beyond it, keeping memory.
    pub(crate) fn change(&mut self, run: Arc<Run>) {
        self.run = run;
        self.out = true;
    }

    #[inline]
    pub(crate) fn version(&self) -> Option<Version<'_>> {
        if self.out { None } else { self.cursor.as_ref()?.version() }
    }

    /// To the first version at or after (`key`, `seq`).
    pub(crate) fn seek(&mut self, key: &[u8], seq: u64) -> Result<(), LsmError> {
        if !self.find(key, seq)? {
            return Ok(());
        }
        self.within(|cursor| cursor.seek(key, seq))?;
        self.go_on()
    }

    /// To the last version of a key before `key`, or of the last key.
    pub(crate) fn seek_before(&mut self, key: Option<&[u8]>) -> Result<(), LsmError> {
        let found = match key {
            Some(key) => self.find(key, SEQ_END)?,
            None => false,
        };
        match key.filter(|_| found) {
            Some(key) => self.within(|cursor| cursor.seek_before(key))?,
            None => return self.seek_last(),
        }
        self.go_back()
    }

    /// To the first version.
    pub(crate) fn seek_first(&mut self) -> Result<(), LsmError> {
        self.seek(&[], SEQ_END)
    }

    #[inline]
    pub(crate) fn next(&mut self) -> Result<(), LsmError> {
        if self.out {
            return Ok(());
        }
        self.within(BlockCursor::next)?;
        if self.version().is_some() { Ok(()) } else { self.go_on() }
    }

    pub(crate) fn back(&mut self) -> Result<(), LsmError> {
        if self.out {
            return Ok(());
        }
        self.within(BlockCursor::back)?;
        self.go_back()
    }

    /// Loads the block that holds the first version at or after (`key`, `seq`), if any does.
    fn find(&mut self, key: &[u8], seq: u64) -> Result<bool, LsmError> {
        self.out = true;
        self.partition = self.run.partition_at(key, seq);
        if self.partition == self.run.meta.partitions.len() {
            return Ok(false);
        }
        let index = self.run.index(self.partition)?;
        let handle = self.run.meta.partitions[self.partition].index;
        self.block = index.find(key, seq).map_err(|reason| self.run.damaged(handle, reason))?;
        if self.block == index.blocks() {
            return Err(self.run.damaged(handle, "the partition ends before its fence"));
        }
        self.load()?;
        Ok(true)
    }

    fn load(&mut self) -> Result<(), LsmError> {
        self.out = true;
        let partition = &self.run.meta.partitions[self.partition];
        let handle = self.run.index(self.partition)?.handle(self.block);
        let handle = handle.map_err(|reason| self.run.damaged(partition.index, reason))?;
        let bytes = self.run.block(partition.first_block + self.block, handle, self.cache.as_deref())?;
        let loaded = match &mut self.cursor {
            Some(cursor) => cursor.replace(bytes),
            none => BlockCursor::new(bytes).map(|cursor| *none = Some(cursor)),
        };
        loaded.map_err(|reason| self.run.damaged(handle, reason))?;
        self.out = false;
        Ok(())
    }

    fn within(&mut self, step: impl FnOnce(&mut BlockCursor<BlockBytes>) -> Result<(), &'static str>) -> Result<(), LsmError> {
        let Some(cursor) = &mut self.cursor else { return Ok(()) };
        if let Err(reason) = step(cursor) {
            self.out = true;
            let index = self.run.index(self.partition)?;
            return Err(self.run.damaged(index.handle(self.block).unwrap_or_default(), reason));
        }
        Ok(())
    }

    /// While the place is behind the last version of a block, to the first of the next block.
    fn go_on(&mut self) -> Result<(), LsmError> {
        while !self.out && self.version().is_none() {
            self.block += 1;
            if self.block == self.run.meta.partitions[self.partition].blocks {
                (self.partition, self.block) = (self.partition + 1, 0);
            }
            if self.partition == self.run.meta.partitions.len() {
                self.out = true;
                return Ok(());
            }
            self.load()?;
            self.within(BlockCursor::first)?;
        }
        Ok(())
    }

    /// While the place is before the first version of a block, to the last of the block before.
    fn go_back(&mut self) -> Result<(), LsmError> {
        while !self.out && self.version().is_none() {
            if self.block == 0 {
                if self.partition == 0 {
                    self.out = true;
                    return Ok(());
                }
                self.partition -= 1;
                self.block = self.run.meta.partitions[self.partition].blocks;
            }
            self.block = self.block.saturating_sub(1);
            self.load()?;
            self.within(BlockCursor::last)?;
        }
        Ok(())
    }

    fn seek_last(&mut self) -> Result<(), LsmError> {
        self.out = true;
        let Some(partition) = self.run.meta.partitions.len().checked_sub(1) else { return Ok(()) };
        self.partition = partition;
        self.block = self.run.meta.partitions[partition].blocks.saturating_sub(1);
        self.load()?;
        self.within(BlockCursor::last)
    }
}
