//! The `shockwave` program: a server, the offline verifier, and a guided first run.
//!
//! Exit codes: 0 done (for `verify`: valid) · 1 failed (for `verify`: tampered) · 2 wrong usage, or for `verify` malformed or unsupported
//! input · 3 inconclusive: a check could not be made.
//! Never: asks anything; reads configuration from the environment, the first superuser's password excepted.

use std::process::ExitCode;

use clap::Parser;

mod audit;
mod cli;
mod commands;
mod draw;
mod quickstart;

use cli::{Cli, Command, Graph, Keys, Verify};

fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Serve(arguments) => commands::serve::run(&arguments),
        Command::Quickstart(arguments) => quickstart::run(&arguments),
        Command::Verify(Verify::Receipt(arguments)) => commands::verify::receipt(&arguments),
        Command::Verify(Verify::Disclose(arguments)) => commands::verify::disclosure(&arguments),
        Command::Verify(Verify::Consistency(arguments)) => commands::verify::consistency(&arguments),
        Command::Verify(Verify::Fsck(arguments)) => commands::fsck::run(&arguments),
        Command::Audit(arguments) => audit::run(&arguments),
        Command::Graph(Graph::Draw(arguments)) => draw::run(&arguments),
        Command::Export(arguments) => commands::export::run(&arguments),
        Command::Backup(arguments) => commands::backup::run(&arguments),
        Command::Restore(arguments) => commands::restore::run(&arguments),
        Command::Keys(Keys::Show(arguments)) => commands::keys::show(&arguments),
        Command::Keys(Keys::Rotate(arguments)) => commands::rotate::run(&arguments),
        Command::Keys(Keys::Follow(arguments)) => commands::verify::follow(&arguments),
        Command::RebuildFolds(arguments) => commands::rebuild_folds::run(&arguments),
        Command::Witness(arguments) => commands::witness::run(&arguments),
    }
}
