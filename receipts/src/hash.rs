//! The keyed BLAKE3 hashes, one key per purpose, and what commits to one field of a row.
//!
//! H1: no two purposes share a key, so a hash of one kind cannot pass for another.
//! H2: the bytes hashed for a field determine column, type, NULL-ness, length and value, in that order, at fixed places.
//! H3: salts, fields and rows hash whole 64-byte blocks, zero-filled after their explicit length, so that many fit SIMD lanes.
//!
//! Never: allocates.
//! Format: docs/formats/leaf.md.

use std::sync::LazyLock;

/// 32 bytes of BLAKE3 or SHA-256.
pub type Hash = [u8; 32];

/// Block length of BLAKE3.
pub(crate) const BLOCK_BYTES: usize = 64;

/// Bytes of a field commitment's preimage before the value: salt, column, type, is_null, length.
pub(crate) const FIELD_PREFIX_BYTES: usize = 16 + 4 + 4 + 1 + 8;

/// What a keyed hash is for. The key of a purpose is `derive_key("shockwave 2026 <purpose> v1")` over no key material.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Purpose {
    /// Commitment to one field: `field`.
    Field,
    /// One row, and the leaves of a commit's row tree: `row`.
    Row,
    /// Inner node of a commit's row tree: `row-node`.
    RowNode,
    /// Leaf of the BLAKE3 log tree: `leaf`.
    Leaf,
    /// Inner node of the BLAKE3 log tree: `node`.
    Node,
    /// Salt of one field from the salt of its row: `salt`.
    Salt,
    /// Leaf of the schema tree: `schema`.
    Schema,
    /// Inner node of the schema tree: `schema-node`.
    SchemaNode,
}

impl Purpose {
    /// Every purpose, in the order of the format page.
    pub const ALL: [Purpose; 8] =
        [Purpose::Field, Purpose::Row, Purpose::RowNode, Purpose::Leaf, Purpose::Node, Purpose::Salt, Purpose::Schema, Purpose::SchemaNode];

    /// The context string its key is derived from.
    pub fn context(self) -> &'static str {
        match self {
            Purpose::Field => "shockwave 2026 field v1",
            Purpose::Row => "shockwave 2026 row v1",
            Purpose::RowNode => "shockwave 2026 row-node v1",
            Purpose::Leaf => "shockwave 2026 leaf v1",
            Purpose::Node => "shockwave 2026 node v1",
            Purpose::Salt => "shockwave 2026 salt v1",
            Purpose::Schema => "shockwave 2026 schema v1",
            Purpose::SchemaNode => "shockwave 2026 schema-node v1",
        }
    }

    /// Its key.
    pub fn key(self) -> &'static Hash {
        static KEYS: LazyLock<[Hash; 8]> = LazyLock::new(|| Purpose::ALL.map(|purpose| blake3::derive_key(purpose.context(), &[])));
        &KEYS[self as usize]
    }

    /// Keyed BLAKE3 of `bytes` for this purpose.
    #[inline]
    pub fn hash(self, bytes: &[u8]) -> Hash {
        *blake3::keyed_hash(self.key(), bytes).as_bytes()
    }

    /// Keyed BLAKE3 of `left ‖ right`.
    #[inline]
    pub(crate) fn hash_pair(self, left: &Hash, right: &Hash) -> Hash {
        let mut pair = [0; 64];
        pair[..32].copy_from_slice(left);
        pair[32..].copy_from_slice(right);
        self.hash(&pair)
    }
}

/// Salt of the field at `index` (its place in the row's committed list, from 0): the first 16 bytes of
/// `keyed(salt, row_salt ‖ u32 index ‖ 44 zeros)`. Showing one field's salt tells nothing of the others'.
#[inline]
pub fn field_salt(row_salt: &[u8; 16], index: u32) -> [u8; 16] {
    let hash = Purpose::Salt.hash(&salt_preimage(row_salt, index));
    let mut salt = [0; 16];
    salt.copy_from_slice(&hash[..16]);
    salt
}

#[inline]
pub(crate) fn salt_preimage(row_salt: &[u8; 16], index: u32) -> [u8; BLOCK_BYTES] {
    let mut preimage = [0; BLOCK_BYTES];
    preimage[..16].copy_from_slice(row_salt);
    preimage[16..20].copy_from_slice(&index.to_le_bytes());
    preimage
}

/// Commitment to one field: `keyed(field, salt ‖ u32 column ‖ u32 type ‖ u8 is_null ‖ u64 len ‖ value ‖ zeros to whole blocks)`.
/// `value` is the canonical value bytes of its type ([`crate::value`]), `None` for NULL (is_null 1, length 0), so NULL and empty
/// commit differently.
#[inline]
pub fn field_commitment(salt: &[u8; 16], column: u32, type_oid: u32, value: Option<&[u8]>) -> Hash {
    let prefix = field_prefix(salt, column, type_oid, value);
    hash_padded(Purpose::Field, &prefix, value.unwrap_or_default())
}

#[inline]
pub(crate) fn field_prefix(salt: &[u8; 16], column: u32, type_oid: u32, value: Option<&[u8]>) -> [u8; FIELD_PREFIX_BYTES] {
    let mut prefix = [0; FIELD_PREFIX_BYTES];
    prefix[..16].copy_from_slice(salt);
    prefix[16..20].copy_from_slice(&column.to_le_bytes());
    prefix[20..24].copy_from_slice(&type_oid.to_le_bytes());
    prefix[24] = u8::from(value.is_none());
    prefix[25..].copy_from_slice(&(value.map_or(0, <[u8]>::len) as u64).to_le_bytes());
    prefix
}

/// Hashes `prefix ‖ rest ‖ zeros` up to whole 64-byte blocks. One call over a stack buffer for short inputs: half the cost of an
/// incremental hasher.
#[inline]
pub(crate) fn hash_padded<const P: usize>(purpose: Purpose, prefix: &[u8; P], rest: &[u8]) -> Hash {
    match P + rest.len() {
        0..=64 => hash_joined::<64, P>(purpose, prefix, rest),
        65..=256 => hash_joined::<256, P>(purpose, prefix, rest),
        257..=1024 => hash_joined::<1024, P>(purpose, prefix, rest),
        len => {
            let zeros = [0; BLOCK_BYTES];
            let padding = &zeros[..len.next_multiple_of(BLOCK_BYTES) - len];
            *blake3::Hasher::new_keyed(purpose.key()).update(prefix).update(rest).update(padding).finalize().as_bytes()
        }
    }
}

#[inline]
fn hash_joined<const N: usize, const P: usize>(purpose: Purpose, prefix: &[u8; P], rest: &[u8]) -> Hash {
    let mut buffer = [0; N];
    let len = P + rest.len();
    buffer[..P].copy_from_slice(prefix);
    buffer[P..len].copy_from_slice(rest);
    purpose.hash(&buffer[..len.next_multiple_of(BLOCK_BYTES)])
}
