//! Receipts: C2SP tlog-proof text whose `extra` line carries the leaf and, for a row, what binds the row to the leaf.
//!
//! X1: a receipt that parses is written back byte for byte.
//! X2: names and types of columns come only from the definition under the schema root; the row part does not repeat them.
//!
//! Never: carries a key.
//! Format: docs/formats/receipt.md.

use crate::FormatError;
use crate::checkpoint::parse_decimal;
use crate::consistency::{parse_path, split};
use crate::cursor::Cursor;
use crate::definition::{COLUMNS_MAX, TableDefinition};
use crate::hash::{Hash, field_commitment};
use crate::note::{Note, decode_base64, encode_base64};
use crate::proof::PATH_HASHES_MAX;
use crate::row::RowHeader;
use crate::schema::SchemaPath;

/// Bytes of a receipt we read.
pub const RECEIPT_BYTES_MAX: usize = 16 * 1024 * 1024;

const FIRST_LINE: &str = "c2sp.org/tlog-proof@v1";
const MAGIC: [u8; 4] = *b"SWRX";
const VERSION: u8 = 1;
const FIELD_HIDDEN: u8 = 0;
const FIELD_NULL: u8 = 1;
const FIELD_VALUE: u8 = 2;
const FIELD_ERASED: u8 = 3;

/// One field of a row, in committed order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Field {
    /// Only its commitment.
    Hidden(Hash),
    /// Its salt ([`crate::field_salt`]) and canonical value bytes, `None` for NULL.
    Shown {
        /// Salt of this field.
        salt: [u8; 16],
        /// Canonical value bytes.
        value: Option<Vec<u8>>,
    },
    /// Only its commitment: value and salt were erased, as whoever shows it says.
    Erased(Hash),
}

impl Field {
    /// Its commitment as the column with this id and type.
    pub fn commitment(&self, column: u32, type_oid: u32) -> Hash {
        match self {
            Field::Hidden(commitment) | Field::Erased(commitment) => *commitment,
            Field::Shown { salt, value } => field_commitment(salt, column, type_oid, value.as_deref()),
        }
    }
}

/// What binds one row to a commit leaf.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RowPart {
    /// Place of the row in its commit, from 0 ([`crate::CommitLeaf::index_of`]).
    pub index: u64,
    /// What its hash covers besides fields.
    pub header: RowHeader,
    /// One for each column of the definition, in its order; none for a delete.
    pub fields: Vec<Field>,
    /// From the row's sibling to the row root.
    pub path: Vec<Hash>,
    /// Definition bytes of the table as of the commit.
    pub definition: Vec<u8>,
    /// From the definition to the leaf's schema root.
    pub schema_path: SchemaPath,
}

impl RowPart {
    /// Hides the field at `place`: only its commitment stays, and the receipt remains valid. Fails if there is no such field.
    pub fn hide(&mut self, place: usize) -> Result<(), FormatError> {
        self.replace(place, Field::Hidden)
    }

    /// Redacts the field at `place`, likewise: what whoever holds a receipt of a row does once the row's subject is erased.
    pub fn redact(&mut self, place: usize) -> Result<(), FormatError> {
        self.replace(place, Field::Erased)
    }

    fn replace(&mut self, place: usize, by: impl FnOnce(Hash) -> Field) -> Result<(), FormatError> {
        let definition = TableDefinition::parse(&self.definition)?;
        let (Some(column), Some(field)) = (definition.columns.get(place), self.fields.get_mut(place)) else {
            return Err(FormatError::new("receipt", format!("has no field {place}")));
        };
        *field = by(field.commitment(column.id, column.oid));
        Ok(())
    }

    pub(crate) fn shown(&self) -> ShownRow<'_> {
        ShownRow { index: self.index, header: &self.header, fields: &self.fields, path: &self.path }
    }

    fn encode(&self, out: &mut Vec<u8>) -> Result<(), FormatError> {
        self.shown().encode(out)?;
        encode_definition(&self.definition, &self.schema_path, out)
    }

    fn decode(cursor: &mut Cursor<'_>) -> Result<Self, FormatError> {
        let (index, header, fields, path) = decode_row(cursor)?;
        let (definition, schema_path) = decode_definition(cursor)?;
        Ok(Self { index, header, fields, path, definition, schema_path })
    }
}

/// How many fields are shown by their commitments alone.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(crate) struct Unshown {
    hidden: u64,
    redacted: u64,
}

impl Unshown {
    pub(crate) fn count(&mut self, field: &Field) {
        self.hidden += u64::from(matches!(field, Field::Hidden(_)));
        self.redacted += u64::from(matches!(field, Field::Erased(_)));
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.hidden += other.hidden;
        self.redacted += other.redacted;
    }

