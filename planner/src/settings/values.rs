//! Values of parameters: what is taken, and how it is shown again.
//!
//! Never: knows which parameter has an effect.

use base::{SqlError, SqlResult, SqlState};

use relational::values::manner::{DateOrder, DateStyle};
use relational::values::zone::Zone;

use super::known::{Kind, Known};

/// The value as it is compared: an encoding's name is its letters, digits and `_` alone, so that `'utf-8'` with quotes in it is UTF8.
fn spelled(known: &Known, value: &str) -> String {
    match known.name {
        "client_encoding" => value.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').collect(),
        _ => value.trim().to_owned(),
    }
}

/// 55P02
pub(super) fn fixed(known: &Known) -> SqlError {
    SqlError::new(SqlState::CANT_CHANGE_RUNTIME_PARAM, format!("parameter \"{}\" cannot be changed", known.name))
}

/// The value as it is kept and shown. Errors: 22023, 55P02.
pub(super) fn check(known: &Known, value: &str) -> SqlResult<String> {
    let invalid = |hint: Option<String>| {
        let message = format!("invalid value for parameter \"{}\": \"{value}\"", known.name);
        let error = SqlError::new(SqlState::INVALID_PARAMETER_VALUE, message);
        match hint {
            Some(hint) => error.hint(hint),
            None => error,
        }
    };
    match known.kind {
        Kind::Fixed => Err(fixed(known)),
        Kind::Text | Kind::Moment => Ok(value.to_owned()),
        Kind::Bool => match boolean(value) {
            Some(value) => Ok(if value { "on" } else { "off" }.into()),
            None => Err(SqlError::new(SqlState::INVALID_PARAMETER_VALUE, format!("parameter \"{}\" requires a Boolean value", known.name))),
        },
        Kind::Integer(least, greatest) => match value.trim().parse::<i64>() {
            Ok(n) if (least..=greatest).contains(&n) => Ok(n.to_string()),
            Ok(n) => {
                let message = format!("{n} is outside the valid range for parameter \"{}\" ({least} .. {greatest})", known.name);
                Err(SqlError::new(SqlState::INVALID_PARAMETER_VALUE, message))
            }
            Err(_) => Err(invalid(None)),
        },
        Kind::Real => match value.trim().parse::<f64>() {
            Ok(n) if n >= 0.0 && n.is_finite() => Ok(n.to_string()),
            _ => Err(invalid(None)),
        },
        Kind::Milliseconds => {
            let units = "Valid units for this parameter are \"us\", \"ms\", \"s\", \"min\", \"h\", and \"d\".";
            let ms = milliseconds(value).ok_or_else(|| invalid(Some(units.into())))?;
            Ok(with_unit(ms, &[("d", 86_400_000), ("h", 3_600_000), ("min", 60_000), ("s", 1_000), ("ms", 1)]))
        }
        Kind::Kilobytes => {
            let units = "Valid units for this parameter are \"B\", \"kB\", \"MB\", \"GB\", and \"TB\".";
            let kb = kilobytes(value).ok_or_else(|| invalid(Some(units.into())))?;
            Ok(with_unit(kb, &[("TB", 1 << 30), ("GB", 1 << 20), ("MB", 1 << 10), ("kB", 1)]))
        }
        Kind::Zone => match Zone::of_session(value.trim_matches('"')) {
            Some((_, shown)) => Ok(shown),
            None => Err(invalid(None)),
        },
        Kind::OneOf(choices) => match choices.iter().position(|choice| choice.eq_ignore_ascii_case(&spelled(known, value))) {
            Some(at) if known.name == "client_encoding" && choices[at] == "SQL_ASCII" => Ok(choices[at].to_owned()),
            Some(_) if known.name == "client_encoding" => Ok(known.default.to_owned()),
            Some(at) => Ok(choices[at].to_owned()),
            None => Err(invalid(Some(format!("Available values: {}.", choices.join(", "))))),
        },
    }
}

/// A `DateStyle` as it is shown, over the style and order there are. Errors: 22023.
pub(super) fn date_style(value: &str, now: (DateStyle, DateOrder)) -> SqlResult<String> {
    let read = DateStyle::read(value, now).map(|(style, order)| style.shown(order));
    read.map_err(|reason| {
        SqlError::new(SqlState::INVALID_PARAMETER_VALUE, format!("invalid value for parameter \"DateStyle\": \"{value}\"")).detail(reason)
    })
}

/// A default as it is shown: amounts stand in the table without their units.
pub(super) fn shown_default(known: &Known) -> String {
    match known.kind {
        Kind::Milliseconds | Kind::Kilobytes => check(known, known.default).unwrap_or_else(|_| known.default.to_owned()),
        _ => known.default.to_owned(),
    }
}

/// Any unambiguous beginning of a word, as in Postgres.
fn boolean(value: &str) -> Option<bool> {
    let value = value.trim().to_ascii_lowercase();
    match value.as_str() {
        "" | "o" => None,
        "1" | "on" => Some(true),
        "0" | "of" | "off" => Some(false),
        value if "true".starts_with(value) || "yes".starts_with(value) => Some(true),
        value if "false".starts_with(value) || "no".starts_with(value) => Some(false),
        _ => None,
    }
}

/// In the largest unit that leaves no rest.
fn with_unit(amount: u64, units: &[(&str, u64)]) -> String {
    match units.iter().find(|(_, size)| amount > 0 && amount.is_multiple_of(*size)) {
        Some((unit, size)) => format!("{}{unit}", amount / size),
        None => amount.to_string(),
    }
}

/// A duration; a bare number counts ms.
pub(super) fn milliseconds(text: &str) -> Option<u64> {
    let (n, unit) = amount(text)?;
    match unit {
        "" | "ms" => Some(n),
        "us" => Some(n / 1_000),
        "s" => n.checked_mul(1_000),
        "min" => n.checked_mul(60_000),
        "h" => n.checked_mul(3_600_000),
        "d" => n.checked_mul(86_400_000),
        _ => None,
    }
}

pub(super) fn kilobytes(text: &str) -> Option<u64> {
    let (n, unit) = amount(text)?;
    match unit {
        "" | "kB" => Some(n),
        "B" => Some(n / 1_024),
        "MB" => n.checked_mul(1 << 10),
        "GB" => n.checked_mul(1 << 20),
        "TB" => n.checked_mul(1 << 30),
        _ => None,
    }
}

fn amount(text: &str) -> Option<(u64, &str)> {
    let text = text.trim();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    Some((text[..digits].parse().ok()?, text[digits..].trim()))
}
