//! What Cargo.lock must hold: one version of the crates whose types cross our borders, and little below `receipts`.
//!
//! L1: one version of every arrow crate, of parquet, sqlparser and every DataFusion crate.
//! L2: nothing that `receipts` depends on, however far down, is a runtime, Arrow, DataFusion or a server crate.

use std::collections::{BTreeMap, BTreeSet};

use super::Findings;
use super::manifest;
use super::tree::Tree;

const LOCK: &str = "Cargo.lock";

/// Name → versions, and name → names of dependencies over all its versions.
#[derive(Default)]
struct Lock {
    versions: BTreeMap<String, BTreeSet<String>>,
    dependencies: BTreeMap<String, BTreeSet<String>>,
}

fn parse(text: &str) -> Lock {
    let mut lock = Lock::default();
    for package in text.split("[[package]]").skip(1) {
        let value = |key: &str| package.lines().find_map(|l| l.strip_prefix(key)?.strip_prefix(" = \"")?.strip_suffix('"'));
        let (Some(name), Some(version)) = (value("name"), value("version")) else { continue };
        lock.versions.entry(name.to_owned()).or_default().insert(version.to_owned());
        let list = package.split_once("dependencies = [").and_then(|(_, rest)| rest.split(']').next()).unwrap_or_default();
        // An entry is `name`, or `name version` where two versions exist.
        let names = list.split('"').skip(1).step_by(2).filter_map(|entry| entry.split(' ').next());
        lock.dependencies.entry(name.to_owned()).or_default().extend(names.map(str::to_owned));
    }
    lock
}

/// L1.
pub fn one_version(tree: &Tree, findings: &mut Findings) {
    let Some(text) = tree.get(LOCK) else {
        findings.add("lockfile", LOCK, 0, "the file is missing; it is kept in version control");
        return;
    };
    let one_alone = |name: &str| matches!(name, "arrow" | "parquet" | "sqlparser" | "datafusion" | "object_store");
    let family = |name: &str| name.starts_with("arrow-") || name.starts_with("datafusion-");
    for (name, versions) in parse(text).versions.iter().filter(|(name, _)| one_alone(name) || family(name)) {
        if versions.len() > 1 {
            let versions: Vec<&str> = versions.iter().map(String::as_str).collect();
            findings.add("lockfile", LOCK, 0, format!("`{name}` is there in {} versions: {}", versions.len(), versions.join(", ")));
        }
    }
}

/// L2. Optional dependencies count too if anything in the workspace turns them on: stricter than the build of `receipts` alone.
pub fn receipts_alone(tree: &Tree, findings: &mut Findings) {
    let members = manifest::members(tree);
    let (Some(text), Some(receipts)) = (tree.get(LOCK), members.iter().find(|m| m.name == "receipts")) else { return };
    let lock = parse(text);
    let mut reached: BTreeMap<String, String> = BTreeMap::new();
    let mut queue: Vec<(String, String)> = receipts.normal.iter().map(|d| (d.clone(), format!("receipts → {d}"))).collect();
    while let Some((name, path)) = queue.pop() {
        if reached.insert(name.clone(), path.clone()).is_some() {
            continue;
        }
        let next = lock.dependencies.get(&name).into_iter().flatten();
        queue.extend(next.filter(|d| !reached.contains_key(*d)).map(|d| (d.clone(), format!("{path} → {d}"))));
    }
    let server = |name: &str| members.iter().any(|m| m.name == name && name != "base");
    let heavy = |name: &str| {
        matches!(name, "tokio" | "arrow" | "datafusion" | "sqlparser" | "pgwire" | "rayon")
            || ["tokio-", "arrow-", "datafusion-"].iter().any(|prefix| name.starts_with(prefix))
    };
    for (_, path) in reached.iter().filter(|(name, _)| heavy(name) || server(name)) {
        findings.add("receipts", &receipts.path, 0, format!("the offline verifier would link this: {path}"));
    }
}
