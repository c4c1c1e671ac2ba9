//! Owners: ALTER … OWNER TO, REASSIGN OWNED, DROP OWNED, and what hangs on a role.
//!
//! Never: leaves an object without an owner.

use std::collections::BTreeSet;
use std::sync::Arc;

use base::{SqlError, SqlResult, SqlState};
use engine::roles::{DATABASE, FIRST_SUPERUSER, privilege};
use engine::{Catalog, GrantsDef, Object};

use super::super::Execution;
use super::super::drop::drop_objects;
use super::objects;
use super::roles::{denied, resolve};
use crate::outcome::Notice;
use crate::resolver::Scope;
use crate::rights::access::{Access, Kind, closure};
use crate::rights::things::{self, Thing};
use crate::role_syntax::{Owned, RelationKind, RoleSpec};

/// What keeps a role from being dropped, a line each.
pub(super) fn dependents(catalog: &Catalog, role: u32) -> Vec<String> {
    let mut lines = Vec::new();
    let mut grants: Vec<_> = catalog.authority().all_grants().collect();
    grants.sort_by_key(|grants| grants.object);
    for grants in grants {
        if let Some(new) = grants.for_new {
            let what = match new.kind {
                'n' => "schemas",
                'S' => "sequences",
                _ => "relations",
            };
            let maker = catalog.authority().role(grants.owner).map_or("", |maker| &maker.name);
            let schema = catalog.object(new.schema).map_or_else(String::new, |schema| format!(" in schema {}", schema.name()));
            let shown = format!("default privileges on new {what} belonging to role {maker}{schema}");
            if grants.owner == role {
                lines.push(format!("owner of {shown}"));
            } else if mentions(grants, role) {
                lines.push(format!("privileges for {shown}"));
            }
            continue;
        }
        let Some(thing) = things::by_id(catalog, "", grants.object) else { continue };
        let shown = if thing.id == DATABASE { "database".to_owned() } else { thing.described() };
        if grants.owner == role {
            lines.push(format!("owner of {shown}"));
        } else if mentions(grants, role) {
            lines.push(format!("privileges for {shown}"));
        }
    }
    lines
}

fn mentions(grants: &GrantsDef, role: u32) -> bool {
    let lists = grants.acl.iter().chain(grants.columns.values());
    lists.flatten().any(|item| item.grantee == role || item.grantor == role)
}

pub(super) fn set_owner(of: &Owned, to: &RoleSpec, execution: &mut Execution<'_>) -> SqlResult<()> {
    let scope = Scope { catalog: execution.transaction.catalog(), ..execution.scope.clone() };
    let thing = match of {
        Owned::Relation { name, kind, if_exists } => match relation(&scope, name, *kind) {
            Ok(Some(thing)) => thing,
            Ok(None) => return index_owner(&scope, name, to, execution),
            Err(error) if *if_exists && error.state() == SqlState::UNDEFINED_TABLE => {
                execution.notices.push(Notice::new(SqlState("00000"), format!("{}, skipping", error.message())));
                return Ok(());
            }
            Err(error) => return Err(error),
        },
        Owned::Graph(name) => objects::graph(&scope, name)?,
        Owned::Schema(name) => objects::schema(&scope, name)?,
        Owned::Database(name) if name == execution.view.database.name() => Thing::database(name),
        Owned::Database(name) => {
            return Err(SqlError::unsupported(format!("altering database \"{name}\" from another database"))
                .hint("Connect to it and alter it there."));
        }
    };
    give(&thing, to, execution)
}

/// The relation that is meant; `None` for an index. Errors: 42P01, 42809 for one of another kind.
fn relation(scope: &Scope, parts: &[String], kind: RelationKind) -> SqlResult<Option<Thing>> {
    let wrong = |name: &str, what: &str| Err(SqlError::new(SqlState::WRONG_OBJECT_TYPE, format!("\"{name}\" is not {what}")));
    let thing = match objects::relation(scope, parts) {
        Ok(thing) => thing,
        Err(error) if matches!(kind, RelationKind::Table | RelationKind::Index) => {
            // A name that is no relation's own, and means a table nevertheless, is its index's.
            return if matches!(scope.relation(&objects::named(parts)), Some(Object::Table(_))) { Ok(None) } else { Err(error) };
        }
        Err(error) => return Err(error),
    };
    let is_materialized = |id: u32| matches!(scope.catalog.object(id), Some(Object::Table(table)) if table.rules.materialized.is_some());
    match kind {
        RelationKind::View if thing.kind != Kind::View => wrong(&thing.name, "a view"),
        RelationKind::MaterializedView if !is_materialized(thing.id) => wrong(&thing.name, "a materialized view"),
        RelationKind::Sequence if thing.kind != Kind::Sequence => wrong(&thing.name, "a sequence"),
        RelationKind::Index => wrong(&thing.name, "an index"),
        _ => Ok(Some(thing)),
    }
}

