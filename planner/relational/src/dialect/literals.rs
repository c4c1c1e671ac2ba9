//! Constants whose spelling or neighbours say what they are: `U&'…'`, cells of VALUES, signs before a text, conditions, arguments.
//!
//! D27: a text in a column of VALUES is of the type that another cell of the column is written with.

use base::{SqlError, SqlResult, SqlState};
use sqlparser::ast::{
    DataType, ExactNumberInfo, Expr, FunctionArg, FunctionArgExpr, FunctionArguments, SetExpr, TimezoneInfo, TypedString, UnaryOperator,
    Value,
};

use super::spelling::cast;
use crate::position::folded_parts;
use crate::resolution;

/// Rewrites the expression itself, not what is below it. Errors: 42725 for a sign before a text, 42601 for a choice among nothing.
pub(super) fn respell(expr: &mut Expr) -> SqlResult<()> {
    match expr {
        Expr::Value(value) => {
            if let Value::UnicodeStringLiteral(text) | Value::NationalStringLiteral(text) = &mut value.value {
                value.value = Value::SingleQuotedString(std::mem::take(text));
            }
            Ok(())
        }
        Expr::UnaryOp { op: op @ (UnaryOperator::Minus | UnaryOperator::BitwiseNot), expr } if is_text(expr) => {
            Err(resolution::ambiguous_operator(&format!("{op} unknown")))
        }
        Expr::UnaryOp { op: UnaryOperator::Plus, expr } if is_text(expr) => {
            retype(expr, DataType::DoublePrecision);
            Ok(())
        }
        Expr::UnaryOp { op: UnaryOperator::Not, expr } => {
            condition(expr);
            Ok(())
        }
        Expr::Extract { expr, .. } if is_text(expr) => {
            Err(SqlError::new(SqlState("42725"), "function pg_catalog.extract(unknown, unknown) is not unique")
                .hint("Could not choose a best candidate function. You might need to add explicit type casts."))
        }
        Expr::Cast { expr, data_type: DataType::Array(_), .. } if matches!(expr.as_ref(), Expr::Array(array) if array.elem.is_empty()) => {
            **expr = text("{}");
            Ok(())
        }
        Expr::Cast { expr, data_type, .. } if is_float(data_type) => {
            // The digits are read as they stand, not through a numeric.
            if let Some(digits) = digits(expr) {
                **expr = text(&digits);
            }
            Ok(())
        }
        Expr::Function(call) => {
            let name = folded_parts(&call.name);
            check_text(call, &name)?;
            arguments(call);
            if let Some(cast) = called_cast(call, &name) {
                *expr = cast;
                return Ok(());
            }
            let is_choice = matches!(name.as_slice(), [name] if matches!(name.as_str(), "coalesce" | "greatest" | "least"));
            match &call.args {
                FunctionArguments::List(list) if is_choice && list.args.is_empty() => {
                    Err(SqlError::new(SqlState::SYNTAX_ERROR, "syntax error at or near \")\""))
                }
                _ => Ok(()),
            }
        }
        _ => Ok(()),
    }
}

/// Functions of several types of which none is preferred.
const AMBIGUOUS: [&str; 5] = ["avg", "bit_and", "bit_or", "sum", "to_char"];

/// Errors: 42725 for a text without a type where it may be of several.
fn check_text(call: &sqlparser::ast::Function, name: &[String]) -> SqlResult<()> {
    let ([name], FunctionArguments::List(list)) = (name, &call.args) else { return Ok(()) };
    let is_open = |arg: &FunctionArg| matches!(arg, FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) if is_text(expr));
    if AMBIGUOUS.contains(&name.as_str()) && list.args.first().is_some_and(is_open) {
        let unknown = vec!["unknown"; list.args.len()].join(", ");
        return Err(SqlError::new(SqlState("42725"), format!("function {name}({unknown}) is not unique"))
            .hint("Could not choose a best candidate function. You might need to add explicit type casts."));
    }
    Ok(())
}

/// A condition that is a text is read as a boolean.
pub(super) fn condition(expr: &mut Expr) {
    if is_text(expr) {
        retype(expr, DataType::Boolean);
    }
}

fn retype(expr: &mut Expr, data_type: DataType) {
    let literal = std::mem::replace(expr, Expr::Value(Value::Null.into()));
    *expr = cast(literal, data_type);
}

fn text(value: &str) -> Expr {
    Expr::Value(Value::SingleQuotedString(value.to_owned()).into())
}

fn is_float(data_type: &DataType) -> bool {
    matches!(data_type, DataType::DoublePrecision | DataType::Float8 | DataType::Real | DataType::Float4)
        || matches!(data_type, DataType::Custom(name, _) if matches!(folded_parts(name).last().map(String::as_str), Some("float8" | "float4")))
}

