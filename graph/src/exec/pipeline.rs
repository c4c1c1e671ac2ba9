//! One worker's way through a plan.
//!
//! X1: a step hands a batch on before it fills it again, so memory is a batch a step.
//! X2: what is counted on the way does not change what is found.
//! Never: shares state with another worker but the budget.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use base::{Clock, SqlError, SqlResult};
use parking_lot::Mutex;

use super::batch::{Batch, VECTOR};
use super::sink::{Answer, Sink, Take};
use super::weigh::Memo;
use crate::budget::{Budget, Meter};
use crate::element::Element;
use crate::paths::{Path, Searcher};
use crate::pattern::{Condition, Output};
use crate::plan::{Plan, Step};
use crate::reader::ListBuffer;
use crate::tally;
use crate::topology::Snapshot;
use crate::varset::{Var, VarSet};

/// Vertices a worker takes at a time.
const MORSEL: usize = 16 * VECTOR;

/// What a step really did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Actual {
    /// Rows that came out of it.
    pub rows: u64,
    /// Batches that went into it.
    pub batches: u64,
    /// Time in it, without the steps after it; 0 without a clock, and for the scan that all begins with.
    pub ns: u64,
}

/// How to run a plan.
#[derive(Debug)]
pub struct Run<'a> {
    /// What it may use.
    pub budget: Arc<Budget>,
    /// Rows wanted at most.
    pub limit: Option<u64>,
    /// Times the steps where given.
    pub clock: Option<&'a dyn Clock>,
    /// Workers; 1 runs on the caller's thread.
    pub threads: usize,
}

/// A step's room for what it makes of a batch.
#[derive(Debug, Default)]
pub struct Room {
    pub batch: Batch,
    pub parents: Vec<u32>,
    pub buffer: ListBuffer,
    pub keep: Vec<bool>,
    /// For a part: which of its rows matched.
    pub matched: Vec<bool>,
}

/// See the module.
pub struct Pipeline<'a> {
    pub plan: &'a Plan,
    pub graph: &'a Snapshot,
    pub meter: Meter,
    pub rooms: Vec<Room>,
    pub memos: Vec<Memo>,
    /// Boxed, since tails take one out for each vertex they are worked out for.
    #[expect(clippy::vec_box, reason = "a box is moved in one word")]
    pub buffers: Vec<Box<ListBuffer>>,
    pub leaf: ListBuffer,
    pub paths: Vec<Path>,
    /// What the paths take.
    pub path_meter: Meter,
    /// Taken out while it searches, since what it finds goes on through the pipeline.
    pub searcher: Option<Searcher<'a>>,
    path_vars: VarSet,
    sink: Sink<'a>,
    actual: Vec<Actual>,
    clock: Option<&'a dyn Clock>,
}

/// Runs a plan over a snapshot. Errors: 53200 and 57014 by the budget, 22003 for sums that do not fit, and those of filters and weights.
pub fn run(plan: &Plan, graph: &Snapshot, how: &Run<'_>) -> SqlResult<(Answer, Vec<Actual>)> {
    let (mut sink, actual) = run_into(plan, graph, how, &|| Sink::new(&plan.output, how.limit))?;
    if let Sink::Rows { rows, limit, .. } = &mut sink {
        rows.truncate(usize::try_from(*limit).unwrap_or(usize::MAX));
    }
    Ok((sink.finish(), actual))
}

/// Runs a plan whose output are rows of vertices and edges, and hands them to `take` as they come: a column for each variable, and how many matches each
/// row stands for. Workers call it at the same time; its errors end the query. Errors: as [`run`]; XX000 for another output.
pub fn stream(plan: &Plan, graph: &Snapshot, how: &Run<'_>, take: &Take<'_>) -> SqlResult<Vec<Actual>> {
    let Output::Rows(vars) = &plan.output else { return Err(SqlError::internal("only rows are handed on as they come")) };
    let paths = path_vars(plan);
    if vars.iter().any(|var| paths.has(*var)) {
        return Err(SqlError::internal("paths are not handed on as they come"));
    }
    run_into(plan, graph, how, &|| Sink::Given(vars.clone(), take)).map(|(_, actual)| actual)
}

