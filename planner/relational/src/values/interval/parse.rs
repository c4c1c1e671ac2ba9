//! Reads intervals by the rules of Postgres's `ParseDateTime` and `DecodeInterval`: from the last field to the first, so that a number meets
//! its unit before itself.
//!
//! P1: each unit is set at most once.

use base::{SqlError, SqlResult, SqlState};

use super::super::invalid_moment;
use super::super::manner::IntervalStyle;
use super::{Interval, iso};

/// What is wrong with an input.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fault {
    Format,
    Range,
}

/// What a number counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Unit {
    Microsecond,
    Millisecond,
    Second,
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Year,
    Decade,
    Century,
    Millennium,
}

/// Reads one. In the style of the SQL standard a sign in front is that of all fields, if it is the only one. Errors: 22007, 22015.
pub fn parse(text: &str, style: IntervalStyle) -> SqlResult<Interval> {
    parse_in_units(text, None, style)
}

/// Reads one whose numbers without a unit count `unit` (a field's name, as in `INTERVAL '5' MONTH`). Errors: as for [`parse`].
pub fn parse_in_units(text: &str, unit: Option<&str>, style: IntervalStyle) -> SqlResult<Interval> {
    let unit = unit.and_then(|name| named(&name.to_ascii_lowercase()));
    read(text, unit.unwrap_or(Unit::Second), style).map_err(|fault| match fault {
        Fault::Format => invalid_moment("interval", text),
        Fault::Range => SqlError::new(SqlState("22015"), format!("interval field value out of range: \"{text}\"")),
    })
}

fn read(text: &str, bare: Unit, style: IntervalStyle) -> Result<Interval, Fault> {
    let lower = text.to_ascii_lowercase();
    let tokens = tokens(&lower);
    match tokens.as_deref().map(|tokens| decode(tokens, bare, style == IntervalStyle::Sql && has_one_sign(tokens))) {
        Some(Ok(found)) => return Ok(found),
        Some(Err(Fault::Range)) => return Err(Fault::Range),
        _ => {}
    }
    match text.trim().strip_prefix('P') {
        Some(designators) => iso::read(designators),
        None => Err(Fault::Format),
    }
}

