//! CREATE DATABASE, DROP DATABASE, ALTER DATABASE … RENAME: what changes no row of this database.
//!
//! E18: they are no part of a transaction: they take effect at once and as a whole, or not at all.
//! Never: touches a file.

use std::sync::Arc;

use base::{SqlError, SqlResult, SqlState};
use engine::FIRST_DATABASE;

use super::Session;
use super::blocks::State;
use crate::databases::{Databases, missing};
use crate::outcome::{Notice, Outcome, Tag};
use crate::rights::access::closure;
use crate::role_syntax::{Command, DatabaseOptions, RoleSpec};
use crate::statements::Plan;

impl Session {
    /// Errors: 25001 in a block; 42501, 42P04, 3D000, 55006; what the disk raises.
    pub(super) async fn change_databases(&mut self, plan: &Plan, command: &Command) -> SqlResult<Outcome> {
        if self.implicit || !matches!(self.state, State::Idle) {
            let message = format!("{} cannot run inside a transaction block", command.tag());
            return Err(SqlError::new(SqlState::ACTIVE_SQL_TRANSACTION, message));
        }
        self.refuse_write(plan, self.settings.default_read_only())?;
        let all = self.database.cluster.upgrade().ok_or_else(|| SqlError::unsupported(command.tag()))?;
        match command {
            Command::CreateDatabase { name, options } => self.create_database(&all, name, options).await?,
            Command::DropDatabase { name, if_exists, force } => self.drop_database(&all, name, *if_exists, *force).await?,
            Command::RenameDatabase { name, to } => self.rename_database(&all, name, to).await?,
            _ => return Err(SqlError::internal("no command about databases")),
        }
        Ok(Outcome::Command(Tag::command(command.tag())))
    }

    async fn create_database(&mut self, all: &Arc<Databases>, name: &str, options: &DatabaseOptions) -> SqlResult<()> {
        let catalog = self.database.ledger.snapshot().catalog;
        let authority = catalog.authority();
        let by_name = |name: &str| {
            let unknown = || SqlError::new(SqlState::UNDEFINED_OBJECT, format!("role \"{name}\" does not exist"));
            authority.role_named(name).ok_or_else(unknown)
        };
        let role = by_name(self.settings.current_user())?;
        let owner = match &options.owner {
            None | Some(RoleSpec::Current) => role,
            Some(RoleSpec::Session) => by_name(self.settings.session_user())?,
            Some(RoleSpec::Named(name)) => by_name(name)?,
            Some(RoleSpec::Public) => return Err(SqlError::new(SqlState::UNDEFINED_OBJECT, "role \"public\" does not exist")),
        };
        let denied = |message: String| SqlError::new(SqlState::INSUFFICIENT_PRIVILEGE, message);
        if !role.superuser && !role.create_db {
            return Err(denied("permission denied to create database".to_owned()));
        }
        if !role.superuser && !closure(authority, role.id, false).contains(&owner.id) {
            return Err(denied(format!("must be member of role \"{}\"", owner.name)));
        }
        options.check()?;
        all.create(name, owner.id, &self.database).await
    }

    async fn drop_database(&mut self, all: &Arc<Databases>, name: &str, if_exists: bool, force: bool) -> SqlResult<()> {
        if all.get(name).is_none() {
            if !if_exists {
                return Err(missing(name));
            }
            self.notices.push(Notice::new(SqlState("00000"), format!("database \"{name}\" does not exist, skipping")));
            return Ok(());
        }
        all.check_owner(name, &self.database, &self.user)?;
        if name == self.database.name() {
            return Err(SqlError::new(SqlState::OBJECT_IN_USE, "cannot drop the currently open database"));
        }
        if name == FIRST_DATABASE {
            return Err(SqlError::new(SqlState::WRONG_OBJECT_TYPE, format!("cannot drop the first database \"{name}\""))
                .detail("Its superusers are the operators of this server."));
        }
        all.drop(name, force).await
    }

    async fn rename_database(&mut self, all: &Arc<Databases>, name: &str, to: &str) -> SqlResult<()> {
        all.check_owner(name, &self.database, &self.user)?;
        if name == self.database.name() {
            return Err(SqlError::new(SqlState::FEATURE_NOT_SUPPORTED, "current database cannot be renamed"));
        }
        if name == FIRST_DATABASE {
            return Err(SqlError::new(SqlState::WRONG_OBJECT_TYPE, format!("cannot rename the first database \"{name}\"")));
        }
        all.rename(name, to).await
    }
}
