//! `shockwave witness`: opens a witness's folder, listens, ends gracefully.
//!
//! Never: prints a private key.

use std::process::ExitCode;
use std::sync::Arc;

use base::{OsRng, RealClock, RealIo, SqlError, SqlResult, SqlState};
use receipts::Policy;
use wire::witness::{Register, Service};

use super::failed;
use super::serve::{on_signal, runtime, say};
use crate::cli::Witness;

/// Cosigns until a signal.
pub fn run(arguments: &Witness) -> ExitCode {
    match runtime().and_then(|runtime| runtime.block_on(witness(arguments))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&error),
    }
}

async fn witness(arguments: &Witness) -> SqlResult<()> {
    let policy = policy(&arguments.policy_of_logs)?;
    let (io, clock) = (Arc::new(RealIo), Arc::new(RealClock));
    let register = Register::open(io, clock, &OsRng, &arguments.data_dir, arguments.name.as_deref(), &policy)?;
    let mut lines = vec![format!("data folder      {}", arguments.data_dir.display()), format!("witness key      {}", register.key())];
    lines.extend(register.sizes().iter().map(|(origin, size)| format!("log              {origin}, cosigned at size {size}")));
    let service = Service::bind(arguments.listen, register).await?;
    let shutdown = service.shutdown();
    on_signal(move || shutdown.request())?;
    lines.push(format!("listening on http://{}", service.address()));
    say(&lines.join("\n"));
    service.run().await;
    Ok(())
}

/// A policy file. Errors: 58030 where it cannot be read, 22023 where it is none.
pub fn policy(path: &std::path::Path) -> SqlResult<Policy> {
    let bytes = std::fs::read(path)
        .map_err(|error| SqlError::new(SqlState::IO_ERROR, format!("could not read \"{}\": {error}", path.display())))?;
    Policy::parse(&bytes)
        .map_err(|error| SqlError::new(SqlState::INVALID_PARAMETER_VALUE, format!("\"{}\" is no policy: {error}", path.display())))
}
