//! Row trees of commits from their groups of 256 rows up, in memory and as files, so that a path to a row is looked up instead of computed from all rows
//! of its commit.
//!
//! E1: whoever uses a tree checks the path against the row root in the leaf: a file that is missing, torn, rotten or another commit's costs one computation,
//!     never a receipt.
//! E2: memory holds at most [`HELD_BYTES_MAX`]; files take 64 bytes for each 256 rows of commits of [`LARGE_ROWS_MIN`] rows or more.
//! Never: the only place where anything is known; waits for a disk to sync.
//! Format: docs/formats/row-tree.md.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use base::io::{File, Io};
use hashbrown::HashMap;
use parking_lot::Mutex;
use receipts::Hash;
use receipts::row_tree::GroupTree;
use receipts::tree::NodeReader;

/// Name of the folder below the ledger's.
pub(crate) const FOLDER: &str = "row-trees";
/// Commits with so many rows have their trees kept from the commit on, and written to files.
const LARGE_ROWS_MIN: u64 = 4_096;
/// Memory that trees may take, and how many there may be.
const HELD_BYTES_MAX: usize = 16 << 20;
const HELD_TREES_MAX: usize = 1_024;

const MAGIC: [u8; 8] = *b"SWROWT01";
const HEADER_BYTES: usize = 32;
const HASH_BYTES: u64 = 32;

/// What receipts have cost, since the start.
#[derive(Debug, Default)]
pub(crate) struct Work {
    /// Rows of segments that were decoded.
    pub rows_decoded: AtomicU64,
    /// Rows that were hashed.
    pub rows_hashed: AtomicU64,
    /// Nodes of row trees that were looked up.
    pub nodes_read: AtomicU64,
    /// Row trees that were computed from all rows of their commit.
    pub trees_made: AtomicU64,
}

impl Work {
    pub(crate) fn add(number: &AtomicU64, n: u64) {
        number.fetch_add(n, Ordering::Relaxed);
    }
}

/// The trees of one ledger.
#[derive(Debug)]
pub(crate) struct RowTrees {
    io: Arc<dyn Io>,
    folder: PathBuf,
    held: Mutex<Held>,
    pub(crate) work: Work,
}

#[derive(Debug, Default)]
struct Held {
    trees: HashMap<u64, Entry>,
    bytes: usize,
    uses: u64,
}

#[derive(Debug)]
struct Entry {
    tree: Arc<GroupTree>,
    rows: u64,
    last_use: u64,
    is_written: bool,
}

/// A tree that can be asked for nodes, which are counted.
pub(crate) struct Nodes<'a> {
    source: Source,
    read: &'a AtomicU64,
}

enum Source {
    Memory(Arc<GroupTree>),
    File(Arc<dyn File>, u64),
}

impl NodeReader for Nodes<'_> {
    fn node(&self, level: u8, index: u64) -> Option<Hash> {
        Work::add(self.read, 1);
        match &self.source {
            Source::Memory(tree) => tree.node(level, index),
            Source::File(file, groups) => {
                let place = GroupTree::place(*groups, level, index)?;
                let mut hash = [0; 32];
                // E1: what cannot be read is computed.
                file.read_exact_at(HEADER_BYTES as u64 + HASH_BYTES * place, &mut hash).ok()?;
                Some(hash)
            }
        }
    }
}

impl RowTrees {
    /// Those of the ledger in a folder.
    pub(crate) fn new(io: &Arc<dyn Io>, ledger_dir: &Path) -> Self {
        Self { io: Arc::clone(io), folder: ledger_dir.join(FOLDER), held: Mutex::default(), work: Work::default() }
    }

    /// Keeps the tree of a commit that has just been made, if the commit is large.
    pub(crate) fn remember(&self, seq: u64, rows: u64, group_roots: Vec<Hash>) {
        if rows >= LARGE_ROWS_MIN {
            self.keep(seq, rows, Arc::new(GroupTree::of(group_roots)), false);
        }
    }

