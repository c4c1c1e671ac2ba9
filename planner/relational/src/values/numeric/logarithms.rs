//! `exp`, `ln`, `log`, in fixed point with digits to spare.

use base::{SqlError, SqlResult, SqlState};
use num_bigint::{BigInt, Sign};

use super::Numeric::{self, Finite, Infinity, NaN, NegativeInfinity};
use super::{digit_count, division_by_zero, overflow, power_of_ten, rescaled, scales};

fn bad_logarithm(message: &str) -> SqlError {
    SqlError::new(SqlState("2201E"), message.to_owned())
}

impl Numeric {
    /// Errors: 2201E for what has no logarithm.
    fn has_logarithm(&self) -> SqlResult<()> {
        match self.signum() {
            0 => Err(bad_logarithm("cannot take logarithm of zero")),
            ..0 => Err(bad_logarithm("cannot take logarithm of a negative number")),
            _ => Ok(()),
        }
    }

    /// `ln(self)`. Errors: 2201E.
    pub fn natural_logarithm(&self) -> SqlResult<Self> {
        self.has_logarithm()?;
        let Finite { unscaled, scale } = self else { return Ok(self.clone()) };
        let weight = Self::logarithm_weight(unscaled, *scale);
        Ok(natural((unscaled, *scale), scales::bounded(scales::SIGNIFICANT_DIGITS_MIN - weight, &[*scale])))
    }

    /// `log(base, self)`. Errors: 2201E, 22012.
    pub fn logarithm(&self, base: &Self) -> SqlResult<Self> {
        if self.is_nan() || base.is_nan() {
            return Ok(NaN);
        }
        base.has_logarithm()?;
        self.has_logarithm()?;
        let ((unscaled, scale), (base, base_scale)) = match (self, base) {
            (Finite { unscaled, scale }, Finite { unscaled: base, scale: base_scale }) => ((unscaled, *scale), (base, *base_scale)),
            (Infinity, Infinity) => return Ok(NaN),
            (_, Infinity) => return Ok(Self::zero()),
            _ => return Ok(Infinity),
        };
        let (weight, base_weight) = (Self::logarithm_weight(unscaled, scale), Self::logarithm_weight(base, base_scale));
        let wanted = scales::bounded(scales::SIGNIFICANT_DIGITS_MIN - (weight - base_weight), &[base_scale, scale]);
        let room = (i64::from(wanted) + 20 + (weight - base_weight).abs() - base_weight.min(0) * 2 - weight.min(0)) as u32;
        let (Finite { unscaled, .. }, Finite { unscaled: divisor, .. }) =
            (natural((unscaled, scale), room), natural((base, base_scale), room))
        else {
            return Ok(NaN);
        };
        if divisor.sign() == Sign::NoSign {
            return Err(division_by_zero());
        }
        Ok(Self::quotient((&unscaled, room), (&divisor, room), wanted))
    }

    /// `exp(self)`. Errors: 22003.
    pub fn exponential(&self) -> SqlResult<Self> {
        let scale = match self {
            Finite { scale, .. } => *scale,
            NegativeInfinity => return Ok(Self::zero()),
            _ => return Ok(self.clone()),
        };
        let limit = scales::RESULT_SCALE_MAX as f64;
        let digits = (self.to_float() * std::f64::consts::LOG10_E).clamp(-limit, limit);
        exponential(self, scales::bounded(scales::SIGNIFICANT_DIGITS_MIN - digits as i64, &[scale]))
    }
}

/// The natural logarithm of a positive number, with so many digits after the point.
pub(super) fn natural((unscaled, scale): (&BigInt, u32), wanted: u32) -> Numeric {
    let unit = power_of_ten(scale);
    if *unscaled < unit {
        // Below 1 the inverse has no fewer digits to show.
        let digits = i64::from(scale) - digit_count(unscaled) as i64;
        let room = wanted + 10;
        let more = room + u32::try_from(digits.max(0)).unwrap_or(0) * 2;
        let Finite { unscaled: inverse, .. } = Numeric::quotient((&BigInt::from(1), 0), (unscaled, scale), more) else { return NaN };
        return natural((&inverse, more), wanted).negated();
    }
    // Roots until the number is near 1, then ln x = 2·artanh((x−1)/(x+1)).
    let whole_digits = digit_count(unscaled).saturating_sub(u64::from(scale));
    // As many roots as a number of this length needs cost a binary digit each.
    let room = wanted + 20 + whole_digits.checked_ilog2().unwrap_or(0);
    let one = power_of_ten(room);
    let mut x = rescaled(unscaled, scale, room);
    let mut doubled = 1_u32;
    let near = &one + &one / 16;
    while x > near {
        x = (x * &one).sqrt();
        doubled += 1;
    }
    let ratio = (&x - &one) * &one / (&x + &one);
    let square = &ratio * &ratio / &one;
    let (mut term, mut sum, mut n) = (ratio.clone(), ratio, 1_u32);
    while term.sign() != Sign::NoSign {
        term = term * &square / &one;
        n += 2;
        sum += &term / n;
    }
    Numeric::new(rescaled(&(sum << doubled), room, wanted), wanted)
}

/// `e^exponent` with so many digits after the point. Errors: 22003.
pub(super) fn exponential(exponent: &Numeric, wanted: u32) -> SqlResult<Numeric> {
    let Finite { unscaled, scale } = exponent else { return Ok(exponent.clone()) };
    let size = exponent.to_float();
    if size.abs() >= scales::RESULT_SCALE_MAX as f64 * 3.0 {
        return if size > 0.0 { Err(overflow()) } else { Ok(Numeric::new(0, wanted)) };
    }
    let whole_digits = (size.abs() * std::f64::consts::LOG10_E).ceil() as u32;
    // Halved until it is small; each squaring on the way back doubles what is lost.
    let halvings = (size.abs() * 32.0).max(1.0).log2().ceil() as u32;
    let room = wanted + whole_digits * 2 + halvings + 15;
    let one = power_of_ten(room);
    let x: BigInt = rescaled(unscaled, *scale, room) >> halvings;
    let (mut term, mut sum, mut n) = (one.clone(), one.clone(), 0_u32);
    loop {
        n += 1;
        term = term * &x / &one / n;
        // Shifting rounds a negative number down, never to zero.
        if term.sign() == Sign::NoSign {
            break;
        }
        sum += &term;
    }
    for _ in 0..halvings {
        sum = &sum * &sum / &one;
    }
    Ok(Numeric::new(rescaled(&sum, room, wanted), wanted))
}
