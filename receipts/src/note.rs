//! C2SP signed notes: text, signature lines, verifier and signing keys.
//!
//! N1: a note that parses is written back byte for byte.
//! N2: one signature of a known key that does not verify spoils the whole note; unknown keys are ignored.
//! N3: Ed25519 is verified strictly (S < L, no small-order key or commitment).
//!
//! Never: takes a key from a note.
//! Format: docs/formats/checkpoint.md.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use sha2::{Digest, Sha256};

use crate::FormatError;

/// Bytes of a note we read.
pub const NOTE_BYTES_MAX: usize = 128 * 1024;
/// Signature lines of a note we read.
pub const SIGNATURES_MAX: usize = 16;
/// Bytes of a key name.
pub const KEY_NAME_BYTES_MAX: usize = 255;

const B3_IDENTIFIER: &[u8] = b"\xffshockwave/b3-checkpoint/v1";
const B3_CONTEXT: &str = "shockwave/b3-checkpoint/v1\n";
const SIGNATURE_MARK: &str = "\u{2014} ";
const SKEY_MARK: &str = "PRIVATE+KEY+";

/// How a key signs a note.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum KeyType {
    /// Identifier 0x01: Ed25519 over the note text.
    Ed25519,
    /// Identifier `0xff ‖ "shockwave/b3-checkpoint/v1"`: Ed25519 over `"shockwave/b3-checkpoint/v1\n" ‖ note text`.
    B3Checkpoint,
}

impl KeyType {
    fn identifier(self) -> &'static [u8] {
        match self {
            KeyType::Ed25519 => &[0x01],
            KeyType::B3Checkpoint => B3_IDENTIFIER,
        }
    }

    fn message(self, text: &str) -> Vec<u8> {
        match self {
            KeyType::Ed25519 => text.as_bytes().to_vec(),
            KeyType::B3Checkpoint => [B3_CONTEXT, text].concat().into_bytes(),
        }
    }

    /// Splits `identifier ‖ 32 bytes`, the key data of vkeys and skeys.
    fn split(data: &[u8]) -> Option<(Self, [u8; 32])> {
        [KeyType::Ed25519, KeyType::B3Checkpoint]
            .into_iter()
            .find_map(|key_type| Some((key_type, data.strip_prefix(key_type.identifier())?.try_into().ok()?)))
    }
}

/// First four bytes of `SHA-256(name ‖ "\n" ‖ identifier ‖ public key)`.
pub(crate) fn key_id(name: &str, identifier: &[u8], public: &[u8]) -> [u8; 4] {
    let hash = Sha256::new().chain_update(name).chain_update(b"\n").chain_update(identifier).chain_update(public).finalize();
    [hash[0], hash[1], hash[2], hash[3]]
}

/// A key's id as text.
pub(crate) fn hex(id: [u8; 4]) -> String {
    format!("{:08x}", u32::from_be_bytes(id))
}

/// `<name>+<8 hex key id>+<base64(identifier ‖ key)>`, read but for what the key is.
pub(crate) struct KeyText<'t> {
    pub(crate) name: &'t str,
    pub(crate) data: Vec<u8>,
    id: &'t str,
    what: &'static str,
}

impl<'t> KeyText<'t> {
    /// `what` is what an error calls it, and `text` what is left of it behind its mark.
    pub(crate) fn parse(what: &'static str, text: &'t str) -> Result<Self, FormatError> {
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(id), Some(data)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(FormatError::new(what, "is not <name>+<key id>+<base64>"));
        };
        Ok(Self { name, data: decode_base64(what, data)?, id, what })
    }

    pub(crate) fn unknown_type(&self) -> FormatError {
        FormatError::new(self.what, "has a signature type we do not know, or a wrong length")
    }

    /// Fails unless the id is that of the key.
    pub(crate) fn check_id(&self, key_id: [u8; 4]) -> Result<(), FormatError> {
        if hex(key_id) == self.id { Ok(()) } else { Err(FormatError::new(self.what, "has a key id that is not its own")) }
    }
}

