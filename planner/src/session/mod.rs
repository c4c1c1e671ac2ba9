//! A session: settings, one transaction at most, and the running of prepared statements in it.
//!
//! E1: outside a block every statement is its own transaction; one that loses an optimistic conflict is run again on a new snapshot.
//! E2: a failed block hears only COMMIT and ROLLBACK, and either undoes it; or ROLLBACK TO a savepoint, which goes on from there.
//! E3: an answer to a writing statement outside a block is given after its commit is durable.
//! Never: shared between connections; reads or writes the socket.

mod advisory;
mod blocks;
mod configure;
mod copy;
mod current_of;
mod cursors;
mod databases;
mod effects;
mod erase;
mod expire;
mod identity;
mod kept;
mod named;
mod notify;
mod plans;
mod prepared;
mod receipts;
mod savepoints;
mod seat;
mod travel;
mod waits;
mod witnesses;

use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::ArrayRef;
use base::{CommitSeq, SqlError, SqlResult, SqlState};
use engine::{Isolation, Snapshot, SqlType, Temporary, Transaction};

use crate::backends::Seat;
use crate::cancel::{Canceller, Watch};
use crate::cells::Parameters;
use crate::database::Database;
use crate::effects::Wishes;
use crate::outcome::{Notice, Outcome, TransactionStatus};
use crate::parse::Parsed;
use crate::plan_cache::Stamp;
use crate::resolver::Scope;
use crate::sequence_functions::Used;
use crate::settings::Settings;
use crate::statements::authority::check;
use crate::statements::{self, Execution, Plan, system_time};
use crate::view::View;
use blocks::{Block, BlockKind, Open, Replay, State, isolation_named};
pub use named::NamedStatement;
pub use prepared::Prepared;

/// How often a statement outside a block is run again after losing a conflict.
const RERUNS_MAX: u32 = 10;
/// How often the loser of a conflict looks whether the winner's commit is visible.
const WINNER_LOOKS_EVERY: Duration = Duration::from_millis(1);

/// The right to run a statement again, held by one of those who lost a conflict.
type Turn = Option<tokio::sync::OwnedMutexGuard<()>>;

/// One client's session on one database.
pub struct Session {
    database: Arc<Database>,
    user: String,
    settings: Settings,
    told: Settings,
    state: State,
    implicit: bool,
    notices: Vec<Notice>,
    canceller: Canceller,
    last_commit: Option<CommitSeq>,
    /// A commit whose witnesses are still to be waited for.
    uncosigned: Option<CommitSeq>,
    names: named::Names,
    cursors: cursors::Cursors,
    mail: notify::Mail,
    wishes: Wishes,
    used: Used,
    seat: Seat,
    temporary: Temporary,
}

impl Session {
    /// A session of `user`, who is also the actor of its commits; `application_name` as the client gave it, or empty.
    pub fn new(database: Arc<Database>, user: impl Into<String>, application_name: impl Into<String>) -> Self {
        let user = user.into();
        let application_name = application_name.into();
        let is_named = !application_name.is_empty();
        let mut settings = Settings::new(&user, &application_name);
        let catalog = database.ledger.snapshot().catalog;
        settings.note_superuser(catalog.authority().role_named(&user).is_some_and(|role| role.superuser));
        kept::begin_with(&mut settings, &catalog, &user, is_named);
        let seat = Seat::unlisted(&database.backends, &user, database.now_us());
        Self {
            mail: notify::Mail::new(&database),
            database,
            told: settings.clone(),
            settings,
            user,
            names: named::Names::default(),
            wishes: Wishes::default(),
            cursors: cursors::Cursors::default(),
            state: State::Idle,
            implicit: false,
            notices: Vec::new(),
            canceller: Canceller::default(),
            last_commit: None,
            uncosigned: None,
            used: Used::default(),
            seat,
            temporary: Temporary::default(),
        }
    }

