//! A consistency proof as text: the body of a C2SP tlog-witness `add-checkpoint` request, so that witnesses take it as it is.
//!
//! X1: a proof that parses is written back byte for byte.
//!
//! Never: carries the old checkpoint: whoever verifies has pinned it.
//! Format: docs/formats/checkpoint.md.

use std::fmt;

use crate::FormatError;
use crate::checkpoint::{parse_decimal, parse_hash};
use crate::hash::Hash;
use crate::note::{NOTE_BYTES_MAX, Note, encode_base64};
use crate::proof::PATH_HASHES_MAX;

/// `old <size>`, the path, an empty line, the new checkpoint.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConsistencyProof {
    /// Size of the pinned checkpoint.
    pub old_size: u64,
    /// The path of [`crate::proof::consistency_proof`].
    pub path: Vec<Hash>,
    /// The signed new checkpoint, of either tree.
    pub checkpoint: Note,
}

impl ConsistencyProof {
    /// Reads a proof; fails on anything that [`fmt::Display`] would not write.
    pub fn parse(text: &[u8]) -> Result<Self, FormatError> {
        let error = |why: &str| FormatError::new("consistency proof", why);
        let (mut lines, note) = split("consistency proof", text, (2 * NOTE_BYTES_MAX, "256 KiB"))?;
        let old_size = lines.next().and_then(|line| line.strip_prefix("old ")).and_then(parse_decimal);
        let old_size = old_size.ok_or_else(|| error("does not start with `old <size>`"))?;
        let path = parse_path("consistency proof", lines)?;
        Ok(Self { old_size, path, checkpoint: Note::parse(note)? })
    }
}

/// The lines before the first empty one, and the note behind it; `bytes_max` and how it is said.
pub(crate) fn split<'t>(
    what: &str,
    text: &'t [u8],
    (bytes_max, said): (usize, &str),
) -> Result<(impl Iterator<Item = &'t str>, &'t str), FormatError> {
    let error = |why: &str| FormatError::new(what, why);
    if text.len() > bytes_max {
        return Err(error(&format!("is longer than {said}")));
    }
    let text = str::from_utf8(text).map_err(|_| error("is not UTF-8"))?;
    let (head, note) = text.split_once("\n\n").ok_or_else(|| error("has no empty line before its checkpoint"))?;
    Ok((head.split('\n'), note))
}

/// Base64 hashes, one a line, at most [`PATH_HASHES_MAX`].
pub(crate) fn parse_path<'a>(what: &str, lines: impl Iterator<Item = &'a str>) -> Result<Vec<Hash>, FormatError> {
    let lines: Vec<&str> = lines.take(PATH_HASHES_MAX + 1).collect();
    if lines.len() > PATH_HASHES_MAX {
        return Err(FormatError::new(what, format!("has a path of more than {PATH_HASHES_MAX} hashes")));
    }
    lines.into_iter().map(|line| parse_hash(what, line)).collect()
}

impl fmt::Display for ConsistencyProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "old {}", self.old_size)?;
        self.path.iter().try_for_each(|hash| writeln!(f, "{}", encode_base64(hash)))?;
        write!(f, "\n{}", self.checkpoint)
    }
}
