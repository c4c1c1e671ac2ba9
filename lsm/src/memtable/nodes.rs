//! The memory of a skip list: nodes in large chunks that only grow, each with its links, key and value in one place.
//!
//! Unsafe because readers look at a node's bytes as a slice while the writer adds others to the same chunk. That is sound because
//! N1: the bytes of a node are written once, before its place is handed out, and never again; only its links change, and they are atomics;
//! N2: a reader learns a node's place from a link read with Acquire that was stored with Release after the node was written;
//! N3: chunks are neither moved nor freed while the list lives.
//! Never: frees a node; hands out a place that holds no node.
//!
//! A node, in words of 32 bits: height and kind, key length, value length, commit (two words), one link a level, key, value.
#![allow(unsafe_code, reason = "one cast from words to bytes: see N1")]

use crate::version::{Kind, Version};
use std::slice;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// Most levels of a skip list: with one in four nodes on the next level, enough for 4¹² of them.
pub(super) const HEIGHT_MAX: usize = 12;
/// A place where no node is; as a link, the end of the list. The head, which is no version, stands there.
pub(super) const HEAD: u32 = 0;

const FIXED_WORDS: usize = 5;
const CHUNK_BITS: u32 = 18;
/// Words of a chunk, once they have grown to it; a node that does not fit gets a larger chunk of its own.
const CHUNK_WORDS: usize = 1 << CHUNK_BITS;
/// Enough for the largest memtable and the largest batch on top of it.
const CHUNKS_MAX: usize = 1 << 12;

/// Chunks of words; a node's place is chunk × 2¹⁸ + word.
pub(super) struct Nodes {
    chunks: Box<[OnceLock<Box<[AtomicU32]>>]>,
}

/// Where the writer goes on. Whoever holds it is the only writer.
#[derive(Debug, Default)]
pub(super) struct Tail {
    /// Chunks made.
    chunks: usize,
    /// Words used of the last.
    used: usize,
    /// Words it has.
    room: usize,
    /// Words of the next ordinary chunk.
    room_next: usize,
    /// Words of all chunks before the last.
    before: usize,
}

impl Tail {
    /// Bytes that nodes take.
    pub(super) fn bytes(&self) -> usize {
        (self.before + self.used) * 4
    }
}

/// A node in place.
#[derive(Clone, Copy)]
pub(super) struct Node<'a>(&'a [AtomicU32]);

impl Nodes {
    /// Chunks suited to about `bytes` in all, and the head in the first.
    pub(super) fn new(bytes: usize) -> (Self, Tail) {
        let nodes = Self { chunks: (0..CHUNKS_MAX).map(|_| OnceLock::new()).collect() };
        let mut tail = Tail { room_next: (bytes / 32).next_power_of_two().clamp(1 << 8, CHUNK_WORDS), ..Tail::default() };
        let head = nodes.add(&mut tail, &Version { key: &[], seq: 0, kind: Kind::Put, value: &[] }, HEIGHT_MAX);
        assert_eq!(head, HEAD, "N2: the head is the first node");
        (nodes, tail)
    }

    #[inline]
    pub(super) fn at(&self, place: u32) -> Node<'_> {
        let chunk = self.chunks[(place >> CHUNK_BITS) as usize].get();
        let chunk = chunk.unwrap_or_else(|| panic!("N2: place {place} is in no chunk"));
        Node(&chunk[(place as usize) & (CHUNK_WORDS - 1)..])
    }

    /// Writes a node of `height` levels whose links lead nowhere yet.
    pub(super) fn add(&self, tail: &mut Tail, version: &Version<'_>, height: usize) -> u32 {
        let key_words = version.key.len().div_ceil(4);
        let words = FIXED_WORDS + height + key_words + version.value.len().div_ceil(4);
        if tail.room - tail.used < words {
            self.grow(tail, words);
        }
        let place = ((tail.chunks - 1) << CHUNK_BITS) + tail.used;
        let place = u32::try_from(place).unwrap_or_else(|_| panic!("N2: a place has 32 bits; batches and memtables are bounded"));
        tail.used += words;
        let node = self.at(place).0;
        let set = |at: usize, word: u32| node[at].store(word, Ordering::Relaxed);
        set(0, height as u32 | (version.kind.bit() as u32) << 8);
        set(1, version.key.len() as u32);
        set(2, version.value.len() as u32);
        set(3, version.seq as u32);
        set(4, (version.seq >> 32) as u32);
        store_bytes(&node[FIXED_WORDS + height..], version.key);
        store_bytes(&node[FIXED_WORDS + height + key_words..], version.value);
        place
    }

    fn grow(&self, tail: &mut Tail, words: usize) {
        let room = words.max(tail.room_next);
        assert!(tail.chunks < CHUNKS_MAX, "N3: a memtable has at most {CHUNKS_MAX} chunks; it is sealed long before");
        let made = self.chunks[tail.chunks].set((0..room).map(|_| AtomicU32::new(0)).collect());
        assert!(made.is_ok(), "N3: a chunk is made once");
        let room_next = (tail.room_next * 2).min(CHUNK_WORDS);
        *tail = Tail { chunks: tail.chunks + 1, used: 0, room, room_next, before: tail.before + tail.used };
    }
}

fn store_bytes(words: &[AtomicU32], bytes: &[u8]) {
    for (word, bytes) in words.iter().zip(bytes.chunks(4)) {
        let mut four = [0; 4];
        four[..bytes.len()].copy_from_slice(bytes);
        word.store(u32::from_ne_bytes(four), Ordering::Relaxed);
    }
}

impl<'a> Node<'a> {
    #[inline]
    fn word(self, at: usize) -> u32 {
        self.0[at].load(Ordering::Relaxed)
    }

    fn height(self) -> usize {
        (self.word(0) & 0xff) as usize
    }

    #[inline]
    fn bytes(self, first_word: usize, len: usize) -> &'a [u8] {
        let words = &self.0[first_word..first_word + len.div_ceil(4)];
        // SAFETY: the words are initialised, live as long as `'a` (N3), hold at least `len` bytes, and are not written any more (N1).
        unsafe { slice::from_raw_parts(words.as_ptr().cast::<u8>(), len) }
    }

    #[inline]
    pub(super) fn key(self) -> &'a [u8] {
        self.bytes(FIXED_WORDS + self.height(), self.word(1) as usize)
    }

    #[inline]
    pub(super) fn seq(self) -> u64 {
        u64::from(self.word(3)) | u64::from(self.word(4)) << 32
    }

    pub(super) fn version(self) -> Version<'a> {
        let (key_bytes, kind) = (self.word(1) as usize, Kind::of_bit(u64::from(self.word(0) >> 8)));
        let value = self.bytes(FIXED_WORDS + self.height() + key_bytes.div_ceil(4), self.word(2) as usize);
        Version { key: self.key(), seq: self.seq(), kind, value }
    }

    /// The next node on `level`, or [`HEAD`] at the end (N2).
    #[inline]
    pub(super) fn next(self, level: usize) -> u32 {
        self.0[FIXED_WORDS + level].load(Ordering::Acquire)
    }

    pub(super) fn link(self, level: usize, place: u32) {
        self.0[FIXED_WORDS + level].store(place, Ordering::Release);
    }
}