    /// Sets a parameter of the startup message (`application_name`, `client_encoding`, `-c name=value`). Errors: 42704, 22023, 55P02.
    pub fn set_startup_parameter(&mut self, name: &str, value: &str) -> SqlResult<()> {
        self.settings.set_default(name, value)?;
        self.told = self.settings.clone();
        Ok(())
    }

    /// The user.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// Runs a prepared statement. `parameters` holds a one-row array a parameter, typed as [`Prepared::parameters`] says.
    ///
    /// Errors: whatever the statement raises; an open block has then failed. 57014 when cancelled or out of time.
    pub async fn execute(&mut self, prepared: &Prepared, parameters: Vec<ArrayRef>) -> SqlResult<Outcome> {
        let mut result = match self.carry_out() {
            Ok(()) => {
                self.note_begin(&prepared.text);
                if prepared.text.contains("pg_cursors") {
                    self.show_cursors();
                }
                match advisory::mentioned(&prepared.text) {
                    true => self.run_taking_locks(prepared, parameters).await,
                    false => self.dispatch(prepared, parameters).await,
                }
            }
            Err(error) => Err(error),
        };
        if self.uncosigned.is_some() {
            result = match (self.wait_for_witnesses().await, result) {
                (Err(error), Ok(_)) => Err(error),
                (_, result) => result,
            };
        }
        if result.is_err() {
            self.fail();
        }
        result
    }

    async fn dispatch(&mut self, prepared: &Prepared, parameters: Vec<ArrayRef>) -> SqlResult<Outcome> {
        if parameters.len() != prepared.parameters.len() {
            let (given, wanted) = (parameters.len(), prepared.parameters.len());
            let message = format!("bind message supplies {given} parameters, but prepared statement \"\" requires {wanted}");
            return Err(SqlError::new(SqlState::PROTOCOL_VIOLATION, message));
        }
        let ends_failure = matches!(&*prepared.plan, Plan::Block(control) if control.ends_failure());
        if matches!(self.state, State::Failed(_)) && !ends_failure {
            return Err(block_failed());
        }
        let watch = Watch::start(&self.canceller, self.settings.statement_timeout());
        match &*prepared.plan {
            Plan::Block(control) => self.control(control).await,
            Plan::Configure(statement) => self.configure(statement),
            Plan::Named(named) => self.named(named, prepared).await,
            Plan::Cursor(cursor) => self.cursor(cursor, prepared, parameters).await,
            Plan::Notify(notify) => self.notify(notify).await,
            Plan::Maintenance(maintenance) => {
                maintenance.check_block(self.implicit || !matches!(self.state, State::Idle))?;
                Ok(Outcome::Command(maintenance.tag()))
            }
            Plan::Erase(erase) => self.erase(&prepared.plan, erase),
            Plan::Expire(expire) => self.expire(&prepared.plan, expire).await,
            Plan::CopyFrom(_) => self.begin_copy(prepared, watch).await,
            Plan::Authority(command) if command.is_about_databases() => self.change_databases(&prepared.plan, command).await,
            _ => self.run_data(prepared, parameters, watch).await,
        }
    }

    /// Runs a statement that reads or writes data or definitions, in the open block or in a transaction of its own (E1).
    async fn run_data(&mut self, prepared: &Prepared, parameters: Vec<ArrayRef>, watch: Watch) -> SqlResult<Outcome> {
        if self.implicit && matches!(self.state, State::Idle) {
            self.state = State::Open(self.new_block(BlockKind::Implicit));
        }
        if matches!(self.state, State::Open(_)) {
            return self.run_in_block(prepared, parameters, &watch).await;
        }
        self.refuse_write(&prepared.plan, self.settings.default_read_only())?;
        let mut turn = None;
        let mut reruns = 0;
        loop {
            let mut transaction = self.begin(isolation_named(&self.settings.default_isolation()))?;
            // Who has lost takes all locks: others wait for them then.
            transaction.set_alone(reruns == 0);
            let begun_us = self.now_us();
            let result = match self.run_waiting(&mut transaction, prepared, &parameters, &watch, begun_us, &mut turn).await {
                Ok(outcome) => self.commit(transaction).await.map(|()| self.with_receipts(outcome, &prepared.plan)),
                Err(error) => {
                    drop(transaction);
                    Err(error)
                }
            };
            let Err(error) = &result else { return result };
            if reruns == RERUNS_MAX || !self.lost_a_conflict(error, &prepared.plan, &watch).await {
                return result;
            }
            watch.check()?;
            self.mail.rewind(0);
            reruns += 1;
            // Those who lost take turns, so that they do not go on losing to each other.
            if turn.is_none() {
                turn = Some(self.database.rerun_turn().await);
            }
        }
    }

