//! The files of the suite: sqllogictest records, whose answers are PostgreSQL's.
//!
//! L1: an answer stands under `----` as its columns (`name:type`), its rows, and its command tag where that says more than their number;
//!     an error as `statement error (SQLSTATE)`.
//! L2: `skipif shockwave` under a comment `not yet: …` marks what Shockwave does not answer yet, under `differs: …` what it rightly answers
//!     otherwise; docs/compatibility.md says why.
//! L3: a record is headed `query`, or `query rowsort` where the order of its rows means nothing; it is written as `query ? rowsort`, for
//!     sqllogictest takes the word behind `query` for types.

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
        let text = std::fs::read_to_string(path).unwrap();
        Self::parse(&text, &path.to_string_lossy())
    }

    fn parse(text: &str, name: &str) -> Result<Self, ParseError> {
        let heads: Vec<&str> = text.lines().map(|line| if line == "query rowsort" { SORTED } else { line }).collect();
        let records: Vec<Parsed> = sqllogictest::parse_with_name(&heads.join("\n"), name)?;
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
        std::fs::write(path, self.text()).unwrap();
    }

    fn text(&self) -> String {
        let kept = self.records.iter().enumerate().filter(|(index, _)| !self.dropped.contains(index));
        let text: String = kept.map(|(_, record)| format!("{record}\n")).collect();
        let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
        lines.join("\n").trim_end().to_owned() + "\n"
    }
}

/// The head of a record whose rows are sorted (L3).
const SORTED: &str = "query ? rowsort";

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
            QueryExpect::Results { types, sort_mode, results, .. } => {
                assert_eq!(types.len(), usize::from(sort_mode.is_some()), "L3: {loc}: a record is headed `query` or `query rowsort`");
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

/// `query rowsort` was read as a query whose columns have seven types, so that its order counted and recording it wrote `query`.
#[test]
fn recording_keeps_that_rows_are_sorted() {
    let text = "query rowsort\nSELECT 1\n----\n\nquery ? rowsort\nSELECT 2\n----\n\nquery\nSELECT 3\n----\n";
    let mut script = Script::parse(text, "text").unwrap();
    assert_eq!(script.steps.iter().map(|step| step.sorted).collect::<Vec<_>>(), [true, true, false]);
    let answer = Answer::Rows { header: "n:int4".to_owned(), rows: vec!["2".to_owned(), "1".to_owned()], tag: "SELECT 2".to_owned() };
    (0..3).for_each(|step| script.record(step, &answer));
    let record = |head: &str, n: i32, rows: &str| format!("{head}\nSELECT {n}\n----\nn:int4\n{rows}\n");
    let expected = [record(SORTED, 1, "1\n2"), record(SORTED, 2, "1\n2"), record("query", 3, "2\n1")].join("\n");
    assert_eq!(script.text(), expected);
    let again = Script::parse(&script.text(), "text").unwrap();
    assert_eq!(again.steps.iter().map(|step| step.sorted).collect::<Vec<_>>(), [true, true, false]);
}
