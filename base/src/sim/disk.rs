//! The bytes of the simulated disk, visible and durable, and the draw of what a crash leaves (S1, S2, S4).
//!
//! Never: interprets a path.

use super::names::Names;
use super::{Fault, Locks};
use crate::rng::{Rng, SeededRng};
use std::collections::BTreeMap;
use std::io;

/// Unit in which a write is torn.
const SECTOR_BYTES: usize = 512;

pub(crate) struct Disk {
    pub(super) rng: SeededRng,
    pub(super) names: Names,
    pub(super) inodes: Vec<Inode>,
    pub(super) locks: Locks,
    pub(super) steps: u64,
    pub(super) planned: BTreeMap<u64, Fault>,
    pub(super) crashed: bool,
    pub(super) restarts: u64,
    pub(super) fail_next_sync: bool,
    pub(super) space_bytes: Option<u64>,
    pub(super) rot_one_in: u32,
}

/// One file: what the process reads, what is durable, and the writes in between in order.
#[derive(Clone, Default)]
pub(super) struct Inode {
    pub(super) current: Vec<u8>,
    durable: Vec<u8>,
    pending: Vec<Write>,
    pub(super) mode: u32,
}

#[derive(Clone)]
enum Write {
    Bytes { offset: usize, bytes: Vec<u8> },
    Len(usize),
}

pub(super) fn io_error(what: &str) -> io::Error {
    io::Error::other(format!("simulated I/O error: {what}"))
}

impl Disk {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            rng: SeededRng::new(seed),
            names: Names::new(),
            inodes: Vec::new(),
            locks: Locks::new(),
            steps: 0,
            planned: BTreeMap::new(),
            crashed: false,
            restarts: 0,
            fail_next_sync: false,
            space_bytes: None,
            rot_one_in: 0,
        }
    }

    pub(super) fn copy(&self, seed: u64) -> Self {
        let mut copy = Self::new(seed);
        copy.names = self.names.clone();
        copy.names.settle();
        let settled = |inode: &Inode| Inode { durable: inode.current.clone(), pending: Vec::new(), ..inode.clone() };
        copy.inodes = self.inodes.iter().map(settled).collect();
        copy
    }

    pub(super) fn inode(&mut self, id: u64) -> &mut Inode {
        let id = usize::try_from(id).unwrap_or(usize::MAX);
        self.inodes.get_mut(id).unwrap_or_else(|| panic!("S1: an entry names inode {id}, which was never made"))
    }

    /// Counts a step; says what fault strikes it. Fails when power is already lost.
    pub(super) fn fault(&mut self) -> io::Result<Option<Fault>> {
        if self.crashed {
            return Err(io_error("the machine has no power"));
        }
        self.steps += 1;
        let fault = self.planned.remove(&self.steps);
        self.crashed |= fault == Some(Fault::Crash);
        Ok(fault)
    }

    /// A step without effect on the disk.
    pub(super) fn step(&mut self) -> io::Result<()> {
        match self.fault()? {
            None => Ok(()),
            Some(fault) => Err(io_error(&format!("{fault:?} at step {}", self.steps))),
        }
    }

    /// A step that changes entries: struck by a crash it happens, and S3 draws whether it lasts.
    pub(super) fn entry_step<T>(&mut self, change: impl FnOnce(&mut Self) -> io::Result<T>) -> io::Result<T> {
        match self.fault()? {
            None => change(self),
            Some(Fault::Crash) => change(self).and_then(|_| Err(io_error("crash"))),
            Some(Fault::Error) => Err(io_error("an entry could not be changed")),
        }
    }

    /// Writes, or as far as the fault or the space limit allows.
    pub(super) fn write(&mut self, id: u64, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let fault = self.fault()?;
        let offset = usize::try_from(offset).map_err(|_| io::Error::from(io::ErrorKind::FileTooLarge))?;
        if fault == Some(Fault::Error) {
            let kept = self.below(bytes.len() as u64 + 1);
            self.inode(id).write(offset, &bytes[..kept]);
            return Err(io_error("short write"));
        }
        let room = self.growth_left(id, offset + bytes.len());
        self.inode(id).write(offset, &bytes[..bytes.len().min(room.saturating_sub(offset))]);
        if offset + bytes.len() > room {
            return Err(io::ErrorKind::StorageFull.into());
        }
        if fault.is_some() { Err(io_error("crash during a write")) } else { Ok(()) }
    }

    pub(super) fn set_len(&mut self, id: u64, len: u64) -> io::Result<()> {
        let fault = self.fault()?;
        let len = usize::try_from(len).map_err(|_| io::Error::from(io::ErrorKind::FileTooLarge))?;
        if fault == Some(Fault::Error) {
            return Err(io_error("length not set"));
        }
        if len > self.growth_left(id, len) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.inode(id).set_len(len);
        if fault.is_some() { Err(io_error("crash during a change of length")) } else { Ok(()) }
    }

    pub(super) fn sync(&mut self, id: u64) -> io::Result<()> {
        match self.fault()? {
            Some(Fault::Crash) => return Err(io_error("crash during a sync")),
            None if !std::mem::take(&mut self.fail_next_sync) => {
                self.inode(id).settle();
                return Ok(());
            }
            _ => {}
        }
        let Self { rng, inodes, .. } = self;
        inodes[usize::try_from(id).unwrap_or(usize::MAX)].draw_survivors(rng);
        Err(io_error("sync failed; unsynced data may be lost"))
    }

    /// Now and then flips a bit of what was read.
    pub(super) fn rot(&mut self, bytes: &mut [u8]) {
        if self.rot_one_in > 0 && !bytes.is_empty() && self.below(u64::from(self.rot_one_in)) == 0 {
            let place = self.below(bytes.len() as u64 * 8);
            bytes[place / 8] ^= 1 << (place % 8);
        }
    }

    pub(super) fn restart(&mut self) {
        self.names.restart(&self.rng);
        for inode in &mut self.inodes {
            inode.draw_survivors(&self.rng);
            inode.current = inode.durable.clone();
        }
        self.locks.clear();
        self.planned.clear();
        self.fail_next_sync = false;
        self.crashed = false;
        self.restarts += 1;
    }

    /// Longest length the file may have, looking no further than `wanted`.
    fn growth_left(&self, id: u64, wanted: usize) -> usize {
        let Some(limit) = self.space_bytes else { return wanted };
        let len = |inode: &Inode| inode.current.len() as u64;
        let used: u64 = self.inodes.iter().map(len).sum();
        let own = usize::try_from(id).ok().and_then(|id| self.inodes.get(id)).map_or(0, len);
        wanted.min(usize::try_from(own + limit.saturating_sub(used)).unwrap_or(usize::MAX))
    }

    fn below(&self, bound: u64) -> usize {
        usize::try_from(self.rng.next_u64() % bound).unwrap_or(0)
    }
}

