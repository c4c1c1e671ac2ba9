//! Casts of whole columns between SQL types, as Postgres's assignment casts compute them.
//!
//! K1: a cast keeps every NULL and makes none.
//! Never: decides whether a cast is allowed (`coerce` does).

use super::errors::out_of_range;
use super::numeric::{Shape, round_off};
use super::{ColumnBuilder, ColumnEncoder, Format, Manner, any_numeric, boolean, documents, floats, strings};
use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray, ListArray, PrimitiveArray, StringBuilder};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Decimal128Type, Float32Type, Float64Type, Int16Type, Int32Type, Int64Type};
use base::{SqlError, SqlResult, SqlState};
use engine::SqlType;
use std::sync::Arc;

/// Casts a column of layout `from.arrow()` to layout `to.arrow()`; 22003, 22001, 22008.
pub(super) fn cast(array: &ArrayRef, from: SqlType, to: SqlType, manner: &Manner) -> SqlResult<ArrayRef> {
    use SqlType::{
        AnyNumeric, Bool, Bpchar, Bytea, Date, Float4, Float8, Int2, Int4, Int8, Interval, Json, Jsonb, Numeric, Text, Time, Timestamp,
        Timestamptz, Uuid, Varchar,
    };
    let cast = match (from, to) {
        // A character(n) lies as the text it is cast to.
        (_, Text | Varchar(None)) if matches!(from, Text | Varchar(_) | Bpchar(_)) => Arc::clone(array),
        (_, Text) => to_text(array, from, None, manner)?,
        (_, Varchar(limit)) => to_text(array, from, limit, manner)?,
        (_, Bpchar(_)) => reread(&to_text(array, from, None, manner)?, to)?,
        (SqlType::Array(_), SqlType::Array(_)) => elements(array, from, to, manner)?,
        (Json, Jsonb) => reread(&to_text(array, from, None, manner)?, to)?,
        (Jsonb, Json) => documents::wrap(documents::texts(array), to),
        (from, AnyNumeric(limit)) if is_number(from) => any_numeric::limited(by_query_rules(array, to, manner)?, limit)?,
        (AnyNumeric(_), to) if is_number(to) => by_query_rules(array, to, manner)?,
        (Time, Interval) | (Interval, Time) => by_query_rules(array, to, manner)?,
        (Timestamp | Timestamptz, Time) => by_query_rules(array, to, manner)?,
        (Date | Timestamp | Timestamptz, Date | Timestamp | Timestamptz) if from != to => by_query_rules(array, to, manner)?,
        (Int2 | Int4 | Int8 | SqlType::Catalog(_), Int2 | Int4 | Int8) => {
            arrow_cast(array, &to.arrow()).map_err(|_| out_of_range(&to.name()))?
        }
        (Int2 | Int4 | Int8 | Float4, Float4 | Float8) => arrow_cast(array, &to.arrow())?,
        (Float8, Float4) => try_map::<Float64Type, Float32Type>(array, to, narrow)?,
        (Float4 | Float8, Int2 | Int4 | Int8) => float_to_integer(array, to)?,
        (Int2 | Int4 | Int8 | Float4 | Float8 | Numeric { .. }, Numeric { precision, scale }) => {
            to_numeric(array, from, to, Shape { precision, scale })?
        }
        (Numeric { scale, .. }, Int2 | Int4 | Int8) => numeric_to_integer(array, scale, to)?,
        (Numeric { .. }, Float4 | Float8) => numeric_to_float(array, from, to)?,
        (Timestamp, Timestamp) | (Timestamptz, Timestamptz) | (Bool, Bool) | (Bytea, Bytea) | (Date, Date) | (Float8, Float8) => {
            Arc::clone(array)
        }
        (Uuid, Uuid) | (Time, Time) | (Interval, Interval) | (Json, Json) | (Jsonb, Jsonb) => Arc::clone(array),
        (from, to) => return Err(SqlError::internal(format!("no cast from {} to {}", from.name(), to.name()))),
    };
    assert_eq!(cast.null_count(), array.null_count(), "K1: a cast changed what is NULL");
    Ok(cast)
}

fn is_number(sql_type: SqlType) -> bool {
    use SqlType::{AnyNumeric, Float4, Float8, Int2, Int4, Int8, Numeric};
    matches!(sql_type, Int2 | Int4 | Int8 | Float4 | Float8 | Numeric { .. } | AnyNumeric(_))
}

/// Texts read in the input syntax of a type.
fn reread(texts: &ArrayRef, to: SqlType) -> SqlResult<ArrayRef> {
    let mut builder = ColumnBuilder::new(to, texts.len());
    for text in texts.as_string::<i32>() {
        match text {
            Some(text) => builder.append_clean(text)?,
            None => builder.append_null(),
        }
    }
    Ok(builder.finish())
}

/// Element by element.
fn elements(array: &ArrayRef, from: SqlType, to: SqlType, manner: &Manner) -> SqlResult<ArrayRef> {
    let (Some(from), Some(element)) = (from.element(), to.element()) else {
        return Err(SqlError::internal("an array without elements' type"));
    };
    let lists = array.as_list::<i32>();
    let values = if from == element { Arc::clone(lists.values()) } else { cast(lists.values(), from, element, manner)? };
    let DataType::List(item) = to.arrow() else { return Err(SqlError::internal("an array with another layout")) };
    Ok(Arc::new(ListArray::new(item, lists.offsets().clone(), values, lists.nulls().cloned())))
}

