//! The folder of one restored ledger.
//!
//! Y1: what was sealed by a checkpoint up to the commit is laid as it was; commits after that go into a new log, as after a crash before their seal.
//! Y2: a segment is laid if all its rows are of restored commits; so all that `ledger.segments` names as of the commit are, or have been merged since: what
//!     they were merged into is laid, as far as its rows are of restored commits.
//! Y3: the log ends with the incarnation leaf, and `ledger.id` comes last.
//! Never: lays a row of a commit that was left out.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::AsArray;
use arrow::datatypes::UInt64Type;
use base::{RelationId, SqlError, SqlResult, SqlState};
use bytes::Bytes;
use receipts::note::Note;
use receipts::tiles::{TileId, TileKind, decode_entries, push_entry, tiles_of_growth};
use receipts::{Checkpoint, CommitLeaf, IncarnationLeaf, Keys, Leaf};
use wal::{Identity, RecordKind, Wal, WalOptions};

use super::Restored;
use super::leaves::{Leaves, Survey};
use super::rows::{Run, SealedRows};
use super::source::Source;
use crate::backup::log::Records;
use crate::batch_codec;
use crate::checkpoints::{self, replace};
use crate::cosigned;
use crate::failure::io_failed;
use crate::identity::{FILE, LedgerIdentity};
use crate::merkle::write_once;
use crate::options::Options;
use crate::packed;
use crate::record::{self, Piece, PieceBody, PieceHeader};
use crate::segment::name::SegmentName;
use crate::segment::{self, BATCH_ROWS, Segment, SegmentRows};
use crate::signer::Signer;
use crate::subjects;
use crate::timestamps;
use crate::verifiers;
use crate::writes::INLINE_ROWS_MAX;

/// What a backup may lack.
pub(super) struct Secrets {
    pub keys: Keys,
    pub verifiers: Option<Vec<u8>>,
    /// The file of subjects' keys to go on with.
    pub subjects: Option<Vec<u8>>,
}

/// Lays the ledger's folder with the commits up to what was surveyed. Errors: XX001 naming a damaged file; 53100, 58030.
pub(super) fn lay(options: &Options, source: &Source<'_>, to: &Path, survey: &Survey, secrets: &Secrets) -> SqlResult<Restored> {
    let (io, size) = (source.io, survey.at.size);
    let sealed = source.sealed_sizes().into_iter().rev().find(|sealed| *sealed <= size).unwrap_or(0);
    io.create_dir_all(to).map_err(|error| io_failed("create ledger folder", to, error))?;
    lay_tiles(source, to, sealed)?;
    for checkpoint in source.sealed_sizes().into_iter().filter(|checkpoint| *checkpoint <= sealed) {
        checkpoints::write(io, to, &checkpoints::read(io, source.folder, checkpoint)?)?;
    }
    let rows = lay_segments(source, to, sealed, size)?;
    let incarnation = source.manifest.identity.incarnation.checked_add(1).ok_or_else(|| SqlError::internal("no incarnation is left"))?;
    let identity = LedgerIdentity { incarnation, ..source.manifest.identity.clone() };
    NewLog::lay(options, source, to, &identity)?.fill(source, rows, sealed..size, &new_incarnation(options, source, &identity, survey)?)?;
    Signer::lay(io, to, &secrets.keys, survey.at)?;
    if let Some(bytes) = &secrets.verifiers {
        verifiers::lay(io, to, bytes)?;
    }
    let known = source.manifest.copy_of(subjects::FILE).map(|name| source.bytes(name)).transpose()?;
    let known: Vec<&[u8]> = known.iter().map(|bytes| &bytes[..]).collect();
    subjects::lay(&options.io, to, identity.ledger, secrets.subjects.as_deref(), &known)?;
    lay_cosigned(source, to, size)?;
    lay_timestamps(source, to, size)?;
    replace(io, &to.join(FILE), identity.text().as_bytes())?;
    let left_out = source.manifest.state.size - size;
    Ok(Restored { database: identity.database, size, left_out, incarnation: identity.incarnation })
}

