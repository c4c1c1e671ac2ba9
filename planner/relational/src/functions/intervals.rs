//! Arithmetic of dates, times, timestamps and intervals, months, days and µs kept apart as Postgres does.
//!
//! T1: an interval is added to a moment field by field: months (to the last day of a shorter month), then days, then µs; months and days of
//!     an instant are those of the session's zone.
//! T2: infinite dates and timestamps stay what they are.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Date32Array, Int32Array, IntervalMonthDayNanoArray, Time64MicrosecondArray, TimestampMicrosecondArray,
};
use arrow::compute::cast;
use arrow::datatypes::{
    DataType, Date32Type, Float64Type, Int32Type, IntervalMonthDayNanoType, Time64MicrosecondType, TimeUnit, TimestampMicrosecondType,
};
use base::{SqlError, SqlResult, SqlState};
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use super::calendar::{civil, days_of};
use super::conversions::{convert, justified};
use super::native::{no_match, strict, strict_in_manner};
use crate::layouts::{INTERVAL, TIME};
use crate::values::interval::{Interval, out_of_range, parse_in_units};
use crate::values::manner::Manner;
use crate::values::time::DAY_MICROS;
use crate::values::zone::Zone;

/// Operator, operand types as [`kind`] names them, the function behind it, and its answer.
const OPERATORS: [(&str, &str, &str, &str); 25] = [
    ("+", "timestamp", "interval", "timestamp_pl_interval"),
    ("+", "interval", "timestamp", "interval_pl_timestamp"),
    ("-", "timestamp", "interval", "timestamp_mi_interval"),
    ("-", "timestamp", "timestamp", "timestamp_mi"),
    ("-", "timestamp", "date", "timestamp_mi"),
    ("-", "date", "timestamp", "timestamp_mi"),
    ("+", "date", "interval", "timestamp_pl_interval"),
    ("+", "interval", "date", "interval_pl_timestamp"),
    ("-", "date", "interval", "timestamp_mi_interval"),
    ("+", "date", "integer", "date_pli"),
    ("+", "integer", "date", "integer_pl_date"),
    ("-", "date", "integer", "date_mii"),
    ("-", "date", "date", "date_mi"),
    ("+", "date", "time", "datetime_pl"),
    ("+", "time", "date", "timedate_pl"),
    ("+", "time", "interval", "time_pl_interval"),
    ("+", "interval", "time", "interval_pl_time"),
    ("-", "time", "interval", "time_mi_interval"),
    ("-", "time", "time", "time_mi_time"),
    ("+", "interval", "interval", "interval_pl"),
    ("-", "interval", "interval", "interval_mi"),
    ("*", "interval", "number", "interval_mul"),
    ("*", "number", "interval", "mul_d_interval"),
    ("/", "interval", "number", "interval_div"),
    ("*", "interval", "integer", "interval_mul"),
];

fn kind(data_type: &DataType) -> &'static str {
    match data_type {
        DataType::Timestamp(..) => "timestamp",
        DataType::Date32 | DataType::Date64 => "date",
        DataType::Time32(_) | DataType::Time64(_) => "time",
        DataType::Interval(_) | DataType::Duration(_) => "interval",
        DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::Int64 => "integer",
        other if other.is_numeric() => "number",
        _ => "",
    }
}

/// Whether an operator on a value of this type may be one of this family's.
pub(crate) fn concerns(data_type: &DataType) -> bool {
    matches!(kind(data_type), "timestamp" | "date" | "time" | "interval")
}

/// The function behind an operator on these types.
pub(crate) fn operator(op: &str, left: &DataType, right: &DataType) -> Option<&'static str> {
    let find = |left: &str, right: &str| {
        OPERATORS.iter().find(|(known, a, b, _)| *known == op && *a == left && *b == right).map(|(_, _, _, function)| *function)
    };
    let number = |kind: &'static str| if kind == "integer" { "number" } else { kind };
    let (left, right) = (kind(left), kind(right));
    find(left, right).or_else(|| find(number(left), number(right)))
}

/// The type a literal without one has beside a value of this type.
pub(crate) fn beside(op: &str, known: &DataType) -> Option<DataType> {
    match (op, kind(known)) {
        ("-", "timestamp" | "date") => Some(known.clone()),
        ("+", "timestamp" | "time") => Some(INTERVAL),
        ("+" | "-", "interval") => Some(INTERVAL),
        ("-", "time") => Some(TIME),
        ("*" | "/", "interval") => Some(DataType::Float64),
        _ => None,
    }
}

