//! The operator of a dependent join.
//!
//! J1: rows come in the order of the left, and for each in the order of the subplan.
//! Never: holds more than a batch of its answer and what the memo remembers.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, UInt32Array, new_null_array};
use arrow::compute::{concat_batches, filter_record_batch, take};
use arrow::datatypes::SchemaRef;
use datafusion::common::cast::as_boolean_array;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{JoinType, Result, ScalarValue, internal_err};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{Distribution, EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::metrics::{BaselineMetrics, ExecutionPlanMetricsSet, MetricsSet};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties, ReplaceChildrenOptions};
use futures::{StreamExt, stream};

use super::inner::Inner;
use crate::outer_values::Memo;

#[derive(Debug)]
pub(crate) struct DependentExec {
    left: Arc<dyn ExecutionPlan>,
    args: Vec<Arc<dyn PhysicalExpr>>,
    inner: Arc<Inner>,
    join: JoinType,
    is_conditional: bool,
    schema: SchemaRef,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl DependentExec {
    pub(crate) fn new(
        left: Arc<dyn ExecutionPlan>,
        args: Vec<Arc<dyn PhysicalExpr>>,
        inner: Arc<Inner>,
        join: JoinType,
        is_conditional: bool,
        schema: SchemaRef,
    ) -> Self {
        let properties = Arc::new(PlanProperties::new(
            EquivalenceProperties::new(Arc::clone(&schema)),
            Partitioning::UnknownPartitioning(1),
            EmissionType::Incremental,
            Boundedness::Bounded,
        ));
        Self { left, args, inner, join, is_conditional, schema, properties, metrics: ExecutionPlanMetricsSet::new() }
    }

    fn over_children(&self, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        match <[Arc<dyn ExecutionPlan>; 1]>::try_from(children) {
            Ok([left]) => Ok(Arc::new(self.over(left))),
            Err(_) => internal_err!("a dependent join has one input"),
        }
    }

    fn over(&self, left: Arc<dyn ExecutionPlan>) -> Self {
        Self::new(left, self.args.clone(), Arc::clone(&self.inner), self.join, self.is_conditional, Arc::clone(&self.schema))
    }
}

impl DisplayAs for DependentExec {
    fn fmt_as(&self, _t: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let args = self.args.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        write!(f, "DependentJoin: type={:?}, outer=[{args}]", self.join)
    }
}

impl ExecutionPlan for DependentExec {
    fn name(&self) -> &str {
        "DependentJoin"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn required_input_distribution(&self) -> Vec<Distribution> {
        vec![Distribution::SinglePartition]
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.left]
    }

    fn apply_expressions(&self, f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>) -> Result<TreeNodeRecursion> {
        for arg in &self.args {
            if f(arg)? == TreeNodeRecursion::Stop {
                return Ok(TreeNodeRecursion::Stop);
            }
        }
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
        _options: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        self.over_children(children)
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        self.over_children(children)
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let going = Going {
            left: self.left.execute(partition, Arc::clone(&context))?,
            args: self.args.clone(),
            inner: Arc::clone(&self.inner),
            keeps_left: self.join == JoinType::Left,
            is_conditional: self.is_conditional,
            schema: Arc::clone(&self.schema),
            batch_rows: context.session_config().batch_size(),
            outer: None,
            running: None,
            ready: VecDeque::new(),
            ready_rows: 0,
            metrics: BaselineMetrics::new(&self.metrics, partition),
        };
        let batches = stream::try_unfold(going, |mut going| async move { Ok(going.next().await?.map(|batch| (batch, going))) });
        Ok(Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), batches)))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }

    fn reset_state(self: Arc<Self>) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(Arc::new(self.over(Arc::clone(&self.left))))
    }
}

/// A batch of the left and the row that is being answered.
struct Outer {
    batch: RecordBatch,
    args: Vec<ArrayRef>,
    row: usize,
}

/// An evaluation for the outer row.
struct Evaluation {
    stream: SendableRecordBatchStream,
    key: Vec<ScalarValue>,
    has_row: bool,
    /// To be remembered, unless it grows too large.
    seen: Option<(Vec<RecordBatch>, usize)>,
}

struct Going {
    left: SendableRecordBatchStream,
    args: Vec<Arc<dyn PhysicalExpr>>,
    inner: Arc<Inner>,
    keeps_left: bool,
    is_conditional: bool,
    schema: SchemaRef,
    batch_rows: usize,
    outer: Option<Outer>,
    running: Option<Evaluation>,
    ready: VecDeque<RecordBatch>,
    ready_rows: usize,
    metrics: BaselineMetrics,
}

