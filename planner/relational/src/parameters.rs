//! Types and values of `$1`, `$2`, ….
//!
//! M1: a type the caller gave stands; else the first use that settles one does; else text.
//! M3: a numeric parameter whose type is inferred has any length.
//! M2: a parameter under a cast has the cast's type, one in LIMIT or OFFSET is a bigint.
//! Never: looks at a value to choose a type.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef};
use arrow::datatypes::{DataType, Field, FieldRef};
use base::{SqlError, SqlResult, SqlState};
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{DFSchema, Result, ScalarValue};
use datafusion::logical_expr::expr::Placeholder;
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{Expr as PlanExpr, ExprSchemable, LogicalPlan, TypeSignature};
use sqlparser::ast::{BinaryOperator, Expr, LimitClause, Query, Statement, Value, ValueWithSpan, Visit, Visitor};

use crate::functions::arrays;
use crate::{layouts, output, sql_types};

/// Most parameters a statement can have, as in Postgres's protocol.
const MAX_PARAMETERS: usize = 65_535;

/// The parameters of a statement: how many, and what their surroundings in the AST say of their types.
pub(crate) struct Parameters {
    hints: HashMap<usize, DataType>,
    count: usize,
}

impl Parameters {
    /// Errors: 42P02 for a parameter that cannot be (`$0`, a name, a number too large).
    pub(crate) fn of(statement: &Statement) -> SqlResult<Self> {
        let mut visit = Collect { found: Self { hints: HashMap::new(), count: 0 } };
        match Visit::visit(statement, &mut visit) {
            ControlFlow::Break(error) => Err(error),
            ControlFlow::Continue(()) => Ok(visit.found),
        }
    }

    /// Types known before planning (M1, M2), one a parameter.
    pub(crate) fn known(&self, given: &[Option<DataType>]) -> Vec<Option<DataType>> {
        let known = |index: usize| given.get(index).cloned().flatten().or_else(|| self.hints.get(&index).cloned());
        (0..self.count.max(given.len())).map(known).collect()
    }
}

/// The types as DataFusion's planner takes them.
pub(crate) fn fields(types: &[Option<DataType>]) -> Vec<Option<FieldRef>> {
    let field = |(index, data_type): (usize, &Option<DataType>)| {
        data_type.as_ref().map(|data_type| Arc::new(Field::new(format!("${}", index + 1), data_type.clone(), true)) as FieldRef)
    };
    types.iter().enumerate().map(field).collect()
}

/// Completes `known` with what the plan inferred at each parameter's first typed use, and text for the rest.
pub(crate) fn settle(known: &[Option<DataType>], plan: &LogicalPlan) -> Result<Vec<Option<DataType>>> {
    let mut inferred: HashMap<usize, DataType> = HashMap::new();
    plan.apply_with_subqueries(|node| {
        let schema = merge_schema(&node.inputs());
        node.apply_expressions(|expr| {
            expr.apply(|expr| {
                if let Some((index, data_type)) = quantified(expr, &schema) {
                    inferred.entry(index).or_insert(data_type);
                }
                for (index, data_type) in called(expr) {
                    inferred.entry(index).or_insert(data_type);
                }
                if let PlanExpr::Placeholder(Placeholder { id, field: Some(field) }) = expr
                    && let Some(index) = index_of(id)
                    && !field.data_type().is_null()
                {
                    inferred.entry(index).or_insert_with(|| field.data_type().clone());
                }
                Ok(TreeNodeRecursion::Continue)
            })
        })
    })?;
    let settle = |(index, known): (usize, &Option<DataType>)| {
        let settled = known.clone().or_else(|| inferred.get(&index).map(|data_type| of_any_length(&output::shown_type(data_type))));
        Some(settled.unwrap_or(DataType::Utf8))
    };
    Ok(known.iter().enumerate().map(settle).collect())
}

/// A numeric parameter is as long as its value, whatever the digits of what it stands beside.
fn of_any_length(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Decimal128(..) => layouts::any_numeric(),
        DataType::List(item) => layouts::array_of(of_any_length(item.data_type())),
        other => other.clone(),
    }
}

/// The parameter on the right of ANY or ALL: an array of what stands on the left.
fn quantified(expr: &PlanExpr, schema: &DFSchema) -> Option<(usize, DataType)> {
    let PlanExpr::ScalarFunction(function) = expr else { return None };
    let is_quantified = arrays::ANY.iter().chain(&arrays::ALL).any(|(_, name)| *name == function.func.name());
    match function.args.as_slice() {
        [left, PlanExpr::Placeholder(Placeholder { id, field: None })] if is_quantified => {
            let element = left.get_type(schema).ok().filter(|data_type| !data_type.is_null())?;
            Some((index_of(id)?, layouts::array_of(output::shown_type(&element))))
        }
        _ => None,
    }
}

