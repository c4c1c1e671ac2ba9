//! `shockwave keys show`: the public keys of a data folder's ledgers.
//!
//! Never: prints a private key; writes anything.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use base::{RealIo, SqlError, SqlResult, SqlState};
use engine::identity::LedgerIdentity;
use engine::signer::{KEY_FILE, read_keys};
use receipts::{Keys, Policy};

use super::failed;
use crate::cli::KeysShow;

/// Prints the keys, or a policy file that pins them.
pub fn show(arguments: &KeysShow) -> ExitCode {
    match ledgers(&arguments.data_dir, arguments.database.as_deref()) {
        Ok(ledgers) if arguments.policy => print_policy(&ledgers),
        Ok(ledgers) => {
            ledgers.iter().for_each(print_keys);
            ExitCode::SUCCESS
        }
        Err(error) => failed(&error),
    }
}

/// One ledger of a data folder.
struct LedgerKeys {
    database: String,
    folder: PathBuf,
    keys: Keys,
}

fn ledgers(data_dir: &Path, only: Option<&str>) -> SqlResult<Vec<LedgerKeys>> {
    let parent = data_dir.join("ledgers");
    let entries = fs::read_dir(&parent)
        .map_err(|error| SqlError::new(SqlState::IO_ERROR, format!("\"{}\" is not a data folder: {error}", data_dir.display())))?;
    let mut folders: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    folders.sort();
    let mut found = Vec::new();
    for folder in folders {
        let Some(identity) = LedgerIdentity::read(&RealIo, &folder)? else { continue };
        if only.is_none_or(|name| name == identity.database) {
            found.push(LedgerKeys { keys: read_keys(&RealIo, &folder)?, database: identity.database, folder });
        }
    }
    match (found.is_empty(), only) {
        (false, _) => Ok(found),
        (true, Some(name)) => Err(SqlError::new(SqlState::INVALID_CATALOG_NAME, format!("database \"{name}\" does not exist"))),
        (true, None) => Err(SqlError::new(SqlState::INVALID_CATALOG_NAME, format!("there is no database in \"{}\"", data_dir.display()))),
    }
}

fn print_keys(ledger: &LedgerKeys) {
    println!("database      {}", ledger.database);
    println!("origin        {}", ledger.keys.origin());
    for key in ledger.keys.verifiers() {
        println!("verifier key  {key}");
    }
    println!("private keys  {}  (keep it; whoever has it can sign for this ledger)", ledger.folder.join(KEY_FILE).display());
}

fn print_policy(ledgers: &[LedgerKeys]) -> ExitCode {
    let keys: Vec<_> = ledgers.iter().flat_map(|ledger| ledger.keys.verifiers()).collect();
    print!("{}", Policy::text_of_logs(&keys));
    ExitCode::SUCCESS
}
