//! The folder of a log: names its files, makes new ones, finds those that are there.
//!
//! D1: a file has its name `<number>.wal` only once its header is durable, so a header that does not read is damage, never a half-made file.
//! D2: numbers are dense and each file begins at the log position where the one before ends.
//! D3: files are removed one durable removal at a time, so that a crash in between leaves no hole in the numbers.

use crate::format::{BLOCK_BYTES, FILE_HEADER_BYTES, FRAME_HEADER_BYTES, FileHeader};
use crate::log_file::LogFile;
use crate::{Identity, WalError};
use base::{File, Io};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

const SUFFIX: &str = ".wal";
const UNFINISHED_SUFFIX: &str = ".tmp";
const MODE: u32 = 0o600;
const ZERO_CHUNK: usize = 1 << 20;

#[derive(Clone, Debug)]
pub(crate) struct Folder {
    pub(crate) io: Arc<dyn Io>,
    pub(crate) dir: PathBuf,
    pub(crate) identity: Identity,
    /// Size of an ordinary file.
    pub(crate) file_bytes: u64,
}

/// A durable file that only lacks its name; it has one that recovery throws away.
#[derive(Debug)]
pub(crate) struct Unfinished {
    handle: Arc<dyn File>,
    path: PathBuf,
    header: FileHeader,
}

impl Unfinished {
    /// Whether it is the file of this place and size.
    pub(crate) fn is(&self, place: Place, bytes: u64) -> bool {
        self.header.number == place.number && self.header.base == place.base && self.header.bytes == bytes
    }
}

/// Place of a file in the log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Place {
    pub(crate) number: u64,
    pub(crate) base: u64,
}

/// How the space of a new file is come by.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Space {
    /// Zeros are written, so that later durable writes touch no file system metadata.
    Zeroed,
    /// Space is only reserved: quick, for when a file is wanted at once.
    Reserved,
}

fn number_of(name: &str) -> Option<u64> {
    name.strip_suffix(SUFFIX).filter(|stem| !stem.is_empty() && stem.bytes().all(|byte| byte.is_ascii_digit()))?.parse().ok()
}

impl Folder {
    pub(crate) fn new(io: Arc<dyn Io>, dir: &Path, identity: Identity, file_bytes: u64) -> Self {
        let file_bytes = file_bytes.clamp(BLOCK_BYTES, 1 << 40).next_multiple_of(BLOCK_BYTES);
        Self { io, dir: dir.to_owned(), identity, file_bytes }
    }

    pub(crate) fn path(&self, number: u64) -> PathBuf {
        self.dir.join(format!("{number:010}{SUFFIX}"))
    }

    /// Size of a file that must take a frame of `frame_bytes` and the frame that ends the file.
    pub(crate) fn bytes_for(&self, frame_bytes: usize) -> u64 {
        let least = (FILE_HEADER_BYTES + frame_bytes + FRAME_HEADER_BYTES) as u64;
        self.file_bytes.max(least.next_multiple_of(BLOCK_BYTES))
    }

    fn names(&self) -> Result<Vec<String>, WalError> {
        self.io.list(&self.dir).map_err(|error| WalError::io("list the folder of", &self.dir, error))
    }

    /// Whether any file here looks like part of a log.
    pub(crate) fn holds_log(&self) -> Result<bool, WalError> {
        Ok(self.io.exists(&self.dir) && self.names()?.iter().any(|name| number_of(name).is_some()))
    }

    pub(crate) fn make(&self) -> Result<(), WalError> {
        self.io.create_dir_all(&self.dir).map_err(|error| WalError::io("create the folder of", &self.dir, error))
    }

    pub(crate) fn sync(&self) -> Result<(), WalError> {
        self.io.sync_dir(&self.dir).map_err(|error| WalError::io("sync the folder of", &self.dir, error))
    }

    /// Removes what a crash left half made.
    pub(crate) fn clear_unfinished(&self) -> Result<(), WalError> {
        for name in self.names()?.iter().filter(|name| name.ends_with(UNFINISHED_SUFFIX)) {
            let path = self.dir.join(name);
            self.io.remove(&path).map_err(|error| WalError::io("remove unfinished", &path, error))?;
        }
        Ok(())
    }

    /// Makes a file with its header, durably, under the name `<name>.tmp`. If that fails there is none.
    pub(crate) fn prepare(&self, name: &str, place: Place, bytes: u64, space: Space) -> Result<Unfinished, WalError> {
        let path = self.dir.join(format!("{name}{UNFINISHED_SUFFIX}"));
        let failed = |error| WalError::io("create", &path, error);
        if self.io.exists(&path) {
            self.io.remove(&path).map_err(failed)?;
        }
        let handle = self.io.create_new(&path, MODE).map_err(failed)?;
        let header = FileHeader { identity: self.identity, number: place.number, base: place.base, bytes };
        let filled = match space {
            Space::Reserved => handle.allocate(bytes),
            Space::Zeroed => fill_with_zeros(handle.as_ref(), bytes),
        };
        let made = filled.and_then(|()| handle.write_at(0, &header.encode())).and_then(|()| handle.sync());
        if let Err(error) = made {
            // The first error is the one to tell; recovery removes what this cannot.
            drop(self.io.remove(&path));
            return Err(failed(error));
        }
        Ok(Unfinished { handle, path, header })
    }