    /// Whether a statement lost to another commit and should be judged again; waits until the winner is visible.
    async fn lost_a_conflict(&mut self, error: &SqlError, plan: &Plan, watch: &Watch) -> bool {
        let lost =
            error.state() == SqlState::SERIALIZATION_FAILURE || (error.state() == SqlState::UNIQUE_VIOLATION && plan.expects_conflicts());
        if !lost {
            return false;
        }
        // The winner is known before it is durable, and visible only after.
        let ledger = &self.database.ledger;
        let placed = ledger.placed();
        while ledger.snapshot().seq < placed && ledger.failure().is_none() && watch.check().is_ok() {
            tokio::time::sleep(WINNER_LOOKS_EVERY).await;
        }
        true
    }

    async fn run_in_block(&mut self, prepared: &Prepared, parameters: Vec<ArrayRef>, watch: &Watch) -> SqlResult<Outcome> {
        let State::Open(mut open) = std::mem::replace(&mut self.state, State::Idle) else {
            return Err(SqlError::internal("no block is open"));
        };
        if let Err(error) = self.refuse_write(&prepared.plan, open.block.read_only).and_then(|()| receipts::refuse_in_block(&prepared.plan))
        {
            self.state = State::Failed(open.block);
            return Err(error);
        }
        let mut transaction = match open.transaction.take() {
            Some(mut transaction) => {
                let is_fresh = open.block.isolation == Isolation::ReadCommitted;
                let refreshed = if is_fresh { transaction.refresh() } else { Ok(()) };
                if let Err(error) = refreshed.and_then(|()| self.place(&mut transaction, open.block.isolation)) {
                    self.state = State::Failed(open.block);
                    return Err(error);
                }
                transaction
            }
            None => match self.begin(open.block.isolation) {
                Ok(transaction) => transaction,
                Err(error) => {
                    self.state = State::Failed(open.block);
                    return Err(error);
                }
            },
        };
        let is_first_lock = matches!((&*prepared.plan, &open.replay), (Plan::LockTable(_), Replay::Nothing));
        let outcome = match self.run_waiting(&mut transaction, prepared, &parameters, watch, open.block.begun_us, &mut None).await {
            // What the transaction sees begins with its first lock, not before it.
            Ok(outcome) if is_first_lock => transaction.refresh().map(|()| outcome),
            outcome => outcome,
        };
        match outcome {
            Ok(outcome) => {
                open.replay = match (&open.replay, &outcome) {
                    _ if is_first_lock => Replay::Nothing,
                    (Replay::Nothing, Outcome::Command(tag)) if open.block.kind == BlockKind::Implicit => {
                        Replay::Once { prepared: prepared.clone(), parameters, tag: *tag }
                    }
                    _ => Replay::Impossible,
                };
                open.transaction = Some(transaction);
                self.state = State::Open(open);
                Ok(outcome)
            }
            Err(error) => {
                self.state = State::Failed(open.block);
                Err(error)
            }
        }
    }

    /// A transaction of this session, its temporary tables included.
    fn begin(&self, isolation: Isolation) -> SqlResult<Transaction> {
        self.begin_at(self.moment()?, isolation)
    }

