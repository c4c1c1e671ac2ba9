//! The data folder of a stopped server, opened for one command.
//!
//! Never: opens a folder beside a running server (its lock refuses); makes a data folder where there is none.

use std::path::Path;
use std::sync::Arc;

use base::{SqlError, SqlResult, SqlState};
use engine::{Ledger, Server};

/// Opens a folder that is one already. Errors: 58030 where it is not, 55000 where a server has it open.
pub fn open(data_dir: &Path) -> SqlResult<Server> {
    if !data_dir.join("ledgers").is_dir() {
        return Err(SqlError::new(SqlState::IO_ERROR, format!("\"{}\" is not a data folder", data_dir.display())));
    }
    Server::open(data_dir, planner::engine_options())
}

/// Does something with one database, then closes the folder, which seals what the log holds. Errors: [`open`]'s, 3D000, the call's.
pub fn with_ledger<T>(data_dir: &Path, database: &str, call: impl FnOnce(&Arc<Ledger>) -> SqlResult<T>) -> SqlResult<T> {
    let server = open(data_dir)?;
    let ledger = server
        .ledger(database)
        .ok_or_else(|| SqlError::new(SqlState::INVALID_CATALOG_NAME, format!("database \"{database}\" does not exist")));
    let done = ledger.and_then(|ledger| call(&ledger));
    server.shutdown()?;
    done
}
