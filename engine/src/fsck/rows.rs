//! The rows of a folder, table by table in row order, hashed and compared with what the commits say.

use std::collections::{HashMap, VecDeque};
use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{Int64Type, UInt8Type, UInt64Type};
use base::{Io, RelationId, SqlError};
use receipts::{CommitLeaf, Hash, RowTree};

use super::history::LoggedRows;
use super::{Checked, Stop, malformed, tampered, unreadable};
use crate::batch_codec;
use crate::canonical::{Op, row_hashes};
use crate::catalog::{CATALOG, CATALOG_TABLE, Catalog, CatalogRow, Object, SEGMENTS, SEGMENTS_TABLE, is_own_table};
use crate::catalog_rows;
use crate::failure::io_failed;
use crate::schema::TableDef;
use crate::segment::name::SegmentName;
use crate::segment::{BATCH_ROWS, Segment};
use crate::stored;

/// One run of rows with a common batch.
struct Run {
    place: String,
    table: Arc<TableDef>,
    first: u64,
    batch: RecordBatch,
    /// `_supersedes` is absolute and `_commit` is there.
    sealed: bool,
    /// Of rows that have expired, whose batch is a stub's.
    hashes: Option<Vec<Hash>>,
}

/// Rows of one table, in order.
#[derive(Default)]
struct Cursor {
    segments: VecDeque<(String, Segment, usize)>,
    sealed_end: u64,
    logged: VecDeque<(u64, u64, LoggedRows)>,
    logged_end: u64,
    current: Option<Run>,
    next: u64,
}

/// What `ledger.segments` says of a file.
#[derive(Clone)]
struct Recorded {
    file: String,
    /// Table, first row, rows.
    place: (i64, i64, i64),
    blake3: String,
    bytes: u64,
    /// The commit that says so.
    seq: u64,
}

/// A file of the folder.
struct FoundFile {
    file: String,
    blake3: String,
    bytes: u64,
    /// Its rows, if it is a stub.
    expired: Option<(String, u64, u64)>,
    /// Table, first row, rows.
    place: (i64, i64, i64),
    /// Whether others were merged into it.
    is_merged: bool,
}

/// All tables; see the module.
pub(super) struct Rows {
    threads: usize,
    cursors: HashMap<RelationId, Cursor>,
    definitions: HashMap<(RelationId, u32), Arc<TableDef>>,
    found: Vec<FoundFile>,
    /// By the row of `ledger.segments` that says so.
    recorded: HashMap<u64, Recorded>,
    /// By file: what was recorded until it was merged into another.
    merged: HashMap<String, Recorded>,
    catalog_rows: Vec<CatalogRow>,
}

impl Rows {
    /// Opens every segment and hashes it whole.
    pub(super) fn open(io: &Arc<dyn Io>, folder: &Path, threads: usize, checked: &mut Checked) -> Result<Self, Stop> {
        let mut rows = Self {
            threads,
            cursors: HashMap::new(),
            definitions: HashMap::new(),
            found: Vec::new(),
            recorded: HashMap::new(),
            merged: HashMap::new(),
            catalog_rows: Vec::new(),
        };
        for table in [&*CATALOG_TABLE, &*SEGMENTS_TABLE] {
            rows.definitions.insert((table.id, table.version), Arc::clone(table));
        }
        let root = folder.join("segments");
        if !io.exists(&root) {
            return Ok(rows);
        }
        let list = |dir: &Path| io.list(dir).map_err(|error| unreadable(&io_failed("list", dir, error)));
        for relation in list(&root)?.iter().filter_map(|name| name.parse::<u32>().ok()) {
            let dir = root.join(relation.to_string());
            let cursor = rows.cursors.entry(RelationId(relation)).or_default();
            for name in SegmentName::all(&list(&dir)?) {
                let file = name.file(RelationId(relation));
                let opened = Segment::open(&**io, &folder.join(&file)).map_err(|error| malformed(&file, error.message()))?;
                checked.segments += 1;
                rows.found.push(FoundFile::of(&file, &opened));
                // A stub beside its segment, or what was merged: whichever of them is recorded is compared at the end.
                if name.first_row < cursor.sealed_end {
                    continue;
                }
                if opened.first_row() != cursor.sealed_end || opened.name() != name || opened.table().id != RelationId(relation) {
                    return Err(tampered(
                        file,
                        format!("rows from {} on were expected, it holds rows from {} on", cursor.sealed_end, opened.first_row()),
                    ));
                }
                cursor.sealed_end = opened.end();
                cursor.segments.push_back((file, opened, 0));
            }
        }
        Ok(rows)
    }

