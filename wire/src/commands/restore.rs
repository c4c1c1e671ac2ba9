//! `shockwave restore`: lays a data folder out of a backup, or says whether one could be.
//!
//! Never: writes into the backup; serves what it laid.

use std::process::ExitCode;

use base::SqlResult;
use engine::restore::{Found, Request, Restored, check, restore};

use super::{failed, serve};
use crate::cli::Restore;

/// Restores, or checks, and says what.
pub fn run(arguments: &Restore) -> ExitCode {
    match lines(arguments) {
        Ok(lines) => {
            serve::say(&lines.join("\n"));
            ExitCode::SUCCESS
        }
        Err(error) => failed(&error),
    }
}

fn lines(arguments: &Restore) -> SqlResult<Vec<String>> {
    let options = planner::engine_options();
    let Some(to) = &arguments.data_dir else {
        return Ok(check(&options, &arguments.from)?.iter().map(whole).collect());
    };
    let request = Request {
        from: &arguments.from,
        to,
        database: arguments.database.as_deref(),
        to_commit: arguments.to_commit,
        keys: arguments.keys.as_deref(),
    };
    let mut lines: Vec<String> = restore(&options, &request)?.iter().map(restored).collect();
    lines.push(format!("shockwave verify fsck {} --policy POLICY   checks it", to.display()));
    lines.push(format!("shockwave serve --data-dir {}   serves it", to.display()));
    Ok(lines)
}

fn whole(Found { database, size, files, bytes, has_keys }: &Found) -> String {
    let keys = if *has_keys { "with" } else { "without" };
    format!("database {database}: commits 0 to {}, {files} files ({bytes} bytes) are whole, {keys} private keys", size.saturating_sub(1))
}

fn restored(Restored { database, size, left_out, incarnation }: &Restored) -> String {
    let without = if *left_out == 0 { String::new() } else { format!(", {left_out} later ones left out") };
    format!("database {database}: commits 0 to {}{without}; goes on as incarnation {incarnation}", size.saturating_sub(1))
}
