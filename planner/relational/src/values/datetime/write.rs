//! Prints dates and timestamps in a session's style and zone.
//!
//! Never: prints a fraction's trailing zeros.

use super::{DATE_INFINITY, DATE_MINUS_INFINITY, DAY_MICROS, INFINITY, MINUS_INFINITY, calendar};
use crate::values::manner::{DateOrder, DateStyle, Manner};
use crate::values::zone::write_displacement;

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const DAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];

/// Appends `2024-01-02`, `0044-03-15 BC` or `±infinity`.
pub fn write_date(days: i32, manner: &Manner, out: &mut Vec<u8>) {
    match days {
        DATE_INFINITY => out.extend_from_slice(b"infinity"),
        DATE_MINUS_INFINITY => out.extend_from_slice(b"-infinity"),
        days => {
            if write_day(i64::from(days), manner, out) {
                out.extend_from_slice(b" BC");
            }
        }
    }
}

/// Appends `2024-01-02 03:04:05.678`.
pub fn write_timestamp(micros: i64, manner: &Manner, out: &mut Vec<u8>) {
    write_moment(micros, None, manner, out);
}

/// Appends `2024-01-02 03:04:05.678+00`, as the session's zone shows it.
pub fn write_timestamptz(micros: i64, manner: &Manner, out: &mut Vec<u8>) {
    write_moment(micros, Some(manner.zone.east_at(micros)), manner, out);
}

/// `east`: seconds east of Greenwich, for a value with a zone.
fn write_moment(micros: i64, east: Option<i32>, manner: &Manner, out: &mut Vec<u8>) {
    match micros {
        INFINITY => return out.extend_from_slice(b"infinity"),
        MINUS_INFINITY => return out.extend_from_slice(b"-infinity"),
        _ => {}
    }
    let clock = micros.saturating_add(i64::from(east.unwrap_or(0)) * 1_000_000);
    let (days, time) = (clock.div_euclid(DAY_MICROS), clock.rem_euclid(DAY_MICROS));
    let is_before_christ = if manner.dates == DateStyle::Postgres {
        let (year, month, day) = calendar::date(days);
        let (weekday, month) = (DAYS[(days + 4).rem_euclid(7) as usize], MONTHS[month as usize - 1]);
        let day =
            if manner.order == DateOrder::Dmy { format!("{weekday} {day:02} {month} ") } else { format!("{weekday} {month} {day:02} ") };
        out.extend_from_slice(day.as_bytes());
        write_clock(time, out);
        out.push(b' ');
        write_year(year, out);
        year <= 0
    } else {
        let is_before_christ = write_day(days, manner, out);
        out.push(b' ');
        write_clock(time, out);
        is_before_christ
    };
    if let Some(east) = east {
        match manner.zone.abbreviation_at(micros).filter(|_| manner.dates != DateStyle::Iso) {
            Some(name) => {
                out.push(b' ');
                out.extend_from_slice(name.as_bytes());
            }
            None => write_displacement(east, out),
        }
    }
    if is_before_christ {
        out.extend_from_slice(b" BC");
    }
}

/// The two digits of a number below 100.
fn pair(value: u32) -> [u8; 2] {
    [b'0' + (value / 10) as u8, b'0' + (value % 10) as u8]
}

fn write_clock(time: i64, out: &mut Vec<u8>) {
    let (seconds, fraction) = ((time / 1_000_000) as u32, (time % 1_000_000) as u32);
    let ([h0, h1], [m0, m1], [s0, s1]) = (pair(seconds / 3600), pair(seconds / 60 % 60), pair(seconds % 60));
    out.extend_from_slice(&[h0, h1, b':', m0, m1, b':', s0, s1]);
    if fraction != 0 {
        let ([a, b], [c, d], [e, f]) = (pair(fraction / 10_000), pair(fraction / 100 % 100), pair(fraction % 100));
        let digits = [b'.', a, b, c, d, e, f];
        let end = digits.iter().rposition(|digit| *digit != b'0').map_or(0, |last| last + 1);
        out.extend_from_slice(&digits[..end]);
    }
}

/// Appends at least four digits; 1 BC is 1.
fn write_year(year: i64, out: &mut Vec<u8>) {
    let year = if year <= 0 { 1 - year } else { year };
    match u32::try_from(year) {
        Ok(year) if year < 10_000 => {
            let ([a, b], [c, d]) = (pair(year / 100), pair(year % 100));
            out.extend_from_slice(&[a, b, c, d]);
        }
        _ => out.extend_from_slice(year.to_string().as_bytes()),
    }
}

/// Appends year, month and day; true if « BC» is still to come.
fn write_day(days: i64, manner: &Manner, out: &mut Vec<u8>) -> bool {
    let (year, month, day) = calendar::date(days);
    let (month, day) = (pair(month), pair(day));
    let is_day_first = manner.order == DateOrder::Dmy;
    let (first, second) = if is_day_first { (day, month) } else { (month, day) };
    let parts = |first: [u8; 2], second: [u8; 2], mark: u8, out: &mut Vec<u8>| {
        out.extend_from_slice(&first);
        out.push(mark);
        out.extend_from_slice(&second);
        out.push(mark);
        write_year(year, out);
    };
    match manner.dates {
        DateStyle::Iso => {
            write_year(year, out);
            out.extend_from_slice(&[b'-', month[0], month[1], b'-', day[0], day[1]]);
        }
        DateStyle::Sql => parts(first, second, b'/', out),
        DateStyle::German => parts(day, month, b'.', out),
        DateStyle::Postgres => parts(first, second, b'-', out),
    }
    year <= 0
}
