//! Text: `-12.50`, `1.5e-3`, `NaN`, `Infinity`.

use std::fmt;

use base::SqlResult;
use num_bigint::{BigInt, Sign};

use super::bytes::{self, Groups, Parts};
use super::{Numeric, SCALE_MAX, WHOLE_DIGITS_MAX, overflow};
use crate::values::invalid_syntax;

/// A text taken apart: what PostgreSQL's `set_var_from_str` finds.
struct Written {
    negative: bool,
    /// 0–9 each, `scale` of them after the point.
    digits: Vec<u8>,
    scale: u32,
}

enum Read {
    Special(Numeric),
    Finite(Written),
}

/// Errors: 22P02, 22003.
fn read(text: &str) -> SqlResult<Read> {
    let invalid = || invalid_syntax("numeric", text);
    let number = text.trim_matches(|c: char| c.is_ascii_whitespace() || c == '\u{b}');
    let (negative, number) = match number.as_bytes() {
        [b'-', ..] => (true, &number[1..]),
        [b'+', ..] => (false, &number[1..]),
        _ => (false, number),
    };
    if let Some(special) = special(number, negative, text.contains(['+', '-'])) {
        return Ok(Read::Special(special));
    }
    let (mantissa, exponent) = match number.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (number, None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let mut digits = Vec::with_capacity(whole.len() + fraction.len());
    for byte in whole.bytes().chain(fraction.bytes()) {
        match byte.wrapping_sub(b'0') {
            digit @ 0..=9 => digits.push(digit),
            _ => return Err(invalid()),
        }
    }
    if digits.is_empty() {
        return Err(invalid());
    }
    let mut scale = fraction.len() as i64;
    if let Some(exponent) = exponent {
        let digits_only = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        if digits_only.is_empty() || !digits_only.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(invalid());
        }
        let exponent: i64 = exponent.parse().map_err(|_| overflow())?;
        if exponent.unsigned_abs() >= (i32::MAX / 2) as u64 {
            return Err(overflow());
        }
        scale -= exponent;
    }
    let is_zero = digits.iter().all(|digit| *digit == 0);
    if scale > i64::from(SCALE_MAX) {
        return Err(overflow());
    }
    if let Ok(missing) = usize::try_from(-scale) {
        if is_zero {
            digits.truncate(1);
        } else if (digits.iter().skip_while(|digit| **digit == 0).count() + missing) as u64 > WHOLE_DIGITS_MAX {
            return Err(overflow());
        } else {
            digits.resize(digits.len() + missing, 0);
        }
    }
    Ok(Read::Finite(Written { negative: negative && !is_zero, digits, scale: scale.max(0) as u32 }))
}

fn special(word: &str, negative: bool, is_signed: bool) -> Option<Numeric> {
    if word.eq_ignore_ascii_case("nan") && !is_signed {
        return Some(Numeric::NaN);
    }
    let is_infinite = word.eq_ignore_ascii_case("inf") || word.eq_ignore_ascii_case("infinity");
    is_infinite.then_some(if negative { Numeric::NegativeInfinity } else { Numeric::Infinity })
}

impl Numeric {
    /// Reads a text. Errors: 22P02; 22003 for a number of too many digits.
    pub fn parse(text: &str) -> SqlResult<Self> {
        match read(text)? {
            Read::Special(value) => Ok(value),
            Read::Finite(Written { negative, digits, scale }) => {
                if digits.len() < 38 {
                    let unscaled = digits.iter().fold(0_i128, |value, digit| value * 10 + i128::from(*digit));
                    return Ok(Self::new(if negative { -unscaled } else { unscaled }, scale));
                }
                let sign = if negative { Sign::Minus } else { Sign::Plus };
                let unscaled = BigInt::from_radix_be(sign, &digits, 10).ok_or_else(|| invalid_syntax("numeric", text))?;
                Self::new(unscaled, scale).checked()
            }
        }
    }