/// Casts that `relational` has.
fn by_query_rules(array: &ArrayRef, to: SqlType, manner: &Manner) -> SqlResult<ArrayRef> {
    relational::convert_in(array, &to.arrow(), manner)
}

/// Arrow's own cast, with an error instead of NULL for what does not fit.
pub(super) fn arrow_cast(array: &ArrayRef, to: &DataType) -> SqlResult<ArrayRef> {
    let options = CastOptions { safe: false, ..CastOptions::default() };
    cast_with_options(array, to, &options)
        .map_err(|error| SqlError::internal(format!("cannot lay out {} as {to}: {error}", array.data_type())))
}

fn try_map<F: ArrowPrimitiveType, T: ArrowPrimitiveType>(
    array: &ArrayRef,
    to: SqlType,
    convert: impl Fn(F::Native) -> SqlResult<T::Native>,
) -> SqlResult<ArrayRef> {
    let mapped: PrimitiveArray<T> = array.as_primitive::<F>().try_unary(convert)?;
    Ok(Arc::new(mapped.with_data_type(to.arrow())))
}

fn narrow(value: f64) -> SqlResult<f32> {
    let narrow = value as f32;
    let wrong = |what: &str| SqlError::new(SqlState::NUMERIC_VALUE_OUT_OF_RANGE, format!("value out of range: {what}"));
    if narrow.is_infinite() && value.is_finite() {
        return Err(wrong("overflow"));
    }
    if narrow == 0.0 && value != 0.0 {
        return Err(wrong("underflow"));
    }
    Ok(narrow)
}

fn float_to_integer(array: &ArrayRef, to: SqlType) -> SqlResult<ArrayRef> {
    let wide = arrow_cast(array, &DataType::Float64)?;
    let bits = match to {
        SqlType::Int2 => 15,
        SqlType::Int4 => 31,
        _ => 63,
    };
    let limit = 2f64.powi(bits);
    let integers: ArrayRef = try_map::<Float64Type, Int64Type>(&wide, SqlType::Int8, |value| {
        let rounded = value.round_ties_even();
        // NaN is in no range.
        if (-limit..limit).contains(&rounded) { Ok(rounded as i64) } else { Err(out_of_range(&to.name())) }
    })?;
    arrow_cast(&integers, &to.arrow())
}

fn to_numeric(array: &ArrayRef, from: SqlType, to: SqlType, shape: Shape) -> SqlResult<ArrayRef> {
    match from {
        SqlType::Numeric { scale, .. } => try_map::<Decimal128Type, Decimal128Type>(array, to, |value| shape.rescale(value, scale)),
        SqlType::Float8 => try_map::<Float64Type, Decimal128Type>(array, to, |value| shape.float(value, 15)),
        SqlType::Float4 => try_map::<Float32Type, Decimal128Type>(array, to, |value| shape.float(value.into(), 6)),
        _ => try_map::<Int64Type, Decimal128Type>(&arrow_cast(array, &DataType::Int64)?, to, |value| shape.integer(value)),
    }
}

fn numeric_to_integer(array: &ArrayRef, scale: u8, to: SqlType) -> SqlResult<ArrayRef> {
    let round = |value| round_off(value, u32::from(scale));
    let wrong = || out_of_range(&to.name());
    match to {
        SqlType::Int2 => try_map::<Decimal128Type, Int16Type>(array, to, |value| round(value).try_into().map_err(|_| wrong())),
        SqlType::Int4 => try_map::<Decimal128Type, Int32Type>(array, to, |value| round(value).try_into().map_err(|_| wrong())),
        _ => try_map::<Decimal128Type, Int64Type>(array, to, |value| round(value).try_into().map_err(|_| wrong())),
    }
}

/// Through the text, as Postgres does: correctly rounded.
fn numeric_to_float(array: &ArrayRef, from: SqlType, to: SqlType) -> SqlResult<ArrayRef> {
    let text = to_text(array, from, None, &Manner::default())?;
    let strings = text.as_string::<i32>();
    if to == SqlType::Float4 {
        let values = strings.iter().map(|text| text.map(floats::parse_float4).transpose());
        return Ok(Arc::new(values.collect::<SqlResult<PrimitiveArray<Float32Type>>>()?));
    }
    let values = strings.iter().map(|text| text.map(floats::parse_float8).transpose());
    Ok(Arc::new(values.collect::<SqlResult<PrimitiveArray<Float64Type>>>()?))
}

fn to_text(array: &ArrayRef, from: SqlType, limit: Option<u32>, manner: &Manner) -> SqlResult<ArrayRef> {
    let encoder = ColumnEncoder::in_manner(array, from, Format::Text, *manner)?;
    let mut builder = StringBuilder::with_capacity(array.len(), array.len() * 8);
    let mut value = Vec::new();
    for row in 0..array.len() {
        value.clear();
        if !encoder.write_value(row, &mut value) {
            builder.append_null();
            continue;
        }
        let text = match (from, value.as_slice()) {
            // The cast, unlike the output function, spells the word out.
            (SqlType::Bool, [letter]) => boolean::word(*letter == b't'),
            (_, bytes) => strings::utf8(bytes)?,
        };
        let text = strings::fit(text, limit)?;
        if builder.values_slice().len() + text.len() >= i32::MAX as usize {
            return Err(SqlError::new(SqlState::PROGRAM_LIMIT_EXCEEDED, "the strings of one batch exceed 2 GiB"));
        }
        builder.append_value(text);
    }
    Ok(Arc::new(builder.finish()))
}
