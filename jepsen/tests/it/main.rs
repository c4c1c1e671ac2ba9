//! Simulated faults over a bounded number of seeds, a file per behaviour.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests")]

mod databases;
mod determinism;
mod isolation;
mod seeds;
