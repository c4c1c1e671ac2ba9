//! Gives date/time tokens their meaning, by the rules of Postgres's `DecodeDateTime`.
//!
//! P1: each of year, month, day, time and zone is set at most once.
//! Never: reads a clock.

use super::tokens::{Token, tokens};
use super::{DAY_MICROS, calendar};
use crate::values::manner::DateOrder;
use crate::values::zone::{Wrong, Zone, displacement};

/// What a date/time input means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    Infinity,
    MinusInfinity,
    /// Local day since 1970-01-01, µs into it (0 to a whole day, both included), zone if named.
    Moment {
        day: i64,
        micros: i64,
        zone: Option<Zone>,
    },
}

/// What is wrong with a date/time input.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// Not a date or time.
    Format,
    /// A field out of its range.
    Range,
    /// Month or day out of range: maybe meant in another order.
    Order,
    /// A zone displacement beyond 15:59:59.
    Displacement,
    /// The name of no zone.
    Zone(String),
    /// `now` and its kin.
    Clock(String),
}

impl From<Wrong> for Fault {
    fn from(wrong: Wrong) -> Self {
        match wrong {
            Wrong::Format => Self::Format,
            Wrong::Range => Self::Displacement,
        }
    }
}

/// Decodes a text in lower case.
pub(super) fn decode(text: &str, order: DateOrder) -> Result<Meaning, Fault> {
    let tokens = tokens(text).ok_or(Fault::Format)?;
    match tokens.as_slice() {
        [Token::Word("infinity")] => return Ok(Meaning::Infinity),
        [Token::Signed("-infinity")] => return Ok(Meaning::MinusInfinity),
        [Token::Word("epoch")] => return Ok(Meaning::Moment { day: 0, micros: 0, zone: Some(Zone::Fixed(0)) }),
        _ => {}
    }
    let mut fields = Fields { order, ..Fields::default() };
    for (at, token) in tokens.iter().enumerate() {
        match token {
            Token::Time(time) => fields.time(time)?,
            Token::Date(date) => fields.date(date)?,
            Token::Number(number) => fields.lone_number(number)?,
            Token::Displacement(zone) => fields.zone(Zone::Fixed(displacement(zone)?))?,
            Token::Word(word) => fields.word(word, tokens.get(at + 1))?,
            Token::Signed(_) => return Err(Fault::Format),
        }
    }
    fields.finish()
}

/// Month 1–12 of a name in lower case, whole or by its first three letters.
pub(super) fn month(word: &str) -> Option<i64> {
    const NAMES: [&str; 12] =
        ["january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december"];
    let found = NAMES.iter().position(|name| word == *name || word == &name[..3] || (word == "sept" && *name == "september"));
    found.map(|at| at as i64 + 1)
}

fn is_weekday(word: &str) -> bool {
    const NAMES: [&str; 7] = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];
    NAMES.iter().any(|name| word == *name || word == &name[..3]) || matches!(word, "tues" | "weds" | "thur" | "thurs")
}

#[derive(Default)]
struct Fields {
    order: DateOrder,
    year: Option<i64>,
    month: Option<i64>,
    day: Option<i64>,
    day_of_year: Option<i64>,
    /// Days since 1970-01-01, from a Julian day.
    julian: Option<i64>,
    two_digit_year: bool,
    month_by_name: bool,
    before_christ: Option<bool>,
    /// Hour and the µs after it.
    time: Option<(i64, i64)>,
    afternoon: Option<bool>,
    zone: Option<Zone>,
    weekday: bool,
    next_is_julian: bool,
}

/// Sets a field (P1).
fn set<T>(field: &mut Option<T>, value: T) -> Result<(), Fault> {
    if field.replace(value).is_some() { Err(Fault::Format) } else { Ok(()) }
}

fn integer(digits: &str) -> Result<i64, Fault> {
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) || digits.is_empty() {
        return Err(Fault::Format);
    }
    digits.parse::<i32>().map(i64::from).map_err(|_| Fault::Range)
}

/// µs of a fraction's digits, rounded as Postgres's `rint` does.
fn fraction(digits: &str) -> Result<i64, Fault> {
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Fault::Format);
    }
    let fraction: f64 = format!("0.{digits}0").parse().map_err(|_| Fault::Format)?;
    Ok((fraction * 1e6).round_ties_even() as i64)
}

impl Fields {
    fn date_is_complete(&self) -> bool {
        self.julian.is_some() || (self.year.is_some() && (self.day_of_year.is_some() || (self.month.is_some() && self.day.is_some())))
    }

