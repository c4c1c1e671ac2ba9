//! The leaf that names a ledger's two keys: at creation signed by themselves, at rotation by the old ones too.
//!
//! K1: every key named or replaced signs `"shockwave/key-leaf/v1\n" ‖ the leaf's bytes before its signatures`.
//!
//! Never: makes a key trusted: a verifier starts from a key it pinned.
//! Format: docs/formats/leaf.md.

use ed25519_dalek::VerifyingKey;

use super::{KIND_KEY, Place};
use crate::FormatError;
use crate::checkpoint::{B3_SUFFIX, Keys, ledger_of_origin};
use crate::cursor::Cursor;
use crate::note::{KEY_NAME_BYTES_MAX, KeyType, VerifierKey, verify_bytes};

const CONTEXT: &[u8] = b"shockwave/key-leaf/v1\n";
const ROLE_GENESIS: u8 = 0;
const ROLE_ROTATION: u8 = 1;

/// One signature by each of a ledger's two keys.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct KeySignatures {
    /// By the key of the SHA-256 tree.
    pub sha: [u8; 64],
    /// By the key of the BLAKE3 tree.
    pub b3: [u8; 64],
}

impl KeySignatures {
    fn sign(keys: &Keys, message: &[u8]) -> Self {
        Self { sha: keys.sha.sign_bytes(message), b3: keys.b3.sign_bytes(message) }
    }

    fn are_valid(&self, sha_key: &[u8; 32], b3_key: &[u8; 32], message: &[u8]) -> bool {
        let is_valid = |key: &[u8; 32], signature| {
            VerifyingKey::from_bytes(key).is_ok_and(|key| !key.is_weak() && verify_bytes(&key, message, signature))
        };
        is_valid(sha_key, &self.sha) && is_valid(b3_key, &self.b3)
    }
}

/// The keys that sign from here on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeyLeaf {
    /// Id of the ledger.
    pub ledger: [u8; 16],
    /// Index of this leaf; 0 for the first keys.
    pub seq: u64,
    /// µs since 1970-01-01 UTC.
    pub time_us: i64,
    /// The ledger's origin, which is the name of its SHA-256 key.
    pub origin: String,
    /// Public key of the SHA-256 tree.
    pub sha_key: [u8; 32],
    /// Public key of the BLAKE3 tree.
    pub b3_key: [u8; 32],
    /// By the keys named here.
    pub signatures: KeySignatures,
    /// By the keys they replace; `None` for the first keys of a ledger.
    pub replaced: Option<KeySignatures>,
}

impl KeyLeaf {
    /// The leaf that names `keys`, signed by them and by the keys they replace, if any. Fails if the origins differ.
    pub fn new(seq: u64, time_us: i64, keys: &Keys, replaced: Option<&Keys>) -> Result<Self, FormatError> {
        let origin = keys.origin().to_owned();
        let Some(ledger) = ledger_of_origin(&origin) else { return Err(FormatError::new("key leaf", "has keys of no ledger")) };
        if replaced.is_some_and(|old| old.origin() != origin) {
            return Err(FormatError::new("key leaf", "replaces keys of another ledger"));
        }
        let [sha_key, b3_key] = keys.verifiers().map(|key| *key.public());
        let nothing = KeySignatures { sha: [0; 64], b3: [0; 64] };
        let mut leaf = Self { ledger, seq, time_us, origin, sha_key, b3_key, signatures: nothing, replaced: replaced.map(|_| nothing) };
        leaf.check()?;
        let message = leaf.message();
        leaf.signatures = KeySignatures::sign(keys, &message);
        leaf.replaced = replaced.map(|old| KeySignatures::sign(old, &message));
        Ok(leaf)
    }

    /// The keys named here, as verifier keys: SHA-256, BLAKE3. Fails on bytes that are no key.
    pub fn verifiers(&self) -> Result<[VerifierKey; 2], FormatError> {
        Ok([
            VerifierKey::new(&self.origin, KeyType::Ed25519, &self.sha_key)?,
            VerifierKey::new(&format!("{}{B3_SUFFIX}", self.origin), KeyType::B3Checkpoint, &self.b3_key)?,
        ])
    }

    /// Whether all its signatures verify; `replaced` is the (SHA-256, BLAKE3) public keys in force before it, `None` for the first.
    pub fn verify(&self, replaced: Option<(&[u8; 32], &[u8; 32])>) -> bool {
        let message = self.message();
        let is_replacement_signed = match (&self.replaced, replaced) {
            (None, None) => true,
            (Some(signatures), Some((sha_key, b3_key))) => signatures.are_valid(sha_key, b3_key, &message),
            _ => false,
        };
        is_replacement_signed && self.signatures.are_valid(&self.sha_key, &self.b3_key, &message)
    }

    fn message(&self) -> Vec<u8> {
        [CONTEXT, &self.unsigned_bytes()].concat()
    }

    fn unsigned_bytes(&self) -> Vec<u8> {
        let mut out = Place { ledger: self.ledger, seq: self.seq, time_us: self.time_us }.encode(KIND_KEY);
        out.push(if self.replaced.is_some() { ROLE_ROTATION } else { ROLE_GENESIS });
        out.push(self.origin.len() as u8);
        out.extend(self.origin.bytes());
        out.extend(self.sha_key);
        out.extend(self.b3_key);
        out
    }

    pub(super) fn encode(&self) -> Result<Vec<u8>, FormatError> {
        self.check()?;
        let mut out = self.unsigned_bytes();
        for signatures in [Some(&self.signatures), self.replaced.as_ref()].into_iter().flatten() {
            out.extend(signatures.sha);
            out.extend(signatures.b3);
        }
        Ok(out)
    }

    pub(super) fn decode(place: Place, cursor: &mut Cursor<'_>) -> Result<Self, FormatError> {
        let Place { ledger, seq, time_us } = place;
        let role = cursor.u8()?;
        let origin = cursor.short_text("origin")?;
        let (sha_key, b3_key) = (cursor.array()?, cursor.array()?);
        let signatures = KeySignatures { sha: cursor.array()?, b3: cursor.array()? };
        let replaced = match role {
            ROLE_GENESIS => None,
            ROLE_ROTATION => Some(KeySignatures { sha: cursor.array()?, b3: cursor.array()? }),
            _ => return Err(cursor.error(format!("key role {role} is not supported"))),
        };
        let leaf = Self { ledger, seq, time_us, origin, sha_key, b3_key, signatures, replaced };
        leaf.check()?;
        Ok(leaf)
    }

    fn check(&self) -> Result<(), FormatError> {
        let error = |why: &str| Err(FormatError::new("key leaf", why));
        if self.origin.len() + B3_SUFFIX.len() > KEY_NAME_BYTES_MAX || ledger_of_origin(&self.origin) != Some(self.ledger) {
            return error("has an origin that is not this ledger's");
        }
        if self.sha_key == self.b3_key {
            return error("names one key for both trees");
        }
        Ok(())
    }
}