    /// Takes in a tree computed from rows that have been there for long, and writes it to a file if the commit is large.
    pub(crate) fn add_computed(&self, seq: u64, rows: u64, tree: GroupTree) -> Nodes<'_> {
        Work::add(&self.work.trees_made, 1);
        let tree = Arc::new(tree);
        let is_written = rows >= LARGE_ROWS_MIN && self.write(seq, rows, &tree);
        self.keep(seq, rows, Arc::clone(&tree), is_written);
        self.nodes(Source::Memory(tree))
    }

    /// The tree of a commit, from memory or its file; `None` where it is to be computed.
    pub(crate) fn find(&self, seq: u64, rows: u64) -> Option<Nodes<'_>> {
        if let Some(tree) = self.held.lock().find(seq) {
            return Some(self.nodes(Source::Memory(tree)));
        }
        let groups = groups_of(rows);
        let file = self.io.open(&self.path(seq)).ok()?;
        let mut header = [0; HEADER_BYTES];
        file.read_exact_at(0, &mut header).ok()?;
        let is_whole = file.len().ok()? == HEADER_BYTES as u64 + HASH_BYTES * GroupTree::nodes_over(groups);
        (is_whole && header == header_of(seq, rows)).then(|| self.nodes(Source::File(file, groups)))
    }

    /// Lets go of a tree that is not the committed one.
    pub(crate) fn forget(&self, seq: u64) {
        self.held.lock().remove(seq);
        // Where it cannot be removed it is found wrong again.
        let _ = self.io.remove(&self.path(seq));
    }

    /// Writes the trees of large commits below `size` that have no file yet.
    pub(crate) fn leave(&self, size: u64) {
        let unwritten: Vec<(u64, u64, Arc<GroupTree>)> = {
            let held = self.held.lock();
            let is_due = |seq: u64, entry: &Entry| seq < size && !entry.is_written && entry.rows >= LARGE_ROWS_MIN;
            let due = held.trees.iter().filter(|(seq, entry)| is_due(**seq, entry));
            due.map(|(seq, entry)| (*seq, entry.rows, Arc::clone(&entry.tree))).collect()
        };
        for (seq, rows, tree) in unwritten {
            if self.write(seq, rows, &tree)
                && let Some(entry) = self.held.lock().trees.get_mut(&seq)
            {
                entry.is_written = true;
            }
        }
    }

    /// Whether the file is there now. A failure is no one's concern: whoever needs the tree computes it (E1), and a full disk has others who say so.
    fn write(&self, seq: u64, rows: u64, tree: &GroupTree) -> bool {
        let path = self.path(seq);
        if self.io.exists(&path) {
            return true;
        }
        let mut bytes = header_of(seq, rows).to_vec();
        bytes.extend_from_slice(tree.nodes().as_flattened());
        let temporary = path.with_extension("writing");
        let write = || {
            if self.io.exists(&temporary) {
                self.io.remove(&temporary)?;
            }
            self.io.create_dir_all(&self.folder)?;
            self.io.create_new(&temporary, 0o600)?.write_at(0, &bytes)?;
            self.io.rename(&temporary, &path)
        };
        write().is_ok()
    }

    fn path(&self, seq: u64) -> PathBuf {
        self.folder.join(format!("{seq:020}"))
    }

    fn nodes(&self, source: Source) -> Nodes<'_> {
        Nodes { source, read: &self.work.nodes_read }
    }

    fn keep(&self, seq: u64, rows: u64, tree: Arc<GroupTree>, is_written: bool) {
        if bytes_of(&tree) <= HELD_BYTES_MAX {
            self.held.lock().keep(seq, Entry { tree, rows, last_use: 0, is_written });
        }
    }
}

impl Held {
    fn find(&mut self, seq: u64) -> Option<Arc<GroupTree>> {
        self.uses += 1;
        let entry = self.trees.get_mut(&seq)?;
        entry.last_use = self.uses;
        Some(Arc::clone(&entry.tree))
    }

