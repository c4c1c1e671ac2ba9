//! tokio-postgres: binary parameters and results, pipelined requests, COPY, portals, cancel.
//!
//! Output: a line «NAME VERSION», then `ok CHECK` or `failed CHECK: why` for each, and at the end `ok` alone if none failed.
//! Every check has a connection of its own. The server is the one of the PG* environment.

mod checks;
mod connection;
mod types;

use std::process::ExitCode;
use std::time::Duration;

use tokio_postgres::Client;

/// Why a check failed.
type Failure = Box<dyn std::error::Error + Send + Sync>;
type Outcome = Result<(), Failure>;

/// Fails unless both are equal.
fn equal<T: PartialEq + std::fmt::Debug>(seen: T, expected: T) -> Outcome {
    if seen == expected { Ok(()) } else { Err(format!("{seen:?} is not {expected:?}").into()) }
}

/// The SQLSTATE of an error; empty for anything else.
fn state(error: &tokio_postgres::Error) -> &str {
    error.code().map_or("", |code| code.code())
}

/// Counts checks and says how each went.
#[derive(Default)]
struct Report {
    failed: usize,
}

impl Report {
    async fn check<F: AsyncFnOnce(Client) -> Outcome>(&mut self, name: &str, check: F) {
        let attempt = async {
            let client = connection::open().await?;
            check(client).await
        };
        let outcome = match tokio::time::timeout(Duration::from_secs(60), attempt).await {
            Ok(outcome) => outcome,
            Err(_) => Err("no end after 60 s".into()),
        };
        match outcome {
            Ok(()) => println!("ok {name}"),
            Err(error) => {
                self.failed += 1;
                let source = error.source().map(|source| format!(": {source}")).unwrap_or_default();
                let text = format!("{error}{source}");
                println!("failed {name}: {}", text.split_whitespace().collect::<Vec<_>>().join(" "));
            }
        }
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    println!("tokio-postgres {}", env!("DRIVER_VERSION"));
    let mut report = Report::default();
    types::all(&mut report).await;
    checks::all(&mut report).await;
    if report.failed > 0 {
        return ExitCode::FAILURE;
    }
    println!("ok");
    ExitCode::SUCCESS
}
