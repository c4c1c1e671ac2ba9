//! `numeric` of any length: columns of the bytes of `relational::values::numeric`.
//!
//! Never: computes; `relational` does.

use super::builder::check_room;
use arrow::array::{Array, ArrayRef, AsArray, BinaryArray, BinaryBuilder, StructArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::DataType;
use base::SqlResult;
use engine::{NumericLimit, SqlType};
use relational::values::numeric::{Limit, bytes, wire};
use std::sync::Arc;

fn limit_of(limit: NumericLimit) -> Limit {
    Limit { precision: limit.precision, scale: limit.scale }
}

/// A growing column.
pub(super) struct Builder {
    values: BinaryBuilder,
    limit: Option<Limit>,
    scratch: Vec<u8>,
}

/// Bytes of a number set aside for each row of a new column.
const BYTES_GUESS: usize = 12;

impl Builder {
    pub(super) fn new(limit: Option<NumericLimit>, capacity: usize) -> Self {
        let values = BinaryBuilder::with_capacity(capacity, capacity.saturating_mul(BYTES_GUESS));
        Self { values, limit: limit.map(limit_of), scratch: Vec::new() }
    }

    pub(super) fn len(&self) -> usize {
        use arrow::array::ArrayBuilder as _;
        self.values.len()
    }

    pub(super) fn append_null(&mut self) {
        self.values.append_null();
    }

    pub(super) fn append_text(&mut self, text: &str) -> SqlResult<()> {
        self.scratch.clear();
        wire::read_text(text, self.limit, &mut self.scratch)?;
        self.append()
    }

    pub(super) fn append_binary(&mut self, given: &[u8]) -> SqlResult<()> {
        self.scratch.clear();
        wire::read_binary(given, self.limit, &mut self.scratch)?;
        self.append()
    }

    fn append(&mut self) -> SqlResult<()> {
        check_room(self.values.values_slice().len(), self.scratch.len())?;
        self.values.append_value(&self.scratch);
        Ok(())
    }

    pub(super) fn finish(&mut self) -> ArrayRef {
        wrap(self.values.finish())
    }
}

fn wrap(values: BinaryArray) -> ArrayRef {
    let DataType::Struct(fields) = SqlType::AnyNumeric(None).arrow() else { return Arc::new(values) };
    let nulls = values.nulls().cloned();
    Arc::new(StructArray::new(fields, vec![Arc::new(values)], nulls))
}

fn values(array: &ArrayRef) -> BinaryArray {
    let outer = array.as_struct();
    let inner = outer.column(0).as_binary::<i32>();
    BinaryArray::new(inner.offsets().clone(), inner.values().clone(), NullBuffer::union(outer.nulls(), inner.nulls()))
}

/// The numbers of a column, each known to be one. Errors: XX001.
pub(super) fn checked(array: &ArrayRef) -> SqlResult<BinaryArray> {
    let values = values(array);
    values.iter().flatten().try_for_each(|value| bytes::parts(value).map(|_| ()))?;
    Ok(values)
}

/// A column brought into a declared limit. Errors: 22003.
pub(super) fn limited(array: ArrayRef, limit: Option<NumericLimit>) -> SqlResult<ArrayRef> {
    let Some(limit) = limit.map(limit_of) else { return Ok(array) };
    let values = values(&array);
    let mut limited = BinaryBuilder::with_capacity(values.len(), values.value_data().len());
    let mut scratch = Vec::new();
    for value in &values {
        let Some(value) = value else {
            limited.append_null();
            continue;
        };
        scratch.clear();
        bytes::write(&limit.apply(bytes::read(value)?)?, &mut scratch);
        limited.append_value(&scratch);
    }
    Ok(wrap(limited.finish()))
}
