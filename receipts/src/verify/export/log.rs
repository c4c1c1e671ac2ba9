//! The leaves of an export, bundle by bundle, against the tiles beside them and the roots above them.
//!
//! L1: a leaf is read only after its hash was found in both tiles of level 0.
//! L2: roots that a leaf, a pinned or a cosigned checkpoint states of an earlier size are compared when the log has that size.

use std::collections::{BTreeMap, HashMap};

use super::rows::Rows;
use super::{Export, Failure, decode_leaf, malformed, place_of, tampered};
use crate::hash::Hash;
use crate::leaf::{CommitLeaf, KeyLeaf, LEAF_BYTES_MAX, Leaf, leaf_hashes};
use crate::note::VerifierKey;
use crate::tiles::{TILE_BYTES, TILE_HEIGHT, TILE_LEVEL_MAX, TILE_WIDTH, TileId, TileKind};
use crate::tree::{Blake3Tree, Frontier, Sha256Tree};

const BUNDLE_BYTES_MAX: usize = TILE_WIDTH as usize * (2 + LEAF_BYTES_MAX);
const STATED_MAX: usize = 1_000_000;
const TREES: [&str; 2] = ["", "b3/"];

/// By size the leaves that state roots of it and stand behind it, with those roots.
type Stated = BTreeMap<u64, Vec<(u64, [Hash; 2])>>;

/// The log as far as it is checked.
pub(super) struct Log<'a> {
    export: &'a Export<'a>,
    sha: Frontier<Sha256Tree>,
    b3: Frontier<Blake3Tree>,
    /// Of each tree the tile of each level from 1 on that is being filled.
    growing: [[(u64, Vec<u8>); TILE_LEVEL_MAX as usize]; 2],
    stated_before: Stated,
    /// By relation the row id that comes next.
    next_rows: HashMap<u32, u64>,
    time_us: i64,
    /// The newest keys: SHA-256, BLAKE3.
    pub(super) keys: Option<[VerifierKey; 2]>,
    pub(super) key_leaves: u64,
    /// Leaves whose stated roots were compared.
    pub(super) stated: u64,
    /// Incarnation leaves that say that leaves were lost.
    pub(super) lost: u64,
}

impl<'a> Log<'a> {
    /// Checks all leaves, and the rows of those in the range.
    pub(super) fn check(export: &'a Export<'a>, rows: &mut Rows<'a>) -> Result<Self, Failure> {
        let mut log = Self {
            export,
            sha: Frontier::new(),
            b3: Frontier::new(),
            growing: Default::default(),
            stated_before: stated_before(export)?,
            next_rows: HashMap::new(),
            time_us: i64::MIN,
            keys: None,
            key_leaves: 0,
            stated: 0,
            lost: 0,
        };
        log.compare_stated()?;
        for number in 0..bundles(export) {
            log.check_bundle(number, rows)?;
        }
        log.finish()?;
        Ok(log)
    }

    pub(super) fn b3_root(&self) -> Hash {
        self.b3.root()
    }

    fn roots(&self) -> [Hash; 2] {
        [self.sha.root(), self.b3.root()]
    }

    fn check_bundle(&mut self, number: u64, rows: &mut Rows<'a>) -> Result<(), Failure> {
        let first = number * u64::from(TILE_WIDTH);
        let path = entries_path(first, self.export);
        let bytes = self.export.read(&path, BUNDLE_BYTES_MAX)?;
        let leaves = split(&path, &bytes, first, self.export)?;
        let mut tiles = Vec::new();
        for tree in TREES {
            let tile = TileId::holding(TileKind::Hashes(0), first, self.export.checkpoint.size);
            let path = format!("{tree}{}", tile.map_or_else(String::new, |tile| tile.path()));
            let hashes = self.export.read(&path, TILE_BYTES)?;
            if hashes.len() != 32 * leaves.len() {
                return tampered(&path, format!("has {} bytes, not {}", hashes.len(), 32 * leaves.len()));
            }
            tiles.push((path, hashes));
        }
        rows.begin_bundle(number)?;
        for (i, bytes) in leaves.iter().enumerate() {
            let (seq, hashes) = (first + i as u64, leaf_hashes(bytes));
            let place = place_of(&path, seq);
            for ((tile, tile_bytes), hash) in tiles.iter().zip([hashes.0, hashes.1]) {
                if tile_bytes[32 * i..32 * (i + 1)] != hash {
                    return tampered(&place, format!("does not give hash {i} of {tile}"));
                }
            }
            let leaf = decode_leaf(bytes, seq, &self.export.ledger).map_err(|failure| failure.at(&place))?;
            self.check_leaf(&leaf).map_err(|failure| failure.at(&place))?;
            rows.reach(seq)?;
            if let Leaf::Commit(commit) = &leaf {
                rows.check_commit(commit)?;
            }
            self.append(hashes)?;
            self.compare_stated()?;
        }
        rows.end_bundle()
    }

