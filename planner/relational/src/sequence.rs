//! The rows of several inputs one after the other, in one partition.
//!
//! Within a subplan UNION ALL is that (P3), its inputs read in turn; [`crate::first_met`] has partitions at work all at once.
//!
//! Q1: whatever runs when, a row of an earlier partition of an earlier input comes first.
//! Never: holds more than two batches of a partition whose turn has not come.

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::stream::{RecordBatchReceiverStream, RecordBatchStreamAdapter};
use datafusion::physical_plan::union::UnionExec;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties, ReplaceChildrenOptions};
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt, stream};

/// Puts a [`Sequence`] where a union is; before the rules that add exchanges.
#[derive(Debug)]
pub(crate) struct Sequences;

impl PhysicalOptimizerRule for Sequences {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _config: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        let changed = plan.transform_up(|node| {
            if node.downcast_ref::<UnionExec>().is_none() {
                return Ok(Transformed::no(node));
            }
            let inputs: Vec<_> = node.children().into_iter().map(Arc::clone).collect();
            Ok(Transformed::yes(Arc::new(Sequence::new(inputs, node.schema(), false)) as Arc<dyn ExecutionPlan>))
        })?;
        Ok(changed.data)
    }

    fn name(&self) -> &str {
        "sequences"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// Batches of a partition that are made before its turn.
const AHEAD: usize = 2;

#[derive(Debug)]
pub(crate) struct Sequence {
    inputs: Vec<Arc<dyn ExecutionPlan>>,
    /// Whether partitions start before their turn.
    is_at_once: bool,
    schema: SchemaRef,
    properties: Arc<PlanProperties>,
}

impl Sequence {
    /// One input, whose partitions start before their turn.
    pub(crate) fn at_once(input: Arc<dyn ExecutionPlan>) -> Arc<dyn ExecutionPlan> {
        let schema = input.schema();
        Arc::new(Self::new(vec![input], schema, true))
    }

    /// Several inputs, each read when the one before has ended.
    pub(crate) fn in_turn(inputs: Vec<Arc<dyn ExecutionPlan>>, schema: SchemaRef) -> Arc<dyn ExecutionPlan> {
        Arc::new(Self::new(inputs, schema, false))
    }

    fn new(inputs: Vec<Arc<dyn ExecutionPlan>>, schema: SchemaRef, is_at_once: bool) -> Self {
        let properties = Arc::new(PlanProperties::new(
            EquivalenceProperties::new(Arc::clone(&schema)),
            Partitioning::UnknownPartitioning(1),
            EmissionType::Incremental,
            Boundedness::Bounded,
        ));
        Self { inputs, is_at_once, schema, properties }
    }
}

impl DisplayAs for Sequence {
    fn fmt_as(&self, _t: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sequence")
    }
}

impl ExecutionPlan for Sequence {
    fn name(&self) -> &str {
        "Sequence"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        self.inputs.iter().collect()
    }

    fn apply_expressions(&self, _f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
        _options: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(Arc::new(Self::new(children, Arc::clone(&self.schema), self.is_at_once)))
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(Arc::new(Self::new(children, Arc::clone(&self.schema), self.is_at_once)))
    }

    fn execute(&self, _partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let mut parts = Vec::new();
        for input in &self.inputs {
            parts.extend((0..input.properties().partitioning.partition_count()).map(|partition| (Arc::clone(input), partition)));
        }
        let schema = Arc::clone(&self.schema);
        let opened: BoxStream<'static, Result<SendableRecordBatchStream>> = if self.is_at_once {
            let started = parts.into_iter().map(|(input, partition)| Ok(ahead(input.execute(partition, Arc::clone(&context))?)));
            stream::iter(started.collect::<Vec<_>>()).boxed()
        } else {
            stream::iter(parts).map(move |(input, partition)| input.execute(partition, Arc::clone(&context))).boxed()
        };
        // The inputs' fields may be named otherwise.
        let rows = opened.try_flatten().and_then(move |batch| {
            let renamed = arrow::array::RecordBatch::try_new_with_options(
                Arc::clone(&schema),
                batch.columns().to_vec(),
                &arrow::array::RecordBatchOptions::new().with_row_count(Some(batch.num_rows())),
            );
            std::future::ready(renamed.map_err(Into::into))
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), rows)))
    }
}

/// The rows, made by a task of their own that ends with the stream.
fn ahead(mut rows: SendableRecordBatchStream) -> SendableRecordBatchStream {
    let mut receiver = RecordBatchReceiverStream::builder(rows.schema(), AHEAD);
    let sender = receiver.tx();
    receiver.spawn(async move {
        while let Some(batch) = rows.next().await {
            let is_error = batch.is_err();
            if sender.send(batch).await.is_err() || is_error {
                break;
            }
        }
        Ok(())
    });
    receiver.build()
}
