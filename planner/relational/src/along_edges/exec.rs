//! `AlongEdges`: rows of joins, or counts of them, by a way that somebody knows; or by the joins that it took the place of.
//!
//! E1: each run decides once which of the two answers, before a row leaves, whatever partition is asked first.
//! E2: the way is taken only if every table is settled at one commit, and opens the columns that the joins would read.
//! E3: all rows of the way leave by the first partition.
//! Never: mixes rows of the two.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::RecordBatch;
use base::{CommitSeq, SqlError, SqlResult, SqlState};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DataFusionError, Result, internal_err};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, ChildrenPropertiesMode, EmissionType};
use datafusion::physical_plan::metrics::{BaselineMetrics, ExecutionPlanMetricsSet, MetricsSet};
use datafusion::physical_plan::stream::{RecordBatchReceiverStream, RecordBatchStreamAdapter};
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, Partitioning, PlanProperties, ReplaceChildrenOptions,
};
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt, stream};

use super::held::Held;
use super::rows::{Compared, Computed, Leaving};
use super::tree::Tree;
use crate::raised::external;
use crate::table::Table;
use crate::table::links::{Asked, JoinedColumn, JoinedCondition, Route, Wanted, Way};

/// Batches that wait to be read.
const AHEAD: usize = 4;

/// What all runs share.
#[derive(Debug)]
pub(super) struct Plan {
    tree: Tree,
    route: Arc<dyn Route>,
    wanted: Wanted,
    leaving: Leaving,
    conditions: Vec<Across>,
}

/// A condition over several relations.
#[derive(Debug)]
struct Across {
    block: usize,
    differ: Option<(JoinedColumn, JoinedColumn)>,
    computed: Computed,
}

/// A way made ready, with the tables as of the run.
struct Ready {
    way: Box<dyn Way>,
    tables: Arc<Vec<Arc<dyn Table>>>,
}

/// One run's decision; a way where there is one.
#[derive(Default)]
struct Round {
    decided: Mutex<Option<Option<Arc<Ready>>>>,
    /// The way as it was shown when it had been gone.
    went: Mutex<Option<String>>,
}

/// The present round, and which partitions were asked for in it.
#[derive(Default)]
struct Rounds {
    round: Arc<Round>,
    asked: Vec<usize>,
}

impl Plan {
    pub(super) fn new(tree: Tree, route: Arc<dyn Route>, wanted: Wanted, leaving: Leaving) -> Option<Self> {
        let across = |condition: &super::tree::Condition| {
            let computed = Computed::of(&tree, std::slice::from_ref(&condition.expr))?;
            Some(Across { block: condition.block, differ: tree.differ(&condition.expr), computed })
        };
        let conditions = tree.conditions.iter().map(across).collect::<Option<_>>()?;
        Some(Self { tree, route, wanted, leaving, conditions })
    }

    /// The commit that all tables are as of, once every column is opened (E2).
    fn settled_at(&self, tables: &[Arc<dyn Table>]) -> SqlResult<Option<CommitSeq>> {
        let mut at = None;
        for (relation, table) in self.tree.relations.iter().zip(tables) {
            let settled = table.settled_at(&relation.reading.columns)?;
            if settled.is_none() || (at.is_some() && at != settled) {
                return Ok(None);
            }
            at = settled;
        }
        Ok(at)
    }

    /// A way for this run, if there is one.
    fn open(&self) -> Result<Option<Ready>> {
        let tables = self.tree.relations.iter().map(|relation| relation.reading.table()).collect::<Result<Vec<_>>>()?;
        let Some(links) = tables.first().and_then(|table| table.links()) else { return Ok(None) };
        let Some(at) = self.settled_at(&tables).map_err(external)? else { return Ok(None) };
        let Some(slot) = self.tree.relations.first().map(|relation| Arc::clone(&relation.reading.slot)) else { return Ok(None) };
        let memory = Arc::new(Held::new(&slot));
        let mut passing = Vec::with_capacity(tables.len());
        for (relation, table) in self.tree.relations.iter().zip(&tables) {
            let Some(id) = table.row_id() else { return Ok(None) };
            passing.push(relation.passing(table, id, &slot, &memory)?);
        }
        let tables = Arc::new(tables);
        let condition = |across: &Across| JoinedCondition {
            block: across.block,
            relations: across.computed.relations(),
            differ: across.differ,
            filter: Arc::new(Compared { computed: across.computed.clone(), tables: Arc::clone(&tables) }),
        };
        let conditions = self.conditions.iter().map(condition).collect();
        let interrupt = Arc::new(move || slot.check());
        let asked = Asked { passing, conditions, wanted: self.wanted.clone(), memory, interrupt };
        let way = links.open(self.route.as_ref(), at, asked).map_err(external)?;
        Ok(way.map(|way| Ready { way, tables }))
    }

    /// Goes the way, and hands on batches.
    fn go(&self, ready: &Ready, give: &(dyn Fn(RecordBatch) -> SqlResult<()> + Sync)) -> SqlResult<String> {
        let is_one_row = self.wanted == Wanted::Count && self.leaving.computed.exprs.is_empty();
        ready.way.run(&|rows, times| {
            // A group without rows is none, but for the one that all rows are in.
            if times.iter().all(|times| *times == 0) && !is_one_row {
                return Ok(());
            }
            self.leaving.leave(&ready.tables, rows, times, &mut |batch| give(batch))
        })
    }
}

