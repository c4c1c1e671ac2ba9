//! Keys and values in order, as one snapshot sees them, in either direction.
//!
//! Z1: each key comes once, with its newest visible version, unless that says it is gone or a newer deleted range hides it.
//! Z2: after an error or the end nothing more comes.
//! Never: sees what came after it began, or a commit at or above its «below».

use crate::cache::BlockCache;
use crate::error::LsmError;
use crate::merge::Merge;
use crate::tombstone::Fragments;
use crate::version::{Kind, SEQ_END, Version};
use crate::view::View;
use std::fmt;
use std::ops::Bound;
use std::sync::Arc;

/// A key and its value, lent.
pub type Pair<'a> = (&'a [u8], &'a [u8]);
/// A key and its value.
pub type OwnedPair = (Vec<u8>, Vec<u8>);

/// Keys from a place on, or back from one. Lends what it finds until the next step: no allocation for each.
pub struct Scan {
    merge: Merge,
    below: u64,
    fragments: Fragments,
    /// The bound where it ends.
    end: Bound<Vec<u8>>,
    backward: bool,
    /// The key last given, or passed over; all its versions are to be passed.
    key: Vec<u8>,
    /// The value, when going back.
    value: Vec<u8>,
    /// A key that is being sought.
    sought: Vec<u8>,
    started: bool,
    ended: bool,
}

/// So many versions are passed one by one before the place behind them is sought, which costs as much.
const STEPS_MAX: usize = 12;

/// Where a scan begins and ends.
pub(crate) struct Bounds<'a> {
    pub(crate) from: Bound<&'a [u8]>,
    pub(crate) to: Bound<&'a [u8]>,
}

/// The least key above `key`.
fn just_after(key: &[u8]) -> Vec<u8> {
    [key, &[0]].concat()
}

fn owned(bound: Bound<&[u8]>) -> Bound<Vec<u8>> {
    bound.map(<[u8]>::to_vec)
}

impl Scan {
    pub(crate) fn new(view: &View, bounds: &Bounds<'_>, below: u64, backward: bool, cache: &Arc<BlockCache>) -> Result<Self, LsmError> {
        let first = match bounds.from {
            Bound::Included(key) => key.to_vec(),
            Bound::Excluded(key) => just_after(key),
            Bound::Unbounded => Vec::new(),
        };
        let after = match bounds.to {
            Bound::Included(key) => Some(just_after(key)),
            Bound::Excluded(key) => Some(key.to_vec()),
            Bound::Unbounded => None,
        };
        let mut merge = view.merge(Some(cache));
        let empty = after.as_ref().is_some_and(|after| *after <= first);
        if !empty && backward {
            merge.seek_before(after.as_deref())?;
        } else if !empty {
            merge.seek(&first, SEQ_END)?;
        }
        let fragments = view.fragments(&first, after.as_deref(), below);
        let end = owned(if backward { bounds.from } else { bounds.to });
        let (key, value, sought) = (Vec::new(), Vec::new(), Vec::new());
        Ok(Self { merge, below, fragments, end, backward, key, value, sought, started: false, ended: empty })
    }

    /// The next key and its value; `None` at the end (Z2).
    ///
    /// # Errors
    /// A block that must be read and is damaged.
    pub fn step(&mut self) -> Result<Option<Pair<'_>>, LsmError> {
        if self.ended {
            return Ok(None);
        }
        let found = if self.backward { self.step_back() } else { self.step_on() };
        match found {
            Ok(true) if self.backward => Ok(Some((&self.key, &self.value))),
            Ok(true) => Ok(self.merge.version().map(|version| (version.key, version.value))),
            Ok(false) => {
                self.ended = true;
                Ok(None)
            }
            Err(error) => {
                self.ended = true;
                Err(error)
            }
        }
    }

    /// Copies what is left.
    ///
    /// # Errors
    /// As [`Scan::step`].
    pub fn collect(mut self) -> Result<Vec<OwnedPair>, LsmError> {
        let mut all = Vec::new();
        while let Some((key, value)) = self.step()? {
            all.push((key.to_vec(), value.to_vec()));
        }
        Ok(all)
    }

    /// To the newest visible version of the next key that is there: the merge then stands at it.
    fn step_on(&mut self) -> Result<bool, LsmError> {
        loop {
            if self.started {
                self.pass_key()?;
            }
            self.pass_unseen()?;
            let Some(version) = self.merge.version() else { return Ok(false) };
            if self.is_beyond(version.key) {
                return Ok(false);
            }
            let live = self.is_live(&version);
            self.key.clear();
            self.key.extend_from_slice(version.key);
            self.started = true;
            if live {
                return Ok(true);
            }
        }
    }

    /// Past all versions of `key`: step by step while they are few.
    fn pass_key(&mut self) -> Result<(), LsmError> {
        for _ in 0..STEPS_MAX {
            if self.merge.version().is_none_or(|version| version.key != self.key.as_slice()) {
                return Ok(());
            }
            self.merge.step()?;
        }
        // The least key behind it.
        self.key.push(0);
        self.merge.seek(&self.key, SEQ_END)?;
        self.key.pop();
        Ok(())
    }

    /// Past versions that are too new to be seen.
    fn pass_unseen(&mut self) -> Result<(), LsmError> {
        for _ in 0..STEPS_MAX {
            if !self.is_at_unseen() {
                return Ok(());
            }
            self.merge.step()?;
        }
        while self.is_at_unseen()
            && let Some(version) = self.merge.version()
        {
            self.sought.clear();
            self.sought.extend_from_slice(version.key);
            match self.below.checked_sub(1) {
                Some(seq) => self.merge.seek(&self.sought, seq)?,
                None => self.merge.step()?,
            }
        }
        Ok(())
    }

    /// Whether it is at a version that is too new, and not beyond the end, where nothing matters any more.
    fn is_at_unseen(&self) -> bool {
        self.merge.version().is_some_and(|version| version.seq >= self.below && !self.is_beyond(version.key))
    }

    /// Going back the oldest version of a key comes first: the last visible one before the key changes is kept.
    fn step_back(&mut self) -> Result<bool, LsmError> {
        loop {
            let Some(version) = self.merge.version() else { return Ok(false) };
            if self.is_beyond(version.key) {
                return Ok(false);
            }
            self.key.clear();
            self.key.extend_from_slice(version.key);
            let mut live = false;
            while let Some(version) = self.merge.version().filter(|version| version.key == self.key.as_slice()) {
                if version.seq < self.below {
                    live = self.is_live(&version);
                    self.value.clear();
                    self.value.extend_from_slice(version.value);
                }
                self.merge.step()?;
            }
            if live {
                return Ok(true);
            }
        }
    }

    fn is_live(&self, version: &Version<'_>) -> bool {
        version.kind == Kind::Put && (self.fragments.is_empty() || version.seq >= self.fragments.hides(version.key, self.below))
    }

    fn is_beyond(&self, key: &[u8]) -> bool {
        match (&self.end, self.backward) {
            (Bound::Unbounded, _) => false,
            (Bound::Included(end), false) => key > end.as_slice(),
            (Bound::Excluded(end), false) => key >= end.as_slice(),
            (Bound::Included(end), true) => key < end.as_slice(),
            (Bound::Excluded(end), true) => key <= end.as_slice(),
        }
    }
}

impl fmt::Debug for Scan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Scan(backward: {}, ended: {})", self.backward, self.ended)
    }
}
