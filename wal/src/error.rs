//! What can go wrong with a log, by name, and what a SQL user is told of it.
//!
//! Never: carries record content.

use crate::{Position, RecordKind};
use base::{LedgerId, SqlError, SqlState};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Why the log refused. Paths are as the caller gave them.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "the fields say what their names say: where, found against expected")]
pub enum WalError {
    /// The file system failed. Full disks come as `ErrorKind::StorageFull` ([`WalError::is_full`]).
    Io { action: &'static str, path: PathBuf, source: Arc<io::Error> },
    /// A record before the durable end is not what was written: bit rot, a lost block, or somebody's hand.
    Damaged { file: PathBuf, offset: u64, position: Position, reason: String },
    /// The first 64 bytes of a file are not the header that was written.
    BadHeader { file: PathBuf, offset: u64, reason: &'static str },
    /// The file of this number is not there though a later file, or the end of the one before, says it must be.
    Missing { file: PathBuf, number: u64 },
    /// Two names hold the file of one number.
    Duplicate { file: PathBuf, number: u64 },
    /// A file of another ledger.
    WrongLedger { file: PathBuf, found: LedgerId, expected: LedgerId },
    /// A file of an incarnation that is neither ours nor one of our past.
    WrongIncarnation { file: PathBuf, found: u32, expected: u32 },
    /// A file of a format this version does not read.
    UnknownVersion { file: PathBuf, version: u32 },
    /// The folder holds no log file.
    Empty { dir: PathBuf },
    /// A log was to be created where one is.
    Exists { dir: PathBuf },
    /// A record of 4 GiB or more.
    TooLarge { bytes: u64 },
    /// The kind belongs to the log ([`RecordKind::is_callers`]).
    ReservedKind { kind: RecordKind },
    /// No record begins at this position, or it was released.
    NoRecord { position: Position },
    /// A write or sync failed earlier: nothing more is taken until the log is opened again.
    Poisoned { cause: Arc<str> },
    /// The log was closed.
    Closed,
}

impl WalError {
    pub(crate) fn io(action: &'static str, path: &Path, source: io::Error) -> Self {
        Self::Io { action, path: path.to_owned(), source: Arc::new(source) }
    }

    pub(crate) fn damaged(file: &Path, offset: u64, position: Position, reason: impl Into<String>) -> Self {
        Self::Damaged { file: file.to_owned(), offset, position, reason: reason.into() }
    }

    /// Whether the disk is full.
    pub fn is_full(&self) -> bool {
        matches!(self, Self::Io { source, .. } if matches!(source.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded))
    }
}

impl fmt::Display for WalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { action, path, source } => write!(f, "could not {action} log file \"{}\": {source}", path.display()),
            Self::Damaged { file, offset, position, reason } => {
                write!(f, "log file \"{}\" is damaged at offset {offset} (log position {position}): {reason}", file.display())
            }
            Self::BadHeader { file, offset, reason } => {
                write!(f, "log file \"{}\" is damaged at offset {offset}: {reason}", file.display())
            }
            Self::Missing { file, number } => write!(f, "log file {number} is missing: \"{}\"", file.display()),
            Self::Duplicate { file, number } => write!(f, "log file {number} is there twice: \"{}\"", file.display()),
            Self::WrongLedger { file, found, expected } => {
                write!(f, "log file \"{}\" belongs to ledger {found}, not {expected}", file.display())
            }
            Self::WrongIncarnation { file, found, expected } => {
                write!(f, "log file \"{}\" belongs to incarnation {found}, which is not in the past of {expected}", file.display())
            }
            Self::UnknownVersion { file, version } => {
                write!(f, "log file \"{}\" has format version {version}, which this version does not read", file.display())
            }
            Self::Empty { dir } => write!(f, "there is no log in \"{}\"", dir.display()),
            Self::Exists { dir } => write!(f, "there is a log in \"{}\" already", dir.display()),
            Self::TooLarge { bytes } => write!(f, "a log record of {bytes} bytes is too large"),
            Self::ReservedKind { kind } => write!(f, "record kind {} belongs to the log", kind.0),
            Self::NoRecord { position } => write!(f, "no log record begins at position {position}"),
            Self::Poisoned { cause } => write!(f, "the log takes no more writes because one failed: {cause}"),
            Self::Closed => f.write_str("the log is closed"),
        }
    }
}

impl std::error::Error for WalError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source.as_ref()),
            _ => None,
        }
    }
}

impl From<WalError> for SqlError {
    fn from(error: WalError) -> Self {
        let message = error.to_string();
        let refused = |hint: &str| Self::new(SqlState::DATA_CORRUPTED, message.clone()).hint(hint);
        match error {
            WalError::Io { .. } if error.is_full() => {
                Self::new(SqlState::DISK_FULL, message).hint("Free disk space under the data folder and try again.")
            }
            WalError::Io { .. } => Self::new(SqlState::IO_ERROR, message),
            WalError::Poisoned { .. } => Self::new(SqlState::IO_ERROR, message)
                .detail("After a failed write the disk may not hold what was asked of it, and asking again would not tell.")
                .hint("Check the disk, then restart the server: recovery reads back what is really there."),
            WalError::Damaged { .. } | WalError::BadHeader { .. } | WalError::Missing { .. } => {
                refused("Nothing was changed. Restore the named file from a copy of the data folder.")
            }
            WalError::Duplicate { .. } => refused("Nothing was changed. Move the copy out of the folder."),
            WalError::WrongLedger { .. } | WalError::WrongIncarnation { .. } => {
                refused("Nothing was changed. The file was put here from another ledger or an abandoned copy; put back the right one.")
            }
            WalError::UnknownVersion { .. } => refused("Start the version that wrote it."),
            WalError::Empty { .. } | WalError::Exists { .. } => Self::new(SqlState::DATA_CORRUPTED, message),
            WalError::TooLarge { .. } => {
                Self::new(SqlState::PROGRAM_LIMIT_EXCEEDED, message).hint("Write in several statements; a record holds up to 4 GiB.")
            }
            WalError::ReservedKind { .. } | WalError::NoRecord { .. } => Self::internal(message),
            WalError::Closed => Self::new(SqlState::ADMIN_SHUTDOWN, message),
        }
    }
}
