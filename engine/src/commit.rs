//! The committer decides, orders, makes durable, signs and publishes commits, a group at a time. It is a thread of the ledger's own, or on a
//! quiet ledger the thread of the session that commits; one at a time holds the [`Turn`].
//!
//! C1: `commit_seq` is dense and equals the index of the commit's leaf.
//! C2: durable → signed → visible → answered, in this order; nobody sees or is told of a commit that could be lost.
//! C3: a request that loses a check leaves no trace; one that passed is in the log before any later one.
//! C4: after a failure to write, sync or sign, this ledger takes no more writes until it is opened anew.
//! Never: hashes rows (sessions did) or waits for a client.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use base::{CommitSeq, RelationId, RowId, SqlError, SqlResult, SqlState};
use parking_lot::{Condvar, Mutex, MutexGuard};
use receipts::{CheckpointLeaf, CommitLeaf, Hash, Leaf, TableSpan};
use wal::Position;

use crate::catalog::Object;
use crate::index_build::Building;
use crate::ledger::{Ledger, LogPin};
use crate::locks::Held;
use crate::prepared::Prepared;
use crate::reads::ReadSet;
use crate::record::{self, Piece};
use crate::references::{self, Owed};
use crate::schema::TableDef;
use crate::signer::SignedCheckpoint;
use crate::subjects::KeyId;
use crate::unique;
use crate::violations::conflict;
use crate::writes::{INLINE_ROWS_MAX, TableWrites};

/// Requests decided in one group at most; bounds the wait of the first.
const GROUP_MAX: usize = 1_024;
/// A session's own thread decides only while groups are durable within this: it serves other sessions too.
const QUICK_NS: u64 = 1_000_000;

/// How long a taker of locks looks at a commit that is being placed: some microseconds, which a small one takes.
const PLACING_SPINS_MAX: u32 = 2_000;

/// What a client learns of its commit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Committed {
    /// Its place in the ledger.
    pub seq: CommitSeq,
    /// Row versions and deletion markers written.
    pub rows: u64,
    /// Commit time, µs since the Unix epoch; never less than the commit before.
    pub time_us: i64,
}

/// Called once with what became of a request.
pub type Done = Box<dyn FnOnce(SqlResult<Option<Committed>>) + Send>;

/// A transaction ready to be decided.
pub struct Request {
    /// Who.
    pub actor: String,
    /// Writes in relation order.
    pub tables: Vec<TableWrites>,
    /// The same as the COMMIT record names them.
    pub pieces: Vec<Piece>,
    /// Root over all rows.
    pub row_root: Hash,
    /// Roots of its groups of 256.
    pub group_roots: Vec<Hash>,
    /// Objects defined, each with its own row in `ledger.catalog`.
    pub defined: Vec<(Object, u64)>,
    /// Objects dropped.
    pub dropped: Vec<u32>,
    /// Tables that definitions were checked against: rows and ended rows they had then.
    pub relied_on: BTreeMap<RelationId, (u64, u64)>,
    /// What is to be compared again for foreign keys.
    pub owed: Owed,
    /// Its name in the lock table.
    pub owner: u64,
    /// It has no locks on the keys it makes: those that others have are met here.
    pub is_alone: bool,
    /// Its locks, which end when it is visible or refused.
    pub held: Held,
    /// What it read, and when, if that has to be so still.
    pub(crate) reads: Option<(Arc<ReadSet>, Option<CommitSeq>)>,
    /// Keys of subjects that it destroys.
    pub(crate) erases: Vec<KeyId>,
    /// The index that it makes.
    pub(crate) building: Option<Building>,
    /// Log files with its DATA records stay while this is held.
    pub _pin: Option<Arc<LogPin>>,
    /// Told what became of it.
    pub done: Done,
}

/// Done by the committer with the ledger, or refused.
pub type Work = Box<dyn FnOnce(SqlResult<&Ledger>) + Send>;

/// Work for the committer.
pub enum Job {
    /// Decide a transaction.
    Commit(Box<Request>),
    /// Append a checkpoint leaf and start a new log file; answers with the state to seal.
    Seal(Box<dyn FnOnce(SqlResult<SealPoint>) + Send>),
    /// What is done between groups, while nobody else decides.
    Between(Work),
}