fn run_into<'a>(
    plan: &'a Plan,
    graph: &'a Snapshot,
    how: &Run<'a>,
    sink: &(dyn Fn() -> Sink<'a> + Sync),
) -> SqlResult<(Sink<'a>, Vec<Actual>)> {
    let next = AtomicUsize::new(0);
    let worker = || -> SqlResult<(Sink<'a>, Vec<Actual>)> {
        let mut pipeline = Pipeline::new(plan, graph, how, sink());
        pipeline.work(&next)?;
        Ok((pipeline.sink, pipeline.actual))
    };
    let (sink, actual) = if how.threads > 1 { parallel(how.threads, worker)? } else { worker().map(|found| vec![found])? }
        .into_iter()
        .try_fold(None, |merged: Option<(Sink<'a>, Vec<Actual>)>, (sink, actual)| {
            let Some((mut all, mut sums)) = merged else { return Ok(Some((sink, actual))) };
            all.merge(sink)?;
            for (sum, more) in sums.iter_mut().zip(actual) {
                *sum = Actual { rows: sum.rows + more.rows, batches: sum.batches + more.batches, ns: sum.ns.max(more.ns) };
            }
            Ok::<_, SqlError>(Some((all, sums)))
        })?
        .ok_or_else(|| SqlError::internal("X1: a plan runs on at least one worker"))?;
    Ok((sink, of_steps(&actual)))
}

fn path_vars(plan: &Plan) -> VarSet {
    let path = |planned: &crate::plan::Planned| match &planned.step {
        Step::Path(path) => Some(path.var),
        _ => None,
    };
    plan.steps.iter().filter_map(path).collect()
}

/// What each step did, from what went into each and into the sink: the rows of a step are those that went into the next, and its own time is
/// that in it less that in the next.
fn of_steps(into: &[Actual]) -> Vec<Actual> {
    let pairs = into.windows(2);
    pairs.map(|pair| Actual { rows: pair[1].rows, batches: pair[0].batches, ns: pair[0].ns.saturating_sub(pair[1].ns) }).collect()
}

fn parallel<T: Send>(threads: usize, worker: impl Fn() -> SqlResult<T> + Sync) -> SqlResult<Vec<T>> {
    let found = Mutex::new(Vec::with_capacity(threads));
    std::thread::scope(|scope| {
        for at in 0..threads {
            let work = || found.lock().push(worker());
            if std::thread::Builder::new().name(format!("graph-{at}")).spawn_scoped(scope, work).is_err() {
                break;
            }
        }
    });
    let mut found = found.into_inner();
    if found.is_empty() {
        found.push(worker());
    }
    found.into_iter().collect()
}

impl<'a> Pipeline<'a> {
    fn new(plan: &'a Plan, graph: &'a Snapshot, how: &Run<'a>, sink: Sink<'a>) -> Self {
        Self {
            plan,
            graph,
            meter: Meter::new(Arc::clone(&how.budget)),
            rooms: plan.steps.iter().map(|_| Room::default()).collect(),
            memos: (0..plan.memos).map(|_| Memo::new(graph)).collect(),
            buffers: Vec::new(),
            leaf: ListBuffer::default(),
            paths: Vec::new(),
            path_meter: Meter::new(Arc::clone(&how.budget)),
            searcher: Some(Searcher::new(graph, Meter::new(Arc::clone(&how.budget)))),
            path_vars: path_vars(plan),
            sink,
            actual: vec![Actual::default(); plan.steps.len() + 1],
            clock: how.clock,
        }
    }

    /// Takes morsels of the first scan until there are none.
    fn work(&mut self, next: &AtomicUsize) -> SqlResult<()> {
        let mut batch = Batch::default();
        match self.plan.steps.first().map(|planned| &planned.step) {
            Some(Step::Scan { var, tables, only }) => {
                while !self.sink.is_full() {
                    let morsel = next.fetch_add(MORSEL, Ordering::Relaxed);
                    if !self.scan_range(&mut batch, *var, tables, only.as_deref(), morsel, MORSEL)? {
                        return Ok(());
                    }
                }
                Ok(())
            }
            _ if next.fetch_add(1, Ordering::Relaxed) > 0 => Ok(()),
            _ => {
                batch.weights.push(1);
                self.push(0, &mut batch)
            }
        }
    }

