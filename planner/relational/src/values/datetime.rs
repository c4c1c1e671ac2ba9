//! `date`, `timestamp`, `timestamptz`: days and microseconds since 1970-01-01, and their text in a session's manner.
//!
//! C1: dates lie in [4714-11-24 BC, 5874897-12-31], timestamps in [4714-11-24 BC, 294247-01-10 04:00:54.775807); the extreme integers are ±infinity.
//! The upper bound of timestamps is 30 years short of Postgres's: its epoch is 2000, Arrow's is 1970.
//! Never: reads a clock.

mod calendar;
mod clock;
mod fields;
mod parse;
mod tokens;
mod write;

pub(crate) use clock::{ClockWord, clock_word};
pub use clock::{names_clock, without_clock};
pub use parse::{parse_date, parse_timestamp, parse_timestamptz};
pub use write::{write_date, write_timestamp, write_timestamptz};

use base::{SqlError, SqlResult, SqlState};

pub(crate) const DAY_MICROS: i64 = 86_400_000_000;

/// Days from 1970-01-01 to 2000-01-01, where Postgres's binary formats count from.
const POSTGRES_EPOCH_DAYS: i32 = 10_957;

const DATE_MIN: i32 = -2_440_588;
const DATE_MAX: i32 = 2_145_042_905;
pub(crate) const TIMESTAMP_MIN: i64 = DATE_MIN as i64 * DAY_MICROS;
pub(crate) const DATE_INFINITY: i32 = i32::MAX;
pub(crate) const DATE_MINUS_INFINITY: i32 = i32::MIN;
pub(crate) const INFINITY: i64 = i64::MAX;
pub(crate) const MINUS_INFINITY: i64 = i64::MIN;

const _: () = assert!(calendar::days(-4713, 11, 24) == DATE_MIN as i64);
const _: () = assert!(calendar::days(5_874_897, 12, 31) == DATE_MAX as i64);
const _: () = assert!(calendar::days(2000, 1, 1) == POSTGRES_EPOCH_DAYS as i64);

fn overflow(message: String) -> SqlError {
    SqlError::new(SqlState::DATETIME_FIELD_OVERFLOW, message)
}

/// The binary form of a date: days since 2000-01-01.
pub fn date_to_wire(days: i32) -> i32 {
    match days {
        DATE_INFINITY | DATE_MINUS_INFINITY => days,
        days => days.saturating_sub(POSTGRES_EPOCH_DAYS),
    }
}

/// Reads the binary form of a date; 22008.
pub fn date_from_wire(days: i32) -> SqlResult<i32> {
    if days == DATE_INFINITY || days == DATE_MINUS_INFINITY {
        return Ok(days);
    }
    let days = days.checked_add(POSTGRES_EPOCH_DAYS).filter(|days| (DATE_MIN..=DATE_MAX).contains(days));
    days.ok_or_else(|| overflow("date out of range".to_owned()))
}

/// The binary form of a timestamp: microseconds since 2000-01-01.
pub fn timestamp_to_wire(micros: i64) -> i64 {
    match micros {
        INFINITY | MINUS_INFINITY => micros,
        micros => micros.saturating_sub(i64::from(POSTGRES_EPOCH_DAYS) * DAY_MICROS),
    }
}

/// Reads the binary form of a timestamp; 22008.
pub fn timestamp_from_wire(micros: i64) -> SqlResult<i64> {
    if micros == INFINITY || micros == MINUS_INFINITY {
        return Ok(micros);
    }
    let micros = micros.checked_add(i64::from(POSTGRES_EPOCH_DAYS) * DAY_MICROS);
    micros.filter(|micros| (TIMESTAMP_MIN..INFINITY).contains(micros)).ok_or_else(|| overflow("timestamp out of range".to_owned()))
}

/// The midnight that a day begins with; 22008.
pub fn date_to_timestamp(days: i32) -> SqlResult<i64> {
    match days {
        DATE_INFINITY => Ok(INFINITY),
        DATE_MINUS_INFINITY => Ok(MINUS_INFINITY),
        days => i64::from(days).checked_mul(DAY_MICROS).ok_or_else(|| overflow("date out of range for timestamp".to_owned())),
    }
}

/// The day that a timestamp falls on.
pub fn timestamp_to_date(micros: i64) -> i32 {
    match micros {
        INFINITY => DATE_INFINITY,
        MINUS_INFINITY => DATE_MINUS_INFINITY,
        // Within ±107 million days for any i64.
        micros => micros.div_euclid(DAY_MICROS) as i32,
    }
}
