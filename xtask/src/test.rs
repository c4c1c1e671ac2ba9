//! `cargo xtask test`: every test of the workspace, and one line that says how it went.
//!
//! T1: the last line of a run is the summary, whether it passed or failed.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;

use crate::packages;
use crate::process::{self, Outcome};
use crate::summary::Summary;

/// Runs the tests; `args` go to `cargo test`.
pub fn run(root: &Path, args: &[String]) -> Outcome {
    let notice = packages::ensure(packages::FOR_TESTS).err();
    if let Some(notice) = &notice {
        eprintln!("notice: {notice}");
    }
    let summary = workspace(root, args)?;
    if let Some(notice) = notice {
        println!("tests that need it were skipped: {notice}");
    }
    println!("{summary}");
    if summary.failed == 0 { Ok(()) } else { Err(String::new()) }
}

/// Runs `cargo test --workspace`, shows its output and counts. Goes on after a failing binary.
///
/// # Errors
/// Only if Cargo cannot be started; failing tests are in the summary.
pub fn workspace(root: &Path, args: &[String]) -> Result<Summary, String> {
    let mut command = process::cargo(root);
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
