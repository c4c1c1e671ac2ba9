//! Values of erasable tables, sealed under the key of the subject that their row is of, and opened again.
//!
//! E1: what is stored of a sealed field is the id of a key, the commitment to the field, and a cipher text that only this key opens, at this place, beside
//!     this commitment.
//! E2: the salt of a sealed field comes from the key, so that with the key gone nothing confirms a guess.
//! E3: the length of a cipher text says no more of a value than how many times thirty-two bytes it takes; of types of one width, and of NULL, nothing.
//! E4: no two texts are sealed under one key and nonce: a row's salt is drawn anew for each row version, and the column's id stands beside it.
//! Never: writes; decides what is sealed (`schema.rs` does).
//! Format: docs/formats/segment.md, «sealed columns».

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BinaryArray, BinaryBuilder, FixedSizeBinaryArray, RecordBatch, new_null_array};
use arrow::compute::concat;
use base::{Rng, SqlError, SqlResult, SqlState, hex};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hashbrown::HashMap;
use receipts::{Field, Hash, field_commitment};

use crate::canonical::{Scratch, value_bytes};
use crate::failure::arrow_failed;
use crate::packed;
use crate::schema::TableDef;
use crate::sealed_value::parts;
use crate::subjects::{KeyId, SubjectKey, Subjects};

/// What a sealed text is filled up to a multiple of (E3).
const BUCKET_BYTES: usize = 32;

/// The stored form of user columns: those that are sealed sealed, row by row; of a deletion marker nothing.
///
/// Errors: 23502 for a row that is nobody's.
pub(crate) fn seal(
    table: &TableDef,
    columns: &[ArrayRef],
    salts: &FixedSizeBinaryArray,
    (subjects, rng): (&Subjects, &dyn Rng),
    is_marker: impl Fn(usize) -> bool,
) -> SqlResult<Vec<ArrayRef>> {
    let Some(by) = table.subject() else { return Ok(columns.to_vec()) };
    let keys = keys_of(table, by, &columns[by], (subjects, rng), is_marker)?;
    let sealed = |at: usize| -> SqlResult<ArrayRef> {
        if !table.is_sealed(at) {
            return Ok(Arc::clone(&columns[at]));
        }
        let mut out = BinaryBuilder::new();
        let mut scratch = Scratch::default();
        for (row, key) in keys.iter().enumerate() {
            match key {
                None => out.append_null(),
                Some(key) => out.append_value(seal_one(table, at, key, (&columns[at], row), salt_at(salts, row), &mut scratch)?),
            }
        }
        Ok(Arc::new(out.finish()))
    };
    (0..columns.len()).map(sealed).collect()
}

/// The key of each row's subject.
fn keys_of(
    table: &TableDef,
    by: usize,
    subject: &ArrayRef,
    (subjects, rng): (&Subjects, &dyn Rng),
    is_marker: impl Fn(usize) -> bool,
) -> SqlResult<Vec<Option<Arc<SubjectKey>>>> {
    let sql_type = table.columns[by].sql_type;
    let mut known: HashMap<Vec<u8>, Arc<SubjectKey>> = HashMap::new();
    let mut scratch = Scratch::default();
    let mut key = |row: usize| {
        if is_marker(row) {
            return Ok(None);
        }
        if subject.is_null(row) {
            let message =
                format!("null value in column \"{}\" of relation \"{}\" violates not-null constraint", table.columns[by].name, table.name);
            return Err(SqlError::new(SqlState::NOT_NULL_VIOLATION, message).table(&table.schema, &table.name));
        }
        let value = value_bytes(sql_type, subject.as_ref(), row, &mut scratch);
        if let Some(key) = known.get(value) {
            return Ok(Some(Arc::clone(key)));
        }
        let key = Arc::new(subjects.sealing_key(table.id, sql_type.oid(), value, rng));
        known.insert(value.to_vec(), Arc::clone(&key));
        Ok(Some(key))
    };
    (0..subject.len()).map(&mut key).collect()
}

fn salt_at(salts: &FixedSizeBinaryArray, row: usize) -> [u8; 16] {
    salts.value(row).try_into().unwrap_or_default()
}

