//! Along edges: to a new vertex, between two bound ones, and to a vertex that several bound ones lead to.
//!
//! Never: makes a row for an edge that nobody asked for where a weight says the same.

use base::SqlResult;

use super::batch::{Batch, VECTOR};
use super::pipeline::Pipeline;
use crate::element::Element;
use crate::plan::{Arm, Hop};
use crate::reader::{ListBuffer, common, equal_range, list};
use crate::tally;
use crate::topology::Snapshot;
use crate::varset::{Var, VarSet};

impl Pipeline<'_> {
    /// Every row with every vertex over an edge.
    pub fn expand(&mut self, at: usize, batch: &Batch, arm: &Arm, to: Var) -> SqlResult<()> {
        let graph = self.graph;
        let wants_edge = self.plan.steps[at].live.has(arm.edge);
        let made = if wants_edge { VarSet::one(to) | VarSet::one(arm.edge) } else { VarSet::one(to) };
        let mut room = std::mem::take(&mut self.rooms[at]);
        let mut buffer = std::mem::take(&mut room.buffer);
        for row in 0..batch.len() {
            let from = batch.column(arm.from)[row];
            if from.is_null() {
                continue;
            }
            for hop in arm.hops.of(from.table()) {
                let list = list(graph, hop, from.vertex(), &mut buffer);
                let mut done = 0;
                while done < list.targets.len() {
                    let end = list.targets.len().min(done + VECTOR - room.parents.len());
                    room.parents.extend(std::iter::repeat_n(row as u32, end - done));
                    let vertex = |target: &u32| Element::new(hop.target_table, u64::from(*target));
                    room.batch.column_mut(to).extend(list.targets[done..end].iter().map(vertex));
                    if wants_edge {
                        let edge = |at: usize| Element::new(hop.edge_table, list.row(at));
                        room.batch.column_mut(arm.edge).extend((done..end).map(edge));
                    }
                    done = end;
                    if room.parents.len() == VECTOR {
                        self.flush(at, batch, &mut room, made)?;
                    }
                }
            }
        }
        self.flush(at, batch, &mut room, made)?;
        room.buffer = buffer;
        self.rooms[at] = room;
        Ok(())
    }

    /// The rows between whose two vertices there is an edge.
    pub fn expand_into(&mut self, at: usize, batch: &mut Batch, arm: &Arm, to: Var) -> SqlResult<()> {
        let graph = self.graph;
        let live = self.plan.steps[at].live;
        if live.has(arm.edge) {
            return self.edges_into(at, batch, arm, to);
        }
        let mut room = std::mem::take(&mut self.rooms[at]);
        let (keep, buffer) = (&mut room.keep, &mut room.buffer);
        keep.clear();
        for row in 0..batch.len() {
            let (from, target) = (batch.column(arm.from)[row], batch.column(to)[row]);
            let mut count = 0_u64;
            if !from.is_null() && !target.is_null() {
                for hop in arm.hops.of(from.table()).iter().filter(|hop| hop.target_table == target.table()) {
                    let list = list(graph, hop, from.vertex(), buffer);
                    count += equal_range(list.targets, target.vertex()).len() as u64;
                }
            }
            self.meter.tick(1)?;
            keep.push(count > 0);
            if count > 1 {
                batch.weights[row] = tally::product(batch.weights[row], count)?;
            }
        }
        self.keep(at, batch, keep, live)?;
        self.rooms[at] = room;
        Ok(())
    }

    fn edges_into(&mut self, at: usize, batch: &Batch, arm: &Arm, to: Var) -> SqlResult<()> {
        let graph = self.graph;
        let mut room = std::mem::take(&mut self.rooms[at]);
        let mut buffer = std::mem::take(&mut room.buffer);
        for row in 0..batch.len() {
            let (from, target) = (batch.column(arm.from)[row], batch.column(to)[row]);
            if from.is_null() || target.is_null() {
                continue;
            }
            for hop in arm.hops.of(from.table()).iter().filter(|hop| hop.target_table == target.table()) {
                let list = list(graph, hop, from.vertex(), &mut buffer);
                for place in equal_range(list.targets, target.vertex()) {
                    room.batch.column_mut(arm.edge).push(Element::new(hop.edge_table, list.row(place)));
                    room.parents.push(row as u32);
                    if room.parents.len() == VECTOR {
                        self.flush(at, batch, &mut room, VarSet::one(arm.edge))?;
                    }
                }
            }
        }
        self.flush(at, batch, &mut room, VarSet::one(arm.edge))?;
        room.buffer = buffer;
        self.rooms[at] = room;
        Ok(())
    }

    /// Every row with every vertex that all arms lead to; edges become weights.
    pub fn intersect(&mut self, at: usize, batch: &Batch, arms: &[Arm], to: Var) -> SqlResult<()> {
        let mut room = std::mem::take(&mut self.rooms[at]);
        let mut buffers: Vec<ArmBuffer> = arms.iter().map(|_| ArmBuffer::default()).collect();
        let mut found: Vec<(u32, u64)> = Vec::new();
        let mut counts: Vec<u64> = Vec::new();
        let mut at_arms: Vec<Element> = Vec::new();
        let tables = shared_tables(arms);
        for row in 0..batch.len() {
            at_arms.clear();
            at_arms.extend(arms.iter().map(|arm| batch.column(arm.from)[row]));
            for &table in &tables {
                found.clear();
                let work = in_common(self.graph, arms, &at_arms, table, &mut buffers, |vertex, count| found.push((vertex, count)));
                self.meter.tick(work)?;
                for (vertex, count) in &found {
                    room.batch.column_mut(to).push(Element::new(table, u64::from(*vertex)));
                    room.parents.push(row as u32);
                    counts.push(*count);
                    if room.parents.len() == VECTOR {
                        self.flush_counted(at, batch, &mut room, VarSet::one(to), &mut counts)?;
                    }
                }
            }
        }
        self.flush_counted(at, batch, &mut room, VarSet::one(to), &mut counts)?;
        self.rooms[at] = room;
        Ok(())
    }
}