pub(crate) fn functions() -> Vec<ScalarUDF> {
    let moment =
        |types: &[DataType]| types.iter().find(|data_type| matches!(data_type, DataType::Timestamp(..))).cloned().unwrap_or(TIMESTAMP);
    let interval = |_: &[DataType]| INTERVAL;
    let date = |_: &[DataType]| DataType::Date32;
    let time = |_: &[DataType]| TIME;
    vec![
        strict_in_manner("interval_in_units", two_texts, interval, |args, rows, _, manner| in_units(args, rows, manner)),
        strict_in_manner("timestamp_pl_interval", moment_interval, moment, |args, rows, returns, manner| {
            shift(&args[0], &args[1], rows, returns, manner.zone, 1)
        }),
        strict_in_manner("interval_pl_timestamp", interval_moment, moment, |args, rows, returns, manner| {
            shift(&args[1], &args[0], rows, returns, manner.zone, 1)
        }),
        strict_in_manner("timestamp_mi_interval", moment_interval, moment, |args, rows, returns, manner| {
            shift(&args[0], &args[1], rows, returns, manner.zone, -1)
        }),
        strict("timestamp_mi", two_moments, interval, |args, rows, _| difference(args, rows)),
        strict("date_pli", date_integer, date, |args, rows, _| days(&args[0], &args[1], rows, 1)),
        strict("integer_pl_date", integer_date, date, |args, rows, _| days(&args[1], &args[0], rows, 1)),
        strict("date_mii", date_integer, date, |args, rows, _| days(&args[0], &args[1], rows, -1)),
        strict("date_mi", two_dates, |_| DataType::Int32, |args, rows, _| days_between(args, rows)),
        strict("datetime_pl", date_time, |_| TIMESTAMP, |args, rows, _| at(&args[0], &args[1], rows)),
        strict("timedate_pl", time_date, |_| TIMESTAMP, |args, rows, _| at(&args[1], &args[0], rows)),
        strict("time_pl_interval", time_interval, time, |args, rows, _| turn(&args[0], &args[1], rows, 1)),
        strict("interval_pl_time", interval_time, time, |args, rows, _| turn(&args[1], &args[0], rows, 1)),
        strict("time_mi_interval", time_interval, time, |args, rows, _| turn(&args[0], &args[1], rows, -1)),
        strict("time_mi_time", two_times, interval, |args, rows, _| time_difference(args, rows)),
        strict("interval_pl", two_intervals, interval, |args, rows, _| sums(args, rows, Interval::plus)),
        strict("interval_mi", two_intervals, interval, |args, rows, _| sums(args, rows, |a, b| a.plus(b.negate()?))),
        strict("interval_mul", interval_number, interval, |args, rows, _| scale(&args[0], &args[1], rows, Interval::times)),
        strict("mul_d_interval", number_interval, interval, |args, rows, _| scale(&args[1], &args[0], rows, Interval::times)),
        strict("interval_div", interval_number, interval, |args, rows, _| scale(&args[0], &args[1], rows, Interval::over)),
        strict("interval_um", one_interval, interval, |args, rows, _| negated(args, rows)),
        strict("justify_hours", one_interval, interval, |args, rows, _| each(args, rows, justify_hours)),
        strict("justify_days", one_interval, interval, |args, rows, _| each(args, rows, justify_days)),
        strict("justify_interval", one_interval, interval, |args, rows, _| each(args, rows, justify_interval)),
    ]
}

const TIMESTAMP: DataType = DataType::Timestamp(TimeUnit::Microsecond, None);

/// A timestamp keeps its zone; a date becomes a timestamp.
fn as_moment(data_type: &DataType) -> Result<DataType> {
    match data_type {
        DataType::Timestamp(_, zone) => Ok(DataType::Timestamp(TimeUnit::Microsecond, zone.as_ref().map(|_| "UTC".into()))),
        DataType::Date32 | DataType::Date64 => Ok(TIMESTAMP),
        _ => no_match(),
    }
}

macro_rules! takes {
    ($name:ident: $first:expr, $second:expr) => {
        fn $name(types: &[DataType]) -> Result<Vec<DataType>> {
            if types.len() == 2 { Ok(vec![$first, $second]) } else { no_match() }
        }
    };
}

