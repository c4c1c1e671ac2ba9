//! Functions of dates, times, timestamps and intervals.
//!
//! F27: `extract` answers numeric, `date_part` double precision, as since PostgreSQL 14.
//! Never: reads a clock; `now()` and its like are the session's.

use base::{SqlError, SqlResult, SqlState};
use datafusion::logical_expr::ScalarUDF;

use crate::functions::calendar::{DAY, HOUR, JULIAN_EPOCH, MINUTE, Moment, SECOND, age, checked_days, days_of};
use crate::functions::row::{Answer, Form, Kind, Returns, Span, Value, form, function, in_manner};
use crate::functions::text::{int, text};
use crate::values::manner::Manner;
use crate::values::numeric::Numeric;
use crate::values::zone::Zone;

use Kind::{Date, Float8, Instant, Int4, Stamp, Text, Time};

const STAMP: Returns = Returns::Is(Stamp);
const SPAN: Returns = Returns::Is(Kind::Span);

/// Every function of the family.
pub(super) fn functions() -> Vec<ScalarUDF> {
    const fn parts(scale: i8) -> [Form; 5] {
        let returns = Returns::Scale(scale);
        [
            in_manner(&[Text, Instant], returns, extract_instant),
            form(&[Text, Date], Returns::Scale(0), extract),
            form(&[Text, Stamp], returns, extract),
            form(&[Text, Time], returns, extract),
            form(&[Text, Kind::Span], returns, extract),
        ]
    }
    const WHOLE: &[Form] = &parts(0);
    const MILLIS: &[Form] = &parts(3);
    const MICROS: &[Form] = &parts(6);
    const DATE_PART: &[Form] = &[
        in_manner(&[Text, Instant], Returns::Is(Float8), date_part_of_instant),
        form(&[Text, Date], Returns::Is(Float8), date_part),
        form(&[Text, Stamp], Returns::Is(Float8), date_part),
        form(&[Text, Time], Returns::Is(Float8), date_part),
        form(&[Text, Kind::Span], Returns::Is(Float8), date_part),
    ];
    const TRUNC: &[Form] = &[
        in_manner(&[Text, Instant], Returns::Is(Instant), date_trunc_of_instant),
        form(&[Text, Stamp], STAMP, date_trunc),
        form(&[Text, Kind::Span], SPAN, trunc_span),
    ];
    const AGE: &[Form] = &[in_manner(&[Instant, Instant], SPAN, age_of_instants), form(&[Stamp, Stamp], SPAN, age_of)];
    const FINITE: &[Form] = &[
        form(&[Date], Returns::Is(Kind::Bool), is_finite),
        form(&[Instant], Returns::Is(Kind::Bool), is_finite),
        form(&[Stamp], Returns::Is(Kind::Bool), is_finite),
        form(&[Kind::Span], Returns::Is(Kind::Bool), is_finite),
    ];
    const BIN: &[Form] =
        &[form(&[Kind::Span, Instant, Instant], Returns::Is(Instant), date_bin), form(&[Kind::Span, Stamp, Stamp], STAMP, date_bin)];
    vec![
        function("extract", WHOLE),
        function("extract_millis", MILLIS),
        function("extract_micros", MICROS),
        function("date_part", DATE_PART),
        function("date_trunc", TRUNC),
        function("age", AGE),
        function("isfinite", FINITE),
        function("date_bin", BIN),
        function("make_date", &[form(&[Int4, Int4, Int4], Returns::Is(Date), make_date)]),
        function("make_time", &[form(&[Int4, Int4, Float8], Returns::Is(Time), make_time)]),
        function("make_timestamp", &[form(&[Int4, Int4, Int4, Int4, Int4, Float8], STAMP, make_timestamp)]),
        function(
            "make_timestamptz",
            &[
                in_manner(&[Int4, Int4, Int4, Int4, Int4, Float8], Returns::Is(Instant), |args, manner| make_instant(args, manner.zone)),
                form(&[Int4, Int4, Int4, Int4, Int4, Float8, Text], Returns::Is(Instant), |args| {
                    make_instant(args, Zone::named(text(args, 6))?)
                }),
            ],
        ),
        function("timestamp_in_digits", DIGITS_OF_STAMP),
        function("time_in_digits", &[form(&[Time, Int4], Returns::Is(Time), in_digits)]),
        function("interval_in_digits", &[form(&[Kind::Span, Int4], SPAN, in_digits)]),
        function("make_interval", MAKE_INTERVAL),
        function("justify_hours", &[form(&[Kind::Span], SPAN, |args| span_answer(justify_hours(span(args, 0))))]),
        function("justify_days", &[form(&[Kind::Span], SPAN, |args| span_answer(justify_days(span(args, 0))))]),
        function("justify_interval", &[form(&[Kind::Span], SPAN, justify_interval)]),
    ]
}

