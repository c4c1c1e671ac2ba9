//! Receipts as COSE (RFC 9942): a COSE_Sign1 over the root of the SHA-256 tree, the inclusion proof and what a receipt shows in its headers.
//!
//! X1: a receipt has one spelling, that of deterministic CBOR; one that parses is written back byte for byte.
//! X2: the root is not in it: whoever verifies computes it from leaf and path, and the signature is over that.
//!
//! Never: carries a key.
//! Format: docs/formats/cose.md.

use crate::FormatError;
use crate::checkpoint::Keys;
use crate::cursor::Cursor;
use crate::hash::Hash;
use crate::proof::{PATH_HASHES_MAX, root_from_inclusion};
use crate::receipt::{RECEIPT_BYTES_MAX, RowPart, decode_extra, encode_extra};
use crate::tree::{Sha256Tree, TreeHash};

/// The protected header: algorithm (1) EdDSA (−8), verifiable data structure (395) RFC 9162's tree of SHA-256 (1).
const PROTECTED: [u8; 7] = [0xa2, 0x01, 0x27, 0x19, 0x01, 0x8b, 0x01];
/// All before the inclusion proof: tag 18, an array of four, the protected header, a map of two that begins with the proofs (396), a map of a list
/// of one inclusion proof (−1).
const BEFORE_PROOF: [u8; 17] = [0xd2, 0x84, 0x47, 0xa2, 0x01, 0x27, 0x19, 0x01, 0x8b, 0x01, 0xa2, 0x19, 0x01, 0x8c, 0xa1, 0x20, 0x81];
/// Label −70,000, of those for private use: the leaf and the row.
const BEFORE_EXTRA: [u8; 5] = [0x3a, 0x00, 0x01, 0x11, 0x6f];
/// No payload, and a signature of 64 bytes.
const BEFORE_SIGNATURE: [u8; 3] = [0xf6, 0x58, 0x40];

/// Major types of CBOR.
const UNSIGNED: u8 = 0;
const BYTES: u8 = 2;
const ARRAY: u8 = 4;

/// Whether bytes are meant as a COSE receipt: they begin with the tag of a COSE_Sign1.
pub fn is_cose(bytes: &[u8]) -> bool {
    bytes.first() == Some(&BEFORE_PROOF[0])
}

/// A receipt as COSE for one commit, or for one row of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CoseReceipt {
    /// Number of leaves, as the proof states it.
    pub size: u64,
    /// Index of the leaf.
    pub index: u64,
    /// Path of the leaf.
    pub path: Vec<Hash>,
    /// The leaf bytes.
    pub leaf: Vec<u8>,
    /// The row, if the receipt is for one.
    pub row: Option<RowPart>,
    /// Ed25519 over [`signed_bytes`] of the root.
    pub signature: [u8; 64],
}

/// What is signed: the Sig_structure of RFC 9052 with this protected header, no external data, and the root for payload.
pub fn signed_bytes(root: &Hash) -> Vec<u8> {
    [&[0x84, 0x6a][..], b"Signature1", &[0x47], &PROTECTED, &[0x40, 0x58, 0x20], root].concat()
}

impl CoseReceipt {
    /// Signs the root that leaf and path lead to. Fails if they lead to none.
    ///
    /// The caller sees to it that this is the root of a size that the ledger has signed.
    pub fn sign(keys: &Keys, (size, index): (u64, u64), path: Vec<Hash>, leaf: Vec<u8>, row: Option<RowPart>) -> Result<Self, FormatError> {
        let mut receipt = Self { size, index, path, leaf, row, signature: [0; 64] };
        let root = receipt.root().ok_or_else(|| FormatError::new("COSE receipt", "has a path that leads to no root"))?;
        receipt.signature = keys.sha.sign_bytes(&signed_bytes(&root));
        Ok(receipt)
    }

    /// The root that leaf and path lead to.
    pub fn root(&self) -> Option<Hash> {
        root_from_inclusion::<Sha256Tree>(&Sha256Tree::leaf(&self.leaf), self.index, self.size, &self.path)
    }

    /// Writes it; fails above 16 MiB or if a part is too long.
    pub fn to_bytes(&self) -> Result<Vec<u8>, FormatError> {
        let mut proof = vec![ARRAY << 5 | 3];
        push_head(UNSIGNED, self.size, &mut proof);
        push_head(UNSIGNED, self.index, &mut proof);
        push_head(ARRAY, self.path.len() as u64, &mut proof);
        self.path.iter().for_each(|hash| push_bytes(hash, &mut proof));
        let mut bytes = BEFORE_PROOF.to_vec();
        push_bytes(&proof, &mut bytes);
        bytes.extend(BEFORE_EXTRA);
        push_bytes(&encode_extra(&self.leaf, self.row.as_ref())?, &mut bytes);
        bytes.extend(BEFORE_SIGNATURE);
        bytes.extend(self.signature);
        if bytes.len() > RECEIPT_BYTES_MAX { Err(FormatError::new("COSE receipt", "would be longer than 16 MiB")) } else { Ok(bytes) }
    }

