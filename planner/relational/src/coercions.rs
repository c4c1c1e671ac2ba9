//! Literals beside values, and comparisons that DataFusion would do by layout: IN, BETWEEN, CASE, COALESCE, IS DISTINCT FROM, UNION, ORDER BY.
//!
//! C1: a string literal takes the type of the value it stands beside, before DataFusion looks for a type both could have.
//! C2: intervals, `jsonb`, arrays and numbers of any length are compared and ordered by their keys, as `operators` does it.
//! C3: types of different families meet nowhere: 42883 where they are compared, 42804 where one of them is chosen.
//! C4: results of CASE and its kin that are exact numbers of several scales are numbers of any length, which keep them.
//! Never: changes what a column is called.

use std::sync::Arc;

use arrow::datatypes::DataType;
use base::{SqlError, SqlState};
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{Column, DFSchema, DataFusionError, Result, ScalarValue};
use datafusion::logical_expr::expr::{Between, InList, ScalarFunction};
use datafusion::logical_expr::{
    BinaryExpr, Case, Cast, Expr, ExprSchemable, LogicalPlan, Operator, Projection, Sort, Subquery, Union, when,
};
use datafusion::optimizer::AnalyzerRule;

use crate::calls::call;
use crate::functions::intervals;
use crate::functions::overlaps::OVERLAP_END;
use crate::functions::row::RowFunction;
use crate::functions::text::{BPCHAR, VARCHAR};
use crate::functions::types;
use crate::layouts::{self, UUID, any_numeric, is_any_numeric, is_compared_by_key, is_compared_by_type};
use crate::mapping::map_named;
use crate::numbers::{self, any_length};
use crate::operators::sorts_by_key;
use crate::resolution::{self, is_literal, typed, unmatched};
use crate::sides::Operand;
use crate::type_families::{self, Family, family};
use crate::{aggregate_forms, equality, exact};

/// C1, C2 and C3; runs before type coercion.
#[derive(Debug)]
pub(crate) struct OwnTypes;

impl AnalyzerRule for OwnTypes {
    fn name(&self) -> &str {
        "own_types"
    }

    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        // Once one expression has changed its type, every node above it must learn of it.
        let mut any_changed = false;
        let plan = plan.transform_up_with_subqueries(|plan| {
            let plan = map_named(plan, &mut settle)?;
            let mut changed = plan.transformed;
            let plan = unite(plan.data)?;
            changed |= plan.transformed;
            let plan = order_by_keys(plan.data)?;
            changed |= plan.transformed;
            let plan = equality::settle(plan.data)?;
            changed |= plan.transformed;
            any_changed |= changed;
            let plan = Transformed::new_transformed(plan.data, changed);
            if any_changed { plan.map_data(recomputed) } else { Ok(plan) }
        })?;
        Ok(plan.data)
    }
}

/// A node whose inputs or expressions have other types than they had.
fn recomputed(plan: LogicalPlan) -> Result<LogicalPlan> {
    if matches!(plan, LogicalPlan::Values(_)) { Ok(plan) } else { plan.recompute_schema() }
}

fn order_by_keys(plan: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
    let LogicalPlan::Sort(sort) = plan else { return Ok(Transformed::no(plan)) };
    let Sort { mut expr, input, fetch } = sort;
    let mut changed = false;
    for key in &mut expr {
        if key.expr.get_type(input.schema()).is_ok_and(|data_type| sorts_by_key(&data_type)) {
            key.expr = call("comparison_key", vec![std::mem::take(&mut key.expr)])?;
            changed = true;
        }
    }
    Ok(Transformed::new_transformed(LogicalPlan::Sort(Sort { expr, input: Arc::clone(&input), fetch }), changed))
}

