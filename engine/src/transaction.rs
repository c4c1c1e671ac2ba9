//! A transaction: one snapshot, own writes on top of it, and the checks that Postgres makes when a statement runs.
//!
//! X1: reads see the snapshot plus own writes, nothing else.
//! X2: a statement that fails a check has written nothing.
//! X3: nothing is history before the committer says so; dropping a transaction forgets it.
//! X4: after a failed commit the folds hold what was never published; whoever meets it hears of the failure, not of a conflict that a retry mends.
//! Never: waits for another transaction (who has to is told, see `locking.rs`).

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, RecordBatch, UInt64Array};
use base::{RelationId, RowId, SqlError, SqlResult, SqlState};

use crate::canonical::{OWN_ROW, Op};
use crate::catalog::{Catalog, Object};
use crate::commit::{Committed, Request};
use crate::index_build::Building;
use crate::ledger::{Ledger, Snapshot};
use crate::locks::{Locking, Strength, TableLock};
use crate::own_keys::NewKeys;
use crate::reads::ReadSet;
use crate::references::{Deferred, Owed, Removed};
use crate::roles::FIRST_SUPERUSER;
use crate::schema::{OnCommit, TableDef};
use crate::stored;
use crate::subjects::KeyId;
use crate::unique;
use crate::view::TableView;
use crate::violations::{display, truncate_to};
use crate::writes::{INLINE_ROWS_MAX, TableWrites, row_tree};

/// An open transaction; see the module. A clone is a savepoint: it goes on from where it was taken, and either may be dropped.
#[derive(Clone, Debug)]
pub struct Transaction {
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) actor: String,
    /// Who owns what it makes.
    pub(crate) owner: u32,
    pub(crate) snapshot: Snapshot,
    pub(crate) writes: BTreeMap<RelationId, TableWrites>,
    /// Objects defined, each with its own row in `ledger.catalog`; one entry an object.
    pub(crate) defined: Vec<(Object, u64)>,
    pub(crate) dropped: Vec<u32>,
    /// Catalog with own DDL, where there is any.
    pub(crate) catalog: Option<Arc<Catalog>>,
    /// Tables that definitions were checked against: rows and ended rows they had then.
    pub(crate) relied_on: BTreeMap<RelationId, (u64, u64)>,
    pub(crate) owed: Owed,
    pub(crate) locking: Locking,
    /// What it read, where that is to be checked at commit.
    pub(crate) reads: Option<Arc<ReadSet>>,
    pub(crate) deferred: Deferred,
    /// Keys of subjects that its commit destroys.
    pub(crate) erases: Vec<KeyId>,
    /// Temporary objects, and what a commit does to them.
    pub(crate) temporary: BTreeMap<u32, Object>,
    pub(crate) on_commit: BTreeMap<u32, OnCommit>,
    /// Indexes that it makes of tables that are there.
    pub(crate) building: Option<Building>,
    is_past: bool,
    /// Keeps log files that hold own DATA records.
    pin: Option<Arc<crate::ledger::LogPin>>,
}

impl Transaction {
    pub(crate) fn new(ledger: Arc<Ledger>, actor: &str) -> Self {
        let snapshot = ledger.snapshot();
        let owner_of_locks = ledger.locks().new_owner();
        let actor = truncate_to(actor, receipts::leaf::ACTOR_BYTES_MAX).to_owned();
        Self {
            ledger,
            actor,
            owner: FIRST_SUPERUSER,
            snapshot,
            writes: BTreeMap::new(),
            defined: Vec::new(),
            dropped: Vec::new(),
            catalog: None,
            relied_on: BTreeMap::new(),
            owed: Owed::default(),
            locking: Locking::new(owner_of_locks),
            reads: None,
            deferred: Deferred::default(),
            erases: Vec::new(),
            temporary: BTreeMap::new(),
            on_commit: BTreeMap::new(),
            building: None,
            is_past: false,
            pin: None,
        }
    }

    /// The snapshot it reads.
    pub fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// A number that no other transaction of this ledger has; greater than those of transactions that began before.
    pub fn number(&self) -> u64 {
        self.ledger.number_of(self.locking.owner)
    }

