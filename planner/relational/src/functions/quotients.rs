//! Division of `numeric` values: exact to the last digit shown, rounded half away from zero.
//!
//! F11: a quotient has at least sixteen digits after the point, and as many as its operands.
//! F12: the dividend is scaled up in 256 bits, so only a quotient that does not fit itself is 22003.

use std::sync::{Arc, LazyLock};

use arrow::array::{AsArray, Decimal128Array};
use arrow::datatypes::{DECIMAL128_MAX_PRECISION, DataType, Decimal128Type, i256};
use base::{SqlError, SqlResult, SqlState};
use datafusion::common::{DataFusionError, Result, internal_err};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};

/// F11.
const SCALE_MIN: i8 = 16;

static DIVIDE: LazyLock<Arc<ScalarUDF>> =
    LazyLock::new(|| Arc::new(ScalarUDF::from(NumericDiv { signature: Signature::any(2, Volatility::Immutable) })));

/// The function for `left / right` if one of the types is numeric and the other numeric or an integer, and the types to cast them to.
pub(crate) fn checked(left: &DataType, right: &DataType) -> Option<(Arc<ScalarUDF>, [DataType; 2])> {
    let is_numeric = matches!(left, DataType::Decimal128(..)) || matches!(right, DataType::Decimal128(..));
    let operands = [exact(left)?, exact(right)?];
    is_numeric.then(|| (Arc::clone(&DIVIDE), operands))
}

/// The numeric type that holds every value of an exact number's type.
fn exact(data_type: &DataType) -> Option<DataType> {
    Some(match data_type {
        DataType::Int16 => DataType::Decimal128(5, 0),
        DataType::Int32 => DataType::Decimal128(10, 0),
        DataType::Int64 => DataType::Decimal128(19, 0),
        DataType::Decimal128(_, 0..) => data_type.clone(),
        // A constant such as 1e20.
        DataType::Decimal128(digits, scale) => DataType::Decimal128((digits + scale.unsigned_abs()).min(DECIMAL128_MAX_PRECISION), 0),
        _ => return None,
    })
}

#[derive(PartialEq, Eq, Hash, Debug)]
struct NumericDiv {
    signature: Signature,
}

impl ScalarUDFImpl for NumericDiv {
    fn name(&self) -> &str {
        "numeric_div"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arg_types: &[DataType]) -> Result<DataType> {
        match arg_types {
            [DataType::Decimal128(_, left), DataType::Decimal128(_, right)] => {
                Ok(DataType::Decimal128(DECIMAL128_MAX_PRECISION, SCALE_MIN.max(*left).max(*right)))
            }
            other => internal_err!("numeric_div of {other:?}"),
        }
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = args.args.iter().map(|arg| arg.to_array(args.number_rows)).collect::<Result<Vec<_>>>()?;
        let DataType::Decimal128(precision, scale) = *args.return_field.data_type() else {
            return internal_err!("numeric_div answers numeric");
        };
        let [left, right] = arrays.as_slice() else { return internal_err!("numeric_div takes two arguments") };
        let (left, right) = (left.as_primitive::<Decimal128Type>(), right.as_primitive::<Decimal128Type>());
        // Both scales are at most the quotient's, so the power is not negative.
        let power = u32::from((scale - left.scale() + right.scale()).unsigned_abs());
        let scaling = Scaling::new(power);
        let quotients = left.iter().zip(right.iter()).map(|pair| match pair {
            (Some(left), Some(right)) => scaling.divide(left, right).map(Some),
            _ => Ok(None),
        });
        let quotients = quotients.collect::<SqlResult<Decimal128Array>>().map_err(|error| DataFusionError::External(Box::new(error)))?;
        Ok(ColumnarValue::Array(Arc::new(quotients.with_precision_and_scale(precision, scale)?)))
    }
}

/// Ten to a power, in 128 bits if it fits and in 256.
struct Scaling {
    narrow: Option<i128>,
    wide: i256,
}

impl Scaling {
    fn new(power: u32) -> Self {
        Self { narrow: 10_i128.checked_pow(power), wide: i256::from_i128(10).wrapping_pow(power) }
    }

    /// `left × scale / right`, halves away from zero.
    fn divide(&self, left: i128, right: i128) -> SqlResult<i128> {
        if right == 0 {
            return Err(SqlError::new(SqlState::DIVISION_BY_ZERO, "division by zero"));
        }
        if let Some(scaled) = self.narrow.and_then(|scale| left.checked_mul(scale)) {
            let (whole, rest) = (scaled / right, scaled % right);
            let rounds_up = rest != 0 && rest.unsigned_abs() >= right.unsigned_abs() - rest.unsigned_abs();
            let away = if (scaled < 0) == (right < 0) { 1 } else { -1 };
            return Ok(if rounds_up { whole + away } else { whole });
        }
        let (scaled, divisor) = (i256::from_i128(left).wrapping_mul(self.wide), i256::from_i128(right));
        let (whole, rest) = (scaled.wrapping_div(divisor), scaled.wrapping_rem(divisor));
        let (rest, size) = (rest.wrapping_abs(), divisor.wrapping_abs());
        let rounds_up = rest != i256::ZERO && rest >= size.wrapping_sub(rest);
        let away = if (left < 0) == (right < 0) { i256::ONE } else { i256::MINUS_ONE };
        let quotient = if rounds_up { whole.wrapping_add(away) } else { whole };
        let limit = 10_i128.pow(u32::from(DECIMAL128_MAX_PRECISION));
        let fits = quotient.to_i128().filter(|quotient| (-limit < *quotient) && (*quotient < limit));
        fits.ok_or_else(|| SqlError::new(SqlState::NUMERIC_VALUE_OUT_OF_RANGE, "numeric value out of range"))
    }
}
