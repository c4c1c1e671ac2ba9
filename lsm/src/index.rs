//! Index partitions: which data block of a part of a run holds a key.
//!
//! A fence stands at or after the last version of its block and before the first of the next; it is no longer than it must be.
//! X1: fences ascend in the order K1. X2: reading never panics and never leaves the partition, whatever the bytes.
//! A search compares numbers, the first eight bytes of each fence behind what all have in common, and whole fences only where those are equal.
//! Never: does I/O.
//! Format: docs/formats/run.md.

use crate::varint::{put, put_bytes, take, take_bytes, take_usize, u32_at, u64_at};
use crate::version::{common_prefix, head, order};
use std::cmp::Ordering;

/// What is wrong with a partition.
pub(crate) type Fault = &'static str;

/// A piece of a run: its offset in the file, its length with what stands behind it as checksum, and whether it is packed, so that the cache can be
/// asked for it before the file is looked at.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Handle {
    pub(crate) offset: u64,
    pub(crate) bytes: usize,
    pub(crate) packed: bool,
}

impl Handle {
    pub(crate) fn put(self, out: &mut Vec<u8>) {
        put(out, self.offset);
        put(out, (self.bytes as u64) << 1 | u64::from(self.packed));
    }

    pub(crate) fn take(bytes: &[u8], at: &mut usize) -> Option<Self> {
        let (offset, length) = (take(bytes, at)?, take_usize(bytes, at)?);
        Some(Self { offset, bytes: length >> 1, packed: length & 1 == 1 })
    }
}

/// The end of a block: no version of it comes after `key` and `seq`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Fence {
    pub(crate) key: Vec<u8>,
    pub(crate) seq: u64,
}

impl Fence {
    /// The shortest fence between the last version of a block and the first key of the next (`None`: there is no next).
    pub(crate) fn between(last: (&[u8], u64), next: Option<&[u8]>) -> Self {
        let (key, seq) = last;
        let common = next.map_or(key.len(), |next| common_prefix(key, next));
        match next.filter(|next| common < key.len() && common < next.len()) {
            // One more than the byte where they part, and still before `next`; versions of the key itself all come before.
            Some(next) if key[common] + 1 < next[common] => {
                let mut fence = key[..=common].to_vec();
                fence[common] += 1;
                Self { key: fence, seq: 0 }
            }
            _ => Self { key: key.to_vec(), seq },
        }
    }
}

/// Makes an index partition.
#[derive(Debug, Default)]
pub(crate) struct IndexBuilder {
    blocks: Vec<(Fence, Handle)>,
    key_bytes: usize,
}

impl IndexBuilder {
    pub(crate) fn push(&mut self, fence: Fence, block: Handle) {
        self.key_bytes += fence.key.len();
        self.blocks.push((fence, block));
    }

    pub(crate) fn blocks(&self) -> usize {
        self.blocks.len()
    }

    /// About how long the partition will be.
    pub(crate) fn bytes(&self) -> usize {
        self.key_bytes + self.blocks.len() * 22
    }

    /// The partition and its last fence.
    pub(crate) fn finish(&mut self) -> (Vec<u8>, Fence) {
        let blocks = std::mem::take(&mut self.blocks);
        self.key_bytes = 0;
        let last = blocks.last().map(|(fence, _)| fence.clone()).unwrap_or_default();
        let shared = blocks.first().map_or(0, |(first, _)| common_prefix(&first.key, &last.key));
        let mut bytes = Vec::new();
        bytes.extend_from_slice(&(blocks.len() as u32).to_le_bytes());
        bytes.extend_from_slice(&(shared as u32).to_le_bytes());
        for (fence, _) in &blocks {
            bytes.extend_from_slice(&head(&fence.key[shared..]).to_le_bytes());
        }
        let (mut ends, mut entries) = (Vec::new(), last.key[..shared].to_vec());
        for (fence, block) in &blocks {
            put(&mut entries, fence.seq);
            block.put(&mut entries);
            put_bytes(&mut entries, &fence.key[shared..]);
            ends.extend_from_slice(&(entries.len() as u32).to_le_bytes());
        }
        bytes.extend_from_slice(&ends);
        bytes.extend_from_slice(&entries);
        (bytes, last)
    }
}

/// An index partition as it lies in the file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Index<'a> {
    blocks: usize,
    shared: &'a [u8],
    heads: &'a [u8],
    ends: &'a [u8],
    entries: &'a [u8],
}

impl<'a> Index<'a> {
    pub(crate) fn of(bytes: &'a [u8]) -> Result<Self, Fault> {
        const SHORT: Fault = "the index partition is shorter than its blocks need";
        let blocks = u32_at(bytes, 0).ok_or(SHORT)? as usize;
        let shared = u32_at(bytes, 4).ok_or(SHORT)? as usize;
        let heads_end = blocks.checked_mul(8).and_then(|len| len.checked_add(8)).ok_or(SHORT)?;
        let ends_end = blocks.checked_mul(4).and_then(|len| len.checked_add(heads_end)).ok_or(SHORT)?;
        let entries = bytes.get(ends_end..).ok_or(SHORT)?;
        let shared = entries.get(..shared).ok_or(SHORT)?;
        Ok(Self { blocks, shared, heads: &bytes[8..heads_end], ends: &bytes[heads_end..ends_end], entries })
    }

    /// Number of blocks.
    pub(crate) fn blocks(&self) -> usize {
        self.blocks
    }

