//! Asks an authority for timestamps (RFC 3161) of checkpoints: a task for each ledger, in the background.
//!
//! S1: a checkpoint is stamped once, and none while nothing was committed since the last.
//! S2: what is kept is the authority's answer to our request: of our digest, and with the number that was drawn for it.
//! S3: an outage is told on standard error once when it begins and once when it ends; no commit waits for this, and none fails by it.
//! Never: follows a redirect.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use base::{OsRng, Rng, SqlError, SqlResult, SqlState};
use engine::{Ledger, Server, timestamps};
use hyper::StatusCode;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_rustls::rustls::ClientConfig;

use crate::every_ledger;
use crate::http_client::{Address, Client, trust};

const QUERY: &str = "application/timestamp-query";
const REPLY: &str = "application/timestamp-reply";

/// How often it is looked whether a ledger was closed.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// The first pause after an error; each that follows is twice as long, up to the interval or the last of these.
const PAUSE_MIN: Duration = Duration::from_secs(1);
const PAUSE_MAX: Duration = Duration::from_secs(300);

/// An authority, and how often it is asked.
pub struct Authority {
    url: String,
    address: Address,
    tls: Option<Arc<ClientConfig>>,
    every: Duration,
}

impl Authority {
    /// The authority at an http or https address, asked for each ledger once in `every` at most. `authorities` is a file of certificates (PEM) that
    /// it is trusted by over https, else those of the system.
    ///
    /// Errors: 22023 for what is no address; 58030, F0000 for certificates that cannot be used.
    pub fn new(url: &str, authorities: Option<&Path>, every: Duration) -> SqlResult<Self> {
        let address = Address::parse(url, "").ok_or_else(|| {
            SqlError::new(
                SqlState::INVALID_PARAMETER_VALUE,
                format!("the address of the timestamp authority is no http or https address: {url}"),
            )
        })?;
        let tls = if address.is_encrypted { Some(trust(authorities, "--timestamp-ca")?) } else { None };
        Ok(Self { url: url.to_owned(), address, tls, every })
    }
}

/// Asks for every ledger of a server; ends when dropped.
pub(crate) async fn run(engine: Arc<Server>, authority: Arc<Authority>) {
    every_ledger::run(engine, |ledger| stamp(ledger, Arc::clone(&authority))).await;
}

/// Until the ledger is closed.
async fn stamp(ledger: Arc<Ledger>, authority: Arc<Authority>) {
    let mut client = Client::new(authority.address.clone(), authority.tls.clone());
    let mut failures = 0;
    loop {
        let asked = Instant::now();
        let pause = match next(&ledger, &mut client).await {
            Ok(_) if ledger.is_closed() => return,
            Ok(_) => {
                if failures > 0 {
                    eprintln!("database {}: {} stamps again", ledger.name(), authority.url);
                }
                failures = 0;
                authority.every
            }
            Err(_) if ledger.is_closed() => return,
            Err(why) => {
                if failures == 0 {
                    eprintln!("database {}: no timestamp by {}: {why}", ledger.name(), authority.url);
                }
                failures += 1;
                pause(failures).min(authority.every)
            }
        };
        while Instant::now() < asked + pause {
            if ledger.is_closed() {
                return;
            }
            let look = Instant::now() + LOOK_EVERY;
            sleep_until(look.min(asked + pause)).await;
        }
        sleep(Duration::from_millis(10)).await;
    }
}

/// Has the newest checkpoint stamped, if it is new (S1). The error is for people.
async fn next(ledger: &Arc<Ledger>, client: &mut Client) -> Result<(), String> {
    let checkpoint = ledger.checkpoint();
    let of = Arc::clone(ledger);
    let sizes = tokio::task::spawn_blocking(move || timestamps::sizes(&*of.options().io, of.folder())).await;
    let sizes = sizes.map_err(|_panic| "looking for timestamps met a defect".to_owned())?.map_err(|error| error.to_string())?;
    if checkpoint.state.size == 0 || sizes.last().is_some_and(|last| *last >= checkpoint.state.size) {
        return Ok(());
    }
    let mut nonce = [0; 8];
    OsRng.fill(&mut nonce);
    let query = timestamps::request(&timestamps::digest(&checkpoint.sha_note), &nonce)?;
    let answer = client.post(QUERY, query.into()).await?;
    if answer.status != StatusCode::OK {
        return Err(answer.complaint());
    }
    if answer.kind != REPLY {
        return Err(format!("it answered with {:?}, not with a timestamp", answer.kind));
    }
    // S2. The digest is compared where it is kept.
    if !timestamps::Stamp::read(&answer.body)?.answers(&nonce) {
        return Err("it answered another request than was made".to_owned());
    }
    let of = Arc::clone(ledger);
    let kept = tokio::task::spawn_blocking(move || of.keep_timestamp(&checkpoint.sha_note, &answer.body)).await;
    kept.map_err(|_panic| "keeping a timestamp met a defect".to_owned())?.map(drop).map_err(|error| error.to_string())
}

fn pause(failures: u32) -> Duration {
    PAUSE_MIN.saturating_mul(1 << failures.saturating_sub(1).min(16)).min(PAUSE_MAX)
}
