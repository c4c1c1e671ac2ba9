//! Bytes of a log file: its header, the frames that carry records, and their checksums. Pure: no I/O, no state.
//!
//! F1: every byte of a frame is either covered by its CRC or must be zero, so a flipped bit anywhere in it is seen.
//! F2: a CRC is seeded with ledger and incarnation and covers the frame's own position: a frame is valid in one place of one log only.
//! F3: decoding never panics and never reads outside the file, whatever the bytes.
//! Format: docs/formats/wal.md.

use crate::{Identity, Position, RecordKind};
use base::LedgerId;
use crc32fast::Hasher;
use std::ops::Range;

#[cfg(test)]
mod tests;

/// Bytes before the first frame.
pub(crate) const FILE_HEADER_BYTES: usize = 64;
/// Bytes of a frame before its payload.
pub(crate) const FRAME_HEADER_BYTES: usize = 32;
/// Frames start at multiples of this, and so do payloads.
pub(crate) const ALIGNMENT: usize = 32;
/// Granularity of file sizes.
pub(crate) const BLOCK_BYTES: u64 = 4096;
/// Largest payload.
pub(crate) const PAYLOAD_BYTES_MAX: usize = u32::MAX as usize - 2 * ALIGNMENT;

const MAGIC: [u8; 8] = *b"SHOCKWAL";
const VERSION: u32 = 1;
const ZEROS: [u8; ALIGNMENT] = [0; ALIGNMENT];

const _: () = assert!(FILE_HEADER_BYTES.is_multiple_of(ALIGNMENT) && FRAME_HEADER_BYTES.is_multiple_of(ALIGNMENT));
const _: () = assert!((BLOCK_BYTES as usize).is_multiple_of(ALIGNMENT) && BLOCK_BYTES as usize > FILE_HEADER_BYTES + FRAME_HEADER_BYTES);

/// First 64 bytes of a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct FileHeader {
    pub(crate) identity: Identity,
    /// Place among the log's files, from 1, dense.
    pub(crate) number: u64,
    /// Log position of the file's first byte.
    pub(crate) base: u64,
    /// Size of the file.
    pub(crate) bytes: u64,
}

/// Why a file header is not one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum HeaderFault {
    Truncated,
    Magic,
    Checksum,
    Version(u32),
    Layout,
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).and_then(|four| four.try_into().ok()).map_or(0, u32::from_le_bytes)
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    bytes.get(at..at + 8).and_then(|eight| eight.try_into().ok()).map_or(0, u64::from_le_bytes)
}

impl FileHeader {
    pub(crate) fn encode(&self) -> [u8; FILE_HEADER_BYTES] {
        let mut bytes = [0; FILE_HEADER_BYTES];
        bytes[..8].copy_from_slice(&MAGIC);
        bytes[8..12].copy_from_slice(&VERSION.to_le_bytes());
        bytes[12..16].copy_from_slice(&self.identity.incarnation.to_le_bytes());
        bytes[16..32].copy_from_slice(&self.identity.ledger.0);
        bytes[32..40].copy_from_slice(&self.number.to_le_bytes());
        bytes[40..48].copy_from_slice(&self.base.to_le_bytes());
        bytes[48..56].copy_from_slice(&self.bytes.to_le_bytes());
        let crc = crc32fast::hash(&bytes[..60]);
        bytes[60..].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, HeaderFault> {
        let bytes = bytes.get(..FILE_HEADER_BYTES).ok_or(HeaderFault::Truncated)?;
        if bytes[..8] != MAGIC {
            return Err(HeaderFault::Magic);
        }
        if crc32fast::hash(&bytes[..60]) != u32_at(bytes, 60) {
            return Err(HeaderFault::Checksum);
        }
        if u32_at(bytes, 8) != VERSION {
            return Err(HeaderFault::Version(u32_at(bytes, 8)));
        }
        let mut ledger = LedgerId::default();
        ledger.0.copy_from_slice(&bytes[16..32]);
        let identity = Identity { ledger, incarnation: u32_at(bytes, 12) };
        let header = Self { identity, number: u64_at(bytes, 32), base: u64_at(bytes, 40), bytes: u64_at(bytes, 48) };
        let sized = header.bytes >= BLOCK_BYTES && header.bytes.is_multiple_of(ALIGNMENT as u64) && usize::try_from(header.bytes).is_ok();
        let placed = header.base.is_multiple_of(ALIGNMENT as u64) && header.base.checked_add(header.bytes).is_some();
        if sized && placed && header.number > 0 && u32_at(bytes, 56) == 0 { Ok(header) } else { Err(HeaderFault::Layout) }
    }
}

/// CRC state after ledger id and incarnation, from which the CRC of every frame of a file starts (F2).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seed(u32);

impl Seed {
    pub(crate) fn new(identity: Identity) -> Self {
        let mut hasher = Hasher::new();
        hasher.update(&identity.ledger.0);
        hasher.update(&identity.incarnation.to_le_bytes());
        Self(hasher.finalize())
    }

    /// CRC state after the frame header but for its CRC field; the payload follows.
    fn after_header(self, header: &[u8]) -> Hasher {
        let mut hasher = Hasher::new_with_initial(self.0);
        hasher.update(&header[..4]);
        hasher.update(&header[8..FRAME_HEADER_BYTES]);
        hasher
    }
}

/// Bytes a frame takes in its file, padding included.
pub(crate) fn frame_bytes(payload_bytes: usize) -> usize {
    FRAME_HEADER_BYTES + payload_bytes.next_multiple_of(ALIGNMENT)
}

/// The zero bytes after a payload of this length.
pub(crate) fn padding(payload_bytes: usize) -> &'static [u8] {
    &ZEROS[..payload_bytes.next_multiple_of(ALIGNMENT) - payload_bytes]
}

