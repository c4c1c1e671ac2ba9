//! `+ - * / %`, `div`, sign and comparison with zero, with PostgreSQL's display scales and its rules for NaN and infinity.

use base::SqlResult;
use num_bigint::BigInt;

use super::{Numeric, SCALE_MAX, division_by_zero, power_of_ten, rescaled, scales};
use Numeric::{Finite, Infinity, NaN, NegativeInfinity};

/// Both unscaled at the larger scale.
pub(super) fn aligned(left: (&BigInt, u32), right: (&BigInt, u32)) -> (BigInt, BigInt, u32) {
    let scale = left.1.max(right.1);
    (rescaled(left.0, left.1, scale), rescaled(right.0, right.1, scale), scale)
}

fn infinite(sign: i32) -> Numeric {
    match sign {
        0 => NaN,
        1.. => Infinity,
        _ => NegativeInfinity,
    }
}

impl Numeric {
    /// `-self`
    pub fn negated(&self) -> Self {
        match self {
            NaN => NaN,
            Infinity => NegativeInfinity,
            NegativeInfinity => Infinity,
            Finite { unscaled, scale } => Self::new(-unscaled, *scale),
        }
    }

    /// `abs(self)`
    pub fn absolute(&self) -> Self {
        if self.signum() < 0 { self.negated() } else { self.clone() }
    }

    /// `self + other`: the larger scale.
    pub fn add(&self, other: &Self) -> SqlResult<Self> {
        match (self, other) {
            (Finite { unscaled: left, scale: left_scale }, Finite { unscaled: right, scale: right_scale }) => {
                if left_scale == right_scale {
                    return Self::new(left + right, *left_scale).checked();
                }
                let (left, right, scale) = aligned((left, *left_scale), (right, *right_scale));
                Self::new(left + right, scale).checked()
            }
            (NaN, _) | (_, NaN) | (Infinity, NegativeInfinity) | (NegativeInfinity, Infinity) => Ok(NaN),
            (special @ (Infinity | NegativeInfinity), _) | (_, special) => Ok(special.clone()),
        }
    }

    /// `self - other`
    pub fn subtract(&self, other: &Self) -> SqlResult<Self> {
        self.add(&other.negated())
    }

    /// `self * other`: the scales together.
    pub fn multiply(&self, other: &Self) -> SqlResult<Self> {
        match (self, other) {
            (Finite { unscaled: left, scale: left_scale }, Finite { unscaled: right, scale: right_scale }) => {
                let scale = left_scale + right_scale;
                let product = left * right;
                if scale > SCALE_MAX {
                    return Self::new(rescaled(&product, scale, SCALE_MAX), SCALE_MAX).checked();
                }
                Self::new(product, scale).checked()
            }
            (NaN, _) | (_, NaN) => Ok(NaN),
            (left, right) => Ok(infinite(left.signum() * right.signum())),
        }
    }

    /// `self / other`, rounded. Errors: 22012.
    pub fn divide(&self, other: &Self) -> SqlResult<Self> {
        match (self, other) {
            (Finite { unscaled: left, scale: left_scale }, Finite { unscaled: right, scale: right_scale }) => {
                if other.is_zero() {
                    return Err(division_by_zero());
                }
                let scale = scales::of_quotient((left, *left_scale), (right, *right_scale));
                Self::quotient((left, *left_scale), (right, *right_scale), scale).checked()
            }
            (left, right) => Self::divide_special(left, right),
        }
    }

    fn divide_special(left: &Self, right: &Self) -> SqlResult<Self> {
        match (left, right) {
            (NaN, _) | (_, NaN) => Ok(NaN),
            (Infinity | NegativeInfinity, Infinity | NegativeInfinity) => Ok(NaN),
            (Infinity | NegativeInfinity, right) if right.is_zero() => Err(division_by_zero()),
            (Infinity | NegativeInfinity, right) => Ok(infinite(left.signum() * right.signum())),
            _ => Ok(Self::zero()),
        }
    }

    /// `left / right` with so many digits after the point, halves away from zero. `right` is not 0.
    pub(super) fn quotient(left: (&BigInt, u32), right: (&BigInt, u32), scale: u32) -> Self {
        let power = i64::from(scale) + i64::from(right.1) - i64::from(left.1);
        let unit = power_of_ten(power.unsigned_abs() as u32);
        let unscaled =
            if power >= 0 { super::divide_rounded(&(left.0 * unit), right.0) } else { super::divide_rounded(left.0, &(right.0 * unit)) };
        Self::new(unscaled, scale)
    }

    /// `div(self, other)`: the quotient without its fraction. Errors: 22012.
    pub fn divide_whole(&self, other: &Self) -> SqlResult<Self> {
        match (self, other) {
            (Finite { unscaled: left, scale: left_scale }, Finite { unscaled: right, scale: right_scale }) => {
                if other.is_zero() {
                    return Err(division_by_zero());
                }
                let (left, right, _) = aligned((left, *left_scale), (right, *right_scale));
                Self::integer(left / right).checked()
            }
            (left, right) => Self::divide_special(left, right),
        }
    }

    /// `self % other`, with the sign of `self`: the larger scale. Errors: 22012.
    pub fn remainder(&self, other: &Self) -> SqlResult<Self> {
        match (self, other) {
            (Finite { unscaled: left, scale: left_scale }, Finite { unscaled: right, scale: right_scale }) => {
                if other.is_zero() {
                    return Err(division_by_zero());
                }
                let (left, right, scale) = aligned((left, *left_scale), (right, *right_scale));
                Ok(Self::new(left % right, scale))
            }
            (NaN, _) | (_, NaN) => Ok(NaN),
            (Finite { .. }, _) => Ok(self.clone()),
            (_, other) if other.is_zero() => Err(division_by_zero()),
            _ => Ok(NaN),
        }
    }

    /// `sign(self)`
    pub fn sign(&self) -> Self {
        if self.is_nan() { NaN } else { Self::integer(self.signum()) }
    }

    /// `gcd(self, other)`: the larger scale; NaN where one is not finite.
    pub fn greatest_divisor(&self, other: &Self) -> Self {
        let (Finite { unscaled: left, scale: left_scale }, Finite { unscaled: right, scale: right_scale }) = (self, other) else {
            return NaN;
        };
        let (mut left, mut right, scale) = aligned((left, *left_scale), (right, *right_scale));
        while right.magnitude().bits() > 0 {
            let rest = &left % &right;
            (left, right) = (right, rest);
        }
        Self::new(BigInt::from(left.magnitude().clone()), scale)
    }

    /// `lcm(self, other)`
    pub fn least_multiple(&self, other: &Self) -> SqlResult<Self> {
        let (Finite { unscaled: left, scale: left_scale }, Finite { unscaled: right, scale: right_scale }) = (self, other) else {
            return Ok(NaN);
        };
        let (left, right, scale) = aligned((left, *left_scale), (right, *right_scale));
        let Finite { unscaled: divisor, .. } = Self::new(left.clone(), 0).greatest_divisor(&Self::new(right.clone(), 0)) else {
            return Ok(NaN);
        };
        if divisor.magnitude().bits() == 0 {
            return Ok(Self::new(0, scale));
        }
        let multiple = left / divisor * right;
        Self::new(BigInt::from(multiple.magnitude().clone()), scale).checked()
    }
}
