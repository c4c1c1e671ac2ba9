//! What can go wrong with a tree, by name, and what a SQL user is told of it.
//!
//! Never: carries a key or a value.

use base::{CommitSeq, SqlError, SqlState};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Why the tree refused. Paths are as the caller gave them.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "the fields say what their names say: where, found against expected")]
pub enum LsmError {
    /// The file system failed. Full disks come as `ErrorKind::StorageFull` ([`LsmError::is_full`]).
    Io { action: &'static str, path: PathBuf, source: Arc<io::Error> },
    /// Bytes of a file are not what was written: bit rot, a lost block, or somebody's hand. The tree is a fold: drop the folder, rebuild it.
    Damaged { file: PathBuf, offset: u64, reason: String },
    /// The manifest names a run that is not there, or there are runs and no manifest.
    Missing { file: PathBuf },
    /// A file of a format this version does not read.
    UnknownVersion { file: PathBuf, version: u32 },
    /// [`crate::Tree::check`] found this invariant violated.
    Broken { invariant: &'static str, file: PathBuf, detail: String },
    /// Commits must come in order, each once.
    OutOfOrder { seq: CommitSeq, applied: Option<CommitSeq> },
    /// What this commit saw was let go ([`crate::Tree::release`]); commits from `oldest` on can be read.
    Released { seq: CommitSeq, oldest: CommitSeq },
    /// The tree has not come to this commit yet.
    Ahead { seq: CommitSeq, applied: Option<CommitSeq> },
    /// A key of more than 64 KiB, a value of more than 256 MiB, or a batch of more than 1 GiB.
    TooLarge { bytes: u64 },
    /// A write or sync failed earlier: nothing more is taken until the tree is opened again.
    Poisoned { cause: Arc<str> },
    /// The tree was closed while work was going on.
    Closed,
}

impl LsmError {
    pub(crate) fn io(action: &'static str, path: &Path, source: io::Error) -> Self {
        Self::Io { action, path: path.to_owned(), source: Arc::new(source) }
    }

    pub(crate) fn damaged(file: &Path, offset: u64, reason: impl Into<String>) -> Self {
        Self::Damaged { file: file.to_owned(), offset, reason: reason.into() }
    }

    pub(crate) fn broken(invariant: &'static str, file: &Path, detail: impl Into<String>) -> Self {
        Self::Broken { invariant, file: file.to_owned(), detail: detail.into() }
    }

    /// Whether the disk is full.
    pub fn is_full(&self) -> bool {
        matches!(self, Self::Io { source, .. } if matches!(source.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded))
    }
}

/// "commit 7", or that there was none.
struct Reached(Option<CommitSeq>);

impl fmt::Display for Reached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(seq) => write!(f, "commit {seq}"),
            None => f.write_str("no commit"),
        }
    }
}

impl fmt::Display for LsmError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { action, path, source } => write!(f, "could not {action} tree file \"{}\": {source}", path.display()),
            Self::Damaged { file, offset, reason } => {
                write!(f, "tree file \"{}\" is damaged at offset {offset}: {reason}", file.display())
            }
            Self::Missing { file } => write!(f, "tree file \"{}\" is missing", file.display()),
            Self::UnknownVersion { file, version } => {
                write!(f, "tree file \"{}\" has format version {version}, which this version does not read", file.display())
            }
            Self::Broken { invariant, file, detail } => {
                write!(f, "{invariant} does not hold in tree file \"{}\": {detail}", file.display())
            }
            Self::OutOfOrder { seq, applied } => write!(f, "commit {seq} cannot follow {}", Reached(*applied)),
            Self::Released { seq, oldest } => write!(f, "the tree lets commits from {oldest} on be read, not {seq}"),
            Self::Ahead { seq, applied } => write!(f, "commit {seq} cannot be read: the tree has come to {}", Reached(*applied)),
            Self::TooLarge { bytes } => write!(f, "a key, value or batch of {bytes} bytes is too large for the tree"),
            Self::Poisoned { cause } => write!(f, "the tree takes no more writes because one failed: {cause}"),
            Self::Closed => f.write_str("the tree is closed"),
        }
    }
}

impl std::error::Error for LsmError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source.as_ref()),
            _ => None,
        }
    }
}

impl From<LsmError> for SqlError {
    fn from(error: LsmError) -> Self {
        let message = error.to_string();
        match error {
            LsmError::Io { .. } if error.is_full() => {
                Self::new(SqlState::DISK_FULL, message).hint("Free disk space under the data folder and try again.")
            }
            LsmError::Io { .. } => Self::new(SqlState::IO_ERROR, message),
            LsmError::Poisoned { .. } => Self::new(SqlState::IO_ERROR, message)
                .detail("After a failed write the disk may not hold what was asked of it, and asking again would not tell.")
                .hint("Check the disk, then restart the server: the tree goes on from what is really there."),
            LsmError::Damaged { .. } | LsmError::Missing { .. } | LsmError::Broken { .. } => Self::new(SqlState::DATA_CORRUPTED, message)
                .hint("The tree is derived from the ledger: remove its folder while the server is stopped, and it is built anew."),
            LsmError::UnknownVersion { .. } => {
                Self::new(SqlState::DATA_CORRUPTED, message).hint("Start the version that wrote it, or remove the folder of the tree.")
            }
            LsmError::TooLarge { .. } => Self::new(SqlState::PROGRAM_LIMIT_EXCEEDED, message),
            LsmError::OutOfOrder { .. } | LsmError::Released { .. } | LsmError::Ahead { .. } => Self::internal(message),
            LsmError::Closed => Self::new(SqlState::ADMIN_SHUTDOWN, message),
        }
    }
}
