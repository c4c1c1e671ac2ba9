//! Transaction blocks: BEGIN, COMMIT, ROLLBACK, their modes, and the implicit block of a query string or pipeline.
//!
//! E4: a block takes its snapshot at its first statement, not at BEGIN.
//! E5: settings changed in a block that is rolled back are as before; `SET LOCAL` ends with the block either way.
//! Never: keeps a transaction open in a failed block.

use arrow::array::ArrayRef;
use base::{SqlError, SqlResult, SqlState};
use engine::{Isolation, Transaction};
use sqlparser::ast::{TransactionAccessMode, TransactionIsolationLevel, TransactionMode};

use super::prepared::Prepared;
use super::savepoints::Savepoint;
use super::{RERUNS_MAX, Session};
use crate::cancel::Watch;
use crate::outcome::{Notice, Outcome, Tag};
use crate::settings::{ParameterName, Settings};
use crate::statements::block::Control;

/// Where a session's transaction stands.
#[expect(clippy::large_enum_variant, reason = "one a session, and moved only when a block begins or ends")]
pub(super) enum State {
    Idle,
    Open(Open),
    /// The transaction is with the COPY that runs.
    Copying(Block),
    /// The transaction is gone; only its end is awaited, or the return to a savepoint.
    Failed(Block),
}

/// An open block. The transaction begins with the first statement (E4).
pub(super) struct Open {
    pub(super) transaction: Option<Transaction>,
    pub(super) block: Block,
    pub(super) replay: Replay,
}

/// What a block keeps from its start on.
pub(crate) struct Block {
    pub(super) kind: BlockKind,
    pub(super) isolation: Isolation,
    pub(super) read_only: bool,
    /// `now()`: µs since 1970-01-01 UTC.
    pub(super) begun_us: i64,
    /// Settings to return to on rollback.
    pub(super) before: Settings,
    /// Parameters under SET LOCAL, with the value to return to.
    pub(super) local: Vec<(ParameterName, String)>,
    /// Oldest first.
    pub(super) savepoints: Vec<Savepoint>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum BlockKind {
    /// Begun by BEGIN.
    Explicit,
    /// Begun by the protocol around several statements.
    Implicit,
}

/// The level of that name, as settings keep it.
pub(super) fn isolation_named(name: &str) -> Isolation {
    match name {
        "repeatable read" => Isolation::RepeatableRead,
        "serializable" => Isolation::Serializable,
        _ => Isolation::ReadCommitted,
    }
}

/// A level's name.
pub(super) fn isolation_name(isolation: Isolation) -> &'static str {
    match isolation {
        Isolation::ReadCommitted => "read committed",
        Isolation::RepeatableRead => "repeatable read",
        Isolation::Serializable => "serializable",
    }
}

/// Whether the only statement of an implicit block can be run again if its commit loses a conflict.
#[expect(clippy::large_enum_variant, reason = "one a block")]
pub(super) enum Replay {
    /// No statement yet.
    Nothing,
    /// One, whose answer `tag` the client may have read already.
    Once { prepared: Prepared, parameters: Vec<ArrayRef>, tag: Tag },
    /// More than one, or one that answered rows.
    Impossible,
}

impl Session {
    /// Around several statements that are one transaction unless they say otherwise: a simple query string, a pipeline up to Sync.
    pub fn begin_implicit(&mut self) {
        self.implicit = true;
    }

    /// Ends what [`Session::begin_implicit`] began: commits if `ok`, else undoes. A block begun by BEGIN meanwhile stays open.
    ///
    /// Errors: what the commit raises, 40001 among it.
    pub async fn end_implicit(&mut self, ok: bool) -> SqlResult<()> {
        self.implicit = false;
        let ended = self.end_implicit_block(ok).await;
        if matches!(self.state, State::Idle) {
            self.end_cursors(ok && ended.is_ok());
            self.end_mail(ok && ended.is_ok());
        }
        let cosigned = self.wait_for_witnesses().await;
        ended.and(cosigned)
    }

    async fn end_implicit_block(&mut self, ok: bool) -> SqlResult<()> {
        let is_implicit = match &self.state {
            State::Open(open) => open.block.kind == BlockKind::Implicit,
            State::Copying(block) | State::Failed(block) => block.kind == BlockKind::Implicit,
            State::Idle => false,
        };
        if !is_implicit {
            return Ok(());
        }
        match std::mem::replace(&mut self.state, State::Idle) {
            State::Open(open) if ok => self.commit_implicit(open).await,
            State::Open(Open { block, .. }) | State::Copying(block) | State::Failed(block) => {
                self.settings = block.before;
                Ok(())
            }
            State::Idle => Ok(()),
        }
    }

