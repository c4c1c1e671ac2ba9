//! The databases of a server: found by name, made, dropped and renamed while others are in use.
//!
//! B1: a database that somebody uses is neither dropped nor renamed; WITH (FORCE) ends its sessions first.
//! B2: the superusers of the first database are the operators of the server. Elsewhere a name proves nothing: who owns a database, or is a superuser
//!     of it, says so from another database only with the very password that the role has there.
//! Never: opens a session.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock, Weak};
use std::time::Duration;

use base::{SqlError, SqlResult, SqlState};
use engine::roles::DATABASE;
use engine::{FIRST_DATABASE, Ledger, Server};
use relational::Relational;

use crate::database::Database;
use crate::rights::access::Access;

/// How often, and how long each time, a change waits for sessions that are about to end; Postgres waits as long.
const LOOKS: u32 = 50;
const LOOK: Duration = Duration::from_millis(100);

/// See the module.
pub struct Databases {
    engine: Arc<Server>,
    relational: Arc<Relational>,
    open: RwLock<BTreeMap<String, Arc<Database>>>,
    itself: Weak<Self>,
}

impl Databases {
    /// Opens every database of a server for sessions.
    pub fn new(engine: Arc<Server>, relational: Arc<Relational>) -> Arc<Self> {
        let databases = Arc::new_cyclic(|itself| Self { engine, relational, open: RwLock::default(), itself: Weak::clone(itself) });
        databases.engine.databases().iter().for_each(|name| databases.enter(name));
        databases
    }

    /// Lets sessions find what the engine has under a name; nothing, if it has nothing.
    fn enter(&self, name: &str) {
        let found = self.engine.ledger(name).map(|ledger| Database::among(ledger, Arc::clone(&self.relational), Weak::clone(&self.itself)));
        let mut open = self.open.write().unwrap_or_else(PoisonError::into_inner);
        match found {
            Some(database) => drop(open.insert(name.to_owned(), database)),
            None => drop(open.remove(name)),
        }
    }

