//! Finds trees of joins, and counts over them, that somebody knows a way through.
//!
//! F1: what is put in an operator's place gives the same rows in as many partitions; one that brings equal rows together is followed by an exchange that
//!     does.
//! F2: a count of groups over several branches is the sum of those over each.
//! Never: looks at rows.

use std::sync::Arc;

use arrow::datatypes::{DataType, SchemaRef};
use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::physical_expr::aggregate::AggregateFunctionExpr;
use datafusion::physical_expr::expressions::{Literal, UnKnownColumn};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::aggregates::{AggregateExec, AggregateMode};
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::joins::{CrossJoinExec, HashJoinExec, NestedLoopJoinExec};
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::union::UnionExec;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties, Partitioning};

use super::exec::{AlongEdgesExec, Plan};
use super::rows::{Computed, Leaving, Times};
use super::tree::{Expr, Tree};
use crate::table::links::{Route, Wanted};

/// See the module.
#[derive(Debug)]
pub(crate) struct AlongEdges;

type Operator = Arc<dyn ExecutionPlan>;

impl PhysicalOptimizerRule for AlongEdges {
    fn optimize(&self, plan: Operator, _config: &ConfigOptions) -> Result<Operator> {
        let changed = plan.transform_down(|node| {
            let found = match counted(&node)? {
                None if is_join(&node) => joined(&node)?,
                found => found,
            };
            Ok(match found {
                Some(found) => Transformed::new(found, true, TreeNodeRecursion::Jump),
                None => Transformed::no(node),
            })
        })?;
        Ok(changed.data)
    }

