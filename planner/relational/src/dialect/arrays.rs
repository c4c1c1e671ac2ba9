//! Arrays in the syntax: `ARRAY(SELECT …)`, `op ANY (array)`, slices without a bound, sets of elements.
//!
//! D17: `ARRAY(SELECT …)` is an aggregate over one plain column; a query with DISTINCT, LIMIT, grouping or aggregates of its own stays as it is,
//!      and is refused below.
//! D18: a slice without a lower bound begins at 1, one without an upper bound ends with the array.

use sqlparser::ast::{
    AccessExpr, ArrayElemTypeDef, BinaryOperator, DataType, Expr, FunctionArg, FunctionArgExpr, FunctionArgumentClause, FunctionArguments,
    GroupByExpr, Ident, OrderByKind, Query, SelectItem, SetExpr, Subscript, TableAlias, TableAliasColumnDef, TableFactor, Value,
};

use super::spelling::{call, cast};
use crate::functions::arrays::{ALL, ANY};
use crate::position::folded_parts;

/// Rewrites the expression itself, not what is below it.
pub(super) fn gather(expr: &mut Expr) {
    let Expr::Function(function) = expr else { return };
    let FunctionArguments::Subquery(query) = &mut function.args else { return };
    if folded_parts(&function.name) != ["array"] || !is_plain(query) {
        return;
    }
    let order = query.order_by.take();
    let SetExpr::Select(select) = query.body.as_mut() else { return };
    let [SelectItem::ExprWithAlias { expr: item, .. } | SelectItem::UnnamedExpr(item)] = select.projection.as_mut_slice() else { return };
    let mut gathered = call("array_agg", vec![FunctionArgExpr::Expr(take(item))]);
    if let (Expr::Function(aggregate), Some(order)) = (&mut gathered, order)
        && let (FunctionArguments::List(list), OrderByKind::Expressions(keys)) = (&mut aggregate.args, order.kind)
    {
        list.clauses.push(FunctionArgumentClause::OrderBy(keys));
    }
    *item = gathered;
    let rows = Expr::Subquery(query.clone());
    *expr = call("array_or_empty", vec![FunctionArgExpr::Expr(rows)]);
}

fn is_plain(query: &Query) -> bool {
    let SetExpr::Select(select) = query.body.as_ref() else { return false };
    let is_ungrouped = matches!(&select.group_by, GroupByExpr::Expressions(keys, modifiers) if keys.is_empty() && modifiers.is_empty());
    is_ungrouped
        && select.having.is_none()
        && select.distinct.is_none()
        && query.with.is_none()
        && query.limit_clause.is_none()
        && query.fetch.is_none()
}

/// `x op ANY (array)` and ALL, where the right side is no query.
pub(super) fn quantify(expr: &mut Expr) {
    let (left, op, right, functions) = match expr {
        Expr::AnyOp { left, compare_op, right, .. } => (left, compare_op, right, &ANY),
        Expr::AllOp { left, compare_op, right } => (left, compare_op, right, &ALL),
        _ => return,
    };
    if is_query(right) {
        return;
    }
    let symbol = match op {
        BinaryOperator::PGCustomBinaryOperator(parts) => parts.last().cloned().unwrap_or_default(),
        op => op.to_string(),
    };
    if let Some((_, name)) = functions.iter().find(|(known, _)| *known == symbol) {
        *expr = call(name, vec![FunctionArgExpr::Expr(take(left)), FunctionArgExpr::Expr(take(right))]);
    }
}

fn is_query(expr: &Expr) -> bool {
    match expr {
        Expr::Nested(inner) => is_query(inner),
        other => matches!(other, Expr::Subquery(_)),
    }
}

/// D18.
pub(super) fn bound_slices(expr: &mut Expr) {
    let Expr::CompoundFieldAccess { access_chain, .. } = expr else { return };
    for access in access_chain {
        if let AccessExpr::Subscript(Subscript::Slice { lower_bound, upper_bound, .. }) = access {
            lower_bound.get_or_insert_with(|| number(1));
            upper_bound.get_or_insert_with(|| number(i64::from(i32::MAX)));
        }
    }
}

/// `UNNEST (array) WITH ORDINALITY`: the subscripts beside the elements.
pub(super) fn number_elements(factor: &mut TableFactor) {
    let TableFactor::UNNEST { alias, array_exprs, with_ordinality, .. } = factor else { return };
    if let ([array], true) = (array_exprs.as_slice(), *with_ordinality) {
        let subscripts = call("array_subscripts", vec![FunctionArgExpr::Expr(array.clone())]);
        let bigints = DataType::Array(ArrayElemTypeDef::SquareBracket(Box::new(DataType::BigInt(None)), None));
        array_exprs.push(cast(subscripts, bigints));
        *with_ordinality = false;
        let alias = alias.get_or_insert_with(|| TableAlias { explicit: false, name: Ident::new("unnest"), columns: vec![], at: None });
        let column = |name: Ident| TableAliasColumnDef { name, data_type: None };
        if alias.columns.is_empty() {
            alias.columns.push(column(alias.name.clone()));
        }
        if alias.columns.len() == 1 {
            alias.columns.push(column(Ident::new("ordinality")));
        }
    }
}

/// `generate_subscripts(array, 1)` as the elements of an array of them.
pub(super) fn unnest_subscripts(expr: &mut Expr) {
    let Expr::Function(function) = expr else { return };
    let FunctionArguments::List(list) = &mut function.args else { return };
    if let [FunctionArg::Unnamed(array), _] = list.args.as_mut_slice()
        && folded_parts(&function.name).last().is_some_and(|name| name == "generate_subscripts")
    {
        let subscripts = call("array_subscripts", vec![array.clone()]);
        *expr = call("unnest", vec![FunctionArgExpr::Expr(subscripts)]);
    }
}

fn number(value: i64) -> Expr {
    Expr::Value(Value::Number(value.to_string(), false).into())
}

fn take(expr: &mut Expr) -> Expr {
    std::mem::replace(expr, Expr::Value(Value::Null.into()))
}
