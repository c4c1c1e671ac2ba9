//! Behaviour of the doors to disk, time and randomness, real and simulated.
#![allow(clippy::unwrap_used, reason = "tests")]

mod contract;
mod doors;
mod faults;
