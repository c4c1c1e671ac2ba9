//! A plan as it is shown to a person: its operators, and what each did if it was run.
//!
//! Never: runs anything.

use std::sync::Arc;

use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::display::DisplayableExecutionPlan;
use datafusion::physical_plan::metrics::MetricsSet;

use crate::along_edges::AlongEdgesExec;
use crate::index_step::IndexStep;
use crate::ordered_scan::OrderedScanExec;
use crate::own_rows::OwnRows;
use crate::scan::SegmentScanExec;
use crate::top_by_index::TopByIndexExec;

/// One operator and those it reads from.
#[derive(Clone, PartialEq, Debug)]
pub struct Step {
    /// Its name.
    pub operator: String,
    /// What it works on; may be empty.
    pub detail: String,
    /// The index that it reads, if it does.
    pub index: Option<IndexStep>,
    /// Rows it gave and µs it computed, without those it reads from; where it was run.
    pub actual: Option<(usize, f64)>,
    /// Those it reads from.
    pub inputs: Vec<Step>,
}

impl Step {
    pub(crate) fn of(plan: &Arc<dyn ExecutionPlan>, was_run: bool) -> Self {
        if let Some(top) = plan.downcast_ref::<TopByIndexExec>() {
            return Self::of(top.chosen(), was_run);
        }
        if let Some(along) = plan.downcast_ref::<AlongEdgesExec>() {
            return match along.chosen() {
                Ok(Err(joins)) => Self::of(joins, was_run),
                Ok(Ok(way)) => Self::of_way(along, &way, was_run),
                Err(_) => Self::of(along.joins(), was_run),
            };
        }
        if let Some(owned) = plan.downcast_ref::<OwnRows>() {
            return Self::of(owned.input(), was_run);
        }
        let line = DisplayableExecutionPlan::new(plan.as_ref()).one_line().to_string();
        let line = line.trim_end();
        let (operator, detail) = line.split_once(": ").unwrap_or((line, ""));
        let actual = was_run.then(|| actual(plan.metrics()));
        let scanned = plan.downcast_ref::<SegmentScanExec>().and_then(SegmentScanExec::by_index);
        let index = scanned.or_else(|| plan.downcast_ref::<OrderedScanExec>().map(OrderedScanExec::step));
        let inputs = plan.children().into_iter().map(|input| Self::of(input, was_run)).collect();
        Self { operator: operator.to_owned(), detail: detail.to_owned(), index, actual, inputs }
    }

    /// A way through joins, its steps below it as they are indented.
    fn of_way(along: &AlongEdgesExec, way: &str, was_run: bool) -> Self {
        let mut lines = way.lines();
        let (operator, detail) = lines.next().unwrap_or_default().split_once(": ").unwrap_or(("Graph", ""));
        let lines: Vec<(usize, &str)> = lines.map(|line| ((line.len() - line.trim_start().len()) / 2, line.trim_start())).collect();
        let actual = was_run.then(|| actual(along.metrics()));
        Self { operator: operator.to_owned(), detail: detail.to_owned(), index: None, actual, inputs: steps(&lines) }
    }

    /// A line an operator, indented by two spaces a level; what an index is asked for has a line of its own.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        self.write(0, &mut lines);
        lines
    }

    fn write(&self, level: usize, lines: &mut Vec<String>) {
        let colon = if self.detail.is_empty() { "" } else { ": " };
        let actual = self.actual.map_or(String::new(), |(rows, us)| format!(" (actual rows={rows} time={:.3} ms)", us / 1_000.0));
        lines.push(format!("{:indent$}{}{colon}{}{actual}", "", self.operator, self.detail, indent = 2 * level));
        if let Some(index) = self.index.as_ref().filter(|index| !index.condition.is_empty()) {
            lines.push(format!("{:indent$}Index Cond: {}", "", index.condition, indent = 2 * level + 2));
        }
        self.inputs.iter().for_each(|input| input.write(level + 1, lines));
    }
}

/// Rows given and µs computed.
fn actual(metrics: Option<MetricsSet>) -> (usize, f64) {
    let metrics = metrics.map(|metrics| metrics.aggregate_by_name());
    let rows = metrics.as_ref().and_then(|metrics| metrics.output_rows()).unwrap_or(0);
    let nanoseconds = metrics.as_ref().and_then(|metrics| metrics.elapsed_compute()).unwrap_or(0);
    (rows, nanoseconds as f64 / 1_000.0)
}

/// Lines with their depths as steps, each below the one that it is indented under.
fn steps(lines: &[(usize, &str)]) -> Vec<Step> {
    let Some((depth, _)) = lines.first() else { return Vec::new() };
    let heads: Vec<usize> = (0..lines.len()).filter(|at| lines[*at].0 <= *depth).collect();
    let step = |(which, at): (usize, &usize)| {
        let end = heads.get(which + 1).copied().unwrap_or(lines.len());
        Step { operator: lines[*at].1.to_owned(), detail: String::new(), index: None, actual: None, inputs: steps(&lines[at + 1..end]) }
    };
    heads.iter().enumerate().map(step).collect()
}
