//! `real` and `double precision`: shortest decimal text that reads back, laid out as PostgreSQL 12 and later do.
//!
//! F1: the printed decimal lies strictly between the midpoints to both neighbours, so that a reader of any rounding rule gets the value back.
//! F2: of two decimals equally near, the one with the even last digit is printed.
//! Never: prints more than 17 (`real`: 9) significant digits; takes hexadecimal floats.

use super::errors::invalid_syntax;
use super::strings::trim;
use base::{SqlError, SqlResult, SqlState};
use std::fmt::{LowerExp, Write as _};
use std::str::FromStr;

/// Reads a `double precision`; 22P02, 22003.
pub(super) fn parse_float8(text: &str) -> SqlResult<f64> {
    parse(text, "double precision", |value: f64| value.is_infinite(), |value| value == 0.0)
}

/// Reads a `real`; 22P02, 22003.
pub(super) fn parse_float4(text: &str) -> SqlResult<f32> {
    parse(text, "real", |value: f32| value.is_infinite(), |value| value == 0.0)
}

fn parse<F: FromStr + Copy>(text: &str, name: &str, infinite: impl Fn(F) -> bool, zero: impl Fn(F) -> bool) -> SqlResult<F> {
    let number = trim(text);
    let value: F = number.parse().map_err(|_| invalid_syntax(name, text))?;
    // «inf» has an n, a decimal has none.
    let overflow = infinite(value) && !number.contains(['n', 'N']);
    let underflow =
        zero(value) && number.split(['e', 'E']).next().is_some_and(|mantissa| mantissa.contains(|digit| matches!(digit, '1'..='9')));
    if overflow || underflow {
        return Err(SqlError::new(SqlState::NUMERIC_VALUE_OUT_OF_RANGE, format!("\"{number}\" is out of range for type {name}")));
    }
    Ok(value)
}

/// Appends a `double precision`.
pub(super) fn write_float8(value: f64, out: &mut Vec<u8>) {
    if write_special(value, out) {
        return;
    }
    let bits = value.to_bits();
    let (exponent, fraction) = ((bits >> 52 & 0x7ff) as i32, bits & ((1 << 52) - 1));
    let binary = Binary::new(exponent, fraction, 52, 1075);
    let magnitude = value.abs();
    let decimal = Decimal::shortest(magnitude, &binary, 17, |text| text.parse() == Ok(magnitude));
    decimal.write(15, out);
}

/// Appends a `real`.
pub(super) fn write_float4(value: f32, out: &mut Vec<u8>) {
    if write_special(f64::from(value), out) {
        return;
    }
    let bits = value.to_bits();
    let (exponent, fraction) = ((bits >> 23 & 0xff) as i32, u64::from(bits & ((1 << 23) - 1)));
    let binary = Binary::new(exponent, fraction, 23, 150);
    let magnitude = value.abs();
    let decimal = Decimal::shortest(magnitude, &binary, 9, |text| text.parse() == Ok(magnitude));
    decimal.write(6, out);
}

/// Writes the sign, and the whole of NaN, infinities and zeros; true if nothing is left to do.
fn write_special(value: f64, out: &mut Vec<u8>) -> bool {
    if value.is_nan() {
        out.extend_from_slice(b"NaN");
        return true;
    }
    if value.is_sign_negative() {
        out.push(b'-');
    }
    if value.is_infinite() {
        out.extend_from_slice(b"Infinity");
    } else if value == 0.0 {
        out.push(b'0');
    }
    value.is_infinite() || value == 0.0
}

/// A positive finite value as `mantissa · 2^exponent`.
struct Binary {
    mantissa: u64,
    exponent: i32,
    /// The neighbour below is half as far away as the one above.
    narrow_below: bool,
}

impl Binary {
    fn new(biased: i32, fraction: u64, fraction_bits: u32, bias: i32) -> Self {
        assert!(biased != 0 || fraction != 0, "F1: zero has no neighbours of this kind");
        if biased == 0 {
            return Self { mantissa: fraction, exponent: 1 - bias, narrow_below: false };
        }
        Self { mantissa: fraction | 1 << fraction_bits, exponent: biased - bias, narrow_below: fraction == 0 && biased > 1 }
    }

    /// Whether a decimal is exactly halfway between this value and a neighbour (F1).
    fn midpoint(&self, decimal: &Decimal) -> bool {
        let (below, below_exponent) =
            if self.narrow_below { (4 * self.mantissa - 1, self.exponent - 2) } else { (2 * self.mantissa - 1, self.exponent - 1) };
        let (digits, power) = decimal.integer();
        equal(digits, power, 2 * self.mantissa + 1, self.exponent - 1) || equal(digits, power, below, below_exponent)
    }

    /// Whether this value is exactly half a unit of the decimal's last digit below it (F2).
    fn half_below(&self, decimal: &Decimal) -> bool {
        let (digits, power) = decimal.integer();
        let twos = self.mantissa.trailing_zeros();
        equal(digits * 10 - 5, power - 1, self.mantissa >> twos, self.exponent + twos as i32)
    }
}

