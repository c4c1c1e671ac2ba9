//! Foreign keys: what a statement wrote and took away is compared with the other side, and once more at commit.
//!
//! F1: a referencing row is compared with the newest committed rows of the other table and own writes, not with the snapshot.
//! F2: what was compared is compared again at commit if the other table changed meanwhile; so no commit leaves a reference to nothing.
//! F3: rows are compared when the statement that wrote them has ended, as Postgres does (`referencing.rs`).
//! Never: writes a row; what follows from a change (CASCADE and its kin) is told to the caller.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, RecordBatch};
use base::{RelationId, SqlError, SqlResult, SqlState};
use hashbrown::HashSet;

use crate::catalog::{Catalog, Object};
use crate::key::{Key, KeyReader};
use crate::ledger::Ledger;
use crate::rules::Reference;
use crate::schema::{KeyDef, TableDef};
use crate::violations::{conflict, shown};
use crate::writes::{OwnRows, TableWrites};

/// Rows of a referenced table that a statement ended, with what took their place.
#[derive(Clone, Debug)]
pub struct Removed {
    /// The referenced table.
    pub table: Arc<TableDef>,
    /// The rows as they were.
    pub old: RecordBatch,
    /// The same rows as they are now; `None` for deleted ones.
    pub new: Option<RecordBatch>,
}

/// What a transaction has put off.
#[derive(Clone, Default, Debug)]
pub struct Deferred {
    /// What SET CONSTRAINTS said of all, and of single ones after that.
    pub(crate) all: Option<bool>,
    pub(crate) named: BTreeMap<u32, bool>,
    /// By foreign key: its table, and the first own row to be compared.
    pub(crate) rows: BTreeMap<u32, (RelationId, u64)>,
    /// Rows taken away from under a foreign key.
    pub(crate) removed: Vec<(Arc<TableDef>, u32, Removed)>,
    /// By late key: its table, and the first own row to be compared.
    pub(crate) keys: BTreeMap<u32, (RelationId, u64)>,
}

impl Deferred {
    /// Whether nothing waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.removed.is_empty() && self.keys.is_empty()
    }
}

/// What a transaction owes to foreign keys.
#[derive(Clone, Default, Debug)]
pub struct Owed {
    /// Own rows to be compared when the statement ends: from this one on, by table.
    pub(crate) fresh: BTreeMap<RelationId, u64>,
    /// Own rows whose late keys are to be compared then, likewise.
    pub(crate) late: BTreeMap<RelationId, u64>,
    /// Rows taken away from under references, by the statement that runs.
    pub(crate) removed: Vec<Removed>,
    /// By foreign key: values taken away so far.
    pub(crate) gone: BTreeMap<u32, HashSet<Key>>,
    /// By referenced table: rows it had ended when it was first asked for a value.
    pub(crate) asked: BTreeMap<RelationId, u64>,
    /// By foreign key: rows its table had when it was first asked for referencing ones.
    pub(crate) searched: BTreeMap<u32, u64>,
}

impl Owed {
    pub(crate) fn wrote(&mut self, table: &TableDef, first: u64) {
        if !table.rules.references.is_empty() {
            self.fresh.entry(table.id).or_insert(first);
        }
    }

    pub(crate) fn took(&mut self, removed: Removed) {
        self.removed.push(removed);
    }
}

/// The key of the referenced table that a foreign key points to. Errors: XX000.
pub(crate) fn referenced_key<'t>(parent: &'t TableDef, reference: &Reference) -> SqlResult<&'t KeyDef> {
    parent.key(reference.key).ok_or_else(|| SqlError::internal(format!("the key that \"{}\" references is gone", reference.name)))
}

pub(crate) fn own_key<'t>(child: &'t TableDef, reference: &Reference) -> SqlResult<&'t KeyDef> {
    child.key(reference.id).ok_or_else(|| SqlError::internal(format!("foreign key \"{}\" has no key of its own", reference.name)))
}

pub(crate) fn check_full(child: &TableDef, reference: &Reference, rows: &RecordBatch, row: usize) -> SqlResult<()> {
    let positions = &own_key(child, reference)?.positions;
    if positions.iter().all(|at| rows.column(*at).is_null(row)) {
        return Ok(());
    }
    Err(violation(child, reference, "MATCH FULL does not allow mixing of null and nonnull key values."))
}

fn violation(child: &TableDef, reference: &Reference, detail: impl Into<String>) -> SqlError {
    let message = format!("insert or update on table \"{}\" violates foreign key constraint \"{}\"", child.name, reference.name);
    SqlError::new(SqlState::FOREIGN_KEY_VIOLATION, message).detail(detail).table(&child.schema, &child.name).constraint(&reference.name)
}

pub(crate) fn missing_parent(child: &TableDef, parent: &TableDef, reference: &Reference, rows: &RecordBatch, row: usize) -> SqlError {
    let positions: Vec<usize> = reference.columns.iter().filter_map(|id| child.position(*id)).collect();
    let detail = format!("Key {} is not present in table \"{}\".", shown(child, &positions, rows.columns(), row), parent.name);
    violation(child, reference, detail)
}

