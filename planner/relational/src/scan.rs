//! The leaves of a plan: `KeyLookup` for one row by primary key, `SegmentScan` for everything else, by an index where the table finds one of use.
//!
//! L1: batches have exactly the projected schema, whatever nullability or metadata the table's batches carried.
//! L2: a leaf reads the table that its plan's slot holds when it is executed; executed again in one run (recursion) it reads the same rows.
//! L3: row counts are exact only for a scan without bounds and limit in a plan that runs once: one that is kept may be run again when they are others, and
//!     with values of which an index finds more.
//! L4: a NULL parameter equals no key.
//! Never: buffers; reads before it is polled.

use std::fmt;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::datatypes::SchemaRef;
use datafusion::common::stats::Precision;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DataFusionError, Result, ScalarValue, Statistics};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::coop::cooperative;
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType, SchedulingType};
use datafusion::physical_plan::metrics::{BaselineMetrics, ExecutionPlanMetricsSet, MetricsSet};
use datafusion::physical_plan::statistics::StatisticsArgs;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties, ReplaceChildrenOptions};
use futures::stream;
use std::sync::{Mutex, PoisonError};

use crate::computed::{self, Part};
use crate::index_step::IndexStep;
use crate::operand::{Hint, Operand};
use crate::raised::external;
use crate::slot::Slot;
use crate::table::{Bound, Comparison, Indexed, Partition, Table, TableIndex};

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
    /// The table's indexes.
    pub(crate) indexes: Arc<[TableIndex]>,
    /// By index, what has to be implied for it to be asked; empty where all can be.
    pub(crate) conditions: Arc<[Option<Vec<Part>>]>,
    /// What indexes are about beside columns, by place after the table's columns.
    pub(crate) expressions: Arc<[Computed]>,
}

/// An expression that indexes of a table are about.
#[derive(Clone, Debug)]
pub(crate) struct Computed {
    pub(crate) shown: String,
    /// Over the table's columns at their places; `None` where the statement cannot mention it.
    pub(crate) physical: Option<Arc<dyn PhysicalExpr>>,
}

impl Reading {
    pub(crate) fn table(&self) -> Result<Arc<dyn Table>> {
        self.slot.table(self.number)
    }

    /// Name of a column, or the text of an expression, by place.
    pub(crate) fn name_at(&self, place: usize) -> &str {
        match place.checked_sub(self.whole.fields().len()) {
            Some(at) => self.expressions.get(at).map_or("", |expression| expression.shown.as_str()),
            None => self.whole.field(place).name(),
        }
    }

    /// Which indexes a run may ask, by place; empty where all.
    pub(crate) fn askable(&self, hints: &Hints) -> Result<Vec<bool>> {
        computed::askable(&self.conditions, &hints.bounds)
    }

    /// L1.
    pub(crate) fn conform(&self, columns: Vec<ArrayRef>, rows: usize) -> Result<RecordBatch> {
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        Ok(RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)?)
    }

    pub(crate) fn properties(&self, partitions: usize) -> Arc<PlanProperties> {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(Arc::clone(&self.schema)),
            Partitioning::UnknownPartitioning(partitions),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        Arc::new(properties.with_scheduling_type(SchedulingType::Cooperative))
    }

    pub(crate) fn column_names(&self) -> String {
        self.schema.fields().iter().map(|field| field.name().as_str()).collect::<Vec<_>>().join(", ")
    }
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

    /// What it reads.
    pub(crate) fn reading(&self) -> &Reading {
        &self.reading
    }

    /// For each column of the key, what all it must equal.
    pub(crate) fn key(&self) -> &Arc<Vec<Vec<Operand>>> {
        &self.key
    }
}

