//! `sqrt`, `power`, and powers with whole exponents.

use base::{SqlError, SqlResult, SqlState};
use num_bigint::{BigInt, Sign};

use super::Numeric::{self, Finite, Infinity, NaN, NegativeInfinity};
use super::{digit_count, division_by_zero, logarithms, overflow, power_of_ten, rescaled, scales};

fn bad_power(message: &str) -> SqlError {
    SqlError::new(SqlState("2201F"), message.to_owned())
}

impl Numeric {
    /// `sqrt(self)`. Errors: 2201F.
    pub fn square_root(&self) -> SqlResult<Self> {
        if self.signum() < 0 {
            return Err(bad_power("cannot take square root of a negative number"));
        }
        let Finite { unscaled, scale } = self else { return Ok(self.clone()) };
        let head = scales::Head::of(unscaled, *scale);
        let digits = (head.weight + 1) * 4 / 2 - 1;
        let wanted = scales::bounded(scales::SIGNIFICANT_DIGITS_MIN - digits, &[*scale]);
        Ok(root_of((unscaled, *scale), wanted))
    }

    /// `power(self, exponent)`. Errors: 2201F, 22012, 22003.
    pub fn power(&self, exponent: &Self) -> SqlResult<Self> {
        let one = Self::integer(1);
        match (self, exponent) {
            (NaN, other) => return Ok(if other.is_zero() { one } else { NaN }),
            (other, NaN) => return Ok(if *other != NaN && other.compare(&one).is_eq() { one } else { NaN }),
            _ => {}
        }
        if self.is_zero() && exponent.signum() < 0 {
            return Err(bad_power("zero raised to a negative power is undefined"));
        }
        if self.signum() < 0 && !exponent.is_whole() {
            return Err(bad_power("a negative number raised to a non-integer power yields a complex result"));
        }
        match (self, exponent) {
            (Finite { unscaled, scale }, Finite { unscaled: power, scale: power_scale }) => {
                Self::power_of_finite((unscaled, *scale), (power, *power_scale), exponent)
            }
            _ => Ok(self.power_special(exponent)),
        }
    }

    /// After POSIX's `pow`; one of the two is infinite.
    fn power_special(&self, exponent: &Self) -> Self {
        let one = Self::integer(1);
        if self.compare(&one).is_eq() || exponent.is_zero() {
            return one;
        }
        if self.is_zero() {
            return Self::zero();
        }
        if let Infinity | NegativeInfinity = exponent {
            let size = self.absolute().compare(&one);
            if size.is_eq() {
                return one;
            }
            return if size.is_gt() == (exponent.signum() > 0) { Infinity } else { Self::zero() };
        }
        if exponent.signum() < 0 {
            return Self::zero();
        }
        let is_odd = exponent.remainder(&Self::integer(2)).is_ok_and(|rest| !rest.is_zero());
        if self.signum() < 0 && is_odd { NegativeInfinity } else { Infinity }
    }

    fn power_of_finite(base: (&BigInt, u32), power: (&BigInt, u32), exponent: &Self) -> SqlResult<Self> {
        if exponent.is_whole()
            && let Ok(whole) = i32::try_from(rescaled(power.0, power.1, 0))
        {
            let scale = scales::bounded(scales::SIGNIFICANT_DIGITS_MIN, &[base.1]);
            return whole_power(base, whole, scale)?.checked();
        }
        if base.0.sign() == Sign::NoSign {
            return Ok(Self::new(0, 16));
        }
        let is_negative = base.0.sign() == Sign::Minus && exponent.remainder(&Self::integer(2)).is_ok_and(|rest| !rest.is_zero());
        let size = BigInt::from(base.0.magnitude().clone());
        let weight = Self::logarithm_weight(&size, base.1);
        // A first look at the size of the result, for its scale.
        let rough = logarithms::natural((&size, base.1), (8 - weight).max(0) as u32);
        let rough = rough.multiply(exponent)?.to_float();
        if rough.abs() > scales::RESULT_SCALE_MAX as f64 * 3.01 {
            return if rough > 0.0 { Err(overflow()) } else { Ok(Self::new(0, scales::DISPLAY_SCALE_MAX as u32)) };
        }
        let digits = (rough * std::f64::consts::LOG10_E) as i64;
        let scale = scales::bounded(scales::SIGNIFICANT_DIGITS_MIN - digits, &[base.1, power.1]);
        let room = i64::from(scale) + digits.max(0) + digit_count(power.0) as i64 + 20;
        let logarithm = logarithms::natural((&size, base.1), room.max(0) as u32).multiply(exponent)?;
        let result = logarithms::exponential(&logarithm, scale)?;
        Ok(if is_negative { result.negated() } else { result })
    }
}