const DIGITS_OF_STAMP: &[Form] = &[form(&[Instant, Int4], Returns::Is(Instant), in_digits), form(&[Stamp, Int4], STAMP, in_digits)];

const MAKE_INTERVAL: &[Form] = &[
    form(&[], SPAN, make_interval),
    form(&[Int4], SPAN, make_interval),
    form(&[Int4, Int4], SPAN, make_interval),
    form(&[Int4, Int4, Int4], SPAN, make_interval),
    form(&[Int4, Int4, Int4, Int4], SPAN, make_interval),
    form(&[Int4, Int4, Int4, Int4, Int4], SPAN, make_interval),
    form(&[Int4, Int4, Int4, Int4, Int4, Int4], SPAN, make_interval),
    form(&[Int4, Int4, Int4, Int4, Int4, Int4, Float8], SPAN, make_interval),
];

/// A timestamp argument, a date as its midnight.
pub(super) fn stamp(args: &[Option<Value>], at: usize) -> i64 {
    match args.get(at) {
        Some(Some(Value::Stamp(micros))) => *micros,
        Some(Some(Value::Date(i32::MAX))) => i64::MAX,
        Some(Some(Value::Date(i32::MIN))) => i64::MIN,
        Some(Some(Value::Date(days))) => i64::from(*days) * DAY,
        _ => 0,
    }
}

pub(super) fn span(args: &[Option<Value>], at: usize) -> Span {
    match args.get(at) {
        Some(Some(Value::Span(span))) => *span,
        _ => Span::default(),
    }
}

fn span_answer(span: Span) -> Answer {
    Ok(Some(Value::Span(span)))
}

fn is_infinite(micros: i64) -> bool {
    matches!(micros, i64::MAX | i64::MIN)
}

/// The unit without a plural and by its usual name.
fn unit(given: &str) -> String {
    let lower = given.to_ascii_lowercase();
    let known = match lower.as_str() {
        "years" | "y" | "yr" | "yrs" => "year",
        "months" | "mon" | "mons" => "month",
        "days" | "d" => "day",
        "hours" | "h" | "hr" | "hrs" => "hour",
        "minutes" | "m" | "min" | "mins" => "minute",
        "seconds" | "s" | "sec" | "secs" => "second",
        "milliseconds" | "ms" | "msec" | "msecs" => "millisecond",
        "microseconds" | "us" | "usec" | "usecs" => "microsecond",
        "weeks" | "w" => "week",
        "quarters" | "qtr" => "quarter",
        "decades" | "dec" => "decade",
        "centuries" | "c" | "cent" => "century",
        "millennia" | "mil" | "mils" => "millennium",
        "j" => "julian",
        other => other,
    };
    known.to_owned()
}

fn unknown_unit(given: &str, of: &str) -> SqlError {
    let lower = given.to_ascii_lowercase();
    SqlError::new(SqlState::INVALID_PARAMETER_VALUE, format!("unit \"{lower}\" not recognized for type {of}"))
}