/// The key's values as one-row arrays; `None` if no row can have them (L4).
pub(crate) fn key_values(key: &[Vec<Operand>]) -> Result<Option<Vec<ArrayRef>>> {
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

/// `column op value` of a scan, each column by its position in the table's schema.
pub(crate) type Bounds = Vec<(usize, Comparison, Operand)>;

/// The columns of a reading in the rising order the table wants them, and each output column's place among them.
pub(crate) fn rising(reading: &Reading) -> (Vec<usize>, Vec<usize>) {
    let mut order = reading.columns.clone();
    order.sort_unstable();
    order.dedup();
    let places = reading.columns.iter().map(|column| order.partition_point(|known| known < column)).collect();
    (order, places)
}

/// Partitions of a scan, each until it is taken.
#[derive(Default)]
struct Opened {
    partitions: Vec<Option<Partition>>,
    by_index: Option<ByIndex>,
}

/// The index that found the rows of a scan.
struct ByIndex {
    name: String,
    is_only: bool,
    /// Places of the bounds that it was asked for.
    used: Vec<usize>,
    /// Rows that it found.
    count: usize,
}

/// All rows that may lie within some bounds, in several partitions.
pub(crate) struct SegmentScanExec {
    reading: Reading,
    order: Vec<usize>,
    places: Vec<usize>,
    bounds: Bounds,
    limit: Option<usize>,
    /// How many partitions the plan counts on.
    count: usize,
    opened: Mutex<Opened>,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl SegmentScanExec {
    /// Asks the slot's table for at most `asked` partitions. Errors: the table's.
    pub(crate) fn new(reading: Reading, bounds: Bounds, limit: Option<usize>, asked: usize) -> Result<Self> {
        let (order, places) = rising(&reading);
        let opened = open(&reading, &order, &bounds, asked)?;
        let count = opened.partitions.len();
        let properties = reading.properties(count);
        let metrics = ExecutionPlanMetricsSet::new();
        Ok(Self { reading, order, places, bounds, limit, count, opened: Mutex::new(opened), properties, metrics })
    }

    /// What it reads, and within which bounds; `None` where it may not read all of it.
    pub(crate) fn whole(&self) -> Option<(&Reading, &Bounds)> {
        self.limit.is_none().then_some((&self.reading, &self.bounds))
    }

    /// The partition, opened anew if it was read before (L2).
    fn take(&self, partition: usize) -> Result<Partition> {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if opened.partitions.get(partition).is_none_or(Option::is_none) {
            *opened = open(&self.reading, &self.order, &self.bounds, self.count)?;
            assert!(opened.partitions.len() <= self.count, "L2: a scan of {} split into more partitions than asked", self.reading.name);
            opened.partitions.resize_with(self.count, || Some(Box::new(std::iter::empty())));
        }
        let taken = opened.partitions.get_mut(partition).and_then(Option::take);
        taken.ok_or_else(|| DataFusionError::Internal(format!("scan of {} has no partition {partition}", self.reading.name)))
    }

    /// The index that it reads by, as EXPLAIN shows it.
    pub(crate) fn by_index(&self) -> Option<IndexStep> {
        let opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        let ByIndex { name, is_only, used, .. } = opened.by_index.as_ref()?;
        let condition = condition(&self.reading, used.iter().filter_map(|at| self.bounds.get(*at)));
        Some(IndexStep { name: name.clone(), table: self.reading.name.clone(), is_only: *is_only, backward: false, condition })
    }
}

/// The bounds of a scan in one run.
pub(crate) struct Hints {
    /// Those with a value.
    pub(crate) bounds: Vec<Bound>,
    /// Their places.
    pub(crate) places: Vec<usize>,
    /// One compares with NULL or with no value at all, which the filter above lets nothing through of.
    pub(crate) has_null: bool,
    /// One could not be computed: the filter above has to meet the rows to say so.
    pub(crate) has_failed: bool,
}

impl Hints {
    pub(crate) fn of(bounds: &Bounds) -> Result<Self> {
        let (known, places) = (Vec::with_capacity(bounds.len()), Vec::with_capacity(bounds.len()));
        let mut hints = Self { bounds: known, places, has_null: false, has_failed: false };
        for (place, (column, op, operand)) in bounds.iter().enumerate() {
            match operand.hint()? {
                Hint::Is(value, _) if is_none(*op, &value) => hints.has_null = true,
                Hint::Is(value, then) => {
                    let then = then.into_iter().map(|(column, value)| Ok((column, value.to_array_of_size(1)?))).collect::<Result<_>>()?;
                    hints.bounds.push(Bound { column: *column, op: *op, value: value.to_array_of_size(1)?, then });
                    hints.places.push(place);
                }
                Hint::Silent => {}
                Hint::Failed => hints.has_failed = true,
            }
        }
        Ok(hints)
    }
}

/// Whether nothing compares so with the value.
fn is_none(op: Comparison, value: &ScalarValue) -> bool {
    match value {
        value if value.is_null() => op != Comparison::Null,
        ScalarValue::List(lists) => op == Comparison::In && lists.value_length(0) == 0,
        _ => false,
    }
}

fn open(reading: &Reading, order: &[usize], bounds: &Bounds, asked: usize) -> Result<Opened> {
    let hints = Hints::of(bounds)?;
    let table = reading.table()?;
    let askable = reading.askable(&hints)?;
    let Hints { bounds, places, has_failed, has_null } = hints;
    if !reading.indexes.is_empty()
        && !has_failed
        && let Some(indexed) = table.by_index(order, &bounds, &askable).map_err(external)?
    {
        let Indexed { name, bounds, is_only, count, rows } = indexed;
        let used = bounds.iter().filter_map(|at| places.get(*at).copied()).collect();
        return Ok(Opened { partitions: vec![Some(rows)], by_index: Some(ByIndex { name, is_only, used, count }) });
    }
    let partitions = table.scan(order, &bounds, asked).map_err(external)?;
    let nothing = |_| -> Partition { Box::new(std::iter::empty()) };
    let is_empty = has_null && !has_failed;
    let mut partitions: Vec<_> = partitions.into_iter().map(|rows| Some(if is_empty { nothing(rows) } else { rows })).collect();
    if partitions.is_empty() {
        partitions.push(Some(Box::new(std::iter::empty())));
    }
    Ok(Opened { partitions, by_index: None })
}

/// Bounds as PostgreSQL shows an index's condition; empty where there are none.
pub(crate) fn condition<'b>(reading: &Reading, bounds: impl Iterator<Item = &'b (usize, Comparison, Operand)>) -> String {
    let shown = |bound: &(usize, Comparison, Operand)| format!("({})", shown(reading, bound));
    let all: Vec<String> = bounds.map(shown).collect();
    if all.len() > 1 { format!("({})", all.join(" AND ")) } else { all.concat() }
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
        if let Some(index) = self.by_index() {
            return write!(f, "{index}columns=[{}]", self.reading.column_names());
        }
        let partitions = self.properties.partitioning.partition_count();
        write!(f, "SegmentScan: table={}, columns=[{}], partitions={partitions}", self.reading.name, self.reading.column_names())?;
        if !self.bounds.is_empty() {
            let shown = |bound: &(usize, Comparison, Operand)| shown(&self.reading, bound);
            write!(f, ", bounds=[{}]", self.bounds.iter().map(shown).collect::<Vec<_>>().join(", "))?;
        }
        match self.limit {
            Some(limit) => write!(f, ", limit={limit}"),
            None => Ok(()),
        }
    }
}

