//! `now`, `today`, `tomorrow` and `yesterday` in a text.
//!
//! Never: reads a clock; the caller brings the time.

use super::DAY_MICROS;
use crate::values::time;
use crate::values::zone::{Zone, write_displacement};

/// What a text says that needs a clock.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum ClockWord {
    Now,
    /// So many days after today.
    Day(i32),
    /// A time of such a day, in µs.
    At(i32, i64),
}

fn day(word: &str) -> Option<i32> {
    match word {
        "today" => Some(0),
        "tomorrow" => Some(1),
        "yesterday" => Some(-1),
        _ => None,
    }
}

/// Whether a whole text names a day or an instant by the clock: `now`, `today`, `tomorrow 12:00` ….
pub(crate) fn clock_word(text: &str) -> Option<ClockWord> {
    let lower = text.trim().to_ascii_lowercase();
    if lower == "now" {
        return Some(ClockWord::Now);
    }
    if let Some(by) = day(&lower) {
        return Some(ClockWord::Day(by));
    }
    let (first, second) = lower.split_once(char::is_whitespace)?;
    let (by, clock) = match (day(first), day(second.trim())) {
        (Some(by), None) => (by, second.trim()),
        (None, Some(by)) => (by, first),
        _ => return None,
    };
    // What is more than digits may be a zone.
    let is_plain = clock.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b':' | b'.'));
    let micros = time::parse(clock).ok().filter(|_| is_plain && clock.contains(':'))?;
    Some(ClockWord::At(by, micros))
}

/// Whether a word of the clock's is anywhere in a text.
pub fn names_clock(text: &str) -> bool {
    words(text).any(|(_, word)| word.eq_ignore_ascii_case("now") || day(&word.to_ascii_lowercase()).is_some())
}

/// The text with the date, or the instant, in place of the word, and in front; `None` if there is none. `now_us` are µs since 1970-01-01 UTC.
pub fn without_clock(text: &str, now_us: i64, zone: Zone) -> Option<String> {
    let local = zone.clock_at(now_us);
    words(text).find_map(|(at, word)| {
        let moment = match word.to_ascii_lowercase().as_str() {
            "now" => instant(local, zone.east_at(now_us)),
            other => date(local.div_euclid(DAY_MICROS) + i64::from(day(other)?)),
        };
        let (before, after) = (text[..at].trim(), text[at + word.len()..].trim());
        Some([moment.as_str(), before, after].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" "))
    })
}

/// Runs of letters and where they begin.
fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let is_letter = |c: char| c.is_alphanumeric() || c == '_';
    text.split(move |c| !is_letter(c)).filter(|word| !word.is_empty()).map(|word| (word.as_ptr() as usize - text.as_ptr() as usize, word))
}

fn date(days: i64) -> String {
    let (year, month, day) = super::calendar::date(days);
    format!("{year:04}-{month:02}-{day:02}")
}

fn instant(local: i64, east: i32) -> String {
    let mut out = format!("{} ", date(local.div_euclid(DAY_MICROS))).into_bytes();
    time::write(local.rem_euclid(DAY_MICROS), &mut out);
    write_displacement(east, &mut out);
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2024-03-10 23:30:15.25 UTC, which is the eleventh in Berlin.
    const NOW_US: i64 = 1_710_113_415_250_000;

    #[test]
    fn words_become_what_they_mean_in_the_zone() {
        let berlin = Zone::known("europe/berlin").unwrap();
        let written = |text: &str| without_clock(text, NOW_US, berlin);
        assert_eq!(written("now").as_deref(), Some("2024-03-11 00:30:15.25+01"));
        assert_eq!(written(" Tomorrow 12:00").as_deref(), Some("2024-03-12 12:00"));
        assert_eq!(written("08:30 today").as_deref(), Some("2024-03-11 08:30"));
        assert_eq!(written("YESTERDAY").as_deref(), Some("2024-03-10"));
        assert_eq!(written("2024-01-01"), None);
        assert_eq!(written("nowhere"), None);
        assert!(names_clock("12:00 today") && !names_clock("todays"));
    }

    #[test]
    fn a_time_of_a_day_is_one_without_a_zone() {
        assert_eq!(clock_word("tomorrow 12:30"), Some(ClockWord::At(1, 45_000_000_000)));
        assert_eq!(clock_word("12:30 today"), Some(ClockWord::At(0, 45_000_000_000)));
        assert_eq!(clock_word("today 12:30+02"), None);
        assert_eq!(clock_word("today 5"), None);
    }
}
