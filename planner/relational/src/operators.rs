//! Operators by their operands' types, as Postgres resolves them: json, arrays, intervals, and comparisons that Arrow would do otherwise.
//!
//! P1: a string literal or an untyped parameter beside a value has the type the operator wants there (`resolution`); an operator on types of
//!     different families does not exist.
//! P2: intervals, `jsonb` and arrays are compared by keys (`comparison_key`); the comparison itself stays one the planner can use.
//! P3: `numeric` operands go to `numbers`.
//! Never: sees a query.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field};
use base::{SqlError, SqlState};
use datafusion::common::{DFSchema, DataFusionError, Result, ScalarValue, TableReference};
use datafusion::execution::SessionStateDefaults;
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult, RawBinaryExpr, RawFieldAccessExpr};
use datafusion::logical_expr::{BinaryExpr, Expr, ExprSchemable, GetFieldAccess, Operator};
use sqlparser::ast::BinaryOperator;

use crate::calls::call;
use crate::functions::text::BPCHAR;
use crate::functions::{intervals, types};
use crate::layouts::{self, INTERVAL, is_compared_by_key, is_compared_by_type};
use crate::numbers;
use crate::resolution;
use crate::sides::{Operand, Planned};
use crate::type_families::{self, Family};

/// Has no state.
#[derive(Debug)]
pub(crate) struct Operators;

/// Ours first, then DataFusion's own.
pub(crate) fn planners() -> Vec<Arc<dyn ExprPlanner>> {
    let ours: Arc<dyn ExprPlanner> = Arc::new(Operators);
    [ours].into_iter().chain(SessionStateDefaults::default_expr_planners()).collect()
}

/// Whether rows are to be ordered by the keys of values of this type (P2).
pub(crate) fn sorts_by_key(data_type: &DataType) -> bool {
    *data_type == INTERVAL
        || layouts::is_any_numeric(data_type)
        || layouts::is_jsonb(data_type)
        || layouts::element(data_type).is_some()
        || layouts::record(data_type).is_some()
}

impl ExprPlanner for Operators {
    fn plan_binary_op(&self, expr: RawBinaryExpr, schema: &DFSchema) -> Result<PlannerResult<RawBinaryExpr>> {
        let RawBinaryExpr { op, left, right } = expr;
        let left = match Operand::of(left, schema) {
            Ok(left) => left,
            Err(left) => return Ok(PlannerResult::Original(RawBinaryExpr { op, left, right })),
        };
        let right = match Operand::of(right, schema) {
            Ok(right) => right,
            Err(right) => return Ok(PlannerResult::Original(RawBinaryExpr { op, left: left.expr, right })),
        };
        let planned = match &op {
            BinaryOperator::Eq
            | BinaryOperator::NotEq
            | BinaryOperator::Lt
            | BinaryOperator::LtEq
            | BinaryOperator::Gt
            | BinaryOperator::GtEq => comparison(&op, left, right)?,
            BinaryOperator::Plus
            | BinaryOperator::Minus
            | BinaryOperator::Multiply
            | BinaryOperator::Divide
            | BinaryOperator::Modulo
            | BinaryOperator::BitwiseAnd
            | BinaryOperator::BitwiseOr
            | BinaryOperator::PGBitwiseXor
            | BinaryOperator::PGBitwiseShiftLeft
            | BinaryOperator::PGBitwiseShiftRight => arithmetic(&op, left, right)?,
            BinaryOperator::And | BinaryOperator::Or => logic(&op, left, right)?,
            _ => special(&op, left, right)?,
        };
        Ok(match planned {
            Ok(expr) => PlannerResult::Planned(expr),
            Err((left, right)) => PlannerResult::Original(RawBinaryExpr { op, left, right }),
        })
    }

