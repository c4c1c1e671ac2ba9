//! The portals of one session.
//!
//! P1: the unnamed portal lives until the next Bind or simple query.
//! P2: a portal lives at most as long as its transaction.
//! Never: runs anything.

use std::collections::HashMap;

use arrow::array::ArrayRef;
use base::{SqlError, SqlResult, SqlState};
use planner::NamedStatement;

use crate::parameters::Formats;
use crate::rows::RowStream;

/// A statement bound to its parameters.
pub(crate) struct Portal {
    pub statement: NamedStatement,
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
    portals: HashMap<Box<str>, Portal>,
}

impl Names {
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

    pub fn has_portal(&self, name: &str) -> bool {
        self.portals.contains_key(name)
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
        self.portals.remove("");
    }
}