    fn keep(&mut self, seq: u64, mut entry: Entry) {
        self.uses += 1;
        entry.last_use = self.uses;
        self.remove(seq);
        self.bytes += bytes_of(&entry.tree);
        self.trees.insert(seq, entry);
        while self.bytes > HELD_BYTES_MAX || self.trees.len() > HELD_TREES_MAX {
            let oldest = self.trees.iter().min_by_key(|(_, entry)| entry.last_use).map(|(seq, _)| *seq);
            let Some(oldest) = oldest else { return };
            self.remove(oldest);
        }
    }

    fn remove(&mut self, seq: u64) {
        if let Some(entry) = self.trees.remove(&seq) {
            self.bytes -= bytes_of(&entry.tree);
        }
    }
}

/// Number of groups of a commit.
pub(crate) fn groups_of(rows: u64) -> u64 {
    rows.div_ceil(receipts::row_tree::GROUP_ROWS as u64)
}

fn bytes_of(tree: &GroupTree) -> usize {
    size_of_val(tree.nodes())
}

fn header_of(seq: u64, rows: u64) -> [u8; HEADER_BYTES] {
    let mut header = [0; HEADER_BYTES];
    header[..8].copy_from_slice(&MAGIC);
    header[8..16].copy_from_slice(&seq.to_le_bytes());
    header[16..24].copy_from_slice(&rows.to_le_bytes());
    header
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::RealIo;

    fn roots(n: u64) -> Vec<Hash> {
        (0..n).map(|i| *blake3::hash(&i.to_le_bytes()).as_bytes()).collect()
    }

    fn all(nodes: &Nodes<'_>, groups: u64) -> Vec<Option<Hash>> {
        (0..8)
            .flat_map(|level| (0..=groups >> level).map(move |index| (level, index)))
            .map(|(level, index)| nodes.node(level, index))
            .collect()
    }

    #[test]
    fn a_file_gives_the_nodes_that_memory_gives_and_is_not_trusted_when_it_is_another() {
        let dir = tempfile::tempdir().unwrap();
        let io: Arc<dyn Io> = Arc::new(RealIo);
        let rows = 37 * 256 + 5;
        let trees = RowTrees::new(&io, dir.path());
        trees.remember(9, rows, roots(38));
        let wanted = all(&trees.find(9, rows).unwrap(), 38);
        assert!(wanted[..38].iter().all(Option::is_some) && wanted[38].is_none());
        assert!(!io.exists(&trees.path(9)), "written only once the commit is sealed");
        trees.leave(9);
        assert!(!io.exists(&trees.path(9)));
        trees.leave(10);
        let later = RowTrees::new(&io, dir.path());
        assert_eq!(all(&later.find(9, rows).unwrap(), 38), wanted);
        assert!(later.find(9, rows + 256).is_none(), "of a commit of another length");
        std::fs::copy(trees.path(9), trees.path(10)).unwrap();
        assert!(later.find(10, rows).is_none(), "of another commit");
        io.open_write(&trees.path(9)).unwrap().set_len(100).unwrap();
        assert!(later.find(9, rows).is_none(), "torn");
        later.forget(9);
        assert!(!io.exists(&trees.path(9)));
    }

    #[test]
    fn memory_is_bounded_and_the_least_used_goes_first() {
        let dir = tempfile::tempdir().unwrap();
        let io: Arc<dyn Io> = Arc::new(RealIo);
        let trees = RowTrees::new(&io, dir.path());
        let groups = 100_000;
        for seq in 0..6 {
            trees.remember(seq, groups * 256, roots(groups));
            assert!(trees.find(0, groups * 256).is_some());
            assert!(trees.held.lock().bytes <= HELD_BYTES_MAX, "E2");
        }
        assert!(trees.find(1, groups * 256).is_none() && trees.find(5, groups * 256).is_some());
    }
}
