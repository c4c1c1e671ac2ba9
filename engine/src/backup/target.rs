//! The folder that a ledger's backup is written into.
//!
//! T1: a file has its name only when all of it is durable; what an earlier manifest names is replaced by nothing but the same bytes.
//! T2: the manifest comes after every file it names, their names included; files that it no longer names go after it.
//! Never: removes a file that no manifest named, but for those in folders that hold nothing else (`log`, `signed`).

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use base::io::Io;
use base::{SqlError, SqlResult, SqlState};

use super::manifest::{Entry, Manifest};
use crate::failure::io_failed;
use crate::identity::LedgerIdentity;
use crate::signer::Signed;
use crate::subjects;

/// Bytes copied at a time.
const CHUNK_BYTES: usize = 1 << 20;
/// Folders whose files are each of one backup only.
const OF_ONE_BACKUP: [&str; 3] = ["log", "signed", "b3/signed"];

/// What was kept and copied.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Copied {
    /// Files that were copied.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Files that were there from before.
    pub kept: u64,
}

/// See the module.
pub struct Target<'a> {
    io: &'a dyn Io,
    folder: &'a Path,
    earlier: Option<Manifest>,
    files: BTreeMap<String, Entry>,
    /// Folders in which names were given.
    named: BTreeSet<PathBuf>,
    /// So far.
    pub copied: Copied,
}

impl<'a> Target<'a> {
    /// Writing goes on from what an earlier backup left.
    pub fn new(io: &'a dyn Io, folder: &'a Path, earlier: Option<Manifest>) -> Self {
        Self { io, folder, earlier, files: BTreeMap::new(), named: BTreeSet::new(), copied: Copied::default() }
    }

    /// Copies a file that never changes, unless the backup has it. `known`: what it must be; other bytes are an error.
    ///
    /// Errors: XX001 where `from` is not what it must be; 58030, 53100.
    pub fn put_once(&mut self, name: &str, from: &Path, known: Option<Entry>) -> SqlResult<()> {
        if self.has(name, known)? {
            return Ok(());
        }
        let entry = self.write(name, 0o444, |write| read_whole(self.io, from, write))?;
        match known.filter(|known| *known != entry) {
            None => self.give_name(name, entry),
            Some(_) => {
                Err(SqlError::new(SqlState::DATA_CORRUPTED, format!("\"{}\" is not what ledger.segments says it is", from.display()))
                    .hint("Nothing was taken into the backup; the earlier one is whole. Run shockwave verify fsck on the data folder."))
            }
        }
    }

    /// A file of which `give` gives the bytes, front to back. Errors: those of `give`; 58030, 53100.
    pub fn put(
        &mut self,
        name: &str,
        mode: u32,
        give: impl FnOnce(&mut dyn FnMut(&[u8]) -> SqlResult<()>) -> SqlResult<()>,
    ) -> SqlResult<()> {
        let entry = self.write(name, mode, give)?;
        self.give_name(name, entry)
    }

    /// Whether an earlier backup left this file whole.
    fn has(&mut self, name: &str, known: Option<Entry>) -> SqlResult<bool> {
        let path = self.folder.join(name);
        let named = self.earlier.as_ref().and_then(|earlier| earlier.files.get(name)).copied();
        if !self.io.exists(&path) {
            return Ok(false);
        }
        let entry = match (named, known) {
            (Some(named), known) if known.is_none_or(|known| known == named) => {
                let length = self.io.open(&path).and_then(|file| file.len()).map_err(|error| io_failed("open", &path, error))?;
                (length == named.bytes).then_some(named)
            }
            // A backup that was broken off has left it: read, it need not be written again.
            (_, Some(known)) => (measure(self.io, &path)? == known).then_some(known),
            _ => None,
        };
        if let Some(entry) = entry {
            self.note(name, &path, entry);
            self.copied.kept += 1;
        }
        Ok(entry.is_some())
    }

    /// Writes a file under a name that nobody takes for a file of the backup.
    fn write(&self, name: &str, mode: u32, give: impl FnOnce(&mut dyn FnMut(&[u8]) -> SqlResult<()>) -> SqlResult<()>) -> SqlResult<Entry> {
        let path = self.folder.join(name);
        let failed = |error| on_target(io_failed("write", &path, error));
        let temporary = writing(&path);
        self.io.create_dir_all(path.parent().unwrap_or(self.folder)).map_err(failed)?;
        if self.io.exists(&temporary) {
            self.io.remove(&temporary).map_err(failed)?;
        }
        let file = self.io.create_new(&temporary, 0o600).map_err(failed)?;
        let (mut hasher, mut bytes) = (blake3::Hasher::new(), 0);
        give(&mut |part| {
            file.write_at(bytes, part).map_err(failed)?;
            hasher.update(part);
            bytes += part.len() as u64;
            Ok(())
        })?;
        file.sync().map_err(failed)?;
        self.io.set_mode(&temporary, mode).map_err(failed)?;
        Ok(Entry { bytes, blake3: *hasher.finalize().as_bytes() })
    }

