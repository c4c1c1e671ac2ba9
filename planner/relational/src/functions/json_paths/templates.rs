//! Templates of `datetime()`: those of `to_timestamp`, read as the SQL standard wants it.
//!
//! T2: separators and quoted text must stand in the text as in the template, and nothing may be left over.
//! T3: a template has fields of a date, of a time, or of both; fields of a zone only beside those of a time.

use base::{SqlError, SqlResult, SqlState};

use super::moments::Moment;
use crate::functions::calendar::{DAY, HOUR, JULIAN_EPOCH, MINUTE, SECOND, checked_days, civil, days_of};
use crate::functions::to_char::MONTHS;

/// Fields, longer ones first.
const FIELDS: [&str; 42] = [
    "SSSSS", "Y,YYY", "MONTH", "A.D.", "B.C.", "A.M.", "P.M.", "HH24", "HH12", "IDDD", "IYYY", "SSSS", "YYYY", "DAY", "DDD", "FF1", "FF2",
    "FF3", "FF4", "FF5", "FF6", "IYY", "MON", "TZH", "TZM", "YYY", "AD", "BC", "AM", "PM", "DD", "DY", "HH", "ID", "IW", "IY", "MI", "MM",
    "MS", "SS", "US", "YY",
];
/// Those of one letter.
const LETTERS: [&str; 3] = ["I", "J", "Y"];

#[derive(Clone, PartialEq, Debug)]
enum Node {
    Field(&'static str),
    Separator(char),
    Quoted(char),
}

/// What the text said so far.
#[derive(Default)]
struct Parts {
    year: Option<i64>,
    month: Option<i64>,
    day: Option<i64>,
    day_of_year: Option<i64>,
    julian: Option<i64>,
    iso_year: Option<i64>,
    iso_week: Option<i64>,
    iso_day: Option<i64>,
    hour: i64,
    minute: i64,
    second: i64,
    micros: i64,
    is_12_hours: bool,
    is_afternoon: Option<bool>,
    is_bc: bool,
    zone_sign: i64,
    zone_hours: i64,
    zone_minutes: i64,
    /// Digits of a second that are kept.
    digits: Option<u32>,
}

fn wrong(message: impl Into<String>) -> SqlError {
    SqlError::new(SqlState::INVALID_DATETIME_FORMAT, message.into())
}

/// The moment. Errors: 22007, 22008, 22009.
pub(super) fn read(text: &str, template: &str) -> SqlResult<Moment> {
    let nodes = nodes(template)?;
    let mut parts = Parts { zone_sign: 1, ..Parts::default() };
    let rest = consume(text, &nodes, &mut parts)?;
    if !rest.trim_start().is_empty() {
        return Err(wrong("trailing characters remain in input string after datetime format"));
    }
    let has = |wanted: fn(&str) -> bool| nodes.iter().any(|node| matches!(node, Node::Field(field) if wanted(field)));
    let (is_dated, is_timed, is_zoned) = (has(is_of_date), has(is_of_time), has(|field| field.starts_with("TZ")));
    match (is_dated, is_timed, is_zoned) {
        (true, true, true) => {
            let east = east(&parts)?;
            Ok(Moment::Instant(stamp(&parts, text)? - i64::from(east) * SECOND, east))
        }
        (true, true, false) => stamp(&parts, text).map(Moment::Stamp),
        (true, false, false) => day(&parts, text).map(Moment::Date),
        (false, true, true) => Ok(Moment::ZonedTime(clock(&parts, text)?, east(&parts)?)),
        (false, true, false) => clock(&parts, text).map(Moment::Time),
        (true, false, true) => Err(wrong("datetime format is zoned but not timed")),
        (false, false, _) => Err(wrong("datetime format is not dated and not timed")),
    }
}

fn is_of_time(field: &str) -> bool {
    matches!(field.as_bytes(), [b'H', b'H', ..] | [b'M', b'I' | b'S'] | [b'S', ..] | [b'U', ..] | [b'F', ..] | [b'A' | b'P', b'M'])
        || matches!(field, "A.M." | "P.M.")
}

fn is_of_date(field: &str) -> bool {
    !is_of_time(field) && !field.starts_with("TZ")
}

/// Errors: 22007 for what is neither a field nor a separator.
fn nodes(template: &str) -> SqlResult<Vec<Node>> {
    let mut nodes = Vec::new();
    let mut rest = template;
    while let Some(first) = rest.chars().next() {
        if let Some(quoted) = rest.strip_prefix('"') {
            let end = quoted.find('"').unwrap_or(quoted.len());
            nodes.extend(quoted[..end].chars().map(Node::Quoted));
            rest = quoted.get(end + 1..).unwrap_or_default();
            continue;
        }
        let starts = |known: &&&str| rest.get(..known.len()).is_some_and(|start| start.eq_ignore_ascii_case(known));
        if let Some(field) = FIELDS.iter().chain(&LETTERS).find(starts) {
            nodes.push(Node::Field(field));
            rest = &rest[field.len()..];
        } else if "-./,':; ".contains(first) {
            nodes.push(Node::Separator(first));
            rest = &rest[first.len_utf8()..];
        } else {
            return Err(wrong(format!("invalid datetime format separator: \"{first}\"")));
        }
    }
    Ok(nodes)
}

/// T2. Answers what is left of the text.
fn consume<'t>(text: &'t str, nodes: &[Node], parts: &mut Parts) -> SqlResult<&'t str> {
    let mut rest = text;
    for (at, node) in nodes.iter().enumerate() {
        let Some(first) = rest.chars().next() else {
            return Err(wrong("input string is too short for datetime format"));
        };
        rest = match node {
            Node::Separator(wanted) if first == *wanted => &rest[first.len_utf8()..],
            Node::Separator(wanted) => return Err(wrong(format!("unmatched format separator \"{wanted}\""))),
            Node::Quoted(wanted) if first == *wanted => &rest[first.len_utf8()..],
            Node::Quoted(wanted) => return Err(wrong(format!("unmatched format character \"{wanted}\""))),
            Node::Field(field) => {
                let is_last_digit = match nodes.get(at + 1) {
                    None | Some(Node::Separator(_)) => true,
                    Some(Node::Quoted(next)) => !next.is_ascii_digit(),
                    Some(Node::Field(next)) => !is_of_digits(next),
                };
                parts.take(field, rest, is_last_digit)?
            }
        };
    }
    Ok(rest)
}

