//! A plan as a person reads it: a line a step, indented by part, with what was expected and, once run, what happened.
//!
//! Never: part of an answer; the words may change.

use std::fmt::Write;

use crate::exec::Actual;
use crate::pattern::{Condition, Direction, Output, PartKind, PathPattern, Selector};
use crate::plan::{Arm, Hops, Plan, Step, Tail};
use crate::schema::GraphSchema;
use crate::varset::Var;

/// Names of variables, for those who read a plan.
pub type Names<'n> = &'n dyn Fn(Var) -> String;

struct Page<'a> {
    schema: &'a GraphSchema,
    names: Names<'a>,
    text: String,
}

impl Plan {
    /// The plan as text: steps from first to last, `actual` beside what was expected where it was run.
    pub fn explain(&self, schema: &GraphSchema, names: Names<'_>, actual: Option<&[Actual]>) -> String {
        let mut page = Page { schema, names, text: String::new() };
        let mut depth = 0;
        for (at, planned) in self.steps.iter().enumerate() {
            if let Step::End { .. } = planned.step {
                depth -= 1;
                continue;
            }
            let figures = match actual.and_then(|actual| actual.get(at)) {
                None => format!("  (rows≈{})", rounded(planned.rows)),
                Some(Actual { rows, batches, ns }) => {
                    format!("  (rows≈{}, actual {rows}, batches {batches}, {:.3} ms)", rounded(planned.rows), *ns as f64 / 1e6)
                }
            };
            page.step(depth, &planned.step, &figures);
            if let Step::Begin { .. } = planned.step {
                depth += 1;
            }
        }
        let wanted = self.output.vars().iter().map(|var| names(*var)).collect::<Vec<_>>().join(", ");
        let output = match &self.output {
            Output::Count => "Count".to_owned(),
            Output::Rows(_) => format!("Rows of {wanted}"),
            Output::Distinct(_) => format!("Distinct {wanted}"),
            Output::Groups(_) => format!("Count by {wanted}"),
        };
        page.line(0, &format!("{output}  (cost≈{})", rounded(self.cost)));
        page.text
    }
}

fn rounded(number: f64) -> String {
    if number >= 10.0 { format!("{number:.0}") } else { format!("{number:.2}") }
}

