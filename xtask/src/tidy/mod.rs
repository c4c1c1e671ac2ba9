//! `cargo xtask tidy`: the rules of the house that no compiler checks.
//!
//! Y1: a check reads the [`Tree`] only, so that its tests need no files.
//! Y2: every finding names a file, a line where there is one, the rule, and what to do.
//! Y3: an exception stands in `xtask/exceptions.txt` with its reason; one that is no longer needed is a finding itself.
//! Never: changes a file; runs Cargo.

mod code;
mod crates;
mod decisions;
mod exceptions;
mod headers;
mod links;
mod lockfile;
mod manifest;
mod modules;
mod paths;
mod reasons;
mod tree;
mod words;

#[cfg(test)]
mod tests;

use std::fmt;
use std::path::Path;

use crate::process::Outcome;
use tree::Tree;

/// One rule broken in one place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Finding {
    /// Path from the root of the workspace.
    path: String,
    /// From 1; 0 stands for the file as a whole.
    line: usize,
    /// The rule's short name, as written in `exceptions.txt`.
    rule: &'static str,
    /// What is wrong and what to do.
    message: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}: {}", self.path, self.rule, self.message),
            line => write!(f, "{}:{line}: {}: {}", self.path, self.rule, self.message),
        }
    }
}

/// Where checks put what they find.
#[derive(Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn add(&mut self, rule: &'static str, path: &str, line: usize, message: impl Into<String>) {
        self.0.push(Finding { path: path.to_owned(), line, rule, message: message.into() });
    }
}

type Check = fn(&Tree, &mut Findings);

/// Every check, in the order in which they are described in docs/testing.md.
const CHECKS: &[Check] = &[
    crates::arrows,
    crates::datafusion,
    modules::arrows,
    lockfile::one_version,
    lockfile::receipts_alone,
    words::receipts_pure,
    headers::opens_with_purpose,
    headers::length,
    words::unfinished,
    words::machine_paths,
    reasons::exceptions_say_why,
    links::resolve,
    decisions::indexed,
];

/// Runs every check over the files below `root`.
pub fn run(root: &Path) -> Outcome {
    let tree = Tree::read(root)?;
    let findings = check(&tree);
    for finding in &findings {
        println!("{finding}");
    }
    println!("tidy: {} files, {} checks, {} findings", tree.len(), CHECKS.len(), findings.len());
    if findings.is_empty() { Ok(()) } else { Err(format!("{} findings", findings.len())) }
}

/// All findings but those excepted, sorted by place.
fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Findings::default();
    for check in CHECKS {
        check(tree, &mut findings);
    }
    let mut findings = exceptions::apply(tree, findings).0;
    findings.sort();
    findings
}