fn seal_one(
    table: &TableDef,
    at: usize,
    key: &SubjectKey,
    (values, row): (&ArrayRef, usize),
    row_salt: [u8; 16],
    scratch: &mut Scratch,
) -> SqlResult<Vec<u8>> {
    let column = &table.columns[at];
    let value = values.is_valid(row).then(|| value_bytes(column.sql_type, values.as_ref(), row, scratch));
    let salt = sealed_salt(key, &row_salt, column.id.0);
    let commitment = field_commitment(&salt, column.id.0, column.sql_type.oid(), value);
    let mut text = vec![0; 4];
    packed::encode_value(&values.slice(row, 1), &mut text)?;
    let length =
        u32::try_from(text.len() - 4).map_err(|_| SqlError::new(SqlState::PROGRAM_LIMIT_EXCEEDED, "value too long to be sealed"))?;
    text[..4].copy_from_slice(&length.to_le_bytes());
    text.resize(text.len().next_multiple_of(BUCKET_BYTES), 0);
    let payload = Payload { msg: &text, aad: &place(table, at, &commitment) };
    let sealed = XChaCha20Poly1305::new(&key.sealing.into()).encrypt(&nonce(&row_salt, column.id.0), payload);
    let sealed = sealed.map_err(|_| SqlError::new(SqlState::PROGRAM_LIMIT_EXCEEDED, "value too long to be sealed"))?;
    Ok([&key.id[..], &commitment, &sealed].concat())
}

/// E2: `salt = first 16 bytes of keyed BLAKE3 of (row salt ‖ u32 column id)` under the key's own.
fn sealed_salt(key: &SubjectKey, row_salt: &[u8; 16], column: u32) -> [u8; 16] {
    let mut named = [0; 20];
    named[..16].copy_from_slice(row_salt);
    named[16..].copy_from_slice(&column.to_le_bytes());
    let hash = blake3::keyed_hash(&key.salts, &named);
    let mut salt = [0; 16];
    salt.copy_from_slice(&hash.as_bytes()[..16]);
    salt
}

/// E4.
fn nonce(row_salt: &[u8; 16], column: u32) -> XNonce {
    let mut nonce = [0; 24];
    nonce[..16].copy_from_slice(row_salt);
    nonce[16..20].copy_from_slice(&column.to_le_bytes());
    nonce.into()
}

/// What a cipher text is bound to (E1).
fn place(table: &TableDef, at: usize, commitment: &Hash) -> Vec<u8> {
    let column = &table.columns[at];
    let numbers = [table.id.0, column.id.0, column.sql_type.oid()].map(u32::to_le_bytes);
    [numbers.as_flattened(), commitment].concat()
}

/// Ids of the keys that a stored batch is sealed under.
pub(crate) fn key_ids<'a>(table: &TableDef, stored: &'a RecordBatch) -> impl Iterator<Item = KeyId> + use<'a> {
    // All sealed columns of a row are sealed under one.
    let first = (0..table.columns.len()).find(|at| table.is_sealed(*at));
    let values: Option<&BinaryArray> = first.and_then(|at| stored.column(at).as_binary_opt::<i32>());
    values.into_iter().flat_map(|values| values.iter().flatten()).filter_map(|value| parts(value).map(|(id, ..)| id))
}

/// What opens a field of a sealed column: the definition, the column's position, what is stored, the row's salt.
pub(crate) fn opener(subjects: &Subjects) -> impl Fn(&TableDef, usize, &[u8], &[u8; 16]) -> SqlResult<Field> {
    move |table, at, stored, row_salt| Opener::new(table, at, subjects).field(stored, row_salt)
}

/// Opens values of one column, remembering the keys it met.
pub(crate) struct Opener<'a> {
    table: &'a TableDef,
    at: usize,
    subjects: &'a Subjects,
    known: HashMap<KeyId, Option<SubjectKey>>,
}

