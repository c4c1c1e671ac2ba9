//! The tree that a ledger's folds live in, and the folder it lives in.
//!
//! D1: what is in the folder counts only if it is of this ledger and incarnation, in this format, undamaged, and not ahead of the ledger;
//!     otherwise it is made anew from the ledger.
//! D2: nothing reaches the disk before the log has it: memtables are sealed only where everything written is durable ([`FoldStore::reserve`]).
//! D3: whoever meets damage while reading has the folds made anew and reads again; nobody gets an answer out of damaged bytes.
//! Never: the only place where anything is known.
//! Format: docs/formats/folds.md.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock, Weak};

use base::io::Io;
use base::{CommitSeq, LedgerId, RelationId, SqlResult};
use lsm::{Batch, FlushTarget, LsmError, Stats, Tree};
use parking_lot::{MappedRwLockReadGuard, RwLock, RwLockReadGuard};

use crate::checkpoints::replace;
use crate::failure::io_failed;
use crate::folds::changes::{Changes, Commits};
use crate::folds::names;
use crate::folds::staged::{Place, left_behind};
use crate::folds::whole::Whole;
use crate::options::Options;

/// Name of the folder below the ledger's.
pub const FOLDER: &str = "folds";
/// Name of the file that says what is in it.
const CURRENT: &str = "current";
const TITLE: &str = "shockwave folds 3";
/// Folders of trees: one is in use, the other is for the next.
const TREES: [&str; 2] = ["tree.1", "tree.2"];

/// What folds are made from.
pub(crate) trait Ground: Send + Sync + std::fmt::Debug {
    /// Makes the folds anew unless they are not those of `generation` any more. Errors: where the ledger cannot be read or the disk not written.
    fn mend(&self, generation: u64, why: &LsmError) -> SqlResult<()>;
}

#[derive(Debug)]
struct Current {
    tree: Tree,
    name: &'static str,
    generation: u64,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct FoldStore {
    io: Arc<dyn Io>,
    dir: PathBuf,
    text: String,
    options: lsm::Options,
    place: Arc<Place>,
    /// `None` until the ledger has been read so far that it can be opened.
    current: RwLock<Option<Current>>,
    whole: RwLock<Whole>,
    ground: OnceLock<Weak<dyn Ground>>,
}

/// How many rows of each chunk of each table are ended.
pub(crate) type EndedChunks = BTreeMap<RelationId, Vec<(u64, u64)>>;

impl FoldStore {
    /// The folds of a ledger in a folder, not opened yet.
    pub(crate) fn new(folder: &Path, (ledger, incarnation): (LedgerId, u32), options: &Options) -> Self {
        Self {
            io: Arc::clone(&options.io),
            dir: folder.join(FOLDER),
            text: format!("{TITLE}\nid {ledger}\nincarnation {incarnation}\n"),
            options: tree_options(options),
            place: Arc::new(Place::new(
                Arc::clone(&options.io),
                folder.join(FOLDER),
                options.memory.staging_bytes,
                options.memory.memtable_bytes,
            )),
            current: RwLock::new(None),
            whole: RwLock::default(),
            ground: OnceLock::new(),
        }
    }

    /// Opens the folds of a ledger that has `size` commits, or an empty tree in their place (D1): then it says why.
    ///
    /// Errors: 58030, 53100 where there can be no tree.
    pub(crate) fn open(&self, size: u64) -> SqlResult<Option<String>> {
        self.io.create_dir_all(&self.dir).map_err(|error| io_failed("create", &self.dir, error))?;
        let names = self.io.list(&self.dir).map_err(|error| io_failed("list", &self.dir, error))?;
        left_behind(&self.dir, &names).try_for_each(|dir| clear(&*self.io, &dir))?;
        let (current, why) = match open_current(&self.io, &self.dir, &self.text, size, &self.options) {
            Ok(current) => (current, None),
            Err(why) => (self.open_empty()?, Some(why)),
        };
        *self.current.write() = Some(current);
        Ok(why)
    }

