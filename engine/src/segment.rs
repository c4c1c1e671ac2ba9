//! Sealed segments: one table's rows of a run of commits as a read-only Arrow IPC file.
//!
//! S1: a segment is written once, synced with its folder, set to mode 0444 and never opened for writing again.
//! S2: row ids are dense: batch `i` holds rows `first_row + 8192 i …`, every batch but the last is full.
//! S3: the BLAKE3 of the whole file is in `ledger.segments` before the log that held the rows is let go.
//! S4: of an expired segment there is a stub (`stub.rs`), which stands in its place: asked for values it says that they have expired.
//! S5: a file that others were merged into (`merging.rs`) is one like any other, but for its name.
//! Never: holds rows of two tables or of two schema versions; deletes a file.
//! Format: docs/formats/segment.md.

pub mod name;
pub(crate) mod rebatch;
pub(crate) mod stub;

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arrow::array::{AsArray, RecordBatch, UInt64Array};
use arrow::buffer::Buffer;
use arrow::datatypes::{SchemaRef, UInt64Type};
use arrow_ipc::reader::{FileDecoder, read_footer_length};
use arrow_ipc::writer::{FileWriter, IpcWriteOptions};
use arrow_ipc::{Block, CompressionType, MetadataVersion};
use base::io::{File, Io, Mapped};
use base::{RelationId, SqlError, SqlResult, SqlState};
use bytes::Bytes;

use crate::failure::{arrow_failed, contain_panic, io_failed};
use crate::schema::TableDef;
use name::SegmentName;

/// Rows in every batch of a segment but the last (S2).
pub const BATCH_ROWS: usize = 8_192;
/// Bytes of magic and footer length at the end of an Arrow file.
const TRAILER_BYTES: usize = 10;

/// What is known of a segment when it has been written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SegmentInfo {
    /// Path below the ledger's folder, with `/`.
    pub file: String,
    /// Whose rows.
    pub relation: RelationId,
    /// Version of the table's definition.
    pub schema_version: u32,
    /// Id of the first row.
    pub first_row: u64,
    /// Rows held.
    pub rows: u64,
    /// Commit of the first row.
    pub first_commit: u64,
    /// Commit of the last row.
    pub last_commit: u64,
    /// Size of the file.
    pub bytes: u64,
    /// BLAKE3 (plain, as `b3sum` prints it) of the file, hex.
    pub blake3: String,
}

/// A file being written front to back, hashed as it goes.
struct HashingWriter {
    file: Arc<dyn File>,
    at: u64,
    hasher: blake3::Hasher,
    buffer: Vec<u8>,
}

const WRITE_BYTES: usize = 1 << 20;

impl HashingWriter {
    fn drain(&mut self) -> io::Result<()> {
        self.file.write_at(self.at, &self.buffer)?;
        self.hasher.update(&self.buffer);
        self.at += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }
}

impl Write for HashingWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= WRITE_BYTES {
            self.drain()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.drain()
    }
}

/// The rows of a segment to be written and where they stand.
pub struct SegmentRows<'a> {
    /// Whose rows.
    pub table: &'a TableDef,
    /// Commits of the first and the last row.
    pub commits: (u64, u64),
    /// How it is named.
    pub name: SegmentName,
}

/// Writes a segment below `ledger_dir` (S1), of batches in segment layout, each of [`BATCH_ROWS`] rows but the last (S2). The file is durable when this
/// returns; its folder too.
///
/// Errors: 53100 for a full disk, 58030 for other failures of the disk, those of the batches. A file of the same name that was left by an interrupted seal
/// is replaced.
pub fn write(
    io: &dyn Io,
    ledger_dir: &Path,
    rows: &SegmentRows<'_>,
    batches: impl Iterator<Item = SqlResult<RecordBatch>>,
) -> SqlResult<SegmentInfo> {
    let table = rows.table;
    let file = SegmentFile { name: rows.name, table, schema: table.segment_schema(), commits: rows.commits, mark: None };
    file.write(io, ledger_dir, batches)
}

/// A file that is to be written.
struct SegmentFile<'a> {
    name: SegmentName,
    table: &'a TableDef,
    schema: SchemaRef,
    commits: (u64, u64),
    /// What its footer says besides.
    mark: Option<(&'a str, String)>,
}

