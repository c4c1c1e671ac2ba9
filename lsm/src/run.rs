//! A sorted run: an immutable file of versions in order, found by filter and index, read where it is mapped.
//!
//! A lookup asks the fences in memory for the partition, its filter whether the key may be there, its index for the block, and the block.
//! R3: a checksum is looked at before what it covers is believed: of filters, indexes and plain blocks once while the run is open, of packed
//!     blocks whenever they are unpacked.
//! Never: writes; keeps a plain block, filter or index anywhere but where it is mapped.
//! Format: docs/formats/run.md.

mod cursor;
mod format;
mod verify;
mod writer;

pub(crate) use cursor::RunCursor;
pub(crate) use writer::{RunFile, RunWriter};

use crate::block::{self, Found};
use crate::cache::BlockCache;
use crate::error::LsmError;
use crate::filter;
use crate::index::{Handle, Index};
use crate::span::Span;
use crate::tombstone::Fragments;
use crate::version::{Kind, order};
use base::{Io, Mapped};
use format::{Codec, Fault, Meta, Partition};
use std::cmp::Ordering;
use std::fmt;
use std::ops::{Deref, Range};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

#[cfg(test)]
mod tests;

/// The file of a run: its number in twenty digits.
pub(crate) fn run_path(dir: &Path, number: u64) -> PathBuf {
    dir.join(format!("{number:020}.run"))
}

/// The number of a run's file name.
pub(crate) fn run_number(name: &str) -> Option<u64> {
    name.strip_suffix(".run").filter(|digits| digits.len() == 20 && digits.bytes().all(|b| b.is_ascii_digit()))?.parse().ok()
}

/// An open run.
pub(crate) struct Run {
    file: RunFile,
    path: PathBuf,
    map: Mapped,
    meta: Meta,
    span: Span,
    /// Pieces whose checksum was seen to match: data blocks by number, then an index and a filter for each partition (R3).
    verified: Box<[AtomicU64]>,
}

/// A data block ready to be searched.
#[derive(Clone, Debug)]
pub(crate) enum BlockBytes {
    /// Unpacked, perhaps shared with the cache.
    Unpacked(Arc<[u8]>),
    /// Where it is mapped.
    InPlace(Mapped, Range<usize>),
}

impl Deref for BlockBytes {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        match self {
            Self::Unpacked(bytes) => bytes,
            Self::InPlace(map, range) => &map[range.clone()],
        }
    }
}

/// A value where it was found.
#[derive(Debug)]
pub(crate) enum Value<'a> {
    Borrowed(&'a [u8]),
    Shared(Arc<[u8]>, Range<usize>),
}

impl Deref for Value<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Borrowed(bytes) => bytes,
            Self::Shared(bytes, range) => &bytes[range.clone()],
        }
    }
}

/// The version a lookup found.
#[derive(Debug)]
pub(crate) struct Hit<'a> {
    pub(crate) seq: u64,
    pub(crate) kind: Kind,
    pub(crate) value: Value<'a>,
}

/// Whether blocks that are read go through the cache. Compaction passes it by: it reads everything once.
pub(crate) type CacheUse<'a> = Option<&'a BlockCache>;

