//! The names under which folds stand in their tree, and what stands there.
//!
//! N1: numbers in names are big-endian, so that names sort as what they name.
//! N2: no name of a value of a key is the beginning of another's: `KeyIndex::find` meets the rows of one value only.
//! N3: names of values sort as the values do; of two that begin with the same [`VALUE_BYTES_MAX`] bytes they may not.
//! Never: reads a tree.
//! Format: docs/formats/folds.md.

use base::RelationId;

use crate::key::Key;

const INDEX: u8 = 1;
const UNIQUE: u8 = 2;
const MANY: u8 = 3;
const ENDED: u8 = 4;
const CHUNK: u8 = 5;
const GAP: u8 = 6;

/// Of longer values so many bytes stand in the name, then the BLAKE3 of all.
pub(crate) const VALUE_BYTES_MAX: usize = 480;
/// What the names of a key's values begin with.
pub(crate) const HEAD_BYTES: usize = 5;

/// A name being put together; its memory is used again.
#[derive(Debug, Default)]
pub(crate) struct Name(Vec<u8>);

impl Name {
    fn begin(&mut self, space: u8, number: u32) -> &mut Vec<u8> {
        self.0.clear();
        self.0.push(space);
        self.0.extend_from_slice(&number.to_be_bytes());
        &mut self.0
    }

    /// There is an index of this key; the value is the commit since which it is whole.
    pub(crate) fn index(&mut self, key: u32) -> &[u8] {
        self.begin(INDEX, key)
    }

    /// The newest row with a value of a unique key; the value is its id.
    pub(crate) fn unique(&mut self, key: u32, value: &Key) -> &[u8] {
        put_value(self.begin(UNIQUE, key), value);
        &self.0
    }

    /// What the names of all rows with a value of any other key begin with.
    pub(crate) fn many(&mut self, key: u32, value: &Key) -> &[u8] {
        put_value(self.begin(MANY, key), value);
        &self.0
    }

    /// One row with a value of any other key; later rows come first.
    pub(crate) fn many_row(&mut self, key: u32, value: &Key, row: u64) -> &[u8] {
        put_value(self.begin(MANY, key), value);
        self.0.extend_from_slice(&(!row).to_be_bytes());
        &self.0
    }

    /// What the names of all values of a key begin with.
    pub(crate) fn values(&mut self, key: u32, is_unique: bool) -> &[u8] {
        self.begin(if is_unique { UNIQUE } else { MANY }, key)
    }

    /// One row whose value of a key has a NULL in it; the value of a unique one is its id.
    pub(crate) fn with_null(&mut self, key: u32, is_unique: bool, put: impl FnOnce(&mut Vec<u8>), row: u64) -> &[u8] {
        put(self.begin(if is_unique { UNIQUE } else { MANY }, key));
        shorten(&mut self.0);
        self.0.extend_from_slice(&(!row).to_be_bytes());
        &self.0
    }

    /// A row that is ended; the value is the commit that ended it.
    pub(crate) fn ended(&mut self, table: RelationId, row: u64) -> &[u8] {
        let name = self.begin(ENDED, table.0);
        name.extend_from_slice(&row.to_be_bytes());
        name
    }

    /// Commits from this one on were brought up at once; the value is the last of them.
    pub(crate) fn gap(&mut self, first: u64) -> &[u8] {
        let name = self.begin(GAP, 0);
        name.extend_from_slice(&first.to_be_bytes());
        name
    }

    /// How many rows of a chunk are ended; the value is that number.
    pub(crate) fn chunk(&mut self, table: RelationId, chunk: u64) -> &[u8] {
        let name = self.begin(CHUNK, table.0);
        name.extend_from_slice(&chunk.to_be_bytes());
        name
    }
}

/// What the names of all indexes begin with.
pub(crate) const INDEXES: &[u8] = &[INDEX];
/// What the names of all gaps begin with.
pub(crate) const GAPS: &[u8] = &[GAP];
/// What the names of the counts of all chunks begin with.
pub(crate) const CHUNKS: &[u8] = &[CHUNK];