impl SegmentFile<'_> {
    /// See [`write`].
    fn write(self, io: &dyn Io, ledger_dir: &Path, batches: impl Iterator<Item = SqlResult<RecordBatch>>) -> SqlResult<SegmentInfo> {
        let Self { table, .. } = self;
        let name = self.name.file(table.id);
        let path = ledger_dir.join(&name);
        let folder = folder_of(&path);
        let on_disk = |error| io_failed("write segment", &path, error);
        io.create_dir_all(&folder).map_err(on_disk)?;
        let temporary = path.with_extension("writing");
        if io.exists(&temporary) {
            io.remove(&temporary).map_err(on_disk)?;
        }
        let file = io.create_new(&temporary, 0o600).map_err(on_disk)?;
        let writer =
            HashingWriter { file: Arc::clone(&file), at: 0, hasher: blake3::Hasher::new(), buffer: Vec::with_capacity(2 * WRITE_BYTES) };
        let options = IpcWriteOptions::default()
            .try_with_compression(Some(CompressionType::LZ4_FRAME))
            .map_err(|error| arrow_failed("compress segment", &error))?;
        let mut out = FileWriter::try_new_with_options(writer, &self.schema, options).map_err(|e| arrow_failed("write segment", &e))?;
        let mut count = 0;
        for batch in batches {
            let batch = batch?;
            assert!(count % BATCH_ROWS == 0 && batch.num_rows() > 0, "S2: only the last batch of a segment may be short");
            count += batch.num_rows();
            out.write(&batch).map_err(|error| arrow_failed("write segment", &error))?;
        }
        out.write_metadata("shockwave.format", "1");
        out.write_metadata("shockwave.relation", table.id.to_string());
        out.write_metadata("shockwave.definition", table.definition());
        out.write_metadata("shockwave.first_row", self.name.first_row.to_string());
        out.write_metadata("shockwave.rows", count.to_string());
        if let Some((key, value)) = self.mark {
            out.write_metadata(key, value);
        }
        out.finish().map_err(|error| arrow_failed("write segment", &error))?;
        let mut writer = out.into_inner().map_err(|error| arrow_failed("write segment", &error))?;
        writer.drain().map_err(on_disk)?;
        file.sync().map_err(on_disk)?;
        io.set_mode(&temporary, 0o444).map_err(on_disk)?;
        io.rename(&temporary, &path).map_err(on_disk)?;
        io.sync_dir(&folder).map_err(on_disk)?;
        Ok(SegmentInfo {
            file: name,
            relation: table.id,
            schema_version: table.version,
            first_row: self.name.first_row,
            rows: count as u64,
            first_commit: self.commits.0,
            last_commit: self.commits.1,
            bytes: writer.at,
            blake3: writer.hasher.finalize().to_hex().to_string(),
        })
    }
}

fn folder_of(path: &Path) -> PathBuf {
    path.parent().map(Path::to_path_buf).unwrap_or_default()
}

/// An open segment, memory-mapped.
#[derive(Debug)]
pub struct Segment {
    path: PathBuf,
    table: Arc<TableDef>,
    first_row: u64,
    rows: u64,
    /// Whether others were merged into it, as its name says.
    is_merged: bool,
    schema: SchemaRef,
    version: MetadataVersion,
    blocks: Vec<Block>,
    data: Bytes,
    mapped: Mapped,
    quarantined: AtomicBool,
    /// Commits that there were when it was expired; `None` if it was not.
    expired_at: Option<u64>,
}

impl Segment {
    /// Opens a segment file of `ledger_dir`; the table's definition is the one in its footer.
    ///
    /// Errors: XX001 where the file is no such segment, 58030 where it cannot be read.
    pub fn open(io: &dyn Io, path: &Path) -> SqlResult<Self> {
        let on_disk = |error| io_failed("open segment", path, error);
        let mapped = io.open(path).map_err(on_disk)?.map().map_err(on_disk)?;
        Self::over(mapped, path)
    }

