//! The only door to the file system: traits with a real side ([`RealIo`]) and a simulated one ([`crate::SimIo`]).
//!
//! I1: a write is whole or an error; after an error any part of it may be on disk.
//! I2: bytes are durable only after `File::sync`, directory entries only after `Io::sync_dir`; folders at once (`create_dir_all` syncs them).
//! I3: a failed sync says nothing about what is on disk, and a later one that succeeds does not either: callers stop.
//! Never: retries, buffers, or knows what the bytes mean.

use std::fmt::Debug;
use std::io;
use std::os::fd::RawFd;
use std::path::Path;
use std::sync::Arc;

mod mapped;
mod real;
mod write_out;

pub use mapped::Mapped;
pub use real::{RealIo, machine_memory_bytes};

/// A file system. Paths are used as given; every call may block on the disk.
pub trait Io: Send + Sync + Debug {
    /// Creates a file that must not exist (`AlreadyExists` otherwise), open for reading and writing, with Unix permission bits `mode`
    /// (less the process's umask). The entry is durable only after [`Io::sync_dir`] of its folder.
    fn create_new(&self, path: &Path, mode: u32) -> io::Result<Arc<dyn File>>;

    /// Opens a file for reading; `NotFound` if there is none.
    fn open(&self, path: &Path) -> io::Result<Arc<dyn File>>;

    /// Opens an existing file for reading and writing; `NotFound` if there is none.
    fn open_write(&self, path: &Path) -> io::Result<Arc<dyn File>>;

    /// Renames a file, replacing `to` if it exists, atomically. Durable after [`Io::sync_dir`].
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file's name; open files and maps of it stay readable. Durable after [`Io::sync_dir`].
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Names of the files and folders directly in `dir`, sorted by bytes; names that are not UTF-8 are left out.
    fn list(&self, dir: &Path) -> io::Result<Vec<String>>;

    /// Creates a folder and its missing parents and makes them durable; fine if it exists.
    fn create_dir_all(&self, dir: &Path) -> io::Result<()>;

    /// Makes the entries of a folder (created, renamed, removed files) durable.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;

    /// Sets Unix permission bits, e.g. `0o444` for a sealed file.
    fn set_mode(&self, path: &Path, mode: u32) -> io::Result<()>;

    /// Whether a file or folder has this name.
    fn exists(&self, path: &Path) -> bool;

    /// Takes an exclusive advisory lock on a file (created if missing), held while the guard lives; `WouldBlock` if another holds it,
    /// and goes on holding it for the second in which a dying process would let go.
    fn lock(&self, path: &Path) -> io::Result<Box<dyn LockGuard>>;
}

/// Holds an advisory lock until dropped.
pub trait LockGuard: Send + Sync + Debug {}

/// An open file. Offsets and lengths are bytes. Shared freely between threads: there is no cursor.
pub trait File: Send + Sync + Debug {
    /// Present length.
    fn len(&self) -> io::Result<u64>;

    /// Whether the file has no bytes.
    fn is_empty(&self) -> io::Result<bool> {
        Ok(self.len()? == 0)
    }

    /// Reads some bytes at `offset`; 0 means end of file (or an empty `buf`).
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize>;

    /// Writes all of `bytes` at `offset`, growing the file with zeros as needed (I1).
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()>;

    /// Makes the content and the length durable (fdatasync), but not the file's name (I2, I3).
    fn sync(&self) -> io::Result<()>;

    /// Lets the disk begin with what was written to these bytes, while the caller does something else before [`File::sync`]. Promises
    /// nothing; a failure is as grave as one of the sync.
    fn begin_sync(&self, _offset: u64, _len: u64) -> io::Result<()> {
        Ok(())
    }

    /// Cuts or extends (with zeros) the file.
    fn set_len(&self, len: u64) -> io::Result<()>;

    /// Makes the file at least `len` bytes long, the new part zero, reserving disk space where the file system can: later writes within
    /// `len` then do not run out of it. `StorageFull` if there is not enough.
    fn allocate(&self, len: u64) -> io::Result<()> {
        if self.len()? < len { self.set_len(len) } else { Ok(()) }
    }

    /// A read-only view of the file's present length. A real file's view also shows what is written within that length afterwards; a
    /// simulated file's view ([`File::raw_fd`] is `None`) is a copy of this moment.
    fn map(&self) -> io::Result<Mapped>;

    /// The descriptor, for io_uring; `None` for simulated files. Valid while this file lives.
    fn raw_fd(&self) -> Option<RawFd>;

    /// Fills `buf` from `offset`; `UnexpectedEof` if the file ends first.
    fn read_exact_at(&self, mut offset: u64, mut buf: &mut [u8]) -> io::Result<()> {
        while !buf.is_empty() {
            match self.read_at(offset, buf) {
                Ok(0) => return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "file ends before the bytes asked for")),
                Ok(n) => {
                    assert!(n <= buf.len(), "I1: read_at returned more than it was given room for");
                    buf = &mut buf[n..];
                    offset += n as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// The whole file, as long as it was when the call began.
    fn read_all(&self) -> io::Result<Vec<u8>> {
        let len = usize::try_from(self.len()?).map_err(|_| io::Error::from(io::ErrorKind::FileTooLarge))?;
        let mut bytes = vec![0; len];
        self.read_exact_at(0, &mut bytes)?;
        Ok(bytes)
    }
}