impl Going {
    async fn next(&mut self) -> Result<Option<RecordBatch>> {
        while self.ready_rows < self.batch_rows {
            if self.running.is_some() {
                self.advance().await?;
            } else if self.outer.as_ref().is_some_and(|outer| outer.row < outer.batch.num_rows()) {
                self.begin()?;
            } else {
                let Some(batch) = self.left.next().await.transpose()? else { break };
                let rows = batch.num_rows();
                let args = self.args.iter().map(|arg| arg.evaluate(&batch)?.into_array(rows)).collect::<Result<Vec<_>>>()?;
                self.outer = Some(Outer { batch, args, row: 0 });
            }
        }
        if self.ready_rows == 0 {
            return Ok(None);
        }
        let batches = std::mem::take(&mut self.ready);
        self.ready_rows = 0;
        let batch = concat_batches(&self.schema, batches.iter())?;
        self.metrics.record_output(batch.num_rows());
        Ok(Some(batch))
    }

    /// Answers the outer row from the memo, or starts its evaluation.
    fn begin(&mut self) -> Result<()> {
        let Some(outer) = &self.outer else { return Ok(()) };
        let key = outer.args.iter().map(|arg| ScalarValue::try_from_array(arg, outer.row)).collect::<Result<Vec<_>>>()?;
        if let Some(answer) = self.inner.memo.as_ref().and_then(|memo| memo.get(&key)) {
            let mut has_row = false;
            for rows in &answer {
                has_row |= self.add(rows)?;
            }
            return self.finish(has_row);
        }
        let stream = self.inner.start(&key)?;
        let seen = self.inner.memo.is_some().then(|| (Vec::new(), 0));
        self.running = Some(Evaluation { stream, key, has_row: false, seen });
        Ok(())
    }

    /// Takes the evaluation's next batch.
    async fn advance(&mut self) -> Result<()> {
        let Some(running) = &mut self.running else { return Ok(()) };
        match running.stream.next().await.transpose()? {
            Some(rows) => {
                if let Some((seen, bytes)) = &mut running.seen {
                    *bytes += rows.get_array_memory_size();
                    seen.push(rows.clone());
                    if !Memo::takes(*bytes) {
                        running.seen = None;
                    }
                }
                let counts = self.add(&rows)?;
                if let Some(running) = &mut self.running {
                    running.has_row |= counts;
                }
                Ok(())
            }
            None => {
                let Some(Evaluation { stream, key, has_row, seen }) = self.running.take() else { return Ok(()) };
                drop(stream);
                self.inner.end()?;
                if let (Some(memo), Some((seen, _))) = (&self.inner.memo, seen) {
                    memo.put(key, seen);
                }
                self.finish(has_row)
            }
        }
    }

    /// Goes on to the next outer row.
    fn finish(&mut self, has_row: bool) -> Result<()> {
        if self.keeps_left && !has_row {
            self.push(1, |field| new_null_array(field, 1))?;
        }
        if let Some(outer) = &mut self.outer {
            outer.row += 1;
        }
        Ok(())
    }

    /// The outer row beside these, of which it says whether there is one.
    fn add(&mut self, rows: &RecordBatch) -> Result<bool> {
        let counting = match rows.columns().last() {
            Some(holds) if self.is_conditional => Some(filter_record_batch(rows, as_boolean_array(holds)?)?),
            _ => None,
        };
        let rows = counting.as_ref().unwrap_or(rows);
        if rows.num_rows() == 0 {
            return Ok(false);
        }
        let mut columns = rows.columns().iter();
        self.push(rows.num_rows(), |data_type| columns.next().map_or_else(|| new_null_array(data_type, rows.num_rows()), Arc::clone))?;
        Ok(true)
    }

    fn push(&mut self, rows: usize, mut right: impl FnMut(&arrow::datatypes::DataType) -> ArrayRef) -> Result<()> {
        let Some(outer) = &self.outer else { return Ok(()) };
        let Ok(row) = u32::try_from(outer.row) else { return internal_err!("J1: a batch is too long") };
        let repeated = UInt32Array::from(vec![row; rows]);
        let mut columns = Vec::with_capacity(self.schema.fields().len());
        for (place, field) in self.schema.fields().iter().enumerate() {
            columns.push(match outer.batch.columns().get(place) {
                Some(column) => take(column, &repeated, None)?,
                None => right(field.data_type()),
            });
        }
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        self.ready.push_back(RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)?);
        self.ready_rows += rows;
        Ok(())
    }
}
