//! `shockwave export`: a ledger's log and rows into a folder that is verified without it.
//!
//! Never: runs beside a server on the same folder (its lock refuses).

use std::process::ExitCode;

use base::{SqlError, SqlResult, SqlState};
use engine::export::Exported;
use engine::{Options, Server};

use super::failed;
use crate::cli::Export;

/// Writes the export and says what is in it.
pub fn run(arguments: &Export) -> ExitCode {
    match export(arguments) {
        Ok(Exported { size, first, end, rows }) => {
            println!("{}: {size} leaves, {rows} rows of commits {first} to {}", arguments.folder.display(), end - 1);
            ExitCode::SUCCESS
        }
        Err(error) => failed(&error),
    }
}

fn export(arguments: &Export) -> SqlResult<Exported> {
    if !arguments.data_dir.join("ledgers").is_dir() {
        return Err(SqlError::new(SqlState::IO_ERROR, format!("\"{}\" is not a data folder", arguments.data_dir.display())));
    }
    let server = Server::open(&arguments.data_dir, Options::real())?;
    let ledger = server
        .ledger(&arguments.database)
        .ok_or_else(|| SqlError::new(SqlState::INVALID_CATALOG_NAME, format!("database \"{}\" does not exist", arguments.database)));
    let exported = ledger.and_then(|ledger| ledger.export(&arguments.folder, arguments.first, arguments.end));
    server.shutdown()?;
    exported
}
