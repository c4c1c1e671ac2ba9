//! Definitions in a transaction: schemas, tables, sequences, views and property graphs made, changed and dropped as rows of `ledger.catalog`.
//!
//! G1: own rows of a table stand under one definition, the newest: when it changes they are written anew under it.
//! G2: a table made by this very transaction stays at version 1, a committed one goes to the next version, once a transaction.
//! G3: what a definition was checked against must be as it was at commit, else 40001.
//! G4: rows of a table that the transaction drops are not committed: nobody sees them, and the catalog of the commit has no definition to prove them by.
//! G5: a retention in compliance mode is never shortened and never removed, by nobody.
//! G6: what is sealed of a table's rows (`schema.rs`) is for its whole life.
//! G7: what is sealed is in no materialized view.
//! Never: evaluates an expression.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use base::{ColumnId, RelationId, RowId, SqlError, SqlResult, SqlState};
use hashbrown::HashMap;

use crate::catalog::{CATALOG, CATALOG_TABLE, Catalog, LEDGER_SCHEMA, Object, SchemaDef, relation_exists, role_exists, schema_exists};
use crate::folds::{Commits, Name};
use crate::hold::{HoldDef, hold_exists};
use crate::index_build::{Built, not_unique};
use crate::key_index::{columns_of, readers, say_row};
use crate::layout;
use crate::period::Mode;
use crate::property_graph::GraphDef;
use crate::relations::{SequenceDef, ViewDef};
use crate::roles::{AclItem, FIRST_SUPERUSER, ForNew, GrantsDef, RoleDef};
use crate::schema::{KeyDef, TableDef};
use crate::session_settings::SettingsDef;
use crate::temporary::is_temporary;
use crate::transaction::Transaction;
use crate::unique;
use crate::walk::walk;
use crate::writes::TableWrites;

impl Transaction {
    /// Defines a schema. Errors: 42P06 for a name already taken, 42939 for reserved ones.
    pub fn create_schema(&mut self, name: &str) -> SqlResult<()> {
        if name == LEDGER_SCHEMA || name == "information_schema" || name.starts_with("pg_") {
            return Err(SqlError::new(SqlState::RESERVED_NAME, format!("unacceptable schema name \"{name}\""))
                .detail("The names \"ledger\" and \"information_schema\" and the prefix \"pg_\" are reserved."));
        }
        if self.catalog().schema(name).is_some() {
            return Err(schema_exists(name));
        }
        let id = self.ledger.next_object_id();
        self.define(Object::Schema(Arc::new(SchemaDef { id, name: name.to_owned(), comment: None })))
    }

    /// Defines a table from a definition made with an id of [`crate::Ledger::next_object_id`].
    ///
    /// Errors: 42P07, 3F000 for an unknown schema, 42501 in schema `ledger`.
    pub fn create_table(&mut self, table: TableDef) -> SqlResult<()> {
        self.create_relation(Object::Table(Arc::new(table)))
    }

    /// Defines a sequence, likewise.
    pub fn create_sequence(&mut self, sequence: SequenceDef) -> SqlResult<()> {
        let sequence = Arc::new(sequence);
        self.create_relation(Object::Sequence(Arc::clone(&sequence)))?;
        self.ledger.sequences().begin(&sequence);
        Ok(())
    }

    /// Defines a view, likewise.
    pub fn create_view(&mut self, view: ViewDef) -> SqlResult<()> {
        self.create_relation(Object::View(Arc::new(view)))
    }

    /// Defines a property graph, likewise.
    pub fn create_graph(&mut self, graph: GraphDef) -> SqlResult<()> {
        self.create_relation(Object::Graph(Arc::new(graph)))
    }

    /// Sets a legal hold. Errors: 42710 for a name already taken.
    pub fn set_hold(&mut self, hold: HoldDef) -> SqlResult<()> {
        if self.catalog().hold(&hold.name).is_some() { Err(hold_exists(&hold.name)) } else { self.define(Object::Hold(Arc::new(hold))) }
    }

