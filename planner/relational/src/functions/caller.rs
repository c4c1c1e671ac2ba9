//! Functions the caller brings along in [`crate::Environment::functions`].
//!
//! F3: they are volatile: never folded, moved or called fewer times than the plan says.
//! F4: one that a run brings along is the run's own in each, whatever run the plan was made for.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::common::{DataFusionError, Result, ScalarValue};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, TypeSignature, Volatility};

use crate::environment::{ScalarCall, ScalarFunction};
use crate::slot::Slot;

/// The function as DataFusion takes it.
pub(super) fn adapt(function: &ScalarFunction) -> ScalarUDF {
    let optional = function.optional_args.min(function.args.len());
    let lengths = function.args.len() - optional..=function.args.len();
    let forms = lengths.map(|n| if n == 0 { TypeSignature::Nullary } else { TypeSignature::Exact(function.args[..n].to_vec()) });
    let signature = Signature::one_of(forms.collect(), Volatility::Volatile);
    ScalarUDF::from(Adapted { function: function.clone(), signature, slot: None })
}

/// The function as each run of a plan has it, if the present one brings it along (F4).
pub(crate) fn of_run(function: &ScalarUDF, slot: &Arc<Slot>) -> Option<ScalarUDF> {
    let adapted = function.inner().downcast_ref::<Adapted>()?;
    slot.call(&adapted.function.name)?;
    let (function, signature) = (adapted.function.clone(), adapted.signature.clone());
    Some(ScalarUDF::from(Adapted { function, signature, slot: Some(Arc::clone(slot)) }))
}

#[derive(Debug)]
struct Adapted {
    function: ScalarFunction,
    signature: Signature,
    /// Set where each run has a body of its own.
    slot: Option<Arc<Slot>>,
}

impl Adapted {
    fn call(&self) -> Result<ScalarCall> {
        match &self.slot {
            None => Ok(Arc::clone(&self.function.call)),
            Some(slot) => {
                slot.call(&self.function.name).ok_or_else(|| DataFusionError::Internal("F4: a run without its function".to_owned()))
            }
        }
    }
}

impl PartialEq for Adapted {
    fn eq(&self, other: &Self) -> bool {
        self.function.name == other.function.name
            && self.signature == other.signature
            && Arc::ptr_eq(&self.function.call, &other.function.call)
            && self.slot.as_ref().map(Arc::as_ptr) == other.slot.as_ref().map(Arc::as_ptr)
    }
}

impl Eq for Adapted {}

impl Hash for Adapted {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.function.name.hash(state);
        self.signature.hash(state);
    }
}

impl ScalarUDFImpl for Adapted {
    fn name(&self) -> &str {
        &self.function.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(self.function.returns.clone())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = args.args.iter().map(|arg| arg.to_array(args.number_rows)).collect::<Result<Vec<_>>>()?;
        let answer = (self.call()?)(&arrays).map_err(|error| DataFusionError::External(Box::new(error)))?;
        if arrays.is_empty() && answer.len() == 1 {
            // Without arguments it is not told how many rows there are.
            return Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&answer, 0)?));
        }
        Ok(ColumnarValue::Array(answer))
    }
}