/// C1 and C3 for the columns of a UNION.
fn unite(plan: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
    let LogicalPlan::Union(union) = plan else { return Ok(Transformed::no(plan)) };
    let mut inputs = union.inputs.clone();
    let mut changed = false;
    for at in 0..union.schema.fields().len() {
        let is_open = |input: &LogicalPlan| match input {
            LogicalPlan::Projection(projection) => projection.expr.get(at).is_some_and(is_literal),
            _ => false,
        };
        let known = |input: &Arc<LogicalPlan>| -> Option<DataType> {
            let data_type = input.schema().fields().get(at)?.data_type().clone();
            (!is_open(input) && !data_type.is_null()).then_some(data_type)
        };
        let known: Vec<DataType> = inputs.iter().filter_map(known).collect();
        let found = type_families::common(&known).map_err(|clash| unmatched("UNION", &clash))?;
        let Some(wanted) = found.map(|found| type_families::beside(&found)).filter(|found| !layouts::is_text(found)) else { continue };
        for input in &mut inputs {
            if let LogicalPlan::Projection(projection) = input.as_ref()
                && is_open(input)
            {
                let mut exprs = projection.expr.clone();
                let name = exprs[at].qualified_name();
                exprs[at] = typed(std::mem::take(&mut exprs[at]), &wanted)?.alias_qualified(name.0, name.1);
                *input = Arc::new(LogicalPlan::Projection(Projection::try_new(exprs, Arc::clone(&projection.input))?));
                changed = true;
            }
        }
    }
    let union = if changed { Union::try_new_with_loose_types(inputs)? } else { union };
    Ok(Transformed::new_transformed(LogicalPlan::Union(union), changed))
}

fn keyed(expr: Expr, data_type: &DataType, schema: &DFSchema) -> Result<Expr> {
    let expr = match expr.get_type(schema) {
        _ if is_literal(&expr) => typed(expr, data_type)?,
        Ok(given) if is_any_numeric(data_type) && exact::is_exact(&given) => any_length(expr, &given),
        Ok(given) if data_type.is_floating() && is_any_numeric(&given) => Expr::Cast(Cast::new(Box::new(expr), DataType::Float64)),
        _ => typed(expr, data_type)?,
    };
    if is_compared_by_key(data_type) { call("comparison_key", vec![expr]) } else { Ok(expr) }
}

/// C4: numbers of any length if some of these results are, or must be.
fn any_numeric_of<'a>(results: impl Iterator<Item = &'a Expr>, schema: &DFSchema) -> Option<DataType> {
    let (literals, others): (Vec<&Expr>, Vec<&Expr>) = results.partition(|result| is_literal(result));
    let types: Vec<DataType> = others.into_iter().map(|result| result.get_type(schema)).collect::<Result<_>>().ok()?;
    let is_read = !literals.is_empty() && types.iter().any(exact::is_numeric);
    let is_exact = types.iter().all(|data_type| data_type.is_null() || exact::is_exact(data_type));
    exact::common(&types).or_else(|| (is_read && is_exact).then(any_numeric))
}

fn as_any_numeric(expr: Expr, schema: &DFSchema) -> Result<Expr> {
    match expr.get_type(schema) {
        _ if is_literal(&expr) => typed(expr, &any_numeric()),
        Ok(given) if exact::is_exact(&given) => Ok(any_length(expr, &given)),
        _ => Ok(expr),
    }
}

fn results_of(case: &Case) -> impl Iterator<Item = &Expr> {
    case.when_then_expr.iter().map(|(_, then)| then.as_ref()).chain(case.else_expr.as_deref())
}

/// Arguments of an aggregate of distinct values: equal ones in equal bytes.
fn distinct_numbers(args: &mut [Expr], is_count: bool, schema: &DFSchema) -> Result<bool> {
    let mut changed = false;
    for arg in args {
        let is_told_apart = |data_type: &DataType| is_any_numeric(data_type) || (is_count && equality::says_apart(data_type));
        if arg.get_type(schema).is_ok_and(|data_type| is_told_apart(&data_type)) {
            let name = if is_count { "comparison_key" } else { "numeric_trimmed" };
            *arg = call(name, vec![std::mem::take(arg)])?;
            changed = true;
        }
    }
    Ok(changed)
}