fn moment_interval(types: &[DataType]) -> Result<Vec<DataType>> {
    match types {
        [moment, _] => Ok(vec![as_moment(moment)?, INTERVAL]),
        _ => no_match(),
    }
}

fn interval_moment(types: &[DataType]) -> Result<Vec<DataType>> {
    match types {
        [_, moment] => Ok(vec![INTERVAL, as_moment(moment)?]),
        _ => no_match(),
    }
}

/// Both instants if one is.
fn two_moments(types: &[DataType]) -> Result<Vec<DataType>> {
    let moments = types.iter().map(as_moment).collect::<Result<Vec<_>>>()?;
    let instant = moments.iter().find(|data_type| **data_type != TIMESTAMP).cloned();
    Ok(vec![instant.unwrap_or(TIMESTAMP); moments.len()])
}

takes!(date_integer: DataType::Date32, DataType::Int32);
takes!(integer_date: DataType::Int32, DataType::Date32);
takes!(two_dates: DataType::Date32, DataType::Date32);
takes!(date_time: DataType::Date32, TIME);
takes!(time_date: TIME, DataType::Date32);
takes!(time_interval: TIME, INTERVAL);
takes!(interval_time: INTERVAL, TIME);
takes!(two_times: TIME, TIME);
takes!(two_intervals: INTERVAL, INTERVAL);
takes!(interval_number: INTERVAL, DataType::Float64);
takes!(number_interval: DataType::Float64, INTERVAL);

fn one_interval(types: &[DataType]) -> Result<Vec<DataType>> {
    if types.len() == 1 { Ok(vec![INTERVAL]) } else { no_match() }
}

fn interval_at(array: &ArrayRef, row: usize) -> Interval {
    Interval::from_arrow(array.as_primitive::<IntervalMonthDayNanoType>().value(row))
}

fn known(args: &[&ArrayRef], row: usize) -> bool {
    args.iter().all(|arg| arg.is_valid(row))
}

pub(crate) fn timestamp_out_of_range() -> SqlError {
    SqlError::new(SqlState::DATETIME_FIELD_OVERFLOW, "timestamp out of range")
}

/// T1, T2.
fn shift(moments: &ArrayRef, intervals: &ArrayRef, rows: usize, returns: &DataType, zone: Zone, sign: i64) -> SqlResult<ArrayRef> {
    let zone = Some(zone).filter(|_| matches!(returns, DataType::Timestamp(_, Some(_))));
    let values = moments.as_primitive::<TimestampMicrosecondType>();
    let shifted = |row: usize| {
        if !known(&[moments, intervals], row) {
            return Ok(None);
        }
        let by = interval_at(intervals, row);
        let by = if sign < 0 { by.negate()? } else { by };
        shifted(values.value(row), by, zone).map(Some).ok_or_else(timestamp_out_of_range)
    };
    let answer: TimestampMicrosecondArray = (0..rows).map(shifted).collect::<SqlResult<_>>()?;
    Ok(Arc::new(answer.with_data_type(returns.clone())))
}

fn two_texts(types: &[DataType]) -> Result<Vec<DataType>> {
    if types.len() == 2 { Ok(vec![DataType::Utf8; 2]) } else { no_match() }
}

/// `INTERVAL '-1 2' DAY TO HOUR`
fn in_units(args: &[ArrayRef], rows: usize, manner: &Manner) -> SqlResult<ArrayRef> {
    let (texts, units) = (args[0].as_string::<i32>(), args[1].as_string::<i32>());
    let read = |row: usize| match texts.is_null(row) || units.is_null(row) {
        true => Ok(None),
        false => parse_in_units(texts.value(row), Some(units.value(row)), manner.intervals)?.to_arrow().map(Some),
    };
    Ok(Arc::new((0..rows).map(read).collect::<SqlResult<IntervalMonthDayNanoArray>>()?))
}

