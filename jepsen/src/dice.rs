//! Draws of a seed: what the workload does next and where the fault strikes.
//!
//! Never: shares its generator with the engine, whose draws must not move when the workload's do.

use base::{Rng, SeededRng};

/// A stream of draws named by a seed and a purpose.
#[derive(Debug)]
pub struct Dice(SeededRng);

impl Dice {
    /// The stream for `purpose` of `seed`; streams of one seed are independent.
    pub fn new(seed: u64, purpose: u64) -> Self {
        Self(SeededRng::new(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(17) ^ purpose.wrapping_mul(0xd1b5_4a32_d192_ed03)))
    }

    /// Uniform in `[0, bound)`; 0 for a bound of 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        if bound == 0 { 0 } else { self.0.next_u64() % bound }
    }

    /// True in `percent` of a hundred draws.
    pub fn percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// One of `items`, which must not be empty.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len() as u64) as usize]
    }

    /// A fresh seed.
    pub fn seed(&mut self) -> u64 {
        self.0.next_u64()
    }
}
