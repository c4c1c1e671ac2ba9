//! The place where records are written: the active file, the offset in it, and the buffer frames are laid out in.
//!
//! H1: frames follow each other without a gap; a frame that does not fit goes to the next file, after a frame that says so (`END_OF_FILE`),
//!     for which there is always room.
//! H2: the next file is durable under its name before the frame that points to it is written.
//! H3: a frame lies in one file.
//! Never: syncs (but for `write_durable`); knows who waits.

use crate::folder::{Folder, Place, Space};
use crate::format::{FILE_HEADER_BYTES, FRAME_HEADER_BYTES, Outgoing, padding};
use crate::log_file::LogFile;
use crate::spare::Spare;
use crate::uring::Ring;
use crate::{Position, RecordKind, WalError};
use std::io;
use std::sync::Arc;

/// Frames up to this size are laid out in the buffer and written at once.
const GATHER_BYTES: usize = 64 << 10;
/// Files smaller than this are made when they are needed.
const SPARE_BYTES_MIN: u64 = 1 << 20;
/// In larger frames, parts at least this long are written from where they are.
const PART_BYTES: usize = 16 << 10;

#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) file: Arc<LogFile>,
    /// Offset in the file at which the next frame goes.
    pub(crate) offset: u64,
    /// Earlier files with bytes that are not yet durable, oldest first.
    pub(crate) unsynced: Vec<Arc<LogFile>>,
    pub(crate) closed: bool,
    buffer: Vec<u8>,
    pub(crate) ring: Option<Ring>,
    pub(crate) spare: Spare,
}

impl Head {
    pub(crate) fn new(file: Arc<LogFile>, offset: u64, use_uring: bool) -> Self {
        let ring = if use_uring && file.handle.raw_fd().is_some() { Ring::new() } else { None };
        Self { file, offset, unsynced: Vec::new(), closed: false, buffer: Vec::new(), ring, spare: Spare::default() }
    }

    /// Log position at which the next frame goes.
    pub(crate) fn end(&self) -> Position {
        self.file.position(self.offset)
    }

    fn room(&self) -> u64 {
        self.file.header.bytes - self.offset
    }

    /// H1: whether frames of so many bytes together fit, leaving room for the frame that ends the file.
    pub(crate) fn fits(&self, bytes: usize) -> bool {
        (bytes as u64).saturating_add(FRAME_HEADER_BYTES as u64) <= self.room()
    }

    pub(crate) fn is_at_start(&self) -> bool {
        self.offset == FILE_HEADER_BYTES as u64
    }

    /// Lays a record's frame out at the end of the buffer, to stand at `position`.
    fn lay_out(&mut self, record: &Outgoing<'_>, position: Position, durable: Position) {
        self.buffer.extend_from_slice(&record.header(self.file.seed, position, durable));
        record.parts.iter().for_each(|part| self.buffer.extend_from_slice(part));
        self.buffer.extend_from_slice(padding(record.payload_bytes));
    }

    /// Writes one record, not durably. It must fit.
    pub(crate) fn write(&mut self, record: &Outgoing<'_>, durable: Position) -> Result<Position, WalError> {
        assert!(record.frame_bytes() as u64 <= self.room(), "H3: a frame of {} bytes in {} left", record.frame_bytes(), self.room());
        let position = self.end();
        self.buffer.clear();
        let written = if record.frame_bytes() <= GATHER_BYTES {
            self.lay_out(record, position, durable);
            self.file.handle.write_at(self.offset, &self.buffer)
        } else {
            self.write_parts(record, position, durable)
        };
        written.map_err(|error| WalError::io("write", &self.file.path, error))?;
        self.offset += record.frame_bytes() as u64;
        Ok(position)
    }

    fn write_parts(&mut self, record: &Outgoing<'_>, position: Position, durable: Position) -> io::Result<()> {
        let mut at = self.offset;
        self.buffer.extend_from_slice(&record.header(self.file.seed, position, durable));
        for part in record.parts {
            if part.len() < PART_BYTES {
                self.buffer.extend_from_slice(part);
                continue;
            }
            self.file.handle.write_at(at, &self.buffer)?;
            at += self.buffer.len() as u64;
            self.buffer.clear();
            self.file.handle.write_at(at, part)?;
            at += part.len() as u64;
        }
        self.buffer.extend_from_slice(padding(record.payload_bytes));
        self.file.handle.write_at(at, &self.buffer)
    }

