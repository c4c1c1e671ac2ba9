//! Sessions that append to lists and read them, at random, while the server is killed; the history is then searched for cycles.
//!
//! An element is appended once in a whole run and a list only grows, so that a list that was read says whose writes its reader saw, in which order
//! they came, and whose it did not see (after Elle: Kingsbury and Alvaro, VLDB 2020).
//!
//! P1: every transaction is in the history once, with all that it was answered, and as committed only if COMMIT was acknowledged.
//! P2: what a level promises is judged from the history alone ([`judge`]).
//! Never: runs a transaction again; its second run is another transaction.

mod dependencies;
mod history;
mod judge;
mod workload;

#[cfg(test)]
mod tests;

pub use history::{End, History, Step, Transaction};
pub use judge::{Level, Verdict, judge};
pub use workload::{Plan, record};
