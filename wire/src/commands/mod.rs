//! The commands of the program, one a file.
//!
//! Never: decides what a server or a verifier does; asks the libraries and prints.

pub mod backup;
pub mod export;
pub mod fsck;
pub mod keys;
pub mod rebuild_folds;
pub mod restore;
pub mod rotate;
pub mod serve;
mod stopped;
pub mod verify;
pub mod witness;

use std::process::ExitCode;

/// Prints an error as psql would, and gives exit code 1.
pub fn failed(error: &dyn std::fmt::Display) -> ExitCode {
    eprintln!("ERROR:  {error}");
    ExitCode::from(1)
}
