//! Fewer digits: `round`, `trunc`, `ceil`, `floor`, `trim_scale`, `min_scale`.

use num_bigint::{BigInt, Sign};

use super::Numeric::{self, Finite};
use super::{divide_rounded, power_of_ten, rescaled, scales};

/// How digits that are left out change the rest.
#[derive(Clone, Copy)]
enum Way {
    HalfAway,
    Towards0,
}

impl Numeric {
    /// `round(self, places)`, halves away from zero; below zero, so many digits before the point become zeros.
    pub fn round(&self, places: i64) -> Self {
        self.cut(places, Way::HalfAway)
    }

    /// `trunc(self, places)`
    pub fn truncate(&self, places: i64) -> Self {
        self.cut(places, Way::Towards0)
    }

    fn cut(&self, places: i64, way: Way) -> Self {
        let Finite { unscaled, scale } = self else { return self.clone() };
        let places = places.clamp(-scales::RESULT_SCALE_MAX, scales::RESULT_SCALE_MAX);
        let dropped = i64::from(*scale) - places;
        let Ok(dropped @ 1..) = u32::try_from(dropped) else {
            let places = places.max(0) as u32;
            return Self::new(rescaled(unscaled, *scale, places), places);
        };
        let unit = power_of_ten(dropped);
        let kept = match way {
            Way::HalfAway => divide_rounded(unscaled, &unit),
            Way::Towards0 => unscaled / unit,
        };
        match u32::try_from(places) {
            Ok(places) => Self::new(kept, places),
            Err(_) => Self::new(kept * power_of_ten(places.unsigned_abs() as u32), 0),
        }
    }

    /// `ceil(self)`
    pub fn ceiling(&self) -> Self {
        self.floor_of(Sign::Plus)
    }

    /// `floor(self)`
    pub fn floor(&self) -> Self {
        self.floor_of(Sign::Minus)
    }

    /// The next whole number in the direction of this sign.
    fn floor_of(&self, direction: Sign) -> Self {
        let Finite { unscaled, scale } = self else { return self.clone() };
        let unit = power_of_ten(*scale);
        let whole = unscaled / &unit;
        let is_exact = &whole * unit == *unscaled;
        Self::integer(if is_exact || unscaled.sign() != direction {
            whole
        } else {
            whole + BigInt::from(if direction == Sign::Plus { 1 } else { -1 })
        })
    }

    /// Digits after the point that are not zeros at the end.
    pub fn least_scale(&self) -> Option<u32> {
        let Finite { unscaled, scale } = self else { return None };
        if unscaled.sign() == Sign::NoSign {
            return Some(0);
        }
        let (mut rest, mut least) = (unscaled.clone(), *scale);
        let ten = BigInt::from(10);
        while least > 0 {
            let next = &rest / &ten;
            if &next * &ten != rest {
                break;
            }
            (rest, least) = (next, least - 1);
        }
        Some(least)
    }

    /// `trim_scale(self)`
    pub fn trimmed(&self) -> Self {
        let (Finite { unscaled, scale }, Some(least)) = (self, self.least_scale()) else { return self.clone() };
        Self::new(rescaled(unscaled, *scale, least), least)
    }

    /// Whether there is nothing after the point; infinities are whole.
    pub(super) fn is_whole(&self) -> bool {
        match self {
            Self::NaN => false,
            Finite { .. } => self.least_scale() == Some(0),
            _ => true,
        }
    }
}
