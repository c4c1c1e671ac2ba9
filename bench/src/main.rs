//! Runs the same work against a real PostgreSQL and a release build of the server, on one machine, in one run.
//!
//! H1: both sides get the same files, the same scripts and the same clients, one after the other, and the order alternates.
//! H2: both are durable: PostgreSQL with the defaults of its package, ours as it always is.
//! H3: every process is bounded in time and ended by its own id; the scratch folder is gone at the end.
//! Never: connects to a server it did not start; writes outside its scratch folder but for `--write`.
#![allow(clippy::disallowed_methods, reason = "a bench measures wall time and starts processes; nothing here is simulated")]

mod args;
mod client;
mod figures;
mod idle;
mod machine;
mod postgres;
mod process;
mod proving;
mod queries;
mod report;
mod rows;
mod run;
mod scratch;
mod shockwave;
mod storage;
mod system;
mod work;

use std::process::ExitCode;

/// What a step of the bench ends with: an error is a text for the person who started it.
type Outcome<T> = Result<T, String>;

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1).peekable();
    let work = words.next_if(|word| word == "storage" || word == "proofs");
    let (parsed, run): (_, fn(&args::Plan) -> Outcome<()>) = match work.as_deref() {
        Some("storage") => (args::parse_storage(words), storage::run),
        Some(_) => (args::parse_proofs(words), proving::run),
        None => (args::parse(words), run::run),
    };
    let plan = match parsed {
        Ok(Some(plan)) => plan,
        Ok(None) => {
            println!("{}", args::USAGE);
            return ExitCode::SUCCESS;
        }
        Err(reason) => {
            eprintln!("bench: {reason}\n\n{}", args::USAGE);
            return ExitCode::from(2);
        }
    };
    match run(&plan) {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("bench: {reason}");
            ExitCode::FAILURE
        }
    }
}
