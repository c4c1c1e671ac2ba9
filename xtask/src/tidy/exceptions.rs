//! Findings that are accepted, each with a reason, in `xtask/exceptions.txt`.
//!
//! E1: a line is `rule path: reason`; the reason is not empty.
//! E2: a line that excepts nothing is a finding.

use super::Findings;
use super::tree::Tree;

const LIST: &str = "xtask/exceptions.txt";

/// Takes out what is excepted, and puts in what is wrong with the exceptions.
pub fn apply(tree: &Tree, findings: Findings) -> Findings {
    let mut kept = findings;
    for (index, line) in tree.get(LIST).unwrap_or_default().lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let parts = line.split_once(": ").and_then(|(place, reason)| Some((place.split_once(' ')?, reason.trim())));
        let Some(((rule, path), _)) = parts.filter(|(_, reason)| !reason.is_empty()) else {
            kept.add("exceptions", LIST, index + 1, "a line is `rule path: reason`");
            continue;
        };
        let before = kept.0.len();
        kept.0.retain(|finding| finding.rule != rule || finding.path != path.trim());
        if kept.0.len() == before {
            kept.add("exceptions", LIST, index + 1, format!("nothing of the rule `{rule}` is found in {path}: take the line out"));
        }
    }
    kept
}
