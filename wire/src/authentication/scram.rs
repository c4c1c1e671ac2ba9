//! The server's half of a SCRAM-SHA-256 exchange (RFC 5802, RFC 7677): three texts in, three out.
//!
//! M1: the nonce is the client's followed by 18 bytes of ours; the client must repeat all of it.
//! M2: with SCRAM-SHA-256-PLUS the proof covers the hash of this server's certificate, so that nobody can stand between (RFC 5929,
//!     tls-server-end-point).
//! M3: a client that could have bound the channel and believes that we could not is refused: somebody has taken the offer out.
//! Never: knows a password or a socket; says which half of a wrong login was wrong.

use base::rng::{OsRng, Rng};
use base::{SqlError, SqlResult, SqlState};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use planner::Verifier;

pub(super) const PLAIN: &str = "SCRAM-SHA-256";
pub(super) const PLUS: &str = "SCRAM-SHA-256-PLUS";
const BINDING: &str = "p=tls-server-end-point";
const NONCE_BYTES: usize = 18;

/// What was said so far.
pub(super) struct Exchange {
    verifier: Verifier,
    /// `gs2-header` and the data that binds the channel: what the client must repeat in its last message.
    channel: Vec<u8>,
    nonce: String,
    /// `client-first-message-bare,server-first-message`
    said: String,
}

fn malformed(detail: &str) -> SqlError {
    SqlError::new(SqlState::PROTOCOL_VIOLATION, "malformed SCRAM message").detail(detail)
}

/// Value of an attribute `x=…`.
fn attribute<'a>(part: Option<&'a str>, name: &str) -> SqlResult<&'a str> {
    part.and_then(|part| part.strip_prefix(name)?.strip_prefix('=')).ok_or_else(|| malformed(&format!("Expected attribute \"{name}\".")))
}

