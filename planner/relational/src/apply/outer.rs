//! References from a subquery to the columns around it: found, told apart by how far out they reach, and bound to arguments.
//!
//! U1: a reference belongs to the nearest query around it that has its column, as when it was read.

use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DFSchemaRef, Result};
use datafusion::logical_expr::expr::{Exists, InSubquery, SetComparison};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{Expr, Join, LogicalPlan, Subquery};

use crate::outer_values::is_argument;

/// The subquery of an expression that is one.
pub(super) fn subquery_of(expr: &Expr) -> Option<&Subquery> {
    match expr {
        Expr::ScalarSubquery(subquery)
        | Expr::Exists(Exists { subquery, .. })
        | Expr::InSubquery(InSubquery { subquery, .. })
        | Expr::SetComparison(SetComparison { subquery, .. }) => Some(subquery),
        _ => None,
    }
}

/// The expression with another subquery.
pub(super) fn with_subquery(expr: Expr, plan: LogicalPlan) -> Expr {
    let renewed = |old: Subquery| {
        let outer_ref_columns = plan.all_out_ref_exprs();
        Subquery { subquery: Arc::new(plan), outer_ref_columns, spans: old.spans }
    };
    match expr {
        Expr::ScalarSubquery(old) => Expr::ScalarSubquery(renewed(old)),
        Expr::Exists(Exists { subquery, negated }) => Expr::Exists(Exists { subquery: renewed(subquery), negated }),
        Expr::InSubquery(InSubquery { expr, subquery, negated }) => {
            Expr::InSubquery(InSubquery { expr, subquery: renewed(subquery), negated })
        }
        Expr::SetComparison(SetComparison { expr, subquery, op, quantifier }) => {
            Expr::SetComparison(SetComparison { expr, subquery: renewed(subquery), op, quantifier })
        }
        other => other,
    }
}

/// Whether the schema has the column.
pub(super) fn has(schema: &DFSchemaRef, column: &Column) -> bool {
    schema.maybe_index_of_column(column).is_some()
}

/// What the expressions of a node can name.
pub(super) fn visible(node: &LogicalPlan) -> DFSchemaRef {
    Arc::new(merge_schema(&node.inputs()))
}

/// Whether anything in the plan, subqueries included, reads a column from outside of it (U1).
pub(super) fn reaches_out(plan: &LogicalPlan) -> Result<bool> {
    let mut found = false;
    seek(plan, &mut Vec::new(), &mut |_| found = true)?;
    Ok(found)
}

/// Whether a subquery within one of the plan's expressions reads a column from outside of the plan.
pub(super) fn subquery_reaches_out(expr: &Expr, scope: DFSchemaRef) -> Result<bool> {
    let mut found = false;
    expr.apply(|expr| {
        if let Some(subquery) = subquery_of(expr) {
            seek(&subquery.subquery, &mut vec![Arc::clone(&scope)], &mut |_| found = true)?;
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(found)
}

/// Shows the columns from outside that the plan reads.
pub(super) fn seek(plan: &LogicalPlan, within: &mut Vec<DFSchemaRef>, see: &mut dyn FnMut(&Column)) -> Result<()> {
    if let LogicalPlan::Join(join) = plan {
        seek(&join.left, within, see)?;
        within.push(Arc::clone(join.left.schema()));
        seek(&join.right, within, see)?;
        within.pop();
    } else {
        for input in plan.inputs() {
            seek(input, within, see)?;
        }
    }
    let scope = visible(plan);
    plan.apply_expressions(|expr| {
        expr.apply(|expr| {
            if let Expr::OuterReferenceColumn(_, column) = expr
                && !within.iter().any(|schema| has(schema, column))
            {
                see(column);
            }
            if is_argument(expr) {
                see(&Column::from_name(""));
            }
            if let Some(subquery) = subquery_of(expr) {
                within.push(Arc::clone(&scope));
                seek(&subquery.subquery, within, see)?;
                within.pop();
            }
            Ok(TreeNodeRecursion::Continue)
        })
    })?;
    Ok(())
}

/// How a reference is bound; `None` leaves it as it is.
pub(super) type Bind<'a> = &'a mut dyn FnMut(&Expr) -> Result<Option<Expr>>;

/// Binds every column that the plan reads from outside, and every argument of a subplan around.
pub(super) fn rebind(plan: LogicalPlan, within: &mut Vec<DFSchemaRef>, bind: Bind<'_>) -> Result<LogicalPlan> {
    let plan = match plan {
        LogicalPlan::Join(join) => {
            let left = rebind(Arc::unwrap_or_clone(join.left), within, bind)?;
            within.push(Arc::clone(left.schema()));
            let right = rebind(Arc::unwrap_or_clone(join.right), within, bind)?;
            within.pop();
            LogicalPlan::Join(Join { left: Arc::new(left), right: Arc::new(right), ..join })
        }
        LogicalPlan::Subquery(subquery) => {
            let inner = rebind(Arc::unwrap_or_clone(subquery.subquery), within, bind)?;
            let mut reads_around = false;
            seek(&inner, &mut Vec::new(), &mut |column| reads_around |= !column.name.is_empty())?;
            if !reads_around {
                return Ok(inner);
            }
            let outer_ref_columns = inner.all_out_ref_exprs();
            return Ok(LogicalPlan::Subquery(Subquery { subquery: Arc::new(inner), outer_ref_columns, spans: subquery.spans }));
        }
        other => other.map_children(|child| rebind(child, within, bind).map(Transformed::yes))?.data,
    };
    let scope = visible(&plan);
    let names = NamePreserver::new(&plan);
    let plan = plan.map_expressions(|expr| {
        let name = names.save(&expr);
        let bound = expr.transform_up(|expr| match expr {
            Expr::OuterReferenceColumn(_, ref column) => {
                let is_inside = within.iter().any(|schema| has(schema, column));
                Ok(match if is_inside { None } else { bind(&expr)? } {
                    Some(bound) => Transformed::yes(bound),
                    None => Transformed::no(expr),
                })
            }
            expr if is_argument(&expr) => Ok(match bind(&expr)? {
                Some(bound) => Transformed::yes(bound),
                None => Transformed::no(expr),
            }),
            expr => match subquery_of(&expr) {
                Some(subquery) => {
                    within.push(Arc::clone(&scope));
                    let inner = rebind(subquery.subquery.as_ref().clone(), within, bind)?;
                    within.pop();
                    Ok(Transformed::yes(with_subquery(expr, inner)))
                }
                None => Ok(Transformed::no(expr)),
            },
        })?;
        Ok(bound.update_data(|expr| name.restore(expr)))
    })?;
    if matches!(plan.data, LogicalPlan::Values(_)) { Ok(plan.data) } else { plan.data.recompute_schema() }
}
