//! Prepared statements and portals of one session.
//!
//! P1: a named statement lives until Close or the session's end; the unnamed one until the next Parse or simple query.
//! P2: a portal lives at most as long as its transaction.
//! Never: runs anything.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::ArrayRef;
use base::{SqlError, SqlResult, SqlState};
use planner::Prepared;

use crate::parameters::Formats;
use crate::rows::RowStream;

/// A parsed statement; `None` for an empty string.
pub(crate) type Statement = Arc<Option<Prepared>>;

/// A statement bound to its parameters.
pub(crate) struct Portal {
    pub statement: Statement,
    pub formats: Formats,
    pub state: PortalState,
}

/// Where a portal stands.
pub(crate) enum PortalState {
    /// Not executed yet.
    Bound(Vec<ArrayRef>),
    /// Some rows were sent, more may come.
    Suspended(Box<RowStream>),
    /// All rows were sent; executing again gives none.
    Drained(Box<RowStream>),
    /// A command that ran; it cannot run again.
    Finished,
}

/// The names of one session.
#[derive(Default)]
pub(crate) struct Names {
    statements: HashMap<Box<str>, Statement>,
    portals: HashMap<Box<str>, Portal>,
}

impl Names {
    /// Fails with 42P05 if a named statement exists already.
    pub fn check_new_statement(&self, name: &str) -> SqlResult<()> {
        if name.is_empty() || !self.statements.contains_key(name) {
            return Ok(());
        }
        let message = format!("prepared statement \"{name}\" already exists");
        Err(SqlError::new(SqlState::DUPLICATE_PREPARED_STATEMENT, message))
    }

    pub fn put_statement(&mut self, name: &str, statement: Statement) {
        self.statements.insert(name.into(), statement);
    }

    pub fn statement(&self, name: &str) -> SqlResult<&Statement> {
        self.statements.get(name).ok_or_else(|| {
            let message = match name {
                "" => "unnamed prepared statement does not exist".to_owned(),
                name => format!("prepared statement \"{name}\" does not exist"),
            };
            SqlError::new(SqlState::INVALID_SQL_STATEMENT_NAME, message)
        })
    }

    pub fn close_statement(&mut self, name: &str) {
        self.statements.remove(name);
    }

    /// Fails with 42P03 if a named portal exists already.
    pub fn put_portal(&mut self, name: &str, portal: Portal) -> SqlResult<()> {
        if name.is_empty() {
            // The name's box is kept: Bind on the unnamed portal is the hot path.
            if let Some(slot) = self.portals.get_mut("") {
                *slot = portal;
                return Ok(());
            }
        } else if self.portals.contains_key(name) {
            return Err(SqlError::new(SqlState("42P03"), format!("cursor \"{name}\" already exists")));
        }
        self.portals.insert(name.into(), portal);
        Ok(())
    }

    pub fn portal(&mut self, name: &str) -> SqlResult<&mut Portal> {
        self.portals.get_mut(name).ok_or_else(|| SqlError::new(SqlState::INVALID_CURSOR_NAME, format!("portal \"{name}\" does not exist")))
    }

    pub fn close_portal(&mut self, name: &str) {
        self.portals.remove(name);
    }

    /// The transaction ended (P2).
    pub fn end_transaction(&mut self) {
        self.portals.clear();
    }

    /// A simple query drops what has no name (P1).
    pub fn drop_unnamed(&mut self) {
        self.statements.remove("");
        self.portals.remove("");
    }
}