    fn create_relation(&mut self, object: Object) -> SqlResult<()> {
        let schema = object.schema().unwrap_or_default();
        if schema == LEDGER_SCHEMA {
            return Err(SqlError::new(SqlState::INSUFFICIENT_PRIVILEGE, "permission denied for schema ledger")
                .hint("The schema \"ledger\" holds the ledger's own read-only tables."));
        }
        let catalog = self.catalog();
        if let Object::Table(table) = &object {
            check_no_copy(&catalog, table)?;
        }
        if catalog.schema(schema).is_none() {
            return Err(SqlError::new(SqlState::INVALID_SCHEMA_NAME, format!("schema \"{schema}\" does not exist")));
        }
        if catalog.relation_owner(schema, object.name()).is_some() {
            return Err(relation_exists(object.name()));
        }
        self.define(object)
    }

    /// Defines a role or redefines it. Errors: 42710 for a name already taken, 40001 where another commit changed it meanwhile.
    pub fn define_role(&mut self, role: RoleDef) -> SqlResult<()> {
        let taken = self.catalog().authority().role_named(&role.name).is_some_and(|other| other.id != role.id);
        if taken { Err(role_exists(&role.name)) } else { self.put(Object::Role(Arc::new(role))) }
    }

    /// Sets owner and privileges of an object; `grants.id` is that of the grants it has, or of [`crate::Ledger::next_object_id`].
    ///
    /// Errors: 40001 where another commit changed them meanwhile.
    pub fn define_grants(&mut self, grants: GrantsDef) -> SqlResult<()> {
        self.put(Object::Grants(Arc::new(grants)))
    }

    /// Sets what sessions begin with; `settings.id` is that of what there is, or of [`crate::Ledger::next_object_id`].
    ///
    /// Errors: 40001 where another commit changed it meanwhile.
    pub fn define_settings(&mut self, settings: SettingsDef) -> SqlResult<()> {
        self.put(Object::Settings(Arc::new(settings)))
    }

    /// From here on, what this transaction makes belongs to that role.
    pub fn owned_by(&mut self, role: u32) {
        self.owner = role;
    }

    /// Writes down who owns a new object; the first superuser owns without being written down.
    fn own_new(&mut self, object: &Object) -> SqlResult<()> {
        let acl = self.acl_of_new(object);
        if (self.owner == FIRST_SUPERUSER && acl.is_none())
            || matches!(object, Object::Role(_) | Object::Grants(_) | Object::Hold(_) | Object::Settings(_))
        {
            return Ok(());
        }
        let id = self.ledger.next_object_id();
        self.define_grants(GrantsDef {
            id,
            object: object.id(),
            owner: self.owner,
            acl,
            columns: BTreeMap::new(),
            for_new: None,
            comment: None,
        })
    }

    /// What default privileges say of a new object.
    fn acl_of_new(&self, object: &Object) -> Option<Vec<AclItem>> {
        let kind = match object {
            Object::Table(_) | Object::View(_) if !is_temporary(object, &self.temporary) => 'r',
            Object::Sequence(_) => 'S',
            Object::Schema(_) => 'n',
            _ => return None,
        };
        let catalog = self.catalog();
        let schema = object.schema().and_then(|name| catalog.schema(name)).map_or(0, |schema| schema.id);
        catalog.authority().acl_of_new(self.owner, ForNew { schema, kind })
    }

    /// Defines an object or, where its id is in the catalog already, the next version of it.
    fn put(&mut self, object: Object) -> SqlResult<()> {
        if self.catalog().definition_row(object.id()).is_some() { self.redefine(object) } else { self.define(object) }
    }

    /// Drops an object by id, and the grants on it; its rows stay in the ledger. Errors: 42704 for an unknown id.
    pub fn drop_object(&mut self, id: u32) -> SqlResult<()> {
        let grants = self.catalog().authority().grants_on(id).map(|grants| grants.id);
        if let Some(grants) = grants.filter(|grants| *grants != id) {
            self.drop_alone(grants)?;
        }
        // What roles grant on objects that they would make in a schema goes with it.
        let is_in_it = |grants: &&Arc<GrantsDef>| grants.for_new.is_some_and(|new| new.schema == id);
        let defaults: Vec<u32> = self.catalog().authority().all_grants().filter(is_in_it).map(|grants| grants.id).collect();
        for grants in defaults {
            self.drop_alone(grants)?;
        }
        self.drop_alone(id)
    }

