//! Who may do what: roles, passwords, privileges, owners, and the one place where every statement is checked.
//!
//! AU1: what is checked is the catalog that the statement itself reads: a commit that revokes is obeyed by the next statement.
//! AU2: a superuser passes every check, at the cost of one look.
//! AU3: what is not granted is denied, 42501.
//! Never: keeps a decision beyond a statement.

pub(crate) mod check;

mod default_privileges;
mod grants;
mod kept_settings;
mod objects;
mod ownership;
mod roles;

use base::{SqlError, SqlResult};
use sqlparser::ast::Owner;

use super::Execution;
use crate::names::fold;
use crate::outcome::{Outcome, Tag};
use crate::rights::things;
use crate::role_syntax::{Command, Owned, RoleSpec};

/// CREATE SCHEMA … AUTHORIZATION: the new schema is the role's. Errors: 42704, 42501.
pub(crate) fn give_schema(schema: &str, owner: &str, execution: &mut Execution<'_>) -> SqlResult<()> {
    let owner = match owner {
        "current_user" | "current_role" => RoleSpec::Current,
        "session_user" => RoleSpec::Session,
        name => RoleSpec::Named(name.to_owned()),
    };
    ownership::set_owner(&Owned::Schema(schema.to_owned()), &owner, execution)
}

/// OWNER TO among the actions of an ALTER TABLE: the relation is the role's. Errors: 42704, 42501, 0A000.
pub(crate) fn give_relation(id: u32, owner: &Owner, execution: &mut Execution<'_>) -> SqlResult<()> {
    let to = match owner {
        Owner::Ident(name) => RoleSpec::Named(fold(name)),
        Owner::CurrentRole | Owner::CurrentUser => RoleSpec::Current,
        Owner::SessionUser => RoleSpec::Session,
    };
    let thing = things::by_id(&execution.transaction.catalog(), execution.view.database.name(), id);
    thing.map_or(Ok(()), |thing| ownership::give(&thing, &to, execution))
}

/// Runs a statement about roles, grants or owners. Its rights are checked here.
pub(crate) fn execute(command: &Command, execution: &mut Execution<'_>) -> SqlResult<Outcome> {
    match command {
        Command::CreateRole { name, options } => roles::create(name, options, execution)?,
        Command::AlterRole { role, options } => roles::alter(role, options, execution)?,
        Command::RenameRole { role, to } => roles::rename(role, to, execution)?,
        Command::DropRole { roles, if_exists } => roles::drop(roles, *if_exists, execution)?,
        Command::GrantRoles { grant, admin } => roles::grant(grant, *admin, execution)?,
        Command::RevokeRoles { revoke, admin_only } => roles::revoke(revoke, *admin_only, execution)?,
        Command::Grant { grant, grantable } => grants::grant(grant, *grantable, execution)?,
        Command::Revoke { revoke, option_only, cascade } => grants::revoke(revoke, *option_only, *cascade, execution)?,
        Command::SetOwner { of, to } => ownership::set_owner(of, to, execution)?,
        Command::Reassign { from, to } => ownership::reassign(from, to, execution)?,
        Command::DropOwned { roles, cascade } => ownership::drop_owned(roles, *cascade, execution)?,
        Command::DefaultPrivileges(command) => default_privileges::alter(command, execution)?,
        Command::KeepSettings(command) => kept_settings::alter(command, execution)?,
        Command::CreateDatabase { .. } | Command::DropDatabase { .. } | Command::RenameDatabase { .. } => {
            return Err(SqlError::internal("this statement is run by the session"));
        }
    }
    Ok(Outcome::Command(Tag::command(command.tag())))
}
