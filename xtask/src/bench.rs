//! `cargo xtask bench`: builds the server and the bench binary for release and runs the comparison.

use std::path::{Path, PathBuf};

use crate::process::{self, Outcome};
use crate::{packages, python, verifiers};

/// Runs the comparison with `args`, or with `pieces` first the Criterion benches, or with `graph` first that of graphs.
pub fn run(root: &Path, args: &[String]) -> Outcome {
    match args.split_first() {
        Some((first, rest)) if first == "pieces" => pieces(root, rest),
        Some((first, rest)) if first == "proofs" => proofs(root, rest),
        Some((first, rest)) if first == "graph" => graph(root, rest),
        _ => compare(root, args),
    }
}

/// The light pieces, or with `--copy` first COPY parsing, which builds the planner; further args go to Criterion.
fn pieces(root: &Path, args: &[String]) -> Outcome {
    let (name, args) = match args.split_first() {
        Some((first, rest)) if first == "--copy" => ("copy", rest),
        _ => ("pieces", args),
    };
    process::run(process::cargo(root).args(["bench", "--package", "bench", "--features", name, "--bench", name, "--"]).args(args))
}

/// What proofs cost: needs a second build of the server, and the verifiers.
fn proofs(root: &Path, args: &[String]) -> Outcome {
    if args.iter().any(|a| a == "--help" || a == "-h") {
        return compare(root, args);
    }
    packages::ensure(packages::FOR_BENCH)?;
    let release = target(root).join("release");
    let (built, unproven) = (release.join("shockwave"), release.join("shockwave-unproven"));
    process::run(process::cargo(root).args(["build", "--release", "--package", "wire", "--features", "wire/unproven"]))?;
    std::fs::rename(&built, &unproven).map_err(|e| format!("{}: {e}", built.display()))?;
    let mut more = vec!["proofs".to_owned(), "--unproven".to_owned(), unproven.display().to_string()];
    for (name, command) in verifiers::programs(root)? {
        more.extend(["--verifier".to_owned(), format!("{name}={command}")]);
    }
    more.extend(args.iter().cloned());
    compare(root, &more)
}

/// Graphs beside DuckDB, Ladybug and PostgreSQL: a workspace of its own, which installs the first two from PyPI.
fn graph(root: &Path, args: &[String]) -> Outcome {
    let has_server = args.iter().any(|a| a == "--server");
    packages::ensure(packages::FOR_BENCH)?;
    if !has_server {
        process::run(process::cargo(root).args(["build", "--release", "--package", "wire"]))?;
    }
    let folder = root.join("bench").join("graph-peers");
    let mut command = process::cargo(&folder);
    command.args(["run", "--release", "--quiet", "--"]).args(args);
    if !has_server {
        command.arg("--server").arg(target(root).join("release").join("shockwave"));
    }
    process::run(&mut command)
}

fn target(root: &Path) -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |dir| root.join(dir))
}

fn compare(root: &Path, args: &[String]) -> Outcome {
    process::run(process::cargo(root).args(["build", "--release", "--package", "bench"]))?;
    let target = target(root);
    let bench = target.join("release").join("bench");
    let asks_for_help = args.iter().any(|a| a == "--help" || a == "-h");
    let has_server = args.iter().any(|a| a == "--server");
    if !asks_for_help {
        packages::ensure(packages::FOR_BENCH)?;
        if !has_server {
            process::run(process::cargo(root).args(["build", "--release", "--package", "wire"]))?;
        }
    }
    let mut command = std::process::Command::new(bench);
    command.args(args).current_dir(root);
    if !has_server {
        command.arg("--server").arg(target.join("release").join("shockwave"));
    }
    // Only `storage` draws; without a picture its page is whole all the same.
    if !asks_for_help && args.first().is_some_and(|a| a == "storage") {
        match python::ensure(root, python::FOR_PICTURES) {
            Ok(python) => drop(command.arg("--python").arg(python)),
            Err(reason) => eprintln!("no picture will be drawn: {reason}"),
        }
    }
    process::run(&mut command)
}
