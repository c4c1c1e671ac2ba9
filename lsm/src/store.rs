//! What threads of a tree share: the view, the manifest, who reads, what failed. Every change to the set of runs passes [`Store::install`].
//!
//! T1: a view is published only after the manifest that names its runs is durable.
//! T2: after a failed sync, or a failure to change the manifest, nothing is written any more until the tree is opened anew.
//! T3: a file that no manifest names is removed, at the latest when the tree is opened.
//! Lock order: manifest, view; readers; errors. Nobody holds two of the last three.
//! Never: retries a sync; writes where a run is.

use crate::cache::BlockCache;
use crate::error::LsmError;
use crate::levels::{Edit, Levels};
use crate::manifest::{self, Manifest};
use crate::memtable::Memtable;
use crate::options::Options;
use crate::readers::{Keep, Readers};
use crate::run::{Run, run_number, run_path};
use crate::stats::Counters;
use crate::view::View;
use base::{CommitSeq, Io};
use parking_lot::{Condvar, Mutex, RwLock};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

#[derive(Debug)]
pub(crate) struct Store {
    pub(crate) io: Arc<dyn Io>,
    pub(crate) dir: PathBuf,
    pub(crate) options: Options,
    pub(crate) cache: Arc<BlockCache>,
    pub(crate) counters: Counters,
    pub(crate) readers: Mutex<Readers>,
    view: RwLock<Arc<View>>,
    manifest: Mutex<Manifest>,
    next_run: AtomicU64,
    /// No read is begun below this; what `readers` says, to be looked at without its lock.
    horizon: AtomicU64,
    /// Commits below this are in the view.
    applied: AtomicU64,
    /// Commits below this are in the runs.
    durable: AtomicU64,
    poison: OnceLock<Arc<str>>,
    /// Failures that may pass (a full disk), of flushing and of compaction, until somebody is told.
    pub(crate) failures: Mutex<Failures>,
    /// Held by whoever compacts.
    pub(crate) compacting: Mutex<()>,
    stopping: AtomicBool,
    /// Signalled whenever anything that a thread waits for may have changed.
    signal: Mutex<()>,
    changed: Condvar,
}

/// What an edit of the runs makes durable.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Reached<'a> {
    /// Nothing new: runs in the place of others.
    Nothing,
    /// The oldest sealed memtable.
    Flushed(&'a (Arc<Memtable>, u64)),
    /// Commits below this, of which no memtable knows.
    Ingested(u64),
}

/// What went wrong in the background and may pass.
#[derive(Debug, Default)]
pub(crate) struct Failures {
    pub(crate) flush: Option<LsmError>,
    pub(crate) compaction: Option<LsmError>,
}

/// «below» as the last commit, if there is one.
pub(crate) fn last_below(below: u64) -> Option<CommitSeq> {
    below.checked_sub(1).map(CommitSeq)
}

impl Store {
    /// Opens what the folder's manifest names, or makes an empty tree in a folder without one.
    pub(crate) fn open(io: Arc<dyn Io>, dir: PathBuf, options: Options) -> Result<Self, LsmError> {
        let options = options.within_range();
        io.create_dir_all(&dir).map_err(|error| LsmError::io("create", &dir, error))?;
        let names = io.list(&dir).map_err(|error| LsmError::io("list", &dir, error))?;
        let highest = names.iter().filter_map(|name| run_number(name)).max();
        let mut manifest = match Manifest::read(io.as_ref(), &dir)? {
            Some(manifest) => manifest,
            None if highest.is_some() => return Err(LsmError::Missing { file: dir.join(manifest::NAME) }),
            None => {
                let empty = Manifest::default();
                empty.write(io.as_ref(), &dir)?;
                empty
            }
        };
        let open = |files: &Vec<_>| files.iter().map(|file| Run::open(io.as_ref(), &dir, *file).map(Arc::new)).collect();
        let runs: Vec<Vec<Arc<Run>>> = manifest.levels.iter().map(open).collect::<Result<_, LsmError>>()?;
        let levels = Levels::of(runs).map_err(|broken| LsmError::damaged(&dir.join(manifest::NAME), 0, broken))?;
        remove_strays(io.as_ref(), &dir, &names, &manifest)?;
        // A stray whose removal is lost in a crash must not meet a run of its number.
        manifest.next_run = manifest.next_run.max(highest.map_or(0, |highest| highest + 1));
        let active = Arc::new(Memtable::new(options.memtable_bytes));
        Ok(Self {
            cache: Arc::new(BlockCache::new(options.cache_bytes)),
            counters: Counters::default(),
            readers: Mutex::new(Readers::new(manifest.released)),
            horizon: AtomicU64::new(manifest.released),
            view: RwLock::new(Arc::new(View { active, sealed: Vec::new(), levels: Arc::new(levels) })),
            next_run: AtomicU64::new(manifest.next_run),
            applied: AtomicU64::new(manifest.durable),
            durable: AtomicU64::new(manifest.durable),
            manifest: Mutex::new(manifest),
            poison: OnceLock::new(),
            failures: Mutex::default(),
            compacting: Mutex::new(()),
            stopping: AtomicBool::new(false),
            signal: Mutex::new(()),
            changed: Condvar::new(),
            io,
            dir,
            options,
        })
    }

