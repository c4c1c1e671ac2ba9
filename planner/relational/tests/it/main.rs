//! Behaviour of the crate as its callers see it, over tables in memory.

#![allow(clippy::unwrap_used, reason = "tests")]

mod cancellation;
mod errors;
mod functions;
mod hidden_columns;
mod key_lookup;
mod memory;
mod naming;
mod output_types;
mod parameters;
mod postgres_semantics;
mod pruning;
mod queries;
mod spilling;
