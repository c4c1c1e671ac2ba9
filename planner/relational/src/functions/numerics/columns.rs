//! Columns of exact numbers, read and built a value at a time.
//!
//! C1: every exact type is read: integers, Arrow's decimals, and `numeric` of any length; a `Utf8` column by the input syntax.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, BinaryBuilder, Decimal128Array, Decimal256Array, Int16Array, Int32Array, Int64Array,
    StringArray, StructArray,
};
use arrow::datatypes::{DataType, Decimal128Type, Decimal256Type, Int16Type, Int32Type, Int64Type, i256};
use base::{SqlError, SqlResult};
use num_bigint::BigInt;

use crate::layouts;
use crate::values::numeric::bytes::{self, Parts};
use crate::values::numeric::{Numeric, power_of_ten};

/// A column of exact numbers.
pub(crate) enum Column<'a> {
    Int2(&'a Int16Array),
    Int4(&'a Int32Array),
    Int8(&'a Int64Array),
    /// With its scale, which may be below zero.
    Narrow(&'a Decimal128Array, i8),
    Wide(&'a Decimal256Array, i8),
    Any(&'a StructArray, &'a BinaryArray),
    Text(&'a StringArray),
    Null,
}

impl<'a> Column<'a> {
    /// Errors: XX000 for a column of something else.
    pub(crate) fn of(array: &'a ArrayRef) -> SqlResult<Self> {
        Ok(match array.data_type() {
            DataType::Null => Self::Null,
            DataType::Int16 => Self::Int2(array.as_primitive::<Int16Type>()),
            DataType::Int32 => Self::Int4(array.as_primitive::<Int32Type>()),
            DataType::Int64 => Self::Int8(array.as_primitive::<Int64Type>()),
            DataType::Decimal128(_, scale) => Self::Narrow(array.as_primitive::<Decimal128Type>(), *scale),
            DataType::Decimal256(_, scale) => Self::Wide(array.as_primitive::<Decimal256Type>(), *scale),
            DataType::Utf8 => Self::Text(array.as_string::<i32>()),
            any if layouts::is_any_numeric(any) => Self::Any(array.as_struct(), array.as_struct().column(0).as_binary::<i32>()),
            other => return Err(SqlError::internal(format!("C1: {other} is no exact number"))),
        })
    }

    pub(crate) fn is_null(&self, row: usize) -> bool {
        match self {
            Self::Int2(array) => array.is_null(row),
            Self::Int4(array) => array.is_null(row),
            Self::Int8(array) => array.is_null(row),
            Self::Narrow(array, _) => array.is_null(row),
            Self::Wide(array, _) => array.is_null(row),
            Self::Any(outer, inner) => outer.is_null(row) || inner.is_null(row),
            Self::Text(array) => array.is_null(row),
            Self::Null => true,
        }
    }

    /// The unscaled value and the scale, if they fit; the row is not NULL.
    pub(crate) fn small(&self, row: usize) -> Option<(i128, u32)> {
        Some(match self {
            Self::Int2(array) => (array.value(row).into(), 0),
            Self::Int4(array) => (array.value(row).into(), 0),
            Self::Int8(array) => (array.value(row).into(), 0),
            Self::Narrow(array, scale) => (array.value(row), u32::try_from(*scale).ok()?),
            Self::Wide(array, scale) => (array.value(row).to_i128()?, u32::try_from(*scale).ok()?),
            Self::Any(_, inner) => match bytes::parts(inner.value(row)).ok()? {
                Parts::Finite(groups) => (groups.small()?, groups.scale),
                Parts::Special(_) => return None,
            },
            Self::Text(_) | Self::Null => return None,
        })
    }

    /// The number; the row is not NULL. Errors: XX001 for bytes that are no number's; those of the input syntax.
    pub(crate) fn get(&self, row: usize) -> SqlResult<Numeric> {
        Ok(match self {
            Self::Int2(array) => Numeric::integer(array.value(row)),
            Self::Int4(array) => Numeric::integer(array.value(row)),
            Self::Int8(array) => Numeric::integer(array.value(row)),
            Self::Narrow(array, scale) => scaled(array.value(row).into(), *scale),
            Self::Wide(array, scale) => scaled(of_i256(array.value(row)), *scale),
            Self::Any(_, inner) => bytes::read(inner.value(row))?,
            Self::Text(array) => Numeric::parse(array.value(row))?,
            Self::Null => return Err(SqlError::internal("C1: NULL is no number")),
        })
    }
}

fn scaled(unscaled: BigInt, scale: i8) -> Numeric {
    match u32::try_from(scale) {
        Ok(scale) => Numeric::new(unscaled, scale),
        Err(_) => Numeric::integer(unscaled * power_of_ten(u32::from(scale.unsigned_abs()))),
    }
}

/// The same number without a limit.
pub(crate) fn of_i256(value: i256) -> BigInt {
    BigInt::from_signed_bytes_le(&value.to_le_bytes())
}

/// A growing column of `numeric`.
pub(crate) struct Builder {
    values: BinaryBuilder,
    scratch: Vec<u8>,
}

impl Builder {
    pub(crate) fn with_capacity(rows: usize) -> Self {
        Self { values: BinaryBuilder::with_capacity(rows, rows * 12), scratch: Vec::new() }
    }

    pub(crate) fn push_null(&mut self) {
        self.values.append_null();
    }

    pub(crate) fn push(&mut self, value: &Numeric) {
        self.scratch.clear();
        bytes::write(value, &mut self.scratch);
        self.values.append_value(&self.scratch);
    }

    pub(crate) fn push_small(&mut self, (unscaled, scale): (i128, u32)) {
        self.scratch.clear();
        bytes::write_small(unscaled, scale, &mut self.scratch);
        self.values.append_value(&self.scratch);
    }

    pub(crate) fn finish(mut self) -> SqlResult<ArrayRef> {
        wrap(self.values.finish())
    }
}

/// Numbers' bytes as a column of `numeric`.
pub(crate) fn wrap(values: BinaryArray) -> SqlResult<ArrayRef> {
    let DataType::Struct(fields) = layouts::any_numeric() else { return Err(SqlError::internal("Y3: numeric is a struct")) };
    let nulls = values.nulls().cloned();
    let wrapped = StructArray::try_new(fields, vec![Arc::new(values)], nulls);
    Ok(Arc::new(wrapped.map_err(|error| SqlError::internal(format!("Y3: {error}")))?))
}

/// A column of numbers from optional ones.
pub(crate) fn collect(values: impl ExactSizeIterator<Item = SqlResult<Option<Numeric>>>) -> SqlResult<ArrayRef> {
    let mut builder = Builder::with_capacity(values.len());
    for value in values {
        match value? {
            Some(value) => builder.push(&value),
            None => builder.push_null(),
        }
    }
    builder.finish()
}

/// The parts of numbers that are compared, as a binary column; a column of another type as it is.
pub(crate) fn keys(array: &ArrayRef) -> SqlResult<ArrayRef> {
    if !layouts::is_any_numeric(array.data_type()) {
        return Ok(Arc::clone(array));
    }
    let Column::Any(outer, inner) = Column::of(array)? else { return Ok(Arc::clone(array)) };
    let mut keys = BinaryBuilder::with_capacity(inner.len(), inner.value_data().len());
    for row in 0..inner.len() {
        if outer.is_null(row) || inner.is_null(row) {
            keys.append_null();
        } else {
            keys.append_value(bytes::key(inner.value(row)));
        }
    }
    Ok(Arc::new(keys.finish()))
}
