//! The table at the end.
//!
//! Q1: a figure is the median of its rounds; the ratio is of medians, above 1 where ours is better.

use std::fmt::Write as _;

use crate::figures::{median, thousands};
use crate::work::{Target, Work};

/// One work with the figures of all rounds.
#[derive(Debug, Clone)]
pub struct Line {
    work: Work,
    ours: Vec<f64>,
    peer: Vec<f64>,
}

impl Line {
    /// A line without figures yet.
    pub fn new(work: Work) -> Line {
        Line { work, ours: Vec::new(), peer: Vec::new() }
    }

    /// Adds the figure of one round.
    pub fn add(&mut self, is_ours: bool, figure: f64) {
        if is_ours { self.ours.push(figure) } else { self.peer.push(figure) }
    }

    /// How many times better ours is.
    fn ratio(&self) -> Option<f64> {
        let (ours, peer) = (median(&self.ours)?, median(&self.peer)?);
        Some(if self.work.is_cost() { peer / ours } else { ours / peer })
    }

    fn figure(&self, figures: &[f64]) -> String {
        let Some(middle) = median(figures) else { return "—".to_owned() };
        let shown = |figure: f64| if self.work.is_cost() { format!("{figure:.2}") } else { thousands(figure) };
        let (low, high) = figures.iter().fold((f64::MAX, f64::MIN), |(low, high), f| (low.min(*f), high.max(*f)));
        let spread = if figures.len() > 1 { format!(" ({}–{})", shown(low), shown(high)) } else { String::new() };
        format!("{} {}{spread}", shown(middle), self.work.unit())
    }

    fn target(&self) -> String {
        let (wanted, met) = match self.work.target() {
            Target::None => return String::new(),
            Target::Peer => ("≥ 1.00×".to_owned(), self.ratio().map(|ratio| ratio >= 1.0)),
            Target::TwicePeer => ("≥ 2.00×".to_owned(), self.ratio().map(|ratio| ratio >= 2.0)),
            Target::AtLeast(least) => {
                (format!("≥ {} {}", thousands(least), self.work.unit()), median(&self.ours).map(|ours| ours >= least))
            }
            Target::Below(most) => (format!("< {most} {}", self.work.unit()), median(&self.ours).map(|ours| ours < most)),
        };
        let verdict = met.map_or("not measured", |met| if met { "met" } else { "missed" });
        format!("{wanted}: {verdict}")
    }

    fn cells(&self, rows: u64) -> [String; 5] {
        let ratio = self.ratio().map_or_else(|| "—".to_owned(), |ratio| format!("{ratio:.2}×"));
        [self.work.title(rows), self.figure(&self.peer), self.figure(&self.ours), ratio, self.target()]
    }
}

/// Everything that was measured, and where.
pub struct Report {
    /// The lines, in order.
    pub lines: Vec<Line>,
    /// Facts about machine and programs.
    pub facts: Vec<(String, String)>,
    /// Rows of the COPY.
    pub rows: u64,
}

impl Report {
    fn cells(&self) -> Vec<[String; 5]> {
        let head = ["work", "PostgreSQL", "Shockwave", "ratio", "target"].map(str::to_owned);
        std::iter::once(head).chain(self.lines.iter().map(|line| line.cells(self.rows))).collect()
    }

    /// For a terminal: columns aligned, facts below.
    pub fn text(&self) -> String {
        let cells = self.cells();
        let width = |column: usize| cells.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
        let widths = [0, 1, 2, 3, 4].map(width);
        let mut text = String::new();
        for (index, row) in cells.iter().enumerate() {
            let line = row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}")).collect::<Vec<_>>().join(" | ");
            let _ = writeln!(text, "{}", line.trim_end());
            if index == 0 {
                let _ = writeln!(text, "{}", widths.map(|width| "-".repeat(width)).join("-+-"));
            }
        }
        text.push('\n');
        for (name, value) in &self.facts {
            let _ = writeln!(text, "{name:<12} {value}");
        }
        text
    }

    /// For `bench/report.md`.
    pub fn markdown(&self) -> String {
        let mut text = String::from(
            "# Beside PostgreSQL\n\nWritten by `cargo xtask bench --write`; both servers ran in the same run, on one machine, durable.\n\n",
        );
        for (index, row) in self.cells().iter().enumerate() {
            let _ = writeln!(text, "| {} |", row.join(" | "));
            if index == 0 {
                text.push_str("|---|---|---|---|---|\n");
            }
        }
        text.push('\n');
        for (name, value) in &self.facts {
            let _ = writeln!(text, "- {name}: {value}");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_point_the_right_way() {
        let line = |work, ours: f64, peer: f64| Line { work, ours: vec![ours], peer: vec![peer] };
        assert_eq!(line(Work::Copy, 200.0, 100.0).ratio(), Some(2.0));
        assert_eq!(line(Work::Restart, 1.0, 3.0).ratio(), Some(3.0));
    }

    #[test]
    fn a_missed_target_is_said() {
        let slow = Line { work: Work::Copy, ours: vec![1.0], peer: vec![2.0] };
        assert_eq!(slow.target(), "≥ 1.00×: missed");
        let fast = Line { work: Work::Restart, ours: vec![0.5], peer: vec![] };
        assert_eq!(fast.target(), "< 3 s: met");
        assert_eq!(Line::new(Work::Fsck).target(), "≥ 500,000 rows/s: not measured");
    }

    #[test]
    fn columns_are_aligned() {
        let lines = vec![Line { work: Work::Copy, ours: vec![1_234_567.0, 1_000_000.0, 2_000_000.0], peer: vec![700_000.0] }];
        let report = Report { lines, facts: vec![("cores".to_owned(), "2".to_owned())], rows: 1_000_000 };
        let text = report.text();
        assert!(text.contains("COPY of 1,000,000 rows | 700,000 rows/s"), "{text}");
        assert!(text.contains("1,234,567 rows/s (1,000,000–2,000,000)") && text.contains("1.76×"), "{text}");
        assert!(report.markdown().contains("| work | PostgreSQL | Shockwave | ratio | target |"));
    }
}
