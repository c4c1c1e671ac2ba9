//! `numeric(precision, scale)`: exact decimals held as an unscaled `i128`.
//!
//! D1: |unscaled| < 10^precision, precision ≤ 38.
//! D2: digits beyond the scale are rounded half away from zero.
//! Never: holds NaN or an infinity.

use super::errors::{invalid_binary, invalid_syntax};
use super::integers::write_unsigned;
use super::strings::trim;
use base::{SqlError, SqlResult, SqlState};

/// Digits allowed in all and after the point.
#[derive(Clone, Copy)]
pub(super) struct Shape {
    pub(super) precision: u8,
    pub(super) scale: u8,
}

/// 10^exponent, exponent 0–38.
pub(super) const fn power_of_ten(exponent: u32) -> i128 {
    10i128.pow(exponent)
}

impl Shape {
    fn overflow(self, detail: std::fmt::Arguments<'_>) -> SqlError {
        SqlError::new(SqlState::NUMERIC_VALUE_OUT_OF_RANGE, "numeric field overflow")
            .detail(format!("A field with precision {}, scale {} {detail}.", self.precision, self.scale))
    }

    fn too_large(self) -> SqlError {
        match self.precision - self.scale {
            0 => self.overflow(format_args!("must round to an absolute value less than 1")),
            whole => self.overflow(format_args!("must round to an absolute value less than 10^{whole}")),
        }
    }

    pub(super) fn infinite(self) -> SqlError {
        self.overflow(format_args!("cannot hold an infinite value"))
    }

    /// The value if it fits (D1).
    fn checked(self, value: Option<i128>) -> SqlResult<i128> {
        let limit = power_of_ten(u32::from(self.precision)).unsigned_abs();
        value.filter(|value| value.unsigned_abs() < limit).ok_or_else(|| self.too_large())
    }

    /// An integer at this scale.
    pub(super) fn integer(self, value: i64) -> SqlResult<i128> {
        self.checked(i128::from(value).checked_mul(power_of_ten(u32::from(self.scale))))
    }

    /// An unscaled value of another scale brought to this one.
    pub(super) fn rescale(self, value: i128, from_scale: u8) -> SqlResult<i128> {
        let shift = u32::from(self.scale.abs_diff(from_scale));
        self.checked(if self.scale >= from_scale { value.checked_mul(power_of_ten(shift)) } else { Some(round_off(value, shift)) })
    }

    /// Digits (0–9 each) with the point after the first `point` of them.
    fn assemble(self, negative: bool, digits: impl Iterator<Item = u8>, point: i64) -> SqlResult<i128> {
        let mut kept = point + i64::from(self.scale);
        let mut value = 0i128;
        for digit in digits {
            if kept <= 0 {
                // D2: the first digit left out decides.
                value += i128::from(kept == 0 && digit >= 5);
                break;
            }
            let next = value.checked_mul(10).and_then(|tens| tens.checked_add(i128::from(digit)));
            value = next.ok_or_else(|| self.too_large())?;
            kept -= 1;
        }
        if value != 0 && kept > 0 {
            let padding = u32::try_from(kept).ok().and_then(|kept| 10i128.checked_pow(kept));
            value = padding.and_then(|padding| value.checked_mul(padding)).ok_or_else(|| self.too_large())?;
        }
        self.checked(Some(if negative { -value } else { value }))
    }

    /// Reads decimal text with an optional exponent; 22P02, 22003, and 0A000 for NaN.
    pub(super) fn parse(self, text: &str) -> SqlResult<i128> {
        let number = trim(text);
        let (negative, number) = match number.as_bytes() {
            [b'-', ..] => (true, &number[1..]),
            [b'+', ..] => (false, &number[1..]),
            _ => (false, number),
        };
        let (mantissa, exponent) = match number.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, Some(exponent)),
            None => (number, None),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = || whole.bytes().chain(fraction.bytes());
        if digits().next().is_none() || !digits().all(|digit| digit.is_ascii_digit()) {
            return Err(self.not_a_number(number, negative, text));
        }
        let exponent = match exponent.map(str::parse::<i64>) {
            None => 0,
            Some(Ok(exponent)) => exponent,
            Some(Err(error)) if matches!(error.kind(), std::num::IntErrorKind::PosOverflow | std::num::IntErrorKind::NegOverflow) => {
                i64::MAX
            }
            Some(Err(_)) => return Err(invalid_syntax("numeric", text)),
        };
        // The longest numeric that Postgres holds has 131072 digits before the point.
        if exponent.unsigned_abs() >= (i32::MAX / 2) as u64
            || (whole.len() as i64 + exponent > 131_072 && digits().any(|digit| digit != b'0'))
        {
            return Err(SqlError::new(SqlState::NUMERIC_VALUE_OUT_OF_RANGE, "value overflows numeric format"));
        }
        self.assemble(negative, digits().map(|digit| digit - b'0'), whole.len() as i64 + exponent)
    }

    fn not_a_number(self, word: &str, negative: bool, text: &str) -> SqlError {
        if word.eq_ignore_ascii_case("nan") && !negative {
            return not_held();
        }
        if word.eq_ignore_ascii_case("inf") || word.eq_ignore_ascii_case("infinity") {
            return self.infinite();
        }
        invalid_syntax("numeric", text)
    }

    /// Reads the binary form: digit count, weight, sign, display scale, then base-10000 digits, all big-endian 16 bits.
    pub(super) fn read_binary(self, bytes: &[u8]) -> SqlResult<i128> {
        let invalid = || invalid_binary("numeric");
        let (header, digits) = bytes.split_first_chunk::<8>().ok_or_else(invalid)?;
        let [n0, n1, w0, w1, s0, s1, _, _] = *header;
        if digits.len() != usize::from(u16::from_be_bytes([n0, n1])) * 2 {
            return Err(invalid());
        }
        let negative = match u16::from_be_bytes([s0, s1]) {
            0x0000 => false,
            0x4000 => true,
            0xc000 => return Err(not_held()),
            0xd000 | 0xf000 => return Err(self.infinite()),
            _ => return Err(invalid()),
        };
        let groups = || digits.as_chunks::<2>().0.iter().map(|pair| u16::from_be_bytes(*pair));
        if groups().any(|group| group > 9999) {
            return Err(invalid());
        }
        let digits = groups().flat_map(|group| [1000, 100, 10, 1].map(|unit| (group / unit % 10) as u8));
        self.assemble(negative, digits, (i64::from(i16::from_be_bytes([w0, w1])) + 1) * 4)
    }

    /// A float at this scale, through the 15 (`real`: 6) significant digits that Postgres's cast keeps.
    pub(super) fn float(self, value: f64, significant_digits: usize) -> SqlResult<i128> {
        if value.is_nan() {
            return Err(not_held());
        }
        if value.is_infinite() {
            return Err(self.infinite());
        }
        self.parse(&format!("{value:.*e}", significant_digits - 1))
    }
}