/// The error for a row that is still referenced.
pub fn still_referenced(child: &TableDef, reference: &Reference, removed: &Removed, row: usize) -> SqlError {
    let parent = &removed.table;
    let positions: Vec<usize> = reference.referenced.iter().filter_map(|id| parent.position(*id)).collect();
    let message = format!(
        "update or delete on table \"{}\" violates foreign key constraint \"{}\" on table \"{}\"",
        parent.name, reference.name, child.name
    );
    let detail =
        format!("Key {} is still referenced from table \"{}\".", shown(parent, &positions, removed.old.columns(), row), child.name);
    SqlError::new(SqlState::FOREIGN_KEY_VIOLATION, message).detail(detail).table(&child.schema, &child.name).constraint(&reference.name)
}

/// F2, by the committer. `catalog` is the newest one. Errors: 23503; 40001 where a foreign key was made meanwhile.
pub(crate) fn check_again(
    ledger: &Ledger,
    catalog: &Catalog,
    tables: &[TableWrites],
    owed: &Owed,
    (defined, dropped): (&[(Object, u64)], &[u32]),
) -> SqlResult<()> {
    // A foreign key that this very transaction drops demands nothing any more.
    let goes = |child: &TableDef, reference: &Reference| {
        let own = defined.iter().find(|(object, _)| object.id() == child.id.0).and_then(|(object, _)| object.rows());
        dropped.contains(&child.id.0) || own.is_some_and(|own| own.rules.references.iter().all(|other| other.id != reference.id))
    };
    for writes in tables {
        if !writes.own.ended.is_empty() {
            for (child, reference) in catalog.references_to(writes.table.id).filter(|(child, reference)| !goes(child, reference)) {
                check_gone(ledger, tables, writes, (child, reference), owed)?;
            }
        }
        for reference in &writes.table.rules.references {
            check_present(ledger, catalog, tables, writes, reference, owed)?;
        }
    }
    Ok(())
}

/// Nothing that committed since references what this transaction takes away.
fn check_gone(
    ledger: &Ledger,
    tables: &[TableWrites],
    parent: &TableWrites,
    (child, reference): (&Arc<TableDef>, &Reference),
    owed: &Owed,
) -> SqlResult<()> {
    let state = ledger.table_state(child.id);
    let Some(searched) = owed.searched.get(&reference.id) else {
        // The foreign key is younger than the statement.
        return Err(conflict());
    };
    let (Some(gone), true) = (owed.gone.get(&reference.id), *searched != state.rows()) else { return Ok(()) };
    let own_child = tables.iter().find(|writes| writes.table.id == child.id);
    let def = own_key(child, reference)?;
    for key in gone {
        if parent.own.live(reference.key, key)?.is_some() {
            continue;
        }
        // A statement that was run again may have meant it only at first.
        let parent_state = ledger.table_state(parent.table.id);
        let stays = |row: u64| Ok::<_, SqlError>(parent_state.ended_by(row)?.is_none() && !parent.own.ended.contains(&row));
        if ledger.keys().newest(reference.key, key)?.map_or(Ok(false), stays)? {
            continue;
        }
        let live = ledger.keys().find(def, key, |row| {
            let ended = own_child.is_some_and(|writes| writes.own.ended.contains(&row)) || state.ended_by(row)?.is_some();
            Ok((!ended).then_some(row))
        });
        if live?.is_some() {
            return Err(conflict());
        }
    }
    Ok(())
}

/// What this transaction's rows reference is still there.
fn check_present(
    ledger: &Ledger,
    catalog: &Catalog,
    tables: &[TableWrites],
    child: &TableWrites,
    reference: &Reference,
    owed: &Owed,
) -> SqlResult<()> {
    let state = ledger.table_state(reference.table);
    if owed.asked.get(&reference.table).is_none_or(|asked| *asked == state.ended_rows()) {
        return Ok(());
    }
    let own_parent = tables.iter().find(|writes| writes.table.id == reference.table);
    let parent = own_parent.map(|writes| &writes.table).or_else(|| catalog.table_by_id(reference.table)).ok_or_else(conflict)?;
    let own = &child.own;
    for piece in &own.pieces {
        let values = KeyReader::of_stored(ledger.options().expressions(), &child.table, own_key(&child.table, reference)?, &piece.batch)?;
        for row in (0..piece.batch.num_rows()).filter(|row| !own.own_ended.contains(&(piece.first + *row as u64))) {
            let Some(key) = values.key(row) else { continue };
            let own_has = own_parent.map_or(Ok(None), |writes| writes.own.live(reference.key, &key))?.is_some();
            let is_live = |row: u64| {
                let is_own = own_parent.is_some_and(|writes| writes.own.ended.contains(&row));
                Ok::<_, SqlError>(!is_own && state.ended_by(row)?.is_none())
            };
            let newest = || OwnRows::newest_committed(own_parent.map(|writes| &*writes.own), ledger.keys(), reference.key, &key);
            if !own_has && !newest()?.map_or(Ok(false), is_live)? {
                return Err(missing_parent(&child.table, parent, reference, &piece.batch, row));
            }
        }
    }
    Ok(())
}
