//! A number as bytes that compare as the numbers do, with the display scale at the end.
//!
//! K1: the bytes without the last two are the key: keys are equal if the numbers are, and sort as they do.
//! K2: the last two are the display scale, big-endian, so that whole values sort by number first.
//! K3: a number has one key: no digit group is zero at either end.
//! Format: docs/formats/segment.md, «numeric without precision».

use base::{SqlError, SqlResult, SqlState};
use num_bigint::{BigInt, Sign};

use super::Numeric;

const NEGATIVE_INFINITY: u8 = 0;
const NEGATIVE: u8 = 1;
const ZERO: u8 = 2;
const POSITIVE: u8 = 3;
const INFINITY: u8 = 4;
const NAN: u8 = 5;

/// Bytes of the display scale (K2).
const SCALE_BYTES: usize = 2;
/// Turns an exponent into a number that sorts as it does.
const WEIGHT_BIAS: i64 = 0x8000;

/// The part that is compared (K1).
pub fn key(bytes: &[u8]) -> &[u8] {
    &bytes[..bytes.len().saturating_sub(SCALE_BYTES)]
}

/// Appends the number's bytes.
pub fn write(value: &Numeric, out: &mut Vec<u8>) {
    match value {
        Numeric::NegativeInfinity => out.extend_from_slice(&[NEGATIVE_INFINITY, 0, 0]),
        Numeric::Infinity => out.extend_from_slice(&[INFINITY, 0, 0]),
        Numeric::NaN => out.extend_from_slice(&[NAN, 0, 0]),
        Numeric::Finite { unscaled, scale } => match i128::try_from(unscaled) {
            Ok(small) => write_small(small, *scale, out),
            Err(_) => {
                let digits = unscaled.magnitude().to_radix_be(10);
                write_digits(unscaled.sign() == Sign::Minus, &digits, *scale, out);
            }
        },
    }
}

/// Appends the bytes of `unscaled / 10^scale`.
pub fn write_small(unscaled: i128, scale: u32, out: &mut Vec<u8>) {
    // Zeros after the last digit until its group of four is whole.
    let missing = (4 - scale % 4) % 4;
    let size = unscaled.unsigned_abs();
    let Some(mut rest) = size.checked_mul(10_u128.pow(missing)).filter(|_| size > 0) else {
        return write_long(unscaled, scale, out);
    };
    let mut groups = [0_u16; 11];
    let mut count = 0;
    while rest > u128::from(u64::MAX) {
        groups[count] = (rest % 10_000) as u16;
        (rest, count) = (rest / 10_000, count + 1);
    }
    // Division in 64 bits is many times faster.
    let mut rest = rest as u64;
    while rest > 0 {
        groups[count] = (rest % 10_000) as u16;
        (rest, count) = (rest / 10_000, count + 1);
    }
    let zeros = groups[..count].iter().take_while(|group| **group == 0).count();
    let weight = count as i64 - 1 - i64::from((scale + missing) / 4);
    let negative = unscaled < 0;
    let turned = if negative { u16::MAX } else { 0 };
    out.push(if negative { NEGATIVE } else { POSITIVE });
    let mut put = |number: u16| out.extend_from_slice(&(number ^ turned).to_be_bytes());
    put((weight + WEIGHT_BIAS) as u16);
    groups[zeros..count].iter().rev().for_each(|group| put(group + 1));
    put(0);
    out.extend_from_slice(&(scale as u16).to_be_bytes());
}

/// The same by decimal digits: for zero, and what 128 bits cannot be filled up in.
fn write_long(unscaled: i128, scale: u32, out: &mut Vec<u8>) {
    let mut digits = [0_u8; 39];
    let mut at = digits.len();
    let mut rest = unscaled.unsigned_abs();
    while rest > 0 {
        at -= 1;
        digits[at] = (rest % 10) as u8;
        rest /= 10;
    }
    write_digits(unscaled < 0, &digits[at..], scale, out);
}

/// Appends the bytes of a number given by its decimal digits (0–9 each), `scale` of them after the point.
pub fn write_digits(negative: bool, digits: &[u8], scale: u32, out: &mut Vec<u8>) {
    let leading = digits.iter().take_while(|digit| **digit == 0).count();
    let trailing = digits[leading..].iter().rev().take_while(|digit| **digit == 0).count();
    let significant = &digits[leading..digits.len() - trailing];
    if significant.is_empty() {
        out.push(ZERO);
        out.extend_from_slice(&(scale as u16).to_be_bytes());
        return;
    }
    // Power of ten of the first digit; of its group of four.
    let first = (digits.len() - leading) as i64 - 1 - i64::from(scale);
    let weight = first.div_euclid(4);
    out.push(if negative { NEGATIVE } else { POSITIVE });
    let turned = if negative { u16::MAX } else { 0 };
    let mut put = |number: u16| out.extend_from_slice(&(number ^ turned).to_be_bytes());
    put((weight + WEIGHT_BIAS) as u16);
    // The first group may begin with fewer digits, the last is filled up with zeros.
    let mut taken = first.rem_euclid(4) as usize + 1;
    let mut rest = significant;
    while !rest.is_empty() {
        let (group, after) = rest.split_at(taken.min(rest.len()));
        let number = group.iter().fold(0_u16, |number, digit| number * 10 + u16::from(*digit));
        put(number * 10_u16.pow((taken - group.len()) as u32) + 1);
        (rest, taken) = (after, 4);
    }
    put(0);
    out.extend_from_slice(&(scale as u16).to_be_bytes());
}