impl Page<'_> {
    fn line(&mut self, depth: usize, text: &str) {
        let _ = writeln!(self.text, "{}{text}", "  ".repeat(depth));
    }

    fn name(&self, var: Var) -> String {
        (self.names)(var)
    }

    fn tables(&self, tables: &[u16]) -> String {
        tables.iter().map(|table| self.schema.vertices()[usize::from(*table)].name.as_str()).collect::<Vec<_>>().join("|")
    }

    /// `person -[knows]->`
    fn arm(&self, arm: &Arm) -> String {
        format!("{} {}", self.name(arm.from), self.hops(&arm.hops))
    }

    fn hops(&self, hops: &Hops) -> String {
        let mut tables: Vec<u16> = hops.iter().map(|(_, hop)| hop.edge_table).collect();
        tables.sort_unstable();
        tables.dedup();
        let names = tables.iter().map(|table| self.schema.edges()[usize::from(*table)].name.as_str()).collect::<Vec<_>>().join("|");
        let (along, against) = (hops.iter().any(|(_, hop)| !hop.backward), hops.iter().any(|(_, hop)| hop.backward));
        let direction = match (along, against) {
            (true, false) => Direction::Forward,
            (false, true) => Direction::Backward,
            _ => Direction::Either,
        };
        match direction {
            Direction::Forward => format!("-[{names}]->"),
            Direction::Backward => format!("<-[{names}]-"),
            Direction::Either => format!("-[{names}]-"),
        }
    }

    fn condition(&self, condition: &Condition) -> String {
        match condition {
            Condition::Equal(a, b) => format!("{} = {}", self.name(*a), self.name(*b)),
            Condition::Different(a, b) => format!("{} <> {}", self.name(*a), self.name(*b)),
            Condition::Filter { vars, selectivity, .. } => {
                let vars = vars.iter().map(|var| self.name(*var)).collect::<Vec<_>>().join(", ");
                format!("condition on {vars}, passed by {:.1}%", selectivity * 100.0)
            }
        }
    }

    fn path(pattern: &PathPattern) -> String {
        let bounds = pattern.max.map_or_else(|| format!("{{{},}}", pattern.min), |max| format!("{{{},{max}}}", pattern.min));
        let selector = match pattern.selector {
            Selector::All => String::new(),
            Selector::Any => "ANY ".to_owned(),
            Selector::AnyShortest => "ANY SHORTEST ".to_owned(),
            Selector::AllShortest => "ALL SHORTEST ".to_owned(),
            Selector::Shortest(count) => format!("SHORTEST {count} "),
            Selector::ShortestGroups(count) => format!("SHORTEST {count} GROUPS "),
            Selector::Cheapest(count) => format!("CHEAPEST {count} "),
        };
        format!("{selector}{:?} {bounds}", pattern.mode).to_uppercase()
    }

    fn step(&mut self, depth: usize, step: &Step, figures: &str) {
        let text = match step {
            Step::Scan { var, tables, only } => {
                let only = only.as_ref().map(|only| format!(", {} by key", only.len())).unwrap_or_default();
                format!("Scan {} ({}{only})", self.name(*var), self.tables(tables))
            }
            Step::Expand { arm, to } => format!("Expand {} {}", self.arm(arm), self.name(*to)),
            Step::Into { arm, to } => format!("Expand into {} {}", self.arm(arm), self.name(*to)),
            Step::Intersect { arms, to } => {
                format!("Intersect {} to {}", arms.iter().map(|arm| self.arm(arm)).collect::<Vec<_>>().join(" and "), self.name(*to))
            }
            Step::Path(path) => {
                let how = if path.is_bound { "Path between" } else { "Paths from" };
                let mode = Self::path(&path.pattern);
                format!("{how} {} {} {}: {mode}", self.name(path.from), self.hops(&path.hops), self.name(path.to))
            }
            Step::Narrow { var, tables, only } => {
                let only = only.as_ref().map(|only| format!(", {} by key", only.len())).unwrap_or_default();
                format!("Keep {} ({}{only})", self.name(*var), self.tables(tables))
            }
            Step::Filter(condition) => format!("Filter {}", self.condition(condition)),
            Step::Weigh(tail) => return self.tail(depth, tail, figures),
            Step::Begin { kind, .. } => match kind {
                PartKind::Optional => "Optional".to_owned(),
                PartKind::Exists => "Exists".to_owned(),
                PartKind::NotExists => "Not exists".to_owned(),
            },
            Step::End { .. } => return,
        };
        self.line(depth, &format!("{text}{figures}"));
    }

    fn tail(&mut self, depth: usize, tail: &Tail, figures: &str) {
        let kind = match tail.kind {
            None => "Count",
            Some(PartKind::Optional) => "Count, at least 1,",
            Some(PartKind::Exists) => "Keep if any",
            Some(PartKind::NotExists) => "Keep if no",
        };
        let arms = tail.arms.iter().map(|arm| self.arm(arm)).collect::<Vec<_>>().join(" and ");
        let mut text = format!("{kind} {arms} {}", self.name(tail.child));
        for var in &tail.except {
            let _ = write!(text, ", but {}", self.name(*var));
        }
        for arm in &tail.except_arms {
            let _ = write!(text, ", but {}", self.arm(arm));
        }
        for condition in &tail.conditions {
            let _ = write!(text, ", {}", self.condition(condition));
        }
        self.line(depth, &format!("{text}{figures}"));
        for next in &tail.tails {
            self.tail(depth + 1, next, "");
        }
    }
}
