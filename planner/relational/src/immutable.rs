//! Whether an expression has the same value in every session, as far as types tell: what reads a zone or a style of dates from the session has not.
//!
//! M1: in doubt it has not.
//! Never: knows what functions do beyond whether they are volatile.

use arrow::datatypes::DataType;
use datafusion::common::tree_node::TreeNode;
use datafusion::common::{DFSchema, Result};
use datafusion::logical_expr::{BinaryExpr, Expr, ExprSchemable, Operator, Volatility};

/// Functions that take moments and look at no zone.
const ZONELESS: [&str; 9] = ["timezone", "comparison_key", "coalesce", "nullif", "greatest", "least", "age", "date_bin", "timestamptz_mi"];

/// See the module.
pub(crate) fn is_immutable(expr: &Expr, schema: &DFSchema) -> bool {
    let varies = expr.exists(|part| varies(part, schema));
    !varies.unwrap_or(true)
}

fn varies(part: &Expr, schema: &DFSchema) -> Result<bool> {
    match part {
        Expr::Cast(cast) => Ok(reads_session(&cast.expr.get_type(schema)?, cast.field.data_type())),
        Expr::TryCast(cast) => Ok(reads_session(&cast.expr.get_type(schema)?, cast.field.data_type())),
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Plus | Operator::Minus, right }) => {
            let (left, right) = (left.get_type(schema)?, right.get_type(schema)?);
            Ok((is_moment(&left) || is_moment(&right)) && left != right)
        }
        Expr::ScalarFunction(call) => {
            let given = call.args.iter().map(|arg| arg.get_type(schema)).collect::<Result<Vec<_>>>()?;
            let is_volatile = call.func.signature().volatility == Volatility::Volatile;
            let reads_zone = given.iter().any(is_moment) && !ZONELESS.contains(&call.func.name());
            let is_cast = matches!(given.as_slice(), [from] if reads_session(from, &part.get_type(schema)?));
            Ok(is_volatile || reads_zone || (is_cast && !ZONELESS.contains(&call.func.name())))
        }
        _ => Ok(false),
    }
}

/// Whether a cast between these depends on the zone of the session, or on its style of dates.
fn reads_session(from: &DataType, to: &DataType) -> bool {
    let between = |a: fn(&DataType) -> bool, b: fn(&DataType) -> bool| (a(from) && b(to)) || (b(from) && a(to));
    let is_style = |data_type: &DataType| {
        matches!(data_type, DataType::Date32 | DataType::Timestamp(..) | DataType::Time64(_) | DataType::Interval(_))
    };
    is_moment(from) != is_moment(to) || between(is_text, is_style)
}

fn is_moment(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Timestamp(_, Some(_)))
}

fn is_text(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
}