    fn begin_at(&self, moment: Option<Snapshot>, isolation: Isolation) -> SqlResult<Transaction> {
        let mut transaction = self.database.ledger.begin(&self.user);
        transaction.set_isolation(isolation);
        transaction.set_deaf(false);
        self.seat.backend.locks_as(transaction.lock_owner());
        transaction.carry(&self.temporary)?;
        moment.into_iter().for_each(|moment| transaction.travel(moment));
        Ok(transaction)
    }

    /// One run of a statement in a transaction; binds again first if names may now mean something else.
    async fn attempt(
        &mut self,
        transaction: &mut Transaction,
        prepared: &Prepared,
        parameters: &[ArrayRef],
        watch: &Watch,
        begun_us: i64,
    ) -> SqlResult<Outcome> {
        let effects = self.effects();
        let view = View {
            database: &self.database,
            user: &self.user,
            settings: &self.settings,
            transaction_time_us: begun_us,
            effects: &effects,
            used: &self.used,
            seat: &self.seat,
        };
        let mut scope = view.scope(transaction);
        scope.searched.interrupt = Some(watch.interrupt());
        let mut plan = Arc::clone(&prepared.plan);
        let types = || -> Vec<Option<SqlType>> { prepared.parameters.iter().copied().map(Some).collect() };
        let settled = match prepared.is_versioned {
            true => system_time::settle(&prepared.parsed, &view, &scope, &types(), Some(parameters))?,
            false => None,
        };
        let parsed = settled.as_ref().map_or(&prepared.parsed, |settled| &settled.parsed);
        let placed = current_of::settled(parsed, &self.cursors, transaction, &scope, self.database.name())?;
        let parsed = placed.as_ref().unwrap_or(parsed);
        if prepared.replan || placed.is_some() || stamp(&scope, &self.settings) != prepared.stamp {
            let is_lasting = Cell::new(true);
            let planning = statements::Planning { view, scope: &scope, transaction, parsed, given: &types(), is_lasting, ctes: &[] };
            let planned = statements::plan(&planning)?;
            if planned.columns != prepared.columns {
                return Err(SqlError::new(SqlState::FEATURE_NOT_SUPPORTED, "cached plan must not change result type"));
            }
            plan = Arc::new(planned.plan);
        }
        // Names are checked as they are written, graphs at the commits that these come to.
        let written = Parsed { graph_tables: Arc::clone(&parsed.graph_tables), ..prepared.parsed.clone() };
        scope.exempt = check::check(&plan, &written, &scope, self.database.name())?;
        scope.checked = true;
        transaction.owned_by(scope.access.role);
        let mut execution = Execution {
            view,
            scope: &scope,
            transaction,
            reading: None,
            ctes: &[],
            watch,
            parsed,
            parameters: Parameters { arrays: parameters, types: &prepared.parameters, reading: view.reading() },
            notices: &mut self.notices,
        };
        statements::execute(&plan, &mut execution).await
    }

    /// Commits and waits until the commit is durable and signed (E3).
    async fn commit(&mut self, mut transaction: Transaction) -> SqlResult<()> {
        self.check_deferred(&mut transaction).await?;
        let temporary = transaction.take_temporary();
        self.commit_lasting(transaction).await?;
        self.temporary = temporary;
        Ok(())
    }

    async fn commit_lasting(&mut self, transaction: Transaction) -> SqlResult<()> {
        if transaction.is_read_only() {
            return self.send_mail().await;
        }
        if self.mail.waiting() > 0 {
            return self.commit_and_send(transaction).await;
        }
        self.decide(transaction).await
    }

    /// Commits, then sends the transaction's notifications before any other session's later ones.
    async fn commit_and_send(&mut self, transaction: Transaction) -> SqlResult<()> {
        let database = Arc::clone(&self.database);
        let _turn = database.channels.turn().await;
        let letters = self.mail.letters();
        database.channels.check_room(&letters)?;
        self.decide(transaction).await?;
        self.listen_as_wanted();
        database.channels.send(letters);
        Ok(())
    }

