//! Behaviour of the tree: it answers as a sorted map of all versions would, whatever the disk does, or says what is wrong.
#![allow(clippy::unwrap_used, reason = "tests")]
#![allow(clippy::disallowed_methods, reason = "tests look at files directly, as the world does")]

mod basics;
mod crash;
mod damage;
mod failure;
mod golden;
mod ingest;
mod levels;
mod model;
mod mutation;
mod random;
mod snapshots;
mod threads;