    /// What is not covered of them.
    pub(crate) fn not_covered(self) -> impl Iterator<Item = String> {
        let Self { hidden, redacted } = self;
        let of_hidden = (hidden > 0).then(|| format!("the values of {hidden} hidden fields"));
        let of_redacted = (redacted > 0).then(|| format!("the values of {redacted} redacted fields, and that an erasure took them"));
        of_hidden.into_iter().chain(of_redacted)
    }
}

/// A row as it is shown: all of a [`RowPart`] but the definition.
pub(crate) struct ShownRow<'a> {
    pub(crate) index: u64,
    pub(crate) header: &'a RowHeader,
    pub(crate) fields: &'a [Field],
    pub(crate) path: &'a [Hash],
}

impl ShownRow<'_> {
    /// Number of fields of which only the commitment is shown.
    pub(crate) fn unshown(&self) -> Unshown {
        let mut unshown = Unshown::default();
        self.fields.iter().for_each(|field| unshown.count(field));
        unshown
    }

    /// `u64 index ‖ header ‖ u16 n ‖ fields ‖ path`.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) -> Result<(), FormatError> {
        if self.fields.len() > COLUMNS_MAX {
            return Err(FormatError::new("receipt", "has more than 1600 fields"));
        }
        out.extend(self.index.to_le_bytes());
        out.extend(self.header.encode());
        out.extend((self.fields.len() as u16).to_le_bytes());
        self.fields.iter().try_for_each(|field| encode_field(field, out))?;
        push_path(out, self.path)
    }
}

/// `u32 length ‖ definition ‖ u32 index ‖ u32 objects ‖ path`.
pub(crate) fn encode_definition(definition: &[u8], path: &SchemaPath, out: &mut Vec<u8>) -> Result<(), FormatError> {
    push_bytes(out, definition)?;
    out.extend(path.index.to_le_bytes());
    out.extend(path.size.to_le_bytes());
    push_path(out, &path.hashes)
}

pub(crate) fn decode_definition(cursor: &mut Cursor<'_>) -> Result<(Vec<u8>, SchemaPath), FormatError> {
    let definition = long_bytes(cursor)?;
    Ok((definition, SchemaPath { index: cursor.u32()?, size: cursor.u32()?, hashes: cursor.path()? }))
}

/// Index, header, fields and path: what [`ShownRow::encode`] writes.
pub(crate) fn decode_row(cursor: &mut Cursor<'_>) -> Result<(u64, RowHeader, Vec<Field>, Vec<Hash>), FormatError> {
    let index = cursor.u64()?;
    let header = RowHeader::decode(cursor)?;
    Ok((index, header, decode_fields(cursor)?, cursor.path()?))
}

/// `u16 n ‖ fields`.
pub(crate) fn decode_fields(cursor: &mut Cursor<'_>) -> Result<Vec<Field>, FormatError> {
    let n_fields = usize::from(cursor.u16()?);
    if n_fields > COLUMNS_MAX {
        return Err(cursor.error("has more than 1600 fields"));
    }
    (0..n_fields).map(|_| decode_field(cursor)).collect()
}

/// `u8 0 ‖ commitment`, `u8 1 ‖ salt` (NULL), `u8 2 ‖ salt ‖ u32 length ‖ value` or `u8 3 ‖ commitment` (erased).
pub(crate) fn encode_field(field: &Field, out: &mut Vec<u8>) -> Result<(), FormatError> {
    match field {
        Field::Hidden(commitment) => {
            out.push(FIELD_HIDDEN);
            out.extend(commitment);
        }
        Field::Shown { salt, value: None } => {
            out.push(FIELD_NULL);
            out.extend(salt);
        }
        Field::Shown { salt, value: Some(value) } => {
            out.push(FIELD_VALUE);
            out.extend(salt);
            push_bytes(out, value)?;
        }
        Field::Erased(commitment) => {
            out.push(FIELD_ERASED);
            out.extend(commitment);
        }
    }
    Ok(())
}

fn decode_field(cursor: &mut Cursor<'_>) -> Result<Field, FormatError> {
    match cursor.u8()? {
        FIELD_HIDDEN => Ok(Field::Hidden(cursor.array()?)),
        FIELD_NULL => Ok(Field::Shown { salt: cursor.array()?, value: None }),
        FIELD_VALUE => Ok(Field::Shown { salt: cursor.array()?, value: Some(long_bytes(cursor)?) }),
        FIELD_ERASED => Ok(Field::Erased(cursor.array()?)),
        tag => Err(cursor.error(format!("has a field with tag {tag}"))),
    }
}

