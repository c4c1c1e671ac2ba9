//! The shape that functions over arrays, documents and intervals share: types in, types out, columns in, a column out.
//!
//! N1: a call gets arrays of one length, typed as `coerce` said: what Arrow can cast the planner casts, text beside documents is read here.
//! N2: a constant call is computed once: if all arguments are constants, on one row.

use std::hash::{Hash, Hasher};

use arrow::array::{Array, ArrayRef, new_null_array};
use arrow::compute::can_cast_types;
use arrow::datatypes::DataType;
use base::SqlResult;
use datafusion::common::{DataFusionError, Result, ScalarValue, plan_err};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};

use super::conversions::convert_in;
use crate::session_options::manner_of;
use crate::values::manner::Manner;

/// Types that arguments of these types are coerced to; an error means that there is no such function.
pub(crate) type Coerce = fn(&[DataType]) -> Result<Vec<DataType>>;
/// The answer's type for coerced arguments.
pub(crate) type Returns = fn(&[DataType]) -> DataType;
/// Arguments, rows and the answer's type in, the answer out.
pub(crate) type Call = fn(&[ArrayRef], usize, &DataType) -> SqlResult<ArrayRef>;

/// [`Call`] by the session's zone and styles.
pub(crate) type CallInManner = fn(&[ArrayRef], usize, &DataType, &Manner) -> SqlResult<ArrayRef>;

/// What computes a batch.
#[derive(Clone, Copy, Debug)]
enum Body {
    Plain(Call),
    InManner(CallInManner),
}

/// One function.
#[derive(Debug)]
pub(crate) struct Native {
    name: &'static str,
    /// NULL in, NULL out, without a call.
    strict: bool,
    coerce: Coerce,
    returns: Returns,
    body: Body,
    signature: Signature,
}

/// A function that answers NULL where an argument is NULL.
pub(crate) fn strict(name: &'static str, coerce: Coerce, returns: Returns, call: Call) -> ScalarUDF {
    function(name, true, coerce, returns, Body::Plain(call))
}

/// A function that sees NULLs.
pub(crate) fn lenient(name: &'static str, coerce: Coerce, returns: Returns, call: Call) -> ScalarUDF {
    function(name, false, coerce, returns, Body::Plain(call))
}

/// [`strict`] with a body that knows the session's manner.
pub(crate) fn strict_in_manner(name: &'static str, coerce: Coerce, returns: Returns, call: CallInManner) -> ScalarUDF {
    function(name, true, coerce, returns, Body::InManner(call))
}

fn function(name: &'static str, strict: bool, coerce: Coerce, returns: Returns, body: Body) -> ScalarUDF {
    ScalarUDF::from(Native { name, strict, coerce, returns, body, signature: Signature::user_defined(Volatility::Immutable) })
}

/// The wanted types as far as Arrow has a cast to them, which the planner insists on.
pub(crate) fn castable(from: &[DataType], wanted: Vec<DataType>) -> Vec<DataType> {
    let each = |(from, wanted): (&DataType, DataType)| if can_cast_types(from, &wanted) { wanted } else { from.clone() };
    from.iter().zip(wanted).map(each).collect()
}

/// «No function matches», which the error mapping makes 42883.
pub(crate) fn no_match<T>() -> Result<T> {
    plan_err!("No function matches the given name and argument types")
}

impl PartialEq for Native {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Native {}

impl Hash for Native {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl ScalarUDFImpl for Native {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        Ok(castable(arg_types, (self.coerce)(arg_types)?))
    }

    fn return_type(&self, arg_types: &[DataType]) -> Result<DataType> {
        Ok((self.returns)(&(self.coerce)(arg_types)?))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let is_constant = !args.args.is_empty() && args.args.iter().all(|arg| matches!(arg, ColumnarValue::Scalar(_)));
        let rows = if is_constant { 1 } else { args.number_rows };
        let returns = args.return_field.data_type();
        let is_null = |arg: &ColumnarValue| matches!(arg, ColumnarValue::Scalar(value) if value.is_null());
        let answer = if self.strict && args.args.iter().any(is_null) {
            new_null_array(returns, rows)
        } else {
            let arrays = args.args.iter().map(|arg| arg.to_array(rows)).collect::<Result<Vec<_>>>()?;
            let types: Vec<DataType> = arrays.iter().map(|array| array.data_type().clone()).collect();
            let wanted = (self.coerce)(&types)?;
            let manner = manner_of(&args.config_options);
            let arrays =
                arrays.iter().zip(&wanted).map(|(array, wanted)| convert_in(array, wanted, &manner)).collect::<SqlResult<Vec<_>>>();
            let arrays = arrays.map_err(|error| DataFusionError::External(Box::new(error)))?;
            let answer = match self.body {
                Body::Plain(call) => call(&arrays, rows, returns),
                Body::InManner(call) => call(&arrays, rows, returns, &manner),
            };
            answer.map_err(|error| DataFusionError::External(Box::new(error)))?
        };
        debug_assert_eq!(answer.len(), rows, "N1: {} answers once a row", self.name);
        if is_constant { Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&answer, 0)?)) } else { Ok(ColumnarValue::Array(answer)) }
    }
}
