//! Constants and casts of `numeric` that the engine would read otherwise.
//!
//! D30: a constant with an exponent, or with more digits than Arrow's decimals have, is the text of a numeric.
//! D31: constants of one column of VALUES keep their own display scales, and are floating point where one cell is.
//! D32: a cast to a numeric that Arrow's decimals have no room for, `numeric(50,2)` or `numeric(3,-2)`, rounds after the cast.
//! D34: a number that a recursive query begins with may become longer: it has any length from the start.
//! D33: a sign before anything but a constant is a function, which knows numbers of any length.
//! D36: a sign binds closer than `^`: `-2 ^ 2` is 4.

use base::SqlResult;
use sqlparser::ast::{BinaryOperator, DataType, ExactNumberInfo, Expr, FunctionArgExpr, Query, SelectItem, SetExpr, UnaryOperator, Value};

use super::spelling::{call, cast};
use crate::layouts;
use crate::sql_types;
use crate::values::numeric::Limit;

/// Digits that every decimal of the engine has room for.
const DIGITS_MAX: usize = 37;

/// Its size: no bigint, unless a minus stands before it.
const SMALLEST_BIGINT: &str = "9223372036854775808";

/// Rewrites the expression itself, not what is below it. Errors: 22023 for a precision or a scale out of range.
pub(super) fn respell(expr: &mut Expr) -> SqlResult<()> {
    match expr {
        Expr::Value(value) => {
            if let Value::Number(digits, false) = &value.value
                && !is_plain(digits)
            {
                *expr = numeric(digits.clone());
            }
        }
        Expr::UnaryOp { op: UnaryOperator::Minus, expr: inner } => match number(inner) {
            Some(SMALLEST_BIGINT) => {
                let text = Expr::Value(Value::SingleQuotedString(format!("-{SMALLEST_BIGINT}")).into());
                *expr = cast(text, DataType::BigInt(None));
            }
            Some(digits) if is_plain(digits) => {}
            Some(digits) => *expr = numeric(format!("-{digits}")),
            None if is_constant(inner) => {}
            None => *expr = call("negate", vec![FunctionArgExpr::Expr(take(inner))]),
        },
        Expr::UnaryOp { op: UnaryOperator::Plus, expr: inner } if !is_constant(inner) => {
            *expr = call("positive", vec![FunctionArgExpr::Expr(take(inner))]);
        }
        Expr::Cast { expr: inner, data_type: DataType::Numeric(info) | DataType::Decimal(info) | DataType::Dec(info), .. } => {
            let limit = sql_types::numeric_limit(info)?;
            if let Some(Limit { precision, scale }) = limit
                && layouts::is_any_numeric(&sql_types::arrow_of(&DataType::Numeric(*info))?.unwrap_or(arrow::datatypes::DataType::Null))
            {
                let integer = |value: i32| FunctionArgExpr::Expr(Expr::Value(Value::Number(value.to_string(), false).into()));
                let any = cast(take(inner), DataType::Numeric(ExactNumberInfo::None));
                *expr = call("numeric_limited", vec![FunctionArgExpr::Expr(any), integer(precision.into()), integer(scale.into())]);
            }
        }
        _ => {}
    }
    Ok(())
}

/// D36: the sign before a power goes to what is raised.
pub(super) fn bind_sign(expr: &mut Expr) {
    let Expr::UnaryOp { op: op @ (UnaryOperator::Minus | UnaryOperator::Plus), expr: inner } = expr else { return };
    if !matches!(inner.as_ref(), Expr::BinaryOp { op: BinaryOperator::PGExp, .. }) {
        return;
    }
    let (op, mut power) = (*op, take(inner));
    let mut raised = &mut power;
    while let Expr::BinaryOp { left, op: BinaryOperator::PGExp, .. } = raised {
        raised = left.as_mut();
    }
    let signed = Box::new(take(raised));
    *raised = Expr::UnaryOp { op, expr: signed };
    *expr = power;
}

fn take(expr: &mut Expr) -> Expr {
    std::mem::replace(expr, Expr::Value(Value::Null.into()))
}

/// D30.
fn numeric(digits: String) -> Expr {
    cast(Expr::Value(Value::SingleQuotedString(digits).into()), DataType::Numeric(ExactNumberInfo::None))
}

/// The digits of a constant number.
fn number(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Value(value) => match &value.value {
            Value::Number(digits, false) => Some(digits),
            _ => None,
        },
        _ => None,
    }
}

