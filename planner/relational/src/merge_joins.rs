//! Joins whose smaller side a run's memory would not hold are made by sorting both sides, which goes to disk, rather than by a table in memory.
//!
//! MJ1: the rows are the same, and stand in the same order where the join before had one.
//! MJ2: only joins on types that sort as they are equal are changed; of those, only where the statistics say how large the table would be.
//! Never: changes a join that would fit.

use std::sync::Arc;

use arrow::compute::SortOptions;
use arrow::datatypes::{DataType, Schema};
use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::logical_expr::JoinType;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::{LexOrdering, PhysicalExprRef, PhysicalSortExpr};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::joins::{HashJoinExec, PartitionMode, SortMergeJoinExec};
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties, StatisticsArgs, StatisticsContext};

/// What a value of a type without a fixed width is taken to have, in bytes.
const TEXT_BYTES: usize = 32;
/// What the table of a hash join takes for a row beside the row.
const ENTRY_BYTES: usize = 24;

/// The rule, for runs that may hold so much.
#[derive(Debug)]
pub(crate) struct MergeJoins {
    pub(crate) run_bytes_max: usize,
}

impl PhysicalOptimizerRule for MergeJoins {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _config: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        let merged = |node: Arc<dyn ExecutionPlan>| {
            let merged = match node.downcast_ref::<HashJoinExec>() {
                Some(join) if self.is_too_large(join)? => merge(join)?,
                _ => None,
            };
            Ok(merged.map_or(Transformed::no(node), Transformed::yes))
        };
        plan.transform_up(merged).data()
    }

    fn name(&self) -> &str {
        "merge_joins"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

impl MergeJoins {
    /// Whether the table of this join is said to take more than half of what a run may hold: the rest is for what stands above it.
    fn is_too_large(&self, join: &HashJoinExec) -> Result<bool> {
        let statistics = StatisticsContext::new().compute(join.left().as_ref(), &StatisticsArgs::new())?;
        let row = row_bytes(&join.left().schema()) + ENTRY_BYTES;
        Ok(statistics.num_rows.get_value().is_some_and(|rows| rows.saturating_mul(row) > self.run_bytes_max / 2))
    }
}

fn row_bytes(schema: &Schema) -> usize {
    schema.fields().iter().map(|field| field.data_type().primitive_width().unwrap_or(TEXT_BYTES)).sum()
}

/// The join by sorting, where it can be had (MJ2).
fn merge(join: &HashJoinExec) -> Result<Option<Arc<dyn ExecutionPlan>>> {
    let (left, right) = (join.left(), join.right());
    let is_alone = [left, right].iter().all(|side| side.output_partitioning().partition_count() == 1);
    let is_divided = *join.partition_mode() == PartitionMode::Partitioned || is_alone;
    let is_marking = matches!(join.join_type(), JoinType::LeftMark | JoinType::RightMark);
    if !is_divided || is_marking || join.null_aware || join.fetch().is_some() || join.on().is_empty() {
        return Ok(None);
    }
    for (key, _) in join.on() {
        if !sorts_as_equal(&key.data_type(&left.schema())?) {
            return Ok(None);
        }
    }
    let (left_keys, right_keys): (Vec<_>, Vec<_>) = join.on().iter().cloned().unzip();
    let (Some(left), Some(right)) = (sorted(left, &left_keys), sorted(right, &right_keys)) else { return Ok(None) };
    let options = vec![SortOptions::default(); join.on().len()];
    let (on, filter) = (join.on().to_vec(), join.filter().cloned());
    let merged = SortMergeJoinExec::try_new(left, right, on, filter, *join.join_type(), options, join.null_equality())?;
    let mut merged: Arc<dyn ExecutionPlan> = Arc::new(merged);
    if let Some(projection) = &join.projection {
        let schema = merged.schema();
        let column = |index: &usize| {
            let name = schema.field(*index).name();
            (Arc::new(Column::new(name, *index)) as PhysicalExprRef, name.clone())
        };
        merged = Arc::new(ProjectionExec::try_new(projection.iter().map(column).collect::<Vec<_>>(), merged)?);
    }
    // MJ1: what stands above may build on it.
    if let Some(order) = join.properties().output_ordering() {
        merged = Arc::new(SortExec::new(order.clone(), merged).with_preserve_partitioning(true));
    }
    Ok(Some(merged))
}

fn sorted(side: &Arc<dyn ExecutionPlan>, keys: &[PhysicalExprRef]) -> Option<Arc<dyn ExecutionPlan>> {
    let order = LexOrdering::new(keys.iter().map(|key| PhysicalSortExpr { expr: Arc::clone(key), options: SortOptions::default() }))?;
    Some(Arc::new(SortExec::new(order, Arc::clone(side)).with_preserve_partitioning(true)))
}

/// Whether values of this type are equal just where sorting puts them side by side. Floating point has two zeros; what is kept as a structure has
/// an equality of its own.
fn sorts_as_equal(data_type: &DataType) -> bool {
    match data_type {
        DataType::Boolean | DataType::Utf8 | DataType::Binary | DataType::FixedSizeBinary(_) => true,
        DataType::Date32 | DataType::Time64(_) | DataType::Timestamp(..) | DataType::Decimal128(..) => true,
        other => other.is_integer(),
    }
}
