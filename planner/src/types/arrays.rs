//! Arrays of one dimension: text `{1,NULL}`, binary with dimensions and the elements' oid.
//!
//! R1: a value that fails leaves no element behind.
//! Never: an array in an array, or one whose subscripts do not begin at 1, or at 0 where it is a vector of the catalog.

use super::errors::invalid_binary;
use super::{ColumnBuilder, ColumnEncoder, Format, Manner, Reading};
use arrow::array::{Array, ArrayRef, ListArray, new_empty_array};
use arrow::buffer::{NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::compute::concat;
use arrow::datatypes::DataType;
use base::{SqlError, SqlResult, SqlState};
use engine::SqlType;
use relational::values::array;
use std::sync::Arc;

/// Prints arrays of one column.
pub(super) struct ArrayEncoder {
    lists: ListArray,
    elements: ColumnEncoder,
    element_oid: u32,
    /// One of the catalog's: subscripts from 0, text without braces.
    is_vector: bool,
}

fn is_vector(sql_type: SqlType) -> bool {
    matches!(sql_type, SqlType::Catalog(_))
}

fn element_of(sql_type: SqlType) -> SqlResult<SqlType> {
    let of_vector = match sql_type {
        SqlType::Catalog(known) => known.element(),
        _ => None,
    };
    of_vector.or_else(|| sql_type.element()).ok_or_else(|| SqlError::internal(format!("{} is no array", sql_type.name())))
}

impl ArrayEncoder {
    pub(super) fn new(lists: &ListArray, sql_type: SqlType, format: Format, manner: Manner) -> SqlResult<Self> {
        let element = element_of(sql_type)?;
        let elements = ColumnEncoder::in_manner(lists.values(), element, format, manner)?;
        Ok(Self { lists: lists.clone(), elements, element_oid: element.oid(), is_vector: is_vector(sql_type) })
    }

    pub(super) fn len(&self) -> usize {
        self.lists.len()
    }

    pub(super) fn is_null(&self, row: usize) -> bool {
        self.lists.is_null(row)
    }

    fn bounds(&self, row: usize) -> std::ops::Range<usize> {
        let offsets = self.lists.value_offsets();
        offsets[row] as usize..offsets[row + 1] as usize
    }

    pub(super) fn write_text(&self, row: usize, out: &mut Vec<u8>) {
        let bounds = self.bounds(row);
        if self.is_vector {
            for at in bounds.clone() {
                if at > bounds.start {
                    out.push(b' ');
                }
                self.elements.write_value(at, out);
            }
            return;
        }
        array::write(bounds.len(), |at, element| self.elements.write_value(bounds.start + at, element), out);
    }

    pub(super) fn write_binary(&self, row: usize, out: &mut Vec<u8>) {
        let bounds = self.bounds(row);
        let has_null = bounds.clone().any(|at| self.lists.values().is_null(at));
        // A vector has its one dimension even where it has no element.
        let dimensions = i32::from(self.is_vector || !bounds.is_empty());
        for number in [dimensions, i32::from(has_null), self.element_oid as i32] {
            out.extend_from_slice(&number.to_be_bytes());
        }
        if dimensions > 0 {
            out.extend_from_slice(&(bounds.len() as i32).to_be_bytes());
            out.extend_from_slice(&i32::from(!self.is_vector).to_be_bytes());
        }
        bounds.for_each(|at| self.elements.write(at, out));
    }
}

/// A growing column of arrays.
pub(super) struct ArrayBuilder {
    sql_type: SqlType,
    elements: Box<ColumnBuilder>,
    /// Elements that stood before one that failed (R1), and how many they are.
    earlier: Vec<ArrayRef>,
    earlier_len: usize,
    offsets: Vec<i32>,
    valid: Vec<bool>,
}

impl ArrayBuilder {
    pub(super) fn new(sql_type: SqlType, capacity: usize, reading: Reading) -> Self {
        let element = element_of(sql_type).unwrap_or(SqlType::Text);
        let mut offsets = Vec::with_capacity(capacity + 1);
        offsets.push(0);
        let elements = Box::new(ColumnBuilder::in_manner(element, capacity, reading));
        Self { sql_type, elements, earlier: Vec::new(), earlier_len: 0, offsets, valid: Vec::with_capacity(capacity) }
    }

    pub(super) fn len(&self) -> usize {
        self.valid.len()
    }

    pub(super) fn append_null(&mut self) {
        self.offsets.push(self.offsets.last().copied().unwrap_or(0));
        self.valid.push(false);
    }

    pub(super) fn append_text(&mut self, text: &str) -> SqlResult<()> {
        let elements = match is_vector(self.sql_type) {
            true => text.split_whitespace().map(|element| Some(element.to_owned())).collect(),
            false => array::parse(text)?,
        };
        self.append(|builder| {
            elements.iter().try_for_each(|element| match element {
                Some(text) => builder.append_clean(text),
                None => {
                    builder.append_null();
                    Ok(())
                }
            })
        })
    }

    pub(super) fn append_binary(&mut self, bytes: &[u8]) -> SqlResult<()> {
        let name = self.sql_type.name();
        let oid = element_of(self.sql_type)?.oid();
        let mut reader = Reader { bytes, name: &name, first: i32::from(!is_vector(self.sql_type)) };
        let count = reader.head(oid)?;
        self.append(|builder| {
            for _ in 0..count {
                builder.append(Format::Binary, reader.element()?)?;
            }
            if reader.bytes.is_empty() { Ok(()) } else { Err(invalid_binary(&name)) }
        })
    }

    fn append(&mut self, fill: impl FnOnce(&mut ColumnBuilder) -> SqlResult<()>) -> SqlResult<()> {
        let before = self.elements.len();
        let filled = fill(&mut self.elements).and_then(|()| {
            let end = self.earlier_len + self.elements.len();
            i32::try_from(end)
                .map_err(|_| SqlError::new(SqlState::PROGRAM_LIMIT_EXCEEDED, "the arrays of one batch have too many elements"))
        });
        match filled {
            Ok(end) => {
                self.offsets.push(end);
                self.valid.push(true);
                Ok(())
            }
            Err(error) => {
                self.earlier.push(self.elements.finish().slice(0, before));
                self.earlier_len += before;
                Err(error)
            }
        }
    }

    pub(super) fn finish(&mut self) -> ArrayRef {
        self.earlier.push(self.elements.finish());
        let parts: Vec<&dyn Array> = self.earlier.iter().map(AsRef::as_ref).collect();
        let layout = self.sql_type.arrow();
        let DataType::List(item) = &layout else { return new_empty_array(&layout) };
        let elements = match parts.as_slice() {
            [_] => Arc::clone(&self.earlier[0]),
            parts => concat(parts).unwrap_or_else(|_| new_empty_array(item.data_type())),
        };
        let offsets = OffsetBuffer::new(ScalarBuffer::from(std::mem::replace(&mut self.offsets, vec![0])));
        let nulls = NullBuffer::from(std::mem::take(&mut self.valid));
        self.earlier.clear();
        self.earlier_len = 0;
        let nulls = Some(nulls).filter(|nulls| nulls.null_count() > 0);
        Arc::new(ListArray::new(Arc::clone(item), offsets, elements, nulls))
    }
}

/// The binary form.
struct Reader<'a> {
    bytes: &'a [u8],
    name: &'a str,
    /// The subscript to begin at.
    first: i32,
}

