//! `interval`: months, days and µs, none made of another.
//!
//! I1: µs lie within ±292 years, what Arrow's 64 bits of ns hold; Postgres's own bound is a thousand times that.
//! Never: knows a calendar.

mod iso;
mod parse;
mod write;

use arrow::datatypes::IntervalMonthDayNano;
use base::{SqlError, SqlResult, SqlState};

use super::time::DAY_MICROS;

pub use parse::{parse, parse_in_units};
pub use write::{write, write_in};

/// One interval.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Interval {
    /// Years are twelve of them.
    pub months: i32,
    /// Weeks are seven of them.
    pub days: i32,
    /// What is shorter than a day, or longer if so written.
    pub micros: i64,
}

/// `interval out of range` (22008).
pub fn out_of_range() -> SqlError {
    SqlError::new(SqlState::DATETIME_FIELD_OVERFLOW, "interval out of range")
}

impl Interval {
    /// From Arrow's layout.
    pub fn from_arrow(value: IntervalMonthDayNano) -> Self {
        Self { months: value.months, days: value.days, micros: value.nanoseconds / 1_000 }
    }

    /// In Arrow's layout. Errors: 22008 (I1).
    pub fn to_arrow(self) -> SqlResult<IntervalMonthDayNano> {
        let nanoseconds = self.micros.checked_mul(1_000).ok_or_else(out_of_range)?;
        Ok(IntervalMonthDayNano::new(self.months, self.days, nanoseconds))
    }

    /// µs in all, a month counted as thirty days and a day as 24 hours: what intervals are compared by.
    pub fn span(self) -> i128 {
        (i128::from(self.months) * 30 + i128::from(self.days)) * i128::from(DAY_MICROS) + i128::from(self.micros)
    }

    /// Field by field. Errors: 22008.
    pub fn plus(self, other: Self) -> SqlResult<Self> {
        let sum = || {
            Some(Self {
                months: self.months.checked_add(other.months)?,
                days: self.days.checked_add(other.days)?,
                micros: self.micros.checked_add(other.micros)?,
            })
        };
        sum().ok_or_else(out_of_range)
    }

    /// With every sign turned. Errors: 22008.
    pub fn negate(self) -> SqlResult<Self> {
        let turned =
            || Some(Self { months: self.months.checked_neg()?, days: self.days.checked_neg()?, micros: self.micros.checked_neg()? });
        turned().ok_or_else(out_of_range)
    }

    /// Times a factor; fractions of months go into days of thirty a month, fractions of days into µs. Errors: 22008.
    pub fn times(self, factor: f64) -> SqlResult<Self> {
        self.scaled(|value| value * factor)
    }

    /// Divided. Errors: 22012, 22008.
    pub fn over(self, divisor: f64) -> SqlResult<Self> {
        if divisor == 0.0 {
            return Err(SqlError::new(SqlState::DIVISION_BY_ZERO, "division by zero"));
        }
        self.scaled(|value| value / divisor)
    }

    /// Postgres's `interval_mul`, with its roundings.
    fn scaled(self, scale: impl Fn(f64) -> f64) -> SqlResult<Self> {
        const DAY_SECONDS: f64 = 86_400.0;
        let round = |value: f64| (value * 1e6).round_ties_even() / 1e6;
        let whole = |value: f64| {
            let fits = (f64::from(i32::MIN)..=f64::from(i32::MAX)).contains(&value);
            if fits { Ok(value as i32) } else { Err(out_of_range()) }
        };
        let (months, days) = (scale(self.months.into()), scale(self.days.into()));
        let (whole_months, mut whole_days) = (whole(months)?, whole(days)?);
        let days_of_months = round((months - f64::from(whole_months)) * 30.0);
        let mut seconds = round((days - f64::from(whole_days) + days_of_months - days_of_months.trunc()) * DAY_SECONDS);
        if seconds.abs() >= DAY_SECONDS {
            let more = (seconds / DAY_SECONDS).trunc();
            whole_days = whole_days.checked_add(whole(more)?).ok_or_else(out_of_range)?;
            seconds -= more * DAY_SECONDS;
        }
        let whole_days = whole_days.checked_add(whole(days_of_months)?).ok_or_else(out_of_range)?;
        let micros = (scale(self.micros as f64) + seconds * 1e6).round_ties_even();
        if !(-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&micros) {
            return Err(out_of_range());
        }
        Ok(Self { months: whole_months, days: whole_days, micros: micros as i64 })
    }
}
