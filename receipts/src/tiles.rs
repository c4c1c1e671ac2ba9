//! Tiles and entry bundles: names, widths and bytes as C2SP tlog-tiles has them, and nodes read out of tiles.
//!
//! L1: a full tile is 256 hashes (8,192 bytes); a partial one 1 to 255, named `.p/<W>`; an empty one does not exist.
//! L2: hash i of tile N at level L is the root of leaves `[(256 N + i) 256^L, (256 N + i + 1) 256^L)`.
//!
//! Never: reads a file.
//! Format: docs/formats/tiles.md.

use std::fmt;
use std::marker::PhantomData;

use crate::FormatError;
use crate::hash::Hash;
use crate::leaf::LEAF_BYTES_MAX;
use crate::quote::escape;
use crate::tree::{NodeReader, TreeHash, root_of};

/// Hashes of a full tile, entries of a full bundle.
pub const TILE_WIDTH: u16 = 256;
/// Tree levels that one tile spans.
pub const TILE_HEIGHT: u8 = 8;
/// Bytes of a full tile.
pub const TILE_BYTES: usize = 8192;
/// Highest tile level that a u64 tree size can reach.
pub const TILE_LEVEL_MAX: u8 = 7;

/// What a tile holds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum TileKind {
    /// Hashes of this tile level, 0 to 7; level 0 is leaf hashes.
    Hashes(u8),
    /// Leaf bytes.
    Entries,
}

/// Name of one tile or entry bundle.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct TileId {
    /// Hashes of a level, or entries.
    pub kind: TileKind,
    /// Place in its level.
    pub index: u64,
    /// Number of hashes or entries, 1 to 256.
    pub width: u16,
}

impl TileId {
    /// Whether it is full, so that it will never change.
    pub fn is_full(&self) -> bool {
        self.width == TILE_WIDTH
    }

    /// The path below the log's folder: `tile/<L>/<N>[.p/<W>]` or `tile/entries/<N>[.p/<W>]`.
    pub fn path(&self) -> String {
        self.to_string()
    }

    /// Reads a path back; fails on anything that [`TileId::path`] does not write.
    pub fn parse(path: &str) -> Result<Self, FormatError> {
        let error = || FormatError::new("tile path", format!("`{}` names no tile", escape(path)));
        let rest = path.strip_prefix("tile/").ok_or_else(error)?;
        let (level, rest) = rest.split_once('/').ok_or_else(error)?;
        let kind = match level {
            "entries" => TileKind::Entries,
            _ => TileKind::Hashes(level.parse().map_err(|_| error())?),
        };
        let (number, width) = match rest.split_once(".p/") {
            Some((number, width)) => (number, width.parse().map_err(|_| error())?),
            None => (rest, TILE_WIDTH),
        };
        let mut index = 0u64;
        for group in number.split('/') {
            let digits: u64 = group.strip_prefix('x').unwrap_or(group).parse().map_err(|_| error())?;
            index = index.checked_mul(1000).and_then(|index| index.checked_add(digits)).ok_or_else(error)?;
        }
        // Writing it again settles leading zeros, signs, `x` marks and `.p/256` at once.
        let tile = Self { kind, index, width };
        let is_level_valid = !matches!(kind, TileKind::Hashes(level) if level > TILE_LEVEL_MAX);
        if is_level_valid && (1..=TILE_WIDTH).contains(&width) && tile.path() == path { Ok(tile) } else { Err(error()) }
    }

    /// The tile of `kind` that holds place `position` of its level in a tree of `size` leaves; `None` if there is none.
    pub fn holding(kind: TileKind, position: u64, size: u64) -> Option<Self> {
        let places = match kind {
            TileKind::Hashes(level) => size.checked_shr(u32::from(level) * u32::from(TILE_HEIGHT)).unwrap_or(0),
            TileKind::Entries => size,
        };
        let index = position / u64::from(TILE_WIDTH);
        let width = places.checked_sub(index * u64::from(TILE_WIDTH))?.min(u64::from(TILE_WIDTH)) as u16;
        (position < places).then_some(Self { kind, index, width })
    }
}

impl fmt::Display for TileId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            TileKind::Hashes(level) => write!(f, "tile/{level}/")?,
            TileKind::Entries => write!(f, "tile/entries/")?,
        }
        let mut groups = vec![self.index % 1000];
        let mut rest = self.index / 1000;
        while rest > 0 {
            groups.push(rest % 1000);
            rest /= 1000;
        }
        for group in groups[1..].iter().rev() {
            write!(f, "x{group:03}/")?;
        }
        write!(f, "{:03}", groups[0])?;
        if self.is_full() { Ok(()) } else { write!(f, ".p/{}", self.width) }
    }
}

