//! One database as one ledger: its log, trees, tables, keys and folds, and the doors to them.
//!
//! L1: `published` moves forward only, and only to states that are durable and signed.
//! L2: the committer, whichever thread it is at the moment, is the only writer of trees, tables and folds.
//! Never: knows SQL.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU32, AtomicU64, Ordering};
use std::thread::JoinHandle;

use arrow::array::{ArrayRef, RecordBatch};
use base::{ColumnId, CommitSeq, LedgerId, RelationId, SqlError, SqlResult, SqlState};
use bytes::Bytes;
use hashbrown::HashMap;
use parking_lot::{Mutex, RwLock};
use wal::{Position, RecordKind, Wal};

use crate::batch_cache::{self, BatchCache, Part};
use crate::batch_codec;
use crate::catalog::Catalog;
use crate::catch_up::CatchUp;
use crate::co_signer::CoSigner;
use crate::commit::{self, Job, Queue, Request, Turn};
use crate::cosigned::Cosigning;
use crate::feed;
use crate::fold::Fold;
use crate::folds::FoldStore;
use crate::folds::store::Ground;
use crate::key_index::KeyIndex;
use crate::layout;
use crate::ledger_time::Counted;
use crate::locks::LockTable;
use crate::merkle::MerkleLog;
use crate::options::Options;
use crate::past::Past;
use crate::receipt::row_trees::RowTrees;
use crate::receipt::schemas::Schemas;
use crate::record::{self, PieceHeader};
use crate::schema::TableDef;
use crate::scrub::Scrub;
use crate::sealer::Sealer;
use crate::segment::BATCH_ROWS;
use crate::sequences::Sequences;
use crate::signer::{Signed, SignedCheckpoint, Signer};
use crate::subjects::Subjects;
use crate::table::TableState;
use crate::transaction::Transaction;
use crate::verifiers::Verifiers;

/// A moment of the ledger that transactions read.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// Last commit seen; `None` before the first.
    pub seq: Option<CommitSeq>,
    /// Objects as of that commit.
    pub catalog: Arc<Catalog>,
}

/// What readers see: replaced as a whole (L1).
#[derive(Clone, Debug)]
pub(crate) struct Published {
    pub catalog: Arc<Catalog>,
    pub checkpoint: SignedCheckpoint,
}

/// Everything a ledger is opened with; recovery fills it.
pub(crate) struct Parts {
    pub name: String,
    pub id: LedgerId,
    pub origin: String,
    pub folder: PathBuf,
    pub options: Options,
    pub wal: Wal,
    pub merkle: MerkleLog,
    pub signer: Signer,
    pub subjects: Subjects,
    pub tables: HashMap<RelationId, Arc<TableState>>,
    pub folds: Arc<FoldStore>,
    pub published: Published,
    pub last_time_us: i64,
    pub next_object: u32,
}

/// One database; see the module.
#[derive(Debug)]
pub struct Ledger {
    name: String,
    id: LedgerId,
    origin: String,
    folder: PathBuf,
    options: Options,
    wal: Wal,
    merkle: RwLock<MerkleLog>,
    signer: Mutex<Signer>,
    co_signer: CoSigner,
    tables: RwLock<HashMap<RelationId, Arc<TableState>>>,
    store: Arc<FoldStore>,
    keys: KeyIndex,
    /// The catalog that the commits being decided lead to.
    deciding: Mutex<Option<Arc<Catalog>>>,
    /// Commits that there were when it was opened, and the time of the last of them, µs since 1970-01-01 UTC.
    opened_at: u64,
    opened_us: i64,
    sequences: Sequences,
    locks: Arc<LockTable>,
    folds: RwLock<Vec<Arc<dyn Fold>>>,
    published: RwLock<Published>,
    queue: Queue,
    turn: Turn,
    sealer: Sealer,
    scrub: Scrub,
    cosigning: Cosigning,
    pins: Arc<Pins>,
    batches: BatchCache,
    row_trees: RowTrees,
    schemas: Schemas,
    failure: Mutex<Option<SqlError>>,
    last_time_us: AtomicI64,
    next_object: AtomicU32,
    threads: Mutex<Vec<JoinHandle<()>>>,
    verifiers: Verifiers,
    subjects: Arc<Subjects>,
    past: Past,
    counted: Mutex<Counted>,
}

