//! A skip list (Pugh 1990) with one writer and any number of readers, who take no lock and never wait.
//!
//! K1 holds on every level; of two versions of one key and one commit, the one inserted later comes first.
//! P1: a node is linked from the bottom up, after it is whole: a reader finds it or not, never half.
//! P2: `splice` holds for each level a node before, on that level, where the last insertion went; ever lower levels are ever closer to it.
//! Never: unlinks a node.

use super::nodes::{HEAD, HEIGHT_MAX, Nodes, Tail};
use crate::version::{Version, order};
use std::cmp::Ordering;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};

pub(super) struct SkipList {
    nodes: Nodes,
    /// Levels in use; a stale one only costs a reader time.
    height: AtomicUsize,
    /// Whether any version is there twice, with one key and one commit.
    doubled: AtomicBool,
}

/// The right to insert.
#[derive(Debug)]
pub(super) struct Inserter {
    tail: Tail,
    splice: [u32; HEIGHT_MAX],
    random: u64,
}

impl SkipList {
    /// An empty list suited to about `bytes`, and the right to insert into it.
    pub(super) fn new(bytes: usize) -> (Self, Inserter) {
        let (nodes, tail) = Nodes::new(bytes);
        let inserter = Inserter { tail, splice: [HEAD; HEIGHT_MAX], random: 0x9e37_79b9_7f4a_7c15 };
        (Self { nodes, height: AtomicUsize::new(1), doubled: AtomicBool::new(false) }, inserter)
    }

    /// The version at a place that this list gave; `None` at the end.
    pub(super) fn version(&self, place: u32) -> Option<Version<'_>> {
        (place != HEAD).then(|| self.nodes.at(place).version())
    }

    /// The version after the one at `place`.
    pub(super) fn next(&self, place: u32) -> u32 {
        self.nodes.at(place).next(0)
    }

    /// The first version at or after (`key`, `seq`), or the end.
    pub(super) fn seek(&self, key: &[u8], seq: u64) -> u32 {
        self.descend(self.top(), key, seq, |_, _| {}).1
    }

    /// The last version before (`key`, `seq`), or the end if there is none.
    pub(super) fn before(&self, key: &[u8], seq: u64) -> u32 {
        self.descend(self.top(), key, seq, |_, _| {}).0
    }

    /// The first of the versions with the key and commit of the one at `place`: the one that counts.
    pub(super) fn first_alike(&self, place: u32) -> u32 {
        match self.version(place) {
            Some(version) if self.doubled.load(Relaxed) => self.seek(version.key, version.seq),
            _ => place,
        }
    }

    /// The last version, or the end if there is none.
    pub(super) fn last(&self) -> u32 {
        let (mut at, mut level) = self.top();
        loop {
            match self.nodes.at(at).next(level) {
                HEAD if level == 0 => return at,
                HEAD => level -= 1,
                next => at = next,
            }
        }
    }

    /// Where a search begins.
    fn top(&self) -> (u32, usize) {
        (HEAD, self.height.load(Relaxed) - 1)
    }

    /// Goes right while it is before (`key`, `seq`), then down; tells where it went down, and gives the last version before and the first not before.
    /// That is the one it compared with: a link read again might lead to what was inserted meanwhile, which may well be before.
    #[inline]
    fn descend(&self, (mut at, mut level): (u32, usize), key: &[u8], seq: u64, mut down: impl FnMut(usize, u32)) -> (u32, u32) {
        let mut behind = HEAD;
        loop {
            let next = self.nodes.at(at).next(level);
            if next != HEAD && next != behind && self.is_before(next, key, seq) {
                at = next;
                continue;
            }
            behind = next;
            down(level, at);
            if level == 0 {
                return (at, next);
            }
            level -= 1;
        }
    }

    #[inline(always)]
    fn is_before(&self, place: u32, key: &[u8], seq: u64) -> bool {
        let node = self.nodes.at(place);
        match node.key().cmp(key) {
            Ordering::Equal => node.seq() > seq,
            unequal => unequal == Ordering::Less,
        }
    }

    /// Inserts a version.
    pub(super) fn insert(&self, inserter: &mut Inserter, version: &Version<'_>) {
        self.find_splice(inserter, version.key, version.seq);
        let height = inserter.draw_height();
        self.height.fetch_max(height, Relaxed);
        let place = self.nodes.add(&mut inserter.tail, version, height);
        let node = self.nodes.at(place);
        let follows = self.version(self.next(inserter.splice[0]));
        if follows.is_some_and(|follows| (follows.seq, follows.key) == (version.seq, version.key)) {
            self.doubled.store(true, Relaxed);
        }
        for level in 0..height {
            let before = self.nodes.at(inserter.splice[level]);
            let after = before.next(level);
            debug_assert!(
                self.version(after).is_none_or(|v| order((version.key, version.seq), (v.key, v.seq)) != Ordering::Greater),
                "K1: a node is inserted before what follows it"
            );
            node.link(level, after);
            before.link(level, place);
            inserter.splice[level] = place;
        }
    }

    /// Makes the splice fit (`key`, `seq`) (P2). It still does where keys come in order, which is asked first; others are searched for from the top.
    fn find_splice(&self, inserter: &mut Inserter, key: &[u8], seq: u64) {
        let splice = &mut inserter.splice;
        let (before, after) = (splice[0], self.next(splice[0]));
        let follows = (before == HEAD || self.is_before(before, key, seq)) && (after == HEAD || !self.is_before(after, key, seq));
        if !follows {
            self.descend(self.top(), key, seq, |level, at| splice[level] = at);
        }
    }
}

impl Inserter {
    /// Bytes taken.
    pub(super) fn bytes(&self) -> usize {
        self.tail.bytes()
    }

    /// 1 for three in four, 2 for three in four of the rest, and so on. Nothing hangs on its quality but speed (xorshift, Marsaglia 2003).
    fn draw_height(&mut self) -> usize {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        (1 + self.random.trailing_zeros() as usize / 2).min(HEIGHT_MAX)
    }
}

impl fmt::Debug for SkipList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SkipList({} levels)", self.height.load(Relaxed))
    }
}
