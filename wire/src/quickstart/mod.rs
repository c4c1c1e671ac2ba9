//! `shockwave quickstart`: a tour on real input, one step a file.
//!
//! G1: everything goes through the wire as a client's would; nothing is loaded or asked behind the server's back.
//! G2: it ends with 0 only if every step came out as it must: the receipt verifies, the tampering is caught and named.
//! Never: leaves a temporary folder behind; writes outside its data folder and the receipt files beside it.

#![allow(clippy::disallowed_methods, reason = "writes what an auditor keeps and spoils a copy: plain files that no engine has open")]

mod console;
mod dependencies;
mod folder;
mod load;
mod picture;
mod questions;
mod receipt;
mod server;
mod tamper;

use std::process::ExitCode;

use crate::cli::Quickstart;
use crate::commands::serve::{on_signal, psql_line, runtime};
use console::Console;
use folder::Workplace;
use server::Running;

/// Why the tour stopped, for people.
#[derive(Debug)]
pub struct Failure(String);

impl Failure {
    fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl From<base::SqlError> for Failure {
    fn from(error: base::SqlError) -> Self {
        Self(error.to_string())
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self(error.to_string())
    }
}

impl From<tokio_postgres::Error> for Failure {
    fn from(error: tokio_postgres::Error) -> Self {
        let Some(said) = error.as_db_error() else { return Self(error.to_string()) };
        let mut text = format!("{} (SQLSTATE {})", said.message(), said.code().code());
        for (label, more) in [("DETAIL", said.detail()), ("HINT", said.hint())] {
            if let Some(more) = more {
                text.push_str(&format!("\n{label}:  {more}"));
            }
        }
        Self(text)
    }
}

/// Takes the tour.
pub fn run(arguments: &Quickstart) -> ExitCode {
    let done = runtime().map_err(Failure::from).and_then(|runtime| runtime.block_on(tour(arguments)));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure(text)) => {
            eprintln!("\nERROR:  {text}");
            ExitCode::from(1)
        }
    }
}

async fn tour(arguments: &Quickstart) -> Result<(), Failure> {
    let mut console = Console::new();
    console.step("Read the dependency graph of this workspace, as cargo sees it");
    let graph = dependencies::read(arguments.manifest_path.as_deref())?;
    console.result(&format!("{} packages, {} dependencies; root {}", graph.packages.len(), graph.edges.len(), graph.root_name()));

    console.step("Start a server on a fresh folder");
    let place = Workplace::open(arguments.data_dir.as_deref())?;
    let running = Running::start(place.data(), arguments.listen).await?;
    console.result(&format!("ledger {} at {}", running.origin(), place.data().display()));
    console.line("An auditor pins this key now, away from the data; everything below is checked against it:");
    running.keys().iter().for_each(|key| console.line(&format!("  {key}")));
    let policy = running.policy()?;

    console.step("Load it through the wire: CREATE TABLE, COPY … FROM STDIN");
    let mut client = running.connect().await?;
    let loaded = load::load(&mut client, &graph).await?;
    console.result(&format!("{} rows, each with its own receipt", loaded.rows));

    console.step("Ask what a supply-chain auditor would ask");
    questions::ask_all(&console, &client, graph.root_name()).await?;
    picture::draw(&console, &client, &place, graph.root_name()).await?;
    let change = questions::correct_licence(&console, &client).await?;

    console.step("Take one row's receipt and verify it offline, with nothing but the pinned key");
    receipt::take_and_verify(&console, &client, &place, &policy, &change).await?;
    drop(client);

    console.step("Seal, copy the folder, flip one byte in the copy");
    running.stop().await?;
    tokio::task::block_in_place(|| tamper::flip_and_catch(&console, &place, &policy))?;

    let running = Running::start(place.data(), arguments.listen).await?;
    console.end(&psql_line(running.address()), arguments.exit);
    if !arguments.exit {
        let shutdown = running.shutdown();
        on_signal(move || shutdown.request())?;
        return running.ended().await;
    }
    running.stop().await
}
