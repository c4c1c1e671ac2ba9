//! The operator of functions in FROM.
//!
//! X1: a batch has at most the session's rows; series are computed as they are read.

use std::fmt;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int64Array, RecordBatch, RecordBatchOptions, new_empty_array, new_null_array};
use arrow::compute::concat;
use arrow::datatypes::{DataType, Schema, SchemaRef};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::coop::cooperative;
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType, SchedulingType};
use datafusion::physical_plan::metrics::{BaselineMetrics, ExecutionPlanMetricsSet, MetricsSet};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties, ReplaceChildrenOptions};
use futures::stream;

use super::Source;
use crate::functions::series::Series;

/// A column and the expressions of its arguments.
#[derive(Clone, Debug)]
pub(crate) struct Computed {
    pub(crate) source: Source,
    pub(crate) args: Vec<Arc<dyn PhysicalExpr>>,
}

#[derive(Debug)]
pub(crate) struct SetScanExec {
    columns: Vec<Computed>,
    is_numbered: bool,
    schema: SchemaRef,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl SetScanExec {
    pub(crate) fn new(columns: Vec<Computed>, is_numbered: bool, schema: SchemaRef) -> Self {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(Arc::clone(&schema)),
            Partitioning::UnknownPartitioning(1),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        let properties = Arc::new(properties.with_scheduling_type(SchedulingType::Cooperative));
        Self { columns, is_numbered, schema, properties, metrics: ExecutionPlanMetricsSet::new() }
    }
}

impl DisplayAs for SetScanExec {
    fn fmt_as(&self, _t: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.schema.fields().iter().map(|field| field.name().as_str()).collect::<Vec<_>>().join(", ");
        write!(f, "FunctionScan: columns=[{names}]")
    }
}

impl ExecutionPlan for SetScanExec {
    fn name(&self) -> &str {
        "FunctionScan"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![]
    }

    fn apply_expressions(&self, f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>) -> Result<TreeNodeRecursion> {
        for arg in self.columns.iter().flat_map(|column| &column.args) {
            if f(arg)? == TreeNodeRecursion::Stop {
                return Ok(TreeNodeRecursion::Stop);
            }
        }
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

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let (columns, schema, is_numbered) = (self.columns.clone(), Arc::clone(&self.schema), self.is_numbered);
        let limit = context.session_config().batch_size();
        let metrics = BaselineMetrics::new(&self.metrics, partition);
        let mut running: Option<Vec<Values>> = None;
        let mut numbered: i64 = 0;
        let batches = std::iter::from_fn(move || {
            let mut next = || -> Result<Option<RecordBatch>> {
                let values = match &mut running {
                    Some(values) => values,
                    None => running.insert(columns.iter().map(Values::begin).collect::<Result<_>>()?),
                };
                let taken = values.iter_mut().map(|values| values.take(limit)).collect::<Result<Vec<_>>>()?;
                let rows = taken.iter().map(|array| array.len()).max().unwrap_or(0);
                if rows == 0 {
                    return Ok(None);
                }
                let mut arrays = taken.into_iter().map(|array| padded(array, rows)).collect::<Result<Vec<_>>>()?;
                if is_numbered {
                    let until = numbered + i64::try_from(rows).unwrap_or(i64::MAX);
                    arrays.push(Arc::new(Int64Array::from_iter_values(numbered + 1..=until)));
                    numbered = until;
                }
                metrics.record_output(rows);
                let options = RecordBatchOptions::new().with_row_count(Some(rows));
                Ok(Some(RecordBatch::try_new_with_options(Arc::clone(&schema), arrays, &options)?))
            };
            next().transpose()
        });
        let stream = RecordBatchStreamAdapter::new(Arc::clone(&self.schema), stream::iter(batches));
        Ok(Box::pin(cooperative(stream)))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }

    fn reset_state(self: Arc<Self>) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(Arc::new(Self::new(self.columns.clone(), self.is_numbered, Arc::clone(&self.schema))))
    }
}

/// F1.
fn padded(array: ArrayRef, rows: usize) -> Result<ArrayRef> {
    if array.len() == rows {
        return Ok(array);
    }
    let rest = new_null_array(array.data_type(), rows - array.len());
    Ok(concat(&[array.as_ref(), rest.as_ref()])?)
}

/// A column's values under way.
enum Values {
    Array { array: ArrayRef, at: usize },
    Series(Series),
}

impl Values {
    fn begin(column: &Computed) -> Result<Self> {
        let options = RecordBatchOptions::new().with_row_count(Some(1));
        let row = RecordBatch::try_new_with_options(Arc::new(Schema::empty()), vec![], &options)?;
        let args = column.args.iter().map(|arg| arg.evaluate(&row)?.into_array(1)).collect::<Result<Vec<_>>>()?;
        let external = |error| DataFusionError::External(Box::new(error));
        Ok(match (&column.source, args.first()) {
            (Source::Series(data_type), _) => Self::Series(Series::new(data_type, &args).map_err(external)?),
            (Source::Rows, _) => Self::Array { array: concat(&args.iter().map(AsRef::as_ref).collect::<Vec<_>>())?, at: 0 },
            (Source::Value, Some(value)) => Self::Array { array: Arc::clone(value), at: 0 },
            (Source::Elements, Some(list)) => Self::Array { array: elements(list), at: 0 },
            (_, None) => Self::Array { array: new_empty_array(&DataType::Null), at: 0 },
        })
    }

    fn take(&mut self, limit: usize) -> Result<ArrayRef> {
        match self {
            Self::Series(series) => series.take(limit).map_err(|error| DataFusionError::External(Box::new(error))),
            Self::Array { array, at } => {
                let rows = limit.min(array.len() - *at);
                let taken = array.slice(*at, rows);
                *at += rows;
                Ok(taken)
            }
        }
    }
}

/// The elements of the one array there is; none of a NULL.
fn elements(list: &ArrayRef) -> ArrayRef {
    let Some(lists) = list.as_list_opt::<i32>() else { return new_empty_array(&DataType::Null) };
    if list.is_null(0) { new_empty_array(&lists.value_type()) } else { lists.value(0) }
}