/// What [`KeyText`] reads.
pub(crate) fn key_text(name: &str, key_id: [u8; 4], identifier: &[u8], key: &[u8]) -> String {
    format!("{name}+{}+{}", hex(key_id), encode_base64(&[identifier, key].concat()))
}

/// Reads `PRIVATE+KEY+…`.
pub(crate) fn parse_secret(skey: &str) -> Result<KeyText<'_>, FormatError> {
    let what = "signing key";
    let text = skey.strip_prefix(SKEY_MARK).ok_or_else(|| FormatError::new(what, "does not start with PRIVATE+KEY+"))?;
    KeyText::parse(what, text)
}

/// The text that [`parse_secret`] reads.
pub(crate) fn secret_text(name: &str, key_id: [u8; 4], identifier: &[u8], seed: &[u8; 32]) -> String {
    format!("{SKEY_MARK}{}", key_text(name, key_id, identifier, seed))
}

/// The point of a public key; fails on bytes that are none, and on one of small order.
pub(crate) fn point(what: &str, public: &[u8; 32]) -> Result<VerifyingKey, FormatError> {
    let point = VerifyingKey::from_bytes(public).map_err(|_| FormatError::new(what, "is no Ed25519 point"))?;
    if point.is_weak() { Err(FormatError::new(what, "has small order")) } else { Ok(point) }
}

/// Checks a key name: 1 to 255 bytes without Unicode spaces, control characters or plus.
pub fn check_key_name(name: &str) -> Result<(), FormatError> {
    if name.is_empty() || name.len() > KEY_NAME_BYTES_MAX {
        return Err(FormatError::new("key name", format!("{} bytes, not 1 to {KEY_NAME_BYTES_MAX}", name.len())));
    }
    if name.chars().any(|c| c.is_whitespace() || c.is_control() || c == '+') {
        return Err(FormatError::new("key name", "holds a space, a control character or a plus"));
    }
    Ok(())
}

/// Strict base64: standard alphabet, padded, no stray bits, so that every value has one spelling.
pub(crate) fn decode_base64(what: &str, text: &str) -> Result<Vec<u8>, FormatError> {
    STANDARD.decode(text).map_err(|_| FormatError::new(what, "is not canonical base64"))
}

pub(crate) fn encode_base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// A public key to verify notes with, pinned by whoever verifies.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VerifierKey {
    name: String,
    key_type: KeyType,
    key_id: [u8; 4],
    public: VerifyingKey,
}

impl VerifierKey {
    /// A key from its parts; fails on a bad name, bytes that are no point, or a small-order point.
    pub fn new(name: &str, key_type: KeyType, public: &[u8; 32]) -> Result<Self, FormatError> {
        check_key_name(name)?;
        let public = point("verifier key", public)?;
        Ok(Self { name: name.to_owned(), key_type, key_id: key_id(name, key_type.identifier(), public.as_bytes()), public })
    }

    /// Reads `<name>+<8 hex key id>+<base64(identifier ‖ public key)>`; the id must be that of the key.
    pub fn parse(vkey: &str) -> Result<Self, FormatError> {
        let text = KeyText::parse("verifier key", vkey)?;
        let (key_type, public) = KeyType::split(&text.data).ok_or_else(|| text.unknown_type())?;
        let key = Self::new(text.name, key_type, &public)?;
        text.check_id(key.key_id)?;
        Ok(key)
    }

    /// Its name; a log's is its origin.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How it signs.
    pub fn key_type(&self) -> KeyType {
        self.key_type
    }

    /// First four bytes of `SHA-256(name ‖ "\n" ‖ identifier ‖ public key)`.
    pub fn key_id(&self) -> [u8; 4] {
        self.key_id
    }

    /// The 32 bytes of the Ed25519 public key.
    pub fn public(&self) -> &[u8; 32] {
        self.public.as_bytes()
    }