    /// Writes records in one go and makes them durable; runs `meanwhile` once while the disk works. They must fit, and everything before them
    /// must be durable already.
    pub(crate) fn write_durable<T>(
        &mut self,
        records: &[Outgoing<'_>],
        meanwhile: impl FnOnce() -> T,
    ) -> Result<(Vec<Position>, T), WalError> {
        let start = self.end();
        let mut positions = Vec::with_capacity(records.len());
        self.buffer.clear();
        for record in records {
            positions.push(Position(start.0 + self.buffer.len() as u64));
            self.lay_out(record, Position(start.0 + self.buffer.len() as u64), start);
        }
        assert!(self.buffer.len() as u64 <= self.room(), "H3: {} bytes of frames in {} left", self.buffer.len(), self.room());
        let (file, offset) = (Arc::clone(&self.file), self.offset);
        // The kernel gives a ring's durable write to a worker of its own; for a lone record the way to it and back costs more than it saves.
        let is_group = records.len() > 1;
        let done = self.put_durable(&file, offset, is_group, meanwhile).map_err(|error| WalError::io("write", &file.path, error))?;
        self.offset += self.buffer.len() as u64;
        Ok((positions, done))
    }

    fn put_durable<T>(&mut self, file: &LogFile, offset: u64, is_group: bool, meanwhile: impl FnOnce() -> T) -> io::Result<T> {
        let plain = |buffer: &[u8]| file.handle.write_at(offset, buffer);
        let (true, Some(ring), Some(fd)) = (is_group, self.ring.as_mut(), file.handle.raw_fd()) else {
            plain(&self.buffer)?;
            file.handle.begin_sync(offset, self.buffer.len() as u64)?;
            let done = meanwhile();
            return file.handle.sync().map(|()| done);
        };
        let write = ring.start_durable(fd, offset, &self.buffer)?;
        let done = meanwhile();
        match write.finish() {
            // The file system has no durable writes: nothing was written, the plain way gives the same bytes.
            Err(error) if matches!(error.kind(), io::ErrorKind::Unsupported | io::ErrorKind::InvalidInput) => {
                self.ring = None;
                plain(&self.buffer)?;
                file.handle.sync().map(|()| done)
            }
            result => result.map(|()| done),
        }
    }

    /// Makes the file after the active one, large enough for a frame of `frame_bytes` (H2).
    pub(crate) fn next_file(&mut self, folder: &Folder, frame_bytes: usize) -> Result<Arc<LogFile>, WalError> {
        let (place, bytes) = (self.next_place(), folder.bytes_for(frame_bytes));
        let made = match self.spare.take() {
            Some(spare) if spare.is(place, bytes) => spare,
            // An unfit spare goes when the next one is made, or at recovery.
            _ => folder.prepare("next", place, bytes, Space::Reserved)?,
        };
        folder.publish(made).map(Arc::new)
    }

    fn next_place(&self) -> Place {
        Place { number: self.file.header.number + 1, base: self.file.end() }
    }

    /// Moves on to `next`, ending the active file.
    pub(crate) fn move_to(&mut self, next: Arc<LogFile>, durable: Position) -> Result<(), WalError> {
        assert_eq!(next.header.base, self.file.end(), "D2: a file begins where the one before ends");
        assert!(self.room() >= FRAME_HEADER_BYTES as u64, "H1: no room to end the file");
        let end = Outgoing::new(RecordKind::END_OF_FILE, &[]);
        end.as_ref().map(|end| self.write(end, durable)).transpose()?;
        let full = std::mem::replace(&mut self.file, next);
        self.unsynced.push(full);
        self.offset = FILE_HEADER_BYTES as u64;
        Ok(())
    }

    /// Starts on the next file's space once half of the active file is used, on real disks.
    pub(crate) fn look_ahead(&mut self, folder: &Folder) {
        let half_used = self.offset > self.file.header.bytes / 2;
        if half_used && self.file.handle.raw_fd().is_some() && folder.file_bytes >= SPARE_BYTES_MIN {
            self.spare.prepare(folder, self.next_place());
        }
    }
}
