//! The files of a ledger's backup, each compared with the manifest before anyone believes it.
//!
//! Never: writes into the backup.

use std::path::Path;

use base::io::Io;
use base::{SqlError, SqlResult, SqlState};
use bytes::Bytes;

use crate::backup::manifest::{Entry, Manifest};
use crate::backup::target::{measure, read_whole};
use crate::failure::io_failed;

/// See the module.
pub(super) struct Source<'a> {
    pub io: &'a dyn Io,
    pub folder: &'a Path,
    pub manifest: &'a Manifest,
}

impl Source<'_> {
    fn entry(&self, name: &str) -> SqlResult<Entry> {
        self.manifest.files.get(name).copied().ok_or_else(|| self.damaged(name, "the manifest does not name it"))
    }

    /// The error for a file that is not as it was written.
    pub fn damaged(&self, name: &str, why: &str) -> SqlError {
        SqlError::new(SqlState::DATA_CORRUPTED, format!("backup file \"{}\" is damaged: {why}", self.folder.join(name).display()))
            .hint("Take it from another copy of the backup; its length and BLAKE3 are in the manifest beside it.")
    }

    fn compare(&self, name: &str, found: Entry) -> SqlResult<()> {
        let wanted = self.entry(name)?;
        if found.bytes != wanted.bytes {
            return Err(self.damaged(name, &format!("it has {} bytes, not {}", found.bytes, wanted.bytes)));
        }
        if found.blake3 == wanted.blake3 { Ok(()) } else { Err(self.damaged(name, "its BLAKE3 is not the one in the manifest")) }
    }

    /// A failure to read is the file's, whatever it was.
    fn named(&self, name: &str, error: SqlError) -> SqlError {
        if self.io.exists(&self.folder.join(name)) { error } else { self.damaged(name, "it is not there") }
    }

    /// Reads a file whole. Errors: XX001 where it is not as the manifest says; 58030.
    pub fn verify(&self, name: &str) -> SqlResult<()> {
        let found = measure(self.io, &self.folder.join(name)).map_err(|error| self.named(name, error))?;
        self.compare(name, found)
    }

    /// All of a file, mapped. Errors: likewise.
    pub fn bytes(&self, name: &str) -> SqlResult<Bytes> {
        let path = self.folder.join(name);
        let read = self.io.open(&path).and_then(|file| if file.is_empty()? { Ok(Bytes::new()) } else { file.map().map(Bytes::from_owner) });
        let bytes = read.map_err(|error| self.named(name, io_failed("read", &path, error)))?;
        self.compare(name, Entry { bytes: bytes.len() as u64, blake3: *blake3::hash(&bytes).as_bytes() })?;
        Ok(bytes)
    }

    /// Lays a copy of a file, durable but for its name. Errors: likewise, and 53100.
    pub fn copy(&self, name: &str, to: &Path, mode: u32) -> SqlResult<()> {
        let failed = |error| io_failed("write", to, error);
        let file = self.io.create_new(to, 0o600).map_err(failed)?;
        let (mut hasher, mut bytes) = (blake3::Hasher::new(), 0);
        let read = read_whole(self.io, &self.folder.join(name), &mut |part| {
            file.write_at(bytes, part).map_err(failed)?;
            hasher.update(part);
            bytes += part.len() as u64;
            Ok(())
        });
        read.map_err(|error| self.named(name, error))?;
        self.compare(name, Entry { bytes, blake3: *hasher.finalize().as_bytes() })?;
        file.sync().and_then(|()| self.io.set_mode(to, mode)).map_err(failed)
    }

    /// Names of the files in a folder of the backup, sorted.
    pub fn names(&self, prefix: &str) -> impl Iterator<Item = &String> {
        self.manifest.files.keys().filter(move |name| name.starts_with(prefix))
    }

    /// Sizes that have a checkpoint, ascending.
    pub fn sealed_sizes(&self) -> Vec<u64> {
        self.names("checkpoints/").filter_map(|name| name.strip_prefix("checkpoints/")?.parse().ok()).collect()
    }
}