impl Ledger {
    pub(crate) fn new(parts: Parts) -> Arc<Self> {
        let opened_at = parts.merkle.size();
        let row_trees = RowTrees::new(&parts.options.io, &parts.folder);
        let ledger = Arc::new(Self {
            name: parts.name,
            id: parts.id,
            origin: parts.origin,
            folder: parts.folder,
            wal: parts.wal,
            merkle: RwLock::new(parts.merkle),
            signer: Mutex::new(parts.signer),
            co_signer: CoSigner::default(),
            tables: RwLock::new(parts.tables),
            keys: KeyIndex::new(Arc::clone(&parts.folds)),
            store: parts.folds,
            deciding: Mutex::default(),
            opened_at,
            opened_us: parts.last_time_us,
            sequences: Sequences::default(),
            locks: Arc::default(),
            folds: RwLock::default(),
            published: RwLock::new(parts.published),
            queue: Queue::default(),
            turn: Turn::default(),
            sealer: Sealer::default(),
            scrub: Scrub::default(),
            cosigning: Cosigning::default(),
            pins: Arc::default(),
            batches: BatchCache::new(parts.options.memory.batches_bytes),
            row_trees,
            options: parts.options,
            schemas: Schemas::default(),
            failure: Mutex::default(),
            last_time_us: AtomicI64::new(parts.last_time_us),
            next_object: AtomicU32::new(parts.next_object),
            threads: Mutex::default(),
            verifiers: Verifiers::default(),
            subjects: Arc::new(parts.subjects),
            past: Past::default(),
            counted: Mutex::default(),
        });
        let ground = Arc::downgrade(&ledger);
        ledger.store.stand_on(ground);
        ledger
    }

    /// The number of a transaction of this process. Numbers go on growing over restarts, as there is less than a transaction a microsecond.
    pub(crate) fn number_of(&self, owner_of_locks: u64) -> u64 {
        self.opened_us.max(0).unsigned_abs() + owner_of_locks + 1
    }

    /// Starts the committer, its co-signer and the sealer. Errors: 53200 where threads cannot be had; none is left running then.
    pub(crate) fn start(self: &Arc<Self>) -> SqlResult<()> {
        let started = self.spawn_threads();
        if started.is_err() {
            // The first error is the one to tell.
            let _ = self.close(false);
        }
        started
    }

    fn spawn_threads(self: &Arc<Self>) -> SqlResult<()> {
        let spawn = |name: &str, run: fn(&Arc<Ledger>)| {
            let ledger = Arc::clone(self);
            let builder = std::thread::Builder::new().name(format!("{name} {}", self.name));
            builder
                .spawn(move || run(&ledger))
                .map_err(|error| SqlError::new(SqlState::OUT_OF_MEMORY, format!("could not start a thread: {error}")))
        };
        let mut threads = self.threads.lock();
        threads.push(spawn("commit", commit::run)?);
        threads.push(spawn("seal", crate::sealer::run)?);
        if self.options.scrub_bytes_per_s > 0 {
            threads.push(spawn("scrub", crate::scrub::run)?);
        }
        threads.push(spawn("sign", |ledger| ledger.co_signer.run(&ledger.signer))?);
        Ok(())
    }

    /// Ends the threads after what they were given, then closes the log. With `seal`, everything is sealed first.
    ///
    /// Errors: 58030, 53100; what was acknowledged is durable all the same.
    pub(crate) fn close(self: &Arc<Self>, seal: bool) -> SqlResult<()> {
        let sealed = if seal && self.failure().is_none() { self.seal() } else { Ok(()) };
        self.scrub.close();
        self.cosigning.close();
        self.sealer.close();
        self.queue.close();
        // A session that decides its own commit right now is the last; the folder must not change owners under it.
        drop(self.turn.wait());
        self.co_signer.close();
        for thread in self.threads.lock().drain(..) {
            if thread.join().is_err() {
                return Err(SqlError::internal("a thread of the ledger panicked"));
            }
        }
        let closed = sealed.and_then(|()| self.signer.lock().sync());
        if closed.is_ok() && self.failure().is_none() {
            self.wal.close()?;
            // What fails here is made up for by the next start.
            if seal && let Err(error) = self.leave_folds() {
                eprintln!("database {}: the folds could not be left on disk: {error}", self.name);
            }
        }
        self.store.close();
        closed
    }

    /// Leaves the folds on disk as far as the ledger is, so that the next start has nothing to read for them. Only while nobody commits.
    ///
    /// Errors: 53100, 58030.
    pub(crate) fn leave_folds(&self) -> SqlResult<()> {
        self.store.come_to(self.merkle.read().size()).and_then(|()| self.store.flush())
    }

