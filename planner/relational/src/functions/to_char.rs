//! `to_char` of timestamps, dates, times and intervals.

use base::SqlResult;
use datafusion::logical_expr::ScalarUDF;

use crate::functions::calendar::{DAY, HOUR, JULIAN_EPOCH, MINUTE, Moment, SECOND};
use crate::functions::dates::{span, stamp};
use crate::functions::number_pictures;
use crate::functions::row::{Answer, Form, Kind, Returns, Value, form, function, in_manner};
use crate::functions::text::{answer, text};
use crate::values::zone::{Zone, write_displacement};

use Kind::{Date, Float8, Instant, Int8, Numeric, Stamp, Text, Time};

pub(super) const MONTHS: [&str; 12] =
    ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];
const DAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const ROMAN_MONTHS: [&str; 12] = ["I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII"];

/// Every key word, longer ones before those they begin with.
pub(super) const KEYS: [&str; 68] = [
    "HH24", "HH12", "HH", "MI", "SSSSS", "SSSS", "SS", "MS", "US", "FF1", "FF2", "FF3", "FF4", "FF5", "FF6", "AM", "PM", "A.M.", "P.M.",
    "am", "pm", "a.m.", "p.m.", "Y,YYY", "YYYY", "YYY", "YY", "Y", "IYYY", "IYY", "IY", "IDDD", "ID", "IW", "I", "BC", "AD", "B.C.",
    "A.D.", "bc", "ad", "b.c.", "a.d.", "MONTH", "Month", "month", "MON", "Mon", "mon", "MM", "DAY", "Day", "day", "DDD", "DD", "DY", "Dy",
    "dy", "D", "WW", "W", "CC", "J", "Q", "RM", "rm", "TZH", "TZM",
];

/// Every function of the family.
pub(super) fn functions() -> Vec<ScalarUDF> {
    const TO_CHAR: &[Form] = &[
        in_manner(&[Instant, Text], Returns::Is(Text), |args, manner| of_instant(args, stamp(args, 0), manner.zone)),
        form(&[Stamp, Text], Returns::Is(Text), |args| of_stamp(args, stamp(args, 0), String::new(), 0)),
        in_manner(&[Date, Text], Returns::Is(Text), |args, manner| of_instant(args, manner.zone.instant_of(stamp(args, 0)), manner.zone)),
        form(&[Kind::Span, Text], Returns::Is(Text), of_span),
        form(&[Time, Text], Returns::Is(Text), of_time),
        form(&[Int8, Text], Returns::Is(Text), number_pictures::of_integer),
        form(&[Numeric, Text], Returns::Is(Text), number_pictures::of_numeric),
        form(&[Float8, Text], Returns::Is(Text), number_pictures::of_float),
    ];
    vec![function("to_char", TO_CHAR), function("to_number", &[form(&[Text, Text], Returns::Is(Numeric), number_pictures::to_number)])]
}

/// What the key words show.
struct Shown {
    moment: Moment,
    /// Hours, which an interval can have more than 24 of.
    hours: i64,
    is_span: bool,
    zone: String,
    /// Seconds east of Greenwich.
    east: i32,
}

fn of_instant(args: &[Option<Value>], instant: i64, zone: Zone) -> Answer {
    let east = zone.east_at(instant);
    let name = zone.abbreviation_at(instant).unwrap_or_else(|| {
        let mut displacement = Vec::new();
        write_displacement(east, &mut displacement);
        String::from_utf8_lossy(&displacement).into_owned()
    });
    of_stamp(args, zone.clock_at(instant), name, east)
}

fn of_stamp(args: &[Option<Value>], clock: i64, zone: String, east: i32) -> Answer {
    if matches!(stamp(args, 0), i64::MAX | i64::MIN) {
        return Ok(None);
    }
    let moment = Moment::of(clock);
    picture(text(args, 1), &Shown { hours: moment.hour(), moment, is_span: false, zone, east })
}

fn of_time(args: &[Option<Value>]) -> Answer {
    let micros = match args.first() {
        Some(Some(Value::Time(micros))) => *micros,
        _ => 0,
    };
    let moment = Moment { year: 0, month: 0, day: 0, days: 0, of_day: micros };
    picture(text(args, 1), &Shown { hours: micros / HOUR, moment, is_span: true, zone: String::new(), east: 0 })
}

