//! Prints intervals in a session's style.
//!
//! Never: makes one field of another.

use super::Interval;
use crate::values::manner::IntervalStyle;
use crate::values::time::write_clock;

/// Appends `1 year 2 mons 3 days 04:05:06.789`, as `IntervalStyle = postgres` does.
pub fn write(value: Interval, out: &mut Vec<u8>) {
    let start = out.len();
    let mut is_before = false;
    for (count, unit) in [(value.months / 12, "year"), (value.months % 12, "mon"), (value.days, "day")] {
        if count == 0 {
            continue;
        }
        if out.len() > start {
            out.push(b' ');
        }
        let sign = if is_before && count > 0 { "+" } else { "" };
        let plural = if count == 1 { "" } else { "s" };
        out.extend_from_slice(format!("{sign}{count} {unit}{plural}").as_bytes());
        is_before = count < 0;
    }
    if out.len() == start || value.micros != 0 {
        if out.len() > start {
            out.push(b' ');
        }
        if value.micros < 0 {
            out.push(b'-');
        } else if is_before {
            out.push(b'+');
        }
        write_clock(value.micros.unsigned_abs(), out);
    }
}

/// Appends an interval in a style.
pub fn write_in(value: Interval, style: IntervalStyle, out: &mut Vec<u8>) {
    match style {
        IntervalStyle::Postgres => write(value, out),
        IntervalStyle::Verbose => verbose(&Fields::of(value), out),
        IntervalStyle::Sql => sql(Fields::of(value), out),
        IntervalStyle::Iso => iso(&Fields::of(value), out),
    }
}

/// An interval's fields, each with its own sign.
struct Fields {
    years: i64,
    months: i64,
    days: i64,
    hours: i64,
    minutes: i64,
    /// µs below a minute.
    micros: i64,
}

impl Fields {
    fn of(value: Interval) -> Self {
        let (months, minutes) = (i64::from(value.months), value.micros / 60_000_000);
        Self {
            years: months / 12,
            months: months % 12,
            days: value.days.into(),
            hours: minutes / 60,
            minutes: minutes % 60,
            micros: value.micros % 60_000_000,
        }
    }

    fn all(&self) -> [i64; 6] {
        [self.years, self.months, self.days, self.hours, self.minutes, self.micros]
    }
}

/// Seconds without a sign, with two digits before the point if `padded`.
fn seconds(micros: i64, padded: bool) -> String {
    let (whole, fraction) = (micros.abs() / 1_000_000, micros.abs() % 1_000_000);
    let mut text = if padded { format!("{whole:02}") } else { whole.to_string() };
    if fraction != 0 {
        text.push_str(format!(".{fraction:06}").trim_end_matches('0'));
    }
    text
}

fn verbose(fields: &Fields, out: &mut Vec<u8>) {
    let counted = [(fields.years, "year"), (fields.months, "mon"), (fields.days, "day"), (fields.hours, "hour"), (fields.minutes, "min")];
    let (mut is_zero, mut is_before) = (true, false);
    out.push(b'@');
    for (count, unit) in counted.into_iter().filter(|(count, _)| *count != 0) {
        if is_zero {
            is_before = count < 0;
        }
        let count = if is_before { -count } else { count };
        let plural = if count == 1 { "" } else { "s" };
        out.extend_from_slice(format!(" {count} {unit}{plural}").as_bytes());
        is_zero = false;
    }
    if fields.micros != 0 {
        let is_negative = fields.micros < 0;
        let sign = if !is_zero && is_negative != is_before { "-" } else { "" };
        if is_zero {
            is_before = is_negative;
        }
        let plural = if fields.micros.abs() == 1_000_000 { "" } else { "s" };
        out.extend_from_slice(format!(" {sign}{} sec{plural}", seconds(fields.micros, false)).as_bytes());
        is_zero = false;
    }
    out.extend_from_slice(if is_zero { b" 0" } else { b"" });
    out.extend_from_slice(if is_before { b" ago" } else { b"" });
}

fn sql(fields: Fields, out: &mut Vec<u8>) {
    let all = fields.all();
    let (has_negative, has_positive) = (all.iter().any(|value| *value < 0), all.iter().any(|value| *value > 0));
    let (has_months, has_days) = (all[..2].iter().any(|value| *value != 0), all[2..].iter().any(|value| *value != 0));
    let [years, months, days, hours, minutes, _] = all.map(i64::abs);
    let clock = format!("{hours}:{minutes:02}:{}", seconds(fields.micros, true));
    let text = if !has_negative && !has_positive {
        "0".to_owned()
    } else if (has_negative && has_positive) || (has_months && has_days) {
        let sign = |values: &[i64]| if values.iter().any(|value| *value < 0) { '-' } else { '+' };
        format!("{}{years}-{months} {}{days} {}{clock}", sign(&all[..2]), sign(&all[2..3]), sign(&all[3..]))
    } else {
        let sign = if has_negative { "-" } else { "" };
        match (has_months, days) {
            (true, _) => format!("{sign}{years}-{months}"),
            (false, 0) => format!("{sign}{clock}"),
            (false, days) => format!("{sign}{days} {clock}"),
        }
    };
    out.extend_from_slice(text.as_bytes());
}

fn iso(fields: &Fields, out: &mut Vec<u8>) {
    if fields.all().iter().all(|value| *value == 0) {
        return out.extend_from_slice(b"PT0S");
    }
    let counted = |counts: &[(i64, char)]| -> String {
        counts.iter().filter(|(count, _)| *count != 0).map(|(count, unit)| format!("{count}{unit}")).collect()
    };
    let mut text = "P".to_owned() + &counted(&[(fields.years, 'Y'), (fields.months, 'M'), (fields.days, 'D')]);
    if fields.hours != 0 || fields.minutes != 0 || fields.micros != 0 {
        text.push('T');
        text.push_str(&counted(&[(fields.hours, 'H'), (fields.minutes, 'M')]));
        if fields.micros != 0 {
            text.push_str(&format!("{}{}S", if fields.micros < 0 { "-" } else { "" }, seconds(fields.micros, false)));
        }
    }
    out.extend_from_slice(text.as_bytes());
}
