//! A planned pattern on its way: run on the topology, its elements handed on as the rows that they are.
//!
//! Never: flattens what the operators counted.

use std::sync::Arc;

use base::{Clock, SqlError, SqlResult};
use graph::{Account, Actual, Answer, Budget, Element, Plan, Run, Snapshot, Var};
use relational::links::{Asked, Passing, RunMemory, TakeRows, Wanted, Way};

use super::pattern::{Made, rows_of};
use super::roles::{Holds, Roles};
use super::settling::Settled;

/// Groups that are handed on together.
const GROUPS: usize = 8_192;
/// The cost below which a plan is over before another thread has begun.
const SHORT: f64 = 20_000.0;
/// The cost from which on several workers pay.
const LONG: f64 = 2_000_000.0;

/// See the module.
pub(super) struct GraphWay {
    graph: String,
    vertices: usize,
    /// Of each relation with conditions that an index does not answer: what they are on, and how many rows were read for them before the way began.
    conditions: Vec<(String, usize, Option<u64>)>,
    made: Made,
    plan: Plan,
    snapshot: Snapshot,
    asked: Asked,
    clock: Arc<dyn Clock>,
    threads: usize,
}

/// The run's memory as the operators take it.
#[derive(Debug)]
struct OfRun(Arc<dyn RunMemory>);

impl Account for OfRun {
    fn take(&self, bytes: usize) -> SqlResult<()> {
        self.0.take(bytes)
    }

    fn give(&self, bytes: usize) {
        self.0.give(bytes);
    }
}

impl GraphWay {
    pub(super) fn new(roles: &Roles, settled: Settled, snapshot: Snapshot, clock: Arc<dyn Clock>, threads: usize) -> Self {
        let Settled { made, plan, asked, read, .. } = settled;
        let (graph, vertices) = (roles.graph.name.clone(), roles.vertices.len());
        let condition = |relation: usize| {
            let before = match asked.passing[relation] {
                Passing::Asked(_) => None,
                _ => Some(read.iter().find(|(known, _)| *known == relation)?.1),
            };
            let (name, element) = match roles.holds[relation] {
                Holds::Vertex(at) => (format!("v{}", at + 1), roles.vertices[at].element),
                Holds::Edge(at) => (format!("e{}", at + 1), roles.edges[at].element),
            };
            Some((format!("{name} ({})", roles.graph.elements[element].alias), relation, before))
        };
        let conditions = (0..asked.passing.len()).filter_map(condition).collect();
        Self { graph, vertices, conditions, made, plan, snapshot, asked, clock, threads }
    }

    /// A line for each relation whose rows were read to answer conditions: all before anything was looked for, or those that were met.
    fn reading(&self, was_run: bool) -> Vec<String> {
        let line = |(on, relation, before): &(String, usize, Option<u64>)| match (before, &self.asked.passing[*relation]) {
            (Some(read), _) => format!("Conditions of {on}: its table was read  (rows read {read})"),
            (None, Passing::Asked(own)) if was_run => format!("Conditions of {on}: asked of what is met  (rows read {})", own.read()),
            (None, _) => format!("Conditions of {on}: asked of what is met"),
        };
        self.conditions.iter().map(line).collect()
    }

    fn text(&self, actual: Option<&[Actual]>) -> String {
        // Vertices are v1, v2 …, edges e1, e2 …, in the order in which the joins mention them.
        let name = |var: Var| match usize::from(var.0).checked_sub(self.vertices) {
            None => format!("v{}", var.0 + 1),
            Some(edge) => format!("e{}", edge + 1),
        };
        let steps = self.plan.explain(self.snapshot.schema(), &name, actual);
        let mut lines: Vec<&str> = steps.lines().collect();
        let last = lines.pop().unwrap_or_default();
        let mut text = format!("Graph: {}, {}", self.graph, last.trim());
        let reading = self.reading(actual.is_some());
        for line in lines.into_iter().chain(reading.iter().map(String::as_str)) {
            text.push_str("\n  ");
            text.push_str(line);
        }
        text
    }

    /// Hands on columns of elements, one for each variable of the output.
    fn give(&self, columns: &[&[Element]], times: &[u64], take: &TakeRows<'_>) -> SqlResult<()> {
        let rows: Vec<Vec<Option<u64>>> =
            self.made.of_output.iter().zip(columns).map(|(holds, elements)| rows_of(&self.snapshot, *holds, elements)).collect();
        let wanted: Vec<Vec<Option<u64>>> = self.made.places.iter().map(|place| rows[*place].clone()).collect();
        take(&wanted, times)
    }

    fn groups(&self, groups: &[(Vec<Element>, u64)], take: &TakeRows<'_>) -> SqlResult<()> {
        for part in groups.chunks(GROUPS) {
            let column = |at: usize| part.iter().map(|(key, _)| key[at]).collect::<Vec<Element>>();
            let columns: Vec<Vec<Element>> = (0..self.made.of_output.len()).map(column).collect();
            let columns: Vec<&[Element]> = columns.iter().map(Vec::as_slice).collect();
            let times: Vec<u64> = part.iter().map(|(_, times)| *times).collect();
            self.give(&columns, &times, take)?;
        }
        Ok(())
    }
}

impl Way for GraphWay {
    fn shown(&self) -> String {
        self.text(None)
    }

    fn is_short(&self) -> bool {
        self.plan.cost < SHORT
    }

    fn run(&self, take: &TakeRows<'_>) -> SqlResult<String> {
        let interrupt = Arc::clone(&self.asked.interrupt);
        let budget = Budget::on_account(Arc::new(OfRun(Arc::clone(&self.asked.memory))), move || interrupt());
        let threads = if self.plan.cost < LONG { 1 } else { self.threads };
        let how = Run { budget, limit: None, clock: Some(&*self.clock), threads };
        if let Wanted::Rows(..) = self.asked.wanted {
            let actual = graph::stream(&self.plan, &self.snapshot, &how, &|columns, times| self.give(columns, times, take))?;
            return Ok(self.text(Some(&actual)));
        }
        let (answer, actual) = graph::run(&self.plan, &self.snapshot, &how)?;
        match answer {
            Answer::Count(count) => take(&[], &[count])?,
            Answer::Groups(mut groups) => {
                // So that the same graph answers in the same order.
                groups.sort_unstable();
                self.groups(&groups, take)?;
            }
            Answer::Rows(_) => return Err(SqlError::internal("rows where groups were asked for")),
        }
        Ok(self.text(Some(&actual)))
    }
}
