//! EXISTS in a SELECT list becomes a count compared to zero, which the engine can run there.
//!
//! D3: the count is of exactly the rows EXISTS asks about; a subquery whose rows are not those of its FROM and WHERE stays as it is.

use sqlparser::ast::{BinaryOperator, Expr, FunctionArgExpr, GroupByExpr, Ident, Query, SelectItem, SetExpr, Value};

use super::outside;
use super::spelling::call;

/// Rewrites the item of a SELECT list, outside the subqueries it holds.
pub(super) fn count(item: &mut Expr) {
    outside::each(item, &mut |expr| {
        if let Expr::Exists { subquery, negated } = expr
            && has_plain_rows(subquery)
            && let SetExpr::Select(select) = subquery.body.as_mut()
        {
            let count = call("count", vec![FunctionArgExpr::Wildcard]);
            let op = if *negated { BinaryOperator::Eq } else { BinaryOperator::Gt };
            let zero = Expr::Value(Value::Number("0".into(), false).into());
            let compared = Expr::BinaryOp { left: Box::new(count), op, right: Box::new(zero) };
            select.projection = vec![SelectItem::ExprWithAlias { expr: compared, alias: Ident::new("exists") }];
            *expr = Expr::Subquery(subquery.clone());
        }
    });
}

/// Whether the query's rows are those of FROM and WHERE, so that counting them answers EXISTS.
fn has_plain_rows(query: &Query) -> bool {
    let SetExpr::Select(select) = query.body.as_ref() else { return false };
    let is_ungrouped = matches!(&select.group_by, GroupByExpr::Expressions(keys, modifiers) if keys.is_empty() && modifiers.is_empty());
    let is_plain = |item: &SelectItem| match item {
        SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..) => true,
        SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => {
            matches!(expr, Expr::Value(_) | Expr::Identifier(_) | Expr::CompoundIdentifier(_))
        }
        SelectItem::ExprWithAliases { .. } => false,
    };
    is_ungrouped
        && select.having.is_none()
        && select.distinct.is_none()
        && query.limit_clause.is_none()
        && query.fetch.is_none()
        && select.projection.iter().all(is_plain)
}
