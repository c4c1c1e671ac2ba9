//! How many sessions there may be: of the server, and of each role.
//!
//! D1: at most `connections_max` sessions; the last few places are for superusers.
//! D2: a session is counted exactly as long as its [`Place`] lives.
//! Never: waits for a place.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use base::{SqlError, SqlResult, SqlState};
use planner::Account;

use crate::config::Config;

/// The sessions there are.
#[derive(Default)]
pub(crate) struct Admissions {
    counts: Mutex<Counts>,
}

#[derive(Default)]
struct Counts {
    all: usize,
    /// By database and role.
    roles: HashMap<(Arc<str>, u32), usize>,
}

/// A session's place (D2).
pub(crate) struct Place {
    admissions: Arc<Admissions>,
    role: (Arc<str>, u32),
}

impl Admissions {
    /// Takes a place. Errors: 53300 where there is none left.
    pub fn enter(self: &Arc<Self>, account: &Account, database: &str, config: &Config) -> SqlResult<Place> {
        let too_many = |message: &str| SqlError::new(SqlState::TOO_MANY_CONNECTIONS, message);
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.all >= config.connections_max {
            return Err(too_many("sorry, too many clients already")
                .hint(format!("At most {} sessions are served at once.", config.connections_max)));
        }
        let open_to_all = config.connections_max.saturating_sub(config.superuser_reserved_connections);
        if !account.superuser && counts.all >= open_to_all {
            return Err(too_many("remaining connection slots are reserved for non-replication superuser connections"));
        }
        let role: (Arc<str>, u32) = (database.into(), account.role);
        let of_role = counts.roles.entry(role.clone()).or_default();
        if !account.superuser && usize::try_from(account.connection_limit).is_ok_and(|limit| *of_role >= limit) {
            return Err(too_many(&format!("too many connections for role \"{}\"", account.name)));
        }
        *of_role += 1;
        counts.all += 1;
        Ok(Place { admissions: Arc::clone(self), role })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.admissions.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.all -= 1;
        if let Some(count) = counts.roles.get_mut(&self.role) {
            *count -= 1;
            if *count == 0 {
                counts.roles.remove(&self.role);
            }
        }
    }
}