    /// In the place of whatever there is.
    fn open_empty(&self) -> SqlResult<Current> {
        TREES.iter().try_for_each(|name| clear(&*self.io, &self.dir.join(name)))?;
        let tree = Tree::open(Arc::clone(&self.io), &self.dir.join(TREES[0]), self.options.clone())?;
        replace(&*self.io, &self.dir.join(CURRENT), format!("{}tree {}\n", self.text, TREES[0]).as_bytes())?;
        Ok(Current { tree, name: TREES[0], generation: 0 })
    }

    /// Begins anew with an empty tree, for what was opened and found damaged. Errors: as [`FoldStore::open`].
    pub(crate) fn begin_anew(&self) -> SqlResult<()> {
        let mut current = self.current.write();
        // Its threads end before its files go.
        *current = None;
        *current = Some(self.open_empty()?);
        self.whole.write().clear();
        Ok(())
    }

    fn current(&self) -> MappedRwLockReadGuard<'_, Current> {
        // Recursive: what is read may lead to the next read.
        let current = self.current.read_recursive();
        RwLockReadGuard::map(current, |current| current.as_ref().unwrap_or_else(|| panic!("D1: folds are opened before they are read")))
    }

    /// Says where the folds can be made anew from.
    pub(crate) fn stand_on(&self, ground: Weak<dyn Ground>) {
        let _first = self.ground.set(ground);
    }

    /// What `read` finds in the tree (D3). Errors: those of making the folds anew.
    #[inline]
    pub(crate) fn read<T>(&self, read: impl Fn(&Tree) -> Result<T, LsmError>) -> SqlResult<T> {
        let (generation, error) = {
            let current = self.current();
            match read(&current.tree) {
                Ok(found) => return Ok(found),
                Err(error) => (current.generation, error),
            }
        };
        self.mend(generation, error)?;
        Ok(read(&self.current().tree)?)
    }

    #[cold]
    fn mend(&self, generation: u64, error: LsmError) -> SqlResult<()> {
        match self.ground.get().and_then(Weak::upgrade).filter(|_| is_mendable(&error)) {
            Some(ground) => ground.mend(generation, &error),
            None => Err(error.into()),
        }
    }

    /// Whether the tree is that of an earlier [`FoldStore::read`].
    pub(crate) fn is_of(&self, generation: u64) -> bool {
        self.current().generation == generation
    }

    /// Commits that the folds have.
    pub(crate) fn applied(&self) -> u64 {
        self.current().tree.applied_seq().map_or(0, |seq| seq.0 + 1)
    }

    /// Commits that the folds would have after a crash.
    pub(crate) fn durable(&self) -> u64 {
        self.current().tree.durable_seq().map_or(0, |seq| seq.0 + 1)
    }

    /// Makes room for the next commit, which writes to memory alone then. Everything written so far must be durable in the log (D2).
    ///
    /// Errors: 53100, after which it may be tried again; 58030.
    pub(crate) fn reserve(&self) -> SqlResult<()> {
        self.read(Tree::reserve)
    }

    /// An empty set of changes.
    pub(crate) fn changes(&self, commits: Commits) -> Changes {
        Changes::new(Arc::clone(&self.place), commits)
    }

    /// Where goes what is too large for memory.
    pub(crate) fn place(&self) -> &Arc<Place> {
        &self.place
    }

    /// Gives what a commit does to the tree. Errors: 58030, 53100 where it is large.
    pub(crate) fn write(&self, changes: Changes) -> SqlResult<()> {
        Ok(changes.write(&self.current().tree)?)
    }

    /// Lets what was written go to disk; it must be durable in the log (D2). Errors: 58030.
    pub(crate) fn begin_flush(&self) -> SqlResult<FlushTarget> {
        self.read(Tree::begin_flush)
    }

    /// Waits for what was let go. Errors: 53100, 58030.
    pub(crate) fn finish_flush(&self, target: FlushTarget) -> SqlResult<()> {
        // A tree that was made anew meanwhile is durable.
        Ok(self.current().tree.finish_flush(target)?)
    }

