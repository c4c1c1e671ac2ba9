//! Tails: how many ways there are to go on from a vertex, counted once for each vertex and never made into rows.
//!
//! W1: a tail's number is what binding its variables would have made of the rows, as a factor.
//! W2: a number that depends on one vertex and may be asked for again is worked out at most once for it in a pipeline.
//! Never: runs ahead: only vertices that matches reach are looked at.

use base::SqlResult;

use super::batch::Batch;
use super::expand::{ArmBuffer, in_common, shared_tables, targets};
use super::pipeline::{Pipeline, evaluate};
use crate::element::Element;
use crate::pattern::PartKind;
use crate::plan::{Hop, Tail};
use crate::reader::{ListBuffer, common, equal_range, list};
use crate::tally;
use crate::topology::Snapshot;
use crate::varset::Var;

/// Numbers of a page; a page comes when the first of them does.
const PAGE: usize = 4_096;

/// Numbers by vertex, one more than they are; 0 is not known yet.
#[derive(Debug, Default)]
pub struct Memo(Vec<Vec<Option<Box<[u64; PAGE]>>>>);

impl Memo {
    /// Knows nothing.
    pub fn new(graph: &Snapshot) -> Self {
        let pages = |table: usize| (graph.existing(table as u16).end() as usize).div_ceil(PAGE);
        Self((0..graph.schema().vertices().len()).map(|table| vec![const { None }; pages(table)]).collect())
    }

    #[inline]
    fn get(&self, vertex: Element) -> Option<u64> {
        let at = vertex.vertex() as usize;
        self.0[usize::from(vertex.table())][at / PAGE].as_ref().and_then(|page| page[at % PAGE].checked_sub(1))
    }
}

/// What a tail's kind makes of a sum.
fn made_of(kind: Option<PartKind>, sum: u64) -> u64 {
    match kind {
        None => sum,
        Some(PartKind::Optional) => sum.max(1),
        Some(PartKind::Exists) => sum.min(1),
        Some(PartKind::NotExists) => u64::from(sum == 0),
    }
}

/// Room for the lists of a tail that hangs on several vertices, or has exceptions.
struct TailRoom {
    /// Tables that all arms can lead to.
    tables: Vec<u16>,
    buffers: Vec<ArmBuffer>,
    at: Vec<Element>,
    found: Vec<(u32, u64)>,
    excepted: Vec<u32>,
}

impl TailRoom {
    fn new(tail: &Tail) -> Self {
        let buffers = tail.arms.iter().chain(&tail.except_arms).map(|_| ArmBuffer::default()).collect();
        Self { tables: shared_tables(&tail.arms), buffers, at: Vec::new(), found: Vec::new(), excepted: Vec::new() }
    }
}