fn of_span(args: &[Option<Value>]) -> Answer {
    let span = span(args, 0);
    let moment = Moment { year: span.months / 12, month: span.months % 12, day: span.days, days: span.days, of_day: span.micros };
    picture(text(args, 1), &Shown { hours: span.micros / HOUR, moment, is_span: true, zone: String::new(), east: 0 })
}

fn picture(pattern: &str, shown: &Shown) -> Answer {
    if pattern.is_empty() {
        return Ok(None);
    }
    let mut out = String::new();
    let mut rest = pattern;
    while let Some(first) = rest.chars().next() {
        if let Some(quoted) = rest.strip_prefix('"') {
            let end = quoted.find('"').unwrap_or(quoted.len());
            out.push_str(&quoted[..end]);
            rest = quoted.get(end + 1..).unwrap_or_default();
            continue;
        }
        let (fills, after) = match rest.strip_prefix("FM").or_else(|| rest.strip_prefix("fm")) {
            Some(after) => (false, after),
            None => (true, rest),
        };
        let after = after.strip_prefix("TM").unwrap_or(after);
        let Some((key, tail)) = key_at(after) else {
            if after.len() == rest.len() {
                out.push(first);
                rest = &rest[first.len_utf8()..];
            } else {
                rest = after;
            }
            continue;
        };
        let value = value(key, fills, shown)?;
        rest = tail;
        out.push_str(&value);
        for (suffix, is_upper) in [("TH", true), ("th", false)] {
            if let Some(after) = rest.strip_prefix(suffix)
                && value.ends_with(|c: char| c.is_ascii_digit())
            {
                out.push_str(&ordinal(&value, is_upper));
                rest = after;
                break;
            }
        }
    }
    answer(out)
}

/// The key word a pattern begins with. Numbers' key words are known in lower case too.
pub(super) fn key_at(pattern: &str) -> Option<(&'static str, &str)> {
    let exact = KEYS.iter().find(|key| pattern.starts_with(**key));
    let known = exact.or_else(|| KEYS.iter().find(|key| pattern.get(..key.len()).is_some_and(|start| start.to_ascii_uppercase() == **key)));
    match known {
        Some(key) => Some((*key, &pattern[key.len()..])),
        None if pattern.starts_with("TZ") || pattern.starts_with("OF") => {
            Some((if pattern.starts_with("TZ") { "TZ" } else { "OF" }, &pattern[2..]))
        }
        None if pattern.starts_with("tz") => Some(("tz", &pattern[2..])),
        None => None,
    }
}

fn ordinal(number: &str, is_upper: bool) -> String {
    let ending = match number.as_bytes() {
        [.., b'1', _] => "th",
        [.., b'1'] => "st",
        [.., b'2'] => "nd",
        [.., b'3'] => "rd",
        _ => "th",
    };
    if is_upper { ending.to_uppercase() } else { ending.to_owned() }
}