/// A state that can be sealed: all of it durable and signed, with the log switched to a new file.
#[derive(Debug)]
pub struct SealPoint {
    /// Both checkpoints at that state.
    pub checkpoint: SignedCheckpoint,
    /// Everything at or before this state is in log files before this position, rows of open transactions apart.
    pub log_position: Position,
    /// The folds as they were then.
    pub(crate) folds: lsm::FlushTarget,
}

/// The committer's inbox.
#[derive(Default)]
pub struct Queue {
    state: Mutex<QueueState>,
    wake: Condvar,
}

#[derive(Default)]
struct QueueState {
    jobs: VecDeque<Job>,
    closed: bool,
}

impl std::fmt::Debug for Queue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Queue").finish_non_exhaustive()
    }
}

impl Queue {
    /// Hands a job in; refused (given back) once closed.
    pub fn push(&self, job: Job) -> Result<(), Job> {
        let mut state = self.state.lock();
        if state.closed {
            return Err(job);
        }
        state.jobs.push_back(job);
        self.wake.notify_one();
        Ok(())
    }

    /// Ends the committer once it has done what it was given.
    pub fn close(&self) {
        self.state.lock().closed = true;
        self.wake.notify_all();
    }

    /// Whether nothing waits and more may come.
    fn is_quiet(&self) -> bool {
        let state = self.state.lock();
        state.jobs.is_empty() && !state.closed
    }

    /// Waits for work; false once closed and empty.
    fn wait(&self) -> bool {
        let mut state = self.state.lock();
        while state.jobs.is_empty() {
            if state.closed {
                return false;
            }
            self.wake.wait(&mut state);
        }
        true
    }

    fn take(&self) -> Vec<Job> {
        let mut state = self.state.lock();
        let n = state.jobs.len().min(GROUP_MAX);
        state.jobs.drain(..n).collect()
    }
}

/// The right to decide: whoever holds it is the committer.
#[derive(Debug, Default)]
pub struct Turn {
    held: Mutex<()>,
    /// Which thread holds it; 0: none.
    holder: AtomicUsize,
    /// How long the last group took, ns.
    last_ns: AtomicU64,
    /// A commit that holds no locks is between the look at others' and its place in the indexes.
    is_placing: AtomicBool,
}

impl Turn {
    /// Waits until nobody is deciding.
    pub fn wait(&self) -> impl Drop + '_ {
        self.held.lock()
    }

    /// The same, for one who may be deciding himself: then there is nothing to wait for.
    pub fn wait_for_others(&self) -> Option<impl Drop + '_> {
        (self.holder.load(Ordering::Relaxed) != this_thread()).then(|| self.held.lock())
    }

    /// See `Ledger::let_decide`.
    pub fn let_decide(&self) {
        for _ in 0..PLACING_SPINS_MAX {
            if !self.is_placing.load(Ordering::SeqCst) {
                return;
            }
            std::hint::spin_loop();
        }
    }
}

/// A number that no other living thread has.
fn this_thread() -> usize {
    thread_local!(static MARK: u8 = const { 0 });
    MARK.with(|mark| std::ptr::from_ref(mark).addr())
}

/// The turn, taken. A panic in it leaves memory and log apart, so it ends the ledger's writes (C4).
struct Deciding<'a> {
    ledger: &'a Ledger,
    _held: MutexGuard<'a, ()>,
}

impl<'a> Deciding<'a> {
    fn begin(ledger: &'a Ledger, held: MutexGuard<'a, ()>) -> Self {
        ledger.turn().holder.store(this_thread(), Ordering::Relaxed);
        Self { ledger, _held: held }
    }
}

impl Drop for Deciding<'_> {
    fn drop(&mut self) {
        self.ledger.turn().holder.store(0, Ordering::Relaxed);
        if std::thread::panicking() {
            self.ledger.fail(&SqlError::internal("a commit met a defect"));
        }
    }
}

/// Tells a refused job so.
pub fn refuse(job: Job, error: SqlError) {
    match job {
        Job::Commit(request) => (request.done)(Err(error)),
        Job::Seal(done) => done(Err(error)),
        Job::Between(work) => work(Err(error)),
    }
}

