//! The log as it was at one moment, to be read while others go on writing and releasing.
//!
//! H1: every record appended before the moment, in files that were still there then, is handed out once, in order; none appended later is.
//! Never: writes; keeps a file's name from being removed (its bytes stay readable).

use crate::format::{Decoded, FILE_HEADER_BYTES, decode};
use crate::log_file::LogFile;
use crate::{Payload, Position, Record, RecordKind, WalError};
use std::sync::Arc;

/// What was in the log when [`crate::Wal::hold`] was called.
#[derive(Debug)]
pub struct Held {
    pub(crate) files: Vec<Arc<LogFile>>,
    pub(crate) end: Position,
}

impl Held {
    /// How many files it is of.
    pub fn files(&self) -> u64 {
        self.files.len() as u64
    }

    /// Where the log ended.
    pub fn end(&self) -> Position {
        self.end
    }

    /// Calls `each` with every record (H1); its error ends the reading. [`WalError::Damaged`] where the disk does not give what was written.
    pub fn read<E: From<WalError>>(&self, each: &mut dyn FnMut(Record) -> Result<(), E>) -> Result<(), E> {
        for file in &self.files {
            self.read_file(file, each)?;
        }
        Ok(())
    }

    fn read_file<E: From<WalError>>(&self, file: &LogFile, each: &mut dyn FnMut(Record) -> Result<(), E>) -> Result<(), E> {
        let map = file.map()?;
        let mut offset = FILE_HEADER_BYTES;
        while file.position(offset as u64) < self.end {
            let frame = match decode(file.seed, &map, file.header.base, offset) {
                Decoded::Frame(frame) => frame,
                Decoded::Blank => return Err(self.damaged(file, offset, "nothing is written where a record was").into()),
                Decoded::Invalid(reason) => return Err(self.damaged(file, offset, reason).into()),
            };
            if frame.kind == RecordKind::END_OF_FILE {
                break;
            }
            if frame.kind.is_callers() {
                let position = file.position(offset as u64);
                each(Record { position, kind: frame.kind, payload: Payload::new(map.clone(), frame.payload) })?;
            }
            assert!(frame.next > offset, "H1: reading must move on");
            offset = frame.next;
        }
        Ok(())
    }

    fn damaged(&self, file: &LogFile, offset: usize, reason: &'static str) -> WalError {
        WalError::damaged(&file.path, offset as u64, file.position(offset as u64), reason.to_owned())
    }
}