    /// Pushes the vertices numbered from `first` on; false once there are none.
    fn scan_range(
        &mut self,
        batch: &mut Batch,
        var: Var,
        tables: &[u16],
        only: Option<&[Element]>,
        first: usize,
        count: usize,
    ) -> SqlResult<bool> {
        let graph = self.graph;
        let total: usize = only.map_or_else(|| tables.iter().map(|table| graph.existing(*table).end() as usize).sum(), <[_]>::len);
        if first >= total {
            return Ok(false);
        }
        let mut skipped = 0;
        let mut offer = |this: &mut Self, element: Element| -> SqlResult<()> {
            if graph.existing(element.table()).has(element.vertex()) {
                batch.column_mut(var).push(element);
                batch.weights.push(1);
                if batch.len() == VECTOR {
                    this.push_and_clear(1, batch, var)?;
                }
            }
            Ok(())
        };
        if let Some(only) = only {
            for element in &only[first..total.min(first + count)] {
                if tables.binary_search(&element.table()).is_ok() {
                    offer(self, *element)?;
                }
            }
        } else {
            for &table in tables {
                let end = graph.existing(table).end() as usize;
                let range = first.max(skipped) - skipped..(first + count).max(skipped) - skipped;
                for vertex in range.start.min(end)..range.end.min(end) {
                    offer(self, Element::new(table, vertex as u64))?;
                }
                skipped += end;
            }
        }
        self.push_and_clear(1, batch, var)?;
        Ok(true)
    }

    fn push_and_clear(&mut self, at: usize, batch: &mut Batch, var: Var) -> SqlResult<()> {
        self.meter.tick(batch.len())?;
        self.push(at, batch)?;
        batch.column_mut(var).clear();
        batch.weights.clear();
        // No row is left that could name a path.
        self.paths.clear();
        Ok(())
    }

    /// Whether nothing more is wanted.
    pub fn is_full(&self) -> bool {
        self.sink.is_full()
    }

    /// Gives a batch to the step at `at`, or to the sink after the last.
    pub fn push(&mut self, at: usize, batch: &mut Batch) -> SqlResult<()> {
        if batch.len() == 0 || self.is_full() {
            return Ok(());
        }
        self.actual[at].rows += batch.len() as u64;
        self.actual[at].batches += 1;
        let Some(clock) = self.clock else { return self.dispatch(at, batch) };
        let start = clock.monotonic_ns();
        let done = self.dispatch(at, batch);
        self.actual[at].ns += clock.monotonic_ns() - start;
        done
    }

    fn dispatch(&mut self, at: usize, batch: &mut Batch) -> SqlResult<()> {
        let plan = self.plan;
        let Some(planned) = plan.steps.get(at) else {
            return self.sink.take(batch, &self.paths, self.path_vars, &mut self.meter);
        };
        let live = planned.live;
        self.meter.tick(batch.len())?;
        match &planned.step {
            Step::Scan { var, tables, only } => self.cross(at, batch, *var, tables, only.as_deref()),
            Step::Expand { arm, to } => self.expand(at, batch, arm, *to),
            Step::Into { arm, to } => self.expand_into(at, batch, arm, *to),
            Step::Intersect { arms, to } => self.intersect(at, batch, arms, *to),
            Step::Path(path) => self.path(at, batch, path),
            Step::Narrow { var, tables, only } => {
                let fits = |element: &Element| {
                    tables.binary_search(&element.table()).is_ok() && only.as_ref().is_none_or(|only| only.binary_search(element).is_ok())
                };
                let keep: Vec<bool> = batch.column(*var).iter().map(fits).collect();
                self.keep(at, batch, &keep, live)
            }
            Step::Filter(condition) => {
                let mut keep = std::mem::take(&mut self.rooms[at].keep);
                keep.clear();
                keep.resize(batch.len(), true);
                evaluate(condition, &|var| batch.column(var), &mut keep)?;
                self.keep(at, batch, &keep, live)?;
                self.rooms[at].keep = keep;
                Ok(())
            }
            Step::Weigh(tail) => self.weigh(at, batch, tail),
            Step::Begin { kind, slot, end, inner } => self.begin(at, batch, (*kind, *slot, *end, *inner)),
            Step::End { kind, slot, begin } => self.end(at, batch, (*kind, *slot, *begin)),
        }
    }

