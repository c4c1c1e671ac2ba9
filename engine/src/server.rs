//! A data folder: its lock and its databases.
//!
//! D1: one process at a time has a data folder open.
//! D2: a folder with neither `ledger.id` nor `ledger.dropped` holds nothing acknowledged and is made anew.
//! D3: a folder that was a ledger's is never another's.
//! Never: shares a file between two databases.
//! Format: docs/formats/folder.md.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base::io::{Io, LockGuard};
use base::{LedgerId, SqlError, SqlResult, SqlState};
use parking_lot::{Mutex, RwLock};
use receipts::{KeyLeaf, Leaf};
use wal::{Identity, Wal, WalOptions};

use crate::backup::BackedUp;
use crate::backup::manifest::Manifest;
use crate::catalog::{Catalog, FIRST_USER_ID};
use crate::checkpoints::replace;
use crate::commit::append_leaf;
use crate::cosigned::WitnessState;
use crate::failure::io_failed;
use crate::folds::{self, FoldStore};
use crate::identity::{self, LedgerIdentity};
use crate::ledger::{Ledger, Parts, Published};
use crate::merkle::MerkleLog;
use crate::options::Options;
use crate::recovery;
use crate::restore;
use crate::roles::{DATABASE, FIRST_SUPERUSER, GrantsDef, RoleDef};
use crate::signer::{Signed, Signer};
use crate::subjects::Subjects;
use crate::unproven;

/// The database made at first start.
pub const FIRST_DATABASE: &str = "shockwave";
/// Actor of the first commit.
const ACTOR: &str = "shockwave";