    /// The keys that rows of erasable tables are sealed under.
    pub(crate) fn subjects(&self) -> &Arc<Subjects> {
        &self.subjects
    }

    /// The password verifier that a role's definition names; `None` if it is lost. Errors: 58030, XX001.
    pub fn verifier(&self, hash: &str) -> SqlResult<Option<String>> {
        self.verifiers.find(&*self.options.io, &self.folder, hash)
    }

    /// Makes a password verifier durable; its name, for the definition that a commit will bring. Errors: 58030, 53100.
    pub fn keep_verifier(&self, verifier: &str) -> SqlResult<String> {
        self.verifiers.keep(&*self.options.io, &self.folder, verifier, &self.snapshot().catalog)
    }

    /// The database's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The ledger's id.
    pub fn id(&self) -> LedgerId {
        self.id
    }

    /// Origin of its checkpoints: `<database>/<32 hex ledger id>`.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What it was opened with.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// The newest moment that is durable, signed and visible.
    pub fn snapshot(&self) -> Snapshot {
        let published = self.published.read();
        let seq = published.checkpoint.state.size.checked_sub(1).map(CommitSeq);
        Snapshot { seq, catalog: Arc::clone(&published.catalog) }
    }

    /// The newest commit that has its place; the log may not have it yet, and snapshots see it only when it is durable and signed.
    pub fn placed(&self) -> Option<CommitSeq> {
        self.merkle.read().size().checked_sub(1).map(CommitSeq)
    }

    /// Both signed checkpoints of the newest published state.
    pub fn checkpoint(&self) -> SignedCheckpoint {
        self.published.read().checkpoint.clone()
    }

    /// Verifier keys as text, SHA-256 tree first: what an auditor pins.
    pub fn verifier_keys(&self) -> Vec<String> {
        self.signer.lock().keys().verifiers().iter().map(ToString::to_string).collect()
    }

    /// Opens a transaction for a user.
    pub fn begin(self: &Arc<Self>, actor: &str) -> Transaction {
        Transaction::new(Arc::clone(self), actor)
    }

    /// A fresh id for an object, or a part of one that has an id.
    pub fn next_object_id(&self) -> u32 {
        self.next_object.fetch_add(1, Ordering::Relaxed)
    }

    /// Seals everything published so far into segments and tiles. Errors: 53100, 58030.
    pub fn seal(self: &Arc<Self>) -> SqlResult<()> {
        self.sealer.seal_now(self)
    }

    pub(crate) fn submit(&self, request: Request) {
        if let Some(error) = self.failure() {
            return (request.done)(Err(error));
        }
        if let Err(job) = self.queue.push(Job::Commit(Box::new(request))) {
            commit::refuse(job, commit::closed());
        }
    }

    /// [`Ledger::submit`], deciding on this thread if the ledger is quiet.
    pub(crate) fn submit_here(self: &Arc<Self>, request: Request) {
        if let Some(request) = commit::decide_here(self, request) {
            self.submit(request);
        }
    }

    pub(crate) fn submit_seal(&self, done: Box<dyn FnOnce(SqlResult<commit::SealPoint>) + Send>) {
        if let Err(job) = self.queue.push(Job::Seal(done)) {
            commit::refuse(job, commit::closed());
        }
    }

    pub(crate) fn turn(&self) -> &Turn {
        &self.turn
    }

    pub(crate) fn queue(&self) -> &Queue {
        &self.queue
    }

    pub(crate) fn sealer(&self) -> &Sealer {
        &self.sealer
    }

    pub(crate) fn cosigning(&self) -> &Cosigning {
        &self.cosigning
    }

    pub(crate) fn scrubbing(&self) -> &Scrub {
        &self.scrub
    }

    pub(crate) fn batches(&self) -> &BatchCache {
        &self.batches
    }

    pub(crate) fn row_trees(&self) -> &RowTrees {
        &self.row_trees
    }

    pub(crate) fn schemas(&self) -> &Schemas {
        &self.schemas
    }

    pub(crate) fn merkle(&self) -> &RwLock<MerkleLog> {
        &self.merkle
    }

    pub(crate) fn keys(&self) -> &KeyIndex {
        &self.keys
    }

    pub(crate) fn past(&self) -> &Past {
        &self.past
    }

    pub(crate) fn counted(&self) -> &Mutex<Counted> {
        &self.counted
    }

