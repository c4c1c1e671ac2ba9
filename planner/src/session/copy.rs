//! COPY FROM STDIN in a session: the transaction travels with the data and comes back when it has ended.
//!
//! Y1: it waits for the table's lock before the client is asked for data.
//! Never: reads the data; `copy_in` does.

use base::{SqlError, SqlResult, SqlState};

use engine::{Isolation, Transaction};

use super::blocks::{BlockKind, Open, Replay, State};
use super::prepared::Prepared;
use super::waits::enter;
use super::{Session, block_failed};
use crate::cancel::Watch;
use crate::copy_in::CopyIn;
use crate::outcome::{Outcome, Tag};
use crate::statements;
use crate::statements::authority::check;
use crate::view::{Place, View};

impl Session {
    pub(super) async fn begin_copy(&mut self, prepared: &Prepared, watch: Watch) -> SqlResult<Outcome> {
        if self.implicit && matches!(self.state, State::Idle) {
            self.state = State::Open(self.new_block(BlockKind::Implicit));
        }
        let (transaction, block) = match std::mem::replace(&mut self.state, State::Idle) {
            State::Idle => {
                self.refuse_write(&prepared.plan, self.settings.default_read_only())?;
                (self.begin(Isolation::ReadCommitted)?, None)
            }
            State::Open(Open { transaction, block, .. }) => match self.continued(transaction, &block, prepared) {
                Ok(transaction) => (transaction, Some(block)),
                Err(error) => {
                    self.state = State::Failed(block);
                    return Err(error);
                }
            },
            State::Copying(block) | State::Failed(block) => {
                self.state = State::Failed(block);
                return Err(block_failed());
            }
        };
        let begun_us = block.as_ref().map_or_else(|| self.now_us(), |block| block.begun_us);
        let started = self.start_copy(prepared, transaction, begun_us, watch).await;
        if let Some(block) = block {
            self.state = if started.is_ok() { State::Copying(block) } else { State::Failed(block) };
        }
        started.map(Outcome::CopyIn)
    }

    async fn start_copy(&mut self, prepared: &Prepared, mut transaction: Transaction, begun_us: i64, watch: Watch) -> SqlResult<CopyIn> {
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
        let scope = view.scope(&transaction);
        check::check(&prepared.plan, &prepared.parsed, &scope, self.database.name())?;
        let table = statements::copy_from::target(&prepared.parsed, &Place { view, scope: &scope })?;
        enter(&mut transaction, &table, &watch, self.settings.lock_timeout()).await?;
        // Its data is read once: it cannot be run again.
        transaction.set_deaf(true);
        // The table may have been defined anew meanwhile.
        let scope = view.scope(&transaction);
        statements::copy_from::start(&prepared.parsed, &Place { view, scope: &scope }, transaction, watch)
    }

    /// The block's transaction, ready for a statement that writes.
    fn continued(&self, transaction: Option<Transaction>, block: &super::blocks::Block, prepared: &Prepared) -> SqlResult<Transaction> {
        self.refuse_write(&prepared.plan, block.read_only)?;
        let Some(mut transaction) = transaction else { return self.begin(block.isolation) };
        if block.isolation == Isolation::ReadCommitted {
            transaction.refresh()?;
        }
        Ok(transaction)
    }

    /// Ends a COPY whose data is complete; outside a block, commits it.
    ///
    /// Errors: 22P04 for data cut short, what the rows violate, 40001 when another commit took a key meanwhile.
    pub async fn finish_copy(&mut self, copy: CopyIn) -> SqlResult<Tag> {
        let finished = copy.finish();
        match (finished, std::mem::replace(&mut self.state, State::Idle)) {
            (Ok((rows, mut transaction)), State::Copying(block)) => {
                transaction.set_deaf(false);
                self.state = State::Open(Open { transaction: Some(transaction), block, replay: Replay::Impossible });
                Ok(Tag::counted("COPY", rows))
            }
            (Ok((rows, transaction)), State::Idle) => {
                self.commit(transaction).await?;
                self.wait_for_witnesses().await?;
                Ok(Tag::counted("COPY", rows))
            }
            (Ok(_), other) => {
                self.state = other;
                Err(block_failed())
            }
            (Err(error), other) => {
                self.state = other;
                self.fail();
                Err(error)
            }
        }
    }

    /// Gives a COPY up: on CopyFail with the client's reason, or after [`CopyIn::push`] failed. Nothing of it stays; an open block has failed.
    ///
    /// Returns the error to send for a CopyFail.
    pub fn abort_copy(&mut self, copy: CopyIn, reason: &str) -> SqlError {
        drop(copy);
        self.fail();
        SqlError::new(SqlState::QUERY_CANCELED, format!("COPY from stdin failed: {reason}"))
    }
}
