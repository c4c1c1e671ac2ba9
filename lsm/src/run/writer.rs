//! Writes a run: versions go in, in order, and a durable file comes out.
//!
//! R1: a run is written once, from front to back, is read-only from the start (mode 0444), and is named in a manifest only after it and its name
//! are durable. R2: versions come in the order K1.
//! Never: opens an existing file; syncs the folder, which is done once for all runs of a compaction.

use super::format::{Codec, FOOTER_BYTES, Meta, Partition, end_piece, footer, header};
use super::run_path;
use crate::block::BlockBuilder;
use crate::error::LsmError;
use crate::filter;
use crate::index::{Fence, Handle, IndexBuilder};
use crate::tombstone::{Fragments, Tombstone};
use crate::version::{Kind, Version, order};
use base::{File, Io};
use std::cmp::Ordering;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// An index partition is closed at about this size.
const PARTITION_BYTES: usize = 4 << 10;
/// So much is gathered before it is written.
const WRITE_BYTES: usize = 1 << 20;
/// How many blocks are stored as they are before compression is tried again, at most.
const UNTRIED_MAX: u32 = 16;

/// A finished run on disk.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct RunFile {
    pub(crate) number: u64,
    pub(crate) bytes: u64,
    /// Checksum of what it says of itself.
    pub(crate) sum: u32,
}

#[derive(Debug)]
pub(crate) struct RunWriter {
    number: u64,
    path: PathBuf,
    file: Arc<dyn File>,
    block_bytes: usize,
    filter_bits: usize,
    /// Bytes not yet written; they belong at `written`.
    buffer: Vec<u8>,
    written: u64,
    block: BlockBuilder,
    index: IndexBuilder,
    /// Hashes of the keys of the partition, and whether the last key is among them.
    hashes: Vec<u64>,
    last: Option<(Vec<u8>, u64)>,
    meta: Meta,
    /// Blocks to store untried, and how many were stored so last time.
    untried: u32,
    untried_last: u32,
}

impl RunWriter {
    /// Begins the run `number` in `dir`.
    pub(crate) fn create(io: &dyn Io, dir: &Path, number: u64, block_bytes: usize, filter_bits: usize) -> Result<Self, LsmError> {
        let path = run_path(dir, number);
        let file = io.create_new(&path, 0o444).map_err(|error| LsmError::io("create", &path, error))?;
        Ok(Self {
            number,
            path,
            file,
            block_bytes,
            filter_bits,
            buffer: header(number).to_vec(),
            written: 0,
            block: BlockBuilder::default(),
            index: IndexBuilder::default(),
            hashes: Vec::new(),
            last: None,
            meta: Meta { seq_min: u64::MAX, ..Meta::default() },
            untried: 0,
            untried_last: 0,
        })
    }

    /// Bytes of the file so far, the open block included.
    pub(crate) fn bytes(&self) -> u64 {
        self.offset() + self.block.bytes() as u64
    }

    /// The last key that went in.
    pub(crate) fn last_key(&self) -> Option<&[u8]> {
        self.last.as_ref().map(|last| last.0.as_slice())
    }

    pub(crate) fn push(&mut self, version: &Version<'_>) -> Result<(), LsmError> {
        if self.block.bytes() >= self.block_bytes && !self.block.is_empty() {
            self.close_block(Some(version.key))?;
        }
        let last = self.last.as_ref().map(|(key, seq)| (key.as_slice(), *seq));
        let ordered = last.is_none_or(|last| order(last, (version.key, version.seq)) == Ordering::Less);
        assert!(ordered, "R2: a version must come after the one before, in the order K1");
        let new_key = last.is_none_or(|last| last.0 != version.key);
        if new_key || self.hashes.is_empty() {
            self.hashes.push(filter::hash(version.key));
            self.meta.keys += 1;
        }
        self.block.push(version);
        let last = self.last.get_or_insert_default();
        if new_key {
            if self.meta.entries == 0 {
                self.meta.first_key = version.key.to_vec();
            }
            last.0.clear();
            last.0.extend_from_slice(version.key);
        }
        last.1 = version.seq;
        self.meta.entries += 1;
        self.meta.deletes += u64::from(version.kind == Kind::Delete);
        self.meta.seq_min = self.meta.seq_min.min(version.seq);
        self.meta.seq_max = self.meta.seq_max.max(version.seq);
        Ok(())
    }

