//! Simulated faults over a bounded number of seeds, a file per behaviour.
#![allow(clippy::unwrap_used, reason = "tests")]

mod databases;
mod determinism;
mod isolation;
mod seeds;
