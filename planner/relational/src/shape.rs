//! A query bound and typed once, and the physical plans made from it, kept for the next run.
//!
//! K1: a shape holds no snapshot and no row; a run brings tables, parameters and the time, and puts them into its plan's slot.
//! K2: a plan serves one run at a time. One whose run came to its end is reset and kept; one that failed or was left early is dropped.
//! K3: what a plan cannot read at execution (LIMIT, OFFSET) is constant in it and part of what it is kept under. A query that
//!     DataFusion plans only with its values known is planned anew for each run.
//!     So is one that counts a whole table, whose plan is the count, and a recursive one, whose plan cannot be reset.
//! K4: a plan that was made for tables of another size is dropped.
//! Never: outlives the definitions it was bound to; the caller keeps it under their version.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arrow::datatypes::{DataType, Field, SchemaRef};
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::expr::Placeholder;
use datafusion::logical_expr::{Expr, LogicalPlan};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::execution_plan::reset_plan_states;
use sqlparser::ast::Statement;

use crate::apply;
use crate::slot::{Slot, Which};
use crate::table::Table;
use crate::values::manner::Manner;

/// Idle plans kept a shape.
const KEPT_MAX: usize = 16;
/// Tables below this many rows are all of one size (K4).
const ROWS_SMALL: usize = 20_000;
/// How many times larger or smaller a table must be to be of another size.
const GROWTH: usize = 4;

/// A bound query, ready to run any number of times, also at once.
pub struct Shape {
    pub(crate) statement: Statement,
    pub(crate) text: Box<str>,
    /// After analysis; asks for tables, parameters and the time by number.
    pub(crate) plan: LogicalPlan,
    /// What results are shown with.
    pub(crate) schema: SchemaRef,
    /// How the session it was bound for reads and writes values.
    pub(crate) manner: Manner,
    pub(crate) parameters: Vec<Option<DataType>>,
    /// Schema as written and name of every table read.
    pub(crate) tables: Vec<(Option<String>, String)>,
    /// Every view that was expanded, likewise.
    pub(crate) views: BTreeSet<(Option<String>, String)>,
    /// Functions of the environment that the query calls.
    pub(crate) calls: Vec<String>,
    /// Parameters that are constants of a plan (K3).
    pinned: Vec<usize>,
    is_generic: AtomicBool,
    kept: Mutex<Vec<Kept>>,
}

/// A plan and what it was made for.
pub(crate) struct Kept {
    pub(crate) plan: Arc<dyn ExecutionPlan>,
    pub(crate) slot: Arc<Slot>,
    pinned: Vec<ScalarValue>,
    rows: Vec<Option<usize>>,
}

impl fmt::Debug for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shape").field("tables", &self.tables).field("schema", &self.schema).finish_non_exhaustive()
    }
}

/// The parts of a new shape.
pub(crate) struct Bound {
    pub(crate) plan: LogicalPlan,
    pub(crate) schema: SchemaRef,
    pub(crate) manner: Manner,
    pub(crate) parameters: Vec<Option<DataType>>,
    pub(crate) tables: Vec<(Option<String>, String)>,
    pub(crate) views: BTreeSet<(Option<String>, String)>,
    pub(crate) calls: Vec<String>,
}

impl Shape {
    pub(crate) fn new(statement: Statement, text: &str, bound: Bound) -> Result<Self> {
        let Bound { plan, schema, manner, parameters, tables, views, calls } = bound;
        let pinned = pinned(&plan)?;
        let (is_generic, kept) = (AtomicBool::new(!is_recursive(&plan)? && !counts_a_table(&plan)?), Mutex::default());
        Ok(Self { statement, text: text.into(), plan, schema, manner, parameters, tables, views, calls, pinned, is_generic, kept })
    }

    /// Names and types of the columns; names may repeat.
    pub fn columns(&self) -> impl Iterator<Item = (&str, &DataType)> {
        self.schema.fields().iter().map(|field| (field.name().as_str(), field.data_type()))
    }

    /// The columns as fields, which say which column of a table they are ([`crate::TABLE_COLUMN`], [`crate::DECLARED_TYPE`]).
    pub fn fields(&self) -> impl Iterator<Item = &Field> {
        self.schema.fields().iter().map(AsRef::as_ref)
    }

    /// Types of `$1`, `$2`, …: as given, else inferred from use, else Utf8.
    pub fn parameters(&self) -> impl Iterator<Item = &DataType> {
        self.parameters.iter().map(|known| known.as_ref().unwrap_or(&DataType::Utf8))
    }

    /// Functions of the environment it was bound with that it calls: what they captured is in it.
    pub fn calls(&self) -> &[String] {
        &self.calls
    }

