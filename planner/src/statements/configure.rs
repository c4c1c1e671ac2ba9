//! SET, RESET, SHOW, DISCARD, DEALLOCATE: recognition. The session runs them.
//!
//! Never: checks a value; settings.rs does.

use std::sync::Arc;

use base::{SqlError, SqlResult, SqlState};
use sqlparser::ast::{
    ContextModifier, DiscardObject, Expr, Ident, ObjectName, Reset, Set, SetSessionAuthorizationParamKind, Statement,
    TransactionAccessMode, TransactionIsolationLevel, TransactionMode, UnaryOperator, Value,
};

use crate::outcome::Column;
use relational::values::interval;
use relational::values::manner::IntervalStyle;
use relational::values::zone::Zone;

/// A statement about the session itself.
#[derive(Clone, Debug)]
pub(crate) enum Configure {
    /// `value` of `None` is DEFAULT.
    Set {
        name: String,
        value: Option<String>,
        local: bool,
    },
    Reset {
        name: String,
    },
    ResetAll,
    Show {
        name: String,
    },
    ShowAll,
    Discard {
        all: bool,
        tag: &'static str,
    },
    /// SET SESSION CHARACTERISTICS AS TRANSACTION
    DefaultModes {
        isolation: Option<&'static str>,
        read_only: Option<bool>,
    },
}

/// What SHOW calls the figures of the plan cache.
pub(crate) const PLAN_CACHE: &str = "plan_cache";
/// Its columns.
pub(crate) const PLAN_CACHE_COLUMNS: [&str; 5] = ["entries", "bytes", "hits", "misses", "evictions"];

impl Configure {
    /// Columns of the answer.
    pub(crate) fn columns(&self) -> Option<Arc<[Column]>> {
        match self {
            Self::Show { name } if name == PLAN_CACHE => Some(Column::texts(&PLAN_CACHE_COLUMNS)),
            Self::Show { name } => Some(Column::texts(&[name])),
            Self::ShowAll => Some(Column::texts(&["name", "setting", "description"])),
            _ => None,
        }
    }
}

/// `None` for other statements. Errors: 0A000, 42601.
pub(crate) fn recognise(statement: &Statement) -> SqlResult<Option<Configure>> {
    Ok(Some(match statement {
        Statement::Set(set) => return recognise_set(set),
        Statement::Reset(reset) => match &reset.reset {
            Reset::ALL => Configure::ResetAll,
            Reset::ConfigurationParameter(name) => Configure::Reset { name: dotted(name) },
        },
        Statement::ShowVariable { variable } => show(variable),
        Statement::Discard { object_type } => match object_type {
            DiscardObject::ALL => Configure::Discard { all: true, tag: "DISCARD ALL" },
            DiscardObject::PLANS => Configure::Discard { all: false, tag: "DISCARD PLANS" },
            DiscardObject::SEQUENCES => Configure::Discard { all: false, tag: "DISCARD SEQUENCES" },
            DiscardObject::TEMP => Configure::Discard { all: false, tag: "DISCARD TEMP" },
        },
        _ => return Ok(None),
    }))
}

fn dotted(name: &ObjectName) -> String {
    name.to_string().replace('"', "").to_lowercase()
}

fn show(variable: &[Ident]) -> Configure {
    let words: Vec<String> = variable.iter().map(|ident| ident.value.to_lowercase()).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["all"] => Configure::ShowAll,
        ["time", "zone"] => Configure::Show { name: "TimeZone".into() },
        ["transaction", "isolation", "level"] => Configure::Show { name: "transaction_isolation".into() },
        ["session", "authorization"] => Configure::Show { name: "session_authorization".into() },
        words => Configure::Show { name: words.join(".") },
    }
}