/// Whether it is a constant that the engine negates itself.
fn is_constant(expr: &Expr) -> bool {
    match expr {
        Expr::Value(_) | Expr::Interval(_) => true,
        Expr::Cast { expr, data_type: DataType::Int(None) | DataType::BigInt(None), .. } => number(expr).is_some_and(is_plain),
        _ => false,
    }
}

/// Whether the engine reads the constant as PostgreSQL does.
fn is_plain(digits: &str) -> bool {
    if digits.contains(['e', 'E']) {
        return false;
    }
    if digits.contains('.') {
        return digits.len() <= DIGITS_MAX + 1;
    }
    digits.parse::<i64>().is_ok() || digits.bytes().any(|byte| !byte.is_ascii_digit())
}

/// D34.
pub(super) fn type_recursion(query: &mut Query) {
    let recursive = query.with.iter_mut().filter(|with| with.recursive).flat_map(|with| &mut with.cte_tables);
    for cte in recursive {
        let SetExpr::SetOperation { left, .. } = cte.query.body.as_mut() else { continue };
        let SetExpr::Select(select) = left.as_mut() else { continue };
        for item in &mut select.projection {
            if let SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } = item
                && is_fraction(expr)
            {
                *expr = cast(take(expr), DataType::Numeric(ExactNumberInfo::None));
            }
        }
    }
}

/// Whether it is computed of constants alone, one of which has a point.
fn is_fraction(expr: &Expr) -> bool {
    fn look(expr: &Expr, has_point: &mut bool) -> bool {
        match expr {
            Expr::Value(_) => number(expr).is_some_and(|digits| {
                *has_point |= digits.contains('.');
                true
            }),
            Expr::Nested(inner) | Expr::UnaryOp { op: UnaryOperator::Minus | UnaryOperator::Plus, expr: inner } => look(inner, has_point),
            Expr::BinaryOp { left, op: BinaryOperator::Plus | BinaryOperator::Minus | BinaryOperator::Multiply, right } => {
                look(left, has_point) && look(right, has_point)
            }
            _ => false,
        }
    }
    let mut has_point = false;
    look(expr, &mut has_point) && has_point
}

/// D31.
pub(super) fn type_rows(body: &mut SetExpr) {
    let SetExpr::Values(values) = body else { return };
    let width = values.rows.first().map_or(0, |row| row.len());
    for at in 0..width {
        let cells: Vec<Cell> = values.rows.iter().filter_map(|row| row.get(at)).map(Cell::of).collect();
        let is_floating = cells.contains(&Cell::Floating);
        let is_any = cells.contains(&Cell::Numeric);
        if cells.contains(&Cell::Other) {
            continue;
        }
        let mut scales = cells.iter().filter_map(|cell| if let Cell::Number(scale) = cell { Some(scale) } else { None });
        let first = scales.next();
        let data_type = match first {
            Some(_) if is_floating => DataType::DoublePrecision,
            Some(_) if cells.contains(&Cell::Real) => DataType::Real,
            Some(_) if is_any => DataType::Numeric(ExactNumberInfo::None),
            Some(first) if scales.any(|scale| scale != first) => DataType::Numeric(ExactNumberInfo::None),
            _ => continue,
        };
        for cell in values.rows.iter_mut().filter_map(|row| row.get_mut(at)) {
            if let Cell::Number(_) | Cell::Numeric = Cell::of(cell) {
                *cell = cast(take(cell), data_type.clone());
            }
        }
    }
}

/// A cell of VALUES.
#[derive(PartialEq, Eq)]
enum Cell {
    /// With the digits after its point, if they can be told.
    Number(Option<usize>),
    Null,
    /// Cast to numeric.
    Numeric,
    Floating,
    Real,
    Other,
}

impl Cell {
    fn of(expr: &Expr) -> Self {
        match expr {
            Expr::Nested(inner) | Expr::UnaryOp { op: UnaryOperator::Minus | UnaryOperator::Plus, expr: inner } => Self::of(inner),
            Expr::Value(value) => match &value.value {
                Value::Number(digits, false) if is_plain(digits) => {
                    Self::Number(Some(digits.split_once('.').map_or(0, |(_, fraction)| fraction.len())))
                }
                Value::Number(..) => Self::Number(None),
                Value::Null => Self::Null,
                _ => Self::Other,
            },
            Expr::Cast { data_type: DataType::Float8 | DataType::DoublePrecision | DataType::Double(_), .. } => Self::Floating,
            Expr::Cast { data_type: DataType::Real | DataType::Float4, .. } => Self::Real,
            Expr::Cast { data_type: DataType::Numeric(_) | DataType::Decimal(_) | DataType::Dec(_), .. } => Self::Numeric,
            _ => Self::Other,
        }
    }
}
