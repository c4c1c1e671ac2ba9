//! From a bound plan to operators, subplans included.
//!
//! Never: changes what a plan answers.

use std::fmt;
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use datafusion::catalog::Session;
use datafusion::common::{DFSchema, Result, internal_err};
use datafusion::execution::context::SessionState;
use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::{LogicalPlan, UserDefinedLogicalNode};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_optimizer::optimizer::PhysicalOptimizer;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_planner::{DefaultPhysicalPlanner, ExtensionPlanner, PhysicalPlanner};
use futures::executor::block_on;
use tokio::task::unconstrained;

use crate::along_edges::AlongEdges;
use crate::apply::Held;
use crate::apply::dependent::Dependent;
use crate::apply::dependent_exec::DependentExec;
use crate::apply::inner::{Inner, Make};
use crate::attach;
use crate::first_met::FirstMet;
use crate::merge_joins::MergeJoins;
use crate::outer_values::{Cell, Memo};
use crate::own_rows::OwnSorted;
use crate::sequence::Sequences;
use crate::session_options;
use crate::set_functions::exec::{Computed, SetScanExec};
use crate::set_functions::{SetColumn, SetScan};
use crate::shape;
use crate::slot::Slot;
use crate::top_by_index::TopByIndex;

/// Makes operators.
pub(crate) struct Planner {
    outer: Arc<SessionState>,
    /// The same for subplans (P3), made when there is one.
    inner: OnceLock<SessionState>,
    physical: DefaultPhysicalPlanner,
}

impl fmt::Debug for Planner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Planner")
    }
}

impl Planner {
    /// For one statement; `state` has the session's manner.
    pub(crate) fn new(state: Arc<SessionState>) -> Self {
        let physical = DefaultPhysicalPlanner::with_extension_planners(vec![Arc::new(Extensions)]);
        Self { outer: state, inner: OnceLock::new(), physical }
    }

    fn inner(&self) -> &SessionState {
        self.inner.get_or_init(|| {
            let mut config = self.outer.config().clone();
            config.options_mut().execution.target_partitions = 1;
            config.options_mut().optimizer.repartition_sorts = false;
            let rules: Vec<Arc<dyn PhysicalOptimizerRule + Send + Sync>> = vec![Arc::new(Sequences)];
            let rules = rules.into_iter().chain(self.outer.physical_optimizers().iter().map(Arc::clone)).collect();
            let state = SessionStateBuilder::new_from_existing(self.outer.as_ref().clone());
            session_options::expressed(state.with_config(config).with_physical_optimizer_rules(rules).build())
        })
    }

    /// The operators of a statement whose plan was fixed.
    pub(crate) fn operators(self: &Arc<Self>, plan: LogicalPlan, slot: &Arc<Slot>) -> Result<Arc<dyn ExecutionPlan>> {
        let plan = self.attached(plan, slot, &self.outer, None)?;
        self.physical(&plan, &self.outer)
    }

    /// Nothing in physical planning waits: table scans are opened without I/O. It takes a lock of tokio's for every input of a join or union, though,
    /// and after 128 of these tokio lets a task wait for its scheduler, which does not come here: planning is exempt from that.
    fn physical(&self, plan: &LogicalPlan, state: &SessionState) -> Result<Arc<dyn ExecutionPlan>> {
        block_on(unconstrained(self.physical.create_physical_plan(plan, state)))
    }

    /// Optimised, with readers for placeholders and operators for subplans.
    fn attached(
        self: &Arc<Self>,
        plan: LogicalPlan,
        slot: &Arc<Slot>,
        state: &SessionState,
        cell: Option<(usize, &Arc<Cell>)>,
    ) -> Result<LogicalPlan> {
        let plan = state.optimizer().optimize(plan, state, |_, _| {})?;
        attach::attach(plan, slot, cell, &mut |held| {
            let inner = Some(self.subplan(held, slot)?);
            Ok(Held { inner, ..held.clone() })
        })
    }

