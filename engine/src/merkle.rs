//! The ledger's two Merkle trees and its leaves: unsealed parts in memory, sealed parts in tile files.
//!
//! M1: leaf `i` of both trees hashes the same bytes, those of entry `i`.
//! M2: a full tile file is written once, synced and set read-only; a partial one holds what was signed when it was written.
//! M3: nodes leave memory only when the tile that holds them is durable.
//! Never: signs; knows what a leaf says.
//! Format: docs/formats/tiles.md.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base::io::Io;
use base::{SqlError, SqlResult, SqlState};
use parking_lot::Mutex;
use receipts::tiles::{self, TILE_WIDTH, TileId, TileKind, TileReader, TiledTree, tiles_of_growth};
use receipts::{Blake3Tree, Frontier, Hash, NodeReader, Sha256Tree, TreeHash};

use crate::failure::io_failed;

/// Tiles kept in memory once read.
const CACHED_TILES_MAX: usize = 1_024;
/// Bundles of entries kept in memory once single leaves of them were asked for.
const CACHED_BUNDLES_MAX: usize = 16;

/// The leaves of a bundle.
type Entries = Arc<[Arc<[u8]>]>;

/// Complete subtree roots of one level that are not (or not only) in tiles.
#[derive(Debug, Default)]
struct Level {
    first: u64,
    hashes: Vec<Hash>,
}

/// Tile files of one tree, read through a small cache.
#[derive(Debug)]
struct TileFiles {
    io: Arc<dyn Io>,
    folder: PathBuf,
    cache: Mutex<HashMap<TileId, Arc<[u8]>>>,
    /// The last failure to read a tile that is there: a tree cannot say why it lacks a node.
    failed: Mutex<Option<SqlError>>,
}

impl TileReader for TileFiles {
    fn tile(&self, level: u8, index: u64, width: u16) -> Option<Vec<u8>> {
        let id = TileId { kind: TileKind::Hashes(level), index, width };
        if let Some(bytes) = self.cache.lock().get(&id) {
            return Some(bytes.to_vec());
        }
        let path = self.folder.join(id.path());
        let bytes = match self.io.open(&path).and_then(|file| file.read_all()) {
            Ok(bytes) => bytes,
            Err(error) => {
                if error.kind() != std::io::ErrorKind::NotFound {
                    *self.failed.lock() = Some(io_failed("read", &path, error));
                }
                return None;
            }
        };
        let mut cache = self.cache.lock();
        if cache.len() >= CACHED_TILES_MAX {
            cache.clear();
        }
        cache.insert(id, bytes.as_slice().into());
        Some(bytes)
    }
}

impl TileReader for &TileFiles {
    fn tile(&self, level: u8, index: u64, width: u16) -> Option<Vec<u8>> {
        (**self).tile(level, index, width)
    }
}

/// One tree: its right edge, its young nodes, its tiles.
#[derive(Debug)]
pub struct Tree<T> {
    frontier: Frontier<T>,
    levels: Vec<Level>,
    tiles: TileFiles,
    sealed: u64,
}

impl<T: TreeHash> NodeReader for Tree<T> {
    fn node(&self, level: u8, index: u64) -> Option<Hash> {
        if let Some(young) = self.levels.get(level as usize)
            && let Some(at) = index.checked_sub(young.first)
            && let Some(hash) = young.hashes.get(usize::try_from(at).ok()?)
        {
            return Some(*hash);
        }
        TiledTree::<T, _>::new(&self.tiles, self.sealed).node(level, index)
    }
}

impl<T: TreeHash> Tree<T> {
    fn open(io: Arc<dyn Io>, folder: PathBuf, size: u64) -> SqlResult<Self> {
        let mut tree = Self {
            frontier: Frontier::new(),
            levels: Vec::new(),
            tiles: TileFiles { io, folder, cache: Mutex::default(), failed: Mutex::default() },
            sealed: size,
        };
        tree.frontier = Frontier::from_reader(&tree, size).ok_or_else(|| {
            let missing = format!("a tile below \"{}\" is missing or short", tree.tiles.folder.display());
            tree.tiles.failed.lock().take().unwrap_or_else(|| {
                SqlError::new(SqlState::DATA_CORRUPTED, missing)
                    .hint("Tiles are needed up to the last sealed commit; restore the folder from a copy.")
            })
        })?;
        tree.levels = (0..64).map(|level| Level { first: size >> level, hashes: Vec::new() }).collect();
        Ok(tree)
    }

    fn append(&mut self, leaf: &[u8]) -> Hash {
        let hash = T::leaf(leaf);
        let levels = &mut self.levels;
        self.frontier.append(hash, |level, index, hash| {
            let young = &mut levels[level as usize];
            assert!(young.first + young.hashes.len() as u64 == index, "M3: nodes of a level are kept in order");
            young.hashes.push(*hash);
        });
        hash
    }

