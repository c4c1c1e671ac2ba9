//! What is sorted owns its memory.
//!
//! A grouping makes all its groups at once and hands them on as slices; rows that are not sealed yet come as slices of what a commit wrote. A sort that
//! gathers slices counts for each of them all of what it is a slice of.
//!
//! O1: rows, their order and their partitions are the input's.
//! Never: copies a batch that has no more beside its rows than a few times their size.

use std::fmt;
use std::sync::Arc;

use arrow::array::{Array, RecordBatch, UInt32Array};
use arrow::compute::take_record_batch;
use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::execution_plan::ChildrenPropertiesMode;
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties, ReplaceChildrenOptions};
use futures::StreamExt;

/// How many times the bytes of its rows a batch may hold.
const TIMES: usize = 4;

/// Puts an [`OwnRows`] below every sort.
#[derive(Debug)]
pub(crate) struct OwnSorted;

impl PhysicalOptimizerRule for OwnSorted {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _config: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        let changed = plan.transform_up(|node| {
            let Some(sort) = node.downcast_ref::<SortExec>() else { return Ok(Transformed::no(node)) };
            let owned: Arc<dyn ExecutionPlan> = Arc::new(OwnRows { input: Arc::clone(sort.input()) });
            node.replace_children(vec![owned], ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute)).map(Transformed::yes)
        });
        changed.data()
    }

    fn name(&self) -> &str {
        "own_sorted"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// The rows of its input, in memory of their own.
#[derive(Debug)]
pub(crate) struct OwnRows {
    input: Arc<dyn ExecutionPlan>,
}

impl OwnRows {
    fn over(self: Arc<Self>, mut children: Vec<Arc<dyn ExecutionPlan>>) -> Arc<dyn ExecutionPlan> {
        children.pop().map_or(Arc::clone(&self) as Arc<dyn ExecutionPlan>, |input| Arc::new(Self { input }))
    }

    pub(crate) fn input(&self) -> &Arc<dyn ExecutionPlan> {
        &self.input
    }
}

fn owned(batch: RecordBatch) -> Result<RecordBatch> {
    let held = batch.get_array_memory_size();
    let used: usize = batch.columns().iter().map(|column| column.to_data().get_slice_memory_size()).sum::<Result<_, _>>()?;
    if held <= used * TIMES {
        return Ok(batch);
    }
    let rows = u32::try_from(batch.num_rows()).map_err(|error| datafusion::common::DataFusionError::External(Box::new(error)))?;
    Ok(take_record_batch(&batch, &UInt32Array::from_iter_values(0..rows))?)
}

impl DisplayAs for OwnRows {
    fn fmt_as(&self, _t: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OwnRows")
    }
}

impl ExecutionPlan for OwnRows {
    fn name(&self) -> &str {
        "OwnRows"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.input.properties()
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true]
    }

    fn apply_expressions(&self, _f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
        _options: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self.over(children))
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self.over(children))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let rows = self.input.execute(partition, context)?.map(|batch| batch.and_then(owned));
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.input.schema(), rows)))
    }
}
