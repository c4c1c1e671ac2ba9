//! What the tour prints: numbered steps, aligned tables, times.
//!
//! Never: prints a control character that came out of data.

use std::time::Duration;

use tokio::time::Instant;
use tokio_postgres::SimpleQueryMessage;

/// Characters of a cell; longer values are cut with an ellipsis.
const CELL_CHARS_MAX: usize = 56;
const INDENT: &str = "     ";

/// A running tour's output.
pub struct Console {
    steps: u32,
    begun: Instant,
    step_begun: Instant,
}

impl Console {
    pub fn new() -> Self {
        let now = Instant::now();
        Self { steps: 0, begun: now, step_begun: now }
    }

    /// Opens the next numbered step.
    pub fn step(&mut self, title: &str) {
        self.steps += 1;
        self.step_begun = Instant::now();
        println!("\n{:>3}. {title}", self.steps);
    }

    /// What a step came to, with the time it took.
    pub fn result(&self, text: &str) {
        println!("{INDENT}{text}  ({})", shown(self.step_begun.elapsed()));
    }

    /// A line below a step.
    pub fn line(&self, text: &str) {
        println!("{INDENT}{}", printable(text));
    }

    /// Several lines below a step.
    pub fn block(&self, text: &str) {
        text.lines().for_each(|line| self.line(&format!("| {line}")));
    }

    /// A question, its answer as a table, and its time.
    pub fn table(&self, title: &str, answer: &Answer, took: Duration) {
        println!("\n{INDENT}{title}  ({} rows, {})", answer.rows.len(), shown(took));
        let widths: Vec<usize> = (0..answer.names.len()).map(|column| answer.width(column)).collect();
        let numeric: Vec<bool> = (0..answer.names.len()).map(|column| answer.is_numeric(column)).collect();
        let print = |cells: &[String]| {
            let cells: Vec<String> = cells
                .iter()
                .zip(&widths)
                .zip(&numeric)
                .map(|((cell, width), numeric)| if *numeric { format!("{cell:>width$}") } else { format!("{cell:<width$}") })
                .collect();
            println!("{INDENT}  {}", cells.join("  ").trim_end());
        };
        print(&answer.names);
        println!("{INDENT}  {}", widths.iter().map(|width| "─".repeat(*width)).collect::<Vec<_>>().join("  "));
        answer.rows.iter().for_each(|row| print(row));
    }

    /// The end of the tour.
    pub fn end(&self, psql: &str, exit: bool) {
        println!("\nEverything came out as it must, in {}.", shown(self.begun.elapsed()));
        if exit {
            println!("Run it without --exit to keep the server and look around.");
        } else {
            println!("Serving on, for this machine alone and without a password, which `shockwave serve` asks for.");
            println!("Look around, Ctrl-C to end:\n{INDENT}{psql}");
        }
    }
}

/// A query's answer as text.
#[derive(Debug)]
pub struct Answer {
    pub names: Vec<String>,
    pub rows: Vec<Vec<String>>,
}

impl Answer {
    /// From what a simple query returned.
    pub fn of(messages: &[SimpleQueryMessage]) -> Self {
        let (mut names, mut rows) = (Vec::new(), Vec::new());
        for message in messages {
            match message {
                SimpleQueryMessage::RowDescription(columns) => names = columns.iter().map(|column| column.name().to_owned()).collect(),
                SimpleQueryMessage::Row(row) => {
                    rows.push((0..row.len()).map(|column| cell(row.get(column).unwrap_or("∅"))).collect());
                }
                _ => {}
            }
        }
        Self { names, rows }
    }

    fn width(&self, column: usize) -> usize {
        self.rows.iter().map(|row| &row[column]).chain([&self.names[column]]).map(|cell| cell.chars().count()).max().unwrap_or(0)
    }

    fn is_numeric(&self, column: usize) -> bool {
        !self.rows.is_empty() && self.rows.iter().all(|row| row[column].parse::<f64>().is_ok())
    }
}

fn cell(text: &str) -> String {
    let text = printable(text);
    if text.chars().count() <= CELL_CHARS_MAX {
        return text;
    }
    text.chars().take(CELL_CHARS_MAX - 1).chain(['…']).collect()
}

fn printable(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { '·' } else { character }).collect()
}

fn shown(time: Duration) -> String {
    match time.as_micros() {
        0..10_000 => format!("{:.1} ms", time.as_secs_f64() * 1e3),
        10_000..1_000_000 => format!("{:.0} ms", time.as_secs_f64() * 1e3),
        _ => format!("{:.1} s", time.as_secs_f64()),
    }
}
