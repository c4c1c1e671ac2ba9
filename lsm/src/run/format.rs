//! Bytes of a run: its header, the pieces it is made of with their checksums, what it says of itself, its footer. Pure: no I/O, no state.
//!
//! F1: every byte of a run is covered by a checksum. F2: a piece's checksum covers run number and offset, so it is valid in one place only.
//! F3: decoding never panics and never reads outside the file, whatever the bytes.
//! Format: docs/formats/run.md.

use crate::index::{Fence, Handle};
use crate::tombstone::{Fragments, Tombstone};
use crate::varint::{put, put_bytes, take, take_bytes, take_usize, u32_at, u64_at};
use crate::version::order;
use crc32fast::Hasher;
use std::cmp::Ordering;

/// Bytes before the first piece, and after the last.
pub(crate) const HEADER_BYTES: usize = 32;
pub(crate) const FOOTER_BYTES: usize = 32;
/// Bytes behind the stored bytes of a piece: codec, length when unpacked, checksum.
pub(crate) const TRAILER_BYTES: usize = 9;

const MAGIC: [u8; 8] = *b"SHOCKRUN";
const END_MAGIC: [u8; 4] = *b"RUN.";
const VERSION: u32 = 1;

/// What is wrong with bytes that should be a part of a run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fault {
    Version(u32),
    Malformed(&'static str),
}

/// How the bytes of a piece are stored.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Codec {
    /// As they are.
    Plain,
    /// An LZ4 block that unpacks to so many bytes.
    Lz4(usize),
}

pub(crate) fn header(number: u64) -> [u8; HEADER_BYTES] {
    let mut bytes = [0; HEADER_BYTES];
    bytes[..8].copy_from_slice(&MAGIC);
    bytes[8..12].copy_from_slice(&VERSION.to_le_bytes());
    bytes[16..24].copy_from_slice(&number.to_le_bytes());
    let crc = crc32fast::hash(&bytes[..28]);
    bytes[28..].copy_from_slice(&crc.to_le_bytes());
    bytes
}

pub(crate) fn check_header(file: &[u8], number: u64) -> Result<(), Fault> {
    let bytes = file.get(..HEADER_BYTES).ok_or(Fault::Malformed("the header is cut short"))?;
    if bytes[..8] != MAGIC {
        return Err(Fault::Malformed("this is not a run"));
    }
    if u32_at(bytes, 28) != Some(crc32fast::hash(&bytes[..28])) {
        return Err(Fault::Malformed("the checksum of the header does not match"));
    }
    match u32_at(bytes, 8) {
        Some(VERSION) if bytes == header(number) => Ok(()),
        Some(VERSION) => Err(Fault::Malformed("the header is of another run")),
        version => Err(Fault::Version(version.unwrap_or(0))),
    }
}

/// Where what the run says of itself lies.
pub(crate) fn footer(number: u64, meta: Handle) -> [u8; FOOTER_BYTES] {
    let mut bytes = [0; FOOTER_BYTES];
    bytes[..8].copy_from_slice(&meta.offset.to_le_bytes());
    bytes[8..16].copy_from_slice(&(meta.bytes as u64).to_le_bytes());
    bytes[16..24].copy_from_slice(&number.to_le_bytes());
    let crc = crc32fast::hash(&bytes[..24]);
    bytes[24..28].copy_from_slice(&crc.to_le_bytes());
    bytes[28..].copy_from_slice(&END_MAGIC);
    bytes
}

pub(crate) fn read_footer(file: &[u8], number: u64) -> Result<Handle, Fault> {
    let start = file.len().checked_sub(FOOTER_BYTES).filter(|start| *start >= HEADER_BYTES);
    let bytes = start.map(|start| &file[start..]).ok_or(Fault::Malformed("the footer is cut short"))?;
    if bytes[28..] != END_MAGIC || u32_at(bytes, 24) != Some(crc32fast::hash(&bytes[..24])) {
        return Err(Fault::Malformed("the checksum of the footer does not match"));
    }
    let (offset, length) = (u64_at(bytes, 0).unwrap_or(0), u64_at(bytes, 8).unwrap_or(0));
    let within = offset.checked_add(length).is_some_and(|end| end <= (file.len() - FOOTER_BYTES) as u64);
    match usize::try_from(length) {
        Ok(length) if within && u64_at(bytes, 16) == Some(number) => Ok(Handle { offset, bytes: length, packed: false }),
        _ => Err(Fault::Malformed("the footer is of another run")),
    }
}

fn piece_crc(number: u64, offset: u64, covered: &[u8]) -> u32 {
    let mut hasher = Hasher::new();
    hasher.update(&number.to_le_bytes());
    hasher.update(&offset.to_le_bytes());
    hasher.update(covered);
    hasher.finalize()
}

/// Ends the piece that was appended to `out` from `start` on and will stand at `offset` of the file; gives its checksum.
pub(crate) fn end_piece(out: &mut Vec<u8>, start: usize, number: u64, offset: u64, codec: Codec) -> u32 {
    let (byte, unpacked) = match codec {
        Codec::Plain => (0, out.len() - start),
        Codec::Lz4(unpacked) => (1, unpacked),
    };
    let unpacked = u32::try_from(unpacked).unwrap_or_else(|_| panic!("F1: a piece is below 4 GiB, for values and batches are bounded"));
    out.push(byte);
    out.extend_from_slice(&unpacked.to_le_bytes());
    let crc = piece_crc(number, offset, &out[start..]);
    out.extend_from_slice(&crc.to_le_bytes());
    crc
}