    fn zone(&mut self, zone: Zone) -> Result<(), Fault> {
        set(&mut self.zone, zone)
    }

    fn clock(&mut self, hour: i64, minute: i64, second: i64, micros: i64) -> Result<(), Fault> {
        let rest = (minute * 60 + second) * 1_000_000 + micros;
        if minute > 59 || second > 60 || hour > 24 || hour * 3_600_000_000 + rest > DAY_MICROS {
            return Err(Fault::Range);
        }
        set(&mut self.time, (hour, rest))
    }

    /// `HH:MM[:SS[.f]]`, and `MM:SS.f`.
    fn time(&mut self, text: &str) -> Result<(), Fault> {
        let (clock, part) = match text.split_once('.') {
            Some((clock, digits)) => (clock, Some(fraction(digits)?)),
            None => (text, None),
        };
        let mut parts = clock.split(':');
        let mut next = || parts.next().map(|digits| if digits.is_empty() { Ok(0) } else { integer(digits) }).transpose();
        match (next()?, next()?, next()?, next()?) {
            (Some(minute), Some(second), None, None) if part.is_some() => self.clock(0, minute, second, part.unwrap_or(0)),
            (Some(hour), Some(minute), second, None) => self.clock(hour, minute, second.unwrap_or(0), part.unwrap_or(0)),
            _ => Err(Fault::Format),
        }
    }

    /// A date in one token: names of months count wherever they stand. Postgres takes none after a time or a weekday.
    fn date(&mut self, text: &str) -> Result<(), Fault> {
        if let Some(minus) = text.find('-').filter(|_| self.date_is_complete() && self.time.is_none()) {
            // `20240102T030405-08`
            self.run_together(&text[..minus], None)?;
            return self.zone(Zone::Fixed(displacement(&text[minus..])?));
        }
        if self.date_is_complete() || self.time.is_some() || self.weekday {
            return Err(Fault::Format);
        }
        let parts = || text.split(['-', '/', '.']).filter(|part| !part.is_empty());
        for name in parts().filter(|part| !part.as_bytes()[0].is_ascii_digit()) {
            set(&mut self.month, month(name).ok_or(Fault::Format)?)?;
            self.month_by_name = true;
        }
        for digits in parts().filter(|part| part.as_bytes()[0].is_ascii_digit()) {
            if self.date_is_complete() {
                return Err(Fault::Format);
            }
            self.part(digits)?;
        }
        if self.date_is_complete() { Ok(()) } else { Err(Fault::Format) }
    }

    /// A number standing alone.
    fn lone_number(&mut self, text: &str) -> Result<(), Fault> {
        if std::mem::take(&mut self.next_is_julian) {
            return set(&mut self.julian, integer(text)? - 2_440_588);
        }
        let complete = self.date_is_complete();
        match text.find('.') {
            Some(_) if !complete => self.date(text),
            Some(point) if point > 2 => self.run_together(&text[..point], Some(&text[point + 1..])),
            None if text.len() >= 6 && (!complete || self.time.is_none()) => self.run_together(text, None),
            None => self.part(text),
            Some(_) => Err(Fault::Format),
        }
    }

    /// `YYYYMMDD`, `YYMMDD`, and after a date `HHMMSS[.f]`, `HHMM`.
    fn run_together(&mut self, digits: &str, part: Option<&str>) -> Result<(), Fault> {
        if digits.len() >= 6 && part.is_none() && !self.date_is_complete() {
            let (year, rest) = digits.split_at(digits.len() - 4);
            self.two_digit_year = year.len() == 2;
            set(&mut self.year, integer(year)?)?;
            set(&mut self.month, integer(&rest[..2])?)?;
            return set(&mut self.day, integer(&rest[2..])?);
        }
        let micros = part.map_or(Ok(0), fraction)?;
        match digits.len() {
            6 => self.clock(integer(&digits[..2])?, integer(&digits[2..4])?, integer(&digits[4..])?, micros),
            4 if part.is_none() => self.clock(integer(&digits[..2])?, integer(&digits[2..])?, 0, 0),
            _ => Err(Fault::Format),
        }
    }