    /// Root over everything appended.
    pub fn root(&self) -> Hash {
        self.frontier.root()
    }

    /// The hash tiles that a tree of `size` leaves has and the sealed one has not.
    fn new_tiles(&self, size: u64, files: &mut Vec<TileFile>) -> SqlResult<()> {
        for tile in tiles_of_growth(self.sealed, size) {
            let TileKind::Hashes(level) = tile.kind else { continue };
            let mut bytes = Vec::with_capacity(usize::from(tile.width) * 32);
            for i in 0..u64::from(tile.width) {
                let hash = self.node(level * tiles::TILE_HEIGHT, tile.index * u64::from(TILE_WIDTH) + i);
                let hash = hash.ok_or_else(|| {
                    let failed = self.tiles.failed.lock().take();
                    failed.unwrap_or_else(|| SqlError::internal("M3: a node left memory before its tile was written"))
                })?;
                bytes.extend_from_slice(&hash);
            }
            files.push(TileFile { path: self.tiles.folder.join(tile.path()), bytes });
        }
        Ok(())
    }

    fn forget_below(&mut self, size: u64) {
        self.sealed = size;
        for (level, young) in self.levels.iter_mut().enumerate() {
            let keep_from = (size >> level).max(young.first);
            let gone = ((keep_from - young.first) as usize).min(young.hashes.len());
            young.hashes.drain(..gone);
            young.first += gone as u64;
        }
    }
}

/// A tile or entries file to be written.
#[derive(Debug)]
pub struct TileFile {
    path: PathBuf,
    bytes: Vec<u8>,
}

impl TileFile {
    /// Writes it (M2). Errors: 53100, 58030; XX001 where a file of that name holds other bytes.
    pub fn write(&self, io: &dyn Io) -> SqlResult<()> {
        write_once(io, &self.path, &self.bytes)
    }
}

/// Writes a file that is never written again: temporary name, sync, mode 0444, rename, sync of the folder. An equal file is left alone.
///
/// Errors: XX001 where a file of that name holds other bytes.
pub fn write_once(io: &dyn Io, path: &Path, bytes: &[u8]) -> SqlResult<()> {
    let failed = |error| io_failed("write", path, error);
    if io.exists(path) {
        if io.open(path).and_then(|file| file.read_all()).map_err(failed)? == bytes {
            // Its content was synced before it had this name; the name itself may be of a process killed before its sync.
            return io.sync_dir(path.parent().unwrap_or(Path::new("."))).map_err(failed);
        }
        return Err(SqlError::new(SqlState::DATA_CORRUPTED, format!("\"{}\" exists with other content", path.display())));
    }
    let folder = path.parent().unwrap_or(Path::new("."));
    io.create_dir_all(folder).map_err(failed)?;
    let temporary = path.with_extension("writing");
    if io.exists(&temporary) {
        io.remove(&temporary).map_err(failed)?;
    }
    let file = io.create_new(&temporary, 0o600).map_err(failed)?;
    file.write_at(0, bytes).and_then(|()| file.sync()).map_err(failed)?;
    io.set_mode(&temporary, 0o444).and_then(|()| io.rename(&temporary, path)).and_then(|()| io.sync_dir(folder)).map_err(failed)
}

/// Both trees and the leaves under them.
#[derive(Debug)]
pub struct MerkleLog {
    io: Arc<dyn Io>,
    folder: PathBuf,
    /// The SHA-256 tree, for everyone's tools.
    pub sha: Tree<Sha256Tree>,
    /// The BLAKE3 tree, for our own speed.
    pub b3: Tree<Blake3Tree>,
    sealed: u64,
    young_first: u64,
    young: Vec<Arc<[u8]>>,
    bundles: Mutex<Vec<(TileId, Entries)>>,
}

impl MerkleLog {
    /// Opens the trees at the size that tiles are known to hold (0 for a new ledger). Errors: XX001 for missing tiles.
    pub fn open(io: &Arc<dyn Io>, folder: &Path, sealed: u64) -> SqlResult<Self> {
        Ok(Self {
            io: Arc::clone(io),
            folder: folder.to_path_buf(),
            sha: Tree::open(Arc::clone(io), folder.to_path_buf(), sealed)?,
            b3: Tree::open(Arc::clone(io), folder.join("b3"), sealed)?,
            sealed,
            young_first: sealed,
            young: Vec::new(),
            bundles: Mutex::default(),
        })
    }

    /// Number of leaves.
    pub fn size(&self) -> u64 {
        self.young_first + self.young.len() as u64
    }

    /// Leaves whose tiles are durable.
    pub fn sealed(&self) -> u64 {
        self.sealed
    }

    /// Appends a leaf to both trees (M1); its hashes in the SHA-256 and the BLAKE3 tree.
    pub fn append(&mut self, leaf: &[u8]) -> (Hash, Hash) {
        self.young.push(leaf.into());
        (self.sha.append(leaf), self.b3.append(leaf))
    }

