//! What other sessions see of this one, and how they reach it.
//!
//! E16: `active` while a statement runs or its rows are read, else idle, in a transaction or not.
//! Never: waits for another session.

use std::net::SocketAddr;
use std::sync::Arc;

use super::Session;
use super::blocks::State;
use crate::backends::Reach;

impl Session {
    /// Tells the session the process number by which clients know it, the two ends of its connection, the client's first, and how
    /// others reach it.
    pub fn list(&mut self, process: i32, ends: [Option<SocketAddr>; 2], reach: Box<dyn Reach>) {
        self.set_process(process);
        self.seat.list(process, ends, reach);
        self.rest();
    }

    /// A statement begins (E16).
    pub(super) fn note_begin(&self, text: &Arc<str>) {
        let now = self.now_us();
        let begun = match &self.state {
            State::Open(open) => open.block.begun_us,
            _ => now,
        };
        self.seat.backend.note(|activity| {
            activity.state = "active";
            activity.query = Arc::clone(text);
            (activity.query_us, activity.changed_us, activity.transaction_us) = (Some(now), Some(now), Some(begun));
        });
    }

    /// The client has its answer and the session waits for the next statement (E16).
    pub fn rest(&self) {
        let (state, begun) = match &self.state {
            State::Idle => ("idle", None),
            State::Failed(block) => ("idle in transaction (aborted)", Some(block.begun_us)),
            State::Copying(block) => ("active", Some(block.begun_us)),
            State::Open(open) => ("idle in transaction", Some(open.block.begun_us)),
        };
        if begun.is_none() {
            self.end_locks();
        }
        let name = self.settings.show("application_name").map(|(_, name)| name).unwrap_or_default();
        let now = self.now_us();
        self.seat.backend.note(|activity| {
            activity.application_name = name;
            (activity.state, activity.transaction_us, activity.changed_us) = (state, begun, Some(now));
        });
    }

    /// Advisory locks of the transaction go with it.
    pub(super) fn end_locks(&self) {
        self.seat.backends.locks.end_transaction(self.seat.backend.process);
    }
}