fn is_of_digits(field: &str) -> bool {
    !matches!(field, "MONTH" | "MON" | "DAY" | "DY" | "AD" | "BC" | "A.D." | "B.C." | "AM" | "PM" | "A.M." | "P.M." | "TZH")
}

/// A number of so many digits, or of all there are. Errors: 22007, 22008.
fn number<'t>(field: &str, text: &'t str, width: usize, is_greedy: bool) -> SqlResult<(i64, usize, &'t str)> {
    let trimmed = text.trim_start();
    let within = if is_greedy { trimmed } else { trimmed.get(..width).unwrap_or(trimmed) };
    if !is_greedy && trimmed.len() < width {
        return Err(wrong(format!("source string too short for \"{field}\" formatting field"))
            .detail(format!("Field requires {width} characters, but only {} remain.", trimmed.len())));
    }
    let signs = usize::from(within.starts_with(['-', '+']));
    let end = signs + within[signs..].bytes().take_while(u8::is_ascii_digit).count();
    let shown = trimmed.get(..width).unwrap_or(trimmed);
    if end == signs {
        return Err(wrong(format!("invalid value \"{shown}\" for \"{field}\"")).detail("Value must be an integer."));
    }
    if !is_greedy && end < width {
        return Err(wrong(format!("invalid value \"{shown}\" for \"{field}\""))
            .detail(format!("Field requires {width} characters, but only {end} could be parsed.")));
    }
    let value = within[..end]
        .parse::<i32>()
        .map_err(|_| SqlError::new(SqlState::DATETIME_FIELD_OVERFLOW, format!("value for \"{field}\" in source string is out of range")))?;
    Ok((value.into(), end, &trimmed[end..]))
}

