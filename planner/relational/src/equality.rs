//! Rows that are one row where their numbers are equal: GROUP BY, DISTINCT, joins, set operations over `numeric` of any length and `jsonb`, whose
//! bytes say 1.0 and 1.00 apart.
//!
//! E1: rows are grouped and joined by the keys of such values; what is shown of a group is the first value it met.
//! E2: columns that a UNION brings together keep the display scale of each value.
//! Never: changes a plan without such a column.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{Column, DFSchema, Result, ScalarValue};
use datafusion::functions_aggregate::first_last::first_value_udaf;
use datafusion::logical_expr::expr::AggregateFunction;
use datafusion::logical_expr::utils::grouping_set_to_exprlist;
use datafusion::logical_expr::{Aggregate, Cast, Distinct, Expr, ExprSchemable, GroupingSet, Join, LogicalPlan, Projection, Union, when};

use crate::calls::call;
use crate::exact;
use crate::layouts::{any_numeric, is_any_numeric, is_jsonb};
use crate::numbers::any_length;

/// The node with E1 and E2.
pub(crate) fn settle(plan: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
    match plan {
        LogicalPlan::Aggregate(aggregate) => group(aggregate),
        LogicalPlan::Distinct(Distinct::All(input)) if has_any(input.schema()) => {
            let columns = columns_of(input.schema());
            group(Aggregate::try_new(input, columns, vec![])?)
        }
        LogicalPlan::Distinct(Distinct::On(mut on)) => {
            let schema = Arc::clone(on.input.schema());
            let mut changed = keyed(&mut on.on_expr, &schema)?;
            for sort in on.sort_expr.iter_mut().flatten() {
                changed |= key_in_place(&mut sort.expr, &schema)?;
            }
            Ok(Transformed::new_transformed(LogicalPlan::Distinct(Distinct::On(on)), changed))
        }
        LogicalPlan::Join(join) => join_by_keys(join),
        LogicalPlan::Union(union) => unify(union),
        other => Ok(Transformed::no(other)),
    }
}

/// Whether equal values of a type may have other bytes.
pub(crate) fn says_apart(data_type: &DataType) -> bool {
    is_any_numeric(data_type) || is_jsonb(data_type)
}

fn is_any(expr: &Expr, schema: &DFSchema) -> bool {
    expr.get_type(schema).is_ok_and(|data_type| says_apart(&data_type))
}

fn has_any(schema: &DFSchema) -> bool {
    schema.fields().iter().any(|field| says_apart(field.data_type()))
}

fn columns_of(schema: &DFSchema) -> Vec<Expr> {
    schema.iter().map(|(qualifier, field)| Expr::Column(Column::new(qualifier.cloned(), field.name()))).collect()
}

/// The key instead of the value, where its bytes say equal ones apart.
pub(crate) fn key_in_place(expr: &mut Expr, schema: &DFSchema) -> Result<bool> {
    let changes = is_any(expr, schema);
    if changes {
        *expr = call("comparison_key", vec![std::mem::take(expr)])?;
    }
    Ok(changes)
}

fn keyed(exprs: &mut [Expr], schema: &DFSchema) -> Result<bool> {
    exprs.iter_mut().try_fold(false, |changed, expr| Ok(key_in_place(expr, schema)? || changed))
}

