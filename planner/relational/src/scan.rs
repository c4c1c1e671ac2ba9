//! The leaves of a plan: `KeyLookup` for one row by primary key, `SegmentScan` for everything else.
//!
//! L1: batches have exactly the projected schema, whatever nullability or metadata the table's batches carried.
//! L2: a leaf reads the table that its plan's slot holds when it is executed; executed again in one run (recursion) it reads the same rows.
//! L3: row counts are exact only for a scan without bounds and limit in a plan that runs once: one that is kept may be run again when they are others.
//! L4: a NULL parameter equals no key.
//! Never: buffers; reads before it is polled.

use std::fmt;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::datatypes::SchemaRef;
use base::SqlError;
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

use crate::operand::Operand;
use crate::slot::Slot;
use crate::table::{Bound, Comparison, Partition, Table};

/// What a leaf reads: some columns of a table.
#[derive(Clone, Debug)]
pub(crate) struct Reading {
    /// Where a run puts the table, as of its snapshot.
    pub(crate) slot: Arc<Slot>,
    /// The table's place there.
    pub(crate) number: usize,
    /// The table's whole schema.
    pub(crate) whole: SchemaRef,
    /// Its name as the statement wrote it.
    pub(crate) name: String,
    /// Positions in the table's schema, in output order.
    pub(crate) columns: Vec<usize>,
    /// The columns' fields, in output order.
    pub(crate) schema: SchemaRef,
}

impl Reading {
    fn table(&self) -> Result<Arc<dyn Table>> {
        self.slot.table(self.number)
    }

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
    /// For each column of the key, what all it must equal.
    key: Arc<Vec<Vec<Operand>>>,
    shown: String,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl KeyLookupExec {
    /// `key` gives name and operands of each column, in key order.
    pub(crate) fn new<'a>(reading: Reading, key: impl Iterator<Item = (&'a str, Vec<Operand>)>) -> Self {
        let properties = reading.properties(1);
        let (mut shown, mut operands) = (Vec::new(), Vec::new());
        for (name, values) in key {
            shown.extend(values.first().map(|value| format!("{name}={value}")));
            operands.push(values);
        }
        let (key, shown) = (Arc::new(operands), shown.join(", "));
        Self { reading, key, shown, properties, metrics: ExecutionPlanMetricsSet::new() }
    }
}

/// The key's values as one-row arrays; `None` if no row can have them (L4).
fn key_values(key: &[Vec<Operand>]) -> Result<Option<Vec<ArrayRef>>> {
    let mut arrays = Vec::with_capacity(key.len());
    for operands in key {
        let mut values = operands.iter().map(Operand::value);
        let Some(value) = values.next().transpose()?.filter(|value| !value.is_null()) else { return Ok(None) };
        for other in values {
            if other? != value {
                return Ok(None);
            }
        }
        arrays.push(value.to_array_of_size(1)?);
    }
    Ok(Some(arrays))
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
        let (reading, key) = (self.reading.clone(), Arc::clone(&self.key));
        let metrics = BaselineMetrics::new(&self.metrics, partition);
        let batches = stream::once(async move {
            let _timer = metrics.elapsed_compute().timer();
            let found = match key_values(&key)? {
                Some(key) => reading.table()?.lookup(&key).map_err(external)?,
                None => Vec::new(),
            };
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

    fn reset_state(self: Arc<Self>) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(Arc::new(Self {
            reading: self.reading.clone(),
            key: Arc::clone(&self.key),
            shown: self.shown.clone(),
            properties: Arc::clone(&self.properties),
            metrics: ExecutionPlanMetricsSet::new(),
        }))
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
    bounds: Vec<(usize, Comparison, Operand)>,
    limit: Option<usize>,
    /// How many partitions the plan counts on.
    count: usize,
    partitions: Mutex<Vec<Option<Partition>>>,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl SegmentScanExec {
    /// Asks the slot's table for at most `asked` partitions. Errors: the table's.
    pub(crate) fn new(reading: Reading, bounds: Vec<(usize, Comparison, Operand)>, limit: Option<usize>, asked: usize) -> Result<Self> {
        let mut order = reading.columns.clone();
        order.sort_unstable();
        order.dedup();
        let places = reading.columns.iter().map(|column| order.partition_point(|known| known < column)).collect();
        let partitions = open(&reading, &order, &bounds, asked)?;
        let properties = reading.properties(partitions.len());
        let metrics = ExecutionPlanMetricsSet::new();
        Ok(Self { reading, order, places, bounds, limit, count: partitions.len(), partitions: Mutex::new(partitions), properties, metrics })
    }

    /// The partition, opened anew if it was read before (L2).
    fn take(&self, partition: usize) -> Result<Partition> {
        let mut partitions = self.partitions.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if partitions.get(partition).is_none_or(Option::is_none) {
            *partitions = open(&self.reading, &self.order, &self.bounds, self.count)?;
            assert!(partitions.len() <= self.count, "L2: a scan of {} split into more partitions than asked", self.reading.name);
            partitions.resize_with(self.count, || Some(Box::new(std::iter::empty())));
        }
        let taken = partitions.get_mut(partition).and_then(Option::take);
        taken.ok_or_else(|| DataFusionError::Internal(format!("scan of {} has no partition {partition}", self.reading.name)))
    }
}

fn open(reading: &Reading, order: &[usize], bounds: &[(usize, Comparison, Operand)], asked: usize) -> Result<Vec<Option<Partition>>> {
    let mut hints = Vec::with_capacity(bounds.len());
    for (column, op, operand) in bounds {
        let value = operand.value()?;
        // A comparison with NULL is left to the filter above.
        if !value.is_null() {
            hints.push(Bound { column: *column, op: *op, value: value.to_array_of_size(1)? });
        }
    }
    let partitions = reading.table()?.scan(order, &hints, asked).map_err(external)?;
    let mut partitions: Vec<_> = partitions.into_iter().map(Some).collect();
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
            let shown = |(column, op, operand): &(usize, Comparison, Operand)| {
                format!("{} {} {operand}", self.reading.whole.field(*column).name(), symbol(*op))
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

    /// A run that ended leaves no partition open.
    fn reset_state(self: Arc<Self>) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(Arc::new(Self {
            reading: self.reading.clone(),
            order: self.order.clone(),
            places: self.places.clone(),
            bounds: self.bounds.clone(),
            limit: self.limit,
            count: self.count,
            partitions: Mutex::default(),
            properties: Arc::clone(&self.properties),
            metrics: ExecutionPlanMetricsSet::new(),
        }))
    }

    fn statistics_from_inputs(&self, _inputs: &[Arc<Statistics>], args: &StatisticsArgs) -> Result<Arc<Statistics>> {
        let statistics = Statistics::new_unknown(&self.reading.schema);
        let rows = if args.partition().is_none() { self.reading.table().ok().and_then(|table| table.row_count()) } else { None };
        let Some(rows) = rows else { return Ok(Arc::new(statistics)) };
        // L3.
        let is_exact = self.reading.slot.is_single() && self.bounds.is_empty() && self.limit.is_none();
        let rows = if is_exact { Precision::Exact(rows) } else { Precision::Inexact(rows) };
        Ok(Arc::new(statistics.with_num_rows(rows)))
    }
}
