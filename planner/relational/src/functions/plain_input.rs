//! Text read as boolean, integer or floating point, by Postgres's input syntax.
//!
//! F42: blanks around a value mean nothing; what is no value is 22P02, what does not fit 22003.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Float32Array, Float64Array, Int16Array, Int32Array, Int64Array, StringArray};
use arrow::datatypes::DataType;
use base::{SqlError, SqlResult, SqlState};

use crate::functions::types;
use crate::values::invalid_syntax;

/// Whether a text becomes this type here.
pub(super) fn reads(to: &DataType) -> bool {
    matches!(to, DataType::Boolean | DataType::Int16 | DataType::Int32 | DataType::Int64 | DataType::Float32 | DataType::Float64)
}

/// The texts as values. Errors: F42.
pub(super) fn read(texts: &StringArray, to: &DataType) -> SqlResult<ArrayRef> {
    let name = types::name(to);
    macro_rules! each {
        ($array:ty, $read:expr) => {
            Arc::new(texts.iter().map(|text| text.map($read).transpose()).collect::<SqlResult<$array>>()?)
        };
    }
    Ok(match to {
        DataType::Boolean => each!(BooleanArray, boolean),
        DataType::Int16 => each!(Int16Array, |text: &str| integer(text, &name, |value| i16::try_from(value).ok())),
        DataType::Int32 => each!(Int32Array, |text: &str| integer(text, &name, |value| i32::try_from(value).ok())),
        DataType::Int64 => each!(Int64Array, |text: &str| integer(text, &name, Some)),
        DataType::Float32 => each!(Float32Array, |text: &str| {
            let value = float(text, &name)?;
            let narrow = value as f32;
            let is_lost = (narrow.is_infinite() && value.is_finite()) || (narrow == 0.0 && value != 0.0);
            if is_lost { Err(out_of_range(trimmed(text), &name)) } else { Ok(narrow) }
        }),
        _ => each!(Float64Array, |text: &str| float(text, &name)),
    })
}

fn trimmed(text: &str) -> &str {
    text.trim_matches([' ', '\t', '\n', '\x0b', '\x0c', '\r'])
}

fn out_of_range(text: &str, name: &str) -> SqlError {
    let message = match name {
        "real" | "double precision" => format!("\"{text}\" is out of range for type {name}"),
        _ => format!("value \"{text}\" is out of range for type {name}"),
    };
    SqlError::new(SqlState::NUMERIC_VALUE_OUT_OF_RANGE, message)
}

/// Any unambiguous beginning of a word.
fn boolean(text: &str) -> SqlResult<bool> {
    let lower = trimmed(text).to_ascii_lowercase();
    let begins = |word: &str| !lower.is_empty() && word.starts_with(&lower);
    match lower.as_str() {
        "1" | "on" => Ok(true),
        "0" | "of" | "off" => Ok(false),
        _ if begins("true") || begins("yes") => Ok(true),
        _ if begins("false") || begins("no") => Ok(false),
        _ => Err(invalid_syntax("boolean", text)),
    }
}

fn integer<T>(text: &str, name: &str, fit: impl Fn(i64) -> Option<T>) -> SqlResult<T> {
    let digits = trimmed(text);
    let magnitude = digits.strip_prefix(['+', '-']).unwrap_or(digits);
    if magnitude.is_empty() || !magnitude.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(invalid_syntax(name, text));
    }
    digits.parse::<i64>().ok().and_then(fit).ok_or_else(|| out_of_range(text, name))
}

fn float(text: &str, name: &str) -> SqlResult<f64> {
    let digits = trimmed(text);
    let lower = digits.to_ascii_lowercase();
    let (sign, magnitude) = match lower.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, lower.strip_prefix('+').unwrap_or(&lower)),
    };
    match magnitude {
        "nan" => return Ok(f64::NAN),
        "inf" | "infinity" => return Ok(sign * f64::INFINITY),
        _ => {}
    }
    if !magnitude.starts_with(|first: char| first.is_ascii_digit() || first == '.') {
        return Err(invalid_syntax(name, text));
    }
    let value: f64 = magnitude.parse().map_err(|_| invalid_syntax(name, text))?;
    let mantissa = magnitude.split('e').next().unwrap_or(magnitude);
    let is_lost = value.is_infinite() || (value == 0.0 && mantissa.bytes().any(|byte| matches!(byte, b'1'..=b'9')));
    if is_lost { Err(out_of_range(digits, name)) } else { Ok(sign * value) }
}
