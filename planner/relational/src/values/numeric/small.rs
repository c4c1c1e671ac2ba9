//! The same operations on numbers of up to 38 digits, without allocating; `None` where only the long way can answer.

use super::scales;

/// 10^exponent, if it fits.
fn unit(exponent: u32) -> Option<i128> {
    10_i128.checked_pow(exponent)
}

/// Both at the larger scale.
fn aligned(left: (i128, u32), right: (i128, u32)) -> Option<(i128, i128, u32)> {
    Some(match left.1.cmp(&right.1) {
        std::cmp::Ordering::Equal => (left.0, right.0, left.1),
        std::cmp::Ordering::Less => (left.0.checked_mul(unit(right.1 - left.1)?)?, right.0, right.1),
        std::cmp::Ordering::Greater => (left.0, right.0.checked_mul(unit(left.1 - right.1)?)?, left.1),
    })
}

/// `left + right`
pub(crate) fn add(left: (i128, u32), right: (i128, u32)) -> Option<(i128, u32)> {
    let (left, right, scale) = aligned(left, right)?;
    Some((left.checked_add(right)?, scale))
}

/// `left - right`
pub(crate) fn subtract(left: (i128, u32), right: (i128, u32)) -> Option<(i128, u32)> {
    let (left, right, scale) = aligned(left, right)?;
    Some((left.checked_sub(right)?, scale))
}

/// `left * right`
pub(crate) fn multiply(left: (i128, u32), right: (i128, u32)) -> Option<(i128, u32)> {
    let scale = left.1 + right.1;
    (scale <= super::SCALE_MAX).then_some((left.0.checked_mul(right.0)?, scale))
}

/// `left % right`
pub(crate) fn remainder(left: (i128, u32), right: (i128, u32)) -> Option<(i128, u32)> {
    let (left, right, scale) = aligned(left, right)?;
    Some((left.checked_rem(right)?, scale))
}

/// `left / right`
pub(crate) fn divide(left: (i128, u32), right: (i128, u32)) -> Option<(i128, u32)> {
    let scale = scales::of_small_quotient(left, right)?;
    let power = (scale + right.1).checked_sub(left.1)?;
    let scaled = left.0.checked_mul(unit(power)?)?;
    let (whole, rest) = (scaled / right.0, scaled % right.0);
    let rounds_away = rest.unsigned_abs() >= right.0.unsigned_abs() - rest.unsigned_abs();
    let away = if (scaled < 0) == (right.0 < 0) { 1 } else { -1 };
    Some((if rounds_away { whole + away } else { whole }, scale))
}

/// The order of two numbers.
pub(crate) fn compare(left: (i128, u32), right: (i128, u32)) -> Option<std::cmp::Ordering> {
    let (left, right, _) = aligned(left, right)?;
    Some(left.cmp(&right))
}