    /// The ledger it belongs to.
    pub fn ledger(&self) -> &Arc<Ledger> {
        &self.ledger
    }

    /// The catalog it sees, own DDL included.
    pub fn catalog(&self) -> Arc<Catalog> {
        Arc::clone(self.catalog.as_ref().unwrap_or(&self.snapshot.catalog))
    }

    /// Goes to a moment of the past ([`Ledger::moment`]) and stays there; what it wrote is left behind, and it writes nothing.
    pub fn travel(&mut self, moment: Snapshot) {
        self.snapshot = moment;
        self.catalog = None;
        self.writes.clear();
        self.temporary.clear();
        self.is_past = true;
    }

    /// Whether it reads the past.
    pub fn is_past(&self) -> bool {
        self.is_past
    }

    /// Takes the newest snapshot, as READ COMMITTED does at the start of each statement; own writes stay.
    pub fn refresh(&mut self) -> SqlResult<()> {
        if self.is_past {
            return Ok(());
        }
        self.snapshot = self.ledger.snapshot();
        if self.catalog.is_some() {
            self.catalog = Some(self.overlay()?);
        }
        Ok(())
    }

    /// Whether nothing has been written.
    pub fn is_read_only(&self) -> bool {
        self.writes.values().all(|writes| writes.rows == 0)
    }

    /// The table as this transaction sees it (X1).
    pub fn view(&self, table: &Arc<TableDef>) -> TableView {
        TableView::new(&self.ledger, Arc::clone(table), self.snapshot.seq, self.writes.get(&table.id)).traced(self.reads.as_ref())
    }

    /// The table as a query of this transaction reads it, in the past or now (X1). Errors: XX001 where a segment is damaged.
    pub fn reading(&self, table: &Arc<TableDef>) -> SqlResult<TableView> {
        match self.snapshot.seq {
            Some(seq) if self.is_past => TableView::past(&self.ledger, Arc::clone(table), seq),
            _ => Ok(self.view(table)),
        }
    }

    /// Appends rows: `rows` has the table's user columns in order.
    ///
    /// Errors: 23502 and 23505 with the failing row or key; 53100 or 58030 where a large write cannot go ahead into the log.
    pub fn insert(&mut self, table: &Arc<TableDef>, rows: &RecordBatch) -> SqlResult<()> {
        self.claim_table(table.id, TableLock::RowExclusive)?;
        check_not_null(table, rows)?;
        let keys = unique::read(self.ledger.options().expressions(), table, rows)?;
        let keys = self.check_keys(table, rows, keys, &[])?;
        let stored = self.dress(table, rows, Op::Insert, None)?;
        self.owe(table);
        self.owe_keys(table);
        self.push(table, stored, keys)
    }

    /// References of the rows about to be written are checked later; those of temporary rows are nobody's (temporary.rs).
    fn owe(&mut self, table: &Arc<TableDef>) {
        if !self.is_temporary(table.id) {
            self.owed.wrote(table, self.writes.get(&table.id).map_or(0, |writes| writes.rows));
        }
    }

    /// Whether new versions have other values in the columns of foreign keys. Where they have not, whoever ends the row referenced meets them as it would
    /// have met the old ones.
    fn points_elsewhere(&self, table: &Arc<TableDef>, old: &[RowId], rows: &RecordBatch) -> SqlResult<bool> {
        let mut columns = table.rules.references.iter().flat_map(|reference| &reference.columns).peekable();
        if columns.peek().is_none() {
            return Ok(false);
        }
        let before = self.rows_by_id(table, old)?;
        Ok(columns.any(|id| table.position(*id).is_none_or(|at| before.column(at) != rows.column(at))))
    }

