//! Brings the folds up to the ledger: what commits did that they do not have, or everything, out of the rows themselves.
//!
//! U1: keys are said of rows that are not ended, and of those that somebody may still see: ended after the ledger was opened, and after the index was
//!     made. So of a unique key the newest row with a value is the live one, if any is.
//! U2: every ended row is said, with its commit.
//! U3: one bit a row of one table, and the budget of changes, is all the memory that it takes.
//! U4: what is said of a commit is all that there is to say of it: a crash in between leaves folds that are whole up to some commit.
//! U5: with the first of them it is said that indexes lack what U1 leaves out ([`crate::folds::whole`]).
//! Never: trusts what it is about to replace.

use std::sync::Arc;

use base::{CommitSeq, SqlResult};
use hashbrown::HashMap;

use crate::catalog::Catalog;
use crate::folds::store::EndedChunks;
use crate::folds::{Changes, Commits, FoldStore, Name};
use crate::key_index::{columns_of, readers, say_row};
use crate::schema::{Expressions, KeyDef, TableDef};
use crate::segment::BATCH_ROWS;
use crate::table::TableState;
use crate::walk::walk;

/// One bit for each row.
#[derive(Default)]
struct Bits(Vec<u64>);

impl Bits {
    fn set(&mut self, row: u64) {
        let at = (row / 64) as usize;
        if self.0.len() <= at {
            self.0.resize(at + 1, 0);
        }
        self.0[at] |= 1 << (row % 64);
    }

    fn has(&self, row: u64) -> bool {
        self.0.get((row / 64) as usize).is_some_and(|bits| bits >> (row % 64) & 1 == 1)
    }
}

/// Folds that are to be brought up to a ledger of `size` commits.
pub(crate) struct CatchUp<'a> {
    pub(crate) folds: &'a FoldStore,
    /// What keys compute with.
    pub(crate) expressions: &'a dyn Expressions,
    pub(crate) catalog: &'a Catalog,
    pub(crate) size: u64,
    /// Commits that the folds have; 0 where they are made anew.
    pub(crate) since: u64,
    /// Commits that the ledger had when it was opened: no snapshot is older.
    pub(crate) opened_at: u64,
}

/// Rows of a table that were ended by the commits looked at.
#[derive(Default)]
struct EndedRows {
    bits: Bits,
    /// Those that a snapshot may still see, with the commit.
    late: HashMap<u64, u64>,
}

/// How many rows of each chunk are ended, commit by commit.
struct Chunks<'a> {
    table: &'a TableState,
    is_anew: bool,
    counts: HashMap<u64, u64>,
    touched: Vec<u64>,
    commit: u64,
}

impl Chunks<'_> {
    fn count(&mut self, row: u64, commit: u64, changes: &mut Changes) -> SqlResult<()> {
        if commit != self.commit {
            self.say(changes)?;
            self.commit = commit;
        }
        let chunk = row / BATCH_ROWS as u64;
        let before = || if self.is_anew { 0 } else { self.table.ended().of_chunk(chunk) };
        *self.counts.entry(chunk).or_insert_with(before) += 1;
        if self.touched.last() != Some(&chunk) {
            self.touched.push(chunk);
        }
        Ok(())
    }

    /// What the last commit made of them.
    fn say(&mut self, changes: &mut Changes) -> SqlResult<()> {
        let mut name = Name::default();
        self.touched.sort_unstable();
        self.touched.dedup();
        for chunk in self.touched.drain(..) {
            changes.put_number(name.chunk(self.table.id, chunk), self.commit, self.counts[&chunk])?;
        }
        Ok(())
    }
}