/// Whether `digits · 10^power` is exactly `odd · 2^exponent`.
fn equal(digits: u128, power: i32, odd: u64, exponent: i32) -> bool {
    // Beyond these powers one side has more factors of 5 than the other's 60 bits can hold.
    if !(-26..26).contains(&power) {
        return false;
    }
    let fives = 5u128.pow(power.unsigned_abs());
    let (left, right) =
        if power >= 0 { (digits.checked_mul(fives), Some(u128::from(odd))) } else { (Some(digits), u128::from(odd).checked_mul(fives)) };
    let (Some(left), Some(right)) = (left, right) else { return false };
    let twos = left.trailing_zeros();
    left >> twos == right && twos as i32 + power == exponent
}

/// Significant digits and the power of ten of the first one.
struct Decimal {
    digits: [u8; 17],
    len: usize,
    exponent: i32,
}

impl Decimal {
    fn shortest<F: LowerExp>(value: F, binary: &Binary, digits_max: usize, reads_back: impl Fn(&str) -> bool) -> Self {
        let mut text = Stack::default();
        // Writing to the stack buffer cannot fail: 17 digits, point, e, sign and 3 digits fit.
        let _ = write!(text, "{value:e}");
        let mut decimal = Self::read(text.bytes());
        let last = decimal.digits[decimal.len - 1];
        if last % 2 == 1 && binary.half_below(&decimal) {
            let mut even = Self { ..decimal };
            even.digits[even.len - 1] = last - 1;
            let (digits, power) = even.integer();
            text = Stack::default();
            let _ = write!(text, "{digits}e{power}");
            if str::from_utf8(text.bytes()).is_ok_and(&reads_back) && !binary.midpoint(&even) {
                decimal = even;
            }
        }
        while binary.midpoint(&decimal) && decimal.len < digits_max {
            let precision = decimal.len;
            text = Stack::default();
            let _ = write!(text, "{value:.precision$e}");
            let longer = Self::read(text.bytes());
            let good = str::from_utf8(text.bytes()).is_ok_and(&reads_back);
            decimal = longer;
            if good && !binary.midpoint(&decimal) {
                break;
            }
        }
        decimal
    }

    fn read(text: &[u8]) -> Self {
        let mut decimal = Self { digits: [b'0'; 17], len: 0, exponent: 0 };
        let mut rest = text.iter();
        for byte in rest.by_ref() {
            match byte {
                b'e' => break,
                b'.' => {}
                digit => {
                    assert!(decimal.len < 17, "F1: a float has at most 17 digits");
                    decimal.digits[decimal.len] = *digit;
                    decimal.len += 1;
                }
            }
        }
        let mut negative = false;
        for byte in rest {
            match byte {
                b'-' => negative = true,
                digit => decimal.exponent = decimal.exponent * 10 + i32::from(digit - b'0'),
            }
        }
        if negative {
            decimal.exponent = -decimal.exponent;
        }
        decimal
    }

    /// The digits as one integer, and the power of ten of the last.
    fn integer(&self) -> (u128, i32) {
        let digits = self.digits[..self.len].iter().fold(0u128, |sum, digit| sum * 10 + u128::from(digit - b'0'));
        (digits, self.exponent - (self.len as i32 - 1))
    }

    /// Postgres's layout: exponent form below 1e-4 and from `10^exponent_from` on.
    fn write(&self, exponent_from: i32, out: &mut Vec<u8>) {
        let digits = &self.digits[..self.len];
        let zeros = |count: usize, out: &mut Vec<u8>| out.resize(out.len() + count, b'0');
        if self.exponent < -4 || self.exponent >= exponent_from {
            out.push(digits[0]);
            if digits.len() > 1 {
                out.push(b'.');
                out.extend_from_slice(&digits[1..]);
            }
            out.extend_from_slice(if self.exponent < 0 { b"e-" } else { b"e+" });
            if self.exponent.abs() < 10 {
                out.push(b'0');
            }
            super::integers::write_unsigned(u64::from(self.exponent.unsigned_abs()), out);
        } else if self.exponent < 0 {
            out.extend_from_slice(b"0.");
            zeros(self.exponent.unsigned_abs() as usize - 1, out);
            out.extend_from_slice(digits);
        } else {
            let whole = self.exponent as usize + 1;
            if digits.len() <= whole {
                out.extend_from_slice(digits);
                zeros(whole - digits.len(), out);
            } else {
                out.extend_from_slice(&digits[..whole]);
                out.push(b'.');
                out.extend_from_slice(&digits[whole..]);
            }
        }
    }
}

/// A formatting target that needs no heap.
#[derive(Default)]
struct Stack {
    bytes: [u8; 32],
    len: usize,
}

impl Stack {
    fn bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

impl std::fmt::Write for Stack {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        let end = self.len + text.len();
        self.bytes.get_mut(self.len..end).ok_or(std::fmt::Error)?.copy_from_slice(text.as_bytes());
        self.len = end;
        Ok(())
    }
}
