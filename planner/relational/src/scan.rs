//! The leaves of a plan: `KeyLookup` for one row by primary key, `SegmentScan` for everything else.
//!
//! L1: batches have exactly the projected schema, whatever nullability or metadata the table's batches carried.
//! L2: a plan executed again (recursion) reads the same rows again.
//! L3: row counts are exact only for a scan without bounds and without limit.
//! Never: buffers; reads before it is polled.

use std::fmt;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::datatypes::SchemaRef;
use base::{SqlError, SqlResult};
use datafusion::common::stats::Precision;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DataFusionError, Result, Statistics};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::coop::cooperative;
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType, SchedulingType};
use datafusion::physical_plan::metrics::{BaselineMetrics, ExecutionPlanMetricsSet, MetricsSet};
use datafusion::physical_plan::statistics::StatisticsArgs;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties, ReplaceChildrenOptions};
use futures::stream;
use std::sync::Mutex;

use crate::table::{Bound, Comparison, Partition, Table};

/// What a leaf reads: some columns of a table.
#[derive(Clone, Debug)]
pub(crate) struct Reading {
    /// The table, as of its snapshot.
    pub(crate) table: Arc<dyn Table>,
    /// Its name as the statement wrote it.
    pub(crate) name: String,
    /// Positions in the table's schema, in output order.
    pub(crate) columns: Vec<usize>,
    /// The columns' fields, in output order.
    pub(crate) schema: SchemaRef,
}

impl Reading {
    /// L1.
    fn conform(&self, columns: Vec<ArrayRef>, rows: usize) -> Result<RecordBatch> {
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        Ok(RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)?)
    }

    fn properties(&self, partitions: usize) -> Arc<PlanProperties> {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(Arc::clone(&self.schema)),
            Partitioning::UnknownPartitioning(partitions),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        Arc::new(properties.with_scheduling_type(SchedulingType::Cooperative))
    }

    fn column_names(&self) -> String {
        self.schema.fields().iter().map(|field| field.name().as_str()).collect::<Vec<_>>().join(", ")
    }
}

fn external(error: SqlError) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}

/// One row by primary key, read when polled.
#[derive(Debug)]
pub(crate) struct KeyLookupExec {
    reading: Reading,
    key: Vec<ArrayRef>,
    shown: String,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl KeyLookupExec {
    /// `key` holds one-row arrays in key order; `shown` is how EXPLAIN prints them.
    pub(crate) fn new(reading: Reading, key: Vec<ArrayRef>, shown: String) -> Self {
        let properties = reading.properties(1);
        Self { reading, key, shown, properties, metrics: ExecutionPlanMetricsSet::new() }
    }
}

impl DisplayAs for KeyLookupExec {
    fn fmt_as(&self, _t: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyLookup: table={}, key=[{}], columns=[{}]", self.reading.name, self.shown, self.reading.column_names())
    }
}

impl ExecutionPlan for KeyLookupExec {
    fn name(&self) -> &str {
        "KeyLookup"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![]
    }

    fn apply_expressions(&self, _f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        _children: Vec<Arc<dyn ExecutionPlan>>,
        _options: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn with_new_children(self: Arc<Self>, _children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn execute(&self, partition: usize, _context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let (reading, key) = (self.reading.clone(), self.key.clone());
        let metrics = BaselineMetrics::new(&self.metrics, partition);
        let batches = stream::once(async move {
            let _timer = metrics.elapsed_compute().timer();
            let found = reading.table.lookup(&key).map_err(external)?;
            let rows: usize = found.iter().map(RecordBatch::num_rows).sum();
            assert!(rows <= 1, "V3: a primary key led to {rows} rows of {}", reading.name);
            metrics.record_output(rows);
            let batch = match found.into_iter().find(|batch| batch.num_rows() == 1) {
                Some(batch) => reading.conform(reading.columns.iter().map(|column| Arc::clone(batch.column(*column))).collect(), 1)?,
                None => RecordBatch::new_empty(Arc::clone(&reading.schema)),
            };
            Ok(batch)
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.reading.schema), batches)))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }

