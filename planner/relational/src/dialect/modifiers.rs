//! Types with a modifier: `varchar(n)`, `char(n)`, `timestamp(p)`, `time(p)`, `interval(p)`, and `current_timestamp(p)`.
//!
//! D2: a cast to `varchar(n)` or `char(n)` cuts the value at n characters; a `char(n)` loses the blanks at its end, as one of a table has.
//!     The function that does it says what the value's type is (`origins`).
//! D26: a precision of less than six digits rounds the value.

use base::{SqlError, SqlResult, SqlState};
use sqlparser::ast::{
    CastKind, CharacterLength, DataType, Expr, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, ObjectName, TypedString, Value,
};

use super::spelling::{call, cast};
use crate::functions::text::{BPCHAR, VARCHAR};
use crate::position::folded_parts;

/// Longest `varchar` and `char`, characters.
const LENGTH_MAX: u64 = 10_485_760;

/// Rewrites the expression itself, not what is below it. Errors: 22023 for a length out of range.
pub(super) fn apply(expr: &mut Expr) -> SqlResult<()> {
    match expr {
        Expr::Cast { kind: CastKind::Cast | CastKind::DoubleColon, expr: inner, data_type, .. } => {
            if let Some((function, length)) = limited(data_type, false)? {
                let text = cast(take(inner), DataType::Text);
                *expr = with_number(function, text, length);
            } else if let Some((plain, function, digits)) = rounded(data_type) {
                let value = cast(take(inner), plain);
                *expr = with_number(function, value, digits);
            }
        }
        Expr::TypedString(TypedString { data_type, value, .. }) => {
            let text = || Expr::Value(value.clone());
            if let Some((function, length)) = limited(data_type, true)? {
                *expr = with_number(function, cast(text(), DataType::Text), length);
            } else if let Some((plain, function, digits)) = rounded(data_type) {
                *expr = with_number(function, cast(text(), plain), digits);
            }
        }
        Expr::Function(function) => {
            let name = folded_parts(&function.name);
            let FunctionArguments::List(list) = &mut function.args else { return Ok(()) };
            if let ([name], [FunctionArg::Unnamed(FunctionArgExpr::Expr(digits))]) = (name.as_slice(), list.args.as_mut_slice())
                && let Some((plain, rounding)) = clock(name)
            {
                let digits = take(digits);
                *expr = call(rounding, vec![FunctionArgExpr::Expr(call(plain, vec![])), FunctionArgExpr::Expr(digits)]);
            }
        }
        _ => {}
    }
    Ok(())
}

fn clock(name: &str) -> Option<(&'static str, &'static str)> {
    Some(match name {
        "current_timestamp" => ("current_timestamp", "timestamp_in_digits"),
        "localtimestamp" => ("localtimestamp", "timestamp_in_digits"),
        "localtime" => ("localtime", "time_in_digits"),
        _ => return None,
    })
}

/// The function behind a type of limited length, and the length; −1 is none.
fn limited(data_type: &DataType, is_constant: bool) -> SqlResult<Option<(&'static str, i64)>> {
    let checked = |name: &str, length: &Option<CharacterLength>, otherwise: i64| match length {
        None => Ok(otherwise),
        Some(CharacterLength::Max) => Err(out_of_range(format!("length for type {name} cannot exceed {LENGTH_MAX}"))),
        Some(CharacterLength::IntegerLength { length: 0, .. }) => Err(out_of_range(format!("length for type {name} must be at least 1"))),
        Some(CharacterLength::IntegerLength { length, .. }) => match i64::try_from(*length) {
            Ok(fits) if *length <= LENGTH_MAX => Ok(fits),
            _ => Err(out_of_range(format!("length for type {name} cannot exceed {LENGTH_MAX}"))),
        },
    };
    Ok(Some(match data_type {
        DataType::Varchar(length) | DataType::CharVarying(length) | DataType::CharacterVarying(length) => {
            (VARCHAR, checked("varchar", length, -1)?)
        }
        DataType::Char(length) | DataType::Character(length) => (BPCHAR, checked("char", length, if is_constant { -1 } else { 1 })?),
        DataType::Custom(name, modifiers) => {
            let function = match folded_parts(name).last().map(String::as_str) {
                Some("varchar") => VARCHAR,
                Some("bpchar") => BPCHAR,
                _ => return Ok(None),
            };
            match modifiers.first().map(|length| length.parse::<i64>()) {
                None => (function, -1),
                Some(Ok(length)) if (1..=LENGTH_MAX as i64).contains(&length) => (function, length),
                Some(_) => return Err(out_of_range(format!("length for type {function} must be at least 1"))),
            }
        }
        _ => return Ok(None),
    }))
}

/// A type with a precision below six: the type without it, the function that rounds, and the digits.
fn rounded(data_type: &DataType) -> Option<(DataType, &'static str, i64)> {
    let digits = |precision: &Option<u64>| precision.filter(|digits| *digits < 6).and_then(|digits| i64::try_from(digits).ok());
    Some(match data_type {
        DataType::Timestamp(precision, zone) => (DataType::Timestamp(None, *zone), "timestamp_in_digits", digits(precision)?),
        DataType::Time(precision, zone) => (DataType::Time(None, *zone), "time_in_digits", digits(precision)?),
        DataType::Interval { fields, precision } => {
            (DataType::Interval { fields: *fields, precision: None }, "interval_in_digits", digits(precision)?)
        }
        DataType::Custom(name, modifiers) if folded_parts(name).last().is_some_and(|name| name == "timestamptz") => {
            let given = modifiers.first().and_then(|digits| digits.parse().ok());
            (DataType::Custom(ObjectName::from(vec![Ident::new("timestamptz")]), vec![]), "timestamp_in_digits", digits(&given)?)
        }
        _ => return None,
    })
}

fn with_number(function: &str, value: Expr, number: i64) -> Expr {
    let digits = Expr::Value(Value::Number(number.unsigned_abs().to_string(), false).into());
    let number = if number < 0 { Expr::UnaryOp { op: sqlparser::ast::UnaryOperator::Minus, expr: Box::new(digits) } } else { digits };
    call(function, vec![FunctionArgExpr::Expr(value), FunctionArgExpr::Expr(number)])
}

fn out_of_range(message: String) -> SqlError {
    SqlError::new(SqlState::INVALID_PARAMETER_VALUE, message)
}

fn take(expr: &mut Expr) -> Expr {
    std::mem::replace(expr, Expr::Value(Value::Null.into()))
}
