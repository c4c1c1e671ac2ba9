//! CREATE, ALTER and DROP ROLE, and membership in roles.
//!
//! R1: nobody gives what they do not have: superusers are made by superusers, roles by those with CREATEROLE.
//! R2: no role belongs to itself, directly or not.
//! R3: a role that something belongs to, or that something is granted to, is not dropped.
//! Never: writes a password, only its verifier, and that outside the ledger.

use base::{SqlError, SqlResult, SqlState};
use engine::RoleDef;
use engine::roles::{AUDITOR, Authority, CUSTODIAN, FIRST_SUPERUSER, Membership, READER, WRITER};

use super::super::Execution;
use crate::outcome::Notice;
use crate::rights::access::closure;
use crate::role_syntax::{Memberships, RoleOption, RoleSpec};
use crate::types;
use crate::types::Manner;
use crate::verifier::Verifier;

pub(super) fn denied(message: impl Into<String>) -> SqlError {
    SqlError::new(SqlState::INSUFFICIENT_PRIVILEGE, message)
}

/// 42704
pub(super) fn undefined_role(name: &str) -> SqlError {
    SqlError::new(SqlState::UNDEFINED_OBJECT, format!("role \"{name}\" does not exist"))
}

/// The role that is meant. Errors: 42704; 42704 too for PUBLIC, which is none.
pub(super) fn resolve(spec: &RoleSpec, authority: &Authority, execution: &Execution<'_>) -> SqlResult<RoleDef> {
    let name = match spec {
        RoleSpec::Named(name) => name,
        RoleSpec::Current => execution.view.settings.current_user(),
        RoleSpec::Session => execution.view.settings.session_user(),
        RoleSpec::Public => "public",
    };
    authority.role_named(name).map(|role| (**role).clone()).ok_or_else(|| undefined_role(name))
}

fn reserved(name: &str) -> SqlResult<()> {
    if name.starts_with("pg_") {
        return Err(SqlError::new(SqlState::RESERVED_NAME, format!("role name \"{name}\" is reserved"))
            .detail("Role names starting with \"pg_\" are reserved."));
    }
    if matches!(name, "public" | "none") {
        return Err(SqlError::new(SqlState::RESERVED_NAME, format!("role name \"{name}\" is reserved")));
    }
    Ok(())
}

pub(super) fn create(name: &RoleSpec, options: &[RoleOption], execution: &mut Execution<'_>) -> SqlResult<()> {
    let name = match name {
        RoleSpec::Named(name) => name.as_str(),
        RoleSpec::Public => "public",
        RoleSpec::Current | RoleSpec::Session => {
            return Err(SqlError::new(SqlState::SYNTAX_ERROR, "the name of a new role cannot be CURRENT_USER or SESSION_USER"));
        }
    };
    if !execution.scope.access.may_create_roles() {
        return Err(denied("permission denied to create role"));
    }
    reserved(name)?;
    let catalog = execution.transaction.catalog();
    if catalog.authority().role_named(name).is_some() {
        return Err(SqlError::new(SqlState::DUPLICATE_OBJECT, format!("role \"{name}\" already exists")));
    }
    let mut role = RoleDef::new(execution.transaction.ledger().next_object_id(), name);
    for option in options {
        apply(option, &mut role, execution)?;
    }
    if role.superuser && !execution.scope.access.superuser {
        return Err(denied("must be superuser to create superusers"));
    }
    execution.transaction.define_role(role)?;
    for option in options {
        match option {
            RoleOption::InRole(roles) => {
                for joined in roles {
                    let joined = resolve(joined, execution.transaction.catalog().authority(), execution)?;
                    join(&joined, name, false, execution)?;
                }
            }
            RoleOption::Members { roles, admin } => {
                let own = role_named(name, execution)?;
                for member in roles {
                    let member = resolve(member, execution.transaction.catalog().authority(), execution)?;
                    join(&own, &member.name, *admin, execution)?;
                }
            }
            _ => {}
        }
    }
    Ok(())
}

fn role_named(name: &str, execution: &Execution<'_>) -> SqlResult<RoleDef> {
    resolve(&RoleSpec::Named(name.to_owned()), execution.transaction.catalog().authority(), execution)
}