    /// One number of a date: which one depends on those before it and on its length.
    fn part(&mut self, digits: &str) -> Result<(), Fault> {
        let value = integer(digits)?;
        let long = digits.len() >= 3;
        if digits.len() == 3 && (self.year.is_some(), self.month, self.day) == (true, None, None) && (1..=366).contains(&value) {
            return set(&mut self.day_of_year, value);
        }
        let year_first = long || self.order == DateOrder::Ymd;
        match (self.year, self.month, self.day) {
            (None, None, None) if !year_first && self.order == DateOrder::Dmy => self.day = Some(value),
            (None, None, None) if !year_first => self.month = Some(value),
            (None, Some(_), None) if !(self.month_by_name && year_first) => self.day = Some(value),
            (Some(year), Some(_), None) if self.month_by_name && long && self.two_digit_year => {
                // What was taken for the year was the day.
                (self.day, self.year, self.two_digit_year) = (Some(year), Some(value), false);
            }
            (None, None, None) | (None, Some(_), None | Some(_)) => {
                self.year = Some(value);
                self.two_digit_year = digits.len() <= 2;
            }
            (Some(_), None, None) | (None, None, Some(_)) => self.month = Some(value),
            (Some(_), Some(_), None) => self.day = Some(value),
            (Some(_), None, Some(_)) => return Err(Fault::Format),
            (Some(_), Some(_), Some(_)) => return self.run_together(digits, None),
        }
        Ok(())
    }

    fn word(&mut self, word: &str, next: Option<&Token<'_>>) -> Result<(), Fault> {
        let number_follows = matches!(next, Some(Token::Number(_)));
        match word {
            "am" | "pm" => set(&mut self.afternoon, word == "pm"),
            "ad" | "bc" => set(&mut self.before_christ, word == "bc"),
            "j" if number_follows && !self.date_is_complete() => {
                self.next_is_julian = true;
                Ok(())
            }
            "t" if self.date_is_complete() && (number_follows || matches!(next, Some(Token::Time(_) | Token::Date(_)))) => Ok(()),
            "at" | "on" => Ok(()),
            "allballs" => self.clock(0, 0, 0, 0).and_then(|()| self.zone(Zone::Fixed(0))),
            "now" | "today" | "tomorrow" | "yesterday" => Err(Fault::Clock(word.to_owned())),
            word if is_weekday(word) => {
                self.weekday = true;
                Ok(())
            }
            word => {
                if let Some(found) = month(word) {
                    return self.named_month(found);
                }
                match Zone::known(word) {
                    Some(zone) => self.zone(zone),
                    None if word.contains('/') => Err(Fault::Zone(word.to_owned())),
                    None => Err(Fault::Format),
                }
            }
        }
    }

    /// A month's name on its own; a number read as the month before it was the day: `2 January 2024`.
    fn named_month(&mut self, found: i64) -> Result<(), Fault> {
        if let (Some(first), false, None) = (self.month, self.month_by_name, self.day) {
            self.day = Some(first);
            self.month = None;
        }
        self.month_by_name = true;
        set(&mut self.month, found)
    }

    fn finish(self) -> Result<Meaning, Fault> {
        if !self.date_is_complete() || self.next_is_julian {
            return Err(Fault::Format);
        }
        let day = self.days()?;
        let (hour, rest) = self.time.unwrap_or((0, 0));
        let hour = match self.afternoon {
            Some(_) if hour > 12 => return Err(Fault::Range),
            Some(true) if hour != 12 => hour + 12,
            Some(false) if hour == 12 => 0,
            _ => hour,
        };
        let micros = hour * 3_600_000_000 + rest;
        assert!((0..=DAY_MICROS + 1_000_000).contains(&micros), "C1: a time of day is at most 24 hours and a leap second");
        Ok(Meaning::Moment { day, micros, zone: self.zone })
    }

    fn days(&self) -> Result<i64, Fault> {
        if let Some(days) = self.julian {
            return Ok(days);
        }
        let written = self.year.ok_or(Fault::Format)?;
        let year = match self.before_christ {
            Some(true) => 1 - written,
            _ if self.two_digit_year => written + if written < 70 { 2000 } else { 1900 },
            _ => written,
        };
        if written == 0 && (!self.two_digit_year || self.before_christ == Some(true)) {
            return Err(Fault::Range);
        }
        if let Some(day_of_year) = self.day_of_year {
            return Ok(calendar::days(year, 1, 1) + day_of_year - 1);
        }
        let (month, day) = self.month.zip(self.day).ok_or(Fault::Format)?;
        if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
            return Err(Fault::Order);
        }
        if day > calendar::month_days(year, month) {
            return Err(Fault::Range);
        }
        Ok(calendar::days(year, month, day))
    }
}
