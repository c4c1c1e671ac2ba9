//! Groups that show the first row they met (E1), or rows one after the other, meet them in the order in which tables and unions give them.
//!
//! F1: which partition is done first changes no answer.
//! Never: touches a grouping that has no such column; makes one start later than the others.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::aggregates::{AggregateExec, AggregateMode};
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::execution_plan::ChildrenPropertiesMode;
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::union::UnionExec;
use datafusion::physical_plan::{ExecutionPlan, Partitioning, ReplaceChildrenOptions};

use crate::sequence::Sequence;

/// Puts a [`Sequence`] between the partitions of a grouping that shows what it met first and what brings its groups together; after all other rules.
#[derive(Debug)]
pub(crate) struct FirstMet;

impl PhysicalOptimizerRule for FirstMet {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _config: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        let changed = plan.transform_up(|node| {
            let Some(grouping) = node.downcast_ref::<AggregateExec>().filter(|grouping| shows_first(grouping)) else {
                return Ok(Transformed::no(node));
            };
            let input = Arc::clone(grouping.input());
            match grouping.mode() {
                AggregateMode::Partial => Ok(Transformed::yes(Sequence::at_once(over(node, vec![in_order(input)?])?))),
                AggregateMode::Single if input.downcast_ref::<CoalescePartitionsExec>().is_some() => {
                    let parts = input.children().into_iter().map(|part| in_order(Arc::clone(part)).map(Sequence::at_once));
                    Ok(Transformed::yes(over(node, parts.collect::<Result<_>>()?)?))
                }
                _ => Ok(Transformed::no(node)),
            }
        })?;
        Ok(changed.data)
    }

    fn name(&self) -> &str {
        "first_met"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

fn shows_first(grouping: &AggregateExec) -> bool {
    grouping.aggr_expr().iter().any(|aggregate| matches!(aggregate.fun().name(), "first_value" | "array_agg" | "string_agg"))
}

/// Without exchanges that deal rows out in turn, as far down as operators keep the order of rows.
fn in_order(plan: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
    if let Some(exchange) = plan.downcast_ref::<RepartitionExec>() {
        return if matches!(exchange.partitioning(), Partitioning::RoundRobinBatch(_)) {
            in_order(Arc::clone(exchange.input()))
        } else {
            Ok(plan)
        };
    }
    let keeps_order = plan.downcast_ref::<UnionExec>().is_some()
        || plan.downcast_ref::<FilterExec>().is_some()
        || plan.downcast_ref::<ProjectionExec>().is_some();
    if !keeps_order {
        return Ok(plan);
    }
    let inputs = plan.children().into_iter().map(|input| in_order(Arc::clone(input))).collect::<Result<_>>()?;
    over(plan, inputs)
}

fn over(plan: Arc<dyn ExecutionPlan>, inputs: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
    plan.replace_children(inputs, ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute))
}