/// The keys of the numbers that a subquery finds.
fn keys_of(search: &Subquery, found: &DataType) -> Result<Subquery> {
    let inner = search.subquery.as_ref().clone();
    let (qualifier, field) = inner.schema().qualified_field(0);
    let column = Expr::Column(Column::new(qualifier.cloned(), field.name()));
    let key = call("comparison_key", vec![any_length(column, found)])?;
    let keys = LogicalPlan::Projection(Projection::try_new(vec![key], Arc::new(inner))?);
    Ok(search.with_plan(Arc::new(keys)))
}

/// The type that a subquery finds, if its values and the one that is looked for are compared by their keys as numbers or `jsonb`.
fn searched(search: &Subquery, expr: &Expr, schema: &DFSchema) -> Result<Option<(DataType, DataType)>> {
    let (found, given) = (search.subquery.schema().field(0).data_type().clone(), expr.get_type(schema)?);
    let is_any = is_any_numeric(&found) || is_any_numeric(&given);
    let is_exact = exact::common(&[found.clone(), given.clone()]).is_some();
    let is_jsonb = layouts::is_jsonb(&found) && layouts::is_jsonb(&given);
    Ok(((is_any && is_exact) || is_jsonb).then_some((found, given)))
}

/// What several values that are compared with one another are read as: `None` if nothing says so, or they are texts.
fn compared(op: &str, exprs: &[&Expr], schema: &DFSchema) -> Result<Option<DataType>> {
    let mut known = Vec::new();
    for expr in exprs {
        match resolution::type_of(expr, schema) {
            Ok(data_type) => known.extend(data_type),
            // What cannot be typed yet is DataFusion's to judge.
            Err(_) => return Ok(None),
        }
    }
    if known.iter().any(|data_type| family(data_type).is_none()) {
        return Ok(None);
    }
    match type_families::common(&known) {
        // Arrow compares its decimals, whatever their scales.
        Ok(Some(found)) if exact::is_numeric(&found) => {
            let needs_keys = known.iter().any(is_any_numeric) || exprs.iter().any(|expr| is_literal(expr));
            Ok(needs_keys.then(any_numeric))
        }
        Ok(found) => Ok(found.filter(|found| !layouts::is_text(found))),
        Err((left, right)) => Err(resolution::no_operator(op, Some(&left), Some(&right))),
    }
}

