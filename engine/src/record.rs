//! What the engine writes into log records.
//!
//! R1: a DATA record carries rows and promises nothing; only a COMMIT record that names it makes them history.
//! R2: a COMMIT record carries the leaf's bytes as hashed, never something to rebuild them from.
//! Never: reads a file.
//! Format: docs/formats/folder.md, «payloads of log records».

use base::{RelationId, SqlError, SqlResult, SqlState};
use bytes::Bytes;

/// Rows of one table, written before their commit.
pub const DATA: u8 = 1;
/// A transaction's leaf and where its rows are.
pub const COMMIT: u8 = 2;
/// A leaf without rows: key, incarnation, checkpoint.
pub const LEAF: u8 = 3;

/// Bytes before the rows in a DATA record; a multiple of 32 so that rows stay aligned.
pub const DATA_HEADER_BYTES: usize = 32;

/// Which table a run of rows belongs to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PieceHeader {
    /// The table.
    pub relation: RelationId,
    /// Version of its definition.
    pub schema_version: u32,
    /// Rows in this piece.
    pub rows: u32,
}

/// Where a piece's rows are.
#[derive(Clone, Debug)]
pub enum PieceBody {
    /// In the COMMIT record itself, as packed rows.
    Inline(Bytes),
    /// In an earlier DATA record at this log position.
    At(u64),
}

/// One run of rows of one table within a commit.
#[derive(Clone, Debug)]
pub struct Piece {
    /// Whose rows.
    pub header: PieceHeader,
    /// Where they are.
    pub body: PieceBody,
}

/// The header of a DATA record.
pub fn data_header(header: PieceHeader) -> [u8; DATA_HEADER_BYTES] {
    let mut out = [0; DATA_HEADER_BYTES];
    out[..4].copy_from_slice(&header.relation.0.to_le_bytes());
    out[4..8].copy_from_slice(&header.schema_version.to_le_bytes());
    out[8..12].copy_from_slice(&header.rows.to_le_bytes());
    out
}

/// Splits a DATA record into its header and its rows. Errors: XX001 for a short or non-canonical header.
pub fn read_data(payload: &Bytes) -> SqlResult<(PieceHeader, Bytes)> {
    let header = payload.get(..DATA_HEADER_BYTES).ok_or_else(|| unreadable("DATA"))?;
    if header[12..].iter().any(|byte| *byte != 0) {
        return Err(unreadable("DATA"));
    }
    let mut reader = Reader { bytes: payload, at: 0 };
    let header = reader.piece_header()?;
    Ok((header, payload.slice(DATA_HEADER_BYTES..)))
}

/// The payload of a COMMIT record (R2).
pub fn commit(leaf: &[u8], pieces: &[Piece]) -> Vec<u8> {
    let mut out = Vec::with_capacity(leaf.len() + 64 + pieces.len() * 32);
    put_bytes(&mut out, leaf);
    out.extend_from_slice(&(pieces.len() as u32).to_le_bytes());
    for piece in pieces {
        out.extend_from_slice(&piece.header.relation.0.to_le_bytes());
        out.extend_from_slice(&piece.header.schema_version.to_le_bytes());
        out.extend_from_slice(&piece.header.rows.to_le_bytes());
        match &piece.body {
            PieceBody::Inline(bytes) => {
                out.extend_from_slice(&0u32.to_le_bytes());
                put_bytes(&mut out, bytes);
            }
            PieceBody::At(position) => {
                out.extend_from_slice(&1u32.to_le_bytes());
                out.extend_from_slice(&position.to_le_bytes());
            }
        }
    }
    out
}

/// Reads a COMMIT record: the leaf's bytes and the pieces. Errors: XX001 for anything [`commit`] cannot have written.
pub fn read_commit(payload: &Bytes) -> SqlResult<(Bytes, Vec<Piece>)> {
    let mut reader = Reader { bytes: payload, at: 0 };
    let leaf = reader.bytes()?;
    let count = reader.u32()?;
    let mut pieces = Vec::new();
    for _ in 0..count {
        let header = reader.piece_header()?;
        let body = match reader.u32()? {
            0 => PieceBody::Inline(reader.bytes()?),
            1 => PieceBody::At(reader.u64()?),
            _ => return Err(unreadable("COMMIT")),
        };
        pieces.push(Piece { header, body });
    }
    if reader.at != payload.len() {
        return Err(unreadable("COMMIT"));
    }
    Ok((leaf, pieces))
}

fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
    out.extend_from_slice(bytes);
    out.resize(out.len().next_multiple_of(8), 0);
}

fn unreadable(kind: &str) -> SqlError {
    SqlError::new(SqlState::DATA_CORRUPTED, format!("{kind} record is unreadable"))
}

struct Reader<'a> {
    bytes: &'a Bytes,
    at: usize,
}

impl Reader<'_> {
    fn take(&mut self, n: usize) -> SqlResult<&[u8]> {
        let end = self.at.checked_add(n).filter(|end| *end <= self.bytes.len()).ok_or_else(|| unreadable("log"))?;
        let slice = &self.bytes[self.at..end];
        self.at = end;
        Ok(slice)
    }

    fn u32(&mut self) -> SqlResult<u32> {
        let bytes = self.take(4)?;
        Ok(u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
    }

    fn u64(&mut self) -> SqlResult<u64> {
        Ok(u64::from(self.u32()?) | u64::from(self.u32()?) << 32)
    }

    fn piece_header(&mut self) -> SqlResult<PieceHeader> {
        Ok(PieceHeader { relation: RelationId(self.u32()?), schema_version: self.u32()?, rows: self.u32()? })
    }

    fn bytes(&mut self) -> SqlResult<Bytes> {
        let len = self.u32()? as usize;
        let start = self.at;
        self.take(len)?;
        let padding = self.at.next_multiple_of(8) - self.at;
        if self.take(padding)?.iter().any(|byte| *byte != 0) {
            return Err(unreadable("log"));
        }
        Ok(self.bytes.slice(start..start + len))
    }
}
