//! Records of decisions are numbered once and found from their index.

use std::collections::BTreeMap;

use super::Findings;
use super::tree::Tree;

const INDEX: &str = "docs/decisions/README.md";

/// Every record is linked from the index, and no two share a number.
pub fn indexed(tree: &Tree, findings: &mut Findings) {
    let index = tree.get(INDEX).unwrap_or_default();
    let mut numbers: BTreeMap<&str, &str> = BTreeMap::new();
    for (path, _) in tree.under("docs/decisions").filter(|(path, _)| path.ends_with(".md") && *path != INDEX) {
        let name = path.rsplit('/').next().unwrap_or(path);
        if !index.contains(&format!("({name})")) {
            findings.add("decisions", path, 0, format!("{INDEX} does not link it"));
        }
        let number = name.split('-').next().unwrap_or_default();
        if number.len() != 4 || !number.bytes().all(|b| b.is_ascii_digit()) {
            findings.add("decisions", path, 0, "a record is named `NNNN-what-was-decided.md`");
        } else if let Some(other) = numbers.insert(number, path) {
            findings.add("decisions", path, 0, format!("{other} has the same number"));
        }
    }
}