/// The error for work handed to a closed ledger.
pub fn closed() -> SqlError {
    SqlError::new(SqlState::ADMIN_SHUTDOWN, "the database system is shutting down")
}

/// Decides a small request on the thread that brings it, if nobody else is deciding or waiting to and the disk is quick: then two changes of
/// thread cost as much as the commit. Gives the request back otherwise.
pub fn decide_here(ledger: &Arc<Ledger>, request: Request) -> Option<Request> {
    if request.tables.iter().map(|writes| writes.rows).sum::<u64>() > INLINE_ROWS_MAX as u64 {
        return Some(request);
    }
    let Some(held) = ledger.turn().held.try_lock() else { return Some(request) };
    let _deciding = Deciding::begin(ledger, held);
    if !ledger.queue().is_quiet() || ledger.turn().last_ns.load(Ordering::Relaxed) > QUICK_NS {
        return Some(request);
    }
    let mut group = Group::default();
    group.decide(ledger, request);
    group.finish(ledger);
    ledger.wake_sealer_if_due();
    None
}

/// Runs until the queue is closed and empty.
pub fn run(ledger: &Arc<Ledger>) {
    while ledger.queue().wait() {
        // A panic has failed the ledger by then; those who still wait must hear so, from this thread.
        let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| decide_waiting(ledger)));
    }
}

fn decide_waiting(ledger: &Arc<Ledger>) {
    let _deciding = Deciding::begin(ledger, ledger.turn().held.lock());
    let mut group = Group::default();
    for job in ledger.queue().take() {
        match job {
            Job::Commit(request) => {
                group.decide(ledger, *request);
                if ledger.folds().is_full() {
                    std::mem::take(&mut group).finish(ledger);
                }
            }
            Job::Seal(done) => {
                std::mem::take(&mut group).finish(ledger);
                done(seal_point(ledger));
            }
            Job::Between(work) => {
                std::mem::take(&mut group).finish(ledger);
                work(Ok(ledger));
            }
        }
    }
    group.finish(ledger);
    ledger.wake_sealer_if_due();
}

/// Commits decided together: one log write, one sync, one signature each tree.
#[derive(Default)]
struct Group {
    records: Vec<Vec<u8>>,
    answers: Vec<(Done, Committed, Held)>,
    catalog: Option<Arc<crate::catalog::Catalog>>,
}

impl Group {
    fn decide(&mut self, ledger: &Arc<Ledger>, request: Request) {
        // What was written before is durable where the group begins, and may go to the disk.
        let reserved = if self.records.is_empty() { ledger.folds().reserve() } else { Ok(()) };
        if let Some(error) = ledger.failure().or_else(|| reserved.err()) {
            return (request.done)(Err(error));
        }
        let Request {
            actor,
            tables,
            pieces,
            row_root,
            group_roots,
            defined,
            dropped,
            relied_on,
            owed,
            owner,
            is_alone,
            held,
            reads,
            erases,
            building,
            done,
            _pin,
        } = request;
        let _placing = is_alone.then(|| Placing::begin(ledger));
        let catalog = self.catalog.clone().unwrap_or_else(|| ledger.snapshot().catalog);
        let made: Vec<Arc<TableDef>> = defined.iter().filter_map(|(object, _)| object.rows().cloned()).collect();
        let decided = check(ledger, &catalog, &tables, &defined, &dropped)
            .and_then(|()| check_locked(ledger, owner, is_alone, &tables))
            .and_then(|()| tables.iter().try_for_each(|writes| writes.check_sealed(ledger.subjects())))
            .and_then(|()| check_relied_on(ledger, &relied_on))
            .and_then(|()| reads.map_or(Ok(()), |(reads, seen)| reads.check(ledger, seen)))
            .and_then(|()| references::check_again(ledger, &catalog, &tables, &owed, (&defined, &dropped)))
            .and_then(|()| {
                if defined.is_empty() && dropped.is_empty() {
                    return Ok(Arc::clone(&catalog));
                }
                let first = ledger.table_state(crate::catalog::CATALOG).rows();
                let defined: Vec<_> = defined.into_iter().map(|(object, own)| (object, RowId(first + own))).collect();
                Ok(Arc::new(catalog.with_changes(&defined, &dropped)?))
            })
            .and_then(|catalog| {
                ledger.set_deciding(Some(Arc::clone(&catalog)));
                let draft = Draft::new(ledger, actor, row_root, catalog.schema_root(), &tables)?;
                let prepared = Prepared::new(ledger, (draft.committed.seq, &draft.spans), tables, (&made, building), group_roots)?;
                Ok((draft, prepared, catalog))
            });
        let (draft, prepared, catalog) = match decided {
            Ok(decided) => decided,
            Err(error) => {
                ledger.set_deciding(self.catalog.clone());
                return done(Err(error));
            }
        };
        // From here on it happens, or the ledger takes no more writes.
        ledger.subjects().doom(&erases);
        if prepared.is_large() {
            std::mem::take(self).finish(ledger);
            return alone(ledger, (draft, prepared), &pieces, catalog, (done, held));
        }
        let record = draft.append(ledger, &pieces);
        match prepared.apply(ledger, (draft.committed.seq, draft.committed.rows)) {
            Ok(()) => {
                self.records.push(record);
                self.answers.push((done, draft.committed, held));
                self.catalog = Some(catalog);
            }
            // Half-applied: memory is ahead of the log for good (C4).
            Err(error) => {
                ledger.fail(&error);
                done(Err(error));
            }
        }
    }

