//! Arrows between the top modules of one crate.
//!
//! M1: there is no cycle, in any crate.
//! M2: where a crate's `lib.rs` says `//! Module order: a, b, c`, it names every module, and each uses only those named before it.
//!
//! Names that the root re-exports count as the module they come from. Test code may use what it likes.

use std::collections::{BTreeMap, BTreeSet};

use super::Findings;
use super::code::{code_only, is_word, line_of, without_tests, word_starts};
use super::tree::Tree;
use super::{manifest, paths};

const ORDER: &str = "//! Module order:";

/// Edges with the place of the first reference.
type Edges = BTreeMap<(String, String), (String, usize)>;

/// M1 and M2 for every member.
pub fn arrows(tree: &Tree, findings: &mut Findings) {
    for member in manifest::members(tree) {
        let source = member.path.replace("Cargo.toml", "src");
        let modules = modules(tree, &source);
        let edges = edges(tree, &source, &modules);
        cycles(&edges, findings);
        order(tree, &source, &modules, &edges, findings);
    }
}

/// The top modules in the order in which `lib.rs` and `main.rs` declare them, test modules left out.
fn modules(tree: &Tree, source: &str) -> Vec<String> {
    let roots = ["lib.rs", "main.rs"].iter().filter_map(|root| tree.get(&format!("{source}/{root}")));
    let mut modules = Vec::new();
    for root in roots {
        let code = without_tests(&code_only(root));
        for at in word_starts(&code, "mod ") {
            let rest = &code[at + "mod ".len()..];
            let name: String = rest.bytes().take_while(|b| is_word(*b)).map(char::from).collect();
            if rest[name.len()..].trim_start().starts_with(';') && !modules.contains(&name) {
                modules.push(name);
            }
        }
    }
    modules
}

/// Which names of the crate's root stand for something in which module.
fn exports(tree: &Tree, source: &str, modules: &[String]) -> BTreeMap<String, String> {
    let mut exports: BTreeMap<String, String> = modules.iter().map(|m| (m.clone(), m.clone())).collect();
    for root in ["lib.rs", "main.rs"].iter().filter_map(|root| tree.get(&format!("{source}/{root}"))) {
        for import in paths::imports(&code_only(root)) {
            let home = import.segments.iter().find(|s| !matches!(s.as_str(), "crate" | "self"));
            if let Some(home) = home.filter(|home| modules.contains(*home)) {
                exports.entry(import.name).or_insert_with(|| home.clone());
            }
        }
    }
    exports
}

fn edges(tree: &Tree, source: &str, modules: &[String]) -> Edges {
    let exports = exports(tree, source, modules);
    let mut edges = Edges::new();
    for (path, text) in tree.under(source).filter(|(path, _)| path.ends_with(".rs") && !path.ends_with("/tests.rs")) {
        let inner = &path[source.len() + 1..path.len() - ".rs".len()];
        let segments: Vec<&str> = inner.split('/').filter(|s| *s != "mod").collect();
        let Some(from) = segments.first().filter(|s| modules.iter().any(|m| m == *s)) else { continue };
        let code = without_tests(&code_only(text));
        for (at, name) in paths::root_references(&code, segments.len()) {
            let Some(to) = exports.get(&name).filter(|to| to != from) else { continue };
            edges.entry(((*from).to_owned(), to.clone())).or_insert_with(|| (path.to_owned(), line_of(&code, at)));
        }
    }
    edges
}

/// M1. Of the references on cycles those few are named without which there is no cycle.
fn cycles(edges: &Edges, findings: &mut Findings) {
    let order = few_back(edges.keys().cloned().collect());
    let rank = |name: &str| order.iter().position(|m| m == name);
    for ((from, to), (path, line)) in edges {
        if rank(to) < rank(from) {
            let message = format!("`{from}` uses `{to}`, which uses `{from}`, itself or through others: move what both need below both");
            findings.add("modules", path, *line, message);
        }
    }
}

/// The modules in an order in which few edges lead back, and none if there is no cycle: the greedy order of Eades, Lin and Smyth (1993).
/// Modules without users go first, those that use nothing last, and between them whoever uses most more than it is used.
fn few_back(mut edges: BTreeSet<(String, String)>) -> Vec<String> {
    let mut left: BTreeSet<String> = edges.iter().flat_map(|(from, to)| [from.clone(), to.clone()]).collect();
    let (mut first, mut last) = (Vec::new(), Vec::new());
    while !left.is_empty() {
        let uses = |name: &String| edges.iter().filter(|(from, _)| from == name).count();
        let users = |name: &String| edges.iter().filter(|(_, to)| to == name).count();
        let sink = left.iter().find(|name| uses(name) == 0).cloned();
        let source = || left.iter().find(|name| users(name) == 0).cloned();
        let busiest = || left.iter().max_by_key(|name| uses(name) as i64 - users(name) as i64).cloned();
        let is_sink = sink.is_some();
        let Some(next) = sink.or_else(source).or_else(busiest) else { break };
        left.remove(&next);
        edges.retain(|(from, to)| *from != next && *to != next);
        if is_sink { last.push(next) } else { first.push(next) }
    }
    first.into_iter().chain(last.into_iter().rev()).collect()
}

fn order(tree: &Tree, source: &str, modules: &[String], edges: &Edges, findings: &mut Findings) {
    let path = format!("{source}/lib.rs");
    let Some((index, line)) = tree.get(&path).and_then(|text| text.lines().enumerate().find(|(_, l)| l.starts_with(ORDER))) else { return };
    let named: Vec<&str> =
        line[ORDER.len()..].split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).filter(|w| !w.is_empty()).collect();
    for module in modules.iter().filter(|m| !named.contains(&m.as_str())) {
        findings.add("modules", &path, index + 1, format!("the module order does not name `{module}`"));
    }
    for module in named.iter().filter(|m| !modules.iter().any(|module| module == *m)) {
        findings.add("modules", &path, index + 1, format!("the module order names `{module}`, which is no module"));
    }
    let rank = |name: &str| named.iter().position(|n| *n == name);
    for ((from, to), (path, line)) in edges {
        if let (Some(low), Some(high)) = (rank(from), rank(to))
            && high > low
        {
            findings.add(
                "modules",
                path,
                *line,
                format!("`{from}` may not use `{to}`, which stands after it in the module order of lib.rs"),
            );
        }
    }
}