    /// Appends new versions `rows` of the rows `old`, pairwise.
    ///
    /// Errors: as [`Transaction::insert`]; 40001 where a row is not the newest version any more.
    pub fn update(&mut self, table: &Arc<TableDef>, old: &[RowId], rows: &RecordBatch) -> SqlResult<()> {
        assert!(old.len() == rows.num_rows(), "X1: an update has one new version for each old row");
        self.claim_table(table.id, TableLock::RowExclusive)?;
        check_not_null(table, rows)?;
        let new = unique::read(self.ledger.options().expressions(), table, rows)?;
        let mut strengths = vec![Strength::NoKeyUpdate; old.len()];
        for (id, values) in &new {
            for ((strength, key), old) in strengths.iter_mut().zip(values).zip(old) {
                if let Some(key) = key
                    && *strength == Strength::NoKeyUpdate
                    && !self.has_key(table, *id, key, *old)?
                {
                    *strength = Strength::Update;
                }
            }
        }
        self.claim(table, old, |at| strengths[at])?;
        let keys = match self.check_keys(table, rows, new, old) {
            // The winner of a race for these very rows holds their keys by now: that is a conflict, not a duplicate.
            Err(error) => {
                self.claim(table, old, |at| strengths[at])?;
                return Err(error);
            }
            Ok(keys) => keys,
        };
        if self.catalog().is_referenced(table.id) {
            let before = self.rows_by_id(table, old)?;
            self.claim_given_up(table, &before, |at| strengths[at] != Strength::Update)?;
            self.owed.took(Removed { table: Arc::clone(table), old: before, new: Some(rows.clone()) });
        }
        if self.points_elsewhere(table, old, rows)? {
            self.owe(table);
        }
        if strengths.contains(&Strength::Update) {
            self.owe_keys(table);
        }
        let supersedes: UInt64Array = old.iter().map(|row| row.0).collect::<Vec<_>>().into();
        let stored = self.dress(table, rows, Op::Update, Some(supersedes))?;
        self.end(table, old);
        self.push(table, stored, keys)
    }

    /// Ends rows.
    ///
    /// Errors: 40001 where a row is not the newest version any more.
    pub fn delete(&mut self, table: &Arc<TableDef>, old: &[RowId]) -> SqlResult<()> {
        self.claim_table(table.id, TableLock::RowExclusive)?;
        self.claim(table, old, |_| Strength::Update)?;
        if self.catalog().is_referenced(table.id) {
            let before = self.rows_by_id(table, old)?;
            self.claim_given_up(table, &before, |_| false)?;
            self.owed.took(Removed { table: Arc::clone(table), old: before, new: None });
        }
        let ended: UInt64Array = old.iter().map(|row| row.0).collect::<Vec<_>>().into();
        let stored = stored::markers(table, ended, (&*self.ledger.options().rng, self.ledger.subjects()))?;
        self.end(table, old);
        let writes = self.writes_of(table);
        let first = writes.rows;
        writes.own_mut().own_ended.extend(first..first + old.len() as u64);
        self.push(table, stored, NewKeys::new())
    }

    /// Rows as they are stored; of an erasable table they are sealed from here on.
    fn dress(&mut self, table: &Arc<TableDef>, rows: &RecordBatch, op: Op, supersedes: Option<UInt64Array>) -> SqlResult<RecordBatch> {
        let ledger = Arc::clone(&self.ledger);
        if table.subject().is_some() {
            let epoch = ledger.subjects().epoch();
            self.writes_of(table).sealed_at.get_or_insert(epoch);
        }
        stored::dress(table, rows, op, supersedes, (&*ledger.options().rng, ledger.subjects()))
    }

    pub(crate) fn overlay(&self) -> SqlResult<Arc<Catalog>> {
        let defined = self.defined.iter().map(|(object, own)| (object.clone(), RowId(own | OWN_ROW)));
        let temporary = self.temporary.values().map(|object| (object.clone(), RowId(u64::MAX)));
        let defined: Vec<_> = defined.chain(temporary).collect();
        Ok(Arc::new(self.snapshot.catalog.with_changes(&defined, &self.dropped)?))
    }

    /// The rows with these ids, all user columns.
    fn rows_by_id(&self, table: &Arc<TableDef>, rows: &[RowId]) -> SqlResult<RecordBatch> {
        let view = self.view(table);
        let found = rows.iter().map(|row| view.row_by_id(*row)).collect::<SqlResult<Vec<_>>>()?;
        if found.is_empty() { Ok(RecordBatch::new_empty(table.arrow_schema())) } else { stored::join(&found) }
    }

