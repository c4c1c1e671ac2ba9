//! The copy of a ledger's unsealed log in its backup: the records of commits that no tile holds yet, and the rows that they name.
//!
//! L1: it holds the records of leaves `sealed` to before `size`, in order, and of the DATA records only those that one of them names: nothing of a
//!     transaction that was open.
//! L2: positions are those of the ledger's log; they name records of this file only.
//! Never: decodes a row.
//! Format: docs/formats/backup.md, «log».

use std::collections::HashSet;
use std::ops::Range;

use base::{SqlError, SqlResult, SqlState};
use bytes::Bytes;
use receipts::Leaf;
use wal::Held;

use crate::record::{self, PieceBody};

const MAGIC: &[u8; 8] = b"SWBKLOG1";
/// Bytes before a record's payload: position, length, kind, zeros.
const HEADER_BYTES: usize = 16;

/// One record of the copy.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Record {
    /// Its position in the ledger's log.
    pub position: u64,
    /// As in `record.rs`.
    pub kind: u8,
    /// Its bytes.
    pub payload: Bytes,
}

/// The leaf that a record brings. Errors: XX001 where it is unreadable.
pub fn leaf_of(kind: u8, payload: &Bytes) -> SqlResult<Option<Bytes>> {
    match kind {
        record::DATA => Ok(None),
        record::COMMIT => Ok(Some(record::read_commit(payload)?.0)),
        record::LEAF => Ok(Some(payload.clone())),
        other => Err(damaged(format!("a record has unknown kind {other}"))),
    }
}

fn seq_of(leaf: &[u8]) -> SqlResult<u64> {
    Leaf::decode(leaf).map(|leaf| leaf.seq()).map_err(|error| damaged(format!("a leaf is unreadable: {error}")))
}

/// Hands the bytes of the copy of these leaves to `write`, front to back (L1). Errors: XX001 where the log does not hold them; those of `write`.
pub fn write(held: &Held, leaves: Range<u64>, write: &mut dyn FnMut(&[u8]) -> SqlResult<()>) -> SqlResult<()> {
    let mut named = HashSet::new();
    held.read(&mut |record| -> SqlResult<()> {
        let (kind, payload) = (record.kind.0, Bytes::from_owner(record.payload));
        if kind == record::COMMIT {
            let (leaf, pieces) = record::read_commit(&payload)?;
            if leaves.contains(&seq_of(&leaf)?) {
                named.extend(pieces.iter().filter_map(|piece| match piece.body {
                    PieceBody::At(position) => Some(position),
                    PieceBody::Inline(_) => None,
                }));
            }
        }
        Ok(())
    })?;
    let mut next = leaves.start;
    write(MAGIC)?;
    held.read(&mut |record| -> SqlResult<()> {
        let (position, kind, payload) = (record.position.0, record.kind.0, Bytes::from_owner(record.payload));
        let is_wanted = match leaf_of(kind, &payload)? {
            None => named.remove(&position),
            Some(leaf) => {
                let seq = seq_of(&leaf)?;
                let is_next = seq == next && leaves.contains(&seq);
                next += u64::from(is_next);
                is_next
            }
        };
        if is_wanted { write_record(&Record { position, kind, payload }, write) } else { Ok(()) }
    })?;
    if next != leaves.end || !named.is_empty() {
        return Err(damaged(format!("it ends at commit {next} and lacks {} batches of rows", named.len())));
    }
    Ok(())
}

fn write_record(record: &Record, write: &mut dyn FnMut(&[u8]) -> SqlResult<()>) -> SqlResult<()> {
    let length = u32::try_from(record.payload.len()).map_err(|_| SqlError::internal("a log record over 4 GiB"))?;
    let mut header = [0; HEADER_BYTES];
    header[..8].copy_from_slice(&record.position.to_le_bytes());
    header[8..12].copy_from_slice(&length.to_le_bytes());
    header[12] = record.kind;
    write(&header)?;
    write(&record.payload)
}

/// The records of a copy, in order.
#[derive(Debug)]
pub struct Records {
    rest: Bytes,
}

impl Records {
    /// Over a whole file. Errors: XX001 where it is no copy of a log.
    pub fn over(file: Bytes) -> SqlResult<Self> {
        if !file.starts_with(MAGIC) {
            return Err(damaged("it does not begin as one".to_owned()));
        }
        Ok(Self { rest: file.slice(MAGIC.len()..) })
    }

    /// The next record. Errors: XX001 where the file ends inside it.
    pub fn take(&mut self) -> SqlResult<Option<Record>> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let short = || damaged("it ends inside a record".to_owned());
        let header: [u8; HEADER_BYTES] = *self.rest.first_chunk().ok_or_else(short)?;
        let position = u64::from_le_bytes(*header.first_chunk().ok_or_else(short)?);
        let length = u32::from_le_bytes([header[8], header[9], header[10], header[11]]) as usize;
        let end = HEADER_BYTES.checked_add(length).filter(|end| *end <= self.rest.len()).ok_or_else(short)?;
        let payload = self.rest.slice(HEADER_BYTES..end);
        self.rest = self.rest.slice(end..);
        Ok(Some(Record { position, kind: header[12], payload }))
    }
}

fn damaged(why: String) -> SqlError {
    SqlError::new(SqlState::DATA_CORRUPTED, format!("the copy of the log is not whole: {why}"))
}
