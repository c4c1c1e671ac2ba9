//! An index of a table that is there: made from a snapshot by the session that defines it, while others commit, and completed by the commit.
//!
//! I1: what is made of the snapshot is sorted beside the folds and nobody's until the commit takes it in.
//! I2: the commit adds the rows of the commits since, and looks at no other. Of rows that were ended since entries stay; who meets one finds it ended.
//! I3: of a unique key no two rows that the commit leaves live have one value: the snapshot's are compared here, those since by the commit.
//! I4: a transaction makes one index so; of others, and of tables that it writes itself, the commit reads the table.
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

/// An index made of a snapshot.
#[derive(Debug)]
pub(crate) struct Built {
    key: u32,
    /// The first commit whose rows are not in it.
    since: u64,
    changes: Changes,
    /// Of a unique key: rows by value.
    values: Arc<HashMap<Key, u64>>,
}

/// A place for one, which savepoints share.
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
    /// Of a snapshot that ends before commit `since`; `values`, of a unique key, are the rows by value.
    pub(crate) fn new(key: u32, since: u64, changes: Changes, values: Arc<HashMap<Key, u64>>) -> Building {
        Arc::new(Mutex::new(Some(Self { key, since, changes, values })))
    }

    /// Whether a definition has its key.
    pub(crate) fn is_of(&self, table: &TableDef) -> bool {
        table.key(self.key).is_some()
    }

    pub(crate) fn key(&self) -> u32 {
        self.key
    }

    /// What the commit `seq` does to the folds, begun with this index: the rows since the snapshot, but those that it ends itself (I2, I3).
    ///
    /// Errors: 23505; 40001 where it writes the table too and others have; those of what the key computes; XX001, 53100, 58030.
    pub(crate) fn complete(
        self,
        ledger: &Ledger,
        (table, state): (&TableDef, &TableState),
        (seq, ending, writes): (CommitSeq, &HashSet<u64>, bool),
    ) -> SqlResult<Changes> {
        let Self { key, since, changes, values } = self;
        let (mut changes, mut fresh) = (changes.of(seq), HashMap::new());
        changes.put_number(Name::default().index(key), seq.0, seq.0)?;
        let Some(def) = table.key(key) else { return Ok(changes) };
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
                    say_row(def, (&reader, at), row, seq.0, &mut name, &mut changes)?;
                }
            }
            Ok(())
        })?;
        Ok(changes)
    }
}

impl KeyIndex {
    /// The transaction's index, if it belongs to one of these definitions still and is not there yet.
    pub(crate) fn wanted(&self, building: Option<Building>, made: &[Arc<TableDef>]) -> Option<(Built, Arc<TableDef>)> {
        let built = building?.lock().take().filter(|built| !self.contains(built.key))?;
        let table = made.iter().find(|table| built.is_of(table))?;
        Some((built, Arc::clone(table)))
    }
}
