//! Variance and standard deviation from exact sums.

use base::SqlResult;
use num_bigint::{BigInt, Sign};

use super::Numeric::{self, Finite, NaN};
use super::{powers, scales};

/// Which spread of a set of numbers.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Spread {
    /// The standard deviation, else the variance.
    pub(crate) is_root: bool,
    /// Of a sample, else of the whole.
    pub(crate) is_sample: bool,
}

impl Spread {
    /// The spread of `count` numbers with this sum and sum of squares (`numeric_stddev_internal`); `None` for too few of them.
    pub(crate) fn of(self, count: i64, sum: &Numeric, squares: &Numeric) -> SqlResult<Option<Numeric>> {
        if count < 1 + i64::from(self.is_sample) {
            return Ok(None);
        }
        let (Finite { .. }, Finite { .. }) = (sum, squares) else { return Ok(Some(NaN)) };
        let count = BigInt::from(count);
        let numerator = Numeric::integer(count.clone()).multiply(squares)?.subtract(&sum.multiply(sum)?)?;
        let Finite { unscaled, scale } = &numerator else { return Ok(Some(NaN)) };
        if unscaled.sign() != Sign::Plus {
            return Ok(Some(Numeric::zero()));
        }
        let divisor = if self.is_sample { &count * (&count - 1) } else { &count * &count };
        let shown = scales::of_quotient((unscaled, *scale), (&divisor, 0));
        let variance = Numeric::quotient((unscaled, *scale), (&divisor, 0), shown);
        match &variance {
            Finite { unscaled, scale } if self.is_root => Ok(Some(powers::root_of((unscaled, *scale), shown))),
            _ => Ok(Some(variance)),
        }
    }
}