fn settle(expr: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    Ok(match expr {
        Expr::InList(list) => {
            let all: Vec<&Expr> = [list.expr.as_ref()].into_iter().chain(&list.list).collect();
            match compared("=", &all, schema)? {
                Some(own) => {
                    let own = type_beside(&list.expr, own, schema);
                    let all = list.list.into_iter().map(|expr| keyed(expr, &own, schema)).collect::<Result<Vec<_>>>()?;
                    Transformed::yes(Expr::InList(InList::new(Box::new(keyed(*list.expr, &own, schema)?), all, list.negated)))
                }
                None => Transformed::no(Expr::InList(list)),
            }
        }
        Expr::Between(between) => match compared(">=", &[&between.expr, &between.low, &between.high], schema)? {
            Some(own) => {
                let own = type_beside(&between.expr, own, schema);
                let (low, high) = (keyed(*between.low, &own, schema)?, keyed(*between.high, &own, schema)?);
                let expr = keyed(*between.expr, &own, schema)?;
                Transformed::yes(Expr::Between(Between::new(Box::new(expr), between.negated, Box::new(low), Box::new(high))))
            }
            None => Transformed::no(Expr::Between(between)),
        },
        Expr::BinaryExpr(BinaryExpr { left, op: op @ (Operator::IsDistinctFrom | Operator::IsNotDistinctFrom), right }) => {
            match compared("=", &[&left, &right], schema)? {
                Some(own) => {
                    let own = type_families::beside(&own);
                    let (left, right) = (keyed(*left, &own, schema)?, keyed(*right, &own, schema)?);
                    Transformed::yes(Expr::BinaryExpr(BinaryExpr::new(Box::new(left), op, Box::new(right))))
                }
                None => Transformed::no(Expr::BinaryExpr(BinaryExpr::new(left, op, right))),
            }
        }
        Expr::BinaryExpr(BinaryExpr { left, op, right }) if numbers::concerns(op) => {
            match (Operand::of(*left, schema), Operand::of(*right, schema)) {
                (Ok(left), Ok(right)) if left.is(exact::is_numeric) || right.is(exact::is_numeric) => {
                    match numbers::plan_or_original(op, left, right)? {
                        Ok(planned) => Transformed::yes(planned),
                        Err((left, right)) => Transformed::yes(Expr::BinaryExpr(BinaryExpr::new(Box::new(left), op, Box::new(right)))),
                    }
                }
                (left, right) => {
                    let back = |side: std::result::Result<Operand, Expr>| Box::new(side.map_or_else(|expr| expr, |side| side.expr));
                    Transformed::no(Expr::BinaryExpr(BinaryExpr::new(back(left), op, back(right))))
                }
            }
        }
        Expr::InSubquery(mut search) => match searched(&search.subquery, &search.expr, schema)? {
            Some((found, given)) => {
                search.subquery = keys_of(&search.subquery, &found)?;
                search.expr = Box::new(call("comparison_key", vec![any_length(*search.expr, &given)])?);
                Transformed::yes(Expr::InSubquery(search))
            }
            None => Transformed::no(Expr::InSubquery(search)),
        },
        Expr::SetComparison(mut search) => match searched(&search.subquery, &search.expr, schema)? {
            Some((found, given)) => {
                search.subquery = keys_of(&search.subquery, &found)?;
                search.expr = Box::new(call("comparison_key", vec![any_length(*search.expr, &given)])?);
                Transformed::yes(Expr::SetComparison(search))
            }
            None => Transformed::no(Expr::SetComparison(search)),
        },
        Expr::AggregateFunction(mut aggregate) if aggregate.params.distinct && !aggregate_forms::sorts(&aggregate) => {
            let is_count = aggregate.func.name() == "count";
            let changed = distinct_numbers(&mut aggregate.params.args, is_count, schema)?;
            Transformed::new_transformed(Expr::AggregateFunction(aggregate), changed)
        }
        Expr::AggregateFunction(aggregate) => aggregate_forms::settle(aggregate, schema)?,
        Expr::Case(mut case) if any_numeric_of(results_of(&case), schema).is_some() => {
            for result in case.when_then_expr.iter_mut().map(|(_, then)| then).chain(&mut case.else_expr) {
                **result = as_any_numeric(std::mem::take(result), schema)?;
            }
            Transformed::yes(choose_case(case, schema)?.data)
        }
        Expr::Case(case) => choose_case(case, schema)?,
        Expr::Like(like) => {
            for side in [&like.expr, &like.pattern] {
                let data_type = resolution::type_of(side, schema).ok().flatten();
                let is_text = |found: &DataType| matches!(family(found), Some(Family::Text | Family::Bytes) | None);
                if data_type.as_ref().is_some_and(|found| !is_text(found)) {
                    let other = |side: &Expr| resolution::type_of(side, schema).ok().flatten();
                    let op = if like.case_insensitive { "~~*" } else { "~~" };
                    return Err(resolution::no_operator(op, other(&like.expr).as_ref(), other(&like.pattern).as_ref()));
                }
            }
            Transformed::no(Expr::Like(like))
        }
        Expr::ScalarFunction(choice) if any_numeric_of(choice.args.iter(), schema).is_some() => choose_number(choice, schema)?,
        Expr::ScalarFunction(function) => settle_call(function, schema)?,
        Expr::Cast(cast) => match cast.expr.as_ref() {
            Expr::Literal(ScalarValue::Utf8(Some(text)), _) => match resolution::by_clock(text, cast.field.data_type())? {
                Some(moment) => Transformed::yes(moment),
                None => match resolution::read_at_once(text, cast.field.data_type())? {
                    Some(value) => Transformed::yes(Expr::Literal(value, None)),
                    None => Transformed::no(Expr::Cast(cast)),
                },
            },
            _ => {
                check_cast(&cast.expr, cast.field.data_type(), schema)?;
                Transformed::no(Expr::Cast(cast))
            }
        },
        Expr::WindowFunction(mut window) => {
            aggregate_forms::check_window(&window.fun, &window.params.args, schema)?;
            let mut changed = false;
            for expr in &mut window.params.partition_by {
                changed |= equality::key_in_place(expr, schema)?;
            }
            for sort in &mut window.params.order_by {
                if sort.expr.get_type(schema).is_ok_and(|data_type| is_any_numeric(&data_type)) {
                    sort.expr = call("numeric_order", vec![std::mem::take(&mut sort.expr)])?;
                    changed = true;
                }
            }
            for key in &mut window.params.order_by {
                // Frames know no uuid; its text has the same order.
                if key.expr.get_type(schema).is_ok_and(|data_type| data_type == UUID) {
                    key.expr = Expr::Cast(Cast::new(Box::new(std::mem::take(&mut key.expr)), DataType::Utf8));
                    changed = true;
                }
            }
            Transformed::new_transformed(Expr::WindowFunction(window), changed)
        }
        other => Transformed::no(other),
    })
}

