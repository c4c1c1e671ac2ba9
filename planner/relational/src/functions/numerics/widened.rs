//! DataFusion's functions of floating-point numbers, which PostgreSQL calls with a `numeric` too.
//!
//! W1: a numeric of any length is taken as floating point; anything else goes in as it is.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::common::{DataFusionError, Result};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};

use crate::functions::conversions::convert;
use crate::layouts::is_any_numeric;

const FLOATING: [&str; 19] = [
    "acos", "acosh", "asin", "asinh", "atan", "atan2", "atanh", "cbrt", "cos", "cosh", "cot", "degrees", "isnan", "radians", "sin", "sinh",
    "tan", "tanh", "signum",
];

/// The function with W1, if it is one of them.
pub(crate) fn floating(function: Arc<ScalarUDF>) -> Arc<ScalarUDF> {
    if !FLOATING.contains(&function.name()) {
        return function;
    }
    let signature = Signature::user_defined(Volatility::Immutable);
    Arc::new(ScalarUDF::from(Floating { inner: function, signature }))
}

#[derive(PartialEq, Eq, Hash, Debug)]
struct Floating {
    inner: Arc<ScalarUDF>,
    signature: Signature,
}

/// Types as the inner function sees them.
fn seen(types: &[DataType]) -> Vec<DataType> {
    types.iter().map(|data_type| if is_any_numeric(data_type) { DataType::Float64 } else { data_type.clone() }).collect()
}

impl ScalarUDFImpl for Floating {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn aliases(&self) -> &[String] {
        self.inner.aliases()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    /// All floating point but what is cast in the call (W1).
    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        let number = |data_type: &DataType| data_type.is_numeric() || data_type.is_null() || *data_type == DataType::Utf8;
        if !given.iter().all(|data_type| is_any_numeric(data_type) || number(data_type)) || given.is_empty() {
            return crate::functions::native::no_match();
        }
        let coerced = |data_type: &DataType| if is_any_numeric(data_type) { data_type.clone() } else { DataType::Float64 };
        Ok(given.iter().map(coerced).collect())
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        self.inner.return_type(&seen(given))
    }

    fn invoke_with_args(&self, mut args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        for arg in &mut args.args {
            if is_any_numeric(&arg.data_type()) {
                let array = convert(&arg.to_array(args.number_rows)?, &DataType::Float64);
                *arg = ColumnarValue::Array(array.map_err(|error| DataFusionError::External(Box::new(error)))?);
            }
        }
        args.arg_fields = args
            .arg_fields
            .iter()
            .map(|field| {
                let is_any = is_any_numeric(field.data_type());
                if is_any { Arc::new(field.as_ref().clone().with_data_type(DataType::Float64)) } else { Arc::clone(field) }
            })
            .collect();
        self.inner.invoke_with_args(args)
    }
}
