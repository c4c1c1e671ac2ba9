//! Failures of the disk and of Arrow as errors that a user can act on.
//!
//! Never: hides which file it was.

use std::io;
use std::path::Path;

use arrow::error::ArrowError;
use base::{SqlError, SqlState};

/// The error for a file operation that failed: 53100 for a full disk, 58030 otherwise.
pub fn io_failed(action: &str, path: &Path, error: io::Error) -> SqlError {
    let message = format!("could not {action} \"{}\": {error}", path.display());
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            SqlError::new(SqlState::DISK_FULL, message)
                .hint("Free space on the volume that holds the data folder; nothing acknowledged is lost.")
        }
        io::ErrorKind::PermissionDenied => SqlError::new(SqlState::IO_ERROR, message).hint("Check owner and mode of the data folder."),
        _ => SqlError::new(SqlState::IO_ERROR, message),
    }
}

/// The error for an Arrow call that failed on data of ours.
pub fn arrow_failed(action: &str, error: &ArrowError) -> SqlError {
    match error {
        ArrowError::IoError(_, source) => {
            let kind = source.kind();
            io_failed(action, Path::new("segment"), io::Error::new(kind, source.to_string()))
        }
        _ => SqlError::internal(format!("could not {action}: {error}")),
    }
}

/// Runs one of Arrow's decoders over bytes that may be damaged: some malformed metadata makes it panic instead of erring, and damage must be an
/// error with its place named. Nothing of ours is left half changed: decoders only read.
pub fn contain_panic<T>(decode: impl FnOnce() -> Result<T, ArrowError>) -> Result<T, ArrowError> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(decode))
        .unwrap_or_else(|_| Err(ArrowError::IpcError("buffers do not fit the lengths that its metadata gives".into())))
}
