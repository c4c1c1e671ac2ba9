//! ERASE in a session.
//!
//! E21: it is no part of a transaction: a key that is destroyed is not to be had back by a rollback.
//! Never: erases what the session's role may not.

use base::{SqlError, SqlResult, SqlState};

use super::Session;
use super::blocks::State;
use crate::erase_syntax::Erase;
use crate::outcome::{Outcome, Tag};
use crate::statements::{Plan, erase};
use crate::view::View;

impl Session {
    /// Errors: 25001 in a block; 42501 and what else names raise; those of [`engine::Ledger::erase`].
    pub(super) fn erase(&mut self, plan: &Plan, command: &Erase) -> SqlResult<Outcome> {
        if self.implicit || !matches!(self.state, State::Idle) {
            return Err(SqlError::new(SqlState::ACTIVE_SQL_TRANSACTION, "ERASE cannot run inside a transaction block"));
        }
        self.refuse_write(plan, self.settings.default_read_only())?;
        let transaction = self.database.ledger.begin(&self.user);
        let effects = self.effects();
        let view = View {
            database: &self.database,
            user: &self.user,
            settings: &self.settings,
            transaction_time_us: self.now_us(),
            effects: &effects,
            used: &self.used,
            seat: &self.seat,
        };
        let scopes = erase::scopes(&view.scope(&transaction), command)?;
        drop(transaction);
        let erased = self.database.ledger.erase(&self.user, &scopes, command.basis.as_deref());
        // Kept texts may hold what the subject was called; whoever met an error is not to keep them either.
        self.database.plans.clear();
        Ok(Outcome::Command(Tag::counted("ERASE", erased?.keys as u64)))
    }
}