impl Exchange {
    /// Reads the client's first message. `end_point`: the hash of our certificate, where the connection is encrypted and it has one.
    /// Errors: 08P01, 0A000, 28000.
    pub(super) fn begin(verifier: Verifier, mechanism: &str, first: &str, end_point: Option<&[u8]>) -> SqlResult<Self> {
        let (flag, rest) = first.split_once(',').ok_or_else(|| malformed("The message ends too early."))?;
        let (authorization, bare) = rest.split_once(',').ok_or_else(|| malformed("The message ends too early."))?;
        if !authorization.is_empty() {
            return Err(SqlError::unsupported("client uses authorization identity, but it"));
        }
        let mut channel = format!("{flag},,").into_bytes();
        match (mechanism, flag, end_point) {
            (PLUS, BINDING, Some(hash)) => channel.extend_from_slice(hash),
            (PLAIN, "n", _) | (PLAIN, "y", None) => {}
            // M3
            (PLAIN, "y", Some(_)) => {
                let message = "SCRAM channel binding negotiation error";
                return Err(SqlError::new(SqlState::INVALID_AUTHORIZATION, message)
                    .detail("The client supports SCRAM channel binding but thinks the server does not.  However, this server does support channel binding."));
            }
            _ => return Err(malformed("The client selected a channel binding that does not fit the mechanism.")),
        }
        let mut parts = bare.split(',');
        if bare.starts_with("m=") {
            return Err(SqlError::unsupported("client requires a SCRAM extension, which"));
        }
        // The user is the startup message's; what is said here is ignored, as in Postgres.
        attribute(parts.next(), "n")?;
        let client_nonce = attribute(parts.next(), "r")?;
        if client_nonce.is_empty() || !client_nonce.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(malformed("Non-printable characters in SCRAM nonce."));
        }
        let mut own = [0; NONCE_BYTES];
        OsRng.fill(&mut own);
        let nonce = format!("{client_nonce}{}", STANDARD.encode(own));
        let said = format!("{bare},r={nonce},s={},i={}", STANDARD.encode(&verifier.salt), verifier.iterations);
        Ok(Self { verifier, channel, nonce, said: said.clone() })
    }

    /// The server's first message: nonce, salt, iterations.
    pub(super) fn server_first(&self) -> String {
        format!("r={},s={},i={}", self.nonce, STANDARD.encode(&self.verifier.salt), self.verifier.iterations)
    }

    /// Reads the client's last message. The server's last one, or `None` for a wrong password. Errors: 08P01, 28000.
    pub(super) fn finish(self, last: &str) -> SqlResult<Option<String>> {
        let (unproved, proof) = last.rsplit_once(",p=").ok_or_else(|| malformed("Expected attribute \"p\"."))?;
        let mut parts = unproved.split(',');
        let channel = attribute(parts.next(), "c")?;
        if STANDARD.decode(channel).ok().as_deref() != Some(&*self.channel) {
            return Err(SqlError::new(SqlState::INVALID_AUTHORIZATION, "SCRAM channel binding check failed"));
        }
        if attribute(parts.next(), "r")? != self.nonce {
            return Err(SqlError::new(SqlState::PROTOCOL_VIOLATION, "invalid SCRAM response").detail("Nonce does not match."));
        }
        let proof = STANDARD.decode(proof).map_err(|_| malformed("Malformed proof in client-final-message."))?;
        let signature = self.verifier.check(format!("{},{unproved}", self.said).as_bytes(), &proof);
        Ok(signature.map(|signature| format!("v={}", STANDARD.encode(signature))))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn begin(mechanism: &str, first: &str, end_point: Option<&[u8]>) -> Result<Exchange, SqlState> {
        Exchange::begin(Verifier::of_password("x"), mechanism, first, end_point).map_err(|error| error.state())
    }

    #[test]
    fn first_messages() {
        let hash: &[u8] = &[1; 32];
        for (mechanism, first, end_point, wanted) in [
            (PLAIN, "n,,n=,r=abc", None, None),
            (PLAIN, "n,,n=,r=abc", Some(hash), None),
            (PLAIN, "y,,n=,r=abc", None, None),
            (PLUS, "p=tls-server-end-point,,n=,r=abc", Some(hash), None),
            (PLAIN, "y,,n=,r=abc", Some(hash), Some(SqlState::INVALID_AUTHORIZATION)),
            (PLAIN, "p=tls-server-end-point,,n=,r=abc", Some(hash), Some(SqlState::PROTOCOL_VIOLATION)),
            (PLUS, "n,,n=,r=abc", Some(hash), Some(SqlState::PROTOCOL_VIOLATION)),
            (PLUS, "p=tls-unique,,n=,r=abc", Some(hash), Some(SqlState::PROTOCOL_VIOLATION)),
            (PLAIN, "n,a=ada,n=,r=abc", None, Some(SqlState::FEATURE_NOT_SUPPORTED)),
            (PLAIN, "n,,m=1,n=,r=abc", None, Some(SqlState::FEATURE_NOT_SUPPORTED)),
            (PLAIN, "n,,n=,r=", None, Some(SqlState::PROTOCOL_VIOLATION)),
            (PLAIN, "n,,r=abc", None, Some(SqlState::PROTOCOL_VIOLATION)),
            (PLAIN, "n,", None, Some(SqlState::PROTOCOL_VIOLATION)),
            (PLAIN, "", None, Some(SqlState::PROTOCOL_VIOLATION)),
        ] {
            assert_eq!(begin(mechanism, first, end_point).err(), wanted, "{mechanism} {first}");
        }
    }

    #[test]
    fn last_messages() {
        let plain = || begin(PLAIN, "n,,n=,r=abc", None).unwrap();
        let nonce = |exchange: &Exchange| exchange.nonce.clone();
        for last in ["", "c=biws", "c=biws,r=abc,p=AAAA", "c=biws,r=abc", "c=!,r=abc,p=AAAA"] {
            assert!(plain().finish(last).is_err(), "{last}");
        }
        let exchange = plain();
        let last = format!("c=biws,r={},p={}", nonce(&exchange), STANDARD.encode([0; 32]));
        assert_eq!(exchange.finish(&last).unwrap(), None);
        // M2: bound to another certificate.
        let bound = begin(PLUS, "p=tls-server-end-point,,n=,r=abc", Some(&[1; 32])).unwrap();
        let other = [b"p=tls-server-end-point,,".as_slice(), &[2; 32]].concat();
        let last = format!("c={},r={},p={}", STANDARD.encode(other), nonce(&bound), STANDARD.encode([0; 32]));
        assert_eq!(bound.finish(&last).map_err(|error| error.state()), Err(SqlState::INVALID_AUTHORIZATION));
    }
}