    /// Whether there is an index of this key.
    pub(crate) fn has_index(&self, key: u32) -> bool {
        self.whole.read().since(key).is_some()
    }

    /// The commit since which the index of this key is whole: rows that were ended by then may be missing.
    pub(crate) fn index_since(&self, key: u32) -> Option<u64> {
        self.whole.read().since(key)
    }

    /// Whether the index of this key has all rows that can be seen at a commit, however long ago.
    pub(crate) fn is_whole_at(&self, key: u32, commit: u64) -> bool {
        self.whole.read().is_at(key, commit)
    }

    /// Notes that there are indexes of these keys now, whole since commit `seq`.
    pub(crate) fn know_indexes(&self, keys: impl IntoIterator<Item = u32>, seq: u64) {
        let mut whole = self.whole.write();
        keys.into_iter().for_each(|key| whole.add(key, seq));
    }

    /// Notes that commits from `first` to `last` are brought up at once, before the tree has them (H3 of [`Whole`]).
    pub(crate) fn know_gap(&self, first: u64, last: u64) {
        self.whole.write().add_gap(first, last);
    }

    /// Reads which indexes there are, at which commits they are whole, and the counts of ended rows. Errors: the folds' damage, 58030.
    pub(crate) fn read_counts(&self) -> Result<EndedChunks, LsmError> {
        let current = self.current();
        let mut indexes = current.tree.prefix(names::INDEXES)?;
        while let Some((name, since)) = indexes.step()? {
            if let (Some(key), Some(since)) = (names::index_of(name), names::read_number(since)) {
                self.whole.write().add(key, since);
            }
        }
        let mut gaps = current.tree.prefix(names::GAPS)?;
        while let Some((name, last)) = gaps.step()? {
            if let (Some(first), Some(last)) = (names::gap_of(name), names::read_number(last)) {
                self.know_gap(first, last);
            }
        }
        let mut counts = EndedChunks::new();
        let mut chunks = current.tree.prefix(names::CHUNKS)?;
        while let Some((name, count)) = chunks.step()? {
            if let (Some((table, chunk)), Some(count)) = (names::chunk_of(name), names::read_number(count)) {
                counts.entry(table).or_default().push((chunk, count));
            }
        }
        Ok(counts)
    }

    /// Puts a tree that `fill` fills in the place of the one there is; nobody sees it before. Errors: those of `fill`, 58030, 53100.
    pub(crate) fn replace(&self, fill: impl FnOnce(&Tree) -> SqlResult<()>) -> SqlResult<()> {
        let before = self.current().name;
        let name = if before == TREES[0] { TREES[1] } else { TREES[0] };
        clear(&*self.io, &self.dir.join(name))?;
        let tree = Tree::open(Arc::clone(&self.io), &self.dir.join(name), self.options.clone())?;
        fill(&tree)?;
        replace(&*self.io, &self.dir.join(CURRENT), format!("{}tree {name}\n", self.text).as_bytes())?;
        let generation = self.current().generation + 1;
        let old = self.current.write().replace(Current { tree, name, generation });
        // Its threads end before its files go.
        drop(old);
        clear(&*self.io, &self.dir.join(before))
    }

    /// Reads everything. Errors: XX001 with the first thing that does not hold.
    pub(crate) fn check(&self) -> Result<(), (u64, LsmError)> {
        let current = self.current();
        current.tree.check().map_err(|error| (current.generation, error))
    }

    /// The tree in numbers.
    pub(crate) fn stats(&self) -> Stats {
        self.current().tree.stats()
    }

    /// Fills the tree that was just opened. Errors: those of `fill`.
    pub(crate) fn fill(&self, fill: impl FnOnce(&Tree) -> SqlResult<()>) -> SqlResult<()> {
        fill(&self.current().tree)
    }

    /// Says that the folds have all commits below `size`, the last of which did nothing to them.
    pub(crate) fn come_to(&self, size: u64) -> SqlResult<()> {
        match size.checked_sub(1).filter(|_| self.applied() < size) {
            Some(last) => Ok(self.current().tree.write_reserved(&Batch::new(), CommitSeq(last))?),
            None => Ok(()),
        }
    }

