//! Casts from and to date, timestamp and timestamptz, in a session's zone and style.
//!
//! F40: a value with a zone is an instant; its day, clock and text are those of the session's zone.
//! F41: infinity stays infinity.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Date32Array, PrimitiveArray, StringArray, StringBuilder, TimestampMicrosecondArray};
use arrow::datatypes::{ArrowPrimitiveType, DataType, Date32Type, TimestampMicrosecondType};
use base::{SqlError, SqlResult};

use crate::layouts::TIME;
use crate::values::datetime::{self, DATE_INFINITY, DATE_MINUS_INFINITY, DAY_MICROS, INFINITY, MINUS_INFINITY};
use crate::values::manner::Manner;

/// Whether a type is one of this family's.
pub(super) fn concerns(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Date32 | DataType::Timestamp(..))
}

/// Texts in the input syntax of the type. Errors: 22007, 22008, 22009, 22023.
pub(super) fn from_text(texts: &StringArray, to: &DataType, manner: &Manner) -> SqlResult<ArrayRef> {
    let moments = |read: fn(&str, &Manner) -> SqlResult<i64>| -> SqlResult<ArrayRef> {
        let values: TimestampMicrosecondArray =
            texts.iter().map(|text| text.map(|text| read(text, manner)).transpose()).collect::<SqlResult<_>>()?;
        Ok(Arc::new(values.with_data_type(to.clone())))
    };
    match to {
        DataType::Timestamp(_, Some(_)) => moments(datetime::parse_timestamptz),
        DataType::Timestamp(_, None) => moments(datetime::parse_timestamp),
        _ => {
            let days: Date32Array =
                texts.iter().map(|text| text.map(|text| datetime::parse_date(text, manner)).transpose()).collect::<SqlResult<_>>()?;
            Ok(Arc::new(days))
        }
    }
}

/// Values of this family as text.
pub(super) fn to_text(array: &ArrayRef, manner: &Manner) -> SqlResult<ArrayRef> {
    let mut texts = StringBuilder::with_capacity(array.len(), array.len() * 24);
    let mut bytes = Vec::new();
    for row in 0..array.len() {
        if array.is_null(row) {
            texts.append_null();
            continue;
        }
        bytes.clear();
        match array.data_type() {
            DataType::Date32 => datetime::write_date(array.as_primitive::<Date32Type>().value(row), manner, &mut bytes),
            DataType::Timestamp(_, zone) => {
                let micros = array.as_primitive::<TimestampMicrosecondType>().value(row);
                let write = if zone.is_some() { datetime::write_timestamptz } else { datetime::write_timestamp };
                write(micros, manner, &mut bytes);
            }
            other => return Err(SqlError::internal(format!("F40: {other} is no moment"))),
        }
        texts.append_value(str::from_utf8(&bytes).map_err(|_| SqlError::internal("V1: a value's text is not UTF-8"))?);
    }
    Ok(Arc::new(texts.finish()))
}

/// A cast within the family, or to `time`; `None` if there is none such.
pub(super) fn between(array: &ArrayRef, to: &DataType, manner: &Manner) -> Option<SqlResult<ArrayRef>> {
    let zone = manner.zone;
    Some(match (array.data_type(), to) {
        (DataType::Date32, DataType::Timestamp(_, None)) => {
            map::<Date32Type, TimestampMicrosecondType>(array, to, datetime::date_to_timestamp)
        }
        (DataType::Date32, DataType::Timestamp(_, Some(_))) => map::<Date32Type, TimestampMicrosecondType>(array, to, |days| {
            let midnight = datetime::date_to_timestamp(days)?;
            Ok(if is_infinite(midnight) { midnight } else { zone.instant_of(midnight) })
        }),
        (DataType::Timestamp(_, from), DataType::Timestamp(_, wanted)) => {
            let is_instant = (from.is_some(), wanted.is_some());
            map::<TimestampMicrosecondType, TimestampMicrosecondType>(array, to, |micros| {
                Ok(match is_instant {
                    _ if is_infinite(micros) => micros,
                    (true, false) => zone.clock_at(micros),
                    (false, true) => zone.instant_of(micros),
                    _ => micros,
                })
            })
        }
        (DataType::Timestamp(_, from), DataType::Date32) => {
            let is_instant = from.is_some();
            map::<TimestampMicrosecondType, Date32Type>(array, to, |micros| {
                Ok(match micros {
                    INFINITY => DATE_INFINITY,
                    MINUS_INFINITY => DATE_MINUS_INFINITY,
                    micros if is_instant => datetime::timestamp_to_date(zone.clock_at(micros)),
                    micros => datetime::timestamp_to_date(micros),
                })
            })
        }
        (DataType::Timestamp(_, from), to) if *to == TIME => {
            let is_instant = from.is_some();
            map::<TimestampMicrosecondType, arrow::datatypes::Time64MicrosecondType>(array, to, |micros| {
                Ok(if is_instant { zone.clock_at(micros) } else { micros }.rem_euclid(DAY_MICROS))
            })
        }
        _ => return None,
    })
}

fn is_infinite(micros: i64) -> bool {
    matches!(micros, INFINITY | MINUS_INFINITY)
}

fn map<F: ArrowPrimitiveType, T: ArrowPrimitiveType>(
    array: &ArrayRef,
    to: &DataType,
    each: impl Fn(F::Native) -> SqlResult<T::Native>,
) -> SqlResult<ArrayRef> {
    let mapped: PrimitiveArray<T> = array.as_primitive::<F>().try_unary(each)?;
    Ok(Arc::new(mapped.with_data_type(to.clone())))
}
