//! A file system in memory that fails as disks and power supplies do, repeatably from a seed.
//!
//! What a process sees is kept apart from what is durable. [`SimIo::crash`] (or a planned [`Fault::Crash`]) makes every call fail until
//! [`SimIo::restart`], which then draws what survived:
//!
//! S1: synced bytes and synced entries survive whole.
//! S2: each write since the last sync survives whole, torn at 512-byte sectors, or not at all, independently of the others; a sector holds
//!     the last write to it that survived, so any reordering is possible except going back in time within a sector.
//! S3: each create, rename and remove since the last `sync_dir` of its folder survives or not, independently; a rename is never half done.
//! S4: a sync that fails once may have written any part, and what it did not write is lost for good: a later sync that succeeds does not
//!     bring it back, though the running process still reads it (as Linux does).
//! S5: same seed, same calls, same outcome.
//! Never: loses a folder (`create_dir_all` is durable); calls the real file system.
//!
//! Every call but `exists`, `len` and `raw_fd` is a step, counted from 1, so a driver runs a workload once, asks [`SimIo::steps`], and
//! replays it with a fault planned at each step in turn.

mod disk;
mod file;
mod names;

use crate::io::{File, Io, LockGuard};
use disk::{Disk, Inode};
use file::SimFile;
use std::collections::BTreeSet;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What happens at a planned step.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// Power loss: the call may have had any part of its effect, and every call fails until [`SimIo::restart`].
    Crash,
    /// An I/O error of this call alone. A write leaves a prefix behind; a sync fails as in S4; anything else has no effect.
    Error,
}

/// The simulated file system; clones share it.
#[derive(Clone)]
pub struct SimIo(Arc<Mutex<Disk>>);

pub(crate) fn locked(disk: &Mutex<Disk>) -> MutexGuard<'_, Disk> {
    disk.lock().unwrap_or_else(PoisonError::into_inner)
}

impl SimIo {
    /// An empty disk of unlimited size with only the root and the empty path as folders; every draw comes from `seed`.
    pub fn new(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(Disk::new(seed))))
    }

    fn disk(&self) -> MutexGuard<'_, Disk> {
        locked(&self.0)
    }

    /// Steps taken since the disk was made.
    pub fn steps(&self) -> u64 {
        self.disk().steps
    }

    /// Plans `fault` for the step numbered `step`.
    pub fn plan(&self, step: u64, fault: Fault) {
        self.disk().planned.insert(step, fault);
    }

    /// Forgets faults planned for steps not yet reached.
    pub fn forget_faults(&self) {
        self.disk().planned.clear();
    }

    /// Makes the next [`File::sync`] of any file fail once (S4).
    pub fn fail_next_sync(&self) {
        self.disk().fail_next_sync = true;
    }

    /// Limits what all files together may take, in bytes; growth beyond it fails with `StorageFull`, a write after a prefix. `None` lifts it.
    pub fn limit_space(&self, bytes: Option<u64>) {
        self.disk().space_bytes = bytes;
    }

    /// Makes about one read (or map) in `reads` return one flipped bit, the disk itself staying good; 0 turns it off.
    pub fn rot_reads(&self, reads: u32) {
        self.disk().rot_one_in = reads;
    }

    /// Flips bit `bit` (0–7) of a file's byte for good, durable and visible. `NotFound` without such a file, `UnexpectedEof` beyond its end.
    pub fn flip(&self, path: &Path, offset: u64, bit: u8) -> io::Result<()> {
        let mut disk = self.disk();
        let id = disk.names.lookup(path)?;
        disk.inode(id).flip(offset, bit)
    }

    /// Loses power now.
    pub fn crash(&self) {
        self.disk().crashed = true;
    }

    /// Whether power is lost.
    pub fn is_crashed(&self) -> bool {
        self.disk().crashed
    }

    /// Draws what survived (S1–S3) and starts again on it: files open before are stale, locks are free, planned faults are forgotten.
    pub fn restart(&self) {
        self.disk().restart();
    }

    /// A second disk with the same visible content, all of it durable, no faults planned, drawing from `seed`.
    pub fn copy(&self, seed: u64) -> Self {
        Self(Arc::new(Mutex::new(self.disk().copy(seed))))
    }

    /// A file's bytes as the running process sees them, without a step or a fault.
    pub fn peek(&self, path: &Path) -> io::Result<Vec<u8>> {
        let mut disk = self.disk();
        let id = disk.names.lookup(path)?;
        Ok(disk.inode(id).current.clone())
    }

    /// Permission bits of a file.
    pub fn mode(&self, path: &Path) -> io::Result<u32> {
        let mut disk = self.disk();
        let id = disk.names.lookup(path)?;
        Ok(disk.inode(id).mode)
    }

    fn handle(&self, disk: &Disk, inode: u64, writable: bool) -> Arc<dyn File> {
        Arc::new(SimFile { disk: Arc::clone(&self.0), inode, restarts: disk.restarts, writable })
    }
}

