//! `shockwave rebuild-folds`: has what is derived made anew.
//!
//! Never: changes a ledger.

use std::process::ExitCode;

use engine::{Memory, Options, Server};

use super::failed;
use crate::cli::RebuildFolds;

/// Makes the folds of all databases of a folder anew.
pub fn run(arguments: &RebuildFolds) -> ExitCode {
    let options = Options { memory: Memory::of_machine(), ..planner::engine_options() };
    match Server::rebuild_folds(&arguments.data_dir, options) {
        Ok(databases) => {
            super::serve::say(&format!("made anew: {}", databases.join(", ")));
            ExitCode::SUCCESS
        }
        Err(error) => failed(&error),
    }
}
