//! `cargo xtask test`: every test of the workspace, and one line that says how it went.
//!
//! T1: the last line of a run is the summary, whether it passed or failed.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;

use crate::process::{self, Outcome};
use crate::summary::Summary;
use crate::{clients, packages, python, verifiers};

/// Runs the tests, then verifiers and clients; `args` go to `cargo test`, and with any only Cargo's tests run.
pub fn run(root: &Path, args: &[String]) -> Outcome {
    let programs = packages::ensure(packages::FOR_TESTS);
    let python = python::ensure(root, python::FOR_TESTS);
    let notices: Vec<&String> = programs.as_ref().err().into_iter().chain(python.as_ref().err()).collect();
    notices.iter().for_each(|notice| eprintln!("notice: {notice}"));
    let mut summary = workspace(root, args, python.as_deref().ok())?;
    // Arguments choose among Cargo's tests.
    if args.is_empty() {
        summary.add(verifiers::tested(root)?);
        summary.add(clients::tested(root)?);
    }
    notices.iter().for_each(|notice| println!("tests that need it were skipped: {notice}"));
    println!("{summary}");
    if summary.failed == 0 { Ok(()) } else { Err(String::new()) }
}

/// Runs `cargo test --workspace`, shows its output and counts. Goes on after a failing binary. Tests that read files with Python
/// take the interpreter from [`python::VARIABLE`].
///
/// # Errors
/// Only if Cargo cannot be started; failing tests are in the summary.
pub fn workspace(root: &Path, args: &[String], python: Option<&Path>) -> Result<Summary, String> {
    let mut command = process::cargo(root);
    if let Some(python) = python {
        command.env(python::VARIABLE, python);
    }
    command.args(["test", "--workspace", "--no-fail-fast"]).args(args).stdout(Stdio::piped());
    eprintln!("$ {}", process::line(&command));
    let mut child = command.spawn().map_err(|e| format!("cannot start cargo: {e}"))?;
    let mut summary = Summary::default();
    if let Some(stdout) = child.stdout.take() {
        let mut reader = BufReader::new(stdout);
        let mut line = Vec::new();
        // Bytes, not text: a test may print anything.
        while reader.read_until(b'\n', &mut line).is_ok_and(|n| n > 0) {
            let text = String::from_utf8_lossy(&line);
            print!("{text}");
            summary.take(text.trim_end());
            line.clear();
        }
    }
    let status = child.wait().map_err(|e| format!("cannot wait for cargo: {e}"))?;
    let summary = summary.finish(status.success());
    println!("\n{} test binaries, {} ignored", summary.binaries, summary.ignored);
    Ok(summary)
}
