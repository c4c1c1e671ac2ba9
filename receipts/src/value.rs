//! Canonical value bytes of each type, read for people.
//!
//! V1: a value has one canonical encoding; bytes that are another one of the same value are refused. The one form of a `jsonb` is not checked.
//!
//! Never: encodes (the engine does).
//! Format: docs/formats/leaf.md.

mod arrays;
mod numerics;
mod spans;

use crate::FormatError;
use crate::quote::quote;

pub use crate::quote::format_name;

const MICROS_A_DAY: i64 = 86_400_000_000;

/// Oids of the types we can print, as in Postgres.
pub(crate) mod oid {
    pub(crate) const BOOL: u32 = 16;
    pub(crate) const BYTEA: u32 = 17;
    pub(crate) const INT8: u32 = 20;
    pub(crate) const INT2: u32 = 21;
    pub(crate) const INT4: u32 = 23;
    pub(crate) const TEXT: u32 = 25;
    pub(crate) const FLOAT4: u32 = 700;
    pub(crate) const FLOAT8: u32 = 701;
    pub(crate) const VARCHAR: u32 = 1043;
    pub(crate) const DATE: u32 = 1082;
    pub(crate) const TIMESTAMP: u32 = 1114;
    pub(crate) const TIMESTAMPTZ: u32 = 1184;
    pub(crate) const NUMERIC: u32 = 1700;
    pub(crate) const JSON: u32 = 114;
    pub(crate) const BPCHAR: u32 = 1042;
    pub(crate) const TIME: u32 = 1083;
    pub(crate) const INTERVAL: u32 = 1186;
    pub(crate) const UUID: u32 = 2950;
    pub(crate) const JSONB: u32 = 3802;
}

/// The value in SQL's spelling: text in double quotes with escapes, so that no control character reaches a terminal and `NULL`
/// cannot be confused with the word; a type we do not know as `\x…`. Fails if the bytes are not canonical for the type.
pub fn format_value(type_oid: u32, bytes: &[u8]) -> Result<String, FormatError> {
    match type_oid {
        oid::BOOL => match fixed::<1>(bytes)? {
            [0] => Ok("false".to_owned()),
            [1] => Ok("true".to_owned()),
            _ => Err(error("is a bool other than 0 or 1")),
        },
        oid::INT2 => Ok(i16::from_le_bytes(fixed(bytes)?).to_string()),
        oid::INT4 => Ok(i32::from_le_bytes(fixed(bytes)?).to_string()),
        oid::INT8 => Ok(i64::from_le_bytes(fixed(bytes)?).to_string()),
        oid::FLOAT4 => {
            let value = f32::from_le_bytes(fixed(bytes)?);
            check_float(value.is_nan() && value.to_bits() != 0x7fc0_0000, value.to_bits() == 1 << 31)?;
            Ok(format_float(value.into(), format!("{value:?}")))
        }
        oid::FLOAT8 => {
            let value = f64::from_le_bytes(fixed(bytes)?);
            check_float(value.is_nan() && value.to_bits() != 0x7ff8_0000_0000_0000, value.to_bits() == 1 << 63)?;
            Ok(format_float(value, format!("{value:?}")))
        }
        oid::NUMERIC => numerics::format(bytes),
        oid::BPCHAR if bytes.ends_with(b" ") => Err(error("is a character value with blanks at its end")),
        oid::TEXT | oid::VARCHAR | oid::BPCHAR | oid::JSON | oid::JSONB => {
            Ok(quote(str::from_utf8(bytes).map_err(|_| error("is text that is not UTF-8"))?))
        }
        oid::DATE => Ok(match i32::from_le_bytes(fixed(bytes)?) {
            i32::MAX => "infinity".to_owned(),
            i32::MIN => "-infinity".to_owned(),
            days => with_era(days.into(), ""),
        }),
        oid::TIMESTAMP => Ok(format_timestamp(i64::from_le_bytes(fixed(bytes)?), "")),
        oid::TIMESTAMPTZ => Ok(format_timestamp(i64::from_le_bytes(fixed(bytes)?), "+00")),
        oid::TIME => spans::time(i64::from_le_bytes(fixed(bytes)?)),
        oid::INTERVAL => Ok(spans::interval(fixed(bytes)?)),
        oid::UUID => Ok(format_uuid(fixed(bytes)?)),
        oid::BYTEA => Ok(format_bytes(bytes)),
        other => match arrays::element(other) {
            Some(element) => arrays::format(element, bytes),
            None => Ok(format_bytes(bytes)),
        },
    }
}

