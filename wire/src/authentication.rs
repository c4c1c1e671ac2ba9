//! Who a client is: by SCRAM-SHA-256 over its channel, or taken at its word on a loopback address.
//!
//! A1: a password never crosses the wire, in clear or as MD5.
//! A2: a role that does not exist, has no password, or whose password has run out goes through the same messages as one that does, and fails
//!     with the same error: 28P01.
//! A3: which databases and roles there are is told only to who has proved who it is.
//! Never: opens a session.

use base::rng::{OsRng, Rng};
use base::{SqlError, SqlResult, SqlState};
use planner::{Account, Verifier};

use crate::channel::{Channel, Lost};

mod scram;

use scram::{Exchange, PLAIN, PLUS};

/// What makes up salts for roles that do not exist: drawn once a process.
pub(crate) struct Pretence([u8; 32]);

impl Pretence {
    pub fn new() -> Self {
        let mut secret = [0; 32];
        OsRng.fill(&mut secret);
        Self(secret)
    }
}

/// Why a client was not let in.
pub(crate) enum Refused {
    Lost,
    Error(SqlError),
}

impl From<SqlError> for Refused {
    fn from(error: SqlError) -> Self {
        Self::Error(error)
    }
}

impl From<Lost> for Refused {
    fn from(lost: Lost) -> Self {
        match lost {
            Lost::Closed => Self::Lost,
            Lost::InvalidLength { .. } => Self::Error(violation("invalid message length")),
        }
    }
}

fn violation(message: impl Into<String>) -> SqlError {
    SqlError::new(SqlState::PROTOCOL_VIOLATION, message)
}

/// Lets the client prove that it is `user` (A1, A2). Errors: 28P01, 28000, 08P01.
pub(crate) async fn scram(channel: &mut Channel, user: &str, account: Option<&Account>, pretence: &Pretence) -> Result<(), Refused> {
    let failed = || SqlError::new(SqlState::INVALID_PASSWORD, format!("password authentication failed for user \"{user}\""));
    let known = account.and_then(|account| account.verifier.clone());
    let usable = known.is_some() && account.is_some_and(|account| !account.expired);
    let verifier = known.unwrap_or_else(|| Verifier::of_nobody(user, &pretence.0));
    let end_point = channel.end_point().map(<[u8]>::to_vec);
    let mechanisms = if end_point.is_some() { format!("{PLUS}\0{PLAIN}\0\0") } else { format!("{PLAIN}\0\0") };
    channel.output.authentication(10, mechanisms.as_bytes());
    channel.flush().await?;

    let body = response(channel).await?;
    let (mechanism, first) = initial(&body)?;
    if mechanism != PLAIN && !(mechanism == PLUS && end_point.is_some()) {
        return Err(violation("client selected an invalid SASL authentication mechanism").into());
    }
    let exchange = Exchange::begin(verifier, mechanism, first, end_point.as_deref())?;
    channel.output.authentication(11, exchange.server_first().as_bytes());
    channel.flush().await?;

    let body = response(channel).await?;
    let last = std::str::from_utf8(&body).map_err(|_| violation("malformed SCRAM message"))?;
    match exchange.finish(last)? {
        Some(signature) if usable => {
            channel.output.authentication(12, signature.as_bytes());
            Ok(())
        }
        _ => Err(failed().into()),
    }
}

/// The next message, which must be a SASL response.
async fn response(channel: &mut Channel) -> Result<bytes::Bytes, Refused> {
    let frame = channel.next().await?;
    if frame.tag != b'p' {
        return Err(violation(format!("expected SASL response, got message type {}", frame.tag)).into());
    }
    Ok(frame.body)
}

/// SASLInitialResponse: the mechanism's name, then the client's first message with its length.
fn initial(body: &[u8]) -> SqlResult<(&str, &str)> {
    let bad = || violation("invalid SASL response");
    let end = body.iter().position(|byte| *byte == 0).ok_or_else(bad)?;
    let mechanism = std::str::from_utf8(&body[..end]).map_err(|_| bad())?;
    let (length, first) = body[end + 1..].split_first_chunk::<4>().ok_or_else(bad)?;
    if usize::try_from(i32::from_be_bytes(*length)) != Ok(first.len()) {
        return Err(bad());
    }
    Ok((mechanism, std::str::from_utf8(first).map_err(|_| bad())?))
}
