//! The real file system, by `std::fs` and positioned reads and writes.
//!
//! Never: opens a file without close-on-exec; follows a rename with an implied sync.
#![allow(clippy::disallowed_methods, reason = "this is the door the lint sends everyone to")]

use super::{File, Io, LockGuard, Mapped, write_out};
use std::fs::{self, OpenOptions, Permissions, TryLockError};
use std::io;
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::fs::{FileExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// A killed process holds its locks until the kernel has given its memory back, which a restart right after it should not meet as an error.
const DYING_TRIES: u32 = 20;
const DYING_PAUSE: Duration = Duration::from_millis(50);

/// The file system of the machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct RealIo;

/// The machine's main memory in bytes, as Linux tells it in `/proc/meminfo`; `None` elsewhere.
pub fn machine_memory_bytes() -> Option<u64> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    line.trim().strip_suffix("kB")?.trim_end().parse::<u64>().ok()?.checked_mul(1024)
}

#[derive(Debug)]
struct RealFile(fs::File);

#[derive(Debug)]
struct RealLock(#[expect(dead_code, reason = "closing the descriptor releases the lock")] fs::File);

impl LockGuard for RealLock {}

fn shared(file: fs::File) -> Arc<dyn File> {
    Arc::new(RealFile(file))
}

impl Io for RealIo {
    fn create_new(&self, path: &Path, mode: u32) -> io::Result<Arc<dyn File>> {
        OpenOptions::new().read(true).write(true).create_new(true).mode(mode).open(path).map(shared)
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        fs::File::open(path).map(shared)
    }

    fn open_write(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        OpenOptions::new().read(true).write(true).open(path).map(shared)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(dir)? {
            names.extend(entry?.file_name().into_string());
        }
        names.sort();
        Ok(names)
    }

    fn create_dir_all(&self, dir: &Path) -> io::Result<()> {
        let missing: Vec<&Path> = dir.ancestors().take_while(|path| !path.as_os_str().is_empty() && !path.exists()).collect();
        fs::create_dir_all(dir)?;
        missing.iter().rev().filter_map(|path| path.parent()).try_for_each(|parent| self.sync_dir(parent))
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        let dir = if dir.as_os_str().is_empty() { Path::new(".") } else { dir };
        fs::File::open(dir)?.sync_all()
    }

    fn set_mode(&self, path: &Path, mode: u32) -> io::Result<()> {
        fs::set_permissions(path, Permissions::from_mode(mode))
    }

    fn exists(&self, path: &Path) -> bool {
        path.exists()
    }

    fn lock(&self, path: &Path) -> io::Result<Box<dyn LockGuard>> {
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?;
        for _ in 0..DYING_TRIES {
            match file.try_lock() {
                Ok(()) => return Ok(Box::new(RealLock(file))),
                Err(TryLockError::WouldBlock) => std::thread::sleep(DYING_PAUSE),
                Err(TryLockError::Error(error)) => return Err(error),
            }
        }
        Err(io::Error::new(io::ErrorKind::WouldBlock, "the lock is held by another process"))
    }
}

impl File for RealFile {
    fn len(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        FileExt::read_at(&self.0, buf, offset)
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all_at(bytes, offset)
    }

    fn sync(&self) -> io::Result<()> {
        self.0.sync_data()
    }

    fn begin_sync(&self, offset: u64, len: u64) -> io::Result<()> {
        write_out::begin(&self.0, offset, len)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }

    fn allocate(&self, len: u64) -> io::Result<()> {
        use rustix::fs::{FallocateFlags, fallocate};
        match fallocate(&self.0, FallocateFlags::empty(), 0, len) {
            Ok(()) => Ok(()),
            // Not every file system reserves; there a longer file still means the same bytes.
            Err(rustix::io::Errno::OPNOTSUPP) => {
                if self.len()? < len {
                    self.0.set_len(len)?;
                }
                Ok(())
            }
            Err(errno) => Err(errno.into()),
        }
    }

    fn map(&self) -> io::Result<Mapped> {
        Mapped::of_file(&self.0)
    }

    fn raw_fd(&self) -> Option<RawFd> {
        Some(self.0.as_raw_fd())
    }
}
