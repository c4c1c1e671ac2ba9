//! How many transactions each second of a long run had.

use std::time::Duration;

use crate::Outcome;
use crate::client::Client;
use crate::figures;

/// Transactions of each second, in order.
#[derive(Debug, Clone, PartialEq)]
pub struct Pace(pub Vec<f64>);

impl Pace {
    /// Of the middle second.
    pub fn median(&self) -> f64 {
        figures::median(&self.0).unwrap_or_default()
    }

    /// Of the slowest second.
    pub fn slowest(&self) -> f64 {
        self.0.iter().copied().fold(f64::INFINITY, f64::min)
    }
}

/// Runs scripts with their weights.
///
/// # Errors
/// pgbench's own, or a failed transaction.
pub fn measure(client: &Client, scripts: &[(&str, u32)], clients: u32, time: Duration) -> Outcome<Pace> {
    let finished = client.pgbench_of(scripts, clients, time, 1, &["-P", "1"])?;
    if !finished.stdout.contains("number of failed transactions: 0 ") {
        return Err(format!("pgbench had failed transactions: {}", finished.stdout));
    }
    let pace = of(&finished.stderr);
    if pace.0.is_empty() { Err(format!("pgbench told no progress: {}", finished.stderr)) } else { Ok(pace) }
}

/// Lines as `progress: 12.0 s, 3456.7 tps, lat 0.281 ms stddev 0.042, 0 failed`.
fn of(printed: &str) -> Pace {
    let tps = |line: &str| line.strip_prefix("progress: ")?.split(", ").nth(1)?.strip_suffix(" tps")?.parse().ok();
    Pace(printed.lines().filter_map(tps).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_read_from_what_pgbench_prints() {
        let printed = "pgbench (15)\nprogress: 1.0 s, 3000.5 tps, lat 0.2 ms stddev 0.0, 0 failed\n\
                       progress: 2.0 s, 1000.0 tps, lat 0.2 ms stddev 0.0, 0 failed\nprogress: 3.0 s, 2000.0 tps, lat 1 ms stddev 0.0, 0 failed\n";
        let pace = of(printed);
        assert_eq!(pace, Pace(vec![3000.5, 1000.0, 2000.0]));
        assert_eq!((pace.median(), pace.slowest()), (2000.0, 1000.0));
    }
}
