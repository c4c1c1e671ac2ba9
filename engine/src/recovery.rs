//! Opens a ledger: sealed files first, then the log above them, then the question whether that is all that was ever signed.
//!
//! O1: what was acknowledged is there, or opening is refused with the place named.
//! O2: until the whole state has been checked against `last_signed`, nothing on disk changes.
//! O3: what the folds on disk do not have is read from segments and log at the end; where they are not to be trusted, everything is.
//! Never: repairs.

use std::collections::HashMap as StdMap;
use std::path::Path;
use std::sync::Arc;

use base::io::Io;
use base::{CommitSeq, RelationId, SqlError, SqlResult, SqlState};
use bytes::Bytes;
use hashbrown::HashMap;
use receipts::proof::tree_root;
use receipts::{Blake3Tree, KeyLeaf, Leaf, Sha256Tree};
use wal::{Identity, Recovery, WalOptions};

use crate::batch_codec;
use crate::catalog::{CATALOG, CATALOG_TABLE, Catalog, CatalogRow, FIRST_USER_ID, SEGMENTS_TABLE};
use crate::catalog_rows;
use crate::catch_up::CatchUp;
use crate::checkpoints;
use crate::erasure;
use crate::failure::io_failed;
use crate::folds::FoldStore;
use crate::identity::{FILE, LedgerIdentity};
use crate::ledger::{Ledger, Parts, Published};
use crate::merkle::MerkleLog;
use crate::options::Options;
use crate::record::{self, Piece, PieceBody};
use crate::schema::{Expressions, TableDef};
use crate::segment::name::SegmentName;
use crate::segment::{BATCH_ROWS, Segment};
use crate::signer::{self, Signed, Signer};
use crate::stored;
use crate::subjects::Subjects;
use crate::table::{TableState, TailChunk};

/// Opens the ledger in `folder`. Errors: XX001 with file and place for damage or a folder rolled back, 58030 from the disk.
pub fn open(folder: &Path, identity: &LedgerIdentity, options: &Options) -> SqlResult<Arc<Ledger>> {
    let io = &options.io;
    // Nothing is acknowledged on a name that a power loss could take back: its creator may have been killed before this sync.
    io.sync_dir(folder).map_err(|error| io_failed("sync folder", folder, error))?;
    let subjects = Subjects::open(io, folder, identity.ledger)?;
    let mut signer = Signer::open(&**io, folder, identity.ledger)?;
    let origin = identity.origin();
    if signer.keys().origin() != origin {
        let message = format!("\"{}\" names the ledger {origin}, its keys are of {}", folder.join(FILE).display(), signer.keys().origin());
        return Err(SqlError::new(SqlState::DATA_CORRUPTED, message).hint("One of the two files is damaged; restore it from a copy."));
    }
    let sealed = checkpoints::sizes(&**io, folder)?.last().copied().unwrap_or(0);
    let folds = Arc::new(FoldStore::new(folder, (identity.ledger, identity.incarnation), options));
    let mut state = Rebuilt::from_sealed(io, folder, sealed, folds)?;
    let wal_identity = Identity { ledger: identity.ledger, incarnation: identity.incarnation };
    let wal_options = WalOptions { file_bytes: options.wal_file_bytes, use_uring: options.use_uring };
    let past: Vec<u32> = (0..identity.incarnation).collect();
    let mut log = LogReplay::default();
    let recovery = Recovery::read(Arc::clone(io), &folder.join("wal"), wal_identity, &past, wal_options, &mut |record| {
        log.take(&mut state, record.position.0, record.kind.0, Bytes::from_owner(record.payload))
    })?;
    let cut = recovery.recovered().cut.as_ref().map(|cut| format!("{cut:?}"));
    check_against_signed(&state.merkle, signer.last(), cut)?;
    let wal = recovery.accept()?;
    signer::settle_keys(&**io, folder, &mut signer, log.keys.as_ref())?;
    finish(folder, identity, options, (signer, subjects), state, wal)
}

/// What opening knows so far.
struct Rebuilt {
    merkle: MerkleLog,
    tables: HashMap<RelationId, Arc<TableState>>,
    folds: Arc<FoldStore>,
    catalog_rows: Vec<CatalogRow>,
    definitions: StdMap<(RelationId, u32), Arc<TableDef>>,
    largest_id: u32,
}

