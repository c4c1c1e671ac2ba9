//! The folder into which queries write what their memory does not hold.
//!
//! F1: the folder is this server's alone, and empty when it opens: what a killed server left there is of no use to anybody.
//! F2: a file lives as long as the run that wrote it.
//! Never: holds anything that is not in the tables.

use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use base::{SqlError, SqlResult, SqlState};
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};

/// Where queries go to disk, and how far.
#[derive(Clone, Debug)]
pub struct Spill {
    /// A folder of their own; made, mode 0700, or emptied when the service opens.
    pub folder: PathBuf,
    /// Bytes that the files of all running queries may have together; past it the query that writes fails with 53400.
    pub bytes_max: u64,
}

impl Spill {
    /// The folder, empty (F1). Errors: 58030 where it cannot be emptied or made, 53100 on a full disk.
    pub(crate) fn open(&self) -> SqlResult<DiskManagerBuilder> {
        empty(&self.folder).map_err(|error| failed(&error, &self.folder))?;
        let mode = DiskManagerMode::Directories(vec![self.folder.clone()]);
        Ok(DiskManagerBuilder::default().with_mode(mode).with_max_temp_directory_size(self.bytes_max))
    }
}

fn empty(folder: &Path) -> io::Result<()> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

fn failed(error: &io::Error, folder: &Path) -> SqlError {
    written(error).detail(format!("The folder for files of queries is \"{}\".", folder.display()))
}

/// The error of a query that could not write or read its files.
pub(crate) fn written(error: &io::Error) -> SqlError {
    if matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) {
        return SqlError::new(SqlState::DISK_FULL, format!("could not write a query's temporary file: {error}"))
            .hint("Make room on the disk, or raise statement_mem, so that the query goes to disk later.");
    }
    SqlError::new(SqlState::IO_ERROR, format!("could not use a query's temporary file: {error}"))
}

/// The error of a query whose files would be larger than the server lets them be, if that is what the text says.
pub(crate) fn exceeded(text: &str) -> Option<SqlError> {
    text.contains("during the spilling process has exceeded").then(|| {
        SqlError::new(SqlState::CONFIGURATION_LIMIT_EXCEEDED, "temporary file size exceeds temp-file-limit")
            .detail("What the running queries could not hold in memory takes as much of the disk as the server lets them take.")
            .hint("Make the query read or sort fewer rows, raise statement_mem, or start the server with a larger --temp-file-limit.")
    })
}
