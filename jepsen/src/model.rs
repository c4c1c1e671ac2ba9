//! What the rows must be: tables as maps, transactions as the changes they hold, and which of two transactions must lose.
//!
//! M1: a commit is refused exactly if a row it replaces or removes is not the newest any more, a key it adds is taken, or a table it writes is
//!     gone: the first committer wins.
//! Never: asks the engine.

use std::collections::BTreeMap;
use std::sync::Arc;

/// One row but for its key: the values, and a number no other row version has.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Row {
    /// Column `body`.
    pub body: Option<String>,
    /// Column `n`.
    pub n: Option<i32>,
    /// Which version this is; never stored.
    pub version: u64,
}

/// How a table's key column is typed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KeyKind {
    /// `id bigint primary key`
    Int,
    /// `id text primary key`
    Text,
}

/// A table: its object id and its rows by key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Table {
    /// Relation id.
    pub id: u32,
    /// Type of its key.
    pub kind: KeyKind,
    /// Rows by key number.
    pub rows: Arc<BTreeMap<i64, Row>>,
}

/// All tables by name.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Model {
    /// The tables.
    pub tables: BTreeMap<String, Table>,
}

/// What a transaction does to one key.
#[derive(Clone, Debug)]
pub struct KeyChange {
    /// Version that was there when the transaction read it; `None` where it found no row.
    pub base: Option<u64>,
    /// Row afterwards; `None` for none.
    pub row: Option<Row>,
}

/// What a transaction does to one table.
#[derive(Clone, Debug, Default)]
pub struct TableChange {
    /// Relation id of the table meant.
    pub id: u32,
    /// Made by this transaction, with this kind of key.
    pub created: Option<KeyKind>,
    /// Dropped by this transaction.
    pub dropped: bool,
    /// Rows.
    pub keys: BTreeMap<i64, KeyChange>,
}

/// What a transaction does, by table name.
#[derive(Clone, Debug, Default)]
pub struct Delta {
    /// Changes by table.
    pub tables: BTreeMap<String, TableChange>,
}

impl Delta {
    /// Whether the engine has nothing to commit for it.
    pub fn is_empty(&self) -> bool {
        self.tables.values().all(|change| change.created.is_none() && !change.dropped && change.keys.is_empty())
    }
}

impl Model {
    /// Why this transaction must be refused now (M1), if so.
    pub fn conflict(&self, delta: &Delta) -> Option<String> {
        for (name, change) in &delta.tables {
            let there = self.tables.get(name).filter(|table| table.id == change.id);
            if change.created.is_some() {
                if self.tables.contains_key(name) {
                    return Some(format!("table {name} exists"));
                }
                continue;
            }
            let Some(table) = there else { return Some(format!("table {name} is gone")) };
            for (key, change) in &change.keys {
                let now = table.rows.get(key).map(|row| row.version);
                let is_refused = match change.base {
                    Some(base) => now != Some(base),
                    None => change.row.is_some() && now.is_some(),
                };
                if is_refused {
                    return Some(format!("key {key} of {name} was changed"));
                }
            }
        }
        None
    }

    /// Applies a committed transaction.
    pub fn apply(&mut self, delta: &Delta) {
        for (name, change) in &delta.tables {
            if change.dropped {
                self.tables.remove(name);
                continue;
            }
            if let Some(kind) = change.created {
                self.tables.insert(name.clone(), Table { id: change.id, kind, rows: Arc::default() });
            }
            let Some(table) = self.tables.get_mut(name) else { continue };
            if change.keys.is_empty() {
                continue;
            }
            let rows = Arc::make_mut(&mut table.rows);
            for (key, change) in &change.keys {
                match &change.row {
                    Some(row) => rows.insert(*key, row.clone()),
                    None => rows.remove(key),
                };
            }
        }
    }

    /// The model as this transaction sees it: itself with the transaction's changes.
    pub fn with(&self, delta: &Delta) -> Self {
        let mut seen = self.clone();
        seen.apply(delta);
        seen
    }

    /// Rows in all tables.
    pub fn row_count(&self) -> usize {
        self.tables.values().map(|table| table.rows.len()).sum()
    }
}