    async fn decide(&mut self, transaction: Transaction) -> SqlResult<()> {
        self.check_witnesses()?;
        let (decided, decision) = futures::channel::oneshot::channel();
        transaction.commit_here(Box::new(move |result| {
            // A receiver that is gone belongs to a connection that is gone.
            let _ = decided.send(result);
        }));
        match decision.await {
            Ok(result) => {
                if let Some(committed) = result? {
                    self.note_committed(committed.seq);
                }
                Ok(())
            }
            Err(_) => Err(SqlError::new(SqlState::ADMIN_SHUTDOWN, "the ledger stopped before this commit was decided")
                .hint("The commit may or may not have happened; look for it in ledger.commits after the restart.")),
        }
    }

    /// Where the transaction stands.
    pub fn status(&self) -> TransactionStatus {
        match &self.state {
            State::Open(open) if open.block.kind == BlockKind::Explicit => TransactionStatus::InTransaction,
            State::Copying(block) if block.kind == BlockKind::Explicit => TransactionStatus::InTransaction,
            State::Failed(block) if block.kind == BlockKind::Explicit => TransactionStatus::Failed,
            _ => TransactionStatus::Idle,
        }
    }

    /// Tells the session that an error was sent: an open block has failed (E2).
    pub fn fail(&mut self) {
        self.state = match std::mem::replace(&mut self.state, State::Idle) {
            State::Open(open) => State::Failed(open.block),
            State::Copying(block) => State::Failed(block),
            other => other,
        };
    }

    /// The handle by which other connections cancel this session's statement.
    pub fn canceller(&self) -> Canceller {
        self.canceller.clone()
    }

    /// How values are read and written now.
    pub fn manner(&self) -> crate::types::Manner {
        self.settings.manner()
    }

    /// How texts are read now: in that manner, and by the time of the open transaction.
    pub fn reading(&self) -> crate::types::Reading {
        let begun_us = match &self.state {
            State::Open(open) => Some(open.block.begun_us),
            _ => None,
        };
        crate::types::Reading { manner: self.settings.manner(), now_us: Some(begun_us.unwrap_or_else(|| self.now_us())) }
    }

    /// Name and value of every parameter a client is told at start.
    pub fn parameter_status(&self) -> Vec<(String, String)> {
        self.settings.reported()
    }

    /// Told parameters that changed since the last call.
    pub fn take_changed_parameters(&mut self) -> Vec<(String, String)> {
        if self.told == self.settings {
            return Vec::new();
        }
        let before = self.told.reported();
        self.told = self.settings.clone();
        self.told.reported().into_iter().zip(before).filter(|(now, before)| now != before).map(|(now, _)| now).collect()
    }

    /// Notices raised since the last call, in order, as far as `client_min_messages` lets them through.
    pub fn take_notices(&mut self) -> Vec<Notice> {
        let mut notices = std::mem::take(&mut self.notices);
        if !notices.is_empty() {
            let least = self.settings.show("client_min_messages").map(|(_, value)| value).unwrap_or_default();
            notices.retain(|notice| match least.as_str() {
                "error" => false,
                "warning" => notice.severity != "NOTICE",
                _ => true,
            });
        }
        notices
    }

    /// µs since 1970-01-01 UTC.
    fn now_us(&self) -> i64 {
        self.database.now_us()
    }

    fn new_block(&self, kind: BlockKind) -> Open {
        let block = Block {
            kind,
            isolation: isolation_named(&self.settings.default_isolation()),
            read_only: self.settings.default_read_only(),
            begun_us: self.now_us(),
            before: self.settings.clone(),
            local: Vec::new(),
            savepoints: Vec::new(),
        };
        Open { transaction: None, block, replay: Replay::Nothing }
    }
}

fn stamp(scope: &Scope, settings: &Settings) -> Stamp {
    Stamp { schema_root: scope.catalog.schema_root(), ground: Arc::clone(settings.ground()) }
}

fn block_failed() -> SqlError {
    SqlError::new(SqlState::IN_FAILED_SQL_TRANSACTION, "current transaction is aborted, commands ignored until end of transaction block")
}
