//! The project's own tasks, run as `cargo xtask <task>`.
//!
//! X1: no dependency but the standard library, so that the first task of a clean clone starts after seconds.
//! X2: a task that fails ends with a non-zero status and says what failed, last.
//! Never: changes a tracked file; reads the network (Cargo, apt-get and the clients' package managers may).
#![allow(clippy::disallowed_methods, reason = "a task runner measures wall time and runs processes; nothing here is simulated")]

mod bench;
mod ci;
mod clients;
mod fuzz;
mod packages;
mod process;
mod python;
mod summary;
mod test;
mod tidy;
mod verifiers;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

const USAGE: &str = "\
Usage: cargo xtask <task>

Tasks:
  test [args]    run every test of the workspace, the clients and the verifiers, and end with `N passed, N failed`; args go to `cargo test`
  verifiers      the verifiers of `verifiers/` in other languages, over the shared vectors
  clients        the drivers and programs of `wire/tests/clients` against the server; [--postgres | --server PATH] [CLIENT…]
  ci             what continuous integration runs: fmt, tidy, clippy, doc, test, verifiers, clients; a table of times, then the test summary
  tidy           rules no compiler checks: arrows between crates and modules, file headers, links, versions
  bench [args]   the comparison with a real PostgreSQL, in a release build; `cargo xtask bench --help` lists the args
  bench graph    graphs beside DuckDB, Ladybug and PostgreSQL; `--scale S`, `--rounds N`, folders of LSQB's files
  bench pieces   the Criterion benches of the inner pieces (`bench pieces --copy`: of COPY parsing); further args go to Criterion
  fuzz           list the fuzz targets
  fuzz NAME      run one of them (needs cargo-fuzz and a nightly toolchain); further args go to `cargo fuzz run`

Exit status: 0 all well, 1 something failed, 2 not understood.";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let (task, rest) = match args.split_first() {
        Some((task, rest)) => (task.as_str(), rest),
        None => ("help", args.as_slice()),
    };
    let root = root();
    let outcome = match task {
        "test" => test::run(&root, rest),
        "ci" => ci::run(&root),
        "clients" => clients::run(&root, rest),
        "verifiers" => verifiers::run(&root),
        "tidy" => tidy::run(&root),
        "bench" => bench::run(&root, rest),
        "fuzz" => fuzz::run(&root, rest),
        "help" | "--help" | "-h" => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        unknown => {
            eprintln!("xtask: there is no task `{unknown}`\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            if !reason.is_empty() {
                eprintln!("xtask {task}: {reason}");
            }
            ExitCode::FAILURE
        }
    }
}

/// The folder of the workspace: the parent of this crate's, wherever the command was started.
fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}
