//! Behaviour of the log: what was acknowledged comes back, what cannot be trusted is refused by name.
#![allow(clippy::unwrap_used, reason = "tests")]
#![allow(clippy::disallowed_methods, reason = "tests damage files directly, as the world does")]

mod crash;
mod damage;
mod failure;
mod foreign;
mod golden;
mod journal;
mod mutation;
mod round_trip;
mod uring;