/// The digits of a number with a point or an exponent.
fn digits(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Nested(inner) => digits(inner),
        // A numeric has no zero below zero.
        Expr::UnaryOp { op: UnaryOperator::Minus, expr } => {
            digits(expr).filter(|digits| digits.contains(|c| matches!(c, '1'..='9'))).map(|digits| format!("-{digits}"))
        }
        Expr::Value(value) => match &value.value {
            Value::Number(digits, false) if digits.contains(['.', 'e', 'E']) => Some(digits.clone()),
            _ => None,
        },
        _ => None,
    }
}

/// Functions for which a text without a type is a double precision.
const OF_FLOAT: [&str; 9] = ["abs", "ceil", "ceiling", "exp", "floor", "ln", "round", "sqrt", "trunc"];
/// Functions of a `json`, not a `jsonb`.
const OF_JSON: [&str; 9] = [
    "json_array_elements",
    "json_array_elements_text",
    "json_array_length",
    "json_each",
    "json_each_text",
    "json_extract_path",
    "json_extract_path_text",
    "json_object_keys",
    "json_strip_nulls",
];

/// Literals as arguments of functions that the engine knows by their types only.
fn arguments(call: &mut sqlparser::ast::Function) {
    let name = folded_parts(&call.name);
    let Some(name) = name.last() else { return };
    if let FunctionArguments::List(list) = &mut call.args {
        type_arguments(name, &mut list.args);
    }
}

/// The same for a function in FROM.
pub(super) fn type_arguments(name: &str, args: &mut [FunctionArg]) {
    let count = args.len();
    let wanted = |at: usize| match at {
        0 if count == 1 && OF_FLOAT.contains(&name) => Some(DataType::DoublePrecision),
        0 if OF_JSON.contains(&name) => Some(DataType::JSON),
        _ => None,
    };
    for (at, arg) in args.iter_mut().enumerate() {
        if let (FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)), Some(wanted)) = (arg, wanted(at))
            && is_text(expr)
        {
            retype(expr, wanted);
        }
    }
}

/// `date(x)` and the like, which are casts.
fn called_cast(call: &mut sqlparser::ast::Function, name: &[String]) -> Option<Expr> {
    let [name] = name else { return None };
    let data_type = match name.as_str() {
        "date" => DataType::Date,
        "int2" => DataType::SmallInt(None),
        "int4" => DataType::Int(None),
        "int8" => DataType::BigInt(None),
        "float4" => DataType::Real,
        "float8" => DataType::DoublePrecision,
        "text" => DataType::Text,
        "bool" => DataType::Boolean,
        "timestamptz" => DataType::Timestamp(None, TimezoneInfo::Tz),
        _ => return None,
    };
    let FunctionArguments::List(list) = &mut call.args else { return None };
    match list.args.as_mut_slice() {
        [FunctionArg::Unnamed(FunctionArgExpr::Expr(value))] => {
            Some(cast(std::mem::replace(value, Expr::Value(Value::Null.into())), data_type))
        }
        _ => None,
    }
}

fn is_text(expr: &Expr) -> bool {
    match expr {
        Expr::Nested(inner) => is_text(inner),
        Expr::Value(value) => matches!(value.value, Value::SingleQuotedString(_) | Value::EscapedStringLiteral(_)),
        _ => false,
    }
}

/// The type an expression is written with, if it is a constant or a cast.
fn written(expr: &Expr) -> Option<DataType> {
    match expr {
        Expr::Nested(inner) | Expr::UnaryOp { op: UnaryOperator::Minus | UnaryOperator::Plus, expr: inner } => written(inner),
        Expr::Value(value) => match &value.value {
            Value::Number(digits, _) if digits.parse::<i32>().is_ok() => Some(DataType::Int(None)),
            Value::Number(digits, _) if digits.parse::<i64>().is_ok() => Some(DataType::BigInt(None)),
            Value::Number(..) => Some(DataType::Numeric(ExactNumberInfo::None)),
            Value::Boolean(_) => Some(DataType::Boolean),
            _ => None,
        },
        Expr::Cast { data_type, .. } | Expr::TypedString(TypedString { data_type, .. }) => Some(data_type.clone()),
        _ => None,
    }
}

fn width(data_type: &DataType) -> u8 {
    match data_type {
        DataType::Int(_) => 0,
        DataType::BigInt(_) => 1,
        _ => 2,
    }
}

/// D27.
pub(super) fn type_rows(body: &mut SetExpr) {
    let SetExpr::Values(values) = body else { return };
    let columns = values.rows.first().map_or(0, |row| row.content.len());
    for column in 0..columns {
        let cells = || values.rows.iter().filter_map(|row| row.content.get(column));
        if !cells().any(is_text) {
            continue;
        }
        let Some(wanted) = cells().filter_map(written).max_by_key(width) else { continue };
        for cell in values.rows.iter_mut().filter_map(|row| row.content.get_mut(column)).filter(|cell| is_text(cell)) {
            let text = std::mem::replace(cell, Expr::Value(Value::Null.into()));
            *cell = cast(text, wanted.clone());
        }
    }
}
