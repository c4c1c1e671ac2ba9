//! `shockwave export`: a ledger's log and rows into a folder that is verified without it.
//!
//! Never: runs beside a server on the same folder (its lock refuses).

use std::process::ExitCode;

use base::SqlResult;
use engine::export::Exported;

use super::{failed, stopped};
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
    stopped::with_ledger(&arguments.data_dir, &arguments.database, |ledger| {
        ledger.export(&arguments.folder, arguments.first, arguments.end)
    })
}
