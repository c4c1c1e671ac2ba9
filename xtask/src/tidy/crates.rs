//! Arrows between crates: what ARCHITECTURE.md says against what the manifests say.
//!
//! A1: ARCHITECTURE.md holds a table with the columns `crate` and `may depend on`; every member has a row in it.
//! A2: a member's normal dependencies on members are among those its row allows. Tests and benches may reach further.
//! A3: only `relational` depends on, or names, DataFusion.

use std::collections::BTreeMap;

use super::Findings;
use super::code::{self, code_only};
use super::manifest::{self, Manifest};
use super::tree::Tree;

const PAGE: &str = "ARCHITECTURE.md";

/// What a row of the table allows.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Allowed {
    Any,
    These(Vec<String>),
}

/// A1 and A2.
pub fn arrows(tree: &Tree, findings: &mut Findings) {
    let Some(page) = tree.get(PAGE) else {
        findings.add(
            "crates",
            PAGE,
            0,
            "the file is missing; it holds the table `| crate | may depend on | … |` of the arrows between crates",
        );
        return;
    };
    let Some(table) = table(page) else {
        findings.add("crates", PAGE, 0, "there is no table with the columns `crate` and `may depend on`");
        return;
    };
    let members = manifest::members(tree);
    let is_member = |name: &str| members.iter().any(|m| m.name == name);
    for (name, (line, allowed)) in &table {
        let named = std::iter::once(name).chain(match allowed {
            Allowed::These(names) => names.as_slice(),
            Allowed::Any => &[],
        });
        for name in named.filter(|name| !is_member(name)) {
            findings.add("crates", PAGE, *line, format!("the table names `{name}`, which is no crate of the workspace"));
        }
    }
    for member in &members {
        check_member(member, &table, &is_member, findings);
    }
}

fn check_member(member: &Manifest, table: &Table, is_member: &dyn Fn(&str) -> bool, findings: &mut Findings) {
    let Some((_, allowed)) = table.get(&member.name) else {
        findings.add("crates", PAGE, 0, format!("the table of arrows has no row for `{}`", member.name));
        return;
    };
    let Allowed::These(allowed) = allowed else { return };
    for dependency in member.normal.iter().filter(|d| is_member(d) && !allowed.contains(d)) {
        let message = format!("`{}` may not depend on `{dependency}`: {PAGE} allows {}", member.name, listed(allowed));
        findings.add("crates", &member.path, 0, message);
    }
}

fn listed(names: &[String]) -> String {
    if names.is_empty() { "nothing".to_owned() } else { names.join(", ") }
}

/// Rows by crate: line, and what it may depend on.
type Table = BTreeMap<String, (usize, Allowed)>;

/// The first table of `page` whose header has both columns.
fn table(page: &str) -> Option<Table> {
    let mut lines = page.lines().enumerate();
    let (crate_column, allowed_column) = lines.by_ref().find_map(|(_, line)| {
        let cells: Vec<String> = cells(line)?.iter().map(|cell| cell.to_lowercase()).collect();
        Some((cells.iter().position(|c| c == "crate")?, cells.iter().position(|c| c == "may depend on")?))
    })?;
    let mut table = Table::new();
    for (index, line) in lines.skip(1) {
        let Some(cells) = cells(line) else { break };
        let (Some(name), Some(allowed)) = (cells.get(crate_column), cells.get(allowed_column)) else { continue };
        let Some(name) = names(name).pop() else { continue };
        let allowed = names(allowed);
        let allowed = if allowed == ["any"] { Allowed::Any } else { Allowed::These(allowed) };
        table.insert(name, (index + 1, allowed));
    }
    Some(table)
}

fn cells(line: &str) -> Option<Vec<&str>> {
    let row = line.trim().strip_prefix('|')?;
    Some(row.trim_end_matches('|').split('|').map(str::trim).collect())
}

/// The names in a cell, written `` `a`, `b` `` or `a, b`; a dash or `nothing` stands for none.
fn names(cell: &str) -> Vec<String> {
    let words = cell.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '-'));
    words.filter(|w| !w.is_empty() && *w != "-" && *w != "nothing" && *w != "and").map(str::to_owned).collect()
}

/// A3.
pub fn datafusion(tree: &Tree, findings: &mut Findings) {
    const HOME: &str = "planner/relational/";
    const RULE: &str = "only `relational` names DataFusion; go through its traits";
    for member in manifest::members(tree).iter().filter(|m| !m.path.starts_with(HOME)) {
        for dependency in member.normal.iter().chain(&member.dev).filter(|d| d.starts_with("datafusion")) {
            findings.add("datafusion", &member.path, 0, format!("depends on `{dependency}`: {RULE}"));
        }
    }
    for (path, source) in tree.rust().filter(|(path, _)| !path.starts_with(HOME) && !path.starts_with("xtask/")) {
        let code = code_only(source);
        for at in code::word_starts(&code, "datafusion") {
            findings.add("datafusion", path, code::line_of(&code, at), RULE);
        }
    }
}
