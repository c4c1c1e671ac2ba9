//! A plan as it is shown to a person: its operators, and what each did if it was run.
//!
//! Never: runs anything.

use std::sync::Arc;

use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::display::DisplayableExecutionPlan;

/// One operator and those it reads from.
#[derive(Clone, PartialEq, Debug)]
pub struct Step {
    /// Its name.
    pub operator: String,
    /// What it works on; may be empty.
    pub detail: String,
    /// Rows it gave and µs it computed, without those it reads from; where it was run.
    pub actual: Option<(usize, f64)>,
    /// Those it reads from.
    pub inputs: Vec<Step>,
}

impl Step {
    pub(crate) fn of(plan: &Arc<dyn ExecutionPlan>, was_run: bool) -> Self {
        let line = DisplayableExecutionPlan::new(plan.as_ref()).one_line().to_string();
        let line = line.trim_end();
        let (operator, detail) = line.split_once(": ").unwrap_or((line, ""));
        let actual = was_run.then(|| {
            let metrics = plan.metrics().map(|metrics| metrics.aggregate_by_name());
            let rows = metrics.as_ref().and_then(|metrics| metrics.output_rows()).unwrap_or(0);
            let nanoseconds = metrics.as_ref().and_then(|metrics| metrics.elapsed_compute()).unwrap_or(0);
            (rows, nanoseconds as f64 / 1_000.0)
        });
        let inputs = plan.children().into_iter().map(|input| Self::of(input, was_run)).collect();
        Self { operator: operator.to_owned(), detail: detail.to_owned(), actual, inputs }
    }

    /// A line an operator, indented by two spaces a level.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        self.write(0, &mut lines);
        lines
    }

    fn write(&self, level: usize, lines: &mut Vec<String>) {
        let colon = if self.detail.is_empty() { "" } else { ": " };
        let actual = self.actual.map_or(String::new(), |(rows, us)| format!(" (actual rows={rows} time={:.3} ms)", us / 1_000.0));
        lines.push(format!("{:indent$}{}{colon}{}{actual}", "", self.operator, self.detail, indent = 2 * level));
        self.inputs.iter().for_each(|input| input.write(level + 1, lines));
    }
}
