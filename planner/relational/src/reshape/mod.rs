//! Nodes that the statement's reader leaves in a plan and no engine runs: changed before types are settled.
//!
//! - `copies`: the numbers of rows' copies, for INTERSECT ALL and EXCEPT ALL;
//! - `limits`: WITH TIES, and LIMIT and OFFSET that only a run knows;
//! - `values`: VALUES that only a run knows.

use datafusion::common::Result;
use datafusion::common::tree_node::Transformed;
use datafusion::execution::context::SessionState;
use datafusion::logical_expr::{Expr, LogicalPlan};

mod copies;
mod limits;
mod values;

/// Changes every such node.
pub(crate) fn reshape(plan: LogicalPlan, state: &SessionState) -> Result<LogicalPlan> {
    let changed = plan.transform_up_with_subqueries(|node| match node {
        LogicalPlan::Projection(list) if list.expr.iter().any(copies::is_numbered) => copies::number(list, state).map(Transformed::yes),
        LogicalPlan::Limit(limit) if limits::is_late(&limit)? => limits::filter(limit, state).map(Transformed::yes),
        other => Ok(Transformed::no(other)),
    })?;
    Ok(changed.data)
}

/// Changes VALUES, after types are settled.
pub(crate) fn delay(plan: LogicalPlan) -> Result<LogicalPlan> {
    let changed = plan.transform_up_with_subqueries(|node| match node {
        LogicalPlan::Values(values) if values::is_late(&values)? => values::scanned(&values).map(Transformed::yes),
        other => Ok(Transformed::no(other)),
    })?;
    Ok(changed.data)
}

/// Whether the expression calls this function.
fn is_call(expr: &Expr, name: &str) -> bool {
    matches!(expr, Expr::ScalarFunction(call) if call.func.name() == name)
}
