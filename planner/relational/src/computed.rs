//! Expressions that indexes of a table are over, and conditions of indexes that only some of its rows are in: which parts of a query are the same, and
//! which conditions a query implies.
//!
//! C1: an expression is planned and simplified as those of statements are; what is the same then is the same expression, whatever was written.
//! C2: a condition is implied if each of its parts, joined by AND, is: it stands in the query; or bounds have values that it is true of, all of them or
//!     one end of a range; or it says that something is not NULL which a bound compares.
//! C3: what depends on values is decided by each run with its own.
//! Never: computes what an index holds.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, SchemaRef};
use base::{SqlError, SqlResult};
use datafusion::catalog::Session;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Column, DFSchema, Result, ScalarValue};
use datafusion::execution::context::SessionState;
use datafusion::logical_expr::simplify::SimplifyContext;
use datafusion::logical_expr::{BinaryExpr, ColumnarValue, Expr, LogicalPlan, Operator};
use datafusion::optimizer::simplify_expressions::ExprSimplifier;
use datafusion::physical_expr::PhysicalExpr;

use crate::operand::{Hint, Operand};
use crate::table::{Bound, Comparison, Partition, Table};

/// The columns of a table, without rows.
#[derive(Debug)]
pub(crate) struct RowShape(pub(crate) SchemaRef);

impl Table for RowShape {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.0)
    }

    fn primary_key(&self) -> &[usize] {
        &[]
    }

    fn row_count(&self) -> Option<usize> {
        None
    }

    fn lookup(&self, _key: &[arrow::array::ArrayRef]) -> SqlResult<Vec<RecordBatch>> {
        Ok(Vec::new())
    }

    fn scan(&self, _projection: &[usize], _pruning: &[Bound], _partitions: usize) -> SqlResult<Vec<Partition>> {
        Err(SqlError::internal("the shape of a row has no rows"))
    }
}

/// The one expression of a planned list over [`RowShape`], as filters of scans are compared with it (C1).
pub(crate) fn expression(plan: LogicalPlan, schema: &SchemaRef, state: &SessionState) -> Result<Option<Expr>> {
    let LogicalPlan::Projection(list) = plan else { return Ok(None) };
    let Some(expr) = list.expr.first().filter(|_| matches!(*list.input, LogicalPlan::TableScan(_) | LogicalPlan::SubqueryAlias(_))) else {
        return Ok(None);
    };
    let schema = Arc::new(DFSchema::try_from(Arc::clone(schema))?);
    let context = SimplifyContext::builder().with_schema(schema).with_config_options(Arc::clone(state.config_options())).build();
    ExprSimplifier::new(context).simplify(bare(expr.clone())?).map(Some)
}

/// The expression without names of tables, and without its own.
pub(crate) fn bare(expr: Expr) -> Result<Expr> {
    let unqualified = expr.transform(|part| {
        Ok(match part {
            Expr::Column(Column { relation: Some(_), name, .. }) => Transformed::yes(Expr::Column(Column::new_unqualified(name))),
            Expr::Alias(alias) => Transformed::yes(*alias.expr),
            other => Transformed::no(other),
        })
    })?;
    Ok(unqualified.data)
}

/// An expression of a table that this statement may mention.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    /// As EXPLAIN shows it.
    pub(crate) shown: String,
    pub(crate) data_type: DataType,
    /// `None` where the statement cannot mention it.
    pub(crate) expr: Option<Expr>,
}

impl Known {
    /// As an operator computes it. Errors: what planning raises.
    pub(crate) fn physical(&self, schema: &SchemaRef, session: &dyn Session) -> Result<Option<Arc<dyn PhysicalExpr>>> {
        self.expr.as_ref().map(|expr| session.create_physical_expr(expr.clone(), &DFSchema::try_from(Arc::clone(schema))?)).transpose()
    }
}

/// Parts of a condition that are joined by AND.
pub(crate) fn parts(condition: &Expr) -> Vec<&Expr> {
    match condition {
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::And, right }) => parts(left).into_iter().chain(parts(right)).collect(),
        other => vec![other],
    }
}

/// The expression with marks in place of its constants and parameters, and these.
fn without_constants(expr: &Expr) -> Result<(Expr, Vec<Expr>)> {
    let mut constants = Vec::new();
    let marked = bare(expr.clone())?.transform_up(|part| {
        if matches!(part, Expr::Literal(..) | Expr::Placeholder(_)) || crate::slot::reader(&part).is_some() {
            constants.push(part);
            return Ok(Transformed::yes(Expr::Literal(ScalarValue::UInt64(Some(constants.len() as u64)), None)));
        }
        Ok(Transformed::no(part))
    })?;
    Ok((marked.data, constants))
}

/// What a filter has to have in a run for a part of a condition to stand in it: `None` where it is another condition whatever the values.
pub(crate) fn standing(part: &Expr, filter: &Expr) -> Result<Option<Vec<(Operand, ScalarValue)>>> {
    let ((part, wanted), (filter, given)) = (without_constants(part)?, without_constants(filter)?);
    if part != filter || wanted.len() != given.len() {
        return Ok(None);
    }
    let mut needed = Vec::new();
    for (wanted, given) in wanted.iter().zip(&given) {
        match (wanted, given) {
            (Expr::Literal(wanted, _), Expr::Literal(given, _)) if wanted == given => {}
            (Expr::Literal(wanted, _), given) => match Operand::of(given, &wanted.data_type()) {
                Some(operand) => needed.push((operand, wanted.clone())),
                None => return Ok(None),
            },
            _ => return Ok(None),
        }
    }
    Ok(Some(needed))
}