fn place(image: &mut Vec<u8>, offset: usize, bytes: &[u8]) {
    if !bytes.is_empty() {
        if image.len() < offset + bytes.len() {
            image.resize(offset + bytes.len(), 0);
        }
        image[offset..offset + bytes.len()].copy_from_slice(bytes);
    }
}

impl Inode {
    pub(super) fn new(mode: u32) -> Self {
        Self { mode, ..Self::default() }
    }

    fn write(&mut self, offset: usize, bytes: &[u8]) {
        place(&mut self.current, offset, bytes);
        self.pending.push(Write::Bytes { offset, bytes: bytes.to_vec() });
    }

    fn set_len(&mut self, len: usize) {
        self.current.resize(len, 0);
        self.pending.push(Write::Len(len));
    }

    pub(super) fn flip(&mut self, offset: u64, bit: u8) -> io::Result<()> {
        let offset = usize::try_from(offset).unwrap_or(usize::MAX);
        let mask = 1u8.checked_shl(u32::from(bit)).unwrap_or(0);
        *self.current.get_mut(offset).ok_or(io::ErrorKind::UnexpectedEof)? ^= mask;
        if let Some(byte) = self.durable.get_mut(offset) {
            *byte ^= mask;
        }
        Ok(())
    }

    /// S1: everything written so far becomes durable, in order, unless a failed sync lost it before (S4).
    fn settle(&mut self) {
        for write in std::mem::take(&mut self.pending) {
            match write {
                Write::Bytes { offset, bytes } => place(&mut self.durable, offset, &bytes),
                Write::Len(len) => self.durable.resize(len, 0),
            }
        }
    }

    /// S2: each pending write survives whole, torn or not at all.
    fn draw_survivors(&mut self, rng: &SeededRng) {
        for write in std::mem::take(&mut self.pending) {
            match (write, rng.next_u64() % 3) {
                (_, 0) => {}
                (Write::Len(len), _) => self.durable.resize(len, 0),
                (Write::Bytes { offset, bytes }, 1) => place(&mut self.durable, offset, &bytes),
                (Write::Bytes { offset, bytes }, _) => self.tear(offset, &bytes, rng),
            }
        }
    }

    fn tear(&mut self, offset: usize, bytes: &[u8], rng: &SeededRng) {
        let mut start = 0;
        while start < bytes.len() {
            let end = bytes.len().min(start + SECTOR_BYTES - (offset + start) % SECTOR_BYTES);
            if rng.next_u64() & 1 == 1 {
                place(&mut self.durable, offset + start, &bytes[start..end]);
            }
            start = end;
        }
    }
}
