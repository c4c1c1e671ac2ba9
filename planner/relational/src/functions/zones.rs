//! `AT TIME ZONE`: an instant as a clock of a zone shows it, and back.
//!
//! F30: a time that a zone's clocks skip or show twice is read as before the change, as Postgres reads it.

use base::{SqlError, SqlResult, SqlState};
use chrono::{MappedLocalTime, NaiveDateTime, Offset, TimeZone};
use chrono_tz::{TZ_VARIANTS, Tz};
use datafusion::logical_expr::ScalarUDF;

use crate::functions::calendar::{DAY, HOUR, MINUTE, SECOND};
use crate::functions::dates::{span, stamp, truncate};
use crate::functions::row::{Answer, Form, Kind, Returns, Value, form, function};
use crate::functions::text::text;

use Kind::{Instant, Span, Stamp, Text};

/// Abbreviations that Postgres knows without a zone's name, in hours east of Greenwich.
const ABBREVIATIONS: [(&str, i64); 16] = [
    ("utc", 0),
    ("gmt", 0),
    ("z", 0),
    ("est", -5),
    ("edt", -4),
    ("cst", -6),
    ("cdt", -5),
    ("mst", -7),
    ("mdt", -6),
    ("pst", -8),
    ("pdt", -7),
    ("cet", 1),
    ("cest", 2),
    ("eet", 2),
    ("msk", 3),
    ("jst", 9),
];

/// Every function of the family.
pub(super) fn functions() -> Vec<ScalarUDF> {
    const TIMEZONE: &[Form] = &[
        form(&[Text, Instant], Returns::Is(Stamp), to_clock),
        form(&[Text, Stamp], Returns::Is(Instant), from_clock),
        form(&[Span, Instant], Returns::Is(Stamp), to_clock),
        form(&[Span, Stamp], Returns::Is(Instant), from_clock),
    ];
    vec![
        function("timezone", TIMEZONE),
        function("date_trunc_in_zone", &[form(&[Text, Instant, Text], Returns::Is(Instant), date_trunc_in_zone)]),
    ]
}

/// A zone: by name, or by a fixed distance from Greenwich.
enum Zone {
    Named(Tz),
    /// Microseconds east.
    Fixed(i64),
}

/// The zone of an argument. Errors: 22023.
fn zone(args: &[Option<Value>], at: usize) -> SqlResult<Zone> {
    if let Some(Some(Value::Span(_))) = args.get(at) {
        let span = span(args, at);
        return Ok(Zone::Fixed(span.days * DAY + span.micros));
    }
    let name = text(args, at);
    let lower = name.to_ascii_lowercase();
    if let Some((_, hours)) = ABBREVIATIONS.iter().find(|(known, _)| *known == lower) {
        return Ok(Zone::Fixed(hours * HOUR));
    }
    if let Some(west) = offset(name) {
        // POSIX counts west of Greenwich.
        return Ok(Zone::Fixed(-west));
    }
    let found = name.parse().ok().or_else(|| TZ_VARIANTS.iter().copied().find(|zone| zone.name().eq_ignore_ascii_case(name)));
    found.map(Zone::Named).ok_or_else(|| SqlError::new(SqlState::INVALID_PARAMETER_VALUE, format!("time zone \"{name}\" not recognized")))
}

/// `+02`, `-5:30` as microseconds.
fn offset(name: &str) -> Option<i64> {
    let (sign, digits) = match name.as_bytes().first()? {
        b'+' => (1, &name[1..]),
        b'-' => (-1, &name[1..]),
        _ => return None,
    };
    let (hours, minutes) = digits.split_once(':').unwrap_or((digits, "0"));
    let (hours, minutes): (i64, i64) = (hours.parse().ok()?, minutes.parse().ok()?);
    Some(sign * (hours * HOUR + minutes * MINUTE))
}

impl Zone {
    /// Microseconds east of Greenwich at an instant.
    fn east_at(&self, instant: i64) -> i64 {
        match self {
            Zone::Fixed(east) => *east,
            Zone::Named(zone) => match naive(instant) {
                Some(utc) => i64::from(zone.offset_from_utc_datetime(&utc).fix().local_minus_utc()) * SECOND,
                None => 0,
            },
        }
    }

    /// The instant at which the zone's clock shows this time (F30).
    fn instant_of(&self, clock: i64) -> i64 {
        let Zone::Named(zone) = self else { return clock - self.east_at(clock) };
        let Some(local) = naive(clock) else { return clock };
        let east = match zone.offset_from_local_datetime(&local) {
            MappedLocalTime::Single(offset) => i64::from(offset.fix().local_minus_utc()) * SECOND,
            // The later reading is standard time, which is what Postgres takes.
            MappedLocalTime::Ambiguous(_, late) => i64::from(late.fix().local_minus_utc()) * SECOND,
            MappedLocalTime::None => self.east_at(clock - DAY),
        };
        clock - east
    }
}

fn naive(micros: i64) -> Option<NaiveDateTime> {
    chrono::DateTime::from_timestamp_micros(micros).map(|instant| instant.naive_utc())
}

fn to_clock(args: &[Option<Value>]) -> Answer {
    let (zone, instant) = (zone(args, 0)?, stamp(args, 1));
    Ok(Some(Value::Stamp(if matches!(instant, i64::MAX | i64::MIN) { instant } else { instant + zone.east_at(instant) })))
}

fn from_clock(args: &[Option<Value>]) -> Answer {
    let (zone, clock) = (zone(args, 0)?, stamp(args, 1));
    Ok(Some(Value::Stamp(if matches!(clock, i64::MAX | i64::MIN) { clock } else { zone.instant_of(clock) })))
}

fn date_trunc_in_zone(args: &[Option<Value>]) -> Answer {
    let (zone, instant) = (zone(args, 2)?, stamp(args, 1));
    let unit = text(args, 0).to_ascii_lowercase();
    let clock = truncate(unit.strip_suffix('s').unwrap_or(&unit), text(args, 0), instant + zone.east_at(instant))?;
    Ok(Some(Value::Stamp(zone.instant_of(clock))))
}
