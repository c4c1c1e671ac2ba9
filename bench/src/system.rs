//! What the works need from a server, whichever it is.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::Outcome;
use crate::client::Client;

/// How long a server may take to come up or go down.
pub const LIMIT: Duration = Duration::from_secs(120);

/// A server under measurement.
pub trait System {
    /// Its name in messages.
    fn name(&self) -> &'static str;

    /// The clients that reach it.
    fn client(&self) -> &Client;

    /// Makes it empty and starts it.
    fn fresh(&mut self) -> Outcome<()>;

    /// Starts it on what it has; returns at once.
    fn start(&mut self) -> Outcome<()>;

    /// Ends it in good order.
    fn stop(&mut self) -> Outcome<()>;

    /// Ends it as a crash would.
    fn crash(&mut self) -> Outcome<()>;

    /// An error if it has ended by itself.
    fn check_alive(&mut self) -> Outcome<()>;

    /// Bytes of memory it takes at the moment, its child processes included.
    fn memory(&self) -> Outcome<u64>;

    /// The most memory that its first process has had so far, in bytes.
    fn memory_peak(&self) -> Outcome<u64>;

    /// Bytes that it, and the processes it has had, have caused to be written to the disk since its start.
    fn written(&self) -> Outcome<u64>;

    /// Its data folder.
    fn data(&self) -> &Path;

    /// How many sessions at once the comparison may open: what its defaults allow.
    fn sessions_max(&self) -> usize;

    /// Checks everything it holds, from the disk alone, and says how long that took; `None` if it has no such check.
    /// The server is stopped meanwhile and runs again afterwards.
    fn check_all(&mut self) -> Outcome<Option<Duration>>;
}

/// Waits until `statement` is answered, and returns the answer.
///
/// # Errors
/// The server ended, or did not answer within [`LIMIT`]; with the last refusal.
pub fn wait_for(system: &mut dyn System, statement: &str) -> Outcome<String> {
    let deadline = Instant::now() + LIMIT;
    let mut refusal = String::from("nobody listens");
    while Instant::now() < deadline {
        system.check_alive()?;
        if system.client().listens() {
            match system.client().psql(&[statement], LIMIT) {
                Ok(answer) => return Ok(answer.trim().to_owned()),
                Err(reason) => refusal = reason,
            }
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    Err(format!("{} did not answer `{statement}` within {} s: {refusal}", system.name(), LIMIT.as_secs()))
}