    /// The bytes of leaf `index`. Errors: XX001 where its entry file is missing or unreadable, 22023 for an index past the end.
    pub fn leaf(&self, index: u64) -> SqlResult<Arc<[u8]>> {
        if index >= self.size() {
            return Err(SqlError::new(SqlState::INVALID_PARAMETER_VALUE, format!("commit {index} does not exist"))
                .hint(format!("The ledger holds commits 0 to {}.", self.size().saturating_sub(1))));
        }
        if index >= self.young_first {
            return Ok(Arc::clone(&self.young[(index - self.young_first) as usize]));
        }
        let bundle = self.kept_entries(index)?;
        bundle.get((index % u64::from(TILE_WIDTH)) as usize).cloned().ok_or_else(|| self.no_entries(index))
    }

    /// The bundle of a sealed leaf. A receipt needs one leaf of 256, and the next receipt often one beside it.
    fn kept_entries(&self, index: u64) -> SqlResult<Entries> {
        let tile = TileId::holding(TileKind::Entries, index, self.sealed).ok_or_else(|| self.no_entries(index))?;
        if let Some((_, known)) = self.bundles.lock().iter().find(|(other, _)| *other == tile) {
            return Ok(Arc::clone(known));
        }
        let read: Entries = self.entries(index / u64::from(TILE_WIDTH))?.into_iter().map(Into::into).collect();
        let mut kept = self.bundles.lock();
        if kept.len() >= CACHED_BUNDLES_MAX {
            kept.remove(0);
        }
        kept.push((tile, Arc::clone(&read)));
        Ok(read)
    }

    /// Leaves `[first, first + n)`, n up to 256, for reading many in order.
    pub fn leaves_from(&self, first: u64) -> SqlResult<Vec<Arc<[u8]>>> {
        let width = u64::from(TILE_WIDTH);
        let end = ((first / width + 1) * width).min(self.size());
        if first >= self.young_first {
            let from = (first - self.young_first) as usize;
            return Ok(self.young[from..from + (end - first) as usize].to_vec());
        }
        let sealed_end = end.min(self.young_first);
        let bundle = self.entries(first / width)?;
        let wanted = bundle.into_iter().skip((first % width) as usize).take((sealed_end - first) as usize);
        Ok(wanted.map(Into::into).collect())
    }

    fn entries(&self, bundle: u64) -> SqlResult<Vec<Vec<u8>>> {
        let first = bundle * u64::from(TILE_WIDTH);
        let tile = TileId::holding(TileKind::Entries, first, self.sealed).ok_or_else(|| self.no_entries(first))?;
        let path = self.folder.join(tile.path());
        let bytes = self.io.open(&path).and_then(|file| file.read_all()).map_err(|error| io_failed("read", &path, error))?;
        let entries = tiles::decode_entries(&bytes)
            .map_err(|error| SqlError::new(SqlState::DATA_CORRUPTED, format!("\"{}\" is unreadable: {error}", path.display())))?;
        Ok(entries.into_iter().map(<[u8]>::to_vec).collect())
    }

    fn no_entries(&self, index: u64) -> SqlError {
        SqlError::new(SqlState::DATA_CORRUPTED, format!("the entries file of commit {index} is missing or short"))
            .hint("Run shockwave verify fsck on the data folder.")
    }

    /// The tile and entry files that `size` leaves need and that do not exist yet; once all are written, [`MerkleLog::forget_sealed`] may
    /// follow.
    ///
    /// Errors: XX001 where a sealed entries file that must be widened is unreadable.
    pub fn new_files(&self, size: u64) -> SqlResult<Vec<TileFile>> {
        let mut files = Vec::new();
        for tile in tiles_of_growth(self.sealed, size).into_iter().filter(|tile| tile.kind == TileKind::Entries) {
            let mut bytes = Vec::new();
            for i in 0..u64::from(tile.width) {
                let leaf = self.leaf(tile.index * u64::from(TILE_WIDTH) + i)?;
                tiles::push_entry(&mut bytes, &leaf)
                    .map_err(|error| SqlError::internal(format!("a leaf does not fit an entries bundle: {error}")))?;
            }
            files.push(TileFile { path: self.folder.join(tile.path()), bytes });
        }
        self.sha.new_tiles(size, &mut files)?;
        self.b3.new_tiles(size, &mut files)?;
        Ok(files)
    }

    /// Lets go of what the tiles up to `size` hold (M3).
    pub fn forget_sealed(&mut self, size: u64) {
        let gone = (size - self.young_first) as usize;
        self.young.drain(..gone);
        self.young_first = size;
        self.sealed = size;
        self.sha.forget_below(size);
        self.b3.forget_below(size);
    }
}
