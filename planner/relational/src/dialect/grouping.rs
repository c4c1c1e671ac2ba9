//! One group of all rows without an aggregate that would say so: `GROUP BY ()`, HAVING alone.
//!
//! D25: a count that is never negative stands in HAVING.

use sqlparser::ast::{BinaryOperator, Expr, FunctionArgExpr, GroupByExpr, Select, Value};

use super::spelling::call;

/// Rewrites the SELECT itself.
pub(super) fn name_empty(select: &mut Select) {
    let GroupByExpr::Expressions(keys, modifiers) = &mut select.group_by else { return };
    let is_empty = |key: &Expr| matches!(key, Expr::Tuple(columns) if columns.is_empty());
    let had_empty = keys.iter().any(is_empty);
    keys.retain(|key| !is_empty(key));
    if keys.is_empty() && modifiers.is_empty() && (had_empty || select.having.is_some()) {
        let zero = Expr::Value(Value::Number("0".into(), false).into());
        let count = call("count", vec![FunctionArgExpr::Wildcard]);
        let holds = Expr::BinaryOp { left: Box::new(count), op: BinaryOperator::GtEq, right: Box::new(zero) };
        select.having = Some(match select.having.take() {
            Some(having) => {
                Expr::BinaryOp { left: Box::new(Expr::Nested(Box::new(having))), op: BinaryOperator::And, right: Box::new(holds) }
            }
            None => holds,
        });
    }
}