/// The hash tiles and entry bundles that a tree of `new` leaves has and a tree of `old` leaves has not, entries first, then by level:
/// what must be written when the tree grows. Widths are those at `new`.
pub fn tiles_of_growth(old: u64, new: u64) -> Vec<TileId> {
    let mut tiles = Vec::new();
    let width = u64::from(TILE_WIDTH);
    for kind in std::iter::once(TileKind::Entries).chain((0..=TILE_LEVEL_MAX).map(TileKind::Hashes)) {
        let shift = match kind {
            TileKind::Entries => 0,
            TileKind::Hashes(level) => u32::from(level * TILE_HEIGHT),
        };
        let (old_places, new_places) = (old >> shift, new >> shift);
        if old_places < new_places {
            tiles.extend((old_places / width..=(new_places - 1) / width).filter_map(|n| TileId::holding(kind, n * width, new)));
        }
    }
    tiles
}

/// Where tiles can be looked up.
pub trait TileReader {
    /// The bytes of hash tile (`level`, `index`) with at least `width` hashes; `None` if it is not there.
    fn tile(&self, level: u8, index: u64, width: u16) -> Option<Vec<u8>>;
}

/// A tree read out of its tiles, at one size.
pub struct TiledTree<T, R> {
    reader: R,
    size: u64,
    tree: PhantomData<fn() -> T>,
}

impl<T: TreeHash, R: TileReader> TiledTree<T, R> {
    /// The tree of `size` leaves in `reader`.
    pub fn new(reader: R, size: u64) -> Self {
        Self { reader, size, tree: PhantomData }
    }
}

impl<T: TreeHash, R: TileReader> NodeReader for TiledTree<T, R> {
    fn node(&self, level: u8, index: u64) -> Option<Hash> {
        let (tile_level, height) = (level / TILE_HEIGHT, level % TILE_HEIGHT);
        let first = index.checked_shl(height.into()).filter(|first| first >> height == index)?;
        let last = first + ((1 << height) - 1);
        let tile = TileId::holding(TileKind::Hashes(tile_level), last, self.size)?;
        let hashes = decode_tile(&self.reader.tile(tile_level, tile.index, tile.width)?).ok()?;
        let start = (first % u64::from(TILE_WIDTH)) as usize;
        Some(root_of::<T>(hashes.get(start..start + (1usize << height))?))
    }
}

/// Splits a tile into its hashes; fails unless it has 1 to 256 of them.
pub fn decode_tile(bytes: &[u8]) -> Result<Vec<Hash>, FormatError> {
    let (hashes, rest) = bytes.as_chunks::<32>();
    if !rest.is_empty() || hashes.is_empty() || bytes.len() > TILE_BYTES {
        return Err(FormatError::new("tile", format!("{} bytes are not 1 to 256 hashes", bytes.len())));
    }
    Ok(hashes.to_vec())
}

/// Appends one leaf to an entry bundle: `u16 big-endian length ‖ leaf`. Fails on a leaf over [`LEAF_BYTES_MAX`].
pub fn push_entry(bundle: &mut Vec<u8>, leaf: &[u8]) -> Result<(), FormatError> {
    let len = u16::try_from(leaf.len()).map_err(|_| FormatError::new("leaf", format!("over {LEAF_BYTES_MAX} bytes")))?;
    bundle.extend(len.to_be_bytes());
    bundle.extend(leaf);
    Ok(())
}

/// Splits an entry bundle into its leaves; fails unless it is 1 to 256 whole entries.
pub fn decode_entries(mut bundle: &[u8]) -> Result<Vec<&[u8]>, FormatError> {
    let mut leaves = Vec::new();
    while let Some((len, rest)) = bundle.split_first_chunk::<2>() {
        let len = usize::from(u16::from_be_bytes(*len));
        let Some((leaf, rest)) = rest.split_at_checked(len) else {
            return Err(FormatError::new("entry bundle", format!("ends inside entry {}", leaves.len())));
        };
        leaves.push(leaf);
        bundle = rest;
    }
    if !bundle.is_empty() || leaves.is_empty() || leaves.len() > usize::from(TILE_WIDTH) {
        let why = format!("{} entries and {} bytes over, not 1 to 256 entries", leaves.len(), bundle.len());
        return Err(FormatError::new("entry bundle", why));
    }
    Ok(leaves)
}
