//! `shockwave graph draw`: what a query answers, as a picture.
//!
//! Never: writes to the server; draws what nobody could look at.

mod answer;
mod picture;

use std::process::ExitCode;

use crate::audit::server::{Missing, Server};
use crate::cli::Draw;
use crate::commands::failed;
use crate::commands::serve::runtime;

/// Asks and draws.
pub fn run(arguments: &Draw) -> ExitCode {
    match draw(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => failed(&why),
    }
}

/// The picture of rows. Errors: a text for the user.
pub fn svg(rows: &[Vec<Option<String>>]) -> Result<String, String> {
    answer::graph(rows).map(|graph| graph.svg())
}

fn draw(arguments: &Draw) -> Result<(), String> {
    let runtime = runtime().map_err(|error| error.message().to_owned())?;
    let rows = runtime.block_on(async {
        let server = Server::connect(&arguments.server, "shockwave graph").await?;
        server.rows(&arguments.query).await.map_err(Missing::told)
    })?;
    let svg = svg(&rows)?;
    #[expect(clippy::disallowed_methods, reason = "a picture for the user, where no fault is injected")]
    let written = std::fs::write(&arguments.output, svg);
    written.map_err(|error| format!("{}: {error}", arguments.output.display()))
}