    fn finish(self, ledger: &Arc<Ledger>) {
        if self.records.is_empty() {
            return;
        }
        if let Some(error) = ledger.failure() {
            // Another of the group is half-applied: its leaf stands in the trees that would be signed, and in no log.
            return self.answers.into_iter().for_each(|(done, ..)| done(Err(error.clone())));
        }
        let records: Vec<(u8, &[u8])> = self.records.iter().map(|bytes| (record::COMMIT, bytes.as_slice())).collect();
        let clock = &ledger.options().clock;
        let begun = clock.monotonic_ns();
        let settled = settle(ledger, &records, self.catalog);
        if settled.is_ok() {
            ledger.set_deciding(None);
        }
        ledger.turn().last_ns.store(clock.monotonic_ns().saturating_sub(begun), Ordering::Relaxed);
        match settled {
            // Locks end before the answers: who was told of a commit meets none of them.
            Ok(_) => self.answers.into_iter().for_each(|(done, committed, held)| {
                drop(held);
                done(Ok(Some(committed)));
            }),
            Err(error) => {
                ledger.fail(&error);
                let error = ledger.failure().unwrap_or(error);
                self.answers.into_iter().for_each(|(done, ..)| done(Err(error.clone())));
            }
        }
    }
}

/// A commit whose changes to the folds go past memory: nothing of it may be on disk before the log has it, so it is durable first, then applied (D2 of
/// `folds/store.rs`).
fn alone(
    ledger: &Ledger,
    (draft, prepared): (Draft, Prepared),
    pieces: &[Piece],
    catalog: Arc<crate::catalog::Catalog>,
    (done, held): (Done, Held),
) {
    if let Some(error) = ledger.failure() {
        return done(Err(error));
    }
    let record = draft.append(ledger, pieces);
    let settled = ledger.make_durable_and_sign(&[(record::COMMIT, &record)]).and_then(|checkpoint| {
        prepared.apply(ledger, (draft.committed.seq, draft.committed.rows))?;
        ledger.publish(checkpoint, Some(catalog));
        ledger.set_deciding(None);
        Ok(())
    });
    match settled {
        Ok(()) => {
            drop(held);
            done(Ok(Some(draft.committed)));
        }
        Err(error) => {
            ledger.fail(&error);
            done(Err(ledger.failure().unwrap_or(error)));
        }
    }
}

