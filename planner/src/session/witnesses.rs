//! `ledger.wait = cosigned`: a commit is answered when a quorum of witnesses has cosigned a checkpoint that covers it.
//!
//! E19: the commit is durable and visible before the wait begins, and stays so however the wait ends; the error says it.
//! Never: begins a commit that nobody could ever cosign; waits while it holds a lock or a turn.

use base::{CommitSeq, SqlError, SqlResult, SqlState};

use super::Session;
use crate::cancel::Watch;
use crate::settings::LEDGER_WAIT;

impl Session {
    /// Errors: 55000 where commits would wait and no witness is asked.
    pub(super) fn check_witnesses(&self) -> SqlResult<()> {
        if !self.settings.waits_for_witnesses() || self.database.ledger.asks_witnesses() {
            return Ok(());
        }
        let message = format!("{LEDGER_WAIT} cannot be \"cosigned\": this server asks no witnesses");
        Err(SqlError::new(SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE, message)
            .hint("Start the server with --witness-policy, or SET ledger.wait = off."))
    }

    /// The same, of a parameter that was just set.
    pub(super) fn check_wait(&self, name: &str) -> SqlResult<()> {
        if name.eq_ignore_ascii_case(LEDGER_WAIT) { self.check_witnesses() } else { Ok(()) }
    }

    /// Notes a commit that is to be waited for once locks and turns are given back.
    pub(super) fn note_committed(&mut self, seq: CommitSeq) {
        self.last_commit = Some(seq);
        if self.settings.waits_for_witnesses() {
            self.uncosigned = Some(seq);
        }
    }

    /// Waits for the witnesses of a commit that was just made, if it is to be (E19).
    ///
    /// Errors: 57014 when cancelled or out of time, 57P01 when the ledger is closed.
    pub(super) async fn wait_for_witnesses(&mut self) -> SqlResult<()> {
        let Some(seq) = self.uncosigned.take() else { return Ok(()) };
        let cosigned = self.database.ledger.until_cosigned(seq);
        let watch = Watch::go_on(&self.canceller, self.settings.statement_timeout());
        watch.run(cosigned).await.map_err(|error| {
            let why = error.message().trim_start_matches("canceling statement ");
            let message = format!("the wait for witnesses was given up: {why}");
            SqlError::new(error.state(), message)
                .detail(format!("The transaction has committed: it is durable and visible as commit {seq}, and not cosigned yet."))
                .hint("Do not repeat it. SELECT * FROM ledger.cosignatures tells how witnesses answer.")
        })
    }
}