fn unsupported_unit(given: &str, of: &str) -> SqlError {
    let lower = given.to_ascii_lowercase();
    SqlError::new(SqlState::FEATURE_NOT_SUPPORTED, format!("unit \"{lower}\" not supported for type {of}"))
}

/// A named part in millionths; `None` for NULL.
fn part(args: &[Option<Value>]) -> SqlResult<Option<i128>> {
    let (name, given) = (unit(text(args, 0)), text(args, 0));
    let millionths = |whole: i64| i128::from(whole) * 1_000_000;
    Ok(Some(match args.get(1) {
        Some(Some(Value::Span(span))) => part_of_span(&name, *span).ok_or_else(|| unknown_unit(given, "interval"))?,
        Some(Some(Value::Time(micros))) => match name.as_str() {
            "epoch" => i128::from(*micros),
            "hour" | "minute" | "second" | "millisecond" | "microsecond" => part_of_time(&name, *micros),
            _ => return Err(unknown_unit(given, "time without time zone")),
        },
        Some(Some(Value::Date(_))) if matches!(name.as_str(), "hour" | "minute" | "second" | "millisecond" | "microsecond") => {
            return Err(unsupported_unit(given, "date"));
        }
        _ => {
            let micros = stamp(args, 1);
            let moment = Moment::of(micros);
            match name.as_str() {
                _ if is_infinite(micros) => return Ok(None),
                "epoch" => i128::from(micros),
                "hour" | "minute" | "second" | "millisecond" | "microsecond" => part_of_time(&name, moment.of_day),
                "julian" => millionths(moment.days + JULIAN_EPOCH) + i128::from(moment.of_day) * 1_000_000 / i128::from(DAY),
                "timezone" | "timezone_hour" | "timezone_minute" => 0,
                other => millionths(part_of_day(other, moment).ok_or_else(|| unknown_unit(given, "timestamp without time zone"))?),
            }
        }
    }))
}

fn part_of_day(name: &str, moment: Moment) -> Option<i64> {
    let shown_year = if moment.year > 0 { moment.year } else { moment.year - 1 };
    Some(match name {
        "year" => shown_year,
        "month" => moment.month,
        "day" => moment.day,
        "quarter" => (moment.month - 1) / 3 + 1,
        "dow" => moment.weekday(),
        "isodow" => moment.iso_weekday(),
        "doy" => moment.day_of_year(),
        "week" => moment.iso_week().1,
        "isoyear" => moment.iso_week().0,
        "decade" => moment.year.div_euclid(10),
        "century" => moment.century(),
        "millennium" => {
            if moment.year > 0 {
                (moment.year + 999) / 1000
            } else {
                -((999 - (moment.year - 1)) / 1000)
            }
        }
        _ => return None,
    })
}

fn part_of_time(name: &str, micros: i64) -> i128 {
    let (whole, of_minute) = (|value: i64| i128::from(value) * 1_000_000, micros % MINUTE);
    match name {
        "hour" => whole(micros / HOUR),
        "minute" => whole(micros / MINUTE % 60),
        "second" => i128::from(of_minute),
        "millisecond" => i128::from(of_minute) * 1000,
        _ => whole(of_minute),
    }
}

fn part_of_span(name: &str, span: Span) -> Option<i128> {
    let whole = |value: i64| i128::from(value) * 1_000_000;
    let years = span.months / 12;
    Some(match name {
        "year" => whole(years),
        "month" => whole(span.months % 12),
        "quarter" => whole(span.months % 12 / 3 + 1),
        "day" => whole(span.days),
        "decade" => whole(years / 10),
        "century" => whole(years / 100),
        "millennium" => whole(years / 1000),
        "hour" | "minute" | "second" | "millisecond" | "microsecond" => part_of_time(name, span.micros),
        // A year counts 365.25 days here and a month 30.
        "epoch" => {
            let days = i128::from(years) * 36_525 * 864 + i128::from(span.months % 12) * 30 * 86_400;
            (days + i128::from(span.days) * 86_400) * 1_000_000 + i128::from(span.micros)
        }
        _ => return None,
    })
}