/// What witnesses have cosigned, unless it is of a commit that is left out.
fn lay_cosigned(source: &Source<'_>, to: &Path, size: u64) -> SqlResult<()> {
    let Some(name) = source.manifest.copy_of(cosigned::FILE) else { return Ok(()) };
    let note = source.bytes(name)?;
    let parsed = std::str::from_utf8(&note).ok().and_then(|text| Note::parse(text).ok());
    let checkpoint =
        parsed.and_then(|note| Checkpoint::parse(note.text()).ok()).ok_or_else(|| source.damaged(name, "it is no checkpoint"))?;
    if checkpoint.size > size {
        return Ok(());
    }
    replace(source.io, &to.join(cosigned::FILE), &note)
}

/// Timestamps of checkpoints up to `size`.
fn lay_timestamps(source: &Source<'_>, to: &Path, size: u64) -> SqlResult<()> {
    let stamped = |name: &String| name.strip_prefix(timestamps::FOLDER)?.strip_prefix('/')?.strip_suffix(".tsr")?.parse().ok();
    for at in source.names(timestamps::FOLDER).filter_map(stamped).filter(|at| *at <= size) {
        for name in timestamps::names(at) {
            write_once(source.io, &to.join(&name), &source.bytes(&name)?)?;
        }
    }
    Ok(())
}

/// Tiles of `sealed` leaves: each is the beginning of the one that the backup has.
fn lay_tiles(source: &Source<'_>, to: &Path, sealed: u64) -> SqlResult<()> {
    for tile in tiles_of_growth(0, sealed) {
        let position = tile.index * u64::from(receipts::tiles::TILE_WIDTH);
        let wide = TileId::holding(tile.kind, position, source.manifest.sealed).unwrap_or(tile);
        let trees: &[&str] = if tile.kind == TileKind::Entries { &[""] } else { &["", "b3/"] };
        for tree in trees {
            let name = format!("{tree}{}", wide.path());
            let bytes = source.bytes(&name)?;
            let cut = match tile.kind {
                TileKind::Hashes(_) => bytes.get(..usize::from(tile.width) * 32).map(<[u8]>::to_vec),
                TileKind::Entries => first_entries(&bytes, tile.width),
            };
            let cut = cut.ok_or_else(|| source.damaged(&name, "it is short"))?;
            write_once(source.io, &to.join(format!("{tree}{}", tile.path())), &cut)?;
        }
    }
    Ok(())
}

fn first_entries(bundle: &[u8], count: u16) -> Option<Vec<u8>> {
    let entries = decode_entries(bundle).ok()?;
    let mut cut = Vec::with_capacity(bundle.len());
    for entry in entries.get(..usize::from(count))? {
        push_entry(&mut cut, entry).ok()?;
    }
    Some(cut)
}

/// Lays the segments that hold restored commits only (Y2); those that the new log takes rows from.
fn lay_segments(source: &Source<'_>, to: &Path, sealed: u64, size: u64) -> SqlResult<SealedRows> {
    let (mut rows, mut folders) = (SealedRows::default(), BTreeSet::<PathBuf>::new());
    for (relation, names) in segment_names(source) {
        let mut end = 0;
        for name in SegmentName::all(&names) {
            let file = &name.file(relation);
            let ((first, last), segment) = peek(source, file)?;
            if segment.expired_at().is_some_and(|expired_at| expired_at >= size) {
                return Err(has_expired(&segment, size));
            }
            if last < size {
                let path = to.join(file);
                let folder = path.parent().unwrap_or(to);
                source.io.create_dir_all(folder).map_err(|error| io_failed("create folder", folder, error))?;
                source.copy(file, &path, 0o444)?;
                folders.insert(folder.to_path_buf());
            } else {
                source.verify(file)?;
                if first < size && name.merged_rows.is_some() {
                    lay_part(source, to, &segment, size)?;
                }
            }
            // What was merged into one that was met before has the same rows.
            if name.first_row >= end {
                end = segment.end();
                if last >= sealed {
                    rows.add(segment);
                }
            }
        }
    }
    for folder in folders {
        source.io.sync_dir(&folder).map_err(|error| io_failed("sync folder", &folder, error))?;
    }
    Ok(rows)
}