    /// Takes the logged rows of a commit; those that are sealed as well are read from their segments.
    pub(super) fn add_logged(&mut self, seq: u64, logged: Vec<LoggedRows>) -> Result<(), Stop> {
        for rows in logged {
            let cursor = self.cursors.entry(rows.relation).or_default();
            let count = u64::from(rows.rows);
            // Logged commits that were sealed before the log was let go repeat rows of segments.
            let first = cursor.logged_end.max(cursor.next);
            cursor.logged_end = first + count;
            if first >= cursor.sealed_end {
                cursor.logged.push_back((seq, first, rows));
            }
        }
        Ok(())
    }

    /// Hashes the rows of a commit, in order, and compares root, places and catalog with its leaf.
    pub(super) fn check_commit(&mut self, commit: &CommitLeaf, catalog: &mut Catalog, checked: &mut Checked) -> Result<(), Stop> {
        let mut tree = RowTree::new();
        let mut places = Vec::new();
        for span in &commit.tables {
            let relation = RelationId(span.relation);
            let end = span.first_row + span.rows;
            let mut row = span.first_row;
            let cursor = self.cursors.entry(relation).or_default();
            if cursor.next != row {
                return Err(tampered(
                    format!("commit {}", commit.seq),
                    format!("its rows of relation {relation} begin at {row}, those before end at {}", cursor.next),
                ));
            }
            while row < end {
                let run = cursor.run_at(row, span.first_row, &self.definitions)?;
                let offset = (row - run.first) as usize;
                let n = ((run.batch.num_rows() - offset) as u64).min(end - row) as usize;
                let slice = run.batch.slice(offset, n);
                check_commit_column(run, &slice, commit.seq, row)?;
                let span_first = if run.sealed { span.first_row } else { u64::MAX };
                match &run.hashes {
                    Some(_) if is_own_table(relation) => return Err(tampered(run.place.clone(), "rows of the ledger's own never expire")),
                    Some(hashes) => tree.extend(&hashes[offset..offset + n]),
                    None => {
                        let hashes = row_hashes(&run.table, &slice, span_first, self.threads);
                        tree.extend(&hashes.map_err(|error| malformed(&run.place, error.message()))?);
                        checked.sealed_fields += sealed_fields(&run.table, &slice);
                    }
                }
                if places.last() != Some(&run.place) {
                    places.push(run.place.clone());
                }
                if relation == CATALOG {
                    let slice = stored::resolve_own(&run.table, slice, span.first_row).map_err(|error| unreadable(&error))?;
                    let new = catalog_rows::read(row, &slice).map_err(|error| malformed(&run.place, error.message()))?;
                    // At once, for a commit may fill the table that it makes; the catalog's own rows come first in it.
                    for table in new.iter().filter_map(|row| row.object.as_ref()).filter_map(Object::rows) {
                        self.definitions.insert((table.id, table.version), Arc::clone(table));
                    }
                    self.catalog_rows.extend(new);
                } else if relation == SEGMENTS {
                    record((&mut self.recorded, &mut self.merged), &slice, (row, commit.seq))?;
                }
                row += n as u64;
            }
            cursor.next = end;
            checked.rows += span.rows;
        }
        if commit.tables.iter().any(|span| span.relation == CATALOG.0) {
            *catalog = Catalog::fold(self.catalog_rows.clone());
        }
        let place = if places.is_empty() { format!("commit {}", commit.seq) } else { places.join(", ") };
        if tree.root() != commit.row_root || tree.rows() != commit.n_rows {
            return Err(tampered(place, format!("its rows do not give the row root of commit {}", commit.seq)));
        }
        if catalog.schema_root() != commit.schema_root {
            return Err(tampered("ledger.catalog", format!("its definitions do not give the schema root of commit {}", commit.seq)));
        }
        Ok(())
    }

