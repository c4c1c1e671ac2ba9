//! `to_date`, `to_timestamp` by a picture, and `to_timestamp` of a count of seconds.
//!
//! F29: key words read as many digits as they are long, and fewer where the text has a separator; what stands between is skipped.

use base::{SqlError, SqlResult, SqlState};
use datafusion::logical_expr::ScalarUDF;

use crate::functions::calendar::{DAY, HOUR, JULIAN_EPOCH, MINUTE, SECOND, checked_days, civil, days_of};
use crate::functions::row::{Answer, Form, Kind, Returns, Value, form, function, in_manner};
use crate::functions::text::text;
use crate::functions::to_char::{MONTHS, key_at};
use crate::values::manner::Manner;

use Kind::{Date, Float8, Instant, Text};

/// Every function of the family.
pub(super) fn functions() -> Vec<ScalarUDF> {
    const TO_TIMESTAMP: &[Form] =
        &[form(&[Float8], Returns::Is(Instant), of_seconds), in_manner(&[Text, Text], Returns::Is(Instant), to_timestamp)];
    vec![function("to_timestamp", TO_TIMESTAMP), function("to_date", &[form(&[Text, Text], Returns::Is(Date), to_date)])]
}

fn of_seconds(args: &[Option<Value>]) -> Answer {
    let Some(Some(Value::Float(seconds))) = args.first() else { return Ok(None) };
    if seconds.is_nan() {
        return Err(SqlError::new(SqlState::DATETIME_FIELD_OVERFLOW, "timestamp cannot be NaN"));
    }
    if seconds.is_infinite() {
        return Ok(Some(Value::Stamp(if *seconds > 0.0 { i64::MAX } else { i64::MIN })));
    }
    let micros = (seconds * 1e6).round();
    if micros.abs() > 9.2e18 {
        return Err(SqlError::new(SqlState::DATETIME_FIELD_OVERFLOW, format!("timestamp out of range: \"{seconds}\"")));
    }
    Ok(Some(Value::Stamp(micros as i64)))
}

/// What a picture has found so far.
#[derive(Default)]
struct Found {
    year: Option<i64>,
    month: Option<i64>,
    day: Option<i64>,
    day_of_year: Option<i64>,
    julian: Option<i64>,
    hour: i64,
    minute: i64,
    second: i64,
    micros: i64,
    is_afternoon: Option<bool>,
    is_bc: bool,
}

fn to_date(args: &[Option<Value>]) -> Answer {
    let (given, pattern) = (text(args, 0), text(args, 1));
    let days = day_of(&read(given, pattern)?, given)?;
    Ok(Some(Value::Date(i32::try_from(days).map_err(|_| out_of_range(given))?)))
}

fn to_timestamp(args: &[Option<Value>], manner: &Manner) -> Answer {
    let (given, pattern) = (text(args, 0), text(args, 1));
    let found = read(given, pattern)?;
    let mut hour = found.hour;
    if let Some(is_afternoon) = found.is_afternoon {
        if !(1..=12).contains(&hour) {
            return Err(SqlError::new(SqlState::INVALID_DATETIME_FORMAT, format!("hour \"{hour}\" is invalid for the 12-hour clock"))
                .hint("Use the 24-hour clock, or give an hour between 1 and 12."));
        }
        hour = hour % 12 + if is_afternoon { 12 } else { 0 };
    }
    if hour > 23 || found.minute > 59 || found.second > 59 {
        return Err(out_of_range(given));
    }
    let of_day = hour * HOUR + found.minute * MINUTE + found.second * SECOND + found.micros;
    Ok(Some(Value::Stamp(manner.zone.instant_of(day_of(&found, given)? * DAY + of_day))))
}

fn out_of_range(given: &str) -> SqlError {
    SqlError::new(SqlState::DATETIME_FIELD_OVERFLOW, format!("date/time field value out of range: \"{given}\""))
}

fn day_of(found: &Found, given: &str) -> SqlResult<i64> {
    if let Some(julian) = found.julian {
        return Ok(julian - JULIAN_EPOCH);
    }
    // Without any year it is the year 1 BC.
    let year = match found.year {
        Some(year) if found.is_bc => 1 - year,
        Some(year) if year < 0 => year + 1,
        Some(year) => year,
        None => 0,
    };
    let (month, day) = match found.day_of_year {
        Some(day) => {
            let (real, month, of_month) = civil(days_of(year, 1, 1) + day - 1);
            if real != year || day < 1 {
                return Err(out_of_range(given));
            }
            (month, of_month)
        }
        None => (found.month.unwrap_or(1), found.day.unwrap_or(1)),
    };
    checked_days(year, month, day).ok_or_else(|| out_of_range(given))
}