/// Names of sealed files, by table.
fn segment_names(source: &Source<'_>) -> BTreeMap<RelationId, Vec<String>> {
    let mut names: BTreeMap<RelationId, Vec<String>> = BTreeMap::new();
    let split = |file: &String| {
        let (relation, name) = file.strip_prefix("segments/")?.split_once('/')?;
        Some((RelationId(relation.parse().ok()?), name.to_owned()))
    };
    for (relation, name) in source.names("segments/").filter_map(split) {
        names.entry(relation).or_default().push(name);
    }
    names
}

/// A segment, not compared with the manifest yet, and the commits of its first and last row.
fn peek(source: &Source<'_>, file: &str) -> SqlResult<((u64, u64), Segment)> {
    let peeked = Segment::open(source.io, &source.folder.join(file)).and_then(|segment| Ok((segment.commits()?, segment)));
    // What is wrong with it is told best by its hash.
    peeked.map_err(|error| source.verify(file).err().unwrap_or(error))
}

/// Lays the rows of restored commits out of a file that holds rows of later ones too: what it was merged from may be nowhere else.
fn lay_part(source: &Source<'_>, to: &Path, segment: &Segment, size: u64) -> SqlResult<()> {
    let commits_at = segment.table().columns.len() + 3;
    let (mut rows, mut last) = (0, 0);
    for index in 0..segment.batches() {
        let batch = segment.read(index, Some(&[commits_at]))?;
        let commits = batch.column(0).as_primitive::<UInt64Type>().values();
        let restored = commits.partition_point(|commit| *commit < size);
        rows += restored;
        last = restored.checked_sub(1).map_or(last, |at| commits[at]);
        if restored < commits.len() {
            break;
        }
    }
    let batches = (0..rows.div_ceil(BATCH_ROWS)).map(|index| {
        let batch = segment.read(index, None)?;
        Ok(batch.slice(0, (rows - index * BATCH_ROWS).min(batch.num_rows())))
    });
    let name = SegmentName::merged(segment.first_row(), rows as u64);
    let part = SegmentRows { table: segment.table(), commits: (segment.commits()?.0, last), name };
    segment::write(source.io, to, &part, batches).map(drop)
}

/// A commit whose rows the backup does not have any more. Errors: 55000.
fn has_expired(stub: &Segment, size: u64) -> SqlError {
    let table = stub.table();
    let message = format!("commit {} cannot be restored: rows of table \"{}\" have expired since", size - 1, table.name);
    SqlError::new(SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE, message)
        .hint("Restore to the commit of the newest EXPIRE or a later one, or from a backup that was made before it.")
}

/// The leaf that says so (Y3).
fn new_incarnation(options: &Options, source: &Source<'_>, identity: &LedgerIdentity, survey: &Survey) -> SqlResult<Vec<u8>> {
    let previous = &source.manifest.state;
    let leaf = Leaf::Incarnation(IncarnationLeaf {
        ledger: identity.ledger.0,
        seq: survey.at.size,
        time_us: options.clock.now_us().max(survey.time_us),
        number: identity.incarnation,
        previous_size: previous.size,
        previous_sha_root: previous.sha_root,
        previous_b3_root: previous.b3_root,
    });
    leaf.encode().map_err(|error| SqlError::internal(format!("incarnation leaf: {error}")))
}

/// The log of the new incarnation.
struct NewLog {
    wal: Wal,
}

impl NewLog {
    fn lay(options: &Options, source: &Source<'_>, to: &Path, identity: &LedgerIdentity) -> SqlResult<Self> {
        let wal_options = WalOptions { file_bytes: options.wal_file_bytes, use_uring: options.use_uring };
        let wal_identity = Identity { ledger: identity.ledger, incarnation: identity.incarnation };
        debug_assert!(!source.io.exists(&to.join("wal")), "Y1: a restored ledger has a log of its own");
        Ok(Self { wal: Wal::create(Arc::clone(&options.io), &to.join("wal"), wal_identity, wal_options)? })
    }

