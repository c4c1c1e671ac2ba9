//! How many digits after the point a result gets that has no exact one.
//!
//! X1: at least sixteen significant digits, never fewer after the point than the operands show, never more than a thousand.

use num_bigint::BigInt;

use super::{Numeric, digit_count};

/// `NUMERIC_MIN_SIG_DIGITS`
pub(super) const SIGNIFICANT_DIGITS_MIN: i64 = 16;
/// `NUMERIC_MAX_DISPLAY_SCALE`
pub(super) const DISPLAY_SCALE_MAX: i64 = 1_000;
/// `NUMERIC_MAX_RESULT_SCALE`
pub(super) const RESULT_SCALE_MAX: i64 = 2_000;

/// X1, for a result of this many digits after the point.
pub(super) fn bounded(scale: i64, shown: &[u32]) -> u32 {
    let least = shown.iter().map(|scale| i64::from(*scale)).max().unwrap_or(0);
    scale.max(least).clamp(0, DISPLAY_SCALE_MAX) as u32
}

/// A number's first group of four digits and its power of 10,000, as PostgreSQL keeps numbers; zeros for zero.
#[derive(Clone, Copy)]
pub(super) struct Head {
    pub(super) weight: i64,
    pub(super) first: i64,
    /// The group after it, if it is not the last.
    pub(super) second: Option<i64>,
}

impl Head {
    pub(super) fn of(unscaled: &BigInt, scale: u32) -> Self {
        if unscaled.magnitude().bits() == 0 {
            return Self { weight: 0, first: 0, second: None };
        }
        let digits = digit_count(unscaled) as i64;
        // Power of ten of the first digit.
        let first_power = digits - 1 - i64::from(scale);
        let weight = first_power.div_euclid(4);
        let first_digits = first_power.rem_euclid(4) + 1;
        // The first eight places, whatever of them there is.
        let wanted = first_digits + 4;
        let (head, is_cut) = if digits > wanted {
            let unit = super::power_of_ten((digits - wanted) as u32);
            let head = unscaled / &unit;
            (head.clone(), head * unit != *unscaled)
        } else {
            (unscaled * super::power_of_ten((wanted - digits) as u32), false)
        };
        let head = i64::try_from(head.magnitude().clone()).unwrap_or(0);
        let second = head % 10_000;
        Self { weight, first: head / 10_000, second: (second != 0 || is_cut).then_some(second) }
    }
}

/// `select_div_scale`
pub(super) fn of_quotient(left: (&BigInt, u32), right: (&BigInt, u32)) -> u32 {
    let (dividend, divisor) = (Head::of(left.0, left.1), Head::of(right.0, right.1));
    let mut weight = dividend.weight - divisor.weight;
    if dividend.first <= divisor.first {
        weight -= 1;
    }
    bounded(SIGNIFICANT_DIGITS_MIN - weight * 4, &[left.1, right.1])
}

impl Numeric {
    /// `estimate_ln_dweight`: power of ten of the first digit of the natural logarithm of a positive number.
    pub(super) fn logarithm_weight(unscaled: &BigInt, scale: u32) -> i64 {
        let unit = super::power_of_ten(scale);
        let tenth: BigInt = (unscaled - &unit) * 10;
        if tenth.magnitude() <= unit.magnitude() {
            // Near 1: as x − 1.
            let rest = unscaled - unit;
            if rest.magnitude().bits() == 0 {
                return 0;
            }
            return digit_count(&rest) as i64 - 1 - i64::from(scale);
        }
        let head = Head::of(unscaled, scale);
        let (mut digits, mut power) = (head.first as f64, head.weight * 4);
        if let Some(second) = head.second {
            digits = digits * 10_000.0 + second as f64;
            power -= 4;
        }
        let logarithm = digits.ln() + power as f64 * std::f64::consts::LN_10;
        logarithm.abs().log10() as i64
    }
}

/// `select_div_scale` for numbers of up to 38 digits; `None` for a divisor of zero.
pub(super) fn of_small_quotient(left: (i128, u32), right: (i128, u32)) -> Option<u32> {
    if right.0 == 0 {
        return None;
    }
    let (dividend, divisor) = (small_head(left), small_head(right));
    let mut weight = dividend.0 - divisor.0;
    if dividend.1 <= divisor.1 {
        weight -= 1;
    }
    Some(bounded(SIGNIFICANT_DIGITS_MIN - weight * 4, &[left.1, right.1]))
}

/// Weight and first group, as in [`Head`].
fn small_head((unscaled, scale): (i128, u32)) -> (i64, u128) {
    let size = unscaled.unsigned_abs();
    let Some(last) = size.checked_ilog10() else { return (0, 0) };
    let power = i64::from(last) - i64::from(scale);
    let shown = power.rem_euclid(4) as u32;
    let first = if last >= shown { size / 10_u128.pow(last - shown) } else { size * 10_u128.pow(shown - last) };
    (power.div_euclid(4), first)
}