    fn drop_alone(&mut self, id: u32) -> SqlResult<()> {
        if self.drop_temporary(id)? {
            return Ok(());
        }
        let row = self.catalog().definition_row(id).ok_or_else(|| SqlError::new(SqlState::UNDEFINED_OBJECT, "object does not exist"))?;
        self.delete(&CATALOG_TABLE, &[row])?;
        self.defined.retain(|(object, _)| object.id() != id);
        self.dropped.push(id);
        self.forget_rows(RelationId(id));
        self.catalog = Some(self.overlay()?);
        Ok(())
    }

    /// Own rows of what is dropped are not committed (G4).
    fn forget_rows(&mut self, id: RelationId) {
        self.writes.remove(&id);
        self.owed.fresh.remove(&id);
        self.owed.late.remove(&id);
        self.deferred.rows.retain(|_, (table, _)| *table != id);
        self.deferred.keys.retain(|_, (table, _)| *table != id);
    }

    /// Defines an object that is not there yet. Errors: of a name already taken, at commit.
    pub(crate) fn define(&mut self, object: Object) -> SqlResult<()> {
        if is_temporary(&object, &self.temporary) {
            self.put_temporary(object.clone())?;
            return self.own_new(&object);
        }
        let row = catalog_row(&object)?;
        let own = self.writes.get(&CATALOG).map_or(0, |writes| writes.rows);
        self.insert(&CATALOG_TABLE, &row)?;
        self.defined.push((object.clone(), own));
        self.catalog = Some(self.overlay()?);
        self.own_new(&object)
    }

    /// Replaces an object's definition by another of the same id. Errors: 42704, 42P07, 40001.
    pub fn redefine(&mut self, object: Object) -> SqlResult<()> {
        if self.temporary.contains_key(&object.id()) {
            return self.put_temporary(object);
        }
        let id = object.id();
        let before = self.catalog().definition_row(id).ok_or_else(|| SqlError::new(SqlState::UNDEFINED_OBJECT, "object does not exist"))?;
        let row = catalog_row(&object)?;
        let own = self.writes.get(&CATALOG).map_or(0, |writes| writes.rows);
        self.update(&CATALOG_TABLE, &[before], &row)?;
        self.defined.retain(|(other, _)| other.id() != id);
        self.defined.push((object, own));
        self.catalog = Some(self.overlay()?);
        Ok(())
    }

    /// The version that a changed definition of this table has (G2).
    pub fn next_version(&self, id: RelationId) -> u32 {
        match self.snapshot.catalog.table_by_id(id) {
            Some(committed) => committed.version + 1,
            None => 1,
        }
    }

    /// Replaces a table's definition; own rows move under it (G1). Returns it as the catalog has it now.
    ///
    /// Errors: as [`Transaction::redefine`]; 23505 where own rows violate a unique key that is new; 55000 (G5); 0A000 (G6).
    pub fn alter_table(&mut self, table: TableDef) -> SqlResult<Arc<TableDef>> {
        if let Some(before) = self.catalog().table_by_id(table.id) {
            check_sealing_stays(before, &table)?;
        }
        check_no_copy(&self.catalog(), &table)?;
        let table = Arc::new(table);
        if let Some(Object::Table(before)) = self.catalog().object(table.id.0) {
            check_retention(before, &table)?;
        }
        self.redefine(Object::Table(Arc::clone(&table)))?;
        self.move_rows(&table)?;
        Ok(table)
    }

    fn move_rows(&mut self, table: &Arc<TableDef>) -> SqlResult<()> {
        let Some(before) = self.writes.remove(&table.id) else { return Ok(()) };
        let mut after = TableWrites::new(Arc::clone(table));
        after.keys_checked_at = before.keys_checked_at;
        after.sealed_at = before.sealed_at;
        {
            let own = after.own_mut();
            own.ended.clone_from(&before.own.ended);
            own.own_ended.clone_from(&before.own.own_ended);
            own.unindexed.clone_from(&before.own.unindexed);
            own.doubtful.clone_from(&before.own.doubtful);
        }
        let threads = self.ledger.options().hash_threads;
        let is_same = layout::is_same(&before.table, table) && before.table.version == table.version;
        for piece in &before.own.pieces {
            let (batch, position) = if is_same {
                (piece.batch.clone(), piece.position)
            } else {
                let ledger = Arc::clone(&self.ledger);
                let sources = (&*ledger.options().rng, ledger.subjects());
                self.ahead(table, layout::convert(&before.table, table, &piece.batch, sources)?)?
            };
            let mut keys = unique::read_stored(self.ledger.options().expressions(), table, &batch)?;
            let first = after.rows;
            // Of a key that is new an ended row may have the value of one before it that is not.
            for (_, values) in keys.iter_mut().filter(|(id, _)| before.table.key(*id).is_none()) {
                let ended = values.iter_mut().zip(first..).filter(|(_, own_row)| before.own.own_ended.contains(own_row));
                ended.for_each(|(value, _)| *value = None);
            }
            after.make_room(self.ledger.folds().place())?;
            after.push(batch, position, threads)?;
            after.learn_keys(keys, first);
        }
        self.writes.insert(table.id, after);
        Ok(())
    }