impl Round {
    fn decide(&self, plan: &Plan) -> Result<Option<Arc<Ready>>> {
        let mut decided = self.decided.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = &*decided {
            return Ok(known.clone());
        }
        let ready = plan.open()?.map(Arc::new);
        *decided = Some(ready.clone());
        Ok(ready)
    }

    fn went(&self, shown: String) {
        *self.went.lock().unwrap_or_else(PoisonError::into_inner) = Some(shown);
    }
}

/// See the module.
pub(crate) struct AlongEdgesExec {
    /// What answers where there is no way.
    otherwise: Arc<dyn ExecutionPlan>,
    plan: Arc<Plan>,
    rounds: Mutex<Rounds>,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl AlongEdgesExec {
    pub(super) fn new(otherwise: Arc<dyn ExecutionPlan>, plan: Plan) -> Self {
        Self::over(otherwise, Arc::new(plan))
    }

    fn over(otherwise: Arc<dyn ExecutionPlan>, plan: Arc<Plan>) -> Self {
        let properties = Arc::new(PlanProperties::new(
            EquivalenceProperties::new(otherwise.schema()),
            Partitioning::UnknownPartitioning(otherwise.output_partitioning().partition_count()),
            EmissionType::Incremental,
            Boundedness::Bounded,
        ));
        Self { otherwise, plan, rounds: Mutex::default(), properties, metrics: ExecutionPlanMetricsSet::new() }
    }

    /// The round that a partition is asked for in: a new one where it was asked for before.
    fn round(&self, partition: usize) -> Arc<Round> {
        let mut rounds = self.rounds.lock().unwrap_or_else(PoisonError::into_inner);
        if rounds.asked.contains(&partition) {
            *rounds = Rounds::default();
        }
        rounds.asked.push(partition);
        Arc::clone(&rounds.round)
    }

    /// The joins.
    pub(crate) fn joins(&self) -> &Arc<dyn ExecutionPlan> {
        &self.otherwise
    }

    /// What answers: the joins, or the way as a person reads it. Errors: what making ready raises.
    pub(crate) fn chosen(&self) -> Result<std::result::Result<String, &Arc<dyn ExecutionPlan>>> {
        let round = Arc::clone(&self.rounds.lock().unwrap_or_else(PoisonError::into_inner).round);
        let went = round.went.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match went {
            Some(went) => Ok(Ok(went)),
            None => Ok(round.decide(&self.plan)?.map_or(Err(&self.otherwise), |ready| Ok(ready.way.shown()))),
        }
    }
}

impl fmt::Debug for AlongEdgesExec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AlongEdgesExec").field("otherwise", &self.otherwise).finish_non_exhaustive()
    }
}

impl DisplayAs for AlongEdgesExec {
    fn fmt_as(&self, _t: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AlongEdges")
    }
}

/// The rows of a way, made at once where that is soon done, else on another thread.
fn rows_of(plan: Arc<Plan>, round: Arc<Round>, ready: Arc<Ready>) -> Result<BoxStream<'static, Result<RecordBatch>>> {
    if ready.way.is_short() {
        let batches = Mutex::new(Vec::new());
        let went = plan.go(&ready, &|batch| {
            batches.lock().unwrap_or_else(PoisonError::into_inner).push(Ok(batch));
            Ok(())
        });
        round.went(went.map_err(external)?);
        return Ok(stream::iter(batches.into_inner().unwrap_or_else(PoisonError::into_inner)).boxed());
    }
    let mut builder = RecordBatchReceiverStream::builder(Arc::clone(&plan.leaving.schema), AHEAD);
    let sender = builder.tx();
    builder.spawn_blocking(move || {
        let gone = || SqlError::new(SqlState::QUERY_CANCELED, "canceling statement: nobody reads its rows");
        let went = plan.go(&ready, &|batch| sender.blocking_send(Ok(batch)).map_err(|_| gone()));
        match went {
            Ok(went) => round.went(went),
            // Nobody is told where nobody reads.
            Err(error) => drop(sender.blocking_send(Err(external(error)))),
        }
        Ok(())
    });
    Ok(builder.build().boxed())
}

impl ExecutionPlan for AlongEdgesExec {
    fn name(&self) -> &str {
        "AlongEdges"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.otherwise]
    }

    fn apply_expressions(&self, _f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
        _options: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        match <[Arc<dyn ExecutionPlan>; 1]>::try_from(children) {
            Ok([otherwise]) => Ok(Arc::new(Self::over(otherwise, Arc::clone(&self.plan)))),
            Err(_) => internal_err!("a way through joins takes the place of one operator"),
        }
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        self.replace_children(children, ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let (plan, round, otherwise) = (Arc::clone(&self.plan), self.round(partition), Arc::clone(&self.otherwise));
        let metrics = BaselineMetrics::new(&self.metrics, partition);
        let rows = stream::once(async move {
            let timer = metrics.elapsed_compute().timer();
            let ready = round.decide(&plan)?;
            let rows = match ready {
                None => otherwise.execute(partition, context)?.boxed(),
                Some(_) if partition > 0 => stream::empty().boxed(),
                Some(ready) => rows_of(plan, round, ready)?,
            };
            timer.done();
            Ok::<_, DataFusionError>(rows.inspect_ok(move |batch: &RecordBatch| metrics.record_output(batch.num_rows())))
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), rows.try_flatten())))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }

    fn reset_state(self: Arc<Self>) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(Arc::new(Self::over(Arc::clone(&self.otherwise), Arc::clone(&self.plan))))
    }
}
