//! Blocked Bloom filters: a few bits a key say «not here» for certain, or «perhaps».
//!
//! B1: a key that was added is never denied.
//! The bits of one key lie in one block of 64 bytes, which is one line of the processor's cache (Putze, Sanders, Singler 2007).
//! Format: docs/formats/run.md.

use twox_hash::XxHash3_64;

const BLOCK_BYTES: usize = 64;

/// What a key is asked for by: XXH3-64 of its bytes, seed 0.
#[inline]
pub(crate) fn hash(key: &[u8]) -> u64 {
    XxHash3_64::oneshot(key)
}

/// The filter of the keys with these hashes: whole blocks, and one byte with the number of bits a key sets.
pub(crate) fn build(hashes: &[u64], bits_per_key: usize) -> Vec<u8> {
    let blocks = (hashes.len() * bits_per_key).div_ceil(BLOCK_BYTES * 8).max(1);
    // The best number of bits is a little below ln 2 × bits a key, for some of them fall together in a block.
    let probes = (bits_per_key * 5 / 8).clamp(1, 12);
    let mut filter = vec![0; blocks * BLOCK_BYTES + 1];
    for hash in hashes {
        let block = &mut filter[place(*hash, blocks)..][..BLOCK_BYTES];
        bits(*hash, probes).for_each(|bit| block[bit / 8] |= 1 << (bit % 8));
    }
    filter[blocks * BLOCK_BYTES] = probes as u8;
    filter
}

/// Whether a key with this hash may have been added. A filter that is none lets everything pass.
#[inline]
pub(crate) fn may_hold(filter: &[u8], hash: u64) -> bool {
    let Some((probes, blocks)) = filter.split_last() else { return true };
    let count = blocks.len() / BLOCK_BYTES;
    if count == 0 {
        return true;
    }
    let Some(block) = blocks.get(place(hash, count)..).and_then(|rest| rest.first_chunk::<BLOCK_BYTES>()) else { return true };
    bits(hash, usize::from(*probes)).all(|bit| block[bit / 8] & 1 << (bit % 8) != 0)
}

/// Where the block of a hash begins: its upper half, scaled to the number of blocks.
#[inline]
fn place(hash: u64, blocks: usize) -> usize {
    (((hash >> 32) * blocks as u64) >> 32) as usize * BLOCK_BYTES
}

/// Bits in the block: the lower half, multiplied on, nine upper bits at a time.
#[inline]
fn bits(hash: u64, probes: usize) -> impl Iterator<Item = usize> {
    let mut state = hash as u32;
    (0..probes).map(move |_| {
        let bit = (state >> 23) as usize;
        state = state.wrapping_mul(0x9e37_79b9);
        bit
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(bits_per_key: usize) -> f64 {
        let hashes: Vec<u64> = (0..20_000u64).map(|n| hash(&n.to_be_bytes())).collect();
        let filter = build(&hashes, bits_per_key);
        assert!(hashes.iter().all(|hash| may_hold(&filter, *hash)), "B1");
        let passed = (100_000..300_000u64).filter(|n| may_hold(&filter, hash(&n.to_be_bytes()))).count();
        passed as f64 / 200_000.0
    }

    #[test]
    fn absent_keys_pass_as_rarely_as_the_page_says() {
        assert!(rate(10) < 0.012, "{}", rate(10));
        assert!(rate(13) < 0.004, "{}", rate(13));
        assert!(rate(16) < 0.0015, "{}", rate(16));
    }

    #[test]
    fn what_is_no_filter_lets_everything_pass() {
        for bytes in [&[][..], &[6], &[0; 63]] {
            assert!(may_hold(bytes, 7));
        }
        assert!(may_hold(&build(&[], 10), 7) || !may_hold(&build(&[], 10), 7));
    }
}