pub(crate) fn shifted(micros: i64, by: Interval, zone: Option<Zone>) -> Option<i64> {
    if micros == i64::MAX || micros == i64::MIN {
        return Some(micros);
    }
    let zone = zone.filter(|_| by.months != 0 || by.days != 0);
    let clock = zone.map_or(micros, |zone| zone.clock_at(micros));
    let mut day = clock.div_euclid(DAY_MICROS);
    let of_day = clock.rem_euclid(DAY_MICROS);
    if by.months != 0 {
        let (year, month, date) = civil(day);
        let months = year * 12 + month - 1 + i64::from(by.months);
        let (year, month) = (months.div_euclid(12), months.rem_euclid(12) + 1);
        let last = days_of(if month == 12 { year + 1 } else { year }, month % 12 + 1, 1) - days_of(year, month, 1);
        day = days_of(year, month, date.min(last));
    }
    let day = day.checked_add(by.days.into())?;
    let clock = day.checked_mul(DAY_MICROS)?.checked_add(of_day)?;
    let moment = zone.map_or(clock, |zone| zone.instant_of(clock)).checked_add(by.micros)?;
    (-210_866_803_200_000_000..i64::MAX).contains(&moment).then_some(moment)
}

fn collect(rows: usize, each: impl Fn(usize) -> SqlResult<Option<Interval>>) -> SqlResult<ArrayRef> {
    let value = |row| each(row)?.map(Interval::to_arrow).transpose();
    Ok(Arc::new((0..rows).map(value).collect::<SqlResult<IntervalMonthDayNanoArray>>()?))
}

fn difference(args: &[ArrayRef], rows: usize) -> SqlResult<ArrayRef> {
    let (left, right) = (args[0].as_primitive::<TimestampMicrosecondType>(), args[1].as_primitive::<TimestampMicrosecondType>());
    collect(rows, |row| {
        if !known(&[&args[0], &args[1]], row) {
            return Ok(None);
        }
        let (left, right) = (left.value(row), right.value(row));
        if [left, right].iter().any(|micros| *micros == i64::MAX || *micros == i64::MIN) {
            return Err(SqlError::new(SqlState::DATETIME_FIELD_OVERFLOW, "cannot subtract infinite timestamps"));
        }
        left.checked_sub(right).map(justified).map(Some).ok_or_else(out_of_range)
    })
}

fn days(dates: &ArrayRef, counts: &ArrayRef, rows: usize, sign: i64) -> SqlResult<ArrayRef> {
    let (values, numbers) = (dates.as_primitive::<Date32Type>(), counts.as_primitive::<Int32Type>());
    let moved = |row: usize| {
        if !known(&[dates, counts], row) {
            return Ok(None);
        }
        let date = values.value(row);
        if date == i32::MAX || date == i32::MIN {
            return Ok(Some(date));
        }
        let day = i64::from(date) + sign * i64::from(numbers.value(row));
        let fits = (-2_440_588..=2_145_042_905).contains(&day);
        if fits { Ok(Some(day as i32)) } else { Err(SqlError::new(SqlState::DATETIME_FIELD_OVERFLOW, "date out of range")) }
    };
    Ok(Arc::new((0..rows).map(moved).collect::<SqlResult<Date32Array>>()?))
}

fn days_between(args: &[ArrayRef], rows: usize) -> SqlResult<ArrayRef> {
    let (left, right) = (args[0].as_primitive::<Date32Type>(), args[1].as_primitive::<Date32Type>());
    let between = |row: usize| {
        if !known(&[&args[0], &args[1]], row) {
            return Ok(None);
        }
        let (left, right) = (left.value(row), right.value(row));
        if [left, right].iter().any(|day| *day == i32::MAX || *day == i32::MIN) {
            return Err(SqlError::new(SqlState::DATETIME_FIELD_OVERFLOW, "cannot subtract infinite dates"));
        }
        Ok(Some(left.wrapping_sub(right)))
    };
    Ok(Arc::new((0..rows).map(between).collect::<SqlResult<Int32Array>>()?))
}

fn at(dates: &ArrayRef, times: &ArrayRef, rows: usize) -> SqlResult<ArrayRef> {
    let midnights = cast(dates, &TIMESTAMP).map_err(|error| SqlError::internal(error.to_string()))?;
    let (midnights, clocks) = (midnights.as_primitive::<TimestampMicrosecondType>(), times.as_primitive::<Time64MicrosecondType>());
    let moment = |row: usize| known(&[dates, times], row).then(|| midnights.value(row).checked_add(clocks.value(row)));
    let moments: Option<Vec<Option<i64>>> = (0..rows).map(|row| moment(row).map_or(Some(None), |sum| sum.map(Some))).collect();
    Ok(Arc::new(TimestampMicrosecondArray::from(moments.ok_or_else(timestamp_out_of_range)?)))
}