    fn statistics_from_inputs(&self, _inputs: &[Arc<Statistics>], _args: &StatisticsArgs) -> Result<Arc<Statistics>> {
        Ok(Arc::new(Statistics::new_unknown(&self.reading.schema).with_num_rows(Precision::Inexact(1))))
    }
}

/// All rows that may lie within some bounds, in several partitions.
pub(crate) struct SegmentScanExec {
    reading: Reading,
    /// The columns in the rising order the table wants them, and each output column's place among them.
    order: Vec<usize>,
    places: Vec<usize>,
    bounds: Vec<Bound>,
    limit: Option<usize>,
    asked: usize,
    partitions: Mutex<Vec<Option<Partition>>>,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl SegmentScanExec {
    /// Asks the table for at most `asked` partitions. Errors: the table's.
    pub(crate) fn new(reading: Reading, bounds: Vec<Bound>, limit: Option<usize>, asked: usize) -> SqlResult<Self> {
        let mut order = reading.columns.clone();
        order.sort_unstable();
        order.dedup();
        let places = reading.columns.iter().map(|column| order.partition_point(|known| known < column)).collect();
        let partitions = open(&reading, &order, &bounds, asked)?;
        let properties = reading.properties(partitions.len());
        let metrics = ExecutionPlanMetricsSet::new();
        Ok(Self { reading, order, places, bounds, limit, asked, partitions: Mutex::new(partitions), properties, metrics })
    }

    /// The partition, opened anew if it was read before (L2).
    fn take(&self, partition: usize) -> Result<Partition> {
        let mut partitions = self.partitions.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if partitions.get(partition).is_none_or(Option::is_none) {
            let count = partitions.len();
            *partitions = open(&self.reading, &self.order, &self.bounds, self.asked).map_err(external)?;
            assert_eq!(partitions.len(), count, "L2: a scan of {} split into another number of partitions", self.reading.name);
        }
        let taken = partitions.get_mut(partition).and_then(Option::take);
        taken.ok_or_else(|| DataFusionError::Internal(format!("scan of {} has no partition {partition}", self.reading.name)))
    }
}

fn open(reading: &Reading, order: &[usize], bounds: &[Bound], asked: usize) -> SqlResult<Vec<Option<Partition>>> {
    let mut partitions: Vec<_> = reading.table.scan(order, bounds, asked)?.into_iter().map(Some).collect();
    if partitions.is_empty() {
        partitions.push(Some(Box::new(std::iter::empty())));
    }
    Ok(partitions)
}

impl fmt::Debug for SegmentScanExec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SegmentScanExec")
            .field("reading", &self.reading)
            .field("bounds", &self.bounds)
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}

impl DisplayAs for SegmentScanExec {
    fn fmt_as(&self, _t: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let partitions = self.properties.partitioning.partition_count();
        write!(f, "SegmentScan: table={}, columns=[{}], partitions={partitions}", self.reading.name, self.reading.column_names())?;
        if !self.bounds.is_empty() {
            let schema = self.reading.table.schema();
            let shown = |bound: &Bound| {
                let value = datafusion::common::ScalarValue::try_from_array(&bound.value, 0)
                    .map_or_else(|_| "?".to_owned(), |value| value.to_string());
                format!("{} {} {value}", schema.field(bound.column).name(), symbol(bound.op))
            };
            write!(f, ", bounds=[{}]", self.bounds.iter().map(shown).collect::<Vec<_>>().join(", "))?;
        }
        match self.limit {
            Some(limit) => write!(f, ", limit={limit}"),
            None => Ok(()),
        }
    }
}

fn symbol(op: Comparison) -> &'static str {
    match op {
        Comparison::Eq => "=",
        Comparison::Lt => "<",
        Comparison::Le => "<=",
        Comparison::Gt => ">",
        Comparison::Ge => ">=",
    }
}

impl ExecutionPlan for SegmentScanExec {
    fn name(&self) -> &str {
        "SegmentScan"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![]
    }

    fn apply_expressions(&self, _f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        _children: Vec<Arc<dyn ExecutionPlan>>,
        _options: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn with_new_children(self: Arc<Self>, _children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn execute(&self, partition: usize, _context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let mut rows = self.take(partition)?;
        let (reading, places) = (self.reading.clone(), self.places.clone());
        let metrics = BaselineMetrics::new(&self.metrics, partition);
        let mut wanted = self.limit.unwrap_or(usize::MAX);
        let batches = std::iter::from_fn(move || {
            let _timer = metrics.elapsed_compute().timer();
            if wanted == 0 {
                return None;
            }
            let conformed = rows.next()?.map_err(external).and_then(|batch| {
                let count = batch.num_rows().min(wanted);
                let batch = if count < batch.num_rows() { batch.slice(0, count) } else { batch };
                let columns = places.iter().map(|place| Arc::clone(batch.column(*place))).collect();
                reading.conform(columns, count)
            });
            if let Ok(batch) = &conformed {
                wanted -= batch.num_rows();
                metrics.record_output(batch.num_rows());
            }
            Some(conformed)
        });
        let stream = RecordBatchStreamAdapter::new(Arc::clone(&self.reading.schema), stream::iter(batches));
        Ok(Box::pin(cooperative(stream)))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }

    fn statistics_from_inputs(&self, _inputs: &[Arc<Statistics>], args: &StatisticsArgs) -> Result<Arc<Statistics>> {
        let statistics = Statistics::new_unknown(&self.reading.schema);
        let Some(rows) = self.reading.table.row_count().filter(|_| args.partition().is_none()) else { return Ok(Arc::new(statistics)) };
        // L3.
        let rows = if self.bounds.is_empty() && self.limit.is_none() { Precision::Exact(rows) } else { Precision::Inexact(rows) };
        Ok(Arc::new(statistics.with_num_rows(rows)))
    }
}
