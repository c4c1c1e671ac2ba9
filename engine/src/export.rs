//! Exports: a folder with the whole log and the rows of a range of commits, which a stranger verifies when the server is gone.
//!
//! E1: an export is of a sealed and signed size; what commits meanwhile is not in it.
//! E2: rows are hashed as they are written, and those that do not give the committed root are not exported: XX001 instead.
//! E4: the newest checkpoint that witnesses have cosigned is among its files where it is of this size or an earlier one.
//! E3: the file `export` is written last: a folder without it is an export that was broken off.
//! Never: changes the ledger, but for sealing it first; writes into a folder that holds something.
//! Format: docs/formats/export.md.

mod readme;
mod rows;

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use base::{CommitSeq, Io, SqlError, SqlResult, SqlState};
use receipts::Policy;
use receipts::export::{ExportObject, Manifest, encode_objects};
use receipts::note::VerifierKey;
use receipts::tiles::{TileKind, tiles_of_growth};

use crate::catalog::Catalog;
use crate::catalog_rows::catalog_at;
use crate::checkpoints;
use crate::failure::io_failed;
use crate::ledger::Ledger;
use rows::Rows;

/// What was exported.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Exported {
    /// Leaves of the log, all of which are there.
    pub size: u64,
    /// First commit whose rows are there.
    pub first: u64,
    /// The one after the last.
    pub end: u64,
    /// Number of those rows.
    pub rows: u64,
}

impl Ledger {
    /// Seals the ledger and writes an export into `folder`, which must be empty or not there: all leaves, and the rows of the commits from `first` to
    /// before `end`, or to the newest sealed one.
    ///
    /// Errors: 22023 for a range that is empty or not committed; 72000 for one with rows that have expired; 55000 for a folder that holds something; 54000 for a row of more than 64 MiB; 53100 and
    /// 58030 for the disk; XX001 where stored bytes are not the committed ones (E2).
    pub fn export(self: &Arc<Self>, folder: &Path, first: u64, end: Option<u64>) -> SqlResult<Exported> {
        self.seal()?;
        let io = &*self.options().io;
        let size = checkpoints::sizes(io, self.folder())?.last().copied().unwrap_or(0);
        let end = end.unwrap_or(size);
        if first >= end || end > size {
            return Err(SqlError::new(SqlState::INVALID_PARAMETER_VALUE, format!("there are no commits from {first} to before {end}"))
                .hint(format!("The ledger holds commits 0 to {}; the end of a range is the number after its last commit.", size - 1)));
        }
        self.check_has_rows(first..end)?;
        let out = Folder::make(io, folder)?;
        self.export_log(&out, size)?;
        let before = if first == 0 { Catalog::default() } else { catalog_at(self, CommitSeq(first - 1))? };
        out.write("objects", &encode_objects(&objects(&before)).map_err(|error| too_long(&error))?)?;
        let rows = Rows::new(self, &out).write(first..end)?;
        let keys: Vec<VerifierKey> = self
            .verifier_keys()
            .iter()
            .map(|key| VerifierKey::parse(key).map_err(|error| SqlError::internal(format!("own key: {error}"))))
            .collect::<SqlResult<_>>()?;
        out.write("policy.txt", Policy::text_of_logs(&keys.iter().collect::<Vec<_>>()).as_bytes())?;
        let exported = Exported { size, first, end, rows };
        out.write("README.md", readme::text(self, &exported).as_bytes())?;
        out.write("export", Manifest { first, end }.to_text().as_bytes())?;
        Ok(exported)
    }

    /// An export shows every row of its commits. Errors: 72000.
    fn check_has_rows(&self, range: Range<u64>) -> SqlResult<()> {
        for state in self.table_states() {
            for stub in state.layout().segments.iter().filter(|segment| segment.expired_at().is_some()) {
                let (begun, last) = stub.commits()?;
                if begun < range.end && last >= range.start {
                    let hint = format!(
                        "Rows of commits {begun} to {last} are among them: export the commits before {begun}, or those after {last}."
                    );
                    return Err(stub.expired().hint(hint));
                }
            }
        }
        Ok(())
    }