    /// Reads one; fails on anything that [`CoseReceipt::to_bytes`] would not write.
    pub fn parse(bytes: &[u8]) -> Result<Self, FormatError> {
        let mut cursor = Cursor::new("COSE receipt", bytes);
        if bytes.len() > RECEIPT_BYTES_MAX {
            return Err(cursor.error("is longer than 16 MiB"));
        }
        if cursor.bytes(BEFORE_PROOF.len())? != BEFORE_PROOF {
            return Err(cursor.error("does not begin with EdDSA, the tree of RFC 9162 and one inclusion proof"));
        }
        let proof = byte_string(&mut cursor)?;
        if cursor.bytes(BEFORE_EXTRA.len())? != BEFORE_EXTRA {
            return Err(cursor.error("does not go on with label -70000"));
        }
        let extra = byte_string(&mut cursor)?;
        if cursor.bytes(BEFORE_SIGNATURE.len())? != BEFORE_SIGNATURE {
            return Err(cursor.error("does not end without payload and with a signature of 64 bytes"));
        }
        let signature = cursor.array()?;
        cursor.end()?;
        let (size, index, path) = parse_proof(proof)?;
        let (leaf, row) = decode_extra(extra)?;
        Ok(Self { size, index, path, leaf, row, signature })
    }
}

fn parse_proof(bytes: &[u8]) -> Result<(u64, u64, Vec<Hash>), FormatError> {
    let mut cursor = Cursor::new("COSE inclusion proof", bytes);
    if cursor.u8()? != ARRAY << 5 | 3 {
        return Err(cursor.error("is not of size, index and path"));
    }
    let (size, index) = (head(&mut cursor, UNSIGNED)?, head(&mut cursor, UNSIGNED)?);
    let count = head(&mut cursor, ARRAY)?;
    if count > PATH_HASHES_MAX as u64 {
        return Err(cursor.error(format!("a path of {count} hashes, at most {PATH_HASHES_MAX}")));
    }
    let mut path = Vec::new();
    for _ in 0..count {
        let hash = byte_string(&mut cursor)?;
        path.push(hash.try_into().map_err(|_| cursor.error(format!("has a hash of {} bytes", hash.len())))?);
    }
    cursor.end()?;
    Ok((size, index, path))
}

fn byte_string<'a>(cursor: &mut Cursor<'a>) -> Result<&'a [u8], FormatError> {
    let length = head(cursor, BYTES)?;
    let length = usize::try_from(length).ok().filter(|length| *length <= RECEIPT_BYTES_MAX);
    let length = length.ok_or_else(|| cursor.error("has a byte string of more than 16 MiB"))?;
    cursor.bytes(length)
}

/// The number in the head of an item of this major type, in its shortest form.
fn head(cursor: &mut Cursor<'_>, major: u8) -> Result<u64, FormatError> {
    let first = cursor.u8()?;
    let (number, least) = match first & 0x1f {
        short @ 0..=23 => (u64::from(short), 0),
        24 => (u64::from(cursor.u8()?), 24),
        25 => (u64::from(u16::from_be_bytes(cursor.array()?)), 1 << 8),
        26 => (u64::from(u32::from_be_bytes(cursor.array()?)), 1 << 16),
        27 => (u64::from_be_bytes(cursor.array()?), 1 << 32),
        _ => (0, 1),
    };
    if first >> 5 != major || number < least {
        return Err(cursor.error(format!("has no item of type {major} in its shortest form")));
    }
    Ok(number)
}

fn push_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    push_head(BYTES, bytes.len() as u64, out);
    out.extend(bytes);
}

/// X1: the shortest form.
fn push_head(major: u8, number: u64, out: &mut Vec<u8>) {
    let bytes = number.to_be_bytes();
    let (short, from) = match number {
        0..=23 => (number as u8, 8),
        24..=0xff => (24, 7),
        0x100..=0xffff => (25, 6),
        0x1_0000..=0xffff_ffff => (26, 4),
        _ => (27, 0),
    };
    out.push(major << 5 | short);
    out.extend(&bytes[from..]);
}
