//! FULL JOINs that Postgres cannot do: it brings both sides together by an equality, or by all of both.
//!
//! Errors: 0A000.

use datafusion::common::{DFSchema, DataFusionError, Result};
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{BinaryExpr, Expr, JoinType, LogicalPlan, Operator};

use base::{SqlError, SqlState};

/// Refuses a plan that holds one.
pub(crate) fn check(plan: &LogicalPlan) -> Result<()> {
    plan.apply_with_subqueries(|node| {
        if let LogicalPlan::Join(join) = node
            && join.join_type == JoinType::Full
            && join.on.is_empty()
            && let Some(filter) = &join.filter
            && !matches!(filter, Expr::Literal(..))
            && !split_conjunction(filter).into_iter().any(|term| brings_together(term, join.left.schema(), join.right.schema()))
        {
            let message = "FULL JOIN is only supported with merge-joinable or hash-joinable join conditions";
            return Err(DataFusionError::External(Box::new(SqlError::new(SqlState::FEATURE_NOT_SUPPORTED, message))));
        }
        Ok(datafusion::common::tree_node::TreeNodeRecursion::Continue)
    })?;
    Ok(())
}

/// Whether it is an equality of something on one side and something on the other.
fn brings_together(term: &Expr, left: &DFSchema, right: &DFSchema) -> bool {
    let Expr::BinaryExpr(BinaryExpr { left: one, op: Operator::Eq, right: other }) = term else { return false };
    let is_of = |expr: &Expr, side: &DFSchema| {
        let columns = expr.column_refs();
        !columns.is_empty() && columns.into_iter().all(|column| side.maybe_index_of_column(column).is_some())
    };
    (is_of(one, left) && is_of(other, right)) || (is_of(one, right) && is_of(other, left))
}