impl<'a> Reader<'a> {
    fn number(&mut self) -> SqlResult<i32> {
        let (head, rest) = self.bytes.split_first_chunk::<4>().ok_or_else(|| invalid_binary(self.name))?;
        self.bytes = rest;
        Ok(i32::from_be_bytes(*head))
    }

    /// Dimensions, flags and elements' type; the number of elements.
    fn head(&mut self, element_oid: u32) -> SqlResult<i32> {
        let (dimensions, flags, oid) = (self.number()?, self.number()?, self.number()?);
        if !(0..=1).contains(&flags) {
            return Err(SqlError::new(SqlState::INVALID_BINARY_REPRESENTATION, "invalid array flags"));
        }
        if oid as u32 != element_oid {
            return Err(SqlError::new(SqlState::DATATYPE_MISMATCH, "wrong element type"));
        }
        match dimensions {
            0 => Ok(0),
            1 => {
                let (count, lower) = (self.number()?, self.number()?);
                if lower != self.first {
                    return Err(SqlError::unsupported("an array whose subscripts do not begin at 1"));
                }
                // Each element has a length of four bytes at least.
                if usize::try_from(count).is_ok_and(|count| count <= self.bytes.len() / 4) {
                    Ok(count)
                } else {
                    Err(invalid_binary(self.name))
                }
            }
            _ => Err(SqlError::unsupported("an array of more than one dimension")),
        }
    }

    fn element(&mut self) -> SqlResult<Option<&'a [u8]>> {
        let length = self.number()?;
        if length == -1 {
            return Ok(None);
        }
        let split = usize::try_from(length).ok().and_then(|length| self.bytes.split_at_checked(length));
        let (head, rest) = split.ok_or_else(|| invalid_binary(self.name))?;
        self.bytes = rest;
        Ok(Some(head))
    }
}