/// An index is its table's owner's: Postgres says so and goes on.
fn index_owner(scope: &Scope, parts: &[String], to: &RoleSpec, execution: &mut Execution<'_>) -> SqlResult<()> {
    let to = resolve(to, scope.catalog.authority(), execution)?;
    let name = objects::named(parts);
    if scope.relation(&name).is_some_and(|table| scope.catalog.authority().owner_of(table.id()) != to.id) {
        let message = format!("cannot change owner of index \"{}\"", name.name);
        execution.notices.push(Notice::warning(SqlState::WRONG_OBJECT_TYPE, message));
    }
    Ok(())
}

/// The object is the role's from now on, and with a table the sequences of its columns.
pub(super) fn give(thing: &Thing, to: &RoleSpec, execution: &mut Execution<'_>) -> SqlResult<()> {
    let scope = Scope { catalog: execution.transaction.catalog(), ..execution.scope.clone() };
    let to = resolve(to, scope.catalog.authority(), execution)?;
    let access = &execution.scope.access;
    if let Some(Object::Sequence(sequence)) = scope.catalog.object(thing.id)
        && let Some((table, _)) = sequence.owner
        && scope.catalog.authority().owner_of(thing.id) != to.id
    {
        let table = scope.catalog.object(table.0).map_or("", Object::name);
        let message = format!("cannot change owner of sequence \"{}\"", thing.name);
        return Err(SqlError::new(SqlState::FEATURE_NOT_SUPPORTED, message)
            .detail(format!("Sequence \"{}\" is linked to table \"{table}\".", thing.name)));
    }
    if !access.owns(&scope.catalog, thing.id) {
        return Err(thing.not_owner());
    }
    if !access.superuser {
        if !closure(scope.catalog.authority(), access.role, false).contains(&to.id) {
            return Err(denied(format!("must be member of role \"{}\"", to.name)));
        }
        check_new_owner(&scope, thing, to.id)?;
    }
    change(thing, to.id, execution)?;
    let is_owned = |sequence: &&Arc<engine::SequenceDef>| sequence.owner.is_some_and(|(table, _)| table.0 == thing.id);
    scope.catalog.sequences().filter(is_owned).try_for_each(|sequence| change(&things::of_sequence(sequence), to.id, execution))
}

/// A new owner must have been able to make the object where it is.
fn check_new_owner(scope: &Scope, thing: &Thing, to: u32) -> SqlResult<()> {
    let access = Access::of(&scope.catalog, to);
    let schema = scope.catalog.object(thing.id).and_then(Object::schema);
    let place = match (thing.kind, schema.and_then(|schema| scope.catalog.schema(schema))) {
        (Kind::Table | Kind::View | Kind::Graph | Kind::Sequence, Some(schema)) => objects::schema(scope, &schema.name)?,
        _ => Thing::database(scope.ledger.name()),
    };
    if access.on(&scope.catalog, place.kind, place.id, privilege::CREATE) == 0 { Err(place.denied()) } else { Ok(()) }
}

/// The new owner takes the place of the old one in every grant, as in Postgres.
fn change(thing: &Thing, to: u32, execution: &mut Execution<'_>) -> SqlResult<()> {
    let catalog = execution.transaction.catalog();
    let ledger = execution.transaction.ledger().clone();
    let mut def = thing.grants(&catalog, || ledger.next_object_id());
    let from = def.owner;
    if from == to {
        return Ok(());
    }
    let lists = def.acl.iter_mut().chain(def.columns.values_mut());
    for list in lists {
        let mut merged: Vec<engine::roles::AclItem> = Vec::with_capacity(list.len());
        for mut item in list.drain(..) {
            item.grantee = if item.grantee == from { to } else { item.grantee };
            item.grantor = if item.grantor == from { to } else { item.grantor };
            match merged.iter_mut().find(|other| other.grantee == item.grantee && other.grantor == item.grantor) {
                Some(other) => {
                    other.privileges |= item.privileges;
                    other.grantable |= item.grantable;
                }
                None => merged.push(item),
            }
        }
        *list = merged;
    }
    def.owner = to;
    execution.transaction.define_grants(def)
}

