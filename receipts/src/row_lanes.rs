//! Hashes the rows of one table sixteen at a time: the same hashes as [`row_hash`] one by one, at a fraction of the cost.
//!
//! I1: hashes come out in the order the rows went in, equal to [`row_hash`] over [`field_commitment`]s under [`field_salt`]s.
//! I2: a row has one field for each column, or none if it is a delete.
//!
//! Never: keeps more than sixteen rows, beside their hashes.
//! Format: docs/formats/leaf.md.

use crate::hash::{BLOCK_BYTES, FIELD_PREFIX_BYTES, Hash, Purpose, field_commitment, field_prefix, field_salt, salt_preimage};
use crate::lanes::{LANES, hash_lanes};
use crate::row::{PREFIX_BYTES, RowHeader, row_hash, row_prefix};

type Block = [u8; BLOCK_BYTES];

struct Pending {
    header: RowHeader,
    salt: [u8; 16],
    fields: usize,
}

/// Hashes rows of one table: [`RowLanes::start_row`], then [`RowLanes::push_field`] for each column, and so on; [`RowLanes::finish`].
pub struct RowLanes {
    /// Column id and type oid, in committed order.
    columns: Vec<(u32, u32)>,
    rows: Vec<Pending>,
    /// `rows × columns`: what is hashed for a field, its salt still missing.
    fields: Vec<Block>,
    /// Places in `fields` whose value is too long for one block, with their commitment.
    long: Vec<(usize, Hash)>,
    salts: Vec<Block>,
    scratch: Vec<Hash>,
    hashes: Vec<Hash>,
}

impl RowLanes {
    /// For a table with these columns (id, type oid), in committed order.
    pub fn new(columns: Vec<(u32, u32)>) -> Self {
        let places = columns.len() * LANES;
        Self {
            columns,
            rows: Vec::with_capacity(LANES),
            fields: Vec::with_capacity(places),
            long: Vec::new(),
            salts: Vec::with_capacity(places),
            scratch: Vec::with_capacity(places),
            hashes: Vec::new(),
        }
    }

    /// Starts the next row.
    pub fn start_row(&mut self, header: RowHeader, row_salt: &[u8; 16]) {
        self.close_row();
        if self.rows.len() == LANES {
            self.flush();
        }
        self.rows.push(Pending { header, salt: *row_salt, fields: 0 });
    }

    /// Adds the next field of the row: canonical value bytes, `None` for NULL.
    pub fn push_field(&mut self, value: Option<&[u8]>) {
        let row = self.rows.last_mut().expect("I2: a field belongs to a row");
        let (column, type_oid) = *self.columns.get(row.fields).expect("I2: a row has no more fields than columns");
        let bytes = value.unwrap_or_default();
        let mut block = [0; BLOCK_BYTES];
        match block.get_mut(FIELD_PREFIX_BYTES..FIELD_PREFIX_BYTES + bytes.len()) {
            Some(place) => {
                place.copy_from_slice(bytes);
                block[..FIELD_PREFIX_BYTES].copy_from_slice(&field_prefix(&[0; 16], column, type_oid, value));
            }
            None => {
                let salt = field_salt(&row.salt, row.fields as u32);
                self.long.push((self.fields.len(), field_commitment(&salt, column, type_oid, value)));
            }
        }
        self.fields.push(block);
        row.fields += 1;
    }

    /// The hashes of all rows since the last call, in order.
    pub fn finish(&mut self) -> Vec<Hash> {
        self.close_row();
        self.flush();
        std::mem::take(&mut self.hashes)
    }

    /// A row without fields (a delete) takes its places all the same, so that places stay `row × columns`.
    fn close_row(&mut self) {
        let Some(row) = self.rows.last() else { return };
        assert!(row.fields == self.columns.len() || row.fields == 0, "I2: {} of {} fields", row.fields, self.columns.len());
        if row.fields == 0 {
            self.fields.resize(self.rows.len() * self.columns.len(), [0; BLOCK_BYTES]);
        }
    }

    fn flush(&mut self) {
        let n_columns = self.columns.len();
        self.salts.clear();
        for row in &self.rows {
            self.salts.extend((0..n_columns).map(|i| salt_preimage(&row.salt, i as u32)));
        }
        self.scratch.clear();
        self.scratch.resize(self.salts.len(), [0; 32]);
        hash_lanes(Purpose::Salt, &self.salts, &mut self.scratch);
        for (block, salt) in self.fields.iter_mut().zip(&self.scratch) {
            block[..16].copy_from_slice(&salt[..16]);
        }
        hash_lanes(Purpose::Field, &self.fields, &mut self.scratch);
        for (place, commitment) in self.long.drain(..) {
            self.scratch[place] = commitment;
        }
        match (PREFIX_BYTES + n_columns * 32).div_ceil(BLOCK_BYTES) {
            1 => self.hash_rows::<64>(),
            2 => self.hash_rows::<128>(),
            3 => self.hash_rows::<192>(),
            4 => self.hash_rows::<256>(),
            5 => self.hash_rows::<320>(),
            6 => self.hash_rows::<384>(),
            7 => self.hash_rows::<448>(),
            8 => self.hash_rows::<512>(),
            _ => self.hash_wide_rows(),
        }
        self.rows.clear();
        self.fields.clear();
    }

    fn hash_rows<const N: usize>(&mut self) {
        let n_columns = self.columns.len();
        let mut preimages = [[0; N]; LANES];
        for (i, (row, preimage)) in self.rows.iter().zip(&mut preimages).enumerate() {
            let fields = self.scratch[i * n_columns..(i + 1) * n_columns].as_flattened();
            preimage[..PREFIX_BYTES].copy_from_slice(&row_prefix(&row.header, n_columns));
            preimage[PREFIX_BYTES..PREFIX_BYTES + fields.len()].copy_from_slice(fields);
        }
        let mut hashes = [[0; 32]; LANES];
        let n_rows = self.rows.len();
        hash_lanes(Purpose::Row, &preimages[..n_rows], &mut hashes[..n_rows]);
        for (row, hash) in self.rows.iter().zip(hashes) {
            self.hashes.push(if row.fields == n_columns { hash } else { row_hash(&row.header, &[]) });
        }
    }

    fn hash_wide_rows(&mut self) {
        let n_columns = self.columns.len();
        for (row, commitments) in self.rows.iter().zip(self.scratch.chunks(n_columns)) {
            self.hashes.push(row_hash(&row.header, &commitments[..row.fields]));
        }
    }
}