    fn check_leaf(&mut self, leaf: &Leaf) -> Result<(), Failure> {
        if leaf.time_us() < self.time_us {
            return tampered("leaf", "is older than the one before it");
        }
        self.time_us = leaf.time_us();
        match leaf {
            Leaf::Commit(commit) => self.check_spans(commit),
            Leaf::Key(key) => self.check_keys(key),
            Leaf::Checkpoint(leaf) => self.check_stated(leaf.size, &[leaf.sha_root, leaf.b3_root]),
            Leaf::Incarnation(leaf) if leaf.previous_size > leaf.seq => {
                self.lost += 1;
                Ok(())
            }
            Leaf::Incarnation(leaf) => self.check_stated(leaf.previous_size, &[leaf.previous_sha_root, leaf.previous_b3_root]),
        }
    }

    /// Row ids of a table follow one another.
    fn check_spans(&mut self, commit: &CommitLeaf) -> Result<(), Failure> {
        for span in &commit.tables {
            let next = self.next_rows.entry(span.relation).or_insert(0);
            if span.first_row != *next {
                let why = format!("begins relation {} at row {}, not at {next}", span.relation, span.first_row);
                return tampered("commit leaf", why);
            }
            *next += span.rows;
        }
        Ok(())
    }

    fn check_keys(&mut self, leaf: &KeyLeaf) -> Result<(), Failure> {
        let replaced = self.keys.as_ref().map(|[sha, b3]| (sha.public(), b3.public()));
        if !leaf.verify(replaced) {
            return tampered("key leaf", "is not signed by the keys it names and replaces");
        }
        self.keys = Some(leaf.verifiers()?);
        self.key_leaves += 1;
        Ok(())
    }

    /// Roots stated of the size that the log has right now; those of earlier sizes were compared then.
    fn check_stated(&mut self, size: u64, roots: &[Hash; 2]) -> Result<(), Failure> {
        self.stated += 1;
        if size == self.sha.size() && *roots != self.roots() {
            return tampered("leaf", format!("states other roots of size {size} than the log's"));
        }
        Ok(())
    }

    /// L2.
    fn compare_stated(&mut self) -> Result<(), Failure> {
        let size = self.sha.size();
        let known = [(&self.export.pinned, "pinned"), (&self.export.cosigned, "cosigned")];
        let mut known = known.iter().filter_map(|(checkpoint, name)| Some((checkpoint.as_ref()?, name)));
        if let Some((_, name)) = known.find(|(known, _)| known.size == size && known.root != self.sha.root()) {
            let now = self.export.checkpoint.size;
            return tampered(
                "consistency",
                format!("the log at size {now} does not extend the {name} log at size {size}: history was rewritten"),
            );
        }
        let Some(stated) = self.stated_before.remove(&size) else { return Ok(()) };
        let roots = self.roots();
        match stated.iter().find(|(_, stated)| *stated != roots) {
            None => Ok(()),
            Some((seq, _)) => tampered(
                &format!("{}: leaf", place_of(&entries_path(*seq, self.export), *seq)),
                format!("states other roots of size {size} than the log's"),
            ),
        }
    }

    fn append(&mut self, (sha, b3): (Hash, Hash)) -> Result<(), Failure> {
        let mut new: [Vec<(u8, u64, Hash)>; 2] = Default::default();
        let [of_sha, of_b3] = &mut new;
        let keep = |list: &mut Vec<(u8, u64, Hash)>, level: u8, index: u64, hash: &Hash| {
            if level > 0 && level.is_multiple_of(TILE_HEIGHT) {
                list.push((level / TILE_HEIGHT, index, *hash));
            }
        };
        self.sha.append(sha, |level, index, hash| keep(of_sha, level, index, hash));
        self.b3.append(b3, |level, index, hash| keep(of_b3, level, index, hash));
        for (tree, list) in new.into_iter().enumerate() {
            for (level, index, hash) in list {
                let (number, bytes) = &mut self.growing[tree][usize::from(level) - 1];
                bytes.extend(hash);
                if (index + 1).is_multiple_of(u64::from(TILE_WIDTH)) {
                    let (number, bytes) = (*number, std::mem::take(bytes));
                    self.growing[tree][usize::from(level) - 1].0 = number + 1;
                    self.compare_tile(tree, level, number, &bytes)?;
                }
            }
        }
        Ok(())
    }

