//! The only door to randomness: ChaCha12 seeded by the operating system, and the same generator seeded by a test.
//!
//! R1: `OsRng` output is fit for salts and keys: a 256-bit seed from the kernel for every thread, never shared, never written anywhere.
//! R2: `SeededRng` gives the same bytes for the same seed and sequence of calls, on every machine, for ever.
//! Never: falls back to a weaker source; without the kernel's entropy the process stops.

use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use std::cell::RefCell;
use std::fmt::{self, Debug};
use std::sync::{Mutex, PoisonError};

/// A source of random bytes, callable from any thread.
pub trait Rng: Send + Sync + Debug {
    /// Fills `bytes`.
    fn fill(&self, bytes: &mut [u8]);

    /// A uniform `u64`.
    fn next_u64(&self) -> u64 {
        let mut bytes = [0; 8];
        self.fill(&mut bytes);
        u64::from_le_bytes(bytes)
    }
}

/// Cryptographic randomness: one ChaCha12 a thread, seeded by the kernel at the thread's first use (R1).
#[derive(Clone, Copy, Debug, Default)]
pub struct OsRng;

thread_local! {
    static GENERATOR: RefCell<ChaCha12Rng> = RefCell::new(from_kernel());
}

fn from_kernel() -> ChaCha12Rng {
    let mut seed = [0; 32];
    if let Err(error) = getrandom::fill(&mut seed) {
        panic!("R1: the operating system gives no randomness: {error}");
    }
    ChaCha12Rng::from_seed(seed)
}

impl Rng for OsRng {
    fn fill(&self, bytes: &mut [u8]) {
        GENERATOR.with_borrow_mut(|generator| generator.fill_bytes(bytes));
    }
}

/// Repeatable randomness for simulation and tests (R2). Not for salts or keys of real data.
pub struct SeededRng(Mutex<ChaCha12Rng>);

impl SeededRng {
    /// The generator that `seed` names.
    pub fn new(seed: u64) -> Self {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        Self(Mutex::new(ChaCha12Rng::from_seed(key)))
    }
}

impl Rng for SeededRng {
    fn fill(&self, bytes: &mut [u8]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(bytes);
    }
}

impl Debug for SeededRng {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SeededRng")
    }
}