/// A bound as PostgreSQL shows it.
fn shown(reading: &Reading, (column, op, operand): &(usize, Comparison, Operand)) -> String {
    let name = reading.name_at(*column);
    match operand {
        Operand::Elements { .. } => format!("{name} = {operand}"),
        Operand::Row { then, .. } => {
            let names: Vec<&str> = then.iter().map(|(column, _)| reading.name_at(*column)).collect();
            format!("ROW({name}, {}) {} {operand}", names.join(", "), symbol(*op))
        }
        _ => format!("{name} {} {operand}", symbol(*op)),
    }
}

fn symbol(op: Comparison) -> &'static str {
    match op {
        Comparison::Eq => "=",
        Comparison::Lt => "<",
        Comparison::Le => "<=",
        Comparison::Gt => ">",
        Comparison::Ge => ">=",
        Comparison::Null => "IS",
        Comparison::In => "IN",
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
            opened: Mutex::default(),
            properties: Arc::clone(&self.properties),
            metrics: ExecutionPlanMetricsSet::new(),
        }))
    }

    fn statistics_from_inputs(&self, _inputs: &[Arc<Statistics>], args: &StatisticsArgs) -> Result<Arc<Statistics>> {
        let statistics = Statistics::new_unknown(&self.reading.schema);
        let rows = if args.partition().is_none() { self.reading.table().ok().and_then(|table| table.row_count()) } else { None };
        let Some(rows) = rows else { return Ok(Arc::new(statistics)) };
        // L3.
        let found = self.opened.lock().unwrap_or_else(PoisonError::into_inner).by_index.as_ref().map(|by_index| by_index.count);
        let rows = found.filter(|_| self.reading.slot.is_single()).unwrap_or(rows);
        let is_exact = self.reading.slot.is_single() && self.bounds.is_empty() && self.limit.is_none();
        let rows = if is_exact { Precision::Exact(rows) } else { Precision::Inexact(rows) };
        Ok(Arc::new(statistics.with_num_rows(rows)))
    }
}