    /// Reads the layout of a segment out of its bytes. Errors: XX001 where they are no segment.
    pub fn over(mapped: Mapped, path: &Path) -> SqlResult<Self> {
        let damaged = |why: &str| damaged(path, why);
        let data = Bytes::from_owner(mapped.clone());
        let trailer_at = data.len().checked_sub(TRAILER_BYTES).ok_or_else(|| damaged("shorter than a trailer"))?;
        let mut trailer = [0; TRAILER_BYTES];
        trailer.copy_from_slice(&data[trailer_at..]);
        let footer_len = read_footer_length(trailer).map_err(|_| damaged("no Arrow trailer"))?;
        let footer_at = trailer_at.checked_sub(footer_len).ok_or_else(|| damaged("footer longer than the file"))?;
        let footer = arrow_ipc::root_as_footer(&data[footer_at..trailer_at]).map_err(|error| damaged(&error.to_string()))?;
        let text = |key: &str| {
            let pairs = footer.custom_metadata()?;
            pairs.iter().find(|pair| pair.key() == Some(key)).and_then(|pair| pair.value().map(str::to_owned))
        };
        let number = |key: &str| text(key).and_then(|value| value.parse::<u64>().ok());
        let definition = text("shockwave.definition").ok_or_else(|| damaged("no definition in the footer"))?;
        let table = Arc::new(TableDef::from_definition(&definition)?);
        let first_row = number("shockwave.first_row").ok_or_else(|| damaged("no first row in the footer"))?;
        let rows = number("shockwave.rows").ok_or_else(|| damaged("no row count in the footer"))?;
        let blocks: Vec<Block> = footer.recordBatches().map(|blocks| blocks.iter().copied().collect()).unwrap_or_default();
        if blocks.len() as u64 != rows.div_ceil(BATCH_ROWS as u64) || rows == 0 {
            return Err(damaged("row count and batches disagree"));
        }
        for block in &blocks {
            let (offset, meta, body) = (block.offset(), i64::from(block.metaDataLength()), block.bodyLength());
            let end = offset.checked_add(meta).and_then(|n| n.checked_add(body));
            if offset < 0 || meta < 0 || body < 0 || end.is_none_or(|end| end > footer_at as i64) {
                return Err(damaged("a batch lies outside the file"));
            }
        }
        let expired_at = match text(stub::MARK) {
            None => None,
            Some(_) => Some(number(stub::MARK).ok_or_else(|| damaged("no number of commits in the footer"))?),
        };
        let (schema, version) = (if expired_at.is_some() { stub::schema() } else { table.segment_schema() }, footer.version());
        let named = path.file_name().and_then(|name| SegmentName::parse(name.to_str()?));
        let is_merged = named.is_some_and(|name| name.merged_rows.is_some());
        Ok(Self {
            path: path.to_path_buf(),
            table,
            first_row,
            rows,
            is_merged,
            schema,
            version,
            blocks,
            data,
            mapped,
            quarantined: AtomicBool::new(false),
            expired_at,
        })
    }

    /// From here on it is not read: its bytes are not the recorded ones.
    pub(crate) fn quarantine(&self) {
        self.quarantined.store(true, Ordering::Relaxed);
    }

    /// Whether it is not read.
    pub(crate) fn is_quarantined(&self) -> bool {
        self.quarantined.load(Ordering::Relaxed)
    }

    /// Commits that there were when its values were removed; `None` if they were not (S4).
    pub fn expired_at(&self) -> Option<u64> {
        self.expired_at
    }

    /// Its name.
    pub fn name(&self) -> SegmentName {
        let name = SegmentName { first_row: self.first_row, merged_rows: self.is_merged.then_some(self.rows), is_stub: false };
        if self.expired_at.is_some() { name.stub() } else { name }
    }

    /// Its path below the ledger's folder.
    pub fn file(&self) -> String {
        self.name().file(self.table.id)
    }

