//! Between numbers and machine integers.

use base::{SqlError, SqlResult, SqlState};
use num_bigint::BigInt;

use super::Numeric::{self, Finite};
use super::rescaled;

impl Numeric {
    /// The nearest integer, halves away from zero, of the type of that name. Errors: 22003; 0A000 for NaN and infinity.
    pub fn to_integer(&self, type_name: &str) -> SqlResult<i64> {
        let (unscaled, scale) = match self {
            Finite { unscaled, scale } => (unscaled, *scale),
            Self::NaN => return Err(SqlError::new(SqlState::FEATURE_NOT_SUPPORTED, format!("cannot convert NaN to {type_name}"))),
            _ => return Err(SqlError::new(SqlState::FEATURE_NOT_SUPPORTED, format!("cannot convert infinity to {type_name}"))),
        };
        let out_of_range = || SqlError::new(SqlState::NUMERIC_VALUE_OUT_OF_RANGE, format!("{type_name} out of range"));
        let whole = i64::try_from(rescaled(unscaled, scale, 0)).map_err(|_| out_of_range())?;
        let fits = match type_name {
            "smallint" => i16::try_from(whole).is_ok(),
            "integer" => i32::try_from(whole).is_ok(),
            _ => true,
        };
        if fits { Ok(whole) } else { Err(out_of_range()) }
    }

    /// `factorial(n)`. Errors: 22003.
    pub fn factorial(n: i64) -> SqlResult<Self> {
        if n < 0 {
            return Err(SqlError::new(SqlState::NUMERIC_VALUE_OUT_OF_RANGE, "factorial of a negative number is undefined"));
        }
        // 32,178! has more digits than a number can have.
        if n > 32_177 {
            return Err(super::overflow());
        }
        let product = (2..=n).fold(BigInt::from(1), |product, factor| product * factor);
        Self::integer(product).checked()
    }
}
