//! LIMIT and OFFSET as conditions on the place of a row, where the engine's own operator cannot do it.
//!
//! L1: with ties, the last row's peers have its rank, which is at most its place; whoever follows them has a greater one.
//! L2: a NULL limit is none, a NULL offset is zero.

use std::sync::Arc;

use arrow::datatypes::DataType;
use base::{SqlError, SqlState};
use datafusion::common::tree_node::TreeNode;
use datafusion::common::{Column, DataFusionError, Result, ScalarValue, plan_datafusion_err};
use datafusion::execution::context::SessionState;
use datafusion::logical_expr::expr::{Sort as SortKey, WindowFunction};
use datafusion::logical_expr::{BinaryExpr, Cast, Expr, Limit, LogicalPlan, LogicalPlanBuilder, Operator, Sort, WindowFunctionDefinition};

use super::is_call;
use crate::marks::WITH_TIES;

const PLACE: &str = "\u{1}place";
const RANK: &str = "\u{1}rank";

/// Whether the engine's operator cannot do it.
pub(super) fn is_late(limit: &Limit) -> Result<bool> {
    for count in [&limit.skip, &limit.fetch].into_iter().flatten() {
        let late = count
            .exists(|expr| Ok(matches!(expr, Expr::ScalarSubquery(_) | Expr::OuterReferenceColumn(..)) || is_call(expr, WITH_TIES)))?;
        if late {
            return Ok(true);
        }
    }
    Ok(false)
}

pub(super) fn filter(limit: Limit, state: &SessionState) -> Result<LogicalPlan> {
    // A list above the order keeps rows and their order.
    if let LogicalPlan::Projection(list) = limit.input.as_ref()
        && matches!(list.input.as_ref(), LogicalPlan::Sort(_))
    {
        let below = filter(Limit { skip: limit.skip, fetch: limit.fetch, input: Arc::clone(&list.input) }, state)?;
        return LogicalPlanBuilder::from(below).project(list.expr.clone())?.build();
    }
    let (keys, input) = match limit.input.as_ref() {
        LogicalPlan::Sort(sort) => (sort.expr.clone(), Arc::clone(&sort.input)),
        _ => (vec![], Arc::clone(&limit.input)),
    };
    let (fetch, with_ties) = match limit.fetch.map(|fetch| *fetch) {
        Some(Expr::ScalarFunction(mut call)) if call.func.name() == WITH_TIES => (call.args.pop(), true),
        fetch => (fetch, false),
    };
    if with_ties && keys.is_empty() {
        let error = SqlError::new(SqlState::SYNTAX_ERROR, "WITH TIES cannot be specified without ORDER BY clause");
        return Err(DataFusionError::External(Box::new(error)));
    }
    let columns = input.schema().iter().map(|(relation, field)| Expr::Column(Column::new(relation.cloned(), field.name())));
    let columns: Vec<Expr> = columns.collect();
    let place = over(state, "row_number", vec![], keys.clone())?.alias(PLACE);
    let rank = over(state, "rank", vec![], keys.clone())?.alias(RANK);
    let zero = Expr::Literal(ScalarValue::Int64(Some(0)), None);
    let skip = match limit.skip {
        Some(skip) => called(state, "coalesce", vec![bigint(*skip), zero])?,
        None => zero,
    };
    let named = |name: &str| bigint(Expr::Column(Column::from_name(name)));
    let mut condition = binary(named(PLACE), Operator::Gt, skip.clone());
    if let Some(fetch) = fetch {
        let until = binary(skip, Operator::Plus, bigint(fetch));
        let within = binary(named(if with_ties { RANK } else { PLACE }), Operator::LtEq, until.clone());
        let within = binary(Expr::IsNull(Box::new(until)), Operator::Or, within);
        condition = binary(condition, Operator::And, within);
    }
    let kept =
        LogicalPlanBuilder::from(Arc::unwrap_or_clone(input)).window(vec![place, rank])?.filter(condition)?.project(columns)?.build()?;
    if keys.is_empty() {
        return Ok(kept);
    }
    Ok(LogicalPlan::Sort(Sort { expr: keys, input: Arc::new(kept), fetch: None }))
}

/// A window function without arguments.
pub(super) fn over(state: &SessionState, name: &str, partition_by: Vec<Expr>, order_by: Vec<SortKey>) -> Result<Expr> {
    let function = state.window_functions().get(name).ok_or_else(|| plan_datafusion_err!("{name} is missing"))?;
    let mut call = WindowFunction::new(WindowFunctionDefinition::WindowUDF(Arc::clone(function)), vec![]);
    call.params.window_frame = datafusion::logical_expr::WindowFrame::new(if order_by.is_empty() { None } else { Some(false) });
    call.params.partition_by = partition_by;
    call.params.order_by = order_by;
    Ok(Expr::from(call))
}

fn called(state: &SessionState, name: &str, args: Vec<Expr>) -> Result<Expr> {
    let function = state.scalar_functions().get(name).ok_or_else(|| plan_datafusion_err!("{name} is missing"))?;
    Ok(Expr::ScalarFunction(datafusion::logical_expr::expr::ScalarFunction::new_udf(Arc::clone(function), args)))
}

fn bigint(expr: Expr) -> Expr {
    Expr::Cast(Cast::new(Box::new(expr), DataType::Int64))
}

fn binary(left: Expr, op: Operator, right: Expr) -> Expr {
    Expr::BinaryExpr(BinaryExpr::new(Box::new(left), op, Box::new(right)))
}
