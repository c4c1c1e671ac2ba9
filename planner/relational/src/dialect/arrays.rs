//! `ARRAY(SELECT …)` as the text of the array (D14 in `catalog.rs`).
//!
//! D17: only for one plain column without ORDER BY, LIMIT, grouping or aggregates of its own; anything else stays as it is, and is refused below.

use sqlparser::ast::{BinaryOperator, DataType, Expr, FunctionArgExpr, FunctionArguments, GroupByExpr, Query, SelectItem, SetExpr, Value};

use super::spelling::{call, cast};
use crate::position::folded_parts;

/// Rewrites the expression itself, not what is below it.
pub(super) fn gather(expr: &mut Expr) {
    let Expr::Function(function) = expr else { return };
    let FunctionArguments::Subquery(query) = &mut function.args else { return };
    if folded_parts(&function.name) != ["array"] || !is_plain(query) {
        return;
    }
    let SetExpr::Select(select) = query.body.as_mut() else { return };
    let [SelectItem::ExprWithAlias { expr: item, .. } | SelectItem::UnnamedExpr(item)] = select.projection.as_mut_slice() else { return };
    let element = call("array_text_element", vec![FunctionArgExpr::Expr(cast(take(item), DataType::Text))]);
    let joined = call("string_agg", vec![FunctionArgExpr::Expr(element), FunctionArgExpr::Expr(text(","))]);
    *item = concat(concat(text("{"), joined), text("}"));
    let gathered = Expr::Subquery(query.clone());
    *expr = call("coalesce", vec![FunctionArgExpr::Expr(gathered), FunctionArgExpr::Expr(text("{}"))]);
}

fn is_plain(query: &Query) -> bool {
    let SetExpr::Select(select) = query.body.as_ref() else { return false };
    let is_ungrouped = matches!(&select.group_by, GroupByExpr::Expressions(keys, modifiers) if keys.is_empty() && modifiers.is_empty());
    is_ungrouped
        && select.having.is_none()
        && select.distinct.is_none()
        && query.with.is_none()
        && query.order_by.is_none()
        && query.limit_clause.is_none()
        && query.fetch.is_none()
}

fn concat(left: Expr, right: Expr) -> Expr {
    Expr::BinaryOp { left: Box::new(left), op: BinaryOperator::StringConcat, right: Box::new(right) }
}

fn text(value: &str) -> Expr {
    Expr::Value(Value::SingleQuotedString(value.to_owned()).into())
}

fn take(expr: &mut Expr) -> Expr {
    std::mem::replace(expr, Expr::Value(Value::Null.into()))
}