    pub(crate) fn sequences(&self) -> &Sequences {
        &self.sequences
    }

    pub(crate) fn locks(&self) -> &Arc<LockTable> {
        &self.locks
    }

    /// Lets a commit that is just being decided go ahead, so that what it makes is in the indexes. Soon over, and given up where it is not.
    pub(crate) fn let_decide(&self) {
        self.turn.let_decide();
    }

    pub(crate) fn folds(&self) -> &FoldStore {
        &self.store
    }

    /// Folds that are not in the store.
    pub(crate) fn other_folds(&self) -> Vec<Arc<dyn Fold>> {
        self.folds.read().clone()
    }

    /// Feeds a fold these columns of all rows that these tables have and had, then every commit from the next on. Commits wait meanwhile.
    ///
    /// Errors: XX001, 58030, and the fold's own; then it is not attached.
    pub fn attach(&self, fold: Arc<dyn Fold>, needed: &[(RelationId, Vec<ColumnId>)]) -> SqlResult<()> {
        let _turn = self.turn.wait();
        let layouts: Vec<_> = needed.iter().map(|(id, _)| (*id, self.table_state(*id).layout())).collect();
        let columns: Vec<Vec<ColumnId>> = needed.iter().map(|(_, columns)| columns.clone()).collect();
        feed::feed(&layouts, &columns, &*fold)?;
        self.folds.write().push(fold);
        Ok(())
    }

    /// Feeds the fold nothing more.
    pub fn detach(&self, fold: &Arc<dyn Fold>) {
        self.folds.write().retain(|other| !Arc::ptr_eq(other, fold));
    }

    /// The catalog that the commit being decided leads to.
    pub(crate) fn set_deciding(&self, catalog: Option<Arc<Catalog>>) {
        *self.deciding.lock() = catalog;
    }

    /// Makes the folds anew from the rows, beside the old ones, and puts them in their place. Commits wait; readers do not.
    ///
    /// Errors: XX001 where the ledger is damaged itself; 53100, 58030.
    pub fn remake_folds(&self) -> SqlResult<()> {
        let _turn = self.turn.wait_for_others();
        self.remake()
    }

    /// By whoever has the turn.
    fn remake(&self) -> SqlResult<()> {
        let catalog = self.deciding.lock().clone().unwrap_or_else(|| self.snapshot().catalog);
        let (begun, size) = (self.options.clock.monotonic_ns(), self.store.applied());
        let (folds, expressions, opened_at) = (&*self.store, self.options.expressions(), self.opened_at);
        let catch_up = CatchUp { folds, expressions, catalog: &catalog, size, since: 0, opened_at };
        let changes = match size {
            0 => None,
            _ => Some(catch_up.say(&self.table_states(), None)?),
        };
        let entries = changes.as_ref().map_or(0, |changes| changes.count());
        self.store.replace(|tree| changes.map_or(Ok(()), |changes| Ok(changes.write(tree)?)))?;
        let ms = (self.options.clock.monotonic_ns().saturating_sub(begun)) / 1_000_000;
        eprintln!("database {}: folds made anew from the ledger in {ms} ms: {entries} entries of {size} commits", self.name);
        Ok(())
    }

    /// The tree of the folds in numbers.
    pub fn fold_stats(&self) -> lsm::Stats {
        self.store.stats()
    }

    /// Reads all of the folds; damaged ones are made anew. Says whether they were. Errors: as [`Ledger::remake_folds`].
    pub fn check_folds(&self) -> SqlResult<bool> {
        match self.store.check() {
            Ok(()) => Ok(false),
            Err((generation, error)) => self.mend(generation, &error).map(|()| true),
        }
    }

    pub(crate) fn wal(&self) -> &Wal {
        &self.wal
    }

    /// The state of a table; made on first use.
    /// Bytes of a table's sealed segments, old versions of its rows included.
    pub fn sealed_bytes(&self, id: RelationId) -> u64 {
        self.table_state(id).layout().segments.iter().map(|segment| segment.bytes()).sum()
    }

    pub(crate) fn table_state(&self, id: RelationId) -> Arc<TableState> {
        if let Some(state) = self.tables.read().get(&id) {
            return Arc::clone(state);
        }
        Arc::clone(self.tables.write().entry(id).or_insert_with(|| Arc::new(TableState::new(id, &self.store))))
    }

    /// All tables that have state.
    pub(crate) fn table_states(&self) -> Vec<Arc<TableState>> {
        let mut states: Vec<_> = self.tables.read().values().cloned().collect();
        states.sort_by_key(|state| state.id);
        states
    }

