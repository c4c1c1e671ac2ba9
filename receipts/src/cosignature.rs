//! Cosignatures of witnesses: C2SP tlog-cosignature's `cosignature/v1`, key type 0x04, over a time and the text of a checkpoint.
//!
//! W1: a cosignature is 72 bytes, states a time of 1 to 2^63 − 1 seconds, and is verified as strictly as a log's signature (N3).
//! W2: a witness counts once, however many of its lines are there; one of them that does not verify spoils the note.
//!
//! Never: takes a key from a note; says whether a witness is honest.
//! Format: docs/formats/checkpoint.md.

use std::fmt;

use ed25519_dalek::{Signer, SigningKey, VerifyingKey};

use crate::FormatError;
use crate::note::{KeyText, Note, NoteSignature, check_key_name, key_id, key_text, parse_secret, point, secret_text, verify_bytes};

const IDENTIFIER: &[u8] = &[0x04];
/// Identifier and bytes of a key of the other type that the format knows, ML-DSA-44: it may be pinned, and is not verified here.
const ML_DSA_IDENTIFIER: &[u8] = &[0x06];
const ML_DSA_BYTES: usize = 1312;
/// The latest time a cosignature may state, in seconds since 1970-01-01 UTC.
pub const TIME_MAX: u64 = i64::MAX as u64;

/// What is signed: two lines, then the text.
fn message(time: u64, text: &str) -> Vec<u8> {
    format!("cosignature/v1\ntime {time}\n{text}").into_bytes()
}

/// A witness's public key, pinned by whoever verifies.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WitnessKey {
    name: String,
    key_id: [u8; 4],
    scheme: Scheme,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Scheme {
    Ed25519(VerifyingKey),
    MlDsa44(Vec<u8>),
}

/// Why a line of a pinned witness is none of his.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum CosignatureFailure {
    /// It does not verify.
    Bad,
    /// It verifies, and states this time, which is none.
    Time(u64),
}

impl WitnessKey {
    /// A key of type 0x04 from its parts; fails on a bad name, bytes that are no point, or a small-order point.
    pub fn new(name: &str, public: &[u8; 32]) -> Result<Self, FormatError> {
        check_key_name(name)?;
        let public = point("witness key", public)?;
        Ok(Self { name: name.to_owned(), key_id: key_id(name, IDENTIFIER, public.as_bytes()), scheme: Scheme::Ed25519(public) })
    }

    /// Reads a vkey; the id must be that of the key.
    pub fn parse(vkey: &str) -> Result<Self, FormatError> {
        let text = KeyText::parse("witness key", vkey)?;
        let ed25519 = text.data.strip_prefix(IDENTIFIER).and_then(|public| public.try_into().ok());
        let ml_dsa = text.data.strip_prefix(ML_DSA_IDENTIFIER).filter(|public| public.len() == ML_DSA_BYTES);
        let key = match (ed25519, ml_dsa) {
            (Some(public), _) => Self::new(text.name, public)?,
            (None, Some(public)) => {
                check_key_name(text.name)?;
                let id = key_id(text.name, ML_DSA_IDENTIFIER, public);
                Self { name: text.name.to_owned(), key_id: id, scheme: Scheme::MlDsa44(public.to_vec()) }
            }
            (None, None) => return Err(text.unknown_type()),
        };
        text.check_id(key.key_id)?;
        Ok(key)
    }

    /// The name it signs under.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// First four bytes of `SHA-256(name ‖ "\n" ‖ identifier ‖ public key)`.
    pub fn key_id(&self) -> [u8; 4] {
        self.key_id
    }

    /// The bytes of the public key, without what says its type.
    pub fn public(&self) -> &[u8] {
        match &self.scheme {
            Scheme::Ed25519(public) => public.as_bytes(),
            Scheme::MlDsa44(public) => public,
        }
    }

    /// Whether its cosignatures can be verified here: those of type 0x04.
    pub fn is_verified(&self) -> bool {
        matches!(self.scheme, Scheme::Ed25519(_))
    }

    /// Whether a line says it is by this key.
    pub fn is_of(&self, line: &NoteSignature) -> bool {
        line.name == self.name && line.key_id == self.key_id
    }

    /// The time that a line by this key states (W1); of a key that is not verified here, every line is bad.
    pub fn verify(&self, text: &str, line: &NoteSignature) -> Result<u64, CosignatureFailure> {
        let Scheme::Ed25519(public) = &self.scheme else { return Err(CosignatureFailure::Bad) };
        let Some((time, signature)) = line.signature.split_first_chunk() else { return Err(CosignatureFailure::Bad) };
        let time = u64::from_be_bytes(*time);
        if !verify_bytes(public, &message(time, text), signature) {
            return Err(CosignatureFailure::Bad);
        }
        if (1..=TIME_MAX).contains(&time) { Ok(time) } else { Err(CosignatureFailure::Time(time)) }
    }

    /// Whether and when it cosigned a note: the earliest time, where several lines are its own (W2). `None` too if it is not verified here.
    pub fn cosigned(&self, note: &Note) -> Result<Option<u64>, CosignatureFailure> {
        let own = note.signatures().iter().filter(|line| self.is_verified() && self.is_of(line));
        own.map(|line| self.verify(note.text(), line)).try_fold(None, |earliest: Option<u64>, time| {
            let time = time?;
            Ok(Some(earliest.map_or(time, |known| known.min(time))))
        })
    }
}

/// Its vkey.
impl fmt::Display for WitnessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let identifier = if self.is_verified() { IDENTIFIER } else { ML_DSA_IDENTIFIER };
        f.write_str(&key_text(&self.name, self.key_id, identifier, self.public()))
    }
}

/// A witness's private key. Wiped from memory when dropped.
pub struct WitnessSigner {
    key: SigningKey,
    verifier: WitnessKey,
}

impl WitnessSigner {
    /// A signer from a 32-byte Ed25519 seed; fails on a bad name.
    pub fn new(name: &str, seed: &[u8; 32]) -> Result<Self, FormatError> {
        let key = SigningKey::from_bytes(seed);
        let verifier = WitnessKey::new(name, key.verifying_key().as_bytes())?;
        Ok(Self { key, verifier })
    }

    /// Reads `PRIVATE+KEY+<name>+<8 hex key id>+<base64(0x04 ‖ seed)>`.
    pub fn parse(skey: &str) -> Result<Self, FormatError> {
        let text = parse_secret(skey)?;
        let seed = text.data.strip_prefix(IDENTIFIER).and_then(|seed| seed.try_into().ok()).ok_or_else(|| text.unknown_type())?;
        let signer = Self::new(text.name, seed)?;
        text.check_id(signer.verifier.key_id)?;
        Ok(signer)
    }

    /// The text that [`WitnessSigner::parse`] reads. It is the private key: keep it in a file of mode 0600 and out of every log.
    pub fn secret_text(&self) -> String {
        secret_text(&self.verifier.name, self.verifier.key_id, IDENTIFIER, self.key.as_bytes())
    }

    /// The public half.
    pub fn verifier(&self) -> &WitnessKey {
        &self.verifier
    }

    /// The signature line over the text of a checkpoint. Whoever calls it has seen that the checkpoint extends all it cosigned before.
    pub fn cosign(&self, text: &str, time: u64) -> NoteSignature {
        let signature = self.key.sign(&message(time, text)).to_bytes();
        let signature = [&time.to_be_bytes()[..], &signature].concat();
        NoteSignature { name: self.verifier.name.clone(), key_id: self.verifier.key_id, signature }
    }
}

impl fmt::Debug for WitnessSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WitnessSigner({})", self.verifier)
    }
}
