//! `coalesce`, `greatest`, `least` and `nullif` over types that DataFusion finds no common type for: a string literal takes that of the others.
//!
//! Before the plan is analysed a literal cannot be told from a text here; `coercions` casts the one and refuses the other.
//! Never: computes; what DataFusion makes of the call stands.

use std::sync::Arc;

use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::Result;
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::{ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature};

use super::native::castable;
use crate::layouts;
use crate::type_families;

/// The function with our coercion before its own.
pub(super) fn lenient(function: Arc<ScalarUDF>) -> Arc<ScalarUDF> {
    let is_choice = matches!(function.name(), "coalesce" | "greatest" | "least" | "nullif");
    if is_choice { Arc::new(ScalarUDF::from(Choice::new(function))) } else { function }
}

#[derive(PartialEq, Eq, Hash, Debug)]
struct Choice {
    inner: Arc<ScalarUDF>,
    signature: Signature,
}

impl Choice {
    fn new(inner: Arc<ScalarUDF>) -> Self {
        let signature = Signature::user_defined(inner.signature().volatility);
        Self { inner, signature }
    }

    /// What the arguments that may be no literals have in common.
    fn settled(types: &[DataType]) -> Option<DataType> {
        let known: Vec<DataType> = types.iter().filter(|data_type| !data_type.is_null() && !layouts::is_text(data_type)).cloned().collect();
        match known.is_empty() {
            true => types.iter().find(|data_type| !data_type.is_null()).cloned(),
            false => type_families::common(&known).ok().flatten(),
        }
    }
}

impl ScalarUDFImpl for Choice {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arg_types: &[DataType]) -> Result<DataType> {
        self.inner.return_type(arg_types)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let types: Vec<DataType> = args.arg_fields.iter().map(|field| field.data_type().clone()).collect();
        let settled = match self.name() {
            "nullif" => types.first().filter(|data_type| !layouts::is_text(data_type)).cloned().or_else(|| Self::settled(&types)),
            _ => Self::settled(&types),
        };
        let field = self.inner.return_field_from_args(args)?;
        Ok(settled.map_or_else(|| Arc::clone(&field), |own| Arc::new(field.as_ref().clone().with_data_type(own))))
    }

    fn simplify(&self, args: Vec<Expr>, info: &SimplifyContext) -> Result<ExprSimplifyResult> {
        self.inner.simplify(args, info)
    }

    fn conditional_arguments<'a>(&self, args: &'a [Expr]) -> Option<(Vec<&'a Expr>, Vec<&'a Expr>)> {
        self.inner.conditional_arguments(args)
    }

    fn short_circuits(&self) -> bool {
        self.inner.short_circuits()
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        match Self::settled(arg_types) {
            // Arrow casts nothing to a number of any length: `coercions` does.
            Some(own) if layouts::is_any_numeric(&own) => Ok(arg_types.to_vec()),
            Some(own) => Ok(castable(arg_types, vec![own; arg_types.len()])),
            // `coercions` says which two clash.
            None => Ok(arg_types.to_vec()),
        }
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        self.inner.invoke_with_args(args)
    }
}
