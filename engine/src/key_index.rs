//! The indexes of all keys: primary keys, unique keys, indexes, references.
//!
//! K1: of a unique key the newest row with each value stands in the folds, once for each commit that made one: the newest within a snapshot is the only one
//!     that can be live in it. Of any other key all rows stand there, and of a unique one those whose value has a NULL in it. Deletion markers do not.
//! K2: whether a row is visible is not the index's to say.
//! K3: rows that a key's condition does not hold for stand in none of its entries. An index that is made over rows begins with those that are not ended; of a unique key that is one at most for a value.
//! Never: keeps a word for each row in memory.

use std::ops::Bound;
use std::sync::Arc;

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::UInt8Type;
use base::{CommitSeq, SqlResult};
use hashbrown::HashSet;

use crate::canonical::Op;
use crate::folds::{Changes, FoldStore, Name, names};
use crate::key::{Key, KeyReader};
use crate::key_range::KeyBounds;
use crate::key_walk::KeyWalk;
use crate::schema::{Expressions, KeyDef, TableDef};
use crate::table::TableState;
use crate::walk::{Walked, walk};

/// Rows of one value that are read at a time.
const PAGE_ROWS: usize = 1_024;

/// The indexes of all keys of a ledger, by the key's id.
#[derive(Debug)]
pub struct KeyIndex {
    folds: Arc<FoldStore>,
}

impl KeyIndex {
    pub(crate) fn new(folds: Arc<FoldStore>) -> Self {
        Self { folds }
    }

    /// Whether there is an index of this key: not yet for one whose definition is not committed.
    pub fn contains(&self, id: u32) -> bool {
        self.folds.has_index(id)
    }

    /// The commit since which the index of this key is whole; `None` where there is no index.
    pub(crate) fn since(&self, id: u32) -> Option<u64> {
        self.folds.index_since(id)
    }

    /// Whether the index of this key has all rows that can be seen at a commit, however long ago.
    pub(crate) fn is_whole_at(&self, id: u32, seq: CommitSeq) -> bool {
        self.folds.is_whole_at(id, seq.0)
    }

    /// Rows in the order of a key's values, as of a commit: see [`KeyWalk`].
    pub(crate) fn walk(&self, def: &KeyDef, bounds: KeyBounds, seq: CommitSeq, backward: bool) -> KeyWalk {
        KeyWalk::new(Arc::clone(&self.folds), (def.id, def.unique), bounds, seq, backward)
    }

    /// Commits that the indexes have, published or not.
    pub(crate) fn applied(&self) -> u64 {
        self.folds.applied()
    }

    /// The newest row with this value of a unique key, published or not. Errors: where the folds are damaged and cannot be made anew.
    pub fn newest(&self, id: u32, key: &Key) -> SqlResult<Option<u64>> {
        self.folds.number(Name::default().unique(id, key))
    }

    /// The newest row with this value of a unique key that a snapshot at `seq` knows. Errors: as [`KeyIndex::newest`].
    pub fn newest_at(&self, id: u32, key: &Key, seq: CommitSeq) -> SqlResult<Option<u64>> {
        self.folds.number_at(Name::default().unique(id, key), seq)
    }

    /// Rows with this value of a key, newest first, until `pick` returns something; of a unique key only the newest.
    ///
    /// Errors: as [`KeyIndex::newest`], and those of `pick`.
    pub fn find<T>(&self, def: &KeyDef, key: &Key, mut pick: impl FnMut(u64) -> SqlResult<Option<T>>) -> SqlResult<Option<T>> {
        if def.unique {
            return self.newest(def.id, key)?.map_or(Ok(None), pick);
        }
        let mut name = Name::default();
        let (mut from, mut page) = (name.many(def.id, key).to_vec(), Vec::new());
        let to = Name::default().many_row(def.id, key, 0).to_vec();
        loop {
            self.page(&from, &to, &mut page)?;
            for row in &page {
                if let Some(found) = pick(*row)? {
                    return Ok(Some(found));
                }
            }
            match page.last() {
                Some(last) if page.len() == PAGE_ROWS && *last > 0 => from = name.many_row(def.id, key, last - 1).to_vec(),
                _ => return Ok(None),
            }
        }
    }

    fn page(&self, from: &[u8], to: &[u8], page: &mut Vec<u64>) -> SqlResult<()> {
        *page = self.folds.read(|tree| {
            let mut rows = Vec::new();
            let mut scan = tree.range((Bound::Included(from), Bound::Included(to)))?;
            while rows.len() < PAGE_ROWS
                && let Some((name, _)) = scan.step()?
            {
                rows.extend(names::row_of(name));
            }
            Ok(rows)
        })?;
        Ok(())
    }

