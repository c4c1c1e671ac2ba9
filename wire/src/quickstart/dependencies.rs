//! The dependency graph of a Cargo workspace, from `cargo metadata`: packages, and who needs whom.
//!
//! Only what this machine's platform builds is taken, so that an offline clone that has been built can be read.
//! Never: reads Cargo.lock itself or guesses at features.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::Failure;

/// One package of the graph; its id is its place in the list.
#[derive(Debug)]
pub struct Package {
    pub name: String,
    pub version: String,
    pub licence: Option<String>,
    pub repository: Option<String>,
    pub is_member: bool,
}

/// `package` needs `depends_on`.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edge {
    pub package: usize,
    pub depends_on: usize,
    /// `normal`, `build` or `dev`.
    pub kind: String,
    pub optional: bool,
    /// Features asked for, comma-separated.
    pub features: String,
}

/// A resolved graph.
#[derive(Debug)]
pub struct Graph {
    pub packages: Vec<Package>,
    pub edges: Vec<Edge>,
    root: usize,
}

impl Graph {
    /// The package the whole workspace is built for: the member that reaches most.
    pub fn root_name(&self) -> &str {
        &self.packages[self.root].name
    }
}

/// Asks cargo, without the network if it can be.
pub fn read(manifest: Option<&Path>) -> Result<Graph, Failure> {
    let host = run_cargo(None, &["-vV"])?;
    let host = host.lines().find_map(|line| line.strip_prefix("host: ")).unwrap_or_default().to_owned();
    let mut arguments = vec!["metadata", "--format-version", "1", "--offline"];
    if !host.is_empty() {
        arguments.extend(["--filter-platform", &host]);
    }
    let offline = run_cargo(manifest, &arguments);
    arguments.retain(|argument| *argument != "--offline");
    let text = offline.or_else(|_| run_cargo(manifest, &arguments))?;
    parse(&text).ok_or_else(|| Failure::new("cargo metadata answered in a form this version does not know"))
}

fn run_cargo(manifest: Option<&Path>, arguments: &[&str]) -> Result<String, Failure> {
    const HINT: &str = "HINT:  Run this in a Cargo workspace (or give --manifest-path), with cargo installed; the first time it may need the network\n       to download the packages: run `cargo fetch` once.";
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(program);
    command.args(arguments);
    if let Some(manifest) = manifest {
        command.arg("--manifest-path").arg(manifest);
    }
    let output = command.output().map_err(|error| Failure::new(format!("could not run cargo: {error}\n{HINT}")))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(Failure::new(format!("cargo metadata failed: {}\n{HINT}", said.trim())));
    }
    String::from_utf8(output.stdout).map_err(|_| Failure::new("cargo answered in something that is not UTF-8"))
}

fn parse(text: &str) -> Option<Graph> {
    let metadata: Value = serde_json::from_str(text).ok()?;
    let members: BTreeSet<&str> = metadata["workspace_members"].as_array()?.iter().filter_map(Value::as_str).collect();
    let nodes = metadata["resolve"]["nodes"].as_array()?;
    let described: BTreeMap<&str, &Value> =
        metadata["packages"].as_array()?.iter().filter_map(|package| Some((package["id"].as_str()?, package))).collect();
    let mut ids: Vec<(&str, &str)> =
        nodes.iter().filter_map(|node| Some((described.get(node["id"].as_str()?)?["name"].as_str()?, node["id"].as_str()?))).collect();
    ids.sort_unstable();
    let place: BTreeMap<&str, usize> = ids.iter().enumerate().map(|(place, (_, id))| (*id, place)).collect();
    let text_of = |value: &Value| value.as_str().map(str::to_owned);
    let packages: Vec<Package> = ids
        .iter()
        .filter_map(|(name, id)| {
            let package = described.get(id)?;
            Some(Package {
                name: (*name).to_owned(),
                version: text_of(&package["version"])?,
                licence: text_of(&package["license"]),
                repository: text_of(&package["repository"]),
                is_member: members.contains(id),
            })
        })
        .collect();
    let mut edges = BTreeMap::new();
    for node in nodes {
        let from = node["id"].as_str()?;
        for needed in node["deps"].as_array()? {
            let (to, package) = (needed["pkg"].as_str()?, *described.get(from)?);
            for kind in needed["dep_kinds"].as_array()? {
                let edge = edge(package, place[from], place[to], &packages[place[to]].name, kind["kind"].as_str());
                edges.entry((edge.package, edge.depends_on, edge.kind.clone())).or_insert(edge);
            }
        }
    }
    let edges: Vec<Edge> = edges.into_values().collect();
    let root = most_reaching(&packages, &edges)?;
    Some(Graph { packages, edges, root })
}