impl CatchUp<'_> {
    /// What the folds lack of these tables. With `counts`, the tables' counts of ended rows are brought up too.
    ///
    /// Errors: XX001 where a segment is damaged; 53100, 58030.
    pub(crate) fn say(&self, tables: &[Arc<TableState>], counts: Option<&EndedChunks>) -> SqlResult<Changes> {
        let mut changes = self.folds.changes(Commits::UpTo(CommitSeq(self.size - 1)));
        for state in tables {
            if let Some(counts) = counts {
                state.ended().restore(counts.get(&state.id).map_or(&[][..], Vec::as_slice));
            }
            if self.since == self.size {
                continue;
            }
            let ended = self.say_ended(state, counts.is_some(), &mut changes)?;
            if let Some(table) = self.catalog.table_by_id(state.id) {
                self.say_keys(state, table, &ended, &mut changes)?;
            }
        }
        let mut name = Name::default();
        if self.since < self.size {
            changes.put_number(name.gap(self.since), self.since, self.size - 1)?;
            self.folds.know_gap(self.since, self.size - 1);
        }
        for def in self.catalog.tables().flat_map(|table| table.keys()) {
            let since = self.folds.index_since(def.id);
            if since.is_none() || self.since == 0 {
                changes.put_number(name.index(def.id), self.size - 1, since.unwrap_or(self.size - 1))?;
            }
        }
        Ok(changes)
    }

    /// Notes the indexes that there are once what [`CatchUp::say`] gave is in the tree.
    pub(crate) fn know(&self) {
        self.folds.know_indexes(self.catalog.tables().flat_map(|table| table.keys()).map(|key| key.id), self.size - 1);
    }

    /// U2, U4.
    fn say_ended(&self, state: &TableState, counts: bool, changes: &mut Changes) -> SqlResult<EndedRows> {
        let mut ended = EndedRows::default();
        let mut chunks = Chunks { table: state, is_anew: self.since == 0, counts: HashMap::new(), touched: Vec::new(), commit: 0 };
        let mut name = Name::default();
        walk(state, None, &[], self.since, |walked| {
            for at in walked.rows() {
                for row in walked.ends(at) {
                    let commit = walked.commit(at);
                    changes.put_number(name.ended(state.id, row), commit, commit)?;
                    chunks.count(row, commit, changes)?;
                    ended.bits.set(row);
                    if commit >= self.opened_at {
                        ended.late.insert(row, commit);
                    }
                }
            }
            Ok(())
        })?;
        chunks.say(changes)?;
        if counts {
            state.ended().restore_more(chunks.counts.into_iter());
        }
        Ok(ended)
    }

    fn say_keys(&self, state: &TableState, table: &TableDef, ended: &EndedRows, changes: &mut Changes) -> SqlResult<()> {
        let is_there = |def: &&KeyDef| self.since > 0 && self.folds.has_index(def.id);
        let (there, missing): (Vec<&KeyDef>, Vec<&KeyDef>) = table.keys().iter().partition(is_there);
        self.say_rows(state, table, &there, (self.since, ended), changes)?;
        self.say_rows(state, table, &missing, (0, ended), changes)
    }

    /// U1.
    fn say_rows(
        &self,
        state: &TableState,
        table: &TableDef,
        keys: &[&KeyDef],
        (since, ended): (u64, &EndedRows),
        changes: &mut Changes,
    ) -> SqlResult<()> {
        if keys.is_empty() {
            return Ok(());
        }
        let made: Vec<u64> = keys.iter().map(|def| self.folds.index_since(def.id).unwrap_or(self.size)).collect();
        let needed = columns_of(table, keys);
        let mut name = Name::default();
        walk(state, Some(table), &needed, since, |walked| {
            let rows = walked.rows();
            // What the folds have already ended.
            let before = match since < self.since {
                true => state.ended_in(walked.first, walked.first + rows.end as u64, u64::MAX)?,
                false => Vec::new(),
            };
            // Of rows that somebody may still see, the commit that ended them, if one has.
            let late = |at: usize| {
                let row = walked.first + at as u64;
                let late = ended.late.get(&row).copied();
                let is_gone = !walked.is_row(at) || before.binary_search(&row).is_ok() || (late.is_none() && ended.bits.has(row));
                (!is_gone).then_some(late)
            };
            let late: Vec<Option<Option<u64>>> = rows.clone().map(late).collect();
            for ((position, def), made) in keys.iter().enumerate().zip(&made) {
                let is_said = |at: usize| late[at - rows.start].is_some_and(|late| late.is_none_or(|late| late > *made));
                let readers = readers((self.expressions, table), &keys[position..=position], &needed, &walked, is_said)?;
                for reader in &readers {
                    for at in rows.clone().filter(|at| is_said(*at)) {
                        let row = walked.first + at as u64;
                        say_row(def, (reader, at), row, walked.commit(at).max(self.since), &mut name, changes)?;
                    }
                }
            }
            Ok(())
        })
    }
}