    /// Goes on with the rows marked.
    pub fn keep(&mut self, at: usize, batch: &mut Batch, keep: &[bool], live: VarSet) -> SqlResult<()> {
        batch.retain(keep, live);
        self.push(at + 1, batch)
    }

    /// Every row with every vertex.
    fn cross(&mut self, at: usize, batch: &mut Batch, var: Var, tables: &[u16], only: Option<&[Element]>) -> SqlResult<()> {
        let graph = self.graph;
        let exists = |element: &Element| graph.existing(element.table()).has(element.vertex());
        let vertices: Vec<Element> = match only {
            Some(only) => only.iter().copied().filter(|element| tables.binary_search(&element.table()).is_ok()).filter(exists).collect(),
            None => {
                let of_table = |table: &u16| {
                    let table = *table;
                    (0..graph.existing(table).end()).map(move |vertex| Element::new(table, vertex.into()))
                };
                tables.iter().flat_map(of_table).filter(exists).collect()
            }
        };
        let mut room = std::mem::take(&mut self.rooms[at]);
        for row in 0..batch.len() {
            for element in &vertices {
                room.batch.column_mut(var).push(*element);
                room.parents.push(row as u32);
                if room.parents.len() == VECTOR {
                    self.flush(at, batch, &mut room, VarSet::one(var))?;
                }
            }
        }
        self.flush(at, batch, &mut room, VarSet::one(var))?;
        self.rooms[at] = room;
        Ok(())
    }

    /// Completes the rows in `room`, whose columns `made` are filled, with those of their parents, and hands them on (X1).
    pub fn flush(&mut self, at: usize, batch: &Batch, room: &mut Room, made: VarSet) -> SqlResult<()> {
        self.flush_counted(at, batch, room, made, &mut Vec::new())
    }

    /// Likewise; each row stands for as many matches as `counts` says, times those of its parent. Empties `counts`.
    pub fn flush_counted(&mut self, at: usize, batch: &Batch, room: &mut Room, made: VarSet, counts: &mut Vec<u64>) -> SqlResult<()> {
        let live = self.plan.steps[at].live;
        self.meter.tick(room.parents.len())?;
        room.batch.gather(batch, &room.parents, live - made);
        for (weight, count) in room.batch.weights.iter_mut().zip(counts.drain(..)) {
            *weight = tally::product(*weight, count)?;
        }
        self.push(at + 1, &mut room.batch)?;
        room.parents.clear();
        for var in made.iter() {
            room.batch.column_mut(var).clear();
        }
        Ok(())
    }
}

/// Clears the marks of rows that do not meet a condition; null meets no comparison.
pub fn evaluate<'c>(condition: &Condition, column: &dyn Fn(Var) -> &'c [Element], keep: &mut [bool]) -> SqlResult<()> {
    let compare = |a: Var, b: Var, equal: bool, keep: &mut [bool]| {
        for (keep, (a, b)) in keep.iter_mut().zip(column(a).iter().zip(column(b))) {
            *keep &= !a.is_null() && !b.is_null() && (a == b) == equal;
        }
    };
    match condition {
        Condition::Equal(a, b) => compare(*a, *b, true, keep),
        Condition::Different(a, b) => compare(*a, *b, false, keep),
        Condition::Filter { vars, filter, .. } => {
            let columns: Vec<&[Element]> = vars.iter().map(|var| column(*var)).collect();
            filter.evaluate(&columns, keep)?;
        }
    }
    Ok(())
}