/// µs since 1970-01-01 UTC as `2024-01-02 03:04:05.678901+00`.
pub fn format_time(time_us: i64) -> String {
    format_timestamp(time_us, "+00")
}

/// Seconds since 1970-01-01 UTC, as a witness states them; spelled as a time up to the year 9999.
pub(crate) fn format_seconds(seconds: u64) -> String {
    /// The last second of the year 9999.
    const LAST: i64 = 253_402_300_799;
    match i64::try_from(seconds) {
        Ok(seconds) if seconds <= LAST => format_time(seconds * 1_000_000),
        _ => format!("{seconds} s after 1970-01-01 00:00:00+00"),
    }
}

fn error(why: &str) -> FormatError {
    FormatError::new("value", why)
}

fn fixed<const N: usize>(bytes: &[u8]) -> Result<[u8; N], FormatError> {
    bytes.try_into().map_err(|_| FormatError::new("value", format!("has {} bytes, its type {N}", bytes.len())))
}

fn check_float(is_odd_nan: bool, is_negative_zero: bool) -> Result<(), FormatError> {
    if is_odd_nan || is_negative_zero { Err(error("is a float that is not canonical")) } else { Ok(()) }
}

fn format_float(value: f64, shortest: String) -> String {
    if value.is_nan() {
        "NaN".to_owned()
    } else if value.is_infinite() {
        if value > 0.0 { "Infinity".to_owned() } else { "-Infinity".to_owned() }
    } else {
        shortest.strip_suffix(".0").map(str::to_owned).unwrap_or(shortest)
    }
}

fn format_bytes(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 + bytes.len() * 2);
    text.push_str("\\x");
    for byte in bytes {
        for nibble in [byte >> 4, byte & 15] {
            text.push(char::from_digit(nibble.into(), 16).unwrap_or('?'));
        }
    }
    text
}

fn format_uuid(bytes: [u8; 16]) -> String {
    let digits = &format_bytes(&bytes)[2..];
    [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]].join("-")
}

fn format_timestamp(micros: i64, zone: &str) -> String {
    match micros {
        i64::MAX => return "infinity".to_owned(),
        i64::MIN => return "-infinity".to_owned(),
        _ => {}
    }
    let (days, rest) = (micros.div_euclid(MICROS_A_DAY), micros.rem_euclid(MICROS_A_DAY));
    let (seconds, fraction) = (rest / 1_000_000, rest % 1_000_000);
    let mut time = format!(" {:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    if fraction != 0 {
        time.push_str(format!(".{fraction:06}").trim_end_matches('0'));
    }
    with_era(days, &(time + zone))
}

fn with_era(days: i64, suffix: &str) -> String {
    let (year, month, day) = civil(days);
    if year > 0 { format!("{year:04}-{month:02}-{day:02}{suffix}") } else { format!("{:04}-{month:02}-{day:02}{suffix} BC", 1 - year) }
}

/// Proleptic Gregorian year (astronomical: 0 is 1 BC), month and day of a day since 1970-01-01. Years are counted from 1 March, so
/// that the leap day is the last of its year; an era is 400 years.
fn civil(days: i64) -> (i64, i64, i64) {
    let from_march = days + 719_468; // 0000-03-01
    let (era, day_of_era) = (from_march.div_euclid(146_097), from_march.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}
