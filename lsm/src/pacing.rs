//! How much writers are slowed while compaction is behind: smoothly, and before they would have to stop.
//!
//! Pure: pressure in, delay out. Never: sleeps.

use crate::options::Options;

/// Rate at which writers may go on when pressure begins, in bytes a second; it falls with the square of what is left of the way to the stop.
const RATE_BYTES_MAX: f64 = 256.0 * 1024.0 * 1024.0;
/// Rate just before the stop.
const RATE_BYTES_MIN: f64 = 1024.0 * 1024.0;

/// Time that writing `bytes` should take, in nanoseconds, with so many runs in level 0. 0 below `l0_runs_slow`.
pub(crate) fn delay_ns(options: &Options, l0_runs: usize, bytes: usize) -> u64 {
    if l0_runs < options.l0_runs_slow {
        return 0;
    }
    let way = options.l0_runs_stop.saturating_sub(options.l0_runs_slow).max(1) as f64;
    let left = (options.l0_runs_stop.saturating_sub(l0_runs) as f64 / way).clamp(0.0, 1.0);
    let rate = RATE_BYTES_MIN + (RATE_BYTES_MAX - RATE_BYTES_MIN) * left * left;
    (bytes as f64 / rate * 1e9) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_grow_smoothly() {
        let options = Options::default();
        assert_eq!(delay_ns(&options, options.l0_runs_slow - 1, 1 << 20), 0);
        let delays: Vec<u64> = (options.l0_runs_slow..=options.l0_runs_stop).map(|runs| delay_ns(&options, runs, 1 << 20)).collect();
        assert!(delays.is_sorted() && delays[0] > 1_000_000 && *delays.last().unwrap() == 1_000_000_000, "{delays:?}");
        assert!(delays.windows(2).all(|pair| pair[1] < pair[0] * 5), "no step is a stall: {delays:?}");
    }
}
