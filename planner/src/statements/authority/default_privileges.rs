//! ALTER DEFAULT PRIVILEGES: what is granted on tables, sequences and schemas that a role makes from now on.
//!
//! D1: what is said of any schema is the whole list that a new object begins with, the owner's own privileges included; what is said of one schema is added
//!     to that.
//! D2: a list that says what would hold without it is not kept.
//! D3: what is said of functions and types is checked and kept nowhere, for nobody makes any.
//! Never: changes an object that is there.

use std::collections::BTreeMap;

use base::{SqlError, SqlResult, SqlState};
use engine::GrantsDef;
use engine::roles::{ForNew, PUBLIC, privilege};

use super::super::Execution;
use super::grants::{Change, add, check_kind, remove};
use super::roles::resolve;
use crate::resolver::undefined_schema;
use crate::rights::access::{Kind, default_acl};
use crate::rights::things::privilege_named;
use crate::role_syntax::{DefaultPrivileges, RoleSpec, Wanted};

/// Errors: 42501, 42704, 3F000, 0LP01.
pub(super) fn alter(command: &DefaultPrivileges, execution: &mut Execution<'_>) -> SqlResult<()> {
    let kind = match command.kind.as_str() {
        "tables" => Some(Kind::Table),
        "schemas" => Some(Kind::Schema),
        "sequences" => Some(Kind::Sequence),
        _ => None,
    };
    if kind == Some(Kind::Schema) && !command.schemas.is_empty() {
        let message = "cannot use IN SCHEMA clause when using GRANT/REVOKE ON SCHEMAS";
        return Err(SqlError::new(SqlState::INVALID_GRANT_OPERATION, message));
    }
    let privileges = match kind {
        Some(kind) => bits(&command.wanted, kind)?,
        None if command.kind == "types" => check_kind(&command.wanted, privilege::USAGE, "type").map(|()| 0)?,
        None => check_kind(&command.wanted, privilege::EXECUTE, "function").map(|()| 0)?,
    };
    let catalog = execution.transaction.catalog();
    let id = |spec: &RoleSpec| match spec {
        RoleSpec::Public => Ok(PUBLIC),
        spec => resolve(spec, catalog.authority(), execution).map(|role| role.id),
    };
    let grantees = command.roles.iter().map(id).collect::<SqlResult<Vec<_>>>()?;
    if command.option && !command.revokes && grantees.contains(&PUBLIC) {
        return Err(SqlError::new(SqlState::INVALID_GRANT_OPERATION, "grant options can only be granted to roles"));
    }
    let current = [RoleSpec::Current];
    let makers = if command.makers.is_empty() { &current[..] } else { &command.makers };
    let mut schemas = Vec::new();
    for name in &command.schemas {
        schemas.push(catalog.schema(name).ok_or_else(|| undefined_schema(name))?.id);
    }
    if schemas.is_empty() {
        schemas.push(0);
    }
    for spec in makers {
        let maker = resolve(spec, catalog.authority(), execution)?.clone();
        if !execution.scope.access.has_role(maker.id) || execution.scope.access.is_auditor() {
            let message = format!("must be member of role \"{}\"", maker.name);
            return Err(SqlError::new(SqlState::INSUFFICIENT_PRIVILEGE, message));
        }
        // D3
        let Some(kind) = kind else { continue };
        for schema in &schemas {
            change(command, execution, (maker.id, kind), ForNew { schema: *schema, kind: letter(kind) }, (&grantees, privileges))?;
        }
    }
    Ok(())
}

/// Postgres's letter of a kind, in `pg_default_acl`.
fn letter(kind: Kind) -> char {
    match kind {
        Kind::Schema => 'n',
        Kind::Sequence => 'S',
        _ => 'r',
    }
}

fn bits(wanted: &[Wanted], kind: Kind) -> SqlResult<u16> {
    let mut bits = 0;
    for item in wanted {
        if !item.columns.is_empty() {
            return Err(SqlError::new(SqlState::INVALID_GRANT_OPERATION, "default privileges cannot be set for columns"));
        }
        bits |= match &item.name {
            None => kind.all(),
            Some(name) => {
                let unknown = || SqlError::new(SqlState::SYNTAX_ERROR, format!("unrecognized privilege type \"{name}\""));
                let bit = privilege_named(name).ok_or_else(unknown)?;
                if bit & !kind.all() != 0 {
                    let what = match kind {
                        Kind::Schema => "schema",
                        Kind::Sequence => "sequence",
                        _ => "relation",
                    };
                    let message = format!("invalid privilege type {} for {what}", name.to_uppercase());
                    return Err(SqlError::new(SqlState::INVALID_GRANT_OPERATION, message));
                }
                bit
            }
        };
    }
    Ok(bits)
}

fn change(
    command: &DefaultPrivileges,
    execution: &mut Execution<'_>,
    (maker, kind): (u32, Kind),
    new: ForNew,
    (grantees, privileges): (&[u32], u16),
) -> SqlResult<()> {
    let catalog = execution.transaction.catalog();
    let known = catalog.authority().defaults(maker, new).map(|grants| grants.as_ref().clone());
    // D1
    let plain = if new.schema == 0 { default_acl(kind, maker) } else { Vec::new() };
    let is_known = known.is_some();
    let mut def = known.unwrap_or_else(|| {
        let id = execution.transaction.ledger().next_object_id();
        GrantsDef { id, object: id, owner: maker, acl: Some(plain.clone()), columns: BTreeMap::new(), for_new: Some(new), comment: None }
    });
    let list = def.acl.get_or_insert_with(Vec::new);
    for grantee in grantees {
        let change = Change { grantee: *grantee, grantor: maker, privileges, option: command.option };
        if command.revokes {
            remove(list, change, maker, command.cascade)?;
        } else {
            add(list, change);
        }
    }
    list.sort_by_key(|item| (item.grantee, item.grantor));
    match (*list == plain, is_known) {
        (true, true) => execution.transaction.drop_object(def.id),
        (true, false) => Ok(()),
        (false, _) => execution.transaction.define_grants(def),
    }
}
