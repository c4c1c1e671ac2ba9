//! An open file of the simulated disk.
//!
//! Never: outlives a restart; a handle from before it only returns errors.

use super::disk::{Disk, io_error};
use super::locked;
use crate::io::{File, Mapped};
use std::fmt;
use std::io;
use std::os::fd::RawFd;
use std::sync::{Arc, Mutex, MutexGuard};

pub(super) struct SimFile {
    pub(super) disk: Arc<Mutex<Disk>>,
    pub(super) inode: u64,
    pub(super) restarts: u64,
    pub(super) writable: bool,
}

impl SimFile {
    fn live(&self) -> io::Result<MutexGuard<'_, Disk>> {
        let disk = locked(&self.disk);
        if disk.restarts == self.restarts { Ok(disk) } else { Err(io_error("the file was opened before the restart")) }
    }

    fn live_for_writing(&self) -> io::Result<MutexGuard<'_, Disk>> {
        if self.writable { self.live() } else { Err(io::Error::new(io::ErrorKind::PermissionDenied, "the file is open for reading")) }
    }
}

impl File for SimFile {
    fn len(&self) -> io::Result<u64> {
        let mut disk = self.live()?;
        Ok(disk.inode(self.inode).current.len() as u64)
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        let mut disk = self.live()?;
        disk.step()?;
        let rest = usize::try_from(offset).ok().and_then(|offset| disk.inode(self.inode).current.get(offset..).map(<[u8]>::len));
        let count = rest.unwrap_or(0).min(buf.len());
        if count > 0 {
            let start = usize::try_from(offset).unwrap_or(0);
            buf[..count].copy_from_slice(&disk.inode(self.inode).current[start..start + count]);
            disk.rot(&mut buf[..count]);
        }
        Ok(count)
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.live_for_writing()?.write(self.inode, offset, bytes)
    }

    fn sync(&self) -> io::Result<()> {
        self.live()?.sync(self.inode)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.live_for_writing()?.set_len(self.inode, len)
    }

    fn map(&self) -> io::Result<Mapped> {
        let mut disk = self.live()?;
        disk.step()?;
        let mut bytes = disk.inode(self.inode).current.clone();
        disk.rot(&mut bytes);
        Ok(Mapped::copy_of(&bytes))
    }

    fn raw_fd(&self) -> Option<RawFd> {
        None
    }
}

impl fmt::Debug for SimFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SimFile(inode {}, writable: {})", self.inode, self.writable)
    }
}
