//! Finds sorts of which the first rows are wanted, and MIN and MAX of a whole input, over a scan whose table has an index in that order.
//!
//! F1: between them and the scan stand only operators that keep each row or drop it: filters, lists of columns, exchanges that deal rows out.
//! F2: an index's order is the sort's: columns with one value aside, its next columns are those sorted by, all ascending with NULL last or all the other
//!     way round. Where NULL stands does not matter of a column that has none, or that a comparison leaves none of.
//! F3: after all columns of a unique index that have no NULL there is nothing left to sort by.
//! F4: the uppermost filter ends with the last row that is wanted, and does not gather a batch before the first leaves.
//! Never: looks at rows.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::{LexOrdering, PhysicalExpr};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::aggregates::{AggregateExec, AggregateMode, PhysicalGroupBy};
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::execution_plan::ChildrenPropertiesMode;
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::limit::GlobalLimitExec;
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::sorts::sort_preserving_merge::SortPreservingMergeExec;
use datafusion::physical_plan::{ExecutionPlan, Partitioning, ReplaceChildrenOptions};

use super::TopByIndexExec;
use crate::ordered_scan::OrderedScanExec;
use crate::scan::{Bounds, Reading, SegmentScanExec};
use crate::sequence::Sequence;
use crate::table::{Comparison, Order, TableIndex};

/// Rows that are held before the first leaves.
const WANTED_MAX: usize = 4_096;

/// See the module.
#[derive(Debug)]
pub(crate) struct TopByIndex;

impl PhysicalOptimizerRule for TopByIndex {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _config: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        let changed = plan.transform_down(|node| {
            let ordered = match sorted(&node)? {
                None => extremes(&node)?,
                some => some,
            };
            Ok(match ordered {
                Some(ordered) => {
                    let exec: Arc<dyn ExecutionPlan> = Arc::new(TopByIndexExec::new(node, ordered));
                    Transformed::new(exec, true, TreeNodeRecursion::Jump)
                }
                None => Transformed::no(node),
            })
        })?;
        Ok(changed.data)
    }

    fn name(&self) -> &str {
        "top_by_index"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// What is sorted by, over an operator's output, and how.
#[derive(Clone)]
struct Key {
    expr: Arc<dyn PhysicalExpr>,
    descending: bool,
    nulls_first: bool,
}

/// What stands for the column at a place.
type Columns<'a> = dyn Fn(usize) -> Option<Arc<dyn PhysicalExpr>> + 'a;

/// What some operators are to give in order.
#[derive(Clone)]
struct Asked {
    keys: Vec<Key>,
    wanted: usize,
    /// Rows in which the first column is NULL do not matter.
    not_null: bool,
    /// Whether a filter above drops rows of these.
    is_filtered: bool,
}

/// What gives the first rows of a sort in its order.
fn sorted(node: &Arc<dyn ExecutionPlan>) -> Result<Option<Arc<dyn ExecutionPlan>>> {
    let Some(merge) = node.downcast_ref::<SortPreservingMergeExec>() else {
        let sort = node.downcast_ref::<SortExec>().filter(|sort| !sort.preserve_partitioning());
        return first_of(sort, sort.and_then(|sort| sort.fetch()), None);
    };
    // A list of columns between them is made of the rows in their order.
    match merge.input().downcast_ref::<ProjectionExec>() {
        Some(list) => first_of(list.input().downcast_ref::<SortExec>(), merge.fetch(), Some(merge.input())),
        None => first_of(merge.input().downcast_ref::<SortExec>(), merge.fetch(), None),
    }
}

/// So many rows of a sort, and of them the columns of the list.
fn first_of(
    sort: Option<&SortExec>,
    fetch: Option<usize>,
    list: Option<&Arc<dyn ExecutionPlan>>,
) -> Result<Option<Arc<dyn ExecutionPlan>>> {
    let (Some(sort), Some(wanted)) = (sort, fetch.filter(|wanted| (1..=WANTED_MAX).contains(wanted))) else { return Ok(None) };
    let keys = keys_of(sort.expr());
    let Some(rows) = in_order(sort.input(), Asked { keys, wanted, not_null: false, is_filtered: false })? else { return Ok(None) };
    let rows = match list {
        None => rows,
        Some(list) => Arc::clone(list).replace_children(vec![rows], ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute))?,
    };
    Ok(Some(Arc::new(GlobalLimitExec::new(rows, 0, Some(wanted)))))
}

fn keys_of(ordering: &LexOrdering) -> Vec<Key> {
    let key = |sort: &datafusion::physical_expr::PhysicalSortExpr| Key {
        expr: Arc::clone(&sort.expr),
        descending: sort.options.descending,
        nulls_first: sort.options.nulls_first,
    };
    ordering.iter().map(key).collect()
}

