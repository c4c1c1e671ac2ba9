//! Literals beside values of types that DataFusion has no literal for, and comparisons it would do by layout: IN, BETWEEN, CASE, IS DISTINCT
//! FROM, ORDER BY.
//!
//! C1: a string literal takes the type of the value it stands beside, before DataFusion looks for a type both could have.
//! C2: intervals, `jsonb`, arrays and numbers of any length are compared and ordered by their keys, as `operators` does it.
//! C3: results of CASE and its kin that are exact numbers of several scales are numbers of any length, which keep them.
//! Never: touches an expression without such a value.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{Column, DFSchema, Result, ScalarValue};
use datafusion::logical_expr::expr::{Between, InList};
use datafusion::logical_expr::{BinaryExpr, Case, Cast, Expr, ExprSchemable, LogicalPlan, Operator, Projection, Sort, Subquery, when};
use datafusion::optimizer::AnalyzerRule;

use crate::layouts::{UUID, any_numeric, is_any_numeric, is_compared_by_key, is_compared_by_type};
use crate::mapping::map_named;
use crate::numbers::{self, any_length};
use crate::operators::sorts_by_key;
use crate::sides::{Operand, call};
use crate::{equality, exact};

/// C1 and C2; runs before type coercion.
#[derive(Debug)]
pub(crate) struct OwnTypes;

impl AnalyzerRule for OwnTypes {
    fn name(&self) -> &str {
        "own_types"
    }

    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        // Once one expression has changed its type, every node above must learn of it.
        let mut any_changed = false;
        let plan = plan.transform_up_with_subqueries(|plan| {
            let plan = map_named(plan, &mut settle)?;
            any_changed |= plan.transformed;
            let plan = if any_changed { plan.data.recompute_schema()? } else { plan.data };
            let plan = order_by_keys(plan)?;
            let (changed, plan) = (plan.transformed, equality::settle(plan.data)?);
            any_changed |= changed || plan.transformed;
            Ok(Transformed::new_transformed(plan.data, any_changed))
        })?;
        Ok(plan.data)
    }
}

fn order_by_keys(plan: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
    let LogicalPlan::Sort(sort) = plan else { return Ok(Transformed::no(plan)) };
    let Sort { mut expr, input, fetch } = sort;
    let mut changed = false;
    for key in &mut expr {
        if key.expr.get_type(input.schema()).is_ok_and(|data_type| sorts_by_key(&data_type)) {
            key.expr = call("comparison_key", vec![std::mem::take(&mut key.expr)])?;
            changed = true;
        }
    }
    Ok(Transformed::new_transformed(LogicalPlan::Sort(Sort { expr, input: Arc::clone(&input), fetch }), changed))
}

fn is_literal(expr: &Expr) -> bool {
    matches!(expr, Expr::Literal(ScalarValue::Utf8(_), _))
}

/// The literal as a value of this type; anything else as it is.
fn typed(expr: Expr, data_type: &DataType) -> Expr {
    if is_literal(&expr) { Expr::Cast(Cast::new(Box::new(expr), data_type.clone())) } else { expr }
}

fn keyed(expr: Expr, data_type: &DataType, schema: &DFSchema) -> Result<Expr> {
    let expr = match expr.get_type(schema) {
        Ok(given) if is_any_numeric(data_type) && exact::is_exact(&given) => any_length(expr, &given),
        _ => typed(expr, data_type),
    };
    if is_compared_by_key(data_type) { call("comparison_key", vec![expr]) } else { Ok(expr) }
}

fn own_type(expr: &Expr, schema: &DFSchema) -> Option<DataType> {
    expr.get_type(schema).ok().filter(is_compared_by_type)
}

/// The type with rules of its own that one of these values has; all are compared as values of it.
fn own_type_of<'a>(mut exprs: impl Iterator<Item = &'a Expr>, schema: &DFSchema) -> Option<DataType> {
    exprs.find_map(|expr| own_type(expr, schema))
}

/// The keys of the numbers that a subquery finds.
fn keys_of(search: &Subquery, found: &DataType) -> Result<Subquery> {
    let inner = search.subquery.as_ref().clone();
    let (qualifier, field) = inner.schema().qualified_field(0);
    let column = Expr::Column(Column::new(qualifier.cloned(), field.name()));
    let key = call("comparison_key", vec![any_length(column, found)])?;
    let keys = LogicalPlan::Projection(Projection::try_new(vec![key], Arc::new(inner))?);
    Ok(search.with_plan(Arc::new(keys)))
}

