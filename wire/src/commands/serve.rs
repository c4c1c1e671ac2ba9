//! `shockwave serve`: opens a data folder, listens, ends gracefully.
//!
//! Never: returns 0 when something acknowledged could be lost.

use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use base::{SqlError, SqlResult, SqlState};
use engine::{Memory, Options, Server};
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{SignalKind, signal};
use wire::{Auth, Authority, CERTIFICATE_FILE, Config, Listener, PASSWORD_FILE, Ssl, Witnesses};

use super::failed;
use crate::cli::{Authentication, Encryption, Serve};

/// Holds the first superuser's password at first start.
const PASSWORD_VARIABLE: &str = "SHOCKWAVE_PASSWORD";

/// Stack of a worker: enough for a statement at the nesting limit, in a debug build too.
const STACK_BYTES: usize = 16 << 20;

/// Serves until a signal.
pub fn run(arguments: &Serve) -> ExitCode {
    let served = runtime().and_then(|runtime| runtime.block_on(serve(arguments)));
    match served {
        Ok(()) => {
            say("sealed and closed");
            ExitCode::SUCCESS
        }
        Err(error) => failed(&error),
    }
}

/// The runtime of a server: one thread a core.
pub fn runtime() -> SqlResult<Runtime> {
    Builder::new_multi_thread()
        // Statements nested to the limit are planned by recursion.
        .thread_stack_size(STACK_BYTES)
        .enable_all()
        .build()
        .map_err(|error| SqlError::new(SqlState::IO_ERROR, format!("could not start the server's threads: {error}")))
}

async fn serve(arguments: &Serve) -> SqlResult<()> {
    let memory = arguments.memory.map_or_else(Memory::of_machine, Memory::of);
    let witnesses = arguments.witness_policy.as_deref().map(|file| Witnesses::open(file, arguments.witness_ca.as_deref())).transpose()?;
    let authority = arguments
        .timestamp_authority
        .as_deref()
        .map(|url| Authority::new(url, arguments.timestamp_ca.as_deref(), Duration::from_secs(arguments.timestamp_interval)));
    let timestamps = authority.transpose()?.map(Arc::new);
    let config = Config {
        listen: arguments.listen,
        metrics: arguments.metrics,
        auth: match arguments.auth {
            Authentication::ScramSha256 => Auth::Scram,
            Authentication::Trust => Auth::Trust,
        },
        first_password: std::env::var(PASSWORD_VARIABLE).ok().filter(|password| !password.is_empty()),
        ssl: match arguments.ssl {
            Encryption::Off => Ssl::Off,
            Encryption::On => Ssl::On,
            Encryption::Required => Ssl::Required,
        },
        ssl_files: arguments.ssl_cert_file.clone().zip(arguments.ssl_key_file.clone()),
        connections_max: arguments.max_connections as usize,
        query_memory_bytes: memory.queries_bytes,
        statement_memory_bytes: arguments.statement_memory.unwrap_or(memory.queries_bytes / 2),
        temp_file_bytes_max: arguments.temp_file_limit as u64,
        shutdown_grace: Duration::from_secs(arguments.grace),
        witnesses: witnesses.map(Arc::new),
        timestamps,
        ..Config::default()
    };
    let engine = Arc::new(Server::open(
        &arguments.data_dir,
        Options { memory, scrub_bytes_per_s: arguments.scrub_rate as u64, ..planner::engine_options() },
    )?);
    let listener = Listener::bind(config, Arc::clone(&engine)).await?;
    let shutdown = listener.shutdown();
    on_signal(move || shutdown.request())?;
    say(&greeting(arguments, &engine, &listener));
    drop(engine);
    listener.run().await
}

fn greeting(arguments: &Serve, engine: &Server, listener: &Listener) -> String {
    let address = listener.address();
    let mut lines = vec![format!("data folder      {}", arguments.data_dir.display())];
    for ledger in engine.databases().iter().filter_map(|name| engine.ledger(name)) {
        lines.push(format!("database         {}", ledger.name()));
        lines.push(format!("ledger           {}", ledger.origin()));
        lines.extend(ledger.verifier_keys().iter().map(|key| format!("verifier key     {key}")));
    }
    let password_file = arguments.data_dir.join(PASSWORD_FILE);
    lines.push(match arguments.auth {
        Authentication::Trust => "superuser        shockwave, without a password (--auth trust)".to_owned(),
        Authentication::ScramSha256 if password_file.exists() => {
            format!("superuser        shockwave, its first password is in {}", password_file.display())
        }
        Authentication::ScramSha256 => "superuser        shockwave".to_owned(),
    });
    if arguments.ssl != Encryption::Off {
        let own = arguments.data_dir.join(CERTIFICATE_FILE);
        lines.push(format!("certificate      {}", arguments.ssl_cert_file.as_ref().unwrap_or(&own).display()));
    }
    if let Some(metrics) = listener.metrics_address() {
        lines.push(format!("metrics          http://{metrics}/metrics"));
    }
    lines.push(format!("listening on {address}"));
    lines.push(format!("  {}", psql_line(address)));
    lines.join("\n")
}

/// Tells whoever started the server; a reader who went away does not end it.
pub fn say(text: &str) {
    let mut out = io::stdout().lock();
    let _ = writeln!(out, "{text}").and_then(|()| out.flush());
}

/// How to connect with psql.
pub fn psql_line(address: std::net::SocketAddr) -> String {
    format!("psql -h {} -p {} -U shockwave -d shockwave", address.ip(), address.port())
}

/// Calls `request` at the first SIGINT or SIGTERM.
pub fn on_signal(request: impl FnOnce() + Send + 'static) -> SqlResult<()> {
    let failed = |error: io::Error| SqlError::new(SqlState::IO_ERROR, format!("could not watch signals: {error}"));
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    tokio::spawn(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        request();
        // Whoever reads it may be gone; the server ends all the same.
        let _ = writeln!(io::stderr(), "shutting down");
    });
    Ok(())
}
