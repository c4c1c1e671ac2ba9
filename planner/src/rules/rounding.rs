//! Columns of times that keep fewer digits after the second than six.
//!
//! D1: a value is rounded as Postgres rounds it: half away from zero, of an interval the part below a day.
//! Never: rounds a date, or what is stored.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, PrimitiveArray};
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, IntervalMonthDayNano, IntervalMonthDayNanoType, IntervalUnit, Time64MicrosecondType, TimeUnit,
    TimestampMicrosecondType,
};
use base::{SqlError, SqlResult};

/// The values with so many digits after the second; as they are where nothing is said. Errors: XX000 for a layout without seconds.
pub(crate) fn rounded(values: &ArrayRef, digits: Option<u8>) -> SqlResult<ArrayRef> {
    let Some(digits) = digits.filter(|digits| *digits < 6) else { return Ok(Arc::clone(values)) };
    let unit_us = 10_i64.pow(6 - u32::from(digits));
    Ok(match values.data_type() {
        DataType::Timestamp(TimeUnit::Microsecond, _) => micros::<TimestampMicrosecondType>(values, unit_us),
        DataType::Time64(TimeUnit::Microsecond) => micros::<Time64MicrosecondType>(values, unit_us),
        DataType::Interval(IntervalUnit::MonthDayNano) => {
            let round =
                |value: IntervalMonthDayNano| IntervalMonthDayNano { nanoseconds: to_unit(value.nanoseconds, unit_us * 1_000), ..value };
            Arc::new(values.as_primitive::<IntervalMonthDayNanoType>().unary::<_, IntervalMonthDayNanoType>(round))
        }
        DataType::Null => Arc::clone(values),
        other => return Err(SqlError::internal(format!("D1: {other} has no seconds"))),
    })
}

fn micros<T: ArrowPrimitiveType<Native = i64>>(values: &ArrayRef, unit_us: i64) -> ArrayRef {
    let rounded: PrimitiveArray<T> = values.as_primitive::<T>().unary(|value| to_unit(value, unit_us));
    Arc::new(rounded.with_data_type(values.data_type().clone()))
}

/// The extreme values have nothing above them to be rounded to.
fn to_unit(value: i64, unit: i64) -> i64 {
    let half = if value < 0 { -(unit / 2) } else { unit / 2 };
    value.checked_add(half).map_or(value, |value| value / unit * unit)
}

#[cfg(test)]
mod tests {
    use super::to_unit;

    #[test]
    fn halves_go_away_from_zero() {
        let cases =
            [(1_499, 1_000), (1_500, 2_000), (-1_499, -1_000), (-1_500, -2_000), (0, 0), (i64::MAX, i64::MAX), (i64::MIN, i64::MIN)];
        for (value, expected) in cases {
            assert_eq!(to_unit(value, 1_000), expected, "{value}");
        }
    }
}
