//! Arrays in the syntax: `ARRAY(SELECT …)`, `op ANY (array)`, slices without a bound, sets of elements.
//!
//! D17: `ARRAY(SELECT …)` is an aggregate over the query's one column, in the query's order.
//! D18: a slice without a lower bound begins at 1, one without an upper bound ends with the array.

use std::ops::ControlFlow;

use base::{SqlError, SqlResult, SqlState};
use sqlparser::ast::{
    AccessExpr, BinaryOperator, Expr, FunctionArg, FunctionArgExpr, FunctionArgumentClause, FunctionArguments, Ident, OrderByExpr,
    OrderByKind, OrderByOptions, Query, SelectItem, SetExpr, Statement, Subscript, TableAliasColumnDef, TableFactor, Value, Visit, Visitor,
    WindowSpec, WindowType,
};
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::Parser;

use super::spelling::call;
use crate::functions::arrays::{ALL, ANY};
use crate::position::{folded, folded_parts};

/// The query around the elements of an array.
const GATHERED: &str = "SELECT array_agg(\"\u{1}element\") FROM (SELECT 1) AS \"\u{1}elements\"(\"\u{1}element\")";
const ELEMENT: &str = "\u{1}element";
/// The column of the elements' places.
const PLACE: &str = "\u{1}place";

/// Rewrites the expression itself, not what is below it. Errors: 42601 for a query of several columns.
pub(super) fn gather(expr: &mut Expr) -> SqlResult<()> {
    let Expr::Function(function) = expr else { return Ok(()) };
    let FunctionArguments::Subquery(query) = &mut function.args else { return Ok(()) };
    if folded_parts(&function.name) != ["array"] {
        return Ok(());
    }
    let unread = || SqlError::internal("D17: the query around an array's elements does not parse");
    let parsed = Parser::parse_sql(&PostgreSqlDialect {}, GATHERED).ok().and_then(|mut statements| statements.pop());
    let Some(Statement::Query(mut around)) = parsed else { return Err(unread()) };
    let SetExpr::Select(select) = around.body.as_mut() else { return Err(unread()) };
    let keys = placed(query)?;
    if let Some(SelectItem::UnnamedExpr(Expr::Function(aggregate))) = select.projection.first_mut()
        && let FunctionArguments::List(list) = &mut aggregate.args
        && !keys.is_empty()
    {
        list.clauses.push(FunctionArgumentClause::OrderBy(keys));
    }
    if let Some(from) = select.from.first_mut()
        && let TableFactor::Derived { subquery, alias: Some(alias), .. } = &mut from.relation
    {
        if has_place(query) {
            alias.columns.push(TableAliasColumnDef { name: Ident::with_quote('"', PLACE), data_type: None });
        }
        std::mem::swap(subquery, query);
    }
    *expr = call("array_or_empty", vec![FunctionArgExpr::Expr(Expr::Subquery(around))]);
    Ok(())
}

/// What puts the elements in the query's order: the elements themselves, or a column of places that the query gets.
fn placed(query: &mut Query) -> SqlResult<Vec<OrderByExpr>> {
    let one = |item: &SelectItem| match item {
        SelectItem::UnnamedExpr(expr) => Some((expr.clone(), None)),
        SelectItem::ExprWithAlias { expr, alias } => Some((expr.clone(), Some(folded(alias)))),
        _ => None,
    };
    let keys = match query.order_by.as_ref().map(|order| &order.kind) {
        Some(OrderByKind::Expressions(keys)) => keys.clone(),
        _ => vec![],
    };
    let named = |name: &str| Expr::Identifier(Ident::with_quote('"', name));
    match query.body.as_mut() {
        SetExpr::Select(select) if select.distinct.is_none() => {
            let [item] = select.projection.as_mut_slice() else {
                return Err(SqlError::new(SqlState::SYNTAX_ERROR, "subquery must return only one column"));
            };
            let Some((element, alias)) = one(item).filter(|_| !keys.is_empty()) else { return Ok(vec![]) };
            let by = |mut key: OrderByExpr| {
                let is_element = match &key.expr {
                    Expr::Value(value) => matches!(&value.value, Value::Number(digits, _) if digits == "1"),
                    Expr::Identifier(ident) => alias.as_ref().is_some_and(|alias| folded(ident) == *alias),
                    _ => false,
                };
                if is_element {
                    key.expr = element.clone();
                }
                key
            };
            let mut place = call("row_number", vec![]);
            if let Expr::Function(function) = &mut place {
                let order_by = keys.into_iter().map(by).collect();
                let spec = WindowSpec { window_name: None, partition_by: vec![], order_by, window_frame: None };
                function.over = Some(WindowType::WindowSpec(spec));
            }
            select.projection.push(SelectItem::ExprWithAlias { expr: place, alias: Ident::with_quote('"', PLACE) });
            Ok(vec![OrderByExpr { expr: named(PLACE), options: OrderByOptions::default(), with_fill: None }])
        }
        // Its keys can only be its one column.
        _ => Ok(keys.into_iter().map(|key| OrderByExpr { expr: named(ELEMENT), ..key }).collect()),
    }
}

fn has_place(query: &Query) -> bool {
    matches!(query.body.as_ref(), SetExpr::Select(select) if select.projection.iter().any(
        |item| matches!(item, SelectItem::ExprWithAlias { alias, .. } if alias.value == PLACE)
    ))
}

/// `ARRAY[…]` of columns as the call it is: the engine reads the elements of a literal without the relations of queries around.
pub(super) fn call_constructor(expr: &mut Expr) {
    if let Expr::Array(array) = expr
        && array.elem.iter().any(|element| Visit::visit(element, &mut Columns).is_break())
    {
        let elements = std::mem::take(&mut array.elem).into_iter().map(FunctionArgExpr::Expr).collect();
        *expr = call("array", elements);
    }
}

/// Stops at a column.
struct Columns;

impl Visitor for Columns {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        if matches!(expr, Expr::Identifier(_) | Expr::CompoundIdentifier(_)) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
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
