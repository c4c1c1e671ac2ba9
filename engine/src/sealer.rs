//! Turns what the log holds into sealed files, then lets the log go.
//!
//! S1: order: folds up to the state that is sealed, segments, their record in `ledger.segments`, tiles, checkpoint files, and only then log files are
//!     released. So whoever starts on a sealed state has folds that are at least as far, and reads no segment for them.
//! S2: a crash between any two of these loses nothing: the log still has all, and files already written are found again.
//! S3: readers and committers are not stopped; a seal works on a published state.
//! Never: changes an answer.

use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use base::{SqlError, SqlResult};
use parking_lot::{Condvar, Mutex, RwLock};
use wal::Position;

use crate::catalog::{SEGMENTS, SEGMENTS_TABLE};
use crate::checkpoints;
use crate::commit::SealPoint;
use crate::failure::io_failed;
use crate::ledger::Ledger;
use crate::schema::TableDef;
use crate::segment::name::SegmentName;
use crate::segment::rebatch::Rebatched;
use crate::segment::{self, BATCH_ROWS, Segment, SegmentInfo, SegmentRows};
use crate::stored;
use crate::table::{TableState, TailChunk};

/// Rows of one segment at most; bounds the memory of a seal.
pub(crate) const SEGMENT_ROWS_MAX: usize = 128 * BATCH_ROWS;
/// Actor of the commits that record segments.
pub(crate) const ACTOR: &str = "shockwave";

/// When the sealer runs, and that it runs once at a time.
#[derive(Debug, Default)]
pub struct Sealer {
    state: Mutex<State>,
    wake: Condvar,
    running: Mutex<()>,
    /// Held by those who copy sealed files, and alone by who removes some.
    copying: RwLock<()>,
}

#[derive(Debug, Default)]
struct State {
    due: bool,
    closed: bool,
}

impl Sealer {
    /// Asks for a seal in the background.
    pub fn wake(&self) {
        self.state.lock().due = true;
        self.wake.notify_one();
    }

    /// Ends the background thread after its present seal.
    pub fn close(&self) {
        self.state.lock().closed = true;
        self.wake.notify_all();
    }

    /// Whether a seal has been asked for, or the end.
    pub(crate) fn is_wanted(&self) -> bool {
        let state = self.state.lock();
        state.due || state.closed
    }

    fn wait(&self) -> bool {
        let mut state = self.state.lock();
        while !state.due && !state.closed {
            self.wake.wait(&mut state);
        }
        state.due = false;
        !state.closed
    }

    /// Does something while no seal is going on.
    pub(crate) fn between_seals<T>(&self, what: impl FnOnce() -> T) -> T {
        let _one_at_a_time = self.running.lock();
        what()
    }

    /// While this is held no sealed file is removed.
    pub(crate) fn copying(&self) -> impl Drop + '_ {
        self.copying.read()
    }

    /// Waits until nobody copies sealed files.
    pub(crate) fn removing(&self) -> impl Drop + '_ {
        self.copying.write()
    }

    /// Seals everything published by now. Errors: 53100, 58030; the log keeps what could not be sealed.
    pub fn seal_now(&self, ledger: &Arc<Ledger>) -> SqlResult<()> {
        let _one_at_a_time = self.running.lock();
        let (sender, receiver) = std::sync::mpsc::sync_channel(1);
        ledger.submit_seal(Box::new(move |point| {
            // The receiver waits below.
            let _ = sender.send(point);
        }));
        let point = receiver.recv().unwrap_or_else(|_| Err(crate::commit::closed()))?;
        seal(ledger, &point)
    }
}

