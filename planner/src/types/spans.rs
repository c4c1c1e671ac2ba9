//! `time` and `interval` in their binary formats; their texts are `relational::values`'.
//!
//! Never: makes a month of days or a day of hours.

use arrow::datatypes::IntervalMonthDayNano;
use base::{SqlError, SqlResult, SqlState};
use relational::values::interval::{self, Interval};
use relational::values::manner::IntervalStyle;
use relational::values::time::DAY_MICROS;

/// Appends an interval's text.
pub(super) fn write(value: IntervalMonthDayNano, style: IntervalStyle, out: &mut Vec<u8>) {
    interval::write_in(Interval::from_arrow(value), style, out);
}

/// Appends µs, days, months.
pub(super) fn write_binary(value: IntervalMonthDayNano, out: &mut Vec<u8>) {
    let value = Interval::from_arrow(value);
    out.extend_from_slice(&value.micros.to_be_bytes());
    out.extend_from_slice(&value.days.to_be_bytes());
    out.extend_from_slice(&value.months.to_be_bytes());
}

/// Reads an interval's text; 22007, 22015, 22008.
pub(super) fn parse(text: &str, style: IntervalStyle) -> SqlResult<IntervalMonthDayNano> {
    interval::parse(text, style)?.to_arrow()
}

/// Reads an interval's sixteen bytes; 22008.
pub(super) fn read_binary(bytes: [u8; 16]) -> SqlResult<IntervalMonthDayNano> {
    let number = u128::from_be_bytes(bytes);
    Interval { micros: (number >> 64) as i64, days: (number >> 32) as i32, months: number as i32 }.to_arrow()
}

/// Reads a time's eight bytes; 22008.
pub(super) fn time_from_wire(micros: i64) -> SqlResult<i64> {
    if (0..=DAY_MICROS).contains(&micros) {
        return Ok(micros);
    }
    Err(SqlError::new(SqlState::DATETIME_FIELD_OVERFLOW, "time out of range"))
}
