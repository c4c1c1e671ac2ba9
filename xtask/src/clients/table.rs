//! What is printed when all clients have run.

use std::time::Duration;

use super::attempt::Said;
use super::not_yet::NotYet;

/// How a client fared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Every check passed, or failed with leave.
    Passed,
    /// A check failed, or the program did.
    Failed,
    /// It could not be tried here.
    Skipped,
}

/// A line of the table, with what is said below it.
#[derive(Debug)]
pub struct Row {
    name: String,
    version: String,
    passed: usize,
    not_yet: usize,
    /// Whether the client counts as passed.
    pub state: State,
    time: Duration,
    remarks: Vec<String>,
}

impl Row {
    /// A client that was not tried (L2).
    pub fn skipped(name: &str, reason: &str) -> Row {
        let remarks = vec![format!("skipped {name}: {reason}")];
        Row { name: name.to_owned(), version: String::new(), passed: 0, not_yet: 0, state: State::Skipped, time: Duration::ZERO, remarks }
    }

    /// Judges what a program said (L1).
    pub fn of(name: &str, result: Result<Said, String>, not_yet: &NotYet, time: Duration) -> Row {
        let mut row =
            Row { name: name.to_owned(), version: String::new(), passed: 0, not_yet: 0, state: State::Passed, time, remarks: Vec::new() };
        let said = match result {
            Ok(said) => said,
            Err(reason) => {
                row.state = State::Failed;
                row.remarks.push(format!("FAILED {name}: {reason}"));
                return row;
            }
        };
        row.version = said.version;
        row.passed = said.passed.len();
        for (check, reason) in &said.failed {
            match not_yet.reason(name, check) {
                Some(known) => {
                    row.not_yet += 1;
                    row.remarks.push(format!("not yet {name}: {check}: {known}"));
                }
                None => {
                    row.state = State::Failed;
                    row.remarks.push(format!("FAILED {name}: {check}: {reason}"));
                }
            }
        }
        for check in said.passed.iter().filter(|check| not_yet.reason(name, check).is_some()) {
            row.remarks.push(format!("works now, strike it from not_yet.txt: {name}: {check}"));
        }
        row
    }
}

/// The remarks, then the table.
pub fn print(rows: &[Row]) -> String {
    let mut text: String = rows.iter().flat_map(|row| &row.remarks).map(|remark| format!("{remark}\n")).collect();
    let name = rows.iter().map(|row| row.name.len()).max().unwrap_or_default();
    let version = rows.iter().map(|row| row.version.chars().count()).max().unwrap_or_default();
    text.push_str(&format!("\n{:<name$}  {:<version$}  passed  not yet    time  result\n", "client", "version"));
    for row in rows {
        let result = match row.state {
            State::Passed => "passed",
            State::Failed => "FAILED",
            State::Skipped => "skipped",
        };
        let seconds = row.time.as_secs_f64();
        text.push_str(&format!(
            "{:<name$}  {:<version$}  {:>6}  {:>7}  {seconds:>5.1} s  {result}\n",
            row.name, row.version, row.passed, row.not_yet
        ));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_check_fails_its_client_unless_excused() {
        let said = || Said { version: "d 1".to_owned(), failed: vec![("copy".to_owned(), "why".to_owned())], ..Said::default() };
        let row = Row::of("d", Ok(said()), &NotYet::default(), Duration::ZERO);
        assert_eq!(row.state, State::Failed);
        assert!(print(&[row]).contains("FAILED d: copy: why"));
        let row = Row::of("d", Err("no end".to_owned()), &NotYet::default(), Duration::ZERO);
        assert_eq!(row.state, State::Failed);
    }
}
