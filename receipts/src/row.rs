//! One hash per row version over its field commitments.
//!
//! W1: the hash covers kind, relation, schema version, operation, superseded row and the number and order of the commitments.
//! W2: a row's own id is not hashed, since it is given at commit, after hashing; the commit leaf binds it.
//!
//! Never: allocates.
//! Format: docs/formats/leaf.md.

use crate::FormatError;
use crate::cursor::Cursor;
use crate::hash::{Hash, Purpose, hash_padded};

/// Kind byte of a table row; 2 is reserved for graph edges, which also hash their ends.
pub const KIND_TABLE_ROW: u8 = 1;
/// Operation of a row that INSERT or COPY appended.
pub const OP_INSERT: u8 = 1;
/// Operation of a row version that UPDATE appended.
pub const OP_UPDATE: u8 = 2;
/// Operation of the marker that DELETE appended: it supersedes a row and commits to no field.
pub const OP_DELETE: u8 = 3;

/// Encoded length of a [`RowHeader`]: kind, relation, schema version, op, supersedes tag, superseded id.
pub const HEADER_BYTES: usize = 1 + 4 + 4 + 1 + 1 + 8;

/// Bytes of a row's preimage before its commitments.
pub(crate) const PREFIX_BYTES: usize = HEADER_BYTES + 4;

/// The row version of the same table that this one ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Supersedes {
    /// None: an insert.
    None,
    /// The row with this id, committed before this commit.
    Row(u64),
    /// The k-th row (from 0) of the same table in this very commit, whose row id is not known yet when hashing.
    Own(u64),
}

/// What a row hash covers besides its fields.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RowHeader {
    /// Id of the table.
    pub relation: u32,
    /// Version of the table's definition the fields were committed under.
    pub schema_version: u32,
    /// [`OP_INSERT`], [`OP_UPDATE`] or [`OP_DELETE`].
    pub op: u8,
    /// The row version this one ends: `None` exactly for an insert.
    pub supersedes: Supersedes,
}

impl RowHeader {
    /// `u8 kind = 1 ‖ u32 relation ‖ u32 schema_version ‖ u8 op ‖ u8 tag ‖ u64 superseded`.
    pub fn encode(&self) -> [u8; HEADER_BYTES] {
        let (tag, superseded) = match self.supersedes {
            Supersedes::None => (0, 0),
            Supersedes::Row(row_id) => (1, row_id),
            Supersedes::Own(ordinal) => (2, ordinal),
        };
        let mut bytes = [0; HEADER_BYTES];
        bytes[0] = KIND_TABLE_ROW;
        bytes[1..5].copy_from_slice(&self.relation.to_le_bytes());
        bytes[5..9].copy_from_slice(&self.schema_version.to_le_bytes());
        bytes[9] = self.op;
        bytes[10] = tag;
        bytes[11..].copy_from_slice(&u64::to_le_bytes(superseded));
        bytes
    }

    pub(crate) fn decode(cursor: &mut Cursor<'_>) -> Result<Self, FormatError> {
        let kind = cursor.u8()?;
        if kind != KIND_TABLE_ROW {
            return Err(cursor.error(format!("row kind {kind} is not supported")));
        }
        let relation = cursor.u32()?;
        let schema_version = cursor.u32()?;
        let op = cursor.u8()?;
        let tag = cursor.u8()?;
        let superseded = cursor.u64()?;
        let supersedes = match (tag, superseded) {
            (0, 0) => Supersedes::None,
            (1, row_id) => Supersedes::Row(row_id),
            (2, ordinal) => Supersedes::Own(ordinal),
            _ => return Err(cursor.error(format!("superseded row has tag {tag} with id {superseded}"))),
        };
        match (op, supersedes) {
            (OP_INSERT, Supersedes::None) | (OP_UPDATE | OP_DELETE, Supersedes::Row(_) | Supersedes::Own(_)) => {}
            _ => return Err(cursor.error(format!("operation {op} does not go with superseded-row tag {tag}"))),
        }
        Ok(Self { relation, schema_version, op, supersedes })
    }
}

/// Hash of a row: `keyed(row, header ‖ u32 n ‖ c_1 … c_n ‖ zeros to whole blocks)`, `commitments` in the committed order (all columns
/// of the definition in its order, or none for a delete). Every part before the list has a fixed length and the list its count,
/// so the bytes parse one way.
pub fn row_hash(header: &RowHeader, commitments: &[Hash]) -> Hash {
    hash_padded(Purpose::Row, &row_prefix(header, commitments.len()), commitments.as_flattened())
}

#[inline]
pub(crate) fn row_prefix(header: &RowHeader, fields: usize) -> [u8; PREFIX_BYTES] {
    let mut prefix = [0; PREFIX_BYTES];
    prefix[..HEADER_BYTES].copy_from_slice(&header.encode());
    prefix[HEADER_BYTES..].copy_from_slice(&(fields as u32).to_le_bytes());
    prefix
}
