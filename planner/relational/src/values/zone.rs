//! Time zones: by name of the IANA database, by abbreviation, or a fixed distance from Greenwich.
//!
//! Z1: a time that a zone's clocks skip is read as before the change, one they show twice as after it, as Postgres reads them.
//! Never: reads a clock.

use std::collections::HashMap;
use std::sync::LazyLock;

use base::{SqlError, SqlResult, SqlState};
use chrono::{MappedLocalTime, NaiveDateTime, Offset, TimeZone};
use chrono_tz::{OffsetName, TZ_VARIANTS, Tz};

const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;

/// A zone.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Zone {
    /// Of the IANA database.
    Named(Tz),
    /// Seconds east of Greenwich.
    Fixed(i32),
}

impl Default for Zone {
    fn default() -> Self {
        Self::Fixed(0)
    }
}

/// Names of zones in lower case.
static NAMES: LazyLock<HashMap<String, Tz>> =
    LazyLock::new(|| TZ_VARIANTS.iter().map(|zone| (zone.name().to_ascii_lowercase(), *zone)).collect());

impl Zone {
    /// The zone a session or a function names: a name, an abbreviation, or a POSIX offset, which counts hours west. Errors: 22023.
    pub fn named(name: &str) -> SqlResult<Self> {
        let wrong = || SqlError::new(SqlState::INVALID_PARAMETER_VALUE, format!("time zone \"{name}\" not recognized"));
        let lower = name.trim().to_ascii_lowercase();
        Self::known(&lower).or_else(|| posix(&lower)).ok_or_else(wrong)
    }

    /// The zone a session is set to, and how it is shown: a name, hours east of Greenwich, or a POSIX offset. `None` if there is none such.
    pub fn of_session(text: &str) -> Option<(Self, String)> {
        let lower = text.trim().to_ascii_lowercase();
        if let Ok(hours) = lower.parse::<f64>() {
            let fits = hours.is_finite() && hours.abs() < 168.0;
            return fits.then(|| Self::shown_east((hours * 3600.0).round() as i32));
        }
        if let Some(zone) = Self::of_database(&lower) {
            return Some((zone, Self::database_name(&lower).unwrap_or_default().to_owned()));
        }
        let is_cased = lower.starts_with(|c: char| c.is_ascii_lowercase());
        posix(&lower).map(|zone| (zone, if is_cased { text.trim().to_ascii_uppercase() } else { text.trim().to_owned() }))
    }

    /// A fixed distance as POSIX writes it: `<-08>+08`.
    pub fn shown_east(east: i32) -> (Self, String) {
        let mut name = Vec::new();
        name.push(b'<');
        write_displacement(east, &mut name);
        name.push(b'>');
        write_displacement(-east, &mut name);
        (Self::Fixed(east), String::from_utf8_lossy(&name).into_owned())
    }

    /// A zone by its name or abbreviation in lower case.
    pub fn known(lower: &str) -> Option<Self> {
        match abbreviation(lower) {
            Some(east) => Some(Self::Fixed(east)),
            None => Self::of_database(lower),
        }
    }

    /// A zone of the IANA database by its name in lower case.
    pub fn of_database(lower: &str) -> Option<Self> {
        match NAMES.get(lower) {
            Some(Tz::UTC | Tz::Etc__UTC) => Some(Self::Fixed(0)),
            Some(zone) => Some(Self::Named(*zone)),
            None => None,
        }
    }

    /// The name as the IANA database writes it.
    pub fn database_name(lower: &str) -> Option<&'static str> {
        NAMES.get(lower).map(|zone| zone.name())
    }

    /// Seconds east of Greenwich at an instant, µs since 1970-01-01 UTC.
    pub fn east_at(self, instant: i64) -> i32 {
        match self {
            Self::Fixed(east) => east,
            Self::Named(zone) => naive(instant).map_or(0, |utc| zone.offset_from_utc_datetime(&utc).fix().local_minus_utc()),
        }
    }

    /// What the zone's clock shows at an instant, µs.
    pub fn clock_at(self, instant: i64) -> i64 {
        instant.saturating_add(i64::from(self.east_at(instant)) * SECOND)
    }

    /// The instant at which the zone's clock shows this time (Z1).
    pub fn instant_of(self, clock: i64) -> i64 {
        let east = match self {
            Self::Fixed(east) => east,
            Self::Named(zone) => match naive(clock).map(|local| zone.offset_from_local_datetime(&local)) {
                Some(MappedLocalTime::Single(offset)) => offset.fix().local_minus_utc(),
                // The later reading is standard time.
                Some(MappedLocalTime::Ambiguous(_, late)) => late.fix().local_minus_utc(),
                Some(MappedLocalTime::None) => self.east_at(clock.saturating_sub(DAY)),
                None => 0,
            },
        };
        clock.saturating_sub(i64::from(east) * SECOND)
    }

    /// What the zone is called at an instant, if it has a name then.
    pub fn abbreviation_at(self, instant: i64) -> Option<String> {
        match self {
            Self::Fixed(0) => Some("UTC".to_owned()),
            Self::Fixed(_) => None,
            Self::Named(zone) => {
                let offset = zone.offset_from_utc_datetime(&naive(instant)?);
                let name = offset.abbreviation()?;
                name.starts_with(|first: char| first.is_ascii_alphabetic()).then(|| name.to_owned())
            }
        }
    }
}