    /// Gives a prepared file its name, durably (D1).
    pub(crate) fn publish(&self, unfinished: Unfinished) -> Result<LogFile, WalError> {
        let Unfinished { handle, path: temporary, header } = unfinished;
        let path = self.path(header.number);
        self.io.rename(&temporary, &path).map_err(|error| WalError::io("create", &path, error))?;
        self.sync()?;
        Ok(LogFile::new(header, path, handle))
    }

    /// Opens every file of the log, in order, and checks that they are one log of ours: ledger, incarnations (`past` or our own, never going
    /// back), numbers and positions (D2).
    pub(crate) fn open_files(&self, past: &[u32]) -> Result<Vec<LogFile>, WalError> {
        let mut files = Vec::new();
        if self.io.exists(&self.dir) {
            for (number, name) in self.names()?.into_iter().filter_map(|name| Some((number_of(&name)?, name))) {
                let path = self.dir.join(name);
                let handle = self.io.open(&path).map_err(|error| WalError::io("open", &path, error))?;
                files.push((number, LogFile::open(path, handle)?));
            }
        }
        if files.is_empty() {
            return Err(WalError::Empty { dir: self.dir.clone() });
        }
        files.sort_by_key(|(number, _)| *number);
        for at in 0..files.len() {
            self.check_own(&files, at, past)?;
        }
        for pair in files.windows(2) {
            check_neighbours(self, &pair[0].1, &pair[1].1)?;
        }
        Ok(files.into_iter().map(|(_, file)| file).collect())
    }

    /// The same file, open for writing as well.
    pub(crate) fn reopen(&self, file: &LogFile) -> Result<LogFile, WalError> {
        let handle = self.io.open_write(&file.path).map_err(|error| WalError::io("open", &file.path, error))?;
        Ok(LogFile::new(file.header, file.path.clone(), handle))
    }

    fn check_own(&self, files: &[(u64, LogFile)], at: usize, past: &[u32]) -> Result<(), WalError> {
        let (named, file) = &files[at];
        let Identity { ledger, incarnation } = file.identity();
        if ledger != self.identity.ledger {
            return Err(WalError::WrongLedger { file: file.path.clone(), found: ledger, expected: self.identity.ledger });
        }
        if incarnation != self.identity.incarnation && !past.contains(&incarnation) {
            let expected = self.identity.incarnation;
            return Err(WalError::WrongIncarnation { file: file.path.clone(), found: incarnation, expected });
        }
        let number = file.header.number;
        if number != *named || file.path != self.path(number) {
            if files.iter().any(|(_, other)| other.header.number == number && other.path != file.path) {
                return Err(WalError::Duplicate { file: file.path.clone(), number });
            }
            let reason = format!("the header says this is file {number}");
            return Err(WalError::damaged(&file.path, 0, file.position(0), reason));
        }
        Ok(())
    }

    /// Removes a file for good before anything else is done (D3); one that is gone already is fine.
    pub(crate) fn remove(&self, file: &LogFile) -> Result<(), WalError> {
        match self.io.remove(&file.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(WalError::io("remove", &file.path, error)),
            _ => self.sync(),
        }
    }
}

fn check_neighbours(folder: &Folder, before: &LogFile, after: &LogFile) -> Result<(), WalError> {
    let expected = before.header.number + 1;
    if after.header.number != expected {
        return Err(WalError::Missing { file: folder.path(expected), number: expected });
    }
    if after.header.base != before.end() {
        let reason = format!("the file begins at log position {}, the one before ends at {}", after.header.base, before.end());
        return Err(WalError::damaged(&after.path, 0, after.position(0), reason));
    }
    if after.identity().incarnation < before.identity().incarnation {
        let (found, expected) = (after.identity().incarnation, before.identity().incarnation);
        return Err(WalError::WrongIncarnation { file: after.path.clone(), found, expected });
    }
    Ok(())
}

/// Writes zeros over the first `bytes` of a file.
fn fill_with_zeros(file: &dyn File, bytes: u64) -> io::Result<()> {
    let zeros = vec![0; ZERO_CHUNK.min(usize::try_from(bytes).unwrap_or(ZERO_CHUNK))];
    let mut offset = 0;
    while offset < bytes {
        let chunk = zeros.len().min(usize::try_from(bytes - offset).unwrap_or(usize::MAX));
        file.write_at(offset, &zeros[..chunk])?;
        offset += chunk as u64;
    }
    Ok(())
}
