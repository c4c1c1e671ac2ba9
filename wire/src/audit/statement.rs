//! The report as an in-toto statement in a DSSE envelope, signed by the auditor.
//!
//! T1: the subject is the log: its origin, and as digest the root of the checkpoint that the visit saw.
//! Never: makes a key; the auditor's own comes from `openssl genpkey -algorithm ed25519`.

use std::fs;
use std::path::Path;

use base::hex;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signer, SigningKey};
use serde_json::json;
use sha2::{Digest, Sha256};
use tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;

use super::report::Visit;

const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";
const PREDICATE_TYPE: &str = "urn:shockwave:audit:v1";
/// What a PKCS #8 key of Ed25519 has before its 32 bytes (RFC 8410).
const PKCS8_HEAD: [u8; 16] = [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

/// The envelope's text. Errors: for people.
pub fn sign(key_file: &Path, visit: &Visit) -> Result<String, String> {
    let key = read(key_file)?;
    let subjects: Vec<_> =
        visit.seen().iter().map(|seen| json!({"name": seen.origin, "digest": {"sha256": hex::encode(&seen.root)}})).collect();
    let statement = json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": subjects,
        "predicateType": PREDICATE_TYPE,
        "predicate": visit.value(),
    });
    let payload = statement.to_string();
    let signature = key.sign(&encoded(PAYLOAD_TYPE, payload.as_bytes()));
    let key_id = hex::encode(&Sha256::digest(key.verifying_key().as_bytes()));
    let envelope = json!({
        "payloadType": PAYLOAD_TYPE,
        "payload": STANDARD.encode(&payload),
        "signatures": [{"keyid": key_id, "sig": STANDARD.encode(signature.to_bytes())}],
    });
    Ok(format!("{envelope:#}\n"))
}

/// DSSE's pre-authentication encoding: what is signed.
fn encoded(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let mut bytes = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len()).into_bytes();
    bytes.extend_from_slice(payload);
    bytes
}

fn read(file: &Path) -> Result<SigningKey, String> {
    let text = fs::read(file).map_err(|error| format!("could not read the key \"{}\": {error}", file.display()))?;
    let no_key = || format!("\"{}\" holds no Ed25519 key in PEM; make one with: openssl genpkey -algorithm ed25519", file.display());
    let key = PrivatePkcs8KeyDer::from_pem_slice(&text).map_err(|_| no_key())?;
    let seed = key.secret_pkcs8_der().strip_prefix(&PKCS8_HEAD).and_then(|rest| rest.first_chunk::<32>());
    seed.map(SigningKey::from_bytes).ok_or_else(no_key)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the DSSE specification.
    #[test]
    fn what_is_signed_is_encoded_as_dsse_says() {
        assert_eq!(encoded("http://example.com/HelloWorld", b"hello world"), b"DSSEv1 29 http://example.com/HelloWorld 11 hello world");
    }
}
