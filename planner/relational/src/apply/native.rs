//! Which subqueries the engine makes joins of, rightly. All others are evaluated ([`super::subplan`], [`super::dependent`]).
//!
//! E1: a form stands here only if the engine's join answers as Postgres does, NULLs and empty sets included.

use datafusion::common::Result;
use datafusion::common::tree_node::TreeNode;
use datafusion::logical_expr::expr::{Exists, InSubquery, SetComparison};
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{BinaryExpr, Expr, JoinType, LogicalPlan, Operator};

use super::outer::{reaches_out, subquery_reaches_out, visible};
use crate::outer_values::is_argument;

/// Whether the subquery can stay in this node's expression.
pub(super) fn is_subquery_native(node: &LogicalPlan, expr: &Expr) -> Result<bool> {
    let is_filter = matches!(node, LogicalPlan::Filter(_));
    let is_list = matches!(node, LogicalPlan::Projection(_));
    match expr {
        Expr::ScalarSubquery(subquery) => {
            if !is_filter && !is_list {
                return Ok(false);
            }
            // The engine's operator forgets that no row is NULL.
            let is_constant = !reaches_out(&subquery.subquery)? && subquery.subquery.schema().field(0).is_nullable();
            Ok(is_constant || is_one_value(&subquery.subquery)?)
        }
        Expr::Exists(Exists { subquery, .. }) => Ok(is_filter && is_filtered(&subquery.subquery, false)?),
        Expr::InSubquery(InSubquery { subquery, negated, .. }) => {
            let is_correlated = reaches_out(&subquery.subquery)?;
            Ok(is_filter && !(*negated && is_correlated) && is_filtered(&subquery.subquery, false)?)
        }
        Expr::SetComparison(SetComparison { subquery, .. }) => Ok(is_filter && !reaches_out(&subquery.subquery)?),
        _ => Ok(true),
    }
}

/// Whether the right side of a join can stay as it is although it reads the left.
pub(super) fn is_lateral_native(join: JoinType, right: &LogicalPlan) -> Result<bool> {
    let under = match right {
        LogicalPlan::SubqueryAlias(node) => node.input.as_ref(),
        other => other,
    };
    Ok(join == JoinType::Inner && is_filtered(under, false)?)
}

/// An aggregate over all rows that equal the outer ones.
fn is_one_value(plan: &LogicalPlan) -> Result<bool> {
    match plan {
        LogicalPlan::Projection(node) => Ok(!any_outer(&node.expr, plan)? && is_one_value(&node.input)?),
        LogicalPlan::Aggregate(node) => Ok(node.group_expr.is_empty()
            && !node.aggr_expr.is_empty()
            && !any_outer(&node.aggr_expr, plan)?
            && is_filtered(&node.input, true)?),
        _ => Ok(false),
    }
}

/// Rows of tables and inner joins, under conditions of which some name outer columns; with `equal`, only by equality.
fn is_filtered(plan: &LogicalPlan, equal: bool) -> Result<bool> {
    if !reaches_out(plan)? {
        return Ok(true);
    }
    match plan {
        LogicalPlan::Projection(node) => Ok(!any_outer(&node.expr, plan)? && is_filtered(&node.input, equal)?),
        LogicalPlan::Subquery(node) => is_filtered(&node.subquery, equal),
        LogicalPlan::Filter(node) => {
            for condition in split_conjunction(&node.predicate) {
                if subquery_reaches_out(condition, visible(plan))? || condition.exists(|expr| Ok(is_argument(expr)))? {
                    return Ok(false);
                }
                if condition.contains_outer() && equal && !is_equality(condition) {
                    return Ok(false);
                }
            }
            is_filtered(&node.input, equal)
        }
        LogicalPlan::Join(node) => {
            let conditions = node.on.iter().flat_map(|(left, right)| [left, right]).chain(&node.filter);
            let is_plain = node.join_type == JoinType::Inner && !reaches_out(&node.right)?;
            Ok(is_plain && !any_outer(conditions, plan)? && is_filtered(&node.left, equal)?)
        }
        _ => Ok(false),
    }
}

fn any_outer<'a>(exprs: impl IntoIterator<Item = &'a Expr>, node: &LogicalPlan) -> Result<bool> {
    for expr in exprs {
        let reaches = expr.contains_outer() || expr.exists(|expr| Ok(is_argument(expr)))?;
        if reaches || subquery_reaches_out(expr, visible(node))? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A column inside, perhaps cast, equals something outside: what the engine takes over an aggregate.
fn is_equality(condition: &Expr) -> bool {
    let Expr::BinaryExpr(BinaryExpr { left, op: Operator::Eq, right }) = condition else { return false };
    let is_outer = |expr: &Expr| expr.contains_outer() && expr.column_refs().is_empty();
    let is_inner = |expr: &Expr| match expr {
        Expr::Cast(cast) => matches!(cast.expr.as_ref(), Expr::Column(_)),
        other => matches!(other, Expr::Column(_)),
    };
    (is_outer(left) && is_inner(right)) || (is_inner(left) && is_outer(right))
}