    pub(crate) fn writes_of(&mut self, table: &Arc<TableDef>) -> &mut TableWrites {
        self.writes.entry(table.id).or_insert_with(|| TableWrites::new(Arc::clone(table)))
    }

    /// Takes dressed rows: large ones go ahead into the log, from where they are read back.
    fn push(&mut self, table: &Arc<TableDef>, stored: RecordBatch, keys: NewKeys) -> SqlResult<()> {
        if stored.num_rows() == 0 {
            return Ok(());
        }
        let threads = self.ledger.options().hash_threads;
        let place = Arc::clone(self.ledger.folds().place());
        self.writes_of(table).make_room(&place)?;
        let (stored, position) = self.ahead(table, stored)?;
        let writes = self.writes_of(table);
        let first = writes.rows;
        writes.push(stored, position, threads)?;
        writes.learn_keys(keys, first);
        if let Some(position) = position {
            self.ledger.set_aside(position);
        }
        Ok(())
    }

    /// Large writes go into the log now; the rows as they are read from there, and where.
    pub(crate) fn ahead(&mut self, table: &TableDef, stored: RecordBatch) -> SqlResult<(RecordBatch, Option<u64>)> {
        if stored.num_rows() <= INLINE_ROWS_MAX || self.is_temporary(table.id) {
            return Ok((stored, None));
        }
        let pin = self.pin.get_or_insert_with(|| Arc::new(self.ledger.pin_log()));
        let (batch, position) = self.ledger.write_ahead(table, &stored, pin)?;
        Ok((batch, Some(position)))
    }

    fn end(&mut self, table: &Arc<TableDef>, old: &[RowId]) {
        let own = self.writes_of(table).own_mut();
        for row in old {
            if row.0 & OWN_ROW != 0 {
                own.own_ended.insert(row.0 & !OWN_ROW);
            } else {
                own.ended.insert(row.0);
            }
        }
    }

    /// Rows that are to be ended: locked, the newest versions, and not ended by this transaction already.
    fn claim(&mut self, table: &TableDef, old: &[RowId], strength: impl Fn(usize) -> Strength) -> SqlResult<()> {
        let writes = self.writes.get(&table.id).map(|writes| &writes.own);
        let is_ended = |row: &RowId| match row.0 & OWN_ROW {
            0 => writes.is_some_and(|writes| writes.ended.contains(&row.0)),
            _ => writes.is_some_and(|writes| writes.own_ended.contains(&(row.0 & !OWN_ROW))),
        };
        if old.iter().any(is_ended) {
            return Err(SqlError::internal("a row is changed twice by one statement"));
        }
        self.claim_rows(table, old, strength)
    }

    /// Checks the unique keys of new rows (23505) and gives them back. `replaced` rows do not count as taken.
    fn check_keys(&mut self, table: &Arc<TableDef>, rows: &RecordBatch, keys: NewKeys, replaced: &[RowId]) -> SqlResult<NewKeys> {
        if keys.is_empty() {
            return Ok(keys);
        }
        self.claim_keys(table, &keys, replaced)?;
        let before = self.ledger.keys().applied();
        let ledger = Arc::clone(&self.ledger);
        let writes = self.writes_of(table);
        writes.keys_checked_at.get_or_insert(before);
        match unique::check(&ledger, table, rows, &keys, &writes.own, replaced) {
            Ok(doubtful) => {
                if !doubtful.is_empty() {
                    self.writes_of(table).own_mut().doubtful.extend(doubtful);
                }
                Ok(keys)
            }
            Err(error) => Err(self.wait_for_end(table, &keys)?.unwrap_or(error)),
        }
    }

    /// Commits: `done` is called once, from the committer's thread, when the commit is durable, signed and visible, or refused. `None` means that
    /// there was nothing to commit.
    ///
    /// Errors given to `done`: 40001, 23505 or 42P07 for a conflict with what committed since; 53100, 58030 where the log cannot be written.
    pub fn commit(self, done: Box<dyn FnOnce(SqlResult<Option<Committed>>) + Send>) {
        if self.is_read_only() {
            return done(Ok(None));
        }
        let ledger = Arc::clone(&self.ledger);
        match self.into_request(done) {
            Ok(request) => ledger.submit(request),
            Err((error, done)) => done(Err(error)),
        }
    }

