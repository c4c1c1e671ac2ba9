//! Values of keys as bytes that sort as the values do.
//!
//! O1: two values have the same bytes where Postgres calls them equal, and otherwise sort as Postgres sorts them ascending: NULL last, text by its
//!     bytes, one zero, NaN above all numbers.
//! O2: no value's bytes are the beginning of another's of the same type, so that those of several columns one after the other sort column by column.
//! O3: numbers of all exact types and scales share one form, integers of all widths another: a foreign key's values meet those of the key it points to.
//! Never: knows a table, or what is in an index.
//! Format: docs/formats/folds.md, «values of keys».

use arrow::array::{Array, AsArray};
use arrow::datatypes::{
    Date32Type, Decimal128Type, Float32Type, Float64Type, Int16Type, Int32Type, Int64Type, IntervalMonthDayNano, IntervalMonthDayNanoType,
    Time64MicrosecondType, TimestampMicrosecondType,
};

use crate::types::SqlType;

/// Ends an array: below everything that an element begins with.
const END: u8 = 0;
/// A value that is not NULL begins with it.
pub(crate) const VALUE: u8 = 1;
/// NULL.
pub(crate) const NULL: u8 = 2;
/// Above whatever a value or NULL begins with.
pub(crate) const ABOVE: u8 = 3;

/// Digits of a group of a number.
const GROUP: u128 = 10_000;

/// Writes `array[row]`, NULL or not.
pub(crate) fn put(sql_type: SqlType, array: &dyn Array, row: usize, out: &mut Vec<u8>) {
    if array.is_null(row) {
        return out.push(NULL);
    }
    out.push(VALUE);
    match sql_type {
        SqlType::Bool => out.push(u8::from(array.as_boolean().value(row))),
        SqlType::Int2 => put_int(array.as_primitive::<Int16Type>().value(row).into(), out),
        SqlType::Int4 => put_int(array.as_primitive::<Int32Type>().value(row).into(), out),
        SqlType::Int8 => put_int(array.as_primitive::<Int64Type>().value(row), out),
        SqlType::Float4 => put_f32(array.as_primitive::<Float32Type>().value(row), out),
        SqlType::Float8 => put_f64(array.as_primitive::<Float64Type>().value(row), out),
        SqlType::Numeric { scale, .. } => put_decimal(array.as_primitive::<Decimal128Type>().value(row), scale, out),
        SqlType::AnyNumeric(_) => {
            let stored = array.as_struct().column(0).as_binary::<i32>().value(row);
            // All but the display scale.
            out.extend_from_slice(&stored[..stored.len().saturating_sub(2)]);
        }
        SqlType::Text | SqlType::Varchar(_) | SqlType::Bpchar(_) => put_bytes(array.as_string::<i32>().value(row).as_bytes(), out),
        SqlType::Json | SqlType::Jsonb => put_bytes(array.as_struct().column(0).as_string::<i32>().value(row).as_bytes(), out),
        SqlType::Bytea => put_bytes(array.as_binary::<i32>().value(row), out),
        SqlType::Uuid => out.extend_from_slice(array.as_fixed_size_binary().value(row)),
        SqlType::Date => put_int(array.as_primitive::<Date32Type>().value(row).into(), out),
        SqlType::Time => put_int(array.as_primitive::<Time64MicrosecondType>().value(row), out),
        SqlType::Timestamp | SqlType::Timestamptz => put_int(array.as_primitive::<TimestampMicrosecondType>().value(row), out),
        SqlType::Interval => put_span(array.as_primitive::<IntervalMonthDayNanoType>().value(row), out),
        SqlType::Array(_) => {
            let (elements, element) = (array.as_list::<i32>().value(row), sql_type.element().unwrap_or(SqlType::Text));
            (0..elements.len()).for_each(|at| put(element, elements.as_ref(), at, out));
            out.push(END);
        }
        SqlType::Catalog(_) => unreachable!("T3: no column of a table is {}", sql_type.name()),
    }
}

/// Whether an index over this type answers ranges and orders, beside equality.
pub fn is_ordered(sql_type: SqlType) -> bool {
    !matches!(sql_type, SqlType::Json | SqlType::Jsonb | SqlType::Array(_) | SqlType::Catalog(_))
}

/// Whether a value can be read back out of its bytes by `take`.
pub fn is_readable(sql_type: SqlType) -> bool {
    matches!(
        sql_type,
        SqlType::Int2 | SqlType::Int4 | SqlType::Int8 | SqlType::Date | SqlType::Time | SqlType::Timestamp | SqlType::Timestamptz
    )
}