impl Pipeline<'_> {
    /// Multiplies each row by its tail's number.
    pub fn weigh(&mut self, at: usize, batch: &mut Batch, tail: &Tail) -> SqlResult<()> {
        let mut keep = std::mem::take(&mut self.rooms[at].keep);
        keep.clear();
        let is_pure = tail.arms.len() == 1 && tail.except.is_empty() && tail.except_arms.is_empty();
        let mut room = TailRoom::new(tail);
        for row in 0..batch.len() {
            let count = if is_pure {
                self.number(tail, batch.column(tail.arms[0].from)[row])?
            } else if tail.arms.len() == 1 {
                self.number_with_exceptions(tail, batch, row, &mut room)?
            } else {
                self.number_in_common(tail, batch, row, &mut room)?
            };
            keep.push(count > 0);
            if count > 1 {
                batch.weights[row] = tally::product(batch.weights[row], count)?;
            }
        }
        self.keep(at, batch, &keep, self.plan.steps[at].live)?;
        self.rooms[at].keep = keep;
        Ok(())
    }

    /// The number of a tail that hangs on one vertex (W2).
    fn number(&mut self, tail: &Tail, from: Element) -> SqlResult<u64> {
        if from.is_null() {
            return Ok(made_of(tail.kind, 0));
        }
        if tail.tails.is_empty() && tail.conditions.is_empty() {
            let hops = tail.arms[0].hops.of(from.table());
            let sum: usize = hops.iter().map(|hop| list(self.graph, hop, from.vertex(), &mut self.leaf).targets.len()).sum();
            return Ok(made_of(tail.kind, sum as u64));
        }
        let is_remembered = tail.is_remembered;
        if is_remembered && let Some(known) = self.memos[tail.memo].get(from) {
            return Ok(known);
        }
        let mut buffer = self.buffers.pop().unwrap_or_default();
        let mut sum = 0_u64;
        for hop in tail.arms[0].hops.of(from.table()) {
            let more = self.number_of_hop(tail, from, hop, &mut buffer)?;
            sum = tally::sum(sum, more)?;
        }
        self.buffers.push(buffer);
        let number = made_of(tail.kind, sum);
        if is_remembered {
            self.remember(tail.memo, from, number)?;
        }
        Ok(number)
    }

    fn remember(&mut self, memo: usize, vertex: Element, number: u64) -> SqlResult<()> {
        let at = vertex.vertex() as usize;
        let page = &mut self.memos[memo].0[usize::from(vertex.table())][at / PAGE];
        if page.is_none() {
            self.meter.take(PAGE * size_of::<u64>())?;
        }
        let number = tally::sum(number, 1)?;
        page.get_or_insert_with(|| Box::new([0; PAGE]))[at % PAGE] = number;
        Ok(())
    }

    fn number_of_hop(&mut self, tail: &Tail, from: Element, hop: &Hop, buffer: &mut ListBuffer) -> SqlResult<u64> {
        let list = list(self.graph, hop, from.vertex(), buffer);
        if !tail.conditions.is_empty() {
            return self.number_of_filtered(tail, from, hop, &list);
        }
        self.meter.tick(list.targets.len())?;
        let mut sum = 0_u64;
        for target in list.targets {
            let more = self.number_of_child(tail, Element::new(hop.target_table, u64::from(*target)))?;
            sum = tally::sum(sum, more)?;
        }
        Ok(sum)
    }

    fn number_of_filtered(&mut self, tail: &Tail, from: Element, hop: &Hop, list: &crate::side::List<'_>) -> SqlResult<u64> {
        let count = list.targets.len();
        self.meter.tick(count)?;
        let sources = vec![from; count];
        let edges: Vec<Element> = (0..count).map(|at| Element::new(hop.edge_table, list.row(at))).collect();
        let children: Vec<Element> = list.targets.iter().map(|target| Element::new(hop.target_table, u64::from(*target))).collect();
        let column = |var: Var| -> &[Element] {
            match var {
                var if var == tail.child => &children,
                var if var == tail.arms[0].edge => &edges,
                _ => &sources,
            }
        };
        let mut keep = vec![true; count];
        tail.conditions.iter().try_for_each(|condition| evaluate(condition, &column, &mut keep))?;
        let mut sum = 0_u64;
        for (child, _) in children.iter().zip(&keep).filter(|(_, keep)| **keep) {
            sum = tally::sum(sum, self.number_of_child(tail, *child)?)?;
        }
        Ok(sum)
    }

    /// The product of the numbers of what hangs on the child.
    fn number_of_child(&mut self, tail: &Tail, child: Element) -> SqlResult<u64> {
        let mut product = 1_u64;
        for next in &tail.tails {
            product = tally::product(product, self.number(next, child)?)?;
            if product == 0 {
                break;
            }
        }
        Ok(product)
    }

    /// All that the one arm leads to, less what is excepted.
    fn number_with_exceptions(&mut self, tail: &Tail, batch: &Batch, row: usize, room: &mut TailRoom) -> SqlResult<u64> {
        let arm = &tail.arms[0];
        let from = batch.column(arm.from)[row];
        let mut sum = self.number(tail, from)?;
        if sum == 0 {
            return Ok(0);
        }
        let graph = self.graph;
        let excepted = &mut room.excepted;
        for &table in &room.tables {
            let (of_arm, of_except) = room.buffers.split_at_mut(1);
            let reached = targets(graph, arm, from, table, &mut of_arm[0]);
            excepted.clear();
            if reached.is_empty() {
                continue;
            }
            for (except, buffer) in tail.except_arms.iter().zip(of_except) {
                let other = batch.column(except.from)[row];
                if !other.is_null() {
                    common(&[reached, targets(graph, except, other, table, buffer)], |vertex, _| excepted.push(vertex));
                }
            }
            self.meter.tick(excepted.len())?;
            let vertices = tail.except.iter().map(|var| batch.column(*var)[row]);
            excepted.extend(vertices.filter(|vertex| !vertex.is_null() && vertex.table() == table).map(Element::vertex));
            if tail.except.len() + tail.except_arms.len() > 1 {
                excepted.sort_unstable();
                excepted.dedup();
            }
            for &vertex in &*excepted {
                let times = equal_range(reached, vertex).len() as u64;
                if times > 0 {
                    // Part of the sum, so neither product nor difference leaves its range.
                    sum -= times * self.number_of_child(tail, Element::new(table, u64::from(vertex)))?;
                }
            }
        }
        Ok(sum)
    }

    /// What all arms lead to, less what is excepted.
    fn number_in_common(&mut self, tail: &Tail, batch: &Batch, row: usize, room: &mut TailRoom) -> SqlResult<u64> {
        let graph = self.graph;
        let at = &mut room.at;
        at.clear();
        at.extend(tail.arms.iter().map(|arm| batch.column(arm.from)[row]));
        let is_excepted = |child: Element| tail.except.iter().any(|var| batch.column(*var)[row] == child);
        let (of_arms, of_except) = room.buffers.split_at_mut(tail.arms.len());
        let mut sum = 0_u64;
        let found = &mut room.found;
        for &table in &room.tables {
            found.clear();
            let work = in_common(graph, &tail.arms, at, table, of_arms, |vertex, count| found.push((vertex, count)));
            self.meter.tick(work)?;
            for (except, buffer) in tail.except_arms.iter().zip(of_except.iter_mut()) {
                let other = batch.column(except.from)[row];
                if !other.is_null() {
                    let reached = targets(graph, except, other, table, buffer);
                    found.retain(|(vertex, _)| reached.binary_search(vertex).is_err());
                }
            }
            for (vertex, count) in &*found {
                let child = Element::new(table, u64::from(*vertex));
                if !is_excepted(child) {
                    let more = tally::product(self.number_of_child(tail, child)?, *count)?;
                    sum = tally::sum(sum, more)?;
                }
            }
        }
        Ok(sum)
    }
}
