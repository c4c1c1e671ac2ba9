//! `time`: µs since midnight, up to 24:00:00. A date before the time and a zone after it are read and forgotten, as Postgres does.
//!
//! Never: reads a clock.

use base::{SqlError, SqlResult, SqlState};

use super::invalid_moment;

/// µs of a day.
pub const DAY_MICROS: i64 = 86_400_000_000;

enum Fault {
    Format,
    Range,
}

/// µs since midnight. Errors: 22007, 22008.
pub fn parse(text: &str) -> SqlResult<i64> {
    read(&text.to_ascii_lowercase()).map_err(|fault| match fault {
        Fault::Format => invalid_moment("time", text),
        Fault::Range => SqlError::new(SqlState::DATETIME_FIELD_OVERFLOW, format!("date/time field value out of range: \"{text}\"")),
    })
}

fn read(text: &str) -> Result<i64, Fault> {
    let mut text = text.trim_matches([' ', '\t', '\n', '\x0b', '\x0c', '\r']);
    if text == "allballs" {
        return Ok(0);
    }
    if let Some((date, time)) = text.split_once([' ', 't'])
        && date.len() >= 8
        && date.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-')
        && date.contains('-')
    {
        text = time.trim_start();
    }
    let text = text.strip_prefix('t').unwrap_or(text);
    let end = text.find(|c: char| !c.is_ascii_digit() && c != ':' && c != '.').unwrap_or(text.len());
    let (clock, rest) = text.split_at(end);
    let half = rest.trim();
    let (hour, after) = if clock.contains(':') { colons(clock)? } else { digits(clock)? };
    let hour = match half {
        "am" | "pm" if hour > 12 => return Err(Fault::Range),
        "am" => hour % 12,
        "pm" => hour % 12 + 12,
        "" | "z" | "utc" | "gmt" => hour,
        zone if is_displacement(zone) => hour,
        _ => return Err(Fault::Format),
    };
    let micros = hour * 3_600_000_000 + after;
    if micros > DAY_MICROS { Err(Fault::Range) } else { Ok(micros) }
}

fn is_displacement(zone: &str) -> bool {
    zone.strip_prefix(['+', '-']).is_some_and(|digits| {
        digits.starts_with(|c: char| c.is_ascii_digit()) && digits.len() <= 8 && digits.bytes().all(|b| b.is_ascii_digit() || b == b':')
    })
}

fn number(text: &str) -> Result<i64, Fault> {
    if text.is_empty() || text.len() > 9 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Fault::Format);
    }
    text.parse().map_err(|_| Fault::Format)
}

/// `HH:MM[:SS[.f]]`, and `MM:SS.f`.
fn colons(text: &str) -> Result<(i64, i64), Fault> {
    let (clock, micros) = match text.split_once('.') {
        Some((clock, part)) => (clock, fraction(part)?),
        None => (text, 0),
    };
    let parts = clock.split(':').map(number).collect::<Result<Vec<_>, _>>()?;
    match parts[..] {
        [minute, second] if text.contains('.') => checked(0, minute, second, micros),
        [hour, minute] => checked(hour, minute, 0, micros),
        [hour, minute, second] => checked(hour, minute, second, micros),
        _ => Err(Fault::Format),
    }
}

/// `HHMMSS[.f]`, `HHMM`.
fn digits(text: &str) -> Result<(i64, i64), Fault> {
    let (clock, micros) = match text.split_once('.') {
        Some((clock, part)) if clock.len() == 6 => (clock, fraction(part)?),
        Some(_) => return Err(Fault::Format),
        None => (text, 0),
    };
    match clock.len() {
        4 => checked(number(&clock[..2])?, number(&clock[2..])?, 0, 0),
        6 => checked(number(&clock[..2])?, number(&clock[2..4])?, number(&clock[4..])?, micros),
        _ => Err(Fault::Format),
    }
}

fn checked(hour: i64, minute: i64, second: i64, micros: i64) -> Result<(i64, i64), Fault> {
    if hour > 24 || minute > 59 || second > 60 {
        return Err(Fault::Range);
    }
    Ok((hour, (minute * 60 + second) * 1_000_000 + micros))
}

fn fraction(digits: &str) -> Result<i64, Fault> {
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Fault::Format);
    }
    let fraction: f64 = format!("0.{digits}0").parse().map_err(|_| Fault::Format)?;
    Ok((fraction * 1e6).round_ties_even() as i64)
}

/// Appends `04:05:06.789`.
pub fn write(micros: i64, out: &mut Vec<u8>) {
    write_clock(micros.unsigned_abs(), out);
}

/// Appends hours of at least two digits, minutes, seconds and what is left of a second.
pub(super) fn write_clock(micros: u64, out: &mut Vec<u8>) {
    let (seconds, fraction) = (micros / 1_000_000, micros % 1_000_000);
    out.extend_from_slice(format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60).as_bytes());
    if fraction != 0 {
        out.extend_from_slice(format!(".{fraction:06}").trim_end_matches('0').as_bytes());
    }
}
