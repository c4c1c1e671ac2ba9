//! Days, months and years of the proleptic Gregorian calendar, and the parts of an instant, an interval or a time that have a name.
//!
//! F26: year 0 is 1 BC, as astronomers and Postgres's storage count; what a user sees has no year 0.

use crate::functions::row::Span;

pub(super) const SECOND: i64 = 1_000_000;
pub(super) const MINUTE: i64 = 60 * SECOND;
pub(super) const HOUR: i64 = 60 * MINUTE;
pub(super) const DAY: i64 = 24 * HOUR;

/// Days of 1970-01-01 since the Julian day 0.
pub(super) const JULIAN_EPOCH: i64 = 2_440_588;

/// A day and the microseconds in it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Moment {
    pub(super) year: i64,
    pub(super) month: i64,
    pub(super) day: i64,
    /// Days since 1970-01-01.
    pub(super) days: i64,
    /// Microseconds since midnight.
    pub(super) of_day: i64,
}

impl Moment {
    /// The moment so many microseconds after 1970-01-01.
    pub(super) fn of(micros: i64) -> Self {
        let (days, of_day) = (micros.div_euclid(DAY), micros.rem_euclid(DAY));
        let (year, month, day) = civil(days);
        Self { year, month, day, days, of_day }
    }

    pub(super) fn hour(self) -> i64 {
        self.of_day / HOUR
    }

    /// 0 is Sunday.
    pub(super) fn weekday(self) -> i64 {
        (self.days + 4).rem_euclid(7)
    }

    /// 1 is Monday.
    pub(super) fn iso_weekday(self) -> i64 {
        (self.days + 3).rem_euclid(7) + 1
    }

    pub(super) fn day_of_year(self) -> i64 {
        self.days - days_of(self.year, 1, 1) + 1
    }

    /// ISO 8601's year and week.
    pub(super) fn iso_week(self) -> (i64, i64) {
        let thursday = self.days - self.iso_weekday() + 4;
        let year = civil(thursday).0;
        (year, (thursday - days_of(year, 1, 1)) / 7 + 1)
    }

    pub(super) fn century(self) -> i64 {
        if self.year > 0 { (self.year + 99) / 100 } else { -((99 - (self.year - 1)) / 100) }
    }
}

/// Year, month and day of a count of days since 1970-01-01 (Hinnant, «chrono-compatible date algorithms»).
pub(super) fn civil(days: i64) -> (i64, i64, i64) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let day_of_era = z.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

/// Days since 1970-01-01.
pub(super) fn days_of(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

pub(super) fn days_in_month(year: i64, month: i64) -> i64 {
    let next = if month == 12 { days_of(year + 1, 1, 1) } else { days_of(year, month + 1, 1) };
    next - days_of(year, month, 1)
}

/// The day, if there is one.
pub(super) fn checked_days(year: i64, month: i64, day: i64) -> Option<i64> {
    let is_real = (1..=12).contains(&month) && day >= 1 && day <= days_in_month(year, month);
    is_real.then(|| days_of(year, month, day))
}

/// `later − earlier` in years, months, days and time (`age`).
pub(super) fn age(later: i64, earlier: i64) -> Span {
    if later < earlier {
        let span = age(earlier, later);
        return Span { months: -span.months, days: -span.days, micros: -span.micros };
    }
    let (late, early) = (Moment::of(later), Moment::of(earlier));
    let mut micros = late.of_day - early.of_day;
    let mut days = late.day - early.day;
    let mut months = (late.year - early.year) * 12 + late.month - early.month;
    if micros < 0 {
        micros += DAY;
        days -= 1;
    }
    if days < 0 {
        // As many as the earlier date's month has.
        days += days_in_month(early.year, early.month);
        months -= 1;
    }
    Span { months, days, micros }
}
