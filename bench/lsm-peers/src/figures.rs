//! Times, medians, and the table.

use rustix::time::{ClockId, clock_gettime};
use std::fmt::Write;

/// Figures by row and engine, in the order in which rows first came.
#[derive(Default)]
pub struct Figures {
    rows: Vec<(String, Vec<(&'static str, f64)>)>,
}

/// Wall and CPU time since it was started.
pub struct Stopwatch {
    cpu_clock: ClockId,
    wall_ns: u64,
    cpu_ns: u64,
}

fn now_ns(clock: ClockId) -> u64 {
    let now = clock_gettime(clock);
    now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64
}

impl Stopwatch {
    /// CPU time of all threads.
    pub fn start_process() -> Self {
        Self::start(ClockId::ProcessCPUTime)
    }

    /// CPU time of this thread.
    pub fn start_thread() -> Self {
        Self::start(ClockId::ThreadCPUTime)
    }

    fn start(cpu_clock: ClockId) -> Self {
        Self { cpu_clock, wall_ns: now_ns(ClockId::Monotonic), cpu_ns: now_ns(cpu_clock) }
    }

    /// Nanoseconds that passed.
    pub fn wall_ns(&self) -> u64 {
        now_ns(ClockId::Monotonic) - self.wall_ns
    }

    /// Nanoseconds of work.
    pub fn cpu_ns(&self) -> u64 {
        now_ns(self.cpu_clock) - self.cpu_ns
    }

    /// Notes both for each of `count` operations, in nanoseconds.
    pub fn note(&self, figures: &mut Figures, engine: &'static str, phase: &str, count: u64) {
        let (wall, cpu) = (self.wall_ns(), self.cpu_ns());
        figures.note(engine, &format!("{phase}: ns"), wall as f64 / count as f64);
        figures.note(engine, &format!("{phase}: CPU, ns"), cpu as f64 / count as f64);
    }
}

impl Figures {
    /// One figure of one round.
    pub fn note(&mut self, engine: &'static str, row: &str, figure: f64) {
        match self.rows.iter_mut().find(|(name, _)| name == row) {
            Some((_, figures)) => figures.push((engine, figure)),
            None => self.rows.push((row.to_owned(), vec![(engine, figure)])),
        }
    }

    /// A line for each row: the median of each engine, lowest and highest behind it.
    pub fn table(&self, engines: &[&'static str]) -> String {
        let mut text = format!("\n| | {} |\n|---|{}\n", engines.join(" | "), "---:|".repeat(engines.len()));
        for (row, figures) in &self.rows {
            let cells: Vec<String> = engines.iter().map(|engine| cell(figures, engine)).collect();
            let _ = writeln!(text, "| {row} | {} |", cells.join(" | "));
        }
        text
    }
}

fn cell(figures: &[(&'static str, f64)], engine: &str) -> String {
    let mut own: Vec<f64> = figures.iter().filter(|(name, _)| *name == engine).map(|(_, figure)| *figure).collect();
    own.sort_by(f64::total_cmp);
    let shown = |figure: f64| if figure < 100.0 { format!("{figure:.2}") } else { format!("{figure:.0}") };
    match (own.first(), own.get(own.len() / 2), own.last()) {
        (Some(low), Some(median), Some(high)) if own.len() > 1 => {
            format!("{} ({}–{})", shown(*median), shown(*low), shown(*high))
        }
        (_, Some(median), _) => shown(*median),
        _ => String::new(),
    }
}
