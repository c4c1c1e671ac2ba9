//! Where goes what is too large for memory on its way into the tree: sorted runs in folders beside it.
//!
//! S1: each user has a folder of his own, which is empty when he has gone; numbers of folders are used again.
//! Never: outlives the server.

use std::ops::{Deref, DerefMut};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base::SqlResult;
use base::io::Io;
use lsm::Staging;
use parking_lot::Mutex;

const PREFIX: &str = "staging.";

/// Room for all that is staged for one tree.
#[derive(Debug)]
pub(crate) struct Place {
    io: Arc<dyn Io>,
    dir: PathBuf,
    /// By number, whether the folder is taken.
    taken: Mutex<Vec<bool>>,
    /// What one user keeps in memory before he stages it.
    pub(crate) budget_bytes: usize,
    /// What takes more than this goes past the memtable.
    pub(crate) batch_bytes: usize,
}

/// Runs in a folder of their own.
#[derive(Debug)]
pub(crate) struct Staged {
    staging: Staging,
    place: Arc<Place>,
    number: usize,
}

impl Place {
    pub(crate) fn new(io: Arc<dyn Io>, dir: PathBuf, budget_bytes: usize, batch_bytes: usize) -> Self {
        Self { io, dir, taken: Mutex::default(), budget_bytes, batch_bytes }
    }

    /// A folder (S1); it keeps `cache_bytes` of what is looked up. Errors: 58030.
    pub(crate) fn open(this: &Arc<Self>, cache_bytes: usize) -> SqlResult<Staged> {
        let number = {
            let mut taken = this.taken.lock();
            let number = taken.iter().position(|taken| !taken).unwrap_or(taken.len());
            match taken.get_mut(number) {
                Some(free) => *free = true,
                None => taken.push(true),
            }
            number
        };
        let staging = Staging::create(Arc::clone(&this.io), &this.dir.join(format!("{PREFIX}{number}")), cache_bytes);
        match staging {
            Ok(staging) => Ok(Staged { staging, place: Arc::clone(this), number }),
            Err(error) => {
                this.taken.lock()[number] = false;
                Err(error.into())
            }
        }
    }
}

/// Folders that a server which was killed may have left things in.
pub(crate) fn left_behind<'n>(dir: &'n Path, names: &'n [String]) -> impl Iterator<Item = PathBuf> + use<'n> {
    names.iter().filter(|name| name.starts_with(PREFIX)).map(|name| dir.join(name))
}

impl Drop for Staged {
    fn drop(&mut self) {
        self.staging.clear();
        self.place.taken.lock()[self.number] = false;
    }
}

impl Deref for Staged {
    type Target = Staging;

    fn deref(&self) -> &Staging {
        &self.staging
    }
}

impl DerefMut for Staged {
    fn deref_mut(&mut self) -> &mut Staging {
        &mut self.staging
    }
}
