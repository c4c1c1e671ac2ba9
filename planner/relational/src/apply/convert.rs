//! Takes subqueries that reach out of themselves, and that no join can answer, out of a bound plan.
//!
//! T1: what a node's columns are called and typed does not change.
//! T2: conversion goes from the outside in, so that what reaches far out is an argument before the queries between are converted.

use std::sync::Arc;

use arrow::datatypes::FieldRef;
use base::{SqlError, SqlState};
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DFSchemaRef, DataFusionError, Result};
use datafusion::execution::context::SessionState;
use datafusion::logical_expr::expr::{Exists, InSubquery, Placeholder, SetComparison, SetQuantifier};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{
    Cast, Expr, ExprSchemable, Extension, Filter, Join, JoinType, LogicalPlan, LogicalPlanBuilder, Operator, Projection, Sort,
};

use super::dependent::Dependent;
use super::outer::{self, has, rebind, seek, subquery_of, visible, with_subquery};
use super::subplan::{self, Kind};
use super::{Held, elements, native, sets};
use crate::outer_values::{is_argument, placeholder};

/// Converts a plan whose types are settled.
pub(crate) fn convert(plan: LogicalPlan, state: &SessionState) -> Result<LogicalPlan> {
    Convert { state, subplans: 0, depth: 0 }.plan(plan)
}

struct Convert<'a> {
    state: &'a SessionState,
    /// Made so far.
    subplans: usize,
    /// Subplans around.
    depth: usize,
}

/// The column that a condition on both sides of a dependent join becomes.
const HOLDS: &str = "\u{1}holds";

/// A subquery with its arguments taken out.
struct Loose {
    id: usize,
    plan: LogicalPlan,
    args: Vec<Expr>,
}

