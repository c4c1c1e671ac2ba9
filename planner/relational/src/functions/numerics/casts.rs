//! Casts from and to `numeric` of any length.
//!
//! K1: a number becomes an integer by rounding halves away from zero, a floating-point number through its text, as PostgreSQL does it.
//! K2: Arrow's decimals take what fits them; NaN has no place in one (0A000).

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Decimal128Builder, Decimal256Builder, Float32Array, Float64Array, Int16Array, Int32Array, Int64Array,
    StringBuilder,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float32Type, Float64Type, i256};
use base::{SqlError, SqlResult, SqlState};

use super::columns::{Builder, Column};
use crate::functions::types;
use crate::layouts;
use crate::values::numeric::{Limit, Numeric, wire};

/// A column as `numeric` of any length; `None` if there is no such cast.
pub(crate) fn to_any(array: &ArrayRef) -> Option<SqlResult<ArrayRef>> {
    Some(match array.data_type() {
        DataType::Float16 | DataType::Float32 => {
            let floats = cast(array, &DataType::Float32).map_err(|error| SqlError::internal(error.to_string()));
            floats.and_then(|floats| {
                let floats = floats.as_primitive::<Float32Type>();
                from_floats(floats.iter().map(|value| value.map(f64::from)), 6)
            })
        }
        DataType::Float64 => from_floats(array.as_primitive::<Float64Type>().iter(), 15),
        DataType::Utf8 => from_text(array),
        DataType::Int16 | DataType::Int32 | DataType::Int64 | DataType::Decimal128(..) | DataType::Decimal256(..) => from_exact(array),
        DataType::Int8 | DataType::UInt8 | DataType::UInt16 | DataType::UInt32 => {
            let whole = cast(array, &DataType::Int64).map_err(|error| SqlError::internal(error.to_string()));
            whole.and_then(|whole| from_exact(&whole))
        }
        DataType::UInt64 | DataType::Decimal32(..) | DataType::Decimal64(..) => {
            let scale = match array.data_type() {
                DataType::Decimal32(_, scale) | DataType::Decimal64(_, scale) => *scale,
                _ => 0,
            };
            let wide = cast(array, &DataType::Decimal128(38, scale)).map_err(|error| SqlError::internal(error.to_string()));
            wide.and_then(|wide| from_exact(&wide))
        }
        any if layouts::is_any_numeric(any) => Ok(Arc::clone(array)),
        _ => return None,
    })
}

fn from_floats(values: impl ExactSizeIterator<Item = Option<f64>>, digits: usize) -> SqlResult<ArrayRef> {
    super::columns::collect(values.map(|value| value.map(|value| Numeric::from_float(value, digits)).transpose()))
}

fn from_text(array: &ArrayRef) -> SqlResult<ArrayRef> {
    let texts = array.as_string::<i32>();
    let mut values = arrow::array::BinaryBuilder::with_capacity(texts.len(), texts.len() * 12);
    let mut value = Vec::new();
    for text in texts {
        match text {
            Some(text) => {
                value.clear();
                wire::read_text(text, None, &mut value)?;
                values.append_value(&value);
            }
            None => values.append_null(),
        }
    }
    super::columns::wrap(values.finish())
}

fn from_exact(array: &ArrayRef) -> SqlResult<ArrayRef> {
    let column = Column::of(array)?;
    let mut builder = Builder::with_capacity(array.len());
    for row in 0..array.len() {
        if column.is_null(row) {
            builder.push_null();
        } else {
            match column.small(row) {
                Some(small) => builder.push_small(small),
                None => builder.push(&column.get(row)?),
            }
        }
    }
    builder.finish()
}

/// A column of `numeric` of any length as another type; `None` if there is no such cast.
pub(crate) fn from_any(array: &ArrayRef, to: &DataType) -> Option<SqlResult<ArrayRef>> {
    Some(match to {
        DataType::Int16 => each(array, |value| Ok(value.to_integer("smallint")? as i16)).map(|all| Arc::new(Int16Array::from(all)) as _),
        DataType::Int32 => each(array, |value| Ok(value.to_integer("integer")? as i32)).map(|all| Arc::new(Int32Array::from(all)) as _),
        DataType::Int64 => each(array, |value| value.to_integer("bigint")).map(|all| Arc::new(Int64Array::from(all)) as _),
        DataType::Float32 => each(array, to_real).map(|all| Arc::new(Float32Array::from(all)) as _),
        DataType::Float64 => each(array, to_double).map(|all| Arc::new(Float64Array::from(all)) as _),
        DataType::Decimal128(precision, scale) => to_narrow(array, *precision, *scale),
        DataType::Decimal256(precision, scale) => to_wide(array, *precision, *scale),
        DataType::Utf8 => to_text(array),
        any if layouts::is_any_numeric(any) => Ok(Arc::clone(array)),
        _ => return None,
    })
}

