//! Password verifiers of a ledger's roles, in a file of mode 0600 beside the keys.
//!
//! A ledger is never forgotten and auditors read it; whoever holds a verifier can try passwords against it for ever. So a role's definition names
//! its verifier by BLAKE3 only, and the verifier itself, salt included, is here, where it can be removed.
//!
//! V1: a verifier counts only under the hash that a committed definition names: changing the file changes nobody's password, it only locks out.
//! V2: it is durable before the commit that names it.
//! V3: those that no definition names any more are dropped when the file is written next.
//! Never: holds a password; leaves the file readable to others.
//! Format: docs/formats/folder.md, «keys/verifiers».

use std::collections::BTreeMap;
use std::path::Path;

use base::io::Io;
use base::{SqlError, SqlResult, SqlState};
use parking_lot::Mutex;

use crate::catalog::Catalog;
use crate::failure::io_failed;

/// Path below the ledger's folder.
pub const FILE: &str = "keys/verifiers";

/// Verifiers by the hex BLAKE3 of their text.
#[derive(Debug, Default)]
pub struct Verifiers {
    /// `None` until the file has been read. `true` beside a verifier: the present catalog may not know it yet.
    held: Mutex<Option<BTreeMap<String, (String, bool)>>>,
}

/// The name of a verifier: hex BLAKE3 of its text.
pub fn hash_of(verifier: &str) -> String {
    blake3::hash(verifier.as_bytes()).to_hex().to_string()
}

impl Verifiers {
    /// The verifier that a definition names (V1). Errors: 58030, XX001 for an unreadable file.
    pub fn find(&self, io: &dyn Io, folder: &Path, hash: &str) -> SqlResult<Option<String>> {
        let mut held = self.held.lock();
        let held = open(&mut held, io, folder)?;
        Ok(held.get(hash).map(|(verifier, _)| verifier.clone()).filter(|verifier| hash_of(verifier) == hash))
    }

    /// Makes a verifier durable, for a definition that will name it (V2), and drops those that `catalog` has no use for (V3).
    ///
    /// Errors: 58030, 53100.
    pub fn keep(&self, io: &dyn Io, folder: &Path, verifier: &str, catalog: &Catalog) -> SqlResult<String> {
        let mut held = self.held.lock();
        let held = open(&mut held, io, folder)?;
        let mut next = held.clone();
        let in_use = |hash: &String| catalog.authority().roles().any(|role| role.password.as_ref() == Some(hash));
        next.retain(|hash, (_, fresh)| {
            let used = in_use(hash);
            // Once a commit has named it, its next absence is for good.
            *fresh &= !used;
            used || *fresh
        });
        let hash = hash_of(verifier);
        next.insert(hash.clone(), (verifier.to_owned(), true));
        write(io, folder, &next)?;
        *held = next;
        Ok(hash)
    }
}

fn open<'a>(
    held: &'a mut Option<BTreeMap<String, (String, bool)>>,
    io: &dyn Io,
    folder: &Path,
) -> SqlResult<&'a mut BTreeMap<String, (String, bool)>> {
    if held.is_none() {
        *held = Some(read(io, folder)?);
    }
    held.as_mut().ok_or_else(|| SqlError::internal("verifiers were just read"))
}

fn read(io: &dyn Io, folder: &Path) -> SqlResult<BTreeMap<String, (String, bool)>> {
    let path = folder.join(FILE);
    if !io.exists(&path) {
        return Ok(BTreeMap::new());
    }
    let bytes = io.open(&path).and_then(|file| file.read_all()).map_err(|error| io_failed("read", &path, error))?;
    let unreadable = || SqlError::new(SqlState::DATA_CORRUPTED, format!("\"{}\" is unreadable", path.display()));
    let text = String::from_utf8(bytes).map_err(|_| unreadable())?;
    Ok(text.lines().map(|line| (hash_of(line), (line.to_owned(), false))).collect())
}

fn write(io: &dyn Io, folder: &Path, verifiers: &BTreeMap<String, (String, bool)>) -> SqlResult<()> {
    let text: String = verifiers.values().map(|(verifier, _)| format!("{verifier}\n")).collect();
    lay(io, folder, text.as_bytes())
}

/// Puts the file in its place in one step. Errors: 58030, 53100.
pub(crate) fn lay(io: &dyn Io, folder: &Path, text: &[u8]) -> SqlResult<()> {
    let path = folder.join(FILE);
    let failed = |error| io_failed("write", &path, error);
    let temporary = path.with_extension("writing");
    if io.exists(&temporary) {
        io.remove(&temporary).map_err(failed)?;
    }
    let file = io.create_new(&temporary, 0o600).map_err(failed)?;
    file.write_at(0, text).and_then(|()| file.sync()).and_then(|()| io.rename(&temporary, &path)).map_err(failed)?;
    io.sync_dir(path.parent().unwrap_or(Path::new("."))).map_err(failed)
}