    fn plan_field_access(&self, expr: RawFieldAccessExpr, schema: &DFSchema) -> Result<PlannerResult<RawFieldAccessExpr>> {
        let RawFieldAccessExpr { field_access, expr } = expr;
        let data_type = expr.get_type(schema)?;
        let planned = match (&field_access, layouts::is_jsonb(&data_type), layouts::element(&data_type).is_some()) {
            (GetFieldAccess::ListIndex { key }, true, _) => call("json_object_field", vec![expr, key.as_ref().clone()])?,
            (GetFieldAccess::NamedStructField { name }, true, _) => {
                call("json_object_field", vec![expr, Expr::Literal(name.clone(), None)])?
            }
            (GetFieldAccess::ListIndex { key }, _, true) => call("array_subscript", vec![expr, key.as_ref().clone()])?,
            (GetFieldAccess::ListRange { start, stop, .. }, _, true) => {
                call("array_slice", vec![expr, start.as_ref().clone(), stop.as_ref().clone()])?
            }
            _ => {
                let message = format!("cannot subscript type {} because it does not support subscripting", types::name(&data_type));
                return Err(DataFusionError::External(Box::new(SqlError::new(SqlState::DATATYPE_MISMATCH, message))));
            }
        };
        Ok(PlannerResult::Planned(planned))
    }

    fn plan_array_literal(&self, exprs: Vec<Expr>, schema: &DFSchema) -> Result<PlannerResult<Vec<Expr>>> {
        if exprs.is_empty() {
            let error = SqlError::new(SqlState::INDETERMINATE_DATATYPE, "cannot determine type of empty array");
            return Err(DataFusionError::External(Box::new(
                error.hint("Explicitly cast to the desired type, for example ARRAY[]::integer[]."),
            )));
        }
        let known = exprs.iter().filter_map(|expr| resolution::type_of(expr, schema).ok().flatten()).collect::<Vec<_>>();
        let is_plain = known.iter().all(|data_type| type_families::family(data_type).is_some());
        let common = if is_plain { type_families::common(&known).map_err(|clash| resolution::unmatched("ARRAY", &clash))? } else { None };
        let exprs = match common.map(|common| type_families::beside(&common)) {
            Some(wanted) => exprs.into_iter().map(|expr| resolution::typed(expr, &wanted)).collect::<Result<_>>()?,
            None => exprs,
        };
        Ok(PlannerResult::Planned(call("array", exprs)?))
    }

    fn plan_compound_identifier(
        &self,
        _field: &Field,
        _qualifier: Option<&TableReference>,
        _nested_names: &[String],
    ) -> Result<PlannerResult<Vec<Expr>>> {
        Ok(PlannerResult::Original(Vec::new()))
    }
}

/// The planner's own name of an operator that `numbers` knows.
fn of_numbers(op: &BinaryOperator) -> Option<Operator> {
    Some(match op {
        BinaryOperator::Eq => Operator::Eq,
        BinaryOperator::NotEq => Operator::NotEq,
        BinaryOperator::Lt => Operator::Lt,
        BinaryOperator::LtEq => Operator::LtEq,
        BinaryOperator::Gt => Operator::Gt,
        BinaryOperator::GtEq => Operator::GtEq,
        BinaryOperator::Plus => Operator::Plus,
        BinaryOperator::Minus => Operator::Minus,
        BinaryOperator::Multiply => Operator::Multiply,
        BinaryOperator::Divide => Operator::Divide,
        BinaryOperator::Modulo => Operator::Modulo,
        _ => return None,
    })
}

fn no_operator(op: &BinaryOperator, left: Option<&DataType>, right: Option<&DataType>) -> DataFusionError {
    resolution::no_operator(&op.to_string(), left, right)
}

/// Whether an expression is a cast to `char(n)`, whose trailing blanks say nothing.
fn is_padded(expr: &Expr) -> bool {
    matches!(expr, Expr::ScalarFunction(cast) if cast.func.name() == BPCHAR)
}