impl<'a> Opener<'a> {
    /// For the column at this position of the definition that the rows were written under.
    pub(crate) fn new(table: &'a TableDef, at: usize, subjects: &'a Subjects) -> Self {
        Self { table, at, subjects, known: HashMap::new() }
    }

    fn key(&mut self, id: &KeyId) -> SqlResult<Option<&SubjectKey>> {
        if !self.known.contains_key(id) {
            self.known.insert(*id, self.subjects.opening_key(id)?);
        }
        Ok(self.known.get(id).and_then(Option::as_ref))
    }

    /// One value as an array of one row; `None` where it is erased. Errors: XX001 where it does not open.
    fn open(&mut self, stored: &[u8], row_salt: &[u8; 16]) -> SqlResult<Option<ArrayRef>> {
        let (table, at) = (self.table, self.at);
        let column = &table.columns[at];
        let (id, commitment, cipher) = parts(stored).ok_or_else(|| damaged(table, at, "is too short"))?;
        let Some(key) = self.key(&id)? else { return Ok(None) };
        let payload = Payload { msg: cipher, aad: &place(table, at, &commitment) };
        let text = XChaCha20Poly1305::new(&key.sealing.into())
            .decrypt(&nonce(row_salt, column.id.0), payload)
            .map_err(|_| damaged(table, at, &format!("is not what key {} sealed", hex::encode(&id))))?;
        let value = text.first_chunk::<4>().and_then(|length| text.get(4..4 + u32::from_le_bytes(*length) as usize));
        let value = value.ok_or_else(|| damaged(table, at, "has no length"))?;
        packed::decode_value(value, &column.sql_type.arrow()).map(Some)
    }

    /// The column as its users see it: erased values are NULL. Errors: XX001 where one does not open.
    pub(crate) fn column(mut self, stored: &ArrayRef, salts: &ArrayRef) -> SqlResult<ArrayRef> {
        let layout = || damaged(self.table, self.at, "has another layout");
        let data_type = self.table.columns[self.at].sql_type.arrow();
        let values = stored.as_binary_opt::<i32>().ok_or_else(layout)?;
        let salts = salts.as_fixed_size_binary_opt().ok_or_else(layout)?;
        let null = new_null_array(&data_type, 1);
        let mut opened = Vec::with_capacity(values.len());
        for row in 0..values.len() {
            let value = if values.is_null(row) { None } else { self.open(values.value(row), &salt_at(salts, row))? };
            opened.push(value.unwrap_or_else(|| Arc::clone(&null)));
        }
        if opened.is_empty() {
            return Ok(new_null_array(&data_type, 0));
        }
        let arrays: Vec<&dyn Array> = opened.iter().map(AsRef::as_ref).collect();
        concat(&arrays).map_err(|error| arrow_failed("open sealed values", &error))
    }

    /// The field as a receipt shows it. Errors: XX001 where it does not open, or is not what it is committed to.
    pub(crate) fn field(mut self, stored: &[u8], row_salt: &[u8; 16]) -> SqlResult<Field> {
        let (table, at) = (self.table, self.at);
        let (id, committed, _) = parts(stored).ok_or_else(|| damaged(table, at, "is too short"))?;
        let Some(value) = self.open(stored, row_salt)? else { return Ok(Field::Erased(committed)) };
        let column = &table.columns[at];
        let mut scratch = Scratch::default();
        let value = value.is_valid(0).then(|| value_bytes(column.sql_type, value.as_ref(), 0, &mut scratch).to_vec());
        let salt = self.key(&id)?.map(|key| sealed_salt(key, row_salt, column.id.0)).unwrap_or_default();
        if field_commitment(&salt, column.id.0, column.sql_type.oid(), value.as_deref()) != committed {
            return Err(damaged(table, at, "is not what it is committed to"));
        }
        Ok(Field::Shown { salt, value })
    }
}

fn damaged(table: &TableDef, at: usize, why: &str) -> SqlError {
    let column = &table.columns[at].name;
    SqlError::new(SqlState::DATA_CORRUPTED, format!("a sealed value of column \"{column}\" of \"{}\" {why}", table.name))
        .hint("Run shockwave verify fsck on the data folder.")
}