/// The type that literals get: that of the value they are compared with, if it has one; another's digits do not cut theirs.
fn type_beside(expr: &Expr, common: DataType, schema: &DFSchema) -> DataType {
    let own = resolution::type_of(expr, schema).ok().flatten();
    type_families::beside(&own.filter(is_compared_by_type).unwrap_or(common))
}

/// Casts that Postgres does not have and DataFusion does. Errors: 42846.
fn check_cast(expr: &Expr, to: &DataType, schema: &DFSchema) -> Result<()> {
    let Ok(from) = expr.get_type(schema) else { return Ok(()) };
    let (Some(source), Some(target)) = (family(&from), family(to)) else { return Ok(()) };
    let is_int4 = |data_type: &DataType| *data_type == DataType::Int32;
    // A constant that is not yet `integer` is one by its digits.
    let is_integer = is_int4(&from) || matches!(expr, Expr::Literal(ScalarValue::Int64(Some(value)), _) if i32::try_from(*value).is_ok());
    let is_missing = match (source, target) {
        (Family::Bool, Family::Number) => !is_int4(to),
        (Family::Number, Family::Bool) => !is_integer,
        (Family::Number | Family::Bool, Family::Bytes | Family::Moment | Family::Time | Family::Span | Family::Uuid) => true,
        (Family::Bytes, Family::Number | Family::Bool | Family::Moment) => true,
        (Family::Moment, Family::Number | Family::Bool | Family::Bytes) => true,
        _ => false,
    };
    if is_missing {
        let message = format!("cannot cast type {} to {}", types::name(&from), types::name(to));
        return Err(DataFusionError::External(Box::new(SqlError::new(SqlState("42846"), message))));
    }
    Ok(())
}

/// The common type of several values of which one is the answer; `None` for texts and for what cannot be told yet.
fn chosen(construct: &str, exprs: &[&Expr], schema: &DFSchema) -> Result<Option<DataType>> {
    let mut known = Vec::new();
    for expr in exprs {
        match resolution::type_of(expr, schema) {
            Ok(data_type) => known.extend(data_type),
            Err(_) => return Ok(None),
        }
    }
    if known.iter().any(|data_type| family(data_type).is_none()) {
        return Ok(None);
    }
    let found = type_families::common(&known).map_err(|clash| unmatched(construct, &clash))?;
    Ok(found.map(|found| type_families::beside(&found)).filter(|found| !layouts::is_text(found)))
}

