//! ISO 8601 durations: `P1Y2M3DT4H5M6S`, and `P0001-02-03T04:05:06`.
//!
//! Never: takes a unit of the time before the `T`.

use super::Interval;
use super::parse::{Fault, Sums, Unit, integer};

/// Reads what follows the `P`.
pub(super) fn read(text: &str) -> Result<Interval, Fault> {
    let (date, time) = match text.split_once('T') {
        Some((date, time)) => (date, Some(time)),
        None => (text, None),
    };
    let mut sums = Sums::default();
    match (is_alternative(date, '-'), time) {
        (true, _) => alternative(date, '-', [Unit::Year, Unit::Month, Unit::Day], &mut sums)?,
        (false, _) => designators(date, true, &mut sums)?,
    }
    match time {
        Some(time) if time.contains(':') => alternative(time, ':', [Unit::Hour, Unit::Minute, Unit::Second], &mut sums)?,
        Some(time) => designators(time, false, &mut sums)?,
        None => {}
    }
    if date.is_empty() && time.is_none_or(str::is_empty) {
        return Err(Fault::Format);
    }
    sums.finish()
}

fn is_alternative(date: &str, delimiter: char) -> bool {
    date.contains(delimiter) && date.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-') && !date.starts_with('-')
}

fn alternative(text: &str, delimiter: char, units: [Unit; 3], sums: &mut Sums) -> Result<(), Fault> {
    let parts: Vec<&str> = text.split(delimiter).collect();
    if parts.len() > units.len() {
        return Err(Fault::Format);
    }
    for (part, unit) in parts.into_iter().zip(units) {
        let (whole, fraction) = number(part)?;
        sums.count(unit, whole, fraction)?;
    }
    Ok(())
}

fn designators(mut text: &str, is_date: bool, sums: &mut Sums) -> Result<(), Fault> {
    while !text.is_empty() {
        let end = text.find(|c: char| !c.is_ascii_digit() && !matches!(c, '.' | '-' | '+')).ok_or(Fault::Format)?;
        let (whole, fraction) = number(&text[..end])?;
        let unit = match (text.as_bytes()[end], is_date) {
            (b'Y', true) => Unit::Year,
            (b'M', true) => Unit::Month,
            (b'W', true) => Unit::Week,
            (b'D', true) => Unit::Day,
            (b'H', false) => Unit::Hour,
            (b'M', false) => Unit::Minute,
            (b'S', false) => Unit::Second,
            _ => return Err(Fault::Format),
        };
        sums.count(unit, whole, fraction)?;
        text = &text[end + 1..];
    }
    Ok(())
}

fn number(text: &str) -> Result<(i64, f64), Fault> {
    let (sign, digits) = match text.as_bytes() {
        [b'-', ..] => (-1, &text[1..]),
        [b'+', ..] => (1, &text[1..]),
        _ => (1, text),
    };
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.is_empty() && part.is_empty() {
        return Err(Fault::Format);
    }
    let whole = if whole.is_empty() { 0 } else { integer(whole)? };
    let fraction: f64 = format!("0.{part}0").parse().map_err(|_| Fault::Format)?;
    Ok((sign * whole, sign as f64 * fraction))
}