/// Payloads at least this long are summed before the head's lock is taken and combined with the header's sum under it.
const SUM_AHEAD_BYTES: usize = 16 << 10;

/// A record on its way into the log: its kind, the parts its payload is made of, and, if it is long, their CRC.
#[derive(Debug)]
pub(crate) struct Outgoing<'a> {
    pub(crate) kind: RecordKind,
    pub(crate) parts: &'a [&'a [u8]],
    pub(crate) payload_bytes: usize,
    sum: Option<Hasher>,
}

impl<'a> Outgoing<'a> {
    /// `None` if the parts together are longer than a record may be.
    pub(crate) fn new(kind: RecordKind, parts: &'a [&'a [u8]]) -> Option<Self> {
        let payload_bytes = parts.iter().try_fold(0usize, |sum, part| sum.checked_add(part.len())).filter(|n| *n <= PAYLOAD_BYTES_MAX)?;
        let sum = (payload_bytes >= SUM_AHEAD_BYTES).then(|| {
            let mut hasher = Hasher::new();
            parts.iter().for_each(|part| hasher.update(part));
            hasher
        });
        Some(Self { kind, parts, payload_bytes, sum })
    }

    /// Bytes it takes in a file.
    pub(crate) fn frame_bytes(&self) -> usize {
        frame_bytes(self.payload_bytes)
    }

    /// The frame header that puts the record at `position` in a log known durable up to `durable`.
    pub(crate) fn header(&self, seed: Seed, position: Position, durable: Position) -> [u8; FRAME_HEADER_BYTES] {
        assert!(durable <= position, "W1: a record at {position} cannot follow a durable end of {durable}");
        let mut header = [0; FRAME_HEADER_BYTES];
        let length =
            u32::try_from(self.payload_bytes).unwrap_or_else(|_| panic!("F1: payload length was checked when the record was made"));
        header[..4].copy_from_slice(&length.to_le_bytes());
        header[8] = self.kind.0;
        header[16..24].copy_from_slice(&position.0.to_le_bytes());
        header[24..].copy_from_slice(&durable.0.to_le_bytes());
        let mut hasher = seed.after_header(&header);
        match &self.sum {
            Some(sum) => hasher.combine(sum),
            None => self.parts.iter().for_each(|part| hasher.update(part)),
        }
        header[4..8].copy_from_slice(&hasher.finalize().to_le_bytes());
        header
    }
}

/// A valid frame.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Frame {
    pub(crate) kind: RecordKind,
    pub(crate) durable: Position,
    /// Place of the payload in the file.
    pub(crate) payload: Range<usize>,
    /// Offset of the frame after it.
    pub(crate) next: usize,
}

/// What stands where a frame may begin.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Decoded {
    Frame(Frame),
    /// A header of zeros: nothing was written here, or it was lost.
    Blank,
    /// Something else, and what is wrong with it.
    Invalid(&'static str),
}

/// Length and kind of the frame whose header stands at `offset` of a file that begins at log position `base`, if it looks like one; its CRC
/// is not checked. For records known to be valid.
pub(crate) fn payload_of_written(header: &[u8], base: u64, offset: usize) -> Option<usize> {
    let written = header.len() == FRAME_HEADER_BYTES && header[8] != RecordKind::NONE.0 && u64_at(header, 16) == base + offset as u64;
    usize::try_from(u32_at(header, 0)).ok().filter(|_| written)
}

/// Reads what stands at `offset` of a file's bytes; the file begins at log position `base`.
pub(crate) fn decode(seed: Seed, file: &[u8], base: u64, offset: usize) -> Decoded {
    let Some(header) = offset.checked_add(FRAME_HEADER_BYTES).and_then(|end| file.get(offset..end)) else {
        return Decoded::Invalid("the file ends inside a frame header");
    };
    if header == ZEROS {
        return Decoded::Blank;
    }
    // Cheapest first: a scan for later frames tries every multiple of 32.
    let position = u64_at(header, 16);
    if base.checked_add(offset as u64) != Some(position) {
        return Decoded::Invalid("the frame names another position");
    }
    let durable = u64_at(header, 24);
    if header[8] == RecordKind::NONE.0 || header[9..16] != [0; 7] || durable > position {
        return Decoded::Invalid("the frame header is malformed");
    }
    let start = offset + FRAME_HEADER_BYTES;
    let length = u32_at(header, 0) as usize;
    let next = length.checked_next_multiple_of(ALIGNMENT).and_then(|padded| start.checked_add(padded));
    let Some((next, body)) = next.and_then(|next| Some((next, file.get(start..next)?))) else {
        return Decoded::Invalid("the frame is longer than the file");
    };
    let (payload, padding) = body.split_at(length);
    let mut hasher = seed.after_header(header);
    hasher.update(payload);
    if hasher.finalize() != u32_at(header, 4) {
        return Decoded::Invalid("the checksum does not match");
    }
    if padding.iter().any(|byte| *byte != 0) {
        return Decoded::Invalid("the padding is not zero");
    }
    Decoded::Frame(Frame { kind: RecordKind(header[8]), durable: Position(durable), payload: start..start + length, next })
}
