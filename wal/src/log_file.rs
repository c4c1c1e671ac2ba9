//! One file of the log, open.
//!
//! L1: a file keeps the size it was made with, so its map is made once and stays whole.
//! Never: decides where a record goes.

use crate::format::{FILE_HEADER_BYTES, FRAME_HEADER_BYTES, FileHeader, HeaderFault, Seed, payload_of_written};
use crate::{Identity, Payload, Position, WalError};
use base::{File, Mapped};
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

#[derive(Debug)]
pub(crate) struct LogFile {
    pub(crate) header: FileHeader,
    pub(crate) seed: Seed,
    pub(crate) path: PathBuf,
    pub(crate) handle: Arc<dyn File>,
    map: OnceLock<Mapped>,
}

impl LogFile {
    pub(crate) fn new(header: FileHeader, path: PathBuf, handle: Arc<dyn File>) -> Self {
        Self { header, seed: Seed::new(header.identity), path, handle, map: OnceLock::new() }
    }

    /// Reads and checks the header; says nothing yet about number, ledger or incarnation.
    pub(crate) fn open(path: PathBuf, handle: Arc<dyn File>) -> Result<Self, WalError> {
        let failed = |error| WalError::io("read", &path, error);
        let len = handle.len().map_err(failed)?;
        let mut bytes = [0; FILE_HEADER_BYTES];
        let got = if len < FILE_HEADER_BYTES as u64 {
            &bytes[..0]
        } else {
            handle.read_exact_at(0, &mut bytes).map(|()| &bytes[..]).map_err(failed)?
        };
        let damaged = |offset, reason: &'static str| WalError::BadHeader { file: path.clone(), offset, reason };
        let header = FileHeader::decode(got).map_err(|fault| match fault {
            HeaderFault::Truncated => damaged(len, "the file header is truncated"),
            HeaderFault::Magic => damaged(0, "this is not a log file"),
            HeaderFault::Checksum => damaged(0, "the checksum of the file header does not match"),
            HeaderFault::Layout => damaged(0, "the file header is malformed"),
            HeaderFault::Version(version) => WalError::UnknownVersion { file: path.clone(), version },
        })?;
        if len != header.bytes {
            let reason = format!("the file is {len} bytes long, its header says {}", header.bytes);
            return Err(WalError::damaged(&path, len.min(header.bytes), Position(header.base), reason));
        }
        Ok(Self::new(header, path, handle))
    }

    pub(crate) fn identity(&self) -> Identity {
        self.header.identity
    }

    /// Log position just after the file.
    pub(crate) fn end(&self) -> u64 {
        self.header.base + self.header.bytes
    }

    pub(crate) fn position(&self, offset: u64) -> Position {
        Position(self.header.base + offset)
    }

    pub(crate) fn sync(&self) -> Result<(), WalError> {
        self.handle.sync().map_err(|error| WalError::io("sync", &self.path, error))
    }

    /// The whole file: made once for a real file, whose map shows later writes; a fresh copy for a simulated one.
    pub(crate) fn map(&self) -> Result<Mapped, WalError> {
        if let Some(map) = self.map.get() {
            return Ok(map.clone());
        }
        let map = self.handle.map().map_err(|error| WalError::io("map", &self.path, error))?;
        if map.len() as u64 != self.header.bytes {
            let reason = format!("the file is {} bytes long, its header says {}", map.len(), self.header.bytes);
            return Err(WalError::damaged(&self.path, map.len() as u64, self.position(map.len() as u64), reason));
        }
        Ok(if self.handle.raw_fd().is_some() { self.map.get_or_init(|| map).clone() } else { map })
    }

    /// The payload of a record written at `position` and not after `end`.
    pub(crate) fn payload(&self, position: Position, end: Position) -> Result<Payload, WalError> {
        let missing = || WalError::NoRecord { position };
        let offset = position.0.checked_sub(self.header.base).and_then(|offset| usize::try_from(offset).ok()).ok_or_else(missing)?;
        let file_bytes = usize::try_from(self.header.bytes.min(end.0.saturating_sub(self.header.base))).map_err(|_| missing())?;
        let start = offset
            .checked_add(FRAME_HEADER_BYTES)
            .filter(|start| offset >= FILE_HEADER_BYTES && *start <= file_bytes)
            .ok_or_else(missing)?;
        if self.handle.raw_fd().is_some() {
            let map = self.map()?;
            let length = payload_of_written(&map[offset..start], self.header.base, offset).ok_or_else(missing)?;
            let range = start..start.checked_add(length).filter(|end| *end <= file_bytes).ok_or_else(missing)?;
            return Ok(Payload::new(map, range));
        }
        let failed = |error| WalError::io("read", &self.path, error);
        let mut header = [0; FRAME_HEADER_BYTES];
        self.handle.read_exact_at(offset as u64, &mut header).map_err(failed)?;
        let length = payload_of_written(&header, self.header.base, offset).ok_or_else(missing)?;
        start.checked_add(length).filter(|end| *end <= file_bytes).ok_or_else(missing)?;
        let mut bytes = vec![0; length];
        self.handle.read_exact_at(start as u64, &mut bytes).map_err(failed)?;
        Ok(Payload::new(Mapped::copy_of(&bytes), 0..length))
    }
}
