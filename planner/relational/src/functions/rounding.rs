//! `round(double precision)`: halves to even, as Postgres rounds them; DataFusion's goes away from zero.

use std::sync::{Arc, LazyLock};

use arrow::array::{AsArray, Float64Array};
use arrow::compute::unary;
use arrow::datatypes::{DataType, Float64Type};
use datafusion::common::{Result, internal_err};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};

static ROUND: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| {
    let signature = Signature::exact(vec![DataType::Float64], Volatility::Immutable);
    Arc::new(ScalarUDF::from(RoundToEven { signature }))
});

/// The function for `round` of these argument types, if DataFusion's is not the right one.
pub(crate) fn checked(name: &str, args: &[DataType]) -> Option<Arc<ScalarUDF>> {
    (name == "round" && args == [DataType::Float64]).then(|| Arc::clone(&ROUND))
}

#[derive(PartialEq, Eq, Hash, Debug)]
struct RoundToEven {
    signature: Signature,
}

impl ScalarUDFImpl for RoundToEven {
    fn name(&self) -> &str {
        "dround"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Float64)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = args.args.iter().map(|arg| arg.to_array(args.number_rows)).collect::<Result<Vec<_>>>()?;
        let Some(array) = arrays.first() else { return internal_err!("dround takes one argument") };
        let rounded: Float64Array = unary(array.as_primitive::<Float64Type>(), f64::round_ties_even);
        Ok(ColumnarValue::Array(Arc::new(rounded)))
    }
}
