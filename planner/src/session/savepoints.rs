//! SAVEPOINT, RELEASE, ROLLBACK TO: a block's way back to a moment of its own.
//!
//! E6: a savepoint holds all of its moment: own writes, definitions, snapshot and settings; returning to it leaves nothing later.
//! E7: of two savepoints of one name the later one is meant, until it is gone.
//! Never: outlives its block.

use base::{SqlError, SqlResult, SqlState};
use engine::Transaction;

use super::Session;
use super::blocks::{Block, BlockKind, Open, Replay, State};
use crate::outcome::{Outcome, Tag};
use crate::settings::{ParameterName, Settings};

/// A moment of a block.
pub(super) struct Savepoint {
    name: String,
    /// `None` where no statement had begun the transaction.
    transaction: Option<Transaction>,
    settings: Settings,
    local: Vec<(ParameterName, String)>,
    /// Notifications waiting then.
    mail: usize,
}

impl Session {
    /// Errors: 25P01 outside a block begun by BEGIN.
    pub(super) fn savepoint(&mut self, name: &str) -> SqlResult<Outcome> {
        let State::Open(Open { transaction, block, .. }) = &mut self.state else { return Err(outside("SAVEPOINT")) };
        if block.kind != BlockKind::Explicit {
            return Err(outside("SAVEPOINT"));
        }
        block.savepoints.push(Savepoint {
            name: name.to_owned(),
            transaction: transaction.clone(),
            settings: self.settings.clone(),
            local: block.local.clone(),
            mail: self.mail.waiting(),
        });
        Ok(Outcome::Command(Tag::command("SAVEPOINT")))
    }

    /// Forgets a savepoint and those after it. Errors: 3B001, 25P01.
    pub(super) fn release(&mut self, name: &str) -> SqlResult<Outcome> {
        let State::Open(Open { block, .. }) = &mut self.state else { return Err(outside("RELEASE SAVEPOINT")) };
        if block.kind != BlockKind::Explicit {
            return Err(outside("RELEASE SAVEPOINT"));
        }
        let at = position(block, name)?;
        block.savepoints.truncate(at);
        Ok(Outcome::Command(Tag::command("RELEASE")))
    }

    /// Goes on from a savepoint, which stays; those after it are gone. A failed block is well again. Errors: 3B001, 25P01.
    pub(super) fn rollback_to(&mut self, name: &str) -> SqlResult<Outcome> {
        let (State::Open(Open { block, .. }) | State::Failed(block)) = &mut self.state else {
            return Err(outside("ROLLBACK TO SAVEPOINT"));
        };
        if block.kind != BlockKind::Explicit {
            return Err(outside("ROLLBACK TO SAVEPOINT"));
        }
        let at = position(block, name)?;
        block.savepoints.truncate(at + 1);
        let Savepoint { transaction, settings, local, mail, .. } = &block.savepoints[at];
        self.settings = settings.clone();
        let (transaction, local, mail) = (transaction.clone(), local.clone(), *mail);
        self.mail.rewind(mail);
        let (State::Open(Open { mut block, .. }) | State::Failed(mut block)) = std::mem::replace(&mut self.state, State::Idle) else {
            return Err(SqlError::internal("the block is gone"));
        };
        block.local = local;
        self.rewind_cursors(at);
        self.state = State::Open(Open { transaction, block, replay: Replay::Impossible });
        Ok(Outcome::Command(Tag::command("ROLLBACK")))
    }
}

fn position(block: &Block, name: &str) -> SqlResult<usize> {
    block
        .savepoints
        .iter()
        .rposition(|savepoint| savepoint.name == name)
        .ok_or_else(|| SqlError::new(SqlState::INVALID_SAVEPOINT_SPECIFICATION, format!("savepoint \"{name}\" does not exist")))
}

fn outside(verb: &str) -> SqlError {
    SqlError::new(SqlState::NO_ACTIVE_SQL_TRANSACTION, format!("{verb} can only be used in transaction blocks"))
}
