//! Temporary tables: objects and rows of one session, which no commit holds.
//!
//! Y1: a temporary table has no committed row: all its rows are own rows of the session's transaction, carried from one to the next.
//! Y2: nothing of it is hashed, written ahead into the log or part of a commit's leaf.
//! Y3: a transaction that does not commit leaves the session's temporary objects as they were before it.
//! Never: visible to another session; outlives its session.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use base::{RelationId, SqlResult};

use crate::catalog::{Object, SchemaDef};
use crate::schema::{OnCommit, TEMPORARY_SCHEMA};
use crate::transaction::Transaction;
use crate::writes::TableWrites;

/// A session's temporary objects between its transactions. Cloning is cheap.
#[derive(Clone, Debug, Default)]
pub struct Temporary {
    objects: Arc<BTreeMap<u32, Object>>,
    on_commit: BTreeMap<u32, OnCommit>,
    writes: BTreeMap<RelationId, TableWrites>,
}

impl Temporary {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.objects.is_empty()
    }
}

/// Whether an object is temporary: by its schema, or by what it grants on.
pub(crate) fn is_temporary(object: &Object, known: &BTreeMap<u32, Object>) -> bool {
    match object {
        Object::Grants(grants) => known.contains_key(&grants.object),
        Object::Schema(schema) => schema.name == TEMPORARY_SCHEMA,
        other => other.schema() == Some(TEMPORARY_SCHEMA),
    }
}

/// Objects that go at commit: what ON COMMIT drops, and views that read it.
fn gone(objects: &BTreeMap<u32, Object>, is_dropped: impl Fn(u32) -> bool) -> BTreeSet<u32> {
    let mut going: BTreeSet<u32> = objects.keys().copied().filter(|id| is_dropped(*id)).collect();
    loop {
        let reads = |object: &Object| matches!(object, Object::View(view) if view.reads.iter().any(|(read, _)| going.contains(read)));
        let more: Vec<u32> = objects.iter().filter(|(id, object)| !going.contains(id) && reads(object)).map(|(id, _)| *id).collect();
        if more.is_empty() {
            return going;
        }
        going.extend(more);
    }
}

impl Transaction {
    /// Goes on with a session's temporary objects. Only for a transaction that has written nothing.
    pub fn carry(&mut self, temporary: &Temporary) -> SqlResult<()> {
        if temporary.is_empty() {
            return Ok(());
        }
        self.temporary = temporary.objects.as_ref().clone();
        self.on_commit.clone_from(&temporary.on_commit);
        self.writes.clone_from(&temporary.writes);
        self.catalog = Some(self.overlay()?);
        Ok(())
    }

    /// Takes the temporary objects out, as they are to be after the commit; the rest is what the commit is about.
    pub fn take_temporary(&mut self) -> Temporary {
        let mut objects = std::mem::take(&mut self.temporary);
        let mut on_commit = std::mem::take(&mut self.on_commit);
        let (mut writes, rest): (BTreeMap<_, _>, BTreeMap<_, _>) =
            std::mem::take(&mut self.writes).into_iter().partition(|(id, _)| objects.contains_key(&id.0));
        self.writes = rest;
        self.relied_on.retain(|id, _| !objects.contains_key(&id.0));
        let is_dropped = |id: u32| on_commit.get(&id) == Some(&OnCommit::Drop);
        let going = gone(&objects, is_dropped);
        objects.retain(|id, object| !going.contains(id) && !matches!(object, Object::Grants(grants) if going.contains(&grants.object)));
        writes.retain(|id, _| objects.contains_key(&id.0) && on_commit.get(&id.0) != Some(&OnCommit::DeleteRows));
        on_commit.retain(|id, _| objects.contains_key(id));
        Temporary { objects: Arc::new(objects), on_commit, writes }
    }

    /// Makes the session's temporary schema, if it is not there yet.
    pub fn ensure_temporary_schema(&mut self) -> SqlResult<()> {
        if self.catalog().schema(TEMPORARY_SCHEMA).is_some() {
            return Ok(());
        }
        let id = self.ledger.next_object_id();
        self.put_temporary(Object::Schema(Arc::new(SchemaDef { id, name: TEMPORARY_SCHEMA.to_owned(), comment: None })))
    }

    /// Says what a commit does to a temporary table.
    pub fn set_on_commit(&mut self, table: RelationId, what: OnCommit) {
        self.on_commit.insert(table.0, what);
    }

    /// Defines or redefines a temporary object.
    pub(crate) fn put_temporary(&mut self, object: Object) -> SqlResult<()> {
        self.temporary.insert(object.id(), object);
        self.catalog = Some(self.overlay()?);
        Ok(())
    }

    /// Drops a temporary object; false if it is none.
    pub(crate) fn drop_temporary(&mut self, id: u32) -> SqlResult<bool> {
        if self.temporary.remove(&id).is_none() {
            return Ok(false);
        }
        self.on_commit.remove(&id);
        self.writes.remove(&RelationId(id));
        self.catalog = Some(self.overlay()?);
        Ok(true)
    }

    pub(crate) fn is_temporary(&self, id: RelationId) -> bool {
        self.temporary.contains_key(&id.0)
    }
}
