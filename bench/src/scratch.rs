//! A folder for everything a run writes, removed at the end.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::Outcome;

/// The folder; dropping it removes it unless it is to be kept.
pub struct Scratch {
    path: PathBuf,
    keep: bool,
}

impl Scratch {
    /// Makes a new folder in `parent` that other users may enter: PostgreSQL refuses to run as root.
    ///
    /// # Errors
    /// `parent` is not there or not writable.
    pub fn create(parent: &Path, keep: bool) -> Outcome<Scratch> {
        let error = |e: std::io::Error| format!("cannot make a scratch folder in {}: {e}", parent.display());
        let parent = parent.canonicalize().map_err(error)?;
        for attempt in 0..1000 {
            let path = parent.join(format!("shockwave-bench-{}-{attempt}", std::process::id()));
            match std::fs::create_dir(&path) {
                Ok(()) => {
                    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).map_err(error)?;
                    return Ok(Scratch { path, keep });
                }
                Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(e) => return Err(error(e)),
            }
        }
        Err(format!("cannot make a scratch folder in {}: all names are taken", parent.display()))
    }

    /// Its path, absolute.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if self.keep {
            eprintln!("kept: {}", self.path.display());
        } else if let Err(e) = std::fs::remove_dir_all(&self.path) {
            eprintln!("cannot remove {}: {e}", self.path.display());
        }
    }
}