    /// Tiles, entry bundles and both checkpoints of the sealed log (E1): sealed files never change, so they are copied.
    fn export_log(&self, out: &Folder<'_>, size: u64) -> SqlResult<()> {
        let io = &*self.options().io;
        for tile in tiles_of_growth(0, size) {
            let trees: &[&str] = if tile.kind == TileKind::Entries { &[""] } else { &["", "b3/"] };
            for tree in trees {
                let name = format!("{tree}{}", tile.path());
                let path = self.folder().join(&name);
                let bytes = io.open(&path).and_then(|file| file.read_all()).map_err(|error| io_failed("read", &path, error))?;
                out.write(&name, &bytes)?;
            }
        }
        let checkpoint = checkpoints::read(io, self.folder(), size)?;
        out.write("checkpoint", checkpoint.sha_note.as_bytes())?;
        out.write("b3/checkpoint", checkpoint.b3_note.as_bytes())?;
        // One that is newer than the seal has no tiles here; the seal came after it, so that is one of a moment ago.
        match self.cosigned_checkpoint().filter(|cosigned| cosigned.size <= size) {
            Some(cosigned) => out.write("cosigned", cosigned.note.as_bytes()),
            None => Ok(()),
        }
    }
}

fn objects(catalog: &Catalog) -> Vec<ExportObject> {
    catalog.defined().map(|(id, row, definition)| ExportObject { id, row: row.0, definition: definition.to_vec() }).collect()
}

fn too_long(error: &receipts::FormatError) -> SqlError {
    SqlError::new(SqlState::PROGRAM_LIMIT_EXCEEDED, format!("export cannot be written: {error}"))
}

/// Where an export is written.
struct Folder<'a> {
    io: &'a dyn Io,
    path: &'a Path,
}

impl<'a> Folder<'a> {
    fn make(io: &'a dyn Io, path: &'a Path) -> SqlResult<Self> {
        if io.exists(path) && !io.list(path).map_err(|error| io_failed("list", path, error))?.is_empty() {
            return Err(SqlError::new(SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE, format!("\"{}\" is not empty", path.display()))
                .hint("An export is written into a folder of its own."));
        }
        io.create_dir_all(path).map_err(|error| io_failed("create folder", path, error))?;
        Ok(Self { io, path })
    }

    /// A whole file, durable.
    fn write(&self, name: &str, bytes: &[u8]) -> SqlResult<()> {
        let mut file = self.create(name)?;
        file.append(bytes)?;
        file.finish()
    }

    fn create(&self, name: &str) -> SqlResult<Growing<'a>> {
        let path = self.path.join(name);
        let parent = path.parent().unwrap_or(self.path);
        self.io.create_dir_all(parent).map_err(|error| io_failed("create folder", parent, error))?;
        let file = self.io.create_new(&path, 0o644).map_err(|error| io_failed("create", &path, error))?;
        Ok(Growing { io: self.io, path, file, length: 0 })
    }
}

/// A file that is written from front to back.
struct Growing<'a> {
    io: &'a dyn Io,
    path: std::path::PathBuf,
    file: Arc<dyn base::File>,
    length: u64,
}

impl Growing<'_> {
    fn append(&mut self, bytes: &[u8]) -> SqlResult<()> {
        self.file.write_at(self.length, bytes).map_err(|error| io_failed("write", &self.path, error))?;
        self.length += bytes.len() as u64;
        Ok(())
    }

    fn finish(self) -> SqlResult<()> {
        let folder = self.path.parent().unwrap_or(Path::new("."));
        self.file.sync().and_then(|()| self.io.sync_dir(folder)).map_err(|error| io_failed("write", &self.path, error))
    }
}

/// Commits of a range that one entry bundle holds.
fn within(bundle: u64, range: &Range<u64>) -> Range<u64> {
    let width = u64::from(receipts::tiles::TILE_WIDTH);
    (bundle * width).max(range.start)..((bundle + 1) * width).min(range.end)
}
