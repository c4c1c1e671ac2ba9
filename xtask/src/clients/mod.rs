//! `cargo xtask clients`: the drivers, ORMs and programs that people use, against the server.
//!
//! Each is a program below `wire/tests/clients`. It is installed from its own registry in the version its lock file names, gets a server
//! with an empty database of its own through the PG* variables, and prints `ok CHECK` or `failed CHECK: why` for each of its checks.
//!
//! L1: a client passes if every check passed, or failed and stands in `not_yet.txt` with a reason; a check that did not run is a failure.
//! L2: a client whose programs are not there, and may not be installed, is skipped and says so.
//! L3: every program has a limit of time, and nothing it started outlives it.
//! Never: knows what a client checks; leaves a server running.

mod attempt;
pub(crate) mod install;
mod not_yet;
mod postgres;
mod programs;
mod server;
mod table;

use std::path::{Path, PathBuf};
use std::time::Instant;

use crate::process::{self, Outcome};
use crate::summary::Summary;
use install::Lacking;
use not_yet::NotYet;
use programs::CLIENTS;
use server::Kind;
use table::{Row, State};

/// Where things are.
pub struct Places {
    /// The clients' sources.
    sources: PathBuf,
    /// Where they are installed and the servers keep their data: below the build folder.
    installed: PathBuf,
}

impl Places {
    fn new(root: &Path) -> Result<Places, String> {
        let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |dir| root.join(dir));
        let installed = target.join("clients");
        std::fs::create_dir_all(&installed).map_err(|e| format!("{}: {e}", installed.display()))?;
        Ok(Places { sources: root.join("wire/tests/clients"), installed })
    }
}

/// `cargo xtask clients [--postgres | --server PATH] [CLIENT…]`.
pub fn run(root: &Path, args: &[String]) -> Outcome {
    let mut args = args.iter();
    let (mut kind, mut names) = (None, Vec::new());
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--postgres" => kind = Some(Kind::Postgres),
            "--server" => {
                kind = Some(Kind::Shockwave(args.next().map(PathBuf::from).ok_or("--server is followed by the path of a shockwave")?));
            }
            name if CLIENTS.iter().any(|client| client.name == name) => names.push(name),
            other => {
                let all: Vec<&str> = CLIENTS.iter().map(|client| client.name).collect();
                return Err(format!("there is no client `{other}`; there are: {}", all.join(", ")));
            }
        }
    }
    let kind = match kind {
        Some(kind) => kind,
        None => {
            // What `cargo test` builds too, so that neither builds the other's crates again.
            process::run(process::cargo(root).args(["test", "--workspace", "--test", "it", "--no-run", "--quiet"]))?;
            Kind::Shockwave(tested_binary(root))
        }
    };
    let summary = all(root, &kind, &names)?;
    println!("{summary}");
    if summary.failed == 0 { Ok(()) } else { Err(String::new()) }
}

/// Every client against the server that the tests before it built.
///
/// # Errors
/// What kept any client from being tried.
pub fn tested(root: &Path) -> Result<Summary, String> {
    all(root, &Kind::Shockwave(tested_binary(root)), &[])
}

fn tested_binary(root: &Path) -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |dir| root.join(dir));
    target.join("debug/shockwave")
}

/// Runs the named clients, or all if none is named, prints the table and counts each client as one test.
fn all(root: &Path, kind: &Kind, names: &[&str]) -> Result<Summary, String> {
    let places = Places::new(root)?;
    let not_yet = match kind {
        Kind::Postgres => NotYet::default(),
        Kind::Shockwave(_) => NotYet::read(&places.sources.join("not_yet.txt"))?,
    };
    let chosen: Vec<_> = CLIENTS.iter().filter(|client| names.is_empty() || names.contains(&client.name)).collect();
    let ready = install::all(&places, &chosen);
    let mut server = server::Servers::new(&places, kind)?;
    let mut rows = Vec::new();
    for client in chosen {
        let start = Instant::now();
        let result = match ready.get(&client.language) {
            Some(Err(Lacking::Program(reason))) => {
                rows.push(Row::skipped(client.name, reason));
                continue;
            }
            Some(Err(Lacking::Packages(reason))) => Err(format!("not installed: {reason}")),
            _ => server.open(client.name).and_then(|open| {
                let attempt = attempt::run(client, &places, &open.variables);
                open.close();
                attempt
            }),
        };
        rows.push(Row::of(client.name, result, &not_yet, start.elapsed()));
    }
    drop(server);
    println!("\n{}", table::print(&rows));
    let count = |state| rows.iter().filter(|row| row.state == state).count() as u64;
    Ok(Summary { passed: count(State::Passed), failed: count(State::Failed), ignored: count(State::Skipped), ..Summary::default() })
}
