//! SET ROLE and SET SESSION AUTHORIZATION: who a session is.
//!
//! I1: whoever logged in may become a role they belong to, directly or not, and come back; only a superuser becomes anybody.
//! I2: commits name who logged in, whoever they became.
//! Never: trusts a name that the catalog does not have.

use std::sync::Arc;

use base::{SqlError, SqlResult, SqlState};
use engine::{Catalog, RoleDef};

use super::Session;
use super::blocks::{Open, State};
use crate::outcome::{Notice, Outcome, Tag};
use crate::rights::access::closure;

const ROLE: &str = "role";
const SESSION_AUTHORIZATION: &str = "session_authorization";

/// The parameter of that name, if it says who the session is.
pub(super) fn parameter(name: &str) -> Option<&'static str> {
    [ROLE, SESSION_AUTHORIZATION].into_iter().find(|parameter| parameter.eq_ignore_ascii_case(name))
}

impl Session {
    pub(super) fn set_identity(&mut self, parameter: &'static str, value: Option<&str>, local: bool) -> SqlResult<Outcome> {
        let before = self.settings.show(parameter)?;
        let value = value.filter(|value| !(parameter == ROLE && *value == "none"));
        let value = value.map(|value| value.trim_matches('"').to_owned());
        let superuser = self.check_identity(parameter, value.as_deref())?;
        if local {
            match &mut self.state {
                State::Open(open) => open.block.local.push(before),
                _ => {
                    let message = "SET LOCAL can only be used in transaction blocks";
                    self.notices.push(Notice::warning(SqlState::NO_ACTIVE_SQL_TRANSACTION, message));
                    return Ok(Outcome::Command(Tag::command("SET")));
                }
            }
        }
        self.settings.become_role(parameter, value.as_deref(), superuser);
        Ok(Outcome::Command(Tag::command("SET")))
    }

    /// Puts back who the session was before SET LOCAL; false for any other parameter.
    pub(super) fn restore_identity(&mut self, name: &str, value: &str) -> bool {
        let Some(parameter) = parameter(name) else { return false };
        let value = Some(value).filter(|value| !(parameter == ROLE && *value == "none"));
        // Someone who may not be that any more is nobody: without rights, as whoever logs in under a name that is gone.
        let superuser = self.check_identity(parameter, value).unwrap_or(false);
        self.settings.become_role(parameter, value, superuser);
        true
    }

    /// Whether the session may become that (I1), and whether it is a superuser then. Errors: 22023, 42501.
    fn check_identity(&self, parameter: &'static str, value: Option<&str>) -> SqlResult<bool> {
        let catalog = self.present_catalog();
        let from = if parameter == ROLE { self.settings.session_user() } else { self.user.as_str() };
        let from = catalog.authority().role_named(from);
        let Some(name) = value else { return Ok(from.is_some_and(|role| role.superuser)) };
        let unknown = || SqlError::new(SqlState::INVALID_PARAMETER_VALUE, format!("role \"{name}\" does not exist"));
        let to = catalog.authority().role_named(name).ok_or_else(unknown)?;
        let may = from.is_some_and(|from| from.superuser || from.id == to.id || (parameter == ROLE && belongs(&catalog, from, to)));
        if may {
            return Ok(to.superuser);
        }
        let message = match parameter {
            ROLE => format!("permission denied to set role \"{name}\""),
            _ => "permission denied to set session authorization".to_owned(),
        };
        Err(SqlError::new(SqlState::INSUFFICIENT_PRIVILEGE, message))
    }

    /// The catalog that the next statement would see.
    fn present_catalog(&self) -> Arc<Catalog> {
        match &self.state {
            State::Open(Open { transaction: Some(transaction), .. }) => transaction.catalog(),
            _ => self.database.ledger.snapshot().catalog,
        }
    }
}

fn belongs(catalog: &Catalog, from: &RoleDef, to: &RoleDef) -> bool {
    closure(catalog.authority(), from.id, false).contains(&to.id)
}