    /// Why this ledger takes no more writes, if so.
    pub fn failure(&self) -> Option<SqlError> {
        self.failure.lock().clone()
    }

    pub(crate) fn fail(&self, error: &SqlError) {
        let mut failure = self.failure.lock();
        if failure.is_none() {
            let message = format!("the ledger takes no more writes since one failed: {}", error.message());
            *failure =
                Some(SqlError::new(error.state(), message).hint(
                    "Nothing acknowledged is lost. Mend the cause, then restart the server: recovery reads back what is really there.",
                ));
        }
    }

    /// Now, but never before the last commit.
    pub(crate) fn commit_time(&self) -> i64 {
        let now = self.options.clock.now_us();
        self.last_time_us.fetch_max(now, Ordering::Relaxed).max(now)
    }

    pub(crate) fn signer(&self) -> &Mutex<Signer> {
        &self.signer
    }

    pub(crate) fn sync_signed(&self) -> SqlResult<()> {
        self.signer.lock().sync()
    }

    pub(crate) fn publish(&self, checkpoint: SignedCheckpoint, catalog: Option<Arc<Catalog>>) {
        let mut published = self.published.write();
        assert!(checkpoint.state.size > published.checkpoint.state.size, "L1: published moves forward only");
        published.checkpoint = checkpoint;
        if let Some(catalog) = catalog {
            published.catalog = catalog;
        }
    }

    /// Makes records durable, and both trees as they are now signed: the signatures are computed while the disk works, released after it.
    pub(crate) fn make_durable_and_sign(&self, records: &[(u8, &[u8])]) -> SqlResult<SignedCheckpoint> {
        let parts: Vec<[&[u8]; 1]> = records.iter().map(|(_, bytes)| [*bytes]).collect();
        let records: Vec<(RecordKind, &[&[u8]])> =
            records.iter().zip(&parts).map(|((kind, _), parts)| (RecordKind(*kind), parts.as_slice())).collect();
        let state = {
            let merkle = self.merkle.read();
            Signed { size: merkle.size(), sha_root: merkle.sha.root(), b3_root: merkle.b3.root() }
        };
        // A group is signed by this thread while the disk works; for a lone commit that would take longer than the disk does.
        let sign_here = records.len() > 1;
        let meanwhile = || {
            if sign_here {
                return Some(self.signer.lock().prepare(state));
            }
            self.co_signer.ask(state);
            None
        };
        let prepared = match self.wal.append_and_sync_during(&records, meanwhile) {
            Ok((_, Some(prepared))) => prepared,
            Ok((_, None)) => self.co_signer.collect(state, &self.signer),
            Err(error) => {
                // Taken off the desk: no answer may wait there for the next to ask.
                let _unused = self.co_signer.collect(state, &self.signer);
                return Err(error.into());
            }
        };
        self.signer.lock().release(prepared?)
    }

    pub(crate) fn switch_log(&self) -> SqlResult<Position> {
        Ok(self.wal.rotate()?)
    }

    /// Writes rows into the log before their commit and gives them back as views of the log's bytes.
    pub(crate) fn write_ahead(&self, table: &TableDef, stored: &RecordBatch, pin: &LogPin) -> SqlResult<(RecordBatch, u64)> {
        let rows =
            u32::try_from(stored.num_rows()).map_err(|_| SqlError::new(SqlState::PROGRAM_LIMIT_EXCEEDED, "too many rows in one batch"))?;
        let header = record::data_header(PieceHeader { relation: table.id, schema_version: table.version, rows });
        let mut bytes = Vec::with_capacity(stored.get_array_memory_size() + 1024);
        batch_codec::encode(stored, &mut bytes)?;
        // Held before it is written: a seal that asks in between would let the record's file go.
        pin.hold(self.wal.appended().0);
        let position = self.wal.append(RecordKind(record::DATA), &[&header, &bytes])?;
        let payload = Bytes::from_owner(self.wal.payload(position)?);
        let (_, body) = record::read_data(&payload)?;
        Ok((batch_codec::decode(&body, &table.stored_schema())?, position.0))
    }

    /// Rows that went ahead into the log at this position are not to be read soon: a COPY of any length would have all of the log it wrote in memory.
    pub(crate) fn set_aside(&self, position: u64) {
        // Where the record is gone there is nothing to be set aside.
        if let Ok(payload) = self.wal.payload(Position(position)) {
            payload.give_back();
        }
    }