fn recognise_set(set: &Set) -> SqlResult<Option<Configure>> {
    Ok(Some(match set {
        Set::SingleAssignment { scope, variable, values, .. } => {
            Configure::Set { name: dotted(variable), value: joined(values)?, local: matches!(scope, Some(ContextModifier::Local)) }
        }
        Set::SetTimeZone { local, value } => {
            let value = match value {
                Expr::Interval(interval) => Some(displacement(&interval.value)?),
                value => one(value)?.filter(|value| !value.eq_ignore_ascii_case("local")),
            };
            Configure::Set { name: "TimeZone".into(), value, local: *local }
        }
        Set::SetNames { charset_name, collation_name: None } => {
            Configure::Set { name: "client_encoding".into(), value: Some(charset_name.value.clone()), local: false }
        }
        Set::SetNamesDefault {} => Configure::Set { name: "client_encoding".into(), value: None, local: false },
        Set::SetTransaction { modes, snapshot: None, session: true } => default_modes(modes),
        Set::SetTransaction { .. } => return Ok(None),
        Set::SetRole { context_modifier, role_name } => Configure::Set {
            name: "role".into(),
            value: role_name.as_ref().map(crate::names::fold),
            local: matches!(context_modifier, Some(ContextModifier::Local)),
        },
        Set::SetSessionAuthorization(authorization) => Configure::Set {
            name: "session_authorization".into(),
            value: match &authorization.kind {
                SetSessionAuthorizationParamKind::Default => None,
                SetSessionAuthorizationParamKind::User(user) => Some(crate::names::fold(user)),
            },
            local: matches!(authorization.scope, ContextModifier::Local),
        },
        _ => return Err(SqlError::unsupported("this form of SET")),
    }))
}

/// `INTERVAL '-08:00'` as the zone so far east. Errors: 22007, 22023 for one of months or days.
fn displacement(value: &Expr) -> SqlResult<String> {
    let text = one(value)?.unwrap_or_default();
    let span = interval::parse(&text, IntervalStyle::Postgres)?;
    if span.months != 0 || span.days != 0 {
        return Err(SqlError::new(SqlState::INVALID_PARAMETER_VALUE, "invalid value for parameter \"TimeZone\"")
            .detail("Cannot specify months or days in time zone interval."));
    }
    Ok(Zone::shown_east(i32::try_from(span.micros / 1_000_000).unwrap_or(0)).1)
}

fn default_modes(modes: &[TransactionMode]) -> Configure {
    let (mut isolation, mut read_only) = (None, None);
    for mode in modes {
        match mode {
            TransactionMode::AccessMode(access) => read_only = Some(*access == TransactionAccessMode::ReadOnly),
            TransactionMode::IsolationLevel(level) => {
                isolation = Some(match level {
                    TransactionIsolationLevel::RepeatableRead | TransactionIsolationLevel::Snapshot => "repeatable read",
                    TransactionIsolationLevel::Serializable => "serializable",
                    TransactionIsolationLevel::ReadUncommitted => "read uncommitted",
                    TransactionIsolationLevel::ReadCommitted => "read committed",
                });
            }
        }
    }
    Configure::DefaultModes { isolation, read_only }
}

/// The value of SET as one string; a list is joined by commas. `None` for DEFAULT.
fn joined(values: &[Expr]) -> SqlResult<Option<String>> {
    let mut parts = Vec::with_capacity(values.len());
    for value in values {
        match one(value)? {
            None => return Ok(None),
            Some(part) => parts.push(part),
        }
    }
    Ok(Some(parts.join(", ")))
}

fn one(value: &Expr) -> SqlResult<Option<String>> {
    Ok(Some(match value {
        Expr::Identifier(ident) if ident.quote_style.is_none() && ident.value.eq_ignore_ascii_case("default") => return Ok(None),
        Expr::Identifier(ident) if ident.quote_style == Some('"') => format!("\"{}\"", ident.value),
        Expr::Identifier(ident) => ident.value.clone(),
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text) | Value::EscapedStringLiteral(text) => text.clone(),
            Value::Number(digits, _) => digits.clone(),
            Value::Boolean(value) => if *value { "on" } else { "off" }.to_owned(),
            other => return Err(not_a_value(other)),
        },
        Expr::UnaryOp { op: UnaryOperator::Minus, expr } => match one(expr)? {
            Some(digits) => format!("-{digits}"),
            None => return Err(not_a_value(value)),
        },
        other => return Err(not_a_value(other)),
    }))
}

fn not_a_value(what: &impl std::fmt::Display) -> SqlError {
    SqlError::new(SqlState::SYNTAX_ERROR, format!("syntax error: SET takes names and constants, not {what}"))
}