/// The literal or parameter without the blanks at its end.
fn unpadded(side: Operand) -> Result<Operand> {
    let expr = match side.expr {
        Expr::Literal(ScalarValue::Utf8(Some(text)), metadata) => {
            Expr::Literal(ScalarValue::Utf8(Some(text.trim_end_matches(' ').to_owned())), metadata)
        }
        Expr::Placeholder(_) => {
            let text = Operand { expr: side.expr, data_type: None }.into_type(&DataType::Utf8)?;
            let trimmed = call("rtrim", vec![text])?;
            return Ok(Operand { expr: trimmed, data_type: Some(DataType::Utf8) });
        }
        other => other,
    };
    Ok(Operand { expr, data_type: side.data_type })
}

fn comparison(op: &BinaryOperator, left: Operand, right: Operand) -> Result<Planned> {
    let (left, right) = match (is_padded(&left.expr), is_padded(&right.expr)) {
        (true, false) => (left, unpadded(right)?),
        (false, true) => (unpadded(left)?, right),
        _ => (left, right),
    };
    if let (Some(left_family), Some(right_family)) = (left.family(), right.family())
        && left_family != right_family
    {
        return Err(no_operator(op, left.data_type.as_ref(), right.data_type.as_ref()));
    }
    let (left, right) = match numbers::plan(of_numbers(op).unwrap_or(Operator::Eq), left, right)? {
        Ok(planned) => return Ok(Ok(planned)),
        Err(sides) => sides,
    };
    if !left.is(is_compared_by_type) && !right.is(is_compared_by_type) {
        return Ok(Err(plain(left, right)?));
    }
    let wanted = match (&left.data_type, &right.data_type) {
        (Some(known), None) | (None, Some(known)) => known.clone(),
        (Some(left_type), Some(right_type)) if left_type == right_type => left_type.clone(),
        (Some(left_type), Some(right_type)) => {
            let elements = layouts::element(left_type).zip(layouts::element(right_type));
            match elements.and_then(|(left, right)| type_families::common_element(left, right)) {
                Some(element) => layouts::array_of(element),
                None => return Err(no_operator(op, Some(left_type), Some(right_type))),
            }
        }
        (None, None) => return Ok(Err((left.expr, right.expr))),
    };
    if layouts::is_json(&wanted) {
        return Err(no_operator(op, left.data_type.as_ref(), right.data_type.as_ref()));
    }
    let (left, right) = (left.into_type(&wanted)?, right.into_type(&wanted)?);
    let (left, right) = if is_compared_by_key(&wanted) {
        (call("comparison_key", vec![left])?, call("comparison_key", vec![right])?)
    } else {
        (left, right)
    };
    let op = of_numbers(op).unwrap_or(Operator::GtEq);
    Ok(Ok(Expr::BinaryExpr(BinaryExpr::new(Box::new(left), op, Box::new(right)))))
}

/// Two operands whose comparison or arithmetic is the engine's own: a literal beside a value has its type.
fn plain(left: Operand, right: Operand) -> Result<(Expr, Expr)> {
    if let (Some(left_type), Some(right_type)) = (&left.data_type, &right.data_type)
        && left_type != right_type
        && left.family() == Some(Family::Moment)
        && let Ok(Some(common)) = type_families::common(&[left_type.clone(), right_type.clone()])
    {
        let common = type_families::beside(&common);
        return Ok((left.into_type(&common)?, right.into_type(&common)?));
    }
    let wanted = match (&left.data_type, &right.data_type) {
        (Some(known), None) | (None, Some(known)) if !layouts::is_text(known) => type_families::beside(known),
        _ => return Ok((left.expr, right.expr)),
    };
    let typed = |side: Operand| if side.is_literal() { side.into_type(&wanted) } else { Ok(side.expr) };
    Ok((typed(left)?, typed(right)?))
}