    async fn commit_implicit(&mut self, open: Open) -> SqlResult<()> {
        let Open { transaction, block, replay } = open;
        self.end_local_settings(&block);
        self.hold_cursors().await?;
        let Some(transaction) = transaction else { return self.send_mail().await };
        let mut result = self.commit(transaction).await;
        if let Replay::Once { prepared, parameters, tag } = replay {
            let watch = Watch::start(&self.canceller, self.settings.statement_timeout());
            for _ in 0..RERUNS_MAX {
                match &result {
                    Err(error) if self.lost_a_conflict(error, &prepared.plan, &watch).await => {}
                    _ => break,
                }
                let mut transaction = self.begin(block.isolation)?;
                let begun_us = self.now_us();
                match self.run_waiting(&mut transaction, &prepared, &parameters, &watch, begun_us, &mut None).await? {
                    // The client has been told `tag`: only a run that says the same may stand.
                    Outcome::Command(again) if again == tag => result = self.commit(transaction).await,
                    _ => break,
                }
            }
        }
        result
    }

    /// BEGIN, COMMIT, ROLLBACK, savepoints.
    pub(super) async fn control(&mut self, control: &Control) -> SqlResult<Outcome> {
        match control {
            Control::Begin { modes, verb } => self.begin_block(modes, verb),
            Control::Commit { chain } => {
                let committed = self.commit_block(*chain).await;
                let is_committed = matches!(&committed, Ok(Outcome::Command(Tag { verb: "COMMIT", .. })));
                self.end_cursors(is_committed);
                self.end_mail(is_committed);
                committed
            }
            Control::Rollback { chain } => {
                let rolled_back = self.rollback_block(*chain)?;
                self.end_cursors(false);
                self.end_mail(false);
                Ok(rolled_back)
            }
            Control::Prepare => {
                let ended = self.prepare_block()?;
                self.end_cursors(false);
                self.end_mail(false);
                Ok(ended)
            }
            Control::Savepoint { name } => self.savepoint(name),
            Control::Release { name } => self.release(name),
            Control::RollbackTo { name } => self.rollback_to(name),
            Control::SetTransaction { modes } => self.set_transaction(modes),
        }
    }

    fn begin_block(&mut self, modes: &[TransactionMode], verb: &'static str) -> SqlResult<Outcome> {
        let mut open = match std::mem::replace(&mut self.state, State::Idle) {
            State::Idle => self.new_block(BlockKind::Explicit),
            State::Copying(block) | State::Failed(block) => {
                self.state = State::Failed(block);
                return Err(super::block_failed());
            }
            State::Open(mut open) => {
                if open.block.kind == BlockKind::Explicit {
                    self.notices.push(Notice::warning(SqlState::ACTIVE_SQL_TRANSACTION, "there is already a transaction in progress"));
                }
                open.block.kind = BlockKind::Explicit;
                open
            }
        };
        let result = apply_modes(&mut open, modes);
        self.state = State::Open(open);
        result.map(|()| Outcome::Command(Tag::command(verb)))
    }

    async fn commit_block(&mut self, chain: bool) -> SqlResult<Outcome> {
        match std::mem::replace(&mut self.state, State::Idle) {
            State::Idle => {
                self.no_transaction(chain, "COMMIT AND CHAIN")?;
                Ok(Outcome::Command(Tag::command("COMMIT")))
            }
            State::Open(open) => {
                if open.block.kind == BlockKind::Implicit {
                    self.state = State::Open(open);
                    self.no_transaction(chain, "COMMIT AND CHAIN")?;
                    let State::Open(open) = std::mem::replace(&mut self.state, State::Idle) else {
                        return Err(SqlError::internal("the implicit block is gone"));
                    };
                    self.commit_implicit(open).await?;
                    return Ok(Outcome::Command(Tag::command("COMMIT")));
                }
                let Open { transaction, block, .. } = open;
                let held = self.hold_cursors().await;
                let committed = match (held, transaction) {
                    (Err(error), _) => Err(error),
                    (Ok(()), Some(transaction)) => self.commit(transaction).await,
                    (Ok(()), None) => self.send_mail().await,
                };
                if let Err(error) = committed {
                    self.settings = block.before;
                    return Err(error);
                }
                self.end_local_settings(&block);
                self.chain(chain, &block);
                Ok(Outcome::Command(Tag::command("COMMIT")))
            }
            State::Copying(block) | State::Failed(block) => {
                self.settings = block.before.clone();
                self.chain(chain, &block);
                Ok(Outcome::Command(Tag::command("ROLLBACK")))
            }
        }
    }

