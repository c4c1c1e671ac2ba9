//! Integer constants that are `integer`, not `bigint`.
//!
//! D1: a constant that fits gets a cast where Postgres would type by it: as a SELECT item, an operand of arithmetic, a result of CASE or an
//!     argument of a function in [`TYPED_BY_ARGUMENT`] or in [`OF_INTEGERS`], a place in a text, or a cell of VALUES. Elsewhere (positions in ORDER BY, LIMIT, frames) constants stay as written.

use sqlparser::ast::{
    BinaryOperator, DataType, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, ObjectName, SetExpr, UnaryOperator, Value,
};

use super::spelling::cast;
use crate::functions::row::OF_INTEGERS;
use crate::position::folded_parts;

/// Functions whose result has the type of their arguments.
const TYPED_BY_ARGUMENT: [&str; 30] = [
    "array_append",
    "array_fill",
    "array_position",
    "array_positions",
    "array_prepend",
    "array_remove",
    "array_replace",
    "coalesce",
    "greatest",
    "least",
    "nullif",
    "sum",
    "avg",
    "min",
    "max",
    "abs",
    "pg_typeof",
    "to_hex",
    "gcd",
    "lcm",
    "sign",
    "bit_and",
    "bit_or",
    "bit_xor",
    "repeat",
    "scale",
    "array_agg",
    "generate_series_list",
    "ntile",
    "bitwise_not",
];

/// Types the constants directly below this expression.
pub(super) fn type_operands(expr: &mut Expr) {
    match expr {
        Expr::BinaryOp { left, op, right } if is_arithmetic(op) => {
            type_constant(left);
            type_constant(right);
        }
        Expr::Case { conditions, else_result, .. } => {
            conditions.iter_mut().for_each(|when| type_constant(&mut when.result));
            else_result.iter_mut().for_each(|result| type_constant(result));
        }
        Expr::Array(array) => array.elem.iter_mut().for_each(type_constant),
        Expr::Cast {
            expr,
            data_type: DataType::Uuid | DataType::JSON | DataType::JSONB | DataType::Interval { .. } | DataType::Array(_),
            ..
        } => {
            type_constant(expr);
        }
        Expr::Function(call) => type_arguments(call),
        Expr::Substring { substring_from, substring_for, .. } => {
            substring_from.iter_mut().chain(substring_for).for_each(|place| type_constant(place));
        }
        Expr::Overlay { overlay_from, overlay_for, .. } => {
            std::iter::once(overlay_from).chain(overlay_for).for_each(|place| type_constant(place));
        }
        _ => {}
    }
}

fn is_arithmetic(op: &BinaryOperator) -> bool {
    use BinaryOperator::{
        BitwiseAnd, BitwiseOr, Divide, Minus, Modulo, Multiply, PGBitwiseShiftLeft, PGBitwiseShiftRight, PGBitwiseXor, Plus, StringConcat,
    };
    let is_bitwise = matches!(op, BitwiseAnd | BitwiseOr | PGBitwiseXor | PGBitwiseShiftLeft | PGBitwiseShiftRight);
    is_bitwise || matches!(op, Plus | Minus | Multiply | Divide | Modulo | StringConcat)
}

/// Types the constants of a list of rows.
pub(super) fn type_rows(body: &mut SetExpr) {
    if let SetExpr::Values(values) = body {
        values.rows.iter_mut().flat_map(|row| row.iter_mut()).for_each(type_constant);
    }
}

/// Types the constant this expression is, through parentheses and signs.
pub(super) fn type_constant(expr: &mut Expr) {
    match expr {
        Expr::UnaryOp { op: UnaryOperator::Minus, expr: inner } if is_smallest_negated(inner) => {}
        Expr::UnaryOp { op: UnaryOperator::Minus, expr: inner } if is_smallest(inner) => {
            *expr = cast(Expr::Value(Value::SingleQuotedString(i32::MIN.to_string()).into()), DataType::Int(None));
        }
        Expr::Nested(inner) | Expr::UnaryOp { op: UnaryOperator::Minus | UnaryOperator::Plus, expr: inner } => type_constant(inner),
        Expr::Value(value) if matches!(&value.value, Value::Number(digits, false) if digits.parse::<i32>().is_ok()) => {
            let literal = std::mem::replace(expr, Expr::Value(Value::Null.into()));
            *expr = cast(literal, DataType::Int(None));
        }
        _ => {}
    }
}

/// Whether the constant is the size of the smallest `integer`, which is one with its sign only.
fn is_smallest(expr: &Expr) -> bool {
    match expr {
        Expr::Value(value) => {
            matches!(&value.value, Value::Number(digits, false) if digits.parse() == Ok(i32::MIN.unsigned_abs()))
        }
        _ => false,
    }
}

/// Whether it is the smallest `integer` itself, which is a `bigint` without its sign.
fn is_smallest_negated(expr: &Expr) -> bool {
    match expr {
        Expr::Nested(inner) => is_smallest_negated(inner),
        Expr::UnaryOp { op: UnaryOperator::Minus, expr } => is_smallest(expr),
        _ => false,
    }
}

fn type_arguments(call: &mut Function) {
    if let FunctionArguments::List(list) = &mut call.args {
        type_arguments_of(&call.name, &mut list.args);
    }
}

/// Types the constants among a function's arguments.
pub(super) fn type_arguments_of(name: &ObjectName, args: &mut [FunctionArg]) {
    let is_typed = |name: &String| TYPED_BY_ARGUMENT.contains(&name.as_str()) || OF_INTEGERS.contains(&name.as_str());
    if !folded_parts(name).last().is_some_and(is_typed) {
        return;
    }
    for arg in args {
        if let FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) = arg {
            type_constant(expr);
        }
    }
}