/// AND and OR.
fn logic(op: &BinaryOperator, left: Operand, right: Operand) -> Result<Planned> {
    for side in [&left, &right] {
        if let Some(data_type) = side.data_type.as_ref().filter(|data_type| **data_type != DataType::Boolean) {
            let message = format!("argument of {op} must be type boolean, not type {}", types::name(data_type));
            return Err(DataFusionError::External(Box::new(SqlError::new(SqlState::DATATYPE_MISMATCH, message))));
        }
    }
    let typed = |side: Operand| if side.is_literal() { side.into_type(&DataType::Boolean) } else { Ok(side.expr) };
    Ok(Err((typed(left)?, typed(right)?)))
}

fn arithmetic(op: &BinaryOperator, left: Operand, right: Operand) -> Result<Planned> {
    if *op == BinaryOperator::Minus && left.is(layouts::is_jsonb) {
        return call("jsonb_delete", vec![left.expr, right.expr]).map(Ok);
    }
    let (left, right) = match of_numbers(op) {
        Some(of_numbers) => match numbers::plan(of_numbers, left, right)? {
            Ok(planned) => return Ok(Ok(planned)),
            Err(sides) => sides,
        },
        None => (left, right),
    };
    if !left.is(intervals::concerns) && !right.is(intervals::concerns) {
        if left.is_literal() && right.is_literal() {
            let error = resolution::ambiguous_operator(&format!("unknown {op} unknown"));
            return Err(DataFusionError::External(Box::new(error)));
        }
        if [&left, &right].iter().any(|side| side.family().is_some_and(|family| family != Family::Number)) {
            return Err(no_operator(op, left.data_type.as_ref(), right.data_type.as_ref()));
        }
        return Ok(Err(plain(left, right)?));
    }
    let symbol = op.to_string();
    let beside = |known: &Operand| known.data_type.as_ref().and_then(|data_type| intervals::beside(&symbol, data_type));
    let left_type = left.data_type.clone().or_else(|| beside(&right));
    let right_type = right.data_type.clone().or_else(|| beside(&left));
    let function = match (&left_type, &right_type) {
        (Some(left_type), Some(right_type)) => intervals::operator(&symbol, left_type, right_type),
        _ => None,
    };
    match (function, left_type, right_type) {
        (Some(function), Some(left_type), Some(right_type)) => {
            call(function, vec![left.into_type(&left_type)?, right.into_type(&right_type)?]).map(Ok)
        }
        (_, Some(_), None) | (_, None, Some(_)) => {
            let shown = |data_type: &Option<DataType>| data_type.as_ref().map_or_else(|| "unknown".to_owned(), types::name);
            let error = resolution::ambiguous_operator(&format!("{} {op} {}", shown(&left.data_type), shown(&right.data_type)));
            Err(DataFusionError::External(Box::new(error)))
        }
        (_, left_type, right_type) => Err(no_operator(op, left_type.as_ref(), right_type.as_ref())),
    }
}

