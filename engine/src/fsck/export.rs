//! An export on disk, for the verifier that knows no disk.
//!
//! Never: writes; follows a path that the verifier did not ask for.

use std::io::{BufReader, ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base::{File, Io};
use receipts::export::{ExportFiles, Found};
use receipts::{Policy, Verdict, verify_export};

const BUFFER_BYTES: usize = 1 << 16;

/// Whether a folder says that it is an export.
pub fn is_export(io: &dyn Io, folder: &Path) -> bool {
    io.exists(&folder.join("export"))
}

/// Checks an export. `pinned` is a signed checkpoint of its SHA-256 tree kept from before, if any: the log must extend it.
pub fn check_export(io: &Arc<dyn Io>, folder: &Path, pinned: Option<&[u8]>, policy: &Policy) -> Verdict {
    verify_export(&Files { io: Arc::clone(io), folder: folder.to_path_buf() }, pinned, policy)
}

struct Files {
    io: Arc<dyn Io>,
    folder: PathBuf,
}

impl Files {
    /// Answers whether to go on.
    fn walk(&self, below: &str, each: &mut dyn FnMut(&str) -> bool) -> Result<bool, std::io::Error> {
        for name in self.io.list(&self.folder.join(below))? {
            let path = if below.is_empty() { name } else { format!("{below}/{name}") };
            let goes_on = match self.walk(&path, each) {
                // What cannot be listed is a file.
                Err(error) if error.kind() == ErrorKind::NotADirectory => each(&path),
                walked => walked?,
            };
            if !goes_on {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

impl ExportFiles for Files {
    fn paths(&self, each: &mut dyn FnMut(&str) -> bool) -> Found<()> {
        self.walk("", each).map_or(Found::Unreadable, |_| Found::Here(()))
    }

    fn open(&self, path: &str) -> Found<Box<dyn Read + '_>> {
        match self.io.open(&self.folder.join(path)) {
            Ok(file) => Found::Here(Box::new(BufReader::with_capacity(BUFFER_BYTES, Stream { file, at: 0 }))),
            Err(error) if error.kind() == ErrorKind::NotFound => Found::Absent,
            Err(_) => Found::Unreadable,
        }
    }
}

/// A file read from front to back.
struct Stream {
    file: Arc<dyn File>,
    at: u64,
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.file.read_at(self.at, buffer)?;
        self.at += read as u64;
        Ok(read)
    }
}