/// What a part of a condition compares.
#[derive(Clone, Debug)]
pub(crate) enum Compares {
    /// Something with a constant; `None` of the comparison is `<>`.
    Value(usize, Option<Comparison>, ScalarValue),
    /// That something is not NULL.
    NotNull(usize),
    Other,
}

/// A part of a condition, ready to be asked in runs of a plan.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    /// Ways in which it stands in the query: what has to have which value for it.
    pub(crate) standing: Vec<Vec<(Operand, ScalarValue)>>,
    pub(crate) compares: Compares,
    /// Itself, over the columns at these places of the table's schema, in a batch of just these.
    pub(crate) itself: Option<(Arc<dyn PhysicalExpr>, SchemaRef, Vec<usize>)>,
}

impl Part {
    /// Whether it can be implied at all by bounds on these columns (C2).
    pub(crate) fn is_possible(&self, bounds: &[usize]) -> bool {
        let is_bound = |column: &usize| bounds.contains(column);
        let compared = match &self.compares {
            Compares::Value(column, ..) | Compares::NotNull(column) => is_bound(column),
            Compares::Other => false,
        };
        compared || !self.standing.is_empty() || self.itself.as_ref().is_some_and(|(.., columns)| columns.iter().all(is_bound))
    }

    /// Whether this run's bounds imply it (C2). Errors: what evaluating raises of parameters.
    pub(crate) fn is_implied(&self, bounds: &[Bound]) -> Result<bool> {
        for needed in &self.standing {
            let mut stands = true;
            for (operand, wanted) in needed {
                stands &= matches!(operand.hint()?, Hint::Is(value, _) if value == *wanted);
            }
            if stands {
                return Ok(true);
            }
        }
        let by_ends = match &self.compares {
            Compares::NotNull(column) => bounds.iter().any(|bound| bound.column == *column && bound.op != Comparison::Null),
            Compares::Value(column, op, constant) => {
                let mut of_column = bounds.iter().filter(|bound| bound.column == *column);
                of_column.any(|bound| ends_within(bound, *op, constant).unwrap_or(false))
            }
            Compares::Other => false,
        };
        Ok(by_ends || self.is_true_of(bounds))
    }

    /// Whether all that it reads has one value each, and it is true of these.
    fn is_true_of(&self, bounds: &[Bound]) -> bool {
        let Some((itself, schema, columns)) = &self.itself else { return false };
        let value = |column: &usize| bounds.iter().find(|bound| bound.column == *column && bound.op == Comparison::Eq);
        let Some(values) = columns.iter().map(|column| value(column).map(|bound| Arc::clone(&bound.value))).collect::<Option<Vec<_>>>()
        else {
            return false;
        };
        let answer = RecordBatch::try_new(Arc::clone(schema), values).ok().and_then(|row| itself.evaluate(&row).ok());
        match answer {
            Some(ColumnarValue::Scalar(ScalarValue::Boolean(Some(holds)))) => holds,
            Some(ColumnarValue::Array(array)) => matches!(ScalarValue::try_from_array(&array, 0), Ok(ScalarValue::Boolean(Some(true)))),
            _ => false,
        }
    }
}

/// Whether everything within a bound compares so with a constant.
fn ends_within(bound: &Bound, op: Option<Comparison>, constant: &ScalarValue) -> Option<bool> {
    use Comparison::{Eq, Ge, Gt, Le, Lt};
    let end = ScalarValue::try_from_array(&bound.value, 0).ok()?;
    let is_float = end.data_type().is_floating();
    let order = end.partial_cmp(constant).filter(|_| end.data_type() == constant.data_type() && !is_float)?;
    Some(match (op, bound.op) {
        (Some(Gt), Gt) | (Some(Ge), Ge | Gt) => order.is_ge(),
        (Some(Gt), Ge) => order.is_gt(),
        (Some(Lt), Lt) | (Some(Le), Le | Lt) => order.is_le(),
        (Some(Lt), Le) => order.is_lt(),
        (None, Gt) => order.is_ge(),
        (None, Ge) => order.is_gt(),
        (None, Lt) => order.is_le(),
        (None, Le) => order.is_lt(),
        (Some(Gt), Eq) => order.is_gt(),
        (Some(Ge), Eq) => order.is_ge(),
        (Some(Lt), Eq) => order.is_lt(),
        (Some(Le), Eq) => order.is_le(),
        (Some(Eq), Eq) => order.is_eq(),
        (None, Eq) => order.is_ne(),
        _ => false,
    })
}

/// Which indexes a run may ask: by place, those without a condition and those whose condition it implies.
pub(crate) fn askable(conditions: &[Option<Vec<Part>>], bounds: &[Bound]) -> Result<Vec<bool>> {
    let of_one = |condition: &Option<Vec<Part>>| match condition {
        None => Ok(true),
        Some(parts) => parts.iter().try_fold(true, |all, part| Ok(all && part.is_implied(bounds)?)),
    };
    conditions.iter().map(of_one).collect()
}