    pub(crate) fn pin_log(&self) -> LogPin {
        LogPin { id: self.pins.next.fetch_add(1, Ordering::Relaxed), pins: Arc::clone(&self.pins) }
    }

    /// Oldest log position that an open transaction or an unsealed row still needs.
    pub(crate) fn oldest_needed(&self) -> Option<u64> {
        let pinned = self.pins.held.lock().values().min().copied();
        let unsealed = self.table_states().iter().flat_map(|state| state.layout().tail).filter_map(|chunk| chunk.log_position).min();
        pinned.into_iter().chain(unsealed).min()
    }

    /// The stored batch that holds a row and the row's offset in it. Errors: XX001 for a damaged segment, XX000 for a row never written.
    pub(crate) fn stored_batch(&self, state: &TableState, row: u64) -> SqlResult<(RecordBatch, usize)> {
        // A row moves from tail to segment once; looking in this order twice cannot miss it.
        for _ in 0..2 {
            if let Some(chunk) = state.tail_chunk(row) {
                return Ok((chunk.batch.clone(), (row - chunk.first_row) as usize));
            }
            if let Some(segment) = state.segment(row) {
                let offset = (row - segment.first_row()) as usize;
                return Ok((segment.read(offset / BATCH_ROWS, None)?, offset % BATCH_ROWS));
            }
        }
        Err(SqlError::internal(format!("row {row} of relation {} does not exist", state.id)))
    }

    /// The columns of `table` in the batch that holds a row, and the row's offset in it. Of an erasable table the row alone, for what is sealed is opened
    /// each time.
    ///
    /// Errors: as [`Ledger::stored_batch`].
    pub(crate) fn user_columns(&self, state: &TableState, table: &TableDef, row: u64) -> SqlResult<(Vec<ArrayRef>, usize)> {
        let (writer, batch, offset) = self.writer_and_batch(state, row)?;
        layout::around(&writer, table, (&batch, offset), &self.subjects)
    }

    /// The definition that a row was written under, the batch that holds it, with the columns that answers are made of, and its offset in that; decoded
    /// segment batches are kept for the next lookup, as they are stored.
    ///
    /// Errors: as [`Ledger::stored_batch`].
    pub(crate) fn writer_and_batch(&self, state: &TableState, row: u64) -> SqlResult<(Arc<TableDef>, RecordBatch, usize)> {
        for _ in 0..2 {
            if let Some(segment) = state.segment(row) {
                let offset = (row - segment.first_row()) as usize;
                let index = offset / BATCH_ROWS;
                let name = batch_cache::name_of(&segment, index, Part::Values);
                let writer = segment.table();
                let columns: Vec<usize> = (0..writer.columns.len() + usize::from(writer.subject().is_some())).collect();
                let batch = self.batches.get(name, || segment.read(index, Some(&columns)))?;
                return Ok((Arc::clone(writer), batch, offset % BATCH_ROWS));
            }
            if let Some(chunk) = state.tail_chunk(row) {
                return Ok((Arc::clone(&chunk.table), chunk.batch.clone(), (row - chunk.first_row) as usize));
            }
        }
        Err(SqlError::internal(format!("row {row} of relation {} does not exist", state.id)))
    }

    pub(crate) fn wake_sealer_if_due(&self) {
        if self.wal.files().len() > 2 {
            self.sealer.wake();
        }
    }
}

impl Ground for Ledger {
    fn mend(&self, generation: u64, why: &lsm::LsmError) -> SqlResult<()> {
        let _turn = self.turn.wait_for_others();
        if !self.store.is_of(generation) {
            return Ok(());
        }
        eprintln!("database {}: folds are damaged and are made anew: {why}", self.name);
        self.remake()
    }
}

/// Log positions that open transactions need.
#[derive(Debug, Default)]
pub(crate) struct Pins {
    next: AtomicU64,
    held: Mutex<BTreeMap<u64, u64>>,
}

/// Keeps log files with an open transaction's DATA records from being released.
#[derive(Debug)]
pub struct LogPin {
    id: u64,
    pins: Arc<Pins>,
}

impl LogPin {
    /// Keeps what goes into the log from this position on.
    fn hold(&self, position: u64) {
        self.pins.held.lock().entry(self.id).or_insert(position);
    }
}

impl Drop for LogPin {
    fn drop(&mut self) {
        self.pins.held.lock().remove(&self.id);
    }
}
