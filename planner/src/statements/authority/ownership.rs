//! Owners: ALTER … OWNER TO, REASSIGN OWNED, DROP OWNED, and what hangs on a role.
//!
//! Never: leaves an object without an owner.

use base::{SqlError, SqlResult, SqlState};
use engine::roles::{DATABASE, FIRST_SUPERUSER, privilege};
use engine::{Catalog, GrantsDef, Object};

use super::super::Execution;
use super::objects;
use super::roles::{denied, resolve};
use crate::resolver::Scope;
use crate::rights::access::{Access, Kind, closure};
use crate::rights::things::{self, Thing};
use crate::role_syntax::{Owned, RoleSpec};

/// What keeps a role from being dropped, a line each.
pub(super) fn dependents(catalog: &Catalog, role: u32) -> Vec<String> {
    let mut lines = Vec::new();
    let mut grants: Vec<_> = catalog.authority().all_grants().collect();
    grants.sort_by_key(|grants| grants.object);
    for grants in grants {
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
        Owned::Table(name) | Owned::View(name) => objects::relation(&scope, name)?,
        Owned::Graph(name) => objects::graph(&scope, name)?,
        Owned::Schema(name) => objects::schema(&scope, name)?,
        Owned::Database(name) if name == execution.view.database.name() => Thing::database(name),
        Owned::Database(name) => {
            return Err(SqlError::unsupported(format!("altering database \"{name}\" from another database"))
                .hint("Connect to it and alter it there."));
        }
    };
    let to = resolve(to, scope.catalog.authority(), execution)?;
    let access = &execution.scope.access;
    if !access.owns(&scope.catalog, thing.id) {
        return Err(thing.not_owner());
    }
    if !access.superuser {
        if !closure(scope.catalog.authority(), access.role, false).contains(&to.id) {
            return Err(denied(format!("must be member of role \"{}\"", to.name)));
        }
        check_new_owner(&scope, &thing, to.id)?;
    }
    change(&thing, to.id, execution)
}

/// A new owner must have been able to make the object where it is.
fn check_new_owner(scope: &Scope, thing: &Thing, to: u32) -> SqlResult<()> {
    let access = Access::of(&scope.catalog, to);
    let schema = scope.catalog.object(thing.id).and_then(Object::schema);
    let place = match (thing.kind, schema.and_then(|schema| scope.catalog.schema(schema))) {
        (Kind::Table | Kind::View | Kind::Graph, Some(schema)) => objects::schema(scope, &schema.name)?,
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

pub(super) fn drop_owned(specs: &[RoleSpec], _cascade: bool, execution: &mut Execution<'_>) -> SqlResult<()> {
    let roles = roles(specs, "drop", execution)?;
    let catalog = execution.transaction.catalog();
    let owned = catalog.authority().all_grants().find(|grants| roles.contains(&grants.owner) && grants.object != DATABASE);
    if let Some(thing) = owned.and_then(|grants| things::by_id(&catalog, "", grants.object)) {
        // Dropping by owner would be a DROP of each kind; nobody does it by accident here.
        return Err(SqlError::unsupported(format!("DROP OWNED by a role that owns objects, such as {},", thing.described()))
            .hint("Give its objects to another role with REASSIGN OWNED, or drop them one by one."));
    }
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