fn read(given: &str, pattern: &str) -> SqlResult<Found> {
    let mut found = Found::default();
    let (mut rest, mut picture) = (given.trim_start(), pattern);
    while let Some(first) = picture.chars().next() {
        if let Some(after) = picture.strip_prefix("FM").or_else(|| picture.strip_prefix("TM")) {
            picture = after;
            continue;
        }
        if let Some(quoted) = picture.strip_prefix('"') {
            let end = quoted.find('"').unwrap_or(quoted.len());
            rest = rest.get(end..).unwrap_or_default();
            picture = quoted.get(end + 1..).unwrap_or_default();
            continue;
        }
        match key_at(picture) {
            Some((key, after)) => {
                rest = rest.trim_start();
                if rest.is_empty() {
                    return Ok(found);
                }
                let is_followed_by_key = key_at(after).is_some_and(|(next, _)| !matches!(next, "TZ" | "OF"));
                rest = take(key, rest, is_followed_by_key, &mut found)?;
                picture = ["TH", "th"].iter().find_map(|suffix| after.strip_prefix(suffix)).unwrap_or(after);
            }
            None => {
                let skips = rest.starts_with(|c: char| !c.is_alphanumeric()) || rest.starts_with(first);
                if skips {
                    rest = rest.get(rest.chars().next().map_or(0, char::len_utf8)..).unwrap_or_default();
                }
                picture = &picture[first.len_utf8()..];
            }
        }
    }
    Ok(found)
}

/// Reads one key word's value off the text.
fn take<'a>(key: &str, rest: &'a str, is_tight: bool, found: &mut Found) -> SqlResult<&'a str> {
    let width = match key {
        "YYYY" | "IYYY" | "HH24" | "HH12" if !is_tight => 18,
        "HH24" | "HH12" => 2,
        "SSSSS" | "SSSS" => 5,
        "US" => 6,
        "J" => 7,
        "Y,YYY" => 5,
        key => key.len(),
    };
    if let "MONTH" | "Month" | "month" | "MON" | "Mon" | "mon" = key {
        let is_short = key.len() == 3;
        let named = MONTHS.iter().position(|name| {
            let name = if is_short { &name[..3] } else { *name };
            rest.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name))
        });
        let Some(index) = named else { return Err(invalid(rest.get(..key.len()).unwrap_or(rest), key)) };
        found.month = Some(index as i64 + 1);
        return Ok(&rest[if is_short { 3 } else { MONTHS[index].len() }..]);
    }
    if matches!(key.to_ascii_uppercase().as_str(), "AM" | "PM" | "A.M." | "P.M." | "BC" | "AD" | "B.C." | "A.D.") {
        let given = rest.get(..key.len()).unwrap_or(rest);
        match given.to_ascii_uppercase().chars().next() {
            Some('P') => found.is_afternoon = Some(true),
            Some('A') if key.to_ascii_uppercase().contains('M') => found.is_afternoon = Some(false),
            Some('B') => found.is_bc = true,
            _ => {}
        }
        return Ok(&rest[given.len()..]);
    }
    if matches!(key.to_ascii_uppercase().as_str(), "DAY" | "DY") {
        return Ok(rest.trim_start_matches(char::is_alphabetic));
    }
    let signs = usize::from(rest.starts_with(['-', '+']) && key.starts_with('Y'));
    let digits = rest[signs..].bytes().take(width).take_while(u8::is_ascii_digit).count();
    if digits == 0 {
        return Err(invalid(rest.get(..width.min(rest.len())).unwrap_or(rest), key));
    }
    let number: i64 = rest[..signs + digits].parse().map_err(|_| out_of_range(rest))?;
    store(key, number, digits, found);
    Ok(&rest[signs + digits..])
}

fn store(key: &str, number: i64, digits: usize, found: &mut Found) {
    let near_2020 = |size: i64, pivot: i64| if number < pivot { number + 2000 } else { number + 2000 - size };
    match key {
        "YYYY" | "IYYY" | "Y,YYY" => found.year = Some(number),
        "YYY" => found.year = Some(if digits < 3 { near_2020(100, 70) } else { near_2020(1000, 520) }),
        "YY" => found.year = Some(near_2020(100, 70)),
        "Y" => found.year = Some(2000 + number),
        "MM" => found.month = Some(number),
        "DD" => found.day = Some(number),
        "DDD" => found.day_of_year = Some(number),
        "J" => found.julian = Some(number),
        "HH24" | "HH12" | "HH" => found.hour = number,
        "MI" => found.minute = number,
        "SS" => found.second = number,
        "MS" => found.micros = number * 10_i64.pow(6_u32.saturating_sub(u32::try_from(digits).unwrap_or(6))),
        "US" => found.micros = number * 10_i64.pow(6_u32.saturating_sub(u32::try_from(digits).unwrap_or(6))),
        "SSSSS" | "SSSS" => (found.hour, found.minute, found.second) = (number / 3600, number / 60 % 60, number % 60),
        _ => {}
    }
}

fn invalid(value: &str, key: &str) -> SqlError {
    SqlError::new(SqlState::INVALID_DATETIME_FORMAT, format!("invalid value \"{value}\" for \"{key}\"")).detail("Value must be an integer.")
}