    /// Whether a signature is the key's over bytes that are no note.
    pub(crate) fn verify_bytes(&self, message: &[u8], signature: &[u8]) -> bool {
        verify_bytes(&self.public, message, signature)
    }

    fn verifies(&self, text: &str, signature: &[u8]) -> bool {
        verify_bytes(&self.public, &self.key_type.message(text), signature)
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&key_text(&self.name, self.key_id, self.key_type.identifier(), self.public.as_bytes()))
    }
}

/// Strict Ed25519 over raw bytes; `false` for a signature of another length too.
pub(crate) fn verify_bytes(public: &VerifyingKey, message: &[u8], signature: &[u8]) -> bool {
    Signature::from_slice(signature).is_ok_and(|signature| public.verify_strict(message, &signature).is_ok())
}

/// A private key that signs notes under a name. Wiped from memory when dropped.
pub struct NoteSigner {
    key: SigningKey,
    verifier: VerifierKey,
}

impl NoteSigner {
    /// A signer from a 32-byte Ed25519 seed; fails on a bad name.
    pub fn new(name: &str, key_type: KeyType, seed: &[u8; 32]) -> Result<Self, FormatError> {
        let key = SigningKey::from_bytes(seed);
        let verifier = VerifierKey::new(name, key_type, key.verifying_key().as_bytes())?;
        Ok(Self { key, verifier })
    }

    /// Reads `PRIVATE+KEY+<name>+<8 hex key id>+<base64(identifier ‖ seed)>`.
    pub fn parse(skey: &str) -> Result<Self, FormatError> {
        let text = parse_secret(skey)?;
        let (key_type, seed) = KeyType::split(&text.data).ok_or_else(|| text.unknown_type())?;
        let signer = Self::new(text.name, key_type, &seed)?;
        text.check_id(signer.verifier.key_id)?;
        Ok(signer)
    }

    /// The text that [`NoteSigner::parse`] reads. It is the private key: keep it in a file of mode 0600 and out of every log.
    pub fn secret_text(&self) -> String {
        secret_text(&self.verifier.name, self.verifier.key_id, self.verifier.key_type.identifier(), self.key.as_bytes())
    }

    /// The public half.
    pub fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    pub(crate) fn sign_bytes(&self, message: &[u8]) -> [u8; 64] {
        self.key.sign(message).to_bytes()
    }
}

impl fmt::Debug for NoteSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NoteSigner({})", self.verifier)
    }
}

/// One signature line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NoteSignature {
    /// Name of the key, unverified.
    pub name: String,
    /// Id of the key, unverified.
    pub key_id: [u8; 4],
    /// What the key type makes of the text; 64 bytes for Ed25519.
    pub signature: Vec<u8>,
}

/// A parsed note. Its text means nothing until [`Note::verify`] has said who signed it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Note {
    text: String,
    signatures: Vec<NoteSignature>,
}

/// Why no known key stands behind a note.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum NoteFailure {
    /// A known key's signature line does not verify: its vkey name.
    BadSignature(String),
    /// No signature line names a known key and key id.
    NoKnownKey,
}

impl Note {
    /// Reads a signed note; fails on anything that [`fmt::Display`] would not write, over [`NOTE_BYTES_MAX`] bytes, or with more than
    /// [`SIGNATURES_MAX`] signatures.
    pub fn parse(note: &str) -> Result<Self, FormatError> {
        let error = |why: &str| FormatError::new("note", why);
        if note.len() > NOTE_BYTES_MAX {
            return Err(error("is longer than 128 KiB"));
        }
        if note.chars().any(|c| c < ' ' && c != '\n') {
            return Err(error("holds a control character"));
        }
        let end = note.rfind("\n\n").ok_or_else(|| error("has no empty line before its signatures"))?;
        Ok(Self { text: note[..=end].to_owned(), signatures: parse_signatures(&note[end + 2..])? })
    }

