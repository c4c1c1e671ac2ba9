//! What the tree holds: versions of keys, in one order everywhere.
//!
//! K1: the order is by key bytes ascending, then by commit descending: the newest version of a key comes first.
//! K2: a commit is below [`SEQ_END`], so that a commit and a kind fit into one number.
//! Never: looks into a key; bytes compare as they are.

use std::cmp::Ordering;

/// All commits are below this (2⁵⁶).
pub(crate) const SEQ_END: u64 = 1 << 56;

/// What a version says of its key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// It has this value.
    Put,
    /// It is gone.
    Delete,
}

/// One version of one key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Version<'a> {
    pub(crate) key: &'a [u8],
    pub(crate) seq: u64,
    pub(crate) kind: Kind,
    pub(crate) value: &'a [u8],
}

impl Kind {
    pub(crate) fn bit(self) -> u64 {
        u64::from(self == Self::Delete)
    }

    pub(crate) fn of_bit(bit: u64) -> Self {
        if bit & 1 == 0 { Self::Put } else { Self::Delete }
    }
}

/// K1.
#[inline]
pub(crate) fn order(a: (&[u8], u64), b: (&[u8], u64)) -> Ordering {
    a.0.cmp(b.0).then(b.1.cmp(&a.1))
}

/// The least key above all keys that begin with `prefix`; `None` if there is no such key (all bytes are 255, or there are none).
pub(crate) fn after_prefix(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|byte| *byte != u8::MAX)?;
    let mut after = prefix[..=last].to_vec();
    after[last] += 1;
    Some(after)
}

/// How many bytes `a` and `b` begin with in common.
#[inline]
pub(crate) fn common_prefix(a: &[u8], b: &[u8]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}

/// The first eight bytes as a number that compares as they do; what is missing counts as zero.
#[inline]
pub(crate) fn head(bytes: &[u8]) -> u64 {
    match bytes.first_chunk::<8>() {
        Some(eight) => u64::from_be_bytes(*eight),
        None => {
            let mut eight = [0; 8];
            eight[..bytes.len()].copy_from_slice(bytes);
            u64::from_be_bytes(eight)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn newest_first() {
        assert_eq!(order((b"a", 2), (b"a", 1)), Ordering::Less, "K1");
        assert_eq!(order((b"a", 1), (b"ab", 9)), Ordering::Less, "K1");
    }

    #[test]
    fn after_a_prefix() {
        assert_eq!(after_prefix(b"ab"), Some(b"ac".to_vec()));
        assert_eq!(after_prefix(b"a\xff\xff"), Some(b"b".to_vec()));
        assert_eq!(after_prefix(b"\xff"), None);
        assert_eq!(after_prefix(b""), None);
    }

    #[test]
    fn heads_compare_as_bytes_do() {
        assert!(head(b"a") < head(b"a\x01") && head(b"abcdefgh") < head(b"abcdefgi") && head(b"a") == head(b"a\0"));
    }
}