fn naive(micros: i64) -> Option<NaiveDateTime> {
    chrono::DateTime::from_timestamp_micros(micros).map(|instant| instant.naive_utc())
}

/// `<+02>-2`, `FOO+5`, `+5`, `-08:00`: hours west of Greenwich, after a name of any letters.
fn posix(lower: &str) -> Option<Zone> {
    let digits = match lower.strip_prefix('<') {
        Some(quoted) => quoted.split_once('>')?.1,
        None => lower.trim_start_matches(|c: char| c.is_ascii_lowercase()),
    };
    if lower.starts_with(|c: char| c.is_ascii_lowercase()) && lower.len() - digits.len() < 3 {
        return None;
    }
    let (sign, digits) = match digits.as_bytes().first()? {
        b'+' => (-1, &digits[1..]),
        b'-' => (1, &digits[1..]),
        b'0'..=b'9' => (-1, digits),
        _ => return None,
    };
    let mut parts = digits.split(':');
    let mut next = || parts.next().map_or(Some(0), |part| part.parse::<i32>().ok());
    let (hours, minutes, seconds) = (next()?, next()?, next()?);
    let fits = hours <= 167 && (0..60).contains(&minutes) && (0..60).contains(&seconds) && parts.next().is_none();
    fits.then_some(Zone::Fixed(sign * (hours * 3600 + minutes * 60 + seconds)))
}

/// Seconds east of Greenwich of an abbreviation in lower case, of those of Postgres's `Default` set.
pub(super) fn abbreviation(word: &str) -> Option<i32> {
    let quarters = match word {
        "utc" | "gmt" | "z" | "zulu" | "ut" | "uct" | "wet" => 0,
        "bst" | "cet" | "west" | "met" => 4,
        "cest" | "eet" | "mest" | "sast" | "ist" => 8,
        "eest" | "msk" | "eat" | "idt" => 12,
        "msd" => 16,
        "pkt" | "uzt" => 20,
        "npt" => 23,
        "ict" => 28,
        "hkt" | "sgt" | "awst" | "pht" => 32,
        "jst" | "kst" => 36,
        "acst" => 38,
        "aest" => 40,
        "acdt" => 42,
        "aedt" => 44,
        "nzst" => 48,
        "nzdt" => 52,
        "ndt" => -10,
        "adt" | "brt" | "art" => -12,
        "nst" => -14,
        "ast" | "edt" => -16,
        "est" | "cdt" => -20,
        "cst" | "mdt" => -24,
        "mst" | "pdt" => -28,
        "pst" | "akdt" => -32,
        "akst" => -36,
        "hst" => -40,
        _ => return None,
    };
    Some(quarters * 900)
}

/// Seconds east of Greenwich of `±H[H][[:]MM[[:]SS]]`.
pub(super) fn displacement(text: &str) -> Result<i32, Wrong> {
    let (sign, digits) = match text.as_bytes() {
        [b'+', ..] => (1, &text[1..]),
        [b'-', ..] => (-1, &text[1..]),
        _ => return Err(Wrong::Format),
    };
    let mut parts = digits.split(':');
    let (first, minutes, seconds) = (parts.next().unwrap_or(""), parts.next(), parts.next());
    let number = |text: &str| text.parse::<i32>().map_err(|_| Wrong::Format);
    let (hour, minute, second) = match (first.len(), minutes) {
        // HHMM and HHMMSS run together.
        (3 | 4, None) => (number(&first[..first.len() - 2])?, number(&first[first.len() - 2..])?, 0),
        (5 | 6, None) => {
            let (hours, rest) = first.split_at(first.len() - 4);
            (number(hours)?, number(&rest[..2])?, number(&rest[2..])?)
        }
        (1 | 2, minutes) => (number(first)?, minutes.map_or(Ok(0), number)?, seconds.map_or(Ok(0), number)?),
        _ => return Err(Wrong::Format),
    };
    if parts.next().is_some() {
        return Err(Wrong::Format);
    }
    if hour > 15 || !(0..60).contains(&minute) || !(0..60).contains(&second) {
        return Err(Wrong::Range);
    }
    Ok(sign * (hour * 3600 + minute * 60 + second))
}

/// What is wrong with a displacement.
pub(super) enum Wrong {
    /// Not digits where digits belong.
    Format,
    /// More than 15:59:59.
    Range,
}

/// Appends `+05:30`: seconds east, as little of it as there is.
pub fn write_displacement(east: i32, out: &mut Vec<u8>) {
    let (hours, minutes, seconds) = (east.unsigned_abs() / 3600, east.unsigned_abs() / 60 % 60, east.unsigned_abs() % 60);
    out.push(if east < 0 { b'-' } else { b'+' });
    out.extend_from_slice(format!("{hours:02}").as_bytes());
    if minutes != 0 || seconds != 0 {
        out.extend_from_slice(format!(":{minutes:02}").as_bytes());
    }
    if seconds != 0 {
        out.extend_from_slice(format!(":{seconds:02}").as_bytes());
    }
}