    /// Signs `text`, which must end in a newline and hold no other control character.
    pub fn sign(text: &str, signers: &[&NoteSigner]) -> Result<Self, FormatError> {
        if !text.ends_with('\n') || text.chars().any(|c| c < ' ' && c != '\n') {
            return Err(FormatError::new("note", "text must end in a newline and hold no other control character"));
        }
        if signers.is_empty() || signers.len() > SIGNATURES_MAX {
            return Err(FormatError::new("note", format!("{} signatures, not 1 to {SIGNATURES_MAX}", signers.len())));
        }
        let sign = |signer: &&NoteSigner| NoteSignature {
            name: signer.verifier.name.clone(),
            key_id: signer.verifier.key_id,
            signature: signer.sign_bytes(&signer.verifier.key_type.message(text)).to_vec(),
        };
        Ok(Self { text: text.to_owned(), signatures: signers.iter().map(sign).collect() })
    }

    /// The signed text, ending in a newline.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The signature lines, in order.
    pub fn signatures(&self) -> &[NoteSignature] {
        &self.signatures
    }

    /// Adds a signature line at the end; fails if there are [`SIGNATURES_MAX`] already.
    pub fn add(&mut self, line: NoteSignature) -> Result<(), FormatError> {
        if self.signatures.len() == SIGNATURES_MAX {
            return Err(FormatError::new("note", "has more than 16 signatures"));
        }
        self.signatures.push(line);
        Ok(())
    }

    /// Verifies every signature line of a key in `keys` and returns those keys, each once, in line order. Fails if one of them does
    /// not verify, or if there is none.
    pub fn verify<'k>(&self, keys: &'k [VerifierKey]) -> Result<Vec<&'k VerifierKey>, NoteFailure> {
        let mut signed_by: Vec<&VerifierKey> = Vec::new();
        for line in &self.signatures {
            for key in keys.iter().filter(|key| key.name == line.name && key.key_id == line.key_id) {
                if !key.verifies(&self.text, &line.signature) {
                    return Err(NoteFailure::BadSignature(key.name.clone()));
                }
                if !signed_by.contains(&key) {
                    signed_by.push(key);
                }
            }
        }
        if signed_by.is_empty() { Err(NoteFailure::NoKnownKey) } else { Ok(signed_by) }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.signatures.iter().try_for_each(|line| write!(f, "{line}"))
    }
}

/// The line, with its newline.
impl fmt::Display for NoteSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let data = [&self.key_id, self.signature.as_slice()].concat();
        writeln!(f, "{SIGNATURE_MARK}{} {}", self.name, encode_base64(&data))
    }
}

/// Reads signature lines, each ended by a newline: what stands behind the empty line of a note.
pub fn parse_signatures(lines: &str) -> Result<Vec<NoteSignature>, FormatError> {
    let lines = lines.strip_suffix('\n').ok_or_else(|| FormatError::new("note", "does not end with a signature line and a newline"))?;
    let signatures = lines.split('\n').map(parse_signature).collect::<Result<Vec<_>, _>>()?;
    if signatures.len() > SIGNATURES_MAX {
        return Err(FormatError::new("note", "has more than 16 signatures"));
    }
    Ok(signatures)
}

fn parse_signature(line: &str) -> Result<NoteSignature, FormatError> {
    let error = |why: &str| FormatError::new("note signature", why);
    let rest = line.strip_prefix(SIGNATURE_MARK).ok_or_else(|| error("does not start with an em dash and a space"))?;
    let (name, data) = rest.split_once(' ').ok_or_else(|| error("has no space between name and signature"))?;
    check_key_name(name)?;
    let data = decode_base64("note signature", data)?;
    match data.split_first_chunk::<4>() {
        Some((key_id, signature)) if !signature.is_empty() => {
            Ok(NoteSignature { name: name.to_owned(), key_id: *key_id, signature: signature.to_vec() })
        }
        _ => Err(error("is shorter than a key id and a signature")),
    }
}