#[derive(Debug)]
enum Token<'a> {
    /// Digits, a point, perhaps a sign before them; a sign between years and months.
    Number(&'a str),
    /// Digits and colons, perhaps a sign before them.
    Time(&'a str),
    Word(&'a str),
}

fn tokens(text: &str) -> Option<Vec<Token<'_>>> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let start = at;
        let run = |mut at: usize, wanted: &dyn Fn(u8) -> bool| {
            while at < bytes.len() && wanted(bytes[at]) {
                at += 1;
            }
            at
        };
        match bytes[at] {
            b' ' | b'\t'..=b'\r' => at += 1,
            b'+' | b'-' => {
                at = run(at + 1, &|byte| byte.is_ascii_whitespace());
                let digits = at;
                at = run(at, &|byte| byte.is_ascii_digit() || matches!(byte, b':' | b'.' | b'-'));
                if digits == at {
                    return None;
                }
                let token = &text[start..at];
                found.push(if token.contains(':') { Token::Time(token) } else { Token::Number(token) });
            }
            b'0'..=b'9' | b'.' => {
                at = run(at, &|byte| byte.is_ascii_digit());
                if bytes.get(at) == Some(&b':') {
                    at = run(at, &|byte| byte.is_ascii_digit() || matches!(byte, b':' | b'.'));
                    found.push(Token::Time(&text[start..at]));
                } else {
                    at = run(at, &|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-'));
                    found.push(Token::Number(&text[start..at]));
                }
            }
            b'a'..=b'z' => {
                at = run(at, &|byte| byte.is_ascii_lowercase());
                found.push(Token::Word(&text[start..at]));
            }
            byte if byte.is_ascii_punctuation() => at += 1,
            _ => return None,
        }
    }
    Some(found)
}

fn named(word: &str) -> Option<Unit> {
    Some(match word {
        "us" | "usec" | "usecs" | "useconds" | "usecond" | "microsecond" | "microseconds" => Unit::Microsecond,
        "ms" | "msec" | "msecs" | "mseconds" | "msecond" | "millisecond" | "milliseconds" => Unit::Millisecond,
        "s" | "sec" | "secs" | "second" | "seconds" => Unit::Second,
        "m" | "min" | "mins" | "minute" | "minutes" => Unit::Minute,
        "h" | "hr" | "hrs" | "hour" | "hours" => Unit::Hour,
        "d" | "day" | "days" => Unit::Day,
        "w" | "week" | "weeks" => Unit::Week,
        "mon" | "mons" | "month" | "months" => Unit::Month,
        "y" | "yr" | "yrs" | "year" | "years" => Unit::Year,
        "dec" | "decs" | "decade" | "decades" => Unit::Decade,
        "c" | "cent" | "century" | "centuries" => Unit::Century,
        "mil" | "mils" | "millennium" | "millennia" => Unit::Millennium,
        _ => return None,
    })
}

/// Sums so far, and the units met.
#[derive(Default)]
pub(super) struct Sums {
    /// Every number without a sign has a minus.
    is_below: bool,
    months: i64,
    days: i64,
    micros: i64,
    seen: Vec<Unit>,
}

/// Whether the first token has a minus before it and no other has a sign.
fn has_one_sign(tokens: &[Token<'_>]) -> bool {
    let text = |token: &Token<'_>| match *token {
        Token::Number(text) | Token::Time(text) | Token::Word(text) => text.as_bytes().first().copied(),
    };
    match tokens.split_first() {
        Some((first, rest)) => text(first) == Some(b'-') && !rest.iter().any(|token| matches!(text(token), Some(b'-' | b'+'))),
        None => false,
    }
}

/// `is_below`: every number without a sign has a minus.
fn decode(tokens: &[Token<'_>], bare: Unit, is_below: bool) -> Result<Interval, Fault> {
    let mut sums = Sums { is_below, ..Sums::default() };
    let mut unit: Option<Unit> = None;
    let mut is_ago = false;
    for token in tokens.iter().rev() {
        match token {
            Token::Time(text) => {
                sums.clock(text)?;
                unit = Some(Unit::Day);
            }
            Token::Word("ago") => {
                is_ago = true;
                unit = None;
            }
            Token::Word(word) => unit = Some(named(word).ok_or(Fault::Format)?),
            Token::Number(text) => {
                let counted = unit.unwrap_or(bare);
                unit = Some(sums.number(text, counted)?);
            }
        }
    }
    if sums.seen.is_empty() {
        return Err(Fault::Format);
    }
    let sum = sums.finish()?;
    if is_ago { sum.negate().map_err(|_| Fault::Range) } else { Ok(sum) }
}

impl Sums {
    fn see(&mut self, unit: Unit) -> Result<(), Fault> {
        if self.seen.contains(&unit) {
            return Err(Fault::Format);
        }
        self.seen.push(unit);
        Ok(())
    }

    /// One number; the unit of a number without one that stands before it.
    fn number(&mut self, text: &str, unit: Unit) -> Result<Unit, Fault> {
        let (sign, digits) = match text.as_bytes() {
            [b'-', ..] => (-1, text[1..].trim_start()),
            [b'+', ..] => (1, text[1..].trim_start()),
            _ => (if self.is_below { -1 } else { 1 }, text),
        };
        if let Some((years, months)) = digits.split_once('-') {
            let (years, months) = (integer(years)?, integer(months)?);
            if months >= 12 {
                return Err(Fault::Range);
            }
            self.see(Unit::Month)?;
            self.months = self.months.checked_add(sign * (years * 12 + months)).ok_or(Fault::Range)?;
            return Ok(Unit::Month);
        }
        let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
        if (whole.is_empty() && part.is_empty()) || !part.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Fault::Format);
        }
        let whole = if whole.is_empty() { 0 } else { integer(whole)? };
        let fraction: f64 = format!("0.{part}0").parse().map_err(|_| Fault::Format)?;
        self.see(unit)?;
        if unit == Unit::Second && !part.is_empty() {
            self.see(Unit::Millisecond)?;
            self.see(Unit::Microsecond)?;
        }
        self.count(unit, sign * whole, sign as f64 * fraction)?;
        Ok(if unit == Unit::Hour { Unit::Day } else { unit })
    }

    /// Adds so many of a unit and a fraction of one.
    pub(super) fn count(&mut self, unit: Unit, whole: i64, fraction: f64) -> Result<(), Fault> {
        let times = |size: i64| whole.checked_mul(size).ok_or(Fault::Range);
        match unit {
            Unit::Microsecond => self.micros(times(1)?, fraction, 1.0),
            Unit::Millisecond => self.micros(times(1_000)?, fraction, 1e3),
            Unit::Second => self.micros(times(1_000_000)?, fraction, 1e6),
            Unit::Minute => self.micros(times(60_000_000)?, fraction, 60e6),
            Unit::Hour => self.micros(times(3_600_000_000)?, fraction, 3_600e6),
            Unit::Day => {
                self.days(whole)?;
                self.micros(0, fraction, 86_400e6)
            }
            Unit::Week => {
                self.days(times(7)?)?;
                self.part_of_days(fraction * 7.0)
            }
            Unit::Month => {
                self.months(whole)?;
                self.part_of_days(fraction * 30.0)
            }
            Unit::Year => self.years(times(12)?, fraction, 12.0),
            Unit::Decade => self.years(times(120)?, fraction, 120.0),
            Unit::Century => self.years(times(1_200)?, fraction, 1_200.0),
            Unit::Millennium => self.years(times(12_000)?, fraction, 12_000.0),
        }
    }

    fn months(&mut self, months: i64) -> Result<(), Fault> {
        self.months = self.months.checked_add(months).ok_or(Fault::Range)?;
        Ok(())
    }

    fn years(&mut self, months: i64, fraction: f64, size: f64) -> Result<(), Fault> {
        self.months(months)?;
        self.months((fraction * size).round_ties_even() as i64)
    }

    fn days(&mut self, days: i64) -> Result<(), Fault> {
        self.days = self.days.checked_add(days).ok_or(Fault::Range)?;
        Ok(())
    }

    fn part_of_days(&mut self, days: f64) -> Result<(), Fault> {
        self.days(days.trunc() as i64)?;
        self.micros(0, days - days.trunc(), 86_400e6)
    }

    fn micros(&mut self, whole: i64, fraction: f64, size: f64) -> Result<(), Fault> {
        let part = fraction * size;
        let rest = part - part.trunc();
        let rounding = if rest > 0.5 {
            1
        } else if rest < -0.5 {
            -1
        } else {
            0
        };
        let sum = self.micros.checked_add(whole).and_then(|sum| sum.checked_add(part.trunc() as i64 + rounding));
        self.micros = sum.ok_or(Fault::Range)?;
        Ok(())
    }

    /// `HH:MM[:SS[.f]]`, and `MM:SS.f`.
    fn clock(&mut self, text: &str) -> Result<(), Fault> {
        for unit in [Unit::Hour, Unit::Minute, Unit::Second] {
            self.see(unit)?;
        }
        let (sign, digits) = match text.as_bytes() {
            [b'-', ..] => (-1, text[1..].trim_start()),
            [b'+', ..] => (1, text[1..].trim_start()),
            _ => (if self.is_below { -1 } else { 1 }, text),
        };
        let (clock, part) = match digits.split_once('.') {
            Some((clock, part)) if part.bytes().all(|byte| byte.is_ascii_digit()) => (clock, Some(part)),
            Some(_) => return Err(Fault::Format),
            None => (digits, None),
        };
        let parts = clock.split(':').map(integer).collect::<Result<Vec<_>, _>>()?;
        let (hour, minute, second) = match parts[..] {
            [minute, second] if part.is_some() => (0, minute, second),
            [hour, minute] => (hour, minute, 0),
            [hour, minute, second] => (hour, minute, second),
            _ => return Err(Fault::Format),
        };
        if minute > 59 || second > 60 {
            return Err(Fault::Range);
        }
        let fraction: f64 = format!("0.{}0", part.unwrap_or("")).parse().map_err(|_| Fault::Format)?;
        let whole = hour.checked_mul(3_600_000_000).and_then(|micros| micros.checked_add((minute * 60 + second) * 1_000_000));
        let micros = whole.ok_or(Fault::Range)? + (fraction * 1e6).round_ties_even() as i64;
        self.micros = self.micros.checked_add(sign * micros).ok_or(Fault::Range)?;
        Ok(())
    }

    pub(super) fn finish(self) -> Result<Interval, Fault> {
        let (months, days) = (i32::try_from(self.months), i32::try_from(self.days));
        Ok(Interval { months: months.map_err(|_| Fault::Range)?, days: days.map_err(|_| Fault::Range)?, micros: self.micros })
    }
}

pub(super) fn integer(digits: &str) -> Result<i64, Fault> {
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Fault::Format);
    }
    digits.parse().map_err(|_| Fault::Range)
}