fn turn(times: &ArrayRef, intervals: &ArrayRef, rows: usize, sign: i64) -> SqlResult<ArrayRef> {
    let values = times.as_primitive::<Time64MicrosecondType>();
    let turned = |row: usize| {
        let by = |row| interval_at(intervals, row).micros % DAY_MICROS;
        known(&[times, intervals], row).then(|| (values.value(row) + sign * by(row)).rem_euclid(DAY_MICROS))
    };
    Ok(Arc::new((0..rows).map(turned).collect::<Time64MicrosecondArray>()))
}

fn time_difference(args: &[ArrayRef], rows: usize) -> SqlResult<ArrayRef> {
    let (left, right) = (args[0].as_primitive::<Time64MicrosecondType>(), args[1].as_primitive::<Time64MicrosecondType>());
    collect(rows, |row| {
        let is_known = known(&[&args[0], &args[1]], row);
        Ok(is_known.then(|| Interval { micros: left.value(row) - right.value(row), ..Interval::default() }))
    })
}

fn sums(args: &[ArrayRef], rows: usize, sum: impl Fn(Interval, Interval) -> SqlResult<Interval>) -> SqlResult<ArrayRef> {
    collect(rows, |row| {
        if !known(&[&args[0], &args[1]], row) {
            return Ok(None);
        }
        sum(interval_at(&args[0], row), interval_at(&args[1], row)).map(Some)
    })
}

fn scale(intervals: &ArrayRef, numbers: &ArrayRef, rows: usize, by: impl Fn(Interval, f64) -> SqlResult<Interval>) -> SqlResult<ArrayRef> {
    let factors = convert(numbers, &DataType::Float64)?;
    let factors = factors.as_primitive::<Float64Type>();
    collect(rows, |row| {
        if !known(&[intervals, numbers], row) {
            return Ok(None);
        }
        by(interval_at(intervals, row), factors.value(row)).map(Some)
    })
}

fn negated(args: &[ArrayRef], rows: usize) -> SqlResult<ArrayRef> {
    each(args, rows, Interval::negate)
}

fn each(args: &[ArrayRef], rows: usize, answer: impl Fn(Interval) -> SqlResult<Interval>) -> SqlResult<ArrayRef> {
    collect(rows, |row| if args[0].is_valid(row) { answer(interval_at(&args[0], row)).map(Some) } else { Ok(None) })
}

/// 24 hours are a day.
fn justify_hours(value: Interval) -> SqlResult<Interval> {
    let more = i32::try_from(value.micros / DAY_MICROS).map_err(|_| out_of_range())?;
    let mut days = value.days.checked_add(more).ok_or_else(out_of_range)?;
    let mut micros = value.micros % DAY_MICROS;
    if days > 0 && micros < 0 {
        (days, micros) = (days - 1, micros + DAY_MICROS);
    } else if days < 0 && micros > 0 {
        (days, micros) = (days + 1, micros - DAY_MICROS);
    }
    Ok(Interval { days, micros, ..value })
}

/// Thirty days are a month.
fn justify_days(value: Interval) -> SqlResult<Interval> {
    let mut months = value.months.checked_add(value.days / 30).ok_or_else(out_of_range)?;
    let mut days = value.days % 30;
    if months > 0 && days < 0 {
        (months, days) = (months - 1, days + 30);
    } else if months < 0 && days > 0 {
        (months, days) = (months + 1, days - 30);
    }
    Ok(Interval { months, days, ..value })
}

/// Both, with one sign for all fields.
fn justify_interval(value: Interval) -> SqlResult<Interval> {
    let more = i32::try_from(value.micros / DAY_MICROS).map_err(|_| out_of_range())?;
    let mut micros = value.micros % DAY_MICROS;
    let days = value.days.checked_add(more).ok_or_else(out_of_range)?;
    let mut months = value.months.checked_add(days / 30).ok_or_else(out_of_range)?;
    let mut days = days % 30;
    if months > 0 && (days < 0 || (days == 0 && micros < 0)) {
        (months, days) = (months - 1, days + 30);
    } else if months < 0 && (days > 0 || (days == 0 && micros > 0)) {
        (months, days) = (months + 1, days - 30);
    }
    if days > 0 && micros < 0 {
        (days, micros) = (days - 1, micros + DAY_MICROS);
    } else if days < 0 && micros > 0 {
        (days, micros) = (days + 1, micros - DAY_MICROS);
    }
    Ok(Interval { months, days, micros })
}