    /// Writes what is left, with the deleted ranges that belong to this run, and makes the file durable.
    pub(crate) fn finish(mut self, tombstones: &[Tombstone]) -> Result<RunFile, LsmError> {
        if !self.block.is_empty() {
            self.close_block(None)?;
        }
        self.close_partition();
        for tombstone in tombstones {
            self.meta.seq_min = self.meta.seq_min.min(tombstone.seq);
            self.meta.seq_max = self.meta.seq_max.max(tombstone.seq);
        }
        self.meta.fragments = Fragments::of(tombstones);
        self.meta.last_key = self.last.take().unwrap_or_default().0;
        let meta = self.meta.encode();
        let (handle, sum) = self.append_plain(&meta);
        self.buffer.extend_from_slice(&footer(self.number, handle));
        self.write()?;
        self.file.sync().map_err(|error| LsmError::io("sync", &self.path, error))?;
        assert!(self.written >= FOOTER_BYTES as u64, "R1: a finished run has a footer");
        Ok(RunFile { number: self.number, bytes: self.written, sum })
    }

    fn offset(&self) -> u64 {
        self.written + self.buffer.len() as u64
    }

    fn append_plain(&mut self, bytes: &[u8]) -> (Handle, u32) {
        let (start, offset) = (self.buffer.len(), self.offset());
        self.buffer.extend_from_slice(bytes);
        let sum = end_piece(&mut self.buffer, start, self.number, offset, Codec::Plain);
        (Handle { offset, bytes: self.buffer.len() - start, packed: false }, sum)
    }

    /// Ends the data block; `next` is the key that follows.
    fn close_block(&mut self, next: Option<&[u8]>) -> Result<(), LsmError> {
        let (start, offset) = (self.buffer.len(), self.offset());
        let codec = self.store_block();
        end_piece(&mut self.buffer, start, self.number, offset, codec);
        self.block.clear();
        let last = self.last.as_ref().map(|(key, seq)| (key.as_slice(), *seq)).unwrap_or_default();
        let handle = Handle { offset, bytes: self.buffer.len() - start, packed: codec != Codec::Plain };
        self.index.push(Fence::between(last, next), handle);
        if self.index.bytes() >= PARTITION_BYTES {
            self.close_partition();
        }
        if self.buffer.len() >= WRITE_BYTES { self.write() } else { Ok(()) }
    }

    /// Appends the block, packed if that saves an eighth: less is not worth unpacking it at every read. After a block that was not worth it, some
    /// are not tried; the more, the longer it goes on.
    fn store_block(&mut self) -> Codec {
        let bytes = self.block.finish();
        if self.untried > 0 {
            self.untried -= 1;
            self.buffer.extend_from_slice(bytes);
            return Codec::Plain;
        }
        let start = self.buffer.len();
        self.buffer.resize(start + lz4_flex::block::get_maximum_output_size(bytes.len()), 0);
        let packed = lz4_flex::block::compress_into(bytes, &mut self.buffer[start..]).ok();
        match packed.filter(|packed| *packed < bytes.len() - bytes.len() / 8) {
            Some(packed) => {
                self.buffer.truncate(start + packed);
                self.untried_last = 0;
                Codec::Lz4(bytes.len())
            }
            None => {
                self.buffer.truncate(start);
                self.buffer.extend_from_slice(bytes);
                self.untried_last = (self.untried_last * 2 + 1).min(UNTRIED_MAX);
                self.untried = self.untried_last;
                Codec::Plain
            }
        }
    }

    fn close_partition(&mut self) {
        let blocks = self.index.blocks();
        if blocks == 0 {
            return;
        }
        let (index, fence) = self.index.finish();
        let (index, _) = self.append_plain(&index);
        let (filter, _) = self.append_plain(&filter::build(&self.hashes, self.filter_bits));
        self.hashes.clear();
        let first_block = self.meta.blocks();
        self.meta.partitions.push(Partition { fence, index, filter, first_block, blocks });
    }

    fn write(&mut self) -> Result<(), LsmError> {
        let failed = |error| LsmError::io("write", &self.path, error);
        let bytes = self.buffer.len() as u64;
        self.file.write_at(self.written, &self.buffer).map_err(failed)?;
        self.file.begin_sync(self.written, bytes).map_err(failed)?;
        self.written += bytes;
        self.buffer.clear();
        Ok(())
    }
}