fn not_held() -> SqlError {
    SqlError::unsupported("the numeric value NaN")
}

/// Drops the last `places` (0–38) decimal digits, rounding half away from zero (D2).
pub(super) fn round_off(value: i128, places: u32) -> i128 {
    let unit = power_of_ten(places);
    let (quotient, rest) = (value / unit, value % unit);
    let carry = rest.unsigned_abs() >= unit.unsigned_abs().div_ceil(2) && places > 0;
    quotient + if carry { value.signum() } else { 0 }
}

/// Appends the text: all digits of the scale.
pub(super) fn write_text(value: i128, scale: u8, out: &mut Vec<u8>) {
    if value < 0 {
        out.push(b'-');
    }
    let magnitude = value.unsigned_abs();
    if scale == 0 {
        return write_digits(magnitude, out);
    }
    let unit = 10u128.pow(u32::from(scale));
    let (whole, fraction) = match (u64::try_from(magnitude), u64::try_from(unit)) {
        // 64-bit division is many times faster, and nearly all values are small.
        (Ok(magnitude), Ok(unit)) => (u128::from(magnitude / unit), u128::from(magnitude % unit)),
        _ => (magnitude / unit, magnitude % unit),
    };
    write_digits(whole, out);
    out.push(b'.');
    let start = out.len();
    write_digits(fraction, out);
    let missing = usize::from(scale) - (out.len() - start);
    out.splice(start..start, std::iter::repeat_n(b'0', missing));
}

fn write_digits(value: u128, out: &mut Vec<u8>) {
    const HALF: u128 = 10u128.pow(19);
    match u64::try_from(value) {
        Ok(small) => write_unsigned(small, out),
        Err(_) => {
            write_digits(value / HALF, out);
            let start = out.len();
            write_unsigned((value % HALF) as u64, out);
            let missing = 19 - (out.len() - start);
            out.splice(start..start, std::iter::repeat_n(b'0', missing));
        }
    }
}

/// Base-10000 digits before and after the point in the widest value: 39 decimal digits on either side.
const GROUPS_A_SIDE: usize = 10;

/// Appends the binary form (see `read_binary`).
pub(super) fn write_binary(value: i128, scale: u8, out: &mut Vec<u8>) {
    let unit = 10u128.pow(u32::from(scale));
    let (mut whole, mut fraction) = (value.unsigned_abs() / unit, value.unsigned_abs() % unit);
    let mut groups = [0u16; 2 * GROUPS_A_SIDE];
    for group in groups[..GROUPS_A_SIDE].iter_mut().rev() {
        *group = (whole % 10_000) as u16;
        whole /= 10_000;
    }
    let full_groups = usize::from(scale.div_ceil(4));
    let last_digits = u32::from(scale) % 4;
    for (at, group) in groups[GROUPS_A_SIDE..GROUPS_A_SIDE + full_groups].iter_mut().enumerate().rev() {
        // The last group holds scale mod 4 digits, filled up with zeros on the right.
        let digits = if at + 1 == full_groups && last_digits > 0 { last_digits } else { 4 };
        let base = 10u128.pow(digits);
        *group = (fraction % base) as u16 * 10u16.pow(4 - digits);
        fraction /= base;
    }
    let first = groups.iter().position(|group| *group != 0).unwrap_or(groups.len());
    let end = groups.iter().rposition(|group| *group != 0).map_or(first, |last| last + 1);
    let weight = if first == end { 0 } else { GROUPS_A_SIDE as i16 - 1 - first as i16 };
    out.extend_from_slice(&((end - first) as u16).to_be_bytes());
    out.extend_from_slice(&weight.to_be_bytes());
    out.extend_from_slice(&(if value < 0 { 0x4000u16 } else { 0 }).to_be_bytes());
    out.extend_from_slice(&u16::from(scale).to_be_bytes());
    for group in &groups[first..end] {
        out.extend_from_slice(&group.to_be_bytes());
    }
}
