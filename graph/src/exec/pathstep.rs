//! Path searches as a step: a search a row, its finds made rows as they come.
//!
//! Never: keeps a path after the rows that name it are done with.

use base::SqlResult;

use super::batch::{Batch, VECTOR};
use super::pipeline::Pipeline;
use crate::element::Element;
use crate::paths::{Found, Searcher, Task};
use crate::plan::PathStep;
use crate::varset::VarSet;

impl Pipeline<'_> {
    /// Every row with every path that the step asks for.
    pub fn path(&mut self, at: usize, batch: &Batch, step: &PathStep) -> SqlResult<()> {
        let wants_path = self.plan.steps[at].live.has(step.var);
        let mut made = if step.is_bound { VarSet::EMPTY } else { VarSet::one(step.to) };
        if wants_path {
            made |= VarSet::one(step.var);
        }
        let Some(mut searcher) = self.searcher.take() else {
            // A later path step of the same plan runs while an earlier one is searching.
            return self.with_another_searcher(at, batch, step);
        };
        let mut room = std::mem::take(&mut self.rooms[at]);
        let mut counts: Vec<u64> = Vec::new();
        let (kept, held) = (self.paths.len(), self.path_meter.held());
        for row in 0..batch.len() {
            let from = batch.column(step.from)[row];
            let target = step.is_bound.then(|| batch.column(step.to)[row]);
            if from.is_null() || target.is_some_and(Element::is_null) {
                continue;
            }
            let task = Task { step, from, target, wants_path };
            searcher.search(&task, &mut |found: Found| {
                if !step.is_bound {
                    room.batch.column_mut(step.to).push(found.to);
                }
                if wants_path && let Some(path) = found.path {
                    self.path_meter.take(64 + path.elements.len() * size_of::<Element>())?;
                    room.batch.column_mut(step.var).push(Element::from_bits(self.paths.len() as u64));
                    self.paths.push(path);
                }
                room.parents.push(row as u32);
                counts.push(found.count);
                if room.parents.len() < VECTOR {
                    return Ok(());
                }
                self.flush_counted(at, batch, &mut room, made, &mut counts)?;
                self.paths.truncate(kept);
                self.path_meter.give(self.path_meter.held() - held);
                Ok(())
            })?;
        }
        self.flush_counted(at, batch, &mut room, made, &mut counts)?;
        self.paths.truncate(kept);
        self.path_meter.give(self.path_meter.held() - held);
        self.rooms[at] = room;
        self.searcher = Some(searcher);
        Ok(())
    }

    fn with_another_searcher(&mut self, at: usize, batch: &Batch, step: &PathStep) -> SqlResult<()> {
        self.searcher = Some(Searcher::new(self.graph, self.meter.another()));
        let done = self.path(at, batch, step);
        self.searcher = None;
        done
    }
}
