//! A plan as it is shown to a person: its operators, and what each did if it was run.
//!
//! Never: runs anything.

use std::sync::Arc;

use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::display::DisplayableExecutionPlan;

use crate::index_step::IndexStep;
use crate::ordered_scan::OrderedScanExec;
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
        let line = DisplayableExecutionPlan::new(plan.as_ref()).one_line().to_string();
        let line = line.trim_end();
        let (operator, detail) = line.split_once(": ").unwrap_or((line, ""));
        let actual = was_run.then(|| {
            let metrics = plan.metrics().map(|metrics| metrics.aggregate_by_name());
            let rows = metrics.as_ref().and_then(|metrics| metrics.output_rows()).unwrap_or(0);
            let nanoseconds = metrics.as_ref().and_then(|metrics| metrics.elapsed_compute()).unwrap_or(0);
            (rows, nanoseconds as f64 / 1_000.0)
        });
        let scanned = plan.downcast_ref::<SegmentScanExec>().and_then(SegmentScanExec::by_index);
        let index = scanned.or_else(|| plan.downcast_ref::<OrderedScanExec>().map(OrderedScanExec::step));
        let inputs = plan.children().into_iter().map(|input| Self::of(input, was_run)).collect();
        Self { operator: operator.to_owned(), detail: detail.to_owned(), index, actual, inputs }
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