/// The key of [`Name::index`].
pub(crate) fn index_of(name: &[u8]) -> Option<u32> {
    Some(u32::from_be_bytes(name.get(1..)?.try_into().ok()?))
}

/// Table and chunk of [`Name::chunk`].
pub(crate) fn chunk_of(name: &[u8]) -> Option<(RelationId, u64)> {
    let table = u32::from_be_bytes(name.get(1..5)?.try_into().ok()?);
    Some((RelationId(table), last_number(name)?))
}

/// The first commit of [`Name::gap`].
pub(crate) fn gap_of(name: &[u8]) -> Option<u64> {
    last_number(name)
}

/// The row of [`Name::ended`].
pub(crate) fn ended_row(name: &[u8]) -> Option<u64> {
    last_number(name)
}

/// The row of [`Name::many_row`].
pub(crate) fn row_of(name: &[u8]) -> Option<u64> {
    last_number(name).map(|inverted| !inverted)
}

fn last_number(name: &[u8]) -> Option<u64> {
    Some(u64::from_be_bytes(*name.last_chunk::<8>()?))
}

fn put_value(name: &mut Vec<u8>, value: &Key) {
    value.put(name);
    shorten(name);
}

fn shorten(name: &mut Vec<u8>) {
    if name.len() > HEAD_BYTES + VALUE_BYTES_MAX {
        let hash = blake3::hash(&name[HEAD_BYTES..]);
        name.truncate(HEAD_BYTES + VALUE_BYTES_MAX);
        name.extend_from_slice(hash.as_bytes());
    }
}

/// A number as a value: little-endian, without the zeros at its end.
pub(crate) fn number(number: u64) -> ([u8; 8], usize) {
    (number.to_le_bytes(), (64 - number.leading_zeros() as usize).div_ceil(8))
}

/// Reads what [`number`] made; `None` for what it cannot have made.
pub(crate) fn read_number(bytes: &[u8]) -> Option<u64> {
    let mut eight = [0; 8];
    eight.get_mut(..bytes.len())?.copy_from_slice(bytes);
    Some(u64::from_le_bytes(eight))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_sort_as_what_they_name() {
        let (mut a, mut b) = (Name::default(), Name::default());
        let ints = [i64::MIN, -7, -1, 0, 1, 300, i64::MAX];
        for pair in ints.windows(2) {
            assert!(a.unique(7, &Key::Int(pair[0])) < b.unique(7, &Key::Int(pair[1])), "N1: {pair:?}");
        }
        assert!(a.many_row(7, &Key::Int(1), 9) < b.many_row(7, &Key::Int(1), 8), "later rows come first");
        assert!(a.ended(RelationId(3), 255) < b.ended(RelationId(3), 256), "N1");
        assert!(a.ended(RelationId(3), u64::MAX) < b.ended(RelationId(4), 0), "N1");
    }

    #[test]
    fn names_are_read_back() {
        let mut name = Name::default();
        for number in [0, 1, 255, 1 << 40, u64::MAX] {
            assert_eq!(row_of(name.many_row(7, &Key::Bytes(vec![1; 600].into()), number)), Some(number));
            assert_eq!(ended_row(name.ended(RelationId(9), number)), Some(number));
            assert_eq!(chunk_of(name.chunk(RelationId(9), number)), Some((RelationId(9), number)));
            assert_eq!(gap_of(name.gap(number)), Some(number));
            let (bytes, len) = super::number(number);
            assert_eq!(read_number(&bytes[..len]), Some(number));
        }
        assert_eq!(index_of(name.index(77)), Some(77));
        assert_eq!((read_number(&[0; 9]), index_of(&[INDEX]), ended_row(&[1])), (None, None, None));
    }

    #[test]
    fn long_values_are_told_apart() {
        let mut names = std::collections::BTreeSet::new();
        for length in [478, 479, 480, 481, 511, 100_000] {
            for last in [0, 1] {
                let mut bytes = vec![7; length];
                bytes.push(last);
                let mut name = Name::default();
                let name = name.unique(1, &Key::Bytes(bytes.into())).to_vec();
                assert!(name.len() <= HEAD_BYTES + VALUE_BYTES_MAX + 32 && names.insert(name), "N2: {length}");
            }
        }
    }
}