/// A named part of an instant as a zone shows it, in millionths.
fn part_in_zone(args: &[Option<Value>], zone: Zone) -> SqlResult<Option<i128>> {
    let instant = stamp(args, 1);
    let east = i128::from(zone.east_at(instant));
    match unit(text(args, 0)).as_str() {
        "epoch" => part(args),
        _ if is_infinite(instant) => part(args),
        "timezone" => Ok(Some(east * 1_000_000)),
        "timezone_hour" => Ok(Some(east / 3600 * 1_000_000)),
        "timezone_minute" => Ok(Some(east / 60 % 60 * 1_000_000)),
        _ => part(&[args.first().cloned().flatten(), Some(Value::Stamp(zone.clock_at(instant)))]),
    }
}

fn extract_instant(args: &[Option<Value>], manner: &Manner) -> Answer {
    Ok(part_in_zone(args, manner.zone)?.map(|millionths| Value::Numeric(Numeric::new(millionths, 6))))
}

fn date_part_of_instant(args: &[Option<Value>], manner: &Manner) -> Answer {
    Ok(part_in_zone(args, manner.zone)?.map(|millionths| Value::Float(millionths as f64 / 1e6)))
}

fn extract(args: &[Option<Value>]) -> Answer {
    Ok(part(args)?.map(|millionths| Value::Numeric(Numeric::new(millionths, 6))))
}

fn date_part(args: &[Option<Value>]) -> Answer {
    Ok(part(args)?.map(|millionths| Value::Float(millionths as f64 / 1e6)))
}

/// Which of a moment's parts stay under a unit, as the first day and microseconds of what is left.
pub(super) fn truncate(name: &str, given: &str, micros: i64) -> SqlResult<i64> {
    if is_infinite(micros) {
        return Ok(micros);
    }
    let moment = Moment::of(micros);
    let year_start = |year: i64| days_of(year, 1, 1) * DAY;
    // Years 1–10 are a decade's worth of a century that begins with 1.
    let era =
        |size: i64| if moment.year > 0 { (moment.year - 1).div_euclid(size) * size + 1 } else { moment.year.div_euclid(size) * size + 1 };
    let within_day = |step: i64| moment.days * DAY + moment.of_day / step * step;
    Ok(match name {
        "microsecond" => micros,
        "millisecond" => within_day(1000),
        "second" => within_day(SECOND),
        "minute" => within_day(MINUTE),
        "hour" => within_day(HOUR),
        "day" => moment.days * DAY,
        "week" => (moment.days - moment.iso_weekday() + 1) * DAY,
        "month" => days_of(moment.year, moment.month, 1) * DAY,
        "quarter" => days_of(moment.year, (moment.month - 1) / 3 * 3 + 1, 1) * DAY,
        "year" => year_start(moment.year),
        "decade" => year_start(moment.year.div_euclid(10) * 10),
        "century" => year_start(era(100)),
        "millennium" => year_start(era(1000)),
        _ => return Err(unknown_unit(given, "timestamp without time zone")),
    })
}

fn date_trunc(args: &[Option<Value>]) -> Answer {
    truncate(&unit(text(args, 0)), text(args, 0), stamp(args, 1)).map(|micros| Some(Value::Stamp(micros)))
}

/// An instant cut at a unit of a zone's clock.
pub(super) fn truncate_in_zone(given: &str, instant: i64, zone: Zone) -> SqlResult<i64> {
    let name = unit(given);
    if is_infinite(instant) {
        return truncate(&name, given, instant);
    }
    let east = i64::from(zone.east_at(instant)) * SECOND;
    let clock = truncate(&name, given, instant + east)?;
    // Within a day the clock does not turn; a day and more begin as the zone then counts.
    let is_within_day = matches!(name.as_str(), "microsecond" | "millisecond" | "second" | "minute" | "hour");
    Ok(if is_within_day { clock - east } else { zone.instant_of(clock) })
}

