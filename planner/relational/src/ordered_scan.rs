//! `IndexScan`: rows of a table in the order of an index, for the plan above to take the first of.
//!
//! O1: where the index does not serve, or would be read too far, the stream ends with an error that [`gave_up`] knows: another plan is to answer.
//! O2: a comparison with NULL leaves no row.
//! Never: reads before it is polled; gives a row after it gave up.

use std::fmt;
use std::sync::Arc;

use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::coop::cooperative;
use datafusion::physical_plan::metrics::{BaselineMetrics, ExecutionPlanMetricsSet, MetricsSet};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties, ReplaceChildrenOptions};
use futures::stream;

use crate::index_step::IndexStep;
use crate::raised::external;
use crate::scan::{Bounds, Hints, Reading, condition, rising};
use crate::table::{InOrder, Order, OrderedRows};

/// The index does not answer (O1).
#[derive(Debug)]
struct GaveUp;

impl fmt::Display for GaveUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an index gave up")
    }
}

impl std::error::Error for GaveUp {}

/// Whether the error says that another plan is to answer (O1).
pub(crate) fn gave_up(error: &DataFusionError) -> bool {
    matches!(error.find_root(), DataFusionError::External(inner) if inner.is::<GaveUp>())
}

fn give_up() -> DataFusionError {
    DataFusionError::External(Box::new(GaveUp))
}

/// See the module.
#[derive(Debug)]
pub(crate) struct OrderedScanExec {
    reading: Reading,
    bounds: Bounds,
    /// Places of the bounds that the index is asked for.
    used: Vec<usize>,
    order: Order,
    columns: Vec<usize>,
    places: Vec<usize>,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl OrderedScanExec {
    /// Over the same rows as a scan within these bounds, of which the index is asked for those at `used`.
    pub(crate) fn new(reading: Reading, bounds: Bounds, used: Vec<usize>, order: Order) -> Self {
        let (columns, places) = rising(&reading);
        let properties = reading.properties(1);
        Self { reading, bounds, used, order, columns, places, properties, metrics: ExecutionPlanMetricsSet::new() }
    }

    /// The rows; `None` where no row is within the bounds (O2). Errors: those of [`gave_up`], and the table's.
    fn open(&self) -> Result<Option<OrderedRows>> {
        let hints = Hints::of(&self.bounds)?;
        if hints.has_failed {
            return Err(give_up());
        }
        if hints.has_null {
            return Ok(None);
        }
        if self.reading.askable(&hints)?.get(self.order.index) == Some(&false) {
            return Err(give_up());
        }
        let opened = self.reading.table()?.in_order(&self.columns, &hints.bounds, self.order).map_err(external)?;
        opened.map(Some).ok_or_else(give_up)
    }

    /// Whether the index serves now.
    pub(crate) fn is_served(&self) -> bool {
        self.open().is_ok()
    }

    /// The index, as EXPLAIN shows it.
    pub(crate) fn step(&self) -> IndexStep {
        let used = self.used.iter().filter_map(|at| self.bounds.get(*at));
        IndexStep {
            name: self.reading.indexes.get(self.order.index).map_or_else(String::new, |index| index.name.clone()),
            table: self.reading.name.clone(),
            is_only: false,
            backward: self.order.backward,
            condition: condition(&self.reading, used),
        }
    }
}

impl DisplayAs for OrderedScanExec {
    fn fmt_as(&self, _t: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}columns=[{}]", self.step(), self.reading.column_names())
    }
}

impl ExecutionPlan for OrderedScanExec {
    fn name(&self) -> &str {
        "IndexScan"
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
        let metrics = BaselineMetrics::new(&self.metrics, partition);
        let opened = self.open();
        let (reading, places) = (self.reading.clone(), self.places.clone());
        let mut rows = Some(opened);
        let mut current: Option<OrderedRows> = None;
        let batches = std::iter::from_fn(move || {
            let _timer = metrics.elapsed_compute().timer();
            match rows.take() {
                Some(Ok(opened)) => current = opened,
                Some(Err(error)) => return Some(Err(error)),
                None => {}
            }
            let next = current.as_mut()?.next()?;
            let batch = match next {
                Ok(InOrder::Rows(batch)) => batch,
                Ok(InOrder::GaveUp) => return Some(Err(give_up())),
                Err(error) => return Some(Err(external(error))),
            };
            metrics.record_output(batch.num_rows());
            let columns = places.iter().map(|place| Arc::clone(batch.column(*place))).collect();
            Some(reading.conform(columns, batch.num_rows()))
        });
        let stream = RecordBatchStreamAdapter::new(Arc::clone(&self.reading.schema), stream::iter(batches));
        Ok(Box::pin(cooperative(stream)))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }

    fn reset_state(self: Arc<Self>) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(Arc::new(Self {
            reading: self.reading.clone(),
            bounds: self.bounds.clone(),
            used: self.used.clone(),
            order: self.order,
            columns: self.columns.clone(),
            places: self.places.clone(),
            properties: Arc::clone(&self.properties),
            metrics: ExecutionPlanMetricsSet::new(),
        }))
    }
}
