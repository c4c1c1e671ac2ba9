//! `x BETWEEN SYMMETRIC a AND b`: between the bounds in either order.

use sqlparser::ast::{BinaryOperator, Expr, FunctionArg, FunctionArgExpr, FunctionArguments, UnaryOperator};

use crate::marks::SYMMETRIC;
use crate::position::folded_parts;

/// Rewrites the expression itself, not what is below it.
pub(super) fn unfold(expr: &mut Expr) {
    let Expr::Between { expr: value, negated, low, high } = expr else { return };
    let Some(low) = marked(low) else { return };
    let within = |low: &Expr, high: &Expr| {
        Box::new(Expr::Between { expr: value.clone(), negated: false, low: Box::new(low.clone()), high: Box::new(high.clone()) })
    };
    let either = Expr::BinaryOp { left: within(low, high), op: BinaryOperator::Or, right: within(high, low) };
    let either = Expr::Nested(Box::new(either));
    *expr = if *negated { Expr::UnaryOp { op: UnaryOperator::Not, expr: Box::new(either) } } else { either };
}

/// What stands in the mark of SYMMETRIC.
fn marked(low: &Expr) -> Option<&Expr> {
    let Expr::Function(function) = low else { return None };
    let FunctionArguments::List(list) = &function.args else { return None };
    match list.args.as_slice() {
        [FunctionArg::Unnamed(FunctionArgExpr::Expr(low))] if folded_parts(&function.name) == [SYMMETRIC] => Some(low),
        _ => None,
    }
}
