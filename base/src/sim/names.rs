//! Directory entries of the simulated disk: what the process sees, what is durable, and the changes in between (S3).
//!
//! Never: looks at a file's bytes.

use crate::rng::{Rng, SeededRng};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    visible: BTreeMap<PathBuf, u64>,
    durable: BTreeMap<PathBuf, u64>,
    pending: Vec<Change>,
    dirs: BTreeSet<PathBuf>,
}

#[derive(Clone, Debug)]
enum Change {
    Link(PathBuf, u64),
    Unlink(PathBuf),
    Rename(PathBuf, PathBuf, u64),
}

impl Change {
    fn touches(&self, dir: &Path) -> bool {
        match self {
            Self::Link(path, _) | Self::Unlink(path) => path.parent() == Some(dir),
            Self::Rename(from, to, _) => from.parent() == Some(dir) || to.parent() == Some(dir),
        }
    }

    fn apply(&self, names: &mut BTreeMap<PathBuf, u64>) {
        match self {
            Self::Link(path, id) => {
                names.insert(path.clone(), *id);
            }
            Self::Unlink(path) => {
                names.remove(path);
            }
            Self::Rename(from, to, id) => {
                if names.get(from) == Some(id) {
                    names.remove(from);
                }
                names.insert(to.clone(), *id);
            }
        }
    }
}

fn not_found(path: &Path) -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, format!("no such file: {}", path.display()))
}

impl Names {
    pub(super) fn new() -> Self {
        Self { dirs: BTreeSet::from([PathBuf::new(), PathBuf::from("/")]), ..Self::default() }
    }

    pub(super) fn lookup(&self, path: &Path) -> io::Result<u64> {
        self.visible.get(path).copied().ok_or_else(|| not_found(path))
    }

    pub(super) fn is_dir(&self, path: &Path) -> bool {
        self.dirs.contains(path)
    }

    pub(super) fn link(&mut self, path: &Path, id: u64) -> io::Result<()> {
        self.parent_of(path)?;
        if self.visible.contains_key(path) || self.is_dir(path) {
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, format!("file exists: {}", path.display())));
        }
        self.change(Change::Link(path.to_owned(), id));
        Ok(())
    }

    pub(super) fn unlink(&mut self, path: &Path) -> io::Result<()> {
        self.lookup(path)?;
        self.change(Change::Unlink(path.to_owned()));
        Ok(())
    }

    pub(super) fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        let id = self.lookup(from)?;
        self.parent_of(to)?;
        if from != to {
            self.change(Change::Rename(from.to_owned(), to.to_owned(), id));
        }
        Ok(())
    }

    pub(super) fn create_dir_all(&mut self, dir: &Path) -> io::Result<()> {
        for path in dir.ancestors() {
            if self.visible.contains_key(path) {
                return Err(io::Error::new(io::ErrorKind::NotADirectory, format!("a file is in the way: {}", path.display())));
            }
        }
        self.dirs.extend(dir.ancestors().map(Path::to_owned));
        Ok(())
    }

    pub(super) fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        if !self.is_dir(dir) {
            return Err(not_found(dir));
        }
        let here = self.visible.keys().chain(&self.dirs).filter(|path| path.parent() == Some(dir));
        let mut names: Vec<String> = here.filter_map(|path| path.file_name()?.to_str().map(str::to_owned)).collect();
        names.sort();
        Ok(names)
    }

    pub(super) fn sync_dir(&mut self, dir: &Path) -> io::Result<()> {
        if !self.is_dir(dir) {
            return Err(not_found(dir));
        }
        let durable = &mut self.durable;
        self.pending.retain(|change| {
            let synced = change.touches(dir);
            if synced {
                change.apply(durable);
            }
            !synced
        });
        Ok(())
    }

    /// Draws which pending changes survived; the survivors are then all there is.
    pub(super) fn restart(&mut self, rng: &SeededRng) {
        for change in std::mem::take(&mut self.pending) {
            if rng.next_u64() & 1 == 1 {
                change.apply(&mut self.durable);
            }
        }
        self.visible = self.durable.clone();
    }

    /// Makes everything visible durable.
    pub(super) fn settle(&mut self) {
        self.pending.clear();
        self.durable = self.visible.clone();
    }

    fn change(&mut self, change: Change) {
        change.apply(&mut self.visible);
        self.pending.push(change);
    }

    fn parent_of(&self, path: &Path) -> io::Result<()> {
        match path.parent() {
            Some(parent) if self.is_dir(parent) => Ok(()),
            _ => Err(not_found(path.parent().unwrap_or(path))),
        }
    }
}
