//! Aggregates by what they are asked for: those with an order, and those that Postgres has for some types only.
//!
//! A1: `array_agg` and `string_agg` with an order, or of distinct values, sort by themselves (`functions::gathered`).
//! A2: `min` and `max` are there for the types that Postgres has them for; it has no larger of two booleans. Errors: 42883.
//! Never: changes an aggregate of another name.

use std::sync::Arc;

use arrow::compute::SortOptions;
use arrow::datatypes::DataType;
use base::{SqlError, SqlState};
use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchema, DataFusionError, Result, ScalarValue};
use datafusion::logical_expr::expr::{AggregateFunction, Sort};
use datafusion::logical_expr::{Expr, ExprSchemable, WindowFunctionDefinition};

use crate::calls::call;
use crate::functions::gathered::{Gathers, gathering};
use crate::functions::types;
use crate::layouts;
use crate::operators::sorts_by_key;
use crate::resolution;

/// Whether A1 speaks of an aggregate.
pub(crate) fn sorts(aggregate: &AggregateFunction) -> bool {
    Gathers::named(aggregate.func.name()).is_some()
}

/// A1 and A2 for an aggregate of a group.
pub(crate) fn settle(mut aggregate: AggregateFunction, schema: &DFSchema) -> Result<Transformed<Expr>> {
    check(aggregate.func.name(), &aggregate.params.args, schema)?;
    let Some(gathers) = Gathers::named(aggregate.func.name()) else { return Ok(Transformed::no(Expr::AggregateFunction(aggregate))) };
    let params = &mut aggregate.params;
    if params.order_by.is_empty() && !params.distinct {
        return Ok(Transformed::no(Expr::AggregateFunction(aggregate)));
    }
    let mut order = std::mem::take(&mut params.order_by);
    if params.distinct {
        let bare = |expr: &Expr| expr.clone().unalias();
        if order.iter().any(|key| !params.args.iter().any(|arg| bare(arg) == bare(&key.expr))) {
            let message = "in an aggregate with DISTINCT, ORDER BY expressions must appear in argument list";
            return Err(external(SqlState::INVALID_COLUMN_REFERENCE, message.to_owned()));
        }
        let rest: Vec<Expr> = params.args.iter().filter(|arg| !order.iter().any(|key| bare(&key.expr) == bare(arg))).cloned().collect();
        order.extend(rest.into_iter().map(|arg| Sort::new(arg, true, false)));
    }
    let options = order.iter().map(|key| SortOptions { descending: !key.asc, nulls_first: key.nulls_first }).collect();
    aggregate.func = Arc::new(gathering(gathers, options, params.distinct));
    params.distinct = false;
    for key in order {
        let by_key = key.expr.get_type(schema).is_ok_and(|data_type| sorts_by_key(&data_type));
        params.args.push(if by_key { call("comparison_key", vec![key.expr])? } else { key.expr });
    }
    Ok(Transformed::yes(Expr::AggregateFunction(aggregate)))
}

/// A2 for an aggregate over a window.
pub(crate) fn check_window(function: &WindowFunctionDefinition, args: &[Expr], schema: &DFSchema) -> Result<()> {
    match function {
        WindowFunctionDefinition::AggregateUDF(function) => check(function.name(), args, schema),
        WindowFunctionDefinition::WindowUDF(function) => match (function.name(), args) {
            ("nth_value", [_, Expr::Literal(ScalarValue::Int64(Some(..=0)), _)]) => {
                Err(external(SqlState("22016"), "argument of nth_value must be greater than zero".to_owned()))
            }
            _ => Ok(()),
        },
    }
}

fn check(name: &str, args: &[Expr], schema: &DFSchema) -> Result<()> {
    let ("min" | "max", [arg]) = (name, args) else { return Ok(()) };
    let Ok(Some(data_type)) = resolution::type_of(arg, schema) else { return Ok(()) };
    let is_missing = match &data_type {
        DataType::Boolean | DataType::Binary | DataType::LargeBinary | DataType::BinaryView => true,
        other => *other == layouts::UUID || layouts::document_name(other).is_some() || layouts::record(other).is_some(),
    };
    if is_missing {
        return Err(external(SqlState::UNDEFINED_FUNCTION, format!("function {name}({}) does not exist", types::name(&data_type))));
    }
    Ok(())
}

fn external(state: SqlState, message: String) -> DataFusionError {
    let error = SqlError::new(state, message);
    let is_missing = error.state() == SqlState::UNDEFINED_FUNCTION;
    let hint = "No function matches the given name and argument types. You might need to add explicit type casts.";
    DataFusionError::External(Box::new(if is_missing { error.hint(hint) } else { error }))
}
