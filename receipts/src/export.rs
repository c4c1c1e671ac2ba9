//! Exports: a folder that holds a ledger's log and the rows of a range of its commits, for a stranger to check when the server is gone.
//!
//! E1: which files an export has follows from its range and its checkpoint; there is no other.
//! E2: rows are written as receipts show them, one record each, in commit order, so that a reader holds one at a time.
//!
//! Never: touches a file: whoever verifies brings [`ExportFiles`].
//! Format: docs/formats/export.md.

use std::io::Read;

use crate::FormatError;
use crate::checkpoint::parse_decimal;
use crate::cursor::Cursor;
use crate::receipt::{Field, decode_fields, encode_field, long_bytes, push_bytes};
use crate::row::RowHeader;
use crate::tiles::{TILE_LEVEL_MAX, TILE_WIDTH, TileId, TileKind};

/// Bytes of one row's record that a verifier reads.
pub const ROW_BYTES_MAX: usize = 64 << 20;
/// Bytes of the file `objects` that a verifier reads.
pub const OBJECTS_BYTES_MAX: usize = 64 << 20;
/// Relation of the rows that the catalog is folded from.
pub const CATALOG_RELATION: u32 = 1;

const FIRST_LINE: &str = "shockwave-export@v1";

/// What looking for a file ends with.
#[derive(Debug)]
pub enum Found<T> {
    /// There is none of that name.
    Absent,
    /// It could not be read.
    Unreadable,
    /// It is there.
    Here(T),
}

/// Where the files of an export can be looked up, by path below its folder with `/` between names.
pub trait ExportFiles {
    /// Calls `each` with the path of every file, in any order, until it answers `false`; `Unreadable` if a folder could not be read.
    fn paths(&self, each: &mut dyn FnMut(&str) -> bool) -> Found<()>;

    /// A file to be read from its beginning on.
    fn open(&self, path: &str) -> Found<Box<dyn Read + '_>>;
}

/// The file `export`: which commits' rows are there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Manifest {
    /// First commit.
    pub first: u64,
    /// The one after the last; above `first`.
    pub end: u64,
}

impl Manifest {
    /// Writes the file.
    pub fn to_text(&self) -> String {
        format!("{FIRST_LINE}\nfirst {}\nend {}\n", self.first, self.end)
    }

    /// Reads the file; fails on anything that [`Manifest::to_text`] does not write of a range that is not empty.
    pub fn parse(bytes: &[u8]) -> Result<Self, FormatError> {
        let error = |why: &str| FormatError::new("export", why);
        let text = str::from_utf8(bytes).map_err(|_| error("is not UTF-8"))?;
        let lines: Vec<&str> = text.split('\n').collect();
        let [FIRST_LINE, first, end, ""] = lines[..] else { return Err(error("is not the three lines of an export")) };
        let number = |line: &str, word: &str| line.strip_prefix(word).and_then(parse_decimal);
        let (Some(first), Some(end)) = (number(first, "first "), number(end, "end ")) else {
            return Err(error("is not the three lines of an export"));
        };
        if first >= end { Err(error("is of no commit")) } else { Ok(Self { first, end }) }
    }

    /// Numbers of the entry bundles whose commits' rows are there, each with a file of rows.
    pub fn bundles(&self) -> std::ops::Range<u64> {
        let width = u64::from(TILE_WIDTH);
        self.first / width..(self.end - 1) / width + 1
    }

    /// Whether an export of this range and a log of `size` leaves has a file of this name (E1).
    pub fn has_file(&self, path: &str, size: u64) -> bool {
        if matches!(path, "README.md" | "policy.txt" | "export" | "checkpoint" | "b3/checkpoint" | "cosigned" | "objects") {
            return true;
        }
        let tile = |path: &str| TileId::parse(path).ok();
        if let Some(number) = path.strip_prefix("rows/") {
            return tile(&format!("tile/0/{number}")).is_some_and(|tile| tile.is_full() && self.bundles().contains(&tile.index));
        }
        let (path, is_b3) = path.strip_prefix("b3/").map_or((path, false), |path| (path, true));
        tile(path).is_some_and(|tile| {
            let first = tile.index.saturating_mul(u64::from(TILE_WIDTH));
            TileId::holding(tile.kind, first, size) == Some(tile) && !(is_b3 && tile.kind == TileKind::Entries)
        })
    }
}

