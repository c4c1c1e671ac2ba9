//! Hashes many inputs of one length side by side, in as many SIMD lanes as the machine has (16 with AVX-512, 8 with AVX2).
//!
//! A1: every result equals [`Purpose::hash`] of the same bytes, whatever the machine.
//!
//! Why: a commitment, a salt and a tree node are each one 64-byte block. One at a time they use one lane; side by side they cost a
//! tenth. `blake3` offers this only in its unstable `platform` module, so it is used here and nowhere else: if it goes, this
//! file becomes a loop over [`Purpose::hash`].
//!
//! Never: decides what is hashed.

use blake3::IncrementCounter;
use blake3::platform::{Platform, words_from_le_bytes_32};

use crate::hash::{BLOCK_BYTES, Hash, Purpose};

/// Rows that [`crate::row_lanes`] collects, and inputs handed over at a time: the widest machine's lanes.
pub(crate) const LANES: usize = 16;

// Flags of the BLAKE3 paper, section 2.2.
const CHUNK_START: u8 = 1;
const CHUNK_END: u8 = 2;
const ROOT: u8 = 8;
const KEYED_HASH: u8 = 16;

/// Hashes each input for `purpose` into the same place of `out`. `N` is a multiple of 64, at most 1,024 (one chunk).
pub(crate) fn hash_lanes<const N: usize>(purpose: Purpose, inputs: &[[u8; N]], out: &mut [Hash]) {
    const { assert!(N.is_multiple_of(BLOCK_BYTES) && N > 0 && N <= 1024, "A1: whole blocks of a single chunk") };
    assert_eq!(inputs.len(), out.len(), "A1: one hash for each input");
    let key = words_from_le_bytes_32(purpose.key());
    let platform = Platform::detect();
    for (inputs, out) in inputs.chunks(LANES).zip(out.chunks_mut(LANES)) {
        let mut lanes = [&inputs[0]; LANES];
        lanes.iter_mut().zip(inputs).for_each(|(lane, input)| *lane = input);
        let (lanes, ends) = (&lanes[..inputs.len()], CHUNK_END | ROOT);
        platform.hash_many(lanes, &key, 0, IncrementCounter::No, KEYED_HASH, CHUNK_START, ends, out.as_flattened_mut());
    }
}
