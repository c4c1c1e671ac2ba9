//! Rows in the order of a key's values, forwards or backwards, as of one commit.
//!
//! W1: every row whose value of the key is within the bounds and that its commit knows comes, once for each entry of the index, ended or not.
//! W2: values come in order, but among those too long to stand in a name ([`Entry::is_in_order`]).
//! W3: pages grow, so that who wants few rows pays for few.
//! Never: asks whether a row is visible.

use std::ops::Bound;
use std::sync::Arc;

use base::{CommitSeq, SqlResult};

use crate::folds::names::{HEAD_BYTES, VALUE_BYTES_MAX, read_number, row_of};
use crate::folds::{FoldStore, Name};
use crate::key_range::KeyBounds;

/// Entries that are read at a time: at first, and at most.
const PAGE_ENTRIES: (usize, usize) = (32, 4_096);

/// An entry of an index.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry<'w> {
    pub(crate) row: u64,
    /// What it sorts by. Bytes that tell rows apart may follow those of the value.
    pub(crate) value: &'w [u8],
}

impl Entry<'_> {
    /// Whether it stands where its value belongs.
    pub(crate) fn is_in_order(&self) -> bool {
        self.value.len() <= VALUE_BYTES_MAX
    }
}

/// See the module.
#[derive(Debug)]
pub(crate) struct KeyWalk {
    folds: Arc<FoldStore>,
    is_unique: bool,
    from: Bound<Vec<u8>>,
    to: Bound<Vec<u8>>,
    seq: CommitSeq,
    backward: bool,
    page: Page,
    page_entries: usize,
    is_over: bool,
}

#[derive(Debug, Default)]
struct Page {
    /// Names one after the other.
    names: Vec<u8>,
    /// Where each ends, and its row.
    entries: Vec<(usize, u64)>,
    next: usize,
}

impl KeyWalk {
    pub(crate) fn new(folds: Arc<FoldStore>, (key, is_unique): (u32, bool), bounds: KeyBounds, seq: CommitSeq, backward: bool) -> Self {
        let mut name = Name::default();
        let head = name.values(key, is_unique);
        let (from, to) = (Bound::Included([head, &bounds.from].concat()), Bound::Excluded([head, &bounds.to].concat()));
        Self { folds, is_unique, from, to, seq, backward, page: Page::default(), page_entries: PAGE_ENTRIES.0, is_over: false }
    }

    /// The next entry. Errors: where the folds are damaged and cannot be made anew.
    pub(crate) fn step(&mut self) -> SqlResult<Option<Entry<'_>>> {
        if self.page.next == self.page.entries.len() {
            if self.is_over {
                return Ok(None);
            }
            self.turn()?;
        }
        let page = &mut self.page;
        let Some((end, row)) = page.entries.get(page.next).copied() else { return Ok(None) };
        let start = page.next.checked_sub(1).map_or(0, |before| page.entries[before].0);
        page.next += 1;
        Ok(Some(Entry { row, value: &page.names[start + HEAD_BYTES..end] }))
    }

    /// To the next page.
    fn turn(&mut self) -> SqlResult<()> {
        let (wanted, backward, seq) = (self.page_entries, self.backward, self.seq);
        let range = (as_slice(&self.from), as_slice(&self.to));
        self.page = self.folds.read(|tree| {
            let snapshot = tree.snapshot(seq)?;
            let mut scan = if backward { snapshot.range_rev(range) } else { snapshot.range(range) }?;
            let mut page = Page::default();
            while page.entries.len() < wanted
                && let Some((name, value)) = scan.step()?
            {
                let row = if self.is_unique { read_number(value) } else { row_of(name) };
                page.names.extend_from_slice(name);
                page.entries.extend(row.map(|row| (page.names.len(), row)));
            }
            Ok(page)
        })?;
        self.is_over = self.page.entries.len() < wanted;
        self.page_entries = (wanted * 4).min(PAGE_ENTRIES.1);
        if let Some((end, _)) = self.page.entries.last() {
            let start = self.page.entries.len().checked_sub(2).map_or(0, |before| self.page.entries[before].0);
            let last = Bound::Excluded(self.page.names[start..*end].to_vec());
            *(if backward { &mut self.to } else { &mut self.from }) = last;
        }
        Ok(())
    }
}

fn as_slice(bound: &Bound<Vec<u8>>) -> Bound<&[u8]> {
    bound.as_ref().map(Vec::as_slice)
}