/// E1 for groups.
fn group(mut aggregate: Aggregate) -> Result<Transformed<LogicalPlan>> {
    let schema = Arc::clone(aggregate.input.schema());
    let grouped: Vec<Expr> = grouping_set_to_exprlist(&aggregate.group_expr)?.into_iter().cloned().collect();
    let numbers: Vec<usize> = (0..grouped.len()).filter(|at| is_any(&grouped[*at], &schema)).collect();
    if numbers.is_empty() {
        return Ok(Transformed::no(LogicalPlan::Aggregate(aggregate)));
    }
    let is_set = matches!(aggregate.group_expr.as_slice(), [Expr::GroupingSet(_)]);
    for expr in &mut aggregate.group_expr {
        match expr {
            Expr::GroupingSet(GroupingSet::Rollup(exprs) | GroupingSet::Cube(exprs)) => _ = keyed(exprs, &schema)?,
            Expr::GroupingSet(GroupingSet::GroupingSets(sets)) => {
                sets.iter_mut().try_for_each(|set| keyed(set, &schema).map(|_| ()))?;
            }
            plain => _ = key_in_place(plain, &schema)?,
        }
    }
    let first = aggregate.aggr_expr.len();
    for (number, at) in numbers.iter().enumerate() {
        let shown = AggregateFunction::new_udf(first_value_udaf(), vec![grouped[*at].clone()], false, None, vec![], None);
        aggregate.aggr_expr.push(Expr::AggregateFunction(shown).alias(format!("__shown_{number}")));
    }
    let outside = Arc::clone(&aggregate.schema);
    let inside = Aggregate::try_new(aggregate.input, aggregate.group_expr, aggregate.aggr_expr)?;
    let columns = columns_of(&inside.schema);
    let groups = inside.schema.fields().len() - first - numbers.len();
    let mut shown = Vec::with_capacity(outside.fields().len());
    for (at, (qualifier, field)) in outside.iter().enumerate() {
        let expr = match numbers.iter().position(|number| *number == at && at < groups) {
            // A set without this number has NULL for its key.
            Some(number) if is_set => {
                let null = Expr::Literal(ScalarValue::try_from(field.data_type())?, None);
                when(columns[at].clone().is_null(), null).otherwise(columns[groups + first + number].clone())?
            }
            Some(number) => columns[groups + first + number].clone(),
            None => columns[at].clone(),
        };
        let is_same = matches!(&expr, Expr::Column(column) if column.relation.as_ref() == qualifier && column.name == *field.name());
        shown.push(if is_same { expr } else { expr.alias_qualified(qualifier.cloned(), field.name()) });
    }
    Ok(Transformed::yes(LogicalPlan::Projection(Projection::try_new(shown, Arc::new(LogicalPlan::Aggregate(inside)))?)))
}

/// E1 for joins.
fn join_by_keys(mut join: Join) -> Result<Transformed<LogicalPlan>> {
    let mut changed = false;
    for (left, right) in &mut join.on {
        let types = (left.get_type(join.left.schema()), right.get_type(join.right.schema()));
        let (Ok(left_type), Ok(right_type)) = types else { continue };
        if exact::common(&[left_type.clone(), right_type.clone()]).is_some() && (is_any_numeric(&left_type) || is_any_numeric(&right_type))
        {
            *left = call("comparison_key", vec![any_length(std::mem::take(left), &left_type)])?;
            *right = call("comparison_key", vec![any_length(std::mem::take(right), &right_type)])?;
            changed = true;
        } else if is_jsonb(&left_type) && is_jsonb(&right_type) {
            *left = call("comparison_key", vec![std::mem::take(left)])?;
            *right = call("comparison_key", vec![std::mem::take(right)])?;
            changed = true;
        }
    }
    Ok(Transformed::new_transformed(LogicalPlan::Join(join), changed))
}

/// E2.
fn unify(union: Union) -> Result<Transformed<LogicalPlan>> {
    let width = union.inputs.iter().map(|input| input.schema().fields().len()).min().unwrap_or(0);
    let type_of = |input: &LogicalPlan, at: usize| input.schema().field(at).data_type().clone();
    let wanted: Vec<bool> = (0..width)
        .map(|at| exact::common(&union.inputs.iter().map(|input| type_of(input, at)).collect::<Vec<DataType>>()).is_some())
        .collect();
    if !wanted.iter().any(|wanted| *wanted) {
        return Ok(Transformed::no(LogicalPlan::Union(union)));
    }
    let mut inputs = Vec::with_capacity(union.inputs.len());
    let mut changed = false;
    for input in union.inputs {
        if (0..width).all(|at| !wanted[at] || is_any_numeric(&type_of(&input, at))) {
            inputs.push(input);
            continue;
        }
        changed = true;
        let cast = |(at, column): (usize, Expr)| {
            if at >= width || !wanted[at] || is_any_numeric(&type_of(&input, at)) {
                return column;
            }
            let (qualifier, field) = input.schema().qualified_field(at);
            Expr::Cast(Cast::new(Box::new(column), any_numeric())).alias_qualified(qualifier.cloned(), field.name())
        };
        let columns = columns_of(input.schema()).into_iter().enumerate().map(cast).collect();
        inputs.push(Arc::new(LogicalPlan::Projection(Projection::try_new(columns, input)?)));
    }
    Ok(Transformed::new_transformed(LogicalPlan::Union(Union::try_new_with_loose_types(inputs)?), changed))
}