    /// Notes that a definition was checked against a table's rows as they are now (G3).
    pub fn rely_on(&mut self, id: RelationId) {
        if self.is_temporary(id) {
            return;
        }
        let count = self.ledger.table_state(id).count_at(self.snapshot.seq);
        self.relied_on.entry(id).or_insert((count.rows, count.ended));
    }

    /// Checks the rows of a table against a unique key of its new definition. Errors: 23505 `could not create unique index …`.
    pub fn check_unique(&mut self, table: &Arc<TableDef>, key: u32) -> SqlResult<()> {
        self.rely_on(table.id);
        let Some(def) = table.key(key).cloned() else { return Ok(()) };
        let found = unique::find(&self.view(table), &def)?;
        let Some((batch, row)) = found.repeated else {
            if !found.committed.is_empty() && !self.ledger.keys().contains(key) {
                self.writes_of(table).own_mut().unindexed.insert(key, Arc::new(found.committed));
            }
            return Ok(());
        };
        Err(not_unique(&self.ledger, table, &def, Some((&batch, row))))
    }

    /// Whether this transaction defined the object and no other can see it.
    pub(crate) fn is_unpublished(&self, id: u32) -> bool {
        self.snapshot.catalog.object(id).is_none() && self.defined.iter().any(|(object, _)| object.id() == id)
    }
}

impl Transaction {
    /// Makes the index of a key that was just defined, as far as the snapshot goes; `go_on` is asked now and then. To be called once the definition stands.
    ///
    /// Errors: 23505 `could not create unique index …`; those of what the key computes, and of `go_on`; 53100, 58030; XX001.
    pub fn build_index(&mut self, table: &Arc<TableDef>, key: u32, go_on: &dyn Fn() -> SqlResult<()>) -> SqlResult<()> {
        let Some(def) = table.key(key).cloned() else { return Ok(()) };
        let is_written = self.writes.get(&table.id).is_some_and(|writes| writes.rows > 0 || !writes.own.ended.is_empty());
        let seq = self.snapshot.seq.filter(|_| !is_written && !self.is_temporary(table.id));
        let Some(seq) = seq.filter(|_| !self.ledger.keys().contains(key)) else {
            // I4 of index_build.rs.
            return if def.unique { self.check_unique(table, key) } else { Ok(()) };
        };
        let state = self.ledger.table_state(table.id);
        let building = Arc::clone(self.building.get_or_insert_default());
        // One that fails takes those before it along: what it has put there cannot be told apart.
        let mut built = building.lock().take().unwrap_or_else(|| Built::new(self.ledger.folds().changes(Commits::One(seq))));
        let mut values = HashMap::new();
        let mut name = Name::default();
        let needed = columns_of(table, &[&def]);
        let rows_max = state.count_at(Some(seq)).rows;
        walk(&state, Some(table), &needed, 0, |walked| {
            go_on()?;
            let ended = state.ended_in(walked.first, walked.first + walked.len() as u64, seq.0)?;
            let is_live = |at: usize| {
                let row = walked.first + at as u64;
                row < rows_max && walked.is_row(at) && ended.binary_search(&row).is_err()
            };
            let readers = readers((self.ledger.options().expressions(), table), &[&def], &needed, &walked, is_live)?;
            for reader in &readers {
                for at in walked.rows().filter(|at| is_live(*at)) {
                    let row = walked.first + at as u64;
                    if def.unique && reader.key(at).is_some_and(|value| values.insert(value, row).is_some()) {
                        return Err(self.repeated(table, &def, row));
                    }
                    say_row(&def, (reader, at), row, seq.0, &mut name, built.changes())?;
                }
            }
            Ok(())
        })?;
        let values = Arc::new(values);
        if def.unique {
            // The transaction's own rows meet them from here on.
            self.writes_of(table).own_mut().unindexed.insert(key, Arc::clone(&values));
        }
        built.add(key, seq.0 + 1, values);
        *building.lock() = Some(built);
        Ok(())
    }

