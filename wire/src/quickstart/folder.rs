//! Where the tour works: a folder of its own, with the data and what an auditor would keep beside it.
//!
//! W1: a temporary folder goes away with the value; a folder the user named stays.
//! Never: uses a folder that holds anything already.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::Failure;

/// The tour's folder.
pub struct Workplace {
    root: PathBuf,
    _temporary: Option<TempDir>,
}

impl Workplace {
    /// The folder the user named, or a temporary one.
    pub fn open(named: Option<&Path>) -> Result<Self, Failure> {
        let Some(root) = named else {
            let temporary = tempfile::Builder::new().prefix("shockwave-quickstart-").tempdir()?;
            return Ok(Self { root: temporary.path().to_owned(), _temporary: Some(temporary) });
        };
        fs::create_dir_all(root)?;
        if fs::read_dir(root)?.next().is_some() {
            return Err(Failure::new(format!(
                "\"{}\" is not empty\nHINT:  Give an empty or new folder, or leave --data-dir away.",
                root.display()
            )));
        }
        Ok(Self { root: root.to_owned(), _temporary: None })
    }

    /// The server's data folder.
    pub fn data(&self) -> PathBuf {
        self.root.join("data")
    }

    /// The copy that will be tampered with.
    pub fn copy(&self) -> PathBuf {
        self.root.join("copy")
    }

    /// A file an auditor keeps.
    pub fn kept(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }
}
