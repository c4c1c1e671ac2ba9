//! Running a statement that may meet what other open transactions have locked or changed.
//!
//! E16: a statement that has to wait is undone, waits, and is run again as a whole with its locks kept; under READ COMMITTED on a new snapshot, so
//!      that its conditions are judged by what is there then. At the other levels a row that changed meanwhile is 40001.
//! E17: a wait ends with `lock_timeout` (55P03), `statement_timeout` or a cancel request (57014).
//! E18: a wait that lasts is given up every [`LOOK_AGAIN`] and the lock asked for anew, which looks for circles of waiters again: locks that others took
//!      meanwhile may have closed one.
//! E22: so does a COMMIT that has to wait; only its comparison runs again.
//! Never: keeps the turn of those who are run again while it waits.

use std::time::Duration;

use arrow::array::ArrayRef;
use base::{SqlError, SqlResult, SqlState};
use engine::{Blocked, Granted, Isolation, TableDef, Transaction};
use tokio::time::Instant;

use super::prepared::Prepared;
use super::{RERUNS_MAX, Session, Turn};
use crate::cancel::Watch;
use crate::outcome::Outcome;

impl Session {
    /// Runs a statement in a transaction to its end.
    pub(super) async fn run_waiting(
        &mut self,
        transaction: &mut Transaction,
        prepared: &Prepared,
        parameters: &[ArrayRef],
        watch: &Watch,
        begun_us: i64,
        turn: &mut Turn,
    ) -> SqlResult<Outcome> {
        // Locks on rows that are no more keep the place in the queue until the statement has ended.
        let mut places = Vec::new();
        let mut reruns = 0;
        let mut since = None;
        loop {
            let mark = transaction.mark();
            let (notices, letters, seen) = (self.notices.len(), self.mail.waiting(), transaction.snapshot().seq);
            let error = match self.attempt(transaction, prepared, parameters, watch, begun_us).await {
                Ok(outcome) => return Ok(outcome),
                Err(error) => error,
            };
            let is_moving = transaction.isolation() == Isolation::ReadCommitted;
            match transaction.take_blocked() {
                Some(blocked) => {
                    *turn = None;
                    let begun = *since.get_or_insert_with(Instant::now);
                    let limit = self.settings.lock_timeout().map(|limit| begun + limit);
                    if let Some(granted) = wait(blocked, watch, limit).await? {
                        since = None;
                        places.extend(transaction.take_over(granted));
                    }
                }
                // A statement that is alone is begun anew by its caller.
                None if is_moving
                    && !transaction.is_alone()
                    && reruns < RERUNS_MAX
                    && self.lost_a_conflict(&error, &prepared.plan, watch).await
                    && self.database.ledger.snapshot().seq != seen =>
                {
                    watch.check()?;
                    reruns += 1;
                }
                None => return Err(error),
            }
            if !transaction.rewind(&mark)? {
                let conflict = SqlError::new(SqlState::SERIALIZATION_FAILURE, "could not serialize access due to concurrent update");
                return Err(conflict.hint("The transaction might succeed if retried."));
            }
            self.notices.truncate(notices);
            self.mail.rewind(letters);
            if is_moving {
                transaction.refresh()?;
            }
        }
    }
}

impl Session {
    /// Compares what was put off until COMMIT, waiting for those who are about to change what it depends on. Errors: 23503, 23505, 40P01, those of E17.
    pub(super) async fn check_deferred(&mut self, transaction: &mut Transaction) -> SqlResult<()> {
        let (mut places, mut since, mut watch) = (Vec::new(), None, None);
        loop {
            let Err(error) = transaction.check_deferred() else { return Ok(()) };
            let Some(blocked) = transaction.take_blocked() else { return Err(error) };
            let watch = watch.get_or_insert_with(|| Watch::start(&self.canceller, self.settings.statement_timeout()));
            let begun = *since.get_or_insert_with(Instant::now);
            let limit = self.settings.lock_timeout().map(|limit| begun + limit);
            if let Some(granted) = wait(blocked, watch, limit).await? {
                since = None;
                places.extend(transaction.take_over(granted));
            }
        }
    }
}

/// Locks a table as a writer does, and waits for it where it must: for a statement that cannot be run again.
pub(super) async fn enter(transaction: &mut Transaction, table: &TableDef, watch: &Watch, timeout: Option<Duration>) -> SqlResult<()> {
    let begun = Instant::now();
    let limit = timeout.map(|timeout| begun + timeout);
    while let Err(error) = transaction.enter_table(table) {
        let Some(blocked) = transaction.take_blocked() else { return Err(error) };
        if let Some(granted) = wait(blocked, watch, limit).await? {
            drop(transaction.take_over(granted));
        }
        if transaction.isolation() == Isolation::ReadCommitted {
            transaction.refresh()?;
        }
    }
    Ok(())
}

/// As long as PostgreSQL waits before it looks for a deadlock.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Waits for a lock until `limit` (E17); `None` if it is to be asked for again (E18).
async fn wait(blocked: Blocked, watch: &Watch, limit: Option<Instant>) -> SqlResult<Option<Granted>> {
    let over = blocked.over();
    let again = Instant::now() + LOOK_AGAIN;
    let until = limit.map_or(again, |limit| limit.min(again));
    let timed_out = || SqlError::new(SqlState::LOCK_NOT_AVAILABLE, "canceling statement due to lock timeout");
    watch
        .run(async {
            match tokio::time::timeout_at(until, over).await {
                Ok(granted) => Ok(Some(granted)),
                Err(_elapsed) if limit.is_some_and(|limit| limit <= Instant::now()) => Err(timed_out()),
                Err(_elapsed) => Ok(None),
            }
        })
        .await
}
