//! Both trees grown anew from the leaves, and every tile file compared with them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use base::Io;
use receipts::leaf::leaf_hashes;
use receipts::tiles::{TILE_HEIGHT, TILE_WIDTH, TileId, TileKind};
use receipts::{Blake3Tree, Frontier, Hash, Sha256Tree};

use super::{Checked, Stop, malformed, tampered};

/// One tile being filled at each tile level.
#[derive(Default)]
struct Growing {
    levels: Vec<(u64, Vec<u8>)>,
}

/// Both trees; see the module.
pub(crate) struct Trees {
    io: Arc<dyn Io>,
    folder: PathBuf,
    sealed: u64,
    sha: Frontier<Sha256Tree>,
    b3: Frontier<Blake3Tree>,
    growing: [Growing; 2],
    entries: (u64, Vec<u8>, u16),
}

/// Folders of the two trees' tiles below the ledger's.
const PREFIXES: [&str; 2] = ["", "b3/"];

impl Trees {
    pub(crate) fn new(io: &Arc<dyn Io>, folder: &Path, sealed: u64) -> Self {
        Self {
            io: Arc::clone(io),
            folder: folder.to_path_buf(),
            sealed,
            sha: Frontier::new(),
            b3: Frontier::new(),
            growing: Default::default(),
            entries: (0, Vec::new(), 0),
        }
    }

    pub(crate) fn size(&self) -> u64 {
        self.sha.size()
    }

    /// Roots of both trees at the present size.
    pub(crate) fn roots(&self) -> (Hash, Hash) {
        (self.sha.root(), self.b3.root())
    }

    /// Whether the tile that should hold this leaf's hash does; true where there is no tile to ask.
    pub(crate) fn is_tiled(&self, seq: u64, leaf: &[u8]) -> bool {
        let Some(tile) = TileId::holding(TileKind::Hashes(0), seq, self.sealed) else { return true };
        let Ok(bytes) = self.io.open(&self.folder.join(tile.path())).and_then(|file| file.read_all()) else { return true };
        let at = (seq % u64::from(TILE_WIDTH)) as usize * 32;
        bytes.get(at..at + 32).is_none_or(|hash| hash == leaf_hashes(leaf).0)
    }

    /// Appends a leaf; tiles that become full, or partial as they were sealed, are compared.
    pub(crate) fn append(&mut self, leaf: &[u8], checked: &mut Checked) -> Result<(), Stop> {
        let (sha, b3) = leaf_hashes(leaf);
        let mut new: [Vec<(u8, u64, Hash)>; 2] = Default::default();
        let [sha_new, b3_new] = &mut new;
        let keep = |list: &mut Vec<(u8, u64, Hash)>, level: u8, index: u64, hash: &Hash| {
            if level.is_multiple_of(TILE_HEIGHT) {
                list.push((level / TILE_HEIGHT, index, *hash));
            }
        };
        self.sha.append(sha, |level, index, hash| keep(sha_new, level, index, hash));
        self.b3.append(b3, |level, index, hash| keep(b3_new, level, index, hash));
        if self.size() > self.sealed {
            return Ok(());
        }
        let bundle = &mut self.entries;
        bundle.1.extend(u16::try_from(leaf.len()).unwrap_or(u16::MAX).to_be_bytes());
        bundle.1.extend(leaf);
        bundle.2 += 1;
        if bundle.2 == TILE_WIDTH {
            let next = self.entries.0 + 1;
            let (index, bytes, _) = std::mem::replace(&mut self.entries, (next, Vec::new(), 0));
            self.compare("", TileKind::Entries, index, &bytes, TILE_WIDTH, checked)?;
        }
        for (tree, list) in new.into_iter().enumerate() {
            for (level, index, hash) in list {
                self.grow(tree, level, index, hash, checked)?;
            }
        }
        Ok(())
    }

