//! Checkpoints of the two log trees and the two keys of a ledger that sign them.
//!
//! C1: a SHA-256 checkpoint has origin `<ledger>` and a key of type 0x01; a BLAKE3 one origin `<ledger>/b3` and a key of type
//!     `0xff ‖ "shockwave/b3-checkpoint/v1"`: neither can be taken for the other.
//! C2: the name of a signing key is the origin of what it signs.
//! C3: a checkpoint has exactly three lines: origin, size, root.
//!
//! Never: decides whether a checkpoint may be signed (that is `last_signed`, in the engine).
//! Format: docs/formats/checkpoint.md.

use std::fmt::{self, Write as _};

use crate::FormatError;
use crate::hash::Hash;
use crate::note::{KeyType, Note, NoteSigner, VerifierKey, check_key_name, decode_base64, encode_base64};

/// What the origin of a BLAKE3 tree adds to its ledger's.
pub const B3_SUFFIX: &str = "/b3";

/// The origin of a ledger: `<database>/<32 hex ledger id>`, bytes of the database name other than letters, digits, `.`, `_` and `-`
/// written `%XX`, so that every name gives a valid key name of its own.
pub fn origin(database: &str, ledger: &[u8; 16]) -> String {
    let mut origin = String::with_capacity(database.len() + 33);
    for byte in database.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'_' | b'-' => origin.push(byte.into()),
            _ => push_hex(&mut origin, "%", byte),
        }
    }
    origin.push('/');
    ledger.iter().for_each(|byte| push_hex(&mut origin, "", *byte));
    origin
}

fn push_hex(out: &mut String, mark: &str, byte: u8) {
    let _ = write!(out, "{mark}{byte:02x}");
}

/// The ledger id at the end of a ledger's origin (not of a BLAKE3 tree's); `None` if it is no such origin.
pub fn ledger_of_origin(origin: &str) -> Option<[u8; 16]> {
    let (database, id) = origin.rsplit_once('/')?;
    let is_hex = id.len() == 32 && id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if database.is_empty() || !is_hex {
        return None;
    }
    u128::from_str_radix(id, 16).ok().map(u128::to_be_bytes)
}

/// The signed state of a log: so many leaves, this root.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Checkpoint {
    /// Which log.
    pub origin: String,
    /// Number of leaves.
    pub size: u64,
    /// Root of the tree of those leaves.
    pub root: Hash,
}

impl Checkpoint {
    /// Reads a note text; fails unless it is exactly `<origin>\n<size>\n<base64 root>\n`.
    pub fn parse(text: &str) -> Result<Self, FormatError> {
        let error = |why: &str| FormatError::new("checkpoint", why);
        let lines: Vec<&str> = text.strip_suffix('\n').ok_or_else(|| error("does not end in a newline"))?.split('\n').collect();
        let [origin, size, root] = lines[..] else { return Err(error("has not exactly three lines")) };
        check_key_name(origin).map_err(|_| error("has an origin that is no key name"))?;
        let size = parse_decimal(size).ok_or_else(|| error("has a size that is no canonical decimal"))?;
        let root = parse_hash("checkpoint root", root)?;
        Ok(Self { origin: origin.to_owned(), size, root })
    }

    /// The same of a checkpoint of any log: lines that the log adds after the three are taken, and not looked at.
    pub fn parse_extended(text: &str) -> Result<Self, FormatError> {
        let error = |why: &str| FormatError::new("checkpoint", why);
        let ends: Vec<usize> = text.match_indices('\n').map(|(at, _)| at + 1).take(3).collect();
        let [_, _, end] = ends[..] else { return Err(error("has not at least three lines")) };
        let extensions = &text[end..];
        if !extensions.is_empty() && (!extensions.ends_with('\n') || extensions.starts_with('\n') || extensions.contains("\n\n")) {
            return Err(error("has an extension line that is empty or does not end"));
        }
        Self::parse(&text[..end])
    }

    /// The key type that may sign it: by its origin.
    pub fn key_type(&self) -> KeyType {
        if self.origin.ends_with(B3_SUFFIX) { KeyType::B3Checkpoint } else { KeyType::Ed25519 }
    }
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n{}\n{}\n", self.origin, self.size, encode_base64(&self.root))
    }
}