impl Parts {
    fn take<'t>(&mut self, field: &'static str, text: &'t str, is_greedy: bool) -> SqlResult<&'t str> {
        match field {
            "MONTH" | "MON" => {
                let length = |name: &str| if field == "MON" { 3 } else { name.len() };
                let named = MONTHS
                    .iter()
                    .position(|name| text.get(..length(name)).is_some_and(|start| start.eq_ignore_ascii_case(&name[..length(name)])));
                let Some(month) = named else { return Err(not_allowed(field, text)) };
                self.month = Some(month as i64 + 1);
                Ok(&text[length(MONTHS[month])..])
            }
            "DAY" | "DY" => Ok(text.trim_start_matches(char::is_alphabetic)),
            "AD" | "BC" | "A.D." | "B.C." | "AM" | "PM" | "A.M." | "P.M." => {
                let Some(given) = text.get(..field.len()) else { return Err(not_allowed(field, text)) };
                let dots = if field.len() == 4 { "." } else { "" };
                let letters: String = given.chars().filter(|c| *c != '.').collect::<String>().to_ascii_uppercase();
                let is_whole = given.to_ascii_uppercase() == letters.chars().map(|c| format!("{c}{dots}")).collect::<String>();
                match (letters.as_str(), field.contains('M')) {
                    ("AM" | "PM", true) if is_whole => (self.is_afternoon, self.is_12_hours) = (Some(letters == "PM"), true),
                    ("AD" | "BC", false) if is_whole => self.is_bc = letters == "BC",
                    _ => return Err(not_allowed(field, text)),
                }
                Ok(&text[field.len()..])
            }
            "TZH" => {
                let signed = text.strip_prefix(['+', '-', ' ']);
                self.zone_sign = if text.starts_with('-') { -1 } else { 1 };
                let (hours, _, rest) = number(field, signed.unwrap_or(text), 2, is_greedy)?;
                self.zone_hours = hours;
                Ok(rest)
            }
            _ => {
                let (value, digits, rest) = number(field, text, width(field), is_greedy)?;
                self.store(field, value, digits);
                Ok(rest)
            }
        }
    }

    fn store(&mut self, field: &'static str, value: i64, digits: usize) {
        let near_2020 = |size: i64, pivot: i64| if value < pivot { value + 2000 } else { value + 2000 - size };
        let micros = |value: i64| value.saturating_mul(10_i64.pow(6_u32.saturating_sub(digits as u32)));
        match field {
            "YYYY" | "Y,YYY" => self.year = Some(value),
            "YYY" => self.year = Some(if digits < 3 { near_2020(100, 70) } else { near_2020(1000, 520) }),
            "YY" | "Y" => self.year = Some(if digits < 3 { near_2020(100, 70) } else { value }),
            "IYYY" => self.iso_year = Some(value),
            "IYY" | "IY" | "I" => self.iso_year = Some(if digits < 3 { near_2020(100, 70) } else { value }),
            "IW" => self.iso_week = Some(value),
            "ID" => self.iso_day = Some(value),
            "IDDD" => (self.iso_week, self.iso_day) = (Some((value - 1).div_euclid(7) + 1), Some((value - 1).rem_euclid(7) + 1)),
            "MM" => self.month = Some(value),
            "DD" => self.day = Some(value),
            "DDD" => self.day_of_year = Some(value),
            "J" => self.julian = Some(value),
            "HH24" => self.hour = value,
            "HH12" | "HH" => (self.hour, self.is_12_hours) = (value, true),
            "MI" => self.minute = value,
            "SS" => self.second = value,
            "SSSSS" | "SSSS" => (self.hour, self.minute, self.second) = (value / 3600, value / 60 % 60, value % 60),
            "MS" => self.micros = value.saturating_mul(1000 * 10_i64.pow(3_u32.saturating_sub(digits as u32))),
            "US" => self.micros = micros(value),
            "TZM" => self.zone_minutes = value,
            fraction => {
                self.digits = fraction.strip_prefix("FF").and_then(|digits| digits.parse().ok());
                self.micros = micros(value);
            }
        }
    }
}