/// The edge as the depending package's manifest declares it.
fn edge(package: &Value, from: usize, to: usize, name: &str, kind: Option<&str>) -> Edge {
    let declared = package["dependencies"].as_array().into_iter().flatten();
    let declared: Vec<&Value> = declared.filter(|d| d["name"].as_str() == Some(name) && d["kind"].as_str() == kind).collect();
    let features: BTreeSet<&str> =
        declared.iter().flat_map(|d| d["features"].as_array().into_iter().flatten()).filter_map(Value::as_str).collect();
    Edge {
        package: from,
        depends_on: to,
        kind: kind.unwrap_or("normal").to_owned(),
        optional: declared.iter().any(|d| d["optional"].as_bool() == Some(true)),
        features: features.into_iter().collect::<Vec<_>>().join(","),
    }
}

fn most_reaching(packages: &[Package], edges: &[Edge]) -> Option<usize> {
    let reach = |root: usize| {
        let (mut seen, mut queue) = (BTreeSet::from([root]), vec![root]);
        while let Some(package) = queue.pop() {
            for edge in edges.iter().filter(|edge| edge.package == package && edge.kind != "dev") {
                if seen.insert(edge.depends_on) {
                    queue.push(edge.depends_on);
                }
            }
        }
        seen.len()
    };
    (0..packages.len()).filter(|place| packages[*place].is_member).max_by_key(|place| (reach(*place), std::cmp::Reverse(*place)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    const METADATA: &str = r#"{
      "workspace_members": ["path+a#1.0.0"],
      "packages": [
        {"id": "path+a#1.0.0", "name": "a", "version": "1.0.0", "license": "MIT", "repository": null, "dependencies": [
          {"name": "b", "kind": null, "features": ["y", "x"], "optional": true, "rename": "bee"},
          {"name": "b", "kind": "dev", "features": [], "optional": false}]},
        {"id": "reg+b#2.0.0", "name": "b", "version": "2.0.0", "license": null, "repository": "https://b", "dependencies": []}],
      "resolve": {"nodes": [
        {"id": "path+a#1.0.0", "deps": [{"name": "bee", "pkg": "reg+b#2.0.0", "dep_kinds": [
          {"kind": null, "target": null}, {"kind": null, "target": "cfg(unix)"}, {"kind": "dev", "target": null}]}]},
        {"id": "reg+b#2.0.0", "deps": []}]}}"#;

    #[test]
    fn renames_kinds_targets_and_features() {
        let graph = parse(METADATA).unwrap();
        assert_eq!(graph.root_name(), "a");
        assert_eq!(graph.packages[1].repository.as_deref(), Some("https://b"));
        let edge = |kind: &str, optional, features: &str| Edge {
            package: 0,
            depends_on: 1,
            kind: kind.into(),
            optional,
            features: features.into(),
        };
        assert_eq!(graph.edges, [edge("dev", false, ""), edge("normal", true, "x,y")]);
    }

    #[test]
    fn other_json_is_refused() {
        for text in ["", "{}", "[]", r#"{"workspace_members": [], "packages": [], "resolve": null}"#] {
            assert!(parse(text).is_none(), "{text}");
        }
    }
}