fn date_trunc_of_instant(args: &[Option<Value>], manner: &Manner) -> Answer {
    truncate_in_zone(text(args, 0), stamp(args, 1), manner.zone).map(|micros| Some(Value::Stamp(micros)))
}

fn age_of_instants(args: &[Option<Value>], manner: &Manner) -> Answer {
    span_answer(age(manner.zone.clock_at(stamp(args, 0)), manner.zone.clock_at(stamp(args, 1))))
}

fn make_instant(args: &[Option<Value>], zone: Zone) -> Answer {
    Ok(make_timestamp(args)?.map(|made| match made {
        Value::Stamp(clock) => Value::Stamp(zone.instant_of(clock)),
        other => other,
    }))
}

/// With so many digits after the second, halves away from zero.
fn in_digits(args: &[Option<Value>]) -> Answer {
    let digits = u32::try_from(int(args, 1).clamp(0, 6)).unwrap_or(6);
    let unit = 10_i64.pow(6 - digits);
    let round = |micros: i64| {
        let (whole, rest) = (micros.div_euclid(unit), micros.rem_euclid(unit));
        whole.saturating_add(i64::from(rest * 2 >= unit && unit > 1)).saturating_mul(unit)
    };
    Ok(args.first().cloned().flatten().map(|value| match value {
        Value::Stamp(micros) if !is_infinite(micros) => Value::Stamp(round(micros)),
        Value::Time(micros) => Value::Time(round(micros)),
        Value::Span(span) => Value::Span(Span { micros: round(span.micros), ..span }),
        other => other,
    }))
}

fn trunc_span(args: &[Option<Value>]) -> Answer {
    let value = span(args, 1);
    let months = |step: i64| Span { months: value.months / step * step, days: 0, micros: 0 };
    let micros = |step: i64| Span { micros: value.micros / step * step, ..value };
    span_answer(match unit(text(args, 0)).as_str() {
        "microsecond" => value,
        "millisecond" => micros(1000),
        "second" => micros(SECOND),
        "minute" => micros(MINUTE),
        "hour" => micros(HOUR),
        "day" => Span { micros: 0, ..value },
        "month" => months(1),
        "quarter" => months(3),
        "year" => months(12),
        "decade" => months(120),
        "century" => months(1200),
        "millennium" => months(12_000),
        _ => return Err(unknown_unit(text(args, 0), "interval")),
    })
}

fn age_of(args: &[Option<Value>]) -> Answer {
    span_answer(age(stamp(args, 0), stamp(args, 1)))
}

fn is_finite(args: &[Option<Value>]) -> Answer {
    Ok(Some(Value::Bool(!is_infinite(stamp(args, 0)))))
}

fn date_bin(args: &[Option<Value>]) -> Answer {
    let (stride, at, origin) = (span(args, 0), stamp(args, 1), stamp(args, 2));
    if stride.months != 0 {
        let message = "timestamps cannot be binned into intervals containing months or years";
        return Err(SqlError::new(SqlState::FEATURE_NOT_SUPPORTED, message));
    }
    let step = stride.days * DAY + stride.micros;
    if step <= 0 {
        return Err(SqlError::new(SqlState::DATETIME_FIELD_OVERFLOW, "stride must be greater than zero"));
    }
    Ok(Some(Value::Stamp(origin + (at - origin).div_euclid(step) * step)))
}

fn overflow(message: String) -> SqlError {
    SqlError::new(SqlState::DATETIME_FIELD_OVERFLOW, message)
}

