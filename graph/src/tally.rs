//! Numbers of matches: sums and products that say so when they do not fit.
//!
//! Y1: a number that passes 63 bits ends the query with 22003, as a sum of bigints does.
//! Never: wraps around.

use base::{SqlError, SqlResult, SqlState};

fn fits(number: Option<u64>) -> SqlResult<u64> {
    let number = number.filter(|number| i64::try_from(*number).is_ok());
    number.ok_or_else(|| SqlError::new(SqlState::NUMERIC_VALUE_OUT_OF_RANGE, "bigint out of range"))
}

/// `a + b` (Y1).
#[inline]
pub fn sum(a: u64, b: u64) -> SqlResult<u64> {
    fits(a.checked_add(b))
}

/// `a × b` (Y1).
#[inline]
pub fn product(a: u64, b: u64) -> SqlResult<u64> {
    fits(a.checked_mul(b))
}
