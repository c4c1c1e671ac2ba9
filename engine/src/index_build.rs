//! Indexes of tables that are there: made from snapshots by the session that defines them, while others commit, and completed by its commit.
//!
//! I1: what is made of a snapshot is sorted beside the folds and nobody's until the commit takes it in.
//! I2: the commit adds the rows of the commits since, and looks at no other. Of rows that were ended since entries stay; who meets one finds it ended.
//! I3: of a unique key no two rows that the commit leaves live have one value: the snapshot's are compared here, those since by the commit.
//! I4: all indexes of a transaction are made so, each of the snapshot that its statement had, but for those of tables that it has written before: of these the
//!     commit reads the table. So it does of all, where one of them was taken back.
//! Never: makes another commit wait for the reading of the table.

use std::sync::Arc;

use base::{CommitSeq, SqlError, SqlResult, SqlState};
use hashbrown::{HashMap, HashSet};
use parking_lot::Mutex;

use crate::folds::{Changes, Name};
use crate::key::Key;
use crate::key_index::{KeyIndex, columns_of, readers, say_row};
use crate::ledger::Ledger;
use crate::schema::{KeyDef, TableDef};
use crate::table::TableState;
use crate::violations::{conflict, shown_key};
use crate::walk::walk;

/// Indexes made of snapshots.
#[derive(Debug)]
pub(crate) struct Built {
    made: Vec<Made>,
    changes: Changes,
}

/// One of them.
#[derive(Debug)]
struct Made {
    key: u32,
    /// The first commit whose rows are not in it.
    since: u64,
    /// Of a unique key: rows by value.
    values: Arc<HashMap<Key, u64>>,
}

/// A place for them, which savepoints share.
pub(crate) type Building = Arc<Mutex<Option<Built>>>;

/// The error for values that are there twice.
pub(crate) fn not_unique(ledger: &Ledger, table: &TableDef, def: &KeyDef, found: Option<(&arrow::array::RecordBatch, usize)>) -> SqlError {
    let error = SqlError::new(SqlState::UNIQUE_VIOLATION, format!("could not create unique index \"{}\"", def.name));
    let error = match found {
        Some((batch, row)) => {
            error.detail(format!("Key {} is duplicated.", shown_key(ledger.options().expressions(), table, def, batch, row)))
        }
        None => error.detail("Rows that were written while it was made have one value."),
    };
    error.table(&table.schema, &table.name).constraint(&def.name)
}

impl Built {
    /// None yet.
    pub(crate) fn new(changes: Changes) -> Self {
        Self { made: Vec::new(), changes }
    }

    /// Where the next index is put.
    pub(crate) fn changes(&mut self) -> &mut Changes {
        &mut self.changes
    }

    /// Counts one in that was put there whole, of a snapshot that ends before commit `since`; `values`, of a unique key, are the rows by value.
    pub(crate) fn add(&mut self, key: u32, since: u64, values: Arc<HashMap<Key, u64>>) {
        self.made.push(Made { key, since, values });
    }

    pub(crate) fn keys(&self) -> Vec<u32> {
        self.made.iter().map(|made| made.key).collect()
    }

    /// What the commit `seq` does to the folds, begun with these indexes: the rows since their snapshots, but those that it ends itself (I2, I3). Of each table of
    /// `tables` it says which rows those are, and whether it writes it.
    ///
    /// Errors: 23505; 40001 where it writes the table too and others have; those of what the keys compute; XX001, 53100, 58030.
    pub(crate) fn complete(
        self,
        ledger: &Ledger,
        seq: CommitSeq,
        tables: &[Arc<TableDef>],
        of_commit: impl Fn(&TableDef) -> (HashSet<u64>, bool),
    ) -> SqlResult<Changes> {
        let mut changes = self.changes.of(seq);
        for made in self.made {
            changes.put_number(Name::default().index(made.key), seq.0, seq.0)?;
            if let Some(table) = tables.iter().find(|table| table.key(made.key).is_some()) {
                let (ending, writes) = of_commit(table);
                made.complete((ledger, seq), (table, &ledger.table_state(table.id)), (&ending, writes), &mut changes)?;
            }
        }
        Ok(changes)
    }
}

impl Made {
    fn complete(
        self,
        (ledger, seq): (&Ledger, CommitSeq),
        (table, state): (&TableDef, &TableState),
        (ending, writes): (&HashSet<u64>, bool),
        changes: &mut Changes,
    ) -> SqlResult<()> {
        let Self { key, since, values } = self;
        let Some(def) = table.key(key) else { return Ok(()) };
        let mut fresh = HashMap::new();
        let (mut name, needed) = (Name::default(), columns_of(table, &[def]));
        walk(state, Some(table), &needed, since, |walked| {
            let rows = walked.rows();
            if writes && def.unique && !rows.is_empty() {
                return Err(conflict());
            }
            let ended = state.ended_in(walked.first, walked.first + rows.end as u64, u64::MAX)?;
            let is_live = |at: usize| {
                let row = walked.first + at as u64;
                walked.is_row(at) && ended.binary_search(&row).is_err() && !ending.contains(&row)
            };
            for reader in readers((ledger.options().expressions(), table), &[def], &needed, &walked, is_live)? {
                for at in rows.clone().filter(|at| is_live(*at)) {
                    let row = walked.first + at as u64;
                    if def.unique
                        && let Some(value) = reader.key(at)
                        && let Some(before) = fresh.insert(value.clone(), row).or_else(|| values.get(&value).copied())
                        && !ending.contains(&before)
                        && state.ended_by(before)?.is_none()
                    {
                        return Err(not_unique(ledger, table, def, None));
                    }
                    say_row(def, (&reader, at), row, seq.0, &mut name, changes)?;
                }
            }
            Ok(())
        })
    }
}

impl KeyIndex {
    /// The transaction's indexes, if all of them belong to one of these definitions still and are not there yet.
    pub(crate) fn wanted(&self, building: Option<Building>, made: &[Arc<TableDef>]) -> Option<Built> {
        let is_wanted = |one: &Made| !self.contains(one.key) && made.iter().any(|table| table.key(one.key).is_some());
        building?.lock().take().filter(|built| built.made.iter().all(is_wanted))
    }
}
