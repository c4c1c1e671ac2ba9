//! The two sides of an operator that is being planned.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field};
use datafusion::common::{DFSchema, Result, ScalarValue};
use datafusion::logical_expr::expr::Placeholder;
use datafusion::logical_expr::{Cast, Expr};

use crate::resolution;
use crate::type_families::{self, Family};

/// Planned, or the operands as they were.
pub(crate) type Planned = std::result::Result<Expr, (Expr, Expr)>;

/// An operand and its type; `None` for a literal or a parameter without one.
pub(crate) struct Operand {
    pub(crate) expr: Expr,
    pub(crate) data_type: Option<DataType>,
}

impl Operand {
    /// `None` where the type cannot be told.
    pub(crate) fn of(expr: Expr, schema: &DFSchema) -> std::result::Result<Self, Expr> {
        let data_type = match &expr {
            Expr::Literal(ScalarValue::Utf8(_) | ScalarValue::Null, _) | Expr::Placeholder(Placeholder { field: None, .. }) => None,
            typed => match resolution::type_of(typed, schema) {
                Ok(data_type) => data_type,
                Err(_) => return Err(expr),
            },
        };
        Ok(Self { expr, data_type })
    }

    /// The operand as a value of this type: a literal or a parameter takes it.
    pub(crate) fn into_type(self, data_type: &DataType) -> Result<Expr> {
        Ok(match self.expr {
            Expr::Placeholder(Placeholder { id, field: None }) => {
                let field = Arc::new(Field::new(&id, data_type.clone(), true));
                Expr::Placeholder(Placeholder { id, field: Some(field) })
            }
            expr if self.data_type.as_ref() == Some(data_type) => expr,
            expr if self.data_type.is_none() && resolution::is_literal(&expr) => resolution::typed(expr, data_type)?,
            expr => Expr::Cast(Cast::new(Box::new(expr), data_type.clone())),
        })
    }

    /// Whether it is a text literal without a type.
    pub(crate) fn is_literal(&self) -> bool {
        self.data_type.is_none() && resolution::is_literal(&self.expr)
    }

    /// The family of its type, if it has one.
    pub(crate) fn family(&self) -> Option<Family> {
        self.data_type.as_ref().and_then(type_families::family)
    }

    /// Whether the type is known and passes.
    pub(crate) fn is(&self, test: impl Fn(&DataType) -> bool) -> bool {
        self.data_type.as_ref().is_some_and(test)
    }
}
