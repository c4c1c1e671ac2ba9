//! How far RANGE reaches from a value.
//!
//! D1: a distance is an integer, a `numeric`, a floating-point number or an interval, by what the order is of; it is not negative.
//! D2: beyond the infinities and NaN the answers are those of PostgreSQL's `in_range` functions.
//! Never: sees a frame.

use std::cmp::Ordering;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{
    DataType, Date32Type, Float32Type, Float64Type, IntervalMonthDayNanoType, Time64MicrosecondType, TimestampMicrosecondType,
};
use base::{SqlError, SqlResult, SqlState};

use crate::exact;
use crate::functions::intervals::shifted;
use crate::functions::numerics::columns::Column;
use crate::functions::types;
use crate::values::datetime::date_to_timestamp;
use crate::values::interval::{self, Interval};
use crate::values::manner::IntervalStyle;
use crate::values::numeric::Numeric;
use crate::values::zone::Zone;

#[derive(Clone, Debug)]
pub(super) enum Distance {
    Number(Numeric),
    Float(f64),
    Span(Interval),
}

fn invalid() -> SqlError {
    SqlError::new(SqlState("22013"), "invalid preceding or following size in window function")
}

/// Reads the distance for an order of this type. Errors: 0A000, 22013, those of the input syntax.
pub(super) fn read(text: &str, of: &DataType) -> SqlResult<Distance> {
    let is_number = text.trim_start_matches('-').starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && text.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | '-' | '+' | 'e' | 'E'));
    let is_whole = is_number && !text.contains(['.', 'e', 'E']);
    let unsupported = |offset: &str| {
        let message =
            format!("RANGE with offset PRECEDING/FOLLOWING is not supported for column type {} and offset type {offset}", types::name(of));
        SqlError::new(SqlState::FEATURE_NOT_SUPPORTED, message).hint("Cast the offset value to an appropriate type.")
    };
    match of {
        integer if integer.is_integer() => {
            if is_number && !is_whole {
                return Err(unsupported("numeric"));
            }
            not_negative(Numeric::parse(text)?)
        }
        DataType::Float32 | DataType::Float64 => {
            let value: f64 = text.trim().parse().map_err(|_| invalid())?;
            if value.is_nan() || value < 0.0 { Err(invalid()) } else { Ok(Distance::Float(value)) }
        }
        number if exact::is_numeric(number) => not_negative(Numeric::parse(text)?),
        DataType::Date32 | DataType::Timestamp(..) | DataType::Time64(_) | DataType::Interval(_) => {
            if is_number {
                return Err(unsupported(if is_whole { "integer" } else { "numeric" }));
            }
            let span = interval::parse(text, IntervalStyle::Postgres)?;
            if span.span() < 0 { Err(invalid()) } else { Ok(Distance::Span(span)) }
        }
        other => {
            let message = format!("RANGE with offset PRECEDING/FOLLOWING is not supported for column type {}", types::name(other));
            Err(SqlError::new(SqlState::FEATURE_NOT_SUPPORTED, message))
        }
    }
}

fn not_negative(value: Numeric) -> SqlResult<Distance> {
    if value.is_nan() || value.signum() < 0 { Err(invalid()) } else { Ok(Distance::Number(value)) }
}

/// The values that a window is ordered by.
pub(super) struct Values<'a> {
    array: &'a ArrayRef,
    zone: Option<Zone>,
}

/// Which side of a value is asked for.
#[derive(Clone, Copy)]
pub(super) struct Side {
    /// Less by the distance, not more.
    pub(super) below: bool,
    /// At most that, not at least.
    pub(super) at_most: bool,
}

impl<'a> Values<'a> {
    pub(super) fn new(array: &'a ArrayRef, zone: Zone) -> Self {
        let zone = matches!(array.data_type(), DataType::Timestamp(_, Some(_))).then_some(zone);
        Self { array, zone }
    }

    pub(super) fn is_null(&self, row: usize) -> bool {
        Column::of(self.array).map_or_else(|_| self.array.is_null(row), |column| column.is_null(row))
    }

    /// Whether the value of `row` is within the distance from that of `base`; neither is NULL (D2).
    pub(super) fn is_within(&self, row: usize, base: usize, distance: &Distance, side: Side) -> SqlResult<bool> {
        let reaches = |order: Ordering| if side.at_most { order.is_le() } else { order.is_ge() };
        match (self.array.data_type(), distance) {
            (DataType::Float32, Distance::Float(by)) => {
                let values = self.array.as_primitive::<Float32Type>();
                Ok(floats(values.value(row).into(), values.value(base).into(), *by, side))
            }
            (DataType::Float64, Distance::Float(by)) => {
                let values = self.array.as_primitive::<Float64Type>();
                Ok(floats(values.value(row), values.value(base), *by, side))
            }
            (_, Distance::Number(by)) => {
                let values = Column::of(self.array)?;
                numbers(&values.get(row)?, &values.get(base)?, by, side)
            }
            (DataType::Interval(_), Distance::Span(by)) => {
                let value = |row: usize| Interval::from_arrow(self.array.as_primitive::<IntervalMonthDayNanoType>().value(row));
                let end = value(base).plus(if side.below { by.negate()? } else { *by })?;
                Ok(reaches(value(row).span().cmp(&end.span())))
            }
            (DataType::Time64(_), Distance::Span(by)) => {
                let values = self.array.as_primitive::<Time64MicrosecondType>();
                let by = if side.below { by.micros.saturating_neg() } else { by.micros };
                Ok(reaches(values.value(row).cmp(&values.value(base).saturating_add(by))))
            }
            (_, Distance::Span(by)) => {
                let by = if side.below { by.negate()? } else { *by };
                let out_of_range = || SqlError::new(SqlState::DATETIME_FIELD_OVERFLOW, "timestamp out of range");
                let end = shifted(self.moment(base)?, by, self.zone).ok_or_else(out_of_range)?;
                Ok(reaches(self.moment(row)?.cmp(&end)))
            }
            (other, _) => Err(SqlError::internal(format!("D1: a distance of another type than {other}"))),
        }
    }

    fn moment(&self, row: usize) -> SqlResult<i64> {
        match self.array.data_type() {
            DataType::Date32 => date_to_timestamp(self.array.as_primitive::<Date32Type>().value(row)),
            _ => Ok(self.array.as_primitive::<TimestampMicrosecondType>().value(row)),
        }
    }
}

/// `in_range_float8_float8`
fn floats(value: f64, base: f64, by: f64, side: Side) -> bool {
    if value.is_nan() || base.is_nan() {
        return if value.is_nan() { base.is_nan() || !side.at_most } else { side.at_most };
    }
    if by.is_infinite() && base.is_infinite() && (base > 0.0) == side.below {
        return true;
    }
    let end = if side.below { base - by } else { base + by };
    if side.at_most { value <= end } else { value >= end }
}

/// `in_range_numeric_numeric`
fn numbers(value: &Numeric, base: &Numeric, by: &Numeric, side: Side) -> SqlResult<bool> {
    if value.is_nan() || base.is_nan() {
        return Ok(if value.is_nan() { base.is_nan() || !side.at_most } else { side.at_most });
    }
    let against = if side.below { Numeric::Infinity } else { Numeric::NegativeInfinity };
    if *by == Numeric::Infinity && *base == against {
        return Ok(true);
    }
    let end = if side.below { base.subtract(by)? } else { base.add(by)? };
    let order = value.compare(&end);
    Ok(if side.at_most { order.is_le() } else { order.is_ge() })
}