/// Parameters that are arguments of a function which takes only these types.
fn called(expr: &PlanExpr) -> Vec<(usize, DataType)> {
    let PlanExpr::ScalarFunction(function) = expr else { return Vec::new() };
    let exact = |form: &TypeSignature| match form {
        TypeSignature::Exact(types) if types.len() == function.args.len() => Some(types.clone()),
        _ => None,
    };
    let types = match &function.func.signature().type_signature {
        TypeSignature::OneOf(forms) => forms.iter().find_map(exact),
        form => exact(form),
    };
    let parameter = |(arg, data_type): (&PlanExpr, DataType)| match arg {
        PlanExpr::Placeholder(Placeholder { id, field: None }) => Some((index_of(id)?, data_type)),
        _ => None,
    };
    function.args.iter().zip(types.unwrap_or_default()).filter_map(parameter).collect()
}

/// The values of one-row arrays, cast to their types. Errors: 08P01 for a wrong count or length.
pub(crate) fn values(parameters: &[ArrayRef], types: &[Option<DataType>]) -> SqlResult<Vec<ScalarValue>> {
    if parameters.len() < types.len() {
        let message = format!("bind message supplies {} parameters, but the statement requires {}", parameters.len(), types.len());
        return Err(SqlError::new(SqlState::PROTOCOL_VIOLATION, message));
    }
    let value = |(array, data_type): (&ArrayRef, &Option<DataType>)| {
        if array.len() != 1 {
            return Err(SqlError::new(SqlState::PROTOCOL_VIOLATION, format!("a parameter is one value, not {}", array.len())));
        }
        let value = ScalarValue::try_from_array(array, 0).map_err(|error| crate::errors::unplaced(&error))?;
        match data_type {
            Some(data_type) if value.data_type() != *data_type => {
                let converted = crate::functions::conversions::convert(array, data_type)?;
                ScalarValue::try_from_array(&converted, 0).map_err(|error| crate::errors::unplaced(&error))
            }
            _ => Ok(value),
        }
    };
    parameters.iter().zip(types).map(value).collect()
}

fn index_of(id: &str) -> Option<usize> {
    id.strip_prefix('$')?.parse::<usize>().ok()?.checked_sub(1)
}

struct Collect {
    found: Parameters,
}

impl Collect {
    fn hint(&mut self, expr: &Expr, data_type: DataType) {
        if let Expr::Value(ValueWithSpan { value: Value::Placeholder(id), .. }) = expr
            && let Some(index) = index_of(id)
        {
            self.found.hints.entry(index).or_insert(data_type);
        }
    }
}

impl Visitor for Collect {
    type Break = SqlError;

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<SqlError> {
        let counts: Vec<&Expr> = match &query.limit_clause {
            Some(LimitClause::LimitOffset { limit, offset, .. }) => limit.iter().chain(offset.iter().map(|offset| &offset.value)).collect(),
            Some(LimitClause::OffsetCommaLimit { offset, limit }) => vec![offset, limit],
            None => vec![],
        };
        let fetched = query.fetch.as_ref().and_then(|fetch| fetch.quantity.as_ref());
        counts.into_iter().chain(fetched).for_each(|count| self.hint(count, DataType::Int64));
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<SqlError> {
        // Of two parameters neither says what the other is; joined they are text.
        if let Expr::BinaryOp { left, op: BinaryOperator::StringConcat, right } = expr
            && [left, right].iter().all(|side| matches!(side.as_ref(), Expr::Value(ValueWithSpan { value: Value::Placeholder(_), .. })))
        {
            self.hint(left, DataType::Utf8);
            self.hint(right, DataType::Utf8);
        }
        if let Expr::Cast { expr, data_type, .. } = expr
            && let Ok(Some(data_type)) = sql_types::whole(data_type)
        {
            self.hint(expr, data_type);
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_value(&mut self, value: &ValueWithSpan) -> ControlFlow<SqlError> {
        let Value::Placeholder(id) = &value.value else { return ControlFlow::Continue(()) };
        match index_of(id) {
            Some(index) if index < MAX_PARAMETERS => {
                self.found.count = self.found.count.max(index + 1);
                ControlFlow::Continue(())
            }
            _ => ControlFlow::Break(SqlError::new(SqlState::UNDEFINED_PARAMETER, format!("there is no parameter {id}"))),
        }
    }
}