/// Takes the number that a readable value lies in off the front of some bytes; the inner `None` is NULL, the outer one not a value.
pub(crate) fn take(bytes: &mut &[u8]) -> Option<Option<i64>> {
    let (tag, rest) = bytes.split_first()?;
    if *tag == NULL {
        *bytes = rest;
        return Some(None);
    }
    let (value, rest) = rest.split_first_chunk::<8>().filter(|_| *tag == VALUE)?;
    *bytes = rest;
    Some(Some((u64::from_be_bytes(*value) ^ 1 << 63).cast_signed()))
}

/// An integer after [`VALUE`].
pub(crate) fn put_int(value: i64, out: &mut Vec<u8>) {
    out.extend_from_slice(&(value.cast_unsigned() ^ 1 << 63).to_be_bytes());
}

fn put_f32(value: f32, out: &mut Vec<u8>) {
    let bits = if value.is_nan() { 0x7fc0_0000 } else { (value + 0.0).to_bits() };
    let turned = if bits >> 31 == 1 { !bits } else { bits | 1 << 31 };
    out.extend_from_slice(&turned.to_be_bytes());
}

fn put_f64(value: f64, out: &mut Vec<u8>) {
    let bits = if value.is_nan() { 0x7ff8_0000_0000_0000 } else { (value + 0.0).to_bits() };
    let turned = if bits >> 63 == 1 { !bits } else { bits | 1 << 63 };
    out.extend_from_slice(&turned.to_be_bytes());
}

/// A month counts as thirty days and a day as 24 hours.
fn put_span(value: IntervalMonthDayNano, out: &mut Vec<u8>) {
    let days = i128::from(value.months) * 30 + i128::from(value.days);
    let span = days * 86_400_000_000 + i128::from(value.nanoseconds / 1_000);
    out.extend_from_slice(&(span.cast_unsigned() ^ 1 << 127).to_be_bytes());
}

/// A zero byte is followed by 255, and two of them end it.
fn put_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    out.reserve(bytes.len() + 2);
    let mut parts = bytes.split(|byte| *byte == 0);
    out.extend_from_slice(parts.next().unwrap_or_default());
    for part in parts {
        out.extend_from_slice(&[0, 255]);
        out.extend_from_slice(part);
    }
    out.extend_from_slice(&[0, 0]);
}

/// The bytes that a number of any length with this value has without its display scale (docs/formats/segment.md, O3).
fn put_decimal(unscaled: i128, scale: u8, out: &mut Vec<u8>) {
    if unscaled == 0 {
        return out.push(2);
    }
    let (magnitude, unit) = (unscaled.unsigned_abs(), 10_u128.pow(scale.into()));
    // 38 digits, and those of a scale of 38 aligned at the point: ten groups and one more.
    let mut groups = [0_u16; 20];
    let (mut whole, mut fraction, mut left) = (magnitude / unit, magnitude % unit, u32::from(scale));
    let mut first = 10;
    while whole > 0 {
        first -= 1;
        groups[first] = (whole % GROUP) as u16;
        whole /= GROUP;
    }
    let mut weight = 9 - first as i32;
    let mut end = 10;
    while fraction > 0 {
        let below = 10_u128.pow(left.saturating_sub(4));
        groups[end] = if left >= 4 { (fraction / below) as u16 } else { (fraction * 10_u128.pow(4 - left)) as u16 };
        fraction = if left >= 4 { fraction % below } else { 0 };
        left = left.saturating_sub(4);
        end += 1;
    }
    while groups[first] == 0 {
        (first, weight) = (first + 1, weight - 1);
    }
    while groups[end - 1] == 0 {
        end -= 1;
    }
    let turned = if unscaled < 0 { u16::MAX } else { 0 };
    out.push(if unscaled < 0 { 1 } else { 3 });
    out.extend_from_slice(&((weight + 0x8000) as u16 ^ turned).to_be_bytes());
    for group in &groups[first..end] {
        out.extend_from_slice(&((group + 1) ^ turned).to_be_bytes());
    }
    out.extend_from_slice(&turned.to_be_bytes());
}

/// Takes the bytes on to the least above all that begin with them; none where there are none above.
pub(crate) fn go_after(bytes: &mut Vec<u8>) {
    while bytes.pop_if(|byte| *byte == 255).is_some() {}
    if let Some(last) = bytes.last_mut() {
        *last += 1;
    }
}

#[cfg(test)]
mod tests;
