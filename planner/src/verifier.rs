//! SCRAM-SHA-256 (RFC 5802, RFC 7677): a password's verifier in Postgres's text form, and the arithmetic of an exchange.
//!
//! `SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>`, salt and keys in base64.
//!
//! V1: a password is prepared by SASLprep, or taken as it is where SASLprep refuses it, as Postgres does.
//! V2: what a client proves is compared in constant time.
//! Never: keeps a password.

use base::rng::{OsRng, Rng};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// Postgres's default of `scram_iterations`.
const ITERATIONS: u32 = 4096;
/// More would let a stored verifier cost a login seconds.
const ITERATIONS_MAX: u32 = 10_000_000;
const SALT_BYTES: usize = 16;
const MECHANISM: &str = "SCRAM-SHA-256";

/// SHA-256 and HMAC-SHA-256 results.
pub type Digest32 = [u8; 32];

/// What the server knows of a password.
#[derive(Clone, PartialEq, Eq)]
pub struct Verifier {
    /// Rounds of PBKDF2.
    pub iterations: u32,
    /// Drawn for this password.
    pub salt: Vec<u8>,
    stored_key: Digest32,
    server_key: Digest32,
}

impl std::fmt::Debug for Verifier {
    /// Keys are not printed.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Verifier").field("iterations", &self.iterations).finish_non_exhaustive()
    }
}

impl Verifier {
    /// The verifier of a password under a new salt.
    pub fn of_password(password: &str) -> Self {
        let mut salt = vec![0; SALT_BYTES];
        OsRng.fill(&mut salt);
        Self::derive(password, salt, ITERATIONS)
    }

    /// A verifier that no password opens, the same each time for the same name (`secret` being the server's own): a client cannot tell a role
    /// that does not exist from one whose password it does not know.
    pub fn of_nobody(name: &str, secret: &Digest32) -> Self {
        let salt = hmac(secret, name.as_bytes())[..SALT_BYTES].to_vec();
        let mut keys = [0; 64];
        OsRng.fill(&mut keys);
        let (mut stored_key, mut server_key) = ([0; 32], [0; 32]);
        stored_key.copy_from_slice(&keys[..32]);
        server_key.copy_from_slice(&keys[32..]);
        Self { iterations: ITERATIONS, salt, stored_key, server_key }
    }

    fn derive(password: &str, salt: Vec<u8>, iterations: u32) -> Self {
        let prepared = stringprep::saslprep(password);
        let password = prepared.as_deref().unwrap_or(password);
        let mut salted = [0; 32];
        pbkdf2::pbkdf2_hmac::<Sha256>(password.as_bytes(), &salt, iterations, &mut salted);
        let client_key = hmac(&salted, b"Client Key");
        Self { iterations, salt, stored_key: sha256(&client_key), server_key: hmac(&salted, b"Server Key") }
    }

    /// Reads a verifier's text; `None` for anything that is not exactly one.
    pub fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix(MECHANISM)?.strip_prefix('$')?;
        let (parameters, keys) = rest.split_once('$')?;
        let (iterations, salt) = parameters.split_once(':')?;
        let (stored_key, server_key) = keys.split_once(':')?;
        let iterations: u32 = iterations.parse().ok().filter(|count| (1..=ITERATIONS_MAX).contains(count))?;
        let key = |text: &str| STANDARD.decode(text).ok()?.try_into().ok();
        Some(Self { iterations, salt: STANDARD.decode(salt).ok()?, stored_key: key(stored_key)?, server_key: key(server_key)? })
    }

    /// Its text.
    pub fn text(&self) -> String {
        let code = |bytes: &[u8]| STANDARD.encode(bytes);
        format!("{MECHANISM}${}:{}${}:{}", self.iterations, code(&self.salt), code(&self.stored_key), code(&self.server_key))
    }

    /// Whether `proof` over this AuthMessage was made with the password (V2); if so, the server's own signature.
    pub fn check(&self, auth_message: &[u8], proof: &[u8]) -> Option<Digest32> {
        let proof: &Digest32 = proof.try_into().ok()?;
        let signature = hmac(&self.stored_key, auth_message);
        let mut client_key = [0; 32];
        client_key.iter_mut().zip(proof.iter().zip(&signature)).for_each(|(out, (a, b))| *out = a ^ b);
        let known = sha256(&client_key).ct_eq(&self.stored_key);
        bool::from(known).then(|| hmac(&self.server_key, auth_message))
    }
}

fn sha256(bytes: &[u8]) -> Digest32 {
    Sha256::digest(bytes).into()
}

fn hmac(key: &[u8], bytes: &[u8]) -> Digest32 {
    match Hmac::<Sha256>::new_from_slice(key) {
        Ok(mac) => mac.chain_update(bytes).finalize().into_bytes().into(),
        Err(_) => unreachable!("HMAC takes a key of any length"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made by PostgreSQL 15: `ALTER ROLE … PASSWORD 'pencil'`, and the exchange of RFC 7677, section 3.
    #[test]
    fn the_example_of_rfc_7677() {
        let salt = STANDARD.decode("W22ZaJ0SNY7soEsUEjb6gQ==").unwrap_or_default();
        let verifier = Verifier::derive("pencil", salt, 4096);
        let auth_message = "n=user,r=rOprNGfwEbeRWgbNEkqO,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
                            s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
        let proof = STANDARD.decode("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=").unwrap_or_default();
        let signature = verifier.check(auth_message.as_bytes(), &proof).map(|signature| STANDARD.encode(signature));
        assert_eq!(signature.as_deref(), Some("6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="));
        assert_eq!(verifier.check(b"another message", &proof), None);
        assert_eq!(verifier.check(auth_message.as_bytes(), &proof[1..]), None);
        assert_eq!(Verifier::parse(&verifier.text()), Some(verifier));
    }

    #[test]
    fn only_whole_verifiers_are_read() {
        let text = Verifier::of_password("x").text();
        assert!(Verifier::parse(&text).is_some());
        for spoilt in [
            "",
            "SCRAM-SHA-256",
            "md5d41d8cd98f00b204e9800998ecf8427e",
            &text[..text.len() - 4],
            &text.replace(":", ";"),
            &text.replace("4096", "0"),
        ] {
            assert_eq!(Verifier::parse(spoilt), None, "{spoilt}");
        }
    }

    #[test]
    fn nobody_has_a_steady_salt_and_no_password() {
        let (one, other) = (Verifier::of_nobody("ada", &[1; 32]), Verifier::of_nobody("ada", &[1; 32]));
        assert_eq!(one.salt, other.salt);
        assert_ne!(one.salt, Verifier::of_nobody("bob", &[1; 32]).salt);
        assert_eq!(one.check(b"message", &[0; 32]), None);
    }

    /// U+2168 ROMAN NUMERAL NINE is «IX» after SASLprep (RFC 4013, section 3); U+0007 is prohibited and taken as it is (V1).
    #[test]
    fn passwords_are_prepared() {
        let salted = |password| Verifier::derive(password, vec![7; 16], 1);
        assert_eq!(salted("\u{2168}"), salted("IX"));
        assert_ne!(salted("a\u{7}"), salted("a"));
    }
}