/// Room for the lists of one arm.
#[derive(Debug, Default)]
pub struct ArmBuffer {
    list: ListBuffer,
    merged: Vec<u32>,
}

/// Tables that every arm can lead to, ascending.
pub fn shared_tables(arms: &[Arm]) -> Vec<u16> {
    let leads = |arm: &Arm, table: u16| arm.hops.iter().any(|(_, hop)| hop.target_table == table);
    let mut tables: Vec<u16> = arms.iter().flat_map(|arm| arm.hops.iter().map(|(_, hop)| hop.target_table)).collect();
    tables.sort_unstable();
    tables.dedup();
    tables.retain(|table| arms.iter().all(|arm| leads(arm, *table)));
    tables
}

/// Targets of an arm in one table, ascending, one for each edge.
pub fn targets<'a>(graph: &'a Snapshot, arm: &Arm, from: Element, table: u16, buffer: &'a mut ArmBuffer) -> &'a [u32] {
    let mut hops = arm.hops.of(from.table()).iter().filter(|hop| hop.target_table == table);
    let (first, rest): (Option<&Hop>, Option<&Hop>) = (hops.next(), hops.next());
    match (first, rest) {
        (None, _) => &[],
        (Some(hop), None) => list(graph, hop, from.vertex(), &mut buffer.list).targets,
        (Some(first), Some(second)) => {
            buffer.merged.clear();
            for hop in [first, second].into_iter().chain(hops) {
                buffer.merged.extend_from_slice(list(graph, hop, from.vertex(), &mut buffer.list).targets);
            }
            // Stable sorting finds the ascending runs and merges them.
            buffer.merged.sort();
            &buffer.merged
        }
    }
}

/// Calls `take` with each vertex of `table` that all arms lead to and in how many ways; gives the entries looked at, roughly.
pub fn in_common(
    graph: &Snapshot,
    arms: &[Arm],
    at: &[Element],
    table: u16,
    buffers: &mut [ArmBuffer],
    take: impl FnMut(u32, u64),
) -> usize {
    if let ([a, b], [at_a, at_b], [of_a, of_b]) = (arms, at, &mut *buffers) {
        let lists = [targets(graph, a, *at_a, table, of_a), targets(graph, b, *at_b, table, of_b)];
        common(&lists, take);
        return lists[0].len().min(lists[1].len());
    }
    let ends = arms.iter().zip(at).zip(buffers.iter_mut());
    let lists: Vec<&[u32]> = ends.map(|((arm, from), buffer)| targets(graph, arm, *from, table, buffer)).collect();
    let work = lists.iter().map(|list| list.len()).min().unwrap_or(0);
    common(&lists, take);
    work
}
