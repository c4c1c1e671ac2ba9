//! GRANT and REVOKE of privileges.
//!
//! G1: only the owner, a superuser, or who holds a privilege WITH GRANT OPTION passes it on; what an owner or superuser grants is the owner's grant.
//! G2: a privilege is counted by who granted it: revoking takes away one's own grants, and with CASCADE what was granted on them.
//! Never: lets a PUBLIC grant be passed on.

use base::{SqlError, SqlResult, SqlState};
use engine::GrantsDef;
use engine::roles::{AclItem, PUBLIC, privilege};

use super::super::Execution;
use super::objects;
use super::roles::resolve;
use crate::outcome::Notice;
use crate::resolver::Scope;
use crate::rights::access::{COLUMN_ALL, Kind, SEQUENCE_ALL, TABLE_ALL, default_acl};
use crate::rights::things::{Thing, privilege_named};
use crate::role_syntax::{Privileges, RoleSpec, Target, Wanted};

/// What GRANT and REVOKE do to one list.
#[derive(Clone, Copy)]
pub(super) struct Change {
    pub(super) grantee: u32,
    pub(super) grantor: u32,
    pub(super) privileges: u16,
    /// GRANT: WITH GRANT OPTION. REVOKE: GRANT OPTION FOR.
    pub(super) option: bool,
}

pub(super) fn grant(grant: &Privileges, grantable: bool, execution: &mut Execution<'_>) -> SqlResult<()> {
    let grantees = grantees(grant, execution)?;
    if grantable && grantees.contains(&PUBLIC) {
        return Err(SqlError::new(SqlState::INVALID_GRANT_OPERATION, "grant options can only be granted to roles"));
    }
    if matches!(grant.on, Target::AllRoutines(_)) {
        check_kind(&grant.wanted, privilege::EXECUTE, "function")?;
    }
    for thing in targets(&grant.on, execution)? {
        let catalog = execution.transaction.catalog();
        let ledger = execution.transaction.ledger().clone();
        let mut def = thing.grants(&catalog, || ledger.next_object_id());
        let (whole, by_column) = sets(grant, &thing, execution)?;
        let grantor = check_grantor(grant, &thing, &def, execution)?;
        let whole = allowed(whole, &thing, &def, true, execution)?;
        for grantee in &grantees {
            let owner = def.owner;
            if whole != 0 {
                let list = def.acl.get_or_insert_with(|| default_acl(thing.kind, owner));
                add(list, Change { grantee: *grantee, grantor, privileges: whole, option: grantable });
            }
            for (column, privileges) in &by_column {
                let privileges = allowed(*privileges, &thing, &def, true, execution)?;
                let list = def.columns.entry(*column).or_default();
                add(list, Change { grantee: *grantee, grantor, privileges, option: grantable });
            }
        }
        def.columns.retain(|_, list| !list.is_empty());
        execution.transaction.define_grants(def)?;
    }
    Ok(())
}

pub(super) fn revoke(revoke: &Privileges, option_only: bool, cascade: bool, execution: &mut Execution<'_>) -> SqlResult<()> {
    let grantees = grantees(revoke, execution)?;
    if matches!(revoke.on, Target::AllRoutines(_)) {
        check_kind(&revoke.wanted, privilege::EXECUTE, "function")?;
    }
    for thing in targets(&revoke.on, execution)? {
        let catalog = execution.transaction.catalog();
        let ledger = execution.transaction.ledger().clone();
        let mut def = thing.grants(&catalog, || ledger.next_object_id());
        let (whole, by_column) = sets(revoke, &thing, execution)?;
        let grantor = check_grantor(revoke, &thing, &def, execution)?;
        let whole = allowed(whole, &thing, &def, false, execution)?;
        let owner = def.owner;
        for grantee in &grantees {
            let change = |privileges| Change { grantee: *grantee, grantor, privileges, option: option_only };
            if whole != 0 {
                let list = def.acl.get_or_insert_with(|| default_acl(thing.kind, owner));
                remove(list, change(whole), owner, cascade)?;
                // What is taken from the table is taken from each of its columns.
                for list in def.columns.values_mut() {
                    remove(list, change(whole), owner, cascade)?;
                }
            }
            for (column, privileges) in &by_column {
                if let Some(list) = def.columns.get_mut(column) {
                    remove(list, change(*privileges), owner, cascade)?;
                }
            }
        }
        def.columns.retain(|_, list| !list.is_empty());
        execution.transaction.define_grants(def)?;
    }
    Ok(())
}

/// Whether one of a kind of thing that is not here could have these privileges. Errors: 0LP01, 42601.
pub(super) fn check_kind(wanted: &[Wanted], all: u16, kind: &str) -> SqlResult<()> {
    for name in wanted.iter().filter_map(|item| item.name.as_ref()) {
        let unknown = || SqlError::new(SqlState::SYNTAX_ERROR, format!("unrecognized privilege type \"{name}\""));
        if privilege_named(name).ok_or_else(unknown)? & !all != 0 {
            let message = format!("invalid privilege type {} for {kind}", name.to_uppercase());
            return Err(SqlError::new(SqlState::INVALID_GRANT_OPERATION, message));
        }
    }
    Ok(())
}

