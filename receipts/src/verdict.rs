//! What a verification ends with: one of four verdicts, and a report for people.
//!
//! O1: exit codes: 0 valid, 1 tampered, 2 malformed or unsupported, 3 inconclusive.
//! O2: a valid report lists what was checked and what a receipt cannot show; the other verdicts name the first thing that failed.
//!
//! Never: prints a control character that came out of a receipt.

use std::fmt;

use crate::FormatError;

/// What was found to be true.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Report {
    /// One line: what is valid.
    pub subject: String,
    /// Name and value of each fact that is now proven, in reading order.
    pub facts: Vec<(String, String)>,
    /// Column name and value of the row shown; hidden fields say so.
    pub row: Vec<(String, String)>,
    /// Of a disclosure: its rows, each with facts and fields of its own.
    pub disclosed: Vec<DisclosedRow>,
    /// The checks made, all passed.
    pub checked: Vec<String>,
    /// What this verification does not say.
    pub not_covered: Vec<String>,
}

/// One row of a disclosure.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DisclosedRow {
    /// Which row of which commit.
    pub subject: String,
    /// As [`Report::facts`].
    pub facts: Vec<(String, String)>,
    /// As [`Report::row`].
    pub row: Vec<(String, String)>,
}

/// The first thing that failed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// Which part: «signature», «row», «path to the root» …
    pub what: String,
    /// What is wrong with it.
    pub why: String,
    /// The checks that had passed before it.
    pub checked: Vec<String>,
}

/// The end of a verification.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// Every check was made and passed.
    Valid(Box<Report>),
    /// Well formed, but what it claims is not what the pinned key signed.
    Tampered(Finding),
    /// Not in the format, or in a version of it that this verifier does not support.
    Malformed(Finding),
    /// A check could not be made with what was given.
    Inconclusive(Finding),
}

impl Verdict {
    /// Exit code of the verifier.
    pub fn exit_code(&self) -> u8 {
        match self {
            Verdict::Valid(_) => 0,
            Verdict::Tampered(_) => 1,
            Verdict::Malformed(_) => 2,
            Verdict::Inconclusive(_) => 3,
        }
    }

    /// The verdict in one word.
    pub fn name(&self) -> &'static str {
        match self {
            Verdict::Valid(_) => "valid",
            Verdict::Tampered(_) => "tampered",
            Verdict::Malformed(_) => "malformed",
            Verdict::Inconclusive(_) => "inconclusive",
        }
    }

    /// The finding, unless it is valid.
    pub fn finding(&self) -> Option<&Finding> {
        match self {
            Verdict::Valid(_) => None,
            Verdict::Tampered(finding) | Verdict::Malformed(finding) | Verdict::Inconclusive(finding) => Some(finding),
        }
    }
}

impl From<FormatError> for Verdict {
    fn from(error: FormatError) -> Self {
        Verdict::Malformed(Finding { what: error.what, why: error.why, checked: Vec::new() })
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let report = match self {
            Verdict::Valid(report) => report,
            Verdict::Tampered(finding) => return finding.write(f, "TAMPERED"),
            Verdict::Malformed(finding) => return finding.write(f, "MALFORMED"),
            Verdict::Inconclusive(finding) => return finding.write(f, "INCONCLUSIVE"),
        };
        writeln!(f, "VALID: {}", report.subject)?;
        write_pairs(f, &report.facts, ":")?;
        if !report.row.is_empty() {
            writeln!(f, "row")?;
            write_pairs(f, &report.row, " =")?;
        }
        for row in &report.disclosed {
            writeln!(f, "{}", row.subject)?;
            write_pairs(f, &row.facts, ":")?;
            write_pairs(f, &row.row, " =")?;
        }
        write_list(f, "checked", &report.checked)?;
        write_list(f, "not covered", &report.not_covered)
    }
}

impl Finding {
    fn write(&self, f: &mut fmt::Formatter<'_>, verdict: &str) -> fmt::Result {
        writeln!(f, "{verdict}: {}: {}", self.what, self.why)?;
        write_list(f, "checked before that", &self.checked)
    }
}

fn write_pairs(f: &mut fmt::Formatter<'_>, pairs: &[(String, String)], mark: &str) -> fmt::Result {
    let width = pairs.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    pairs.iter().try_for_each(|(name, value)| writeln!(f, "  {name:<width$}{mark} {value}"))
}

fn write_list(f: &mut fmt::Formatter<'_>, title: &str, lines: &[String]) -> fmt::Result {
    if lines.is_empty() {
        return Ok(());
    }
    writeln!(f, "{title}")?;
    lines.iter().try_for_each(|line| writeln!(f, "  - {line}"))
}
