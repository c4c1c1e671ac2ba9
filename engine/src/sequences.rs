//! Where sequences stand: what is held in memory, and how values follow each other.
//!
//! Never: commits; `sequence_values.rs` does.

use std::sync::Arc;

use base::{SqlError, SqlResult, SqlState};
use hashbrown::HashMap;
use parking_lot::Mutex;

use crate::relations::SequenceDef;

/// Values reserved beyond those asked for, as Postgres logs them ahead.
const AHEAD: u64 = 32;

/// Where a sequence stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SequenceState {
    /// The last value given, or the first to be given.
    pub last: i64,
    /// Whether `last` was given.
    pub is_called: bool,
    /// Values after `last` that may be given without a commit.
    pub reserved: u64,
}

/// A sequence in memory.
#[derive(Debug, Default)]
pub(crate) struct Held {
    pub(crate) state: Option<SequenceState>,
    /// Rows of its relation when `state` was read or written: more mean that somebody else wrote.
    pub(crate) rows: u64,
}

/// The sequences of a ledger that were used since it was opened.
#[derive(Debug, Default)]
pub struct Sequences {
    held: Mutex<HashMap<u32, Arc<Mutex<Held>>>>,
}

impl Sequences {
    pub(crate) fn of(&self, id: u32) -> Arc<Mutex<Held>> {
        Arc::clone(self.held.lock().entry(id).or_default())
    }

    /// A sequence that its transaction has just made (Q3).
    pub(crate) fn begin(&self, sequence: &SequenceDef) {
        let state = SequenceState { last: sequence.start, is_called: false, reserved: 0 };
        *self.of(sequence.id()).lock() = Held { state: Some(state), rows: 0 };
    }
}

impl SequenceDef {
    /// The value after `state`; `None` where there is none and it does not cycle.
    fn step(&self, state: SequenceState) -> Option<i64> {
        if !state.is_called {
            return Some(state.last);
        }
        let next = state.last.checked_add(self.increment).filter(|next| (self.min..=self.max).contains(next));
        next.or_else(|| self.cycle.then_some(if self.increment > 0 { self.min } else { self.max }))
    }

    fn exhausted(&self) -> SqlError {
        let (what, limit) = if self.increment > 0 { ("maximum", self.max) } else { ("minimum", self.min) };
        let message = format!("nextval: reached {what} value of sequence \"{}\" ({limit})", self.name());
        SqlError::new(SqlState::SEQUENCE_GENERATOR_LIMIT_EXCEEDED, message)
    }

    /// The state after `n` more values, with those values. Errors: 2200H.
    pub(crate) fn advance(&self, mut state: SequenceState, n: u64) -> SqlResult<(SequenceState, Vec<i64>)> {
        let mut values = Vec::with_capacity(usize::try_from(n).unwrap_or(0).min(1 << 20));
        for _ in 0..n {
            let next = self.step(state).ok_or_else(|| self.exhausted())?;
            state = SequenceState { last: next, is_called: true, reserved: state.reserved.saturating_sub(1) };
            values.push(next);
        }
        Ok((state, values))
    }

    /// How far values may be reserved after `state`: the last one, and how many, up to [`AHEAD`], never past an end.
    pub(crate) fn reserve(&self, state: SequenceState) -> (i64, u64) {
        let mut last = state.last;
        for n in 0..AHEAD {
            match last.checked_add(self.increment).filter(|next| (self.min..=self.max).contains(next)) {
                Some(next) => last = next,
                None => return (last, n),
            }
        }
        (last, AHEAD)
    }
}