/// Body of the background thread: seals, then merges what small files there are (`merging.rs`).
pub fn run(ledger: &Arc<Ledger>) {
    let mut told = None;
    while ledger.sealer().wait() {
        // A failed seal is tried again after the next commit; the log keeps what it holds, and grows.
        let sealed = ledger.sealer().seal_now(ledger);
        let failed = sealed.and_then(|()| ledger.merge_segments()).err();
        if let Some(error) = failed.as_ref().filter(|error| told.as_ref() != Some(*error)) {
            eprintln!("database {}: sealing failed and will be tried again: {error}", ledger.name());
        }
        told = failed;
    }
}

fn seal(ledger: &Arc<Ledger>, point: &SealPoint) -> SqlResult<()> {
    let io = &ledger.options().io;
    let last = point.checkpoint.state.size - 1;
    ledger.folds().finish_flush(point.folds)?;
    let mut infos = Vec::new();
    for state in ledger.table_states() {
        seal_table(ledger, &state, last, &mut infos)?;
    }
    // Read back before anything is recorded: what cannot be read is written again by the next seal, which a record would forbid.
    let opened = infos
        .iter()
        .map(|info| Ok((info.relation, Arc::new(Segment::open(&**io, &ledger.folder().join(&info.file))?))))
        .collect::<SqlResult<Vec<_>>>()?;
    record(ledger, &infos)?;
    for (relation, segment) in opened {
        ledger.table_state(relation).replace_by_segment(segment);
    }
    let files = ledger.merkle().read().new_files(point.checkpoint.state.size)?;
    for file in files {
        file.write(&**io)?;
    }
    ledger.sync_signed()?;
    checkpoints::write(&**io, ledger.folder(), &point.checkpoint)?;
    ledger.merkle().write().forget_sealed(point.checkpoint.state.size);
    ledger.row_trees().leave(point.checkpoint.state.size);
    let needed = ledger.oldest_needed().map_or(point.log_position, |needed| Position(needed.min(point.log_position.0)));
    ledger.wal().release(needed)?;
    Ok(())
}

/// Writes the segments of one table up to commit `last`.
fn seal_table(ledger: &Ledger, state: &TableState, last: u64, infos: &mut Vec<SegmentInfo>) -> SqlResult<()> {
    let end = state.count_at(Some(base::CommitSeq(last))).rows;
    let tail = state.layout().tail;
    let mut gathering =
        Gathering { ledger, batches: Vec::new(), rows: 0, first: state.sealed(), commits: None, table: None, positions: Vec::new() };
    for chunk in tail.iter().filter(|chunk| chunk.first_row < end) {
        gathering.take(chunk, (end - chunk.first_row).min(chunk.rows()) as usize, infos)?;
    }
    gathering.write(infos)
}

/// Rows collected for the next segment.
struct Gathering<'a> {
    ledger: &'a Ledger,
    batches: Vec<RecordBatch>,
    rows: usize,
    first: u64,
    commits: Option<(u64, u64)>,
    table: Option<Arc<TableDef>>,
    /// Where in the log they are read from.
    positions: Vec<u64>,
}

impl Gathering<'_> {
    fn take(&mut self, chunk: &TailChunk, rows: usize, infos: &mut Vec<SegmentInfo>) -> SqlResult<()> {
        let mut from = 0;
        while from < rows {
            if self.rows == SEGMENT_ROWS_MAX || self.table.as_ref().is_some_and(|table| *table != chunk.table) {
                self.write(infos)?;
            }
            let n = (rows - from).min(SEGMENT_ROWS_MAX - self.rows);
            let batch = stored::with_commits(&chunk.table, &chunk.batch, chunk.commits.column(chunk.batch.num_rows()))?;
            self.batches.push(batch.slice(from, n));
            self.rows += n;
            self.positions.extend(chunk.log_position);
            let first = self.commits.map_or(chunk.commits.at(from), |(first, _)| first);
            self.commits = Some((first, chunk.commits.at(from + n - 1)));
            self.table = Some(Arc::clone(&chunk.table));
            from += n;
        }
        Ok(())
    }

    fn write(&mut self, infos: &mut Vec<SegmentInfo>) -> SqlResult<()> {
        let (Some(table), Some(commits)) = (self.table.take(), self.commits.take()) else { return Ok(()) };
        let batches = Rebatched::new(std::mem::take(&mut self.batches).into_iter().map(Ok));
        let rows = SegmentRows { table: &table, commits, name: SegmentName::sealed(self.first) };
        infos.push(segment::write(&*self.ledger.options().io, self.ledger.folder(), &rows, batches)?);
        self.positions.drain(..).for_each(|position| self.ledger.set_aside(position));
        self.first += self.rows as u64;
        self.rows = 0;
        Ok(())
    }
}

