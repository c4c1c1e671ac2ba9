//! Puts into a bound plan what a run brings: values where they are known now, readers of a slot where each run brings its own.
//!
//! A1: optimisers see a parameter as a placeholder, which they neither fold nor move a row's work out of; only after them does a reader take its
//!     place.
//! Never: changes a column's name.

use std::sync::Arc;

use datafusion::catalog::default_table_source::{provider_as_source, source_as_provider};
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::{Expr, LogicalPlan, ScalarUDF};

use crate::apply;
use crate::clock::Clock;
use crate::functions::{self, session};
use crate::outer_values::Cell;
use crate::provider::Provider;
use crate::slot::{Reader, Slot, Which};

/// Puts placeholders where the plan asks for the time.
pub(crate) fn release_clocks(plan: LogicalPlan) -> Result<LogicalPlan> {
    replace(plan, &|expr| match expr {
        Expr::ScalarFunction(call) => session::clock(&call.func).map(Clock::placeholder),
        _ => None,
    })
}

/// Puts constants where some placeholders are.
pub(crate) fn fix(plan: LogicalPlan, value: &dyn Fn(Which) -> Option<ScalarValue>) -> Result<LogicalPlan> {
    replace(plan, &|expr| match expr {
        Expr::Placeholder(placeholder) => value(Which::of(&placeholder.id)?).map(|value| Expr::Literal(value, None)),
        _ => None,
    })
}

/// Puts readers where placeholders are, the slot's tables where the plan's are, and the run's functions where it brings some along.
///
/// `cell` holds the arguments of the subplan that the plan is; `make` gives the subplans it calls their operators.
pub(crate) fn attach(
    plan: LogicalPlan,
    slot: &Arc<Slot>,
    cell: Option<(usize, &Arc<Cell>)>,
    make: apply::Change<'_>,
) -> Result<LogicalPlan> {
    let plan = replace_here(plan, &|expr| match expr {
        Expr::Placeholder(placeholder) => {
            let reader = Reader::new(slot, cell, placeholder)?;
            Some(Expr::ScalarFunction(ScalarFunction::new_udf(Arc::new(ScalarUDF::from(reader)), vec![])))
        }
        Expr::ScalarFunction(call) => {
            let function = functions::of_run(&call.func, slot)?;
            Some(Expr::ScalarFunction(ScalarFunction::new_udf(Arc::new(function), call.args.clone())))
        }
        _ => None,
    })?;
    let attached = plan.transform_up_with_subqueries(|node| match node {
        LogicalPlan::TableScan(mut scan) => {
            let provider = source_as_provider(&scan.source)?;
            let Some(provider) = provider.downcast_ref::<Provider>() else { return Ok(Transformed::no(LogicalPlan::TableScan(scan))) };
            scan.source = provider_as_source(Arc::new(provider.attached(slot)));
            Ok(Transformed::yes(LogicalPlan::TableScan(scan)))
        }
        other => apply::map_subplans(other, make),
    });
    attached.map(|plan| plan.data)
}

/// Replaces expressions everywhere in a plan and its subplans; columns keep their names.
fn replace(plan: LogicalPlan, with: &dyn Fn(&Expr) -> Option<Expr>) -> Result<LogicalPlan> {
    let plan = replace_here(plan, with)?;
    let replaced = plan.transform_up_with_subqueries(|node| {
        apply::map_subplans(node, &mut |held| Ok(held.with_plan(replace(held.plan.as_ref().clone(), with)?)))
    });
    replaced.map(|plan| plan.data)
}

/// Replaces expressions everywhere in a plan; columns keep their names.
fn replace_here(plan: LogicalPlan, with: &dyn Fn(&Expr) -> Option<Expr>) -> Result<LogicalPlan> {
    let replaced = plan.transform_up_with_subqueries(|node| {
        let names = NamePreserver::new(&node);
        node.map_expressions(|expr| {
            let name = names.save(&expr);
            let replaced = expr.transform_up(|expr| match with(&expr) {
                Some(other) => Ok(Transformed::yes(other)),
                None => Ok(Transformed::no(expr)),
            })?;
            Ok(if replaced.transformed { replaced.update_data(|expr| name.restore(expr)) } else { replaced })
        })?
        .map_data(|node| if matches!(node, LogicalPlan::Values(_)) { Ok(node) } else { node.recompute_schema() })
    });
    replaced.map(|plan| plan.data)
}