/// Optimistic validation against what committed since the transaction's statements ran.
fn check(
    ledger: &Ledger,
    catalog: &crate::catalog::Catalog,
    tables: &[TableWrites],
    defined: &[(Object, u64)],
    dropped: &[u32],
) -> SqlResult<()> {
    for writes in tables {
        let table = &writes.table;
        // A table that this very transaction made is in no committed catalog yet; made and dropped again, it never will be.
        let is_own = defined.iter().any(|(object, _)| object.rows().is_some_and(|own| own == table)) || dropped.contains(&table.id.0);
        if !is_own && catalog.table_by_id(table.id).is_none_or(|current| current.version != table.version) {
            return Err(SqlError::new(
                SqlState::SERIALIZATION_FAILURE,
                format!("relation \"{}\" was changed or dropped meanwhile", table.name),
            )
            .hint("The transaction might succeed if retried."));
        }
        let state = ledger.table_state(table.id);
        for row in &writes.own.ended {
            if state.ended_by(*row)?.is_some() {
                return Err(conflict());
            }
        }
        if writes.keys_checked_at.is_some_and(|commits| state.last_commit().is_none_or(|last| last < commits)) {
            continue;
        }
        unique::check_again(ledger, writes, &state)?;
    }
    Ok(())
}

/// The time in which a commit without locks is placed; see [`Ledger::let_decide`].
struct Placing<'a>(&'a Ledger);

impl<'a> Placing<'a> {
    fn begin(ledger: &'a Ledger) -> Self {
        ledger.turn().is_placing.store(true, Ordering::SeqCst);
        Self(ledger)
    }
}

impl Drop for Placing<'_> {
    fn drop(&mut self) {
        self.0.turn().is_placing.store(false, Ordering::SeqCst);
    }
}

/// No other transaction has locked a table that this one writes, nor, in a block, a key that a commit without locks makes: its statement is to wait
/// instead. Errors: 40001.
fn check_locked(ledger: &Ledger, owner: u64, is_alone: bool, tables: &[TableWrites]) -> SqlResult<()> {
    if tables.iter().any(|writes| ledger.is_table_locked(owner, writes.table.id)) {
        return Err(conflict());
    }
    if !is_alone || ledger.locks().is_idle() {
        return Ok(());
    }
    for writes in tables.iter().filter(|writes| writes.rows <= INLINE_ROWS_MAX as u64) {
        // Never more than memory holds: there are few rows.
        for (id, values) in writes.own.keys.in_memory().into_iter().flatten() {
            for value in values.keys().filter(|value| ledger.is_key_locked(owner, *id, std::iter::once(*value))) {
                // A value that a row had before and has still is not made.
                let had = |row: u64| Ok(writes.own.ended.contains(&row).then_some(()));
                if writes.table.key(*id).map_or(Ok(None), |def| ledger.keys().find(def, value, had))?.is_none() {
                    return Err(conflict());
                }
            }
        }
    }
    Ok(())
}

/// What definitions were checked against is as it was. Errors: 40001.
fn check_relied_on(ledger: &Ledger, relied_on: &BTreeMap<RelationId, (u64, u64)>) -> SqlResult<()> {
    let is_as_it_was = |(id, (rows, ended)): (&RelationId, &(u64, u64))| {
        let state = ledger.table_state(*id);
        state.rows() == *rows && state.ended_rows() == *ended
    };
    if relied_on.iter().all(is_as_it_was) { Ok(()) } else { Err(conflict()) }
}

/// A commit's leaf and where its rows go, while nothing has changed yet.
struct Draft {
    leaf: Vec<u8>,
    spans: Vec<TableSpan>,
    committed: Committed,
}

impl Draft {
    /// For the next place in the ledger. Errors: 54000 where it touches more tables than a leaf can name.
    fn new(ledger: &Ledger, actor: String, row_root: Hash, schema_root: Hash, tables: &[TableWrites]) -> SqlResult<Self> {
        let span = |writes: &TableWrites| TableSpan {
            relation: writes.table.id.0,
            first_row: ledger.table_state(writes.table.id).rows(),
            rows: writes.rows,
        };
        let spans: Vec<TableSpan> = tables.iter().map(span).collect();
        let rows = spans.iter().map(|span| span.rows).sum();
        let (seq, time_us) = (CommitSeq(ledger.merkle().read().size()), ledger.commit_time());
        let leaf = Leaf::Commit(CommitLeaf {
            ledger: ledger.id().0,
            seq: seq.0,
            time_us,
            actor,
            idempotency_key: Vec::new(),
            schema_root,
            n_rows: rows,
            tables: spans.clone(),
            row_root,
            policy_hash: Hash::default(),
            plan_hash: Hash::default(),
        });
        let leaf = leaf
            .encode()
            .map_err(|error| SqlError::new(SqlState::PROGRAM_LIMIT_EXCEEDED, format!("commit does not fit a leaf: {error}")))?;
        Ok(Self { leaf, spans, committed: Committed { seq, rows, time_us } })
    }
}