    fn repeated(&self, table: &Arc<TableDef>, def: &KeyDef, row: u64) -> SqlError {
        match self.view(table).row_by_id(RowId(row)) {
            Ok(batch) => not_unique(&self.ledger, table, def, Some((&batch, 0))),
            Err(error) => error,
        }
    }
}

/// G5. Errors: 55000.
fn check_retention(before: &TableDef, after: &TableDef) -> SqlResult<()> {
    match before.rules.retention {
        Some(kept) if kept.mode == Mode::Compliance && !kept.is_held_by(after.rules.retention.as_ref()) => {
            let verb = if after.rules.retention.is_some() { "shorten" } else { "remove" };
            let message = format!("cannot {verb} the retention of table \"{}\": it is in compliance mode", before.name);
            Err(SqlError::new(SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE, message)
                .detail(format!("It is {}, and nobody can make it less.", kept.period))
                .hint("It can be made longer.")
                .table(&before.schema, &before.name))
        }
        _ => Ok(()),
    }
}

/// G7. Errors: 0A000.
fn check_no_copy(catalog: &Catalog, table: &TableDef) -> SqlResult<()> {
    let Some(materialized) = &table.rules.materialized else { return Ok(()) };
    let mut left: Vec<(u32, Option<Vec<ColumnId>>)> = materialized.reads.clone();
    let mut met = BTreeSet::new();
    while let Some((id, columns)) = left.pop() {
        match catalog.object(id) {
            Some(Object::View(view)) if met.insert(id) => left.extend(view.reads.iter().cloned()),
            Some(Object::Table(read)) => {
                let is_read = |at: &usize| columns.as_ref().is_none_or(|columns| columns.contains(&read.columns[*at].id));
                if let Some(at) = (0..read.columns.len()).filter(is_read).find(|at| read.is_sealed(*at)) {
                    let what = format!("a materialized view of column \"{}\" of erasable table \"{}\"", read.columns[at].name, read.name);
                    return Err(SqlError::unsupported(what)
                        .hint("It would keep values in the clear that ERASE does not reach. Make an ordinary view."));
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// G6. Errors: 0A000.
fn check_sealing_stays(before: &TableDef, after: &TableDef) -> SqlResult<()> {
    // Keys are found by a value of this type.
    let subject = |table: &TableDef| table.subject().map(|at| (table.columns[at].id, table.columns[at].sql_type.oid()));
    let was_sealed = |at: &usize| before.position(after.columns[*at].id).map(|at| before.is_sealed(at));
    let changed = (0..after.columns.len()).find(|at| was_sealed(at).is_some_and(|was| was != after.is_sealed(*at)));
    let message = match changed {
        _ if subject(before) != subject(after) => format!("changing what rows of \"{}\" are erased by", before.name),
        Some(at) if after.is_sealed(at) => {
            format!("sealing column \"{}\" of \"{}\", whose rows are stored in the clear,", after.columns[at].name, before.name)
        }
        Some(at) => format!("a key over column \"{}\" of \"{}\", whose values are sealed,", after.columns[at].name, before.name),
        None => return Ok(()),
    };
    Err(SqlError::unsupported(message).hint("Rows stay as they were committed. Make another table and copy the rows."))
}

fn catalog_row(object: &Object) -> SqlResult<RecordBatch> {
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from(vec![i64::from(object.id())])),
        Arc::new(StringArray::from(vec![object.kind()])),
        Arc::new(StringArray::from(vec![object.name()])),
        Arc::new(StringArray::from(vec![object.definition()])),
    ];
    RecordBatch::try_new(CATALOG_TABLE.arrow_schema(), columns).map_err(|error| SqlError::internal(format!("catalog row: {error}")))
}
