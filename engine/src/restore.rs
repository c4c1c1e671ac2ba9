//! A data folder out of a backup, as of any commit that the backup holds: the ledger goes on from there as a new incarnation.
//!
//! N1: nothing of a backup is used before its BLAKE3 is that of the manifest, and the manifest's roots are those of all leaves and of the signed
//!     checkpoint beside it.
//! N2: leaves, rows and roots up to the commit are those of the original; the next leaf says which incarnation begins, and what the one before had.
//! N3: a folder is a server's only when all of it is laid: until then it holds the file `restoring`, and is refused.
//! Never: writes into the backup, or into a folder that holds something.
//! Format: docs/formats/backup.md, «what a restore lays».

mod lay;
mod leaves;
mod rows;
mod source;

use std::path::{Path, PathBuf};

use base::io::Io;
use base::{SqlError, SqlResult, SqlState};
use receipts::{KeyLeaf, Keys};

use crate::backup::manifest::{self, Manifest};
use crate::failure::io_failed;
use crate::identity;
use crate::options::Options;
use crate::server::{self, free_folder};
use crate::signer::{KEY_FILE, are_of, read_key_file};
use crate::subjects;
use crate::verifiers;
use lay::Secrets;
use leaves::survey;
use source::Source;

/// Name of the file that says that a restore into this data folder has not ended (N3).
pub const UNFINISHED: &str = "restoring";

/// What is to be restored.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// A server's backup, or that of one ledger.
    pub from: &'a Path,
    /// The data folder to lay: empty, or not there.
    pub to: &'a Path,
    /// Only this database, even if it was dropped after it was backed up.
    pub database: Option<&'a str>,
    /// The last commit to restore; `None`: all.
    pub to_commit: Option<u64>,
    /// A data folder, or a backup made with keys, that has the private keys where this backup has not.
    pub keys: Option<&'a Path>,
}

/// What became of one ledger.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Restored {
    /// The database.
    pub database: String,
    /// Commits restored: 0 to before this.
    pub size: u64,
    /// Commits of the backup that were left out.
    pub left_out: u64,
    /// The incarnation that begins.
    pub incarnation: u32,
}

/// What a backup of one ledger was found to hold, whole.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Found {
    /// The database.
    pub database: String,
    /// Commits: 0 to before this.
    pub size: u64,
    /// Files read.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Whether it has the private keys.
    pub has_keys: bool,
}

/// Reads all of a backup and compares it with its manifests and signatures (N1). Errors: XX001 naming the first file that is not as it was written;
/// 55000 for a folder that is no backup; 58030.
pub fn check(options: &Options, from: &Path) -> SqlResult<Vec<Found>> {
    let io = &*options.io;
    let ledgers = ledgers_of(io, from)?;
    let check_one = |of: &Of| {
        let source = Source { io, folder: &of.folder, manifest: &of.manifest };
        for name in of.manifest.files.keys() {
            source.verify(name)?;
        }
        survey(&source, of.manifest.state.size)?;
        Ok(Found {
            database: of.manifest.identity.database.clone(),
            size: of.manifest.state.size,
            files: of.manifest.files.len() as u64,
            bytes: of.manifest.files.values().map(|entry| entry.bytes).sum(),
            has_keys: of.manifest.copy_of(KEY_FILE).is_some(),
        })
    };
    ledgers.iter().map(check_one).collect()
}

