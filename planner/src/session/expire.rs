//! EXPIRE, which is no part of a transaction: it removes what may go and commits that it did.
//!
//! Never: removes a file itself; the engine does.

use std::sync::Arc;

use base::{SqlError, SqlResult, SqlState};
use engine::Kept;
use engine::expire::{Expired, Wanted};

use super::Session;
use super::blocks::State;
use crate::as_of::AsOf;
use crate::outcome::{Notice, Outcome, Tag};
use crate::rights::access::Access;
use crate::statements::{Plan, expire};

impl Session {
    /// Errors: 25001 in a block; 42501; 55000 for a table that is under a legal hold; as [`engine::Ledger::expire`].
    pub(super) async fn expire(&mut self, plan: &Plan, asked: &expire::Plan) -> SqlResult<Outcome> {
        if self.implicit || !matches!(self.state, State::Idle) {
            return Err(SqlError::new(SqlState::ACTIVE_SQL_TRANSACTION, "EXPIRE cannot run inside a transaction block"));
        }
        self.refuse_write(plan, self.settings.default_read_only())?;
        let catalog = self.database.ledger.snapshot().catalog;
        let role = catalog.authority().role_named(self.settings.current_user()).map(|role| role.id);
        let role = role.ok_or_else(|| SqlError::new(SqlState::UNDEFINED_OBJECT, "the role is gone"))?;
        expire::check_rights(asked, &catalog, &Access::of(&catalog, role))?;
        let before = asked.before.as_ref().map(|text| AsOf::read(text, &self.settings.manner())).transpose()?;
        let before = before.map(|before| before.commit(&self.database.ledger)).transpose()?;
        // One that is not there is no bound.
        before.map(|before| self.database.ledger.time_of(before)).transpose()?;
        let wanted = Wanted { tables: asked.tables.clone(), before };
        let (ledger, actor) = (Arc::clone(&self.database.ledger), self.user.clone());
        let done = tokio::task::spawn_blocking(move || ledger.expire(&actor, &wanted));
        let expired = done.await.unwrap_or_else(|_| Err(SqlError::internal("EXPIRE met a defect")))?;
        self.tell_of_kept(asked, &expired)?;
        Ok(Outcome::Command(Tag::counted("EXPIRE", expired.segments)))
    }

    /// Whoever names a table hears if it is held; whoever names none, as a notice.
    fn tell_of_kept(&mut self, asked: &expire::Plan, expired: &Expired) -> SqlResult<()> {
        for (table, kept) in &expired.kept {
            if let Kept::Hold { .. } = kept
                && asked.tables.is_some()
            {
                return Err(kept.error(format!("expire rows of table \"{table}\"")));
            }
            let message = format!("ended rows of table \"{table}\" were not expired: {kept}");
            self.notices.push(Notice::new(SqlState("00000"), message));
        }
        Ok(())
    }
}
