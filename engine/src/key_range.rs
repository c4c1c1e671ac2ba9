//! Values of a key that a query asks for: the first columns equal to something, the next within something.
//!
//! R1: bounds may let more in than was asked for, never less: who asks compares the rows again.
//! Never: reads an index.

use arrow::array::ArrayRef;
use base::{SqlError, SqlResult};

use crate::folds::names::VALUE_BYTES_MAX;
use crate::key_order::{ABOVE, NULL, VALUE, go_after, put};
use crate::schema::{KeyDef, TableDef};

/// What the column after those that are equal to something has to be.
#[derive(Clone, Debug)]
pub enum Next {
    /// Anything, NULL too.
    Any,
    /// NULL.
    Null,
    /// A value, at least the first and at most the second where they are given; «true» where what is given is within. An end may go on with values of the columns
    /// after that one, which decide where it is equal; NULL is after all values.
    Within(Option<(Vec<ArrayRef>, bool)>, Option<(Vec<ArrayRef>, bool)>),
}

/// Values of the first columns of a key.
#[derive(Clone, Debug)]
pub struct KeyRange {
    /// One row each, typed as the column and not NULL, in key order.
    pub equal: Vec<ArrayRef>,
    /// Of the next column; [`Next::Any`] where there is none.
    pub next: Next,
}

/// The same as bytes: from the first on, up to the second without it.
#[derive(Clone, Debug)]
pub(crate) struct KeyBounds {
    pub(crate) from: Vec<u8>,
    pub(crate) to: Vec<u8>,
}

impl KeyBounds {
    /// Whether these bytes of a value are within.
    pub(crate) fn have(&self, value: &[u8]) -> bool {
        self.from.as_slice() <= value && value < self.to.as_slice()
    }
}

impl KeyRange {
    /// As bytes. Errors: XX000 where types or count of the values are not those of the key's columns.
    pub(crate) fn bounds(&self, table: &TableDef, def: &KeyDef) -> SqlResult<KeyBounds> {
        let misfit = || SqlError::internal(format!("a range does not fit the key \"{}\" of \"{}\"", def.name, table.name));
        let write = |at: usize, value: &ArrayRef, out: &mut Vec<u8>| {
            let sql_type = def.positions.get(at).map(|position| table.type_at(*position)).ok_or_else(misfit)?;
            if value.data_type() != &sql_type.arrow() || value.len() != 1 || value.is_null(0) {
                return Err(misfit());
            }
            put(sql_type, value.as_ref(), 0, out);
            Ok(())
        };
        let mut equal = Vec::new();
        self.equal.iter().enumerate().try_for_each(|(at, value)| write(at, value, &mut equal))?;
        let (mut from, mut to) = (equal.clone(), equal);
        match &self.next {
            Next::Any if to.is_empty() => to.push(ABOVE),
            Next::Any => go_after(&mut to),
            Next::Null => {
                from.push(NULL);
                to.push(ABOVE);
            }
            Next::Within(low, high) => {
                match low {
                    Some((values, is_within)) => {
                        values.iter().zip(self.equal.len()..).try_for_each(|(value, at)| write(at, value, &mut from))?;
                        if !is_within {
                            go_after(&mut from);
                        }
                    }
                    None => from.push(VALUE),
                }
                match high {
                    Some((values, is_within)) => {
                        values.iter().zip(self.equal.len()..).try_for_each(|(value, at)| write(at, value, &mut to))?;
                        if *is_within {
                            go_after(&mut to);
                        }
                    }
                    None => to.push(NULL),
                }
            }
        }
        // Longer values stand under less than themselves.
        from.truncate(VALUE_BYTES_MAX);
        if to.len() > VALUE_BYTES_MAX {
            to.truncate(VALUE_BYTES_MAX);
            go_after(&mut to);
        }
        Ok(KeyBounds { from, to })
    }
}