/// The place in a table of the column, or of the expression of an index, that an expression over a scan's output is, or is the key of (C2 of
/// `coercions.rs`).
fn place_of(expr: &Arc<dyn PhysicalExpr>, reading: &Reading) -> Option<usize> {
    let of_table = |at: usize| {
        let place = *reading.columns.get(at)?;
        Some(Arc::new(Column::new(reading.whole.field(place).name(), place)) as Arc<dyn PhysicalExpr>)
    };
    let expr = over(expr, &of_table)?;
    if let Some(column) = expr.downcast_ref::<Column>() {
        return Some(column.index());
    }
    let known = |expr: &Arc<dyn PhysicalExpr>| {
        let at = reading.expressions.iter().position(|known| known.physical.as_ref().is_some_and(|known| known == expr));
        at.map(|at| reading.whole.fields().len() + at)
    };
    let call = expr.downcast_ref::<datafusion::physical_expr::ScalarFunctionExpr>();
    match call.map(|call| (call.name(), call.args())) {
        Some(("comparison_key", [one])) => one.downcast_ref::<Column>().map(Column::index).or_else(|| known(one)),
        _ => known(&expr),
    }
}

/// An expression with other expressions in place of its columns; `None` where one has none.
fn over(expr: &Arc<dyn PhysicalExpr>, column: &Columns<'_>) -> Option<Arc<dyn PhysicalExpr>> {
    if let Some(own) = expr.downcast_ref::<Column>() {
        return column(own.index());
    }
    let children = expr.children();
    if children.is_empty() {
        return Some(Arc::clone(expr));
    }
    let children = children.into_iter().map(|child| over(child, column)).collect::<Option<Vec<_>>>()?;
    Arc::clone(expr).with_new_children(children).ok()
}

/// What gives MIN and MAX of columns of a whole input by reading one row for each.
fn extremes(node: &Arc<dyn ExecutionPlan>) -> Result<Option<Arc<dyn ExecutionPlan>>> {
    let Some(last) = node.downcast_ref::<AggregateExec>() else { return Ok(None) };
    let first = match last.mode() {
        AggregateMode::Single => last,
        AggregateMode::Final | AggregateMode::FinalPartitioned => {
            let input = match last.input().downcast_ref::<CoalescePartitionsExec>() {
                Some(gathered) => gathered.input(),
                None => last.input(),
            };
            match input.downcast_ref::<AggregateExec>().filter(|inner| *inner.mode() == AggregateMode::Partial) {
                Some(inner) => inner,
                None => return Ok(None),
            }
        }
        _ => return Ok(None),
    };
    let is_plain = last.group_expr().is_empty() && first.filter_expr().iter().all(Option::is_none) && !first.aggr_expr().is_empty();
    if !is_plain {
        return Ok(None);
    }
    let mut inputs = Vec::new();
    for aggregate in first.aggr_expr() {
        let descending = match aggregate.fun().name() {
            "min" => false,
            "max" => true,
            _ => return Ok(None),
        };
        let arguments = aggregate.expressions();
        let [expr] = arguments.as_slice() else { return Ok(None) };
        let key = Key { expr: Arc::clone(expr), descending, nulls_first: descending };
        let asked = Asked { keys: vec![key], wanted: 1, not_null: true, is_filtered: false };
        let Some(rows) = in_order(first.input(), asked)? else { return Ok(None) };
        inputs.push(Arc::new(GlobalLimitExec::new(rows, 0, Some(1))) as Arc<dyn ExecutionPlan>);
    }
    let rows = Sequence::in_turn(inputs, first.input().schema());
    let (aggregates, filters) = (first.aggr_expr().to_vec(), first.filter_expr().to_vec());
    let group = PhysicalGroupBy::new_single(Vec::new());
    let whole = AggregateExec::try_new(AggregateMode::Single, group, aggregates, filters, rows, first.input_schema())?;
    Ok((whole.schema() == last.schema()).then(|| Arc::new(whole) as Arc<dyn ExecutionPlan>))
}

