//! Subqueries that read the rows around them, where the engine cannot make a join of them.
//!
//! Such a subquery becomes a plan of its own in which every column from outside is a placeholder, and a caller: a function of those columns
//! ([`subplan`]) where it stands in an expression, a join ([`dependent`]) where it stands in FROM. The caller runs the plan once for each
//! distinct tuple of outer values and remembers what it answered.
//!
//! P1: a subplan is a function of its arguments, the run's parameters and its tables; what it reads of queries further out are arguments too.
//! P2: one evaluation of a subplan at a time; its outer values stand in a [`crate::outer_values::Cell`] that nothing else writes.
//! P3: a subplan runs in one partition and starts no task, so that it can be waited for where it is called.
//! P4: what is remembered belongs to the run, and is bounded; a subplan that is volatile and has arguments remembers nothing.
//! Never: decides what a row is worth; the subplan's own operators do.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::{Extension, LogicalPlan};

pub(crate) mod convert;
pub(crate) mod dependent;
pub(crate) mod dependent_exec;
mod elements;
pub(crate) mod inner;
mod native;
mod outer;
mod sets;
mod subplan;

use dependent::Dependent;
use inner::Inner;

/// A subquery taken out of its place.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    /// Tells its arguments from those of others.
    pub(crate) id: usize,
    /// With a placeholder for each argument.
    pub(crate) plan: Arc<LogicalPlan>,
    pub(crate) is_volatile: bool,
    /// Its operators, once the plan that calls it has a slot.
    pub(crate) inner: Option<Arc<Inner>>,
}

impl Held {
    pub(crate) fn with_plan(&self, plan: LogicalPlan) -> Self {
        Self { plan: Arc::new(plan), ..self.clone() }
    }
}

/// Copies of one subquery that were changed alike are equal.
impl PartialEq for Held {
    fn eq(&self, other: &Self) -> bool {
        let is_same_run = match (&self.inner, &other.inner) {
            (Some(left), Some(right)) => Arc::ptr_eq(left, right),
            (left, right) => left.is_none() && right.is_none(),
        };
        self.id == other.id && is_same_run
    }
}

/// Changes what is held.
pub(crate) type Change<'a> = &'a mut dyn FnMut(&Held) -> Result<Held>;

/// Changes the subplans that a node's expressions call, and the one it joins with.
pub(crate) fn map_subplans(node: LogicalPlan, change: Change<'_>) -> Result<Transformed<LogicalPlan>> {
    let node = match node {
        LogicalPlan::Extension(extension) => match extension.node.as_any().downcast_ref::<Dependent>() {
            Some(dependent) => LogicalPlan::Extension(Extension { node: Arc::new(dependent.with_held(change(dependent.held())?)) }),
            None => LogicalPlan::Extension(extension),
        },
        other => other,
    };
    let names = NamePreserver::new(&node);
    node.map_expressions(|expr| {
        if !expr.exists(|expr| Ok(subplan::held(expr).is_some()))? {
            return Ok(Transformed::no(expr));
        }
        let name = names.save(&expr);
        let changed = expr.transform_up(|expr| match subplan::held(&expr) {
            Some(held) => {
                let held = change(held)?;
                subplan::with_held(expr, held).map(Transformed::yes)
            }
            None => Ok(Transformed::no(expr)),
        })?;
        Ok(changed.update_data(|expr| name.restore(expr)))
    })
}

/// Shows every node of the plan, those of its subqueries and those of its subplans to `see`.
pub(crate) fn visit(plan: &LogicalPlan, see: &mut dyn FnMut(&LogicalPlan) -> Result<()>) -> Result<()> {
    plan.apply_with_subqueries(|node| {
        see(node)?;
        if let LogicalPlan::Extension(extension) = node
            && let Some(dependent) = extension.node.as_any().downcast_ref::<Dependent>()
        {
            visit(&dependent.held().plan, see)?;
        }
        node.apply_expressions(|expr| {
            expr.apply(|expr| {
                if let Some(held) = subplan::held(expr) {
                    visit(&held.plan, see)?;
                }
                Ok(TreeNodeRecursion::Continue)
            })
        })
    })?;
    Ok(())
}
