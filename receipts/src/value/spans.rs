//! Times of day and intervals.
//!
//! Never: makes a month of days or a day of hours.
//! Format: docs/formats/leaf.md.

use std::fmt::Write as _;

use super::{MICROS_A_DAY, error};
use crate::FormatError;

/// `04:05:06.789`
pub(super) fn time(micros: i64) -> Result<String, FormatError> {
    if !(0..=MICROS_A_DAY).contains(&micros) {
        return Err(error("is a time that no day has"));
    }
    Ok(clock(micros.unsigned_abs()))
}

/// `1 year 2 mons -3 days +04:05:06.789`, as Postgres prints it.
pub(super) fn interval(bytes: [u8; 16]) -> String {
    let number = u128::from_le_bytes(bytes);
    let (months, days, micros) = (number as i32, (number >> 32) as i32, (number >> 64) as i64);
    let mut text = String::new();
    let mut is_before = false;
    for (count, unit) in [(months / 12, "year"), (months % 12, "mon"), (days, "day")] {
        if count != 0 {
            let blank = if text.is_empty() { "" } else { " " };
            let sign = if is_before && count > 0 { "+" } else { "" };
            let plural = if count == 1 { "" } else { "s" };
            // Writing to a String cannot fail.
            let _ = write!(text, "{blank}{sign}{count} {unit}{plural}");
            is_before = count < 0;
        }
    }
    if text.is_empty() || micros != 0 {
        if !text.is_empty() {
            text.push(' ');
        }
        if micros < 0 {
            text.push('-');
        } else if is_before {
            text.push('+');
        }
        text.push_str(&clock(micros.unsigned_abs()));
    }
    text
}

fn clock(micros: u64) -> String {
    let (seconds, fraction) = (micros / 1_000_000, micros % 1_000_000);
    let mut text = format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    if fraction != 0 {
        text.push_str(format!(".{fraction:06}").trim_end_matches('0'));
    }
    text
}