    pub(crate) fn view(&self) -> Arc<View> {
        Arc::clone(&self.view.read())
    }

    /// A view that a read below `below` may use without being registered; `None` if what it would see may be gone. Whatever made the runs of the view
    /// let go of less than the horizon allows now, so looking at the horizon after taking the view is enough.
    pub(crate) fn view_below(&self, below: u64) -> Option<Arc<View>> {
        let view = self.view();
        (below >= self.horizon.load(Ordering::Acquire)).then_some(view)
    }

    /// Promises that nothing will be read below `horizon` (S2 of `readers.rs`).
    pub(crate) fn release(&self, horizon: u64) {
        let mut readers = self.readers.lock();
        // Before a compaction may act on it.
        self.horizon.fetch_max(horizon, Ordering::AcqRel);
        readers.release(horizon);
    }

    pub(crate) fn applied(&self) -> u64 {
        self.applied.load(Ordering::Acquire)
    }

    /// Lets readers see commits below this.
    pub(crate) fn set_applied(&self, below: u64) {
        self.applied.store(below, Ordering::Release);
    }

    pub(crate) fn durable(&self) -> u64 {
        self.durable.load(Ordering::Acquire)
    }

    pub(crate) fn draw_run_number(&self) -> u64 {
        self.next_run.fetch_add(1, Ordering::Relaxed)
    }

    /// Puts a new memtable in the place of the active one, which then waits to be flushed.
    pub(crate) fn seal(&self) {
        let fresh = Arc::new(Memtable::new(self.options.memtable_bytes));
        let mut view = self.view.write();
        let mut next = View::clone(&view);
        let full = std::mem::replace(&mut next.active, fresh);
        next.sealed.insert(0, (full, self.applied()));
        *view = Arc::new(next);
        drop(view);
        self.notify();
    }

    /// Changes the set of runs, durably and then visibly (T1). `reached` is what the edit puts on disk that was not there; `keep` is what was looked at
    /// when versions were let go.
    pub(crate) fn install(&self, edit: &Edit, reached: Reached<'_>, keep: &Keep) -> Result<(), LsmError> {
        let mut manifest = self.manifest.lock();
        self.check_poison()?;
        let levels = self.view().levels.edited(edit);
        let files = |level| levels.level(level).iter().map(|run| run.file()).collect();
        let durable = match reached {
            Reached::Nothing => manifest.durable,
            Reached::Flushed((_, below)) => *below,
            Reached::Ingested(below) => below,
        };
        let next = Manifest {
            next_run: self.next_run.load(Ordering::Relaxed),
            durable,
            // What is in runs is below `durable`, so nothing was let go that a reader from there on would miss (M4).
            released: manifest.released.max(keep.horizon().min(durable)),
            levels: (0..crate::levels::LEVELS_MAX).map(files).collect(),
        };
        assert!(next.durable >= manifest.durable, "T1: what is durable stays so");
        if let Err(error) = next.write(self.io.as_ref(), &self.dir) {
            // Where the disk was full the manifest is still the old one, and the new runs would only take more of it.
            if may_pass(&error) {
                edit.fresh().for_each(|number| self.remove_run(number));
            }
            return Err(error);
        }
        *manifest = next;
        self.durable.store(manifest.durable, Ordering::Release);
        let mut view = self.view.write();
        let mut sealed = view.sealed.clone();
        if let Reached::Flushed((table, _)) = reached {
            let oldest = sealed.pop();
            assert!(oldest.is_some_and(|(oldest, _)| Arc::ptr_eq(&oldest, table)), "T1: memtables become durable in their order");
        }
        *view = Arc::new(View { active: Arc::clone(&view.active), sealed, levels: Arc::new(levels) });
        drop(view);
        drop(manifest);
        edit.gone().for_each(|number| self.remove_run(number));
        self.notify();
        Ok(())
    }