fn width(field: &str) -> usize {
    match field {
        "HH24" | "HH12" => 2,
        "US" => 6,
        "J" => 10,
        "MS" | "DDD" => 3,
        field => field.strip_prefix("FF").and_then(|digits| digits.parse().ok()).unwrap_or(field.len()),
    }
}

fn not_allowed(field: &str, text: &str) -> SqlError {
    let shown: String = text.chars().take_while(|c| !c.is_whitespace()).collect();
    wrong(format!("invalid value \"{shown}\" for \"{field}\""))
        .detail("The given value did not match any of the allowed values for this field.")
}

fn out_of_range(text: &str) -> SqlError {
    SqlError::new(SqlState::DATETIME_FIELD_OVERFLOW, format!("date/time field value out of range: \"{text}\""))
}

/// Errors: 22009.
fn east(parts: &Parts) -> SqlResult<i32> {
    let east = parts.zone_sign * (parts.zone_hours * 3600 + parts.zone_minutes * 60);
    let is_known = (0..16).contains(&parts.zone_hours) && (0..60).contains(&parts.zone_minutes);
    match i32::try_from(east) {
        Ok(east) if is_known => Ok(east),
        _ => Err(SqlError::new(SqlState("22009"), "time zone displacement out of range")),
    }
}

fn clock(parts: &Parts, text: &str) -> SqlResult<i64> {
    let mut hour = parts.hour;
    if parts.is_12_hours {
        if !(1..=12).contains(&hour) {
            return Err(wrong(format!("hour \"{hour}\" is invalid for the 12-hour clock"))
                .hint("Use the 24-hour clock, or give an hour between 1 and 12."));
        }
        match parts.is_afternoon {
            Some(true) if hour < 12 => hour += 12,
            Some(false) if hour == 12 => hour = 0,
            _ => {}
        }
    }
    if !(0..24).contains(&hour)
        || !(0..60).contains(&parts.minute)
        || !(0..60).contains(&parts.second)
        || !(0..SECOND).contains(&parts.micros)
    {
        return Err(out_of_range(text));
    }
    let unit = parts.digits.map_or(1, |digits| 10_i64.pow(6_u32.saturating_sub(digits)));
    let micros = (parts.micros + unit / 2) / unit * unit;
    Ok(hour * HOUR + parts.minute * MINUTE + parts.second * SECOND + micros)
}

fn stamp(parts: &Parts, text: &str) -> SqlResult<i64> {
    let (days, clock) = (day(parts, text)?, clock(parts, text)?);
    days.checked_mul(DAY).and_then(|micros| micros.checked_add(clock)).ok_or_else(|| out_of_range(text))
}

fn day(parts: &Parts, text: &str) -> SqlResult<i64> {
    if let Some(julian) = parts.julian {
        return Ok(julian - JULIAN_EPOCH);
    }
    if parts.iso_year.is_some() || parts.iso_week.is_some() {
        return Ok(iso_day(parts.iso_year.unwrap_or(0), parts.iso_week.unwrap_or(1), parts.iso_day.unwrap_or(1)));
    }
    // Without any year it is the year 1 BC.
    let year = match parts.year {
        Some(year) if parts.is_bc => 1 - year,
        Some(year) if year < 0 => year + 1,
        Some(year) => year,
        None => 0,
    };
    let (month, day) = match parts.day_of_year {
        Some(day) => {
            let (real, month, of_month) = civil(days_of(year, 1, 1) + day - 1);
            if real != year || day < 1 {
                return Err(out_of_range(text));
            }
            (month, of_month)
        }
        None => (parts.month.unwrap_or(1), parts.day.unwrap_or(1)),
    };
    checked_days(year, month, day).ok_or_else(|| out_of_range(text))
}

/// The day of an ISO week, which begins on Monday; the first has the year's fourth of January.
fn iso_day(year: i64, week: i64, day: i64) -> i64 {
    let fourth = days_of(year, 1, 4);
    let monday = fourth - (fourth + 3).rem_euclid(7);
    monday + (week - 1) * 7 + day - 1
}