impl Rebuilt {
    /// The state that sealed files amount to.
    fn from_sealed(io: &Arc<dyn Io>, folder: &Path, sealed: u64, folds: Arc<FoldStore>) -> SqlResult<Self> {
        let merkle = MerkleLog::open(io, folder, sealed)?;
        if sealed > 0 {
            let signed = checkpoints::read(&**io, folder, sealed)?.state;
            if (merkle.sha.root(), merkle.b3.root()) != (signed.sha_root, signed.b3_root) {
                return Err(SqlError::new(
                    SqlState::DATA_CORRUPTED,
                    format!("tiles do not give the roots of the checkpoint at size {sealed}"),
                )
                .hint("Run shockwave verify fsck on the data folder; it names the first bad tile."));
            }
        }
        let mut state = Self {
            merkle,
            tables: HashMap::new(),
            folds,
            catalog_rows: Vec::new(),
            definitions: StdMap::new(),
            largest_id: FIRST_USER_ID - 1,
        };
        state.define(&[&CATALOG_TABLE, &SEGMENTS_TABLE]);
        for (relation, segments) in list_segments(&**io, folder)? {
            let table = state.table(relation);
            table.adopt_segments(segments.clone());
            if relation == CATALOG {
                segments.iter().try_for_each(|segment| state.take_catalog_segment(segment))?;
            }
        }
        Ok(state)
    }

    fn define(&mut self, tables: &[&Arc<TableDef>]) {
        for table in tables {
            self.definitions.insert((table.id, table.version), Arc::clone(table));
        }
    }

    fn table(&mut self, id: RelationId) -> Arc<TableState> {
        Arc::clone(self.tables.entry(id).or_insert_with(|| Arc::new(TableState::new(id, &self.folds))))
    }

    fn take_catalog_segment(&mut self, segment: &Segment) -> SqlResult<()> {
        for index in 0..segment.batches() {
            let first = segment.first_row() + (index * BATCH_ROWS) as u64;
            self.take_catalog_rows(catalog_rows::read(first, &segment.read(index, None)?)?);
        }
        Ok(())
    }

    /// O3.
    fn open_folds(&self, catalog: &Catalog, database: &str, options: &Options) -> SqlResult<()> {
        let size = self.merkle.size();
        let begun = options.clock.monotonic_ns();
        let mut anew = self.folds.open(size)?;
        if anew.is_none()
            && let Err(error) = self.bring_up(catalog, size, &*options.expressions)
        {
            // Whatever is wrong with them, they are not needed.
            self.folds.begin_anew()?;
            anew = Some(error.to_string());
        }
        if let Some(why) = anew.filter(|_| size > 0) {
            let entries = self.bring_up(catalog, size, &*options.expressions)?;
            let ms = options.clock.monotonic_ns().saturating_sub(begun) / 1_000_000;
            eprintln!("database {database}: folds made anew from the ledger in {ms} ms: {entries} entries of {size} commits, for {why}");
        }
        self.tables.values().for_each(|table| table.restore_count(size.saturating_sub(1)));
        Ok(())
    }

    /// What the folds lack; how many entries that was.
    fn bring_up(&self, catalog: &Catalog, size: u64, expressions: &dyn Expressions) -> SqlResult<u64> {
        let counts = self.folds.read_counts()?;
        let catch_up = CatchUp { folds: &self.folds, expressions, catalog, size, since: self.folds.durable(), opened_at: size };
        let mut tables: Vec<_> = self.tables.values().cloned().collect();
        tables.sort_by_key(|table| table.id);
        let changes = catch_up.say(&tables, Some(&counts))?;
        let entries = changes.count();
        if catch_up.since < size {
            self.folds.fill(|tree| Ok(changes.write(tree)?))?;
        }
        catch_up.know();
        Ok(entries)
    }

    fn take_catalog_rows(&mut self, rows: Vec<CatalogRow>) {
        for row in &rows {
            if let Some(object) = &row.object {
                self.largest_id = self.largest_id.max(object.greatest_id());
                if let Some(table) = object.rows() {
                    self.definitions.insert((table.id, table.version), Arc::clone(table));
                }
            }
        }
        self.catalog_rows.extend(rows);
    }
}