fn value(key: &str, fills: bool, shown: &Shown) -> SqlResult<String> {
    let moment = shown.moment;
    let digits = |value: i64, width: usize| if fills { format!("{value:0width$}") } else { value.to_string() };
    let wide = |name: &str, width: usize| if fills { format!("{name:width$}") } else { name.to_owned() };
    let year = if shown.is_span || moment.year > 0 { moment.year } else { 1 - moment.year };
    let of_second = moment.of_day.abs() % SECOND;
    let twelve = |hour: i64| if hour % 12 == 0 { 12 } else { hour % 12 };
    let noon = if shown.hours.rem_euclid(24) < 12 { "AM" } else { "PM" };
    Ok(match key {
        "HH24" => digits(shown.hours, 2),
        "HH12" | "HH" => digits(twelve(shown.hours), 2),
        "MI" => digits(moment.of_day / MINUTE % 60, 2),
        "SS" => digits(moment.of_day / SECOND % 60, 2),
        "SSSSS" | "SSSS" => (moment.of_day % DAY / SECOND).to_string(),
        "MS" => digits(of_second / 1000, 3),
        "US" => digits(of_second, 6),
        "AM" | "PM" => noon.to_owned(),
        "am" | "pm" => noon.to_lowercase(),
        "A.M." | "P.M." => format!("{}.M.", &noon[..1]),
        "a.m." | "p.m." => format!("{}.m.", noon[..1].to_lowercase()),
        "Y,YYY" => format!("{},{:03}", year / 1000, year % 1000),
        "YYYY" => digits(year, 4),
        "YYY" => digits(year % 1000, 3),
        "YY" => digits(year % 100, 2),
        "Y" => (year % 10).to_string(),
        "IYYY" => digits(moment.iso_week().0, 4),
        "IYY" => digits(moment.iso_week().0 % 1000, 3),
        "IY" => digits(moment.iso_week().0 % 100, 2),
        "I" => (moment.iso_week().0 % 10).to_string(),
        "BC" | "AD" => if moment.year > 0 { "AD" } else { "BC" }.to_owned(),
        "B.C." | "A.D." => if moment.year > 0 { "A.D." } else { "B.C." }.to_owned(),
        "bc" | "ad" => if moment.year > 0 { "ad" } else { "bc" }.to_owned(),
        "b.c." | "a.d." => if moment.year > 0 { "a.d." } else { "b.c." }.to_owned(),
        "MM" => digits(moment.month, 2),
        "DDD" => digits(if shown.is_span { moment.days } else { moment.day_of_year() }, 3),
        "DD" => digits(moment.day, 2),
        "D" => (moment.weekday() + 1).to_string(),
        "IDDD" => digits((moment.iso_week().1 - 1) * 7 + moment.iso_weekday(), 3),
        "ID" => moment.iso_weekday().to_string(),
        "WW" => digits((moment.day_of_year() - 1) / 7 + 1, 2),
        "W" => ((moment.day - 1) / 7 + 1).to_string(),
        "IW" => digits(moment.iso_week().1, 2),
        "CC" => digits(moment.century(), 2),
        "J" => (moment.days + JULIAN_EPOCH).to_string(),
        "Q" => ((moment.month - 1) / 3 + 1).to_string(),
        "RM" => wide(month(&ROMAN_MONTHS, moment), 4),
        "rm" => wide(&month(&ROMAN_MONTHS, moment).to_lowercase(), 4),
        "TZ" => shown.zone.clone(),
        "tz" => shown.zone.to_lowercase(),
        "OF" => {
            let mut displacement = Vec::new();
            write_displacement(shown.east, &mut displacement);
            String::from_utf8_lossy(&displacement).into_owned()
        }
        "TZH" => format!("{}{:02}", if shown.east < 0 { '-' } else { '+' }, shown.east.abs() / 3600),
        "TZM" => format!("{:02}", shown.east.abs() / 60 % 60),
        key if key.starts_with("FF") => {
            let places = usize::from(key.as_bytes()[2] - b'0');
            format!("{of_second:06}")[..places].to_owned()
        }
        name => named(name, moment, &wide),
    })
}

fn month<'a>(names: &'a [&'a str; 12], moment: Moment) -> &'a str {
    usize::try_from(moment.month - 1).ok().and_then(|index| names.get(index)).copied().unwrap_or_default()
}

/// Names of days and months, written as the key word is.
fn named(key: &str, moment: Moment, wide: &dyn Fn(&str, usize) -> String) -> String {
    let full = match key.to_ascii_uppercase().as_str() {
        "MONTH" | "MON" => month(&MONTHS, moment),
        _ => usize::try_from(moment.weekday()).ok().and_then(|day| DAYS.get(day)).copied().unwrap_or_default(),
    };
    let is_short = matches!(key.len(), 2) || key.eq_ignore_ascii_case("mon");
    let name = if is_short { full.get(..3).unwrap_or(full) } else { full };
    let name = if key.chars().all(|c| c.is_ascii_uppercase()) {
        name.to_uppercase()
    } else if key.chars().all(|c| c.is_ascii_lowercase()) {
        name.to_lowercase()
    } else {
        name.to_owned()
    };
    if is_short { name } else { wide(&name, 9) }
}