    /// PREPARE TRANSACTION: refused, or the end of a block that had failed.
    fn prepare_block(&mut self) -> SqlResult<Outcome> {
        match &self.state {
            State::Open(open) if open.block.kind == BlockKind::Explicit => {
                let message = "prepared transactions are disabled";
                Err(SqlError::new(SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE, message)
                    .hint("A transaction is committed by the session that began it."))
            }
            _ => self.rollback_block(false),
        }
    }

    fn rollback_block(&mut self, chain: bool) -> SqlResult<Outcome> {
        match std::mem::replace(&mut self.state, State::Idle) {
            State::Idle => self.no_transaction(chain, "ROLLBACK AND CHAIN")?,
            State::Open(Open { block, .. }) | State::Copying(block) | State::Failed(block) => {
                if block.kind == BlockKind::Implicit {
                    self.no_transaction(chain, "ROLLBACK AND CHAIN")?;
                } else {
                    self.chain(chain, &block);
                }
                self.settings = block.before;
            }
        }
        Ok(Outcome::Command(Tag::command("ROLLBACK")))
    }

    /// Warns as Postgres does; with AND CHAIN it is an error.
    fn no_transaction(&mut self, chain: bool, what: &str) -> SqlResult<()> {
        if chain {
            let message = format!("{what} can only be used in transaction blocks");
            return Err(SqlError::new(SqlState::NO_ACTIVE_SQL_TRANSACTION, message));
        }
        self.notices.push(Notice::warning(SqlState::NO_ACTIVE_SQL_TRANSACTION, "there is no transaction in progress"));
        Ok(())
    }

    fn chain(&mut self, chain: bool, ended: &Block) {
        if chain {
            let mut open = self.new_block(BlockKind::Explicit);
            open.block.isolation = ended.isolation;
            open.block.read_only = ended.read_only;
            self.state = State::Open(open);
        }
    }

    fn end_local_settings(&mut self, block: &Block) {
        for (name, value) in block.local.iter().rev() {
            if !self.restore_identity(name, value) {
                let restored = self.settings.set(name, value);
                assert!(restored.is_ok(), "E5: a value that was set before can be set again");
            }
        }
    }

    pub(super) fn set_transaction(&mut self, modes: &[TransactionMode]) -> SqlResult<Outcome> {
        match &mut self.state {
            State::Open(open) => apply_modes(open, modes)?,
            _ => self
                .notices
                .push(Notice::warning(SqlState::NO_ACTIVE_SQL_TRANSACTION, "SET TRANSACTION can only be used in transaction blocks")),
        }
        Ok(Outcome::Command(Tag::command("SET")))
    }
}

fn apply_modes(open: &mut Open, modes: &[TransactionMode]) -> SqlResult<()> {
    for mode in modes {
        match mode {
            TransactionMode::AccessMode(TransactionAccessMode::ReadOnly) => open.block.read_only = true,
            TransactionMode::AccessMode(TransactionAccessMode::ReadWrite) => {
                if open.block.read_only && open.transaction.is_some() {
                    let message = "transaction read-write mode must be set before any query";
                    return Err(SqlError::new(SqlState::ACTIVE_SQL_TRANSACTION, message));
                }
                open.block.read_only = false;
            }
            TransactionMode::IsolationLevel(level) => {
                let isolation = match level {
                    TransactionIsolationLevel::ReadUncommitted | TransactionIsolationLevel::ReadCommitted => Isolation::ReadCommitted,
                    TransactionIsolationLevel::RepeatableRead => Isolation::RepeatableRead,
                    TransactionIsolationLevel::Serializable => Isolation::Serializable,
                    TransactionIsolationLevel::Snapshot => return Err(SqlError::unsupported("isolation level SNAPSHOT")),
                };
                if open.transaction.is_some() && isolation != open.block.isolation {
                    let message = "SET TRANSACTION ISOLATION LEVEL must be called before any query";
                    return Err(SqlError::new(SqlState::ACTIVE_SQL_TRANSACTION, message));
                }
                open.block.isolation = isolation;
            }
        }
    }
    Ok(())
}
