//! Adya's anomalies on the real server: what two or three sessions can see of each other at each level of isolation.
//!
//! A1: a script is run step by step in the order written. A statement that does not answer soon is waiting for another session; its answer is
//!     taken when it comes, and its session goes on then.
//! A2: whether an anomaly happened is judged by what the sessions were answered and what is there at the end, not by errors.
//! Never: believes what a level promises; the table says what happened.

pub mod appends;
mod play;
mod scripts;
mod transfers;

use std::net::SocketAddr;

pub use play::{Answer, play};
pub use scripts::{SCRIPTS, Script};
pub use transfers::{Outcome, transfers};

/// The levels, weakest first, as SQL names them.
pub const LEVELS: [&str; 3] = ["READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"];

/// Runs every script at every level, its values indexed or not: the table, in Markdown. Errors: where a server cannot be reached or a session hangs.
pub fn table(address: SocketAddr, is_indexed: bool) -> Result<String, String> {
    let mut table = String::from("| anomaly | what would be seen |");
    LEVELS.iter().for_each(|level| table.push_str(&format!(" {level} |")));
    table.push_str("\n|---|---|---|---|---|\n");
    for script in SCRIPTS {
        table.push_str(&format!("| {} | {} |", script.name, script.what));
        for level in LEVELS {
            let answers = play(address, script, level, is_indexed).map_err(|why| format!("{} at {level}: {why}", script.name))?;
            let how = match ((script.happened)(&answers), answers.refusal(), answers.waited()) {
                (true, ..) => "possible".to_owned(),
                (false, Some(state), _) => format!("prevented: {state}"),
                (false, None, true) => "prevented: waits".to_owned(),
                (false, None, false) => "prevented".to_owned(),
            };
            table.push_str(&format!(" {how} |"));
        }
        table.push('\n');
    }
    Ok(table)
}
