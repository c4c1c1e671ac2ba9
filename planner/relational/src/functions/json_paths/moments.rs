//! What `datetime()` makes of a text, and how moments compare.
//!
//! T1: moments of different kinds compare where one can be cast to the other; a cast to or from a kind with a zone needs the session's zone, which
//!     only the functions `…_tz` have.
//! Never: reads a clock.

use std::cmp::Ordering;
use std::fmt::{self, Display, Formatter};

use base::{SqlError, SqlState};

use super::item::Item;
use super::run::{Answer, Fault};
use super::templates;
use crate::functions::calendar::{DAY, Moment as Calendar, SECOND};
use crate::values::manner::Manner;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Moment {
    /// Days since 1970-01-01.
    Date(i64),
    /// Microseconds since midnight.
    Time(i64),
    /// And seconds east of Greenwich.
    ZonedTime(i64, i32),
    /// Microseconds since 1970-01-01.
    Stamp(i64),
    /// The instant, and seconds east that it was written with.
    Instant(i64, i32),
}

/// Those that are tried where no template is given.
const DATE: &str = "YYYY-MM-DD";
const JOINTS: [&str; 2] = [" ", "\"T\""];
const CLOCKS: [&str; 2] = ["HH24:MI:SS.US", "HH24:MI:SS"];
const ZONES: [&str; 3] = ["TZH:TZM", "TZH", ""];

/// Errors: 22031, 22007, 22008, as the others soft.
pub(super) fn read(item: &Item<'_, '_>, template: Option<&str>) -> Answer<Moment> {
    let bad = |message: String| SqlError::new(SqlState("22031"), message);
    let Some(text) = item.text() else {
        return Err(Fault::Soft(bad("jsonpath item method .datetime() can only be applied to a string".to_owned())));
    };
    if let Some(template) = template {
        return templates::read(&text, template).map_err(Fault::Soft);
    }
    let clocks = || ZONES.iter().flat_map(|zone| CLOCKS.iter().map(move |clock| format!("{clock}{zone}")));
    let stamps = JOINTS.iter().flat_map(|joint| clocks().map(move |clock| format!("{DATE}{joint}{clock}")));
    let mut known = std::iter::once(DATE.to_owned()).chain(clocks()).chain(stamps);
    let unknown = || {
        bad(format!("datetime format is not recognized: \"{text}\""))
            .hint("Use a datetime template argument to specify the input data format.")
    };
    known.find_map(|template| templates::read(&text, &template).ok()).ok_or_else(|| Fault::Soft(unknown()))
}

impl Moment {
    pub(super) fn type_name(self) -> &'static str {
        match self {
            Self::Date(_) => "date",
            Self::Time(_) => "time without time zone",
            Self::ZonedTime(..) => "time with time zone",
            Self::Stamp(_) => "timestamp without time zone",
            Self::Instant(..) => "timestamp with time zone",
        }
    }

    /// As errors about zones name it.
    fn short_name(self) -> &'static str {
        match self {
            Self::Date(_) => "date",
            Self::Time(_) => "time",
            Self::ZonedTime(..) => "timetz",
            Self::Stamp(_) => "timestamp",
            Self::Instant(..) => "timestamptz",
        }
    }
}

/// `None` for kinds that do not compare. Errors: 0A000 where a zone is needed, which nothing silences.
pub(super) fn compare(left: &Moment, right: &Moment, zone: Option<&Manner>) -> Answer<Option<Ordering>> {
    use Moment::{Date, Instant, Stamp, Time, ZonedTime};
    let zoned = |from: &Moment, to: &Moment| match zone {
        Some(manner) => Ok(manner),
        None => {
            let message = format!("cannot convert value from {} to {} without time zone usage", from.short_name(), to.short_name());
            let error = SqlError::new(SqlState::FEATURE_NOT_SUPPORTED, message);
            Err(Fault::Hard(error.hint("Use *_tz() function for time zone support.")))
        }
    };
    let clock = |moment: &Moment| match moment {
        Date(days) => days.saturating_mul(DAY),
        Time(micros) | Stamp(micros) | ZonedTime(micros, _) | Instant(micros, _) => *micros,
    };
    Ok(Some(match (left, right) {
        (Date(_) | Stamp(_), Date(_) | Stamp(_)) | (Time(_), Time(_)) | (Instant(..), Instant(..)) => clock(left).cmp(&clock(right)),
        (Date(_) | Stamp(_), Instant(micros, _)) => zoned(left, right)?.zone.instant_of(clock(left)).cmp(micros),
        (Instant(micros, _), Date(_) | Stamp(_)) => micros.cmp(&zoned(right, left)?.zone.instant_of(clock(right))),
        (ZonedTime(..), ZonedTime(..)) => of_zoned(left, None).cmp(&of_zoned(right, None)),
        (Time(_), ZonedTime(..)) => of_zoned(left, Some(zoned(left, right)?)).cmp(&of_zoned(right, None)),
        (ZonedTime(..), Time(_)) => of_zoned(left, None).cmp(&of_zoned(right, Some(zoned(right, left)?))),
        _ => return Ok(None),
    }))
}

/// What times with a zone are ordered by: first as times of one zone, then the one farther east.
fn of_zoned(moment: &Moment, zone: Option<&Manner>) -> (i64, i64) {
    let (micros, east) = match moment {
        Moment::ZonedTime(micros, east) => (*micros, i64::from(*east)),
        Moment::Time(micros) => (*micros, zone.map_or(0, |manner| i64::from(manner.zone.east_at(0)))),
        _ => (0, 0),
    };
    (micros - east * SECOND, -east)
}

impl Display for Moment {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (day, clock, east) = match self {
            Self::Date(days) => (Some(days.saturating_mul(DAY)), None, None),
            Self::Time(micros) => (None, Some(*micros), None),
            Self::ZonedTime(micros, east) => (None, Some(*micros), Some(*east)),
            Self::Stamp(micros) => (Some(*micros), Some(micros.rem_euclid(DAY)), None),
            Self::Instant(micros, east) => {
                let local = micros + i64::from(*east) * SECOND;
                (Some(local), Some(local.rem_euclid(DAY)), Some(*east))
            }
        };
        let day = day.map(Calendar::of);
        if let Some(day) = day {
            let year = if day.year > 0 { day.year } else { 1 - day.year };
            write!(f, "{year:04}-{:02}-{:02}", day.month, day.day)?;
            f.write_str(if clock.is_some() { "T" } else { "" })?;
        }
        let mut out = Vec::new();
        clock.iter().for_each(|clock| crate::values::time::write(*clock, &mut out));
        f.write_str(&String::from_utf8_lossy(&out))?;
        if let Some(east) = east {
            let (sign, east) = (if east < 0 { '-' } else { '+' }, east.unsigned_abs());
            write!(f, "{sign}{:02}:{:02}", east / 3600, east / 60 % 60)?;
        }
        f.write_str(if day.is_some_and(|day| day.year <= 0) { " BC" } else { "" })
    }
}