    /// A floating-point number through as many digits as its type is sure of: 15, or 6 for `real`.
    pub fn from_float(value: f64, significant_digits: usize) -> SqlResult<Self> {
        if value.is_nan() {
            return Ok(Self::NaN);
        }
        if value.is_infinite() {
            return Ok(if value > 0.0 { Self::Infinity } else { Self::NegativeInfinity });
        }
        let text = format!("{value:.*e}", significant_digits - 1);
        // As `%g` prints it: without zeros at the end.
        let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let mantissa = if mantissa.contains('.') { mantissa.trim_end_matches('0').trim_end_matches('.') } else { mantissa };
        Self::parse(&format!("{mantissa}e{exponent}"))
    }

    /// The nearest floating-point number; too large ones are infinite.
    pub fn to_float(&self) -> f64 {
        match self {
            Self::NaN => f64::NAN,
            Self::Infinity => f64::INFINITY,
            Self::NegativeInfinity => f64::NEG_INFINITY,
            Self::Finite { .. } => self.to_string().parse().unwrap_or(f64::NAN),
        }
    }
}

/// Appends a text's bytes (`bytes`) without making a number of it. Errors: as for [`Numeric::parse`].
pub(super) fn text_to_bytes(text: &str, out: &mut Vec<u8>) -> SqlResult<()> {
    match read(text)? {
        Read::Special(value) => bytes::write(&value, out),
        Read::Finite(Written { negative, digits, scale }) => {
            let whole = digits.len().saturating_sub(scale as usize);
            if digits[..whole].iter().skip_while(|digit| **digit == 0).count() as u64 > WHOLE_DIGITS_MAX {
                return Err(overflow());
            }
            bytes::write_digits(negative, &digits, scale, out);
        }
    }
    Ok(())
}

/// Appends the text of a number given by its bytes. Errors: XX001.
pub(super) fn bytes_to_text(value: &[u8], out: &mut Vec<u8>) -> SqlResult<()> {
    match bytes::parts(value)? {
        Parts::Special(special) => out.extend_from_slice(special.to_string().as_bytes()),
        Parts::Finite(groups) => write_groups(&groups, out),
    }
    Ok(())
}

fn write_groups(groups: &Groups<'_>, out: &mut Vec<u8>) {
    if groups.negative {
        out.push(b'-');
    }
    let mut digits = groups.iter();
    if groups.weight < 0 || groups.is_empty() {
        out.push(b'0');
    } else {
        for place in 0..=groups.weight {
            let group = digits.next().unwrap_or(0);
            if place == 0 {
                out.extend_from_slice(group.to_string().as_bytes());
            } else {
                out.extend_from_slice(&four(group));
            }
        }
    }
    if groups.scale == 0 {
        return;
    }
    out.push(b'.');
    let end = out.len() + groups.scale as usize;
    let empty_groups = if groups.is_empty() { 0 } else { (-1 - groups.weight).max(0) };
    (0..empty_groups).for_each(|_| out.extend_from_slice(b"0000"));
    for group in digits {
        if out.len() >= end {
            break;
        }
        out.extend_from_slice(&four(group));
    }
    out.resize(end, b'0');
}

fn four(group: u16) -> [u8; 4] {
    [1000, 100, 10, 1].map(|unit| b'0' + (group / unit % 10) as u8)
}

impl fmt::Display for Numeric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NaN => f.write_str("NaN"),
            Self::Infinity => f.write_str("Infinity"),
            Self::NegativeInfinity => f.write_str("-Infinity"),
            Self::Finite { unscaled, scale } => {
                let sign = if unscaled.sign() == Sign::Minus { "-" } else { "" };
                let scale = *scale as usize;
                let digits = format!("{:0>width$}", unscaled.magnitude().to_str_radix(10), width = scale + 1);
                let (whole, fraction) = digits.split_at(digits.len() - scale);
                let point = if scale > 0 { "." } else { "" };
                write!(f, "{sign}{whole}{point}{fraction}")
            }
        }
    }
}
