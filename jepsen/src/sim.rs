//! Simulation: a seed's workload on a simulated disk, with faults at any of its I/O steps.
//!
//! Never: lets the background sealer decide anything before a fault: log files are large enough that only explicit seals happen.

pub mod campaign;
pub mod databases;
pub mod driver;
pub mod evidence;
pub mod faults;
pub mod group;
pub mod recovery;
pub mod rot;
pub mod statements;
pub mod world;