    /// One past the id of its last row.
    pub fn end(&self) -> u64 {
        self.first_row + self.rows
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The table's definition as the footer gives it.
    pub fn table(&self) -> &Arc<TableDef> {
        &self.table
    }

    /// Id of the first row.
    pub fn first_row(&self) -> u64 {
        self.first_row
    }

    /// Rows held.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Batches held.
    pub fn batches(&self) -> usize {
        self.blocks.len()
    }

    /// Size of the file.
    pub fn bytes(&self) -> u64 {
        self.mapped.len() as u64
    }

    /// Commits of its first and of its last row. Errors: as [`Segment::read`].
    pub fn commits(&self) -> SqlResult<(u64, u64)> {
        let commits_at = self.table.columns.len() + 3;
        let commits = |index: usize| -> SqlResult<UInt64Array> {
            Ok(self.read(index, Some(&[commits_at]))?.column(0).as_primitive::<UInt64Type>().clone())
        };
        let (first, last) = (commits(0)?, commits(self.blocks.len() - 1)?);
        Ok((first.value(0), last.value(last.len() - 1)))
    }

    /// BLAKE3 of the whole file, hex, as `b3sum` prints it. Reads every byte.
    pub fn blake3(&self) -> String {
        blake3::hash(&self.mapped).to_hex().to_string()
    }

    /// Reads batch `index`, only the given columns of the segment layout where a projection is given.
    ///
    /// Errors: XX001 for damage that shows in the layout (damage to values shows in the BLAKE3 and in the row hashes), and where a scrub has found
    /// damage; 72000 for values that have expired.
    pub fn read(&self, index: usize, projection: Option<&[usize]>) -> SqlResult<RecordBatch> {
        if self.is_quarantined() {
            let rows = format!("rows {} to {}", self.first_row, self.first_row + self.rows - 1);
            return Err(damaged(&self.path, &format!("its bytes are not the recorded ones; {rows} of it are not shown")));
        }
        let stored;
        let projection = match (self.expired_at, projection) {
            (None, projection) => projection,
            (Some(_), asked) => {
                stored = stub::places(&self.table, asked).ok_or_else(|| self.expired())?;
                Some(stored.as_slice())
            }
        };
        self.read_stored(index, projection)
    }

    fn read_stored(&self, index: usize, projection: Option<&[usize]>) -> SqlResult<RecordBatch> {
        let block = self.blocks.get(index).ok_or_else(|| damaged(&self.path, "no such batch"))?;
        let mut decoder = FileDecoder::new(Arc::clone(&self.schema), self.version);
        if let Some(columns) = projection {
            decoder = decoder.with_projection(columns.to_vec());
        }
        let length = block.metaDataLength() as usize + block.bodyLength() as usize;
        let start = block.offset() as usize;
        // A buffer of its own: what is stored as it is stays a slice of it, and whoever counts memory by buffers counts no other batch.
        let bytes = Buffer::from(self.data.slice(start..start + length));
        check_buffer_lengths(&bytes, block.metaDataLength() as usize).map_err(|why| damaged(&self.path, why))?;
        let batch = contain_panic(|| decoder.read_record_batch(block, &bytes)).map_err(|error| damaged(&self.path, &error.to_string()))?;
        let batch = batch.ok_or_else(|| damaged(&self.path, "an empty message"))?;
        let last = index + 1 == self.blocks.len();
        let expected = if last { self.rows as usize - index * BATCH_ROWS } else { BATCH_ROWS };
        if batch.num_rows() != expected {
            return Err(damaged(&self.path, "a batch of the wrong length"));
        }
        Ok(batch)
    }
}

/// Every compressed buffer begins with its length when decompressed, which the decoder allocates before it looks further. LZ4 gives at most 255
/// bytes for one, so a larger claim is damage and must not be believed.
fn check_buffer_lengths(message: &[u8], metadata_bytes: usize) -> Result<(), &'static str> {
    const PREFIX_BYTES: usize = 8;
    const LZ4_RATIO_MAX: u64 = 255;
    const MESSAGE_HEADER_BYTES: usize = 8;
    let metadata = message.get(MESSAGE_HEADER_BYTES..metadata_bytes).ok_or("metadata shorter than its header")?;
    let parsed = arrow_ipc::root_as_message(metadata).map_err(|_| "metadata is unreadable")?;
    let header = parsed.header_as_record_batch().ok_or("not a record batch")?;
    if header.compression().is_none() {
        return Err("its buffers are not compressed");
    }
    let body = message.get(metadata_bytes..).ok_or("body shorter than its metadata")?;
    for buffer in header.buffers().into_iter().flatten() {
        let (Ok(offset), Ok(length)) = (usize::try_from(buffer.offset()), usize::try_from(buffer.length())) else {
            return Err("a buffer has a negative place");
        };
        let bytes = offset.checked_add(length).and_then(|end| body.get(offset..end)).ok_or("a buffer lies outside its batch")?;
        let Some(prefix) = bytes.first_chunk::<PREFIX_BYTES>() else { continue };
        let claimed = i64::from_le_bytes(*prefix);
        // −1: stored as it is.
        if claimed != -1 && u64::try_from(claimed).map_or(true, |claimed| claimed > LZ4_RATIO_MAX * length as u64) {
            return Err("a buffer claims to be larger than it can be");
        }
    }
    Ok(())
}

fn damaged(path: &Path, why: &str) -> SqlError {
    SqlError::new(SqlState::DATA_CORRUPTED, format!("segment \"{}\" is damaged: {why}", path.display()))
        .hint("Run shockwave verify fsck on the data folder; restore the file from a copy whose BLAKE3 equals ledger.segments.")
}