    fn name(&self) -> &str {
        "along_edges"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

fn is_join(node: &Operator) -> bool {
    node.downcast_ref::<HashJoinExec>().is_some()
        || node.downcast_ref::<NestedLoopJoinExec>().is_some()
        || node.downcast_ref::<CrossJoinExec>().is_some()
}

/// A tree that somebody knows a way through.
struct Known {
    tree: Tree,
    output: Vec<Expr>,
    route: Arc<dyn Route>,
}

/// `is_counted`: whether it matters how often each combination stands.
fn known(plan: &Operator, is_counted: bool) -> Option<Known> {
    let (tree, output) = Tree::read(plan)?;
    let tree = if is_counted { tree } else { tree.without_times() };
    let links = tree.relations.first()?.reading.table().ok()?.links()?;
    let route = links.follow(&tree.joined()?)?;
    Some(Known { tree, output, route })
}

/// The rows of a tree of joins.
fn joined(node: &Operator) -> Result<Option<Operator>> {
    let Some(Known { tree, output, route }) = known(node, true) else { return Ok(None) };
    let Some(computed) = Computed::of(&tree, &output) else { return Ok(None) };
    let wanted = Wanted::Rows(computed.relations(), computed.width());
    let leaving = Leaving { computed, times: Times::Repeated, schema: node.schema() };
    along(node, Plan::new(tree, route, wanted, leaving))
}

/// The operator in the place of another (F1).
fn along(node: &Operator, plan: Option<Plan>) -> Result<Option<Operator>> {
    let Some(plan) = plan else { return Ok(None) };
    if node.output_ordering().is_some() {
        return Ok(None);
    }
    // What brings rows together by columns that it does not let out tells nobody.
    let is_told = |exprs: &[Expr]| exprs.iter().all(|expr| expr.downcast_ref::<UnKnownColumn>().is_none());
    let partitioning = node.output_partitioning().clone();
    let exec: Operator = Arc::new(AlongEdgesExec::new(Arc::clone(node), plan));
    Ok(match partitioning {
        Partitioning::Hash(ref exprs, _) if exec.output_partitioning().partition_count() > 1 && is_told(exprs) => {
            Some(Arc::new(RepartitionExec::try_new(exec, partitioning)?))
        }
        Partitioning::Hash(..) | Partitioning::RoundRobinBatch(_) | Partitioning::UnknownPartitioning(_) => Some(exec),
        _ => None,
    })
}

/// Groups of the rows of joins and how many there are in each, where nothing else is asked of them.
fn counted(node: &Operator) -> Result<Option<Operator>> {
    let Some(groups) = node.downcast_ref::<AggregateExec>().filter(|groups| counts_only(groups)) else { return Ok(None) };
    match groups.mode() {
        AggregateMode::Partial => partial(node, groups),
        AggregateMode::Single | AggregateMode::SinglePartitioned => {
            let first = AggregateExec::try_new(
                AggregateMode::Partial,
                groups.group_expr().clone(),
                groups.aggr_expr().to_vec(),
                groups.filter_expr().to_vec(),
                Arc::clone(groups.input()),
                groups.input_schema(),
            )?;
            let first: Operator = Arc::new(first);
            let Some(counted) = first.downcast_ref::<AggregateExec>().map(|groups| partial(&first, groups)).transpose()?.flatten() else {
                return Ok(None);
            };
            if node.output_partitioning().partition_count() != 1 {
                return Ok(None);
            }
            let gathered: Operator = match counted.output_partitioning().partition_count() {
                1 => counted,
                _ => Arc::new(CoalescePartitionsExec::new(counted)),
            };
            let (aggregates, filters) = (groups.aggr_expr().to_vec(), groups.filter_expr().to_vec());
            let last = AggregateExec::try_new(
                AggregateMode::Final,
                groups.group_expr().as_final(),
                aggregates,
                filters,
                gathered,
                groups.input_schema(),
            )?;
            Ok((last.schema() == node.schema()).then(|| Arc::new(last) as Operator))
        }
        _ => Ok(None),
    }
}

fn counts_only(groups: &AggregateExec) -> bool {
    let counts = |aggregate: &Arc<AggregateFunctionExpr>| {
        aggregate.fun().name() == "count"
            && !aggregate.is_distinct()
            && aggregate.expressions().iter().all(|expr| expr.downcast_ref::<Literal>().is_some_and(|literal| !literal.value().is_null()))
            && aggregate
                .state_fields()
                .is_ok_and(|fields| fields.iter().all(|field| *field.data_type() == DataType::Int64) && fields.len() == 1)
    };
    groups.group_expr().is_single()
        && groups.filter_expr().iter().all(Option::is_none)
        && groups.limit_options().is_none()
        && groups.aggr_expr().iter().all(counts)
}

/// Counts before they are added up, over joins or over several branches of them (F2).
fn partial(node: &Operator, groups: &AggregateExec) -> Result<Option<Operator>> {
    let input = dealt(groups.input());
    let Some(union) = input.downcast_ref::<UnionExec>() else { return over_joins(node, groups, &node.schema()) };
    let mut inputs = Vec::with_capacity(union.inputs().len());
    let mut is_found = false;
    for branch in union.inputs() {
        let of_branch: Operator = Arc::new(AggregateExec::try_new(
            AggregateMode::Partial,
            groups.group_expr().clone(),
            groups.aggr_expr().to_vec(),
            groups.filter_expr().to_vec(),
            Arc::clone(branch),
            groups.input_schema(),
        )?);
        let found = match of_branch.downcast_ref::<AggregateExec>() {
            Some(groups) => over_joins(&of_branch, groups, &node.schema())?,
            None => None,
        };
        is_found |= found.is_some();
        inputs.push(found.unwrap_or(of_branch));
    }
    if !is_found {
        return Ok(None);
    }
    let counted = UnionExec::try_new(inputs)?;
    if counted.schema() != node.schema() {
        return Ok(None);
    }
    Ok(Some(match node.output_partitioning().partition_count() {
        1 => Arc::new(CoalescePartitionsExec::new(counted)),
        _ => counted,
    }))
}

/// Below exchanges that deal rows out in turn.
fn dealt(plan: &Operator) -> &Operator {
    match plan.downcast_ref::<RepartitionExec>() {
        Some(exchange) if matches!(exchange.partitioning(), Partitioning::RoundRobinBatch(_)) => dealt(exchange.input()),
        _ => plan,
    }
}

fn over_joins(node: &Operator, groups: &AggregateExec, schema: &SchemaRef) -> Result<Option<Operator>> {
    // Without aggregates a group is there or not.
    let Some(Known { tree, output, route }) = known(groups.input(), !groups.aggr_expr().is_empty()) else { return Ok(None) };
    let exprs: Option<Vec<Expr>> = groups.group_expr().input_exprs().iter().map(|expr| super::tree::over(expr, &output)).collect();
    let Some(computed) = exprs.and_then(|exprs| Computed::of(&tree, &exprs)) else { return Ok(None) };
    let relations = computed.relations();
    let wanted = if relations.is_empty() { Wanted::Count } else { Wanted::Groups(relations, computed.width()) };
    let times = match groups.aggr_expr().len() {
        0 => Times::Once,
        counts => Times::Counted(counts),
    };
    let leaving = Leaving { computed, times, schema: Arc::clone(schema) };
    along(node, Plan::new(tree, route, wanted, leaving))
}