/// Lays a data folder (N2). Errors: 55000 where the target holds something, where there is no backup, or where private keys are lacking; 22023 for a
/// commit that the backup does not hold; 3D000 for a database that it does not; XX001 naming a damaged file; 53100, 58030.
pub fn restore(options: &Options, request: &Request<'_>) -> SqlResult<Vec<Restored>> {
    let io = &*options.io;
    let chosen = choose(ledgers_of(io, request.from)?, request)?;
    let mut work = Vec::new();
    for of in &chosen {
        let size = wanted_size(&of.manifest, request.to_commit)?;
        let source = Source { io, folder: &of.folder, manifest: &of.manifest };
        let survey = survey(&source, size)?;
        let secrets = secrets(&source, request.keys, &survey.keys)?;
        work.push((source, survey, secrets));
    }
    let unfinished = begin(io, request.to)?;
    let _lock = server::lock(io, request.to)?;
    let ledgers = request.to.join("ledgers");
    io.create_dir_all(&ledgers).map_err(|error| io_failed("create folder", &ledgers, error))?;
    let mut restored = Vec::new();
    for (source, survey, secrets) in &work {
        let folder = free_folder(io, &ledgers, &source.manifest.identity.database)?;
        restored.push(lay::lay(options, source, &folder, survey, secrets)?);
    }
    io.sync_dir(&ledgers).map_err(|error| io_failed("sync folder", &ledgers, error))?;
    io.remove(&unfinished).and_then(|()| io.sync_dir(request.to)).map_err(|error| io_failed("finish", &unfinished, error))?;
    Ok(restored)
}

/// Refuses a data folder whose restore has not ended (N3). Errors: 55000.
pub(crate) fn check_finished(io: &dyn Io, data: &Path) -> SqlResult<()> {
    if !io.exists(&data.join(UNFINISHED)) {
        return Ok(());
    }
    Err(SqlError::new(SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE, format!("the restore into \"{}\" did not end", data.display()))
        .hint("Remove the folder and restore again."))
}

/// Makes the target and says in it that it is not done.
fn begin(io: &dyn Io, to: &Path) -> SqlResult<PathBuf> {
    check_finished(io, to)?;
    let failed = |error| io_failed("create data folder", to, error);
    if io.exists(to) && !io.list(to).map_err(failed)?.is_empty() {
        return Err(SqlError::new(SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE, format!("\"{}\" is not empty", to.display()))
            .hint("A restore lays a data folder of its own."));
    }
    io.create_dir_all(to).map_err(failed)?;
    let unfinished = to.join(UNFINISHED);
    let file = io.create_new(&unfinished, 0o600).map_err(failed)?;
    file.sync().and_then(|()| io.sync_dir(to)).map_err(failed)?;
    Ok(unfinished)
}

/// A ledger's backup.
struct Of {
    folder: PathBuf,
    manifest: Manifest,
    is_dropped: bool,
}

fn ledgers_of(io: &dyn Io, from: &Path) -> SqlResult<Vec<Of>> {
    let mut folders = vec![from.to_path_buf()];
    let ledgers = from.join("ledgers");
    if !io.exists(&from.join(manifest::FILE)) && io.exists(&ledgers) {
        folders = list(io, &ledgers)?.into_iter().map(|name| ledgers.join(name)).collect();
    }
    let mut found = Vec::new();
    for folder in folders {
        if let Some(manifest) = Manifest::read(io, &folder)? {
            found.push(Of { is_dropped: identity::is_dropped(io, &folder), folder, manifest });
        }
    }
    if found.is_empty() {
        return Err(SqlError::new(SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE, format!("there is no backup in \"{}\"", from.display()))
            .hint("A backup has a file named manifest for each database; it is written last."));
    }
    Ok(found)
}

fn choose(all: Vec<Of>, request: &Request<'_>) -> SqlResult<Vec<Of>> {
    let Some(name) = request.database else {
        let living: Vec<Of> = all.into_iter().filter(|of| !of.is_dropped).collect();
        return match (living.len(), request.to_commit) {
            (0, _) => Err(SqlError::new(SqlState::INVALID_CATALOG_NAME, "all databases of the backup were dropped")
                .hint("Name the one to restore with --database.")),
            (1, _) | (_, None) => Ok(living),
            (n, Some(_)) => Err(SqlError::new(SqlState::INVALID_PARAMETER_VALUE, format!("the backup holds {n} databases"))
                .hint("A commit is one of one database: name it with --database.")),
        };
    };
    let mut named: Vec<Of> = all.into_iter().filter(|of| of.manifest.identity.database == name).collect();
    named.sort_by_key(|of| of.is_dropped);
    named.truncate(1);
    if named.is_empty() {
        return Err(SqlError::new(SqlState::INVALID_CATALOG_NAME, format!("the backup holds no database \"{name}\"")));
    }
    Ok(named)
}