/// An open data folder.
#[derive(Debug)]
pub struct Server {
    folder: PathBuf,
    options: Options,
    ledgers: RwLock<BTreeMap<String, Arc<Ledger>>>,
    /// Held while a database is made, dropped or renamed.
    changing: Mutex<()>,
    /// Witnesses that all of its ledgers ask.
    witnesses: RwLock<Option<Vec<WitnessState>>>,
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
        restore::check_finished(&*io, folder)?;
        let ledgers_folder = folder.join("ledgers");
        let mut ledgers = BTreeMap::new();
        for name in io.list(&ledgers_folder).map_err(|error| io_failed("list", &ledgers_folder, error))? {
            let ledger_folder = ledgers_folder.join(&name);
            if let Some(identity) = LedgerIdentity::read(&*io, &ledger_folder)? {
                unproven::may_open_what_is_there()?;
                let ledger = recovery::open(&ledger_folder, &identity, &options)?;
                ledgers.insert(identity.database, ledger);
            }
        }
        if ledgers.is_empty() {
            let ledger =
                create_ledger(&free_folder(&*io, &ledgers_folder, FIRST_DATABASE)?, FIRST_DATABASE, &options, Furniture::default())?;
            ledgers.insert(FIRST_DATABASE.to_owned(), ledger);
        }
        let (ledgers, changing, witnesses) = (RwLock::new(ledgers), Mutex::default(), RwLock::default());
        Ok(Self { folder: folder.to_path_buf(), options, ledgers, changing, witnesses, _lock: lock })
    }

    /// Says which witnesses its ledgers ask from now on, those that come later too. Whoever calls it asks them.
    pub fn ask_witnesses(&self, witnesses: &[WitnessState]) {
        let _turn = self.changing.lock();
        *self.witnesses.write() = Some(witnesses.to_vec());
        self.ledgers.read().values().for_each(|ledger| ledger.ask_witnesses(witnesses.to_vec()));
    }

    /// Lets a ledger that was just opened be found.
    fn add(&self, name: &str, ledger: &Arc<Ledger>) {
        self.witnesses.read().clone().into_iter().for_each(|witnesses| ledger.ask_witnesses(witnesses));
        self.ledgers.write().insert(name.to_owned(), Arc::clone(ledger));
    }

    /// The data folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The ledger of a database.
    pub fn ledger(&self, database: &str) -> Option<Arc<Ledger>> {
        self.ledgers.read().get(database).cloned()
    }

    /// Names of all databases, sorted.
    pub fn databases(&self) -> Vec<String> {
        self.ledgers.read().keys().cloned().collect()
    }

    /// Makes a database: a ledger of its own with keys of its own, and the roles and passwords of the database it is asked from. It belongs to
    /// the role `owner` of these.
    ///
    /// Errors: 42P04 for a name already taken, 58030, 53100; then there is no such database.
    pub fn create_database(&self, name: &str, owner: u32, from: &Ledger) -> SqlResult<Arc<Ledger>> {
        let _turn = self.changing.lock();
        check_name(name)?;
        if self.ledger(name).is_some() {
            return Err(already_exists(name));
        }
        let io = &*self.options.io;
        let folder = free_folder(io, &self.folder.join("ledgers"), name)?;
        let ledger = create_ledger(&folder, name, &self.options, Furniture::of(from, owner)?)?;
        self.add(name, &ledger);
        Ok(ledger)
    }

    /// Drops a database that nobody uses: it is sealed and closed, and its folder keeps every byte that left a receipt, marked as dropped.
    ///
    /// Errors: 3D000 for no such database, 55000 while rows of it must be kept, 58030, 53100; then it is there still.
    pub fn drop_database(&self, name: &str) -> SqlResult<()> {
        self.ledger(name).map_or(Ok(()), |ledger| ledger.check_removable())?;
        self.close_and(name, |io, folder, identity, now_us| {
            identity.drop_from(io, folder, now_us)?;
            Ok(None)
        })
        .map(drop)
    }

    /// Renames a database that nobody uses; its keys and the origin of its checkpoints stay.
    ///
    /// Errors: 3D000, 42P04, 58030, 53100; then it has its old name.
    pub fn rename_database(&self, name: &str, to: &str) -> SqlResult<Arc<Ledger>> {
        check_name(to)?;
        if self.ledger(to).is_some() {
            return Err(already_exists(to));
        }
        let renamed = self.close_and(name, |io, folder, identity, _| {
            let origin = identity.origin();
            let is_first_name = receipts::checkpoint::origin(to, &identity.ledger.0) == origin;
            let renamed_from = (!is_first_name).then_some(origin);
            let identity = LedgerIdentity { database: to.to_owned(), renamed_from, ..identity };
            replace(io, &folder.join(identity::FILE), identity.text().as_bytes())?;
            Ok(Some(identity))
        })?;
        renamed.ok_or_else(|| SqlError::internal("a renamed database is gone"))
    }

    /// Closes a ledger, changes what its folder is, and opens it again unless it is nothing any more.
    fn close_and(
        &self,
        name: &str,
        change: impl FnOnce(&dyn Io, &Path, LedgerIdentity, i64) -> SqlResult<Option<LedgerIdentity>>,
    ) -> SqlResult<Option<Arc<Ledger>>> {
        let _turn = self.changing.lock();
        let missing = || SqlError::new(SqlState::INVALID_CATALOG_NAME, format!("database \"{name}\" does not exist"));
        let ledger = self.ledger(name).ok_or_else(missing)?;
        let (io, folder) = (&*self.options.io, ledger.folder().to_owned());
        let before = LedgerIdentity::read(io, &folder)?.ok_or_else(missing)?;
        ledger.close(true)?;
        let changed = change(io, &folder, before.clone(), self.options.clock.now_us());
        let now = match &changed {
            Ok(now) => now.clone(),
            // What the disk holds decides: a failure may have come after the change.
            Err(_) => LedgerIdentity::read(io, &folder)?,
        };
        self.ledgers.write().remove(name);
        let open = |identity: LedgerIdentity| recovery::open(&folder, &identity, &self.options).map(|ledger| (identity.database, ledger));
        let opened = now.map(open).transpose()?;
        if let Some((name, ledger)) = &opened {
            self.add(name, ledger);
        }
        changed.map(|_| opened.map(|(_, ledger)| ledger))
    }

    /// Has the folds of all databases of a folder that no server has open made anew from their ledgers; the databases' names.
    ///
    /// Errors: as [`Server::open`].
    pub fn rebuild_folds(folder: &Path, options: Options) -> SqlResult<Vec<String>> {
        let io = Arc::clone(&options.io);
        {
            let _lock = lock(&*io, folder)?;
            let ledgers = folder.join("ledgers");
            for name in io.list(&ledgers).map_err(|error| io_failed("list", &ledgers, error))? {
                folds::store::forget(&*io, &ledgers.join(name))?;
            }
        }
        let server = Self::open(folder, options)?;
        let ledgers: Vec<_> = server.ledgers.read().values().cloned().collect();
        ledgers.iter().try_for_each(|ledger| ledger.leave_folds())?;
        server.close_unsealed()?;
        Ok(ledgers.iter().map(|ledger| ledger.name().to_owned()).collect())
    }

    /// Brings the backup of all databases in `folder` to their newest commits ([`Ledger::backup`]), one after the other. Those that were dropped since are
    /// marked there, and keep what was backed up.
    ///
    /// Errors: as [`Ledger::backup`]; databases before the one that failed are backed up.
    pub fn backup(&self, folder: &Path, with_keys: bool) -> SqlResult<Vec<BackedUp>> {
        let (io, all) = (&*self.options.io, folder.join("ledgers"));
        let ledgers: Vec<Arc<Ledger>> = self.ledgers.read().values().cloned().collect();
        let place = |ledger: &Path| ledger.file_name().map(|name| all.join(name)).unwrap_or_default();
        let done = ledgers.iter().map(|ledger| ledger.backup(&place(ledger.folder()), with_keys)).collect::<SqlResult<Vec<_>>>()?;
        for name in io.list(&all).map_err(|error| io_failed("list", &all, error))? {
            let (here, there) = (self.folder.join("ledgers").join(&name), all.join(&name));
            if identity::is_dropped(io, &here) && Manifest::read(io, &there)?.is_some() && !identity::is_dropped(io, &there) {
                let path = here.join(identity::DROPPED);
                let text = io.open(&path).and_then(|file| file.read_all()).map_err(|error| io_failed("read", &path, error))?;
                replace(io, &there.join(identity::DROPPED), &text)?;
            }
        }
        Ok(done)
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
        let _turn = self.changing.lock();
        let outcomes: Vec<SqlResult<()>> = self.ledgers.read().values().map(|ledger| ledger.close(seal)).collect();
        outcomes.into_iter().collect()
    }
}