impl Convert<'_> {
    fn plan(&mut self, plan: LogicalPlan) -> Result<LogicalPlan> {
        let plan = match plan {
            LogicalPlan::Join(join) if is_dependent(&join)? => return self.lateral(join),
            // A LATERAL that reads nothing around it, though what is in it may read one another.
            LogicalPlan::Subquery(subquery) if !outer::reaches_out(&subquery.subquery)? => {
                return self.plan(Arc::unwrap_or_clone(subquery.subquery));
            }
            LogicalPlan::Sort(sort) => with_sort_columns(sort)?,
            other => other,
        };
        let plan = plan.map_children(|child| self.plan(child).map(Transformed::yes))?.data;
        self.expressions(plan)
    }

    /// The subqueries in a node's own expressions.
    fn expressions(&mut self, node: LogicalPlan) -> Result<LogicalPlan> {
        let mut has_subquery = false;
        node.apply_expressions(|expr| {
            has_subquery |= expr.exists(|expr| Ok(subquery_of(expr).is_some()))?;
            Ok(TreeNodeRecursion::Continue)
        })?;
        if !has_subquery {
            return Ok(node);
        }
        let (scope, names, place) = (visible(&node), NamePreserver::new(&node), node.clone());
        let changed = node.map_expressions(|expr| {
            let name = names.save(&expr);
            let changed = expr.transform_up(|expr| match subquery_of(&expr) {
                Some(_) => self.subquery(expr, &place, &scope).map(Transformed::yes),
                None => Ok(Transformed::no(expr)),
            })?;
            Ok(changed.update_data(|expr| name.restore(expr)))
        })?;
        // T1
        if matches!(changed.data, LogicalPlan::Values(_)) { Ok(changed.data) } else { changed.data.recompute_schema() }
    }

    fn subquery(&mut self, expr: Expr, place: &LogicalPlan, scope: &DFSchemaRef) -> Result<Expr> {
        let Some(subquery) = subquery_of(&expr) else { return Ok(expr) };
        let plan = subquery.subquery.as_ref().clone();
        // Within a subplan a value that nothing outside changes is asked for once a run.
        let is_constant = self.depth > 0 && matches!(expr, Expr::ScalarSubquery(_)) && !outer::reaches_out(&plan)?;
        if !is_constant && native::is_subquery_native(place, &expr)? {
            let plan = self.plan(plan)?;
            return Ok(with_subquery(expr, plan));
        }
        match expr {
            Expr::ScalarSubquery(_) => {
                let loose = self.loosened(plan, scope)?;
                self.call(loose, Kind::Value)
            }
            Expr::Exists(Exists { negated, .. }) => {
                let loose = self.loosened(plan, scope)?;
                let call = self.call(loose, Kind::Exists)?;
                Ok(if negated { Expr::Not(Box::new(call)) } else { call })
            }
            Expr::InSubquery(InSubquery { expr, negated, .. }) => {
                let call = self.comparison(plan, *expr, Operator::Eq, SetQuantifier::Any, scope)?;
                Ok(if negated { Expr::Not(Box::new(call)) } else { call })
            }
            Expr::SetComparison(SetComparison { expr, op, quantifier, .. }) => self.comparison(plan, *expr, op, quantifier, scope),
            other => Ok(other),
        }
    }

    fn comparison(&mut self, plan: LogicalPlan, value: Expr, op: Operator, quantifier: SetQuantifier, scope: &DFSchemaRef) -> Result<Expr> {
        let mut loose = self.loosened(plan, scope)?;
        let value = match value {
            Expr::Literal(..) => value,
            value => {
                let (_, field) = value.to_field(scope.as_ref())?;
                loose.args.push(value);
                placeholder(loose.id, loose.args.len() - 1, &field)
            }
        };
        let compared = sets::compared(self.state, loose.plan, value, op, quantifier)?;
        loose.plan = analyzed(compared, self.state)?;
        self.call(loose, Kind::Value)
    }

    fn call(&mut self, loose: Loose, kind: Kind) -> Result<Expr> {
        let Loose { id, plan, args } = loose;
        let held = self.held(id, plan, args.is_empty())?;
        Ok(subplan::call(held, kind, args))
    }

    /// What a caller holds of a plan that has only arguments left; without any, it is asked once.
    fn held(&mut self, id: usize, plan: LogicalPlan, is_constant: bool) -> Result<Held> {
        self.depth += 1;
        let plan = self.plan(plan)?;
        self.depth -= 1;
        let is_volatile = !is_constant && is_volatile(&plan)?;
        Ok(Held { id, plan: Arc::new(plan), is_volatile, inner: None })
    }

    /// Puts placeholders where the plan reads columns of `scope` and arguments of subplans around (T2).
    fn loosened(&mut self, plan: LogicalPlan, scope: &DFSchemaRef) -> Result<Loose> {
        let id = self.subplans;
        self.subplans += 1;
        let mut args: Vec<Expr> = Vec::new();
        let mut argument = |value: Expr, field: &FieldRef| {
            let known = args.iter().position(|known| *known == value);
            let index = known.unwrap_or_else(|| {
                args.push(value);
                args.len() - 1
            });
            placeholder(id, index, field)
        };
        let plan = rebind(plan, &mut Vec::new(), &mut |expr| match expr {
            Expr::OuterReferenceColumn(field, column) => {
                let Some(at) = scope.maybe_index_of_column(column) else { return Err(ungrouped(column)) };
                let (relation, known) = scope.qualified_field(at);
                let value = Expr::Column(Column::new(relation.cloned(), known.name()));
                let value = if known.data_type() == field.data_type() {
                    value
                } else {
                    Expr::Cast(Cast::new(Box::new(value), field.data_type().clone()))
                };
                Ok(Some(argument(value, field)))
            }
            Expr::Placeholder(Placeholder { field: Some(field), .. }) if is_argument(expr) => Ok(Some(argument(expr.clone(), field))),
            _ => Ok(None),
        })?;
        Ok(Loose { id, plan, args })
    }

    /// A join whose right side reads its left.
    fn lateral(&mut self, join: Join) -> Result<LogicalPlan> {
        let conditions = join.on.iter().map(|(left, right)| left.clone().eq(right.clone())).chain(join.filter.clone());
        let condition = conjunction(conditions.collect::<Vec<_>>());
        let (scope, right_scope) = (Arc::clone(join.left.schema()), Arc::clone(join.right.schema()));
        if condition.is_none()
            && join.join_type == JoinType::Inner
            && let Some(elements) = elements::of(&join.right, &scope)?
        {
            return elements.beside(self.plan(Arc::unwrap_or_clone(join.left))?);
        }
        let mut loose = self.loosened(Arc::unwrap_or_clone(join.right), &scope)?;
        let (mut above, mut is_conditional) = (None, false);
        match (condition, join.join_type) {
            (None, JoinType::Inner | JoinType::Left) => {}
            (condition, JoinType::Inner) => above = condition,
            (Some(condition), JoinType::Left) => {
                let Loose { id, args, plan } = &mut loose;
                let condition = condition.transform_up(|expr| match expr {
                    Expr::Column(ref column) if !has(&right_scope, column) && has(&scope, column) => {
                        let (_, field) = expr.to_field(scope.as_ref())?;
                        args.push(expr);
                        Ok(Transformed::yes(placeholder(*id, args.len() - 1, &field)))
                    }
                    other => Ok(Transformed::no(other)),
                })?;
                // A column, not a filter: a filter that names no column would be asked before an aggregate below it.
                let columns = right_scope.iter().map(|(relation, field)| Expr::Column(Column::new(relation.cloned(), field.name())));
                let columns: Vec<Expr> = columns.chain([condition.data.alias(HOLDS)]).collect();
                *plan = LogicalPlanBuilder::from(plan.clone()).project(columns)?.build()?;
                is_conditional = true;
            }
            _ => {
                return Err(external(
                    SqlState::INVALID_COLUMN_REFERENCE,
                    "the combining JOIN type must be INNER or LEFT for a LATERAL reference",
                ));
            }
        }
        let left = self.plan(Arc::unwrap_or_clone(join.left))?;
        let Loose { id, plan, args } = loose;
        let held = self.held(id, plan, false)?;
        let node = Arc::new(Dependent::new(left, args, held, join.join_type, is_conditional)?);
        let joined = LogicalPlan::Extension(Extension { node });
        match above {
            Some(condition) => self.expressions(LogicalPlan::Filter(Filter::try_new(condition, Arc::new(joined))?)),
            None => Ok(joined),
        }
    }
}

