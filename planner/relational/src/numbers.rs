//! Operators with a `numeric` operand, or with `real` and an integer: which function or type computes them.
//!
//! B1: numeric beside an integer is numeric, beside a floating-point number, `real` too, double precision; and so is `real` beside an integer.
//! B2: numbers of any length are compared by their keys, so that joins can hash them; where one side is a constant and the other one of Arrow's
//!     decimals, value by value, without making keys of the column.
//! Never: changes another operator.

use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::{BinaryExpr, Cast, Expr, Operator};

use crate::calls::call;
use crate::exact::{self, Way};
use crate::layouts::{self, any_numeric, is_any_numeric};
use crate::sides::{Operand, Planned};

/// Operator, function on numbers of any length.
const FUNCTIONS: [(Operator, &str); 11] = [
    (Operator::Plus, "numeric_add"),
    (Operator::Minus, "numeric_sub"),
    (Operator::Multiply, "numeric_mul"),
    (Operator::Divide, "numeric_div"),
    (Operator::Modulo, "numeric_mod"),
    (Operator::Eq, "numeric_eq"),
    (Operator::NotEq, "numeric_ne"),
    (Operator::Lt, "numeric_lt"),
    (Operator::LtEq, "numeric_le"),
    (Operator::Gt, "numeric_gt"),
    (Operator::GtEq, "numeric_ge"),
];

/// Whether this operator is one of those planned here.
pub(crate) fn concerns(op: Operator) -> bool {
    FUNCTIONS.iter().any(|(known, _)| *known == op)
}

fn is_comparison(op: Operator) -> bool {
    matches!(op, Operator::Eq | Operator::NotEq | Operator::Lt | Operator::LtEq | Operator::Gt | Operator::GtEq)
}

/// The operator planned, if one of its operands is numeric and it needs it; else its operands, of which one of any length stands as floating point
/// where the other side is.
pub(crate) fn plan(op: Operator, left: Operand, right: Operand) -> Result<std::result::Result<Expr, (Operand, Operand)>> {
    let left = beside(op, left, &right)?;
    let right = beside(op, right, &left)?;
    let (Some(left_type), Some(right_type)) = (left.data_type.clone(), right.data_type.clone()) else { return Ok(Err((left, right))) };
    if meets_integer(&left_type, &right_type) {
        return Ok(Ok(binary(left.into_type(&DataType::Float64)?, op, right.into_type(&DataType::Float64)?)));
    }
    match exact::way(op, &left_type, &right_type) {
        Some(Way::AsTheyAre) => Ok(Err((left, right))),
        Some(Way::Cast(left_type, right_type)) => Ok(Ok(binary(left.into_type(&left_type)?, op, right.into_type(&right_type)?))),
        None if [(&left, &right), (&right, &left)].iter().any(|(a, b)| a.is(exact::is_numeric) && b.is(|b| *b == DataType::Float32)) => {
            Ok(Ok(binary(left.into_type(&DataType::Float64)?, op, right.into_type(&DataType::Float64)?)))
        }
        Some(Way::Long) if is_comparison(op) => comparison(op, left, right).map(Ok),
        Some(Way::Long) => function(op, left.expr, right.expr).map(Ok),
        None if left.is(is_any_numeric) || right.is(is_any_numeric) => {
            let meets = |other: &Operand| other.is(|other| other.is_floating() || matches!(other, DataType::Interval(_)));
            if !meets(&left) && !meets(&right) {
                return Ok(Err((left, right)));
            }
            Ok(Err((floating(left), floating(right))))
        }
        None => Ok(Err((left, right))),
    }
}

/// B1: whether one is `real` and the other an integer.
fn meets_integer(left: &DataType, right: &DataType) -> bool {
    let is = |a: &DataType, b: &DataType| *a == DataType::Float32 && b.is_signed_integer();
    is(left, right) || is(right, left)
}

/// The same for callers that know no more of the operands.
pub(crate) fn plan_or_original(op: Operator, left: Operand, right: Operand) -> Result<Planned> {
    Ok(plan(op, left, right)?.map_err(|(left, right)| (left.expr, right.expr)))
}

/// A literal or a parameter beside a numeric is numeric.
fn beside(op: Operator, side: Operand, other: &Operand) -> Result<Operand> {
    let is_literal = matches!(side.expr, Expr::Literal(..));
    // A parameter that Arrow's decimals are compared with is left to the planner: it makes a constant of their type.
    let takes = other.is(is_any_numeric) || ((is_literal || !is_comparison(op)) && other.is(exact::is_numeric));
    if side.data_type.is_some() || !takes {
        return Ok(side);
    }
    Ok(Operand { expr: side.into_type(&any_numeric())?, data_type: Some(any_numeric()) })
}

/// B1.
fn floating(side: Operand) -> Operand {
    if !side.is(is_any_numeric) {
        return side;
    }
    Operand { expr: Expr::Cast(Cast::new(Box::new(side.expr), DataType::Float64)), data_type: Some(DataType::Float64) }
}

/// B2.
fn comparison(op: Operator, left: Operand, right: Operand) -> Result<Expr> {
    let is_fixed = |side: &Operand| !side.is(is_any_numeric);
    let is_constant = |side: &Operand| !side.expr.any_column_refs() && !matches!(side.expr, Expr::ScalarSubquery(_));
    if (is_fixed(&left) && is_constant(&right)) || (is_fixed(&right) && is_constant(&left)) || (is_fixed(&left) && is_fixed(&right)) {
        return function(op, left.expr, right.expr);
    }
    let key = |side: Operand| call("comparison_key", vec![side.into_type(&any_numeric())?]);
    Ok(binary(key(left)?, op, key(right)?))
}

fn function(op: Operator, left: Expr, right: Expr) -> Result<Expr> {
    match FUNCTIONS.iter().find(|(known, _)| *known == op) {
        Some((_, name)) => call(name, vec![left, right]),
        None => Ok(binary(left, op, right)),
    }
}

fn binary(left: Expr, op: Operator, right: Expr) -> Expr {
    Expr::BinaryExpr(BinaryExpr::new(Box::new(left), op, Box::new(right)))
}

/// A value as a number of any length, if it is exact; a `jsonb` as it is.
pub(crate) fn any_length(expr: Expr, data_type: &DataType) -> Expr {
    if layouts::is_any_numeric(data_type) || layouts::is_jsonb(data_type) {
        expr
    } else {
        Expr::Cast(Cast::new(Box::new(expr), any_numeric()))
    }
}