    /// Writes these leaves with their rows, then the new incarnation's, and closes it.
    fn fill(self, source: &Source<'_>, mut rows: SealedRows, leaves: std::ops::Range<u64>, incarnation: &[u8]) -> SqlResult<()> {
        let sealed_end = leaves.end.min(source.manifest.sealed);
        if leaves.start < sealed_end {
            let mut sealed = Leaves::from(source, leaves.start)?;
            for _ in leaves.start..sealed_end {
                let (_, bytes) = sealed.take()?.ok_or_else(|| SqlError::internal("leaves were counted"))?;
                match Leaf::decode(&bytes) {
                    Ok(Leaf::Commit(commit)) => self.put_sealed(&bytes, &commit, &mut rows)?,
                    _ => self.put(record::LEAF, &[&bytes]).map(drop)?,
                }
            }
        }
        self.put_logged(source, leaves.end)?;
        self.put(record::LEAF, &[incarnation])?;
        self.wal.sync()?;
        Ok(self.wal.close()?)
    }

    fn put(&self, kind: u8, parts: &[&[u8]]) -> SqlResult<u64> {
        Ok(self.wal.append(RecordKind(kind), parts)?.0)
    }

    /// A commit whose rows are in segments.
    fn put_sealed(&self, leaf: &[u8], commit: &CommitLeaf, rows: &mut SealedRows) -> SqlResult<()> {
        let mut pieces = Vec::new();
        for span in &commit.tables {
            for run in rows.of_span(span)? {
                pieces.push(self.piece(run, commit.n_rows <= INLINE_ROWS_MAX as u64)?);
            }
        }
        self.put(record::COMMIT, &[&record::commit(leaf, &pieces)]).map(drop)
    }

    fn piece(&self, Run { table, batch }: Run, inline: bool) -> SqlResult<Piece> {
        let rows = u32::try_from(batch.num_rows()).map_err(|_| SqlError::internal("a stored batch is too long"))?;
        let header = PieceHeader { relation: table.id, schema_version: table.version, rows };
        let mut bytes = Vec::new();
        let body = if inline {
            packed::encode(&batch, &mut bytes)?;
            PieceBody::Inline(Bytes::from(bytes))
        } else {
            batch_codec::encode(&batch, &mut bytes)?;
            PieceBody::At(self.put(record::DATA, &[&record::data_header(header), &bytes])?)
        };
        Ok(Piece { header, body })
    }

    /// The commits of the backup's log up to before `end`; rows that went ahead are written where their commit is.
    fn put_logged(&self, source: &Source<'_>, end: u64) -> SqlResult<()> {
        let mut seq = source.manifest.sealed;
        if seq >= end {
            return Ok(());
        }
        let name = source.manifest.log_name();
        let mut records = Records::over(source.bytes(&name)?)?;
        let mut waiting = HashMap::new();
        while seq < end {
            let record = records.take()?.ok_or_else(|| source.damaged(&name, "it is short"))?;
            match record.kind {
                record::DATA => drop(waiting.insert(record.position, record.payload)),
                record::COMMIT => {
                    let (leaf, pieces) = record::read_commit(&record.payload)?;
                    let moved = pieces.into_iter().map(|piece| self.moved(piece, &mut waiting)).collect::<SqlResult<Vec<_>>>()?;
                    self.put(record::COMMIT, &[&record::commit(&leaf, &moved)])?;
                    seq += 1;
                }
                _ => {
                    self.put(record.kind, &[&record.payload])?;
                    seq += 1;
                }
            }
        }
        Ok(())
    }

    fn moved(&self, piece: Piece, waiting: &mut HashMap<u64, Bytes>) -> SqlResult<Piece> {
        let PieceBody::At(position) = piece.body else { return Ok(piece) };
        let missing = || SqlError::new(SqlState::DATA_CORRUPTED, format!("the backup's log lacks the rows at position {position}"));
        let data = waiting.remove(&position).ok_or_else(missing)?;
        Ok(Piece { header: piece.header, body: PieceBody::At(self.put(record::DATA, &[&data])?) })
    }
}