/// Path of the rows of bundle `number`: `rows/<N>`, spelled as in a tile's path.
pub fn rows_path(number: u64) -> String {
    let tile = TileId { kind: TileKind::Hashes(0), index: number, width: TILE_WIDTH };
    tile.path().replacen("tile/0/", "rows/", 1)
}

/// The hash tiles of a log of `size` leaves at one level, in order.
pub fn tiles_of_level(level: u8, size: u64) -> impl Iterator<Item = TileId> {
    debug_assert!(level <= TILE_LEVEL_MAX, "E1: a tile's level");
    let width = u64::from(TILE_WIDTH);
    (0..).map_while(move |number: u64| TileId::holding(TileKind::Hashes(level), number.checked_mul(width)?, size))
}

/// One object of the catalog: its id, the row of `ledger.catalog` that defined it, its definition.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ExportObject {
    /// Object id.
    pub id: u32,
    /// Row id in `ledger.catalog`; 2^64 − 1 for what is there before the first commit.
    pub row: u64,
    /// Definition text.
    pub definition: Vec<u8>,
}

/// Writes the file `objects`: the catalog before the first commit of the range, by rising id.
pub fn encode_objects(objects: &[ExportObject]) -> Result<Vec<u8>, FormatError> {
    let mut out = Vec::new();
    for object in objects {
        out.extend(object.id.to_le_bytes());
        out.extend(object.row.to_le_bytes());
        push_bytes(&mut out, &object.definition)?;
    }
    if out.len() > OBJECTS_BYTES_MAX { Err(FormatError::new("objects", "would be longer than 64 MiB")) } else { Ok(out) }
}

/// Reads it back; fails on anything that [`encode_objects`] does not write of objects with strictly rising ids.
pub fn decode_objects(bytes: &[u8]) -> Result<Vec<ExportObject>, FormatError> {
    let mut cursor = Cursor::new("objects", bytes);
    let mut objects: Vec<ExportObject> = Vec::new();
    while !cursor.is_at_end() {
        let object = ExportObject { id: cursor.u32()?, row: cursor.u64()?, definition: long_bytes(&mut cursor)? };
        if let Some(before) = objects.last().filter(|before| before.id >= object.id) {
            return Err(cursor.error(format!("lists object {} after {}", object.id, before.id)));
        }
        objects.push(object);
    }
    Ok(objects)
}

/// One row as a file of rows holds it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ExportRow {
    /// What its hash covers besides fields.
    pub header: RowHeader,
    /// One for each column of the definition; none for a delete.
    pub fields: Vec<Field>,
}

impl ExportRow {
    /// Appends `u32 length ‖ header ‖ u16 n ‖ fields`. Fails above [`ROW_BYTES_MAX`].
    pub fn encode(&self, out: &mut Vec<u8>) -> Result<(), FormatError> {
        let at = out.len();
        out.extend([0; 4]);
        out.extend(self.header.encode());
        out.extend((self.fields.len() as u16).to_le_bytes());
        self.fields.iter().try_for_each(|field| encode_field(field, out))?;
        let length = out.len() - at - 4;
        if length > ROW_BYTES_MAX {
            out.truncate(at);
            return Err(FormatError::new("row", format!("would have {length} bytes, at most {ROW_BYTES_MAX}")));
        }
        out[at..at + 4].copy_from_slice(&(length as u32).to_le_bytes());
        Ok(())
    }

    /// Reads a record without its length; `what` is what an error calls it.
    pub(crate) fn decode(what: &str, bytes: &[u8]) -> Result<Self, FormatError> {
        let mut cursor = Cursor::new(what, bytes);
        let row = Self { header: RowHeader::decode(&mut cursor)?, fields: decode_fields(&mut cursor)? };
        cursor.end()?;
        Ok(row)
    }
}