/// One option of a role as it is being made or changed.
fn apply(option: &RoleOption, role: &mut RoleDef, execution: &mut Execution<'_>) -> SqlResult<()> {
    match option {
        RoleOption::Superuser(on) => role.superuser = *on,
        RoleOption::CreateDb(on) => role.create_db = *on,
        RoleOption::CreateRole(on) => role.create_role = *on,
        RoleOption::Inherit(on) => role.inherit = *on,
        RoleOption::Login(on) => role.login = *on,
        RoleOption::Replication(true) => return Err(SqlError::unsupported("REPLICATION")),
        RoleOption::BypassRls(true) => return Err(SqlError::unsupported("BYPASSRLS")),
        RoleOption::Replication(false) | RoleOption::BypassRls(false) => {}
        RoleOption::ConnectionLimit(limit) if *limit < -1 => {
            return Err(SqlError::new(SqlState::INVALID_PARAMETER_VALUE, format!("invalid connection limit: {limit}")));
        }
        RoleOption::ConnectionLimit(limit) => role.connection_limit = *limit,
        RoleOption::Password(None) => role.password = None,
        RoleOption::Password(Some(password)) => role.password = keep_password(password, execution)?,
        RoleOption::ValidUntil(text) => role.valid_until_us = valid_until(text, execution.parameters.reading.manner)?,
        RoleOption::InRole(_) | RoleOption::Members { .. } => {}
    }
    Ok(())
}

/// The name of the password's verifier, which is durable by then. An empty password is none, as in Postgres.
fn keep_password(password: &str, execution: &mut Execution<'_>) -> SqlResult<Option<String>> {
    if password.is_empty() {
        let message = "empty string is not a valid password, clearing password";
        execution.notices.push(Notice::new(SqlState("00000"), message));
        return Ok(None);
    }
    if password.len() == 35 && password.starts_with("md5") && password.bytes().skip(3).all(|byte| byte.is_ascii_hexdigit()) {
        return Err(SqlError::unsupported("an MD5 password").hint("Give the password itself, or its SCRAM-SHA-256 verifier."));
    }
    let verifier = Verifier::parse(password).unwrap_or_else(|| Verifier::of_password(password));
    execution.transaction.ledger().keep_verifier(&verifier.text()).map(Some)
}

/// `infinity` is for ever, and so is no limit.
fn valid_until(text: &str, manner: Manner) -> SqlResult<Option<i64>> {
    if text.eq_ignore_ascii_case("infinity") {
        return Ok(None);
    }
    types::parse_instant_us(text, &manner).map(Some)
}

pub(super) fn alter(spec: &RoleSpec, options: &[RoleOption], execution: &mut Execution<'_>) -> SqlResult<()> {
    let mut role = resolve(spec, execution.transaction.catalog().authority(), execution)?;
    check_change(&role, options, execution)?;
    for option in options {
        apply(option, &mut role, execution)?;
    }
    execution.transaction.define_role(role)
}

/// R1. Who may change nothing else may change their own password.
fn check_change(role: &RoleDef, options: &[RoleOption], execution: &Execution<'_>) -> SqlResult<()> {
    let access = &execution.scope.access;
    if access.superuser {
        if role.id == FIRST_SUPERUSER && options.contains(&RoleOption::Superuser(false)) {
            return Err(denied("permission denied to alter role").detail("The bootstrap superuser must be superuser."));
        }
        return Ok(());
    }
    if role.superuser || options.iter().any(|option| matches!(option, RoleOption::Superuser(_))) {
        return Err(denied("must be superuser to alter superuser roles or change superuser attribute"));
    }
    let own_password = access.role == role.id && options.iter().all(|option| matches!(option, RoleOption::Password(_)));
    if access.may_create_roles() || own_password { Ok(()) } else { Err(denied("permission denied")) }
}

pub(super) fn rename(name: &str, to: &str, execution: &mut Execution<'_>) -> SqlResult<()> {
    let mut role = role_named(name, execution)?;
    for (user, what) in [(execution.view.settings.session_user(), "session"), (execution.view.settings.current_user(), "current")] {
        if user == name {
            return Err(SqlError::new(SqlState::FEATURE_NOT_SUPPORTED, format!("{what} user cannot be renamed")));
        }
    }
    check_built_in(&role, "rename")?;
    reserved(to)?;
    if role.superuser && !execution.scope.access.superuser {
        return Err(denied("must be superuser to rename superusers"));
    }
    if !execution.scope.access.may_create_roles() {
        return Err(denied("permission denied to rename role"));
    }
    role.name = to.to_owned();
    execution.transaction.define_role(role)
}

fn check_built_in(role: &RoleDef, verb: &str) -> SqlResult<()> {
    if !matches!(role.id, FIRST_SUPERUSER | READER | WRITER | AUDITOR | CUSTODIAN) {
        return Ok(());
    }
    let message = format!("cannot {verb} role {} because it is required by the database system", role.name);
    Err(SqlError::new(SqlState::DEPENDENT_OBJECTS_STILL_EXIST, message))
}

pub(super) fn drop(roles: &[RoleSpec], if_exists: bool, execution: &mut Execution<'_>) -> SqlResult<()> {
    if !execution.scope.access.may_create_roles() {
        return Err(denied("permission denied to drop role"));
    }
    for spec in roles {
        let role = match resolve(spec, execution.transaction.catalog().authority(), execution) {
            Err(error) if if_exists && error.state() == SqlState::UNDEFINED_OBJECT => {
                execution.notices.push(Notice::new(SqlState("00000"), format!("{}, skipping", error.message())));
                continue;
            }
            found => found?,
        };
        drop_one(&role, execution)?;
    }
    Ok(())
}