/// A number taken apart, without copying.
pub enum Parts<'a> {
    /// Negative infinity, infinity or NaN.
    Special(Numeric),
    /// Digits in groups of four.
    Finite(Groups<'a>),
}

/// The digit groups of a finite number.
#[derive(Clone, Copy)]
pub struct Groups<'a> {
    /// Whether it is below zero.
    pub negative: bool,
    /// Power of 10,000 of the first group.
    pub weight: i32,
    /// Display scale.
    pub scale: u32,
    bytes: &'a [u8],
}

impl Groups<'_> {
    /// Groups from the first that is not zero to the last, each 0–9,999.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = u16> + ExactSizeIterator + '_ {
        let turned = if self.negative { u16::MAX } else { 0 };
        self.bytes.chunks_exact(2).map(move |pair| (u16::from_be_bytes([pair[0], pair[1]]) ^ turned).wrapping_sub(1).min(9_999))
    }

    /// Number of groups.
    pub fn len(&self) -> usize {
        self.bytes.len() / 2
    }

    /// Whether it is zero.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The value without its point, if it fits.
    pub fn small(&self) -> Option<i128> {
        if self.is_empty() {
            return Some(0);
        }
        // Decimal digits that the groups hold beyond the scale, or lack.
        let last = (i64::from(self.weight) - self.len() as i64 + 1) * 4 + i64::from(self.scale);
        let mut value = 0_i128;
        let mut groups = self.iter();
        let cut = u32::try_from(-last).unwrap_or(0);
        let whole = if cut > 0 { self.len() - 1 } else { self.len() };
        for group in groups.by_ref().take(whole) {
            value = value.checked_mul(10_000)?.checked_add(group.into())?;
        }
        if let Some(group) = groups.next() {
            let kept = 4_u32.checked_sub(cut)?;
            value = value.checked_mul(10_i128.pow(kept))?.checked_add(i128::from(group / 10_u16.pow(cut)))?;
        }
        let missing = u32::try_from(last.max(0)).ok()?;
        if missing > 0 {
            value = value.checked_mul(10_i128.checked_pow(missing)?)?;
        }
        Some(if self.negative { -value } else { value })
    }

    /// The decimal digits (0–9 each) of the value without its point.
    pub fn digits(&self) -> Vec<u8> {
        let mut digits: Vec<u8> = self.iter().flat_map(|group| [1000, 100, 10, 1].map(|unit| (group / unit % 10) as u8)).collect();
        let last = (i64::from(self.weight) - self.len() as i64 + 1) * 4 + i64::from(self.scale);
        match usize::try_from(last) {
            Ok(missing) => digits.resize(digits.len() + missing, 0),
            Err(_) => digits.truncate(digits.len().saturating_sub(last.unsigned_abs() as usize)),
        }
        digits
    }
}

fn damaged() -> SqlError {
    SqlError::new(SqlState::DATA_CORRUPTED, "a stored numeric is malformed")
}

/// Takes the bytes apart. Errors: XX001 for what [`write()`] does not write.
pub fn parts(bytes: &[u8]) -> SqlResult<Parts<'_>> {
    let (body, scale) = bytes.split_last_chunk::<SCALE_BYTES>().ok_or_else(damaged)?;
    let scale = u32::from(u16::from_be_bytes(*scale));
    Ok(match body {
        [NEGATIVE_INFINITY] => Parts::Special(Numeric::NegativeInfinity),
        [INFINITY] => Parts::Special(Numeric::Infinity),
        [NAN] => Parts::Special(Numeric::NaN),
        [ZERO] => Parts::Finite(Groups { negative: false, weight: 0, scale, bytes: &[] }),
        [class @ (NEGATIVE | POSITIVE), high, low, groups @ .., _, _] if !groups.is_empty() && groups.len() % 2 == 0 => {
            let negative = *class == NEGATIVE;
            let weight = u16::from_be_bytes([*high, *low]) ^ if negative { u16::MAX } else { 0 };
            Parts::Finite(Groups { negative, weight: i32::from(weight) - WEIGHT_BIAS as i32, scale, bytes: groups })
        }
        _ => return Err(damaged()),
    })
}

/// The number that the bytes are. Errors: XX001.
pub fn read(bytes: &[u8]) -> SqlResult<Numeric> {
    let groups = match parts(bytes)? {
        Parts::Special(value) => return Ok(value),
        Parts::Finite(groups) => groups,
    };
    if let Some(small) = groups.small() {
        return Ok(Numeric::new(small, groups.scale));
    }
    let sign = if groups.negative { Sign::Minus } else { Sign::Plus };
    let unscaled = BigInt::from_radix_be(sign, &groups.digits(), 10).ok_or_else(damaged)?;
    Ok(Numeric::new(unscaled, groups.scale))
}
