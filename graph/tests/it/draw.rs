//! Numbers drawn from a seed.

use base::{Rng, SeededRng};

/// A generator that a test replays from its seed.
pub struct Draw(SeededRng);

impl Draw {
    pub fn new(seed: u64) -> Self {
        Self(SeededRng::new(seed))
    }

    /// Below `end`, which is not 0.
    pub fn below(&self, end: usize) -> usize {
        (self.0.next_u64() % end as u64) as usize
    }

    /// True `per_cent` times of a hundred.
    pub fn chance(&self, per_cent: usize) -> bool {
        self.below(100) < per_cent
    }
}

/// The seeds a property test runs: `SHOCKWAVE_SEEDS=100..200`, or the given number from 0.
pub fn seeds(count: u64) -> std::ops::Range<u64> {
    let given = std::env::var("SHOCKWAVE_SEEDS").ok();
    let ends = given.as_deref().and_then(|text| text.split_once(".."));
    ends.map_or(0..count, |(first, end)| first.parse().unwrap()..end.parse().unwrap())
}