impl Io for SimIo {
    fn create_new(&self, path: &Path, mode: u32) -> io::Result<Arc<dyn File>> {
        let mut disk = self.disk();
        disk.entry_step(|disk| {
            let id = disk.inodes.len() as u64;
            disk.names.link(path, id)?;
            disk.inodes.push(Inode::new(mode));
            Ok(id)
        })
        .map(|id| self.handle(&disk, id, true))
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        let mut disk = self.disk();
        disk.step()?;
        disk.names.lookup(path).map(|id| self.handle(&disk, id, false))
    }

    fn open_write(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        let mut disk = self.disk();
        disk.step()?;
        disk.names.lookup(path).map(|id| self.handle(&disk, id, true))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.disk().entry_step(|disk| disk.names.rename(from, to))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.disk().entry_step(|disk| disk.names.unlink(path))
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        let mut disk = self.disk();
        disk.step()?;
        disk.names.list(dir)
    }

    fn create_dir_all(&self, dir: &Path) -> io::Result<()> {
        self.disk().entry_step(|disk| disk.names.create_dir_all(dir))
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        let mut disk = self.disk();
        disk.step()?;
        disk.names.sync_dir(dir)
    }

    fn set_mode(&self, path: &Path, mode: u32) -> io::Result<()> {
        self.disk().entry_step(|disk| {
            let id = disk.names.lookup(path)?;
            disk.inode(id).mode = mode;
            Ok(())
        })
    }

    fn exists(&self, path: &Path) -> bool {
        let disk = self.disk();
        disk.names.lookup(path).is_ok() || disk.names.is_dir(path)
    }

    fn lock(&self, path: &Path) -> io::Result<Box<dyn LockGuard>> {
        let mut disk = self.disk();
        disk.step()?;
        if disk.names.lookup(path).is_err() {
            let id = disk.inodes.len() as u64;
            disk.names.link(path, id)?;
            disk.inodes.push(Inode::new(0o600));
        }
        if !disk.locks.insert(path.to_owned()) {
            return Err(io::Error::new(io::ErrorKind::WouldBlock, "the lock is held by another process"));
        }
        Ok(Box::new(SimLock { disk: Arc::clone(&self.0), path: path.to_owned(), restarts: disk.restarts }))
    }
}

struct SimLock {
    disk: Arc<Mutex<Disk>>,
    path: PathBuf,
    restarts: u64,
}

impl LockGuard for SimLock {}

impl Drop for SimLock {
    fn drop(&mut self) {
        let mut disk = locked(&self.disk);
        if disk.restarts == self.restarts {
            disk.locks.remove(&self.path);
        }
    }
}

impl fmt::Debug for SimLock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SimLock({})", self.path.display())
    }
}

impl fmt::Debug for SimIo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let disk = self.disk();
        write!(f, "SimIo({} steps, crashed: {})", disk.steps, disk.crashed)
    }
}

/// Locks held, by path.
type Locks = BTreeSet<PathBuf>;
