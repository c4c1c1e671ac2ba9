//! `coalesce` over types that DataFusion finds no common type for: a string literal takes that of the other arguments.
//!
//! Where Arrow has no cast from text, `coercions` writes one.
//! Never: computes; what DataFusion makes of the call stands.

use std::sync::Arc;

use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::Result;
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::type_coercion::binary::comparison_coercion;
use datafusion::logical_expr::{ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature};

use super::native::{castable, no_match};
use crate::exact::{self, is_exact};
use crate::layouts::{is_any_numeric, is_compared_by_type};

/// Functions that answer one of their arguments.
const CHOICES: [&str; 4] = ["coalesce", "greatest", "least", "nullif"];

/// The function with our coercion before its own.
pub(super) fn lenient(function: Arc<ScalarUDF>) -> Arc<ScalarUDF> {
    if !CHOICES.contains(&function.name()) {
        return function;
    }
    let signature = Signature::user_defined(function.signature().volatility);
    Arc::new(ScalarUDF::from(Choice { inner: function, signature }))
}

/// The type with rules of its own that the answer has.
fn own_of(types: &[DataType]) -> Option<DataType> {
    types.iter().find(|data_type| is_compared_by_type(data_type)).cloned().or_else(|| exact::common(types))
}

#[derive(PartialEq, Eq, Hash, Debug)]
struct Choice {
    inner: Arc<ScalarUDF>,
    signature: Signature,
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
        let own = if self.name() == "nullif" { types.first().cloned().filter(exact::is_numeric) } else { own_of(&types) };
        let field = self.inner.return_field_from_args(args)?;
        Ok(own.map_or_else(|| Arc::clone(&field), |own| Arc::new(field.as_ref().clone().with_data_type(own))))
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
        let is_open = |data_type: &DataType| data_type.is_null() || *data_type == DataType::Utf8;
        match own_of(arg_types) {
            Some(own) if is_any_numeric(&own) && arg_types.iter().all(|data_type| is_exact(data_type) || is_open(data_type)) => {
                // `coercions` makes one type of them.
                Ok(arg_types.to_vec())
            }
            Some(own) if arg_types.iter().all(|data_type| *data_type == own || is_open(data_type)) => {
                Ok(castable(arg_types, vec![own.clone(); arg_types.len()]))
            }
            _ if self.name() == "nullif" => match arg_types {
                [left, right] => match comparison_coercion(left, right) {
                    Some(both) => Ok(vec![both.clone(), both]),
                    None => no_match(),
                },
                _ => no_match(),
            },
            _ => self.inner.coerce_types(arg_types),
        }
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        self.inner.invoke_with_args(args)
    }
}
