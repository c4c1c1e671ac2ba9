//! ALTER ROLE … SET and ALTER DATABASE … SET: what sessions begin with from then on.
//!
//! K1: a value is one that SET would take now; whether it is one later is seen when a session begins, which goes on without it.
//! Never: changes a session that has begun.

use std::sync::Arc;

use base::{SqlError, SqlResult, SqlState};
use engine::SettingsDef;
use engine::roles::DATABASE;

use super::super::Execution;
use super::roles::{denied, resolve};
use crate::rights::things::Thing;
use crate::role_syntax::settings::{Change, KeptSettings};

/// Errors: 42501, 42704, 22023, 55P02, 3D000; 0A000 for another database.
pub(super) fn alter(command: &KeptSettings, execution: &mut Execution<'_>) -> SqlResult<()> {
    let own = execution.view.database.name();
    if let Some(database) = command.database.as_ref().filter(|database| *database != own) {
        let is_there = execution.scope.cluster.upgrade().is_some_and(|all| all.all().iter().any(|other| other.name() == database));
        if !is_there {
            return Err(SqlError::new(SqlState::INVALID_CATALOG_NAME, format!("database \"{database}\" does not exist")));
        }
        let message = format!("altering database \"{database}\" from another database");
        return Err(SqlError::unsupported(message).hint("Connect to it and alter it there."));
    }
    let role = check_right(command, execution)?;
    let of_database = command.database.is_some();
    let catalog = execution.transaction.catalog();
    let is_it = |kept: &&Arc<SettingsDef>| kept.role == role && kept.of_database == of_database;
    let known = catalog.settings().find(is_it).map(|kept| kept.as_ref().clone());
    let mut values = known.as_ref().map_or_else(Vec::new, |kept| kept.values.clone());
    match &command.change {
        Change::Set { name, value } => {
            let (name, value) = checked(name, value.as_deref(), execution)?;
            match values.iter_mut().find(|(known, _)| *known == name) {
                Some((_, known)) => *known = value,
                None => values.push((name, value)),
            }
        }
        Change::Reset(name) => {
            execution.view.settings.clone().reset(name)?;
            let (name, _) = execution.view.settings.before(name);
            values.retain(|(known, _)| *known != name);
        }
        Change::ResetAll => values.clear(),
    }
    match known {
        Some(known) if values.is_empty() => execution.transaction.drop_object(known.id),
        None if values.is_empty() => Ok(()),
        known => {
            let id = known.map_or_else(|| execution.transaction.ledger().next_object_id(), |known| known.id);
            execution.transaction.define_settings(SettingsDef { id, role, of_database, values })
        }
    }
}

/// The role's id, 0 for everyone. Errors: 42501, 42704.
fn check_right(command: &KeptSettings, execution: &Execution<'_>) -> SqlResult<u32> {
    let (access, catalog) = (&execution.scope.access, execution.transaction.catalog());
    let Some(spec) = &command.role else {
        return match &command.database {
            Some(name) if !access.owns(&catalog, DATABASE) => Err(Thing::database(name).not_owner()),
            None if !access.superuser => Err(denied("must be superuser to alter settings globally")),
            _ => Ok(0),
        };
    };
    let role = resolve(spec, catalog.authority(), execution)?;
    if role.superuser && !access.superuser {
        return Err(denied("must be superuser to alter superusers"));
    }
    if access.may_create_roles() || (access.role == role.id && !access.is_auditor()) {
        Ok(role.id)
    } else {
        Err(denied("permission denied"))
    }
}

/// A parameter by its own name, with a value that it takes (K1). Errors: 42704, 22023, 55P02.
fn checked(name: &str, value: Option<&str>, execution: &Execution<'_>) -> SqlResult<(String, String)> {
    let mut settings = execution.view.settings.clone();
    let (own, now) = settings.before(name);
    let value = value.map_or(now, str::to_owned);
    if own.eq_ignore_ascii_case("role") {
        let catalog = execution.transaction.catalog();
        if value != "none" && catalog.authority().role_named(&value).is_none() {
            return Err(SqlError::new(SqlState::INVALID_PARAMETER_VALUE, format!("role \"{value}\" does not exist")));
        }
        return Ok((own.into_owned(), value));
    }
    if own.eq_ignore_ascii_case("session_authorization") || own.eq_ignore_ascii_case("is_superuser") {
        return Err(SqlError::new(SqlState::CANT_CHANGE_RUNTIME_PARAM, format!("parameter \"{own}\" cannot be set this way")));
    }
    settings.set(name, &value)?;
    Ok((own.into_owned(), value))
}