fn choose_case(mut case: Case, schema: &DFSchema) -> Result<Transformed<Expr>> {
    let mut changed = false;
    let results: Vec<&Expr> = case.when_then_expr.iter().map(|(_, then)| then.as_ref()).chain(case.else_expr.as_deref()).collect();
    let is_open = results.iter().any(|result| is_literal(result));
    if let Some(own) = chosen("CASE", &results, schema)?.filter(|_| is_open) {
        for (_, then) in &mut case.when_then_expr {
            **then = typed(std::mem::take(then), &own)?;
        }
        case.else_expr = case.else_expr.map(|otherwise| typed(*otherwise, &own).map(Box::new)).transpose()?;
        changed = true;
    }
    if let Some(operand) = &case.expr {
        let all: Vec<&Expr> = [operand.as_ref()].into_iter().chain(case.when_then_expr.iter().map(|(when, _)| when.as_ref())).collect();
        if let Some(own) = compared("=", &all, schema)?.filter(|_| all.iter().any(|expr| is_literal(expr))) {
            let own = type_families::beside(&own);
            for (when, _) in &mut case.when_then_expr {
                **when = typed(std::mem::take(when), &own)?;
            }
            case.expr = case.expr.map(|operand| typed(*operand, &own).map(Box::new)).transpose()?;
            changed = true;
        }
    } else {
        for (when, _) in &mut case.when_then_expr {
            let data_type = resolution::type_of(when, schema).ok().flatten();
            if let Some(other) = data_type.filter(|data_type| *data_type != DataType::Boolean) {
                let message = format!("argument of CASE/WHEN must be type boolean, not type {}", types::name(&other));
                return Err(DataFusionError::External(Box::new(SqlError::new(SqlState::DATATYPE_MISMATCH, message))));
            }
            if is_literal(when) {
                **when = typed(std::mem::take(when), &DataType::Boolean)?;
                changed = true;
            }
        }
    }
    Ok(Transformed::new_transformed(Expr::Case(case), changed))
}

/// C4 for COALESCE and its kin; any other call as it is.
fn choose_number(mut choice: ScalarFunction, schema: &DFSchema) -> Result<Transformed<Expr>> {
    let name = choice.func.name().to_owned();
    match (name.as_str(), choice.args.as_slice()) {
        ("nullif", [left, right]) => {
            let (left, own) = (left.clone(), any_numeric());
            let (left_key, right_key) = (keyed(left.clone(), &own, schema)?, keyed(right.clone(), &own, schema)?);
            let null = Expr::Literal(ScalarValue::try_from(&left.get_type(schema)?)?, None);
            return Ok(Transformed::yes(when(left_key.eq(right_key), null).otherwise(left)?));
        }
        ("coalesce" | "greatest" | "least", _) => {}
        _ => return settle_call(choice, schema),
    }
    choice.args = choice.args.into_iter().map(|arg| as_any_numeric(arg, schema)).collect::<Result<_>>()?;
    Ok(Transformed::yes(match name.as_str() {
        "greatest" => call("numeric_greatest", choice.args)?,
        "least" => call("numeric_least", choice.args)?,
        _ => Expr::ScalarFunction(choice),
    }))
}

fn settle_call(mut function: ScalarFunction, schema: &DFSchema) -> Result<Transformed<Expr>> {
    let name = function.func.name().to_owned();
    let construct = match name.as_str() {
        "coalesce" => "COALESCE",
        "greatest" => "GREATEST",
        "least" => "LEAST",
        "nullif" => {
            let args: Vec<&Expr> = function.args.iter().collect();
            return Ok(match compared("=", &args, schema)?.filter(|_| function.args.iter().any(is_literal)) {
                Some(own) => retyped(function, &type_families::beside(&own))?,
                None => Transformed::no(Expr::ScalarFunction(function)),
            });
        }
        OVERLAP_END => return end_of_span(function, schema),
        "pg_typeof" => match function.args.first().and_then(limited_name) {
            Some(name) => {
                let known = ScalarFunction::new_udf(Arc::new(types::pg_typeof_known(name)), vec![Expr::Literal(ScalarValue::Null, None)]);
                return Ok(Transformed::yes(Expr::ScalarFunction(known)));
            }
            None if function.args.first().is_some_and(is_literal) => {
                function.args = vec![Expr::Literal(ScalarValue::Null, None)];
                return Ok(Transformed::yes(Expr::ScalarFunction(function)));
            }
            None => return Ok(Transformed::no(Expr::ScalarFunction(function))),
        },
        _ => {
            check_call(&function, schema)?;
            return Ok(Transformed::no(Expr::ScalarFunction(function)));
        }
    };
    let args: Vec<&Expr> = function.args.iter().collect();
    Ok(match chosen(construct, &args, schema)?.filter(|_| function.args.iter().any(is_literal)) {
        Some(own) => retyped(function, &own)?,
        None => Transformed::no(Expr::ScalarFunction(function)),
    })
}