/// The roles of REASSIGN and DROP OWNED. Errors: 42704, 42501 unless the session has their rights.
fn roles(specs: &[RoleSpec], verb: &str, execution: &Execution<'_>) -> SqlResult<Vec<u32>> {
    let catalog = execution.transaction.catalog();
    let mut ids = Vec::with_capacity(specs.len());
    for spec in specs {
        let role = resolve(spec, catalog.authority(), execution)?;
        if !execution.scope.access.has_role(role.id) || execution.scope.access.is_auditor() {
            return Err(denied(format!("permission denied to {verb} objects")));
        }
        if role.id == FIRST_SUPERUSER {
            let message = format!("cannot {verb} objects owned by role {} because they are required by the database system", role.name);
            return Err(SqlError::new(SqlState::DEPENDENT_OBJECTS_STILL_EXIST, message));
        }
        ids.push(role.id);
    }
    Ok(ids)
}

pub(super) fn reassign(from: &[RoleSpec], to: &RoleSpec, execution: &mut Execution<'_>) -> SqlResult<()> {
    let from = roles(from, "reassign", execution)?;
    let catalog = execution.transaction.catalog();
    let to = resolve(to, catalog.authority(), execution)?;
    if !execution.scope.access.has_role(to.id) {
        return Err(denied("permission denied to reassign objects"));
    }
    let owned: Vec<u32> =
        catalog.authority().all_grants().filter(|grants| from.contains(&grants.owner)).map(|grants| grants.object).collect();
    for object in owned {
        if let Some(thing) = things::by_id(&catalog, execution.view.database.name(), object) {
            change(&thing, to.id, execution)?;
        }
    }
    Ok(())
}

/// Relations and schemas that roles own, and what they say of objects to come. Errors: 2BP01.
fn drop_objects_of(roles: &[u32], cascade: bool, execution: &mut Execution<'_>) -> SqlResult<()> {
    let catalog = execution.transaction.catalog();
    let (mut relations, mut schemas, mut defaults) = (BTreeSet::new(), Vec::new(), Vec::new());
    for grants in catalog.authority().all_grants().filter(|grants| roles.contains(&grants.owner)) {
        match catalog.object(grants.object) {
            _ if grants.for_new.is_some() => defaults.push(grants.id),
            Some(Object::Schema(schema)) => schemas.push(Arc::clone(schema)),
            Some(object) if object.schema().is_some() => {
                relations.insert(object.id());
            }
            _ => {}
        }
    }
    let within = |object: &&Object| schemas.iter().any(|schema| object.schema() == Some(&schema.name));
    let strange: Vec<u32> = catalog.objects().filter(within).map(Object::id).filter(|id| !relations.contains(id)).collect();
    if !strange.is_empty() && !cascade {
        let message = "cannot drop desired object(s) because other objects depend on them";
        return Err(
            SqlError::new(SqlState::DEPENDENT_OBJECTS_STILL_EXIST, message).hint("Use DROP ... CASCADE to drop the dependent objects too.")
        );
    }
    relations.extend(strange);
    drop_objects(execution, &relations, cascade)?;
    schemas.iter().try_for_each(|schema| execution.transaction.drop_object(schema.id))?;
    // Some were of a schema that is gone.
    let is_there = |id: &u32| execution.transaction.catalog().object(*id).is_some();
    let left: Vec<u32> = defaults.into_iter().filter(is_there).collect();
    left.into_iter().try_for_each(|id| execution.transaction.drop_object(id))
}

pub(super) fn drop_owned(specs: &[RoleSpec], cascade: bool, execution: &mut Execution<'_>) -> SqlResult<()> {
    let roles = roles(specs, "drop", execution)?;
    drop_objects_of(&roles, cascade, execution)?;
    let catalog = execution.transaction.catalog();
    let mentioned: Vec<GrantsDef> = catalog
        .authority()
        .all_grants()
        .filter(|grants| roles.iter().any(|role| mentions(grants, *role)))
        .map(|grants| (**grants).clone())
        .collect();
    for mut grants in mentioned {
        let lists = grants.acl.iter_mut().chain(grants.columns.values_mut());
        for list in lists {
            list.retain(|item| !roles.contains(&item.grantee) && !roles.contains(&item.grantor));
        }
        grants.columns.retain(|_, list| !list.is_empty());
        execution.transaction.define_grants(grants)?;
    }
    Ok(())
}
