//! `shockwave keys rotate`: new keys for a database that no server has open.
//!
//! Never: prints a private key.

use std::process::ExitCode;

use base::{CommitSeq, SqlError, SqlResult, SqlState};
use engine::{Options, Server};

use super::failed;
use crate::cli::KeysRotate;

/// Replaces the keys and says what to pin.
pub fn run(arguments: &KeysRotate) -> ExitCode {
    match rotate(arguments) {
        Ok((seq, keys)) => {
            println!("replaced by commit {seq}");
            keys.iter().for_each(|key| println!("verifier key  {key}"));
            ExitCode::SUCCESS
        }
        Err(error) => failed(&error),
    }
}

fn rotate(arguments: &KeysRotate) -> SqlResult<(CommitSeq, Vec<String>)> {
    if !arguments.data_dir.join("ledgers").is_dir() {
        return Err(SqlError::new(SqlState::IO_ERROR, format!("\"{}\" is not a data folder", arguments.data_dir.display())));
    }
    let server = Server::open(&arguments.data_dir, Options::real())?;
    let ledger = server
        .ledger(&arguments.database)
        .ok_or_else(|| SqlError::new(SqlState::INVALID_CATALOG_NAME, format!("database \"{}\" does not exist", arguments.database)));
    let rotated = ledger.and_then(|ledger| Ok((ledger.rotate_keys()?, ledger.verifier_keys())));
    // What the log holds is sealed here, under the new keys.
    server.shutdown()?;
    rotated
}
