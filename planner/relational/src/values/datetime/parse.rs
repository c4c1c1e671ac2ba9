//! Reads `date`, `timestamp` and `timestamptz`: plain ISO 8601 at full speed, all else through `fields`.
//!
//! Never: gives a different answer on the fast way than on the long one.

use super::fields::{Fault, Meaning, decode};
use super::{DATE_INFINITY, DATE_MAX, DATE_MIN, DATE_MINUS_INFINITY, DAY_MICROS, INFINITY, MINUS_INFINITY, TIMESTAMP_MIN, calendar};
use crate::values::manner::Manner;
use crate::values::zone::Zone;
use base::{SqlError, SqlResult, SqlState};

/// Days since 1970-01-01; a time of day in the text is ignored.  22007, 22008, 22009.
pub fn parse_date(text: &str, manner: &Manner) -> SqlResult<i32> {
    match read(text, "date", manner)? {
        Meaning::Infinity => Ok(DATE_INFINITY),
        Meaning::MinusInfinity => Ok(DATE_MINUS_INFINITY),
        Meaning::Moment { day, .. } => {
            let fitting = i32::try_from(day).ok().filter(|day| (DATE_MIN..=DATE_MAX).contains(day));
            fitting.ok_or_else(|| super::overflow(format!("date out of range: \"{text}\"")))
        }
    }
}

/// Microseconds since 1970-01-01; a zone in the text is ignored, as Postgres does.
pub fn parse_timestamp(text: &str, manner: &Manner) -> SqlResult<i64> {
    parse_moment(text, "timestamp", manner, false)
}

/// Microseconds since 1970-01-01 UTC; without a zone the text means the session's.
pub fn parse_timestamptz(text: &str, manner: &Manner) -> SqlResult<i64> {
    parse_moment(text, "timestamp with time zone", manner, true)
}

fn parse_moment(text: &str, type_name: &str, manner: &Manner, zoned: bool) -> SqlResult<i64> {
    match read(text, type_name, manner)? {
        Meaning::Infinity => Ok(INFINITY),
        Meaning::MinusInfinity => Ok(MINUS_INFINITY),
        Meaning::Moment { day, micros, zone } => {
            let clock = day.checked_mul(DAY_MICROS).and_then(|start| start.checked_add(micros));
            let moment = clock.map(|clock| if zoned { zone.unwrap_or(manner.zone).instant_of(clock) } else { clock });
            let fitting = moment.filter(|moment| (TIMESTAMP_MIN..INFINITY).contains(moment));
            fitting.ok_or_else(|| super::overflow(format!("timestamp out of range: \"{text}\"")))
        }
    }
}

fn read(text: &str, type_name: &str, manner: &Manner) -> SqlResult<Meaning> {
    if let Some(meaning) = iso(text.as_bytes()) {
        return Ok(meaning);
    }
    decode(&text.to_ascii_lowercase(), manner.order).map_err(|fault| explain(&fault, type_name, text))
}

fn explain(fault: &Fault, type_name: &str, text: &str) -> SqlError {
    let overflow = || super::overflow(format!("date/time field value out of range: \"{text}\""));
    match fault {
        Fault::Format => SqlError::new(SqlState::INVALID_DATETIME_FORMAT, format!("invalid input syntax for type {type_name}: \"{text}\"")),
        Fault::Range => overflow(),
        Fault::Order => overflow().hint("Perhaps you need a different \"datestyle\" setting."),
        Fault::Displacement => SqlError::new(SqlState("22009"), format!("time zone displacement out of range: \"{text}\"")),
        Fault::Zone(name) => SqlError::new(SqlState::INVALID_PARAMETER_VALUE, format!("time zone \"{name}\" not recognized")),
        Fault::Clock(word) => SqlError::unsupported(format_args!("the {type_name} value \"{word}\"")).hint("Use now() or current_date."),
    }
}

/// `YYYY-MM-DD[( |T)HH:MM:SS[.f{1,6}][Z|±HH[:MM]]]` with all fields in range; `None` for anything else.
fn iso(bytes: &[u8]) -> Option<Meaning> {
    let (date, rest) = bytes.split_first_chunk::<10>()?;
    let [y0, y1, y2, y3, b'-', m0, m1, b'-', d0, d1] = *date else { return None };
    let (year, month, day) = (two(y0, y1)? * 100 + two(y2, y3)?, two(m0, m1)?, two(d0, d1)?);
    if year == 0 || !(1..=12).contains(&month) || day == 0 || (day > 28 && day > calendar::month_days(year, month)) {
        return None;
    }
    let day = calendar::days(year, month, day);
    if rest.is_empty() {
        return Some(Meaning::Moment { day, micros: 0, zone: None });
    }
    let (clock, rest) = rest.split_first_chunk::<9>()?;
    let [b' ' | b'T', h0, h1, b':', m0, m1, b':', s0, s1] = *clock else { return None };
    let (hour, minute, second) = (two(h0, h1)?, two(m0, m1)?, two(s0, s1)?);
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let (fraction, rest) = fraction(rest)?;
    let zone = match *rest {
        [] => None,
        [b'Z'] => Some(Zone::Fixed(0)),
        [sign @ (b'+' | b'-'), h0, h1] => Some(Zone::Fixed(east(sign, two(h0, h1)?, 0)?)),
        [sign @ (b'+' | b'-'), h0, h1, b':', m0, m1] => Some(Zone::Fixed(east(sign, two(h0, h1)?, two(m0, m1)?)?)),
        _ => return None,
    };
    Some(Meaning::Moment { day, micros: ((hour * 60 + minute) * 60 + second) * 1_000_000 + fraction, zone })
}

fn two(tens: u8, ones: u8) -> Option<i64> {
    let (tens, ones) = (tens.wrapping_sub(b'0'), ones.wrapping_sub(b'0'));
    (tens < 10 && ones < 10).then(|| i64::from(tens * 10 + ones))
}

fn east(sign: u8, hour: i64, minute: i64) -> Option<i32> {
    let seconds = (hour * 3600 + minute * 60) as i32;
    (hour <= 15 && minute <= 59).then_some(if sign == b'-' { -seconds } else { seconds })
}

/// µs of an optional fraction of at most six digits, and what follows it.
fn fraction(bytes: &[u8]) -> Option<(i64, &[u8])> {
    let [b'.', rest @ ..] = bytes else { return Some((0, bytes)) };
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if !(1..=6).contains(&digits) {
        return None;
    }
    let value = rest[..digits].iter().fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0'));
    Some((value * 10i64.pow(6 - digits as u32), &rest[digits..]))
}
