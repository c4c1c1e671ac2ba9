//! Versions that come in any order and are too many for memory, on their way into a tree: sorted runs in a folder of their own.
//!
//! G2: each run is sorted by K1; runs may overlap in every way. No version is there twice.
//! G3: nothing in here outlives its owner: the folder is emptied when it is opened and when it is dropped.
//! Never: named by a manifest; read by a tree.

use crate::cache::BlockCache;
use crate::error::LsmError;
use crate::filter;
use crate::merge::{Merge, Source};
use crate::run::{Run, RunCursor, RunFile, RunWriter, run_number, run_path};
use crate::version::{Kind, SEQ_END, Version};
use base::Io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

const BLOCK_BYTES: usize = 16 << 10;
const FILTER_BITS: usize = 10;

/// Sorted runs that are no tree.
#[derive(Debug)]
pub struct Staging {
    io: Arc<dyn Io>,
    dir: PathBuf,
    cache: BlockCache,
    runs: Vec<Arc<Run>>,
    next: u64,
}

impl Staging {
    /// An empty one in `dir`, which belongs to it alone (G3); it keeps `cache_bytes` of what is looked up.
    ///
    /// # Errors
    /// `Io`.
    pub fn create(io: Arc<dyn Io>, dir: &Path, cache_bytes: usize) -> Result<Self, LsmError> {
        io.create_dir_all(dir).map_err(|error| LsmError::io("create", dir, error))?;
        let staging = Self { io, dir: dir.to_owned(), cache: BlockCache::new(cache_bytes), runs: Vec::new(), next: 0 };
        let names = staging.io.list(dir).map_err(|error| LsmError::io("list", dir, error))?;
        for name in names.iter().filter(|name| run_number(name).is_some()) {
            let path = dir.join(name);
            staging.io.remove(&path).map_err(|error| LsmError::io("remove", &path, error))?;
        }
        Ok(staging)
    }

    /// Adds versions (key, number, value), sorted by key and then by number descending. The number may be a commit or anything else below 2⁵⁶ that
    /// tells versions of a key apart.
    ///
    /// # Errors
    /// `Io`; none of them is there then.
    ///
    /// # Panics
    /// Where they are not sorted.
    pub fn add<'v>(&mut self, sorted: impl IntoIterator<Item = StagedVersion<'v>>) -> Result<(), LsmError> {
        let number = self.next;
        self.next += 1;
        let added = self.write(number, sorted);
        if added.is_err() {
            let _ = self.io.remove(&run_path(&self.dir, number));
        }
        self.runs.extend(added?.map(Arc::new));
        Ok(())
    }

    fn write<'v>(&self, number: u64, sorted: impl IntoIterator<Item = StagedVersion<'v>>) -> Result<Option<Run>, LsmError> {
        let mut sorted = sorted.into_iter().peekable();
        if sorted.peek().is_none() {
            return Ok(None);
        }
        let mut writer = RunWriter::create(self.io.as_ref(), &self.dir, number, BLOCK_BYTES, FILTER_BITS)?;
        for (key, seq, value) in sorted {
            writer.push(&Version { key, seq, kind: Kind::Put, value })?;
        }
        let file: RunFile = writer.finish(&[])?;
        Run::open(self.io.as_ref(), &self.dir, file).map(Some)
    }

    /// The greatest number that `key` was added with.
    ///
    /// # Errors
    /// A block that must be read and is damaged.
    pub fn newest(&self, key: &[u8]) -> Result<Option<u64>, LsmError> {
        let hash = filter::hash(key);
        let mut newest = None;
        for run in &self.runs {
            if key >= run.span().first.as_slice() && !run.span().is_before(key) {
                let hit = run.get(key, hash, SEQ_END, &self.cache)?;
                newest = newest.max(hit.map(|hit| hit.seq));
            }
        }
        Ok(newest)
    }

    /// Everything in order: by key, the greatest number first.
    ///
    /// # Errors
    /// As [`Staging::newest`].
    pub fn scan(&self) -> Result<StagedScan, LsmError> {
        StagedScan::of([self])
    }

    /// Adds what a walk over others gives.
    ///
    /// # Errors
    /// As [`Staging::add`]; a block of theirs that is damaged.
    pub fn add_scan(&mut self, mut scan: StagedScan) -> Result<(), LsmError> {
        let number = self.next;
        self.next += 1;
        let mut writer = RunWriter::create(self.io.as_ref(), &self.dir, number, BLOCK_BYTES, FILTER_BITS)?;
        let mut write = || {
            while let Some((key, seq, value)) = scan.step()? {
                writer.push(&Version { key, seq, kind: Kind::Put, value })?;
            }
            Ok(())
        };
        let opened = write().and_then(|()| Run::open(self.io.as_ref(), &self.dir, writer.finish(&[])?));
        if opened.is_err() {
            let _ = self.io.remove(&run_path(&self.dir, number));
        }
        self.runs.push(Arc::new(opened?));
        Ok(())
    }

    /// Number of runs.
    pub fn runs(&self) -> usize {
        self.runs.len()
    }
}

impl Staging {
    /// Forgets everything.
    pub fn clear(&mut self) {
        for run in self.runs.drain(..) {
            // What stays is removed when the folder is next opened (G3).
            let _ = self.io.remove(run.path());
        }
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        self.clear();
    }
}

/// Key, number and value.
pub type StagedVersion<'a> = (&'a [u8], u64, &'a [u8]);

/// A walk over all versions of a [`Staging`].
#[derive(Debug)]
pub struct StagedScan {
    merge: Merge,
    is_begun: bool,
}

impl StagedScan {
    /// Over all versions of several, as one.
    ///
    /// # Errors
    /// As [`Staging::newest`].
    pub fn of<'s>(all: impl IntoIterator<Item = &'s Staging>) -> Result<Self, LsmError> {
        let runs = all.into_iter().flat_map(|staging| &staging.runs);
        let mut merge = Merge::new(runs.map(|run| Source::Run(RunCursor::new(Arc::clone(run), None))).collect());
        merge.seek(&[], SEQ_END)?;
        Ok(Self { merge, is_begun: false })
    }

    /// The next key, number and value; `None` at the end.
    ///
    /// # Errors
    /// A block that is damaged.
    pub fn step(&mut self) -> Result<Option<StagedVersion<'_>>, LsmError> {
        if self.is_begun {
            self.merge.step()?;
        }
        self.is_begun = true;
        Ok(self.merge.version().map(|version| (version.key, version.seq, version.value)))
    }
}
