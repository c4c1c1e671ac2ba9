//! The shape of a source file: it says first what it is for, and it is not long.

use super::Findings;
use super::tree::Tree;

/// Longest file, in lines.
const LINES_MAX: usize = 700;

/// Every Rust file opens with `//!`.
pub fn opens_with_purpose(tree: &Tree, findings: &mut Findings) {
    for (path, source) in tree.rust() {
        let first = source.lines().next().unwrap_or_default();
        if first.trim_start_matches("//!").trim().is_empty() || !first.starts_with("//! ") {
            findings.add("header", path, 1, "a file opens with `//! ` and what it does, its invariants, what it never does");
        }
    }
}

/// No Rust file is longer than [`LINES_MAX`].
pub fn length(tree: &Tree, findings: &mut Findings) {
    for (path, source) in tree.rust() {
        let lines = source.lines().count();
        if lines > LINES_MAX {
            findings.add("length", path, 0, format!("{lines} lines, more than {LINES_MAX}: it does more than one thing"));
        }
    }
}
