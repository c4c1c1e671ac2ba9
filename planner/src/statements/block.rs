//! BEGIN, START TRANSACTION, COMMIT, END, ROLLBACK, ABORT, SAVEPOINT, RELEASE, SET TRANSACTION: recognition. The session runs them.
//!
//! Never: touches a transaction.

use base::{SqlError, SqlResult};
use sqlparser::ast::{Set, Statement, TransactionMode};

use crate::names::fold;

/// A statement that opens, shapes or ends a block.
#[derive(Clone, Debug)]
pub(crate) enum Control {
    Begin {
        modes: Vec<TransactionMode>,
        verb: &'static str,
    },
    Commit {
        chain: bool,
    },
    Rollback {
        chain: bool,
    },
    Savepoint {
        name: String,
    },
    Release {
        name: String,
    },
    RollbackTo {
        name: String,
    },
    SetTransaction {
        modes: Vec<TransactionMode>,
    },
    /// Always refused, as by a PostgreSQL whose `max_prepared_transactions` is 0.
    Prepare,
}

impl Control {
    /// Whether a failed block hears it.
    pub(crate) fn ends_failure(&self) -> bool {
        matches!(self, Self::Commit { .. } | Self::Rollback { .. } | Self::RollbackTo { .. } | Self::Prepare)
    }
}

/// `None` for other statements. Errors: 0A000 for forms of other databases.
pub(crate) fn recognise(statement: &Statement) -> SqlResult<Option<Control>> {
    Ok(Some(match statement {
        Statement::StartTransaction { modes, begin, modifier: None, statements, exception: None, .. } if statements.is_empty() => {
            Control::Begin { modes: modes.clone(), verb: if *begin { "BEGIN" } else { "START TRANSACTION" } }
        }
        Statement::StartTransaction { .. } => return Err(SqlError::unsupported("this form of BEGIN")),
        Statement::Commit { chain, modifier: None, .. } => Control::Commit { chain: *chain },
        Statement::Rollback { chain, savepoint: None } => Control::Rollback { chain: *chain },
        Statement::Rollback { savepoint: Some(name), .. } => Control::RollbackTo { name: fold(name) },
        Statement::Savepoint { name } => Control::Savepoint { name: fold(name) },
        Statement::ReleaseSavepoint { name } => Control::Release { name: fold(name) },
        Statement::Set(Set::SetTransaction { modes, snapshot: None, session: false }) => Control::SetTransaction { modes: modes.clone() },
        Statement::Set(Set::SetTransaction { snapshot: Some(_), .. }) => return Err(SqlError::unsupported("SET TRANSACTION SNAPSHOT")),
        _ => return Ok(None),
    }))
}