    /// The database of that name.
    pub fn get(&self, name: &str) -> Option<Arc<Database>> {
        self.open.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    /// All of them, by name.
    pub fn all(&self) -> Vec<Arc<Database>> {
        self.open.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// CREATE DATABASE, asked for in another. Errors: 42P04; what the disk raises.
    pub(crate) async fn create(self: &Arc<Self>, name: &str, owner: u32, from: &Arc<Database>) -> SqlResult<()> {
        let (engine, from, wanted) = (Arc::clone(&self.engine), Arc::clone(&from.ledger), name.to_owned());
        apart(move || engine.create_database(&wanted, owner, &from).map(drop)).await?;
        self.enter(name);
        Ok(())
    }

    /// DROP DATABASE. Errors: 55006 where it is in use (B1); what the disk raises.
    pub(crate) async fn drop(self: &Arc<Self>, name: &str, force: bool) -> SqlResult<()> {
        let database = self.take_away(name, force).await?;
        let (engine, wanted) = (Arc::clone(&self.engine), name.to_owned());
        let dropped = apart(move || engine.drop_database(&wanted)).await;
        drop(database);
        self.enter(name);
        dropped
    }

    /// ALTER DATABASE … RENAME. Errors: likewise; 42P04.
    pub(crate) async fn rename(self: &Arc<Self>, name: &str, to: &str) -> SqlResult<()> {
        if self.get(to).is_some() {
            return Err(SqlError::new(SqlState::DUPLICATE_DATABASE, format!("database \"{to}\" already exists")));
        }
        let database = self.take_away(name, false).await?;
        let (engine, old, new) = (Arc::clone(&self.engine), name.to_owned(), to.to_owned());
        let renamed = apart(move || engine.rename_database(&old, &new).map(drop)).await;
        drop(database);
        self.enter(name);
        self.enter(to);
        renamed
    }

    /// Takes a database out of sight once nobody uses it (B1); it comes back by [`Databases::enter`].
    async fn take_away(&self, name: &str, force: bool) -> SqlResult<Arc<Database>> {
        for look in 0..=LOOKS {
            let sessions = {
                let mut open = self.open.write().unwrap_or_else(PoisonError::into_inner);
                let database = open.get(name).ok_or_else(|| missing(name))?;
                let sessions = database.backends.count();
                if sessions == 0 {
                    return open.remove(name).ok_or_else(|| missing(name));
                }
                if force {
                    database.backends.end_all();
                }
                sessions
            };
            if look == LOOKS {
                let verb = if sessions == 1 { "There is 1 other session" } else { "There are" };
                let detail = if sessions == 1 {
                    format!("{verb} using the database.")
                } else {
                    format!("{verb} {sessions} other sessions using the database.")
                };
                return Err(
                    SqlError::new(SqlState::OBJECT_IN_USE, format!("database \"{name}\" is being accessed by other users")).detail(detail)
                );
            }
            tokio::time::sleep(LOOK).await;
        }
        Err(missing(name))
    }

    /// Whether who logged in to `from` as `user` may drop, rename or give away a database (B2). Errors: 3D000, 42501.
    pub(crate) fn check_owner(&self, name: &str, from: &Database, user: &str) -> SqlResult<()> {
        let database = self.get(name).ok_or_else(|| missing(name))?;
        let (here, there) = (from.ledger.snapshot().catalog, database.ledger.snapshot().catalog);
        let own = here.authority().role_named(user);
        if from.name() == FIRST_DATABASE && own.is_some_and(|role| role.superuser) {
            return Ok(());
        }
        let is_owner = there.authority().role_named(user).is_some_and(|role| {
            let access = Access::of(&there, role.id);
            let is_same = own.is_some_and(|own| own.password == role.password);
            is_same && (access.superuser || access.owns(&there, DATABASE))
        });
        if is_owner {
            return Ok(());
        }
        Err(SqlError::new(SqlState::INSUFFICIENT_PRIVILEGE, format!("must be owner of database {name}"))
            .hint(format!("The superusers of database \"{FIRST_DATABASE}\" may, and its owner with the same password in both.")))
    }
}

/// The backup of a whole server in a folder of it, asked for in one of its databases: for its operators (B2). What was copied, a line a database.
///
/// Errors: 42602 for a relative path; 42501 in another database than the first; as [`Server::backup`].
pub(crate) fn back_up(cluster: &Weak<Databases>, ledger: &Arc<Ledger>, folder: &Path, with_keys: bool) -> SqlResult<String> {
    if !folder.is_absolute() {
        return Err(SqlError::new(SqlState("42602"), "relative path not allowed for a backup").hint("The folder is one of the server's."));
    }
    let done = match cluster.upgrade() {
        None => vec![ledger.backup(&folder.join("ledgers").join(ledger.folder().file_name().unwrap_or_default()), with_keys)?],
        Some(databases) if ledger.name() == FIRST_DATABASE => databases.engine.backup(folder, with_keys)?,
        Some(_) => {
            return Err(SqlError::new(SqlState::INSUFFICIENT_PRIVILEGE, "permission denied for function ledger_backup")
                .hint(format!("It copies all databases: the superusers of database \"{FIRST_DATABASE}\" may, there.")));
        }
    };
    Ok(done.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
}

impl std::fmt::Debug for Databases {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.all()).finish()
    }
}

/// 3D000
pub(crate) fn missing(name: &str) -> SqlError {
    SqlError::new(SqlState::INVALID_CATALOG_NAME, format!("database \"{name}\" does not exist"))
}

/// Runs what waits for the disk beside the sessions' threads.
async fn apart(work: impl FnOnce() -> SqlResult<()> + Send + 'static) -> SqlResult<()> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| Err(SqlError::internal("changing a database met a defect")))
}