/// Segment files by relation, each list ascending and dense. Errors: XX001 for a gap or an unreadable file.
fn list_segments(io: &dyn Io, folder: &Path) -> SqlResult<Vec<(RelationId, Vec<Arc<Segment>>)>> {
    let root = folder.join("segments");
    let mut found = Vec::new();
    if !io.exists(&root) {
        return Ok(found);
    }
    let list = |dir: &Path| io.list(dir).map_err(|error| io_failed("list", dir, error));
    let mut relations: Vec<u32> = list(&root)?.iter().filter_map(|name| name.parse().ok()).collect();
    relations.sort_unstable();
    for relation in relations {
        let dir = root.join(relation.to_string());
        let mut segments: Vec<Arc<Segment>> = Vec::new();
        for name in SegmentName::all(&list(&dir)?) {
            let expected = segments.last().map_or(0, |last| last.end());
            // A stub beside its segment, or what others were merged from: the record is asked once the ledger is open.
            if name.first_row < expected {
                continue;
            }
            let path = folder.join(name.file(RelationId(relation)));
            let opened = Segment::open(io, &path)?;
            if opened.first_row() != expected || opened.name() != name || opened.table().id != RelationId(relation) {
                return Err(SqlError::new(SqlState::DATA_CORRUPTED, format!("segment \"{}\" is out of place", path.display()))
                    .detail(format!("Rows from {expected} on were expected, it holds rows from {} on.", opened.first_row()))
                    .hint("A segment before it is missing, or files were renamed; restore the folder from a copy."));
            }
            segments.push(Arc::new(opened));
        }
        if !segments.is_empty() {
            found.push((RelationId(relation), segments));
        }
    }
    Ok(found)
}

/// Rows seen in the log whose commit has not been seen yet.
#[derive(Default)]
struct LogReplay {
    waiting: StdMap<u64, Bytes>,
    /// The last leaf of new keys.
    keys: Option<KeyLeaf>,
}

impl LogReplay {
    fn take(&mut self, state: &mut Rebuilt, position: u64, kind: u8, payload: Bytes) -> SqlResult<()> {
        match kind {
            record::DATA => {
                self.waiting.insert(position, payload);
                Ok(())
            }
            record::COMMIT => {
                let (leaf, pieces) = record::read_commit(&payload)?;
                let Some(Leaf::Commit(commit)) = append_leaf(state, &leaf)? else {
                    // Sealed already: its rows are in segments.
                    pieces.iter().for_each(|piece| self.forget(piece));
                    return Ok(());
                };
                self.apply(state, &commit, pieces)
            }
            record::LEAF => {
                if let Some(Leaf::Key(keys)) = append_leaf(state, &payload)? {
                    self.keys = Some(keys);
                }
                Ok(())
            }
            other => Err(SqlError::new(SqlState::DATA_CORRUPTED, format!("log record at {position} has unknown kind {other}"))),
        }
    }

    fn forget(&mut self, piece: &Piece) {
        if let PieceBody::At(position) = piece.body {
            self.waiting.remove(&position);
        }
    }

    fn apply(&mut self, state: &mut Rebuilt, commit: &receipts::CommitLeaf, pieces: Vec<Piece>) -> SqlResult<()> {
        let seq = CommitSeq(commit.seq);
        let damaged = |why: String| SqlError::new(SqlState::DATA_CORRUPTED, format!("commit {seq} in the log is unreadable: {why}"));
        let mut pieces = pieces.into_iter().peekable();
        for span in &commit.tables {
            let relation = RelationId(span.relation);
            let table_state = state.table(relation);
            let mut next = span.first_row;
            let end = span.first_row + span.rows;
            let mut chunks = Vec::new();
            while let Some(piece) = pieces.next_if(|piece| piece.header.relation == relation) {
                let (table, position) = (state.definitions.get(&(relation, piece.header.schema_version)).cloned(), piece.body.clone());
                let table = table.ok_or_else(|| damaged(format!("relation {relation} is not in the catalog")))?;
                let (rows, position) = match position {
                    PieceBody::Inline(bytes) => (bytes, None),
                    PieceBody::At(at) => {
                        let data = self.waiting.remove(&at).ok_or_else(|| damaged(format!("its rows at log position {at} are missing")))?;
                        (record::read_data(&data)?.1, Some(at))
                    }
                };
                let batch = batch_codec::decode(&rows, &table.stored_schema())?;
                if batch.num_rows() != piece.header.rows as usize {
                    return Err(damaged("a piece has another number of rows than its header says".into()));
                }
                let batch = stored::resolve_own(&table, batch, span.first_row)?;
                let first = next;
                next += batch.num_rows() as u64;
                if first >= table_state.sealed() {
                    chunks.push(TailChunk::new(first, batch, seq, table).in_log(position));
                } else if next > table_state.sealed() {
                    let skip = (table_state.sealed() - first) as usize;
                    let rest = batch.slice(skip, batch.num_rows() - skip);
                    chunks.push(TailChunk::new(table_state.sealed(), rest, seq, table).in_log(position));
                }
            }
            if next != end {
                return Err(damaged(format!("it has {} rows of relation {relation}, its leaf says {}", next - span.first_row, span.rows)));
            }
            if end > table_state.sealed() && chunks.first().is_some_and(|chunk| chunk.first_row != table_state.rows()) {
                return Err(damaged(format!("its rows of relation {relation} do not follow those before")));
            }
            place(state, seq, &table_state, chunks)?;
        }
        match pieces.next() {
            Some(_) => Err(damaged("it has rows of a table that its leaf does not name".into())),
            None => Ok(()),
        }
    }
}

