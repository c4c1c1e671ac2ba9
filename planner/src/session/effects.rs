//! What functions of a statement ask of their session, to be done between statements.
//!
//! E14: a wish is carried out before the session plans or runs anything else, inside the block in which it was made.
//! Never: changes a setting while a statement runs.

use base::SqlResult;

use super::Session;
use super::blocks::State;
use crate::effects::{Effects, Wish};

impl Session {
    pub(super) fn effects(&self) -> Effects {
        Effects { outbox: self.outbox(), wishes: self.wishes.clone() }
    }

    /// Sets what `set_config` asked for (E14).
    pub(super) fn carry_out(&mut self) -> SqlResult<()> {
        let wishes = std::mem::take(&mut *self.wishes.lock());
        for Wish { name, value, local } in wishes {
            // What was local to a transaction that has ended is over.
            if !local || !matches!(self.state, State::Idle) {
                self.set(&name, Some(&value), local)?;
            }
        }
        Ok(())
    }
}
