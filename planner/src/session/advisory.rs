//! Statements that take advisory locks, and so may have to wait.
//!
//! E15: such a statement's rows are read to their end before its answer is given; where a lock is missing, what it took is given back, the session
//!      waits, and the statement runs again.
//! Never: holds a thread while it waits.

use arrow::array::{ArrayRef, RecordBatch};
use base::{SqlError, SqlResult};
use futures::{StreamExt, TryStreamExt, stream};

use super::{Prepared, Session, State};
use crate::cancel::Watch;
use crate::outcome::Outcome;

/// Whether a statement's text can take a lock.
pub(super) fn mentioned(text: &str) -> bool {
    text.as_bytes().windows(9).any(|word| word.eq_ignore_ascii_case(b"advisory_"))
}

impl Session {
    /// Runs a statement that may wait (E15).
    pub(super) async fn run_taking_locks(&mut self, prepared: &Prepared, parameters: Vec<ArrayRef>) -> SqlResult<Outcome> {
        let process = self.seat.backend.process;
        let held = self.seat.backends.locks.held(process);
        loop {
            let outcome = match self.dispatch(prepared, parameters.clone()).await {
                Ok(outcome) => gathered(outcome).await,
                Err(error) => Err(error),
            };
            let locks = &self.seat.backends.locks;
            if outcome.is_ok() || !locks.wants(process) {
                return outcome;
            }
            if matches!(self.state, State::Failed(_)) {
                // What the block did is undone already; it cannot go on from here.
                locks.give_up(process);
                return outcome;
            }
            locks.back_to(process, &held);
            let watch = Watch::start(&self.canceller, self.settings.statement_timeout());
            let waited = watch.run(locks.wait(process)).await;
            locks.give_up(process);
            waited?;
        }
    }
}

/// The answer with its rows in memory.
async fn gathered(outcome: Outcome) -> SqlResult<Outcome> {
    let Outcome::Rows { columns, batches, tag } = outcome else { return Ok(outcome) };
    let batches: Vec<RecordBatch> = batches.try_collect().await?;
    Ok(Outcome::Rows { columns, batches: stream::iter(batches.into_iter().map(Ok::<_, SqlError>)).boxed(), tag })
}
