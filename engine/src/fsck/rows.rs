//! The rows of a folder, table by table in row order, hashed and compared with what the commits say.

use std::collections::{HashMap, VecDeque};
use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{Int64Type, UInt64Type};
use base::{Io, RelationId};
use receipts::{CommitLeaf, RowTree};

use super::history::LoggedRows;
use super::{Checked, Stop, malformed, tampered, unreadable};
use crate::batch_codec;
use crate::canonical::row_hashes;
use crate::catalog::{CATALOG, CATALOG_TABLE, Catalog, CatalogRow, Object, SEGMENTS, SEGMENTS_TABLE};
use crate::catalog_rows;
use crate::failure::io_failed;
use crate::schema::TableDef;
use crate::segment::{self, BATCH_ROWS, Segment};
use crate::stored;

/// One run of rows with a common batch.
struct Run {
    place: String,
    table: Arc<TableDef>,
    first: u64,
    batch: RecordBatch,
    /// `_supersedes` is absolute and `_commit` is there.
    sealed: bool,
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
struct Recorded {
    blake3: String,
    bytes: u64,
}

/// All tables; see the module.
pub(super) struct Rows {
    threads: usize,
    cursors: HashMap<RelationId, Cursor>,
    definitions: HashMap<(RelationId, u32), Arc<TableDef>>,
    found: Vec<(String, String, u64)>,
    recorded: HashMap<String, Recorded>,
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
            for name in list(&dir)?.iter().filter(|name| segment::parse_name(name).is_some()) {
                let file = format!("segments/{relation}/{name}");
                let opened = Segment::open(&**io, &dir.join(name)).map_err(|error| malformed(&file, error.message()))?;
                if opened.first_row() != cursor.sealed_end || opened.table().id != RelationId(relation) {
                    return Err(tampered(
                        file,
                        format!("rows from {} on were expected, it holds rows from {} on", cursor.sealed_end, opened.first_row()),
                    ));
                }
                cursor.sealed_end += opened.rows();
                rows.found.push((file.clone(), opened.blake3(), opened.bytes()));
                cursor.segments.push_back((file, opened, 0));
                checked.segments += 1;
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
                let hashes =
                    row_hashes(&run.table, &slice, span_first, self.threads).map_err(|error| malformed(&run.place, error.message()))?;
                tree.extend(&hashes);
                checked.sealed_fields += sealed_fields(&run.table, &slice);
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
                    record(&mut self.recorded, &slice);
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

    /// Compares all segments with `ledger.segments`; the files that are not recorded there.
    pub(super) fn finish(mut self, catalog: &Catalog, checked: &Checked) -> Result<Vec<String>, Stop> {
        debug_assert!(checked.segments as usize == self.found.len());
        let mut unrecorded = Vec::new();
        for (file, blake3, bytes) in &self.found {
            match self.recorded.remove(file) {
                Some(recorded) if recorded.blake3 == *blake3 && recorded.bytes == *bytes => {}
                Some(_) => return Err(tampered(file.clone(), "its BLAKE3 is not the one in ledger.segments")),
                None => unrecorded.push(file.clone()),
            }
        }
        if let Some(missing) = self.recorded.keys().min() {
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
        Ok(unrecorded)
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
        let batch = segment.read(index, None).map_err(|error| malformed(file.clone(), error.message()))?;
        let place = format!("{file} (rows {first} to {})", first + batch.num_rows() as u64 - 1);
        Ok(Run { place, table: Arc::clone(segment.table()), first, batch, sealed: true })
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
        Ok(Run { place, table, first, batch, sealed: false })
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
    let commits = slice.column(run.table.columns.len() + 3).as_primitive::<UInt64Type>();
    match commits.values().iter().position(|commit| *commit != seq) {
        None => Ok(()),
        Some(at) => Err(tampered(run.place.clone(), format!("row {} is of commit {seq}, it says {}", row + at as u64, commits.value(at)))),
    }
}

/// Takes in rows of `ledger.segments`.
fn record(recorded: &mut HashMap<String, Recorded>, slice: &RecordBatch) {
    let (files, hashes) = (slice.column(0).as_string::<i32>(), slice.column(8).as_string::<i32>());
    let bytes = slice.column(7).as_primitive::<Int64Type>();
    for row in 0..slice.num_rows() {
        let said = Recorded { blake3: hashes.value(row).to_owned(), bytes: bytes.value(row).cast_unsigned() };
        recorded.insert(files.value(row).to_owned(), said);
    }
}