/// The rows of some operators in an order (F1).
fn in_order(plan: &Arc<dyn ExecutionPlan>, asked: Asked) -> Result<Option<Arc<dyn ExecutionPlan>>> {
    if let Some(scan) = plan.downcast_ref::<SegmentScanExec>() {
        return Ok(by_index(scan, &asked));
    }
    if plan.fetch().is_some() {
        return Ok(None);
    }
    if let Some(exchange) = plan.downcast_ref::<RepartitionExec>() {
        let deals = matches!(exchange.partitioning(), Partitioning::RoundRobinBatch(_));
        return if deals { in_order(exchange.input(), asked) } else { Ok(None) };
    }
    if let Some(gathered) = plan.downcast_ref::<CoalescePartitionsExec>() {
        return in_order(gathered.input(), asked);
    }
    let mut fetch = None;
    let (input, column): (_, Box<Columns<'_>>) = if let Some(filter) = plan.downcast_ref::<FilterExec>() {
        let schema = filter.input().schema();
        let place = move |at: usize| {
            let at = match filter.projection() {
                Some(projection) => projection.get(at).copied()?,
                None => at,
            };
            Some(Arc::new(Column::new(schema.fields().get(at)?.name(), at)) as Arc<dyn PhysicalExpr>)
        };
        fetch = (!asked.is_filtered).then_some(asked.wanted);
        (filter.input(), Box::new(place))
    } else if let Some(list) = plan.downcast_ref::<ProjectionExec>() {
        (list.input(), Box::new(|at| Some(Arc::clone(&list.expr().get(at)?.expr))))
    } else {
        return Ok(None);
    };
    let keys = asked.keys.iter().map(|key| over(&key.expr, &column).map(|expr| Key { expr, ..*key })).collect();
    let Some(keys) = keys else { return Ok(None) };
    let is_filtered = asked.is_filtered || plan.downcast_ref::<FilterExec>().is_some();
    let Some(rows) = in_order(input, Asked { keys, is_filtered, ..asked })? else { return Ok(None) };
    let options = ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute);
    let over = Arc::clone(plan).replace_children(vec![rows], options)?;
    // F4.
    Ok(Some(if fetch.is_some() { over.with_fetch(fetch).unwrap_or(over) } else { over }))
}

fn by_index(scan: &SegmentScanExec, asked: &Asked) -> Option<Arc<dyn ExecutionPlan>> {
    let (reading, bounds) = scan.whole()?;
    let fitting = |(at, index): (usize, &TableIndex)| {
        let (backward, used) = fits((at, index), reading, bounds, asked)?;
        let order = Order { index: at, backward, not_null: asked.not_null, wanted: asked.wanted };
        Some((used, order))
    };
    // That which is asked for most; of equal ones that which surely has all rows.
    let rank = |(used, order): &(Vec<usize>, Order)| (used.len(), reading.indexes[order.index].condition.is_none());
    let (used, order) = reading.indexes.iter().enumerate().filter_map(fitting).max_by_key(rank)?;
    Some(Arc::new(OrderedScanExec::new(reading.clone(), bounds.clone(), used, order)))
}

/// Whether an index has the order (F2): whether it is read backward, and the bounds that it is asked for.
fn fits((at, index): (usize, &TableIndex), reading: &Reading, bounds: &Bounds, asked: &Asked) -> Option<(bool, Vec<usize>)> {
    if let Some(Some(parts)) = reading.conditions.get(at) {
        let bound: Vec<usize> = bounds.iter().map(|(column, ..)| *column).collect();
        if !parts.iter().all(|part| part.is_possible(&bound)) {
            return None;
        }
    }
    let equal = |column: usize| bounds.iter().position(|(bound, op, _)| *bound == column && *op == Comparison::Eq);
    let mut used = Vec::new();
    let mut columns = index.columns.iter().peekable();
    let mut has_null = false;
    while let Some((column, _)) = columns.peek()
        && let Some(at) = equal(*column)
    {
        used.push(at);
        columns.next();
    }
    if let Some((column, _)) = columns.peek() {
        let is_end = |(bound, op, _): &(usize, Comparison, _)| bound == column && !matches!(op, Comparison::Eq | Comparison::In);
        used.extend(bounds.iter().enumerate().filter(|(_, bound)| is_end(bound)).map(|(at, _)| at));
    }
    let mut backward = None;
    for key in &asked.keys {
        let sorted = place_of(&key.expr, reading)?;
        if equal(sorted).is_some() {
            continue;
        }
        let Some((column, nullable)) = columns.next() else {
            // F3.
            return (index.is_unique && !has_null).then_some((backward.unwrap_or(false), used));
        };
        let is_bound = asked.not_null || bounds.iter().any(|(bound, op, _)| bound == column && *op != Comparison::Null);
        has_null |= *nullable && !is_bound;
        let is_fitting = *column == sorted
            && backward.is_none_or(|backward| backward == key.descending)
            && (!*nullable || is_bound || key.nulls_first == key.descending);
        if !is_fitting {
            return None;
        }
        backward = Some(key.descending);
    }
    Some((backward.unwrap_or(false), used))
}