    /// Compares all segments with `ledger.segments`; what is to be said of some: files that are not recorded there, rows that have expired.
    pub(super) fn finish(self, catalog: &Catalog, checked: &Checked) -> Result<Vec<String>, Stop> {
        debug_assert!(checked.segments as usize == self.found.len());
        let mut recorded: HashMap<String, Recorded> =
            self.recorded.into_values().map(|recorded| (recorded.file.clone(), recorded)).collect();
        let mut notes = Vec::new();
        let mut kept = 0;
        for found in &self.found {
            match (recorded.remove(&found.file), self.merged.get(&found.file)) {
                (Some(known), _) if known.is(found) => notes.extend(found.expired(known.seq)),
                (None, Some(known)) if known.is(found) => kept += 1,
                (None, None) => notes.push(found.unrecorded(&self.found)?),
                _ => return Err(tampered(found.file.clone(), "its BLAKE3 is not the one in ledger.segments")),
            }
        }
        if kept > 0 {
            notes.push(format!("{kept} files whose rows were merged into larger ones are kept beside them"));
        }
        // The rows of a merged file were compared with their commits, whether or not a commit says that it was merged.
        let is_there = |known: &Recorded| self.found.iter().any(|found| found.is_merged && known.lies_in(found.place));
        if let Some(missing) = recorded.values().filter(|known| !is_there(known)).map(|known| &known.file).min() {
            return Err(tampered(missing.clone(), "it is recorded in ledger.segments and is not there"));
        }
        for (relation, cursor) in &self.cursors {
            if cursor.sealed_end > cursor.next {
                let name = catalog.table_by_id(*relation).map_or_else(|| relation.to_string(), |table| table.name.clone());
                return Err(tampered(
                    format!("segments/{relation}"),
                    format!("it holds {} rows of {name}, the commits {}", cursor.sealed_end, cursor.next),
                ));
            }
        }
        Ok(notes)
    }
}

impl Recorded {
    fn is(&self, found: &FoundFile) -> bool {
        self.blake3 == found.blake3 && self.bytes == found.bytes
    }

    fn lies_in(&self, (table, first, rows): (i64, i64, i64)) -> bool {
        self.place.0 == table && self.place.1 >= first && self.place.1 + self.place.2 <= first + rows
    }
}

impl FoundFile {
    fn of(file: &str, opened: &Segment) -> Self {
        let place = (i64::from(opened.table().id.0), opened.first_row().cast_signed(), opened.rows().cast_signed());
        let is_merged = opened.name().merged_rows.is_some();
        let rows = || (opened.table().name.clone(), opened.first_row(), opened.first_row() + opened.rows() - 1);
        let expired = opened.expired_at().is_some().then(rows);
        Self { file: file.to_owned(), blake3: opened.blake3(), bytes: opened.bytes(), expired, place, is_merged }
    }

    /// What is to be said of a stub that this commit recorded.
    fn expired(&self, seq: u64) -> Option<String> {
        let (table, first, last) = self.expired.as_ref()?;
        Some(format!(
            "EXPIRED: the values of rows {first} to {last} of {table}, which commit {seq} removed; their hashes are checked ({})",
            self.file
        ))
    }

    /// Of a file that `ledger.segments` does not have (any more): what an interrupted seal, merge or EXPIRE has left, or a restore has cut.
    fn unrecorded(&self, all: &[Self]) -> Result<String, Stop> {
        let twin = match self.file.strip_suffix(".expired") {
            Some(name) => format!("{name}.arrow"),
            None => format!("{}.expired", self.file.trim_end_matches(".arrow")),
        };
        let has_twin = all.iter().any(|other| other.file == twin);
        match (&self.expired, has_twin) {
            (None, false) if self.is_merged => {
                Ok(format!("{}: no commit says yet what was merged into it; the next start settles it", self.file))
            }
            (None, false) => Ok(format!("bytes of {} beyond its rows: its seal was interrupted before it was recorded", self.file)),
            (None, true) => Ok(format!("{}: it has expired, and its removal was interrupted", self.file)),
            (Some(_), true) => Ok(format!("{}: an EXPIRE was interrupted before it was recorded", self.file)),
            (Some(_), false) => Err(tampered(twin, "it is missing, and no commit says that it has expired")),
        }
    }
}

impl Cursor {
    /// The run that holds this row, read if need be.
    fn run_at(&mut self, row: u64, span_first: u64, definitions: &HashMap<(RelationId, u32), Arc<TableDef>>) -> Result<&Run, Stop> {
        let is_current = self.current.as_ref().is_some_and(|run| (run.first..run.first + run.batch.num_rows() as u64).contains(&row));
        if !is_current {
            self.current =
                Some(if row < self.sealed_end { self.read_sealed(row)? } else { self.read_logged(row, span_first, definitions)? });
        }
        self.current.as_ref().ok_or_else(|| malformed("rows", "a run was just read"))
    }

