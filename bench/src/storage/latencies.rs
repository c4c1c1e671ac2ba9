//! How long single transactions take, from pgbench's own log of each.

use std::time::Duration;

use crate::Outcome;
use crate::client::Client;

/// Of all transactions of a run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Latencies {
    /// Half took no longer.
    pub p50_ms: f64,
    /// All but a hundredth took no longer.
    pub p99_ms: f64,
}

/// Runs a script from one client.
///
/// # Errors
/// pgbench's own, or a log that cannot be read.
pub fn measure(client: &Client, script: &str, time: Duration) -> Outcome<Latencies> {
    let prefix = client.folder.join("latencies");
    client.pgbench_of(&[(script, 1)], 1, time, 1, &["-l", &format!("--log-prefix={}", prefix.display())])?;
    let mut log = String::new();
    for entry in std::fs::read_dir(&client.folder).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with("latencies.") {
            log += &std::fs::read_to_string(entry.path()).map_err(|e| format!("{}: {e}", entry.path().display()))?;
            // The next run has a file of another name, beside this one.
            std::fs::remove_file(entry.path()).map_err(|e| format!("{}: {e}", entry.path().display()))?;
        }
    }
    of(&log).ok_or_else(|| "pgbench logged no transaction".to_owned())
}

/// A line a transaction: client, number, microseconds, …
fn of(log: &str) -> Option<Latencies> {
    let mut times: Vec<u64> = log.lines().filter_map(|line| line.split(' ').nth(2)?.parse().ok()).collect();
    times.sort_unstable();
    let at = |percent: usize| times.get((times.len() * percent / 100).min(times.len().checked_sub(1)?)).map(|us| *us as f64 / 1000.0);
    Some(Latencies { p50_ms: at(50)?, p99_ms: at(99)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_and_the_slow_end_are_found() {
        let log: String = (1..=200).rev().map(|us| format!("0 {us} {us} 0 1795000000 1234\n")).collect();
        assert_eq!(of(&log), Some(Latencies { p50_ms: 0.101, p99_ms: 0.199 }));
        assert_eq!(of(""), None);
    }
}