fn special(op: &BinaryOperator, left: Operand, right: Operand) -> Result<Planned> {
    let is_array = |data_type: &DataType| layouts::element(data_type).is_some();
    let is_document = |data_type: &DataType| layouts::document_name(data_type).is_some();
    let with_array = left.is(is_array) || right.is(is_array);
    let with_jsonb = left.is(layouts::is_jsonb) || right.is(layouts::is_jsonb);
    let of_path = left.is(layouts::is_jsonb) || (left.data_type.is_none() && *op == BinaryOperator::AtQuestion);
    let of_array = |left: Operand, right: Operand, name: &str| -> Result<Planned> {
        let wanted = left.data_type.clone().filter(is_array).or_else(|| right.data_type.clone()).unwrap_or(DataType::Null);
        let typed = |side: Operand| if side.data_type.is_none() { side.into_type(&wanted) } else { Ok(side.expr) };
        call(name, vec![typed(left)?, typed(right)?]).map(Ok)
    };
    let of_jsonb = |left: Operand, right: Operand, name: &str| -> Result<Planned> {
        call(name, vec![left.into_type(&layouts::jsonb())?, right.into_type(&layouts::jsonb())?]).map(Ok)
    };
    match op {
        BinaryOperator::Arrow if left.is(is_document) => step("json_object_field", left, right),
        BinaryOperator::LongArrow if left.is(is_document) => step("json_object_field_text", left, right),
        BinaryOperator::HashArrow if left.is(is_document) => path("json_path", left, right),
        BinaryOperator::HashLongArrow if left.is(is_document) => path("json_path_text", left, right),
        BinaryOperator::HashMinus if left.is(layouts::is_jsonb) => path("jsonb_delete_path", left, right),
        BinaryOperator::Question if left.is(layouts::is_jsonb) => {
            call("jsonb_exists", vec![left.expr, right.into_type(&DataType::Utf8)?]).map(Ok)
        }
        BinaryOperator::QuestionPipe if left.is(layouts::is_jsonb) => path("jsonb_exists_any", left, right),
        BinaryOperator::QuestionAnd if left.is(layouts::is_jsonb) => path("jsonb_exists_all", left, right),
        BinaryOperator::AtQuestion if of_path => json_path("jsonb_path_exists", left, right),
        BinaryOperator::AtAt if of_path => json_path("jsonb_path_match", left, right),
        BinaryOperator::AtArrow if with_array => of_array(left, right, "array_contains"),
        BinaryOperator::ArrowAt if with_array => of_array(right, left, "array_contains"),
        BinaryOperator::PGOverlap if with_array => of_array(left, right, "array_overlaps"),
        BinaryOperator::AtArrow if with_jsonb => of_jsonb(left, right, "jsonb_contains"),
        BinaryOperator::ArrowAt if with_jsonb => of_jsonb(right, left, "jsonb_contains"),
        BinaryOperator::StringConcat if with_array => of_array(left, right, "array_concat_any"),
        BinaryOperator::StringConcat if with_jsonb && !left.is(layouts::is_text) && !right.is(layouts::is_text) => {
            of_jsonb(left, right, "jsonb_concat")
        }
        BinaryOperator::StringConcat
            if [&left, &right].iter().any(|side| side.family() == Some(Family::Bytes))
                && [&left, &right].iter().all(|side| side.data_type.is_none() || side.family() == Some(Family::Bytes)) =>
        {
            call("byteacat", vec![left.into_type(&DataType::Binary)?, right.into_type(&DataType::Binary)?]).map(Ok)
        }
        BinaryOperator::StringConcat => {
            let is_text = |side: &Operand| side.data_type.is_none() || side.family() == Some(Family::Text);
            if !is_text(&left) && !is_text(&right) {
                return Err(no_operator(op, left.data_type.as_ref(), right.data_type.as_ref()));
            }
            // Anything but text beside text is shown as text.
            let shown = |side: Operand| if is_text(&side) { Ok(side.expr) } else { side.into_type(&DataType::Utf8) };
            Ok(Err((shown(left)?, shown(right)?)))
        }
        _ => Ok(Err((left.expr, right.expr))),
    }
}

fn step(name: &str, left: Operand, right: Operand) -> Result<Planned> {
    let right = if right.data_type.is_none() { right.into_type(&DataType::Utf8)? } else { right.expr };
    call(name, vec![left.expr, right]).map(Ok)
}

/// A question that no document is wrong for: without variables, and silent.
fn json_path(name: &str, left: Operand, right: Operand) -> Result<Planned> {
    let no_variables = Operand { expr: Expr::Literal(ScalarValue::Utf8(Some("{}".to_owned())), None), data_type: None };
    let args = vec![
        left.into_type(&layouts::jsonb())?,
        right.into_type(&DataType::Utf8)?,
        no_variables.into_type(&layouts::jsonb())?,
        Expr::Literal(ScalarValue::Boolean(Some(true)), None),
    ];
    call(name, args).map(Ok)
}

fn path(name: &str, left: Operand, right: Operand) -> Result<Planned> {
    let texts = layouts::array_of(DataType::Utf8);
    call(name, vec![left.expr, right.into_type(&texts)?]).map(Ok)
}