/// `ledger.id` has a line for the name. Errors: 42602.
fn check_name(name: &str) -> SqlResult<()> {
    if !name.is_empty() && !name.chars().any(char::is_control) {
        return Ok(());
    }
    Err(SqlError::new(SqlState("42602"), "the name of a database has no control characters").hint("Choose a name of letters and digits."))
}

fn already_exists(name: &str) -> SqlError {
    SqlError::new(SqlState::DUPLICATE_DATABASE, format!("database \"{name}\" already exists"))
}

/// A folder for a new ledger: named like the database as far as every file system takes the name, and never that of a dropped or renamed one (D3).
pub(crate) fn free_folder(io: &dyn Io, ledgers: &Path, database: &str) -> SqlResult<PathBuf> {
    let plain: String =
        database.chars().map(|c| if c.is_ascii_alphanumeric() || matches!(c, '_' | '-') { c.to_ascii_lowercase() } else { '_' }).collect();
    for number in 1_u32.. {
        let folder = ledgers.join(if number == 1 { plain.clone() } else { format!("{plain}.{number}") });
        if !io.exists(&folder.join(identity::FILE)) && !identity::is_dropped(io, &folder) {
            return Ok(folder);
        }
    }
    Err(SqlError::internal("there are no more names for folders"))
}

/// What a ledger begins with, beside schema `public`.
#[derive(Default)]
struct Furniture {
    roles: Vec<RoleDef>,
    verifiers: Vec<String>,
    /// `None`: the first superuser.
    owner: Option<u32>,
}

impl Furniture {
    fn of(from: &Ledger, owner: u32) -> SqlResult<Self> {
        let catalog = from.snapshot().catalog;
        let defined = catalog.authority().roles().filter(|role| catalog.definition_row(role.id).is_some());
        let roles: Vec<RoleDef> = defined.map(|role| RoleDef::clone(role)).collect();
        let mut verifiers = Vec::new();
        for hash in roles.iter().filter_map(|role| role.password.as_ref()) {
            verifiers.extend(from.verifier(hash)?);
        }
        Ok(Self { roles, verifiers, owner: (owner != FIRST_SUPERUSER).then_some(owner) })
    }

    fn next_object(&self) -> u32 {
        self.roles.iter().map(|role| role.id + 1).max().unwrap_or(0).max(FIRST_USER_ID)
    }
}

pub(crate) fn lock(io: &dyn Io, folder: &Path) -> SqlResult<Box<dyn LockGuard>> {
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
fn create_ledger(folder: &Path, database: &str, options: &Options, furniture: Furniture) -> SqlResult<Arc<Ledger>> {
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
    let folds = Arc::new(FoldStore::new(folder, (id, 0), options));
    folds.open(0)?;
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
        subjects: Subjects::open(io, folder, id)?,
        tables: hashbrown::HashMap::new(),
        folds,
        published,
        last_time_us: now,
        next_object: furniture.next_object(),
    });
    append_leaf(&ledger, |_, _| Ok(Leaf::Key(key_leaf)))?;
    ledger.start()?;
    match furnish(&ledger, furniture) {
        Ok(()) => Ok(ledger),
        Err(error) => {
            // Its threads hold the ledger and would outlive it; the first error is the one to tell.
            let _ = ledger.close(false);
            Err(error)
        }
    }
}

/// The schema that every database has, and roles; then the name that makes the ledger one.
fn furnish(ledger: &Arc<Ledger>, furniture: Furniture) -> SqlResult<()> {
    for verifier in &furniture.verifiers {
        ledger.keep_verifier(verifier)?;
    }
    let mut transaction = ledger.begin(ACTOR);
    transaction.create_schema("public")?;
    for role in furniture.roles {
        transaction.define_role(role)?;
    }
    if let Some(owner) = furniture.owner {
        let id = ledger.next_object_id();
        transaction.define_grants(GrantsDef {
            id,
            object: DATABASE,
            owner,
            acl: None,
            columns: BTreeMap::new(),
            for_new: None,
            comment: None,
        })?;
    }
    transaction.commit_blocking()?;
    let (io, folder) = (&ledger.options().io, ledger.folder());
    let name = LedgerIdentity { ledger: ledger.id(), incarnation: 0, database: ledger.name().to_owned(), renamed_from: None };
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
            if !["wal", "keys", folds::store::FOLDER].iter().any(|folder_name| path.ends_with(folder_name)) {
                io.remove(&path).map_err(failed)?;
            }
        }
    }
    Ok(())
}