/// A u64 in ASCII decimal without sign or leading zeros.
pub(crate) fn parse_decimal(text: &str) -> Option<u64> {
    let number: u64 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

pub(crate) fn parse_hash(what: &str, text: &str) -> Result<Hash, FormatError> {
    let bytes = decode_base64(what, text)?;
    bytes.try_into().map_err(|bytes: Vec<u8>| FormatError::new(what, format!("is {} bytes, not 32", bytes.len())))
}

/// The two private keys of a ledger.
#[derive(Debug)]
pub struct Keys {
    /// Signs checkpoints of the SHA-256 tree; named after the ledger's origin.
    pub sha: NoteSigner,
    /// Signs checkpoints of the BLAKE3 tree; named after `<origin>/b3`.
    pub b3: NoteSigner,
}

impl Keys {
    /// The keys of the ledger with this [`origin`] from two seeds of 32 random bytes; fails on a bad origin or equal seeds.
    pub fn from_seeds(origin: &str, sha_seed: &[u8; 32], b3_seed: &[u8; 32]) -> Result<Self, FormatError> {
        if ledger_of_origin(origin).is_none() {
            return Err(FormatError::new("origin", "is not <database>/<32 hex ledger id>"));
        }
        if sha_seed == b3_seed {
            return Err(FormatError::new("keys", "the two trees need different keys"));
        }
        let sha = NoteSigner::new(origin, KeyType::Ed25519, sha_seed)?;
        let b3 = NoteSigner::new(&format!("{origin}{B3_SUFFIX}"), KeyType::B3Checkpoint, b3_seed)?;
        Ok(Self { sha, b3 })
    }

    /// Reads two lines, the signing keys of the SHA-256 and of the BLAKE3 tree, as [`Keys::secret_text`] writes them.
    pub fn parse(text: &str) -> Result<Self, FormatError> {
        let error = |why: &str| FormatError::new("key file", why);
        let lines: Vec<&str> = text.strip_suffix('\n').ok_or_else(|| error("does not end in a newline"))?.split('\n').collect();
        let [sha, b3] = lines[..] else { return Err(error("has not exactly two lines")) };
        let (sha, b3) = (NoteSigner::parse(sha)?, NoteSigner::parse(b3)?);
        let name = sha.verifier().name();
        let are_types_right = sha.verifier().key_type() == KeyType::Ed25519 && b3.verifier().key_type() == KeyType::B3Checkpoint;
        if !are_types_right || ledger_of_origin(name).is_none() || b3.verifier().name().strip_suffix(B3_SUFFIX) != Some(name) {
            return Err(error("does not hold the two keys of one ledger"));
        }
        Ok(Self { sha, b3 })
    }

    /// The private keys as text: for a file of mode 0600, and nowhere else.
    pub fn secret_text(&self) -> String {
        format!("{}\n{}\n", self.sha.secret_text(), self.b3.secret_text())
    }

    /// The ledger's origin.
    pub fn origin(&self) -> &str {
        self.sha.verifier().name()
    }

    /// The public halves, SHA-256 first.
    pub fn verifiers(&self) -> [&VerifierKey; 2] {
        [self.sha.verifier(), self.b3.verifier()]
    }

    /// A signed checkpoint of the SHA-256 tree, as text.
    pub fn sign_checkpoint(&self, size: u64, sha_root: &Hash) -> String {
        sign(&self.sha, size, sha_root)
    }

    /// A signed checkpoint of the BLAKE3 tree, as text.
    pub fn sign_b3_checkpoint(&self, size: u64, b3_root: &Hash) -> String {
        sign(&self.b3, size, b3_root)
    }
}

fn sign(signer: &NoteSigner, size: u64, root: &Hash) -> String {
    let checkpoint = Checkpoint { origin: signer.verifier().name().to_owned(), size, root: *root };
    Note::sign(&checkpoint.to_string(), &[signer]).expect("C2: a checkpoint under a valid key name is a valid note text").to_string()
}