fn grantees(privileges: &Privileges, execution: &Execution<'_>) -> SqlResult<Vec<u32>> {
    let catalog = execution.transaction.catalog();
    let id = |spec: &RoleSpec| match spec {
        RoleSpec::Public => Ok(PUBLIC),
        spec => resolve(spec, catalog.authority(), execution).map(|role| role.id),
    };
    privileges.roles.iter().map(id).collect()
}

/// The objects that are meant, as the transaction sees them now.
fn targets(on: &Target, execution: &Execution<'_>) -> SqlResult<Vec<Thing>> {
    let scope = Scope { catalog: execution.transaction.catalog(), ..execution.scope.clone() };
    let database = execution.view.database.name();
    match on {
        Target::Tables(names) => names.iter().map(|name| objects::relation(&scope, name)).collect(),
        Target::Graphs(names) => names.iter().map(|name| objects::graph(&scope, name)).collect(),
        Target::AllTables(schemas) => {
            let tables = schemas.iter().map(|schema| objects::tables_in(&scope, schema)).collect::<SqlResult<Vec<_>>>()?;
            Ok(tables.into_iter().flatten().collect())
        }
        Target::AllRoutines(schemas) => {
            schemas.iter().try_for_each(|schema| objects::schema(&scope, schema).map(drop)).map(|()| Vec::new())
        }
        Target::Schemas(names) => names.iter().map(|name| objects::schema(&scope, name)).collect(),
        Target::Databases(names) => {
            names.iter().map(|name| if name == database { Ok(Thing::database(name)) } else { Err(other_database(name)) }).collect()
        }
        Target::Sequences(names) => names.iter().map(|name| objects::sequence(&scope, name)).collect(),
        Target::AllSequences(schemas) => {
            let sequences = schemas.iter().map(|schema| objects::sequences_in(&scope, schema)).collect::<SqlResult<Vec<_>>>()?;
            Ok(sequences.into_iter().flatten().collect())
        }
        Target::Other(kind) => Err(SqlError::unsupported(format!("GRANT on {kind}"))),
    }
}

/// Privileges on a database are in its own ledger.
fn other_database(name: &str) -> SqlError {
    SqlError::unsupported(format!("granting on database \"{name}\" from another database")).hint("Connect to it and grant there.")
}

/// What is wanted: on the object as a whole, and by column. Errors: 0LP01, 42601, 42703.
fn sets(privileges: &Privileges, thing: &Thing, execution: &mut Execution<'_>) -> SqlResult<(u16, Vec<(u32, u16)>)> {
    let mut whole = 0;
    let mut by_column: Vec<(u32, u16)> = Vec::new();
    if thing.kind == Kind::Sequence && matches!(privileges.on, Target::Tables(_)) {
        return on_sequence_as_table(&privileges.wanted, thing, execution).map(|whole| (whole, by_column));
    }
    for item in &privileges.wanted {
        let on_columns = !item.columns.is_empty();
        let all = if on_columns { COLUMN_ALL } else { thing.kind.all() };
        let bits = match &item.name {
            None => all,
            Some(name) => {
                let unknown = || SqlError::new(SqlState::SYNTAX_ERROR, format!("unrecognized privilege type \"{name}\""));
                privilege_named(name).ok_or_else(unknown)?
            }
        };
        if bits & !all != 0 {
            let is_relation = matches!(thing.kind, Kind::Table | Kind::View) && bits & !SEQUENCE_ALL != 0;
            let what = if on_columns {
                "column"
            } else if is_relation {
                "relation"
            } else {
                thing.word()
            };
            let name = item.name.as_deref().unwrap_or("all").to_uppercase();
            let message = format!("invalid privilege type {name} for {what}");
            return Err(SqlError::new(SqlState::INVALID_GRANT_OPERATION, message));
        }
        if !on_columns {
            whole |= bits;
        }
        for column in &item.columns {
            if thing.kind == Kind::View {
                return Err(SqlError::unsupported("a privilege on columns of a view")
                    .hint("Grant it on the whole of a view that has these columns only."));
            }
            if thing.kind != Kind::Table {
                let message = "column privileges are only valid for relations";
                return Err(SqlError::new(SqlState::INVALID_GRANT_OPERATION, message));
            }
            let (_, id) = thing.columns.iter().find(|(name, _)| name == column).ok_or_else(|| {
                let message = format!("column \"{column}\" of relation \"{}\" does not exist", thing.name);
                SqlError::new(SqlState::UNDEFINED_COLUMN, message)
            })?;
            match by_column.iter_mut().find(|(other, _)| other == id) {
                Some((_, bits_before)) => *bits_before |= bits,
                None => by_column.push((*id, bits)),
            }
        }
    }
    Ok((whole, by_column))
}