    fn read_sealed(&mut self, row: u64) -> Result<Run, Stop> {
        while self.segments.front().is_some_and(|(_, segment, _)| segment.first_row() + segment.rows() <= row) {
            self.segments.pop_front();
        }
        let (file, segment, _) = self.segments.front().ok_or_else(|| malformed("segments", format!("row {row} is in none")))?;
        let index = (row - segment.first_row()) as usize / BATCH_ROWS;
        let first = segment.first_row() + (index * BATCH_ROWS) as u64;
        let unread = |error: SqlError| malformed(file.clone(), error.message());
        let n = segment.table().columns.len();
        let (batch, hashes) = match segment.expired_at() {
            None => (segment.read(index, None).map_err(unread)?, None),
            Some(_) => (segment.read(index, Some(&[n + 1, n + 2, n + 3])).map_err(unread)?, Some(segment.hashes(index).map_err(unread)?)),
        };
        let place = format!("{file} (rows {first} to {})", first + batch.num_rows() as u64 - 1);
        Ok(Run { place, table: Arc::clone(segment.table()), first, batch, sealed: true, hashes })
    }

    fn read_logged(&mut self, row: u64, span_first: u64, definitions: &HashMap<(RelationId, u32), Arc<TableDef>>) -> Result<Run, Stop> {
        let (seq, first, rows) =
            self.logged.pop_front().ok_or_else(|| tampered("log", format!("row {row} (span from {span_first}) is missing")))?;
        let place = format!("log (commit {seq})");
        let table = definitions.get(&(rows.relation, rows.schema_version)).cloned();
        let table = table.ok_or_else(|| malformed(&place, format!("relation {} is not in the catalog", rows.relation)))?;
        let batch = batch_codec::decode(&rows.bytes, &table.stored_schema()).map_err(|error| malformed(&place, error.message()))?;
        if first > row || row >= first + batch.num_rows() as u64 {
            return Err(tampered(place, format!("it holds rows from {first} on, row {row} was expected")));
        }
        Ok(Run { place, table, first, batch, sealed: false, hashes: None })
    }
}

fn sealed_fields(table: &TableDef, slice: &RecordBatch) -> u64 {
    let sealed = (0..table.columns.len()).filter(|at| table.is_sealed(*at)).map(|at| slice.column(at));
    sealed.map(|values| (values.len() - values.null_count()) as u64).sum()
}

/// In a segment every row names its commit.
fn check_commit_column(run: &Run, slice: &RecordBatch, seq: u64, row: u64) -> Result<(), Stop> {
    if !run.sealed {
        return Ok(());
    }
    let commits_at = if run.hashes.is_some() { 2 } else { run.table.columns.len() + 3 };
    let commits = slice.column(commits_at).as_primitive::<UInt64Type>();
    match commits.values().iter().position(|commit| *commit != seq) {
        None => Ok(()),
        Some(at) => Err(tampered(run.place.clone(), format!("row {} is of commit {seq}, it says {}", row + at as u64, commits.value(at)))),
    }
}

/// Takes in rows of `ledger.segments`: a stub is in the place of a segment of the same rows, a merged file in that of some that lie in it.
fn record(
    (recorded, merged): (&mut HashMap<u64, Recorded>, &mut HashMap<String, Recorded>),
    slice: &RecordBatch,
    (first, seq): (u64, u64),
) -> Result<(), Stop> {
    let n = SEGMENTS_TABLE.columns.len();
    let (files, hashes) = (slice.column(0).as_string::<i32>(), slice.column(8).as_string::<i32>());
    let number = |column: usize, row: usize| slice.column(column).as_primitive::<Int64Type>().value(row);
    let (ops, supersedes) = (slice.column(n + 1).as_primitive::<UInt8Type>(), slice.column(n + 2).as_primitive::<UInt64Type>());
    for row in 0..slice.num_rows() {
        let ended = supersedes.is_valid(row).then(|| supersedes.value(row));
        let before = ended.and_then(|ended| recorded.remove(&ended));
        if ops.value(row) == Op::Delete as u8 {
            merged.extend(before.map(|before| (before.file.clone(), before)));
            continue;
        }
        let said = Recorded {
            file: files.value(row).to_owned(),
            place: (number(1, row), number(3, row), number(4, row)),
            blake3: hashes.value(row).to_owned(),
            bytes: number(7, row).cast_unsigned(),
            seq,
        };
        let wrong = |what: &str| Err(tampered(format!("commit {seq}"), format!("it records {} in the place of {what}", said.file)));
        let is_stub = said.file.ends_with(".expired");
        match before {
            Some(before) if is_stub && before.place == said.place => {}
            _ if is_stub => return wrong("no segment of these rows"),
            Some(before) if !before.lies_in(said.place) => return wrong("one of other rows"),
            Some(before) => drop(merged.insert(before.file.clone(), before)),
            None => {}
        }
        recorded.insert(first + row as u64, said);
    }
    Ok(())
}
