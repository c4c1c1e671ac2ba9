//! Literals beside values of types that DataFusion has no literal for, and comparisons it would do by layout: IN, BETWEEN, CASE, IS DISTINCT
//! FROM, ORDER BY.
//!
//! C1: a string literal takes the type of the value it stands beside, before DataFusion looks for a type both could have.
//! C2: intervals, `jsonb` and arrays are compared and ordered by their keys, as `operators` does it.
//! Never: touches an expression without such a value.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchema, Result, ScalarValue};
use datafusion::logical_expr::expr::{Between, InList};
use datafusion::logical_expr::{BinaryExpr, Cast, Expr, ExprSchemable, LogicalPlan, Operator, Sort};
use datafusion::optimizer::AnalyzerRule;

use crate::layouts::UUID;
use crate::layouts::{is_compared_by_key, is_compared_by_type};
use crate::mapping::map_named;
use crate::operators::{call, sorts_by_key};

/// C1 and C2; runs before type coercion.
#[derive(Debug)]
pub(crate) struct OwnTypes;

impl AnalyzerRule for OwnTypes {
    fn name(&self) -> &str {
        "own_types"
    }

    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        let plan = plan.transform_up_with_subqueries(|plan| {
            let plan = map_named(plan, &mut settle)?;
            let (changed, plan) = (plan.transformed, order_by_keys(plan.data)?);
            Ok(Transformed::new_transformed(plan.data, changed || plan.transformed))
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

fn keyed(expr: Expr, data_type: &DataType) -> Result<Expr> {
    let expr = typed(expr, data_type);
    if is_compared_by_key(data_type) { call("comparison_key", vec![expr]) } else { Ok(expr) }
}

fn own_type(expr: &Expr, schema: &DFSchema) -> Option<DataType> {
    expr.get_type(schema).ok().filter(is_compared_by_type)
}

fn settle(expr: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    Ok(match expr {
        Expr::InList(list) => match own_type(&list.expr, schema) {
            Some(own) => {
                let all = list.list.into_iter().map(|expr| keyed(expr, &own)).collect::<Result<Vec<_>>>()?;
                Transformed::yes(Expr::InList(InList::new(Box::new(keyed(*list.expr, &own)?), all, list.negated)))
            }
            None => Transformed::no(Expr::InList(list)),
        },
        Expr::Between(between) => match own_type(&between.expr, schema) {
            Some(own) => {
                let (low, high) = (keyed(*between.low, &own)?, keyed(*between.high, &own)?);
                let expr = keyed(*between.expr, &own)?;
                Transformed::yes(Expr::Between(Between::new(Box::new(expr), between.negated, Box::new(low), Box::new(high))))
            }
            None => Transformed::no(Expr::Between(between)),
        },
        Expr::BinaryExpr(BinaryExpr { left, op: op @ (Operator::IsDistinctFrom | Operator::IsNotDistinctFrom), right }) => {
            match own_type(&left, schema).or_else(|| own_type(&right, schema)) {
                Some(own) => {
                    let (left, right) = (keyed(*left, &own)?, keyed(*right, &own)?);
                    Transformed::yes(Expr::BinaryExpr(BinaryExpr::new(Box::new(left), op, Box::new(right))))
                }
                None => Transformed::no(Expr::BinaryExpr(BinaryExpr::new(left, op, right))),
            }
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
        Expr::WindowFunction(mut window) => {
            let mut changed = false;
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
