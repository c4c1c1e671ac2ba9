//! Optional and (not) existing parts: each row of a batch is numbered, and the part's end marks the numbers it sees.
//!
//! O1: an optional part hands on every row that matched, as often as it matched, and every other row once with nulls.
//! Never: lets a variable of a part that (does not) exist out of it.

use base::SqlResult;

use super::batch::Batch;
use super::pipeline::Pipeline;
use crate::element::Element;
use crate::pattern::PartKind;
use crate::varset::{Var, VarSet};

impl Pipeline<'_> {
    /// Runs the part for a batch, then goes on with the rows that its kind asks for.
    pub fn begin(&mut self, at: usize, batch: &mut Batch, (kind, slot, end, inner): (PartKind, Var, usize, VarSet)) -> SqlResult<()> {
        let mut room = std::mem::take(&mut self.rooms[at]);
        room.matched.clear();
        room.matched.resize(batch.len(), false);
        let live = self.plan.steps[at].live;
        let all: Vec<u32> = (0..batch.len() as u32).collect();
        room.batch.gather(batch, &all, live - VarSet::one(slot));
        let numbers = room.batch.column_mut(slot);
        numbers.clear();
        numbers.extend(all.iter().map(|row| Element::from_bits(u64::from(*row))));
        // The end finds the marks in this step's room, so only the batch is taken out of it.
        let mut inside = std::mem::take(&mut room.batch);
        self.rooms[at].matched = std::mem::take(&mut room.matched);
        self.push(at + 1, &mut inside)?;
        let matched = std::mem::take(&mut self.rooms[at].matched);
        let keep: Vec<bool> = matched.iter().map(|matched| *matched == (kind == PartKind::Exists)).collect();
        let after = self.plan.steps[end].live;
        batch.retain(&keep, after - inner);
        let rows = batch.len();
        for var in (after & inner).iter() {
            let column = batch.column_mut(var);
            column.clear();
            column.resize(rows, Element::NULL);
        }
        room.batch = inside;
        room.matched = matched;
        self.rooms[at] = room;
        self.push(end + 1, batch)
    }

    /// Marks the rows that came through, and hands those of an optional part on.
    pub fn end(&mut self, at: usize, batch: &mut Batch, (kind, slot, begin): (PartKind, Var, usize)) -> SqlResult<()> {
        let matched = &mut self.rooms[begin].matched;
        for row in batch.column(slot) {
            matched[row.bits() as usize] = true;
        }
        if kind == PartKind::Optional { self.push(at + 1, batch) } else { Ok(()) }
    }
}
