//! The two sides of an operator that is being planned, and calls of our functions.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use arrow::datatypes::{DataType, Field};
use base::{SqlError, SqlState};
use datafusion::common::{DFSchema, DataFusionError, Result, ScalarValue};
use datafusion::logical_expr::expr::{Placeholder, ScalarFunction};
use datafusion::logical_expr::{Cast, Expr, ExprSchemable, ScalarUDF};

use crate::functions::{arrays, documents, intervals, numerics, types};

static FUNCTIONS: LazyLock<HashMap<String, Arc<ScalarUDF>>> = LazyLock::new(|| {
    let all = [arrays::functions(), documents::functions(), intervals::functions(), numerics::functions()].concat();
    all.into_iter().map(|function| (function.name().to_owned(), Arc::new(function))).collect()
});

/// A call of one of our functions.
pub(crate) fn call(name: &str, args: Vec<Expr>) -> Result<Expr> {
    let function = FUNCTIONS.get(name).ok_or_else(|| DataFusionError::Internal(format!("no function {name}")))?;
    Ok(Expr::ScalarFunction(ScalarFunction::new_udf(Arc::clone(function), args)))
}

/// Planned, or the operands as they were.
pub(crate) type Planned = std::result::Result<Expr, (Expr, Expr)>;

/// An operand and its type; `None` for a literal or a parameter without one.
pub(crate) struct Operand {
    pub(crate) expr: Expr,
    pub(crate) data_type: Option<DataType>,
}

impl Operand {
    /// The expression back where its type cannot be told.
    pub(crate) fn of(expr: Expr, schema: &DFSchema) -> std::result::Result<Self, Expr> {
        let data_type = match &expr {
            Expr::Literal(ScalarValue::Utf8(_) | ScalarValue::Null, _) | Expr::Placeholder(Placeholder { field: None, .. }) => None,
            typed => match typed.get_type(schema) {
                Ok(DataType::Null) => None,
                Ok(data_type) => Some(data_type),
                Err(_) => return Err(expr),
            },
        };
        Ok(Self { expr, data_type })
    }

    /// The operand as a value of this type: a literal or a parameter takes it.
    pub(crate) fn into_type(self, data_type: &DataType) -> Expr {
        match self.expr {
            Expr::Placeholder(Placeholder { id, field: None }) => {
                let field = Arc::new(Field::new(&id, data_type.clone(), true));
                Expr::Placeholder(Placeholder { id, field: Some(field) })
            }
            expr if self.data_type.as_ref() == Some(data_type) => expr,
            expr => Expr::Cast(Cast::new(Box::new(expr), data_type.clone())),
        }
    }

    /// Whether the type is known and passes.
    pub(crate) fn is(&self, test: impl Fn(&DataType) -> bool) -> bool {
        self.data_type.as_ref().is_some_and(test)
    }
}

/// 42883 for an operator on operands of these types.
pub(crate) fn no_operator(op: &str, left: Option<&DataType>, right: Option<&DataType>) -> DataFusionError {
    let shown = |data_type: Option<&DataType>| data_type.map_or_else(|| "unknown".to_owned(), types::name);
    let message = format!("operator does not exist: {} {op} {}", shown(left), shown(right));
    let error = SqlError::new(SqlState::UNDEFINED_FUNCTION, message)
        .hint("No operator matches the given name and argument types. You might need to add explicit type casts.");
    DataFusionError::External(Box::new(error))
}