/// Feeds the catalog and the table, as the committer did.
fn place(state: &mut Rebuilt, seq: CommitSeq, table_state: &TableState, chunks: Vec<TailChunk>) -> SqlResult<()> {
    if table_state.id == CATALOG {
        for chunk in &chunks {
            state.take_catalog_rows(catalog_rows::read(chunk.first_row, &chunk.batch)?);
        }
    }
    // Which rows it ends is the folds' to know, at the end.
    table_state.append(seq, chunks, 0)
}

/// Appends a leaf read from the log; `None` if the sealed tiles hold it already. Errors: XX001 for a leaf out of place.
fn append_leaf(state: &mut Rebuilt, bytes: &[u8]) -> SqlResult<Option<Leaf>> {
    let leaf = Leaf::decode(bytes)
        .map_err(|error| SqlError::new(SqlState::DATA_CORRUPTED, format!("a leaf in the log is unreadable: {error}")))?;
    let size = state.merkle.size();
    if leaf.seq() < size {
        return Ok(None);
    }
    if leaf.seq() > size {
        return Err(SqlError::new(SqlState::DATA_CORRUPTED, format!("commits {size} to {} are missing", leaf.seq() - 1))
            .hint("Log files or tiles were removed; restore the folder from a copy."));
    }
    state.merkle.append(bytes);
    Ok(Some(leaf))
}

/// A folder that holds less than was signed, or something else, has lost or changed history (O1).
fn check_against_signed(merkle: &MerkleLog, last: Option<Signed>, cut: Option<String>) -> SqlResult<()> {
    let Some(last) = last else { return Ok(()) };
    if merkle.size() < last.size {
        let lost = last.size - merkle.size();
        let detail = cut.map_or_else(|| "Nothing was cut from the log.".to_owned(), |cut| format!("The end of the log is torn: {cut}."));
        return Err(SqlError::new(
            SqlState::DATA_CORRUPTED,
            format!("the ledger has {} commits but signed {}: the last {lost} are missing", merkle.size(), last.size),
        )
        .detail(detail)
        .hint("The folder was rolled back to an older copy, or its last log file is damaged; restore the newest copy."));
    }
    let sha = tree_root::<Sha256Tree>(&merkle.sha, last.size);
    let b3 = tree_root::<Blake3Tree>(&merkle.b3, last.size);
    if (sha, b3) != (Some(last.sha_root), Some(last.b3_root)) {
        return Err(SqlError::new(SqlState::DATA_CORRUPTED, format!("the first {} commits are not the ones that were signed", last.size))
            .hint("History was changed; run shockwave verify fsck with a pinned checkpoint."));
    }
    Ok(())
}

fn finish(
    folder: &Path,
    identity: &LedgerIdentity,
    options: &Options,
    (mut signer, subjects): (Signer, Subjects),
    mut state: Rebuilt,
    wal: wal::Wal,
) -> SqlResult<Arc<Ledger>> {
    let catalog = Arc::new(Catalog::fold(std::mem::take(&mut state.catalog_rows)));
    state.open_folds(&catalog, &identity.database, options)?;
    let merkle = state.merkle;
    let signed = Signed { size: merkle.size(), sha_root: merkle.sha.root(), b3_root: merkle.b3.root() };
    let last_time_us = match merkle.size().checked_sub(1) {
        Some(last) => Leaf::decode(&merkle.leaf(last)?).map(|leaf| leaf.time_us()).unwrap_or(i64::MIN),
        None => i64::MIN,
    };
    let checkpoint = signer.sign(signed)?;
    let origin = signer.keys().origin().to_owned();
    let ledger = Ledger::new(Parts {
        name: identity.database.clone(),
        id: identity.ledger,
        origin,
        folder: folder.to_path_buf(),
        options: options.clone(),
        wal,
        merkle,
        signer,
        subjects,
        tables: state.tables,
        folds: state.folds,
        published: Published { catalog, checkpoint },
        last_time_us,
        next_object: state.largest_id + 1,
    });
    ledger.read_cosigned()?;
    erasure::settle(&ledger)?;
    ledger.start()?;
    let settled = crate::merging::settle(&ledger).and_then(|()| crate::expire::settle(&ledger));
    if let Err(error) = settled.and_then(|()| crate::sealer::record_unrecorded(&ledger)) {
        // Its threads hold the ledger and would outlive the refused open; the first error is the one to tell.
        let _ = ledger.close(false);
        return Err(error);
    }
    Ok(ledger)
}
