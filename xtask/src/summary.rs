//! Adds up what `cargo test` says about every test binary it ran.
//!
//! S1: the final line is `N passed, N failed`, alone on its line.
//! S2: a run whose process failed never reports zero failures: a crashed or uncompiled test binary counts as one.

use std::fmt;

/// Tests counted over all binaries.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Summary {
    /// Tests that ran and passed.
    pub passed: u64,
    /// Tests that ran and failed, and binaries that did not end by themselves.
    pub failed: u64,
    /// Tests marked `#[ignore]`.
    pub ignored: u64,
    /// Binaries, and crates' documentation, that reported a result.
    pub binaries: u64,
}

impl Summary {
    /// Takes one line of `cargo test`'s output; lines that are no result are passed over.
    pub fn take(&mut self, line: &str) {
        let Some(counts) = line.strip_prefix("test result: ") else { return };
        self.binaries += 1;
        for part in counts.split([';', '.']) {
            let mut words = part.split_whitespace();
            let (Some(number), Some(what)) = (words.next().and_then(|n| n.parse::<u64>().ok()), words.next()) else { continue };
            match what {
                "passed" => self.passed += number,
                "failed" => self.failed += number,
                "ignored" => self.ignored += number,
                _ => {}
            }
        }
    }

    /// Adds another run's counts.
    pub fn add(&mut self, other: Summary) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.ignored += other.ignored;
        self.binaries += other.binaries;
    }

    /// Takes the exit status of the whole run.
    pub fn finish(mut self, success: bool) -> Summary {
        if !success && self.failed == 0 {
            self.failed = 1;
        }
        assert!(success || self.failed > 0, "S2: a failed run must count a failure");
        self
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(lines: &[&str]) -> Summary {
        let mut summary = Summary::default();
        lines.iter().for_each(|line| summary.take(line));
        summary
    }

    #[test]
    fn results_of_several_binaries_add_up() {
        let summary = sum(&[
            "running 3 tests",
            "test a ... ok",
            "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s",
            "test result: FAILED. 4 passed; 2 failed; 0 ignored; 0 measured; 5 filtered out; finished in 1.20s",
        ]);
        assert_eq!(summary, Summary { passed: 7, failed: 2, ignored: 1, binaries: 2 });
        assert_eq!(summary.to_string(), "7 passed, 2 failed");
    }

    #[test]
    fn a_crashed_binary_counts_as_a_failure() {
        let summary = sum(&["test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s"]);
        assert_eq!(summary.finish(false).to_string(), "3 passed, 1 failed");
        assert_eq!(summary.finish(true).to_string(), "3 passed, 0 failed");
    }

    #[test]
    fn a_line_that_only_mentions_a_result_is_passed_over() {
        assert_eq!(sum(&["a log line: test result: ok. 9 passed"]), Summary::default());
    }
}