/// The end of a span that is given with its length.
fn end_of_span(mut function: ScalarFunction, schema: &DFSchema) -> Result<Transformed<Expr>> {
    let types = function.args.iter().map(|arg| arg.get_type(schema)).collect::<Result<Vec<_>>>()?;
    let plus = match types.as_slice() {
        [start, length @ DataType::Interval(_)] => intervals::operator("+", start, length),
        _ => None,
    };
    match plus {
        Some(plus) => Ok(Transformed::yes(call(plus, function.args)?)),
        None => Ok(Transformed::yes(function.args.pop().unwrap_or_default())),
    }
}

/// What Postgres calls the type of a cast to a type of limited length.
fn limited_name(expr: &Expr) -> Option<&'static str> {
    match expr {
        Expr::ScalarFunction(call) if call.func.name() == VARCHAR => Some("character varying"),
        Expr::ScalarFunction(call) if call.func.name() == BPCHAR => Some("character"),
        _ => None,
    }
}

fn retyped(mut function: ScalarFunction, own: &DataType) -> Result<Transformed<Expr>> {
    function.args = function.args.into_iter().map(|arg| typed(arg, own)).collect::<Result<_>>()?;
    Ok(Transformed::yes(Expr::ScalarFunction(function)))
}

/// Functions of DataFusion that would take anything for a text, and how many of their first arguments are texts.
const OF_TEXT: [(&str, usize); 13] = [
    ("ascii", 1),
    ("btrim", 2),
    ("character_length", 1),
    ("initcap", 1),
    ("lower", 1),
    ("ltrim", 2),
    ("replace", 3),
    ("reverse", 1),
    ("rtrim", 2),
    ("split_part", 2),
    ("strpos", 2),
    ("translate", 3),
    ("upper", 1),
];

/// C3 for the arguments of a call. Errors: 42883.
fn check_call(function: &ScalarFunction, schema: &DFSchema) -> Result<()> {
    let name = function.func.name();
    let mut given = Vec::with_capacity(function.args.len());
    for arg in &function.args {
        match arg.get_type(schema) {
            Ok(data_type) => given.push((data_type, resolution::is_unknown(arg))),
            Err(_) => return Ok(()),
        }
    }
    let is_taken = match function.func.inner().downcast_ref::<RowFunction>() {
        Some(ours) => ours.takes(&given),
        None => match OF_TEXT.iter().find(|(known, _)| *known == name) {
            Some((_, count)) => given.iter().take(*count).all(|(data_type, _)| matches!(family(data_type), Some(Family::Text) | None)),
            None => true,
        },
    };
    if is_taken {
        return Ok(());
    }
    let shown: Vec<String> =
        given.iter().map(|(data_type, is_unknown)| if *is_unknown { "unknown".to_owned() } else { types::name(data_type) }).collect();
    let error = SqlError::new(SqlState::UNDEFINED_FUNCTION, format!("function {name}({}) does not exist", shown.join(", ")))
        .hint("No function matches the given name and argument types. You might need to add explicit type casts.");
    Err(DataFusionError::External(Box::new(error)))
}
