//! `TopByIndex`: few rows by way of an index, or by the plan that it took the place of where the index gives up.
//!
//! E1: no row leaves before the index has given all that are wanted; so the rows of the two plans never mix.
//! Never: holds more than the rows wanted.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use datafusion::common::Result;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::execution_plan::ChildrenPropertiesMode;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties, ReplaceChildrenOptions};
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt, stream};

use crate::ordered_scan::{OrderedScanExec, gave_up};

/// See the module.
#[derive(Debug)]
pub(crate) struct TopByIndexExec {
    /// What answers where the index does not.
    otherwise: Arc<dyn ExecutionPlan>,
    ordered: Arc<dyn ExecutionPlan>,
    has_given_up: Arc<AtomicBool>,
}

impl TopByIndexExec {
    pub(crate) fn new(otherwise: Arc<dyn ExecutionPlan>, ordered: Arc<dyn ExecutionPlan>) -> Self {
        Self { otherwise, ordered, has_given_up: Arc::default() }
    }

    /// The plan that answers, or did.
    pub(crate) fn chosen(&self) -> &Arc<dyn ExecutionPlan> {
        let is_given_up = self.has_given_up.load(Ordering::Relaxed) || !is_served(&self.ordered);
        if is_given_up { &self.otherwise } else { &self.ordered }
    }
}

fn is_served(plan: &Arc<dyn ExecutionPlan>) -> bool {
    match plan.downcast_ref::<OrderedScanExec>() {
        Some(scan) => scan.is_served(),
        None => plan.children().into_iter().all(is_served),
    }
}

impl DisplayAs for TopByIndexExec {
    fn fmt_as(&self, _t: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TopByIndex")
    }
}

impl ExecutionPlan for TopByIndexExec {
    fn name(&self) -> &str {
        "TopByIndex"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.otherwise.properties()
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.otherwise, &self.ordered]
    }

    fn apply_expressions(&self, _f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn ExecutionPlan>>,
        _options: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        match (children.pop(), children.pop(), children.is_empty()) {
            (Some(ordered), Some(otherwise), true) => Ok(Arc::new(Self::new(otherwise, ordered))),
            _ => datafusion::common::internal_err!("a plan by an index has two children"),
        }
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        self.replace_children(children, ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let (otherwise, flag) = (Arc::clone(&self.otherwise), Arc::clone(&self.has_given_up));
        let mut rows = self.ordered.execute(partition, Arc::clone(&context))?;
        let answer = stream::once(async move {
            let mut batches = Vec::new();
            while let Some(batch) = rows.next().await {
                match batch {
                    Ok(batch) => batches.push(Ok(batch)),
                    Err(error) if gave_up(&error) => {
                        flag.store(true, Ordering::Relaxed);
                        let otherwise = otherwise.execute(partition, context)?;
                        return Ok::<BoxStream<'static, _>, _>(otherwise.boxed());
                    }
                    Err(error) => return Err(error),
                }
            }
            Ok(stream::iter(batches).boxed())
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), answer.try_flatten())))
    }
}