/// A piece of a file as it lies there: how it is stored, and its bytes less the trailer. Its checksum is looked at if `verify`.
#[inline]
pub(crate) fn piece(file: &[u8], number: u64, handle: Handle, verify: bool) -> Result<(Codec, &[u8]), &'static str> {
    let start = usize::try_from(handle.offset).unwrap_or(usize::MAX);
    let bytes = start.checked_add(handle.bytes).and_then(|end| file.get(start..end)).ok_or("a piece reaches beyond the file")?;
    let stored = bytes.len().checked_sub(TRAILER_BYTES).ok_or("a piece is shorter than its trailer")?;
    if verify && u32_at(bytes, stored + 5) != Some(piece_crc(number, handle.offset, &bytes[..stored + 5])) {
        return Err("the checksum does not match");
    }
    let unpacked = u32_at(bytes, stored + 1).unwrap_or(0) as usize;
    let codec = match (bytes[stored], handle.packed) {
        (0, false) if unpacked == stored => Codec::Plain,
        // LZ4 makes at most 255 bytes of one.
        (1, true) if unpacked <= stored.saturating_mul(255) => Codec::Lz4(unpacked),
        _ => return Err("the trailer is malformed"),
    };
    Ok((codec, &bytes[..stored]))
}

/// One filter and one index over consecutive data blocks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Partition {
    /// The fence of its last block.
    pub(crate) fence: Fence,
    pub(crate) index: Handle,
    pub(crate) filter: Handle,
    /// Number of its first data block in the run, and how many there are.
    pub(crate) first_block: usize,
    pub(crate) blocks: usize,
}

/// What a run says of itself.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Meta {
    pub(crate) entries: u64,
    /// Versions that say a key is gone.
    pub(crate) deletes: u64,
    /// Keys, counted once for each partition they are in.
    pub(crate) keys: u64,
    /// Lowest and highest commit, deleted ranges included.
    pub(crate) seq_min: u64,
    pub(crate) seq_max: u64,
    pub(crate) first_key: Vec<u8>,
    pub(crate) last_key: Vec<u8>,
    pub(crate) partitions: Vec<Partition>,
    pub(crate) fragments: Fragments,
}

impl Meta {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        [self.entries, self.deletes, self.keys, self.seq_min, self.seq_max].iter().for_each(|number| put(&mut out, *number));
        put_bytes(&mut out, &self.first_key);
        put_bytes(&mut out, &self.last_key);
        put(&mut out, self.partitions.len() as u64);
        for partition in &self.partitions {
            put_bytes(&mut out, &partition.fence.key);
            put(&mut out, partition.fence.seq);
            partition.index.put(&mut out);
            partition.filter.put(&mut out);
            put(&mut out, partition.blocks as u64);
        }
        let tombstones: Vec<Tombstone> = self.fragments.tombstones().collect();
        put(&mut out, tombstones.len() as u64);
        for tombstone in &tombstones {
            put_bytes(&mut out, &tombstone.start);
            put_bytes(&mut out, &tombstone.end);
            put(&mut out, tombstone.seq);
        }
        out
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, &'static str> {
        let mut at = 0;
        let meta = Self::take(bytes, &mut at).ok_or("what the run says of itself is cut short")?;
        let ascending = meta
            .partitions
            .windows(2)
            .all(|pair| order((&pair[0].fence.key, pair[0].fence.seq), (&pair[1].fence.key, pair[1].fence.seq)) == Ordering::Less);
        let something = meta.partitions.is_empty() == (meta.entries == 0) && (meta.entries > 0 || !meta.fragments.is_empty());
        if at != bytes.len() || !ascending || !something || meta.first_key > meta.last_key {
            return Err("what the run says of itself is malformed");
        }
        Ok(meta)
    }

    fn take(bytes: &[u8], at: &mut usize) -> Option<Self> {
        let [entries, deletes, keys, seq_min, seq_max] =
            [take(bytes, at)?, take(bytes, at)?, take(bytes, at)?, take(bytes, at)?, take(bytes, at)?];
        let (first_key, last_key) = (take_bytes(bytes, at)?.to_vec(), take_bytes(bytes, at)?.to_vec());
        let (mut partitions, mut first_block) = (Vec::new(), 0usize);
        for _ in 0..take(bytes, at)? {
            let fence = Fence { key: take_bytes(bytes, at)?.to_vec(), seq: take(bytes, at)? };
            let (index, filter) = (Handle::take(bytes, at)?, Handle::take(bytes, at)?);
            // A block takes more than one byte of the index, so this bounds what a reader sets aside for them.
            let blocks = take_usize(bytes, at).filter(|blocks| *blocks <= index.bytes)?;
            partitions.push(Partition { fence, index, filter, first_block, blocks });
            first_block = first_block.checked_add(blocks)?;
        }
        let mut tombstones = Vec::new();
        for _ in 0..take(bytes, at)? {
            let (start, end) = (take_bytes(bytes, at)?.to_vec(), take_bytes(bytes, at)?.to_vec());
            tombstones.push(Tombstone { start, end, seq: take(bytes, at)? });
        }
        let fragments = Fragments::of(&tombstones);
        Some(Self { entries, deletes, keys, seq_min, seq_max, first_key, last_key, partitions, fragments })
    }

    /// Number of data blocks.
    pub(crate) fn blocks(&self) -> usize {
        self.partitions.last().map_or(0, |last| last.first_block + last.blocks)
    }
}
