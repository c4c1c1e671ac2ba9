//! Retentions and holds of all tables that there ever were, folded from the rows of `ledger.catalog`, each with the commit that set it.
//!
//! Never: caches; definitions are few.

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::AsArray;
use base::{RelationId, SqlResult};

use crate::catalog::{CATALOG, CATALOG_TABLE, Object};
use crate::hold::HoldDef;
use crate::ledger::Ledger;
use crate::schema::TableDef;
use crate::walk::walk;

/// Of one table, dropped or not.
#[derive(Clone, Debug)]
pub struct Ruling {
    /// Its last definition.
    pub table: Arc<TableDef>,
    /// The commit that gave it the retention it has, or made it if it has none.
    pub since: u64,
    /// The commit that dropped it.
    pub dropped: Option<u64>,
}

/// A hold, released or not.
#[derive(Clone, Debug)]
pub struct Held {
    /// What it says.
    pub hold: Arc<HoldDef>,
    /// The commit that set it.
    pub since: u64,
    /// The commit that released it.
    pub released: Option<u64>,
}

/// Everything ruled as of one commit.
#[derive(Clone, Default, Debug)]
pub struct Rulings {
    tables: BTreeMap<RelationId, Ruling>,
    holds: Vec<Held>,
}

impl Rulings {
    /// As of `size` commits. Errors: XX001 for unreadable definitions.
    pub(crate) fn read(ledger: &Ledger, size: u64) -> SqlResult<Self> {
        let mut rulings = Self::default();
        let mut defined: HashMap<u64, u32> = HashMap::new();
        walk(&ledger.table_state(CATALOG), Some(&CATALOG_TABLE), &[1, 3], 0, |walked| {
            let (kinds, definitions) = (walked.columns[0].as_string::<i32>(), walked.columns[1].as_string::<i32>());
            for at in walked.rows().take_while(|at| walked.commit(*at) < size) {
                let (row, commit) = (walked.first + at as u64, walked.commit(at));
                let before = walked.ends(at).find_map(|ended| defined.remove(&ended));
                if !walked.is_row(at) {
                    before.into_iter().for_each(|id| rulings.drop(id, commit));
                } else if matches!(kinds.value(at), "table" | "hold") {
                    let object = Object::from_row(kinds.value(at), definitions.value(at))?;
                    defined.insert(row, object.id());
                    rulings.define(object, commit);
                }
            }
            Ok(())
        })?;
        Ok(rulings)
    }

    fn define(&mut self, object: Object, commit: u64) {
        match object {
            Object::Table(table) => {
                let before = self.tables.get(&table.id);
                let is_same = |before: &&Ruling| before.table.rules.retention == table.rules.retention;
                let since = before.filter(is_same).map_or(commit, |before| before.since);
                self.tables.insert(table.id, Ruling { table, since, dropped: None });
            }
            Object::Hold(hold) => self.holds.push(Held { hold, since: commit, released: None }),
            _ => {}
        }
    }

    fn drop(&mut self, id: u32, commit: u64) {
        if let Some(held) = self.holds.iter_mut().find(|held| held.hold.id == id) {
            held.released = Some(commit);
        }
        if let Some(ruling) = self.tables.get_mut(&RelationId(id)) {
            ruling.dropped = Some(commit);
        }
    }

    /// Of a table, dropped or not; `None` for one that there never was.
    pub fn of(&self, table: RelationId) -> Option<&Ruling> {
        self.tables.get(&table)
    }

    /// Of all tables that there ever were, by id.
    pub fn tables(&self) -> impl Iterator<Item = &Ruling> {
        self.tables.values()
    }

    /// All holds that there ever were, in the order they were set.
    pub fn holds(&self) -> &[Held] {
        &self.holds
    }
}