/// C3.
fn any_numeric_of<'a>(results: impl Iterator<Item = &'a Expr>, schema: &DFSchema) -> Option<DataType> {
    let types: Vec<DataType> = results.map(|result| result.get_type(schema)).collect::<Result<_>>().ok()?;
    exact::common(&types)
}

fn as_any_numeric(expr: Expr, schema: &DFSchema) -> Expr {
    match expr.get_type(schema) {
        Ok(given) if exact::is_exact(&given) => any_length(expr, &given),
        _ => expr,
    }
}

/// Arguments of an aggregate of distinct values: equal numbers in equal bytes.
fn distinct_numbers(args: &mut [Expr], is_count: bool, schema: &DFSchema) -> Result<bool> {
    let mut changed = false;
    for arg in args {
        if arg.get_type(schema).is_ok_and(|data_type| is_any_numeric(&data_type)) {
            let name = if is_count { "comparison_key" } else { "numeric_trimmed" };
            *arg = call(name, vec![std::mem::take(arg)])?;
            changed = true;
        }
    }
    Ok(changed)
}

fn results_of(case: &Case) -> impl Iterator<Item = &Expr> {
    case.when_then_expr.iter().map(|(_, then)| then.as_ref()).chain(case.else_expr.as_deref())
}

fn settle(expr: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    Ok(match expr {
        Expr::InList(list) => match own_type_of(std::iter::once(list.expr.as_ref()).chain(&list.list), schema) {
            Some(own) => {
                let all = list.list.into_iter().map(|expr| keyed(expr, &own, schema)).collect::<Result<Vec<_>>>()?;
                Transformed::yes(Expr::InList(InList::new(Box::new(keyed(*list.expr, &own, schema)?), all, list.negated)))
            }
            None => Transformed::no(Expr::InList(list)),
        },
        Expr::Between(between) => match own_type_of([&between.expr, &between.low, &between.high].map(AsRef::as_ref).into_iter(), schema) {
            Some(own) => {
                let (low, high) = (keyed(*between.low, &own, schema)?, keyed(*between.high, &own, schema)?);
                let expr = keyed(*between.expr, &own, schema)?;
                Transformed::yes(Expr::Between(Between::new(Box::new(expr), between.negated, Box::new(low), Box::new(high))))
            }
            None => Transformed::no(Expr::Between(between)),
        },
        Expr::BinaryExpr(BinaryExpr { left, op: op @ (Operator::IsDistinctFrom | Operator::IsNotDistinctFrom), right }) => {
            match own_type(&left, schema).or_else(|| own_type(&right, schema)) {
                Some(own) => {
                    let (left, right) = (keyed(*left, &own, schema)?, keyed(*right, &own, schema)?);
                    Transformed::yes(Expr::BinaryExpr(BinaryExpr::new(Box::new(left), op, Box::new(right))))
                }
                None => Transformed::no(Expr::BinaryExpr(BinaryExpr::new(left, op, right))),
            }
        }
        Expr::BinaryExpr(BinaryExpr { left, op, right }) if numbers::concerns(op) => {
            match (Operand::of(*left, schema), Operand::of(*right, schema)) {
                (Ok(left), Ok(right)) if left.is(exact::is_numeric) || right.is(exact::is_numeric) => {
                    match numbers::plan_or_original(op, left, right)? {
                        Ok(planned) => Transformed::yes(planned),
                        Err((left, right)) => Transformed::yes(Expr::BinaryExpr(BinaryExpr::new(Box::new(left), op, Box::new(right)))),
                    }
                }
                (left, right) => {
                    let back = |side: std::result::Result<Operand, Expr>| Box::new(side.map_or_else(|expr| expr, |side| side.expr));
                    Transformed::no(Expr::BinaryExpr(BinaryExpr::new(back(left), op, back(right))))
                }
            }
        }
        Expr::InSubquery(mut search) => {
            let found = search.subquery.subquery.schema().field(0).data_type().clone();
            let given = search.expr.get_type(schema)?;
            if !(is_any_numeric(&found) || is_any_numeric(&given)) || exact::common(&[found.clone(), given.clone()]).is_none() {
                return Ok(Transformed::no(Expr::InSubquery(search)));
            }
            search.subquery = keys_of(&search.subquery, &found)?;
            search.expr = Box::new(call("comparison_key", vec![any_length(*search.expr, &given)])?);
            Transformed::yes(Expr::InSubquery(search))
        }
        Expr::SetComparison(mut search) => {
            let (found, given) = (search.subquery.subquery.schema().field(0).data_type().clone(), search.expr.get_type(schema)?);
            if !(is_any_numeric(&found) || is_any_numeric(&given)) || exact::common(&[found.clone(), given.clone()]).is_none() {
                return Ok(Transformed::no(Expr::SetComparison(search)));
            }
            search.subquery = keys_of(&search.subquery, &found)?;
            search.expr = Box::new(call("comparison_key", vec![any_length(*search.expr, &given)])?);
            Transformed::yes(Expr::SetComparison(search))
        }
        Expr::Case(mut case) if any_numeric_of(results_of(&case), schema).is_some() => {
            let mut changed = false;
            for result in case.when_then_expr.iter_mut().map(|(_, then)| then).chain(&mut case.else_expr) {
                changed |= !result.get_type(schema).is_ok_and(|given| is_any_numeric(&given) || given.is_null());
                **result = as_any_numeric(std::mem::take(result), schema);
            }
            Transformed::new_transformed(Expr::Case(case), changed)
        }
        Expr::ScalarFunction(mut choice)
            if ["coalesce", "greatest", "least"].contains(&choice.func.name()) && any_numeric_of(choice.args.iter(), schema).is_some() =>
        {
            choice.args = choice.args.into_iter().map(|arg| as_any_numeric(arg, schema)).collect();
            Transformed::yes(match choice.func.name() {
                "greatest" => call("numeric_greatest", choice.args)?,
                "least" => call("numeric_least", choice.args)?,
                _ => Expr::ScalarFunction(choice),
            })
        }
        Expr::ScalarFunction(mut choice) if choice.func.name() == "nullif" && any_numeric_of(choice.args.iter(), schema).is_some() => {
            let (Some(right), Some(left)) = (choice.args.pop(), choice.args.pop()) else {
                return Ok(Transformed::no(Expr::ScalarFunction(choice)));
            };
            let own = any_numeric();
            let (left_key, right_key) = (keyed(left.clone(), &own, schema)?, keyed(right, &own, schema)?);
            let null = Expr::Literal(ScalarValue::try_from(&left.get_type(schema)?)?, None);
            Transformed::yes(when(left_key.eq(right_key), null).otherwise(left)?)
        }
        Expr::Case(mut case) => {
            let results = || case.when_then_expr.iter().map(|(_, then)| then).chain(&case.else_expr);
            let own = results().find_map(|result| own_type(result, schema));
            match own {
                Some(own) if results().any(|result| is_literal(result)) => {
                    for (_, then) in &mut case.when_then_expr {
                        **then = typed(std::mem::take(then), &own);
                    }
                    case.else_expr = case.else_expr.map(|otherwise| Box::new(typed(*otherwise, &own)));
                    Transformed::yes(Expr::Case(case))
                }
                _ => Transformed::no(Expr::Case(case)),
            }
        }
        Expr::ScalarFunction(mut choice) if choice.func.name() == "coalesce" => {
            let own = choice.args.iter().find_map(|arg| own_type(arg, schema));
            match own {
                Some(own) if choice.args.iter().any(is_literal) => {
                    choice.args = choice.args.into_iter().map(|arg| typed(arg, &own)).collect();
                    Transformed::yes(Expr::ScalarFunction(choice))
                }
                _ => Transformed::no(Expr::ScalarFunction(choice)),
            }
        }
        Expr::AggregateFunction(mut aggregate) if aggregate.params.distinct => {
            let is_count = aggregate.func.name() == "count";
            let changed = distinct_numbers(&mut aggregate.params.args, is_count, schema)?;
            Transformed::new_transformed(Expr::AggregateFunction(aggregate), changed)
        }
        Expr::WindowFunction(mut window) => {
            let mut changed = false;
            for expr in &mut window.params.partition_by {
                changed |= equality::key_in_place(expr, schema)?;
            }
            for sort in &mut window.params.order_by {
                if sort.expr.get_type(schema).is_ok_and(|data_type| is_any_numeric(&data_type)) {
                    sort.expr = call("numeric_order", vec![std::mem::take(&mut sort.expr)])?;
                    changed = true;
                }
            }
            for key in &mut window.params.order_by {
                // Frames know no uuid; its text has the same order.
                if key.expr.get_type(schema).is_ok_and(|data_type| data_type == UUID) {
                    key.expr = Expr::Cast(Cast::new(Box::new(std::mem::take(&mut key.expr)), DataType::Utf8));
                    changed = true;
                }
            }
            Transformed::new_transformed(Expr::WindowFunction(window), changed)
        }
        other => Transformed::no(other),
    })
}