    fn grow(&mut self, tree: usize, level: u8, index: u64, hash: Hash, checked: &mut Checked) -> Result<(), Stop> {
        let levels = &mut self.growing[tree].levels;
        while levels.len() <= usize::from(level) {
            levels.push((0, Vec::new()));
        }
        let growing = &mut levels[usize::from(level)];
        growing.1.extend(hash);
        if (index + 1).is_multiple_of(u64::from(TILE_WIDTH)) {
            let next = growing.0 + 1;
            let (tile, bytes) = std::mem::replace(growing, (next, Vec::new()));
            self.compare(PREFIXES[tree], TileKind::Hashes(level), tile, &bytes, TILE_WIDTH, checked)?;
        }
        Ok(())
    }

    /// Compares what is partial at the end.
    pub(crate) fn finish(&mut self, checked: &mut Checked) -> Result<(), Stop> {
        if self.size() < self.sealed {
            return Err(tampered("entries", format!("the folder has {} commits, its newest checkpoint {}", self.size(), self.sealed)));
        }
        let (index, bytes, width) = std::mem::take(&mut self.entries);
        if width > 0 {
            self.compare("", TileKind::Entries, index, &bytes, width, checked)?;
        }
        for (tree, growing) in std::mem::take(&mut self.growing).into_iter().enumerate() {
            for (level, (index, bytes)) in growing.levels.into_iter().enumerate() {
                if !bytes.is_empty() {
                    let width = (bytes.len() / 32) as u16;
                    self.compare(PREFIXES[tree], TileKind::Hashes(level as u8), index, &bytes, width, checked)?;
                }
            }
        }
        Ok(())
    }

    /// Compares the file of a tile, which must be there, and every narrower file of it, with the bytes it must have.
    fn compare(&self, prefix: &str, kind: TileKind, index: u64, bytes: &[u8], width: u16, checked: &mut Checked) -> Result<(), Stop> {
        let wide = TileId { kind, index, width };
        self.compare_file(prefix, wide, bytes, wide, checked)?;
        let narrow = TileId { kind, index, width: 1 }.path();
        let partial_folder = self.folder.join(prefix).join(&narrow);
        let Some(partial_folder) = partial_folder.parent() else { return Ok(()) };
        if !self.io.exists(partial_folder) {
            return Ok(());
        }
        let names = self.io.list(partial_folder).map_err(|error| malformed(partial_folder.display().to_string(), error.to_string()))?;
        for other in names.iter().filter_map(|name| name.parse::<u16>().ok()).filter(|other| *other < width && *other > 0) {
            let id = TileId { kind, index, width: other };
            let length = match kind {
                TileKind::Hashes(_) => usize::from(other) * 32,
                TileKind::Entries => entries_length(bytes, other),
            };
            self.compare_file(prefix, id, &bytes[..length.min(bytes.len())], wide, checked)?;
        }
        Ok(())
    }

    /// `wide` is the file that the leaves of this place were read from, or are beside: where two files disagree both are named, since only a
    /// signature over the size between them could tell which was changed.
    fn compare_file(&self, prefix: &str, id: TileId, bytes: &[u8], wide: TileId, checked: &mut Checked) -> Result<(), Stop> {
        let name = format!("{prefix}{}", id.path());
        let found = self.io.open(&self.folder.join(&name)).and_then(|file| file.read_all());
        let found = found.map_err(|error| malformed(&name, format!("it cannot be read: {error}")))?;
        if found != bytes {
            let at = found.iter().zip(bytes).take_while(|(a, b)| a == b).count();
            let or = match id.kind {
                TileKind::Hashes(0) => {
                    format!("; or entry {} of {} was changed", at / 32, TileId { kind: TileKind::Entries, ..wide }.path())
                }
                TileKind::Entries if id != wide => format!("; or {} was changed", wide.path()),
                _ => String::new(),
            };
            return Err(tampered(name, format!("it is not what the leaves give, from byte {at} on{or}")));
        }
        checked.tiles += 1;
        Ok(())
    }
}

/// Bytes of the first `count` entries of a bundle.
fn entries_length(bundle: &[u8], count: u16) -> usize {
    let mut at = 0;
    for _ in 0..count {
        let Some(length) = bundle.get(at..at + 2) else { break };
        at += 2 + usize::from(u16::from_be_bytes([length[0], length[1]]));
    }
    at
}