    /// [`Transaction::commit`] for a caller that has nothing else to do: on a quiet ledger with a quick disk it is decided, and `done` called,
    /// on this thread before this returns.
    pub fn commit_here(self, done: Box<dyn FnOnce(SqlResult<Option<Committed>>) + Send>) {
        if self.is_read_only() {
            return done(Ok(None));
        }
        let ledger = Arc::clone(&self.ledger);
        match self.into_request(done) {
            Ok(request) => ledger.submit_here(request),
            Err((error, done)) => done(Err(error)),
        }
    }

    /// [`Transaction::commit`], waiting for the answer.
    pub fn commit_blocking(self) -> SqlResult<Option<Committed>> {
        let (sender, receiver) = std::sync::mpsc::sync_channel(1);
        self.commit(Box::new(move |answer| {
            // The receiver waits below; it is gone only if this thread is.
            let _ = sender.send(answer);
        }));
        receiver
            .recv()
            .unwrap_or_else(|_| Err(SqlError::new(SqlState::ADMIN_SHUTDOWN, "the ledger was closed before the commit was decided")))
    }

    /// [`Transaction::commit_here`], waiting for the answer.
    pub(crate) fn commit_waiting(self) -> SqlResult<Option<Committed>> {
        let (sender, receiver) = std::sync::mpsc::sync_channel(1);
        self.commit_here(Box::new(move |answer| {
            // The receiver waits below; it is gone only if this thread is.
            let _ = sender.send(answer);
        }));
        receiver.recv().unwrap_or_else(|_| Err(crate::commit::closed()))
    }

    #[expect(clippy::type_complexity, reason = "the callback goes back to the caller with the error")]
    fn into_request(
        mut self,
        done: Box<dyn FnOnce(SqlResult<Option<Committed>>) + Send>,
    ) -> Result<Request, (SqlError, Box<dyn FnOnce(SqlResult<Option<Committed>>) + Send>)> {
        if let Err(error) = self.begin_sequences() {
            return Err((error, done));
        }
        if self.writes.values().any(|writes| writes.sealed_at.is_some())
            && let Err(error) = self.ledger.subjects().make_durable()
        {
            return Err((error, done));
        }
        let threads = self.ledger.options().hash_threads;
        let tables: Vec<TableWrites> = self.writes.into_values().filter(|writes| writes.rows > 0).collect();
        let prepared = row_tree(&tables, threads).and_then(|(root, groups)| {
            let pieces = tables.iter().map(TableWrites::encode).collect::<SqlResult<Vec<_>>>()?;
            Ok((root, groups, pieces.into_iter().flatten().collect()))
        });
        match prepared {
            Ok((row_root, group_roots, pieces)) => Ok(Request {
                actor: self.actor,
                tables,
                pieces,
                row_root,
                group_roots,
                defined: self.defined,
                dropped: self.dropped,
                relied_on: self.relied_on,
                owed: self.owed,
                owner: self.locking.owner,
                is_alone: self.locking.is_alone,
                held: self.locking.held,
                reads: self.reads.map(|reads| (reads, self.snapshot.seq)),
                erases: self.erases,
                building: self.building,
                _pin: self.pin,
                done,
            }),
            Err(error) => Err((error, done)),
        }
    }
}

fn check_not_null(table: &TableDef, rows: &RecordBatch) -> SqlResult<()> {
    for (def, column) in table.columns.iter().zip(rows.columns()) {
        if !def.not_null || column.null_count() == 0 {
            continue;
        }
        let row = (0..column.len()).find(|row| column.is_null(*row)).unwrap_or(0);
        let values: Vec<String> = rows.columns().iter().map(|column| display(column, row)).collect();
        let message = format!("null value in column \"{}\" of relation \"{}\" violates not-null constraint", def.name, table.name);
        return Err(SqlError::new(SqlState::NOT_NULL_VIOLATION, message)
            .detail(format!("Failing row contains ({}).", values.join(", ")))
            .table(&table.schema, &table.name)
            .column(&def.name));
    }
    Ok(())
}
