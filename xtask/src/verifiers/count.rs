//! Reads what the test runners of other languages say of one test.

/// How a test ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// It holds.
    Passed,
    /// It does not.
    Failed,
    /// It could not be tried.
    Skipped,
}

/// A line of `go test -v`: `--- PASS: TestVectors/valid-row (0.00s)`. A test of subtests counts too; seeds of a fuzz target count as that one.
pub fn go(line: &str) -> Option<(Ended, &str)> {
    let rest = line.trim_start().strip_prefix("--- ")?;
    let (word, rest) = rest.split_once(": ")?;
    let ended = match word {
        "PASS" => Ended::Passed,
        "FAIL" => Ended::Failed,
        "SKIP" => Ended::Skipped,
        _ => return None,
    };
    let name = rest.split(" (").next().unwrap_or(rest);
    (!name.contains("/seed#")).then_some((ended, name))
}

/// A line of `python -m unittest -v`: `test_row (tests.test_vectors.Vectors.test_row) ... ok`.
pub fn python(line: &str) -> Option<(Ended, &str)> {
    let (name, result) = line.rsplit_once(" ... ")?;
    let ended = match result.split(' ').next()? {
        "ok" => Ended::Passed,
        "FAIL" | "ERROR" => Ended::Failed,
        "skipped" => Ended::Skipped,
        _ => return None,
    };
    Some((ended, name))
}

/// A line of Node's TAP: `ok 3 - valid-row`, `not ok 4 - …`, `ok 5 - … # SKIP why`.
pub fn node(line: &str) -> Option<(Ended, &str)> {
    let (is_ok, rest) = match line.strip_prefix("ok ") {
        Some(rest) => (true, rest),
        None => (false, line.strip_prefix("not ok ")?),
    };
    let (_, name) = rest.split_once(" - ")?;
    Some(match (is_ok, name.split_once(" # SKIP")) {
        (_, Some((name, _))) => (Ended::Skipped, name),
        (true, None) => (Ended::Passed, name),
        (false, None) => (Ended::Failed, name),
    })
}

#[cfg(test)]
mod tests {
    use super::{Ended, go, node, python};

    #[test]
    fn lines_of_each_runner() {
        assert_eq!(go("    --- PASS: TestVectors/valid-row (0.00s)"), Some((Ended::Passed, "TestVectors/valid-row")));
        assert_eq!(go("--- FAIL: TestVectors (0.10s)"), Some((Ended::Failed, "TestVectors")));
        assert_eq!(go("    --- PASS: FuzzReceipt/seed#12 (0.00s)"), None);
        assert_eq!(go("=== RUN   TestVectors"), None);
        assert_eq!(python("test_a (tests.A.test_a) ... ok"), Some((Ended::Passed, "test_a (tests.A.test_a)")));
        assert_eq!(python("test_a (tests.A.test_a) ... ERROR"), Some((Ended::Failed, "test_a (tests.A.test_a)")));
        assert_eq!(python("test_a (tests.A.test_a) ... skipped 'no file'"), Some((Ended::Skipped, "test_a (tests.A.test_a)")));
        assert_eq!(python("Ran 3 tests in 1.0s"), None);
        assert_eq!(node("ok 3 - valid-row"), Some((Ended::Passed, "valid-row")));
        assert_eq!(node("not ok 4 - valid - row"), Some((Ended::Failed, "valid - row")));
        assert_eq!(node("ok 5 - mutations # SKIP no file"), Some((Ended::Skipped, "mutations")));
        assert_eq!(node("1..302"), None);
    }
}