/// What may be had of a sequence that GRANT and REVOKE name as they name a table, which is warned of and not refused, as in Postgres.
///
/// Errors: 0LP01, 42601.
fn on_sequence_as_table(wanted: &[Wanted], thing: &Thing, execution: &mut Execution<'_>) -> SqlResult<u16> {
    let mut whole = 0;
    for item in wanted {
        let Some(name) = &item.name else {
            whole |= SEQUENCE_ALL;
            continue;
        };
        let unknown = || SqlError::new(SqlState::SYNTAX_ERROR, format!("unrecognized privilege type \"{name}\""));
        let bits = privilege_named(name).ok_or_else(unknown)?;
        if bits & !(TABLE_ALL | SEQUENCE_ALL) != 0 || !item.columns.is_empty() {
            let message = format!("invalid privilege type {} for relation", name.to_uppercase());
            return Err(SqlError::new(SqlState::INVALID_GRANT_OPERATION, message));
        }
        whole |= bits;
    }
    if whole & !SEQUENCE_ALL != 0 {
        let message = format!("sequence \"{}\" only supports USAGE, SELECT, and UPDATE privileges", thing.name);
        execution.notices.push(Notice::warning(SqlState::INVALID_GRANT_OPERATION, message));
    }
    Ok(whole & SEQUENCE_ALL)
}

/// In whose name it happens (G1). Errors: 42501 for who has no right on the object at all.
fn check_grantor(privileges: &Privileges, thing: &Thing, def: &GrantsDef, execution: &Execution<'_>) -> SqlResult<u32> {
    let (access, catalog) = (&execution.scope.access, execution.transaction.catalog());
    if let Some(spec) = &privileges.grantor
        && resolve(spec, catalog.authority(), execution)?.id != access.role
    {
        return Err(SqlError::new(SqlState::FEATURE_NOT_SUPPORTED, "grantor must be current user"));
    }
    if access.owns(&catalog, thing.id) {
        return Ok(def.owner);
    }
    let lists = def.acl.iter().chain(def.columns.values());
    let has_any = access.on(&catalog, thing.kind, thing.id, thing.kind.all()) != 0
        || lists.flatten().any(|item| access.has_role(item.grantee) && item.privileges != 0);
    if has_any && !access.is_auditor() { Ok(access.role) } else { Err(thing.denied()) }
}

/// Those of the privileges that may be passed on; the others are told of. Warnings as Postgres has them.
fn allowed(wanted: u16, thing: &Thing, def: &GrantsDef, granting: bool, execution: &mut Execution<'_>) -> SqlResult<u16> {
    let catalog = execution.transaction.catalog();
    let empty = Vec::new();
    let acl = def.acl.as_ref().unwrap_or(&empty);
    let had = execution.scope.access.grantable(&catalog, thing.id, acl, wanted);
    if had == wanted {
        return Ok(had);
    }
    let how = if had == 0 { "no" } else { "not all" };
    let (verb, state) = if granting { ("granted", "01007") } else { ("revoked", "01006") };
    let message = if granting || had == 0 {
        format!("{how} privileges were {verb} for \"{}\"", thing.name)
    } else {
        format!("{how} privileges could be {verb} for \"{}\"", thing.name)
    };
    let message = if granting { message } else { message.replace("were", "could be") };
    execution.notices.push(Notice::warning(SqlState(state), message));
    Ok(had)
}

pub(super) fn add(list: &mut Vec<AclItem>, change: Change) {
    if change.privileges == 0 {
        return;
    }
    let known = list.iter_mut().find(|item| item.grantee == change.grantee && item.grantor == change.grantor);
    let grantable = if change.option { change.privileges } else { 0 };
    match known {
        Some(item) => {
            item.privileges |= change.privileges;
            item.grantable |= grantable;
        }
        None => list.push(AclItem { grantee: change.grantee, grantor: change.grantor, privileges: change.privileges, grantable }),
    }
}

/// Takes privileges, or only their grant options, out of a list (G2). Errors: 2BP01 where others were granted on them.
pub(super) fn remove(list: &mut Vec<AclItem>, change: Change, owner: u32, cascade: bool) -> SqlResult<()> {
    let Some(item) = list.iter_mut().find(|item| item.grantee == change.grantee && item.grantor == change.grantor) else {
        return Ok(());
    };
    let lost_option = item.grantable & change.privileges;
    item.grantable &= !change.privileges;
    if !change.option {
        item.privileges &= !change.privileges;
    }
    list.retain(|item| item.privileges != 0);
    if change.grantee == owner || lost_option == 0 {
        return Ok(());
    }
    // What the grantee may no longer pass on, unless by another grant.
    let kept = list.iter().filter(|item| item.grantee == change.grantee).fold(0, |kept, item| kept | item.grantable);
    let lost = lost_option & !kept;
    let dependents: Vec<AclItem> =
        list.iter().filter(|item| item.grantor == change.grantee && item.privileges & lost != 0).copied().collect();
    if !dependents.is_empty() && !cascade {
        return Err(
            SqlError::new(SqlState::DEPENDENT_OBJECTS_STILL_EXIST, "dependent privileges exist").hint("Use CASCADE to revoke them too.")
        );
    }
    for item in dependents {
        let change = Change { grantee: item.grantee, grantor: item.grantor, privileges: item.privileges & lost, option: false };
        remove(list, change, owner, cascade)?;
    }
    Ok(())
}
