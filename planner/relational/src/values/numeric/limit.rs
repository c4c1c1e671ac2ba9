//! `numeric(precision, scale)`: how many digits a value may have, and how many of them after the point.

use base::{SqlError, SqlResult, SqlState};

use super::{Numeric, power_of_ten, rescaled};

/// A declared precision and scale.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Limit {
    /// Digits in all, 1–1,000.
    pub precision: u16,
    /// Digits after the point, −1,000–1,000; below zero, zeros before it.
    pub scale: i16,
}

impl Limit {
    /// The value rounded to the scale. Errors: 22003 if it has too many digits, or is infinite.
    pub fn apply(self, value: Numeric) -> SqlResult<Numeric> {
        let Self { precision, scale } = self;
        let overflow = |detail: String| {
            SqlError::new(SqlState::NUMERIC_VALUE_OUT_OF_RANGE, "numeric field overflow")
                .detail(format!("A field with precision {precision}, scale {scale} {detail}."))
        };
        let Numeric::Finite { .. } = &value else {
            return if value.is_nan() { Ok(value) } else { Err(overflow("cannot hold an infinite value".to_owned())) };
        };
        let rounded = value.round(scale.into());
        let Numeric::Finite { unscaled, scale: shown } = &rounded else { return Ok(rounded) };
        // Digits allowed before the point; below zero, places after it that must be empty.
        let whole = i32::from(precision) - i32::from(scale);
        let places = i64::from(*shown) + i64::from(whole);
        let fits = match u32::try_from(places) {
            Ok(places) => unscaled.magnitude() < power_of_ten(places).magnitude(),
            Err(_) => rounded.is_zero(),
        };
        if fits {
            return Ok(rounded);
        }
        let bound = match whole {
            0 => "1".to_owned(),
            whole => format!("10^{whole}"),
        };
        Err(overflow(format!("must round to an absolute value less than {bound}")))
    }

    /// The value in units of `10^-scale`, if that is what it rounds to in this limit and the scale is not below zero. Errors: as for [`Limit::apply`].
    pub fn unscaled(self, value: &Numeric) -> SqlResult<Option<num_bigint::BigInt>> {
        let Numeric::Finite { unscaled, scale } = self.apply(value.clone())? else { return Ok(None) };
        Ok(u32::try_from(self.scale).ok().map(|wanted| rescaled(&unscaled, scale, wanted)))
    }
}
