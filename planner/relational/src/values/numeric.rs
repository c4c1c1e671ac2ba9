//! Numbers of any length, as PostgreSQL 15's `numeric`: digits, display scale, NaN and the infinities.
//!
//! N1: a finite number is `unscaled / 10^scale`; the scale is the display scale, 0–16,383, and part of what an operation answers.
//! N2: −0 is 0, and there is one NaN, greater than every number and equal to itself.
//! N3: results have the digits and the display scale of PostgreSQL's `numeric.c`, whose rules for scales are named where they are followed.
//! N4: at most 131,072 digits before the point ([`Numeric::checked`]).
//! Never: sees a column.

pub mod bytes;
pub mod wire;

pub(crate) mod small;
pub(crate) mod spread;

mod arithmetic;
mod integers;
mod limit;
mod logarithms;
mod powers;
mod rounding;
mod scales;
mod text;

use std::cmp::Ordering;

use base::{SqlError, SqlResult, SqlState};
use num_bigint::{BigInt, Sign};

pub use limit::Limit;

/// Digits after the point, at most.
pub const SCALE_MAX: u32 = 16_383;
/// Digits before the point, at most (N4).
pub const WHOLE_DIGITS_MAX: u64 = 131_072;

/// A value of `numeric`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Numeric {
    /// Less than every number.
    NegativeInfinity,
    /// `unscaled / 10^scale` (N1). Two of these are `==` only with the same scale; [`Numeric::compare`] knows that 1.0 is 1.00.
    Finite {
        /// All digits, without the point.
        unscaled: BigInt,
        /// Digits after the point.
        scale: u32,
    },
    /// Greater than every number.
    Infinity,
    /// Greater than infinity (N2).
    NaN,
}

impl Numeric {
    /// `unscaled / 10^scale`.
    pub fn new(unscaled: impl Into<BigInt>, scale: u32) -> Self {
        Self::Finite { unscaled: unscaled.into(), scale }
    }

    /// An integer, without digits after the point.
    pub fn integer(value: impl Into<BigInt>) -> Self {
        Self::new(value, 0)
    }

    pub(crate) fn zero() -> Self {
        Self::integer(0)
    }

    /// Digits after the point that are shown; `None` for what is no finite number.
    pub fn scale(&self) -> Option<u32> {
        match self {
            Self::Finite { scale, .. } => Some(*scale),
            _ => None,
        }
    }

    /// −1, 0 or 1; 1 for NaN, as it is greater than 0.
    pub fn signum(&self) -> i32 {
        match self {
            Self::NegativeInfinity => -1,
            Self::Infinity | Self::NaN => 1,
            Self::Finite { unscaled, .. } => match unscaled.sign() {
                Sign::Minus => -1,
                Sign::NoSign => 0,
                Sign::Plus => 1,
            },
        }
    }

    pub(crate) fn is_nan(&self) -> bool {
        matches!(self, Self::NaN)
    }

    pub(crate) fn is_zero(&self) -> bool {
        self.signum() == 0
    }

    /// The order of N2.
    pub fn compare(&self, other: &Self) -> Ordering {
        fn rank(value: &Numeric) -> u8 {
            match value {
                Numeric::NegativeInfinity => 0,
                Numeric::Finite { .. } => 1,
                Numeric::Infinity => 2,
                Numeric::NaN => 3,
            }
        }
        match (self, other) {
            (Self::Finite { unscaled: left, scale: left_scale }, Self::Finite { unscaled: right, scale: right_scale }) => {
                match left_scale.cmp(right_scale) {
                    Ordering::Equal => left.cmp(right),
                    Ordering::Less => (left * power_of_ten(right_scale - left_scale)).cmp(right),
                    Ordering::Greater => left.cmp(&(right * power_of_ten(left_scale - right_scale))),
                }
            }
            (left, right) => rank(left).cmp(&rank(right)),
        }
    }

    /// The value if it is one that PostgreSQL can hold. Errors: 22003.
    pub fn checked(self) -> SqlResult<Self> {
        if let Self::Finite { unscaled, scale } = &self
            && (*scale > SCALE_MAX || digit_count(unscaled).saturating_sub(u64::from(*scale)) > WHOLE_DIGITS_MAX)
        {
            return Err(overflow());
        }
        Ok(self)
    }
}

/// `value overflows numeric format`
pub(crate) fn overflow() -> SqlError {
    SqlError::new(SqlState::NUMERIC_VALUE_OUT_OF_RANGE, "value overflows numeric format")
}

pub(crate) fn division_by_zero() -> SqlError {
    SqlError::new(SqlState::DIVISION_BY_ZERO, "division by zero")
}

/// 10^exponent.
pub(crate) fn power_of_ten(exponent: u32) -> BigInt {
    match 10_u128.checked_pow(exponent) {
        Some(small) => BigInt::from(small),
        None => BigInt::from(10).pow(exponent),
    }
}

/// Decimal digits of a magnitude; 0 has one.
pub(crate) fn digit_count(value: &BigInt) -> u64 {
    let magnitude = value.magnitude();
    if let Ok(small) = u128::try_from(magnitude) {
        return u64::from(small.checked_ilog10().unwrap_or(0)) + 1;
    }
    // log10(2) from above: one digit too many at most.
    let bits = magnitude.bits();
    let guess = bits * 30_103 / 100_000;
    let at_least = u32::try_from(guess).unwrap_or(u32::MAX);
    guess + u64::from(*magnitude >= *power_of_ten(at_least).magnitude())
}

/// `left / right`, halves away from zero. `right` is not 0.
pub(crate) fn divide_rounded(left: &BigInt, right: &BigInt) -> BigInt {
    let quotient = left / right;
    let rest = left - &quotient * right;
    let doubled = rest.magnitude() * 2_u32;
    if doubled < *right.magnitude() {
        return quotient;
    }
    if (left.sign() == Sign::Minus) == (right.sign() == Sign::Minus) { quotient + 1 } else { quotient - 1 }
}

/// An unscaled value brought from one scale to another, halves away from zero.
pub(crate) fn rescaled(unscaled: &BigInt, from: u32, to: u32) -> BigInt {
    match from.cmp(&to) {
        Ordering::Equal => unscaled.clone(),
        Ordering::Less => unscaled * power_of_ten(to - from),
        Ordering::Greater => divide_rounded(unscaled, &power_of_ten(from - to)),
    }
}

#[cfg(test)]
mod tests;