/// Whether the right side reads the left in a way that no plain join answers.
fn is_dependent(join: &Join) -> Result<bool> {
    let mut reads = false;
    seek(&join.right, &mut Vec::new(), &mut |column| reads |= !column.name.is_empty() && has(join.left.schema(), column))?;
    Ok(reads && !native::is_lateral_native(join.join_type, &join.right)?)
}

/// A sort by a subquery that reads columns which the list below does not keep: they are kept until it is done.
fn with_sort_columns(sort: Sort) -> Result<LogicalPlan> {
    let mut missing: Vec<Column> = Vec::new();
    let scope = Arc::clone(sort.input.schema());
    for key in &sort.expr {
        key.expr.apply(|expr| {
            if let Some(subquery) = subquery_of(expr) {
                seek(&subquery.subquery, &mut Vec::new(), &mut |column| {
                    if !column.name.is_empty() && !has(&scope, column) && !missing.contains(column) {
                        missing.push(column.clone());
                    }
                })?;
            }
            Ok(TreeNodeRecursion::Continue)
        })?;
    }
    let LogicalPlan::Projection(list) = sort.input.as_ref() else { return Ok(LogicalPlan::Sort(sort)) };
    if missing.is_empty() || !missing.iter().all(|column| has(list.input.schema(), column)) {
        return Ok(LogicalPlan::Sort(sort));
    }
    let columns = |schema: &DFSchemaRef| -> Vec<Expr> {
        schema.iter().map(|(relation, field)| Expr::Column(Column::new(relation.cloned(), field.name()))).collect()
    };
    let shown = columns(&scope);
    let exprs = list.expr.iter().cloned().chain(missing.into_iter().map(Expr::Column)).collect();
    let wider = LogicalPlan::Projection(Projection::try_new(exprs, Arc::clone(&list.input))?);
    let sorted = LogicalPlan::Sort(Sort { expr: sort.expr, input: Arc::new(wider), fetch: sort.fetch });
    LogicalPlanBuilder::from(sorted).project(shown)?.build()
}

/// What the analyzer makes of a plan, before it is checked.
pub(crate) fn analyzed(mut plan: LogicalPlan, state: &SessionState) -> Result<LogicalPlan> {
    for rule in &state.analyzer().rules {
        plan = rule.analyze(plan, state.config_options())?;
    }
    Ok(plan)
}

/// Whether two evaluations with the same arguments may differ.
fn is_volatile(plan: &LogicalPlan) -> Result<bool> {
    let mut found = false;
    super::visit(plan, &mut |node| {
        node.apply_expressions(|expr| {
            found |= expr.exists(|expr| {
                Ok(subplan::held(expr).is_none()
                    && matches!(expr, Expr::ScalarFunction(call) if call.func.signature().volatility == datafusion::logical_expr::Volatility::Volatile))
            })?;
            Ok(TreeNodeRecursion::Continue)
        })?;
        Ok(())
    })?;
    Ok(found)
}

fn ungrouped(column: &Column) -> DataFusionError {
    let message = format!("subquery uses ungrouped column \"{}\" from outer query", column.flat_name());
    external(SqlState::GROUPING_ERROR, &message)
}

fn external(state: SqlState, message: &str) -> DataFusionError {
    DataFusionError::External(Box::new(SqlError::new(state, message)))
}
