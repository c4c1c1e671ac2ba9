//! Prints dates and timestamps as `DateStyle = ISO`, `TimeZone = UTC` do.
//!
//! Never: prints a fraction's trailing zeros.

use super::super::integers::{pair, write_unsigned};
use super::{DATE_INFINITY, DATE_MINUS_INFINITY, DAY_MICROS, INFINITY, MINUS_INFINITY, calendar};

/// Appends `2024-01-02`, `0044-03-15 BC` or `±infinity`.
pub(in super::super) fn write_date(days: i32, out: &mut Vec<u8>) {
    match days {
        DATE_INFINITY => out.extend_from_slice(b"infinity"),
        DATE_MINUS_INFINITY => out.extend_from_slice(b"-infinity"),
        days => {
            if write_day(i64::from(days), out) {
                out.extend_from_slice(b" BC");
            }
        }
    }
}

/// Appends `2024-01-02 03:04:05.678`, with `+00` after it for a `timestamptz`.
pub(in super::super) fn write_timestamp(micros: i64, zone: bool, out: &mut Vec<u8>) {
    match micros {
        INFINITY => return out.extend_from_slice(b"infinity"),
        MINUS_INFINITY => return out.extend_from_slice(b"-infinity"),
        _ => {}
    }
    let before_christ = write_day(micros.div_euclid(DAY_MICROS), out);
    let time = micros.rem_euclid(DAY_MICROS);
    let (seconds, fraction) = ((time / 1_000_000) as u32, (time % 1_000_000) as u32);
    let ([h0, h1], [m0, m1], [s0, s1]) = (pair(seconds / 3600), pair(seconds / 60 % 60), pair(seconds % 60));
    out.extend_from_slice(&[b' ', h0, h1, b':', m0, m1, b':', s0, s1]);
    if fraction != 0 {
        let ([a, b], [c, d], [e, f]) = (pair(fraction / 10_000), pair(fraction / 100 % 100), pair(fraction % 100));
        let digits = [b'.', a, b, c, d, e, f];
        let end = digits.iter().rposition(|digit| *digit != b'0').map_or(0, |last| last + 1);
        out.extend_from_slice(&digits[..end]);
    }
    if zone {
        out.extend_from_slice(b"+00");
    }
    if before_christ {
        out.extend_from_slice(b" BC");
    }
}

/// Appends year, month and day; true if « BC» is still to come.
fn write_day(days: i64, out: &mut Vec<u8>) -> bool {
    let (year, month, day) = calendar::date(days);
    let before_christ = year <= 0;
    let year = if before_christ { 1 - year } else { year };
    if let Ok(year) = u32::try_from(year)
        && year < 10_000
    {
        let ([a, b], [c, d]) = (pair(year / 100), pair(year % 100));
        out.extend_from_slice(&[a, b, c, d]);
    } else {
        write_unsigned(year.unsigned_abs(), out);
    }
    let ([m0, m1], [d0, d1]) = (pair(month), pair(day));
    out.extend_from_slice(&[b'-', m0, m1, b'-', d0, d1]);
    before_christ
}