    /// Whether one plan serves every value of the parameters (K3).
    pub(crate) fn is_generic(&self) -> bool {
        self.is_generic.load(Ordering::Relaxed)
    }

    /// From now on each run is planned with its values.
    pub(crate) fn specialise(&self) {
        self.is_generic.store(false, Ordering::Relaxed);
        self.lock().clear();
    }

    /// Whether a parameter is constant in a plan.
    pub(crate) fn is_pinned(&self, which: Which) -> bool {
        matches!(which, Which::Parameter(index) if self.pinned.contains(&index))
    }

    /// A plan that fits the values and the tables' sizes, if one is idle.
    pub(crate) fn take(&self, values: &[ScalarValue], tables: &[Arc<dyn Table>]) -> Option<Kept> {
        let mut kept = self.lock();
        let pinned = |index: &usize| values.get(*index);
        let at = kept.iter().rposition(|kept| kept.pinned.iter().map(Some).eq(self.pinned.iter().map(pinned)))?;
        let found = kept.swap_remove(at);
        drop(kept);
        let fits = found.rows.iter().zip(tables).all(|(then, table)| is_same_size(*then, table.row_count()));
        fits.then_some(found)
    }

    /// A new plan and what it is for.
    pub(crate) fn made(&self, plan: Arc<dyn ExecutionPlan>, slot: Arc<Slot>, values: &[ScalarValue], tables: &[Arc<dyn Table>]) -> Kept {
        let pinned = self.pinned.iter().filter_map(|index| values.get(*index).cloned()).collect();
        Kept { plan, slot, pinned, rows: tables.iter().map(|table| table.row_count()).collect() }
    }

    /// Keeps a plan whose run came to its end (K2).
    pub(crate) fn give_back(&self, mut used: Kept) {
        used.slot.clear();
        if !self.is_generic() {
            return;
        }
        let Ok(plan) = reset_plan_states(used.plan) else { return };
        used.plan = plan;
        let mut kept = self.lock();
        if kept.len() >= KEPT_MAX {
            kept.remove(0);
        }
        kept.push(used);
    }

    /// Idle plans.
    pub fn idle(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// K4.
fn is_same_size(then: Option<usize>, now: Option<usize>) -> bool {
    match (then, now) {
        (Some(then), Some(now)) => {
            let (then, now) = (then.max(ROWS_SMALL), now.max(ROWS_SMALL));
            then < now.saturating_mul(GROWTH) && now < then.saturating_mul(GROWTH)
        }
        (then, now) => then == now,
    }
}

pub(crate) fn is_recursive(plan: &LogicalPlan) -> Result<bool> {
    let mut found = false;
    plan.apply_with_subqueries(|node| {
        found |= matches!(node, LogicalPlan::RecursiveQuery(_));
        Ok(if found { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    })?;
    Ok(found)
}

/// Whether the number of a table's rows is the answer, or part of it.
fn counts_a_table(plan: &LogicalPlan) -> Result<bool> {
    plan.exists(|node| {
        let LogicalPlan::Aggregate(aggregate) = node else { return Ok(false) };
        let mut input = aggregate.input.as_ref();
        while let LogicalPlan::Projection(_) | LogicalPlan::SubqueryAlias(_) = input {
            let Some(inner) = input.inputs().first().copied() else { return Ok(false) };
            input = inner;
        }
        let counts = |expr: &Expr| matches!(expr, Expr::AggregateFunction(call) if call.func.name() == "count");
        let counts = |expr: &Expr| expr.exists(|expr| Ok(counts(expr)));
        let is_counted = aggregate.aggr_expr.iter().map(counts).collect::<Result<Vec<bool>>>()?.contains(&true);
        Ok(aggregate.group_expr.is_empty() && is_counted && matches!(input, LogicalPlan::TableScan(scan) if scan.filters.is_empty()))
    })
}

/// Parameters in LIMIT and OFFSET.
fn pinned(plan: &LogicalPlan) -> Result<Vec<usize>> {
    let mut found = BTreeSet::new();
    apply::visit(plan, &mut |node| {
        if matches!(node, LogicalPlan::Limit(_)) {
            node.apply_expressions(|expr| {
                expr.apply(|expr| {
                    if let Expr::Placeholder(Placeholder { id, .. }) = expr
                        && let Some(Which::Parameter(index)) = Which::of(id)
                    {
                        found.insert(index);
                    }
                    Ok(TreeNodeRecursion::Continue)
                })
            })?;
        }
        Ok(())
    })?;
    Ok(found.into_iter().collect())
}