pub(crate) fn push_bytes(out: &mut Vec<u8>, bytes: &[u8]) -> Result<(), FormatError> {
    let len = u32::try_from(bytes.len()).map_err(|_| FormatError::new("receipt", "has a value of 4 GiB or more"))?;
    out.extend(len.to_le_bytes());
    out.extend(bytes);
    Ok(())
}

pub(crate) fn long_bytes(cursor: &mut Cursor<'_>) -> Result<Vec<u8>, FormatError> {
    let len = cursor.u32()?;
    Ok(cursor.bytes(len as usize)?.to_vec())
}

pub(crate) fn push_path(out: &mut Vec<u8>, path: &[Hash]) -> Result<(), FormatError> {
    if path.len() > PATH_HASHES_MAX {
        return Err(FormatError::new("receipt", format!("has a path of {} hashes, at most {PATH_HASHES_MAX}", path.len())));
    }
    out.push(path.len() as u8);
    path.iter().for_each(|hash| out.extend(hash));
    Ok(())
}

/// A receipt for one commit, or for one row of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Receipt {
    /// Index of the leaf in the SHA-256 tree: the commit's seq.
    pub index: u64,
    /// Path of the leaf in the SHA-256 tree.
    pub path: Vec<Hash>,
    /// The signed checkpoint of the SHA-256 tree the path leads to.
    pub checkpoint: Note,
    /// The leaf bytes.
    pub leaf: Vec<u8>,
    /// The row, if the receipt is for one.
    pub row: Option<RowPart>,
}

impl Receipt {
    /// Writes the text; fails if it would have more than [`RECEIPT_BYTES_MAX`] bytes (hide long fields then) or a part is too long.
    pub fn to_text(&self) -> Result<String, FormatError> {
        let extra = encode_extra(&self.leaf, self.row.as_ref())?;
        let mut text = format!("{FIRST_LINE}\nextra {}\nindex {}\n", encode_base64(&extra), self.index);
        for hash in &self.path {
            text.push_str(&encode_base64(hash));
            text.push('\n');
        }
        text.push('\n');
        text.push_str(&self.checkpoint.to_string());
        if text.len() > RECEIPT_BYTES_MAX {
            return Err(FormatError::new("receipt", "would be longer than 16 MiB"));
        }
        Ok(text)
    }

    /// Reads a receipt; fails on anything that [`Receipt::to_text`] would not write.
    pub fn parse(text: &[u8]) -> Result<Self, FormatError> {
        let error = |why: &str| FormatError::new("receipt", why);
        let (mut lines, note) = split("receipt", text, (RECEIPT_BYTES_MAX, "16 MiB"))?;
        if lines.next() != Some(FIRST_LINE) {
            return Err(error("does not start with c2sp.org/tlog-proof@v1"));
        }
        let extra = lines.next().and_then(|line| line.strip_prefix("extra ")).ok_or_else(|| error("has no `extra` line"))?;
        let index = lines.next().and_then(|line| line.strip_prefix("index ")).and_then(parse_decimal);
        let index = index.ok_or_else(|| error("has no canonical `index` line"))?;
        let path = parse_path("receipt", lines)?;
        let (leaf, row) = decode_extra(&decode_base64("receipt's extra", extra)?)?;
        Ok(Self { index, path, checkpoint: Note::parse(note)?, leaf, row })
    }
}

/// The leaf, and the row if there is one.
pub(crate) fn encode_extra(leaf: &[u8], row: Option<&RowPart>) -> Result<Vec<u8>, FormatError> {
    let mut extra = Vec::new();
    extra.extend(MAGIC);
    extra.extend([VERSION, u8::from(row.is_some()), 0, 0]);
    push_bytes(&mut extra, leaf)?;
    if let Some(row) = row {
        row.encode(&mut extra)?;
    }
    Ok(extra)
}

pub(crate) fn decode_extra(extra: &[u8]) -> Result<(Vec<u8>, Option<RowPart>), FormatError> {
    let mut cursor = Cursor::new("receipt's extra", extra);
    if cursor.array()? != MAGIC {
        return Err(cursor.error("does not start with SWRX"));
    }
    let version = cursor.u8()?;
    if version != VERSION {
        return Err(cursor.error(format!("version {version} is not supported")));
    }
    let has_row = match cursor.u8()? {
        0 => false,
        1 => true,
        flags => return Err(cursor.error(format!("flags {flags:#04x} are not supported"))),
    };
    cursor.zeros(2)?;
    let leaf = long_bytes(&mut cursor)?;
    let row = if has_row { Some(RowPart::decode(&mut cursor)?) } else { None };
    cursor.end()?;
    Ok((leaf, row))
}