    /// The tiles that stay partial, and the SHA-256 root.
    fn finish(&mut self) -> Result<(), Failure> {
        let (size, root) = (self.export.checkpoint.size, self.export.checkpoint.root);
        for (tree, levels) in std::mem::take(&mut self.growing).into_iter().enumerate() {
            for (level, (number, bytes)) in (1..).zip(levels) {
                if !bytes.is_empty() {
                    self.compare_tile(tree, level, number, &bytes)?;
                }
            }
        }
        if self.sha.root() != root {
            return tampered("checkpoint", format!("states another root than that of the {size} leaves"));
        }
        Ok(())
    }

    fn compare_tile(&self, tree: usize, level: u8, number: u64, bytes: &[u8]) -> Result<(), Failure> {
        let width = (bytes.len() / 32) as u16;
        let path = format!("{}{}", TREES[tree], TileId { kind: TileKind::Hashes(level), index: number, width }.path());
        let found = self.export.read(&path, TILE_BYTES)?;
        if found != bytes {
            let at = found.iter().zip(bytes).take_while(|(a, b)| a == b).count();
            return tampered(&path, format!("is not what the leaves give, from byte {at} on"));
        }
        Ok(())
    }
}

fn bundles(export: &Export<'_>) -> u64 {
    export.checkpoint.size.div_ceil(u64::from(TILE_WIDTH))
}

/// Path of the bundle that holds leaf `seq`.
fn entries_path(seq: u64, export: &Export<'_>) -> String {
    TileId::holding(TileKind::Entries, seq, export.checkpoint.size).map_or_else(String::new, |tile| tile.path())
}

/// The leaves of the bundle that begins with leaf `first`: exactly as many as it must have.
fn split<'b>(path: &str, mut bytes: &'b [u8], first: u64, export: &Export<'_>) -> Result<Vec<&'b [u8]>, Failure> {
    let width = (export.checkpoint.size - first).min(u64::from(TILE_WIDTH));
    let mut leaves = Vec::new();
    for seq in first..first + width {
        let entry = bytes.split_first_chunk::<2>();
        let entry = entry.and_then(|(length, rest)| rest.split_at_checked(u16::from_be_bytes(*length).into()));
        let Some((leaf, rest)) = entry else { return malformed(path, format!("ends before or in leaf {seq}")) };
        leaves.push(leaf);
        bytes = rest;
    }
    if bytes.is_empty() { Ok(leaves) } else { malformed(path, format!("has {} bytes after its {width} leaves", bytes.len())) }
}

/// Reads ahead for roots stated of a size below the leaf's own. What is read here is believed no sooner than anywhere else (L1).
fn stated_before(export: &Export<'_>) -> Result<Stated, Failure> {
    let (mut stated, mut count) = (Stated::new(), 0);
    for number in 0..bundles(export) {
        let first = number * u64::from(TILE_WIDTH);
        let path = entries_path(first, export);
        let bytes = export.read(&path, BUNDLE_BYTES_MAX)?;
        for (seq, bytes) in (first..).zip(split(&path, &bytes, first, export)?) {
            let (size, roots) = match Leaf::decode(bytes) {
                Ok(Leaf::Checkpoint(leaf)) => (leaf.size, [leaf.sha_root, leaf.b3_root]),
                Ok(Leaf::Incarnation(leaf)) => (leaf.previous_size, [leaf.previous_sha_root, leaf.previous_b3_root]),
                _ => continue,
            };
            if size < seq {
                stated.entry(size).or_default().push((seq, roots));
                count += 1;
            }
        }
        if count > STATED_MAX {
            return malformed("export", format!("has more than {STATED_MAX} leaves that state roots of earlier sizes"));
        }
    }
    Ok(stated)
}