    /// The newest row of each of these values of a unique key, in order. Errors: as [`KeyIndex::newest`], and those of `found`.
    pub fn newest_of<'k>(
        &self,
        id: u32,
        values: impl Iterator<Item = &'k Key>,
        mut found: impl FnMut(&'k Key, u64) -> SqlResult<()>,
    ) -> SqlResult<()> {
        if !self.contains(id) {
            return Ok(());
        }
        let mut name = Name::default();
        for key in values {
            if let Some(row) = self.folds.number(name.unique(id, key))? {
                found(key, row)?;
            }
        }
        Ok(())
    }

    /// What the rows of a batch do to the indexes: user columns first, operations after the salts.
    pub(crate) fn say(
        (expressions, table): (&dyn Expressions, &TableDef),
        first_row: u64,
        batch: &RecordBatch,
        seq: u64,
        changes: &mut Changes,
    ) -> SqlResult<()> {
        let ops = batch.column(table.columns.len() + 1).as_primitive::<UInt8Type>();
        let mut name = Name::default();
        for def in table.keys() {
            let reader = KeyReader::of_stored(expressions, table, def, batch)?;
            for row in (0..batch.num_rows()).filter(|row| ops.value(*row) != Op::Delete as u8) {
                say_row(def, (&reader, row), first_row + row as u64, seq, &mut name, changes)?;
            }
        }
        Ok(())
    }

    /// What making the indexes of a definition that are not there yet, nor built, does, over the rows that are not ended, nor about to be (K3); which they are.
    ///
    /// Errors: XX001 where a segment is damaged.
    pub(crate) fn say_missing(
        &self,
        (expressions, table): (&dyn Expressions, &TableDef),
        state: &TableState,
        (seq, ending): (u64, &HashSet<u64>),
        is_built: &[u32],
        changes: &mut Changes,
    ) -> SqlResult<Vec<u32>> {
        let missing: Vec<&KeyDef> = table.keys().iter().filter(|key| !self.contains(key.id) && !is_built.contains(&key.id)).collect();
        if missing.is_empty() {
            return Ok(Vec::new());
        }
        let mut name = Name::default();
        for def in &missing {
            changes.put_number(name.index(def.id), seq, seq)?;
        }
        let needed = columns_of(table, &missing);
        walk(state, Some(table), &needed, 0, |walked| {
            let rows = walked.rows();
            let ended = state.ended_in(walked.first, walked.first + rows.end as u64, u64::MAX)?;
            let is_live = |at: usize| {
                let row = walked.first + at as u64;
                walked.is_row(at) && ended.binary_search(&row).is_err() && !ending.contains(&row)
            };
            let readers = readers((expressions, table), &missing, &needed, &walked, is_live)?;
            for at in rows.filter(|at| is_live(*at)) {
                let row = walked.first + at as u64;
                for (def, reader) in missing.iter().zip(&readers) {
                    say_row(def, (reader, at), row, seq, &mut name, changes)?;
                }
            }
            Ok(())
        })?;
        Ok(missing.iter().map(|def| def.id).collect())
    }

    /// Notes that there are indexes of these keys, whole since commit `seq`.
    pub(crate) fn know(&self, keys: impl IntoIterator<Item = u32>, seq: u64) {
        self.folds.know_indexes(keys, seq);
    }
}

/// Positions of the columns of some keys, ascending.
pub(crate) fn columns_of(table: &TableDef, keys: &[&KeyDef]) -> Vec<usize> {
    let mut needed: Vec<usize> = keys.iter().flat_map(|key| key.reads(table)).collect();
    needed.sort_unstable();
    needed.dedup();
    needed
}

/// Reads keys out of the wanted rows of walked columns, of which `needed` says the positions. Errors: those of what the keys compute.
pub(crate) fn readers(
    (expressions, table): (&dyn Expressions, &TableDef),
    keys: &[&KeyDef],
    needed: &[usize],
    walked: &Walked,
    wanted: impl Fn(usize) -> bool,
) -> SqlResult<Vec<KeyReader>> {
    let column = |at: usize| &walked.columns[needed.binary_search(&at).unwrap_or_default()];
    let (within, rows) = (walked.rows(), walked.len());
    let wanted = |at: usize| within.contains(&at) && wanted(at);
    keys.iter().map(|def| KeyReader::over((expressions, table), def, column, rows, wanted)).collect()
}

/// What a row does to the index of a key, whose values `reader` has at the row's place.
pub(crate) fn say_row(
    def: &KeyDef,
    (reader, at): (&KeyReader, usize),
    row: u64,
    seq: u64,
    name: &mut Name,
    changes: &mut Changes,
) -> SqlResult<()> {
    if !reader.holds(at) {
        return Ok(());
    }
    match (reader.key(at), def.unique) {
        (Some(key), true) => changes.put_number(name.unique(def.id, &key), seq, row),
        (Some(key), false) => changes.put(name.many_row(def.id, &key, row), seq, &[]),
        (None, _) if !def.holds_nulls => Ok(()),
        (None, true) => changes.put_number(name.with_null(def.id, true, |out| reader.put(at, out), row), seq, row),
        (None, false) => changes.put(name.with_null(def.id, false, |out| reader.put(at, out), row), seq, &[]),
    }
}
