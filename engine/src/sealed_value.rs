//! A sealed value as it is stored: what its parts are, for those who hold no key.
//!
//! Never: opens one.
//! Format: docs/formats/segment.md, «sealed columns».

use receipts::Hash;

const KEY_ID_BYTES: usize = 16;
/// What stands before the cipher text: the id of a key, and the commitment to the field.
const HEAD_BYTES: usize = KEY_ID_BYTES + 32;

/// Id of the key, commitment, cipher text; `None` where it is too short for them.
pub(crate) fn parts(stored: &[u8]) -> Option<([u8; KEY_ID_BYTES], Hash, &[u8])> {
    let (head, cipher) = stored.split_at_checked(HEAD_BYTES)?;
    Some((head[..KEY_ID_BYTES].try_into().ok()?, head[KEY_ID_BYTES..].try_into().ok()?, cipher))
}

/// The commitment; one that nothing hashes to where the value is malformed.
pub(crate) fn commitment(stored: &[u8]) -> Hash {
    parts(stored).map_or([0; 32], |(_, commitment, _)| commitment)
}
