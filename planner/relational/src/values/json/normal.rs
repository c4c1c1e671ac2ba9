//! The one form of a `jsonb` (J1).

use std::borrow::Cow;

use base::{SqlError, SqlResult, SqlState};

use super::parse::{Kind, Value, parse};

/// Digits before the point that a `numeric` can have.
const WHOLE_DIGITS_MAX: i64 = 131_072;
/// Digits after it.
const FRACTION_DIGITS_MAX: i64 = 16_383;

/// The text in its one form. Errors: as `parse`, and 22003 for a number no `numeric` holds.
pub fn normalise(text: &str) -> SqlResult<String> {
    let value = parse(text, true)?;
    let mut out = String::with_capacity(text.len());
    write(&value, &mut out)?;
    Ok(out)
}

fn write(value: &Value<'_>, out: &mut String) -> SqlResult<()> {
    match &value.kind {
        Kind::Null | Kind::Bool(_) => out.push_str(value.text),
        Kind::Number => out.push_str(&normal_number(value.text)?),
        Kind::String(text) => write_string(text, out),
        Kind::Array(elements) => {
            out.push('[');
            for (at, element) in elements.iter().enumerate() {
                out.push_str(if at > 0 { ", " } else { "" });
                write(element, out)?;
            }
            out.push(']');
        }
        Kind::Object(members) => {
            out.push('{');
            for (at, (key, member)) in unique(members).into_iter().enumerate() {
                out.push_str(if at > 0 { ", " } else { "" });
                write_string(key, out);
                out.push_str(": ");
                write(member, out)?;
            }
            out.push('}');
        }
    }
    Ok(())
}

/// The members by length and bytes of their keys, the last of each key.
fn unique<'v, 'a>(members: &'v [(Cow<'a, str>, Value<'a>)]) -> Vec<(&'v str, &'v Value<'a>)> {
    let mut sorted: Vec<(&str, &Value<'_>)> = members.iter().map(|(key, value)| (key.as_ref(), value)).collect();
    sorted.sort_by(|(a, _), (b, _)| super::compare::key_order(a, b));
    let mut kept: Vec<(&str, &Value<'_>)> = Vec::with_capacity(sorted.len());
    for member in sorted {
        match kept.last_mut() {
            Some(last) if last.0 == member.0 => *last = member,
            _ => kept.push(member),
        }
    }
    kept
}

/// Appends a string in quotes, with the escapes of Postgres.
pub fn write_string(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\0'..' ' => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            other => out.push(other),
        }
    }
    out.push('"');
}

/// A JSON number as `numeric` prints it: no exponent, fractions as long as written. Errors: 22003.
pub fn normal_number(text: &str) -> SqlResult<String> {
    let overflow = || SqlError::new(SqlState::NUMERIC_VALUE_OUT_OF_RANGE, "value overflows numeric format");
    let (sign, digits) = text.strip_prefix('-').map_or(("", text), |rest| ("-", rest));
    let (mantissa, exponent) = match digits.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().map_err(|_| overflow())?),
        None => (digits, 0),
    };
    let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all = format!("{whole}{part}");
    let scale = (part.len() as i64).saturating_sub(exponent);
    let is_zero = all.bytes().all(|digit| digit == b'0');
    if is_zero {
        let scale = scale.clamp(0, FRACTION_DIGITS_MAX) as usize;
        return Ok(if scale == 0 { "0".to_owned() } else { format!("0.{}", "0".repeat(scale)) });
    }
    let significant = all.trim_start_matches('0');
    if scale > FRACTION_DIGITS_MAX || significant.len() as i64 - scale > WHOLE_DIGITS_MAX {
        return Err(overflow());
    }
    if scale <= 0 {
        return Ok(format!("{sign}{significant}{}", "0".repeat(scale.unsigned_abs() as usize)));
    }
    let scale = scale as usize;
    let padded = format!("{significant:0>width$}", width = scale + 1);
    let (whole, part) = padded.split_at(padded.len() - scale);
    Ok(format!("{sign}{whole}.{part}"))
}
