//! The files of the suite: sqllogictest records, whose answers are PostgreSQL's.
//!
//! L1: an answer stands under `----` as its columns (`name:type`), its rows, and its command tag where that says more than their number;
//!     an error as `statement error (SQLSTATE)`.
//! L2: `skipif shockwave` under a comment `not yet: …` marks what Shockwave does not answer yet, under `differs: …` what it rightly answers
//!     otherwise; docs/compatibility.md says why.

use std::path::Path;

use sqllogictest::parser::{ExpectedError, ParseError};
use sqllogictest::{Condition, Connection, DefaultColumnType, QueryExpect, Record, SortMode, StatementExpect};

use super::answer::Answer;

type Parsed = Record<DefaultColumnType>;

/// A file.
pub struct Script {
    records: Vec<Parsed>,
    /// Indexes of records that are not written.
    dropped: Vec<usize>,
    pub steps: Vec<Step>,
}

/// A statement with PostgreSQL's answer.
pub struct Step {
    /// Index of its record.
    record: usize,
    pub line: u32,
    pub sql: String,
    /// The session it runs in.
    pub session: String,
    /// Whether the order of rows means nothing.
    pub sorted: bool,
    /// What [`Answer::lines`] gives; `None` for a step of the setting, which only must succeed.
    pub expected: Option<Vec<String>>,
    pub mark: Mark,
}

/// How a step stands to Shockwave (L2).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mark {
    /// Both servers answer it alike.
    Both,
    NotYet,
    Differs,
    /// `onlyif shockwave`: Shockwave's own answer where it differs.
    Ours,
}

impl Script {
    pub fn read(path: &Path) -> Result<Self, ParseError> {
        let records: Vec<Parsed> = sqllogictest::parse_file(path)?;
        let mut steps = Vec::new();
        let mut comment = String::new();
        for (index, record) in records.iter().enumerate() {
            match record {
                Record::Comment(lines) => comment = lines.join("\n"),
                Record::Newline => comment.clear(),
                other => steps.extend(step(index, other, &comment)),
            }
        }
        Ok(Self { records, dropped: Vec::new(), steps })
    }

    /// Takes away the step's mark and its reason.
    pub fn unmark(&mut self, step: usize) {
        let record = self.steps[step].record;
        let Some((at, _)) = self.records[..record].iter().enumerate().rev().find(|(_, record)| matches!(record, Record::Condition(_)))
        else {
            return;
        };
        self.records[at] = Record::Newline;
        self.dropped.push(at);
        if let Some(Record::Comment(lines)) = self.records[..at].last_mut() {
            lines.retain(|line| !line.contains("not yet: "));
            if lines.is_empty() {
                self.dropped.push(at - 1);
            }
        }
    }

    /// Puts `answer` in the place of the step's; [`Script::write`] then writes the file.
    pub fn record(&mut self, step: usize, answer: &Answer) {
        let step = &self.steps[step];
        let record = &mut self.records[step.record];
        let (Record::Statement { loc, conditions, connection, sql, .. } | Record::Query { loc, conditions, connection, sql, .. }) = record
        else {
            return;
        };
        let (loc, conditions, connection, sql) = (loc.clone(), conditions.clone(), connection.clone(), sql.clone());
        *record = match answer {
            Answer::Failed { state, .. } => Record::Statement {
                loc,
                conditions,
                connection,
                sql,
                expected: StatementExpect::Error(ExpectedError::SqlState(state.clone())),
                retry: None,
            },
            answer => Record::Query {
                loc,
                conditions,
                connection,
                sql,
                expected: QueryExpect::Results {
                    types: if step.sorted { vec![DefaultColumnType::Any] } else { vec![] },
                    sort_mode: step.sorted.then_some(SortMode::RowSort),
                    result_mode: None,
                    label: None,
                    results: answer.lines(step.sorted),
                },
                retry: None,
            },
        };
    }

    pub fn write(&self, path: &Path) {
        let kept = self.records.iter().enumerate().filter(|(index, _)| !self.dropped.contains(index));
        let text: String = kept.map(|(_, record)| format!("{record}\n")).collect();
        let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
        std::fs::write(path, lines.join("\n").trim_end().to_owned() + "\n").unwrap();
    }
}

fn step(index: usize, record: &Parsed, comment: &str) -> Option<Step> {
    let (loc, conditions, connection, sql, sorted, expected) = match record {
        Record::Statement { loc, conditions, connection, sql, expected, .. } => {
            let expected = match expected {
                StatementExpect::Error(error) => Some(vec![state_of(error)]),
                _ => None,
            };
            (loc, conditions, connection, sql, false, expected)
        }
        Record::Query { loc, conditions, connection, sql, expected, .. } => match expected {
            QueryExpect::Results { sort_mode, results, .. } => {
                (loc, conditions, connection, sql, *sort_mode == Some(SortMode::RowSort), Some(results.clone()))
            }
            QueryExpect::Error(error) => (loc, conditions, connection, sql, false, Some(vec![state_of(error)])),
        },
        _ => return None,
    };
    let session = match connection {
        Connection::Named(name) => name.clone(),
        Connection::Default => String::new(),
    };
    let mark = mark(conditions, comment);
    Some(Step { record: index, line: loc.line(), sql: sql.clone(), session, sorted, expected, mark })
}

fn mark(conditions: &[Condition], comment: &str) -> Mark {
    let is_ours = |label: &str| label == "shockwave";
    match conditions {
        [] => Mark::Both,
        [Condition::OnlyIf { label }] if is_ours(label) => Mark::Ours,
        [Condition::SkipIf { label }] if is_ours(label) && comment.contains("not yet: ") => Mark::NotYet,
        [Condition::SkipIf { label }] if is_ours(label) && comment.contains("differs: ") => Mark::Differs,
        other => panic!("L2: {other:?} has no reason `not yet: …` or `differs: …` in the comment above it"),
    }
}

fn state_of(error: &ExpectedError) -> String {
    match error {
        ExpectedError::SqlState(state) => format!("error {state}"),
        other => panic!("L1: an expected error is a SQLSTATE in parentheses, not {other:?}"),
    }
}