/// Days of a year, month and day as a user writes them: −1 is 1 BC. Errors: 22008.
fn day_of(args: &[Option<Value>]) -> SqlResult<i64> {
    let (year, month, day) = (int(args, 0), int(args, 1), int(args, 2));
    let days = (year != 0).then(|| checked_days(if year < 0 { year + 1 } else { year }, month, day)).flatten();
    days.ok_or_else(|| overflow(format!("date field value out of range: {year}-{month:02}-{day:02}")))
}

/// Microseconds of an hour, minute and second. Errors: 22008.
fn time_of(args: &[Option<Value>], from: usize) -> SqlResult<i64> {
    let seconds = match args.get(from + 2) {
        Some(Some(Value::Float(seconds))) => *seconds,
        _ => 0.0,
    };
    let (hour, minute) = (int(args, from), int(args, from + 1));
    let micros = hour * HOUR + minute * MINUTE + (seconds * 1e6).round() as i64;
    let is_real = (0..=24).contains(&hour) && (0..60).contains(&minute) && (0.0..=60.0).contains(&seconds) && micros <= DAY;
    if is_real { Ok(micros) } else { Err(overflow(format!("time field value out of range: {hour}:{minute:02}:{seconds:02}"))) }
}

fn make_date(args: &[Option<Value>]) -> Answer {
    let days = day_of(args)?;
    Ok(Some(Value::Date(i32::try_from(days).map_err(|_| overflow("date out of range".to_owned()))?)))
}

fn make_time(args: &[Option<Value>]) -> Answer {
    Ok(Some(Value::Time(time_of(args, 0)?)))
}

fn make_timestamp(args: &[Option<Value>]) -> Answer {
    let midnight = day_of(args)?.checked_mul(DAY).ok_or_else(|| overflow("timestamp out of range".to_owned()))?;
    Ok(Some(Value::Stamp(midnight + time_of(args, 3)?)))
}

fn make_interval(args: &[Option<Value>]) -> Answer {
    let seconds = match args.get(6) {
        Some(Some(Value::Float(seconds))) => (seconds * 1e6).round() as i64,
        _ => 0,
    };
    let months = int(args, 0) * 12 + int(args, 1);
    span_answer(Span { months, days: int(args, 2) * 7 + int(args, 3), micros: int(args, 4) * HOUR + int(args, 5) * MINUTE + seconds })
}

/// Whole days out of the hours; the signs agree afterwards.
fn justify_hours(span: Span) -> Span {
    let mut result = Span { days: span.days + span.micros / DAY, micros: span.micros % DAY, ..span };
    if result.days > 0 && result.micros < 0 {
        result.micros += DAY;
        result.days -= 1;
    } else if result.days < 0 && result.micros > 0 {
        result.micros -= DAY;
        result.days += 1;
    }
    result
}

fn justify_days(span: Span) -> Span {
    let mut result = Span { months: span.months + span.days / 30, days: span.days % 30, ..span };
    if result.months > 0 && result.days < 0 {
        result.days += 30;
        result.months -= 1;
    } else if result.months < 0 && result.days > 0 {
        result.days -= 30;
        result.months += 1;
    }
    result
}

fn justify_interval(args: &[Option<Value>]) -> Answer {
    let given = span(args, 0);
    let mut result = Span { days: given.days + given.micros / DAY, micros: given.micros % DAY, ..given };
    result = Span { months: result.months + result.days / 30, days: result.days % 30, ..result };
    if result.months > 0 && (result.days < 0 || (result.days == 0 && result.micros < 0)) {
        result.days += 30;
        result.months -= 1;
    } else if result.months < 0 && (result.days > 0 || (result.days == 0 && result.micros > 0)) {
        result.days -= 30;
        result.months += 1;
    }
    if result.days > 0 && result.micros < 0 {
        result.micros += DAY;
        result.days -= 1;
    } else if result.days < 0 && result.micros > 0 {
        result.micros -= DAY;
        result.days += 1;
    }
    span_answer(result)
}
