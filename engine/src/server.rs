//! A data folder: its lock and its databases.
//!
//! D1: one process at a time has a data folder open.
//! D2: a folder without `ledger.id` holds nothing acknowledged and is made anew.
//! Never: shares a file between two databases.
//! Format: docs/formats/folder.md.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base::io::{Io, LockGuard};
use base::{LedgerId, SqlError, SqlResult, SqlState};
use receipts::{KeyLeaf, Leaf};
use wal::{Identity, Wal, WalOptions};

use crate::catalog::{Catalog, FIRST_USER_ID};
use crate::checkpoints::replace;
use crate::commit::append_leaf;
use crate::failure::io_failed;
use crate::identity::{self, LedgerIdentity};
use crate::ledger::{Ledger, Parts, Published};
use crate::merkle::MerkleLog;
use crate::options::Options;
use crate::recovery;
use crate::signer::{Signed, Signer};

/// The database made at first start.
pub const FIRST_DATABASE: &str = "shockwave";
/// Actor of the first commit.
const ACTOR: &str = "shockwave";

/// An open data folder.
#[derive(Debug)]
pub struct Server {
    folder: PathBuf,
    ledgers: BTreeMap<String, Arc<Ledger>>,
    _lock: Box<dyn LockGuard>,
}

impl Server {
    /// Opens a data folder, making it and database `shockwave` at first start.
    ///
    /// Errors: 55000 where another process has it open (D1), XX001 for damage, 58030 and 53100 from the disk.
    pub fn open(folder: &Path, options: Options) -> SqlResult<Self> {
        let io = Arc::clone(&options.io);
        io.create_dir_all(&folder.join("ledgers")).map_err(|error| io_failed("create data folder", folder, error))?;
        let lock = lock(&*io, folder)?;
        let ledgers_folder = folder.join("ledgers");
        let mut ledgers = BTreeMap::new();
        for name in io.list(&ledgers_folder).map_err(|error| io_failed("list", &ledgers_folder, error))? {
            let ledger_folder = ledgers_folder.join(&name);
            if let Some(identity) = LedgerIdentity::read(&*io, &ledger_folder)? {
                let ledger = recovery::open(&ledger_folder, &identity, &options)?;
                ledgers.insert(identity.database, ledger);
            }
        }
        if ledgers.is_empty() {
            let ledger = create_ledger(&ledgers_folder.join(FIRST_DATABASE), FIRST_DATABASE, &options)?;
            ledgers.insert(FIRST_DATABASE.to_owned(), ledger);
        }
        Ok(Self { folder: folder.to_path_buf(), ledgers, _lock: lock })
    }

    /// The data folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The ledger of a database.
    pub fn ledger(&self, database: &str) -> Option<Arc<Ledger>> {
        self.ledgers.get(database).cloned()
    }

    /// Names of all databases, sorted.
    pub fn databases(&self) -> Vec<String> {
        self.ledgers.keys().cloned().collect()
    }

    /// Seals what each ledger holds and closes it. Errors: 58030, 53100; what was acknowledged is durable all the same.
    pub fn shutdown(&self) -> SqlResult<()> {
        self.close(true)
    }

    /// Closes without sealing: the next start reads the log.
    pub fn close_unsealed(&self) -> SqlResult<()> {
        self.close(false)
    }

    fn close(&self, seal: bool) -> SqlResult<()> {
        let outcomes: Vec<SqlResult<()>> = self.ledgers.values().map(|ledger| ledger.close(seal)).collect();
        outcomes.into_iter().collect()
    }
}

fn lock(io: &dyn Io, folder: &Path) -> SqlResult<Box<dyn LockGuard>> {
    let path = folder.join("lock");
    io.lock(&path).map_err(|error| match error.kind() {
        io::ErrorKind::WouldBlock => SqlError::new(
            SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE,
            format!("data folder \"{}\" is in use by another server", folder.display()),
        )
        .hint("Stop the other server, or give this one another --data-dir."),
        _ => io_failed("lock", &path, error),
    })
}

/// Makes a ledger: keys, log, key leaf, schema `public`; its name last (D2).
fn create_ledger(folder: &Path, database: &str, options: &Options) -> SqlResult<Arc<Ledger>> {
    let io = &options.io;
    clear_unfinished(&**io, folder)?;
    let failed = |error| io_failed("create ledger folder", folder, error);
    io.create_dir_all(folder).map_err(failed)?;
    let mut id = LedgerId::default();
    options.rng.fill(&mut id.0);
    let origin = receipts::checkpoint::origin(database, &id.0);
    let mut signer = Signer::create(&**io, folder, &origin, &*options.rng)?;
    let wal_options = WalOptions { file_bytes: options.wal_file_bytes, use_uring: options.use_uring };
    let wal = Wal::create(Arc::clone(io), &folder.join("wal"), Identity { ledger: id, incarnation: 0 }, wal_options)?;
    let merkle = MerkleLog::open(io, folder, 0)?;
    let empty = Signed { size: 0, sha_root: merkle.sha.root(), b3_root: merkle.b3.root() };
    let published = Published { catalog: Arc::new(Catalog::default()), checkpoint: signer.sign(empty)? };
    // Signed for its place, which is known: the first leaf of the ledger.
    let now = options.clock.now_us();
    let key_leaf = KeyLeaf::new(0, now, signer.keys(), None).map_err(|error| SqlError::internal(error.to_string()))?;
    let ledger = Ledger::new(Parts {
        name: database.to_owned(),
        id,
        origin,
        folder: folder.to_path_buf(),
        options: options.clone(),
        wal,
        merkle,
        signer,
        tables: hashbrown::HashMap::new(),
        keys: Arc::default(),
        published,
        last_time_us: now,
        next_object: FIRST_USER_ID,
    });
    append_leaf(&ledger, |_, _| Leaf::Key(key_leaf))?;
    ledger.start()?;
    match furnish(&ledger) {
        Ok(()) => Ok(ledger),
        Err(error) => {
            // Its threads hold the ledger and would outlive it; the first error is the one to tell.
            let _ = ledger.close(false);
            Err(error)
        }
    }
}

/// The schema that every database has, then the name that makes the ledger one.
fn furnish(ledger: &Arc<Ledger>) -> SqlResult<()> {
    let mut transaction = ledger.begin(ACTOR);
    transaction.create_schema("public")?;
    transaction.commit_blocking()?;
    let (io, folder) = (&ledger.options().io, ledger.folder());
    let name = LedgerIdentity { ledger: ledger.id(), incarnation: 0, database: ledger.name().to_owned() };
    replace(&**io, &folder.join(identity::FILE), name.text().as_bytes())?;
    match folder.parent() {
        Some(parent) => io.sync_dir(parent).map_err(|error| io_failed("create ledger folder", folder, error)),
        None => Ok(()),
    }
}

/// Removes what a creation that did not finish has left (D2).
fn clear_unfinished(io: &dyn Io, folder: &Path) -> SqlResult<()> {
    for inner in ["wal", "keys", ""] {
        let dir = folder.join(inner);
        if !io.exists(&dir) {
            continue;
        }
        let failed = |error| io_failed("clear unfinished ledger", &dir, error);
        for name in io.list(&dir).map_err(failed)? {
            let path = dir.join(name);
            // Folders stay; they are empty or cleared by their own turn.
            if !["wal", "keys"].iter().any(|folder_name| path.ends_with(folder_name)) {
                io.remove(&path).map_err(failed)?;
            }
        }
    }
    Ok(())
}
