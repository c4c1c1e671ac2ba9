//! `cargo xtask ci`: what must hold before a change is taken, cheap checks first.
//!
//! C1: it stops at the first step that fails, with a non-zero status and the step's name.
//! C2: once the tests have run, the very last line is their summary.
//! C3: tests and clippy share the dev profile; nothing is built for release.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::process::{self, Outcome};
use crate::summary::Summary;
use crate::{clients, packages, python, test, tidy, verifiers};

/// Steps that have run: name, time, and whether they passed.
#[derive(Default)]
struct Steps(Vec<(&'static str, Duration, bool)>);

impl Steps {
    /// Runs one step and notes its time; on failure prints the table and what failed.
    fn run<T>(&mut self, name: &'static str, step: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
        eprintln!("\n=== {name}");
        let start = Instant::now();
        let outcome = step();
        self.0.push((name, start.elapsed(), outcome.is_ok()));
        outcome.map_err(|reason| {
            println!("\n{}", self.table());
            let reason = if reason.is_empty() { String::from("see above") } else { reason };
            format!("step `{name}` failed: {reason}")
        })
    }

    fn table(&self) -> String {
        let total: Duration = self.0.iter().map(|(_, time, _)| *time).sum();
        let row = |name: &str, time: Duration, state: &str| format!("{name:<10} {:>8.1} s  {state}\n", time.as_secs_f64());
        let mut table: String =
            self.0.iter().map(|(name, time, passed)| row(name, *time, if *passed { "passed" } else { "FAILED" })).collect();
        table.push_str(&row("total", total, ""));
        table.lines().map(|line| line.trim_end().to_owned() + "\n").collect()
    }
}

/// Runs all steps.
pub fn run(root: &Path) -> Outcome {
    let mut steps = Steps::default();
    let python = steps.run("programs", || packages::ensure(packages::FOR_TESTS).and_then(|()| python::ensure(root, python::FOR_TESTS)))?;
    steps.run("fmt", || process::run(process::cargo(root).args(["fmt", "--all", "--", "--check"])))?;
    steps.run("tidy", || tidy::run(root))?;
    steps.run("clippy", || {
        process::run(process::cargo(root).args(["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"]))
    })?;
    // Apart, because Criterion turns on a feature that would build everything below the planner twice; see bench/Cargo.toml.
    steps.run("pieces", || {
        process::run(process::cargo(root).args([
            "clippy",
            "--package",
            "bench",
            "--features",
            "pieces",
            "--benches",
            "--locked",
            "--",
            "-D",
            "warnings",
        ]))
    })?;
    steps.run("doc", || {
        process::run(process::cargo(root).args(["doc", "--workspace", "--no-deps", "--locked"]).env("RUSTDOCFLAGS", "-D warnings"))
    })?;
    let mut summary = Summary::default();
    let tested = steps.run("test", || {
        summary = test::workspace(root, &["--locked".to_owned()], Some(&python))?;
        if summary.failed == 0 { Ok(()) } else { Err(summary.to_string()) }
    });
    let tested = tested.and_then(|()| {
        steps.run("verifiers", || {
            let verifiers = verifiers::tested(root)?;
            summary.add(verifiers);
            let lacking = verifiers.failed + verifiers.ignored;
            if lacking == 0 { Ok(()) } else { Err(format!("{lacking} tests of verifiers failed, or could not be tried")) }
        })
    });
    let tested = tested.and_then(|()| {
        steps.run("clients", || {
            let clients = clients::tested(root)?;
            summary.add(clients);
            let lacking = clients.failed + clients.ignored;
            if lacking == 0 { Ok(()) } else { Err(format!("{lacking} clients failed or could not be tried")) }
        })
    });
    match tested {
        Ok(()) => println!("\n{}", steps.table()),
        Err(reason) => println!("{reason}"),
    }
    println!("{summary}");
    if summary.failed == 0 { Ok(()) } else { Err(String::new()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failing_step_is_named_and_stops_the_run() {
        let mut steps = Steps::default();
        assert_eq!(steps.run("first", || Ok(7)), Ok(7));
        let failed = steps.run("second", || Err::<(), _>("it broke".to_owned()));
        assert_eq!(failed, Err("step `second` failed: it broke".to_owned()));
        let table = steps.table();
        assert!(table.contains("first") && table.contains("FAILED") && table.contains("total"), "{table}");
    }
}