fn drop_one(role: &RoleDef, execution: &mut Execution<'_>) -> SqlResult<()> {
    let in_use = |message: &str| Err(SqlError::new(SqlState::OBJECT_IN_USE, message));
    if role.name == execution.view.settings.current_user() {
        return in_use("current user cannot be dropped");
    }
    if role.name == execution.view.settings.session_user() || role.name == execution.view.user {
        return in_use("session user cannot be dropped");
    }
    if role.superuser && !execution.scope.access.superuser {
        return Err(denied("must be superuser to drop superusers"));
    }
    check_built_in(role, "drop")?;
    let catalog = execution.transaction.catalog();
    let dependents = super::ownership::dependents(&catalog, role.id);
    if !dependents.is_empty() {
        let message = format!("role \"{}\" cannot be dropped because some objects depend on it", role.name);
        return Err(SqlError::new(SqlState::DEPENDENT_OBJECTS_STILL_EXIST, message).detail(dependents.join("\n")));
    }
    for other in catalog.authority().roles() {
        if other.member_of.iter().any(|member| member.role == role.id) {
            let mut other = (**other).clone();
            other.member_of.retain(|member| member.role != role.id);
            execution.transaction.define_role(other)?;
        }
    }
    let kept: Vec<u32> = catalog.settings().filter(|kept| kept.role == role.id).map(|kept| kept.id).collect();
    kept.into_iter().try_for_each(|kept| execution.transaction.drop_object(kept))?;
    execution.transaction.drop_object(role.id)
}

/// GRANT roles TO members. Errors: 42501, 42704, 0LP01 for a circle (R2).
pub(super) fn grant(grant: &Memberships, admin: bool, execution: &mut Execution<'_>) -> SqlResult<()> {
    for name in &grant.roles {
        let joined = role_named(name, execution)?;
        check_admin(&joined, execution)?;
        for member in &grant.members {
            let member = resolve(member, execution.transaction.catalog().authority(), execution)?;
            join(&joined, &member.name, admin, execution)?;
        }
    }
    Ok(())
}

/// Who may give and take membership in a role.
fn check_admin(joined: &RoleDef, execution: &Execution<'_>) -> SqlResult<()> {
    let access = &execution.scope.access;
    if joined.superuser {
        return if access.superuser { Ok(()) } else { Err(denied("must be superuser to alter superusers")) };
    }
    let catalog = execution.transaction.catalog();
    let authority = catalog.authority();
    let administers = || {
        let roles = closure(authority, access.role, false);
        roles.iter().filter_map(|role| authority.role(*role)).any(|role| role.member_of.iter().any(|m| m.role == joined.id && m.admin))
    };
    if access.may_create_roles() || (!access.is_auditor() && administers()) {
        return Ok(());
    }
    Err(denied(format!("must have admin option on role \"{}\"", joined.name)))
}

fn join(joined: &RoleDef, member: &str, admin: bool, execution: &mut Execution<'_>) -> SqlResult<()> {
    let mut member = role_named(member, execution)?;
    let catalog = execution.transaction.catalog();
    if closure(catalog.authority(), joined.id, false).contains(&member.id) {
        let message = format!("role \"{}\" is a member of role \"{}\"", joined.name, member.name);
        return Err(SqlError::new(SqlState::INVALID_GRANT_OPERATION, message));
    }
    let grantor = execution.scope.access.role;
    match member.member_of.iter_mut().find(|known| known.role == joined.id) {
        Some(known) if known.admin || !admin => {
            let message = format!("role \"{}\" is already a member of role \"{}\"", member.name, joined.name);
            execution.notices.push(Notice::new(SqlState("00000"), message));
            return Ok(());
        }
        Some(known) => known.admin = true,
        None => {
            member.member_of.push(Membership { role: joined.id, admin, grantor });
            member.member_of.sort_by_key(|member| member.role);
        }
    }
    execution.transaction.define_role(member)
}

/// REVOKE roles FROM members, or only the option to pass them on.
pub(super) fn revoke(revoke: &Memberships, admin_only: bool, execution: &mut Execution<'_>) -> SqlResult<()> {
    for name in &revoke.roles {
        let joined = role_named(name, execution)?;
        check_admin(&joined, execution)?;
        for member in &revoke.members {
            let mut member = resolve(member, execution.transaction.catalog().authority(), execution)?;
            let Some(at) = member.member_of.iter().position(|known| known.role == joined.id) else {
                let message = format!("role \"{}\" is not a member of role \"{}\"", member.name, joined.name);
                execution.notices.push(Notice::warning(SqlState("01000"), message));
                continue;
            };
            if admin_only {
                member.member_of[at].admin = false;
            } else {
                member.member_of.remove(at);
            }
            execution.transaction.define_role(member)?;
        }
    }
    Ok(())
}