    /// Removes a run that no manifest names. Whoever reads it has it mapped; a name that stays is removed at the next start (T3).
    pub(crate) fn remove_run(&self, number: u64) {
        let _ = self.io.remove(&run_path(&self.dir, number));
    }

    /// Whether the disk's manifest is the one in memory.
    pub(crate) fn check_manifest(&self) -> Result<(), LsmError> {
        let manifest = self.manifest.lock();
        let on_disk = Manifest::read(self.io.as_ref(), &self.dir)?;
        let same = on_disk.is_some_and(|disk| {
            let runs = |manifest: &Manifest| manifest.levels.iter().flatten().copied().collect::<Vec<_>>();
            (disk.durable, disk.released, runs(&disk)) == (manifest.durable, manifest.released, runs(&manifest))
        });
        let path = self.dir.join(manifest::NAME);
        if same { Ok(()) } else { Err(LsmError::broken("M1", &path, "the manifest on disk is not the one in use")) }
    }

    /// Judges a failure of a write: one after which the disk may hold anything stops all writing (T2).
    pub(crate) fn failed(&self, error: LsmError) -> LsmError {
        if !may_pass(&error) {
            let _ = self.poison.set(error.to_string().into());
        }
        self.notify();
        error
    }

    pub(crate) fn check_poison(&self) -> Result<(), LsmError> {
        match self.poison.get() {
            Some(cause) => Err(LsmError::Poisoned { cause: Arc::clone(cause) }),
            None => Ok(()),
        }
    }

    pub(crate) fn is_poisoned(&self) -> bool {
        self.poison.get().is_some()
    }

    pub(crate) fn stop(&self) {
        self.stopping.store(true, Ordering::Release);
        self.notify();
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    pub(crate) fn notify(&self) {
        drop(self.signal.lock());
        self.changed.notify_all();
    }

    /// Waits until `ready` gives something. It is asked again after every change.
    pub(crate) fn wait_for<T>(&self, mut ready: impl FnMut() -> Option<T>) -> T {
        let mut signal = self.signal.lock();
        loop {
            if let Some(answer) = ready() {
                return answer;
            }
            self.changed.wait(&mut signal);
        }
    }

    /// Waits for so long, or until a change makes `enough` true.
    pub(crate) fn pause(&self, ns: u64, enough: impl Fn() -> bool) {
        let mut signal = self.signal.lock();
        let mut left = ns;
        while left > 0 && !enough() {
            // A wake-up takes the rest of a slice with it, which shortens the pause a little and is what it is for.
            let slice = left.min(2_000_000);
            self.changed.wait_for(&mut signal, std::time::Duration::from_nanos(slice));
            left -= slice;
        }
    }
}

/// Whether after this failure the disk holds what it held before, but for files that no manifest names.
fn may_pass(error: &LsmError) -> bool {
    match error {
        LsmError::Io { action, .. } => error.is_full() && *action != "sync",
        LsmError::Closed => true,
        _ => false,
    }
}

/// T3.
fn remove_strays(io: &dyn Io, dir: &std::path::Path, names: &[String], manifest: &Manifest) -> Result<(), LsmError> {
    let named = |number: u64| manifest.levels.iter().flatten().any(|run| run.number == number);
    let is_stray = |name: &&String| *name == manifest::NEXT_NAME || run_number(name).is_some_and(|number| !named(number));
    for name in names.iter().filter(is_stray) {
        let path = dir.join(name);
        if !io.exists(&path) {
            continue;
        }
        io.remove(&path).map_err(|error| LsmError::io("remove", &path, error))?;
    }
    Ok(())
}
