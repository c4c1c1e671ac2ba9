//! Windows that the engine has no frames for: EXCLUDE, and RANGE by a distance between numbers of any length.
//!
//! W1: such a call becomes one of a [`Framed`] function, which gets what the call gets, its filter and its order, and finds its frames by itself.
//! W2: EXCLUDE is a mark among the expressions of PARTITION BY until then; a function that has no use for a frame only loses it.
//! W3: a RANGE distance is one that the type of the order can be moved by. Errors: 0A000, 22013.
//! W4: `lag` and `lead` answer the common type of the value and its default.

mod distance;
mod frames;
mod function;

use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray};
use arrow::datatypes::DataType;
use base::{SqlError, SqlState};
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchema, DataFusionError, Result, ScalarValue};
use datafusion::logical_expr::expr::{WindowFunction, WindowFunctionParams};
use datafusion::logical_expr::{
    Cast, Expr, ExprSchemable, LogicalPlan, WindowFrame, WindowFrameBound, WindowFrameUnits, WindowFunctionDefinition, WindowUDF,
};
use datafusion::optimizer::AnalyzerRule;

use crate::aggregate_forms;
use crate::calls::call;
use crate::exact;
use crate::functions::averages::BIGINT_DECIMAL;
use crate::functions::conversions::convert;
use crate::layouts;
use crate::mapping::map_named;
use crate::marks::{EXCLUDE_CURRENT_ROW, EXCLUDE_GROUP, EXCLUDE_NO_OTHERS, EXCLUDE_TIES};
use crate::operators::sorts_by_key;
use crate::session_options::manner_of;
use crate::values::zone::Zone;
use crate::{resolution, type_families};

use frames::Exclusion;
use function::{Framed, Inner, any};

/// The rule that finds such windows.
#[derive(Debug)]
pub(crate) struct Frames;

impl AnalyzerRule for Frames {
    fn name(&self) -> &str {
        "frames"
    }

    fn analyze(&self, plan: LogicalPlan, config: &ConfigOptions) -> Result<LogicalPlan> {
        let mut any_changed = false;
        let plan = plan.transform_up_with_subqueries(|plan| {
            let rewritten = map_named(plan, &mut |expr, schema| settle(expr, schema, manner_of(config).zone))?;
            any_changed |= rewritten.transformed;
            if any_changed { rewritten.map_data(LogicalPlan::recompute_schema) } else { Ok(rewritten) }
        })?;
        Ok(plan.data)
    }
}

fn settle(expr: Expr, schema: &DFSchema, zone: Zone) -> Result<Transformed<Expr>> {
    let Expr::WindowFunction(mut window) = expr else { return Ok(Transformed::no(expr)) };
    let exclusion = take_mark(&mut window.params.partition_by);
    check_range(&window.params, schema)?;
    let by_number = is_numeric_range(&window.params, schema);
    let inner = Inner::of_value(window.fun.name()).or_else(|| match &window.fun {
        WindowFunctionDefinition::AggregateUDF(aggregate) => Some(Inner::Aggregate(Arc::clone(aggregate))),
        WindowFunctionDefinition::WindowUDF(_) => None,
    });
    match inner {
        Some(inner) if by_number || exclusion.is_some_and(|exclusion| exclusion != Exclusion::NoOthers) => {
            aggregate_forms::check_window(&window.fun, &window.params.args, schema)?;
            framed(*window, inner, exclusion.unwrap_or(Exclusion::NoOthers), schema, zone).map(Transformed::yes)
        }
        _ => {
            let has_default = is_shift(&window.fun) && bring_together(&mut window.params.args, schema)?;
            Ok(Transformed::new_transformed(Expr::WindowFunction(window), has_default || exclusion.is_some()))
        }
    }
}

/// W2.
fn take_mark(partition_by: &mut Vec<Expr>) -> Option<Exclusion> {
    let exclusion = |expr: &Expr| match expr {
        Expr::ScalarFunction(mark) => match mark.func.name() {
            EXCLUDE_NO_OTHERS => Some(Exclusion::NoOthers),
            EXCLUDE_CURRENT_ROW => Some(Exclusion::CurrentRow),
            EXCLUDE_GROUP => Some(Exclusion::Group),
            EXCLUDE_TIES => Some(Exclusion::Ties),
            _ => None,
        },
        _ => None,
    };
    let at = partition_by.iter().position(|expr| exclusion(expr).is_some())?;
    exclusion(&partition_by.remove(at))
}

fn distances(frame: &WindowFrame) -> impl Iterator<Item = &str> {
    let is_range = frame.units == WindowFrameUnits::Range;
    [&frame.start_bound, &frame.end_bound].into_iter().filter(move |_| is_range).filter_map(|bound| match bound {
        WindowFrameBound::Preceding(ScalarValue::Utf8(Some(text))) | WindowFrameBound::Following(ScalarValue::Utf8(Some(text))) => {
            Some(text.as_str())
        }
        _ => None,
    })
}