impl Run {
    /// Opens a run that a manifest names, or that was just written.
    pub(crate) fn open(io: &dyn Io, dir: &Path, file: RunFile) -> Result<Self, LsmError> {
        let path = run_path(dir, file.number);
        if !io.exists(&path) {
            return Err(LsmError::Missing { file: path });
        }
        let map = io.open(&path).and_then(|file| file.map()).map_err(|error| LsmError::io("map", &path, error))?;
        if map.len() as u64 != file.bytes {
            let reason = format!("the run is {} bytes long, the manifest says {}", map.len(), file.bytes);
            return Err(LsmError::damaged(&path, file.bytes.min(map.len() as u64), reason));
        }
        let faulty = |offset, fault| match fault {
            Fault::Version(version) => LsmError::UnknownVersion { file: path.clone(), version },
            Fault::Malformed(reason) => LsmError::damaged(&path, offset, reason),
        };
        format::check_header(&map, file.number).map_err(|fault| faulty(0, fault))?;
        let footer_at = (map.len() as u64).saturating_sub(format::FOOTER_BYTES as u64);
        let handle = format::read_footer(&map, file.number).map_err(|fault| faulty(footer_at, fault))?;
        let malformed = |reason| faulty(handle.offset, Fault::Malformed(reason));
        let (_, bytes) = format::piece(&map, file.number, handle, true).map_err(malformed)?;
        let sum_at = footer_at as usize - 4;
        if map[sum_at..sum_at + 4] != file.sum.to_le_bytes() {
            return Err(malformed("this is not the run the manifest names"));
        }
        let meta = Meta::decode(bytes).map_err(malformed)?;
        let span = span(&meta).ok_or_else(|| malformed("the run holds nothing"))?;
        let pieces = meta.blocks() + 2 * meta.partitions.len();
        let verified = (0..pieces.div_ceil(64)).map(|_| AtomicU64::new(0)).collect();
        Ok(Self { file, path, map, meta, span, verified })
    }

    pub(crate) fn file(&self) -> RunFile {
        self.file
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn span(&self) -> &Span {
        &self.span
    }

    /// Ranges deleted in this run.
    pub(crate) fn fragments(&self) -> &Fragments {
        &self.meta.fragments
    }

    /// Lowest and highest commit.
    pub(crate) fn seqs(&self) -> (u64, u64) {
        (self.meta.seq_min, self.meta.seq_max)
    }

    pub(crate) fn entries(&self) -> u64 {
        self.meta.entries
    }

    /// The newest version of `key` below `below`; `hash` is the key's ([`filter::hash`]).
    pub(crate) fn get(&self, key: &[u8], hash: u64, below: u64, cache: &BlockCache) -> Result<Option<Hit<'_>>, LsmError> {
        let Some(newest) = below.checked_sub(1).filter(|_| below > self.meta.seq_min) else { return Ok(None) };
        let number = self.partition_at(key, newest);
        let Some(partition) = self.meta.partitions.get(number) else { return Ok(None) };
        if !filter::may_hold(self.filter(number)?, hash) {
            return Ok(None);
        }
        let index = self.index(number)?;
        let malformed = |reason| self.damaged(partition.index, reason);
        let block = index.find(key, newest).map_err(malformed)?;
        if block >= index.blocks() {
            return Ok(None);
        }
        let handle = index.handle(block).map_err(malformed)?;
        let hit = |found: Found, value| Hit { seq: found.seq, kind: found.kind, value };
        let find = |bytes: &[u8]| block::find(bytes, key, below).map_err(|reason| self.damaged(handle, reason));
        match self.load(partition.first_block + block, handle, Some(cache))? {
            Loaded::Unpacked(bytes) => Ok(find(&bytes)?.map(|found| hit(found.clone(), Value::Shared(Arc::clone(&bytes), found.value)))),
            Loaded::InPlace(bytes) => Ok(find(bytes)?.map(|found| hit(found.clone(), Value::Borrowed(&bytes[found.value])))),
        }
    }

    /// The first partition whose fence is not before (`key`, `seq`); their number if there is none.
    fn partition_at(&self, key: &[u8], seq: u64) -> usize {
        let before = |partition: &Partition| order((&partition.fence.key, partition.fence.seq), (key, seq)) == Ordering::Less;
        self.meta.partitions.partition_point(before)
    }