fn each<T>(array: &ArrayRef, convert: impl Fn(&Numeric) -> SqlResult<T>) -> SqlResult<Vec<Option<T>>> {
    let column = Column::of(array)?;
    (0..array.len()).map(|row| if column.is_null(row) { Ok(None) } else { convert(&column.get(row)?).map(Some) }).collect()
}

fn to_double(value: &Numeric) -> SqlResult<f64> {
    let double = value.to_float();
    if value.scale().is_some() && double.is_infinite() { Err(beyond(value, "double precision")) } else { Ok(double) }
}

fn to_real(value: &Numeric) -> SqlResult<f32> {
    if value.scale().is_none() {
        return Ok(value.to_float() as f32);
    }
    let real: f32 = value.to_string().parse().map_err(|_| beyond(value, "real"))?;
    if real.is_infinite() || (real == 0.0 && !value.is_zero()) { Err(beyond(value, "real")) } else { Ok(real) }
}

fn beyond(value: &Numeric, type_name: &str) -> SqlError {
    SqlError::new(SqlState::NUMERIC_VALUE_OUT_OF_RANGE, format!("\"{value}\" is out of range for type {type_name}"))
}

/// K2.
fn unscaled(value: &Numeric, precision: u8, scale: i8) -> SqlResult<num_bigint::BigInt> {
    let limit = Limit { precision: precision.into(), scale: scale.into() };
    limit.unscaled(value)?.ok_or_else(|| SqlError::unsupported(format!("NaN in a numeric({precision},{scale})")))
}

fn to_narrow(array: &ArrayRef, precision: u8, scale: i8) -> SqlResult<ArrayRef> {
    let data_type = DataType::Decimal128(precision, scale);
    let mut builder = Decimal128Builder::with_capacity(array.len()).with_data_type(data_type.clone());
    for value in each(array, |value| unscaled(value, precision, scale))? {
        let narrow = value.map(i128::try_from).transpose();
        builder.append_option(narrow.map_err(|_| SqlError::internal(format!("K2: beyond {}", types::name(&data_type))))?);
    }
    Ok(Arc::new(builder.finish()))
}

fn to_wide(array: &ArrayRef, precision: u8, scale: i8) -> SqlResult<ArrayRef> {
    let mut builder = Decimal256Builder::with_capacity(array.len()).with_data_type(DataType::Decimal256(precision, scale));
    for value in each(array, |value| unscaled(value, precision, scale))? {
        builder.append_option(value.map(|value| {
            let bytes = value.to_signed_bytes_le();
            let mut filled = [if value.sign() == num_bigint::Sign::Minus { 0xff } else { 0 }; 32];
            filled[..bytes.len()].copy_from_slice(&bytes);
            i256::from_le_bytes(filled)
        }));
    }
    Ok(Arc::new(builder.finish()))
}

fn to_text(array: &ArrayRef) -> SqlResult<ArrayRef> {
    let Column::Any(outer, inner) = Column::of(array)? else { return Err(SqlError::internal("K1: not a numeric")) };
    let mut texts = StringBuilder::with_capacity(array.len(), array.len() * 8);
    let mut text = Vec::new();
    for row in 0..array.len() {
        if outer.is_null(row) || inner.is_null(row) {
            texts.append_null();
            continue;
        }
        text.clear();
        wire::write_text(inner.value(row), &mut text)?;
        texts.append_value(str::from_utf8(&text).map_err(|_| SqlError::internal("V1: a value's text is not UTF-8"))?);
    }
    Ok(Arc::new(texts.finish()))
}

/// Values brought into a declared limit. Errors: 22003.
pub(super) fn limit(array: &ArrayRef, limit: Limit) -> SqlResult<ArrayRef> {
    let limited = each(array, |value| limit.apply(value.clone()))?;
    super::columns::collect(limited.into_iter().map(Ok))
}