    fn subplan(self: &Arc<Self>, held: &Held, slot: &Arc<Slot>) -> Result<Arc<Inner>> {
        let cell = Arc::new(Cell::default());
        let is_recursive = shape::is_recursive(&held.plan)?;
        let plan = self.attached(held.plan.as_ref().clone(), slot, self.inner(), Some((held.id, &cell)))?;
        let operators = self.physical(&plan, self.inner())?;
        let make = is_recursive.then(|| {
            let planner = Arc::clone(self);
            Box::new(move || planner.physical(&plan, planner.inner())) as Make
        });
        let is_remembered = !held.is_volatile;
        let memo = is_remembered.then(|| Arc::new(Memo::new(slot.context().memory_pool())));
        memo.iter().for_each(|memo| slot.forget_at_end(memo));
        Ok(Arc::new(Inner::new(operators, make, cell, Arc::clone(slot), memo, Arc::clone(slot.context()))))
    }
}

/// DataFusion's rules over operators, but for those that do harm here, and ours. `spills`: what a run may hold, where it may go to disk beyond it.
pub(crate) fn optimizer_rules(spills: Option<usize>) -> Vec<Arc<dyn PhysicalOptimizerRule + Send + Sync>> {
    let mut rules = PhysicalOptimizer::new().rules;
    // It finds columns by name only, of which a join may have two; filters have their places in the logical plan already.
    rules.retain(|rule| !rule.name().starts_with("FilterPushdown"));
    // It changes nothing and refuses plans that are sound: below a union a sort leaves out what is constant in its input, and the merge above, which
    // asks for all of the order, is then called unsorted (`ORDER BY` over branches with constants).
    rules.retain(|rule| rule.name() != "SanityCheckPlan");
    rules.push(Arc::new(FirstMet));
    rules.push(Arc::new(TopByIndex));
    rules.push(Arc::new(AlongEdges));
    if let Some(run_bytes_max) = spills {
        rules.push(Arc::new(MergeJoins { run_bytes_max }));
    }
    rules.push(Arc::new(OwnSorted));
    rules
}

/// Operators for the nodes that the engine does not know.
struct Extensions;

#[async_trait]
impl ExtensionPlanner for Extensions {
    async fn plan_extension(
        &self,
        planner: &dyn PhysicalPlanner,
        node: &dyn UserDefinedLogicalNode,
        logical_inputs: &[&LogicalPlan],
        physical_inputs: &[Arc<dyn ExecutionPlan>],
        session: &dyn Session,
        planning: &PhysicalPlanningContext,
    ) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        let schema = Arc::new(node.schema().as_arrow().clone());
        if let Some(scan) = node.as_any().downcast_ref::<SetScan>() {
            let empty = DFSchema::empty();
            let computed = |column: &SetColumn| {
                let args =
                    column.args.iter().map(|arg| planner.create_physical_expr(arg, &empty, session, planning)).collect::<Result<_>>()?;
                Ok(Computed { source: column.source.clone(), args })
            };
            let columns = scan.columns().iter().map(computed).collect::<Result<_>>()?;
            return Ok(Some(Arc::new(SetScanExec::new(columns, scan.is_numbered(), schema))));
        }
        let Some(dependent) = node.as_any().downcast_ref::<Dependent>() else { return Ok(None) };
        let ([logical], [left], Some(inner)) = (logical_inputs, physical_inputs, &dependent.held().inner) else {
            return internal_err!("S1: a dependent join is planned without a slot");
        };
        let args = dependent.args().iter().map(|arg| planner.create_physical_expr(arg, logical.schema(), session, planning));
        let args = args.collect::<Result<Vec<_>>>()?;
        Ok(Some(Arc::new(DependentExec::new(
            Arc::clone(left),
            args,
            Arc::clone(inner),
            dependent.join(),
            dependent.is_conditional(),
            schema,
        ))))
    }
}
