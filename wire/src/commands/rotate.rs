//! `shockwave keys rotate`: new keys for a database that no server has open.
//!
//! Never: prints a private key.

use std::process::ExitCode;

use base::{CommitSeq, SqlResult};

use super::{failed, stopped};
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
    // What the log holds is sealed at the folder's close, under the new keys.
    stopped::with_ledger(&arguments.data_dir, &arguments.database, |ledger| Ok((ledger.rotate_keys()?, ledger.verifier_keys())))
}