impl Draft {
    /// Gives it its place in both trees. Returns its log record.
    fn append(&self, ledger: &Ledger, pieces: &[Piece]) -> Vec<u8> {
        ledger.merkle().write().append(&self.leaf);
        record::commit(&self.leaf, pieces)
    }
}

/// Makes records durable, signs the state they lead to, and makes it what new snapshots see (C2).
fn settle(ledger: &Ledger, records: &[(u8, &[u8])], catalog: Option<Arc<crate::catalog::Catalog>>) -> SqlResult<SignedCheckpoint> {
    let checkpoint = ledger.make_durable_and_sign(records)?;
    ledger.publish(checkpoint.clone(), catalog);
    Ok(checkpoint)
}

/// Appends a leaf that carries no rows, durably, and publishes it.
pub fn append_leaf(ledger: &Ledger, make: impl FnOnce(u64, i64) -> SqlResult<Leaf>) -> SqlResult<SignedCheckpoint> {
    let bytes = {
        let mut merkle = ledger.merkle().write();
        let leaf = make(merkle.size(), ledger.commit_time())?;
        let bytes = leaf.encode().map_err(|error| SqlError::internal(format!("leaf: {error}")))?;
        merkle.append(&bytes);
        bytes
    };
    settle(ledger, &[(record::LEAF, &bytes)], None)
}

/// Binds the present state of both trees in a checkpoint leaf and switches the log to a new file.
fn seal_point(ledger: &Ledger) -> SqlResult<SealPoint> {
    if let Some(error) = ledger.failure() {
        return Err(error);
    }
    let bound = ledger.checkpoint().state;
    let outcome = append_leaf(ledger, |seq, time_us| {
        Ok(Leaf::Checkpoint(CheckpointLeaf {
            ledger: ledger.id().0,
            seq,
            time_us,
            size: bound.size,
            sha_root: bound.sha_root,
            b3_root: bound.b3_root,
        }))
    })
    .and_then(|checkpoint| Ok((checkpoint, ledger.switch_log()?)));
    let (checkpoint, log_position) = outcome.inspect_err(|error| ledger.fail(error))?;
    // All commits are in the log here, and nobody adds one meanwhile.
    Ok(SealPoint { checkpoint, log_position, folds: ledger.folds().begin_flush()? })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use base::{SeededRng, SimClock, SimIo};

    use super::*;
    use crate::{Options, Server};

    /// A defect met while a commit was half-applied once left memory ahead of the log, and the next session went on from there: its
    /// acknowledged commit could not be read back.
    #[test]
    fn a_panic_while_deciding_ends_the_ledgers_writes() {
        let options = Options {
            io: Arc::new(SimIo::new(0)),
            expressions: Arc::new(crate::schema::NoExpressions),
            clock: Arc::new(SimClock::new(1, 1)),
            rng: Arc::new(SeededRng::new(7)),
            wal_file_bytes: 1 << 16,
            hash_threads: 1,
            memory: crate::Memory::default(),
            fold_threads: false,
            scrub_bytes_per_s: 0,
            use_uring: false,
        };
        let server = Server::open(Path::new("/data"), options).unwrap();
        let ledger = server.ledger("shockwave").unwrap();
        let defect = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let _deciding = Deciding::begin(&ledger, ledger.turn().held.lock());
            panic!("a defect");
        }));
        assert!(defect.is_err());
        let mut transaction = ledger.begin("tester");
        transaction.create_schema("s").unwrap();
        let (sender, receiver) = std::sync::mpsc::channel();
        transaction.commit_here(Box::new(move |answer| sender.send(answer).unwrap()));
        assert_eq!(receiver.recv().unwrap().unwrap_err().state(), SqlState::INTERNAL_ERROR);
        drop(server.close_unsealed());
    }
}