    fn index(&self, partition: usize) -> Result<Index<'_>, LsmError> {
        let handle = self.meta.partitions[partition].index;
        let index = Index::of(self.plain(self.meta.blocks() + 2 * partition, handle)?);
        match index {
            Ok(index) if index.blocks() == self.meta.partitions[partition].blocks => Ok(index),
            Ok(_) => Err(self.damaged(handle, "the partition has another number of blocks than the run says")),
            Err(reason) => Err(self.damaged(handle, reason)),
        }
    }

    fn filter(&self, partition: usize) -> Result<&[u8], LsmError> {
        self.plain(self.meta.blocks() + 2 * partition + 1, self.meta.partitions[partition].filter)
    }

    /// A piece that is not packed; `number` is its place in `verified`.
    #[inline]
    fn plain(&self, number: usize, handle: Handle) -> Result<&[u8], LsmError> {
        let (word, bit) = (&self.verified[number / 64], 1 << (number % 64));
        let seen = word.load(Relaxed) & bit != 0;
        let piece = format::piece(&self.map, self.file.number, handle, !seen);
        let (codec, bytes) = piece.map_err(|reason| self.damaged(handle, reason))?;
        if codec != Codec::Plain {
            return Err(self.damaged(handle, "a piece is packed that must not be"));
        }
        if !seen {
            word.fetch_or(bit, Relaxed);
        }
        Ok(bytes)
    }

    /// A data block, unpacked if need be.
    fn load(&self, number: usize, handle: Handle, cache: CacheUse<'_>) -> Result<Loaded<'_>, LsmError> {
        if !handle.packed {
            return self.plain(number, handle).map(Loaded::InPlace);
        }
        if let Some(bytes) = cache.and_then(|cache| cache.get(self.file.number, handle.offset)) {
            return Ok(Loaded::Unpacked(bytes));
        }
        let bytes = self.unpack(handle)?;
        if let Some(cache) = cache {
            cache.put(self.file.number, handle.offset, &bytes);
        }
        Ok(Loaded::Unpacked(bytes))
    }

    fn unpack(&self, handle: Handle) -> Result<Arc<[u8]>, LsmError> {
        let damaged = |reason| self.damaged(handle, reason);
        let (codec, stored) = format::piece(&self.map, self.file.number, handle, true).map_err(damaged)?;
        let Codec::Lz4(unpacked) = codec else { return Err(damaged("a block is not packed that must be")) };
        let mut bytes: Arc<[u8]> = std::iter::repeat_n(0, unpacked).collect();
        let room = Arc::get_mut(&mut bytes).unwrap_or_else(|| panic!("R3: nobody else has what was just made"));
        match lz4_flex::block::decompress_into(stored, room) {
            Ok(length) if length == unpacked => Ok(bytes),
            _ => Err(damaged("the block does not unpack to its length")),
        }
    }

    /// A data block to keep.
    fn block(&self, number: usize, handle: Handle, cache: CacheUse<'_>) -> Result<BlockBytes, LsmError> {
        Ok(match self.load(number, handle, cache)? {
            Loaded::Unpacked(bytes) => BlockBytes::Unpacked(bytes),
            Loaded::InPlace(bytes) => {
                let start = usize::try_from(handle.offset).unwrap_or(usize::MAX);
                BlockBytes::InPlace(self.map.clone(), start..start + bytes.len())
            }
        })
    }

    fn damaged(&self, handle: Handle, reason: &'static str) -> LsmError {
        LsmError::damaged(&self.path, handle.offset, reason)
    }
}

enum Loaded<'a> {
    Unpacked(Arc<[u8]>),
    InPlace(&'a [u8]),
}

/// From the first key or deleted range to the last.
fn span(meta: &Meta) -> Option<Span> {
    let keys = (meta.entries > 0).then(|| Span { first: meta.first_key.clone(), last: meta.last_key.clone(), open: false });
    let ranges = meta.fragments.iter().map(|f| Span { first: f.start.clone(), last: f.end.clone(), open: true });
    let all: Vec<Span> = keys.into_iter().chain(ranges).collect();
    Span::of_all(all.iter())
}

impl fmt::Debug for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Run({}, {} bytes, {} versions)", self.file.number, self.file.bytes, self.meta.entries)
    }
}
