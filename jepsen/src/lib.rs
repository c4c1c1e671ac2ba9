//! Faults against the ledger: simulated ones under the engine, repeatable from a seed, and a real `kill -9` loop against the server.
//!
//! J1: a simulated run draws everything (workload, faults, salts, keys, time, what a crash leaves) from its seed; the fault-free run of a seed,
//!     and any other run of it up to its fault, takes the same I/O steps and writes the same leaves.
//! J2: what is checked is told to clients, not looked up: rows from the model, leaves from the fault-free run, roots computed here, keys and
//!     checkpoints pinned before the fault.
//! Never: repairs what it finds; believes the engine's own count of anything.
//! Module order: dice, model, tables, sim, client, server, kill, isolation

pub mod dice;
pub mod model;
pub mod tables;

pub mod sim;

pub mod client;
pub mod server;

pub mod kill;

pub mod isolation;
