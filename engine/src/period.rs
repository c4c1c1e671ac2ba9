//! How long rows are kept: a period of the calendar, and who may make it shorter.
//!
//! P1: a period is of months, days and µs, none below zero and not all zero; the first two are the calendar's.
//! P2: one period is at least as long as another if it is so from every moment on: «30 days» is not shorter than «1 month», «1 month» is shorter than
//!     «31 days».
//! Never: knows a clock or a table.
//! Format: docs/formats/leaf.md, «definition of a table».

use std::fmt;

use serde_json::Value;

const HOUR_US: i64 = 3_600_000_000;
const DAY_US: i64 = 24 * HOUR_US;

/// A length of time (P1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Period {
    months: i32,
    days: i32,
    us: i64,
}

impl Period {
    /// `None` where a part is below zero or all are zero (P1).
    pub fn new(months: i32, days: i32, us: i64) -> Option<Self> {
        let is_one = months >= 0 && days >= 0 && us >= 0 && (months, days, us) != (0, 0, 0);
        is_one.then_some(Self { months, days, us })
    }

    /// Months, days and µs.
    pub fn parts(self) -> (i32, i32, i64) {
        (self.months, self.days, self.us)
    }

    /// The moment so long after one, both µs since 1970-01-01 UTC; the last there is where that is past all. A month that is shorter than the day of
    /// the month asks for ends on its last day.
    pub fn after(self, from_us: i64) -> i64 {
        let (day, of_day) = (from_us.div_euclid(DAY_US), from_us.rem_euclid(DAY_US));
        let (year, month, date) = civil(day);
        let months = year * 12 + (month - 1) + i64::from(self.months);
        let (year, month) = (months.div_euclid(12), months.rem_euclid(12) + 1);
        let last = days_of(year + month / 12, month % 12 + 1, 1) - days_of(year, month, 1);
        let day = days_of(year, month, date.min(last)) + i64::from(self.days);
        day.checked_mul(DAY_US).and_then(|us| us.checked_add(of_day)).and_then(|us| us.checked_add(self.us)).unwrap_or(i64::MAX)
    }

    /// P2. Says no where it is so only from some moments on.
    pub fn is_at_least(self, other: Self) -> bool {
        let by_parts = self.months >= other.months && self.days >= other.days && self.us >= other.us;
        by_parts || self.bounds_us().0 >= other.bounds_us().1
    }

    /// The least and the greatest that it can be, in µs.
    fn bounds_us(self) -> (i128, i128) {
        let (years, months) = (i128::from(self.months / 12), i128::from(self.months % 12));
        let rest = i128::from(self.days) * i128::from(DAY_US) + i128::from(self.us);
        let days = |year: i128, month: i128| (years * year + months * month) * i128::from(DAY_US) + rest;
        (days(365, 28), days(366, 31))
    }
}

/// As Postgres shows an interval.
impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        for (number, name) in [(self.months / 12, "year"), (self.months % 12, "mon"), (self.days, "day")] {
            if number != 0 {
                parts.push(format!("{number} {name}{}", if number == 1 { "" } else { "s" }));
            }
        }
        if self.us > 0 {
            let (hours, rest) = (self.us / HOUR_US, self.us % HOUR_US);
            let (minutes, seconds, us) = (rest / 60_000_000, rest / 1_000_000 % 60, rest % 1_000_000);
            let fraction = format!(".{us:06}");
            let fraction = if us == 0 { "" } else { fraction.trim_end_matches('0') };
            parts.push(format!("{hours:02}:{minutes:02}:{seconds:02}{fraction}"));
        }
        f.write_str(&parts.join(" "))
    }
}

/// Who may shorten a retention.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// A role with the right to.
    Governance,
    /// Nobody.
    Compliance,
}

impl Mode {
    /// As it is written.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Governance => "governance",
            Self::Compliance => "compliance",
        }
    }

    /// Reads it back.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Governance, Self::Compliance].into_iter().find(|mode| mode.name() == name)
    }
}

/// What a table says of how long its rows are kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Retention {
    /// From a row's commit on.
    pub period: Period,
    /// Who may shorten it.
    pub mode: Mode,
}

impl Retention {
    /// Whether nothing is kept for a shorter time, or less firmly, under the other.
    pub fn is_held_by(&self, other: Option<&Self>) -> bool {
        other
            .is_some_and(|other| other.period.is_at_least(self.period) && (self.mode == Mode::Governance || other.mode == Mode::Compliance))
    }

    /// As the options of a table, each `name=value`.
    pub fn options(&self) -> [String; 2] {
        [format!("retention={}", self.period), format!("mode={}", self.mode.name())]
    }

    pub(crate) fn text(&self) -> Value {
        let (months, days, us) = self.period.parts();
        serde_json::json!([months, days, us, self.mode.name()])
    }

    /// `Some(None)`: there is none. `None`: it is something else.
    pub(crate) fn read(value: &Value) -> Option<Option<Self>> {
        if value.is_null() {
            return Some(None);
        }
        let [months, days, us, mode] = value.as_array()?.as_slice() else { return None };
        let small = |value: &Value| value.as_i64().and_then(|number| i32::try_from(number).ok());
        let period = Period::new(small(months)?, small(days)?, us.as_i64()?)?;
        Some(Some(Self { period, mode: Mode::from_name(mode.as_str()?)? }))
    }
}

/// Year, month and day of a count of days since 1970-01-01 (Hinnant, «chrono-compatible date algorithms»).
fn civil(days: i64) -> (i64, i64, i64) {
    let z = days + 719_468;
    let (era, day_of_era) = (z.div_euclid(146_097), z.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day_of_year - (153 * shifted + 2) / 5 + 1)
}

/// Days since 1970-01-01.
fn days_of(year: i64, month: i64, day: i64) -> i64 {
    let (year, shifted) = if month <= 2 { (year - 1, month + 9) } else { (year, month - 3) };
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * shifted + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

#[cfg(test)]
mod tests;