    /// The fence of a block behind what all share, its commit, and where the block lies.
    fn entry(&self, block: usize) -> Result<(&'a [u8], u64, Handle), Fault> {
        const CUT: Fault = "an entry of the index partition is cut short";
        let mut at = match block.checked_sub(1) {
            Some(before) => u32_at(self.ends, before * 4).ok_or("the index partition has no such block")? as usize,
            None => self.shared.len(),
        };
        let seq = take(self.entries, &mut at).ok_or(CUT)?;
        let handle = Handle::take(self.entries, &mut at).ok_or(CUT)?;
        Ok((take_bytes(self.entries, &mut at).ok_or(CUT)?, seq, handle))
    }

    /// Where a block lies.
    pub(crate) fn handle(&self, block: usize) -> Result<Handle, Fault> {
        self.entry(block).map(|entry| entry.2)
    }

    /// The whole fence of a block.
    pub(crate) fn fence(&self, block: usize) -> Result<Fence, Fault> {
        let (rest, seq, _) = self.entry(block)?;
        Ok(Fence { key: [self.shared, rest].concat(), seq })
    }

    /// The first block whose fence is not before (`key`, `seq`): the only one that can hold the first version at or after it. [`Index::blocks`]
    /// if there is none.
    pub(crate) fn find(&self, key: &[u8], seq: u64) -> Result<usize, Fault> {
        let common = common_prefix(key, self.shared);
        if common < self.shared.len() {
            let is_after = common < key.len() && key[common] > self.shared[common];
            return Ok(if is_after { self.blocks } else { 0 });
        }
        let rest = &key[common..];
        let wanted = head(rest);
        let (mut low, mut high) = (0, self.blocks);
        while low < high {
            let middle = low + (high - low) / 2;
            let before = match u64_at(self.heads, middle * 8).unwrap_or(0).cmp(&wanted) {
                Ordering::Equal => {
                    let (fence, fence_seq, _) = self.entry(middle)?;
                    order((fence, fence_seq), (rest, seq)) == Ordering::Less
                }
                unequal => unequal == Ordering::Less,
            };
            if before { low = middle + 1 } else { high = middle }
        }
        Ok(low)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::{Rng, SeededRng};

    fn partition(fences: &[Fence]) -> Vec<u8> {
        let mut builder = IndexBuilder::default();
        for (number, fence) in fences.iter().enumerate() {
            builder.push(fence.clone(), Handle { offset: number as u64 * 1000, bytes: number, packed: number % 2 == 0 });
        }
        let (bytes, last) = builder.finish();
        assert_eq!(Some(&last), fences.last());
        bytes
    }

    fn fences(rng: &SeededRng) -> Vec<Fence> {
        let mut fences: Vec<Fence> = (0..1 + rng.next_u64() % 50)
            .map(|_| {
                let draw = rng.next_u64();
                let mut key = format!("table/{:06}/{:04}", draw % 20, draw >> 32 & 0xff).into_bytes();
                key.truncate(6 + (draw >> 50) as usize % 12);
                Fence { key, seq: draw >> 40 & 7 }
            })
            .collect();
        fences.sort_by(|a, b| order((&a.key, a.seq), (&b.key, b.seq)));
        fences.dedup();
        fences
    }

    #[test]
    fn the_first_fence_not_before_a_key_is_found() {
        for seed in 0..100 {
            let rng = SeededRng::new(seed);
            let fences = fences(&rng);
            let bytes = partition(&fences);
            let index = Index::of(&bytes).unwrap();
            for _ in 0..100 {
                let draw = rng.next_u64();
                let mut key = format!("table/{:06}/{:04}", draw % 21, draw >> 32 & 0xff).into_bytes();
                key.truncate(1 + (draw >> 50) as usize % 18);
                let seq = draw >> 40 & 7;
                let expected = fences.iter().take_while(|f| order((&f.key, f.seq), (&key, seq)) == Ordering::Less).count();
                assert_eq!(index.find(&key, seq), Ok(expected), "seed {seed}");
            }
            for (number, fence) in fences.iter().enumerate() {
                assert_eq!(index.fence(number).as_ref(), Ok(fence));
                assert_eq!(index.handle(number), Ok(Handle { offset: number as u64 * 1000, bytes: number, packed: number % 2 == 0 }));
            }
        }
    }

    #[test]
    fn a_fence_is_short_and_between() {
        let between = |last: &[u8], next: &[u8]| Fence::between((last, 7), Some(next));
        assert_eq!(between(b"abcdef", b"abxyz"), Fence { key: b"abd".to_vec(), seq: 0 });
        assert_eq!(between(b"abc", b"abd"), Fence { key: b"abc".to_vec(), seq: 7 });
        assert_eq!(between(b"ab", b"abd"), Fence { key: b"ab".to_vec(), seq: 7 });
        assert_eq!(between(b"ab", b"ab"), Fence { key: b"ab".to_vec(), seq: 7 });
        assert_eq!(Fence::between((b"ab", 7), None), Fence { key: b"ab".to_vec(), seq: 7 });
    }

    #[test]
    fn any_bytes_are_read_without_panic() {
        for seed in 0..2000 {
            let rng = SeededRng::new(seed);
            let mut bytes = partition(&fences(&rng));
            for _ in 0..=seed % 4 {
                let at = (rng.next_u64() % bytes.len() as u64) as usize;
                bytes[at] = rng.next_u64() as u8;
            }
            bytes.truncate(bytes.len() - (rng.next_u64() % 5) as usize * usize::from(seed % 2 == 0));
            let Ok(index) = Index::of(&bytes) else { continue };
            let _ = index.find(b"table/000003/0100", 3);
            for block in 0..index.blocks().min(60) {
                let _ = index.fence(block);
            }
        }
    }
}