fn wanted_size(manifest: &Manifest, to_commit: Option<u64>) -> SqlResult<u64> {
    let size = manifest.state.size;
    match to_commit {
        None => Ok(size),
        Some(commit) if commit < size => Ok(commit + 1),
        Some(commit) => Err(SqlError::new(SqlState::INVALID_PARAMETER_VALUE, format!("the backup does not hold commit {commit}"))
            .hint(format!("It holds commits 0 to {}.", size.saturating_sub(1)))),
    }
}

/// The private keys that `named` names: of the backup itself, or of the folder given.
fn secrets(source: &Source<'_>, keys: Option<&Path>, named: &KeyLeaf) -> SqlResult<Secrets> {
    let (io, manifest) = (source.io, source.manifest);
    let Some(folder) = keys else {
        let Some(name) = manifest.copy_of(KEY_FILE) else {
            return Err(SqlError::new(
                SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE,
                format!("the backup has no private keys of {}", named.origin),
            )
            .hint("Give a folder that has them with --keys: the old data folder, or a backup that was made with --with-keys."));
        };
        let text = source.bytes(name)?;
        let keys = std::str::from_utf8(&text).ok().and_then(|text| Keys::parse(text).ok());
        let keys = keys.ok_or_else(|| source.damaged(name, "it holds no keys"))?;
        if !are_of(&keys, named) {
            return Err(not_in_force(named, source.folder));
        }
        let copy = |file| -> SqlResult<Option<Vec<u8>>> {
            Ok(manifest.copy_of(file).map(|name| source.bytes(name)).transpose()?.map(|bytes| bytes.to_vec()))
        };
        return Ok(Secrets { keys, verifiers: copy(verifiers::FILE)?, subjects: copy(subjects::FILE)? });
    };
    let ledgers = folder.join("ledgers");
    let names = if io.exists(&ledgers) { list(io, &ledgers)? } else { Vec::new() };
    for ledger in names.into_iter().map(|name| ledgers.join(name)).chain([folder.to_path_buf()]) {
        for file in key_files(io, &ledger)? {
            let keys = read_key_file(io, &file)?;
            if are_of(&keys, named) {
                let beside = |name| file_beside(io, &ledger, name);
                return Ok(Secrets { keys, verifiers: beside(verifiers::FILE)?, subjects: beside(subjects::FILE)? });
            }
        }
    }
    Err(not_in_force(named, folder))
}

fn not_in_force(named: &KeyLeaf, folder: &Path) -> SqlError {
    let message = format!("\"{}\" has not the private keys of {} that commit {} names", folder.display(), named.origin, named.seq);
    SqlError::new(SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE, message).hint(
        "Keys are replaced by ledger_rotate_keys(): to a commit before that, only the old ones can go on. Restore to a later commit and read the past there, \
         or give a folder that has them with --keys.",
    )
}

fn list(io: &dyn Io, folder: &Path) -> SqlResult<Vec<String>> {
    io.list(folder).map_err(|error| io_failed("list", folder, error))
}

/// Files of private keys, as a data folder or a backup names them.
fn key_files(io: &dyn Io, ledger: &Path) -> SqlResult<Vec<PathBuf>> {
    let files = match Manifest::read(io, ledger)? {
        None => vec![ledger.join(KEY_FILE)],
        Some(manifest) => manifest.copy_of(KEY_FILE).map(|name| ledger.join(name)).into_iter().collect(),
    };
    Ok(files.into_iter().filter(|path| io.exists(path)).collect())
}

/// A file of secrets, likewise.
fn file_beside(io: &dyn Io, ledger: &Path, name: &str) -> SqlResult<Option<Vec<u8>>> {
    let file = match Manifest::read(io, ledger)? {
        None => Some(ledger.join(name)),
        Some(manifest) => manifest.copy_of(name).map(|name| ledger.join(name)),
    };
    let Some(path) = file.filter(|path| io.exists(path)) else { return Ok(None) };
    io.open(&path).and_then(|file| file.read_all()).map(Some).map_err(|error| io_failed("read", &path, error))
}