    /// Whether the group being decided should end, so that what it wrote may go to disk.
    pub(crate) fn is_full(&self) -> bool {
        self.current().tree.is_full()
    }

    /// Ends the threads of the tree: another may be opened in the folder. It can be read still.
    pub(crate) fn close(&self) {
        if let Some(current) = &*self.current.read_recursive() {
            current.tree.close();
        }
    }

    /// Makes everything written durable; it must be so in the log (D2). Errors: 53100, 58030.
    pub(crate) fn flush(&self) -> SqlResult<()> {
        Ok(self.current().tree.flush()?)
    }

    /// The value of a name as of the last commit, as a number.
    #[inline]
    pub(crate) fn number(&self, name: &[u8]) -> SqlResult<Option<u64>> {
        Ok(self.read(|tree| tree.get_with(name, names::read_number))?.flatten())
    }

    /// The value of a name as of a commit, as a number.
    #[inline]
    pub(crate) fn number_at(&self, name: &[u8], seq: CommitSeq) -> SqlResult<Option<u64>> {
        Ok(self.read(|tree| tree.get_as_of(name, seq, names::read_number))?.flatten())
    }
}

/// Whether folds made anew would be without it.
fn is_mendable(error: &LsmError) -> bool {
    match error {
        LsmError::Damaged { .. } | LsmError::Missing { .. } | LsmError::UnknownVersion { .. } | LsmError::Broken { .. } => true,
        // The disk may hold anything of that tree; of another it is asked anew.
        LsmError::Poisoned { .. } => true,
        _ => false,
    }
}

fn tree_options(options: &Options) -> lsm::Options {
    lsm::Options {
        memtable_bytes: options.memory.memtable_bytes,
        cache_bytes: options.memory.blocks_bytes,
        background: options.fold_threads,
        ..lsm::Options::default()
    }
}

/// D1; `Err` says why not.
fn open_current(io: &Arc<dyn Io>, dir: &Path, text: &str, size: u64, options: &lsm::Options) -> Result<Current, String> {
    let path = dir.join(CURRENT);
    if !io.exists(&path) {
        return Err("there were none".into());
    }
    let said = io.open(&path).and_then(|file| file.read_all()).map_err(|error| format!("\"{}\": {error}", path.display()))?;
    let name = TREES.into_iter().find(|name| said == format!("{text}tree {name}\n").as_bytes());
    let name = name.ok_or("they were of another ledger, incarnation or format")?;
    if !io.exists(&dir.join(name).join("manifest")) {
        return Err(format!("\"{name}/manifest\" is missing"));
    }
    let tree = Tree::open(Arc::clone(io), &dir.join(name), options.clone()).map_err(|error| error.to_string())?;
    match tree.durable_seq() {
        Some(seq) if seq.0 >= size => Err(format!("they had commit {seq}, the ledger has {size} commits")),
        _ => Ok(Current { tree, name, generation: 0 }),
    }
}

/// Removes the files of a folder, if there is one.
fn clear(io: &dyn Io, dir: &Path) -> SqlResult<()> {
    if !io.exists(dir) {
        return Ok(());
    }
    let failed = |error| io_failed("clear", dir, error);
    io.list(dir).map_err(failed)?.iter().try_for_each(|name| io.remove(&dir.join(name))).map_err(failed)?;
    // A name that a power loss brings back must not meet a file of the next tree.
    io.sync_dir(dir).map_err(failed)
}

/// Forgets the folds of a ledger that nobody has open: whoever opens it makes them anew. Errors: 58030.
pub(crate) fn forget(io: &dyn Io, folder: &Path) -> SqlResult<()> {
    let dir = folder.join(FOLDER);
    let path = dir.join(CURRENT);
    if !io.exists(&path) {
        return Ok(());
    }
    let failed = |error| io_failed("remove", &path, error);
    io.remove(&path).and_then(|()| io.sync_dir(&dir)).map_err(failed)
}