    fn give_name(&mut self, name: &str, entry: Entry) -> SqlResult<()> {
        let path = self.folder.join(name);
        self.io.rename(&writing(&path), &path).map_err(|error| on_target(io_failed("write", &path, error)))?;
        self.note(name, &path, entry);
        self.copied.files += 1;
        self.copied.bytes += entry.bytes;
        Ok(())
    }

    fn note(&mut self, name: &str, path: &Path, entry: Entry) {
        self.named.extend(path.parent().map(Path::to_owned));
        self.files.insert(name.to_owned(), entry);
    }

    /// Makes what was put the backup (T2). Errors: 58030, 53100.
    pub fn finish(self, identity: LedgerIdentity, state: Signed, sealed: u64) -> SqlResult<Copied> {
        for folder in &self.named {
            self.io.sync_dir(folder).map_err(|error| on_target(io_failed("sync folder", folder, error)))?;
        }
        let manifest = Manifest { identity, state, sealed, files: self.files };
        if self.earlier.as_ref() != Some(&manifest) {
            manifest.write(self.io, self.folder).map_err(on_target)?;
        }
        let mut gone: BTreeSet<String> = self.earlier.map(|earlier| earlier.files.into_keys().collect()).unwrap_or_default();
        for folder in OF_ONE_BACKUP.iter().filter(|folder| self.io.exists(&self.folder.join(folder))) {
            let path = self.folder.join(folder);
            let names = self.io.list(&path).map_err(|error| io_failed("list", &path, error))?;
            gone.extend(names.into_iter().map(|name| format!("{folder}/{name}")));
        }
        gone.extend(copies_of_subjects(self.io, self.folder)?);
        for name in gone.iter().filter(|name| !manifest.files.contains_key(*name)) {
            let path = self.folder.join(name);
            if self.io.exists(&path) {
                let removed = self.io.remove(&path).and_then(|()| self.io.sync_dir(path.parent().unwrap_or(self.folder)));
                removed.map_err(|error| io_failed("remove", &path, error))?;
            }
        }
        Ok(self.copied)
    }
}

/// All copies of the keys of subjects, those that a broken off run left too: they may hold keys that were destroyed since.
fn copies_of_subjects(io: &dyn Io, folder: &Path) -> SqlResult<Vec<String>> {
    let Some((within, file)) = subjects::FILE.split_once('/') else { return Ok(Vec::new()) };
    let path = folder.join(within);
    if !io.exists(&path) {
        return Ok(Vec::new());
    }
    let names = io.list(&path).map_err(|error| io_failed("list", &path, error))?;
    Ok(names.into_iter().filter(|name| name.starts_with(file)).map(|name| format!("{within}/{name}")).collect())
}

fn writing(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".writing");
    path.with_file_name(name)
}

/// A full disk is that of the backup.
fn on_target(error: SqlError) -> SqlError {
    match error.state() {
        SqlState::DISK_FULL => error.hint("Free space on the volume of the backup and run it again; the earlier backup there is whole."),
        _ => error,
    }
}

/// Hands all of a file to `take`. Errors: 58030, those of `take`.
pub fn read_whole(io: &dyn Io, path: &Path, take: &mut dyn FnMut(&[u8]) -> SqlResult<()>) -> SqlResult<()> {
    let failed = |error| io_failed("read", path, error);
    let file = io.open(path).map_err(failed)?;
    let (mut buffer, mut at) = (vec![0; CHUNK_BYTES], 0);
    loop {
        let n = file.read_at(at, &mut buffer).map_err(failed)?;
        if n == 0 {
            return Ok(());
        }
        take(&buffer[..n])?;
        at += n as u64;
    }
}

/// Length and BLAKE3 of a file. Errors: 58030.
pub fn measure(io: &dyn Io, path: &Path) -> SqlResult<Entry> {
    let (mut hasher, mut bytes) = (blake3::Hasher::new(), 0);
    read_whole(io, path, &mut |part| {
        hasher.update(part);
        bytes += part.len() as u64;
        Ok(())
    })?;
    Ok(Entry { bytes, blake3: *hasher.finalize().as_bytes() })
}