/// W3.
fn check_range(params: &WindowFunctionParams, schema: &DFSchema) -> Result<()> {
    let [key] = params.order_by.as_slice() else { return Ok(()) };
    let Ok(data_type) = key.expr.get_type(schema) else { return Ok(()) };
    for text in distances(&params.window_frame) {
        distance::read(text, &data_type).map_err(|error| DataFusionError::External(Box::new(error)))?;
    }
    Ok(())
}

fn is_numeric_range(params: &WindowFunctionParams, schema: &DFSchema) -> bool {
    let [key] = params.order_by.as_slice() else { return false };
    let is_numeric = key.expr.get_type(schema).is_ok_and(|data_type| exact::is_numeric(&data_type));
    is_numeric && distances(&params.window_frame).next().is_some()
}

/// W1.
fn framed(window: WindowFunction, inner: Inner, exclusion: Exclusion, schema: &DFSchema, zone: Zone) -> Result<Expr> {
    let WindowFunctionParams { mut args, partition_by, order_by, window_frame, filter, .. } = window.params;
    if let (Inner::Aggregate(aggregate), [arg]) = (&inner, args.as_mut_slice())
        && aggregate.name() == "sum"
        && arg.get_type(schema)? == DataType::Int64
    {
        *arg = Expr::Cast(Cast::new(Box::new(std::mem::take(arg)), BIGINT_DECIMAL));
    }
    let own = args.len();
    let has_filter = filter.is_some();
    args.extend(filter.map(|filter| *filter));
    for key in &order_by {
        let data_type = key.expr.get_type(schema)?;
        let key = key.expr.clone();
        args.push(match data_type {
            number if layouts::is_any_numeric(&number) => call("numeric_order", vec![key])?,
            other if sorts_by_key(&other) => call("comparison_key", vec![key])?,
            _ => key,
        });
    }
    let order = order_by.first().filter(|_| distances(&window_frame).next().is_some());
    let order = order.map(|key| (key.asc, key.nulls_first));
    args.extend(order_by.first().filter(|_| order.is_some()).map(|key| key.expr.clone()));
    let frame = if order_by.is_empty() { None } else { Some(false) };
    let function = Framed { inner, own, has_filter, keys: order_by.len(), order, frame: window_frame, exclusion, zone, signature: any() };
    let mut call = WindowFunction::new(WindowFunctionDefinition::WindowUDF(Arc::new(WindowUDF::from(function))), args);
    call.params.partition_by = partition_by;
    call.params.order_by = order_by;
    call.params.window_frame = WindowFrame::new(frame);
    Ok(Expr::WindowFunction(Box::new(call)))
}

/// A text as the constant of this type that the engine wants there. Errors: those of the type's input.
fn constant(text: Expr, data_type: &DataType) -> Result<Expr> {
    match &text {
        Expr::Literal(ScalarValue::Utf8(Some(digits)), _) if layouts::is_any_numeric(data_type) => {
            let texts: ArrayRef = Arc::new(StringArray::from(vec![digits.as_str()]));
            let read = convert(&texts, data_type).map_err(|error| DataFusionError::External(Box::new(error)))?;
            Ok(Expr::Literal(ScalarValue::try_from_array(&read, 0)?, None))
        }
        _ => resolution::typed(text, data_type),
    }
}

fn is_shift(function: &WindowFunctionDefinition) -> bool {
    matches!(function, WindowFunctionDefinition::WindowUDF(function) if matches!(function.name(), "lag" | "lead"))
}

/// W4. Errors: 42883 for a default of another family.
fn bring_together(args: &mut [Expr], schema: &DFSchema) -> Result<bool> {
    let [value, _, default] = args else { return Ok(false) };
    let (of_value, of_default) = match (resolution::type_of(value, schema)?, resolution::type_of(default, schema)?) {
        (Some(of_value), Some(of_default)) => (of_value, of_default),
        (Some(of_value), None) if resolution::is_literal(default) => {
            *default = constant(std::mem::take(default), &type_families::beside(&of_value))?;
            return Ok(true);
        }
        _ => return Ok(false),
    };
    if of_value == of_default {
        return Ok(false);
    }
    // A constant that fits is an integer.
    let narrow = |expr: &Expr, data_type: DataType| match expr {
        Expr::Literal(ScalarValue::Int64(Some(value)), _) if i32::try_from(*value).is_ok() => DataType::Int32,
        _ => data_type,
    };
    let both = [narrow(value, of_value.clone()), narrow(default, of_default.clone())];
    let Ok(Some(common)) = type_families::common(&both) else {
        let message = format!(
            "function lag({}, integer, {}) does not exist",
            crate::functions::types::name(&both[0]),
            crate::functions::types::name(&both[1])
        );
        let hint = "No function matches the given name and argument types. You might need to add explicit type casts.";
        return Err(DataFusionError::External(Box::new(SqlError::new(SqlState::UNDEFINED_FUNCTION, message).hint(hint))));
    };
    let cast = |expr: &mut Expr, from: &DataType| {
        if *from != common {
            *expr = Expr::Cast(Cast::new(Box::new(std::mem::take(expr)), common.clone()));
        }
    };
    cast(value, &of_value);
    cast(default, &of_default);
    Ok(true)
}