/// The square root with so many digits after the point, rounded.
pub(super) fn root_of(value: (&BigInt, u32), scale: u32) -> Numeric {
    // With one digit more than wanted, rounded down.
    let wanted = 2 * scale + 2;
    let scaled = if wanted >= value.1 { value.0 * power_of_ten(wanted - value.1) } else { value.0 / power_of_ten(value.1 - wanted) };
    let root = scaled.sqrt();
    // A 5 as the last digit is a half or above: both round away.
    Numeric::new(super::divide_rounded(&root, &BigInt::from(10)), scale)
}

/// `power_var_int`
fn whole_power(base: (&BigInt, u32), exponent: i32, scale: u32) -> SqlResult<Numeric> {
    let round = |value: BigInt, from: u32| Numeric::new(rescaled(&value, from, scale), scale);
    match exponent {
        0 => return Ok(round(BigInt::from(1), 0)),
        1 => return Ok(round(base.0.clone(), base.1)),
        -1 if base.0.sign() != Sign::NoSign => return Ok(Numeric::quotient((&BigInt::from(1), 0), base, scale)),
        2 => return Ok(round(base.0 * base.0, base.1 * 2)),
        _ => {}
    }
    if base.0.sign() == Sign::NoSign {
        return if exponent < 0 { Err(division_by_zero()) } else { Ok(Numeric::new(0, scale)) };
    }
    // Size of the result, as a power of ten.
    let size = logarithm_of_size(base) * f64::from(exponent);
    if size > 3.0 * f64::from(i16::MAX) * 4.0 {
        return Err(overflow());
    }
    if size + 1.0 < -f64::from(scale) || size + 1.0 < -(scales::DISPLAY_SCALE_MAX as f64) {
        return Ok(Numeric::new(0, scale));
    }
    if size > 131_073.0 {
        return Err(overflow());
    }
    // Significant digits to work with: those shown, and what so many products may lose.
    let kept = (i64::from(scale) + size.ceil() as i64).max(0) as u64 + 12 + f64::from(exponent.unsigned_abs()).log10() as u64 * 2;
    let mut result = Floating { digits: BigInt::from(1), power: 0 };
    let mut square = Floating { digits: base.0.clone(), power: -i64::from(base.1) };
    let mut rest = exponent.unsigned_abs();
    loop {
        if rest & 1 == 1 {
            result = result.times(&square, kept);
        }
        rest >>= 1;
        if rest == 0 {
            break;
        }
        square = square.times(&square, kept);
    }
    Ok(result.at(scale, exponent < 0))
}

/// `log10(|value|)`, roughly.
fn logarithm_of_size((unscaled, scale): (&BigInt, u32)) -> f64 {
    let digits = digit_count(unscaled) as i64;
    let unit = power_of_ten((digits - 17).max(0) as u32);
    let head = (BigInt::from(unscaled.magnitude().clone()) / unit).to_string().parse::<f64>().unwrap_or(1.0);
    head.log10() + ((digits - 17).max(0) - i64::from(scale)) as f64
}

/// `digits · 10^power`
struct Floating {
    digits: BigInt,
    power: i64,
}

impl Floating {
    fn times(&self, other: &Self, kept: u64) -> Self {
        let (mut digits, mut power) = (&self.digits * &other.digits, self.power + other.power);
        let count = digit_count(&digits);
        if count > kept {
            digits = super::divide_rounded(&digits, &power_of_ten((count - kept) as u32));
            power += (count - kept) as i64;
        }
        Self { digits, power }
    }

    /// The value, or its inverse, rounded to this scale.
    fn at(&self, scale: u32, is_inverse: bool) -> Numeric {
        let (left, right) = if is_inverse { (BigInt::from(1), self.digits.clone()) } else { (self.digits.clone(), BigInt::from(1)) };
        let power = i64::from(scale) + if is_inverse { -self.power } else { self.power };
        let unit = power_of_ten(power.unsigned_abs() as u32);
        let unscaled =
            if power >= 0 { super::divide_rounded(&(left * unit), &right) } else { super::divide_rounded(&left, &(right * unit)) };
        Numeric::new(unscaled, scale)
    }
}