/// Commits one row of `ledger.segments` for each file.
fn record(ledger: &Arc<Ledger>, infos: &[SegmentInfo]) -> SqlResult<()> {
    if infos.is_empty() {
        return Ok(());
    }
    let mut transaction = ledger.begin(ACTOR);
    transaction.insert(&SEGMENTS_TABLE, &rows_of(infos)?)?;
    transaction.commit_blocking()?;
    Ok(())
}

/// Files as rows of `ledger.segments`.
pub(crate) fn rows_of(infos: &[SegmentInfo]) -> SqlResult<RecordBatch> {
    let text = |pick: fn(&SegmentInfo) -> &str| Arc::new(infos.iter().map(|info| Some(pick(info))).collect::<StringArray>()) as ArrayRef;
    let number =
        |pick: fn(&SegmentInfo) -> u64| Arc::new(infos.iter().map(|info| pick(info).cast_signed()).collect::<Int64Array>()) as ArrayRef;
    let columns = vec![
        text(|info| &info.file),
        number(|info| info.relation.0.into()),
        number(|info| info.schema_version.into()),
        number(|info| info.first_row),
        number(|info| info.rows),
        number(|info| info.first_commit),
        number(|info| info.last_commit),
        number(|info| info.bytes),
        text(|info| &info.blake3),
    ];
    RecordBatch::try_new(SEGMENTS_TABLE.arrow_schema(), columns).map_err(|error| SqlError::internal(format!("segment rows: {error}")))
}

/// Records segments that a crash kept from being recorded (S2): their rows are the log's own.
pub fn record_unrecorded(ledger: &Arc<Ledger>) -> SqlResult<()> {
    let mut recorded = std::collections::HashSet::new();
    let view = ledger.begin(ACTOR).view(&SEGMENTS_TABLE);
    for chunk in view.scan(&[0], false) {
        let batch = chunk.read()?;
        let files = arrow::array::AsArray::as_string::<i32>(batch.column(0)).clone();
        recorded.extend(files.iter().flatten().map(str::to_owned));
    }
    let mut infos = Vec::new();
    for state in ledger.table_states() {
        for segment in state.layout().segments.iter() {
            let file = segment.file();
            if !recorded.contains(&file) {
                infos.push(info_of(file, segment)?);
            }
        }
    }
    // A process killed between the rename and the sync of the folder leaves a name that a power loss takes back; a record must outlive neither.
    let folders: std::collections::BTreeSet<_> =
        infos.iter().filter_map(|info| ledger.folder().join(&info.file).parent().map(PathBuf::from)).collect();
    for folder in folders {
        ledger.options().io.sync_dir(&folder).map_err(|error| io_failed("sync folder", &folder, error))?;
    }
    debug_assert!(infos.iter().all(|info| info.relation != SEGMENTS || info.rows > 0), "S2: a segment has rows");
    record(ledger, &infos)
}

pub(crate) fn info_of(file: String, segment: &Segment) -> SqlResult<SegmentInfo> {
    let (first_commit, last_commit) = segment.commits()?;
    Ok(SegmentInfo {
        file,
        relation: segment.table().id,
        schema_version: segment.table().version,
        first_row: segment.first_row(),
        rows: segment.rows(),
        first_commit,
        last_commit,
        bytes: segment.bytes(),
        blake3: segment.blake3(),
    })
}
